//! From the JSON object a model sends to the typed arguments of a tool: bounded, coerced, checked against
//! the tool's own schema, parsed. Whatever is wrong is refused with one error that says where and what
//! would be right; nothing is dropped in silence.

use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::schema::Map;
use super::{coerce, explain};
use crate::error::{Error, Result, internal, invalid};

/// The most that the arguments of one call may take, in bytes of JSON.
const BYTES_MAX: usize = 1 << 20;

/// How deeply arguments may nest.
const DEPTH_MAX: usize = 64;

/// A tool's argument schema, compiled.
pub(super) struct Checker {
    schema: Value,
    validator: Result<Validator, String>,
}

impl Checker {
    pub(super) fn new(schema: &Map) -> Checker {
        let schema = Value::Object(schema.clone());
        let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string());
        Checker { schema, validator }
    }

    /// The arguments in the types the schema asks for, or the most useful reason why they are wrong.
    pub(super) fn check(&self, arguments: Map) -> Result<Value> {
        let validator = self.validator.as_ref().map_err(|fault| internal(fault.as_str()))?;
        let mut value = Value::Object(arguments);
        let mut bytes = 0;
        measure(&value, 0, &mut bytes)?;
        coerce::coerce(&mut value, &self.schema);
        if validator.is_valid(&value) {
            return Ok(value);
        }
        let faults: Vec<_> = validator.iter_errors(&value).collect();
        Err(explain::explain(&self.schema, &faults))
    }
}

/// The typed arguments. What the schema could not say is refused here, with the place.
pub(super) fn typed<Args: DeserializeOwned>(arguments: Value) -> Result<Args> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let refused = invalid(error.into_inner().to_string());
        if path == "." { refused } else { refused.at(path) }
    })
}

/// Refuses arguments that are too large or too deep before any work is spent on them.
fn measure(value: &Value, depth: usize, bytes: &mut usize) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(invalid(format!("the arguments nest deeper than {DEPTH_MAX} levels")));
    }
    *bytes += match value {
        Value::String(text) => text.len() + 3,
        Value::Object(object) => object.keys().map(|key| key.len() + 4).sum(),
        _ => 4,
    };
    if *bytes > BYTES_MAX {
        return Err(too_large());
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| measure(item, depth + 1, bytes)),
        Value::Object(object) => object.values().try_for_each(|item| measure(item, depth + 1, bytes)),
        _ => Ok(()),
    }
}

