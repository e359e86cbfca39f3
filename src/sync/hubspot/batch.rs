//! Writes records in batches, such that one that is refused never keeps the others from being written.
//!
//! `HubSpot` refuses some batches as a whole for the sake of one record and does not always say which. Such a batch is
//! halved until the record stands alone: the one case in which a call is more requests than batches.

use serde_json::{Map, Value as Json, json};

use super::ledger::{Ledger, unnamed};
use super::{Caller, HUBSPOT_API_VERSION, ROW_PROPERTY, faults};
use crate::sync::crm::{Landed, Push, ms};
use crate::sync::fault::{Class, Fault, Refusal};
use crate::sync::forms;
use crate::sync::wire::{Reply, list_at, text_at};
use crate::sync::wording::Told;

/// A push as it is sent; `place` is where it stands among those of the call.
#[derive(Clone)]
pub(super) struct Input<'a> {
    pub place: usize,
    pub push: &'a Push,
    pub properties: Map<String, Json>,
}

/// Writes the inputs, updates or creations but not both, and notes what became of each. Returns creations that clash
/// with a record whose id is not told.
pub(super) async fn write<'a>(
    caller: &Caller<'_>,
    inputs: Vec<Input<'a>>,
    ledger: &mut Ledger,
) -> Vec<(Input<'a>, Refusal)> {
    let mut clashes = Vec::new();
    let mut waiting = vec![inputs];
    while let Some(group) = waiting.pop() {
        if group.is_empty() || ledger.is_stopped() {
            continue;
        }
        let places = group.iter().map(|input| input.place).collect::<Vec<_>>();
        let answered = send(caller, &group).await;
        let reply = match answered.and_then(readable) {
            Ok(reply) => reply,
            Err(fault) => {
                ledger.stop(&fault, places);
                continue;
            }
        };
        let told = told(&group);
        if reply.is_success() {
            ledger.pace = faults::pace(&reply);
        } else {
            let fault = faults::fault(&reply, &told);
            match fault.class {
                Class::Invalid | Class::Duplicate | Class::Missing => {}
                Class::Locked => {
                    for place in places {
                        ledger.land(place, Landed::Later(fault.clone()));
                    }
                    continue;
                }
                _ => {
                    ledger.stop(&fault, places);
                    continue;
                }
            }
        }
        let rest = settle(&reply, group, &told, ledger, &mut clashes);
        waiting.extend(rest);
    }
    clashes
}

async fn send(caller: &Caller<'_>, group: &[Input<'_>]) -> Result<Reply, Fault> {
    let is_update = group.iter().any(|input| input.push.record.is_some());
    let inputs: Vec<Json> = group.iter().map(written).collect();
    let verb = if is_update { "update" } else { "upsert" };
    let path = format!("/crm/objects/{HUBSPOT_API_VERSION}/{}/batch/{verb}", caller.plural());
    caller.post(&path, &json!({ "inputs": inputs })).await
}

/// A success that cannot be read tells of no record.
fn readable(reply: Reply) -> Result<Reply, Fault> {
    if reply.is_success() {
        reply.read()?;
    }
    Ok(reply)
}

/// The trace makes partial results of what would else be refused as a whole, and tells them apart.
fn written(input: &Input<'_>) -> Json {
    let (row, mut properties) = (input.push.row.to_string(), input.properties.clone());
    if let Some(id) = &input.push.record {
        return json!({"id": id, "properties": properties, "objectWriteTraceId": row});
    }
    properties.insert(ROW_PROPERTY.to_owned(), json!(row));
    json!({"id": row, "idProperty": ROW_PROPERTY, "properties": properties, "objectWriteTraceId": row})
}

