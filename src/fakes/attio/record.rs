//! A record: the values of its attributes, those that it had, and who wrote them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::values::{Fields, same};
use crate::fakes::Past;
use crate::fakes::time::iso_nanos;

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) created_ms: i64,
    /// Deleted, or merged into another one.
    pub(super) gone: bool,
    /// Until then a merge is still under way.
    pub(super) readable_ms: i64,
    pub(super) values: BTreeMap<String, Vec<Held>>,
    pub(super) ended: BTreeMap<String, Vec<Held>>,
    /// Every list of values that an attribute had, for comparisons from outside.
    pub(super) past: BTreeMap<String, Vec<Past>>,
    pub(super) changed_ms: i64,
}

/// A value, from when to when it was there, and who wrote it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) fields: Fields,
    pub(super) from_ms: i64,
    pub(super) until_ms: Option<i64>,
    pub(super) actor: Actor,
}

/// `workspace-member`, `api-token`, `app` or `system`, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) kind: &'static str,
    pub(super) id: String,
}

impl Actor {
    pub(super) fn shown(&self) -> Value {
        json!({"type": self.kind, "id": self.id})
    }
}

impl Record {
    /// A record with what `Attio` itself keeps of it.
    pub(super) fn new(id: String, now: i64, actor: &Actor) -> Record {
        let system = Actor { kind: "system", id: String::new() };
        let kept = |slug: &str, fields: Value| {
            let fields = fields.as_object().cloned().unwrap_or_default();
            (slug.to_owned(), vec![Held { fields, from_ms: now, until_ms: None, actor: system.clone() }])
        };
        let values = BTreeMap::from([
            kept("record_id", json!({"value": id})),
            kept("created_at", json!({"value": iso_nanos(now)})),
            kept("created_by", json!({"referenced_actor_type": actor.kind, "referenced_actor_id": actor.id})),
        ]);
        Record {
            id,
            created_ms: now,
            gone: false,
            readable_ms: now,
            values,
            ended: BTreeMap::new(),
            past: BTreeMap::new(),
            changed_ms: now - 1,
        }
    }

    /// Takes what another record has: where there is no value yet, and beside the own ones in lists.
    pub(super) fn take_in(&mut self, other: &Record, is_list: impl Fn(&str) -> bool) {
        for (slug, values) in &other.values {
            let own = self.values.entry(slug.clone()).or_default();
            if own.is_empty() || is_list(slug) {
                let new: Vec<Held> = values
                    .iter()
                    .filter(|held| !own.iter().any(|o| same(&o.fields, &held.fields)))
                    .cloned()
                    .collect();
                own.extend(new);
            }
        }
    }

    /// Gives a merged record its new id.
    pub(super) fn rename(&mut self, id: String, now: i64, readable_ms: i64) {
        if let Some(held) = self.values.get_mut("record_id").and_then(|values| values.first_mut()) {
            held.fields.insert("value".to_owned(), json!(id));
        }
        self.id = id;
        self.changed_ms = self.changed_ms.max(now);
        self.readable_ms = readable_ms;
    }

    /// Sets an attribute's values; whether that changed any. What is there already keeps its time and writer.
    pub(super) fn set(
        &mut self,
        slug: &str,
        values: &[Fields],
        append: bool,
        at_ms: i64,
        actor: &Actor,
    ) -> bool {
        let held = self.values.entry(slug.to_owned()).or_default();
        let is_new = |fields: &&Fields| !held.iter().any(|old| same(&old.fields, fields));
        let news = values.iter().filter(is_new).count();
        let goes = |old: &Held| !append && !values.iter().any(|fields| same(&old.fields, fields));
        let fresh = |fields: &Fields| Held {
            fields: fields.clone(),
            from_ms: at_ms,
            until_ms: None,
            actor: actor.clone(),
        };
        if news == 0 && !held.iter().any(goes) {
            return false;
        }
        let old = std::mem::take(held);
        let (ended, stay): (Vec<Held>, Vec<Held>) = old.into_iter().partition(goes);
        let find = |fields: &Fields| stay.iter().find(|old| same(&old.fields, fields));
        let mut next: Vec<Held> = if append {
            values.iter().filter(|fields| find(fields).is_none()).map(fresh).collect()
        } else {
            values.iter().map(|fields| find(fields).cloned().unwrap_or_else(|| fresh(fields))).collect()
        };
        if append {
            next.extend(stay);
        }
        let shown = next.iter().map(|held| Value::Object(held.fields.clone())).collect();
        *held = next;
        let closed = ended.into_iter().map(|held| Held { until_ms: Some(at_ms), ..held });
        self.ended.entry(slug.to_owned()).or_default().extend(closed);
        self.past.entry(slug.to_owned()).or_default().push(Past {
            value: shown,
            at_ms,
            source: actor.kind.to_owned(),
            writer: actor.id.clone(),
        });
        true
    }
}
