//! The words and numbers that dates are made of.

use chrono::{Days, NaiveDate, Weekday};

use super::numeral::numeral;
use super::text::{Token, TokenKind};
use crate::tables::dates;

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

pub(super) fn word(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).filter(|token| token.kind == TokenKind::Word).map_or("", |token| token.word.as_str())
}

pub(super) fn count(tokens: &[Token], at: usize) -> Option<(usize, f64)> {
    match word(tokens, at) {
        "couple" => Some((1 + usize::from(word(tokens, at + 1) == "of"), 2.0)),
        "a" | "an" if word(tokens, at + 1) == "couple" => {
            Some((2 + usize::from(word(tokens, at + 2) == "of"), 2.0))
        }
        "a" | "an" | "one" if is_span_unit(word(tokens, at + 1)) => Some((1, 1.0)),
        _ => numeral(tokens, at),
    }
}

pub(super) fn is_span_unit(word: &str) -> bool {
    ["day", "week", "fortnight", "month", "quarter", "year", "hour"].contains(&word)
}

/// How many days so many of the unit are, as counted spans are understood.
pub(super) fn days_in(unit: &str, count: f64) -> Option<u32> {
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

pub(super) fn whole(days: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    (days.fract() == 0.0 && (0.0..=f64::from(dates::DAYS_AWAY_MAX)).contains(&days)).then_some(days as u32)
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
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

pub(super) fn month(word: &str) -> Option<u32> {
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
pub(super) fn part_of_year(word: &str) -> Option<(u32, u32)> {
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

pub(super) fn day_number(token: &Token) -> Option<u32> {
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

pub(super) const ORDINALS: &[&str] = &[
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
pub(super) fn spoken_year(tokens: &[Token], at: usize) -> Option<(usize, i32)> {
    if word(tokens, at) != "twenty" {
        return None;
    }
    let (length, rest) =
        numeral(tokens, at + 1).filter(|(_, rest)| (10.0..100.0).contains(rest) && rest.fract() == 0.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be below a hundred")]
    let year = 2000 + rest as i32;
    Some((length + 1, year))
}

pub(super) fn year_number(token: Option<&Token>) -> Option<i32> {
    let token = token.filter(|token| matches!(token.kind, TokenKind::Number(_)))?;
    token.word.parse().ok().filter(|year| (2000..=2100).contains(year))
}

pub(super) fn back(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN)
}

pub(super) fn forth(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}
