//! Reads records with the history of their properties.

use std::collections::HashMap;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Caller, ROW_PROPERTY, faults, values};
use crate::sync::crm::{Answer, Client, Mapped, Pace, Past, Seen, Writer, ms};
use crate::sync::fault::{Class, Fault};
use crate::sync::forms;
use crate::sync::wire::{list_at, text_at};
use crate::tables::{Form, Object};

/// The most records whose history is read at once: half of what is read without it.
pub(super) const WITH_HISTORY: usize = 50;

/// The properties that are read besides the mapped ones.
pub(super) const SHOWN: [&str; 2] = [ROW_PROPERTY, "hs_merged_object_ids"];

/// The id of the company that a contact is associated with first; its history tells since when.
const COMPANY_OF_CONTACT: &str = "associatedcompanyid";

/// The records by their ids, in no promised order: live ones, then archived ones. A record that was merged comes
/// back under the id that it has now.
pub(in crate::sync) async fn read(
    client: &Client,
    token: &SecretString,
    object: Object,
    records: &[String],
    mapped: &[Mapped],
    writer: Option<&str>,
) -> Result<Answer<Vec<Seen>>, Fault> {
    let caller = Caller { client, token, object };
    let (mut raw, mut pace) = (Vec::new(), Pace::default());
    for ids in records.chunks(WITH_HISTORY) {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let live = page(&caller, &ids, mapped, false, &mut pace).await?;
        let is_seen = |id: &&&str| live.iter().any(|record| names(record, id));
        let missing: Vec<&str> = ids.iter().filter(|id| !is_seen(id)).copied().collect();
        raw.extend(live.into_iter().map(|record| (record, false)));
        if !missing.is_empty() {
            let archived = page(&caller, &missing, mapped, true, &mut pace).await?;
            raw.extend(archived.into_iter().map(|record| (record, true)));
        }
    }
    let seen = seen(&caller, &raw, mapped, writer, &mut pace).await?;
    Ok(Answer { value: seen, pace })
}

/// The records as they were answered, each with whether it is archived.
pub(super) async fn seen(
    caller: &Caller<'_>,
    raw: &[(Json, bool)],
    mapped: &[Mapped],
    writer: Option<&str>,
    pace: &mut Pace,
) -> Result<Vec<Seen>, Fault> {
    let companies = companies(caller, raw, mapped, writer, pace).await?;
    let reader = Reader { object: caller.object, mapped, writer, companies };
    Ok(raw.iter().filter_map(|(record, archived)| reader.seen(record, *archived)).collect())
}

/// The properties whose history is read.
pub(super) fn with_history(mapped: &[Mapped]) -> Vec<&str> {
    let mut history: Vec<&str> = mapped.iter().map(|mapped| mapped.property.as_str()).collect();
    if mapped.iter().any(|mapped| mapped.form == Form::CompanyName) {
        history.push(COMPANY_OF_CONTACT);
    }
    history.sort_unstable();
    history.dedup();
    history
}

/// Whether it is the record of that id, now or before it was merged.
fn names(record: &Json, id: &str) -> bool {
    text_at(record, &["id"]).is_some_and(|own| own == id) || merged(record).iter().any(|other| other == id)
}

/// The ids of the records that were merged into it.
fn merged(record: &Json) -> Vec<String> {
    let ids = text_at(record, &["properties", "hs_merged_object_ids"]).unwrap_or_default();
    ids.split(';').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

async fn page(
    caller: &Caller<'_>,
    ids: &[&str],
    mapped: &[Mapped],
    archived: bool,
    pace: &mut Pace,
) -> Result<Vec<Json>, Fault> {
    let body = json!({
        "inputs": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(),
        "properties": SHOWN,
        "propertiesWithHistory": with_history(mapped),
    });
    let verb = if archived { "batch/read?archived=true" } else { "batch/read" };
    let reply = match caller.ask(caller.object, verb, &body).await {
        // All of them are missing.
        Err(fault) if fault.class == Class::Missing => return Ok(Vec::new()),
        answered => answered?,
    };
    *pace = faults::pace(&reply);
    Ok(list_at(reply.read()?, "results").to_vec())
}

/// The names of the companies that the contacts are associated with, by their ids.
async fn companies(
    caller: &Caller<'_>,
    raw: &[(Json, bool)],
    mapped: &[Mapped],
    writer: Option<&str>,
    pace: &mut Pace,
) -> Result<HashMap<String, Vec<Past>>, Fault> {
    let Some(mapped) = mapped.iter().find(|mapped| mapped.form == Form::CompanyName) else {
        return Ok(HashMap::new());
    };
    let mut ids: Vec<String> =
        raw.iter().filter_map(|(record, _)| company_of(record)).map(|(id, _)| id).collect();
    ids.retain(|id| !id.is_empty());
    ids.sort();
    ids.dedup();
    let name = Mapped { property: "name".to_owned(), ..mapped.clone() };
    let mut names = HashMap::new();
    for ids in ids.chunks(WITH_HISTORY) {
        let inputs: Vec<Json> = ids.iter().map(|id| json!({ "id": id })).collect();
        let body = json!({"inputs": inputs, "properties": [], "propertiesWithHistory": ["name"]});
        let reply = match caller.ask(Object::Company, "batch/read", &body).await {
            Err(fault) if fault.class == Class::Missing => continue,
            answered => answered?,
        };
        *pace = faults::pace(&reply);
        for company in list_at(reply.read()?, "results") {
            if let Some(id) = text_at(company, &["id"]) {
                names.insert(id.into_owned(), timeline(caller.object, &name, company, writer));
            }
        }
    }
    Ok(names)
}

/// The associated company's id and the entry of its history that says so; an empty id where it was taken away.
fn company_of(record: &Json) -> Option<(String, &Json)> {
    let history = record.get("propertiesWithHistory")?.get(COMPANY_OF_CONTACT)?.as_array()?;
    let latest = history.iter().max_by_key(|entry| at_ms(entry))?;
    Some((text_at(latest, &["value"])?.into_owned(), latest))
}

struct Reader<'a> {
    object: Object,
    mapped: &'a [Mapped],
    writer: Option<&'a str>,
    companies: HashMap<String, Vec<Past>>,
}

