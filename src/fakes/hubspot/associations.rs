//! What belongs together: associations and the calls that make, read and remove them.

use serde_json::{Value, json};

use super::checks::Values;
use super::desk::{Answer, Desk, body, inputs};
use super::kind::Kind;
use super::portal::Portal;
use super::records::Writer;
use super::refusal::Refusal;
use crate::fakes::server::{Call, Reply};

/// One way of an association; every one has its other way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: (Kind, u64),
    pub(super) to: (Kind, u64),
    pub(super) primary: bool,
}

impl Edge {
    pub(super) fn touches(&self, kind: Kind, id: u64) -> bool {
        self.from == (kind, id) || self.to == (kind, id)
    }

    /// The same association after a merge.
    pub(super) fn moved(&self, kind: Kind, gone: &[u64], id: u64) -> Edge {
        let end = |(end_kind, end_id): (Kind, u64)| {
            if end_kind == kind && gone.contains(&end_id) { (kind, id) } else { (end_kind, end_id) }
        };
        Edge { from: end(self.from), to: end(self.to), primary: self.primary }
    }

    fn types(&self) -> Vec<i64> {
        let (plain, primary) = type_ids(self.from.0, self.to.0);
        std::iter::once(plain).chain(primary.filter(|_| self.primary)).collect()
    }
}

/// The type of an association without a label, and that of the primary one where there is one.
fn type_ids(from: Kind, to: Kind) -> (i64, Option<i64>) {
    match (from, to) {
        (Kind::Contact, Kind::Company) => (279, Some(1)),
        (Kind::Company, Kind::Contact) => (280, Some(2)),
        (Kind::Contact, Kind::Deal) => (4, None),
        (Kind::Deal, Kind::Contact) => (3, None),
        (Kind::Deal, Kind::Company) => (341, Some(5)),
        (Kind::Company, Kind::Deal) => (342, Some(6)),
        (Kind::Note, Kind::Contact) => (202, None),
        (Kind::Contact, Kind::Note) => (201, None),
        (Kind::Note, Kind::Company) => (190, None),
        (Kind::Company, Kind::Note) => (189, None),
        (Kind::Note, Kind::Deal) => (214, None),
        (Kind::Deal, Kind::Note) => (213, None),
        (Kind::Meeting, Kind::Contact) => (200, None),
        (Kind::Contact, Kind::Meeting) => (199, None),
        (Kind::Meeting, Kind::Company) => (188, None),
        (Kind::Company, Kind::Meeting) => (187, None),
        (Kind::Meeting, Kind::Deal) => (212, None),
        (Kind::Deal, Kind::Meeting) => (211, None),
        (Kind::Task, Kind::Contact) => (204, None),
        (Kind::Contact, Kind::Task) => (203, None),
        (Kind::Task, Kind::Company) => (192, None),
        (Kind::Company, Kind::Task) => (191, None),
        (Kind::Task, Kind::Deal) => (216, None),
        (Kind::Deal, Kind::Task) => (215, None),
        _ => (450, None),
    }
}

impl Portal {
    /// Associates two records both ways; the first company of a contact or deal becomes its primary one, and a later one
    /// takes its place if that is asked for. Doing it again changes nothing.
    pub(super) fn associate(
        &mut self,
        [from, to]: [(Kind, u64); 2],
        as_primary: bool,
        now: i64,
        writer: &Writer,
    ) {
        let (owner, company) = if from.0 == Kind::Company { (to, from) } else { (from, to) };
        let can_be_primary = company.0 == Kind::Company && matches!(owner.0, Kind::Contact | Kind::Deal);
        let before = self.edges.iter().find(|edge| edge.from == owner && edge.primary).map(|edge| edge.to);
        let primary = can_be_primary && (as_primary || before.is_none());
        if self.edge(from, to).is_some_and(|edge| edge.primary || !primary) {
            return;
        }
        if let Some(before) = before.filter(|_| primary) {
            for [from, to] in [[owner, before], [before, owner]] {
                self.edges.remove(&Edge { from, to, primary: true });
                self.edges.insert(Edge { from, to, primary: false });
            }
        }
        for [from, to] in [[from, to], [to, from]] {
            self.edges.remove(&Edge { from, to, primary: false });
            self.edges.insert(Edge { from, to, primary });
            self.events.association([from, to], primary, false, now, writer);
        }
        if primary {
            self.name_company(owner, &company.1.to_string(), now, writer);
        }
    }

