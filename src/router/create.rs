//! New rows: "add a lead: Nora Blake, nora@finlo.com, source LinkedIn", "log a 20 minute call with Jo Hart".

use serde_json::{Map, Value as Json, json};

use super::amounts::plain;
use super::call::{self, Found, Operation};
use super::grammar::Gram;
use super::lexicon::Sense;
use super::names;
use super::numeral::numeral;
use super::reader::{Name, Reader};
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Kind, Role};

/// The cells of the new row, with the words that say each.
#[derive(Debug, Default)]
struct Cells {
    set: Map<String, Json>,
    parts: Vec<(std::ops::Range<usize>, String)>,
    /// Whether something says who or what the row is.
    named: bool,
}

/// The new row that the whole message describes.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Found> {
    let start = reader.past_politeness(0);
    let length = reader.gram(start, Gram::Create).filter(|_| !reader.message.corrected.contains(&start))?;
    let verb_is_new = reader.word(start) == "new";
    // To make a meeting is to arrange one, which is no row.
    if ["make", "set", "start", "put"].contains(&reader.word(start))
        && reader.words().is_some_and(|words| !words.topics.is_empty())
    {
        return None;
    }
    let mut at = start + length;
    while [
        "a",
        "an",
        "the",
        "new",
        "another",
        "this",
        "following",
        "one",
        "more",
        "in",
        "us",
        "me",
        "up",
        "down",
    ]
    .contains(&reader.word(at))
    {
        at += 1;
    }
    let noun = (at..reader.end.min(at + 8)).find(|i| reader.noun_at(*i).is_some() || reader.is_topic(*i))?;
    // "add next steps to the call" changes a call: the row comes before its cells.
    if (at..noun).any(|i| reader.column_at(i, |column| column.kind != Kind::Number).is_some()) {
        return None;
    }
    let mut cells = Cells::default();
    let mut next = at;
    while next < reader.end {
        let after = reader.cell(next, noun, &mut cells)?;
        if after <= next {
            return None;
        }
        next = after;
    }
    // "new leads" asks for rows; a new lead is one that is described.
    let plural = reader.noun_at(noun).is_some_and(|(_, plural)| plural);
    if plural || !cells.named || (verb_is_new && cells.set.len() < 2) {
        return None;
    }
    reader.draft = super::draft::Draft::default();
    reader.set_noun(noun, false);
    let Cells { set, parts, .. } = cells;
    Some(call::change(reader, Operation::Create, set, parts))
}

