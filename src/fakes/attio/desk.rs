//! Where one request is worked on: the workspace, the time, who writes, and what every call needs.

use serde_json::Value;

use super::attributes::Attribute;
use super::record::Actor;
use super::refusal::Refusal;
use super::workspace::Workspace;
use crate::fakes::dice::Dice;
use crate::fakes::server::{Call, Reply};

pub(super) type Answer = Result<Reply, Refusal>;

pub(super) struct Desk<'a> {
    pub(super) workspace: &'a mut Workspace,
    pub(super) dice: &'a mut Dice,
    pub(super) now: i64,
    pub(super) actor: Actor,
    /// How long a merge takes.
    pub(super) merge_ms: i64,
}

impl Desk<'_> {
    /// The place of an object by its slug or id.
    pub(super) fn object(&self, name: &str) -> Result<usize, Refusal> {
        let found = self.workspace.object(name);
        found.ok_or_else(|| Refusal::not_found(format!("Object with slug/ID \"{name}\" was not found.")))
    }

    pub(super) fn attribute(&self, object: usize, name: &str) -> Result<&Attribute, Refusal> {
        let found = self.workspace.objects[object].attribute(name);
        found.ok_or_else(|| Refusal::not_found(format!("Attribute with slug/ID \"{name}\" was not found.")))
    }

    /// The place of a record that can be read and written.
    pub(super) fn live(&self, object: usize, id: &str) -> Result<usize, Refusal> {
        let object = &self.workspace.objects[object];
        let found = object.place(id).filter(|at| !object.records[*at].gone);
        let at =
            found.ok_or_else(|| Refusal::not_found(format!("Record with ID \"{id}\" was not found.")))?;
        if object.records[at].readable_ms > self.now {
            return Err(Refusal::new(404, "merge_in_progress", "The record is still being merged."));
        }
        Ok(at)
    }
}

/// The `data` of a request's JSON.
pub(super) fn data(call: &Call) -> Result<Value, Refusal> {
    let body = call.json().ok_or_else(|| Refusal::form("The body is no JSON."))?;
    let data = body.get("data").filter(|data| data.is_object());
    data.cloned().ok_or_else(|| Refusal::form("Body payload validation error: data must be an object."))
}
