//! The published form of the arguments that many tools share, in as few tokens as they can be said.
//!
//! Every client pays for these words in every conversation. What is enforced is the schema of the argument
//! types, which is longer and says the same.

use serde_json::{Value as Json, json};

use super::schema::{Map, property};
use crate::tables::{Access, Column, Kind, Op, TABLES, Table};

/// Comparisons with their operators spelled out.
pub(super) fn filters(description: &str) -> Json {
    let ops: Vec<&str> = Op::ALL.iter().map(|op| op.name()).collect();
    json!({"type": "array", "description": description, "items": {
        "type": "object",
        "properties": {
            "column": {"type": "string"},
            "op": {"type": "string", "enum": ops},
            "value": {"anyOf": [
                {"type": "string"}, {"type": "number"}, {"type": "array", "items": {"type": "string"}},
            ]},
        },
        "required": ["column", "op"],
    }})
}

/// A list of objects that are spelled out elsewhere.
pub(super) fn objects(description: &str) -> Json {
    json!({"type": "array", "items": {"type": "object"}, "description": description})
}

/// A table's columns with their types, where these are not text, and their options.
pub(super) fn columns(table: &Table) -> String {
    let column = |column: &Column| match column.kind {
        Kind::Status => {
            let options: Vec<&str> = column.options.iter().map(|option| option.value).collect();
            format!("{} [{}]", column.key, options.join("|"))
        }
        Kind::Day | Kind::Instant => format!("{} (date)", column.key),
        Kind::Number => format!("{} (number)", column.key),
        Kind::Person => format!("{} (name or \"me\")", column.key),
        _ => column.key.to_owned(),
    };
    table.columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

/// The columns of a table that a caller may set. Their types and options are those of the reading tool.
pub(super) fn row(table: &Table) -> String {
    let editable = table.columns.iter().filter(|column| column.access == Access::Editable);
    editable.map(|column| column.key).collect::<Vec<_>>().join(", ")
}

/// The table whose tool spells out what is the same for all of them.
pub(super) fn first() -> &'static Table {
    TABLES[0]
}

pub(super) fn is_first(table: &Table) -> bool {
    table.key == first().key
}

/// Replaces an argument's schema.
pub(super) fn put(schema: &mut Map, name: &str, published: Json) {
    if let Json::Object(published) = published {
        *property(schema, name) = published;
    }
}

/// Says in one line what an argument is.
pub(super) fn say(schema: &mut Map, name: &str, text: &str) {
    property(schema, name).insert("description".to_owned(), json!(text));
}

/// Leaves only an argument's type: its name says the rest.
pub(super) fn bare(schema: &mut Map, names: &[&str]) {
    for name in names {
        let kind = property(schema, name).get("type").cloned().unwrap_or_else(|| json!("string"));
        put(schema, name, json!({"type": kind}));
    }
}

/// An argument that names a standard table.
pub(super) fn table(schema: &mut Map, name: &str) {
    let keys: Vec<&str> = TABLES.iter().map(|table| table.key).collect();
    property(schema, name).insert("enum".to_owned(), json!(keys));
}
