//! A stand-in's own clock, and how the CRMs write its moments.

use chrono::{DateTime, NaiveDate, SecondsFormat};

use crate::clock::Clock;

pub(super) const SECOND_MS: i64 = 1000;
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * SECOND_MS;

/// The time at the CRM: the given clock, which may be ahead of or behind ours.
#[derive(Debug, Clone)]
pub(super) struct Time {
    pub(super) clock: Clock,
    pub(super) skew_ms: i64,
}

impl Time {
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms() + self.skew_ms
    }
}

/// `2024-08-15T17:09:13.648Z`
pub(super) fn iso(ms: i64) -> String {
    moment(ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `2024-08-15T17:09:13.648000000Z`
pub(super) fn iso_nanos(ms: i64) -> String {
    moment(ms).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// `Tue, 23 May 2023 14:42:01 GMT`
pub(super) fn http_date(ms: i64) -> String {
    httpdate::fmt_http_date(moment(ms).into())
}

/// The first moment of the next day in UTC.
pub(super) fn next_midnight(ms: i64) -> i64 {
    (ms.div_euclid(DAY_MS) + 1) * DAY_MS
}

/// A moment as callers write it: ISO-8601 with an offset, or milliseconds.
pub(super) fn parse_moment(text: &str) -> Option<i64> {
    if let Ok(ms) = text.parse() {
        return Some(ms);
    }
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp_millis())
}

/// A calendar day, `YYYY-MM-DD`.
pub(super) fn parse_day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// The day that begins at `ms` in UTC; none when no day begins then.
pub(super) fn day_beginning_at(ms: i64) -> Option<NaiveDate> {
    (ms.rem_euclid(DAY_MS) == 0).then(|| moment(ms).date_naive())
}

fn moment(ms: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
