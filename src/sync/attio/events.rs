//! What a webhook delivery holds: <https://docs.attio.com/rest-api/guides/webhooks>. Ids alone, neither values nor times.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::sync::receive::{Event, Events, Known, LeftOut, Refused};
use crate::sync::wire::text_at;
use crate::tables::Object;

/// What may happen to a record; other types are not followed.
const FOLLOWED: &[&str] = &["record.created", "record.updated", "record.deleted", "record.merged"];

/// The events of a body, `{"webhook_id": …, "events": […]}`. `key` is the same whenever the delivery is sent again.
pub(in crate::sync) fn events(known: &Known, key: &str, mut body: Json) -> Result<Events, Refused> {
    let Some(Json::Array(events)) = body.get_mut("events").map(Json::take) else {
        return Err(Refused::NotReadable);
    };
    Ok(events.into_iter().enumerate().map(|(place, event)| read(known, (key, place), event)).collect())
}

fn read(known: &Known, (key, place): (&str, usize), event: Json) -> Result<Event, LeftOut> {
    if text_at(&event, &["id", "workspace_id"]).as_deref() != Some(known.account.as_str()) {
        return Err(LeftOut::WrongAccount);
    }
    let (object, record_id) = subject(known, &event).ok_or(LeftOut::NotFollowed)?;
    let dedupe_key = hex::encode(Sha256::digest(format!("{place}|{key}")));
    Ok(Event { object, record_id, dedupe_key, raw: event })
}

/// The record that an event is about; of a merge, the one that is left.
fn subject(known: &Known, event: &Json) -> Option<(Object, String)> {
    let kind = text_at(event, &["event_type"])?;
    let record_id = text_at(event, &["id", "record_id"])?.into_owned();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !FOLLOWED.contains(&kind.as_ref())
        || record_id.is_empty()
        || record_id.len() > 64
        || !record_id.chars().all(fits)
    {
        return None;
    }
    Some((object(known, &text_at(event, &["id", "object_id"])?)?, record_id))
}

/// An object is named by its id; the slug is understood as well.
fn object(known: &Known, id: &str) -> Option<Object> {
    match id {
        "people" => Some(Object::Contact),
        "companies" => Some(Object::Company),
        _ => known.objects.iter().find(|(known, _)| known == id).map(|(_, object)| *object),
    }
}
