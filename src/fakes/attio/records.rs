//! Calls about records: create, assert, the two updates, delete, merge, and reads with their history.

use serde_json::{Map, Value, json};

use super::attributes::{Attribute, Flags};
use super::desk::{Answer, Desk, data};
use super::object::Mode;
use super::query;
use super::record::{Held, Record};
use super::refusal::Refusal;
use super::workspace::Changes;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::iso_nanos;

/// `/v2/objects/{object}/records…`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, object: usize, rest: &[&str]) -> Answer {
    match (call.method.as_str(), rest) {
        ("POST", []) => create(desk, call, object),
        ("PUT", []) => assert(desk, call, object),
        ("POST", ["query"]) => query::answer(desk, call, object),
        ("POST", ["merge"]) => merge(desk, call, object),
        ("GET", [id]) => {
            let at = desk.live(object, id)?;
            Ok(answered(desk, object, at))
        }
        ("PATCH", [id]) => update(desk, call, object, id, Mode::Append),
        ("PUT", [id]) => update(desk, call, object, id, Mode::Replace),
        ("DELETE", [id]) => {
            let at = desk.live(object, id)?;
            desk.workspace.delete(object, at, &desk.actor);
            Ok(Reply::json(200, json!({})).touching([(*id).to_owned()]))
        }
        ("GET", [id, "attributes", name, "values"]) => values(desk, call, object, id, name),
        _ => Err(Refusal::no_call()),
    }
}

/// A record as answers have it.
pub(super) fn shown(desk: &Desk<'_>, object: usize, record: &Record) -> Value {
    let collection = &desk.workspace.objects[object];
    let values: Map<String, Value> = collection
        .attributes
        .iter()
        .map(|attribute| {
            let held = record.values.get(&attribute.slug).map(Vec::as_slice).unwrap_or_default();
            let shown: Vec<Value> = held.iter().map(|held| shown_value(attribute, held)).collect();
            (attribute.slug.clone(), Value::Array(shown))
        })
        .collect();
    json!({
        "id": {"workspace_id": desk.workspace.id, "object_id": collection.id, "record_id": record.id},
        "created_at": iso_nanos(record.created_ms),
        "web_url": format!("https://app.attio.com/test/{}/{}", collection.singular, record.id),
        "values": values,
    })
}

fn shown_value(attribute: &Attribute, held: &Held) -> Value {
    let mut shown = Map::new();
    shown.insert("active_from".to_owned(), json!(iso_nanos(held.from_ms)));
    shown.insert("active_until".to_owned(), json!(held.until_ms.map(iso_nanos)));
    shown.insert("created_by_actor".to_owned(), held.actor.shown());
    shown.extend(held.fields.clone());
    shown.insert("attribute_type".to_owned(), json!(attribute.ty.name()));
    Value::Object(shown)
}

fn answered(desk: &Desk<'_>, object: usize, at: usize) -> Reply {
    let record = &desk.workspace.objects[object].records[at];
    Reply::json(200, json!({"data": shown(desk, object, record)}))
}

fn written(desk: &Desk<'_>, object: usize, at: usize) -> Reply {
    let id = desk.workspace.objects[object].records[at].id.clone();
    answered(desk, object, at).touching([id])
}

fn create(desk: &mut Desk<'_>, call: &Call, object: usize) -> Answer {
    let changes = desk.workspace.changes(object, &data(call)?["values"], false)?;
    complete(desk, object, &changes)?;
    free(desk, object, &changes, None, 409)?;
    let id = desk.dice.uuid().to_string();
    let at = desk.workspace.create(object, &id, &changes, desk.now, &desk.actor);
    Ok(written(desk, object, at))
}

/// Writes the record that has one of the values of a unique attribute, or makes one.
fn assert(desk: &mut Desk<'_>, call: &Call, object: usize) -> Answer {
    let slug = call.parameter("matching_attribute").unwrap_or_default().to_owned();
    let attribute = desk.workspace.objects[object].attribute(&slug).filter(|attribute| attribute.is_unique());
    let attribute = attribute.cloned().ok_or_else(|| {
        Refusal::new(
            400,
            "value_not_found",
            format!("\"{slug}\" is not the slug or ID of a unique attribute."),
        )
    })?;
    let changes = desk.workspace.changes(object, &data(call)?["values"], false)?;
    let matching = changes.iter().find(|(change, values)| change.id == attribute.id && !values.is_empty());
    let (_, wanted) = matching.ok_or_else(|| {
        Refusal::new(400, "missing_value", format!("The matching attribute \"{slug}\" has no value."))
    })?;
    let collection = &desk.workspace.objects[object];
    let mut found: Vec<usize> =
        wanted.iter().filter_map(|fields| collection.place_having(&attribute, fields)).collect();
    found.sort_unstable();
    found.dedup();
    let at = match found.as_slice() {
        [] => {
            complete(desk, object, &changes)?;
            free(desk, object, &changes, None, 400)?;
            let id = desk.dice.uuid().to_string();
            desk.workspace.create(object, &id, &changes, desk.now, &desk.actor)
        }
        [at] => {
            free(desk, object, &changes, Some(*at), 400)?;
            let mode = Mode::AppendTo(&attribute.slug);
            desk.workspace.write(object, *at, &changes, mode, desk.now, &desk.actor);
            *at
        }
        _ => {
            let message = format!("Several records match the values of \"{slug}\".");
            return Err(Refusal::new(400, "multiple_match_results", message));
        }
    };
    Ok(written(desk, object, at))
}

