//! One account: its objects with their records, its notes and webhooks, and what happens when a record changes.

use serde_json::Value;

use super::attributes::{Attribute, Flags};
use super::defaults;
use super::events::Events;
use super::notes::Note;
use super::object::{Mode, Object};
use super::record::{Actor, Record};
use super::refusal::Refusal;
use super::values::{Fields, parse};
use crate::fakes::dice::Dice;

#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) name: String,
    /// The token's or app's id, which our writes are said to be by.
    pub(super) writer: String,
    /// The member who stands for every person in the workspace.
    pub(super) member: String,
    pub(super) member_email: String,
    pub(super) objects: Vec<Object>,
    pub(super) notes: Vec<Note>,
    pub(super) events: Events,
}

/// New values by attribute, as they are kept.
pub(super) type Changes = Vec<(Attribute, Vec<Fields>)>;

impl Workspace {
    pub(super) fn new(id: &str, name: &str, writer: &str, dice: &mut Dice) -> Workspace {
        Workspace {
            id: id.to_owned(),
            name: name.to_owned(),
            writer: writer.to_owned(),
            member: dice.uuid().to_string(),
            member_email: "person@example.com".to_owned(),
            objects: defaults::objects(dice),
            notes: Vec::new(),
            events: Events::new(id, dice.uuid().to_string()),
        }
    }

    /// The place of an object, by its slug or id.
    pub(super) fn object(&self, name: &str) -> Option<usize> {
        self.objects.iter().position(|object| object.slug == name || object.id == name)
    }

    pub(super) fn object_id(&self, slug: &str) -> Option<&str> {
        self.object(slug).map(|at| self.objects[at].id.as_str())
    }

    /// What `{slug: values}` asks for. `by_hand`: also attributes that nobody else may write.
    pub(super) fn changes(&self, object: usize, given: &Value, by_hand: bool) -> Result<Changes, Refusal> {
        let given = given.as_object().ok_or_else(|| Refusal::form("data.values must be an object"))?;
        let object = &self.objects[object];
        let mut changes = Changes::new();
        for (name, values) in given {
            let attribute = object.attribute(name).ok_or_else(|| {
                Refusal::new(
                    400,
                    "value_not_found",
                    format!("Cannot find attribute with slug/ID \"{name}\"."),
                )
            })?;
            if attribute.flags.has(Flags::READ_ONLY) && !by_hand {
                let message = format!("Attribute with slug \"{name}\" cannot be written.");
                return Err(Refusal::new(400, "immutable_value", message));
            }
            changes.push((attribute.clone(), parse(self, &object.id, attribute, values)?));
        }
        Ok(changes)
    }

    pub(super) fn create(
        &mut self,
        object: usize,
        id: &str,
        changes: &Changes,
        now: i64,
        actor: &Actor,
    ) -> usize {
        let collection = &mut self.objects[object];
        let at = collection.add(Record::new(id.to_owned(), now, actor));
        collection.put(at, changes, Mode::Replace, now, actor);
        self.events.record("record.created", &self.objects[object].id, id, None, actor);
        at
    }

    /// Writes a live record, and tells of each attribute that changed.
    pub(super) fn write(
        &mut self,
        object: usize,
        at: usize,
        changes: &Changes,
        mode: Mode<'_>,
        now: i64,
        actor: &Actor,
    ) {
        let collection = &mut self.objects[object];
        for attribute in collection.put(at, changes, mode, now, actor) {
            self.events.record(
                "record.updated",
                &collection.id,
                &collection.records[at].id,
                Some(&attribute),
                actor,
            );
        }
    }

    pub(super) fn delete(&mut self, object: usize, at: usize, actor: &Actor) {
        let collection = &mut self.objects[object];
        collection.remove(at);
        self.events.record("record.deleted", &collection.id, &collection.records[at].id, None, actor);
    }

    /// Makes a new record of two, readable after `takes_ms`. The first one's values stand; lists have both's.
    pub(super) fn merge(
        &mut self,
        object: usize,
        both: [usize; 2],
        id: &str,
        times: (i64, i64),
        actor: &Actor,
    ) {
        let [primary, other] = both;
        let (now, takes_ms) = times;
        let collection = &mut self.objects[object];
        let (first, second) = (collection.records[primary].clone(), collection.records[other].clone());
        let mut merged = first.clone();
        merged.take_in(&second, |slug| collection.attribute(slug).is_some_and(Attribute::is_multiple));
        merged.rename(id.to_owned(), now, now + takes_ms);
        collection.remove(primary);
        collection.remove(other);
        collection.add(merged);
        for duplicate in [&first.id, &second.id] {
            self.events.merged(&collection.id, id, duplicate, actor);
        }
    }
}
