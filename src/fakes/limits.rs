//! How many requests are let through.

use std::collections::VecDeque;

use super::time::{SECOND_MS, next_midnight};

/// The limits of an account; what is none is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `HubSpot`, in any ten seconds.
    pub calls_per_ten_seconds: Option<u32>,
    /// `HubSpot`, until midnight in UTC; apps with OAuth have none and get no headers for it.
    pub calls_per_day: Option<u32>,
    /// `HubSpot`, all objects together.
    pub searches_per_second: Option<u32>,
    /// `Attio`, in a clock second; queries are reads.
    pub reads_per_second: Option<u32>,
    pub writes_per_second: Option<u32>,
    pub merges_per_second: Option<u32>,
}

impl Limits {
    pub fn off() -> Limits {
        Limits {
            calls_per_ten_seconds: None,
            calls_per_day: None,
            searches_per_second: None,
            reads_per_second: None,
            writes_per_second: None,
            merges_per_second: None,
        }
    }

    /// A public app's (<https://developers.hubspot.com/docs/api/usage-details>).
    pub fn hubspot() -> Limits {
        Limits { calls_per_ten_seconds: Some(110), searches_per_second: Some(5), ..Limits::off() }
    }

    /// <https://docs.attio.com/rest-api/guides/rate-limiting>
    pub fn attio() -> Limits {
        Limits {
            reads_per_second: Some(100),
            writes_per_second: Some(25),
            merges_per_second: Some(5),
            ..Limits::off()
        }
    }
}

/// At most so many in any stretch of time of one length. What was refused does not count.
#[derive(Debug)]
pub(super) struct Rolling {
    most: u32,
    length_ms: i64,
    admitted: VecDeque<i64>,
}

impl Rolling {
    pub(super) fn new(most: u32, length_ms: i64) -> Rolling {
        Rolling { most, length_ms, admitted: VecDeque::new() }
    }

    pub(super) fn most(&self) -> u32 {
        self.most
    }

    /// How many more may come now; or else from when on one may.
    pub(super) fn admit(&mut self, now: i64) -> Result<u32, i64> {
        while self.admitted.front().is_some_and(|first| first + self.length_ms <= now) {
            self.admitted.pop_front();
        }
        let used = u32::try_from(self.admitted.len()).unwrap_or(u32::MAX);
        if used >= self.most {
            return Err(self.admitted.front().map_or(now, |first| first + self.length_ms));
        }
        self.admitted.push_back(now);
        Ok(self.most - used - 1)
    }
}

/// At most so many in a stretch of the clock: a second, a day. What was refused does not count.
#[derive(Debug)]
pub(super) struct Fixed {
    most: u32,
    stretch: Stretch,
    ends_ms: i64,
    used: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Stretch {
    Second,
    Day,
}

impl Fixed {
    pub(super) fn new(most: u32, stretch: Stretch) -> Fixed {
        Fixed { most, stretch, ends_ms: i64::MIN, used: 0 }
    }

    pub(super) fn most(&self) -> u32 {
        self.most
    }

    /// How many more may come in this stretch; or else when it ends.
    pub(super) fn admit(&mut self, now: i64) -> Result<u32, i64> {
        if now >= self.ends_ms {
            self.used = 0;
            self.ends_ms = match self.stretch {
                Stretch::Second => (now.div_euclid(SECOND_MS) + 1) * SECOND_MS,
                Stretch::Day => next_midnight(now),
            };
        }
        if self.used >= self.most {
            return Err(self.ends_ms);
        }
        self.used += 1;
        Ok(self.most - self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rolling_window_opens_when_its_oldest_request_leaves_it() {
        let mut window = Rolling::new(2, 10_000);
        assert_eq!(window.admit(0), Ok(1));
        assert_eq!(window.admit(4_000), Ok(0));
        assert_eq!(window.admit(9_999), Err(10_000));
        assert_eq!(window.admit(10_000), Ok(0));
        assert_eq!(window.admit(10_001), Err(14_000));
    }

    #[test]
    fn a_clock_second_starts_anew_whatever_was_used() {
        let mut second = Fixed::new(1, Stretch::Second);
        assert_eq!(second.admit(5_900), Ok(0));
        assert_eq!(second.admit(5_999), Err(6_000));
        assert_eq!(second.admit(6_000), Ok(0));
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let mut day = Fixed::new(1, Stretch::Day);
        assert_eq!(day.admit(5), Ok(0));
        assert_eq!(day.admit(6), Err(86_400_000));
    }
}
