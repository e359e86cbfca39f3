//! Reads records with the history of their attributes.

use std::collections::{HashMap, HashSet};

use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::history::Reading;
use super::schema::pages;
use super::{AT_A_TIME, Caller, existing};
use crate::sync::crm::{Answer, Client, Mapped, Pace, Past, Seen, Writer, ms};
use crate::sync::fault::{Class, Fault};
use crate::sync::forms;
use crate::sync::wire::{self, list_at, text_at};
use crate::tables::{Form, Object};

/// The records in the order of their ids, without those that are gone: `Attio` deletes, it does not archive.
pub(in crate::sync) async fn read(
    client: &Client,
    token: &SecretString,
    object: Object,
    records: &[String],
    mapped: &[Mapped],
    writer: Option<&str>,
) -> Result<Answer<Vec<Seen>>, Fault> {
    let caller = Caller { client, token, object };
    // A few records are read by several calls each at a time, so that one edit there is not ten calls late here.
    let each = AT_A_TIME / records.len().clamp(1, AT_A_TIME);
    let reads = records.iter().map(|id| raw(caller, id, mapped, each)).collect();
    let raw: Result<Vec<Option<Raw>>, Fault> = wire::at_most(AT_A_TIME, reads).await.into_iter().collect();
    let raw: Vec<Raw> = raw?.into_iter().flatten().collect();
    let names = names(caller, &raw, mapped).await?;
    let reader = Reader { reading: Reading { object, writer }, mapped, names };
    Ok(Answer { value: raw.iter().filter_map(|raw| reader.seen(raw)).collect(), pace: Pace::default() })
}

/// A record, and all values that its attributes have or had.
pub(super) struct Raw {
    pub(super) record: Json,
    pub(super) history: HashMap<String, Vec<Json>>,
}

async fn raw(
    caller: Caller<'_>,
    id: &str,
    mapped: &[Mapped],
    at_a_time: usize,
) -> Result<Option<Raw>, Fault> {
    let path = ["objects", caller.slug(), "records", id];
    let record = match caller.ask(&path, &[]).await {
        Err(fault) if fault.class == Class::Missing => return Ok(None),
        answered => answered?.get("data").cloned().unwrap_or_default(),
    };
    let mut read: Vec<&Mapped> = mapped.iter().filter(|mapped| mapped.form != Form::RecordId).collect();
    let mut seen = HashSet::new();
    read.retain(|mapped| seen.insert(&mapped.property));
    let record = &record;
    let reads = read.into_iter().map(async |mapped| {
        let values = values(caller, id, mapped, record).await?;
        Ok((mapped.property.clone(), values))
    });
    let history: Result<HashMap<_, _>, Fault> =
        wire::at_most(at_a_time, reads.collect()).await.into_iter().collect();
    Ok(Some(Raw { record: record.clone(), history: history? }))
}

/// All values of an attribute. Interactions and what `Attio` fills in by itself have no history: asking for it is a
/// `400`, and the present values are all there are.
async fn values(caller: Caller<'_>, id: &str, mapped: &Mapped, record: &Json) -> Result<Vec<Json>, Fault> {
    let is_computed = mapped.described.as_ref().is_some_and(|property| property.kind == "interaction");
    let path = ["objects", caller.slug(), "records", id, "attributes", &mapped.property, "values"];
    if !is_computed {
        match pages(&caller, &path, &[("show_historic", "true")]).await {
            Err(fault) if matches!(fault.class, Class::Invalid | Class::Missing) => {}
            answered => return answered,
        }
    }
    Ok(present(record, &mapped.property).to_vec())
}

pub(super) fn present<'a>(record: &'a Json, attribute: &str) -> &'a [Json] {
    record.get("values").map_or(&[], |values| list_at(values, attribute))
}

