//! What apps subscribe to, and where it is delivered: by the 2026-09 description of the webhooks API at
//! <https://github.com/HubSpot/HubSpot-public-api-spec-collection>, whose calls the key of the developer's account opens
//! (`hapikey`). Webhooks belong to an app, so all accounts that installed it have one target.
//!
//! Where live answers are not documented: no subscription is made before there is a target; one that is there already
//! is a conflict; a property that `HubSpot` works out cannot be subscribed to in any account that the app is in.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::desk::body;
use super::hub::Hub;
use super::kind::Kind;
use super::portal::Portal;
use super::properties::Access;
use super::refusal::Refusal;
use crate::fakes::deliveries::{Letter, Subscriber};
use crate::fakes::options::Options;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::iso;

/// The most subscriptions of an app.
const MOST: usize = 1000;
/// The most events in a delivery.
const TOGETHER: usize = 100;
/// What cannot be subscribed to, whatever the account.
const UNTOLD: &[&str] = &["hs_lastmodifieddate", "lastmodifieddate"];
/// The types of events that there are for each of these objects.
const OBJECTS: &[&str] = &["contact", "company", "deal", "ticket", "product", "line_item", "object"];
const EVENTS: &[&str] = &["creation", "deletion", "merge", "restore", "propertyChange", "associationChange"];

/// The apps that accounts have installed.
pub(super) struct Apps {
    developer_key: SecretString,
    client_secret: SecretString,
    installed: BTreeMap<i64, App>,
    next_id: u64,
}

#[derive(Default)]
struct App {
    settings: Option<Settings>,
    subscriptions: Vec<Subscription>,
}

struct Settings {
    to: Arc<Subscriber>,
    created_ms: i64,
    updated_ms: i64,
}

struct Subscription {
    id: u64,
    event_type: String,
    property: Option<String>,
    /// Of the generic types of events.
    object_type: Option<String>,
    active: bool,
    created_ms: i64,
    updated_ms: i64,
}

/// `/app-webhooks/{version}/{appId}/…`; none for every other call.
pub(super) fn answer(hub: &mut Hub, call: &Call) -> Option<Reply> {
    let segments = call.segments();
    let ["app-webhooks", "2026-09", app, rest @ ..] = segments.as_slice() else {
        return None;
    };
    let now = hub.time.now_ms();
    let Hub { apps, portals, dice, .. } = hub;
    let answered = apps.answer(call, app, rest, portals, now);
    Some(answered.unwrap_or_else(|refusal| refusal.reply(dice)))
}

impl Apps {
    pub(super) fn new(options: &Options) -> Apps {
        let ids = options.accounts.iter().map(|account| account.writer.parse().unwrap_or(1));
        Apps {
            developer_key: options.developer_key.clone(),
            client_secret: options.client_secret.clone(),
            installed: ids.map(|id| (id, App::default())).collect(),
            next_id: 1001,
        }
    }

    /// A letter for each subscription that is for an event, with that subscription's id.
    pub(super) fn letters(&self, app: i64, events: Vec<Value>) -> Vec<Letter> {
        let app = self.installed.get(&app);
        let Some((app, settings)) = app.and_then(|app| Some((app, app.settings.as_ref()?))) else {
            return Vec::new();
        };
        let mut letters = Vec::new();
        for event in events {
            for subscription in app.subscriptions.iter().filter(|subscription| subscription.wants(&event)) {
                let mut event = event.clone();
                event["subscriptionId"] = json!(subscription.id);
                letters.push(Letter { to: Arc::clone(&settings.to), event, key: String::new(), attempt: 0 });
            }
        }
        letters
    }

    fn answer(
        &mut self,
        call: &Call,
        app: &str,
        rest: &[&str],
        portals: &[Portal],
        now: i64,
    ) -> Result<Reply, Refusal> {
        if call.parameter("hapikey") != Some(self.developer_key.expose_secret()) {
            let message = "This hapikey doesn't exist or does not open this app.";
            return Err(Refusal::new(401, "INVALID_AUTHENTICATION", message));
        }
        let Apps { installed, next_id, client_secret, .. } = self;
        let id: i64 = app.parse().unwrap_or_default();
        let app = installed.get_mut(&id).ok_or_else(|| Refusal::not_found("No app of this id was found"))?;
        match (call.method.as_str(), rest) {
            (method, ["settings"]) => app.settings(method, call, client_secret, now),
            ("GET", ["subscriptions"]) => {
                let shown: Vec<Value> = app.subscriptions.iter().map(Subscription::shown).collect();
                Ok(Reply::json(200, json!({"results": shown})))
            }
            ("POST", ["subscriptions"]) => {
                let portals = portals.iter().filter(|portal| portal.app_id == id);
                let subscription = app.subscribe(&body(call)?, portals, *next_id, now)?;
                *next_id += 1;
                let shown = subscription.shown();
                app.subscriptions.push(subscription);
                Ok(Reply::json(201, shown))
            }
            (method, ["subscriptions", id]) => app.subscription(method, call, id, now),
            _ => Err(Refusal::not_found("resource not found")),
        }
    }
}

