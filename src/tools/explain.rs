//! From the faults that a validator finds to the one error a model can act on: which argument, what is
//! wrong with it, what would be right.

use std::fmt::Write as _;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::{Value, json};

use crate::error::{Error, invalid, nearest};

/// How much of a refused text is repeated to the caller.
const SHOWN_CHARS: usize = 60;

/// The most useful of the faults: a misspelt name before a missing one, a missing one before a wrong value.
pub(super) fn explain(schema: &Value, faults: &[ValidationError<'_>]) -> Error {
    let rank = |fault: &ValidationError<'_>| match fault.kind() {
        Kind::AdditionalProperties { .. } => 0,
        Kind::Required { .. } => 1,
        _ => 2,
    };
    match faults.iter().min_by_key(|fault| rank(fault)) {
        Some(fault) => describe(schema, fault),
        None => invalid("the arguments do not conform to the tool's schema"),
    }
}

/// Text from the caller, short enough to repeat.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn describe(schema: &Value, fault: &ValidationError<'_>) -> Error {
    let given = fault.instance();
    let error = match fault.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unknown_property(schema, fault, unexpected)
        }
        Kind::Required { property } => missing(schema, fault, property),
        Kind::Enum { options } => not_among(given, options),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => return meant(schema, fault, context),
        Kind::Type { kind } => invalid(format!("must be {}, not {}", wanted(kind), shown(given))),
        Kind::Minimum { limit } => invalid(format!("must be at least {limit}, not {given}")),
        Kind::Maximum { limit } => invalid(format!("must be at most {limit}, not {given}")),
        Kind::ExclusiveMinimum { limit } => invalid(format!("must be more than {limit}, not {given}")),
        Kind::ExclusiveMaximum { limit } => invalid(format!("must be less than {limit}, not {given}")),
        Kind::MinLength { limit: 1 } => invalid("must not be empty"),
        Kind::MinLength { limit } => {
            invalid(format!("must have at least {limit} characters, not {}", size(given)))
        }
        Kind::MaxLength { limit } => {
            invalid(format!("must have at most {limit} characters, not {}", size(given)))
        }
        Kind::MinItems { limit: 1 } => invalid("must have at least one item"),
        Kind::MinItems { limit } => invalid(format!("must have at least {limit} items, not {}", size(given))),
        Kind::MaxItems { limit } => invalid(format!("must have at most {limit} items, not {}", size(given))),
        Kind::MinProperties { limit } => {
            invalid(format!("must have at least {limit} properties, not {}", size(given)))
        }
        Kind::MaxProperties { limit } => {
            invalid(format!("must have at most {limit} properties, not {}", size(given)))
        }
        Kind::UniqueItems => invalid("must not have the same item twice"),
        Kind::Pattern { pattern } => invalid(format!("does not match the pattern {pattern}")),
        _ => invalid(fault.masked().to_string()),
    };
    let place = place(fault);
    if place.is_empty() { error } else { error.at(place) }
}

fn unknown_property(schema: &Value, fault: &ValidationError<'_>, unexpected: &[String]) -> Error {
    let name = unexpected.first().map_or("", String::as_str);
    let noun = if place(fault).is_empty() { "argument" } else { "property" };
    let error = invalid(format!("unknown {noun} `{}`", shorten(name)));
    let known: Vec<&str> = parent(schema, fault)
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object)
        .map(|named| named.keys().map(String::as_str).collect())
        .unwrap_or_default();
    match near(name, &known) {
        Some(best) => error.hint(format!("did you mean `{best}`?")),
        None => error.choices("", known),
    }
}

/// The known name that was meant; a short name may also be the beginning of the given one.
fn near<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    nearest(name, known.iter().copied())
        .or_else(|| known.iter().copied().find(|known| known.len() >= 2 && name.starts_with(known)))
}

fn missing(schema: &Value, fault: &ValidationError<'_>, property: &Value) -> Error {
    let name = property.as_str().unwrap_or_default();
    let noun = if place(fault).is_empty() { "argument" } else { "property" };
    let error = invalid(format!("the {noun} `{name}` is missing"));
    let declared = parent(schema, fault).and_then(|schema| schema.get("properties")?.get(name));
    let example = declared.and_then(|declared| declared.get("examples")?.get(0)).cloned();
    match (example, declared.and_then(|declared| declared.get("enum")?.as_array())) {
        (Some(example), _) => error.hint(format!("for example {}", json!({ name: example }))),
        (None, Some(values)) => error.choices("", values.iter().map(word)),
        (None, None) => error,
    }
}