impl Reader<'_> {
    fn seen(&self, record: &Json, archived: bool) -> Option<Seen> {
        let time = |key: &str| text_at(record, &[key]).and_then(|at| forms::moment(&at));
        let id = text_at(record, &["id"])?.into_owned();
        let columns = self.mapped.iter().map(|mapped| {
            let past = match mapped.form {
                Form::RecordId => {
                    time("createdAt").map(|at| self.own_id(mapped, &id, ms(at))).unwrap_or_default()
                }
                Form::CompanyName => self.company(mapped, record),
                _ => timeline(self.object, mapped, record, self.writer),
            };
            (mapped.column.clone(), past)
        });
        let archived = archived || record.get("archived").and_then(Json::as_bool).unwrap_or(false);
        let modified = time("archivedAt").filter(|_| archived).max(time("updatedAt"));
        Some(Seen {
            row: text_at(record, &["properties", ROW_PROPERTY]).and_then(|row| Uuid::try_parse(&row).ok()),
            archived,
            modified_ms: modified.map(ms),
            merged: merged(record),
            columns: columns.collect(),
            record: id,
        })
    }

    fn own_id(&self, mapped: &Mapped, id: &str, at_ms: i64) -> Vec<Past> {
        let value = values::read(self.object, mapped, id).unwrap_or_default();
        vec![Past { value, at_ms, by: Writer::Unknown }]
    }

    /// The name of the associated company: since the later of the association and the name. Without one the contact's own
    /// text counts, again since the association was taken away.
    fn company(&self, mapped: &Mapped, record: &Json) -> Vec<Past> {
        let mut own = timeline(self.object, mapped, record, self.writer);
        let Some((id, association)) = company_of(record) else { return own };
        let name = self.companies.get(&id).and_then(|names| names.last());
        let value = match name {
            Some(name) => name.value.clone(),
            None if id.is_empty() => own.last().and_then(|last| last.value.clone()),
            None => return own,
        };
        let since = at_ms(association).map(|at_ms| Past { value, at_ms, by: by(association, self.writer) });
        match (name, since) {
            (Some(name), Some(since)) if since.at_ms > name.at_ms => vec![since],
            (Some(name), _) => vec![name.clone()],
            (None, since) => {
                let latest_ms = own.last().map_or(i64::MIN, |last| last.at_ms);
                own.extend(since.filter(|since| since.at_ms > latest_ms));
                own
            }
        }
    }
}

/// A property's values over time, oldest first. What cannot be read is left out: it is no value of the column.
fn timeline(object: Object, mapped: &Mapped, record: &Json, writer: Option<&str>) -> Vec<Past> {
    let history = record.get("propertiesWithHistory").and_then(|all| all.get(&mapped.property));
    let entries = history.and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let mut past: Vec<Past> = entries
        .iter()
        .rev()
        .filter_map(|entry| {
            let value = values::read(object, mapped, &text_at(entry, &["value"]).unwrap_or_default());
            let (Ok(value), Some(at_ms)) = (value, at_ms(entry)) else {
                tracing::debug!(
                    property = mapped.property,
                    "left out a value of HubSpot that the column cannot hold"
                );
                return None;
            };
            Some(Past { value, at_ms, by: by(entry, writer) })
        })
        .collect();
    // Newest first is what comes, and what happened at one moment keeps its order.
    past.sort_by_key(|past| past.at_ms);
    past
}

fn at_ms(entry: &Json) -> Option<i64> {
    text_at(entry, &["timestamp"]).and_then(|at| forms::moment(&at)).map(ms)
}

fn by(entry: &Json, writer: Option<&str>) -> Writer {
    let (kind, id) = (text_at(entry, &["sourceType"]), text_at(entry, &["sourceId"]));
    writer_of(kind.as_deref(), id.as_deref(), writer)
}

/// Integrations are told by their app's id; people and tools of `HubSpot` by the kind of source and its id.
pub(super) fn writer_of(kind: Option<&str>, id: Option<&str>, ours: Option<&str>) -> Writer {
    match (kind, id) {
        (Some("INTEGRATION" | "API"), Some(id)) if ours == Some(id) => Writer::Us,
        (Some(kind), Some(id)) if !id.is_empty() => Writer::Other(format!("{kind} {id}")),
        (Some(kind), _) if !kind.is_empty() => Writer::Other(kind.to_owned()),
        _ => Writer::Unknown,
    }
}
