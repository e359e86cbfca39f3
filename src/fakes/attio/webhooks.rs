//! Webhooks: the calls that make, list, change and remove them
//! (<https://docs.attio.com/rest-api/endpoint-reference/webhooks>), and what signs their deliveries
//! (<https://docs.attio.com/rest-api/guides/webhooks>).

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use super::desk::{Answer, Desk, data};
use super::events::Events;
use super::refusal::Refusal;
use crate::fakes::deliveries::{Envelope, Letter, Subscriber};
use crate::fakes::dice::Dice;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::iso_nanos;

/// How many deliveries go to one address at once.
const AT_ONCE: usize = 10;

/// A webhook as it was registered.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: String,
    pub target_url: String,
    /// Signs what is delivered; told once, when the webhook is made.
    pub secret: SecretString,
    pub(super) subscriptions: Vec<Value>,
    pub(super) status: Status,
    created_ms: i64,
}

/// How deliveries to a webhook go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    /// Some were given up.
    Degraded,
    /// Too many were: it gets nothing any more.
    Inactive,
}

impl Webhook {
    pub(super) fn fail(&mut self) {
        if self.status == Status::Active {
            self.status = Status::Degraded;
        }
    }
}

impl Events {
    /// What has happened, for those webhooks that are still registered.
    pub(super) fn letters(&mut self, dice: &mut Dice) -> Vec<Letter> {
        let subscriber = |webhook: &Webhook| {
            Arc::new(Subscriber {
                target: webhook.target_url.clone(),
                webhook: webhook.id.clone(),
                secret: webhook.secret.clone(),
                at_once: AT_ONCE,
                together: 1,
            })
        };
        let subscribers: Vec<Arc<Subscriber>> = self.webhooks.iter().map(subscriber).collect();
        let letter = |event: Value| {
            let to = subscribers.iter().find(|to| event["webhook_id"] == to.webhook.as_str())?;
            Some(Letter { to: Arc::clone(to), event, key: dice.uuid().to_string(), attempt: 0 })
        };
        self.take().into_iter().filter_map(letter).collect()
    }
}

/// A delivery with its key, which is the same when it is repeated, and with the signature under both of its names.
pub(super) fn seal(letters: &[Letter]) -> Envelope {
    let Some(letter) = letters.first() else {
        return Envelope { headers: Vec::new(), body: Vec::new() };
    };
    let body = letter.event.to_string().into_bytes();
    let signature = Hmac::<Sha256>::new_from_slice(letter.to.secret.expose_secret().as_bytes())
        .map(|mac| hex::encode(mac.chain_update(&body).finalize().into_bytes()))
        .unwrap_or_default();
    let headers = vec![
        ("Attio-Signature", signature.clone()),
        ("X-Attio-Signature", signature),
        ("Idempotency-Key", letter.key.clone()),
    ];
    Envelope { headers, body }
}

/// `/v2/webhooks…`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, rest: &[&str]) -> Answer {
    match (call.method.as_str(), rest) {
        ("GET", []) => list(desk, call),
        ("POST", []) => {
            let webhook = register(desk, &data(call)?)?;
            let mut answer = shown(desk, &webhook);
            answer["secret"] = json!(webhook.secret.expose_secret());
            desk.workspace.events.webhooks.push(webhook);
            Ok(Reply::json(200, json!({"data": answer})))
        }
        ("GET", [id]) => {
            let webhook = &desk.workspace.events.webhooks[place(desk, id)?];
            Ok(Reply::json(200, json!({"data": shown(desk, webhook)})))
        }
        ("PATCH", [id]) => {
            let (place, data) = (place(desk, id)?, data(call)?);
            let target = data.get("target_url").map(target).transpose()?;
            let subscriptions = data.get("subscriptions").map(subscriptions).transpose()?;
            let webhook = &mut desk.workspace.events.webhooks[place];
            webhook.target_url = target.unwrap_or_else(|| webhook.target_url.clone());
            webhook.subscriptions = subscriptions.unwrap_or_else(|| webhook.subscriptions.clone());
            let webhook = &desk.workspace.events.webhooks[place];
            Ok(Reply::json(200, json!({"data": shown(desk, webhook)})))
        }
        ("DELETE", [id]) => {
            let place = place(desk, id)?;
            desk.workspace.events.webhooks.remove(place);
            Ok(Reply::json(200, json!({})))
        }
        _ => Err(Refusal::no_call()),
    }
}

fn list(desk: &Desk<'_>, call: &Call) -> Answer {
    let number = |name: &str, otherwise: usize| call.parameter(name).map_or(Ok(otherwise), str::parse);
    let (Ok(limit @ 10..=100), Ok(offset)) = (number("limit", 10), number("offset", 0)) else {
        return Err(Refusal::form("limit must be between 10 and 100, and offset a number."));
    };
    let page = desk.workspace.events.webhooks.iter().skip(offset).take(limit);
    let page: Vec<Value> = page.map(|webhook| shown(desk, webhook)).collect();
    Ok(Reply::json(200, json!({"data": page})))
}

fn place(desk: &Desk<'_>, id: &str) -> Result<usize, Refusal> {
    let place = desk.workspace.events.webhooks.iter().position(|webhook| webhook.id == id);
    place.ok_or_else(|| Refusal::not_found(format!("Webhook with ID \"{id}\" was not found.")))
}

fn register(desk: &mut Desk<'_>, data: &Value) -> Result<Webhook, Refusal> {
    Ok(Webhook {
        target_url: target(&data["target_url"])?,
        subscriptions: subscriptions(&data["subscriptions"])?,
        id: desk.dice.uuid().to_string(),
        secret: SecretString::from(format!("{}{}", desk.dice.uuid().simple(), desk.dice.uuid().simple())),
        status: Status::Active,
        created_ms: desk.now,
    })
}

fn target(given: &Value) -> Result<String, Refusal> {
    let target = given.as_str().filter(|url| url.starts_with("https://"));
    target.map(str::to_owned).ok_or_else(|| Refusal::form("target_url must be an https URL"))
}

fn subscriptions(given: &Value) -> Result<Vec<Value>, Refusal> {
    let subscriptions = given.as_array().filter(|list| !list.is_empty());
    let subscriptions = subscriptions.ok_or_else(|| Refusal::form("subscriptions must not be empty"))?;
    if subscriptions.iter().any(|s| !s["event_type"].is_string() || s.get("filter").is_none()) {
        return Err(Refusal::form("a subscription needs event_type and filter, which may be null"));
    }
    Ok(subscriptions.clone())
}

fn shown(desk: &Desk<'_>, webhook: &Webhook) -> Value {
    let status = match webhook.status {
        Status::Active => "active",
        Status::Degraded => "degraded",
        Status::Inactive => "inactive",
    };
    json!({
        "id": {"workspace_id": desk.workspace.id, "webhook_id": webhook.id},
        "target_url": webhook.target_url,
        "subscriptions": webhook.subscriptions,
        "status": status,
        "created_at": iso_nanos(webhook.created_ms),
    })
}
