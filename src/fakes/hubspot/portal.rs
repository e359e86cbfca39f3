//! One account: its records, properties and associations, and what happens when a record changes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::associations::Edge;
use super::checks::Values;
use super::defaults;
use super::events::Events;
use super::kind::Kind;
use super::properties::{Property, Type};
use super::records::{Collection, Record, Version, Writer};

/// The ids of a portal's records begin here.
const FIRST_ID: u64 = 101;

#[derive(Debug)]
pub(super) struct Portal {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) app_id: i64,
    pub(super) edges: BTreeSet<Edge>,
    pub(super) events: Events,
    /// Whether lists leave out what is there, as an answer that came to an end too early.
    pub(super) lists_nothing: bool,
    /// In the order of the kinds.
    objects: Vec<Object>,
    next_id: u64,
}

#[derive(Debug)]
struct Object {
    properties: Vec<Property>,
    records: Collection,
}

impl Portal {
    pub(super) fn new(id: i64, name: &str, app_id: i64) -> Portal {
        let object =
            |kind: &Kind| Object { properties: defaults::properties(*kind), records: Collection::default() };
        Portal {
            id,
            name: name.to_owned(),
            app_id,
            edges: BTreeSet::new(),
            events: Events::new(id, app_id),
            lists_nothing: false,
            objects: Kind::ALL.iter().map(object).collect(),
            next_id: FIRST_ID,
        }
    }

    pub(super) fn properties(&self, kind: Kind) -> &[Property] {
        &self.objects[kind as usize].properties
    }

    pub(super) fn property(&self, kind: Kind, name: &str) -> Option<&Property> {
        self.properties(kind).iter().find(|property| property.name == name)
    }

    pub(super) fn define(&mut self, kind: Kind, property: Property) {
        self.object(kind).properties.push(property);
    }

    pub(super) fn undefine(&mut self, kind: Kind, name: &str) {
        self.object(kind).properties.retain(|property| property.name != name);
    }

    /// Whether a record can be named by a value of this property.
    pub(super) fn is_unique(&self, kind: Kind, property: &str) -> bool {
        (kind == Kind::Contact && property == "email")
            || self.property(kind, property).is_some_and(|property| property.unique)
    }

    pub(super) fn records(&self, kind: Kind) -> &Collection {
        &self.objects[kind as usize].records
    }

