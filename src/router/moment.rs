//! Stretches of time as people say them: "last week", "the past 3 months", "since Friday", "Q4 2025".
//!
//! Weeks start on Monday. A month or quarter without a year is the latest one that has begun.

use chrono::{Datelike, Months, NaiveDate};
use serde_json::{Value as Json, json};

use super::calendar_words::{back, count, day_number, days_in, forth, weekday, word};
use super::periods::{period, year};
use super::text::{Token, TokenKind};
use crate::tables::Op;

/// A stretch of time, as a filter will say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Day(NaiveDate),
    /// Both days included.
    Between(NaiveDate, NaiveDate),
    LastDays(u32),
    NextDays(u32),
    Since(NaiveDate),
    Before(NaiveDate),
    After(NaiveDate),
    Until(NaiveDate),
}

/// What the words are understood by: the day it is, and whether they speak of what is to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    pub today: NaiveDate,
    /// A weekday without more is the coming one: "calls on Friday".
    pub ahead: bool,
    /// A month without a year is the coming one: "going live in April".
    pub coming: bool,
}

impl When {
    /// The operator and value of the comparison.
    pub(super) fn comparison(self) -> (Op, Json) {
        match self {
            When::Day(day) => (Op::Equals, json!(day)),
            When::Between(from, to) => (Op::Between, json!([from, to])),
            When::LastDays(days) => (Op::WithinLastDays, json!(days)),
            When::NextDays(days) => (Op::WithinNextDays, json!(days)),
            When::Since(day) => (Op::Gte, json!(day)),
            When::Before(day) => (Op::Before, json!(day)),
            When::After(day) => (Op::After, json!(day)),
            When::Until(day) => (Op::Lte, json!(day)),
        }
    }

    /// The first and last day, where both are known.
    pub(super) fn bounds(self, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        match self {
            When::Day(day) => Some((day, day)),
            When::Between(from, to) => Some((from, to)),
            When::LastDays(days) => Some((back(today, days), today)),
            When::NextDays(days) => Some((today, forth(today, days))),
            _ => None,
        }
    }

    /// What "not … in this time" means: before it began.
    pub(super) fn not_within(self, today: NaiveDate) -> Option<When> {
        match self {
            When::Since(day) => Some(When::Before(day)),
            other => other.bounds(today).map(|(from, _)| When::Before(from)),
        }
    }
}

impl Calendar {
    /// The stretch of time that starts at the token, and how many tokens say it.
    pub(super) fn read(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        self.bounded(tokens, at).or_else(|| {
            let skipped = usize::from(matches!(
                word(tokens, at),
                "on" | "in"
                    | "during"
                    | "within"
                    | "over"
                    | "for"
                    | "from"
                    | "of"
                    | "the"
                    | "all"
                    | "this"
                    | "throughout"
            ));
            let (length, when) = self.plain(tokens, at).or_else(|| {
                let article = usize::from(skipped == 1 && matches!(word(tokens, at + 1), "the" | "all"));
                let start = at + skipped + article;
                (skipped > 0)
                    .then(|| self.plain(tokens, start))
                    .flatten()
                    .map(|(n, when)| (n + skipped + article, when))
            })?;
            Some((length, when))
        })
    }

    /// "since Friday", "before March", "between 1 and 5 May", "from Monday to Friday".
    fn bounded(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let past = Calendar { ahead: false, ..self };
        let later = if weekday(word(tokens, at + 1)).is_some() { past } else { self };
        let bound = |length: usize, calendar: Calendar| {
            let the = usize::from(word(tokens, at + length) == "the");
            let edge = ["start", "beginning", "end", "close"].contains(&word(tokens, at + length + the));
            let of = if edge && word(tokens, at + length + the + 1) == "of" { 2 } else { 0 };
            let from = at + length + the + of;
            let (n, when) = calendar.plain(tokens, from).or_else(|| year(tokens, from))?;
            Some((length + the + of + n, when.bounds(self.today)?))
        };
        match (word(tokens, at), word(tokens, at + 1)) {
            ("since", "before") => bound(2, past).map(|(n, (from, _))| (n, When::Before(from))),
            ("since", _) => bound(1, past).map(|(n, (from, _))| (n, When::Since(from))),
            ("starting" | "beginning" | "as", "from" | "of" | "on") => {
                bound(2, past).map(|(n, (from, _))| (n, When::Since(from)))
            }
            ("before" | "prior" | "pre", next) => {
                bound(1 + usize::from(next == "to"), self).map(|(n, (from, _))| (n, When::Before(from)))
            }
            ("earlier" | "older", "than") => bound(2, past).map(|(n, (from, _))| (n, When::Before(from))),
            ("more", "than") | ("over", _) if self.ago(tokens, at).is_some() => {
                self.ago(tokens, at).map(|(n, day)| (n, When::Before(day)))
            }
            ("less" | "fewer", "than") | ("under", _) if self.ago(tokens, at).is_some() => {
                self.ago(tokens, at).map(|(n, day)| (n, When::Since(day)))
            }
            ("later" | "newer", "than") => bound(2, past).map(|(n, (_, to))| (n, When::After(to))),
            ("after" | "past", _) => bound(1, later).map(|(n, (_, to))| (n, When::After(to))),
            // "by month end", "before the end of the quarter"
            ("until" | "till" | "by", unit)
                if word(tokens, at + 2) == "end" && period(unit, self.today).is_some() =>
            {
                period(unit, self.today).map(|(_, to)| (3, When::Until(to)))
            }
            ("until" | "till" | "by", _) => bound(1, self).map(|(n, (_, to))| (n, When::Until(to))),
            ("up", "to" | "until") => bound(2, self).map(|(n, (_, to))| (n, When::Until(to))),
            ("between", _) => self.pair(tokens, at + 1, &["and", "to"]).map(|(n, when)| (n + 1, when)),
            ("from", _) => self
                .pair(tokens, at + 1, &["to", "through", "until", "till"])
                .map(|(n, when)| (n + 1, when))
                .or_else(|| {
                    let (n, (from, _)) = bound(1, past)?;
                    let on = ["onwards", "onward", "on", "forward"].contains(&word(tokens, at + n))
                        && !matches!(tokens.get(at + n + 1).map(|token| token.kind), Some(TokenKind::Word));
                    on.then_some((n + 1, When::Since(from)))
                }),
            _ => self.signed(tokens, at).or_else(|| self.pair(tokens, at, &["to", "through"])),
        }
    }

