//! Meetings as notes on people: made once, then updated (<https://docs.attio.com/rest-api/endpoint-reference/notes>).
//!
//! A note has no attributes of one's own and its creation no key by which a second one is refused. So the note's last line
//! names the row that it is of, by which one is found whose answer was lost.

use std::sync::OnceLock;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::faults::{self, Trouble};
use super::schema::pages_of;
use super::{AT_A_TIME, Caller, slug};
use crate::sync::crm::{Answer, Client, Landed, Pace, Property, Push, Seen};
use crate::sync::fault::{Class, Fault};
use crate::sync::wire::{self, text_at};
use crate::sync::wording::Told;
use crate::sync::{forms, note};
use crate::tables::{Form, Object};

/// The most notes of a page.
const PAGE: usize = 50;

/// The title of a note of a meeting that has none.
const UNTITLED: &str = "Meeting";

/// What a note has; it is the same in every workspace.
pub(in crate::sync) fn properties() -> Vec<Property> {
    let property = |(name, label): (&str, &str)| Property {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: "text".to_owned(),
        read_only: false,
        unique: false,
        multiple: false,
        options: Vec::new(),
        object_id: None,
    };
    [("title", "Title"), ("content", "Content"), ("parent_record_id", "Person")].map(property).into()
}

/// Looks whether the token may write notes.
pub(in crate::sync) async fn prepare(client: &Client, token: &SecretString) -> Result<(), Fault> {
    let body = caller(client, token).ask(&["self"], &[]).await?;
    match text_at(&body, &["scope"]) {
        Some(scopes) if !scopes.split_whitespace().any(|scope| scope == "note:read-write") => {
            Err(Fault::unsent(Class::Forbidden, "the token has not the scope note:read-write"))
        }
        _ => Ok(()),
    }
}

/// Writes notes. A fault that is of the whole connection ends the call.
pub(in crate::sync) async fn push(
    client: &Client,
    token: &SecretString,
    pushes: &[Push],
) -> Result<Answer<Vec<Landed>>, Fault> {
    let caller = caller(client, token);
    let stop = OnceLock::new();
    let writes = pushes.iter().map(|push| {
        let stop = &stop;
        async move { super::push::unless(stop, push, write(caller, push)).await }
    });
    let landed = wire::at_most(AT_A_TIME, writes.collect()).await;
    super::push::answer(landed, stop)
}

/// The notes of these rows among those of their people.
pub(in crate::sync) async fn find(
    client: &Client,
    token: &SecretString,
    rows: &[(Uuid, Option<String>)],
) -> Result<Answer<Vec<(Uuid, String)>>, Fault> {
    let caller = caller(client, token);
    let mut found = Vec::new();
    for (row, person) in rows {
        let Some(person) = person else { continue };
        let parent = [("parent_object", slug(Object::Contact)), ("parent_record_id", person)];
        let notes = match pages_of(&caller, &["notes"], &parent, PAGE).await {
            Err(fault) if fault.class == Class::Missing => continue,
            notes => notes?,
        };
        let id = notes.iter().find(|note| of(note) == Some(*row)).and_then(id);
        found.extend(id.map(|id| (*row, id)));
    }
    Ok(Answer { value: found, pace: Pace::default() })
}

/// The notes that are there; of what they say nothing is read.
pub(in crate::sync) async fn read(
    client: &Client,
    token: &SecretString,
    notes: &[String],
) -> Result<Answer<Vec<Seen>>, Fault> {
    let caller = caller(client, token);
    let mut seen = Vec::new();
    for name in notes {
        let note = match caller.ask(&["notes", name], &[]).await {
            Err(fault) if fault.class == Class::Missing => continue,
            body => body?.get("data").cloned().unwrap_or_default(),
        };
        seen.push(Seen {
            record: name.clone(),
            row: of(&note),
            archived: false,
            modified_ms: None,
            merged: Vec::new(),
            columns: Vec::new(),
        });
    }
    Ok(Answer { value: seen, pace: Pace::default() })
}

fn caller<'a>(client: &'a Client, token: &'a SecretString) -> Caller<'a> {
    Caller { client, token, object: Object::Meeting }
}

async fn write(caller: Caller<'_>, push: &Push) -> Result<Landed, Trouble> {
    let mut data = Map::new();
    for (mapped, value) in &push.cells {
        match (mapped.form, value) {
            // Whose note it is cannot be changed.
            (Form::Person, _) => {}
            (Form::Note, _) => {
                let content = format!("{}\n\n{}", note::plain(push), mark(push.row));
                data.insert("format".to_owned(), json!("plaintext"));
                data.insert(mapped.property.clone(), json!(content.trim_start()));
            }
            (_, Some(value)) => drop(data.insert(mapped.property.clone(), json!(forms::text(value)))),
            (_, None) => drop(data.insert(mapped.property.clone(), json!(UNTITLED))),
        }
    }
    let (method, path) = match &push.record {
        Some(id) if data.is_empty() => {
            return Ok(Landed::Written { record: id.clone(), created: false, at_ms: None });
        }
        Some(id) => (Method::PATCH, vec!["notes", id.as_str()]),
        None => {
            data.entry("title").or_insert(json!(UNTITLED));
            data.insert("parent_object".to_owned(), json!(slug(Object::Contact)));
            data.insert("parent_record_id".to_owned(), json!(push.associate));
            (Method::POST, vec!["notes"])
        }
    };
    let values: Vec<String> = data.values().filter_map(Json::as_str).map(str::to_owned).collect();
    let reply = caller.send(method, &path, &[], Some(&json!({ "data": data }))).await.map_err(whole)?;
    if !reply.is_success() {
        return Err(faults::fault(&reply, &Told::of(push, values.iter().map(String::as_str))));
    }
    let data = reply.read().map_err(whole)?.get("data").unwrap_or(&Json::Null);
    let record = id(data).ok_or_else(|| whole(Fault::sent(Class::Unexpected, "the answer names no note")))?;
    Ok(Landed::Written { record, created: push.record.is_none(), at_ms: reply.date_ms() })
}

fn whole(fault: Fault) -> Trouble {
    Trouble { fault, property: None }
}

fn id(note: &Json) -> Option<String> {
    text_at(note, &["id", "note_id"]).map(std::borrow::Cow::into_owned)
}

/// The last line of a note of ours.
fn mark(row: Uuid) -> String {
    format!("opstables {row}")
}

/// The row that a note is of.
fn of(note: &Json) -> Option<Uuid> {
    let content = text_at(note, &["content_plaintext"])?;
    let last = content.lines().rev().find_map(|line| line.trim().strip_prefix("opstables "))?;
    Uuid::try_parse(last.trim()).ok()
}
