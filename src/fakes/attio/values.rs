//! Values as they are written and as they are kept
//! (<https://docs.attio.com/docs/attribute-types/attribute-types>).

use serde_json::{Map, Value, json};

use super::attributes::{Attribute, Choice, Type, shown_choice};
use super::refusal::Refusal;
use super::workspace::Workspace;
use crate::fakes::time::{iso_nanos, parse_day, parse_moment};

/// A value's own fields, without when and by whom it was written.
pub(super) type Fields = Map<String, Value>;

/// A location is written whole.
const LOCATION: &[&str] = &[
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
    "latitude",
    "longitude",
];

/// Countries whose national numbers are understood, with their calling codes.
const CALLING_CODES: &[(&str, &str)] =
    &[("US", "1"), ("CA", "1"), ("GB", "44"), ("DE", "49"), ("FR", "33"), ("IN", "91")];

/// The values of an attribute as they are kept: a list, none of them twice. Nothing or `[]` is none.
pub(super) fn parse(
    workspace: &Workspace,
    object_id: &str,
    attribute: &Attribute,
    given: &Value,
) -> Result<Vec<Fields>, Refusal> {
    let items = match given {
        Value::Null => &[],
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut kept: Vec<Fields> = Vec::new();
    for item in items {
        let fields = one(workspace, object_id, attribute, item)?;
        if !kept.iter().any(|known| same(known, &fields)) {
            kept.push(fields);
        }
    }
    if kept.len() > 1 && !attribute.is_multiple() {
        return Err(wrong(attribute, "takes one value only"));
    }
    Ok(kept)
}

/// Whether two values are one, however they were written.
pub(super) fn same(one: &Fields, other: &Fields) -> bool {
    let meant = |fields: &Fields| -> Vec<(String, Value)> {
        let mut meant = fields.clone();
        meant.retain(|name, _| !name.starts_with("original_"));
        meant.into_iter().collect()
    };
    meant(one) == meant(other)
}

fn one(
    workspace: &Workspace,
    object_id: &str,
    attribute: &Attribute,
    item: &Value,
) -> Result<Fields, Refusal> {
    // Most types may also be written as their bare value.
    let own = match item {
        Value::Object(fields) => fields.get(write_field(attribute.ty)).unwrap_or(&Value::Null),
        bare => bare,
    };
    let fields = match attribute.ty {
        Type::Text => json!({"value": text(attribute, own)?}),
        Type::Number => json!({"value": number(attribute, own)?}),
        Type::Checkbox => {
            json!({"value": own.as_bool().ok_or_else(|| wrong(attribute, "takes true or false"))?})
        }
        Type::Rating => {
            let stars = own.as_u64().filter(|stars| *stars <= 5);
            json!({"value": stars.ok_or_else(|| wrong(attribute, "takes a whole number from 0 to 5"))?})
        }
        Type::Date => {
            let day = text(attribute, own)?.chars().take(10).collect::<String>();
            let day = parse_day(&day).ok_or_else(|| wrong(attribute, "takes a date such as 2026-01-31"))?;
            json!({"value": day.to_string()})
        }
        Type::Timestamp => {
            let ms = own.as_str().and_then(parse_moment);
            json!({"value": iso_nanos(ms.ok_or_else(|| wrong(attribute, "takes an ISO-8601 timestamp"))?)})
        }
        Type::Currency => currency(attribute, own)?,
        Type::Email => email(attribute, text(attribute, own)?)?,
        Type::Domain => domain(attribute, text(attribute, own)?)?,
        Type::Phone => phone(attribute, text(attribute, own)?, item)?,
        Type::Name => name(attribute, item)?,
        Type::Reference => reference(workspace, attribute, item)?,
        Type::Select | Type::Status => choice(workspace, object_id, attribute, own)?,
        Type::Location => location(attribute, item)?,
        Type::Actor => actor(workspace, attribute, item)?,
        Type::Interaction => item.clone(),
    };
    Ok(fields.as_object().cloned().unwrap_or_default())
}

/// The field in which a value is written.
const fn write_field(ty: Type) -> &'static str {
    match ty {
        Type::Phone => "original_phone_number",
        other => other.field(),
    }
}

