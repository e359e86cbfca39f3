//! The cells that a change sets: which column, and the value in the form that its tool takes.

use std::ops::Range;

use serde_json::{Value as Json, json};

use super::amounts::plain;
use super::grammar::Gram;
use super::numeral::numeral;
use super::reader::Reader;
use super::text::TokenKind;
use super::update::Cell;
use crate::tables::Kind;

impl Reader<'_> {
    /// Takes a column's name away from the words for the rows: "the priority on the Umbrella lead",
    /// "Brightpath's company size".
    pub(super) fn split_column(&self, range: Range<usize>) -> (Option<usize>, Range<usize>) {
        let start = self.past_articles(range.start);
        let inside = |length: usize, at: usize| at + length <= range.end;
        if let Some((length, column)) = self.any_column(start).filter(|(length, _)| inside(*length, start)) {
            let after = start + length;
            if ["of", "for", "on", "in", "from"].contains(&self.word(after)) && after < range.end {
                return (Some(column), after + 1..range.end);
            }
        }
        for at in (start + 1)..range.end {
            if let Some((length, column)) = self.any_column(at).filter(|(length, _)| at + length == range.end)
            {
                let _ = length;
                if self.noun_at(at).is_some_and(|(n, _)| at + n == range.end) {
                    continue;
                }
                // "the Quarrel account's industry"
                let owned = self.token(at - 1).is_some_and(|token| token.kind == TokenKind::Possessive);
                let by_noun = owned
                    && (range.start..at - 1)
                        .any(|i| self.noun_at(i).is_some_and(|(n, _)| i + n == at - 1) || self.is_topic(i));
                return (Some(column), range.start..at - usize::from(by_noun));
            }
        }
        (None, range)
    }

    /// The cells that the words set: one value for the named column, or values that name their columns.
    pub(super) fn cells(&self, at: usize, end: usize, named: Option<usize>) -> Option<Vec<Cell>> {
        let mut cells = Vec::new();
        let start = self.past_articles(at);
        let start = start + usize::from(["having", "being", "now"].contains(&self.word(start)));
        let (mut next, cell) = match named {
            Some(column) => {
                let (after, value) =
                    self.cell_value(at, end, column).or_else(|| self.cell_value(start, end, column))?;
                (after, (column, value, at..after))
            }
            None => self.free_cell(start, end)?,
        };
        cells.push(cell);
        while next < end {
            let comma = next + usize::from(self.is_comma(next));
            let from = self.past_any(comma, &[Gram::And]);
            let from = self.past(from, Gram::Set);
            let from = self.past_articles(from);
            if from == next {
                return None;
            }
            let (after, cell) = self.free_cell(from, end)?;
            cells.push(cell);
            next = after;
        }
        Some(cells)
    }

    /// A value that says which column it belongs to: an option, or a column with its value.
    pub(super) fn free_cell(&self, at: usize, end: usize) -> Option<(usize, Cell)> {
        if let Some((length, column)) = self.any_column(at) {
            let from = self.past_any(at + length, &[Gram::To, Gram::Is, Gram::Exactly]);
            if let Some((after, value)) = self.cell_value(from, end, column) {
                return Some((after, (column, value, at..after)));
            }
        }
        let (length, candidates) = self.choice_phrase(at).filter(|(length, _)| at + length <= end)?;
        let editable =
            |column: usize| self.column(column).is_some_and(crate::tables::CatalogColumn::is_editable);
        let mut fits: Vec<(usize, usize)> =
            candidates.into_iter().filter(|(column, _)| editable(*column)).collect();
        let mut after = at + length;
        // "high priority"
        if let Some((n, named)) = self.any_column(after).filter(|(n, _)| after + n <= end)
            && fits.iter().any(|(column, _)| *column == named)
        {
            fits.retain(|(column, _)| *column == named);
            after += n;
        }
        let (column, option) = *fits.first()?;
        // One word for several options is no value.
        if fits.iter().filter(|(other, _)| *other == column).count() > 1 {
            return None;
        }
        let value = self.column(column)?.options.get(option)?.value.clone();
        Some((after, (column, json!(value), at..after)))
    }

    /// The value of the column that starts here and ends before `end`.
    pub(super) fn cell_value(&self, at: usize, end: usize, column: usize) -> Option<(usize, Json)> {
        let known = self.column(column).filter(|known| known.is_editable())?;
        let token = self.token(at).filter(|_| at < end)?;
        let written = |from: usize, to: usize| json!(self.text(from, to));
        let found = match known.kind {
            Kind::Status => {
                let (after, values) = self.choices_of(at, column)?;
                let [value] = values.as_slice() else { return None };
                let after = match self.any_column(after) {
                    Some((n, named)) if named == column => after + n,
                    _ => after,
                };
                (after, json!(value))
            }
            Kind::Person if ["me", "myself"].contains(&self.word(at)) => (at + 1, json!({"me": true})),
            Kind::Person => {
                let name = self.name_at(at, true)?;
                (at + name.length, json!(name.text))
            }
            Kind::Number => self.number_value(at, column)?,
            Kind::Day | Kind::Instant => {
                let (length, when) = self.date_at(at)?;
                let super::moment::When::Day(day) = when else { return None };
                (at + length, json!(day))
            }
            Kind::Email => (token.kind == TokenKind::Email).then(|| (at + 1, written(at, at + 1)))?,
            Kind::Domain | Kind::Url | Kind::Linkedin => {
                let stop = self.raw_end(at, end);
                self.text(at, stop).contains('.').then(|| (stop, written(at, stop)))?
            }
            Kind::Phone => {
                let stop = (at..end)
                    .take_while(|i| {
                        matches!(
                            self.token(*i).map(|token| token.kind),
                            Some(
                                TokenKind::Number(_)
                                    | TokenKind::Sign
                                    | TokenKind::Mark('+' | '-' | '(' | ')')
                            )
                        )
                    })
                    .last()?
                    + 1;
                let text = self.text(at, stop);
                (text.chars().filter(char::is_ascii_digit).count() >= 5).then(|| (stop, json!(text)))?
            }
            Kind::Boolean => match self.word(at) {
                "true" | "yes" => (at + 1, json!(true)),
                "false" | "no" => (at + 1, json!(false)),
                _ => return None,
            },
            Kind::Tags => {
                let stop = self.free_text_end(at, end);
                (stop, written(at, stop))
            }
            Kind::Text | Kind::Company => {
                let stop = self.free_text_end(at, end);
                (stop > at).then(|| (stop, written(at, stop)))?
            }
        };
        (found.0 <= end).then_some(found)
    }

    /// A number with its unit: "20 minutes", "4.5k".
    fn number_value(&self, at: usize, column: usize) -> Option<(usize, Json)> {
        let (length, value) = numeral(&self.message.tokens, at)?;
        let mut after = at + length;
        let hours = ["hour", "hours"].contains(&self.word(after));
        let unit = hours
            || ["minutes", "minute", "dollars", "euros", "pounds", "usd", "eur", "gbp"]
                .contains(&self.word(after));
        after += usize::from(unit);
        if let Some((n, named)) = self.any_column(after)
            && named == column
        {
            after += n;
        }
        Some((after, plain(if hours { value * 60.0 } else { value })))
    }

    /// The end of an address with its path.
    pub(super) fn raw_end(&self, at: usize, end: usize) -> usize {
        let stop = self.token(at).map_or(0, |token| token.span.end);
        (at + 1..end)
            .find(|i| self.token(*i).is_none_or(|token| token.span.start >= stop))
            .unwrap_or(end)
            .max(at + 1)
    }

    /// The end of a text that runs up to a mark, or to "and" with another column.
    pub(super) fn free_text_end(&self, at: usize, end: usize) -> usize {
        if self.token(at).is_some_and(|token| token.kind == TokenKind::Quoted) {
            return at + 1;
        }
        (at..end)
            .find(|i| {
                let token = self.token(*i);
                let mark = token
                    .is_none_or(|token| matches!(token.kind, TokenKind::Mark(',' | ';' | '.' | '(' | ')')));
                let next = i + 1;
                let another =
                    *i > at && self.word(*i) == "and" && self.any_column(self.past_articles(next)).is_some();
                mark || another
            })
            .unwrap_or(end)
    }
}
