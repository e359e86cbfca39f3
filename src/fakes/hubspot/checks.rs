//! Which values a property takes, and how they are kept.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kind::Kind;
use super::portal::Portal;
use super::properties::{Access, Property, Type};
use super::refusal::{BadValue, Refusal};
use crate::fakes::time::{day_beginning_at, iso, parse_day, parse_moment};

/// <https://developers.hubspot.com/docs/api-reference/crm-notes-v3/guide>
const LONGEST_NOTE: usize = 65_536;

/// New values by property; an empty one clears.
pub(super) type Values = BTreeMap<String, String>;

/// The values of a write as they are kept, or all that is wrong with them.
pub(super) fn values(portal: &Portal, kind: Kind, given: Option<&Value>) -> Result<Values, Refusal> {
    let given = given
        .and_then(Value::as_object)
        .ok_or_else(|| Refusal::unreadable("properties must be an object"))?;
    let (mut kept, mut bad) = (Values::new(), Vec::new());
    for (name, value) in given {
        let Some(text) = value.as_str() else {
            return Err(Refusal::unreadable(&format!("the value of {name} is not a string")));
        };
        match value_of(portal.property(kind, name), name, text) {
            Ok(value) => drop(kept.insert(name.clone(), value)),
            Err(wrong) => bad.push(wrong),
        }
    }
    if bad.is_empty() { Ok(kept) } else { Err(Refusal::values(portal.id, &bad)) }
}

/// Whether a new record has what it needs.
pub(super) fn needs(kind: Kind, values: &Values) -> Result<(), Refusal> {
    let has = |name: &&str| values.get(*name).is_some_and(|value| !value.is_empty());
    if kind.needed().iter().any(|group| group.iter().all(has)) {
        return Ok(());
    }
    let named: Vec<String> = kind.needed().iter().map(|group| group.join(" and ")).collect();
    let message = format!("A {} needs at least one of: {}", kind.singular(), named.join(", "));
    Err(Refusal::invalid(message).with("properties", named))
}

fn value_of(property: Option<&Property>, name: &str, text: &str) -> Result<String, BadValue> {
    let wrong = |code, message: String| Err(BadValue { property: name.to_owned(), code, message });
    let Some(property) = property else {
        return wrong("PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist"));
    };
    if property.access != Access::Open {
        let message = format!("\"{name}\" is a read only property; its value cannot be set.");
        return wrong("READ_ONLY_VALUE", message);
    }
    if text.is_empty() {
        return Ok(String::new());
    }
    match property.ty {
        Type::Text if name == "email" => match email(text) {
            Some(email) => Ok(email),
            None => wrong("INVALID_EMAIL", format!("Email address {text} is invalid")),
        },
        Type::Text if name == "hs_note_body" && text.chars().count() > LONGEST_NOTE => {
            wrong("INVALID_LENGTH", format!("{name} is longer than {LONGEST_NOTE} characters"))
        }
        Type::Text => Ok(text.to_owned()),
        Type::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(text.to_owned()),
            _ => wrong("INVALID_DOUBLE", format!("{text} was not a valid number.")),
        },
        Type::Flag if text == "true" || text == "false" => Ok(text.to_owned()),
        Type::Flag => wrong("INVALID_BOOLEAN", format!("{text} was not a valid boolean.")),
        Type::Day => match day(text) {
            Some(day) => Ok(day),
            None => wrong("INVALID_DATE", format!("{text} was not a valid date.")),
        },
        Type::Instant => match parse_moment(text).or_else(|| parse_moment(&format!("{text}T00:00:00Z"))) {
            Some(ms) => Ok(iso(ms)),
            None => wrong("INVALID_LONG", format!("{text} was not a valid long.")),
        },
        Type::Choice => match options(property, text) {
            Ok(chosen) => Ok(chosen),
            Err(message) => wrong("INVALID_OPTION", message),
        },
    }
}

/// Addresses are kept in lower case.
fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (name, domain) = text.split_once('@')?;
    let whole = !name.is_empty() && domain.contains('.') && !domain.contains('@') && !text.contains(' ');
    whole.then_some(text)
}

fn day(text: &str) -> Option<String> {
    let day = match text.parse() {
        Ok(ms) => day_beginning_at(ms)?,
        Err(_) => parse_day(text)?,
    };
    Some(day.to_string())
}

fn options(property: &Property, text: &str) -> Result<String, String> {
    let values: Vec<&str> = property.options.iter().map(|(value, _)| value.as_str()).collect();
    // Owners and the like come from elsewhere in the portal.
    if values.is_empty() {
        return Ok(text.to_owned());
    }
    let parts: Vec<&str> = if property.is_multiple() {
        text.split(';').filter(|part| !part.is_empty()).collect()
    } else {
        vec![text]
    };
    match parts.iter().find(|part| !values.contains(part)) {
        Some(part) => Err(format!("{part} was not one of the allowed options: [{}]", values.join(", "))),
        None => Ok(parts.join(";")),
    }
}
