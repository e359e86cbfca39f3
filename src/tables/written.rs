//! Days and times as people and spreadsheets write them.
//!
//! What could be two dates is refused, except that `1/2/2026` follows the reader's order of day and month.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Utc};

use super::dates::{local_instant, today};
use super::text::quote;
use super::time_of_day::{half_day, parse_offset, parse_time};
use super::value::Reading;
use crate::error::{Error, Result, invalid};

const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What a text about time says, as exactly as it says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Day(NaiveDate),
    /// A time of day on a day, in the reader's zone.
    Local(NaiveDateTime),
    Instant(DateTime<Utc>),
}

impl Written {
    /// The calendar day that is meant, seen from the reader's zone.
    pub(super) fn day(self, reading: &Reading<'_>) -> NaiveDate {
        match self {
            Written::Day(day) => day,
            Written::Local(local) => local.date(),
            Written::Instant(instant) => today(instant, reading.zone),
        }
    }

    /// The instant that is meant, to the millisecond; a bare day begins at its midnight.
    pub(super) fn instant(self, reading: &Reading<'_>) -> DateTime<Utc> {
        match self {
            Written::Day(day) => super::dates::day_start(day, reading.zone),
            Written::Local(local) => local_instant(local, reading.zone),
            Written::Instant(instant) => instant,
        }
    }
}

/// Reads a day, a time on a day, or an instant.
pub(super) fn parse(text: &str, reading: &Reading<'_>) -> Result<Written> {
    let lower = text.trim().to_lowercase();
    let today = today(reading.now, reading.zone);
    let written = match lower.as_str() {
        "today" => Written::Day(today),
        "yesterday" => Written::Day(today - Days::new(1)),
        "tomorrow" => Written::Day(today + Days::new(1)),
        "now" => Written::Instant(reading.now),
        digits if digits.len() > 8 && digits.bytes().all(|b| b.is_ascii_digit()) => epoch(digits)?,
        other => parse_parts(other, reading.day_first).map_err(|why| wrong(text, &why))?,
    };
    let year = match written {
        Written::Day(day) => day.year(),
        Written::Local(local) => local.year(),
        Written::Instant(instant) => instant.year(),
    };
    if YEARS.contains(&year) {
        return Ok(written);
    }
    Err(invalid(format!(
        "{} is in the year {year}; only {} to {} are kept",
        quote(text),
        YEARS.start(),
        YEARS.end()
    )))
}

fn wrong(text: &str, why: &str) -> Error {
    invalid(format!("{} is not a date: {why}", quote(text)))
        .hint("write a day as 2026-03-31 and an instant as 2026-03-31T14:30:00Z")
}

/// Milliseconds since 1970; seconds look alike and are refused.
fn epoch(digits: &str) -> Result<Written> {
    let milliseconds = if digits.len() == 13 { digits.parse().ok() } else { None };
    if let Some(instant) = milliseconds.and_then(DateTime::from_timestamp_millis) {
        return Ok(Written::Instant(instant));
    }
    let error =
        invalid(format!("{} is not a date: an epoch time has 13 digits, in milliseconds", quote(digits)));
    if digits.len() == 10 {
        return Err(error
            .hint(format!("these look like seconds; write `{digits}000`, or better 2026-03-31T14:30:00Z")));
    }
    Err(error.hint("write it as 2026-03-31T14:30:00Z"))
}

/// A date, and a time of day with or without a zone behind it.
fn parse_parts(text: &str, day_first: bool) -> Result<Written, String> {
    let spaced = text.replace(',', " ");
    let mut words: Vec<&str> = spaced.split_whitespace().collect();
    // `2026-03-31t14:30` is two words in one.
    if let Some(first) = words.first().copied()
        && let Some((date, time)) = first.split_once('t')
        && date.len() == 10
        && date.starts_with(|c: char| c.is_ascii_digit())
    {
        words.splice(0..1, [date, time]);
    }
    let clock = words.iter().position(|word| word.contains(':')).unwrap_or(words.len());
    let day = parse_day(&words[..clock], day_first)?;
    let rest = words[clock..].join("");
    if rest.is_empty() {
        return Ok(Written::Day(day));
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(rest.len());
    let (time, suffix) = rest.split_at(end);
    let time = parse_time(time)?;
    match suffix.replace('.', "").as_str() {
        "" => Ok(Written::Local(day.and_time(time))),
        "am" => Ok(Written::Local(day.and_time(half_day(time, 0)?))),
        "pm" => Ok(Written::Local(day.and_time(half_day(time, 12)?))),
        zone => Ok(Written::Instant((day.and_time(time) - parse_offset(zone)?).and_utc())),
    }
}

fn parse_day(words: &[&str], day_first: bool) -> Result<NaiveDate, String> {
    let (year, month, day) = match words {
        [one] => numeric_day(one, day_first)?,
        [a, b, c] => match (month_of(a), month_of(b)) {
            (Some(month), _) => (number(c)?, month, ordinal(b)?),
            (None, Some(month)) => (number(c)?, month, ordinal(a)?),
            (None, None) => numeric_day(&[*a, *b, *c].join("-"), day_first)?,
        },
        [] => return Err("it has no day".to_owned()),
        _ => return Err("its form is not known".to_owned()),
    };
    let year_full = i32::try_from(year).map_err(|_| "the year is too large".to_owned())?;
    if year < 100 {
        return Err("the year needs four digits".to_owned());
    }
    if !(1..=12).contains(&month) {
        let order = if day_first { "day/month/year" } else { "month/day/year" };
        return Err(format!("there is no month {month}, read as {order}"));
    }
    NaiveDate::from_ymd_opt(year_full, month, day)
        .ok_or_else(|| format!("{year}-{month:02} has no day {day}"))
}

/// `2026-03-31`, `2026/03/31`, `3/31/2026`, and `31.3.2026`, which is always day first.
fn numeric_day(text: &str, day_first: bool) -> Result<(u32, u32, u32), String> {
    let separator = text.chars().find(|c| matches!(c, '-' | '/' | '.')).ok_or("its form is not known")?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [a, b, c] = parts.as_slice() else { return Err("its form is not known".to_owned()) };
    if a.len() == 4 {
        return Ok((number(a)?, number(b)?, number(c)?));
    }
    let (first, second, year) = (number(a)?, number(b)?, number(c)?);
    Ok(if day_first || separator == '.' { (year, second, first) } else { (year, first, second) })
}

pub(super) fn number(text: &str) -> Result<u32, String> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if digits {
        text.parse().map_err(|_| format!("`{text}` is no number"))
    } else {
        Err(format!("`{text}` is no number"))
    }
}

