//! Writes records, a few at a time. A write of a record's values takes the place of those that are there
//! (<https://docs.attio.com/rest-api/endpoint-reference/records/update-a-record-overwrite-multiselect-values>).

use std::collections::HashSet;
use std::sync::OnceLock;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};

use super::existing::{self, Key};
use super::faults::{self, Trouble};
use super::{AT_A_TIME, Caller, ROW_ATTRIBUTE, several, values};
use crate::sync::crm::{Answer, Client, Landed, Pace, Push, ms};
use crate::sync::fault::{Class, Fault, Refusal};
use crate::sync::forms;
use crate::sync::wire::{self, Reply, list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::Object;

/// Until a record of this call is found by a query, in milliseconds.
const FOUND_MS: i64 = 2_000;

/// Writes at most [`super::MOST_AT_ONCE`] records. A value that cannot be written refuses its record without sending it.
pub(in crate::sync) async fn push(
    client: &Client,
    token: &SecretString,
    object: Object,
    pushes: &[Push],
) -> Result<Answer<Vec<Landed>>, Fault> {
    let caller = Caller { client, token, object };
    let stop = OnceLock::new();
    let mut keys = HashSet::new();
    let writes = pushes.iter().map(|push| {
        let key = Key::of(object, push).filter(|_| push.record.is_none());
        let is_twin = key.as_ref().is_some_and(|key| !keys.insert(key.clone()));
        let write = Write { caller, push, key };
        let stop = &stop;
        async move { if is_twin { Landed::Later(twin()) } else { unless(stop, push, write.write()).await } }
    });
    answer(wire::at_most(AT_A_TIME, writes.collect()).await, stop)
}

/// The outcomes, or the fault of the connection when it is all that came of the call.
pub(super) fn answer(landed: Vec<Landed>, stop: OnceLock<Fault>) -> Result<Answer<Vec<Landed>>, Fault> {
    let is_later = |landed: &Landed| matches!(landed, Landed::Later(_));
    match stop.into_inner() {
        Some(fault) if landed.iter().all(is_later) => {
            let sent = landed.iter().any(|landed| matches!(landed, Landed::Later(fault) if fault.sent));
            Err(Fault { sent, ..fault })
        }
        _ => Ok(Answer { value: landed, pace: Pace::default() }),
    }
}

/// Does a push's write unless another one met with a fault that is of the whole connection.
pub(super) async fn unless(
    stop: &OnceLock<Fault>,
    push: &Push,
    write: impl Future<Output = Result<Landed, Trouble>>,
) -> Landed {
    if let Some(fault) = stop.get() {
        return Landed::Later(Fault { sent: false, ..fault.clone() });
    }
    write.await.unwrap_or_else(|trouble| {
        let fault = trouble.fault;
        if fault.class.is_of_connection() {
            stop.get_or_init(|| fault.clone());
        }
        let for_good = matches!(fault.class, Class::Invalid | Class::Duplicate | Class::Missing);
        match (fault.class, &push.record, &trouble.property) {
            (Class::Missing, Some(_), None) => Landed::Gone,
            _ if for_good => Landed::Refused(Refusal {
                class: fault.class,
                message: fault.message,
                correlation: fault.correlation,
                property: trouble.property,
            }),
            _ => Landed::Later(fault),
        }
    })
}

/// The one of two new records with the same address that has to wait for the other.
fn twin() -> Fault {
    let fault = Fault::unsent(Class::Locked, "another record with the same address is being made");
    Fault { retry_after_ms: Some(FOUND_MS), ..fault }
}

/// One record that is to be written.
struct Write<'a> {
    caller: Caller<'a>,
    push: &'a Push,
    /// What a new record would be known by if it were there already.
    key: Option<Key>,
}

