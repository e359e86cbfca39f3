//! Rows from JSON: one object a line, or a list of objects.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::source::{Format, Row, Source};

/// A line's number with its object, or why it has none.
pub(super) type Line = (u64, Result<Map<String, Json>, String>);

/// One object a line; empty lines are none.
pub(super) fn read_lines(name: &str, bytes: &[u8]) -> Source {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = Vec::new();
    for (text, line) in bytes.split(|&byte| byte == b'\n').zip(1..) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let row = serde_json::from_slice::<Map<String, Json>>(text);
        rows.push((line, row.map_err(|error| format!("the line is no JSON object: {error}"))));
    }
    table(name, Format::JsonLines, rows)
}

/// Objects as rows under the headings of all of them, in the order of first appearance.
pub(super) fn table(name: &str, format: Format, objects: Vec<Line>) -> Source {
    let (mut headings, mut places) = (Vec::new(), HashMap::new());
    for key in objects.iter().flat_map(|(_, object)| object.iter().flat_map(Map::keys)) {
        places.entry(key.clone()).or_insert_with(|| {
            headings.push(key.clone());
            headings.len() - 1
        });
    }
    let row = |(line, object): Line| {
        let cells = object.map(|object| {
            let mut cells = vec![Json::Null; headings.len()];
            for (key, value) in object {
                if let Some(cell) = places.get(&key).and_then(|&place| cells.get_mut(place)) {
                    *cell = value;
                }
            }
            cells
        });
        Row { line, cells }
    };
    let rows = objects.into_iter().map(row).collect();
    Source { name: name.to_owned(), format, headings, rows }
}
