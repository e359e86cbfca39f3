//! Texts that hold something else: JSON, lists, moments, ranges, scores.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value as Json;

/// Under these keys JSON holds what people read.
const TEXT_KEYS: &[&str] =
    &["text", "summary", "content", "markdown", "body", "overview", "value", "notes", "description"];
/// Under these keys it holds what is to be done.
const ACTION_KEYS: &[&str] = &["title", "text", "action", "description", "name", "task", "content"];

/// Plain text; of JSON, the text in it.
pub(super) fn plain(text: &str) -> Option<String> {
    let Some(json) = json_in(text) else { return non_empty(text) };
    let mut parts = Vec::new();
    collect(&json, true, &mut parts);
    if parts.is_empty() {
        collect(&json, false, &mut parts);
    }
    non_empty(&parts.join("\n"))
}

/// The things of a list: of JSON, each item's text; of text, its lines without their bullets.
pub(super) fn list(text: &str) -> Vec<String> {
    let items = match json_in(text) {
        Some(Json::Array(items)) => items.iter().filter_map(action).collect(),
        Some(Json::Object(object)) => match object.values().find_map(Json::as_array) {
            Some(items) => items.iter().filter_map(action).collect(),
            None => action(&Json::Object(object)).into_iter().collect(),
        },
        Some(other) => action(&other).into_iter().collect(),
        None => {
            let bare = |line: &str| line.trim().trim_start_matches(['-', '*', '•', ' ']).to_owned();
            text.lines().map(bare).collect::<Vec<_>>()
        }
    };
    // A tag is one line.
    let line = |item: String| item.split_whitespace().collect::<Vec<_>>().join(" ");
    items.into_iter().map(line).filter(|item| !item.is_empty()).collect()
}

/// An exact moment as databases write it.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    if let Ok(moment) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z") {
        return Some(moment.to_utc());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M"));
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    local.or_else(|_| day()).ok().map(|local| local.and_utc())
}

/// How many people a number or a range means: `51-200` is 125, `1000+` is 1001. Other texts stay as they are.
pub(super) fn headcount(text: &str) -> String {
    let number = |part: &str| {
        let part = part.trim().replace([',', '_'], "").to_lowercase();
        let (digits, times) = match part.strip_suffix('k') {
            Some(digits) => (digits.to_owned(), 1_000.0),
            None => (part, 1.0),
        };
        digits.parse::<f64>().ok().map(|number| number * times).filter(|number| *number >= 0.0)
    };
    let bare = text.to_lowercase().replace("employees", "").replace("people", "");
    let bare = bare.trim();
    let count = if let Some(least) = bare.strip_suffix('+') {
        number(least).map(|least| least + 1.0)
    } else if let Some((from, to)) = bare.split_once(['-', '–', '—']) {
        number(from).zip(number(to)).map(|(from, to)| f64::midpoint(from, to))
    } else {
        number(bare)
    };
    count.map_or_else(|| text.to_owned(), |count| format!("{count:.0}"))
}

/// How a meeting went, by its score from -1 to 1.
pub(super) fn sentiment(score: &str) -> Option<&'static str> {
    let score: f64 = score.trim().parse().ok().filter(|score: &f64| !score.is_nan())?;
    Some(match score {
        score if score < -0.25 => "Negative",
        score if score < 0.25 => "Neutral",
        score if score < 0.75 => "Positive",
        _ => "Very Positive",
    })
}

/// The JSON that the text is; a bare number or word is just text.
fn json_in(text: &str) -> Option<Json> {
    let text = text.trim();
    text.starts_with(['{', '[', '"']).then(|| serde_json::from_str(text).ok())?
}

/// The texts in the order in which they stand; with `known`, of objects only what stands under a key that holds text.
fn collect(json: &Json, known: bool, parts: &mut Vec<String>) {
    match json {
        Json::String(text) => parts.extend(non_empty(text)),
        Json::Array(items) => items.iter().for_each(|item| collect(item, known, parts)),
        Json::Object(object) => {
            for (key, value) in object {
                let is_text = !known || TEXT_KEYS.contains(&key.to_lowercase().as_str());
                if is_text || value.is_object() || value.is_array() {
                    collect(value, known, parts);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn action(item: &Json) -> Option<String> {
    match item {
        Json::String(text) => non_empty(text),
        Json::Object(object) => ACTION_KEYS.iter().find_map(|key| non_empty(object.get(*key)?.as_str()?)),
        _ => None,
    }
}

fn non_empty(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_text_of_its_json() {
        let check =
            |given: &str, expected: Option<&str>| assert_eq!(plain(given).as_deref(), expected, "{given}");
        check("  They liked it. ", Some("They liked it."));
        check("\"They liked it.\"", Some("They liked it."));
        check(r#"{"summary": "They liked it.", "model": "x-1", "score": 3}"#, Some("They liked it."));
        let document = r#"{"type": "doc", "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "One."}]},
            {"type": "paragraph", "content": [{"type": "text", "text": "Two."}]}]}"#;
        check(document, Some("One.\nTwo."));
        check(r#"[{"heading": "Goals", "points": ["a", "b"]}]"#, Some("a\nb"));
        check(r#"{"goal": "Buy"}"#, Some("Buy"));
        check("{not json", Some("{not json"));
        check("{}", None);
        check("  ", None);
    }

    #[test]
    fn next_actions_come_from_lists_in_every_form() {
        let check = |given: &str, expected: &[&str]| assert_eq!(list(given), expected, "{given}");
        check(r#"["Send deck", " Book call "]"#, &["Send deck", "Book call"]);
        check(
            r#"[{"title": "Send deck", "done": false}, {"action": "Call\nback"}]"#,
            &["Send deck", "Call back"],
        );
        check(r#"{"items": [{"text": "Send deck"}]}"#, &["Send deck"]);
        check("- Send deck\n• Book call\n\n", &["Send deck", "Book call"]);
        check("Send deck, today", &["Send deck, today"]);
        check("[]", &[]);
    }

    #[test]
    fn scores_fall_into_their_buckets() {
        let cases = [
            ("-1", "Negative"),
            ("-0.26", "Negative"),
            ("-0.25", "Neutral"),
            ("0.249", "Neutral"),
            ("0.25", "Positive"),
            ("0.74", "Positive"),
            ("0.75", "Very Positive"),
            ("1", "Very Positive"),
        ];
        for (score, expected) in cases {
            assert_eq!(sentiment(score), Some(expected), "{score}");
        }
        assert_eq!((sentiment("good"), sentiment("NaN")), (None, None));
    }

    #[test]
    fn a_headcount_is_a_number_a_range_or_a_word() {
        let cases = [
            ("7", "7"),
            ("120.0", "120"),
            ("51-200", "126"),
            ("1–10", "6"),
            ("1,000+", "1001"),
            ("1k-5k", "3000"),
            ("11-50 employees", "30"),
            ("Enterprise", "Enterprise"),
            ("many-few", "many-few"),
        ];
        for (given, expected) in cases {
            assert_eq!(headcount(given), expected, "{given}");
        }
    }

    #[test]
    fn moments_are_read_as_databases_write_them() {
        for text in [
            "2026-03-01T10:00:00Z",
            "2026-03-01T11:00:00+01:00",
            "2026-03-01 10:00:00+00",
            "2026-03-01 10:00:00.000",
            "2026-03-01T10:00:00.000Z",
            "2026-03-01 10:00",
        ] {
            assert_eq!(moment(text).unwrap().to_rfc3339(), "2026-03-01T10:00:00+00:00", "{text}");
        }
        assert_eq!(moment("soon"), None);
    }
}
