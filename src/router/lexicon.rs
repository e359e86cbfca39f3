//! An organization's own vocabulary, derived from its tables: what rows are called, columns, options, views.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::grammar::GRAMMAR;
use super::names;
use super::phrases::Phrases;
use super::spelling::Spelling;
use super::text;
use crate::tables::{Access, Catalog, CatalogColumn, CatalogTable, Derivation, Kind, Role};

/// Everything the parser knows about an organization. Built once for each version of its catalog.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub catalog: Arc<Catalog>,
    pub tables: Vec<TableWords>,
    pub phrases: Phrases<Sense>,
    pub spelling: Spelling,
    /// The words of the members' names.
    pub members: HashSet<String>,
}

/// What a phrase of the organization means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// A noun for rows; a loose one is another table's by rights.
    Noun {
        table: usize,
        plural: bool,
        loose: bool,
    },
    Column {
        table: usize,
        column: usize,
    },
    Choice {
        table: usize,
        column: usize,
        option: usize,
    },
    Topic {
        table: usize,
        topic: usize,
        plural: bool,
    },
    View {
        table: usize,
        view: usize,
    },
}

/// Which columns of a table play which part.
#[derive(Debug)]
pub(super) struct TableWords {
    pub roles: HashMap<Role, usize>,
    /// What "biggest" and a bare amount mean.
    pub measure: Option<usize>,
    pub default_date: usize,
    pub email: Option<usize>,
    /// The column that a host name identifies.
    pub host: Option<usize>,
    pub topics: Vec<String>,
}

impl Sense {
    pub(super) fn table(self) -> usize {
        match self {
            Sense::Noun { table, .. }
            | Sense::Column { table, .. }
            | Sense::Choice { table, .. }
            | Sense::Topic { table, .. }
            | Sense::View { table, .. } => table,
        }
    }
}

impl Lexicon {
    pub(super) fn new(catalog: Arc<Catalog>) -> Lexicon {
        names::prepare();
        let mut phrases = Phrases::default();
        let mut tables = Vec::new();
        for (table, of) in catalog.tables.iter().enumerate() {
            tables.push(TableWords::new(of));
            if !of.deleted {
                add_table(&mut phrases, table, of);
            }
        }
        let members = catalog.members.iter().flat_map(|member| text::words(&member.name)).collect();
        let spelling = Spelling::new(
            phrases.words(),
            GRAMMAR.words().chain(super::calendar_words::WORDS.iter().copied()).chain(names::spelled()),
        );
        Lexicon { catalog, tables, phrases, spelling, members }
    }

    pub(super) fn table(&self, table: usize) -> Option<&CatalogTable> {
        self.catalog.tables.get(table)
    }

    pub(super) fn column(&self, table: usize, column: usize) -> Option<&CatalogColumn> {
        self.table(table)?.columns.get(column)
    }

    /// Whether a person of the organization, or people at large, have this as a first name.
    pub(super) fn is_given_name(&self, word: &str) -> bool {
        self.members.contains(word) || names::is_given_name(word)
    }
}

impl TableWords {
    fn new(table: &CatalogTable) -> TableWords {
        let mut roles = HashMap::new();
        for (place, column) in table.columns.iter().enumerate() {
            let role = table.declared.column(&column.key).and_then(|declared| declared.role);
            if let Some(role) = role.filter(|_| !column.custom) {
                roles.insert(role, place);
            }
        }
        let first = |test: &dyn Fn(&CatalogColumn) -> bool| table.columns.iter().position(test);
        let derived =
            |column: &CatalogColumn| matches!(column.access, Access::Derived(Derivation::ActiveContacts));
        TableWords {
            measure: first(&|column| column.kind == Kind::Number && !column.custom && !derived(column)),
            default_date: first(&|column| column.key == table.declared.default_date).unwrap_or_default(),
            email: first(&|column| column.kind == Kind::Email && !column.custom),
            host: first(&|column| column.kind == Kind::Domain && !column.custom),
            topics: table.declared.topics.iter().map(|&topic| topic.to_owned()).collect(),
            roles,
        }
    }
}

fn add_table(phrases: &mut Phrases<Sense>, table: usize, of: &CatalogTable) {
    for noun in of.declared.nouns {
        phrases.insert(noun, Sense::Noun { table, plural: is_plural(noun), loose: false });
    }
    for noun in of.declared.loose_nouns {
        phrases.insert(noun, Sense::Noun { table, plural: is_plural(noun), loose: true });
    }
    for noun in text::words(&of.label).split_last().iter().map(|(last, _)| last.as_str()) {
        phrases.insert(noun, Sense::Noun { table, plural: true, loose: false });
    }
    for (topic, name) in of.declared.topics.iter().enumerate() {
        phrases.insert(name, Sense::Topic { table, topic, plural: false });
        phrases.insert(&plural(name), Sense::Topic { table, topic, plural: true });
    }
    for (column, known) in of.columns.iter().enumerate() {
        add_column(phrases, table, column, known, of);
    }
    for (view, known) in of.views.iter().enumerate() {
        let selects = !known.spec.filters.is_empty() && known.spec.any_of.is_empty();
        let words = text::words(&known.label);
        let says_more = words.iter().any(|word| !phrases.knows(word) && !GRAMMAR.knows(word));
        if selects && words.len() > 1 && (says_more || known.key == "key_accounts") {
            phrases.insert(&known.label, Sense::View { table, view });
        }
    }
}

