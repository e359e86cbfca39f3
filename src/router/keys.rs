//! What names a row by itself: an address, a number, its own name.

use serde_json::json;

use super::columns::MAIL_SERVICES;
use super::grammar::Gram;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Kind, Op, Role};

impl Reader<'_> {
    /// "email = kim@stark.dev", "email contains gmail", "email at globex.com".
    pub(super) fn email_value(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
        let mentions = self.gram(start, Gram::Mentions);
        let mut from = mentions
            .map_or_else(|| self.past_any(start, &[Gram::Is, Gram::Exactly, Gram::At]), |n| start + n);
        let starts = self.gram(from, Gram::StartsWith);
        from += starts.unwrap_or_default();
        let ends = usize::from(matches!(
            (self.word(from), self.word(from + 1)),
            ("ending" | "ends" | "end", "in" | "with")
        )) * 2;
        let from = self.past_any(from + ends, &[Gram::At]);
        let token = self.token(from)?;
        let value = self.text(from, from + 1);
        let (op, value) = match token.kind {
            TokenKind::Email => (Op::Equals, value.clone()),
            TokenKind::Quoted if value.contains('@') && !value.starts_with('@') => {
                (Op::Equals, value.clone())
            }
            TokenKind::Address
                if self.token(from.checked_sub(1)?).is_some_and(|before| before.word == "@") =>
            {
                (Op::Contains, self.text(from - 1, from + 1))
            }
            TokenKind::Address | TokenKind::Quoted => (Op::Contains, value.clone()),
            TokenKind::Word
                if starts.is_some() && self.token(from + 1).is_some_and(|next| next.word == "@") =>
            {
                let value = self.text(from, from + 2);
                self.draft.filter(column, Op::StartsWith, json!(value), at..from + 2);
                return Some(from + 2);
            }
            TokenKind::Word
                if from > start
                    && (mentions.is_some()
                        || starts.is_some()
                        || MAIL_SERVICES.contains(&token.word.as_str())) =>
            {
                (if starts.is_some() { Op::StartsWith } else { Op::Contains }, value.clone())
            }
            _ => return None,
        };
        self.draft.keyed |= op == Op::Equals;
        self.draft.filter(column, op, json!(value), at..from + 1);
        Some(from + 1)
    }

    /// "called Pilot", "titled "Test call"": the row's own name.
    pub(super) fn spoken_text(&mut self, at: usize) -> Option<usize> {
        if let Some(length) = self.gram(at, Gram::Mentions)
            && let Some(end) = self.text_within(at, at + length)
        {
            return Some(end);
        }
        let called = self.gram(at, Gram::Called);
        let starts = self.gram(at, Gram::StartsWith);
        let from = at + called.or(starts)?;
        // The title of a person is a job.
        let says_title = called.is_some_and(|n| (at..at + n).any(|i| self.word(i).starts_with("title")));
        if let Some(title) = self.role(Role::JobTitle).filter(|_| says_title) {
            let (end, job) = self
                .job_title(from)
                .or_else(|| self.text_value(from).map(|end| (end, self.text(from, end))))?;
            self.draft.filter(title, Op::Contains, json!(job), at..end);
            return Some(end);
        }
        let from = self.past_articles(from);
        let end = self.text_value(from)?;
        let name = self.name(from, end - from);
        self.draft.keyed = true;
        if starts.is_some() {
            let column = self.name_column()?;
            self.draft.filter(column, Op::StartsWith, json!(name.text), at..end);
            return Some(end);
        }
        if self.role(Role::Topic).is_some()
            && self.role(Role::Person).is_some()
            && self.words()?.topics.is_empty()
        {
            return self.person_named(&name, at..end).then_some(end);
        }
        if self.role(Role::GivenName).is_some() {
            return self.person_named(&name, at..end).then_some(end);
        }
        let column = self.role(Role::Topic).or_else(|| self.role(Role::Company))?;
        self.draft.filter(column, Op::Contains, json!(name.text), at..end);
        Some(end)
    }

    /// The column by which people know a row of the table.
    pub(super) fn name_column(&self) -> Option<usize> {
        if !self.words()?.topics.is_empty() {
            return self.role(Role::Topic);
        }
        if self.role(Role::GivenName).is_some() {
            return self.role(Role::FamilyName);
        }
        let table = self.lexicon.table(self.table)?;
        // A lead is known by the person, a client and a company by the company.
        let first = |role| self.role(role).map(|column| (column, table.columns.get(column)));
        let candidates = [first(Role::Company), first(Role::Person)];
        candidates
            .into_iter()
            .flatten()
            .filter(|(_, column)| column.is_some_and(|column| !column.detail))
            .map(|(column, _)| column)
            .next()
    }

    /// What identifies a row by itself: an e-mail address, a host, a record's number.
    pub(super) fn key(&mut self, at: usize) -> Option<usize> {
        let token = self.token(at)?;
        let value = self.text(at, at + 1);
        let words = self.words()?;
        match token.kind {
            TokenKind::Email => {
                self.draft.keyed = true;
                self.draft.filter(words.email?, Op::Equals, json!(value), at..at + 1);
                Some(at + 1)
            }
            TokenKind::Address => {
                let (column, op) = match (words.host, words.email) {
                    (Some(host), _) => (host, Op::Equals),
                    (None, Some(email)) => (email, Op::Contains),
                    _ => return None,
                };
                self.draft.keyed |= op == Op::Equals;
                self.draft.filter(column, op, json!(value), at..at + 1);
                Some(at + 1)
            }
            TokenKind::Sign if token.word == "@" && self.token(at + 1)?.kind == TokenKind::Address => {
                let value = self.text(at, at + 2);
                self.draft.filter(words.email?, Op::Contains, json!(value), at..at + 2);
                Some(at + 2)
            }
            // "a .edu address"
            TokenKind::Mark('.')
                if ["address", "addresses", "email", "emails"].contains(&self.word(at + 2)) =>
            {
                let value = self.text(at, at + 2);
                self.draft.filter(words.email?, Op::Contains, json!(value), at..at + 3);
                Some(at + 3)
            }
            TokenKind::Word if MAIL_SERVICES.contains(&token.word.as_str()) => {
                let mut end = at + 1;
                while ["address", "addresses", "email", "emails", "account", "accounts", "com"]
                    .contains(&self.word(end))
                {
                    end += 1;
                }
                self.draft.filter(words.email?, Op::Contains, json!(value), at..end);
                Some(end)
            }
            TokenKind::Number(_) if token.word.len() >= 3 || self.token(at.checked_sub(1)?)?.word == "#" => {
                let before = at.checked_sub(1)?;
                let noun = (0..at)
                    .rev()
                    .take(2)
                    .any(|i| self.noun_at(i).is_some_and(|(n, plural)| !plural && i + n >= before));
                let record = self
                    .role(Role::Record)
                    .filter(|_| noun && self.is_end(at + 1) | !self.is_number_unit(at + 1))?;
                self.raw_value(at, at, record)
            }
            TokenKind::Sign if token.word == "#" => {
                self.token(at + 1).filter(|next| matches!(next.kind, TokenKind::Number(_))).map(|_| at + 1)
            }
            _ => None,
        }
    }

    pub(super) fn is_number_unit(&self, at: usize) -> bool {
        self.column_at(at, |column| column.kind == Kind::Number).is_some()
    }
}
