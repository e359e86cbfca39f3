//! Errors as `HubSpot` words them: for a whole request, or for one row of a batch.

use serde_json::{Map, Value, json};

use crate::fakes::dice::Dice;
use crate::fakes::server::Reply;

/// Why a request or a row is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) category: &'static str,
    pub(super) message: String,
    /// What the error names: `ids`, `existingId`, `objectWriteTraceId`, …
    pub(super) context: Vec<(&'static str, Vec<String>)>,
    pub(super) errors: Vec<Value>,
}

/// What is wrong with one property's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadValue {
    pub(super) property: String,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, category, message: message.into(), context: Vec::new(), errors: Vec::new() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "VALIDATION_ERROR", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Refusal {
        Refusal::new(404, "OBJECT_NOT_FOUND", message)
    }

    /// A body that is no JSON of the expected form.
    pub(super) fn unreadable(what: &str) -> Refusal {
        Refusal::invalid(format!("Invalid input JSON on line 1, column 1: {what}"))
    }

    pub(super) fn values(portal: i64, bad: &[BadValue]) -> Refusal {
        let listed: Vec<Value> = bad
            .iter()
            .map(|bad| {
                json!({
                    "isValid": false,
                    "message": bad.message,
                    "error": bad.code,
                    "name": bad.property,
                    "localizedErrorMessage": bad.message,
                    "portalId": portal,
                })
            })
            .collect();
        let mut refusal =
            Refusal::invalid(format!("Property values were not valid: {}", Value::Array(listed)));
        refusal.errors = bad
            .iter()
            .map(|bad| {
                json!({
                    "message": bad.message,
                    "code": bad.code,
                    "context": {"propertyName": [bad.property]},
                })
            })
            .collect();
        refusal
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, values: Vec<String>) -> Refusal {
        self.context.push((name, values));
        self
    }

    /// As the answer to the whole request.
    pub(super) fn reply(&self, dice: &mut Dice) -> Reply {
        let mut body = self.body();
        body.insert("correlationId".to_owned(), json!(dice.uuid().to_string()));
        Reply::json(self.status, Value::Object(body))
    }

    /// As one of the `errors` of a batch.
    pub(super) fn row(&self) -> Value {
        Value::Object(self.body())
    }

    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("status".to_owned(), json!("error"));
        body.insert("category".to_owned(), json!(self.category));
        body.insert("message".to_owned(), json!(self.message));
        if !self.context.is_empty() {
            let context: Map<String, Value> =
                self.context.iter().map(|(name, values)| ((*name).to_owned(), json!(values))).collect();
            body.insert("context".to_owned(), Value::Object(context));
        }
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), json!(self.errors));
        }
        body
    }
}
