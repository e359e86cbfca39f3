//! Free texts in a request: what a column contains, starts with or mentions.

use serde_json::json;

use super::grammar::Gram;
use super::lists::any_of;
use super::names;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Kind, Op, Role};

/// How a text is compared, and where it begins.
struct Compared {
    op: Op,
    from: usize,
    negated: bool,
}

impl Reader<'_> {
    pub(super) fn text_comparison(&mut self, at: usize, start: usize, column: usize) -> Option<usize> {
        if self.gram(start, Gram::Empty).is_some() {
            return None;
        }
        let Compared { op, from, negated } = self.compared(start)?;
        if let Some(end) = self.identifier(at, start, from, column) {
            return Some(end);
        }
        let role = self.role_of(column);
        if !self.is_text_here(start, from, role) {
            return None;
        }
        if self.token(from).is_some_and(|token| token.kind == TokenKind::Address) {
            self.draft.keyed = true;
            self.draft.filter(column, Op::Equals, json!(self.text(from, from + 1)), at..from + 1);
            return Some(from + 1);
        }
        let plural = self.word(start - 1).ends_with('s');
        if start > at + 1 && self.noun_at(at).is_some() && self.draft.noun.is_none() {
            self.set_noun(at, plural);
        }
        let (end, values) = self.listed_texts(from);
        let end = self.tail_in_it(end).unwrap_or(end);
        let op = match values.as_slice() {
            [] => return None,
            _ if negated => Op::NotEquals,
            // `like 'An%'`
            [one] if op == Op::Contains && one.ends_with('%') && !one.starts_with('%') => Op::StartsWith,
            _ => op,
        };
        let values: Vec<String> = values.iter().map(|value| value.trim_matches('%').to_owned()).collect();
        let (op, value) = any_of(op, &values);
        self.draft.keyed |= matches!(
            role,
            Some(Role::Company | Role::Person | Role::GivenName | Role::FamilyName | Role::Topic)
        );
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    /// How the text is compared, and where it begins.
    fn compared(&self, start: usize) -> Option<Compared> {
        let mut from = self.past_any(start, &[Gram::Is, Gram::Exactly, Gram::Called]);
        // "whose title has onboarding in it"
        let has = ["has", "have", "with"].contains(&self.word(from)) && self.tail_in_it(from + 1).is_some();
        from += usize::from(has);
        // "whose meeting was cancelled" is about the meeting's outcome.
        if from > start && self.choice_phrase(self.past_articles(from)).is_some() {
            return None;
        }
        let negation = self.gram(from, Gram::Not).filter(|_| self.gram(from, Gram::Without).is_none());
        from += negation.unwrap_or_default();
        let op = if let Some(n) = self.gram(from, Gram::StartsWith) {
            from += n;
            Op::StartsWith
        } else {
            if let Some(n) = self.gram(from, Gram::Mentions) {
                from += n;
            }
            Op::Contains
        };
        Some(Compared { op, from, negated: negation.is_some() })
    }

    /// A telephone number or a record's number, which is compared whole.
    fn identifier(&mut self, at: usize, start: usize, from: usize, column: usize) -> Option<usize> {
        let kind = self.kind(column)?;
        if kind == Kind::Phone
            && let Some((end, value)) = self.cell_value(from, self.end, column)
        {
            self.draft.keyed = true;
            self.draft.filter(column, Op::Equals, value, at..end);
            return Some(end);
        }
        if self.role_of(column) == Some(Role::Record) || (kind == Kind::Phone && from > start) {
            let from = from + usize::from(self.token(from).is_some_and(|token| token.word == "#"));
            return self.raw_value(at, from, column);
        }
        None
    }

    pub(super) fn role_of(&self, column: usize) -> Option<Role> {
        self.words()?.roles.iter().find(|(_, place)| **place == column).map(|(role, _)| *role)
    }

    /// Whether a text of the column can begin here: behind a word that compares, in quotation marks, or right
    /// behind a column that is named for nothing else.
    fn is_text_here(&self, start: usize, from: usize, role: Option<Role>) -> bool {
        let Some(token) = self.token(from) else { return false };
        let named = matches!(role, Some(Role::GivenName | Role::FamilyName | Role::Channel | Role::Industry))
            && (self.is_unknown(from) || names::is_exact_channel(self.word(from)));
        let marked = matches!(token.kind, TokenKind::Quoted | TokenKind::Address);
        let bracket = matches!(token.kind, TokenKind::Mark('(' | '['));
        (from > start || marked || self.direct || named)
            && (!self.is_end(from) || bracket)
            && self.date_at(from).is_none()
    }

    /// The texts from here on: "webinar or referral", "(biotech, pharma)".
    fn listed_texts(&self, from: usize) -> (usize, Vec<String>) {
        let bracket = self.token(from).is_some_and(|token| matches!(token.kind, TokenKind::Mark('(' | '[')));
        let from = from + usize::from(bracket);
        let (mut end, mut values) = (from, Vec::new());
        let mut next = from;
        while let Some(after) = self.text_value(next) {
            values.push(self.text(next, after));
            end = after;
            next = self.past_separator(end);
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
        (end, values)
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
    pub(super) fn tail_in_it(&self, at: usize) -> Option<usize> {
        (at..self.end.min(at + 5)).find_map(|i| {
            (self.word(i) == "in" && ["it", "them"].contains(&self.word(i + 1))).then_some(i + 2)
        })
    }

    /// An identifier, as it is written up to the next space.
    pub(super) fn raw_value(&mut self, at: usize, from: usize, column: usize) -> Option<usize> {
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

    /// Words that name an industry, as many as do.
    pub(super) fn industry_at(&self, at: usize) -> Option<super::reader::Name> {
        (1..=3).rev().filter(|length| at + length <= self.end).find_map(|length| {
            let plain = (at..at + length).all(|i| !self.word(i).is_empty());
            let name = self.name(at, length);
            (plain && names::is_industry(&name.words)).then_some(name)
        })
    }
}
