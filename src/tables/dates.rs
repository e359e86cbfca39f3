//! Calendar arithmetic in a zone.

use chrono::{
    DateTime, Datelike, Days as DayCount, Duration, LocalResult, Months, NaiveDate, NaiveDateTime, TimeZone,
    Utc,
};
use chrono_tz::Tz;

pub use super::span::{DAYS_AWAY_MAX, Span, span};

/// Whole calendar days, from the first up to and without `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

impl Days {
    pub fn day(day: NaiveDate) -> Days {
        Days { from: day, until: later(day, 1) }
    }

    /// The days `from` to `to`, both included.
    pub fn through(from: NaiveDate, to: NaiveDate) -> Days {
        Days { from, until: later(to, 1) }
    }

    /// The week around the day, from Monday.
    pub fn week(day: NaiveDate) -> Days {
        let from = earlier(day, day.weekday().num_days_from_monday());
        Days { from, until: later(from, 7) }
    }

    pub fn month(day: NaiveDate) -> Days {
        Days::months(first_of(day.year(), day.month(), day), 1)
    }

    pub fn quarter(day: NaiveDate) -> Days {
        Days::months(first_of(day.year(), day.month0() / 3 * 3 + 1, day), 3)
    }

    pub fn year(day: NaiveDate) -> Days {
        Days::months(first_of(day.year(), 1, day), 12)
    }

    fn months(from: NaiveDate, count: u32) -> Days {
        Days { from, until: from.checked_add_months(Months::new(count)).unwrap_or(NaiveDate::MAX) }
    }

    /// The instants at which the days begin and end in the zone.
    pub fn bounds(self, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        (day_start(self.from, zone), day_start(self.until, zone))
    }
}

/// The calendar day that an instant falls on.
pub fn today(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// The first instant of the day in the zone, also where its midnight does not exist or comes twice.
pub fn day_start(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    if let Some(instant) = zone.from_local_datetime(&midnight).earliest() {
        return instant.with_timezone(&Utc);
    }
    // Midnight falls into a gap: the day begins where the clocks jump past it.
    let mut after = local_instant(midnight, zone);
    let mut before = after - Duration::days(1);
    while after - before > Duration::seconds(1) {
        let middle = before + (after - before) / 2;
        if middle.with_timezone(&zone).naive_local() < midnight {
            before = middle;
        } else {
            after = middle;
        }
    }
    DateTime::from_timestamp(after.timestamp(), 0).unwrap_or(after)
}

/// The instant of a local time: the first when it comes twice, moved forward by the gap when it never comes.
pub fn local_instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let mut probe = local;
    for _ in 0..4 {
        match zone.from_local_datetime(&probe) {
            LocalResult::Single(found) | LocalResult::Ambiguous(found, _) => {
                return found.with_timezone(&Utc) + (local - probe);
            }
            // The offset in force before the gap, carried through it.
            LocalResult::None => probe = probe.checked_sub_signed(Duration::days(1)).unwrap_or(probe),
        }
    }
    local.and_utc()
}

fn first_of(year: i32, month: u32, otherwise: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(otherwise)
}

pub(super) fn earlier(day: NaiveDate, count: u32) -> NaiveDate {
    day.checked_sub_days(DayCount::new(count.into())).unwrap_or(NaiveDate::MIN)
}

pub(super) fn later(day: NaiveDate, count: u32) -> NaiveDate {
    day.checked_add_days(DayCount::new(count.into())).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::instant;

    #[test]
    fn a_day_begins_at_its_first_instant() {
        let check = |day: &str, zone: Tz, expected: &str| {
            assert_eq!(day_start(day.parse().unwrap(), zone), instant(expected), "{day} {zone}");
        };
        check("2026-03-02", Tz::UTC, "2026-03-02T00:00:00Z");
        check("2026-03-29", Tz::Europe__Berlin, "2026-03-28T23:00:00Z");
        check("2026-03-30", Tz::Europe__Berlin, "2026-03-29T22:00:00Z");
        // Clocks jump from 00:00 to 01:00.
        check("2018-11-04", Tz::America__Sao_Paulo, "2018-11-04T03:00:00Z");
        check("2026-04-24", Tz::Africa__Cairo, "2026-04-23T22:00:00Z");
        // Clocks jump from 23:30 past midnight to 00:30.
        check("1919-03-31", Tz::America__Toronto, "1919-03-31T04:30:00Z");
        // Midnight comes twice.
        check("2025-11-02", Tz::America__Havana, "2025-11-02T04:00:00Z");
        // The day was left out altogether.
        check("2011-12-30", Tz::Pacific__Apia, "2011-12-30T10:00:00Z");
    }

    #[test]
    fn a_local_time_in_a_gap_moves_forward_and_a_double_one_is_the_first() {
        let check = |local: &str, zone: Tz, expected: &str| {
            assert_eq!(local_instant(local.parse().unwrap(), zone), instant(expected), "{local} {zone}");
        };
        check("2026-03-29T02:30:00", Tz::Europe__Berlin, "2026-03-29T01:30:00Z");
        check("2026-10-25T02:30:00", Tz::Europe__Berlin, "2026-10-25T00:30:00Z");
        check("2026-07-01T12:00:00", Tz::America__New_York, "2026-07-01T16:00:00Z");
        check("2011-12-30T15:00:00", Tz::Pacific__Apia, "2011-12-31T01:00:00Z");
    }

    #[test]
    fn days_become_instants_in_their_zone() {
        let week = Days::week("2026-03-29".parse().unwrap());
        let bounds = (instant("2026-03-22T23:00:00Z"), instant("2026-03-29T22:00:00Z"));
        assert_eq!(week.bounds(Tz::Europe__Berlin), bounds);
        assert_eq!(
            today(instant("2026-03-02T02:00:00Z"), Tz::America__New_York),
            "2026-03-01".parse().unwrap()
        );
    }
}
