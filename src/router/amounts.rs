//! Comparisons of amounts: "over 5k", "at least 30 minutes", "between 10 and 20 contacts", "50+ employees".

use serde_json::{Value as Json, json};

use super::grammar::Gram;
use super::numeral::numeral;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Kind, Op};

/// A comparison of a number, before its column is known.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    Than(Op, f64),
    Between(f64, f64),
}

/// What an amount is counted in.
#[derive(Debug, Clone, Copy)]
struct Unit {
    length: usize,
    column: usize,
    /// How many of the column's units one of these is.
    factor: f64,
}

impl Reader<'_> {
    pub(super) fn comparison(&mut self, at: usize) -> Option<usize> {
        let is_amount = |column: &CatalogColumn| column.kind == Kind::Number || is_ranged(column);
        // "deal value over 5k"
        let (start, named) = match self.column_at(at, is_amount) {
            Some((length, column)) => {
                let mut from = at + length;
                while [
                    "is", "are", "was", "were", "of", "for", "that", "being", "has", "have", "it", "a", "us",
                    "me",
                ]
                .contains(&self.word(from))
                    || self.token(from).is_some_and(|token| matches!(token.kind, TokenKind::Mark(':')))
                {
                    from += 1;
                }
                (from, Some(column))
            }
            None => (at, None),
        };
        let (mut end, amount, explicit) = self.amount(start)?;
        let unit = self.unit(end, named);
        let column = match (named, unit) {
            (Some(column), _) => column,
            (None, Some(unit)) => unit.column,
            (None, None) if explicit && !self.is_time_unit(end) => self.words()?.measure?,
            _ => return None,
        };
        if self.is_time_unit(end) && unit.is_none() {
            return None;
        }
        let mut factor = 1.0;
        if let Some(unit) = unit.filter(|unit| unit.column == column) {
            end += unit.length;
            factor = unit.factor;
        }
        let (op, value) = self.amount_filter(column, amount, factor)?;
        // "or more", after the unit
        let (op, end) = self.widened(op, end);
        let end = self.past_same_column(end, column);
        let end = end
            + usize::from(self.is_counted(column) && ["active", "there", "each"].contains(&self.word(end)));
        let end =
            end + usize::from(self.is_counted(column) && self.word(end) == "at" && self.is_end(end + 1));
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    /// The number and how to compare with it; the flag says whether a comparing word was there.
    fn amount(&self, at: usize) -> Option<(usize, Amount, bool)> {
        let at = self.past_any(at, &[]);
        if let Some(length) = self.gram(at, Gram::Between).or_else(|| (self.word(at) == "from").then_some(1))
        {
            let (first, from) = self.number(at + length)?;
            let join = at + length + first;
            let joined = matches!(self.word(join), "and" | "to")
                || matches!(self.token(join)?.kind, TokenKind::Mark('-' | '–'));
            let second = join + usize::from(joined);
            let (last, to) = self.number(second)?;
            // "between one and five million" says the million once.
            let alone = self
                .message
                .tokens
                .get(second..=second)
                .and_then(|token| numeral(token, 0))
                .map(|(_, value)| value);
            let scale = alone
                .filter(|value| last > 1 && from < 1e3 && to >= 1e3 && *value > 0.0)
                .map_or(1.0, |value| to / value);
            let from = from * scale;
            return (joined || self.is_number(second)).then_some((
                second + last,
                Amount::Between(from.min(to), from.max(to)),
                true,
            ));
        }
        for (gram, op) in [
            (Gram::AtLeast, Op::Gte),
            (Gram::AtMost, Op::Lte),
            (Gram::Over, Op::Gt),
            (Gram::Under, Op::Lt),
            (Gram::Exactly, Op::Equals),
        ] {
            if let Some(length) = self.gram(at, gram) {
                let start = self.past_articles_but_one(at + length);
                let (n, value) = self.number(start)?;
                return Some((start + n, Amount::Than(op, value), true));
            }
        }
        let (length, value) = self.number(at)?;
        let mut end = at + length;
        // "500-1500", "50 to 200"
        let dash = usize::from(
            self.token(end)
                .is_some_and(|token| matches!(token.kind, TokenKind::Mark('-' | '–')) || token.word == "to"),
        );
        if let Some((n, to)) = self.number(end + dash).filter(|(_, to)| *to > value) {
            return Some((end + dash + n, Amount::Between(value, to), true));
        }
        if let Some(n) = self.gram(end, Gram::OrMore) {
            end += n;
            return Some((end, Amount::Than(Op::Gte, value), true));
        }
        if let Some(n) = self.gram(end, Gram::OrLess) {
            end += n;
            return Some((end, Amount::Than(Op::Lte, value), true));
        }
        Some((end, Amount::Than(Op::Equals, value), false))
    }

    fn past_articles_but_one(&self, at: usize) -> usize {
        // "over a thousand" keeps its article.
        if numeral(&self.message.tokens, at).is_some() || self.hours(at).is_some() {
            at
        } else {
            self.past_articles(at)
        }
    }

    fn number(&self, at: usize) -> Option<(usize, f64)> {
        self.token(at)?;
        numeral(&self.message.tokens, at).or_else(|| self.hours(at))
    }

    fn is_number(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| matches!(token.kind, TokenKind::Number(_)))
    }

    /// "an hour", "half an hour": the number before the unit.
    fn hours(&self, at: usize) -> Option<(usize, f64)> {
        match (self.word(at), self.word(at + 1), self.word(at + 2)) {
            ("a" | "an", "hour" | "minute", _) => Some((1, 1.0)),
            ("half", "an" | "a", "hour") => Some((2, 0.5)),
            ("half", "hour", _) => Some((1, 0.5)),
            _ => None,
        }
    }

    /// What follows the number: minutes, contacts, employees, euros a month.
    fn unit(&self, at: usize, named: Option<usize>) -> Option<Unit> {
        let minutes = self
            .lexicon
            .table(self.table)?
            .columns
            .iter()
            .position(|column| column.key.ends_with("_minutes"));
        match (self.word(at), minutes) {
            ("minute" | "minutes", Some(column)) => return Some(Unit { length: 1, column, factor: 1.0 }),
            ("hour" | "hours", Some(column)) => return Some(Unit { length: 1, column, factor: 60.0 }),
            _ => {}
        }
        let money = ["dollars", "dollar", "usd", "eur", "euros", "euro", "pounds", "gbp", "bucks", "quid"];
        let skipped = usize::from(money.contains(&self.word(at)));
        let skipped = self.past_articles_of(at + skipped) - at;
        let is_unit = |column: &CatalogColumn| column.kind == Kind::Number || is_ranged(column);
        let found = self.column_at(at + skipped, is_unit).map(|(length, column)| Unit {
            length: skipped + length,
            column,
            factor: 1.0,
        });
        match found {
            Some(unit) => Some(unit),
            None if money.contains(&self.word(at)) => {
                Some(Unit { length: 1, column: named.or_else(|| self.words()?.measure)?, factor: 1.0 })
            }
            None => None,
        }
    }

    fn past_articles_of(&self, at: usize) -> usize {
        let mut at = at;
        while ["in", "of", "active", "known", "the", "our"].contains(&self.word(at))
            && self.column_at(at, |column| column.kind == Kind::Number).is_none()
        {
            at += 1;
        }
        at
    }

    fn is_time_unit(&self, at: usize) -> bool {
        [
            "day",
            "days",
            "week",
            "weeks",
            "month",
            "months",
            "quarter",
            "quarters",
            "year",
            "years",
            "hour",
            "hours",
            "minutes",
            "minute",
            "fortnight",
        ]
        .contains(&self.word(at))
    }

    fn widened(&self, op: Op, at: usize) -> (Op, usize) {
        if op == Op::Equals {
            if let Some(n) = self.gram(at, Gram::OrMore) {
                return (Op::Gte, at + n);
            }
            if let Some(n) = self.gram(at, Gram::OrLess) {
                return (Op::Lte, at + n);
            }
        }
        (op, at)
    }

    /// "in revenue" after an amount that was revenue already, "long" after minutes.
    fn past_same_column(&self, at: usize, column: usize) -> usize {
        let start = if ["in", "of", "as"].contains(&self.word(at)) { at + 1 } else { at };
        match self.column_at(start, |_| true) {
            Some((length, found)) if found == column => start + length,
            _ => at,
        }
    }

    fn amount_filter(&self, column: usize, amount: Amount, factor: f64) -> Option<(Op, Json)> {
        let known = self.column(column)?;
        if is_ranged(known) {
            return ranges_within(known, amount);
        }
        Some(match amount {
            Amount::Than(op, value) => (op, plain(value * factor)),
            Amount::Between(from, to) => (Op::Between, json!([plain(from * factor), plain(to * factor)])),
        })
    }
}

