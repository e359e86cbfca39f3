//! Errors as `Attio` words them: `{status_code, type, code, message}`.

use serde_json::{Value, json};

use crate::fakes::server::Reply;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into() }
    }

    /// A value of the wrong form.
    pub(super) fn form(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "validation_type", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Refusal {
        Refusal::new(404, "not_found", message)
    }

    pub(super) fn no_call() -> Refusal {
        Refusal::not_found("Could not find endpoint.")
    }

    pub(super) fn body(&self) -> Value {
        let kind = match self.status {
            401 | 403 => "auth_error",
            429 => "rate_limit_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        json!({"status_code": self.status, "type": kind, "code": self.code, "message": self.message})
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status, self.body())
    }
}
