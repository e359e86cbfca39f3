//! Webhook events, in the form in which they are delivered
//! (<https://developers.hubspot.com/docs/api/webhooks>).

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::records::Writer;

/// What has changed in a portal and was not taken yet, oldest first.
#[derive(Debug)]
pub(super) struct Events {
    portal: i64,
    app_id: i64,
    next_id: i64,
    waiting: Vec<Value>,
}

impl Events {
    pub(super) fn new(portal: i64, app_id: i64) -> Events {
        Events { portal, app_id, next_id: 1, waiting: Vec::new() }
    }

    /// Something that happened to a record; `more` are the fields of this type of event.
    pub(super) fn record(
        &mut self,
        kind: Kind,
        what: &str,
        id: u64,
        at_ms: i64,
        writer: &Writer,
        more: &[(&str, Value)],
    ) {
        let mut event = self.event(kind, what, at_ms, writer);
        event.insert("objectId".to_owned(), json!(id));
        if !kind.is_core() {
            event.insert("objectTypeId".to_owned(), json!(kind.type_id()));
        }
        event.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.waiting.push(Value::Object(event));
    }

    /// An association that was made or removed, as the object at one end tells it.
    pub(super) fn association(
        &mut self,
        ends: [(Kind, u64); 2],
        primary: bool,
        removed: bool,
        at_ms: i64,
        writer: &Writer,
    ) {
        let [(from, from_id), (to, to_id)] = ends;
        let mut event = self.event(from, "associationChange", at_ms, writer);
        let name = format!("{}_TO_{}", from.singular(), to.singular()).to_uppercase();
        event.insert("associationType".to_owned(), json!(name));
        event.insert("fromObjectId".to_owned(), json!(from_id));
        event.insert("toObjectId".to_owned(), json!(to_id));
        event.insert("associationRemoved".to_owned(), json!(removed));
        event.insert("isPrimaryAssociation".to_owned(), json!(primary));
        self.waiting.push(Value::Object(event));
    }

    pub(super) fn take(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.waiting)
    }

    fn event(&mut self, kind: Kind, what: &str, at_ms: i64, writer: &Writer) -> Map<String, Value> {
        let name = if kind.is_core() { kind.singular() } else { "object" };
        let fields = json!({
            "eventId": self.next_id,
            "subscriptionId": 1000 + self.next_id % 7,
            "portalId": self.portal,
            "appId": self.app_id,
            "occurredAt": at_ms,
            "subscriptionType": format!("{name}.{what}"),
            "attemptNumber": 0,
            "changeSource": writer.source,
            "sourceId": writer.id,
        });
        self.next_id += 1;
        fields.as_object().cloned().unwrap_or_default()
    }
}