/// A day of the month, as `3` or `3rd`.
fn ordinal(text: &str) -> Result<u32, String> {
    number(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()))
}

/// The month whose name begins so, with three letters or more.
fn month_of(word: &str) -> Option<u32> {
    let word = word.trim_end_matches('.');
    let word = if word == "sept" { "sep" } else { word };
    let place =
        MONTHS.iter().position(|month| *month == word || (word.len() == 3 && month.starts_with(word)))?;
    u32::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{instant, reading};

    fn day(text: &str) -> Written {
        Written::Day(text.parse().unwrap())
    }

    fn local(text: &str) -> Written {
        Written::Local(text.parse().unwrap())
    }

    fn check(given: &str, expected: Written) {
        assert_eq!(parse(given, &reading(&[])).unwrap(), expected, "{given}");
    }

    fn refused(given: &str, why: &str) {
        let error = parse(given, &reading(&[])).unwrap_err().to_string();
        assert!(error.contains(why), "{given}: {error}");
    }

    #[test]
    fn days_are_read_in_the_forms_of_people_and_spreadsheets() {
        for given in [
            "2026-03-04",
            "2026/03/04",
            "2026/3/4",
            "3/4/2026",
            "03/04/2026",
            "3-4-2026",
            "03 04 2026",
            "4.3.2026",
            "4 Mar 2026",
            "4 March, 2026",
            "4th March 2026",
            "Mar 4, 2026",
            "march 4th 2026",
            "MAR. 4 2026",
        ] {
            check(given, day("2026-03-04"));
        }
        check("Sept 30, 2026", day("2026-09-30"));
        check("today", day("2026-03-02"));
        check(" Yesterday ", day("2026-03-01"));
        check("tomorrow", day("2026-03-03"));
        let british = Reading { day_first: true, ..reading(&[]) };
        assert_eq!(parse("3/4/2026", &british).unwrap(), day("2026-04-03"));
        assert_eq!(parse("2026-03-04", &british).unwrap(), day("2026-03-04"));
    }

    #[test]
    fn words_follow_the_day_of_the_zone() {
        let zone = chrono_tz::Pacific::Auckland;
        let evening = Reading { zone, now: instant("2026-03-02T12:00:00Z"), ..reading(&[]) };
        assert_eq!(parse("today", &evening).unwrap(), day("2026-03-03"));
    }

    #[test]
    fn times_without_a_zone_stay_local() {
        check("2026-03-04 14:30", local("2026-03-04T14:30:00"));
        check("2026-03-04T14:30:05", local("2026-03-04T14:30:05"));
        check("3/4/2026 2:30 PM", local("2026-03-04T14:30:00"));
        check("3/4/2026, 2:30pm", local("2026-03-04T14:30:00"));
        check("3/4/2026 12:05 a.m.", local("2026-03-04T00:05:00"));
        check("3/4/2026 12:00 PM", local("2026-03-04T12:00:00"));
        check("Mar 4, 2026 09:15:01.5", local("2026-03-04T09:15:01.500"));
    }

    #[test]
    fn instants_are_kept_to_the_millisecond() {
        for given in
            ["2026-03-04T14:30:00Z", "2026-03-04T14:30Z", "2026-03-04 15:30:00+01:00", "2026-03-04 14:30 UTC"]
        {
            check(given, Written::Instant(instant("2026-03-04T14:30:00Z")));
        }
        check("2026-03-04T09:30:00.1239-0500", Written::Instant(instant("2026-03-04T14:30:00.123Z")));
        check("1772634600000", Written::Instant(instant("2026-03-04T14:30:00Z")));
        check("now", Written::Instant(instant("2026-03-02T10:00:00Z")));
    }

    #[test]
    fn what_is_no_date_says_why() {
        refused("soon", "its form is not known");
        refused("", "no day");
        refused("14:30", "no day");
        refused("2026-02-30", "2026-02 has no day 30");
        refused("13/2/2026", "no month 13, read as month/day/year");
        refused("1/2/26", "four digits");
        refused("2026", "its form is not known");
        refused("1772634600", "look like seconds");
        refused("177263460000", "13 digits");
        refused("20260304", "its form is not known");
        refused("2026-03-04 25:00", "not a time of day");
        refused("2026-03-04 13:00 PM", "no hour 13");
        refused("2026-03-04 10:00 EST", "no offset");
        refused("2026-03-04 10:00 +99:00", "no offset");
        refused("2026-03-04T10:00:00.Zx", "no offset");
        refused("1899-12-31", "year 1899; only 1900 to 2200");
        refused("2201-01-01", "year 2201");
        refused("2200-12-31T23:30:00-05:00", "year 2201");
        refused("Foo 4, 2026", "is no number");
    }
}
