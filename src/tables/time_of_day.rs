//! The time of day and the offset from UTC that stand behind a written date.

use chrono::{Duration, NaiveTime, Timelike};

use super::written::number;

pub(super) fn parse_time(text: &str) -> Result<NaiveTime, String> {
    let wrong = || format!("`{text}` is not a time of day");
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let parts = clock.split(':').map(number).collect::<Result<Vec<u32>, String>>().map_err(|_| wrong())?;
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] if fraction.is_empty() => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return Err(wrong()),
    };
    // Finer than a millisecond is cut off, not rounded: no instant moves into the next second.
    let milliseconds: String = fraction.chars().chain("000".chars()).take(3).collect();
    let milliseconds = milliseconds.parse().map_err(|_| wrong())?;
    NaiveTime::from_hms_milli_opt(hour, minute, second, milliseconds).ok_or_else(wrong)
}

/// A time on a twelve-hour clock: 12 AM is midnight.
pub(super) fn half_day(time: NaiveTime, hours: i64) -> Result<NaiveTime, String> {
    let hour = time.hour();
    if !(1..=12).contains(&hour) {
        return Err(format!("there is no hour {hour} with AM or PM"));
    }
    let past_twelve = if hour == 12 { time - Duration::hours(12) } else { time };
    Ok(past_twelve + Duration::hours(hours))
}

/// `z`, `utc`, `+02:00`, `-0500` or `+02`.
pub(super) fn parse_offset(zone: &str) -> Result<Duration, String> {
    if matches!(zone, "z" | "utc" | "gmt") {
        return Ok(Duration::zero());
    }
    let wrong = || format!("`{zone}` is no offset from UTC");
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-']).ok_or_else(wrong)?.replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let number = |text: &str| text.parse::<i64>().unwrap_or(0);
    let (hours, minutes) = (number(&digits[..2]), digits.get(2..).map_or(0, number));
    if hours > 23 || minutes > 59 {
        return Err(wrong());
    }
    Ok(Duration::minutes(sign * (hours * 60 + minutes)))
}