    /// "than two weeks ago", with the word before.
    fn ago(self, tokens: &[Token], at: usize) -> Option<(usize, NaiveDate)> {
        let than = 1 + usize::from(word(tokens, at + 1) == "than");
        let (length, count) = count(tokens, at + than)?;
        let days = days_in(word(tokens, at + than + length), count)?;
        (word(tokens, at + than + length + 1) == "ago").then(|| (than + length + 2, back(self.today, days)))
    }

    /// `< 2026-01-01`.
    fn signed(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let token = tokens.get(at).filter(|token| token.kind == TokenKind::Sign)?;
        let (n, when) = self.plain(tokens, at + 1)?;
        let (from, to) = when.bounds(self.today)?;
        let when = match token.word.as_str() {
            "<" => When::Before(from),
            "<=" => When::Until(to),
            ">" => When::After(to),
            ">=" => When::Since(from),
            "=" => when,
            _ => return None,
        };
        Some((n + 1, when))
    }

    fn pair(self, tokens: &[Token], at: usize, joins: &[&str]) -> Option<(usize, When)> {
        let days = weekday(word(tokens, at)).is_some() || word(tokens, at) == "now";
        let past = Calendar { ahead: self.ahead && days, ..self };
        let now = (word(tokens, at) == "now").then_some((1, When::Day(self.today)));
        let (first_length, first) = now.or_else(|| past.plain(tokens, at)).or_else(|| {
            // "between 1 and 5 May": the month is said once.
            let day = day_number(tokens.get(at)?)?;
            let (_, last) = past.plain(tokens, at + 2)?;
            let (last, _) = last.bounds(self.today)?;
            Some((1, When::Day(last.with_day(day)?)))
        })?;
        let join = tokens.get(at + first_length)?;
        if !joins.contains(&join.word.as_str()) && !matches!(join.kind, TokenKind::Mark('-' | '–' | '—'))
        {
            return None;
        }
        let the = usize::from(word(tokens, at + first_length + 1) == "the");
        let start = at + first_length + 1 + the;
        // "the first of February to the fourteenth": the month is said once.
        let same_month = || {
            let day = day_number(tokens.get(start)?)?;
            let (_, from) = first.bounds(self.today)?;
            Some((1, When::Day(from.with_day(day)?)))
        };
        let (last_length, last) = past.plain(tokens, start).or_else(same_month)?;
        let ((mut from, _), (_, to)) = (first.bounds(self.today)?, last.bounds(self.today)?);
        if from > to {
            from = from.checked_sub_months(Months::new(12))?;
        }
        (from <= to).then_some((first_length + 1 + the + last_length, When::Between(from, to)))
    }

    /// One period: a day, a week, a month, "last 3 months", "Q4 2025".
    fn plain(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        self.counted(tokens, at)
            .or_else(|| self.relative(tokens, at))
            .or_else(|| self.named_day(tokens, at))
            .or_else(|| self.calendar_day(tokens, at))
            .or_else(|| self.month_or_quarter(tokens, at))
            .or_else(|| {
                (at > 0 && matches!(word(tokens, at - 1), "in" | "during" | "for" | "from" | "of" | "since"))
                    .then(|| year(tokens, at))?
            })
    }
}