fn add_column(
    phrases: &mut Phrases<Sense>,
    table: usize,
    column: usize,
    known: &CatalogColumn,
    of: &CatalogTable,
) {
    let sense = Sense::Column { table, column };
    let declared = of.declared.column(&known.key).filter(|_| !known.custom);
    let is_noun = |phrase: &str| of.declared.nouns.contains(&phrase.to_lowercase().as_str());
    let key = known.key.replace('_', " ");
    let short = key.trim_end_matches(" url").to_owned();
    let labels = [key, plain_label(&known.label), short];
    // A lead's domain stands for its company; "website" is asked of companies.
    let stands_for_company =
        known.kind == Kind::Domain && declared.is_some_and(|declared| declared.role == Some(Role::Company));
    let words =
        known.words.iter().map(String::as_str).filter(|word| !stands_for_company && !VAGUE.contains(word));
    for phrase in labels.iter().map(String::as_str).chain(words) {
        if !is_noun(phrase) {
            phrases.insert(phrase, sense);
            let last = phrase.rsplit(' ').next().unwrap_or(phrase);
            if !["long", "at", "on", "to", "by", "in", "for", "from", "since", "of", "first", "last"]
                .contains(&last)
            {
                phrases.insert(&plural(phrase), sense);
            }
        }
    }
    for phrase in declared.map_or(&[][..], |declared| declared.said) {
        phrases.insert(phrase, sense);
    }
    if known.custom && matches!(known.kind, Kind::Day | Kind::Instant) {
        for form in happening(&known.key) {
            phrases.insert(&form, sense);
        }
    }
    for (option, choice) in known.options.iter().enumerate() {
        let sense = Sense::Choice { table, column, option };
        let spoken = declared
            .and_then(|declared| declared.options.iter().find(|declared| declared.value == choice.value))
            .map_or(&[][..], |declared| declared.said);
        let label = plain_label(&choice.label);
        let value = choice.value.replace('_', " ");
        for phrase in [value.as_str(), label.as_str()]
            .into_iter()
            .chain(choice.words.iter().map(String::as_str))
            .chain(spoken.iter().copied())
        {
            if phrase.chars().any(char::is_alphabetic) {
                phrases.insert(phrase, sense);
            }
        }
    }
}

/// Words that head spreadsheets but mean too much in a sentence.
const VAGUE: &[&str] = &[
    "with",
    "when",
    "record",
    "first",
    "last",
    "person",
    "name",
    "contract",
    "opportunity",
    "prospect",
    "subject",
    "about",
    "sales",
    "product",
    "plan",
    "overview",
    "notes",
    "recap",
    "start",
    "event",
    "account",
    "client",
    "customer",
    "meeting",
    "show",
    "held",
    "deal stage",
    "status",
    "state",
    "contact",
    "market",
    "category",
    "categories",
    "video",
    "todo",
    "guest",
    "topic",
    "organization",
    "organisation",
    "site",
    "record id",
];

/// A label without what stands in parentheses.
fn plain_label(label: &str) -> String {
    label.split('(').next().unwrap_or(label).trim().to_lowercase()
}

fn is_plural(noun: &str) -> bool {
    (noun.ends_with('s') && !noun.ends_with("ss"))
        || ["people", "everyone", "everybody", "anyone", "anybody"].contains(&noun)
        || noun.starts_with("who ")
        || noun.ends_with(" know")
        || noun.ends_with(" meet")
}

/// The regular plural of a phrase.
fn plural(phrase: &str) -> String {
    if phrase.ends_with('y') && !phrase.ends_with(['a', 'e', 'o']) && phrase.len() > 2 {
        let before = phrase.chars().rev().nth(1).unwrap_or('a');
        if !"aeiou".contains(before) {
            return format!("{}ies", phrase.trim_end_matches('y'));
        }
    }
    if phrase.ends_with(['s', 'x', 'z']) || phrase.ends_with("ch") || phrase.ends_with("sh") {
        return format!("{phrase}es");
    }
    format!("{phrase}s")
}

/// What is said to happen on a date called so: a renewal date is when something renews.
fn happening(key: &str) -> Vec<String> {
    let stem =
        key.split('_').find(|word| !["date", "at", "on", "day", "time", "next", "last"].contains(word));
    let Some(stem) = stem.filter(|stem| stem.len() >= 4) else { return Vec::new() };
    let short = ["ation", "al", "ing", "ed", "ment", "e", "y"]
        .iter()
        .find_map(|ending| stem.strip_suffix(ending).filter(|short| short.len() >= 3))
        .unwrap_or(stem);
    let mut forms: Vec<String> = ["", "s", "e", "es", "ed", "ing", "al", "als", "y", "ies"]
        .iter()
        .map(|ending| format!("{short}{ending}"))
        .filter(|form| form.len() >= 4)
        .collect();
    forms.push(stem.to_owned());
    for form in forms.clone() {
        forms.push(format!("up for {form}"));
        forms.push(format!("due for {form}"));
    }
    forms
}
