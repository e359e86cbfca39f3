//! An app's webhooks, by the 2026-09 description of
//! <https://github.com/HubSpot/HubSpot-public-api-spec-collection>: one target for all accounts that have installed the
//! app, and a subscription for each type of event and property. The developer account's key opens them (`hapikey`).
//!
//! The guide (<https://developers.hubspot.com/docs/api-reference/2026-03/webhooks/guide>) says that this is for legacy
//! public apps: a project's app has its subscriptions in its project's files, and refuses these calls.

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use super::{HUBSPOT_API_VERSION, faults};
use crate::sync::crm::Client;
use crate::sync::fault::{Class, Fault, Refusal};
use crate::sync::subscriptions::{
    Registered, State, Subscription, Topic, Wanted, What, host, is_same_connection,
};
use crate::sync::wire::{self, Reply, list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::Object;

/// How many deliveries an app gets at once unless it said otherwise: the documented default.
const AT_ONCE: u64 = 10;

/// Whoever administers one app.
#[derive(Clone, Copy)]
struct Admin<'a> {
    client: &'a Client,
    app: &'a str,
    key: &'a SecretString,
}

/// Where an app's events go.
struct Settings {
    target: String,
    at_once: u64,
}

/// Every subscription of the app, with the one target.
pub(in crate::sync) async fn hooks(
    client: &Client,
    app: &str,
    key: &SecretString,
) -> Result<Vec<Subscription>, Fault> {
    let admin = Admin { client, app, key };
    let target = admin.settings().await?.map(|settings| settings.target);
    admin.subscriptions(target.as_ref()).await
}