/// The names of the records that the values of a reference point to, by object and id.
pub(super) async fn names(
    caller: Caller<'_>,
    raw: &[Raw],
    mapped: &[Mapped],
) -> Result<HashMap<(String, String), String>, Fault> {
    let references = mapped.iter().filter(|mapped| mapped.form == Form::CompanyName);
    let values = references
        .flat_map(|mapped| raw.iter().filter_map(|raw| raw.history.get(&mapped.property)))
        .flatten();
    let mut targets: Vec<(String, String)> = values.filter_map(target).collect();
    targets.sort();
    targets.dedup();
    let reads = targets.into_iter().map(async |(object, id)| {
        match caller.ask(&["objects", &object, "records", &id], &[]).await {
            Err(fault) if fault.class == Class::Missing => Ok(None),
            answered => {
                let body = answered?;
                let name = body.get("data").and_then(|record| present(record, "name").first());
                let name = name.and_then(|name| text_at(name, &["value"])).map(std::borrow::Cow::into_owned);
                Ok(name.map(|name| ((object, id), name)))
            }
        }
    });
    let found: Result<Vec<Option<_>>, Fault> =
        wire::at_most(AT_A_TIME, reads.collect()).await.into_iter().collect();
    Ok(found?.into_iter().flatten().collect())
}

fn target(value: &Json) -> Option<(String, String)> {
    let part = |key: &str| text_at(value, &[key]).map(std::borrow::Cow::into_owned);
    Some((part("target_object")?, part("target_record_id")?))
}

pub(super) struct Reader<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) mapped: &'a [Mapped],
    pub(super) names: HashMap<(String, String), String>,
}

impl Reader<'_> {
    pub(super) fn seen(&self, raw: &Raw) -> Option<Seen> {
        let id = text_at(&raw.record, &["id", "record_id"])?.into_owned();
        let columns = self.mapped.iter().map(|mapped| (mapped.column.clone(), self.column(mapped, raw, &id)));
        Some(Seen {
            row: existing::row(&raw.record),
            archived: false,
            modified_ms: modified(&raw.record),
            // What was merged is another record, which does not say so.
            merged: Vec::new(),
            columns: columns.collect(),
            record: id,
        })
    }

    fn column(&self, mapped: &Mapped, raw: &Raw, id: &str) -> Vec<Past> {
        let none = Vec::new();
        let all = raw.history.get(&mapped.property).unwrap_or(&none);
        let now = present(&raw.record, &mapped.property);
        match mapped.form {
            Form::RecordId => self.own_id(mapped, raw, id),
            Form::CompanyName => self.reading.timeline(mapped, &self.named(all), &self.named(now)),
            _ => self.reading.timeline(mapped, all, now),
        }
    }

    /// References with the name of what they point to as their value. Those that point nowhere cannot be read.
    fn named(&self, values: &[Json]) -> Vec<Json> {
        let named = |value: &Json| {
            let mut value = value.clone();
            let name = target(&value).and_then(|target| self.names.get(&target));
            if let (Some(name), Some(entry)) = (name, value.as_object_mut()) {
                entry.insert("value".to_owned(), json!(name));
            }
            value
        };
        values.iter().map(named).collect()
    }

    fn own_id(&self, mapped: &Mapped, raw: &Raw, id: &str) -> Vec<Past> {
        let value = forms::canonical(self.reading.object, mapped, &json!(id)).unwrap_or_default();
        let at = text_at(&raw.record, &["created_at"]).and_then(|at| forms::moment(&at));
        let past = at.map(|at| Past { value, at_ms: ms(at), by: Writer::Unknown });
        past.into_iter().collect()
    }
}

/// The latest moment from which one of the record's values holds.
fn modified(record: &Json) -> Option<i64> {
    let values = record.get("values").and_then(Json::as_object)?.values();
    let moments =
        values.filter_map(Json::as_array).flatten().filter_map(|value| text_at(value, &["active_from"]));
    moments.filter_map(|at| forms::moment(&at)).map(ms).max()
}
