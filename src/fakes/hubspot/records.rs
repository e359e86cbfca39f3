//! The records of one kind, with every value that each property ever had.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::kind::Kind;
use crate::fakes::time::iso;

/// A value that was written; an empty one cleared the property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) value: String,
    pub(super) at_ms: i64,
    pub(super) writer: Writer,
}

/// Who writes: `CRM_UI` with `userId:…`, `INTEGRATION` with the app's id, `MERGE_OBJECTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) source: &'static str,
    pub(super) id: String,
}

impl Writer {
    /// The person who works on the CRM's own pages.
    pub(super) fn person() -> Writer {
        Writer { source: "CRM_UI", id: format!("userId:{}", super::hub::USER) }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) archived_ms: Option<i64>,
    pub(super) merged: Vec<u64>,
    pub(super) versions: BTreeMap<String, Vec<Version>>,
}

/// All records of one kind in a portal.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) records: BTreeMap<u64, Record>,
    /// Ids that were merged away, and what they became.
    pub(super) redirects: HashMap<u64, u64>,
    /// The live record that has a value of a unique property.
    pub(super) unique: HashMap<(String, String), u64>,
}

impl Collection {
    /// A live record, by its own id or one that was merged into it.
    pub(super) fn live(&self, id: u64) -> Option<&Record> {
        self.any(id).filter(|record| record.archived_ms.is_none())
    }

    /// A record, archived or not.
    pub(super) fn any(&self, id: u64) -> Option<&Record> {
        self.records.get(&self.resolve(id))
    }

    pub(super) fn resolve(&self, mut id: u64) -> u64 {
        while let Some(next) = self.redirects.get(&id) {
            id = *next;
        }
        id
    }

    pub(super) fn by_unique(&self, property: &str, value: &str) -> Option<&Record> {
        self.unique.get(&(property.to_owned(), value.to_lowercase())).and_then(|id| self.live(*id))
    }
}

impl Record {
    pub(super) fn current(&self, kind: Kind, property: &str) -> Option<String> {
        self.value_at(kind, property, i64::MAX)
    }

    /// The value as it was at a moment; none when there was none.
    pub(super) fn value_at(&self, kind: Kind, property: &str, at_ms: i64) -> Option<String> {
        if let Some(managed) = self.managed(kind, property, at_ms) {
            return Some(managed).filter(|value| !value.is_empty());
        }
        let versions = self.versions.get(property)?;
        let version = versions.iter().rev().find(|version| version.at_ms <= at_ms)?;
        Some(version.value.clone()).filter(|value| !value.is_empty())
    }

    /// What `HubSpot` itself keeps, empty when it has no value; none for every other property.
    fn managed(&self, kind: Kind, property: &str, at_ms: i64) -> Option<String> {
        let stage = || self.value_at(kind, "dealstage", at_ms).unwrap_or_default();
        match property {
            "hs_object_id" => Some(self.id.to_string()),
            "createdate" | "hs_createdate" => Some(iso(self.created_ms)),
            "lastmodifieddate" | "hs_lastmodifieddate" => Some(iso(self.modified_at(at_ms))),
            "hs_merged_object_ids" => {
                let merged: Vec<String> = self.merged.iter().map(u64::to_string).collect();
                Some(merged.join(";"))
            }
            "hs_is_closed" if kind == Kind::Deal => Some(stage().starts_with("closed").to_string()),
            "hs_is_closed_won" if kind == Kind::Deal => Some((stage() == "closedwon").to_string()),
            _ => None,
        }
    }

    /// When the record was last changed, as far as it was known at a moment.
    fn modified_at(&self, at_ms: i64) -> i64 {
        if self.updated_ms <= at_ms {
            return self.updated_ms;
        }
        let times = self.versions.values().flatten().map(|version| version.at_ms);
        times.filter(|time| *time <= at_ms).max().unwrap_or(self.created_ms)
    }

    /// The record as an answer has it, as it was at a moment.
    pub(super) fn shown(
        &self,
        kind: Kind,
        wanted: &[String],
        with_history: &[String],
        at_ms: i64,
    ) -> Map<String, Value> {
        let mut names: Vec<&str> = vec![kind.created(), kind.modified(), "hs_object_id"];
        if wanted.is_empty() && with_history.is_empty() {
            names.extend(kind.shown());
        }
        names.extend(wanted.iter().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        let properties: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!(self.value_at(kind, name, at_ms)))).collect();
        let mut shown = Map::new();
        shown.insert("id".to_owned(), json!(self.id.to_string()));
        shown.insert("properties".to_owned(), Value::Object(properties));
        if !with_history.is_empty() {
            let histories: Map<String, Value> =
                with_history.iter().map(|name| (name.clone(), Value::Array(self.history(name)))).collect();
            shown.insert("propertiesWithHistory".to_owned(), Value::Object(histories));
        }
        shown.insert("createdAt".to_owned(), json!(iso(self.created_ms)));
        shown.insert("updatedAt".to_owned(), json!(iso(self.modified_at(at_ms))));
        shown.insert("archived".to_owned(), json!(self.archived_ms.is_some()));
        if let Some(archived_ms) = self.archived_ms {
            shown.insert("archivedAt".to_owned(), json!(iso(archived_ms)));
        }
        shown
    }

    /// Newest first.
    fn history(&self, property: &str) -> Vec<Value> {
        let versions = self.versions.get(property).map(Vec::as_slice).unwrap_or_default();
        versions
            .iter()
            .rev()
            .map(|version| {
                json!({
                    "value": version.value,
                    "timestamp": iso(version.at_ms),
                    "sourceType": version.writer.source,
                    "sourceId": version.writer.id,
                })
            })
            .collect()
    }
}