fn update(desk: &mut Desk<'_>, call: &Call, object: usize, id: &str, mode: Mode<'_>) -> Answer {
    let at = desk.live(object, id)?;
    let changes = desk.workspace.changes(object, &data(call)?["values"], false)?;
    let cleared =
        changes.iter().find(|(attribute, values)| attribute.flags.has(Flags::REQUIRED) && values.is_empty());
    if let Some((attribute, _)) = cleared {
        return Err(missing(attribute));
    }
    free(desk, object, &changes, Some(at), 400)?;
    desk.workspace.write(object, at, &changes, mode, desk.now, &desk.actor);
    Ok(written(desk, object, at))
}

/// <https://docs.attio.com/rest-api/endpoint-reference/records/merge-two-records>
fn merge(desk: &mut Desk<'_>, call: &Call, object: usize) -> Answer {
    let data = data(call)?;
    let id = |field: &str| data[field].as_str().unwrap_or_default().to_owned();
    let (primary, other) = (id("primary_record_id"), id("secondary_record_id"));
    let both = [desk.live(object, &primary)?, desk.live(object, &other)?];
    if both[0] == both[1] {
        return Err(Refusal::form("A record cannot be merged with itself."));
    }
    let id = desk.dice.uuid().to_string();
    desk.workspace.merge(object, both, &id, (desk.now, desk.merge_ms), &desk.actor);
    let status = if desk.merge_ms > 0 { 202 } else { 200 };
    Ok(Reply::json(status, json!({"data": {"new_record_id": id}})).touching([primary, other, id]))
}

/// An attribute's values, in no particular order when those of the past are among them.
fn values(desk: &mut Desk<'_>, call: &Call, object: usize, id: &str, name: &str) -> Answer {
    let at = desk.live(object, id)?;
    let attribute = desk.attribute(object, name)?.clone();
    let record = &desk.workspace.objects[object].records[at];
    let of = |held: Option<&Vec<Held>>| -> Vec<Value> {
        held.into_iter().flatten().map(|held| shown_value(&attribute, held)).collect()
    };
    let mut shown = of(record.values.get(&attribute.slug));
    if call.parameter("show_historic") == Some("true") {
        shown.append(&mut of(record.ended.get(&attribute.slug)));
        desk.dice.shuffle(&mut shown);
    }
    let number = |name: &str| call.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let page =
        shown.into_iter().skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(usize::MAX));
    Ok(Reply::json(200, json!({"data": page.collect::<Vec<Value>>()})))
}

/// Whether a new record has what it needs.
fn complete(desk: &Desk<'_>, object: usize, changes: &Changes) -> Result<(), Refusal> {
    let required = desk.workspace.objects[object].attributes.iter().filter(|a| a.flags.has(Flags::REQUIRED));
    let has = |attribute: &Attribute| {
        changes.iter().any(|(change, values)| change.id == attribute.id && !values.is_empty())
    };
    match required.into_iter().find(|attribute| !has(attribute)) {
        Some(attribute) => Err(missing(attribute)),
        None => Ok(()),
    }
}

fn missing(attribute: &Attribute) -> Refusal {
    let message = format!("Required value for attribute with slug \"{}\" is missing.", attribute.slug);
    Refusal::new(400, "missing_value", message)
}

/// Whether every unique value is free. Creations answer 409 as documented; of the other writes, public reports have
/// 400 with the same code, so callers have to look at the code.
fn free(
    desk: &Desk<'_>,
    object: usize,
    changes: &Changes,
    own: Option<usize>,
    status: u16,
) -> Result<(), Refusal> {
    let Some((attribute, fields)) = desk.workspace.objects[object].clash(changes, own) else {
        return Ok(());
    };
    let field = attribute.ty.field();
    let value = json!({field: fields.get(field)});
    let message = format!(
        "The value {} provided for attribute with ID \"{}\" conflicts with one already in the system.",
        json!(value.to_string()),
        attribute.id
    );
    Err(Refusal::new(status, "uniqueness_conflict", message))
}
