//! Stretches of time as people say them: "last week", "the past 3 months", "since Friday", "Q4 2025".
//!
//! Weeks start on Monday. A month or quarter without a year is the latest one that has begun.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde_json::{Value as Json, json};

use super::numeral::numeral;
use super::text::{Token, TokenKind};
use crate::tables::{Op, dates};

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
    fn bounds(self, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
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
    pub(super) fn read(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
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
    fn bounded(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let past = Calendar { ahead: false, ..*self };
        let later = if weekday(word(tokens, at + 1)).is_some() { past } else { *self };
        let bound = |length: usize, calendar: Calendar| {
            let the = usize::from(word(tokens, at + length) == "the");
            let edge = ["start", "beginning", "end", "close"].contains(&word(tokens, at + length + the));
            let of = if edge && word(tokens, at + length + the + 1) == "of" { 2 } else { 0 };
            let from = at + length + the + of;
            let (n, when) = calendar.plain(tokens, from).or_else(|| calendar.year(tokens, from))?;
            Some((length + the + of + n, when.bounds(self.today)?))
        };
        match (word(tokens, at), word(tokens, at + 1)) {
            ("since", "before") => bound(2, past).map(|(n, (from, _))| (n, When::Before(from))),
            ("since", _) => bound(1, past).map(|(n, (from, _))| (n, When::Since(from))),
            ("starting" | "beginning" | "as", "from" | "of" | "on") => {
                bound(2, past).map(|(n, (from, _))| (n, When::Since(from)))
            }
            ("before" | "prior" | "pre", next) => {
                bound(1 + usize::from(next == "to"), past).map(|(n, (from, _))| (n, When::Before(from)))
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
            ("until" | "till" | "by", _) => bound(1, *self).map(|(n, (_, to))| (n, When::Until(to))),
            ("up", "to" | "until") => bound(2, *self).map(|(n, (_, to))| (n, When::Until(to))),
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
    fn ago(&self, tokens: &[Token], at: usize) -> Option<(usize, NaiveDate)> {
        let than = 1 + usize::from(word(tokens, at + 1) == "than");
        let (length, count) = count(tokens, at + than)?;
        let days = days_in(word(tokens, at + than + length), count)?;
        (word(tokens, at + than + length + 1) == "ago").then(|| (than + length + 2, back(self.today, days)))
    }

    /// `< 2026-01-01`.
    fn signed(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
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

    fn pair(&self, tokens: &[Token], at: usize, joins: &[&str]) -> Option<(usize, When)> {
        let days = weekday(word(tokens, at)).is_some() || word(tokens, at) == "now";
        let past = Calendar { ahead: self.ahead && days, ..*self };
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
        let (last_length, last) = past.plain(tokens, at + first_length + 1 + the)?;
        let ((mut from, _), (_, to)) = (first.bounds(self.today)?, last.bounds(self.today)?);
        if from > to {
            from = from.checked_sub_months(Months::new(12))?;
        }
        (from <= to).then_some((first_length + 1 + the + last_length, When::Between(from, to)))
    }

    /// One period: a day, a week, a month, "last 3 months", "Q4 2025".
    fn plain(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        self.counted(tokens, at)
            .or_else(|| self.relative(tokens, at))
            .or_else(|| self.named_day(tokens, at))
            .or_else(|| self.calendar_day(tokens, at))
            .or_else(|| self.month_or_quarter(tokens, at))
            .or_else(|| {
                (at > 0 && matches!(word(tokens, at - 1), "in" | "during" | "for" | "from" | "of" | "since"))
                    .then(|| self.year(tokens, at))?
            })
    }

    /// "last 30 days", "past fortnight", "next two weeks", "3 days ago", "24 hours".
    fn counted(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let direction = word(tokens, at);
        let back_words = ["last", "past", "previous", "trailing", "preceding", "within"];
        let forth_words = ["next", "coming", "following", "upcoming"];
        let is_back = back_words.contains(&direction);
        let is_forth = forth_words.contains(&direction);
        if !is_back && !is_forth {
            return self.bare_count(tokens, at);
        }
        let mut from = at + 1;
        if direction == "within" {
            from += usize::from(word(tokens, from) == "the");
            from += usize::from(["last", "past"].contains(&word(tokens, from)));
        }
        let (count_length, count) = match count(tokens, from) {
            Some(found) => found,
            None if is_back && ["last", "past"].contains(&direction) && word(tokens, from) == "fortnight" => {
                (0, 1.0)
            }
            // "the past week" is seven days; "last week" is the week before this one.
            None if direction == "past" && is_span_unit(word(tokens, from)) => (0, 1.0),
            // "in the last month" counts back from today.
            None if direction == "last"
                && word(tokens, at.wrapping_sub(1)) == "the"
                && at >= 2
                && ["in", "over", "within", "during"].contains(&word(tokens, at - 2)) =>
            {
                (0, 1.0)
            }
            None if is_forth && word(tokens, from) == "fortnight" => (0, 1.0),
            None => return None,
        };
        let unit = from + count_length;
        let unit = unit + usize::from(["business", "working", "calendar"].contains(&word(tokens, unit)));
        let days = days_in(word(tokens, unit), count)?;
        let when = if is_back { When::LastDays(days) } else { When::NextDays(days) };
        Some((unit + 1 - at, when))
    }

    /// "60 days", with nothing before it.
    pub(super) fn length_at(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let (length, count) = count(tokens, at)?;
        let days = days_in(word(tokens, at + length), count)?;
        Some((length + 1, When::LastDays(days)))
    }

    /// "30 days ago", "in 3 days", and "30 days" after "for" or "in".
    fn bare_count(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let (length, count) = count(tokens, at)?;
        let days = days_in(word(tokens, at + length), count)?;
        if word(tokens, at + length + 1) == "ago" {
            return Some((length + 2, When::Day(back(self.today, days))));
        }
        let before = at.checked_sub(1).map_or("", |i| word(tokens, i));
        (["for", "in", "within", "over", "than"].contains(&before))
            .then_some((length + 1, When::LastDays(days)))
    }

    /// "this week", "last quarter", "next month", "current year", "year to date", "last weekend".
    fn relative(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let (which, unit) = (word(tokens, at), word(tokens, at + 1));
        let start_of = |unit: &str| self.period(unit, self.today).map(|days| days.0);
        match which {
            "ytd" => return Some((1, When::Between(start_of("year")?, self.today))),
            "mtd" => return Some((1, When::Between(start_of("month")?, self.today))),
            "qtd" => return Some((1, When::Between(start_of("quarter")?, self.today))),
            "year" | "month" | "quarter" | "week" if unit == "to" && word(tokens, at + 2) == "date" => {
                return Some((3, When::Between(start_of(which)?, self.today)));
            }
            _ => {}
        }
        let this = self.period(unit, self.today)?;
        let (from, to) = match which {
            "this" | "current" | "the" if which != "the" => this,
            "last" | "previous" | "prior" => self.period(unit, back(this.0, 1))?,
            "next" | "coming" | "following" => self.period(unit, forth(this.1, 1))?,
            _ => return None,
        };
        let mut length = 2;
        if word(tokens, at + 2) == "so" && word(tokens, at + 3) == "far" {
            length = 4;
        }
        Some((length, When::Between(from, to)))
    }

    /// The first and last day of the unit around a day.
    fn period(&self, unit: &str, day: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let days = match unit {
            "week" => dates::Days::week(day),
            "month" => dates::Days::month(day),
            "quarter" => dates::Days::quarter(day),
            "year" => dates::Days::year(day),
            "weekend" => {
                let week = dates::Days::week(day);
                return Some((back(week.until, 2), back(week.until, 1)));
            }
            _ => return None,
        };
        Some((days.from, back(days.until, 1)))
    }

    /// "today", "yesterday", "Friday", "last Tuesday", "this morning".
    fn named_day(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let first = word(tokens, at);
        let day = match first {
            "today" | "tonight" => self.today,
            "yesterday" => back(self.today, 1),
            "tomorrow" => forth(self.today, 1),
            "this" if ["morning", "afternoon", "evening"].contains(&word(tokens, at + 1)) => {
                return Some((2, When::Day(self.today)));
            }
            "new" if word(tokens, at + 1) == "year" => {
                let more =
                    usize::from(tokens.get(at + 2).is_some_and(|token| token.kind == TokenKind::Possessive));
                return Some((2 + more, When::Day(NaiveDate::from_ymd_opt(self.today.year(), 1, 1)?)));
            }
            "weekend" => {
                let this = self.period("weekend", self.today)?;
                let (from, to) = if self.ahead || this.1 <= self.today {
                    this
                } else {
                    self.period("weekend", back(self.today, 7))?
                };
                return Some((1, When::Between(from, to)));
            }
            "day" if word(tokens, at + 1) == "before" && word(tokens, at + 2) == "yesterday" => {
                return Some((3, When::Day(back(self.today, 2))));
            }
            "day" if word(tokens, at + 1) == "after" && word(tokens, at + 2) == "tomorrow" => {
                return Some((3, When::Day(forth(self.today, 2))));
            }
            _ => {
                let (length, weekday) = match weekday(first) {
                    Some(weekday) => (1, weekday),
                    None => (2, weekday(word(tokens, at + 1))?),
                };
                // "Monday last week"
                let tail = (word(tokens, at + length), word(tokens, at + length + 1));
                if length == 1 && tail.1 == "week" && ["last", "this", "next"].contains(&tail.0) {
                    let days = match tail.0 {
                        "last" => self.period("week", back(self.today, 7))?,
                        "next" => self.period("week", forth(self.today, 7))?,
                        _ => self.period("week", self.today)?,
                    };
                    return Some((3, When::Day(forth(days.0, weekday.num_days_from_monday()))));
                }
                let day = match (length, first) {
                    (1, _) if self.ahead => self.coming(weekday),
                    (2, "this" | "coming") => self.coming(weekday),
                    (2, "next") => {
                        forth(self.period("week", self.today)?.1, 1 + weekday.num_days_from_monday())
                    }
                    (1, _) | (2, "last" | "previous" | "past") => self.latest(weekday),
                    _ => return None,
                };
                return Some((length, When::Day(day)));
            }
        };
        Some((1, When::Day(day)))
    }

    /// The next such weekday, today included.
    fn coming(&self, weekday: Weekday) -> NaiveDate {
        forth(
            self.today,
            (7 + weekday.num_days_from_monday() - self.today.weekday().num_days_from_monday()) % 7,
        )
    }

    /// The latest such weekday before today.
    fn latest(&self, weekday: Weekday) -> NaiveDate {
        let days = (7 + self.today.weekday().num_days_from_monday() - weekday.num_days_from_monday()) % 7;
        back(self.today, if days == 0 { 7 } else { days })
    }

    /// "2026-02-20", "20 February", "Feb 20th 2025", "the 20th of February".
    fn calendar_day(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        if let TokenKind::Date(day) = tokens.get(at)?.kind {
            return Some((1, When::Day(day)));
        }
        let (mut length, day, month) = if let Some(month) = month(word(tokens, at)) {
            (2, day_number(tokens.get(at + 1)?)?, month)
        } else {
            let day = day_number(tokens.get(at)?)?;
            let of = usize::from(word(tokens, at + 1) == "of");
            (2 + of, day, month(word(tokens, at + 1 + of))?)
        };
        let comma =
            usize::from(tokens.get(at + length).is_some_and(|token| token.kind == TokenKind::Mark(',')));
        let year = year_number(tokens.get(at + length + comma));
        if year.is_some() {
            length += 1 + comma;
        }
        let found = NaiveDate::from_ymd_opt(year.unwrap_or(self.today.year()), month, day)?;
        let found = if year.is_none() && found > self.today && !self.ahead {
            NaiveDate::from_ymd_opt(self.today.year() - 1, month, day)?
        } else {
            found
        };
        Some((length, When::Day(found)))
    }

    /// "January", "Dec 2025", "Q3", "last March", "H1 2025", "the week of 2 March".
    fn month_or_quarter(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let first = word(tokens, at);
        if first == "week" && ["of", "starting", "commencing", "beginning"].contains(&word(tokens, at + 1)) {
            let the = usize::from(word(tokens, at + 2) == "the");
            let (n, day) = self.calendar_day(tokens, at + 2 + the)?;
            let (from, to) = self.period("week", day.bounds(self.today)?.0)?;
            return Some((2 + the + n, When::Between(from, to)));
        }
        if let Some(TokenKind::Month(from)) = tokens.get(at).map(|token| token.kind) {
            return Some((1, When::Between(from, back(from.checked_add_months(Months::new(1))?, 1))));
        }
        let lead = usize::from(["last", "this", "next"].contains(&first));
        let name = word(tokens, at + lead);
        let (start, months) = part_of_year(name).or_else(|| {
            // "Q 4" and "4th quarter" are rare enough to leave alone; "quarter 4" is not.
            (name == "quarter")
                .then(|| day_number(tokens.get(at + lead + 1)?).filter(|n| *n <= 4).map(|n| (n * 3 - 2, 3)))?
        })?;
        let mut length = 1 + lead + usize::from(name == "quarter");
        // "may" is a verb more often than a month.
        if name == "may" && !self.is_month_here(tokens, at + lead) {
            return None;
        }
        length += usize::from(
            word(tokens, at + length) == "of" && year_number(tokens.get(at + length + 1)).is_some(),
        );
        let mut year = year_number(tokens.get(at + length));
        length += usize::from(year.is_some());
        let said = self.said_year(tokens, at + length).or_else(|| spoken_year(tokens, at + length));
        if let Some((n, said)) = said.filter(|_| year.is_none()) {
            year = Some(said);
            length += n;
        }
        let in_year = |year: i32| NaiveDate::from_ymd_opt(year, start, 1);
        let this = in_year(year.unwrap_or(self.today.year()))?;
        let from = match (first, year) {
            ("next", None) if this <= self.today => in_year(self.today.year() + 1)?,
            ("this" | "next", _) | (_, Some(_)) => this,
            _ if self.coming && back(this.checked_add_months(Months::new(months))?, 1) < self.today => {
                in_year(self.today.year() + 1)?
            }
            _ if this > self.today && !self.coming => in_year(self.today.year() - 1)?,
            _ => this,
        };
        let to = back(from.checked_add_months(Months::new(months))?, 1);
        Some((length, When::Between(from, to)))
    }

    /// "last year" behind a month: "May last year", "March of this year".
    fn said_year(&self, tokens: &[Token], at: usize) -> Option<(usize, i32)> {
        let of = usize::from(word(tokens, at) == "of");
        let year = match (word(tokens, at + of), word(tokens, at + of + 1)) {
            ("last", "year") => self.today.year() - 1,
            ("this", "year") => self.today.year(),
            _ => return None,
        };
        Some((of + 2, year))
    }

    fn is_month_here(&self, tokens: &[Token], at: usize) -> bool {
        at > 0
            && [
                "in", "since", "before", "after", "from", "until", "during", "last", "this", "next", "and",
                "of", "to",
            ]
            .contains(&word(tokens, at - 1))
            || year_number(tokens.get(at + 1)).is_some()
            || self.said_year(tokens, at + 1).is_some()
    }

    pub(super) fn year(&self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let year = year_number(tokens.get(at))?;
        Some((1, When::Between(NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?)))
    }
}

/// The words that dates are made of, which are found again when misspelt.
pub(super) const WORDS: &[&str] = &[
    "today",
    "yesterday",
    "tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "week",
    "weeks",
    "month",
    "months",
    "quarter",
    "quarters",
    "year",
    "years",
    "days",
    "hours",
    "minutes",
    "fortnight",
    "last",
    "past",
    "next",
    "this",
    "since",
    "before",
    "after",
    "between",
    "until",
    "during",
    "within",
    "weekend",
    "morning",
    "afternoon",
];

fn word(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).filter(|token| token.kind == TokenKind::Word).map_or("", |token| token.word.as_str())
}

fn count(tokens: &[Token], at: usize) -> Option<(usize, f64)> {
    match word(tokens, at) {
        "couple" => Some((1 + usize::from(word(tokens, at + 1) == "of"), 2.0)),
        "a" | "an" if word(tokens, at + 1) == "couple" => {
            Some((2 + usize::from(word(tokens, at + 2) == "of"), 2.0))
        }
        "a" | "an" | "one" if is_span_unit(word(tokens, at + 1)) => Some((1, 1.0)),
        _ => numeral(tokens, at),
    }
    .map(|(length, count)| (length, count))
}

fn is_span_unit(word: &str) -> bool {
    ["day", "week", "fortnight", "month", "quarter", "year", "hour"].contains(&word)
}

/// How many days so many of the unit are, as counted spans are understood.
fn days_in(unit: &str, count: f64) -> Option<u32> {
    let days = match unit {
        "hour" | "hours" => return whole((count / 24.0).ceil()),
        "day" | "days" => 1.0,
        "week" | "weeks" => 7.0,
        "fortnight" | "fortnights" => 14.0,
        "month" | "months" => 30.0,
        "quarter" | "quarters" => 90.0,
        "year" | "years" => 365.0,
        _ => return None,
    };
    whole(count * days)
}

fn whole(days: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    (days.fract() == 0.0 && (0.0..=f64::from(dates::DAYS_AWAY_MAX)).contains(&days)).then_some(days as u32)
}

fn weekday(word: &str) -> Option<Weekday> {
    let word = word.strip_suffix('s').filter(|stem| stem.ends_with("day")).unwrap_or(word);
    Some(match word {
        "monday" | "mon" => Weekday::Mon,
        "tuesday" | "tue" | "tues" => Weekday::Tue,
        "wednesday" | "wed" | "weds" => Weekday::Wed,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" | "sat" => Weekday::Sat,
        "sunday" | "sun" => Weekday::Sun,
        _ => return None,
    })
}

fn month(word: &str) -> Option<u32> {
    const MONTHS: &[&[&str]] = &[
        &["january", "jan"],
        &["february", "feb"],
        &["march", "mar"],
        &["april", "apr"],
        &["may"],
        &["june", "jun"],
        &["july", "jul"],
        &["august", "aug"],
        &["september", "sep", "sept"],
        &["october", "oct"],
        &["november", "nov"],
        &["december", "dec"],
    ];
    MONTHS.iter().zip(1..).find(|(names, _)| names.contains(&word)).map(|(_, number)| number)
}

/// The first month and the length in months of a month, a quarter or a half.
fn part_of_year(word: &str) -> Option<(u32, u32)> {
    if let Some(month) = month(word) {
        return Some((month, 1));
    }
    Some(match word {
        "q1" => (1, 3),
        "q2" => (4, 3),
        "q3" => (7, 3),
        "q4" => (10, 3),
        "h1" => (1, 6),
        "h2" => (7, 6),
        _ => return None,
    })
}

fn day_number(token: &Token) -> Option<u32> {
    match token.kind {
        TokenKind::Ordinal(day) => Some(day),
        TokenKind::Number(_) => token.word.parse().ok(),
        TokenKind::Word => {
            ORDINALS.iter().zip(1..).find(|(name, _)| **name == token.word).map(|(_, day)| day)
        }
        _ => None,
    }
    .filter(|day| (1..=31).contains(day))
}

const ORDINALS: &[&str] = &[
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

/// "twenty twenty five".
fn spoken_year(tokens: &[Token], at: usize) -> Option<(usize, i32)> {
    if word(tokens, at) != "twenty" {
        return None;
    }
    let (length, rest) =
        numeral(tokens, at + 1).filter(|(_, rest)| (10.0..100.0).contains(rest) && rest.fract() == 0.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be below a hundred")]
    let year = 2000 + rest as i32;
    Some((length + 1, year))
}

fn year_number(token: Option<&Token>) -> Option<i32> {
    let token = token.filter(|token| matches!(token.kind, TokenKind::Number(_)))?;
    token.word.parse().ok().filter(|year| (2000..=2100).contains(year))
}

fn back(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN)
}

fn forth(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}
