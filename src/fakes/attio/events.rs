//! Webhooks and what is delivered to them (<https://docs.attio.com/rest-api/guides/webhooks>).

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::desk::{Answer, Desk, data};
use super::record::Actor;
use super::refusal::Refusal;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::iso_nanos;

/// A webhook as it was registered.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: String,
    pub target_url: String,
    /// Signs what is delivered; told once, when the webhook is made.
    pub secret: SecretString,
    subscriptions: Vec<Value>,
    created_ms: i64,
}

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
        let wanting =
            self.webhooks.iter().filter(|webhook| webhook.subscriptions.iter().any(|s| wants(s, event)));
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

/// `/v2/webhooks…`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, rest: &[&str]) -> Answer {
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let shown: Vec<Value> =
                desk.workspace.events.webhooks.iter().map(|webhook| shown(desk, webhook)).collect();
            Ok(Reply::json(200, json!({"data": shown})))
        }
        ("POST", []) => {
            let webhook = register(desk, &data(call)?)?;
            let mut answer = shown(desk, &webhook);
            answer["secret"] = json!(webhook.secret.expose_secret());
            desk.workspace.events.webhooks.push(webhook);
            Ok(Reply::json(200, json!({"data": answer})))
        }
        ("DELETE", [id]) => {
            let webhooks = &mut desk.workspace.events.webhooks;
            let before = webhooks.len();
            webhooks.retain(|webhook| webhook.id != *id);
            if webhooks.len() == before {
                return Err(Refusal::not_found(format!("Webhook with ID \"{id}\" was not found.")));
            }
            Ok(Reply::json(200, json!({})))
        }
        _ => Err(Refusal::no_call()),
    }
}

fn register(desk: &mut Desk<'_>, data: &Value) -> Result<Webhook, Refusal> {
    let target = data["target_url"].as_str().filter(|url| url.starts_with("https://"));
    let target = target.ok_or_else(|| Refusal::form("target_url must be an https URL"))?;
    let subscriptions = data["subscriptions"].as_array().filter(|list| !list.is_empty());
    let subscriptions = subscriptions.ok_or_else(|| Refusal::form("subscriptions must not be empty"))?;
    if subscriptions.iter().any(|s| !s["event_type"].is_string() || s.get("filter").is_none()) {
        return Err(Refusal::form("a subscription needs event_type and filter, which may be null"));
    }
    Ok(Webhook {
        id: desk.dice.uuid().to_string(),
        target_url: target.to_owned(),
        secret: SecretString::from(format!("{}{}", desk.dice.uuid().simple(), desk.dice.uuid().simple())),
        subscriptions: subscriptions.clone(),
        created_ms: desk.now,
    })
}

fn shown(desk: &Desk<'_>, webhook: &Webhook) -> Value {
    json!({
        "id": {"workspace_id": desk.workspace.id, "webhook_id": webhook.id},
        "target_url": webhook.target_url,
        "subscriptions": webhook.subscriptions,
        "status": "active",
        "created_at": iso_nanos(webhook.created_ms),
    })
}
