//! Calls about one record, the list of all, and what only some objects have: merges and privacy deletions.

use serde_json::{Map, Value, json};

use super::desk::{Answer, Desk, body};
use super::kind::Kind;
use super::portal::without_steps_back;
use super::refusal::Refusal;
use super::{associations, batch, checks, search};
use crate::fakes::server::{Call, Reply};

/// `/crm/objects/{version}/{objectType}/…`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, kind: Kind, rest: &[&str]) -> Answer {
    match (call.method.as_str(), rest) {
        ("GET", []) => list(desk, call, kind),
        ("POST", []) => create(desk, call, kind),
        ("POST", ["batch", verb]) => batch::answer(desk, call, kind, verb),
        ("POST", ["search"]) => search::answer(desk, call, kind),
        ("POST", ["merge"]) if kind.is_core() => merge(desk, call, kind),
        ("POST", ["gdpr-delete"]) if kind == Kind::Contact => privacy_delete(desk, call),
        ("GET", [id]) => read(desk, call, kind, id),
        ("PATCH", [id]) => update(desk, call, kind, id),
        ("DELETE", [id]) => archive(desk, kind, id),
        (_, [id, "associations", rest @ ..]) => associations::of_record(desk, call, (kind, id), rest),
        _ => Err(Refusal::not_found("resource not found")),
    }
}

fn list(desk: &Desk<'_>, call: &Call, kind: Kind) -> Answer {
    let wanted = desk.known(kind, call.list("properties"));
    let with_history = desk.known(kind, call.list("propertiesWithHistory"));
    let most = if with_history.is_empty() { 100 } else { 50 };
    let limit: usize = call.parameter("limit").map_or(Ok(10), str::parse).unwrap_or(usize::MAX);
    if limit == 0 || limit > most {
        return Err(Refusal::invalid(format!("The limit must be between 1 and {most}")));
    }
    let after: u64 =
        call.parameter("after").map_or(Ok(0), str::parse).map_err(|_| Refusal::invalid("Invalid after"))?;
    let archived = call.parameter("archived") == Some("true");
    let records = desk.portal.records(kind).records.range(after..).map(|(_, record)| record);
    let lists_any = !desk.portal.lists_nothing;
    let mut page = records.filter(|record| lists_any && record.archived_ms.is_some() == archived);
    let results: Vec<Value> = page
        .by_ref()
        .take(limit)
        .map(|record| {
            let mut shown = record.shown(kind, &wanted, &with_history, i64::MAX);
            add_associations(desk, call, kind, record.id, &mut shown);
            Value::Object(shown)
        })
        .collect();
    let mut body = json!({"results": results});
    if let Some(next) = page.next() {
        body["paging"] = json!({"next": {"after": next.id.to_string(), "link": ""}});
    }
    Ok(Reply::json(200, body))
}

fn create(desk: &mut Desk<'_>, call: &Call, kind: Kind) -> Answer {
    let body = body(call)?;
    let id = batch::create_one(desk, kind, &body)?;
    Ok(written(desk, kind, id, 201, &body))
}

fn read(desk: &Desk<'_>, call: &Call, kind: Kind, id: &str) -> Answer {
    let archived = call.parameter("archived") == Some("true");
    let record = if archived {
        let record = id.parse().ok().and_then(|id| desk.portal.records(kind).any(id));
        record.filter(|record| record.archived_ms.is_some())
    } else {
        desk.find(kind, id, call.parameter("idProperty"))?
    };
    let record = record.ok_or_else(|| not_found(id))?;
    let wanted = desk.known(kind, call.list("properties"));
    let with_history = desk.known(kind, call.list("propertiesWithHistory"));
    let mut shown = record.shown(kind, &wanted, &with_history, i64::MAX);
    add_associations(desk, call, kind, record.id, &mut shown);
    Ok(Reply::json(200, Value::Object(shown)))
}

fn update(desk: &mut Desk<'_>, call: &Call, kind: Kind, id: &str) -> Answer {
    let body = body(call)?;
    let record = desk.find(kind, id, call.parameter("idProperty"))?.ok_or_else(|| not_found(id))?.id;
    let mut values = checks::values(desk.portal, kind, body.get("properties"))?;
    batch::clash(desk.portal, kind, &values, Some(record))?;
    without_steps_back(desk.portal, kind, record, &mut values);
    desk.portal.write(kind, record, &values, desk.now, &desk.writer);
    Ok(written(desk, kind, record, 200, &body))
}

/// An archived record is archived already; one that never was is not found.
fn archive(desk: &mut Desk<'_>, kind: Kind, id: &str) -> Answer {
    let known = id.parse().ok().filter(|id| desk.portal.records(kind).any(*id).is_some());
    let known: u64 = known.ok_or_else(|| not_found(id))?;
    desk.portal.archive(kind, known, desk.now, &desk.writer);
    Ok(Reply::empty().touching([id.to_owned()]))
}

fn merge(desk: &mut Desk<'_>, call: &Call, kind: Kind) -> Answer {
    let body = body(call)?;
    let id = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (primary, other) = (id("primaryObjectId"), id("objectIdToMerge"));
    let (first, second) = (desk.end(kind, &primary)?.1, desk.end(kind, &other)?.1);
    let merged = desk.portal.merge(kind, first, second, desk.now, &desk.writer);
    let merged = merged.ok_or_else(|| Refusal::invalid("Cannot merge an object with itself"))?;
    let reply = written(desk, kind, merged, 200, &json!({}));
    Ok(reply.touching([primary, other]))
}

fn privacy_delete(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let body = body(call)?;
    let id = body.get("objectId").and_then(Value::as_str).unwrap_or_default();
    let property = body.get("idProperty").and_then(Value::as_str);
    let record = desk.find(Kind::Contact, id, property)?.ok_or_else(|| not_found(id))?.id;
    desk.portal.privacy_delete(record, desk.now, &desk.writer);
    Ok(Reply::empty().touching([record.to_string()]))
}

/// A record after a write: what was written, and what `HubSpot` keeps itself.
fn written(desk: &Desk<'_>, kind: Kind, id: u64, status: u16, body: &Value) -> Reply {
    Reply::json(status, batch::shown_after(desk, kind, id, body)).touching([id.to_string()])
}

fn add_associations(desk: &Desk<'_>, call: &Call, kind: Kind, id: u64, shown: &mut Map<String, Value>) {
    let mut all = Map::new();
    for to in call.list("associations").iter().filter_map(|name| Kind::named(name)) {
        let edges = desk.portal.associated((kind, id), to);
        let results: Vec<Value> = edges
            .iter()
            .map(|edge| {
                let name = format!("{}_to_{}", kind.singular(), to.singular());
                json!({"id": edge.to.1.to_string(), "type": name})
            })
            .collect();
        if !results.is_empty() {
            all.insert(to.plural().to_owned(), json!({"results": results}));
        }
    }
    if !all.is_empty() {
        shown.insert("associations".to_owned(), Value::Object(all));
    }
}

fn not_found(id: &str) -> Refusal {
    Refusal::not_found("Object not found.  objectId are usually numeric.").with("id", vec![id.to_owned()])
}
