//! Notes on records.

use serde_json::{Value, json};

use super::desk::{Answer, Desk, data};
use super::record::Actor;
use super::refusal::Refusal;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::iso_nanos;

const LONGEST_PAGE: usize = 50;

#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) id: String,
    object: usize,
    pub(super) record: String,
    pub(super) title: String,
    pub(super) content: String,
    created_ms: i64,
    actor: Actor,
}

/// `/v2/notes…`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, rest: &[&str]) -> Answer {
    match (call.method.as_str(), rest) {
        ("GET", []) => list(desk, call),
        ("POST", []) => create(desk, &data(call)?),
        ("GET", [id]) => {
            let note = &desk.workspace.notes[place(desk, id)?];
            Ok(Reply::json(200, json!({"data": shown(desk, note)})))
        }
        ("PATCH", [id]) => update(desk, id, &data(call)?),
        ("DELETE", [id]) => {
            let at = place(desk, id)?;
            let note = desk.workspace.notes.remove(at);
            tell(desk, "note.deleted", &note);
            Ok(Reply::json(200, json!({})).touching([note.id]))
        }
        _ => Err(Refusal::no_call()),
    }
}

fn list(desk: &Desk<'_>, call: &Call) -> Answer {
    let number = |name: &str, default: usize| call.parameter(name).map_or(Ok(default), str::parse);
    let (Ok(limit @ 1..=LONGEST_PAGE), Ok(offset)) = (number("limit", 10), number("offset", 0)) else {
        return Err(Refusal::form(format!("limit must be between 1 and {LONGEST_PAGE}")));
    };
    let object = call.parameter("parent_object").and_then(|name| desk.workspace.object(name));
    let record = call.parameter("parent_record_id");
    let of_parent = |note: &&Note| {
        object.is_none_or(|object| note.object == object) && record.is_none_or(|record| note.record == record)
    };
    let notes = desk.workspace.notes.iter().filter(of_parent).skip(offset).take(limit);
    let shown: Vec<Value> = notes.map(|note| shown(desk, note)).collect();
    Ok(Reply::json(200, json!({"data": shown})))
}

fn create(desk: &mut Desk<'_>, data: &Value) -> Answer {
    let text = |field: &str| {
        data[field].as_str().ok_or_else(|| Refusal::form(format!("data.{field} must be a string")))
    };
    if !matches!(text("format")?, "plaintext" | "markdown") {
        return Err(Refusal::form("data.format must be plaintext or markdown"));
    }
    let object = desk.object(text("parent_object")?)?;
    let record = text("parent_record_id")?;
    desk.live(object, record)?;
    let note = Note {
        id: desk.dice.uuid().to_string(),
        object,
        record: record.to_owned(),
        title: text("title")?.to_owned(),
        content: text("content")?.to_owned(),
        created_ms: desk.now,
        actor: desk.actor.clone(),
    };
    tell(desk, "note.created", &note);
    let answer = json!({"data": shown(desk, &note)});
    let touched = [note.id.clone(), note.record.clone()];
    desk.workspace.notes.push(note);
    Ok(Reply::json(200, answer).touching(touched))
}

/// The title, or the content with its format.
fn update(desk: &mut Desk<'_>, id: &str, data: &Value) -> Answer {
    let at = place(desk, id)?;
    if data.get("content").is_some() && !matches!(data["format"].as_str(), Some("plaintext" | "markdown")) {
        return Err(Refusal::form("data.format must come with data.content"));
    }
    let note = &mut desk.workspace.notes[at];
    if let Some(title) = data["title"].as_str() {
        title.clone_into(&mut note.title);
    }
    if let Some(content) = data["content"].as_str() {
        content.clone_into(&mut note.content);
    }
    let note = note.clone();
    tell(desk, "note.updated", &note);
    Ok(Reply::json(200, json!({"data": shown(desk, &note)})).touching([note.id]))
}

fn place(desk: &Desk<'_>, id: &str) -> Result<usize, Refusal> {
    let at = desk.workspace.notes.iter().position(|note| note.id == id);
    at.ok_or_else(|| Refusal::not_found(format!("Note with ID \"{id}\" was not found.")))
}

fn tell(desk: &mut Desk<'_>, what: &str, note: &Note) {
    let object = desk.workspace.objects[note.object].id.clone();
    desk.workspace.events.note(what, &note.id, (&object, &note.record), &desk.actor);
}

fn shown(desk: &Desk<'_>, note: &Note) -> Value {
    json!({
        "id": {"workspace_id": desk.workspace.id, "note_id": note.id},
        "parent_object": desk.workspace.objects[note.object].slug,
        "parent_record_id": note.record,
        "title": note.title,
        "meeting_id": null,
        "content_plaintext": note.content,
        "content_markdown": note.content,
        "tags": [],
        "created_by_actor": note.actor.shown(),
        "created_at": iso_nanos(note.created_ms),
    })
}
