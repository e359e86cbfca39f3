//! Columns that are compared with a value, and columns that are asked to be seen.

use serde_json::{Value as Json, json};

use super::draft::Field;
use super::grammar::Gram;
use super::lists::any_of;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Kind, Op};

/// Mail services: people say them for part of an address.
pub(super) const MAIL_SERVICES: &[&str] =
    &["gmail", "yahoo", "hotmail", "outlook", "icloud", "aol", "proton", "protonmail", "gmx", "googlemail"];

impl Reader<'_> {
    /// "status = new", "source is the newsletter", "transcript mentions GDPR", "owner Tom".
    pub(super) fn column_with_value(&mut self, at: usize) -> Option<usize> {
        let found: Vec<(usize, usize)> = self
            .senses(at)
            .filter_map(|(length, sense)| match sense {
                super::lexicon::Sense::Column { column, .. } => Some((length, column)),
                _ => None,
            })
            .collect();
        found.into_iter().find_map(|(length, column)| self.value_of(at, at + length, column))
    }

    fn value_of(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
        let known = self.column(column)?;
        match known.kind {
            Kind::Status => self.choice_value(at, start, column),
            Kind::Person => self.person_value(at, start, column),
            Kind::Boolean => self.flag_value(at, start, column),
            Kind::Number | Kind::Day | Kind::Instant => None,
            Kind::Email => self.email_value(at, start, column),
            _ => self.text_comparison(at, start, column),
        }
    }

    /// "status new", "priority: high or urgent", "stage is not customer".
    fn choice_value(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
        let mut from = self.past_any(start, &[Gram::Is, Gram::Exactly]);
        let negated = self.gram(from, Gram::Not).filter(|_| self.choices_of(from, column).is_none());
        from += negated.unwrap_or_default();
        from = self.past_any(from, &[Gram::Is, Gram::In, Gram::As, Gram::Or]);
        while ["still", "now", "currently", "just", "either"].contains(&self.word(from)) {
            from += 1;
        }
        from += usize::from(
            self.token(from)
                .is_some_and(|token| matches!(token.kind, TokenKind::Mark('(' | '[' | '-' | '–'))),
        );
        from = if self.choices_of(from, column).is_some() { from } else { self.past_articles(from) };
        let (end, values) = self.choices_of(from, column)?;
        let op = if negated.is_some() { Op::NotEquals } else { Op::Equals };
        let (op, value) = any_of(op, &values);
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    fn person_value(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
        let stated = self.past_any(start, &[Gram::Is]);
        if let Some(length) = self
            .gram(start, Gram::Empty)
            .or_else(|| self.gram(stated, Gram::Empty).map(|n| n + stated - start))
        {
            self.draft.filter(column, Op::IsEmpty, Json::Null, at..start + length);
            return Some(start + length);
        }
        let mut from = self.past_any(start, &[Gram::Is, Gram::Exactly]);
        let negated = self.gram(from, Gram::Not);
        from += negated.unwrap_or_default();
        let op = if negated.is_some() { Op::NotEquals } else { Op::Equals };
        from = self.past_any(from, &[Gram::In]);
        from += usize::from(
            self.token(from).is_some_and(|token| matches!(token.kind, TokenKind::Mark('(' | '['))),
        );
        if self.word(from) == "me" {
            self.draft.filter(column, op, json!({"me": true}), at..from + 1);
            return Some(from + 1);
        }
        if let Some(length) = self.gram(from, Gram::Empty) {
            self.draft.filter(column, Op::IsEmpty, Json::Null, at..from + length);
            return Some(from + length);
        }
        let name = self.name_at(from, true)?;
        let (end, values) = self.people_from(from + name.length, name.text);
        let (op, value) = any_of(op, &values);
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    fn flag_value(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
        let from = self.past_any(start, &[Gram::Is, Gram::Exactly]);
        let value = match self.word(from) {
            "true" | "yes" | "on" => true,
            "false" | "no" | "off" => false,
            _ => return None,
        };
        self.draft.filter(column, Op::Equals, json!(value), at..from + 1);
        Some(from + 1)
    }

    /// A column that the user wants to see: "phone number for Igor", "Peter's job title".
    pub(super) fn field(&mut self, at: usize) -> Option<usize> {
        let is_asked =
            |column: &CatalogColumn| !matches!(column.kind, Kind::Day | Kind::Instant) || !column.custom;
        let (length, column) = self.column_at(at, is_asked)?;
        if self.noun_at(at).is_some_and(|(n, _)| n >= length)
            || self.gram(at, Gram::From).is_some_and(|n| n >= length)
        {
            return None;
        }
        self.note_noun_within(at, length);
        let length = length
            + usize::from(
                ["field", "fields", "column", "columns", "value"].contains(&self.word(at + length)),
            );
        self.draft.fields.push(Field { column, at });
        Some(at + length)
    }
}
