//! The spans of time that filters name: `today`, `last_week`, `90_days_ago`, `2026-Q1`, an instant.

use chrono::{DateTime, NaiveDate, Utc};

use super::dates::{Days, earlier, later, today};
use super::text::quote;
use super::value::Reading;
use super::written::{self, Written};
use crate::error::{Result, invalid};

/// The farthest day that `90_days_ago` and its like may name.
pub const DAYS_AWAY_MAX: u32 = 3_650;

const PERIODS: &[&str] = &[
    "today",
    "yesterday",
    "tomorrow",
    "now",
    "this_week",
    "last_week",
    "next_week",
    "this_month",
    "last_month",
    "next_month",
    "this_quarter",
    "last_quarter",
    "next_quarter",
    "this_year",
    "last_year",
    "next_year",
];

/// What a filter's date value covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Days(Days),
    Instant(DateTime<Utc>),
}

/// What a filter's date value covers: a day, an instant, a month, a quarter, a year, or a word for one.
pub fn span(text: &str, reading: &Reading<'_>) -> Result<Span> {
    let word = text.trim().to_lowercase().replace([' ', '-'], "_");
    let today = today(reading.now, reading.zone);
    if let Some(days) =
        named(&word, today).or_else(|| counted(&word, today)).or_else(|| numbered(text.trim()))
    {
        return Ok(Span::Days(days));
    }
    let is_words = word.chars().all(|c| c.is_alphabetic() || c == '_') && word != "now" && !word.is_empty();
    if is_words {
        let error = invalid(format!("{} is not a date", quote(text))).choices(&word, PERIODS.iter().copied());
        let meant = error.hint.clone().unwrap_or_else(|| "write a day as 2026-03-31".to_owned());
        return Err(error.hint(meant));
    }
    if ["last_", "past_", "next_"].iter().any(|start| word.starts_with(start)) {
        return Err(invalid(format!("{} is not a date", quote(text)))
            .hint("for a number of days use the operator `within_last_days` or `within_next_days`"));
    }
    written::parse(text, reading).map(|written| match written {
        Written::Day(day) => Span::Days(Days::day(day)),
        other => Span::Instant(other.instant(reading)),
    })
}

/// `today`, `last_week`, `next_quarter` and the like.
fn named(word: &str, today: NaiveDate) -> Option<Days> {
    match word {
        "today" => return Some(Days::day(today)),
        "yesterday" => return Some(Days::day(earlier(today, 1))),
        "tomorrow" => return Some(Days::day(later(today, 1))),
        _ => {}
    }
    let (which, unit) = word.split_once('_')?;
    let around: fn(NaiveDate) -> Days = match unit {
        "week" => Days::week,
        "month" => Days::month,
        "quarter" => Days::quarter,
        "year" => Days::year,
        _ => return None,
    };
    let this = around(today);
    match which {
        "this" => Some(this),
        "last" => Some(around(earlier(this.from, 1))),
        "next" => Some(around(this.until)),
        _ => None,
    }
}

/// `90_days_ago`, `1_day_ago`, `in_7_days`.
fn counted(word: &str, today: NaiveDate) -> Option<Days> {
    let parts: Vec<&str> = word.split('_').collect();
    let (count, past) = match parts.as_slice() {
        [count, "day" | "days", "ago"] => (count, true),
        ["in", count, "day" | "days"] => (count, false),
        _ => return None,
    };
    let count = count.parse().ok().filter(|count| *count <= DAYS_AWAY_MAX)?;
    Some(Days::day(if past { earlier(today, count) } else { later(today, count) }))
}

/// `2026`, `2026-03`, `2026-Q1`.
fn numbered(text: &str) -> Option<Days> {
    let (year, part) = text.split_once('-').unwrap_or((text, ""));
    let year =
        (year.len() == 4).then(|| year.parse::<i32>().ok())?.filter(|year| (1900..=2200).contains(year))?;
    if part.is_empty() {
        return (!text.contains('-')).then(|| NaiveDate::from_ymd_opt(year, 1, 1)).flatten().map(Days::year);
    }
    if let Some(quarter) = part.strip_prefix(['q', 'Q']) {
        let quarter = quarter.parse::<u32>().ok().filter(|quarter| (1..=4).contains(quarter))?;
        return NaiveDate::from_ymd_opt(year, quarter * 3 - 2, 1).map(Days::quarter);
    }
    let month = (part.len() == 2).then(|| part.parse().ok())??;
    NaiveDate::from_ymd_opt(year, month, 1).map(Days::month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{instant, reading};

    fn days(from: &str, until: &str) -> Span {
        Span::Days(Days { from: from.parse().unwrap(), until: until.parse().unwrap() })
    }

    #[test]
    fn words_name_whole_periods() {
        let check = |text: &str, from: &str, until: &str| {
            assert_eq!(span(text, &reading(&[])).unwrap(), days(from, until), "{text}");
        };
        check("today", "2026-03-02", "2026-03-03");
        check("Yesterday", "2026-03-01", "2026-03-02");
        check("tomorrow", "2026-03-03", "2026-03-04");
        check("this_week", "2026-03-02", "2026-03-09");
        check("last week", "2026-02-23", "2026-03-02");
        check("NEXT-WEEK", "2026-03-09", "2026-03-16");
        check("this month", "2026-03-01", "2026-04-01");
        check("last_month", "2026-02-01", "2026-03-01");
        check("next_month", "2026-04-01", "2026-05-01");
        check("this_quarter", "2026-01-01", "2026-04-01");
        check("last_quarter", "2025-10-01", "2026-01-01");
        check("next_quarter", "2026-04-01", "2026-07-01");
        check("this_year", "2026-01-01", "2027-01-01");
        check("last_year", "2025-01-01", "2026-01-01");
        check("next_year", "2027-01-01", "2028-01-01");
        check("90_days_ago", "2025-12-02", "2025-12-03");
        check("1 day ago", "2026-03-01", "2026-03-02");
        check("in 7 days", "2026-03-09", "2026-03-10");
        check("2026", "2026-01-01", "2027-01-01");
        check("2024-02", "2024-02-01", "2024-03-01");
        check("2025-q4", "2025-10-01", "2026-01-01");
        check("2026-03-31", "2026-03-31", "2026-04-01");
    }

    #[test]
    fn an_instant_stays_an_instant() {
        let check = |text: &str, expected: &str| {
            assert_eq!(span(text, &reading(&[])).unwrap(), Span::Instant(instant(expected)), "{text}");
        };
        check("now", "2026-03-02T10:00:00Z");
        check("2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00Z");
        check("2026-03-02 08:15", "2026-03-02T08:15:00Z");
        check("1772634600000", "2026-03-04T14:30:00Z");
    }

    #[test]
    fn an_unknown_period_is_refused_with_the_nearest() {
        let error = span("this weak", &reading(&[])).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("did you mean `this_week`?"));
        let error = span("last 30 days", &reading(&[])).unwrap_err();
        assert!(error.to_string().contains("within_last_days"), "{error}");
        for text in ["2026-Q5", "2026-13", "2026-", "1850", "99999_days_ago", ""] {
            assert!(span(text, &reading(&[])).is_err(), "{text}");
        }
    }
}