fn wrong(attribute: &Attribute, what: &str) -> Refusal {
    Refusal::form(format!(
        "Invalid value was passed to attribute with slug \"{}\" of type {}: it {what}.",
        attribute.slug,
        attribute.ty.name()
    ))
}

fn text<'a>(attribute: &Attribute, value: &'a Value) -> Result<&'a str, Refusal> {
    value.as_str().ok_or_else(|| wrong(attribute, "takes a string"))
}

fn number<'a>(attribute: &Attribute, value: &'a Value) -> Result<&'a Value, Refusal> {
    if value.is_number() { Ok(value) } else { Err(wrong(attribute, "takes a number")) }
}

/// At most four decimals.
fn currency(attribute: &Attribute, value: &Value) -> Result<Value, Refusal> {
    let written = number(attribute, value)?.to_string();
    if written.split_once('.').is_some_and(|(_, decimals)| decimals.len() > 4) {
        return Err(wrong(attribute, "takes at most four decimals"));
    }
    Ok(json!({"currency_value": value, "currency_code": "USD"}))
}

/// Addresses are kept in lower case.
fn email(attribute: &Attribute, given: &str) -> Result<Value, Refusal> {
    let address = given.trim().to_lowercase();
    let parts = address.split_once('@').filter(|(local, domain)| !local.is_empty() && domain.contains('.'));
    let (local, domain) = parts.ok_or_else(|| wrong(attribute, "takes an email address"))?;
    Ok(json!({
        "original_email_address": given,
        "email_address": address,
        "email_domain": domain,
        "email_root_domain": root(domain),
        "email_local_specifier": local,
    }))
}

fn domain(attribute: &Attribute, given: &str) -> Result<Value, Refusal> {
    let lower = given.trim().to_lowercase();
    let bare = lower.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
    let bare = bare.split('/').next().unwrap_or_default();
    if !bare.contains('.') || bare.contains(' ') || bare.contains('@') {
        return Err(wrong(attribute, "takes a domain"));
    }
    Ok(json!({"domain": bare, "root_domain": root(bare)}))
}

fn root(domain: &str) -> String {
    let labels: Vec<&str> = domain.rsplitn(3, '.').take(2).collect();
    labels.into_iter().rev().collect::<Vec<_>>().join(".")
}

/// A number with its calling code, or a national one with its country.
fn phone(attribute: &Attribute, given: &str, item: &Value) -> Result<Value, Refusal> {
    let country = item.get("country_code").and_then(Value::as_str);
    let digits: String = given.chars().filter(char::is_ascii_digit).collect();
    let code =
        |country: &str| CALLING_CODES.iter().find(|(known, _)| *known == country).map(|(_, code)| *code);
    let whole = match country {
        _ if given.trim_start().starts_with('+') => Some(digits),
        Some(country) => code(country).map(|code| format!("{code}{}", digits.trim_start_matches('0'))),
        None => None,
    };
    let whole = whole.filter(|digits| (7..=15).contains(&digits.len()));
    let whole = whole.ok_or_else(|| wrong(attribute, "takes a phone number with its country"))?;
    let by_code = CALLING_CODES.iter().find(|(_, code)| whole.starts_with(code)).map(|(country, _)| *country);
    Ok(json!({
        "original_phone_number": given,
        "phone_number": format!("+{whole}"),
        "country_code": country.or(by_code),
    }))
}

