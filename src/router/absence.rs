//! What is missing, present, left out, or has not happened for a while.

use serde_json::{Value as Json, json};

use super::draft::Where;
use super::grammar::Gram;
use super::periods::length_at;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Access, Derivation, Kind, Op, Role};

impl Reader<'_> {
    /// "without a phone", "no email or phone", "with empty source", "source is empty".
    pub(super) fn absence(&mut self, at: usize) -> Option<usize> {
        if let Some(length) = self.gram(at, Gram::Without) {
            let start = self.past_articles(at + length);
            let (end, columns) = self.column_list(start)?;
            // "no contacts yet from Acme" is about rows, not about a column.
            let named = self.any_column(start).map_or(0, |(length, _)| length);
            let is_rows = self.noun_at(start).is_some_and(|(length, _)| length >= named);
            if is_rows {
                return None;
            }
            for column in columns {
                self.note_empty(column, at..end);
            }
            return Some(end);
        }
        let (length, column) = self.any_column(at)?;
        let from = at + length;
        for (gram, op) in [(Gram::Empty, Op::IsEmpty), (Gram::Filled, Op::IsNotEmpty)] {
            let here = self.past_any(from, &[Gram::Is]);
            let end =
                self.gram(from, gram).map(|n| from + n).or_else(|| self.gram(here, gram).map(|n| here + n));
            if let Some(end) = end {
                self.draft.filter(column, op, Json::Null, at..end);
                return Some(end);
            }
        }
        None
    }

    /// A column that is missing; a count that is missing is zero.
    fn note_empty(&mut self, column: usize, tokens: std::ops::Range<usize>) {
        if self.is_counted(column) {
            self.draft.filter(column, Op::Equals, json!(0), tokens);
        } else {
            self.draft.filter(column, Op::IsEmpty, Json::Null, tokens);
        }
    }

    /// Whether the column holds a count that the product keeps.
    pub(super) fn is_counted(&self, column: usize) -> bool {
        self.column(column)
            .is_some_and(|known| matches!(known.access, Access::Derived(Derivation::ActiveContacts)))
    }

    /// "email", "email or phone", "phone and linkedin".
    fn column_list(&self, at: usize) -> Option<(usize, Vec<usize>)> {
        let (length, column) = self.any_column(at)?;
        let mut columns = vec![column];
        let mut end = at + length;
        loop {
            let comma = end + usize::from(self.is_comma(end));
            let next = self.past_any(comma, &[Gram::And, Gram::Or, Gram::Without]);
            let next = self.past_articles(next);
            if next == end {
                break;
            }
            let Some((length, column)) = self.any_column(next).filter(|_| self.noun_at(next).is_none())
            else {
                break;
            };
            columns.push(column);
            end = next + length;
        }
        // "no phone number on file"
        Some((self.past_any(end, &[Gram::Filled]), columns))
    }

    /// "with a phone", "that have a recording", and "with source webinar".
    pub(super) fn presence(&mut self, at: usize) -> Option<usize> {
        let length = self.gram(at, Gram::With)?;
        let start = self.past_articles(at + length);
        if let Some(end) = self
            .text_within(at, start)
            .or_else(|| if self.gram(start, Gram::Without).is_none() { self.absence(start) } else { None })
        {
            return Some(end);
        }
        if let Some(end) = self
            .dated_column(start)
            .filter(|end| self.date_at(*end - 1).is_some() || self.draft.date_column.is_none())
        {
            return Some(end);
        }
        self.draft.date_column = self.draft.date_column.filter(|_| false);
        if let Some(end) = self.comparison(start).or_else(|| self.column_with_value(start)) {
            return Some(end);
        }
        if self.word(at) == "with" {
            self.direct = true;
            let found = self.any_column(start).and_then(|(n, _)| {
                let known = self.is_unknown(start + n) || self.job_title(start + n).is_some();
                known.then(|| self.column_with_value(start)).flatten()
            });
            self.direct = false;
            if found.is_some() {
                return found;
            }
        }
        if let Some(end) = self.choices(start) {
            return Some(end);
        }
        let (end, columns) = self.column_list(start)?;
        let first = *columns.first()?;
        if matches!(self.kind(first), Some(Kind::Day | Kind::Instant))
            && (self.word(at) != "with" || !self.is_end(end) || self.date_at(end).is_some())
        {
            return None;
        }
        if self.noun_at(start).is_some()
            || self
                .kind(*columns.first()?)
                .is_some_and(|kind| kind == Kind::Status && self.gram(end, Gram::Of).is_some())
        {
            return None;
        }
        // A named row "has a phone number" only in a question about it.
        for column in columns {
            if self.is_counted(column) {
                self.draft.filter(column, Op::Gt, json!(0), at..end);
            } else {
                self.draft.filter(column, Op::IsNotEmpty, Json::Null, at..end);
            }
        }
        Some(end)
    }

    /// "not in retail", "except the archived ones", "excluding Tom's", "not owned by Tom".
    pub(super) fn exclusion(&mut self, at: usize) -> Option<usize> {
        let length = self.gram(at, Gram::Not)?;
        // "not connected" is an option itself.
        if self.choice_phrase(at).is_some() {
            return None;
        }
        let mut start = self.past_articles(at + length);
        while [
            "been",
            "currently",
            "yet",
            "still",
            "any",
            "for",
            "those",
            "ones",
            "that",
            "are",
            "is",
            "be",
            "being",
            "just",
            "actually",
            "really",
            "come",
            "coming",
            "came",
            "in",
            "from",
            "at",
            "with",
            "already",
        ]
        .contains(&self.word(start))
        {
            start = self.past_articles(start + 1);
        }
        start += usize::from(
            self.token(start).is_some_and(|token| matches!(token.kind, TokenKind::Mark('(' | '['))),
        );
        let before = self.draft.filters.len();
        let end = self.excluded(start)?;
        for found in self.draft.filters.get_mut(before..).unwrap_or_default() {
            found.op = match (found.op, &found.value) {
                (Op::In, _) | (_, Json::Array(_)) => Op::NotIn,
                (Op::IsNotEmpty, _) => Op::IsEmpty,
                (Op::IsEmpty, _) => Op::IsNotEmpty,
                _ => Op::NotEquals,
            };
        }
        Some(end)
    }

    fn excluded(&mut self, at: usize) -> Option<usize> {
        if let Some(end) = self.mine(at).or_else(|| self.owned_by(at)).or_else(|| self.possessive_owner(at)) {
            return Some(end);
        }
        if let Some(end) = self.choices(at).or_else(|| self.key(at)).or_else(|| self.topic_filter(at)) {
            return Some(end);
        }
        let name = self.name_at(at, true).or_else(|| self.industry_at(at))?;
        let end = at + name.length;
        let column = if self.role(Role::Industry).is_some() && super::names::is_industry(&name.words) {
            self.role(Role::Industry)
        } else if self.role(Role::Channel).is_some() && super::names::is_channel(&name.words) {
            self.role(Role::Channel)
        } else if name.person && self.role(Role::Owner).is_some() {
            self.role(Role::Owner)
        } else {
            self.role(Role::Company)
        }?;
        self.draft.filter(column, Op::NotEquals, json!(name.text), at..end);
        Some(end)
    }

    /// "not contacted in 30 days", "no activity since March", "untouched for a month", "never contacted".
    pub(super) fn no_contact_since(&mut self, at: usize) -> Option<usize> {
        let today = self.calendar.today;
        if let Some(length) = self.gram(at, Gram::Stale) {
            let (n, when) = self.stretch(at + length)?;
            let column = self.words()?.default_date;
            let end = at + length + n;
            let (op, value) = when.not_within(today)?.comparison();
            self.draft.filter(column, op, value, at..end);
            return Some(end);
        }
        let length = self.gram(at, Gram::Not).into_iter().chain(self.gram(at, Gram::Without)).max()?;
        let mut start = at + length;
        while [
            "been", "had", "have", "has", "any", "a", "an", "we", "our", "us", "by", "with", "yet",
            "actually", "even", "recent", "got",
        ]
        .contains(&self.word(start))
        {
            start += 1;
        }
        let is_date =
            |column: &crate::tables::CatalogColumn| matches!(column.kind, Kind::Day | Kind::Instant);
        let (n, column) = self.column_at(start, is_date)?;
        let mut after = start + n;
        while ["at", "all", "with", "by", "to", "anyone", "anybody", "us", "them", "any", "recorded"]
            .contains(&self.word(after))
        {
            after += 1;
        }
        if let Some((n, when)) = self.stretch(after) {
            let end = after + n;
            let (op, value) = when.not_within(today)?.comparison();
            self.draft.filter(column, op, value, at..end);
            return Some(end);
        }
        let never = ["never", "not"].contains(&self.word(at)) && self.is_end(after);
        if never {
            self.draft.filter(column, Op::IsEmpty, Json::Null, at..after);
            return Some(after);
        }
        None
    }

    /// "for 3 months", "in over 30 days", "since Friday", "this year".
    fn stretch(&self, at: usize) -> Option<(usize, super::moment::When)> {
        if let Some(found) = self.date_at(at) {
            return Some(found);
        }
        if let Some(found) = length_at(self.message.tokens.get(..self.end)?, at) {
            return Some(found);
        }
        let mut start = at;
        while [
            "for", "in", "over", "more", "than", "at", "least", "within", "the", "during", "past", "last",
            "about", "around", "a", "longer",
        ]
        .contains(&self.word(start))
        {
            start += 1;
            let tokens = self.message.tokens.get(..self.end)?;
            if let Some((n, when)) = self.date_at(start).or_else(|| length_at(tokens, start)) {
                return Some((start + n - at, when));
            }
        }
        None
    }

    /// Notes what became of a lead's meeting: dates in the message are then the meeting's.
    pub(super) fn event_date(&self, column: usize) -> Option<usize> {
        let table = self.lexicon.table(self.table)?;
        let key = &table.columns.get(column)?.key;
        let (stem, _) = key.split_once('_')?;
        let words = self.words()?;
        table.columns.iter().enumerate().position(|(place, other)| {
            place != words.default_date
                && matches!(other.kind, Kind::Day | Kind::Instant)
                && other.key.split_once('_').is_some_and(|(other, _)| other == stem)
                && Where::Column(place) != Where::Column(column)
        })
    }
}
