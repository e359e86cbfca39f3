//! The rewriting of schemars' schemas into the form described in [`super::schema`].

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::schema::{LISTS, Map, NAMED, ONE, any_value, cell, is_untyped};

/// The formats that hosts know; schemars adds others for Rust's number types.
const FORMATS: &[&str] = &["date-time", "date", "time", "email", "uuid"];

/// Whether the values come from the caller or go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

/// Rewrites a schema and all below it. `always` tells whether the value is always present.
pub(super) fn tidy(schema: &mut Map, side: Side, always: bool) {
    drop_noise(schema);
    tidy_children(schema, side);
    join_constants(schema);
    let nullable = side == Side::Output && always;
    settle_null(schema, nullable);
    split_type(schema);
    if let Some(constant) = schema.remove("const") {
        schema.insert("enum".to_owned(), json!([constant]));
    }
    if is_untyped(schema) {
        let mut generator = SchemaGenerator::default();
        let any = if side == Side::Input { any_value(&mut generator) } else { cell(&mut generator) };
        merge(schema, any.to_value());
    }
    if side == Side::Input
        && schema.contains_key("properties")
        && !schema.contains_key("additionalProperties")
    {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

fn drop_noise(schema: &mut Map) {
    for noise in ["$schema", "$id", "$defs", "definitions", "title"] {
        schema.remove(noise);
    }
    if schema.get("default").is_some_and(|value| [Value::Null, json!([]), json!({})].contains(value)) {
        schema.remove("default");
    }
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format)) {
        schema.remove("format");
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

fn tidy_children(schema: &mut Map, side: Side) {
    let required: Vec<String> = match schema.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    for keyword in NAMED {
        if let Some(Value::Object(named)) = schema.get_mut(*keyword) {
            for (name, child) in named.iter_mut() {
                tidy_child(child, side, required.contains(name));
            }
        }
    }
    for keyword in LISTS {
        if let Some(Value::Array(children)) = schema.get_mut(*keyword) {
            for child in children {
                tidy_child(child, side, true);
            }
        }
    }
    for keyword in ONE {
        match schema.get_mut(*keyword) {
            Some(Value::Bool(_)) if *keyword == "additionalProperties" => {}
            Some(child) => tidy_child(child, side, true),
            None => {}
        }
    }
}

fn tidy_child(child: &mut Value, side: Side, always: bool) {
    if child.is_boolean() {
        *child = Value::Object(Map::new());
    }
    if let Value::Object(schema) = child {
        tidy(schema, side, always);
    }
}

/// One `enum` in place of an alternative per constant, which is how schemars writes documented variants.
fn join_constants(schema: &mut Map) {
    for keyword in ["oneOf", "anyOf"] {
        let Some(Value::Array(branches)) = schema.get(keyword) else { continue };
        let is_constant = |branch: &Value| {
            branch.get("enum").is_some() && branch.get("type").and_then(Value::as_str) == Some("string")
        };
        if !branches.is_empty() && branches.iter().all(is_constant) {
            let values: Vec<Value> = branches
                .iter()
                .filter_map(|branch| branch.get("enum").and_then(Value::as_array))
                .flatten()
                .cloned()
                .collect();
            schema.remove(keyword);
            schema.insert("type".to_owned(), json!("string"));
            schema.insert("enum".to_owned(), Value::Array(values));
        }
    }
}

/// Takes schemars' "or null" out of an optional type; keeps it, spelled as an alternative, when `nullable`.
fn settle_null(schema: &mut Map, nullable: bool) {
    let null = json!({ "type": "null" });
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        let before = types.len();
        types.retain(|name| name != "null");
        if types.len() < before && !types.is_empty() {
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            if nullable {
                let description = schema.remove("description");
                let mut typed = std::mem::take(schema);
                split_type(&mut typed);
                schema.extend(description.map(|text| ("description".to_owned(), text)));
                schema.insert("anyOf".to_owned(), json!([typed, (null)]));
            }
        }
    }
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf")
        && branches.len() == 2
        && branches.contains(&null)
        && !nullable
    {
        branches.retain(|branch| *branch != null);
        let only = branches.pop().unwrap_or_default();
        schema.remove("anyOf");
        merge(schema, only);
    }
}

/// A list of types becomes alternatives of one type each.
fn split_type(schema: &mut Map) {
    let Some(Value::Array(types)) = schema.get_mut("type") else { return };
    let types = std::mem::take(types);
    schema.remove("type");
    if let [only] = types.as_slice() {
        schema.insert("type".to_owned(), only.clone());
    } else {
        let branches = types.iter().map(|name| json!({ "type": name })).collect();
        schema.insert("anyOf".to_owned(), Value::Array(branches));
    }
}

/// Adds the keywords of `other` that `schema` does not have.
fn merge(schema: &mut Map, other: Value) {
    if let Value::Object(other) = other {
        for (keyword, value) in other {
            schema.entry(keyword).or_insert(value);
        }
    }
}
