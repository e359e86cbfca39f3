//! How fast a CRM's account may be called: never more calls in a window than it allows, and not before it asked us to be
//! back. Pure: the time is passed in.

use std::collections::VecDeque;

use super::crm::Pace;
use super::fault::{Class, Fault};
use crate::tables::System;

/// The first pause after the CRM is out of order; each further failure doubles it.
const PAUSE_MS: i64 = 1_000;
/// While the CRM is out of order it is probed this often, so that its return is noticed within a minute.
const PROBE_MS: i64 = 45_000;
/// How long to wait when the day's calls are used up and the CRM does not say until when.
const DAY_MS: i64 = 3_600_000;

/// The calls of one account.
#[derive(Debug, Clone)]
pub struct Limit {
    most: usize,
    window_ms: i64,
    called: VecDeque<i64>,
    /// No call before this moment.
    closed_until_ms: i64,
    failures: u32,
}

impl Limit {
    /// What a CRM allows everybody: `HubSpot` 100 calls in ten seconds, `Attio` 25 writes a second.
    pub fn new(system: System) -> Limit {
        let (most, window_ms) = match system {
            System::Hubspot => (100, 10_000),
            System::Attio => (25, 1_000),
        };
        Limit { most, window_ms, called: VecDeque::new(), closed_until_ms: 0, failures: 0 }
    }

    /// How many calls may be made now; none before [`Limit::opens_ms`].
    pub fn free(&mut self, now_ms: i64) -> usize {
        while self.called.front().is_some_and(|&at| at + self.window_ms <= now_ms) {
            self.called.pop_front();
        }
        if now_ms < self.closed_until_ms {
            return 0;
        }
        let most = if self.failures > 0 { 1 } else { self.most };
        most.saturating_sub(self.called.len())
    }

    /// The moment from which a call may be made.
    pub fn opens_ms(&self, now_ms: i64) -> i64 {
        let full = self.called.len() >= if self.failures > 0 { 1 } else { self.most };
        let window = self.called.front().filter(|_| full).map_or(now_ms, |&at| at + self.window_ms);
        window.max(self.closed_until_ms)
    }

    /// Notes calls that are about to be made.
    pub fn call(&mut self, calls: usize, now_ms: i64) {
        self.called.extend(std::iter::repeat_n(now_ms, calls));
    }

    /// Notes an answer, with what it says of the account's allowance. Other programs call for the same account, so what is
    /// left may be less than what we counted.
    pub fn answered(&mut self, pace: &Pace, now_ms: i64) {
        self.failures = 0;
        if let (Some(most), Some(window_ms)) = (pace.window_max, pace.window_ms)
            && most > 0
            && window_ms > 0
        {
            self.most = usize::try_from(most).unwrap_or(self.most);
            self.window_ms = window_ms;
        }
        if let Some(left) = pace.window_left {
            let left = usize::try_from(left).unwrap_or(0);
            let counted = self.most.saturating_sub(self.called.len());
            self.call(counted.saturating_sub(left), now_ms);
        }
        if pace.day_left == Some(0) {
            self.closed_until_ms = self.closed_until_ms.max(now_ms + DAY_MS);
        }
    }

    /// Notes that a call failed in a way that holds for all calls; until when none is made.
    pub fn failed(&mut self, fault: &Fault, jitter: f64, now_ms: i64) -> i64 {
        let wait_ms = match fault.class {
            Class::RateLimited => fault.retry_after_ms.unwrap_or(self.window_ms),
            Class::DailyLimit => fault.retry_after_ms.unwrap_or(DAY_MS),
            _ => {
                self.failures = self.failures.saturating_add(1);
                let doubled = PAUSE_MS << self.failures.saturating_sub(1).min(10);
                fault.retry_after_ms.unwrap_or(0).max(spread(doubled.min(PROBE_MS), jitter))
            }
        };
        self.closed_until_ms = self.closed_until_ms.max(now_ms.saturating_add(wait_ms.max(0)));
        self.closed_until_ms
    }
}

/// When a record is tried again that failed `attempts` times by itself: two seconds, doubled each time, an hour at most.
pub fn retry_ms(attempts: i64, fault: &Fault, jitter: f64) -> i64 {
    let doubled = 2_000_i64 << attempts.clamp(0, 11);
    fault.retry_after_ms.unwrap_or(0).max(spread(doubled.min(3_600_000), jitter))
}