/// A whole number without a fraction.
pub(super) fn plain(value: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

/// Whether the column's options are ranges of a number, as company sizes are.
fn is_ranged(column: &CatalogColumn) -> bool {
    column.kind == Kind::Status
        && !column.options.is_empty()
        && column.options.iter().all(|option| range(&option.words).is_some())
}

/// The range that an option's first word writes: `11-50`, `1001+`.
fn range(words: &[String]) -> Option<(f64, f64)> {
    let first = words.iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    if let Some(from) = first.strip_suffix('+') {
        return Some((from.parse().ok()?, f64::INFINITY));
    }
    let (from, to) = first.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// The options whose ranges the amount covers wholly.
fn ranges_within(column: &CatalogColumn, amount: Amount) -> Option<(Op, Json)> {
    let (from, to) = match amount {
        Amount::Than(Op::Gt | Op::Gte, value) => (value, f64::INFINITY),
        Amount::Than(Op::Lt | Op::Lte, value) => (0.0, value),
        Amount::Between(from, to) => (from, to),
        Amount::Than(..) => return None,
    };
    let covered: Vec<&str> = column
        .options
        .iter()
        .filter(|option| {
            range(&option.words)
                .is_some_and(|(low, high)| low + 1.0 >= from && (high <= to + 1.0 || to.is_infinite()))
        })
        .map(|option| option.value.as_str())
        .collect();
    match covered.as_slice() {
        [] => None,
        [one] => Some((Op::Equals, json!(one))),
        many => Some((Op::In, json!(many))),
    }
}