/// As an object with all three parts, or as "Last, First".
fn name(attribute: &Attribute, item: &Value) -> Result<Value, Refusal> {
    if let Some(written) = item.as_str() {
        let (last, first) = written.split_once(',').unwrap_or((written, ""));
        let (last, first) = (last.trim(), first.trim());
        let full = format!("{first} {last}");
        return Ok(json!({"first_name": first, "last_name": last, "full_name": full.trim()}));
    }
    let part = |field: &str| item.get(field).and_then(Value::as_str);
    match (part("first_name"), part("last_name"), part("full_name")) {
        (Some(first), Some(last), Some(full)) => {
            Ok(json!({"first_name": first, "last_name": last, "full_name": full}))
        }
        _ => Err(wrong(attribute, "takes first_name, last_name and full_name")),
    }
}

/// By the record's id, or by a unique value that one record has.
fn reference(workspace: &Workspace, attribute: &Attribute, item: &Value) -> Result<Value, Refusal> {
    let target = item.get("target_object").and_then(Value::as_str);
    let target =
        target.filter(|target| attribute.targets.is_empty() || attribute.targets.iter().any(|t| t == target));
    let target = target.ok_or_else(|| wrong(attribute, "refers to a record of another object"))?;
    let object = workspace.object(target).ok_or_else(|| wrong(attribute, "names no object"))?;
    let object = &workspace.objects[object];
    let by_id = item.get("target_record_id").and_then(Value::as_str);
    let by_value = || {
        let mut unique = object.attributes.iter().filter(|attribute| attribute.is_unique());
        unique.find_map(|unique| {
            let wanted = parse(workspace, &object.id, unique, item.get(&unique.slug)?).ok()?;
            object.having(unique, wanted.first()?)
        })
    };
    let record = by_id.map_or_else(by_value, |id| object.live(id));
    match record {
        Some(record) => Ok(json!({"target_object": target, "target_record_id": record.id})),
        None => Err(Refusal::new(
            400,
            "value_not_found",
            format!("Could not find a record of {target} for attribute with slug \"{}\".", attribute.slug),
        )),
    }
}

/// An option or status by its title or its id.
fn choice(
    workspace: &Workspace,
    object_id: &str,
    attribute: &Attribute,
    given: &Value,
) -> Result<Value, Refusal> {
    let wanted = text(attribute, given)?;
    let matches = |choice: &&Choice| choice.title == wanted || choice.id == wanted;
    let kind = if attribute.ty == Type::Status { "status" } else { "option" };
    let found = attribute.choices.iter().find(matches).ok_or_else(|| {
        let what = if kind == "status" { kind } else { "select option" };
        Refusal::new(400, "value_not_found", format!("Cannot find {what} with title \"{wanted}\"."))
    })?;
    let mut fields = Fields::new();
    fields.insert(kind.to_owned(), shown_choice(workspace, object_id, attribute, found));
    Ok(Value::Object(fields))
}

fn location(attribute: &Attribute, item: &Value) -> Result<Value, Refusal> {
    let mut fields = Fields::new();
    for key in LOCATION {
        let part =
            item.get(*key).ok_or_else(|| wrong(attribute, &format!("needs all its parts, also {key}")))?;
        fields.insert((*key).to_owned(), part.clone());
    }
    Ok(Value::Object(fields))
}

fn actor(workspace: &Workspace, attribute: &Attribute, item: &Value) -> Result<Value, Refusal> {
    let by_email = item.get("workspace_member_email_address").and_then(Value::as_str);
    let by_id = item.get("referenced_actor_id").and_then(Value::as_str);
    let id = match (by_email, by_id) {
        (Some(address), _) => Some(workspace.member.as_str()).filter(|_| address == workspace.member_email),
        (None, Some(id)) => Some(id),
        (None, None) => {
            return Err(wrong(attribute, "takes referenced_actor_id or workspace_member_email_address"));
        }
    };
    match id {
        Some(id) => Ok(json!({"referenced_actor_type": "workspace-member", "referenced_actor_id": id})),
        None => Err(Refusal::new(400, "value_not_found", "Could not find a workspace member.")),
    }
}
