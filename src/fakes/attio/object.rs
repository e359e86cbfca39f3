//! An object: its attributes, and all its records.

use std::collections::HashMap;

use serde_json::Value;

use super::attributes::Attribute;
use super::record::{Actor, Record};
use super::values::Fields;
use super::workspace::Changes;

#[derive(Debug)]
pub(super) struct Object {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) singular: String,
    pub(super) attributes: Vec<Attribute>,
    /// In the order in which they were made, also those that are gone.
    pub(super) records: Vec<Record>,
    places: HashMap<String, usize>,
    /// The live record that has a value of a unique attribute, by slug and value.
    unique: HashMap<(String, String), usize>,
}

/// What becomes of the values of a multi-select attribute that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode<'a> {
    /// They stay, behind the new ones.
    Append,
    /// They go, unless they are written again.
    Replace,
    /// They stay for this attribute, by which the record was found, and go for the others.
    AppendTo(&'a str),
}

impl Object {
    pub(super) fn new(id: String, slug: &str, singular: &str, attributes: Vec<Attribute>) -> Object {
        Object {
            id,
            slug: slug.to_owned(),
            singular: singular.to_owned(),
            attributes,
            records: Vec::new(),
            places: HashMap::new(),
            unique: HashMap::new(),
        }
    }

    /// An attribute by its slug or id.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.slug == name || attribute.id == name)
    }

    /// The place of a record, live or gone.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    pub(super) fn live(&self, id: &str) -> Option<&Record> {
        self.place(id).map(|at| &self.records[at]).filter(|record| !record.gone)
    }

    /// The live record that has a value of a unique attribute.
    pub(super) fn having(&self, attribute: &Attribute, fields: &Fields) -> Option<&Record> {
        self.place_having(attribute, fields).map(|at| &self.records[at])
    }

    pub(super) fn place_having(&self, attribute: &Attribute, fields: &Fields) -> Option<usize> {
        self.place_of(attribute, &key(attribute, fields))
    }

    /// The place of the live record that has a value of a unique attribute, as it is compared.
    pub(super) fn place_of(&self, attribute: &Attribute, key: &str) -> Option<usize> {
        self.unique.get(&(attribute.slug.clone(), key.to_owned())).copied()
    }

    /// Whether a unique value belongs to another record than `own`.
    pub(super) fn clash(&self, changes: &Changes, own: Option<usize>) -> Option<(&Attribute, Fields)> {
        for (attribute, values) in changes.iter().filter(|(attribute, _)| attribute.is_unique()) {
            let taken =
                |fields: &&Fields| self.place_having(attribute, fields).is_some_and(|at| Some(at) != own);
            if let Some(fields) = values.iter().find(taken) {
                return Some((self.attribute(&attribute.slug)?, fields.clone()));
            }
        }
        None
    }

    /// Adds a record; its place.
    pub(super) fn add(&mut self, record: Record) -> usize {
        let at = self.records.len();
        self.places.insert(record.id.clone(), at);
        self.records.push(record);
        for attribute in self.attributes.clone() {
            self.claim(at, &attribute);
        }
        at
    }

    /// Puts values on a record; the ids of the attributes that changed.
    pub(super) fn put(
        &mut self,
        at: usize,
        changes: &Changes,
        mode: Mode<'_>,
        now: i64,
        actor: &Actor,
    ) -> Vec<String> {
        let at_ms = now.max(self.records[at].changed_ms + 1);
        let mut written = Vec::new();
        for (attribute, values) in changes {
            let append = attribute.is_multiple()
                && match mode {
                    Mode::Append => true,
                    Mode::Replace => false,
                    Mode::AppendTo(slug) => attribute.slug == slug,
                };
            self.give_up(at, attribute);
            if self.records[at].set(&attribute.slug, values, append, at_ms, actor) {
                self.records[at].changed_ms = at_ms;
                written.push(attribute.id.clone());
            }
            self.claim(at, attribute);
        }
        written
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.records[at].gone = true;
        self.unique.retain(|_, owner| *owner != at);
    }

    /// Notes a unique attribute's values as this record's.
    fn claim(&mut self, at: usize, attribute: &Attribute) {
        let held = self.records[at].values.get(&attribute.slug).into_iter().flatten();
        let keys = held.map(|held| (attribute.slug.clone(), key(attribute, &held.fields)));
        if attribute.is_unique() {
            self.unique.extend(keys.map(|key| (key, at)));
        }
    }

    /// Notes that a unique attribute's values are free.
    fn give_up(&mut self, at: usize, attribute: &Attribute) {
        for held in self.records[at].values.get(&attribute.slug).into_iter().flatten() {
            self.unique.remove(&(attribute.slug.clone(), key(attribute, &held.fields)));
        }
    }
}

/// A unique value as it is compared.
fn key(attribute: &Attribute, fields: &Fields) -> String {
    let value = fields.get(attribute.ty.field()).unwrap_or(&Value::Null);
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