impl Write<'_> {
    async fn write(&self) -> Result<Landed, Trouble> {
        match values::written(self.push) {
            Err(refusal) => Ok(Landed::Refused(refusal)),
            Ok(values) => match &self.push.record {
                Some(id) => self.update(id, values).await,
                None => self.create(values).await,
            },
        }
    }

    async fn update(&self, id: &str, mut values: Map<String, Json>) -> Result<Landed, Trouble> {
        let path = ["objects", self.caller.slug(), "records", id];
        let shared =
            self.push.cells.iter().map(|(mapped, _)| mapped).filter(|mapped| several::has_others(mapped));
        let shared: Vec<&str> = shared.map(|mapped| mapped.property.as_str()).collect();
        if !shared.is_empty() {
            let present = self.caller.ask(&path, &[]).await.map_err(only_read)?;
            let present = present.get("data").and_then(|record| record.get("values")).unwrap_or(&Json::Null);
            for attribute in shared {
                let ours = values.get(attribute).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
                let list = several::with_others(ours, list_at(present, attribute));
                values.insert(attribute.to_owned(), Json::Array(list));
            }
        }
        self.put(&path, &[], &values, false).await
    }

    /// A record that is there already is not written over, because nothing is known of its values yet.
    async fn create(&self, mut values: Map<String, Json>) -> Result<Landed, Trouble> {
        if let Some(record) = self.existing().await? {
            return Ok(Landed::Exists { record });
        }
        values.insert(ROW_ATTRIBUTE.to_owned(), json!([{"value": self.push.row.to_string()}]));
        let matching = self.key.as_ref().map_or(ROW_ATTRIBUTE, |key| key.attribute);
        let path = ["objects", self.caller.slug(), "records"];
        let trouble = match self.put(&path, &[("matching_attribute", matching)], &values, true).await {
            Err(trouble) if trouble.fault.class == Class::Duplicate => trouble,
            landed => return landed,
        };
        // It was made before, and the row's address has changed since; or somebody made one in between.
        if let Some(mine) = existing::by(&self.caller, &Key::row(self.push.row)).await.map_err(only_read)? {
            return self.update(&mine.id, values).await;
        }
        match self.existing().await? {
            Some(record) => Ok(Landed::Exists { record }),
            None => Err(trouble),
        }
    }

    /// Somebody else's record with the same address.
    async fn existing(&self) -> Result<Option<String>, Trouble> {
        let Some(key) = &self.key else { return Ok(None) };
        let found = existing::by(&self.caller, key).await.map_err(only_read)?;
        Ok(found.filter(|found| found.row != Some(self.push.row)).map(|found| found.id))
    }

    async fn put(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        values: &Map<String, Json>,
        created: bool,
    ) -> Result<Landed, Trouble> {
        let body = json!({"data": {"values": values}});
        let whole = |fault| Trouble { fault, property: None };
        let reply = self.caller.send(Method::PUT, path, query, Some(&body)).await.map_err(whole)?;
        if !reply.is_success() {
            return Err(faults::fault(&reply, &self.told(values)));
        }
        let data = reply.read().map_err(whole)?.get("data").unwrap_or(&Json::Null);
        match text_at(data, &["id", "record_id"]) {
            Some(id) => {
                let at_ms = written_at(&reply, data, values);
                Ok(Landed::Written { record: id.into_owned(), created, at_ms })
            }
            None => Err(whole(Fault::sent(Class::Unexpected, "the answer names no record"))),
        }
    }

    fn told(&self, values: &Map<String, Json>) -> Told {
        let parts = values.values().filter_map(Json::as_array).flatten().filter_map(Json::as_object);
        Told::of(self.push, parts.flat_map(Map::values).filter_map(Json::as_str))
    }
}

/// The fault of a step that wrote nothing.
fn only_read(fault: Fault) -> Trouble {
    Trouble { fault: Fault { sent: false, ..fault }, property: None }
}

/// The latest moment from which one of the written values holds; for a cleared one, which has no such moment, that of
/// the answer.
fn written_at(reply: &Reply, data: &Json, values: &Map<String, Json>) -> Option<i64> {
    let present = data.get("values").unwrap_or(&Json::Null);
    let moments = values.keys().map(|attribute| {
        let from = list_at(present, attribute).iter().filter_map(|value| text_at(value, &["active_from"]));
        let from = from.filter_map(|at| forms::moment(&at)).map(ms);
        from.max().or_else(|| reply.date_ms())
    });
    moments.flatten().max()
}