fn told(group: &[Input<'_>]) -> Told {
    let mut all = Told::default();
    for input in group {
        let told = Told::of(input.push, input.properties.values().filter_map(Json::as_str));
        all.names.extend(told.names);
        all.values.extend(told.values);
    }
    all.values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    all.values.dedup();
    all
}

/// Notes every outcome that the answer tells, and returns the groups that are to be sent again.
fn settle<'a>(
    reply: &Reply,
    mut group: Vec<Input<'a>>,
    told: &Told,
    ledger: &mut Ledger,
    clashes: &mut Vec<(Input<'a>, Refusal)>,
) -> Vec<Vec<Input<'a>>> {
    let count = group.len();
    if reply.is_success() {
        let body = reply.body.as_ref().unwrap_or(&Json::Null);
        for result in list_at(body, "results") {
            take(
                &mut group,
                |input| is_result_of(result, input),
                |input| {
                    ledger.land(input.place, written_as(result, input.push));
                },
            );
        }
    }
    let mut blamed = None;
    for trouble in faults::parts(reply, told) {
        let names_it = |input: &Input<'_>| trouble.names.iter().any(|name| is_of(name, input.push));
        let has_it = |input: &Input<'_>| {
            let property = trouble.property.as_ref().filter(|_| trouble.of_property);
            property.is_some_and(|property| input.properties.contains_key(property))
        };
        let is_alone = group.len() == 1 && count == 1;
        let before = group.len();
        take(
            &mut group,
            |input| is_alone || names_it(input) || has_it(input),
            |input| match outcome(&trouble, input.push) {
                Ok(landed) => ledger.land(input.place, landed),
                Err(clash) => clashes.push((input, clash)),
            },
        );
        if group.len() == before {
            blamed = Some(trouble);
        }
    }
    if blamed.is_none() && reply.is_success() {
        group.drain(..).for_each(|input| ledger.land(input.place, Landed::Later(unnamed())));
    }
    if group.len() < count && !reply.is_success() {
        return vec![group];
    }
    let half = group.split_off(group.len() / 2);
    vec![half, group]
}

/// Takes out of the group what fits.
fn take<'a>(group: &mut Vec<Input<'a>>, fits: impl Fn(&Input<'a>) -> bool, mut with: impl FnMut(Input<'a>)) {
    let (taken, left): (Vec<_>, Vec<_>) = std::mem::take(group).into_iter().partition(fits);
    *group = left;
    taken.into_iter().for_each(&mut with);
}

fn is_result_of(result: &Json, input: &Input<'_>) -> bool {
    match text_at(result, &["objectWriteTraceId"]) {
        Some(trace) => trace == input.push.row.to_string(),
        // A record that was made is known by the row's id that it carries.
        None => [&["id"][..], &["properties", ROW_PROPERTY]]
            .iter()
            .any(|path| text_at(result, path).is_some_and(|name| is_of(&name, input.push))),
    }
}

fn is_of(name: &str, push: &Push) -> bool {
    push.record.as_deref() == Some(name) || push.row.to_string() == name
}

fn written_as(result: &Json, push: &Push) -> Landed {
    let Some(record) = text_at(result, &["id"]).map(Into::into).or_else(|| push.record.clone()) else {
        return Landed::Later(unnamed());
    };
    let is_new = result.get("new").and_then(Json::as_bool).unwrap_or(true);
    let at_ms = text_at(result, &["updatedAt"]).and_then(|at| forms::moment(&at));
    Landed::Written { record, created: push.record.is_none() && is_new, at_ms: at_ms.map(ms) }
}

/// What an error means for the record that it is about; a creation that clashes with a record whose id is not told
/// is an error here.
fn outcome(trouble: &faults::Trouble, push: &Push) -> Result<Landed, Refusal> {
    let fault = &trouble.fault;
    let refusal = || Refusal {
        class: fault.class,
        message: fault.message.clone(),
        correlation: fault.correlation.clone(),
        property: trouble.property.clone(),
    };
    match (fault.class, &push.record, &trouble.existing) {
        (Class::Missing, Some(_), _) => Ok(Landed::Gone),
        (Class::Duplicate, None, Some(id)) => Ok(Landed::Exists { record: id.clone() }),
        (Class::Duplicate, None, None) => Err(refusal()),
        (class, ..) if class.passes() => Ok(Landed::Later(fault.clone())),
        _ => Ok(Landed::Refused(refusal())),
    }
}
