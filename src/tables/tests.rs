//! What every declaration must keep to.

use std::collections::{HashMap, HashSet};

use super::testing::reading;
use super::*;

#[test]
fn keys_and_slots_are_used_once() {
    let mut tables = HashSet::new();
    for table in TABLES {
        assert!(tables.insert(table.key), "two tables are called {}", table.key);
        let (mut keys, mut slots) = (HashSet::from(["id", "tags"]), HashSet::new());
        for column in table.columns {
            assert!(keys.insert(column.key), "{}: two columns are called {}", table.key, column.key);
            let Some(slot) = column.slot else { continue };
            assert!(slots.insert(slot), "{}.{}: the slot {slot:?} is taken", table.key, column.key);
            let core = 1..=Slot::counts(slot.storage).1;
            assert!(core.contains(&slot.number), "{}.{}: {slot:?} is no core slot", table.key, column.key);
            assert_eq!(slot.storage, column.kind.storage(), "{}.{}", table.key, column.key);
        }
    }
}

#[test]
fn no_two_columns_of_a_table_answer_to_the_same_word() {
    for table in TABLES {
        let mut known: HashMap<String, &str> = HashMap::from([("tags".to_owned(), "tags")]);
        for column in table.columns {
            for word in column.words.iter().chain([&column.key, &column.label]) {
                let folded = fold_word(word);
                assert!(!folded.is_empty(), "{}.{}: {word}", table.key, column.key);
                let owner = *known.entry(folded).or_insert(column.key);
                assert_eq!(owner, column.key, "{}: `{word}` names two columns", table.key);
            }
        }
    }
}

#[test]
fn every_named_column_exists() {
    let mut named = Vec::new();
    for table in TABLES {
        let places = table.natural_keys.iter().chain([&table.default_date]);
        named.extend(
            places.chain(table.indexes.iter().flat_map(|index| index.columns)).map(|key| (table, *key)),
        );
        for view in table.views {
            named.extend(view.filters.iter().chain(view.any_of).map(|filter| (table, filter.column)));
            named.extend(view.sort.iter().map(|sort| (table, sort.column)));
        }
        for rule in table.automations {
            named.extend(rule.conditions.iter().chain(rule.any_of).map(|filter| (table, filter.column)));
            named.extend(rule.triggers.iter().filter_map(|trigger| match trigger {
                Trigger::CellChanged(key) => Some((table, *key)),
                Trigger::RowCreated | Trigger::Daily => None,
            }));
            for action in rule.actions {
                named.extend(columns_of(action).into_iter().map(|key| (table, key)));
            }
        }
    }
    for (table, key) in named {
        assert!(table.column(key).is_some(), "{} has no column {key}", table.key);
    }
}

fn columns_of(action: &Action) -> Vec<&'static str> {
    match action {
        Action::Notify { text, .. } => {
            text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()).collect()
        }
        Action::Enrich { from, columns } => columns.iter().copied().chain([*from]).collect(),
        Action::Push(columns) => columns.to_vec(),
        Action::Tag(_) => Vec::new(),
    }
}

#[test]
fn status_columns_and_no_others_have_options_each_with_its_own_words() {
    for table in TABLES {
        for column in table.columns {
            assert_eq!(
                column.options.is_empty(),
                column.kind != Kind::Status,
                "{}.{}",
                table.key,
                column.key
            );
            let mut known = HashMap::new();
            for option in column.options {
                for word in option.words.iter().chain([&option.value, &option.label]) {
                    let owner = *known.entry(fold_word(word)).or_insert(option.value);
                    assert_eq!(owner, option.value, "{}.{}: `{word}`", table.key, column.key);
                }
            }
        }
    }
}

#[test]
fn declared_comparisons_can_be_asked() {
    for table in TABLES {
        let catalog = as_declared(table);
        let views = table.views.iter().flat_map(|view| view.filters.iter().chain(view.any_of));
        let rules = table.automations.iter().flat_map(|rule| rule.conditions.iter().chain(rule.any_of));
        for comparison in views.chain(rules) {
            let parsed = filter::parse(&catalog, &filter::spec_of(comparison), &reading(&[]));
            assert!(parsed.is_ok(), "{}: {comparison:?}: {parsed:?}", table.key);
        }
    }
}

#[test]
fn the_nine_automations_are_there() {
    assert_eq!(TABLES.iter().map(|table| table.automations.len()).sum::<usize>(), 9);
}

#[test]
fn the_headings_of_crm_exports_find_their_columns() {
    let check = |table: &'static Table, headings: &[(&str, &str)]| {
        let catalog = as_declared(table);
        for (heading, key) in headings {
            let found: Vec<&str> = catalog
                .columns
                .iter()
                .filter(|column| column.answers_to(heading))
                .map(|column| column.key.as_str())
                .collect();
            assert_eq!(found, [*key], "{}: {heading}", table.key);
        }
    };
    check(&CONTACTS, HUBSPOT_CONTACT);
    check(&CONTACTS, ATTIO_PERSON);
    check(&COMPANIES, HUBSPOT_COMPANY);
    check(&COMPANIES, ATTIO_COMPANY);
}

const HUBSPOT_CONTACT: &[(&str, &str)] = &[
    ("Record ID", "crm_id"),
    ("First Name", "first_name"),
    ("Last Name", "last_name"),
    ("Email", "email"),
    ("Phone Number", "phone"),
    ("Lifecycle Stage", "lifecycle_stage"),
    ("Job Title", "title"),
    ("Company Name", "company_name"),
    ("Associated Company", "company_name"),
    ("Last Activity Date", "last_engagement"),
    ("LinkedIn URL", "linkedin_url"),
];

const ATTIO_PERSON: &[(&str, &str)] = &[
    ("Record", "crm_id"),
    ("First name", "first_name"),
    ("Last name", "last_name"),
    ("Email addresses", "email"),
    ("Phone numbers", "phone"),
    ("Job title", "title"),
    ("Company", "company_name"),
    ("LinkedIn", "linkedin_url"),
];

const HUBSPOT_COMPANY: &[(&str, &str)] = &[
    ("Record ID", "crm_id"),
    ("Company name", "name"),
    ("Company Domain Name", "domain"),
    ("Website URL", "website"),
    ("Industry", "industry"),
    ("Annual Revenue", "revenue"),
    ("Phone Number", "phone"),
    ("Description", "description"),
    ("Number of Employees", "company_size"),
    ("LinkedIn Company Page", "linkedin_url"),
];

const ATTIO_COMPANY: &[(&str, &str)] = &[
    ("Record", "name"),
    ("Domains", "domain"),
    ("Estimated ARR", "revenue"),
    ("LinkedIn", "linkedin_url"),
    ("Employee range", "company_size"),
    ("Categories", "industry"),
    ("Description", "description"),
];
