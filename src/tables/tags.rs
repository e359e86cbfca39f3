//! Sets of short strings: read from lists or separated text, kept in a text slot.

use serde_json::Value as Json;

use super::text::{clean_line, quote};
use crate::error::{Result, invalid};

const TAG_CHARS_MAX: usize = 100;
const TAGS_MAX: usize = 100;

/// One tag, or none when it is blank.
pub(super) fn tag(text: &str) -> Result<Option<String>> {
    clean_line(text, TAG_CHARS_MAX).map_err(|error| {
        let message = format!("the tag {} is wrong: {}", quote(text), error.message);
        invalid(message)
    })
}

/// The tags of a list of strings, or of one string with commas, semicolons or lines between them. `None`
/// when `raw` is neither.
pub(super) fn parse(raw: &Json) -> Option<Result<Vec<String>>> {
    match raw {
        Json::String(text) => {
            if let Some(Json::Array(items)) = list_in(text) {
                return parse(&Json::Array(items));
            }
            Some(set_of(text.split([',', ';', '\n'])))
        }
        Json::Array(items) => {
            let texts = items.iter().map(Json::as_str).collect::<Option<Vec<_>>>()?;
            Some(set_of(texts.into_iter()))
        }
        _ => None,
    }
}

/// The JSON list that the text holds, when it holds one: some clients send lists as text.
pub(super) fn list_in(text: &str) -> Option<Json> {
    let text = text.trim();
    let json = text.starts_with('[').then(|| serde_json::from_str::<Json>(text).ok())??;
    json.is_array().then_some(json)
}

/// Sorted, each tag once whatever its case; the same set gives the same list in whatever order it came.
fn set_of<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<String>> {
    let mut tags = Vec::new();
    for text in texts {
        tags.extend(tag(text)?.map(|tag| (tag.to_lowercase(), tag)));
    }
    tags.sort();
    tags.dedup_by(|a, b| a.0 == b.0);
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("there are {} tags, at most {TAGS_MAX} fit", tags.len())));
    }
    Ok(tags.into_iter().map(|(_, tag)| tag).collect())
}

/// The tags as a text slot keeps them: each between line ends, so that `like '%\ntag\n%'` finds a whole one.
pub fn tags_to_slot(tags: &[String]) -> String {
    if tags.is_empty() {
        return String::new();
    }
    format!("\n{}\n", tags.join("\n"))
}

/// The tags that a text slot keeps.
pub fn tags_from_slot(slot: &str) -> Vec<String> {
    slot.split('\n').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_are_sorted_and_each_is_there_once() {
        let check = |raw: Json, expected: &[&str]| {
            assert_eq!(parse(&raw).unwrap().unwrap(), expected, "{raw}");
        };
        check(json!(["b", " a ", "B", "A", ""]), &["A", "B"]);
        check(json!(["A", "a"]), &["A"]);
        check(json!(["a", "A"]), &["A"]);
        check(json!("call back; Send proposal, call back"), &["call back", "Send proposal"]);
        check(json!("a\nb"), &["a", "b"]);
        check(json!("[\"x, y\", \"z\"]"), &["x, y", "z"]);
        check(json!("[draft]"), &["[draft]"]);
        check(json!(" , ;"), &[]);
        check(json!(["Zoe\u{308}"]), &["Zoë"]);
    }

    #[test]
    fn a_tag_is_one_short_line() {
        assert!(parse(&json!(["a\nb"])).unwrap().is_err());
        let error = parse(&json!(["x".repeat(101)])).unwrap().unwrap_err();
        assert!(error.message.contains("101 characters, at most 100"), "{error}");
        let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        assert_eq!(parse(&json!(many)).unwrap().unwrap_err().message, "there are 101 tags, at most 100 fit");
        assert!(parse(&json!(["a", 1])).is_none());
        assert!(parse(&json!(7)).is_none());
    }

    #[test]
    fn a_slot_gives_back_its_tags() {
        for tags in [vec![], vec!["a".to_owned()], vec!["a b".to_owned(), "c".to_owned()]] {
            assert_eq!(tags_from_slot(&tags_to_slot(&tags)), tags);
        }
        assert!(tags_to_slot(&["a".to_owned(), "b".to_owned()]).contains("\nb\n"));
    }
}
