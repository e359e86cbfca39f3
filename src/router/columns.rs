//! Columns that are compared with a value, and columns that are asked to be seen.

use serde_json::{Value as Json, json};

use super::draft::Field;
use super::grammar::Gram;
use super::names;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Kind, Op, Role};

/// Mail services: people say them for part of an address.
const MAIL_SERVICES: &[&str] =
    &["gmail", "yahoo", "hotmail", "outlook", "icloud", "aol", "proton", "protonmail", "gmx", "googlemail"];

impl Reader<'_> {
    pub(super) fn is_comma(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| matches!(token.kind, TokenKind::Mark(',' | ';' | '/')))
    }

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
        let (op, value) = match (values.as_slice(), negated) {
            ([one], None) => (Op::Equals, json!(one)),
            ([one], Some(_)) => (Op::NotEquals, json!(one)),
            (_, None) => (Op::In, json!(values)),
            (_, Some(_)) => (Op::NotIn, json!(values)),
        };
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
        let mut end = from + name.length;
        let mut values = vec![name.text];
        loop {
            let comma = end + usize::from(self.is_comma(end));
            let next = self.past_any(comma, &[Gram::Or, Gram::And]);
            let Some(other) = self.name_at(next, true).filter(|other| next > end && other.person) else {
                break;
            };
            end = next + other.length;
            values.push(other.text);
        }
        let many = values.len() > 1;
        let op = match (many, negated) {
            (true, None) => Op::In,
            (true, Some(_)) => Op::NotIn,
            _ => op,
        };
        let value = if many { json!(values) } else { json!(values.first()?) };
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

    /// "email = kim@stark.dev", "email contains gmail", "email at globex.com".
    fn email_value(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
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
            TokenKind::Email => (Op::Equals, value.to_owned()),
            TokenKind::Quoted if value.contains('@') && !value.starts_with('@') => {
                (Op::Equals, value.to_owned())
            }
            TokenKind::Address
                if self.token(from.checked_sub(1)?).is_some_and(|before| before.word == "@") =>
            {
                (Op::Contains, self.text(from - 1, from + 1).to_owned())
            }
            TokenKind::Address | TokenKind::Quoted => (Op::Contains, value.to_owned()),
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
                (if starts.is_some() { Op::StartsWith } else { Op::Contains }, value.to_owned())
            }
            _ => return None,
        };
        self.draft.keyed |= op == Op::Equals;
        self.draft.filter(column, op, json!(value), at..from + 1);
        Some(from + 1)
    }

    fn text_comparison(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
        let known = self.column(column)?;
        let role = self.words()?.roles.iter().find(|(_, place)| **place == column).map(|(role, _)| *role);
        if self.gram(start, Gram::Empty).is_some() {
            return None;
        }
        let mut from = self.past_any(start, &[Gram::Is, Gram::Exactly, Gram::Called]);
        // "whose title has onboarding in it"
        let has = ["has", "have", "with"].contains(&self.word(from)) && self.tail_in_it(from + 1).is_some();
        from += usize::from(has);
        let negated = self.gram(from, Gram::Not).filter(|_| self.gram(from, Gram::Without).is_none());
        from += negated.unwrap_or_default();
        let op = if let Some(n) = self.gram(from, Gram::StartsWith) {
            from += n;
            Op::StartsWith
        } else {
            if let Some(n) = self.gram(from, Gram::Mentions) {
                from += n;
            }
            Op::Contains
        };
        if known.kind == Kind::Phone
            && let Some((end, value)) = self.cell_value(from, self.end, column)
        {
            self.draft.keyed = true;
            self.draft.filter(column, Op::Equals, value, at..end);
            return Some(end);
        }
        if role == Some(Role::Record) || (known.kind == Kind::Phone && from > start) {
            from += usize::from(self.token(from).is_some_and(|token| token.word == "#"));
            return self.raw_value(at, from, column);
        }
        let quoted = self.token(from).is_some_and(|token| token.kind == TokenKind::Quoted);
        let address = self.token(from).is_some_and(|token| token.kind == TokenKind::Address);
        let named = matches!(role, Some(Role::GivenName | Role::FamilyName | Role::Channel | Role::Industry))
            && (self.is_unknown(from) || names::is_exact_channel(self.word(from)));
        if (from == start && !quoted && !address && !self.direct && !named)
            || (self.is_end(from)
                && !self.token(from).is_some_and(|token| matches!(token.kind, TokenKind::Mark('(' | '['))))
            || self.date_at(from).is_some()
        {
            return None;
        }
        if address {
            self.draft.keyed = true;
            self.draft.filter(column, Op::Equals, json!(self.text(from, from + 1)), at..from + 1);
            return Some(from + 1);
        }
        let plural = self.word(start - 1).ends_with('s');
        if start > at + 1 && self.noun_at(at).is_some() && self.draft.noun.is_none() {
            self.set_noun(at, plural);
        }
        let bracket = self.token(from).is_some_and(|token| matches!(token.kind, TokenKind::Mark('(' | '[')));
        from += usize::from(bracket);
        let (mut end, mut values) = (from, Vec::new());
        let mut next = from;
        while let Some(after) = self.text_value(next) {
            values.push(self.text(next, after).to_owned());
            end = after;
            let comma = end + usize::from(self.is_comma(end));
            next = self.past_any(comma, &[Gram::Or, Gram::And]);
            let is_value = self.is_unknown(next)
                || self.token(next).is_some_and(|token| token.kind == TokenKind::Quoted)
                || self.industry_at(next).is_some();
            if next == end
                || !is_value
                || self.any_column(next).is_some()
                || (bracket && !self.is_comma(end) && self.gram(end, Gram::Or).is_none())
                || self.noun_at(next).is_some()
                || self.gram(next, Gram::With).is_some()
            {
                break;
            }
        }
        end = self.tail_in_it(end).unwrap_or(end);
        let op = match (op, values.len(), negated) {
            (_, 0, _) => return None,
            (_, 1, Some(_)) => Op::NotEquals,
            (op, 1, None) => op,
            (_, _, None) => Op::In,
            (_, _, Some(_)) => Op::NotIn,
        };
        // `like 'An%'`
        let op = match values.as_slice() {
            [one] if op == Op::Contains && one.ends_with('%') && !one.starts_with('%') => Op::StartsWith,
            _ => op,
        };
        let values: Vec<&str> = values.iter().map(|value| value.trim_matches('%')).collect();
        let value = if values.len() == 1 { json!(values.first()?) } else { json!(values) };
        self.draft.keyed |= matches!(
            role,
            Some(Role::Company | Role::Person | Role::GivenName | Role::FamilyName | Role::Topic)
        );
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    /// "with cold chain in the description", "brought up SOC 2 in the transcript".
    pub(super) fn text_within(&mut self, at: usize, start: usize) -> Option<usize> {
        let holds_text = |column: &CatalogColumn| matches!(column.kind, Kind::Text | Kind::Tags);
        let link = (start + 1..self.end.min(start + 6))
            .find(|i| ["in", "among", "amongst"].contains(&self.word(*i)))?;
        let (length, column) = self.column_at(self.past_articles(link + 1), holds_text)?;
        let plain = (start..link).all(|i| {
            self.token(i).is_some_and(|token| {
                matches!(token.kind, TokenKind::Word | TokenKind::Number(_) | TokenKind::Quoted)
            }) && self.any_column(i).is_none()
        });
        if !plain {
            return None;
        }
        let end = self.past_articles(link + 1) + length;
        let start = self.past_articles(start).min(link - 1);
        self.draft.filter(column, Op::Contains, json!(self.text(start, link)), at..end);
        Some(end)
    }

    /// The place after "in it", when the words up to it are a value.
    fn tail_in_it(&self, at: usize) -> Option<usize> {
        (at..self.end.min(at + 5)).find_map(|i| {
            (self.word(i) == "in" && ["it", "them"].contains(&self.word(i + 1))).then_some(i + 2)
        })
    }

    /// An identifier, as it is written up to the next space.
    fn raw_value(&mut self, at: usize, from: usize, column: usize) -> Option<usize> {
        let start = self.token(from)?.span.start;
        let rest = self.message.text.get(start..)?;
        let text = rest.split([' ', ',', '?', ';', ')']).next()?.trim_end_matches(['.', '!', ':']);
        if !text.chars().any(|c| c.is_ascii_digit()) {
            return None;
        }
        let stop = start + text.len();
        let end = (from..self.end)
            .find(|i| self.token(*i).is_none_or(|token| token.span.start >= stop))
            .unwrap_or(self.end);
        self.draft.keyed = true;
        self.draft.filter(column, Op::Equals, json!(text), at..end);
        Some(end)
    }

    /// The end of a free text that starts here.
    pub(super) fn text_value(&self, at: usize) -> Option<usize> {
        let first = self.token(at)?;
        if first.kind == TokenKind::Quoted {
            return Some(at + 1);
        }
        if matches!(first.kind, TokenKind::Mark(_) | TokenKind::Sign | TokenKind::Possessive) {
            return None;
        }
        let mut end = at;
        while let Some(token) = self.token(end) {
            let stops = [
                Gram::And,
                Gram::Or,
                Gram::SortBy,
                Gram::With,
                Gram::Without,
                Gram::Whose,
                Gram::Not,
                Gram::Unowned,
                Gram::OwnedBy,
                Gram::Me,
            ];
            let stopped = matches!(
                token.kind,
                TokenKind::Mark(_) | TokenKind::Quoted | TokenKind::Sign | TokenKind::Email
            ) || (end > at && stops.iter().any(|gram| self.gram(end, *gram).is_some()))
                || (end > at && self.date_at(end).is_some())
                || (end > at
                    && self
                        .column_at(end, |column| matches!(column.kind, Kind::Day | Kind::Instant))
                        .is_some_and(|(n, _)| {
                            self.date_at(end + n).is_some()
                                || self
                                    .token(end + n)
                                    .is_some_and(|token| matches!(token.kind, TokenKind::Number(_)))
                        }))
                || (end > at
                    && ["in", "please", "thanks", "for", "by", "from", "on"].contains(&self.word(end)))
                || (end > at
                    && self.any_column(end).is_some_and(|(n, _)| self.gram(end + n, Gram::Is).is_some()));
            if stopped {
                break;
            }
            end += 1;
        }
        (end > at).then_some(end)
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
                .or_else(|| self.text_value(from).map(|end| (end, self.text(from, end).to_owned())))?;
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

    fn is_number_unit(&self, at: usize) -> bool {
        self.column_at(at, |column| column.kind == Kind::Number).is_some()
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

    /// Words that name an industry, as many as do.
    pub(super) fn industry_at(&self, at: usize) -> Option<super::reader::Name> {
        (1..=3).rev().filter(|length| at + length <= self.end).find_map(|length| {
            let plain = (at..at + length).all(|i| !self.word(i).is_empty());
            let name = self.name(at, length);
            (plain && names::is_industry(&name.words)).then_some(name)
        })
    }
}