    /// A contact names its primary company in a property that `HubSpot` keeps.
    fn name_company(&mut self, owner: (Kind, u64), company: &str, now: i64, writer: &Writer) {
        if owner.0 == Kind::Contact {
            let values = Values::from([("associatedcompanyid".to_owned(), company.to_owned())]);
            self.write(Kind::Contact, owner.1, &values, now, writer);
        }
    }

    pub(super) fn dissociate(&mut self, from: (Kind, u64), to: (Kind, u64), now: i64, writer: &Writer) {
        for [from, to] in [[from, to], [to, from]] {
            if let Some(edge) = self.edge(from, to).cloned() {
                self.edges.remove(&edge);
                self.events.association([from, to], edge.primary, true, now, writer);
                if edge.primary && edge.to.0 == Kind::Company {
                    self.name_company(edge.from, "", now, writer);
                }
            }
        }
    }

    /// The live records of a kind that one is associated with.
    pub(super) fn associated(&self, from: (Kind, u64), to: Kind) -> Vec<&Edge> {
        let live = |edge: &&Edge| self.records(to).live(edge.to.1).is_some();
        self.edges.iter().filter(|edge| edge.from == from && edge.to.0 == to).filter(live).collect()
    }

    fn edge(&self, from: (Kind, u64), to: (Kind, u64)) -> Option<&Edge> {
        self.edges.iter().find(|edge| edge.from == from && edge.to == to)
    }
}

/// `/crm/objects/{version}/{from}/{fromId}/associations/…`
pub(super) fn of_record(desk: &mut Desk<'_>, call: &Call, from: (Kind, &str), rest: &[&str]) -> Answer {
    let (kind, id) = from;
    let (to, to_id) = match (call.method.as_str(), rest) {
        ("GET", [to]) => {
            let from = desk.end(kind, id)?;
            let to = named(to)?;
            let results: Vec<Value> = desk.portal.associated(from, to).into_iter().map(target).collect();
            return Ok(Reply::json(200, json!({"results": results})));
        }
        ("PUT", ["default", to, to_id]) | ("PUT" | "DELETE", [to, to_id]) => (named(to)?, *to_id),
        _ => return Err(Refusal::not_found("resource not found")),
    };
    let (from, to) = (desk.end(kind, id)?, desk.end(to, to_id)?);
    let touched = [from.1.to_string(), to.1.to_string()];
    if call.method == "DELETE" {
        desk.portal.dissociate(from, to, desk.now, &desk.writer);
        return Ok(Reply::empty().touching(touched));
    }
    let as_primary = rest.first() != Some(&"default") && asks_for_primary(&body(call)?, [from.0, to.0]);
    desk.portal.associate([from, to], as_primary, desk.now, &desk.writer);
    if rest.first() == Some(&"default") {
        let results = made(desk, from, to);
        return Ok(Reply::json(200, desk.complete(results, Vec::new())).touching(touched));
    }
    Ok(Reply::json(201, labelled(desk, from, to)).touching(touched))
}

/// An association as the calls answer that make it with its types.
fn labelled(desk: &Desk<'_>, from: (Kind, u64), to: (Kind, u64)) -> Value {
    let is_primary = desk.portal.edge(from, to).is_some_and(|edge| edge.primary);
    json!({
        "fromObjectTypeId": from.0.type_id(),
        "fromObjectId": from.1.to_string(),
        "toObjectTypeId": to.0.type_id(),
        "toObjectId": to.1.to_string(),
        "labels": if is_primary { vec!["Primary"] } else { Vec::new() },
    })
}

