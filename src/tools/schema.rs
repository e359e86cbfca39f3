//! JSON Schemas in the form that every host accepts: one flat object, nothing referenced, no boolean or
//! empty subschema, no union of types, and few bytes.
//!
//! Schemars writes the first draft from the argument and result types; `tidy` rewrites it. What a tool then
//! puts into its schema itself is left as it is, and [`faults`] says what a host would refuse.

use std::any::TypeId;
use std::sync::{Mutex, PoisonError};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map as JsonMap, Value, json};

use super::tidy::{Side, tidy};

pub type Map = JsonMap<String, Value>;

/// Keywords whose value is one schema, a list of schemas, or schemas by name.
pub(super) const ONE: &[&str] = &["items", "additionalProperties", "not", "propertyNames", "contains"];
pub(super) const LISTS: &[&str] = &["anyOf", "oneOf", "allOf", "prefixItems"];
pub(super) const NAMED: &[&str] = &["properties", "patternProperties"];

/// The schema of a tool's arguments. An optional argument is left out, never null, so `null` is dropped
/// from optional types; an object takes no properties beyond those it names.
pub fn input<T: JsonSchema + 'static>() -> Map {
    drafted::<T>(Side::Input, SchemaSettings::draft2020_12().for_deserialize())
}

/// The schema of a tool's result. A field that is always there may be null; others are left out instead.
pub fn output<T: JsonSchema + 'static>() -> Map {
    drafted::<T>(Side::Output, SchemaSettings::draft2020_12().for_serialize())
}

/// A value to compare with: text, a number, a truth value, or a list. For `#[schemars(schema_with = …)]`.
pub fn any_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string" },
        { "type": "number" },
        { "type": "boolean" },
        { "type": "array", "items": { "anyOf": [{ "type": "string" }, { "type": "number" }] } },
    ] })
}

/// A value of any column, or null for none. For `#[schemars(schema_with = …)]`.
pub fn cell(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string" },
        { "type": "number" },
        { "type": "boolean" },
        { "type": "array", "items": { "type": "string" } },
        { "type": "null" },
    ] })
}

/// The named property of an object schema, made when it is not there yet.
pub fn property<'a>(schema: &'a mut Map, name: &str) -> &'a mut Map {
    object(object(schema, "properties"), name)
}

/// The schema of a list's items, made when it is not there yet.
pub fn items(schema: &mut Map) -> &mut Map {
    object(schema, "items")
}

/// What hosts would refuse in a schema, as sentences with the place; none for a schema of ours.
pub fn faults(schema: &Map) -> Vec<String> {
    let mut found = Vec::new();
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        found.push("the root is not an object".to_owned());
    }
    for keyword in ["anyOf", "oneOf", "allOf", "not", "if", "enum"] {
        if schema.contains_key(keyword) {
            found.push(format!("the root has `{keyword}`"));
        }
    }
    collect_faults(schema, "", &mut found);
    found
}

/// The draft of a type, made once: the tools of the five tables share their types, and a server that has
/// just been started is waited for.
fn drafted<T: JsonSchema + 'static>(side: Side, settings: SchemaSettings) -> Map {
    static DRAFTS: Mutex<Vec<(TypeId, Side, Map)>> = Mutex::new(Vec::new());
    let mut drafts = DRAFTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, _, draft)) =
        drafts.iter().find(|(id, known, _)| *id == TypeId::of::<T>() && *known == side)
    {
        return draft.clone();
    }
    let draft = draft(settings, side, SchemaGenerator::into_root_schema_for::<T>);
    drafts.push((TypeId::of::<T>(), side, draft.clone()));
    draft
}

fn draft(settings: SchemaSettings, side: Side, generate: impl FnOnce(SchemaGenerator) -> Schema) -> Map {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = match generate(settings.into_generator()).to_value() {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    schema.remove("description");
    tidy(&mut schema, side, false);
    schema.insert("type".to_owned(), json!("object"));
    if side == Side::Input {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    schema
}

/// The object under `key`, put there when something else or nothing is.
fn object<'a>(parent: &'a mut Map, key: &str) -> &'a mut Map {
    let slot = parent.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("it was made an object above")
}

