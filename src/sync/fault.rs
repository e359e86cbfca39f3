//! What can go wrong with a call to a CRM, by what is to be done about it.

use serde::{Deserialize, Serialize};

use crate::store::queue::Failure;

/// A call that did not do what it was for.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub class: Class,
    /// The CRM's own sentence, without values, or the transport's.
    pub message: String,
    /// The id under which the CRM's support finds the call.
    pub correlation: Option<String>,
    /// How long the CRM asks to wait, in milliseconds from now.
    pub retry_after_ms: Option<i64>,
    /// Whether the CRM may have done it all the same: then it is read back before it is done again.
    pub sent: bool,
}

/// What a fault calls for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Too many calls in a short time: wait, then the same again.
    RateLimited,
    /// The day's calls are used up: the connection pauses.
    DailyLimit,
    /// The record is locked or being moved: wait a little.
    Locked,
    /// The CRM or the way to it is out of order.
    Unavailable,
    /// The answer was lost: whether it was done is not known.
    Unanswered,
    /// The token is refused: refresh it, once; then the connection needs a person.
    Unauthorized,
    /// The token may not do this: the connection needs a person.
    Forbidden,
    /// The CRM refuses the values.
    Invalid,
    /// Another record has the same unique value.
    Duplicate,
    /// The record is not there.
    Missing,
    /// The CRM answered with something that its documentation does not know.
    Unexpected,
}

/// Why a record was refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub class: Class,
    pub message: String,
    pub correlation: Option<String>,
    /// The property that the CRM names, when it names one.
    pub property: Option<String>,
}

impl Fault {
    /// The fault as a queue keeps it.
    pub fn failure(&self, column: Option<String>) -> Failure {
        Failure {
            message: self.message.clone(),
            class: self.class.name(),
            column,
            correlation: self.correlation.clone(),
        }
    }

    /// A refusal, as a fault of the call for this one record.
    pub fn of_refusal(refusal: &Refusal) -> Fault {
        Fault {
            class: refusal.class,
            message: refusal.message.clone(),
            correlation: refusal.correlation.clone(),
            retry_after_ms: None,
            sent: false,
        }
    }
}

impl Refusal {
    /// A fault that will not pass, as a refusal.
    pub fn of_fault(fault: &Fault) -> Refusal {
        Refusal {
            class: fault.class,
            message: fault.message.clone(),
            correlation: fault.correlation.clone(),
            property: None,
        }
    }
}

impl Class {
    pub const ALL: &[Class] = &[
        Class::RateLimited,
        Class::DailyLimit,
        Class::Locked,
        Class::Unavailable,
        Class::Unanswered,
        Class::Unauthorized,
        Class::Forbidden,
        Class::Invalid,
        Class::Duplicate,
        Class::Missing,
        Class::Unexpected,
    ];

    /// The stable name used in results and SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Class::RateLimited => "rate_limited",
            Class::DailyLimit => "daily_limit",
            Class::Locked => "locked",
            Class::Unavailable => "unavailable",
            Class::Unanswered => "unanswered",
            Class::Unauthorized => "unauthorized",
            Class::Forbidden => "forbidden",
            Class::Invalid => "invalid",
            Class::Duplicate => "duplicate",
            Class::Missing => "missing",
            Class::Unexpected => "unexpected",
        }
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub const fn passes(self) -> bool {
        matches!(
            self,
            Class::RateLimited | Class::DailyLimit | Class::Locked | Class::Unavailable | Class::Unanswered
        )
    }

    /// Whether it concerns every call of the connection, not this record alone.
    pub const fn is_of_connection(self) -> bool {
        matches!(
            self,
            Class::RateLimited
                | Class::DailyLimit
                | Class::Unavailable
                | Class::Unauthorized
                | Class::Forbidden
        )
    }
}
