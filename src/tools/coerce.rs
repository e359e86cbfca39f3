//! Models sometimes send a list as the text of a list, one item without its list, or a number in quotes. Where the schema leaves only
//! one reading, that reading is taken; where text itself is allowed, text stays text.

use serde_json::{Map, Number, Value};

/// Brings `value` and all below it into the types that `schema` asks for, as far as that is certain.
pub(super) fn coerce(value: &mut Value, schema: &Value) {
    convert(value, schema);
    match value {
        Value::Object(object) => {
            let Some(schema) = object_branch(schema, object) else { return };
            drop_nulls(object, schema);
            for (key, item) in object.iter_mut() {
                if let Some(below) = schema.get("properties").and_then(|named| named.get(key)) {
                    coerce(item, below);
                } else if let Some(below) =
                    schema.get("additionalProperties").filter(|below| below.is_object())
                {
                    coerce(item, below);
                }
            }
        }
        Value::Array(items) => {
            if let Some(below) = branch(schema, "array").and_then(|schema| schema.get("items")) {
                for item in items {
                    coerce(item, below);
                }
            }
        }
        _ => {}
    }
}

fn convert(value: &mut Value, schema: &Value) {
    match value {
        Value::String(text) if !accepts(schema, "string") => {
            if let Some(read) = read(text, schema) {
                *value = read;
            }
        }
        Value::Number(number) if accepts(schema, "integer") && !accepts(schema, "number") => {
            if let Some(whole) = whole(number) {
                *number = whole;
            }
        }
        Value::Object(_) if lists_objects_only(schema) => *value = Value::Array(vec![value.take()]),
        _ => {}
    }
}

/// The value that `text` spells, if it is of a type that `schema` asks for.
fn read(text: &str, schema: &Value) -> Option<Value> {
    let text = text.trim();
    if text.starts_with(['[', '{'])
        && let Ok(parsed) = serde_json::from_str::<Value>(text)
        && accepts(schema, if parsed.is_array() { "array" } else { "object" })
    {
        return Some(parsed);
    }
    if text.starts_with('{')
        && lists_objects_only(schema)
        && let Ok(parsed) = serde_json::from_str::<Value>(text)
    {
        return Some(Value::Array(vec![parsed]));
    }
    if (accepts(schema, "integer") || accepts(schema, "number"))
        && let Ok(number) = serde_json::from_str::<Number>(text)
    {
        return Some(Value::Number(whole(&number).unwrap_or(number)));
    }
    match text {
        "true" | "True" if accepts(schema, "boolean") => return Some(Value::Bool(true)),
        "false" | "False" if accepts(schema, "boolean") => return Some(Value::Bool(false)),
        _ => {}
    }
    let items = branch(schema, "array")?.get("items")?;
    (accepts(items, "string") && !text.starts_with(['[', '{'])).then(|| Value::Array(vec![Value::from(text)]))
}

/// Whether the schema wants a list of objects, so that one object can only be its one item.
fn lists_objects_only(schema: &Value) -> bool {
    let items = branch(schema, "array").and_then(|schema| schema.get("items"));
    !accepts(schema, "object") && items.is_some_and(|items| accepts(items, "object"))
}

/// The same number as an integer, when it is one.
fn whole(number: &Number) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float =
        number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT)?;
    format!("{float:.0}").parse::<i64>().ok().map(Number::from)
}

/// A null in place of an optional argument means that it was left out.
fn drop_nulls(object: &mut Map<String, Value>, schema: &Value) {
    if !object.values().any(Value::is_null) {
        return;
    }
    let required = schema.get("required").and_then(Value::as_array);
    object.retain(|key, item| {
        let Some(below) = schema.get("properties").and_then(|named| named.get(key)) else { return true };
        let is_required = required.is_some_and(|names| names.iter().any(|name| name == key));
        !item.is_null() || is_required || accepts(below, "null")
    });
}

/// Whether a value of the type may stand where `schema` is.
fn accepts(schema: &Value, kind: &str) -> bool {
    branch(schema, kind).is_some()
}

/// The schema, or the first alternative of it, that takes values of the type.
fn branch<'a>(schema: &'a Value, kind: &str) -> Option<&'a Value> {
    branches(schema, kind).into_iter().next()
}

/// Of alternative objects, the one whose lists of words hold what this object says.
fn object_branch<'a>(schema: &'a Value, object: &Map<String, Value>) -> Option<&'a Value> {
    let mut found = branches(schema, "object");
    if found.len() > 1 {
        found.retain(|branch| {
            let properties = branch.get("properties").and_then(Value::as_object);
            properties.into_iter().flatten().all(|(name, below)| {
                let words = below.get("enum").and_then(Value::as_array);
                words.is_none_or(|words| object.get(name).is_none_or(|given| words.contains(given)))
            })
        });
    }
    found.into_iter().next()
}

/// The schema or those alternatives of it that take values of the type; an enum without a type takes text.
fn branches<'a>(schema: &'a Value, kind: &str) -> Vec<&'a Value> {
    if let Some(own) = schema.get("type").and_then(Value::as_str) {
        return if own == kind { vec![schema] } else { vec![] };
    }
    if schema.get("enum").is_some() {
        return if kind == "string" { vec![schema] } else { vec![] };
    }
    let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
    alternatives.into_iter().flatten().flat_map(|alternative| branches(alternative, kind)).collect()
}
