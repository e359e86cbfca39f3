//! Batches of records. Results come in no particular order, and without the rows that failed.
//!
//! A caller who gives every row an `objectWriteTraceId` gets an outcome for each (207); without them one bad row
//! refuses the batch, and nothing is written
//! (<https://developers.hubspot.com/docs/api-reference/error-handling#multi-status-errors>).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::checks::{self, Values};
use super::desk::{Answer, Desk, body, inputs, missing};
use super::kind::Kind;
use super::portal::{Portal, without_steps_back};
use super::refusal::Refusal;
use crate::fakes::server::{Call, Reply};

const MOST_ROWS: usize = 100;
const MOST_ROWS_WITH_HISTORY: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Update,
    Upsert,
}

/// What is to be done for a row.
struct Step {
    /// None for a record that is to be made.
    target: Option<u64>,
    values: Values,
}

/// `POST /crm/objects/{version}/{objectType}/batch/{verb}`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, kind: Kind, verb: &str) -> Answer {
    let body = body(call)?;
    match verb {
        "read" => read(desk, &body, kind),
        "archive" => archive(desk, &body, kind),
        "create" => write(desk, &body, kind, Verb::Create),
        "update" => write(desk, &body, kind, Verb::Update),
        "upsert" => write(desk, &body, kind, Verb::Upsert),
        _ => Err(Refusal::not_found("resource not found")),
    }
}

/// Makes a record of a body with `properties` and, where there are any, `associations`.
pub(super) fn create_one(desk: &mut Desk<'_>, kind: Kind, body: &Value) -> Result<u64, Refusal> {
    let values = checks::values(desk.portal, kind, body.get("properties"))?;
    checks::needs(kind, &values)?;
    clash(desk.portal, kind, &values, None)?;
    let ends = ends(desk, body)?;
    let id = desk.portal.create(kind, desk.now, &desk.writer);
    desk.portal.write(kind, id, &values, desk.now, &desk.writer);
    for end in ends {
        desk.portal.associate([(kind, id), end], false, desk.now, &desk.writer);
    }
    Ok(id)
}

/// Whether a unique value belongs to another live record.
pub(super) fn clash(portal: &Portal, kind: Kind, values: &Values, own: Option<u64>) -> Result<(), Refusal> {
    for (name, value) in
        values.iter().filter(|(name, value)| !value.is_empty() && portal.is_unique(kind, name))
    {
        let Some(other) = portal.records(kind).by_unique(name, value).filter(|other| Some(other.id) != own)
        else {
            continue;
        };
        let other = other.id.to_string();
        if name == "email" {
            let message = format!("Contact already exists. Existing ID: {other}");
            return Err(Refusal::new(409, "CONFLICT", message).with("existingId", vec![other]));
        }
        let message = format!(
            "Cannot set PropertyValueCoordinates{{portalId={}, objectTypeId={}, propertyName={name}, value={value}}}. \
             {other} already has that value.",
            portal.id,
            kind.type_id(),
        );
        return Err(Refusal::invalid(message).with("existingId", vec![other]));
    }
    Ok(())
}

/// A record as the answer to its write shows it: with what was written.
pub(super) fn shown_after(desk: &Desk<'_>, kind: Kind, id: u64, input: &Value) -> Value {
    let written = input.get("properties").and_then(Value::as_object);
    let names: Vec<String> = written.map(|written| written.keys().cloned().collect()).unwrap_or_default();
    let mut shown = match desk.portal.records(kind).any(id) {
        Some(record) => record.shown(kind, &names, &[], i64::MAX),
        None => return Value::Null,
    };
    if let Some(trace) = trace(input) {
        shown.insert("objectWriteTraceId".to_owned(), json!(trace));
    }
    Value::Object(shown)
}

