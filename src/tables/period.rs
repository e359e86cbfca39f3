//! Reads the value of a comparison with dates: a period or an instant, and the range it makes under each
//! operator.
//!
//! A whole day stays whole: after a day begins at the end of it, and up to a day includes all of it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;

use super::comparison::{Comparison, wrong_order};
use super::dates::{self, DAYS_AWAY_MAX, Days, Span};
use super::filter::Range;
use super::kind::{Kind, Op};
use super::text::quote;
use super::value::Value;
use crate::error::{Result, invalid};

impl Comparison<'_> {
    /// The range that one date value stands for under this operator.
    pub(super) fn one_time(&self, raw: &Json) -> Result<Range> {
        let covered = self.covered(self.one(raw)?)?;
        let (start, end) = (Value::Time(covered.start), Value::Time(covered.end));
        Ok(match self.op {
            Op::Gt | Op::After => Range::from(end, !covered.instant),
            Op::Gte => Range::from(start, true),
            Op::Lt | Op::Before => Range::to(start, false),
            Op::Lte => Range::to(end, covered.instant),
            _ => Range { from: Some((start, true)), to: Some((end, covered.instant)) },
        })
    }

    pub(super) fn two_times(&self, raw: &Json) -> Result<Range> {
        let (first, last) = self.two(raw)?;
        let (first, last) = (self.covered(self.one(&first)?)?, self.covered(self.one(&last)?)?);
        if first.start > last.end || (first.start == last.end && !last.instant) {
            return Err(wrong_order());
        }
        Ok(Range {
            from: Some((Value::Time(first.start), true)),
            to: Some((Value::Time(last.end), last.instant)),
        })
    }

    pub(super) fn days_around(&self, raw: &Json) -> Result<Range> {
        let count = match self.one(raw)? {
            Json::Number(number) => number.as_u64().or_else(|| whole(number.as_f64())),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let count = count.and_then(|count| u32::try_from(count).ok()).filter(|count| *count <= DAYS_AWAY_MAX);
        let Some(count) = count else {
            let given = raw.as_str().map_or_else(|| raw.to_string(), str::to_owned);
            let error = format!("`{}` needs a whole number from 0 to {DAYS_AWAY_MAX}", self.op.name());
            return Err(invalid(format!("{error}, not {}", quote(&given))).hint("write 7 for a week"));
        };
        let today = dates::today(self.reading.now, self.reading.zone);
        let days = match self.op {
            Op::WithinLastDays => Days::through(dates::earlier(today, count), today),
            _ => Days::through(today, dates::later(today, count)),
        };
        let covered = self.covered_days(days);
        Ok(Range {
            from: Some((Value::Time(covered.start), true)),
            to: Some((Value::Time(covered.end), false)),
        })
    }

    /// What one date value covers, in the terms in which the column's cells are kept.
    fn covered(&self, raw: &Json) -> Result<Covered> {
        let text = match raw {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            _ => {
                return Err(invalid(format!("`{}` is compared with dates", self.column.key))
                    .hint("write \"2026-03-31\", \"2026-03-31T14:30:00Z\" or a word such as \"last_week\""));
            }
        };
        Ok(match dates::span(&text, self.reading)? {
            Span::Days(days) => self.covered_days(days),
            Span::Instant(instant) if self.column.kind == Kind::Day => {
                self.covered_days(Days::day(dates::today(instant, self.reading.zone)))
            }
            Span::Instant(instant) => Covered { start: instant, end: instant, instant: true },
        })
    }

    /// Days are kept as midnights in UTC, whatever the zone; instants are compared with the zone's days.
    fn covered_days(&self, days: Days) -> Covered {
        let zone = if self.column.kind == Kind::Day { Tz::UTC } else { self.reading.zone };
        let (start, end) = days.bounds(zone);
        Covered { start, end, instant: false }
    }
}

/// The instants that a date value covers: from `start` to just before `end`, or the one instant.
#[derive(Clone, Copy)]
struct Covered {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    instant: bool,
}