/// Whether a schema says nothing about the value's type.
pub(super) fn is_untyped(schema: &Map) -> bool {
    const TYPED: &[&str] =
        &["type", "enum", "const", "anyOf", "oneOf", "allOf", "properties", "items", "not", "$ref"];
    !schema.keys().any(|keyword| TYPED.contains(&keyword.as_str()))
}

fn collect_faults(schema: &Map, place: &str, found: &mut Vec<String>) {
    let at = if place.is_empty() { "the root" } else { place };
    for keyword in ["$ref", "$defs", "$schema", "definitions"] {
        if schema.contains_key(keyword) {
            found.push(format!("{at} has `{keyword}`"));
        }
    }
    if schema.get("type").is_some_and(Value::is_array) {
        found.push(format!("{at} is a union of types"));
    }
    if is_untyped(schema) {
        found.push(format!("{at} is untyped"));
    }
    let mut visit = |child: &Value, place: String| match child {
        Value::Object(child) => collect_faults(child, &place, found),
        Value::Bool(_) if place.ends_with("additionalProperties") => {}
        _ => found.push(format!("{place} is not a schema object")),
    };
    for keyword in NAMED {
        for (name, child) in schema.get(*keyword).and_then(Value::as_object).into_iter().flatten() {
            visit(child, format!("{place}/{keyword}/{name}"));
        }
    }
    for keyword in LISTS {
        for (index, child) in schema.get(*keyword).and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            visit(child, format!("{place}/{keyword}/{index}"));
        }
    }
    for keyword in ONE {
        if let Some(child) = schema.get(*keyword) {
            visit(child, format!("{place}/{keyword}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Everything {
        /// How many,
        /// at most.
        limit: Option<u32>,
        word: Option<Word>,
        #[serde(default)]
        inner: Vec<Inner>,
        free: Value,
        #[serde(default)]
        #[schemars(schema_with = "cell")]
        cell: Value,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        /// The first.
        One,
        /// The second.
        Two,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Inner {
        at: Option<Word>,
    }

    #[test]
    fn an_argument_schema_is_flat_and_optional_means_left_out() {
        let schema = input::<Everything>();
        assert_eq!(faults(&schema), Vec::<String>::new());
        let word = json!({ "type": "string", "enum": ["one", "two"] });
        assert_eq!(schema["properties"]["word"], word);
        assert_eq!(
            schema["properties"]["limit"],
            json!({ "type": "integer", "minimum": 0, "description": "How many, at most." })
        );
        assert_eq!(
            schema["properties"]["inner"],
            json!({ "type": "array", "items": { "type": "object", "properties": { "at": word }, "additionalProperties": false } })
        );
        assert_eq!(schema["properties"]["cell"]["anyOf"][4], json!({ "type": "null" }));
        assert_eq!(schema["required"], json!(["free"]));
        assert_eq!(schema["additionalProperties"], json!(false));
    }

    #[test]
    fn a_result_schema_keeps_the_null_of_what_is_always_there() {
        let schema = output::<Everything>();
        assert_eq!(faults(&schema), Vec::<String>::new());
        assert_eq!(schema["properties"]["limit"]["anyOf"][1], json!({ "type": "null" }));
        assert_eq!(schema["properties"]["word"]["anyOf"][1], json!({ "type": "null" }));
    }

    #[test]
    fn faults_are_found_wherever_they_are() {
        let schema = json!({ "type": "object", "properties": { "a": true, "b": { "items": { "type": ["string", "null"] } }, "c": {} } });
        let Value::Object(schema) = schema else { unreachable!() };
        let wanted = [
            "/properties/a is not a schema object",
            "/properties/b/items is a union of types",
            "/properties/c is untyped",
        ];
        assert_eq!(faults(&schema), wanted);
    }
}
