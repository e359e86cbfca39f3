//! Finds records that are at `HubSpot` already: by their row's id, e-mail address or domain.

use std::collections::HashSet;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::batch::Input;
use super::ledger::Ledger;
use super::{Caller, MOST_AT_ONCE, ROW_PROPERTY, faults};
use crate::sync::crm::{Answer, Client, Landed, Pace};
use crate::sync::fault::{Class, Fault};
use crate::sync::wire::{list_at, text_at};
use crate::tables::{Form, Object, Value};

/// Until a record of this call is found by a search, which runs behind, in milliseconds.
const SEARCHABLE_MS: i64 = 10_000;

/// The most results of one page of a search.
const PAGE: usize = 200;

/// The most pages of a search: it ends at 10,000 results.
const PAGES: usize = 50;

/// The ids of the live records that carry these rows' ids.
pub(in crate::sync) async fn find(
    client: &Client,
    token: &SecretString,
    object: Object,
    rows: &[Uuid],
) -> Result<Answer<Vec<(Uuid, String)>>, Fault> {
    let caller = Caller { client, token, object };
    let (mut found, mut pace) = (Vec::new(), Pace::default());
    for rows in rows.chunks(MOST_AT_ONCE) {
        let keys: Vec<String> = rows.iter().map(Uuid::to_string).collect();
        let records = by_property(&caller, ROW_PROPERTY, &keys, &mut pace).await?;
        found.extend(records.into_iter().filter_map(|record| Some((record.row?, record.id))));
    }
    Ok(Answer { value: found, pace })
}

/// A record that was found, and by what.
struct Found {
    id: String,
    row: Option<Uuid>,
    /// Its e-mail addresses or its domain.
    keys: Vec<String>,
}

/// Notes the creations whose record is there already, and those that another one of this call makes at the same
/// time; returns the others.
pub(super) async fn without_existing<'a>(
    caller: &Caller<'_>,
    inputs: Vec<Input<'a>>,
    ledger: &mut Ledger,
) -> Vec<Input<'a>> {
    let mut keys: Vec<String> = inputs.iter().filter_map(|input| key(caller.object, input)).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return inputs;
    }
    let mut pace = ledger.pace;
    let found = match caller.object {
        Object::Contact => by_property(caller, "email", &keys, &mut pace).await,
        Object::Company => by_domain(caller, &keys, &mut pace).await,
        Object::Meeting => return inputs,
    };
    ledger.pace = pace;
    let found = match found {
        Ok(found) => found,
        Err(fault) => {
            // Nothing was written by looking.
            ledger.stop(&Fault { sent: false, ..fault }, inputs.iter().map(|input| input.place));
            return Vec::new();
        }
    };
    let mut taken = HashSet::new();
    let mut left = Vec::new();
    for input in inputs {
        let key = key(caller.object, &input);
        let same = |record: &&Found| key.as_ref().is_some_and(|key| record.keys.contains(key));
        // One of our own making, of which the answer was lost, is written again under the row's id.
        let mine = found.iter().any(|record| record.row == Some(input.push.row));
        match found.iter().find(same) {
            Some(record) if !mine => ledger.land(input.place, Landed::Exists { record: record.id.clone() }),
            _ if key.is_some_and(|key| !taken.insert(key)) => {
                let fault =
                    Fault::unsent(Class::Locked, "another record with the same address is being made");
                let fault = Fault { retry_after_ms: Some(SEARCHABLE_MS), ..fault };
                ledger.land(input.place, Landed::Later(fault));
            }
            _ => left.push(input),
        }
    }
    left
}

/// The value by which a record that is there already is known.
fn key(object: Object, input: &Input<'_>) -> Option<String> {
    let (property, form) = match object {
        Object::Meeting => return None,
        Object::Contact => ("email", Form::Email),
        Object::Company => ("domain", Form::Domain),
    };
    input.push.cells.iter().find_map(|(mapped, value)| match value {
        Some(Value::Text(text)) if mapped.property == property && mapped.form == form => {
            Some(text.to_lowercase())
        }
        _ => None,
    })
}

/// The records whose unique property has one of the values. What is not found is listed as errors, or is a `404`
/// when it is all.
async fn by_property(
    caller: &Caller<'_>,
    property: &str,
    values: &[String],
    pace: &mut Pace,
) -> Result<Vec<Found>, Fault> {
    let inputs: Vec<Json> = values.iter().map(|value| json!({ "id": value })).collect();
    let properties = [ROW_PROPERTY, "email", "hs_additional_emails"];
    let body = json!({"idProperty": property, "properties": properties, "inputs": inputs});
    let reply = match caller.ask(caller.object, "batch/read", &body).await {
        Err(fault) if fault.class == Class::Missing => return Ok(Vec::new()),
        answered => answered?,
    };
    *pace = faults::pace(&reply);
    Ok(list_at(reply.read()?, "results").iter().filter_map(found).collect())
}

/// The live companies with one of the domains, oldest first, as a search returns them.
async fn by_domain(caller: &Caller<'_>, domains: &[String], pace: &mut Pace) -> Result<Vec<Found>, Fault> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let filter = json!({"propertyName": "domain", "operator": "IN", "values": domains});
        let mut search = json!({
            "filterGroups": [{"filters": [filter]}],
            "properties": [ROW_PROPERTY, "domain"],
            "limit": PAGE,
        });
        if let Some(after) = after {
            search["after"] = json!(after);
        }
        let reply = caller.ask(caller.object, "search", &search).await?;
        // Answers to searches tell no pace, and none is taken from them.
        if faults::pace(&reply) != Pace::default() {
            *pace = faults::pace(&reply);
        }
        let body = reply.read()?;
        all.extend(list_at(body, "results").iter().filter_map(found));
        after = text_at(body, &["paging", "next", "after"]).map(Into::into);
        if after.is_none() {
            break;
        }
    }
    Ok(all)
}

fn found(record: &Json) -> Option<Found> {
    let property = |name: &str| text_at(record, &["properties", name]).map(|text| text.to_lowercase());
    let others = property("hs_additional_emails").unwrap_or_default();
    let others = others.split(';').map(|email| email.trim().to_owned());
    let keys = property("email").into_iter().chain(property("domain")).chain(others);
    Some(Found {
        id: text_at(record, &["id"])?.into_owned(),
        row: property(ROW_PROPERTY).and_then(|row| Uuid::try_parse(&row).ok()),
        keys: keys.filter(|key| !key.is_empty()).collect(),
    })
}