    /// A new record, without values yet.
    pub(super) fn create(&mut self, kind: Kind, now: i64, writer: &Writer) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let record = Record {
            id,
            created_ms: now,
            updated_ms: now,
            archived_ms: None,
            merged: Vec::new(),
            versions: [].into(),
        };
        self.collection(kind).records.insert(id, record);
        self.events.record(kind, "creation", id, now, writer, &[("changeFlag", "CREATED".into())]);
        id
    }

    /// Gives a record values, and tells of each that changed; what it has already stays as it is.
    pub(super) fn write(&mut self, kind: Kind, id: u64, values: &Values, now: i64, writer: &Writer) {
        let unique: Vec<&String> = values.keys().filter(|name| self.is_unique(kind, name)).collect();
        let collection = self.collection(kind);
        let Some(record) = collection.records.get_mut(&id) else {
            return;
        };
        let changes: Vec<(&String, &String)> = values
            .iter()
            .filter(|(name, value)| record.current(kind, name).unwrap_or_default() != **value)
            .collect();
        if changes.is_empty() {
            return;
        }
        let at_ms = if record.versions.is_empty() { now } else { now.max(record.updated_ms + 1) };
        record.updated_ms = at_ms;
        for (name, value) in &changes {
            let versions = record.versions.entry((*name).clone()).or_default();
            let old = versions.last().map(|version| version.value.to_lowercase()).unwrap_or_default();
            versions.push(Version { value: (*value).clone(), at_ms, writer: writer.clone() });
            if unique.contains(name) {
                collection.unique.remove(&((*name).clone(), old));
                if !value.is_empty() {
                    collection.unique.insert(((*name).clone(), value.to_lowercase()), id);
                }
            }
        }
        for (name, value) in changes {
            let more = [
                ("propertyName", Value::from(name.as_str())),
                ("propertyValue", value.as_str().into()),
                ("isSensitive", false.into()),
            ];
            self.events.record(kind, "propertyChange", id, at_ms, writer, &more);
        }
    }

    /// Moves a record to the archive; whether it was live.
    pub(super) fn archive(&mut self, kind: Kind, id: u64, now: i64, writer: &Writer) -> bool {
        let collection = self.collection(kind);
        let id = collection.resolve(id);
        let Some(record) = collection.records.get_mut(&id).filter(|record| record.archived_ms.is_none())
        else {
            return false;
        };
        record.archived_ms = Some(now);
        collection.unique.retain(|_, owner| *owner != id);
        self.events.record(kind, "deletion", id, now, writer, &[("changeFlag", "DELETED".into())]);
        true
    }

    /// Brings a record back; false when it is not archived, or another one has its unique value by now.
    pub(super) fn restore(&mut self, kind: Kind, id: u64, now: i64, writer: &Writer) -> bool {
        let claims = self.claims(kind, id);
        let collection = self.collection(kind);
        if claims.iter().any(|claim| collection.unique.contains_key(claim)) {
            return false;
        }
        let Some(record) = collection.records.get_mut(&id).filter(|record| record.archived_ms.is_some())
        else {
            return false;
        };
        record.archived_ms = None;
        record.updated_ms = now.max(record.updated_ms + 1);
        collection.unique.extend(claims.into_iter().map(|claim| (claim, id)));
        self.events.record(kind, "restore", id, now, writer, &[]);
        true
    }

    /// Makes a record of two under a new id; both old ids lead to it from then on. The first one's values stand, the
    /// second one's fill what it does not have.
    pub(super) fn merge(
        &mut self,
        kind: Kind,
        primary: u64,
        other: u64,
        now: i64,
        writer: &Writer,
    ) -> Option<u64> {
        let collection = self.collection(kind);
        let (primary, other) = (collection.resolve(primary), collection.resolve(other));
        if primary == other || collection.live(primary).is_none() || collection.live(other).is_none() {
            return None;
        }
        let mut kept = collection.records.remove(&primary)?;
        let gone = collection.records.remove(&other)?;
        let id = self.next_id;
        self.next_id += 1;
        let at_ms = now.max(kept.updated_ms.max(gone.updated_ms) + 1);
        let moved = fill(kind, &mut kept, &gone, at_ms, writer);
        kept.merged.extend([primary, other]);
        kept.merged.extend(gone.merged);
        (kept.id, kept.updated_ms) = (id, at_ms);
        let collection = self.collection(kind);
        collection.records.insert(id, kept);
        collection.redirects.extend([(primary, id), (other, id)]);
        for owner in collection.unique.values_mut().filter(|owner| **owner == primary || **owner == other) {
            *owner = id;
        }
        self.edges = self.edges.iter().map(|edge| edge.moved(kind, &[primary, other], id)).collect();
        let merger = Writer { source: "MERGE_OBJECTS", id: writer.id.clone() };
        let more = [
            ("primaryObjectId", Value::from(primary)),
            ("mergedObjectIds", Value::from(vec![other])),
            ("newObjectId", id.into()),
            ("numberOfPropertiesMoved", moved.into()),
        ];
        self.events.record(kind, "merge", id, at_ms, &merger, &more);
        Some(id)
    }

    /// Removes every trace of a contact.
    pub(super) fn privacy_delete(&mut self, id: u64, now: i64, writer: &Writer) -> bool {
        let collection = self.collection(Kind::Contact);
        let id = collection.resolve(id);
        if collection.records.remove(&id).is_none() {
            return false;
        }
        collection.unique.retain(|_, owner| *owner != id);
        self.edges.retain(|edge| !edge.touches(Kind::Contact, id));
        self.events.record(Kind::Contact, "privacyDeletion", id, now, writer, &[]);
        self.events.record(Kind::Contact, "deletion", id, now, writer, &[("changeFlag", "DELETED".into())]);
        true
    }

    /// The unique values that a record has.
    fn claims(&self, kind: Kind, id: u64) -> Vec<(String, String)> {
        let Some(record) = self.records(kind).any(id) else {
            return Vec::new();
        };
        let unique = record.versions.keys().filter(|name| self.is_unique(kind, name));
        unique.filter_map(|name| Some((name.clone(), record.current(kind, name)?.to_lowercase()))).collect()
    }

    fn object(&mut self, kind: Kind) -> &mut Object {
        &mut self.objects[kind as usize]
    }

    fn collection(&mut self, kind: Kind) -> &mut Collection {
        &mut self.object(kind).records
    }
}

/// Fills what a record does not have from another one; how many properties that was.
fn fill(kind: Kind, kept: &mut Record, gone: &Record, at_ms: i64, writer: &Writer) -> usize {
    let merger = Writer { source: "MERGE_OBJECTS", id: writer.id.clone() };
    let mut moved = 0;
    for (name, versions) in &gone.versions {
        let Some(value) = gone.current(kind, name) else {
            continue;
        };
        match (kept.current(kind, name), kept.versions.get_mut(name)) {
            (Some(own), _) if kind == Kind::Contact && name == "email" && own != value => {
                let more = kept.versions.entry("hs_additional_emails".to_owned()).or_default();
                let known = more.last().map(|version| format!("{};", version.value)).unwrap_or_default();
                more.push(Version { value: format!("{known}{value}"), at_ms, writer: merger.clone() });
            }
            (Some(_), _) => continue,
            (None, Some(own)) => own.push(Version { value, at_ms, writer: merger.clone() }),
            (None, None) => drop(kept.versions.insert(name.clone(), versions.clone())),
        }
        moved += 1;
    }
    moved
}

/// A lifecycle stage moves forward only, unless it is cleared first: a step back is not taken, and nobody is told.
pub(super) fn without_steps_back(portal: &Portal, kind: Kind, id: u64, values: &mut Values) {
    const STAGE: &str = "lifecyclestage";
    let Some(property) = portal.property(kind, STAGE).filter(|property| property.ty == Type::Choice) else {
        return;
    };
    let place = |stage: &str| property.options.iter().position(|(value, _)| value == stage);
    let current = portal.records(kind).live(id).and_then(|record| record.current(kind, STAGE));
    let (Some(current), Some(wanted)) = (current, values.get(STAGE)) else {
        return;
    };
    if place(wanted).is_some_and(|wanted| Some(wanted) < place(&current)) {
        values.remove(STAGE);
    }
}
