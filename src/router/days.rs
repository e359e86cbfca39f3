//! Dates in a request, and the columns they belong to.

use super::draft::{Found, Where};
use super::grammar::Gram;
use super::moment::{Calendar, When};
use super::periods::year;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Kind};

fn is_date(column: &CatalogColumn) -> bool {
    matches!(column.kind, Kind::Day | Kind::Instant)
}

/// Words that may stand between a date column and its date.
const LINKS: &[&str] = &[
    "is",
    "are",
    "was",
    "were",
    "it",
    "with",
    "us",
    "to",
    "has",
    "been",
    "date",
    "back",
    "at",
    "them",
    "any",
    "some",
    "time",
    "of",
    "who",
    "that",
    "occurred",
    "happened",
    "scheduled",
    "later",
    "earlier",
    "which",
];

impl Reader<'_> {
    /// "last week", "since Friday", "this month by meeting date".
    pub(super) fn date(&mut self, at: usize) -> Option<usize> {
        let (length, when) = self.date_at(at)?;
        let mut end = at + length;
        end += usize::from(self.token(end).is_some_and(|token| token.kind == TokenKind::Possessive));
        // "yesterday and today"
        if let (When::Day(first), "and", Some((n, When::Day(last)))) =
            (when, self.word(end), self.date_at(end + 1))
            && first < last
        {
            self.some_date(When::Between(first, last), at..end + 1 + n);
            return Some(end + 1 + n);
        }
        let by = self.gram(end, Gram::By).map_or(end, |n| end + n);
        if by > end
            && let Some((n, column)) = self.column_at(by, is_date)
        {
            self.draft.date_column = Some(column);
            end = by + n;
        }
        self.some_date(when, at..end);
        Some(end)
    }

    /// "created this week", "meeting date = today", "engaged since Thursday"; or the column alone, whose date
    /// comes elsewhere.
    pub(super) fn dated_column(&mut self, at: usize) -> Option<usize> {
        let (length, column) = self.column_at(at, is_date)?;
        let as_noun = self.noun_at(at).is_some_and(|(longer, _)| longer > length)
            || (self.word(at + length) == "to" && self.noun_at(at + length).is_some());
        if self.gram(at, Gram::From).is_some_and(|from| from > length) || as_noun {
            return None;
        }
        let start = self.past_links(at + length);
        self.date_of_column(at, length, start, column)
            .or_else(|| self.column_alone(at, length, start, column))
    }

    /// The place after words that may stand between a date column and its date.
    fn past_links(&self, at: usize) -> usize {
        let mut start = at;
        while self.date_at(start).is_none()
            && (LINKS.contains(&self.word(start))
                || self.token(start).is_some_and(|token| matches!(token.kind, TokenKind::Mark(':'))))
        {
            start += 1;
        }
        start
    }

    /// "created this week", "going live in April".
    fn date_of_column(&mut self, at: usize, length: usize, start: usize, column: usize) -> Option<usize> {
        let tokens = self.message.tokens.get(..self.end)?;
        // What is "going live" or "renewing" has yet to.
        let coming = (at..at + length).any(|i| self.word(i).ends_with("ing") && self.word(i) != "meeting");
        let calendar = Calendar { coming, ahead: true, ..self.calendar };
        let ahead = if coming { calendar.read(tokens, start) } else { None };
        let (n, when) = ahead.or_else(|| self.date_at(start)).or_else(|| year(tokens, start))?;
        let (op, value) = when.comparison();
        self.draft.filters.push(Found { column: Where::Column(column), op, value, tokens: at..start + n });
        Some(start + n)
    }

    /// A date column whose date is elsewhere in the message, or needs none.
    fn column_alone(&mut self, at: usize, length: usize, start: usize, column: usize) -> Option<usize> {
        if self.gram(start, Gram::Upcoming).is_some() && self.choice_phrase(start).is_none() {
            self.draft.date_column = Some(column);
            return self.upcoming(start);
        }
        // People are active who were in touch within a month.
        if self.word(at) == "active" && length == 1 {
            let (op, value) = When::LastDays(30).comparison();
            self.draft.filters.push(Found { column: Where::Column(column), op, value, tokens: at..at + 1 });
            return Some(at + 1);
        }
        // "joined us through LinkedIn" says how, not when.
        if self.gram(start, Gram::From).is_some() && length + start - at > 1 {
            return Some(start);
        }
        // A noun of the table itself is no date.
        if self.noun_at(at).is_some() {
            return None;
        }
        // The word before may have been the date: "this month created".
        let pending = self
            .draft
            .filters
            .iter_mut()
            .rev()
            .find(|found| matches!(found.column, Where::SomeDate(_)) && found.tokens.end == at);
        if let Some(found) = pending {
            found.column = Where::Column(column);
            return Some(at + length);
        }
        self.draft.date_column = Some(column);
        self.draft.date_column_at = at;
        Some(at + length + usize::from(self.word(at + length) == "date"))
    }

    /// "upcoming", "future"; "past".
    pub(super) fn upcoming(&mut self, at: usize) -> Option<usize> {
        if self.choice_phrase(at).is_some() || self.date_at(at).is_some() || self.word(at + 1) == "to" {
            return None;
        }
        let (length, when) = match self.gram(at, Gram::Upcoming) {
            Some(length) => (length, When::Since(self.calendar.today)),
            None => (self.gram(at, Gram::Past)?, When::Before(self.calendar.today)),
        };
        let column = self.draft.date_column;
        self.some_date(when, at..at + length);
        if column.is_none() {
            self.draft.date_column = None;
        }
        Some(at + length)
    }
}