/// Whether the types that an association is to have are those of the primary company.
fn asks_for_primary(types: &Value, kinds: [Kind; 2]) -> bool {
    let (_, primary) = type_ids(kinds[0], kinds[1]);
    let mut types = types.as_array().into_iter().flatten();
    primary.is_some() && types.any(|kind| kind.get("associationTypeId").and_then(Value::as_i64) == primary)
}

/// `POST /crm/associations/{version}/{from}/{to}/batch/…`
pub(super) fn batch(desk: &mut Desk<'_>, call: &Call, kinds: [&str; 2], verb: &[&str]) -> Answer {
    let (from, to) = (named(kinds[0])?, named(kinds[1])?);
    let most = match verb {
        ["read"] => 1000,
        ["create"] | ["associate", "default"] => 2000,
        ["archive"] => 100,
        _ => return Err(Refusal::not_found("resource not found")),
    };
    let body = body(call)?;
    let inputs = inputs(&body, most)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in &inputs {
        match row(desk, input, from, to, verb) {
            Ok(mut made) => results.append(&mut made),
            Err(refusal) => errors.push(refusal.row()),
        }
    }
    desk.dice.shuffle(&mut results);
    let status = match (errors.is_empty(), verb) {
        (false, _) => 207,
        (true, ["archive"]) => return Ok(Reply::empty()),
        (true, ["create"]) => 201,
        (true, _) => 200,
    };
    Ok(Reply::json(status, desk.complete(results, errors)))
}

fn row(
    desk: &mut Desk<'_>,
    input: &Value,
    from: Kind,
    to: Kind,
    verb: &[&str],
) -> Result<Vec<Value>, Refusal> {
    let id = |value: &Value| value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if verb == ["read"] {
        let from = desk.end(from, &id(input))?;
        let targets: Vec<Value> = desk.portal.associated(from, to).into_iter().map(target).collect();
        return Ok(vec![json!({"from": {"id": from.1.to_string()}, "to": targets})]);
    }
    let from = desk.end(from, &id(input.get("from").unwrap_or(&Value::Null)))?;
    let targets = match input.get("to") {
        Some(Value::Array(targets)) => targets.iter().map(id).collect(),
        Some(target) => vec![id(target)],
        None => Vec::new(),
    };
    let mut results = Vec::new();
    for target in targets {
        let to = desk.end(to, &target)?;
        if verb == ["archive"] {
            desk.portal.dissociate(from, to, desk.now, &desk.writer);
        } else {
            let types = input.get("types").unwrap_or(&Value::Null);
            desk.portal.associate(
                [from, to],
                asks_for_primary(types, [from.0, to.0]),
                desk.now,
                &desk.writer,
            );
            match verb {
                ["create"] => results.push(labelled(desk, from, to)),
                _ => results.append(&mut made(desk, from, to)),
            }
        }
    }
    Ok(results)
}

fn made(desk: &Desk<'_>, from: (Kind, u64), to: (Kind, u64)) -> Vec<Value> {
    let types = desk.portal.edge(from, to).map(Edge::types).unwrap_or_default();
    types
        .iter()
        .map(|type_id| {
            json!({
                "from": {"id": from.1.to_string()},
                "to": {"id": to.1.to_string()},
                "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id},
            })
        })
        .collect()
}

fn target(edge: &Edge) -> Value {
    let (plain, _) = type_ids(edge.from.0, edge.to.0);
    let types: Vec<Value> = edge
        .types()
        .into_iter()
        .map(|type_id| {
            let label = if type_id == plain { Value::Null } else { json!("Primary") };
            json!({"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": label})
        })
        .collect();
    json!({"toObjectId": edge.to.1, "associationTypes": types})
}

fn named(kind: &str) -> Result<Kind, Refusal> {
    Kind::named(kind).ok_or_else(|| Refusal::invalid(format!("Unable to infer object type from: {kind}")))
}