fn too_large() -> Error {
    invalid(format!("the arguments are larger than {} KiB", BYTES_MAX >> 10))
        .hint("split them over several calls")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: Value, arguments: Value) -> Result<Value> {
        let (Value::Object(schema), Value::Object(arguments)) = (schema, arguments) else { unreachable!() };
        Checker::new(&schema).check(arguments)
    }

    fn refusal(schema: Value, arguments: Value) -> String {
        check(schema, arguments).unwrap_err().to_string()
    }

    fn query() -> Value {
        json!({
            "type": "object",
            "properties": {
                "limit": { "type": "integer", "minimum": 1, "maximum": 200 },
                "fields": { "type": "array", "items": { "type": "string", "enum": ["status", "owner"] }, "maxItems": 2 },
                "dry_run": { "type": "boolean" },
                "note": { "type": "string", "maxLength": 5 },
                "filters": { "type": "array", "items": { "anyOf": [
                    { "type": "object", "additionalProperties": false, "required": ["column", "op"], "properties": {
                        "column": { "type": "string", "enum": ["status", "priority"] },
                        "op": { "type": "string", "enum": ["equals", "in"] },
                        "value": { "type": "string" } } },
                    { "type": "object", "additionalProperties": false, "required": ["column", "op"], "properties": {
                        "column": { "type": "string", "enum": ["created_at"] },
                        "op": { "type": "string", "enum": ["before", "after"] },
                        "value": { "type": "integer" } } },
                ] } },
            },
            "additionalProperties": false,
        })
    }

    #[test]
    fn values_sent_as_text_become_what_the_schema_wants() {
        let given = json!({ "limit": "20", "dry_run": "true", "fields": "[\"status\"]", "note": null });
        let wanted = json!({ "limit": 20, "dry_run": true, "fields": ["status"] });
        assert_eq!(check(query(), given).unwrap(), wanted);
        assert_eq!(check(query(), json!({ "fields": "owner" })).unwrap(), json!({ "fields": ["owner"] }));
        assert_eq!(check(query(), json!({ "limit": 20.0 })).unwrap(), json!({ "limit": 20 }));
        let filters = json!({ "filters": [{ "column": "created_at", "op": "before", "value": "5" }] });
        assert_eq!(check(query(), filters).unwrap()["filters"][0]["value"], json!(5));
        let filters = json!({ "filters": "[{\"column\":\"status\",\"op\":\"in\"}]" });
        assert_eq!(
            check(query(), filters).unwrap(),
            json!({ "filters": [{ "column": "status", "op": "in" }] })
        );
    }

    #[test]
    fn one_object_in_place_of_a_list_is_its_one_item() {
        let wanted = json!({ "filters": [{ "column": "status", "op": "in" }] });
        let given = json!({ "filters": { "column": "status", "op": "in" } });
        assert_eq!(check(query(), given).unwrap(), wanted);
        let given = json!({ "filters": "{\"column\":\"status\",\"op\":\"in\"}" });
        assert_eq!(check(query(), given).unwrap(), wanted);
    }

    #[test]
    fn an_unknown_argument_is_named_with_the_nearest_known_one() {
        assert_eq!(
            refusal(query(), json!({ "limt": 3, "limit": "x" })),
            "unknown argument `limt`; did you mean `limit`?"
        );
        assert_eq!(
            refusal(query(), json!({ "zebra": 3 })),
            "unknown argument `zebra` (one of: limit, fields, dry_run, note, filters)"
        );
    }

    #[test]
    fn the_error_names_the_place_and_what_would_be_right() {
        assert_eq!(refusal(query(), json!({ "limit": 500 })), "limit: must be at most 200, not 500");
        assert_eq!(
            refusal(query(), json!({ "limit": "many" })),
            "limit: must be an integer, not the text `many`"
        );
        assert_eq!(
            refusal(query(), json!({ "fields": ["status", "stauts"] })),
            "fields[1]: `stauts` is not a valid value (one of: status, owner); did you mean `status`?"
        );
        assert_eq!(
            refusal(query(), json!({ "note": "too long" })),
            "note: must have at most 5 characters, not 8"
        );
        assert_eq!(refusal(query(), json!({ "fields": {} })), "fields: must be a list, not an object");
    }

    #[test]
    fn among_alternatives_the_one_that_was_meant_is_explained() {
        let wrong_op = json!({ "filters": [{ "column": "created_at", "op": "in", "value": 5 }] });
        assert_eq!(
            refusal(query(), wrong_op),
            "filters[0].op: `in` is not a valid value (one of: before, after)"
        );
        let wrong_column = json!({ "filters": [{ "column": "statsu", "op": "in" }] });
        assert_eq!(
            refusal(query(), wrong_column),
            "filters[0].column: `statsu` is not a valid value (one of: status, priority, created_at); did you mean `status`?"
        );
        let wrong_key = json!({ "filters": [{ "column": "status", "operator": "in" }] });
        assert_eq!(
            refusal(query(), wrong_key),
            "filters[0]: unknown property `operator`; did you mean `op`?"
        );
    }

    #[test]
    fn a_missing_argument_comes_with_an_example() {
        let schema = json!({
            "type": "object",
            "properties": { "rows": { "type": "array", "items": { "type": "object" }, "examples": [[{ "status": "new" }]] } },
            "required": ["rows"],
        });
        assert_eq!(
            refusal(schema, json!({})),
            "the argument `rows` is missing; for example {\"rows\":[{\"status\":\"new\"}]}"
        );
    }

    #[test]
    fn arguments_are_bounded() {
        let long = "x".repeat(BYTES_MAX);
        assert!(refusal(query(), json!({ "note": long })).contains("larger than 1024 KiB"));
        let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
        assert!(refusal(query(), json!({ "filters": deep })).contains("deeper than 64"));
    }
}
