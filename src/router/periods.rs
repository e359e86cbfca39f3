//! Single periods: "today", "last 3 months", "this quarter", "20 February", "Q4 2025", "May last year".

use chrono::{Datelike, Months, NaiveDate, Weekday};

use super::calendar_words::{
    back, count, day_number, days_in, forth, is_span_unit, month, part_of_year, spoken_year, weekday, word,
    year_number,
};
use super::moment::{Calendar, When};
use super::text::{Token, TokenKind};
use crate::tables::dates;

impl Calendar {
    /// "last 30 days", "past fortnight", "next two weeks", "3 days ago", "24 hours".
    pub(super) fn counted(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
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

    /// "30 days ago", "in 3 days", and "30 days" after "for" or "in".
    pub(super) fn bare_count(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
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
    pub(super) fn relative(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let (which, unit) = (word(tokens, at), word(tokens, at + 1));
        let start_of = |unit: &str| period(unit, self.today).map(|days| days.0);
        match which {
            "ytd" => return Some((1, When::Between(start_of("year")?, self.today))),
            "mtd" => return Some((1, When::Between(start_of("month")?, self.today))),
            "qtd" => return Some((1, When::Between(start_of("quarter")?, self.today))),
            "year" | "month" | "quarter" | "week" if unit == "to" && word(tokens, at + 2) == "date" => {
                return Some((3, When::Between(start_of(which)?, self.today)));
            }
            _ => {}
        }
        // "the rest of the month"
        if which == "rest" && unit == "of" && ["the", "this"].contains(&word(tokens, at + 2)) {
            let (_, to) = period(word(tokens, at + 3), self.today)?;
            return Some((4, When::Between(self.today, to)));
        }
        // "the year so far"
        if which == "the" && word(tokens, at + 2) == "so" && word(tokens, at + 3) == "far" {
            return Some((4, When::Between(start_of(unit)?, self.today)));
        }
        let this = period(unit, self.today)?;
        let (from, to) = match which {
            "this" | "current" | "the" if which != "the" => this,
            "last" | "previous" | "prior" => period(unit, back(this.0, 1))?,
            "next" | "coming" | "following" => period(unit, forth(this.1, 1))?,
            _ => return None,
        };
        let mut length = 2;
        if word(tokens, at + 2) == "so" && word(tokens, at + 3) == "far" {
            length = 4;
        }
        Some((length, When::Between(from, to)))
    }

    /// "today", "yesterday", "Friday", "last Tuesday", "this morning".
    pub(super) fn named_day(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
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
            "christmas" | "xmas" => {
                let more = usize::from(["day", "eve"].contains(&word(tokens, at + 1)));
                let day = NaiveDate::from_ymd_opt(self.today.year() - 1, 12, 25)?;
                return Some((1 + more, When::Day(day)));
            }
            "weekend" => {
                let this = period("weekend", self.today)?;
                let (from, to) = if self.ahead || this.1 <= self.today {
                    this
                } else {
                    period("weekend", back(self.today, 7))?
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
                        "last" => period("week", back(self.today, 7))?,
                        "next" => period("week", forth(self.today, 7))?,
                        _ => period("week", self.today)?,
                    };
                    return Some((3, When::Day(forth(days.0, weekday.num_days_from_monday()))));
                }
                let day = match (length, first) {
                    (1, _) if self.ahead => self.coming(weekday),
                    (2, "this" | "coming") => self.coming(weekday),
                    (2, "next") => forth(period("week", self.today)?.1, 1 + weekday.num_days_from_monday()),
                    (1, _) | (2, "last" | "previous" | "past") => self.latest(weekday),
                    _ => return None,
                };
                return Some((length, When::Day(day)));
            }
        };
        Some((1, When::Day(day)))
    }

    /// The next such weekday, today included.
    pub(super) fn coming(self, weekday: Weekday) -> NaiveDate {
        forth(
            self.today,
            (7 + weekday.num_days_from_monday() - self.today.weekday().num_days_from_monday()) % 7,
        )
    }

    /// The latest such weekday before today.
    pub(super) fn latest(self, weekday: Weekday) -> NaiveDate {
        let days = (7 + self.today.weekday().num_days_from_monday() - weekday.num_days_from_monday()) % 7;
        back(self.today, if days == 0 { 7 } else { days })
    }

    /// "2026-02-20", "20 February", "Feb 20th 2025", "the 20th of February".
    pub(super) fn calendar_day(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
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
    pub(super) fn month_or_quarter(self, tokens: &[Token], at: usize) -> Option<(usize, When)> {
        let first = word(tokens, at);
        if first == "week" && ["of", "starting", "commencing", "beginning"].contains(&word(tokens, at + 1)) {
            let the = usize::from(word(tokens, at + 2) == "the");
            let (n, day) = self.calendar_day(tokens, at + 2 + the)?;
            let (from, to) = period("week", day.bounds(self.today)?.0)?;
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
    pub(super) fn said_year(self, tokens: &[Token], at: usize) -> Option<(usize, i32)> {
        let of = usize::from(word(tokens, at) == "of");
        let year = match (word(tokens, at + of), word(tokens, at + of + 1)) {
            ("last", "year") => self.today.year() - 1,
            ("this", "year") => self.today.year(),
            _ => return None,
        };
        Some((of + 2, year))
    }

    pub(super) fn is_month_here(self, tokens: &[Token], at: usize) -> bool {
        at > 0
            && [
                "in", "since", "before", "after", "from", "until", "during", "last", "this", "next", "and",
                "of", "to",
            ]
            .contains(&word(tokens, at - 1))
            || year_number(tokens.get(at + 1)).is_some()
            || self.said_year(tokens, at + 1).is_some()
    }
}

/// The first and last day of the unit around a day.
pub(super) fn period(unit: &str, day: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
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

/// "60 days", with nothing before it.
pub(super) fn length_at(tokens: &[Token], at: usize) -> Option<(usize, When)> {
    let (length, count) = count(tokens, at)?;
    let days = days_in(word(tokens, at + length), count)?;
    Some((length + 1, When::LastDays(days)))
}

pub(super) fn year(tokens: &[Token], at: usize) -> Option<(usize, When)> {
    let year = year_number(tokens.get(at))?;
    Some((1, When::Between(NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?)))
}