/// A number such as 7.0, which some clients send for 7.
fn whole(number: Option<f64>) -> Option<u64> {
    let number = number.filter(|number| number.fract() == 0.0)?;
    format!("{number:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tables::filter::Test;
    use crate::tables::testing::{instant, test_in};
    use crate::tables::{CLIENTS, LEADS};

    type Bound<'a> = Option<(&'a str, bool)>;

    fn range(from: Bound<'_>, to: Bound<'_>) -> Range {
        let bound = |bound: Bound<'_>| bound.map(|(text, inclusive)| (Value::Time(instant(text)), inclusive));
        Range { from: bound(from), to: bound(to) }
    }

    #[test]
    fn days_stay_whole_in_the_zone_of_the_organization() {
        let check = |op: &str, value: Json, from: Bound<'_>, to: Bound<'_>| {
            let test = test_in(Tz::Europe__Berlin, &LEADS, "created_at", op, value.clone()).unwrap();
            assert_eq!(test, Test::Range(range(from, to)), "{op} {value}");
        };
        let (start, end) = ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        check("equals", json!("2026-03-29"), Some((start, true)), Some((end, false)));
        check("before", json!("2026-03-29"), None, Some((start, false)));
        check("lt", json!("2026-03-29"), None, Some((start, false)));
        check("after", json!("2026-03-29"), Some((end, true)), None);
        check("gt", json!("2026-03-29"), Some((end, true)), None);
        check("gte", json!("2026-03-29"), Some((start, true)), None);
        check("lte", json!("2026-03-29"), None, Some((end, false)));
        check("between", json!(["2026-03-29", "2026-03-29"]), Some((start, true)), Some((end, false)));
        let (march, may) = ("2026-02-28T23:00:00Z", "2026-04-30T22:00:00Z");
        check("between", json!(["2026-03", "next_month"]), Some((march, true)), Some((may, false)));
        let (monday, next) = ("2026-03-01T23:00:00Z", "2026-03-08T23:00:00Z");
        check("equals", json!("this week"), Some((monday, true)), Some((next, false)));
        let tomorrow = "2026-03-02T23:00:00Z";
        check("within_last_days", json!(7), Some(("2026-02-22T23:00:00Z", true)), Some((tomorrow, false)));
        check("within_last_days", json!("0"), Some((monday, true)), Some((tomorrow, false)));
        check("within_next_days", json!(1.0), Some((monday, true)), Some(("2026-03-03T23:00:00Z", false)));
    }

    #[test]
    fn instants_are_compared_exactly() {
        let check = |op: &str, from: Bound<'_>, to: Bound<'_>| {
            let test = test_in(Tz::UTC, &LEADS, "created_at", op, json!("2026-03-02T09:30:00Z")).unwrap();
            assert_eq!(test, Test::Range(range(from, to)), "{op}");
        };
        let at = "2026-03-02T09:30:00Z";
        check("equals", Some((at, true)), Some((at, true)));
        check("after", Some((at, false)), None);
        check("gte", Some((at, true)), None);
        check("before", None, Some((at, false)));
        check("lte", None, Some((at, true)));
        let last_day = range(Some(("2026-03-01T10:00:00Z", true)), Some(("2026-03-02T10:00:00Z", true)));
        let value = json!(["2026-03-01T10:00:00Z", "now"]);
        assert_eq!(test_in(Tz::UTC, &LEADS, "created_at", "between", value).unwrap(), Test::Range(last_day));
    }

    #[test]
    fn calendar_days_have_no_zone() {
        let auckland = Tz::Pacific__Auckland;
        let test =
            |op: &str, value: Json| test_in(auckland, &CLIENTS, "subscription_start", op, value).unwrap();
        let third = range(Some(("2026-03-03T00:00:00Z", true)), Some(("2026-03-04T00:00:00Z", false)));
        assert_eq!(test("equals", json!("2026-03-03")), Test::Range(third.clone()));
        assert_eq!(test("equals", json!("2026-03-02T20:00:00Z")), Test::Range(third.clone()));
        assert_eq!(test("not_equals", json!("2026-03-03")), Test::NotRange(third));
        let year = range(Some(("2026-01-01T00:00:00Z", true)), Some(("2027-01-01T00:00:00Z", false)));
        assert_eq!(test("equals", json!(2026)), Test::Range(year));
    }
}