impl App {
    fn settings(
        &mut self,
        method: &str,
        call: &Call,
        secret: &SecretString,
        now: i64,
    ) -> Result<Reply, Refusal> {
        let none = || Refusal::not_found("No webhook settings were found for this app");
        match method {
            "GET" => Ok(Reply::json(200, self.settings.as_ref().ok_or_else(none)?.shown())),
            "PUT" => {
                let created_ms = self.settings.as_ref().map_or(now, |settings| settings.created_ms);
                let to = Arc::new(subscriber(&body(call)?, secret)?);
                let settings = self.settings.insert(Settings { to, created_ms, updated_ms: now });
                Ok(Reply::json(200, settings.shown()))
            }
            // The subscriptions stay, and are delivered to nobody.
            "DELETE" => self.settings.take().map(|_| Reply::empty()).ok_or_else(none),
            _ => Err(Refusal::not_found("resource not found")),
        }
    }

    fn subscribe<'a>(
        &self,
        body: &Value,
        mut portals: impl Iterator<Item = &'a Portal>,
        id: u64,
        now: i64,
    ) -> Result<Subscription, Refusal> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(event_type), Some(active)) =
            (text("eventType"), body.get("active").and_then(Value::as_bool))
        else {
            return Err(Refusal::invalid("Some required fields were not set: [active, eventType]"));
        };
        if self.settings.is_none() {
            return Err(Refusal::invalid("The app has no webhook settings to deliver events to"));
        }
        let (object, what) = event_type.split_once('.').unwrap_or_default();
        let is_known = OBJECTS.contains(&object) && EVENTS.contains(&what);
        if !is_known && event_type != "contact.privacyDeletion" {
            return Err(Refusal::invalid(format!("Invalid eventType: {event_type}")));
        }
        let (property, object_type) = (text("propertyName"), text("objectTypeId"));
        if (what == "propertyChange") != property.is_some() {
            return Err(Refusal::invalid("propertyName is for propertyChange, which needs it"));
        }
        if (object == "object") != object_type.is_some() {
            return Err(Refusal::invalid("objectTypeId is for generic events, which need it"));
        }
        let kind = Kind::named(object_type.as_deref().unwrap_or(object));
        if let (Some(kind), Some(property)) = (kind, &property)
            && (UNTOLD.contains(&property.as_str())
                || portals.any(|portal| is_calculated(portal, kind, property)))
        {
            return Err(Refusal::invalid(format!("The property {property} cannot be subscribed to")));
        }
        let is_same = |known: &Subscription| {
            (&known.event_type, &known.property, &known.object_type) == (&event_type, &property, &object_type)
        };
        if self.subscriptions.iter().any(is_same) {
            return Err(Refusal::new(409, "CONFLICT", "A subscription for this event exists already"));
        }
        if self.subscriptions.len() >= MOST {
            return Err(Refusal::invalid(format!("An app has at most {MOST} subscriptions")));
        }
        Ok(Subscription { id, event_type, property, object_type, active, created_ms: now, updated_ms: now })
    }

    fn subscription(&mut self, method: &str, call: &Call, id: &str, now: i64) -> Result<Reply, Refusal> {
        let place = self.subscriptions.iter().position(|subscription| subscription.id.to_string() == id);
        let place = place.ok_or_else(|| Refusal::not_found("No subscription of this id was found"))?;
        match method {
            "GET" => {}
            "PATCH" => {
                let active = body(call)?.get("active").and_then(Value::as_bool);
                let subscription = &mut self.subscriptions[place];
                subscription.active = active.unwrap_or(subscription.active);
                subscription.updated_ms = now;
            }
            "DELETE" => {
                self.subscriptions.remove(place);
                return Ok(Reply::empty());
            }
            _ => return Err(Refusal::not_found("resource not found")),
        }
        Ok(Reply::json(200, self.subscriptions[place].shown()))
    }
}

impl Settings {
    fn shown(&self) -> Value {
        json!({
            "targetUrl": self.to.target,
            "throttling": {"maxConcurrentRequests": self.to.at_once},
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms),
        })
    }
}

impl Subscription {
    fn wants(&self, event: &Value) -> bool {
        let is = |field: &str, own: &str| event[field] == own;
        self.active
            && is("subscriptionType", &self.event_type)
            && self.property.as_ref().is_none_or(|own| is("propertyName", own))
            && self.object_type.as_ref().is_none_or(|own| is("objectTypeId", own))
    }

    fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id.to_string(),
            "eventType": self.event_type,
            "active": self.active,
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms),
        });
        let more = [("propertyName", &self.property), ("objectTypeId", &self.object_type)];
        for (name, value) in more.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            shown[name] = json!(value);
        }
        shown
    }
}

/// Who gets an app's events, from the body that sets it.
fn subscriber(body: &Value, secret: &SecretString) -> Result<Subscriber, Refusal> {
    let target = body["targetUrl"].as_str().filter(|target| target.starts_with("https://"));
    let target = target.ok_or_else(|| Refusal::invalid("targetUrl must be an https URL"))?;
    let at_once = body["throttling"]["maxConcurrentRequests"].as_u64().filter(|most| *most > 0);
    let at_once = at_once.and_then(|most| usize::try_from(most).ok());
    let at_once =
        at_once.ok_or_else(|| Refusal::invalid("throttling needs a maxConcurrentRequests of at least 1"))?;
    Ok(Subscriber {
        target: target.to_owned(),
        webhook: String::new(),
        secret: secret.clone(),
        at_once,
        together: TOGETHER,
    })
}

fn is_calculated(portal: &Portal, kind: Kind, property: &str) -> bool {
    portal.property(kind, property).is_some_and(|property| property.access == Access::Calculated)
}
