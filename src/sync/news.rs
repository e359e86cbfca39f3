//! What an event of a CRM says of a record, in the product's terms.

use serde_json::Value as Json;

use super::crm::Writer;
use super::{attio, hubspot};
use crate::tables::System;

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum News {
    /// A property took a value.
    Value {
        property: String,
        raw: String,
        at_ms: i64,
        by: Writer,
    },
    /// Something else than the event can tell: the record is to be read.
    Changed,
    Deleted {
        at_ms: i64,
    },
    Restored {
        at_ms: i64,
    },
    /// These records are one from now on, under this id.
    Merged {
        into: String,
        others: Vec<String>,
    },
    /// Everything about the person is to go, for good.
    Erased,
    /// Nothing that concerns the tables.
    Nothing,
}

/// Reads an event as its CRM sent it. What is missing in it is to be read at the CRM; nothing is guessed.
pub(super) fn news(system: System, event: &Json, writer: Option<&str>) -> News {
    match system {
        System::Hubspot => hubspot::news(event, writer),
        System::Attio => attio::news(event),
    }
}
