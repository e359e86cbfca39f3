//! A cell of a result as a person reads it.

use chrono::{DateTime, Timelike};
use chrono_tz::Tz;
use serde_json::Value as Json;

/// The text of a cell: times in the organization's zone, sets with commas, numbers in groups of three.
pub(super) fn text(cell: &Json, zone: Tz) -> String {
    match cell {
        Json::Null => String::new(),
        Json::String(text) => moment(text, zone).unwrap_or_else(|| text.clone()),
        Json::Number(number) => grouped(&number.to_string()),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::Array(items) => items.iter().map(|item| text(item, zone)).collect::<Vec<_>>().join(", "),
        Json::Object(_) => cell.to_string(),
    }
}

fn moment(text: &str, zone: Tz) -> Option<String> {
    let is_time = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
    let time = DateTime::parse_from_rfc3339(text).ok().filter(|_| is_time)?.with_timezone(&zone);
    let format = if time.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    Some(time.format(format).to_string())
}

fn grouped(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = number.split_at(number.find(['.', 'e', 'E']).unwrap_or(number.len()));
    let mut groups = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            groups.push(',');
        }
        groups.push(digit);
    }
    format!("{sign}{groups}{fraction}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_shown_for_people() {
        let check = |cell: Json, expected: &str| assert_eq!(text(&cell, chrono_tz::Europe::Paris), expected);
        check(json!(1_234_567), "1,234,567");
        check(json!(-1200.5), "-1,200.5");
        check(json!(120), "120");
        check(json!("2026-03-02T10:00:00Z"), "2026-03-02 11:00");
        check(json!("2026-03-02"), "2026-03-02");
        check(json!("Two words"), "Two words");
        check(json!(["a", "b"]), "a, b");
        check(json!(true), "yes");
        check(Json::Null, "");
    }
}