/// Points the app at the target and subscribes to what it does not tell yet. A type or property that the app cannot be
/// told of is refused by itself.
pub(in crate::sync) async fn hook(
    client: &Client,
    app: &str,
    key: &SecretString,
    wanted: Wanted<'_>,
) -> Result<Registered, Fault> {
    let admin = Admin { client, app, key };
    let settings = admin.settings().await?;
    let target = settings.as_ref().map(|settings| &settings.target);
    let known = admin.subscriptions(target).await?;
    if let Some(other) = target.filter(|target| *target != wanted.target) {
        let is_in_use = known.iter().any(|subscription| subscription.state == State::Active);
        if is_in_use && !wanted.replace && !is_same_connection(other, wanted.target) {
            let message = format!("the app's webhooks are delivered to {}", host(other));
            return Err(Fault::unsent(Class::Duplicate, message));
        }
    }
    if target.is_none_or(|target| target != wanted.target) {
        let at_once = settings.as_ref().map_or(AT_ONCE, |settings| settings.at_once);
        let body = json!({"targetUrl": wanted.target, "throttling": {"maxConcurrentRequests": at_once}});
        admin.success(Method::PUT, "settings", Some(&body)).await?;
    }
    let mut registered = Registered { id: app.to_owned(), ..Registered::default() };
    for topic in wanted.topics {
        let there = known.iter().find(|subscription| subscription.topics.contains(topic));
        if there.is_some_and(|subscription| subscription.state == State::Active) {
            registered.kept.push(topic.clone());
            continue;
        }
        match admin.subscribe(topic, there.map(|subscription| subscription.id.as_str())).await {
            Ok(()) => registered.added.push(topic.clone()),
            // Another process was there in between.
            Err(fault) if fault.class == Class::Duplicate => registered.kept.push(topic.clone()),
            Err(fault) if fault.class == Class::Invalid => {
                registered.refused.push((topic.clone(), Refusal::of_fault(&fault)));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(registered)
}

/// Ends one subscription of the app.
pub(in crate::sync) async fn unhook(
    client: &Client,
    app: &str,
    key: &SecretString,
    id: &str,
) -> Result<(), Fault> {
    let reply = Admin { client, app, key }.send(Method::DELETE, &format!("subscriptions/{id}"), None).await?;
    if reply.is_success() || reply.status == 404 { Ok(()) } else { Err(fault(&reply)) }
}

impl Admin<'_> {
    async fn settings(&self) -> Result<Option<Settings>, Fault> {
        let body = match self.success(Method::GET, "settings", None).await {
            // No target was ever set; an app that is not there at all has no subscriptions either, which is a fault.
            Err(fault) if fault.class == Class::Missing => return Ok(None),
            answered => answered?,
        };
        let Some(target) = text_at(&body, &["targetUrl"]).filter(|target| !target.is_empty()) else {
            return Ok(None);
        };
        let at_once = body.pointer("/throttling/maxConcurrentRequests").and_then(Json::as_u64);
        Ok(Some(Settings { target: target.into_owned(), at_once: at_once.unwrap_or(AT_ONCE) }))
    }

    async fn subscriptions(&self, target: Option<&String>) -> Result<Vec<Subscription>, Fault> {
        let body = self.success(Method::GET, "subscriptions", None).await?;
        let read = |raw: &Json| {
            // Without a target what is active is delivered to nobody.
            let active = raw.get("active").and_then(Json::as_bool) == Some(true) && target.is_some();
            Some(Subscription {
                id: text_at(raw, &["id"])?.into_owned(),
                target: target.cloned(),
                topics: topic(raw).into_iter().collect(),
                state: if active { State::Active } else { State::Inactive },
            })
        };
        Ok(list_at(&body, "results").iter().filter_map(read).collect())
    }

    /// Makes the subscription of a topic, or goes on with the one that is there.
    async fn subscribe(&self, topic: &Topic, paused: Option<&str>) -> Result<(), Fault> {
        if let Some(id) = paused {
            let path = format!("subscriptions/{id}");
            return self.success(Method::PATCH, &path, Some(&json!({"active": true}))).await.map(drop);
        }
        let mut body = json!({"eventType": event_type(topic), "active": true});
        if let What::Changed(Some(property)) = &topic.what {
            body["propertyName"] = json!(property);
        }
        self.success(Method::POST, "subscriptions", Some(&body)).await.map(drop)
    }

    async fn success(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Json, Fault> {
        let reply = self.send(method, path, body).await?;
        if !reply.is_success() {
            return Err(fault(&reply));
        }
        reply.read().cloned()
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Reply, Fault> {
        let host = &self.client.hosts.hubspot;
        let url = format!("{host}/app-webhooks/{HUBSPOT_API_VERSION}/{}/{path}", self.app);
        let request = self.client.http.request(method, url).query(&[("hapikey", self.key.expose_secret())]);
        wire::send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }
}

/// What a refusal means; it may name properties, which are no secrets.
fn fault(reply: &Reply) -> Fault {
    faults::fault(reply, &Told::default())
}

pub(in crate::sync) fn event_type(topic: &Topic) -> String {
    let what = match topic.what {
        What::Created => "creation",
        What::Changed(_) => "propertyChange",
        What::Deleted => "deletion",
        What::Restored => "restore",
        What::Merged => "merge",
        What::Associated => "associationChange",
        What::Erased => "privacyDeletion",
    };
    format!("{}.{what}", topic.object.name())
}

fn topic(raw: &Json) -> Option<Topic> {
    let event_type = text_at(raw, &["eventType"])?;
    let (object, what) = event_type.split_once('.')?;
    let what = match what {
        "creation" => What::Created,
        "propertyChange" => What::Changed(Some(text_at(raw, &["propertyName"])?.into_owned())),
        "deletion" => What::Deleted,
        "restore" => What::Restored,
        "merge" => What::Merged,
        "associationChange" => What::Associated,
        "privacyDeletion" => What::Erased,
        _ => return None,
    };
    Some(Topic::new(Object::from_name(object)?, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::stub::{Canned, Stub};

    fn settings() -> Canned {
        let throttling = json!({"maxConcurrentRequests": 25});
        Canned::json(200, json!({"targetUrl": "https://old.example.com/a", "throttling": throttling}))
    }

    fn wanted(topics: &[Topic]) -> Wanted<'_> {
        Wanted { target: "https://new.example.com/a", topics, replace: false }
    }

    async fn hooked(stub: &Stub, topics: &[Topic]) -> Result<Registered, Fault> {
        let key = SecretString::from("k&y");
        hook(&Stub::client(&stub.address()), "7", &key, wanted(topics)).await
    }

    #[tokio::test]
    async fn what_is_paused_goes_on_and_the_settings_keep_what_they_allow() {
        let subscription = json!({"id": 5, "eventType": "company.merge", "active": false});
        let other = json!({"id": "6", "eventType": "deal.creation", "active": true});
        let stub = Stub::serve(vec![
            settings().at("GET"),
            Canned::json(200, json!({"results": [subscription, other]})).at("GET"),
            Canned::json(200, json!({})).at("PUT"),
            Canned::json(200, json!({})).at("PATCH"),
            Canned::json(201, json!({})).at("POST"),
        ])
        .await;
        let changed = Topic::new(Object::Contact, What::Changed(Some("email".to_owned())));
        let topics = [Topic::new(Object::Company, What::Merged), changed];
        let registered = hooked(&stub, &topics).await.unwrap();
        assert_eq!((registered.added.as_slice(), registered.kept.len()), (&topics[..], 0));
        let asked = stub.asked();
        let base = "/app-webhooks/2026-09/7";
        assert_eq!(asked[2].line, format!("PUT {base}/settings?hapikey=k%26y"));
        assert_eq!(asked[2].json()["throttling"]["maxConcurrentRequests"], 25);
        assert_eq!(asked[3].line, format!("PATCH {base}/subscriptions/5?hapikey=k%26y"));
        let expected =
            json!({"eventType": "contact.propertyChange", "active": true, "propertyName": "email"});
        assert_eq!(asked[4].json(), expected);
    }

    #[tokio::test]
    async fn another_process_may_have_subscribed_in_between() {
        let taken = json!({"status": "error", "category": "CONFLICT", "message": "exists"});
        let stub = Stub::serve(vec![
            settings().at("GET"),
            Canned::json(200, json!({"results": []})).at("GET"),
            Canned::json(200, json!({})).at("PUT"),
            Canned::json(409, taken).at("POST"),
        ])
        .await;
        let topics = [Topic::new(Object::Contact, What::Created)];
        let registered = hooked(&stub, &topics).await.unwrap();
        assert_eq!((registered.kept.as_slice(), registered.added.len()), (&topics[..], 0));
    }

    #[test]
    fn every_topic_is_read_as_it_is_written() {
        let all =
            [What::Created, What::Deleted, What::Restored, What::Merged, What::Associated, What::Erased];
        let changed = What::Changed(Some("email".to_owned()));
        for what in all.into_iter().chain([changed]) {
            let written = Topic::new(Object::Contact, what);
            let raw = json!({"eventType": event_type(&written), "propertyName": "email"});
            assert_eq!(topic(&raw), Some(written));
        }
        assert_eq!(topic(&json!({"eventType": "deal.creation"})), None);
        assert_eq!(topic(&json!({"eventType": "contact.propertyChange"})), None);
    }
}