fn not_among(given: &Value, options: &Value) -> Error {
    let allowed: Vec<String> = options.as_array().into_iter().flatten().map(word).collect();
    match given {
        Value::String(text) => {
            invalid(format!("`{}` is not a valid value", shorten(text))).choices(text, allowed)
        }
        other => invalid(format!("{} is not a valid value", shown(other))).choices("", allowed),
    }
}

/// Among alternatives, explains the one that was meant: the one whose first fault comes latest.
fn meant(schema: &Value, fault: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) -> Error {
    let of_right_type: Vec<&Vec<ValidationError<'static>>> = context
        .iter()
        .filter(|faults| {
            !faults.iter().any(|inner| {
                matches!(inner.kind(), Kind::Type { .. }) && inner.instance_path() == fault.instance_path()
            })
        })
        .collect();
    if of_right_type.is_empty() {
        let kinds: Vec<String> = context.iter().flatten().filter_map(type_named).collect();
        let error = invalid(format!("must be {}, not {}", kinds.join(" or "), shown(fault.instance())));
        return error.at(place(fault));
    }
    if let Some(error) = joined_choices(&of_right_type) {
        return error;
    }
    let best = of_right_type.into_iter().max_by_key(|faults| {
        let first = faults.iter().map(|inner| order(schema, inner)).min().unwrap_or(0);
        (first, std::cmp::Reverse(faults.len()))
    });
    match best {
        Some(faults) => explain(schema, faults),
        None => invalid("is not one of the accepted forms").at(place(fault)),
    }
}

/// When every alternative refuses the same value for not being in its list, the lists together.
fn joined_choices(alternatives: &[&Vec<ValidationError<'static>>]) -> Option<Error> {
    let refusals: Vec<(&ValidationError<'static>, &Value)> = alternatives
        .iter()
        .filter_map(|faults| {
            faults.iter().find_map(|fault| match fault.kind() {
                Kind::Enum { options } => Some((fault, &**options)),
                _ => None,
            })
        })
        .collect();
    let (first, _) = refusals.first()?;
    let same = refusals.len() == alternatives.len()
        && refusals.iter().all(|(fault, _)| fault.instance_path() == first.instance_path());
    if !same {
        return None;
    }
    let mut allowed: Vec<Value> = Vec::new();
    for value in refusals.iter().filter_map(|(_, options)| options.as_array()).flatten() {
        if !allowed.contains(value) {
            allowed.push(value.clone());
        }
    }
    Some(not_among(first.instance(), &Value::Array(allowed)).at(place(first)))
}

/// Where the faulty property stands in its object's declaration.
fn order(schema: &Value, fault: &ValidationError<'_>) -> usize {
    let path = fault.schema_path().as_str();
    let Some((before, after)) = path.rsplit_once("/properties/") else { return 0 };
    let name = after.split('/').next().unwrap_or_default();
    schema
        .pointer(&format!("{before}/properties"))
        .and_then(Value::as_object)
        .and_then(|named| named.keys().position(|key| key == name))
        .map_or(0, |position| position + 1)
}

/// The object schema whose keyword found the fault.
fn parent<'a>(schema: &'a Value, fault: &ValidationError<'_>) -> Option<&'a Value> {
    let (parent, _) = fault.schema_path().as_str().rsplit_once('/')?;
    schema.pointer(parent)
}

/// The place in the arguments, as `filters[0].column`.
fn place(fault: &ValidationError<'_>) -> String {
    let mut place = String::new();
    for segment in fault.instance_path().as_str().split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            let _ = write!(place, "[{segment}]");
        } else {
            if !place.is_empty() {
                place.push('.');
            }
            place.push_str(&segment);
        }
    }
    place
}

fn type_named(fault: &ValidationError<'_>) -> Option<String> {
    match fault.kind() {
        Kind::Type { kind } => Some(wanted(kind)),
        _ => None,
    }
}

fn wanted(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => article(*kind).to_owned(),
        TypeKind::Multiple(kinds) => kinds.iter().map(article).collect::<Vec<_>>().join(" or "),
    }
}

fn article(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "text",
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("the text `{}`", shorten(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    }
}
