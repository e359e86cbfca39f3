//! Where one request is worked on: the portal, the time, who writes, and what every call needs.

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::portal::Portal;
use super::records::{Record, Writer};
use super::refusal::Refusal;
use crate::fakes::dice::Dice;
use crate::fakes::server::{Call, Reply, RowFault};
use crate::fakes::time::iso;

pub(super) type Answer = Result<Reply, Refusal>;

pub(super) struct Desk<'a> {
    pub(super) portal: &'a mut Portal,
    pub(super) dice: &'a mut Dice,
    pub(super) now: i64,
    pub(super) writer: Writer,
    /// Search sees the records as they were this long ago.
    pub(super) search_lag_ms: i64,
    pub(super) row_fault: Option<&'a RowFault>,
}

impl Desk<'_> {
    /// The body of a batch's answer.
    pub(super) fn complete(&self, results: Vec<Value>, errors: Vec<Value>) -> Value {
        let mut body = Map::new();
        body.insert("status".to_owned(), json!("COMPLETE"));
        body.insert("results".to_owned(), Value::Array(results));
        if !errors.is_empty() {
            body.insert("numErrors".to_owned(), json!(errors.len()));
            body.insert("errors".to_owned(), Value::Array(errors));
        }
        body.insert("startedAt".to_owned(), json!(iso(self.now)));
        body.insert("completedAt".to_owned(), json!(iso(self.now)));
        Value::Object(body)
    }

    /// A live record by its id, or by a unique property's value.
    pub(super) fn find(
        &self,
        kind: Kind,
        id: &str,
        id_property: Option<&str>,
    ) -> Result<Option<&Record>, Refusal> {
        let records = self.portal.records(kind);
        let Some(property) = id_property else {
            return Ok(id.parse().ok().and_then(|id| records.live(id)));
        };
        if !self.portal.is_unique(kind, property) {
            return Err(Refusal::invalid(format!(
                "Unable to perform update/upsert by non-unique {} property {property} in portal ID {}",
                kind.type_id(),
                self.portal.id,
            )));
        }
        Ok(records.by_unique(property, id))
    }

    /// A live record that an association begins or ends at.
    pub(super) fn end(&self, kind: Kind, id: &str) -> Result<(Kind, u64), Refusal> {
        let record = self.find(kind, id, None)?;
        record.map(|record| (kind, record.id)).ok_or_else(|| missing(kind, &[id.to_owned()]))
    }

    /// Those of the names that are properties; a read leaves the others out without a word.
    pub(super) fn known(&self, kind: Kind, names: Vec<String>) -> Vec<String> {
        names.into_iter().filter(|name| self.portal.property(kind, name).is_some()).collect()
    }
}

/// Records that are not there.
pub(super) fn missing(kind: Kind, ids: &[String]) -> Refusal {
    let message = format!(
        "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
        kind.singular().to_uppercase()
    );
    Refusal::not_found(message).with("ids", ids.to_vec())
}

/// A request's JSON.
pub(super) fn body(call: &Call) -> Result<Value, Refusal> {
    call.json().ok_or_else(|| Refusal::unreadable("the body is no JSON"))
}

/// The rows of a batch.
pub(super) fn inputs(body: &Value, most: usize) -> Result<Vec<Value>, Refusal> {
    let inputs = body.get("inputs").and_then(Value::as_array).filter(|inputs| !inputs.is_empty());
    let inputs = inputs.ok_or_else(|| Refusal::invalid("Some required fields were not set: [inputs]"))?;
    if inputs.len() > most {
        let message = format!("The maximum number of inputs is {most}, but {} were given", inputs.len());
        return Err(Refusal::invalid(message));
    }
    Ok(inputs.clone())
}