/// The time with a random part of a fifth on top, so that those who failed together do not come back together.
fn spread(ms: i64, jitter: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "times of an hour at most"
    )]
    let extra = (ms as f64 * 0.2 * jitter.clamp(0.0, 1.0)) as i64;
    ms + extra
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(class: Class, retry_after_ms: Option<i64>) -> Fault {
        Fault { class, message: String::new(), correlation: None, retry_after_ms, sent: false }
    }

    #[test]
    fn no_window_ever_holds_more_calls_than_allowed() {
        let mut limit = Limit::new(System::Hubspot);
        let (mut calls, mut now) = (Vec::new(), 0);
        while calls.len() < 1_000 {
            if limit.free(now) > 0 {
                limit.call(1, now);
                calls.push(now);
            } else {
                let opens = limit.opens_ms(now);
                assert!(opens > now, "it would wait for ever");
                now = opens;
            }
            now += 7;
        }
        let crowded = calls.windows(101).find(|calls| calls[100] - calls[0] < 10_000);
        assert_eq!(crowded, None);
    }

    #[test]
    fn an_account_that_others_use_too_is_called_less() {
        let mut limit = Limit::new(System::Hubspot);
        limit.call(1, 0);
        limit.answered(
            &Pace { window_max: Some(110), window_left: Some(10), window_ms: Some(10_000), day_left: None },
            5,
        );
        assert_eq!(limit.free(5), 10);
        assert_eq!(limit.free(10_006), 110);
    }

    #[test]
    fn nothing_is_called_before_the_crm_asked_us_back() {
        let mut limit = Limit::new(System::Attio);
        assert_eq!(limit.failed(&fault(Class::RateLimited, Some(30_000)), 0.5, 1_000), 31_000);
        assert_eq!(limit.free(30_999), 0);
        assert_eq!(limit.free(31_000), 25);
        limit.failed(&fault(Class::RateLimited, Some(-5)), 0.0, 31_000);
        assert!(limit.free(31_000) > 0);
        limit.failed(&fault(Class::DailyLimit, None), 0.0, 31_000);
        assert_eq!(limit.opens_ms(31_000), 31_000 + DAY_MS);
    }

    #[test]
    fn of_a_hundred_thousand_refused_calls_none_comes_back_early() {
        let mut limit = Limit::new(System::Hubspot);
        let (mut now, mut dice, mut asked_until) = (0_i64, 1_u64, 0_i64);
        for _ in 0..100_000 {
            // A plain generator: which numbers come does not matter, only that they are many.
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            now = now.max(limit.opens_ms(now)) + i64::try_from(dice >> 60).unwrap_or(0);
            assert!(limit.free(now) > 0, "it opens when it says so");
            assert!(now >= asked_until, "called {} ms too early", asked_until - now);
            limit.call(1, now);
            let wait = i64::try_from(dice >> 33).unwrap_or(0) % 400_000 - 100_000;
            limit.failed(&fault(Class::RateLimited, Some(wait)), 0.5, now);
            asked_until = asked_until.max(now + wait);
        }
    }

    #[test]
    fn a_crm_that_is_down_is_probed_and_its_return_noticed_within_a_minute() {
        let mut limit = Limit::new(System::Hubspot);
        let (mut now, mut calls) = (0, 0);
        limit.failed(&fault(Class::Unavailable, None), 1.0, now);
        while now < 24 * 3_600_000 {
            now = limit.opens_ms(now).max(now);
            assert_eq!(limit.free(now), 1, "one probe at a time");
            limit.call(1, now);
            calls += 1;
            let opens = limit.failed(&fault(Class::Unavailable, None), 1.0, now);
            assert!(opens - now <= 60_000);
        }
        assert!(calls < 2_000, "{calls} calls in a day");
        limit.free(now + 60_000);
        limit.answered(&Pace::default(), now + 60_000);
        assert!(limit.free(now + 60_000) > 90);
    }

    #[test]
    fn a_record_is_tried_again_later_each_time() {
        let fault = fault(Class::Locked, Some(5_000));
        assert_eq!(retry_ms(0, &fault, 0.0), 5_000);
        assert_eq!(retry_ms(3, &fault, 0.0), 16_000);
        assert_eq!(retry_ms(3, &fault, 1.0), 19_200);
        assert_eq!(retry_ms(i64::MAX, &fault, 0.0), 3_600_000);
    }
}