fn read(desk: &mut Desk<'_>, body: &Value, kind: Kind) -> Answer {
    let names = |field: &str| -> Vec<String> {
        let listed = body.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        listed.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let wanted = desk.known(kind, names("properties"));
    let with_history = desk.known(kind, names("propertiesWithHistory"));
    let most = if with_history.is_empty() { MOST_ROWS } else { MOST_ROWS_WITH_HISTORY };
    let inputs = inputs(body, most)?;
    let property = body.get("idProperty").and_then(Value::as_str);
    let (mut results, mut gone) = (Vec::new(), Vec::new());
    for input in &inputs {
        let id = text(input, "id").unwrap_or_default();
        match desk.find(kind, id, property)? {
            Some(record) => results.push(Value::Object(record.shown(kind, &wanted, &with_history, i64::MAX))),
            None => gone.push(id.to_owned()),
        }
    }
    desk.dice.shuffle(&mut results);
    if gone.is_empty() {
        return Ok(Reply::json(200, desk.complete(results, Vec::new())));
    }
    Ok(Reply::json(207, desk.complete(results, vec![missing(kind, &gone).row()])))
}

/// Ids that are not there are taken as archived.
fn archive(desk: &mut Desk<'_>, body: &Value, kind: Kind) -> Answer {
    let inputs = inputs(body, MOST_ROWS)?;
    let ids: Vec<String> = inputs.iter().filter_map(|input| text(input, "id")).map(str::to_owned).collect();
    for id in ids.iter().filter_map(|id| id.parse().ok()) {
        desk.portal.archive(kind, id, desk.now, &desk.writer);
    }
    Ok(Reply::empty().touching(ids))
}

fn write(desk: &mut Desk<'_>, body: &Value, kind: Kind, verb: Verb) -> Answer {
    let inputs = inputs(body, MOST_ROWS)?;
    let traces: Vec<String> = inputs.iter().filter_map(trace).map(str::to_owned).collect();
    if traces.iter().collect::<HashSet<_>>().len() < traces.len() {
        return Err(Refusal::invalid("objectWriteTraceId must be unique within a batch"));
    }
    no_repeated_ids(&inputs)?;
    // Partial success is not offered for contacts that are upserted by e-mail.
    let by_email =
        verb == Verb::Upsert && inputs.iter().any(|input| text(input, "idProperty") == Some("email"));
    let each = traces.len() == inputs.len() && !by_email;
    let (mut results, mut errors, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    if !each {
        dry_run(desk, &inputs, kind, verb)?;
    }
    for (at, input) in inputs.iter().enumerate() {
        match row(desk, at, input, kind, verb) {
            Ok(shown) => results.push(shown),
            Err(refusal) if !each && refusal.status == 404 => {
                gone.extend(text(input, "id").map(str::to_owned));
            }
            Err(refusal) => {
                let own = trace(input).map(|trace| vec![trace.to_owned()]).unwrap_or_default();
                errors.push(refusal.with("objectWriteTraceId", own).row());
            }
        }
    }
    if !gone.is_empty() {
        errors.push(missing(kind, &gone).row());
    }
    let touched: Vec<String> =
        results.iter().filter_map(|shown| text(shown, "id")).map(str::to_owned).collect();
    desk.dice.shuffle(&mut results);
    let status = match (errors.is_empty(), verb) {
        (false, _) => 207,
        (true, Verb::Create) => 201,
        (true, _) => 200,
    };
    let mut reply = Reply::json(status, desk.complete(results, errors)).touching(touched);
    reply.traces = traces;
    Ok(reply)
}

/// Refuses the batch for its first bad row. A record that is not there is none: the others are written without it.
fn dry_run(desk: &Desk<'_>, inputs: &[Value], kind: Kind, verb: Verb) -> Result<(), Refusal> {
    let mut claimed = HashSet::new();
    for (at, input) in inputs.iter().enumerate() {
        match plan(desk, at, input, kind, verb) {
            Ok(step) => {
                let unique = step.values.iter().filter(|(name, _)| desk.portal.is_unique(kind, name));
                for (name, value) in unique.filter(|(_, value)| !value.is_empty()) {
                    if !claimed.insert((name.clone(), value.to_lowercase())) {
                        let message = format!("Two rows have the same value of the unique property {name}");
                        return Err(Refusal::new(409, "CONFLICT", message));
                    }
                }
            }
            Err(refusal) if refusal.status == 404 => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

/// Does what a row is for.
fn row(desk: &mut Desk<'_>, at: usize, input: &Value, kind: Kind, verb: Verb) -> Result<Value, Refusal> {
    let mut step = plan(desk, at, input, kind, verb)?;
    let ends = ends(desk, input)?;
    let is_new = step.target.is_none();
    let id = match step.target {
        Some(id) => id,
        None => desk.portal.create(kind, desk.now, &desk.writer),
    };
    without_steps_back(desk.portal, kind, id, &mut step.values);
    desk.portal.write(kind, id, &step.values, desk.now, &desk.writer);
    for end in ends {
        desk.portal.associate([(kind, id), end], false, desk.now, &desk.writer);
    }
    let mut shown = shown_after(desk, kind, id, input);
    if verb == Verb::Upsert {
        shown["new"] = json!(is_new);
    }
    Ok(shown)
}

/// What a row asks for, if it can be done.
fn plan(desk: &Desk<'_>, at: usize, input: &Value, kind: Kind, verb: Verb) -> Result<Step, Refusal> {
    if let Some(fault) = desk.row_fault.filter(|fault| fault.index == at) {
        return Err(Refusal::new(400, fault.category, "This row was chosen to fail"));
    }
    let mut values = checks::values(desk.portal, kind, input.get("properties"))?;
    let (id, property) = (text(input, "id"), text(input, "idProperty"));
    let target = match (verb, id, property) {
        (Verb::Create, _, _) => None,
        (Verb::Update, Some(id), property) => {
            Some(desk.find(kind, id, property)?.ok_or_else(|| missing(kind, &[id.to_owned()]))?.id)
        }
        (Verb::Upsert, Some(id), Some(property)) => {
            let found = desk.find(kind, id, Some(property))?.map(|record| record.id);
            if found.is_none() {
                values.entry(property.to_owned()).or_insert_with(|| key(property, id));
            }
            found
        }
        (Verb::Update, None, _) => return Err(Refusal::invalid("Some required fields were not set: [id]")),
        (Verb::Upsert, _, _) => {
            return Err(Refusal::invalid("Some required fields were not set: [id, idProperty]"));
        }
    };
    if target.is_none() {
        checks::needs(kind, &values)?;
    }
    clash(desk.portal, kind, &values, target)?;
    Ok(Step { target, values })
}

/// The records that a new one is to be associated with.
fn ends(desk: &Desk<'_>, body: &Value) -> Result<Vec<(Kind, u64)>, Refusal> {
    let listed = body.get("associations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut ends = Vec::new();
    for association in listed {
        let id = association.pointer("/to/id").and_then(Value::as_str).unwrap_or_default();
        let of = |kind: &&Kind| matches!(desk.find(**kind, id, None), Ok(Some(_)));
        let kind = Kind::ALL
            .iter()
            .find(of)
            .ok_or_else(|| Refusal::not_found(format!("No object with the id {id}")))?;
        ends.push(desk.end(*kind, id)?);
    }
    Ok(ends)
}

fn no_repeated_ids(inputs: &[Value]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    let ids = inputs.iter().filter_map(|input| Some((text(input, "idProperty"), text(input, "id")?)));
    for (property, id) in ids {
        if !seen.insert((property, id.to_lowercase())) {
            let message = format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique");
            return Err(Refusal::invalid(message));
        }
    }
    Ok(())
}

fn trace(input: &Value) -> Option<&str> {
    text(input, "objectWriteTraceId")
}

fn text<'a>(input: &'a Value, field: &str) -> Option<&'a str> {
    input.get(field).and_then(Value::as_str)
}

/// A unique value as it is kept.
fn key(property: &str, value: &str) -> String {
    if property == "email" { value.to_lowercase() } else { value.to_owned() }
}
