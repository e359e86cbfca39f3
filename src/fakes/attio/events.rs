//! What webhooks are told (<https://docs.attio.com/rest-api/guides/webhooks>).

use serde_json::{Value, json};

use super::record::Actor;
use super::webhooks::{Status, Webhook};

/// Deliveries that were not taken yet, oldest first, and who gets them.
#[derive(Debug)]
pub(super) struct Events {
    workspace: String,
    /// Stands in for a webhook while none is registered: it would get everything.
    anybody: String,
    pub(super) webhooks: Vec<Webhook>,
    waiting: Vec<Value>,
}

impl Events {
    pub(super) fn new(workspace: &str, anybody: String) -> Events {
        Events { workspace: workspace.to_owned(), anybody, webhooks: Vec::new(), waiting: Vec::new() }
    }

    pub(super) fn record(
        &mut self,
        what: &str,
        object: &str,
        record: &str,
        attribute: Option<&str>,
        actor: &Actor,
    ) {
        let mut id = json!({"workspace_id": self.workspace, "object_id": object, "record_id": record});
        if let Some(attribute) = attribute {
            id["attribute_id"] = json!(attribute);
        }
        self.deliver(&json!({"event_type": what, "id": id, "actor": actor.shown()}));
    }

    /// Each merge tells of both records that it took in.
    pub(super) fn merged(&mut self, object: &str, record: &str, duplicate: &str, actor: &Actor) {
        self.deliver(&json!({
            "event_type": "record.merged",
            "id": {"workspace_id": self.workspace, "object_id": object, "record_id": record},
            "duplicate_object_id": object,
            "duplicate_record_id": duplicate,
            "actor": actor.shown(),
        }));
    }

    pub(super) fn note(&mut self, what: &str, note: &str, parent: (&str, &str), actor: &Actor) {
        self.deliver(&json!({
            "event_type": what,
            "id": {"workspace_id": self.workspace, "note_id": note},
            "parent_object_id": parent.0,
            "parent_record_id": parent.1,
            "actor": actor.shown(),
        }));
    }

    pub(super) fn take(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.waiting)
    }

    /// One delivery for each webhook that wants the event.
    fn deliver(&mut self, event: &Value) {
        let payload = |webhook: &str| json!({"webhook_id": webhook, "events": [event]});
        if self.webhooks.is_empty() {
            self.waiting.push(payload(&self.anybody));
        }
        let live = self.webhooks.iter().filter(|webhook| webhook.status != Status::Inactive);
        let wanting = live.filter(|webhook| webhook.subscriptions.iter().any(|s| wants(s, event)));
        self.waiting.extend(wanting.map(|webhook| payload(&webhook.id)));
    }
}

fn wants(subscription: &Value, event: &Value) -> bool {
    subscription["event_type"] == event["event_type"] && passes(&subscription["filter"], event)
}

/// `{"$and" | "$or": [{field, operator, value}]}`, or null for everything.
fn passes(filter: &Value, event: &Value) -> bool {
    let holds = |condition: &Value| {
        let field = condition["field"].as_str().unwrap_or_default();
        let found = event.pointer(&format!("/{}", field.replace('.', "/"))).unwrap_or(&Value::Null);
        (*found == condition["value"]) == (condition["operator"] == "equals")
    };
    match (filter["$and"].as_array(), filter["$or"].as_array()) {
        (Some(all), _) => all.iter().all(holds),
        (None, Some(any)) => any.iter().any(holds),
        (None, None) => true,
    }
}