impl Reader<'_> {
    pub(super) fn is_topic(&self, at: usize) -> bool {
        self.senses(at).any(|(_, sense)| matches!(sense, Sense::Topic { .. }))
    }

    fn put(
        &self,
        cells: &mut Cells,
        column: usize,
        value: Json,
        tokens: std::ops::Range<usize>,
    ) -> Option<usize> {
        let known = self.column(column).filter(|known| known.is_editable())?;
        let end = tokens.end;
        cells.parts.push((tokens, format!("set {} to {value}", known.key)));
        cells.set.insert(known.key.clone(), value).is_none().then_some(end)
    }

    /// One piece of the description.
    fn cell(&self, at: usize, noun: usize, cells: &mut Cells) -> Option<usize> {
        if let Some(token) =
            self.token(at).filter(|token| matches!(token.kind, TokenKind::Mark(_) | TokenKind::Possessive))
        {
            return (token.kind != TokenKind::Possessive).then_some(at + 1);
        }
        if at == noun
            && let Some((length, _)) = self.noun_at(at)
        {
            return Some(at + length);
        }
        self.address_cell(at, cells)
            .or_else(|| self.column_cell(at, cells))
            .or_else(|| self.choice_cell(at, cells))
            .or_else(|| self.amount_cell(at, cells))
            .or_else(|| self.date_cell(at, cells))
            .or_else(|| self.topic_cell(at, cells))
            .or_else(|| self.related_cell(at, cells))
            .or_else(|| self.job_cell(at, cells))
            .or_else(|| self.named_cell(at, cells))
            .or_else(|| self.link_word(at))
    }

    fn address_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let words = self.words()?;
        let token = self.token(at)?;
        let text = json!(self.text(at, at + 1));
        let column = match token.kind {
            TokenKind::Email => {
                cells.named = true;
                words.email?
            }
            TokenKind::Address if token.word.contains("linkedin.com") => self.first_of(Kind::Linkedin)?,
            TokenKind::Address => {
                cells.named = true;
                words.host.or_else(|| self.first_of(Kind::Url))?
            }
            _ => return self.phone_cell(at, cells),
        };
        self.put(cells, column, text, at..at + 1)
    }

    fn phone_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let column = self.first_of(Kind::Phone)?;
        let plus = self.token(at)?.word == "+";
        let (end, value) = self.cell_value(at, self.end, column)?;
        let digits = value.as_str()?.chars().filter(char::is_ascii_digit).count();
        if !plus && digits < 7 {
            return None;
        }
        self.put(cells, column, value, at..end)
    }

    fn first_of(&self, kind: Kind) -> Option<usize> {
        self.lexicon
            .table(self.table)?
            .columns
            .iter()
            .position(|column| column.kind == kind && !column.custom)
    }

    /// "source LinkedIn", "email: a@b.co", "owner is Tom".
    fn column_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let (length, column) = self.any_column(at).filter(|_| self.noun_at(at).is_none())?;
        let mut from = at + length;
        while self
            .gram(from, Gram::Is)
            .or_else(|| self.gram(from, Gram::To))
            .or_else(|| self.gram(from, Gram::Exactly))
            .is_some()
        {
            from = self.past_any(from, &[Gram::Is, Gram::To, Gram::Exactly]);
        }
        let role = self.words()?.roles.iter().find(|(_, place)| **place == column).map(|(role, _)| *role);
        let (end, value) = match role {
            Some(Role::Channel) => self.text_cell(from)?,
            _ => self
                .cell_value(from, self.end, column)
                .or_else(|| self.cell_value(self.past_articles(from), self.end, column))?,
        };
        cells.named |= matches!(
            role,
            Some(Role::Company | Role::Person | Role::GivenName | Role::FamilyName | Role::Topic)
        );
        self.put(cells, column, value, at..end)
    }

    fn text_cell(&self, at: usize) -> Option<(usize, Json)> {
        let start = self.past_articles(at);
        let end = self.text_value(start)?;
        Some((end, json!(self.text(start, end))))
    }

    fn choice_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let (length, candidates) = self.choice_phrase(at)?;
        let editable = |column: usize| self.column(column).is_some_and(CatalogColumn::is_editable);
        let (column, option) = candidates.iter().copied().find(|(column, _)| editable(*column))?;
        if candidates.iter().filter(|(other, _)| *other == column).count() > 1 {
            return None;
        }
        let value = self.column(column)?.options.get(option)?.value.clone();
        let end = at + length;
        let end = self.any_column(end).filter(|(_, named)| *named == column).map_or(end, |(n, _)| end + n);
        self.put(cells, column, json!(value), at..end)
    }

    /// "3.2k MRR", "20 minute", "$500 a month".
    fn amount_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let (length, value) = numeral(&self.message.tokens, at)?;
        let mut end = at + length;
        let (column, factor) = match self.word(end) {
            "minute" | "minutes" | "hour" | "hours" => {
                let factor = if self.word(end).starts_with("hour") { 60.0 } else { 1.0 };
                let minutes = self
                    .lexicon
                    .table(self.table)?
                    .columns
                    .iter()
                    .position(|column| column.key.ends_with("_minutes"))?;
                end += 1;
                (minutes, factor)
            }
            _ => (self.amount_column(at, &mut end)?, 1.0),
        };
        self.put(cells, column, plain(value * factor), at..end)
    }

    /// The column of an amount: the one named behind it, else the table's measure when it is money or stands
    /// alone.
    fn amount_column(&self, at: usize, end: &mut usize) -> Option<usize> {
        if let Some((length, column)) = self.column_at(*end, |column| column.kind == Kind::Number) {
            *end += length;
            return Some(column);
        }
        let written = self.text(at, at + 1);
        self.words()?.measure.filter(|_| written.starts_with(['$', '€', '£']) || self.is_end(*end))
    }

    /// "today", "starting 1 April".
    fn date_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let (length, when) = self.date_at(at)?;
        let super::moment::When::Day(day) = when else { return None };
        let table = self.lexicon.table(self.table)?;
        // A row's own date: a meeting's is when it was; a lead's would be when it was recorded, which nobody says.
        let column = self.words()?.default_date;
        let recorded = table.columns.get(column)?.key == "created_at";
        if recorded {
            return None;
        }
        let more =
            usize::from(self.token(at + length).is_some_and(|token| token.kind == TokenKind::Possessive));
        self.put(cells, column, json!(day), at..at + length + more)
    }

    fn topic_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let length = self
            .senses(at)
            .find_map(|(length, sense)| matches!(sense, Sense::Topic { .. }).then_some(length))?;
        let column = self.role(Role::Topic)?;
        let known = self.column(column)?;
        if cells.set.contains_key(&known.key) {
            return Some(at + length);
        }
        let noun = self.noun_at(at + length).map_or(0, |(n, _)| n);
        self.put(cells, column, json!(self.text(at, at + length)), at..at + length).map(|end| end + noun)
    }

    /// "at Northwind", "with Jo Hart", "from LinkedIn", "for Tom", "as CTO".
    fn related_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let (length, gram) =
            [Gram::OwnedBy, Gram::At, Gram::Of, Gram::From, Gram::With, Gram::For, Gram::In, Gram::Called]
                .into_iter()
                .filter_map(|gram| self.gram(at, gram).map(|length| (length, gram)))
                .max_by_key(|(length, _)| *length)?;
        let start = self.past_articles(at + length);
        if gram == Gram::In {
            let industry = self.role(Role::Industry)?;
            let name = self
                .industry_at(start)
                .or_else(|| self.name_at(start, false).filter(|name| !names::is_place(&name.words)))?;
            let end = start + name.length;
            let tail = usize::from(["sector", "industry", "space"].contains(&self.word(end)));
            return self.put(cells, industry, json!(name.text), at..end + tail);
        }
        if gram == Gram::From && self.role(Role::Channel).is_some() {
            let end = self.text_value(start)?;
            let words = self.name(start, end - start);
            if names::is_channel(&words.words) {
                return self.put(cells, self.role(Role::Channel)?, json!(words.text), at..end);
            }
        }
        if gram == Gram::OwnedBy {
            let owner = self.role(Role::Owner)?;
            let (end, value) = self.cell_value(start, self.end, owner)?;
            return self.put(cells, owner, value, at..end);
        }
        let name = self.name_at(start, true)?;
        let end = start + name.length;
        match gram {
            Gram::For if name.person && self.role(Role::Owner).is_some() && cells.named => {
                self.put(cells, self.role(Role::Owner)?, json!(name.text), at..end)
            }
            Gram::For | Gram::With | Gram::Called => self.identity_cell(&name, at..end, cells),
            _ => self.put_company(&name, at..end, cells),
        }
    }

    /// A company by name; a column of host names takes no other text.
    fn put_company(&self, name: &Name, tokens: std::ops::Range<usize>, cells: &mut Cells) -> Option<usize> {
        let company = self.role(Role::Company)?;
        if self.kind(company) == Some(Kind::Domain) {
            return None;
        }
        cells.named = true;
        self.put(cells, company, json!(name.text), tokens)
    }

    fn job_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        let title = self.role(Role::JobTitle)?;
        let as_ = self.gram(at, Gram::As).map_or(at, |n| at + n);
        let (end, words) = self.job_title(as_)?;
        self.put(cells, title, json!(words), at..end)
    }

    /// A name by itself: who the row is about, then the industry of a company.
    fn named_cell(&self, at: usize, cells: &mut Cells) -> Option<usize> {
        if let (Some(industry), Some(name)) =
            (self.role(Role::Industry).filter(|_| cells.named), self.industry_at(at))
        {
            return self.put(cells, industry, json!(name.text), at..at + name.length);
        }
        let name = self.name_at(at, true)?;
        let industry =
            self.role(Role::Industry).and_then(|column| Some((column, self.column(column)?.key.clone())));
        if let Some((column, key)) = industry.filter(|_| cells.named)
            && !cells.set.contains_key(&key)
            && !name.person
        {
            return self.put(cells, column, json!(name.text), at..at + name.length);
        }
        self.identity_cell(&name, at..at + name.length, cells)
    }

    fn identity_cell(&self, name: &Name, tokens: std::ops::Range<usize>, cells: &mut Cells) -> Option<usize> {
        let is_free =
            |column: usize| self.column(column).is_some_and(|known| !cells.set.contains_key(&known.key));
        let people = self.role(Role::GivenName).is_some();
        let person = self.role(Role::Person).filter(|column| is_free(*column));
        // Two words without a company's ending are a person where the table has one.
        let two = name.words.split(' ').count() == 2 && !name.words.split(' ').any(names::is_business_word);
        if people {
            let given = self.role(Role::GivenName).filter(|column| is_free(*column));
            let Some(given) = given else { return self.put_company(name, tokens, cells) };
            cells.named = true;
            return match (name.text.split_once(char::is_whitespace), self.role(Role::FamilyName)) {
                (Some((first, last)), Some(family)) => {
                    self.put(cells, given, json!(first), tokens.clone())?;
                    self.put(cells, family, json!(last.trim()), tokens)
                }
                _ => self.put(cells, given, json!(name.text), tokens),
            };
        }
        let lead = self.role(Role::Company).is_some_and(|company| self.kind(company) == Some(Kind::Domain));
        if let Some(person) = person.filter(|_| {
            name.person || lead || (two && !self.words().is_some_and(|words| words.topics.is_empty()))
        }) {
            cells.named = true;
            return self.put(cells, person, json!(name.text), tokens);
        }
        self.put_company(name, tokens, cells)
    }

    /// Words that join the pieces.
    fn link_word(&self, at: usize) -> Option<usize> {
        let word = self.word(at);
        let links = [
            "and", "with", "the", "a", "an", "is", "are", "for", "as", "their", "his", "her", "she", "he",
            "they", "who", "whose", "on", "of", "in", "please", "thanks", "thank", "you", "new", "it",
            "that", "was", "were", "to", "our", "we", "had", "has", "have", "did", "just", "by", "worth",
            "i", "works", "there", "crm", "system", "held", "from", "at", "using", "them", "this", "record",
            "entry", "row",
        ];
        (links.contains(&word) || self.token(at)?.word == "=").then_some(at + 1)
    }
}
