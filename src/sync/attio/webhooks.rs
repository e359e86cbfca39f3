//! A workspace's webhooks: <https://docs.attio.com/rest-api/guides/webhooks>. One of them carries all that is
//! subscribed to; its secret is told when it is made, and never again.

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::schema::pages_of;
use super::{Caller, success};
use crate::sync::crm::Client;
use crate::sync::fault::{Class, Fault};
use crate::sync::subscriptions::{Registered, State, Subscription, Topic, Wanted, What, is_same_connection};
use crate::sync::wire::{list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::Object;

/// How many webhooks are asked for at once: as many as may be.
const PAGE: usize = 100;

/// The field of an event by which a subscription keeps to one object.
const OBJECT_FIELD: &str = "id.object_id";

/// The ids of the objects in a workspace.
struct Objects(Vec<(Object, String)>);

/// The workspace's webhooks, as far as the token may see them.
pub(in crate::sync) async fn hooks(
    client: &Client,
    token: &SecretString,
) -> Result<Vec<Subscription>, Fault> {
    let caller = Caller { client, token, object: Object::Contact };
    let raw = pages_of(&caller, &["webhooks"], &[], PAGE).await?;
    if raw.is_empty() {
        return Ok(Vec::new());
    }
    let objects = Objects::read(&caller).await?;
    Ok(raw.iter().filter_map(|raw| objects.subscription(raw)).collect())
}

/// Makes the webhook of the target's connection, or brings it up to date. One that is switched off, or there several
/// times, is replaced, for no call switches one on and only a new one tells its secret.
pub(in crate::sync) async fn hook(
    client: &Client,
    token: &SecretString,
    wanted: Wanted<'_>,
) -> Result<Registered, Fault> {
    let caller = Caller { client, token, object: Object::Contact };
    let mut own = hooks(client, token).await?;
    own.retain(|known| known.target.as_ref().is_some_and(|target| is_same_connection(target, wanted.target)));
    let topics: Vec<Topic> =
        wanted.topics.iter().filter(|topic| event_type(topic).is_some()).cloned().collect();
    let objects = Objects::read(&caller).await?;
    let body = json!({"data": {
        "target_url": wanted.target,
        "subscriptions": objects.subscriptions(&topics),
    }});
    if let ([there], false) = (own.as_slice(), wanted.replace)
        && there.state != State::Inactive
    {
        let (kept, added): (Vec<Topic>, Vec<Topic>) =
            topics.into_iter().partition(|topic| there.topics.contains(topic));
        if !added.is_empty() || there.target.as_deref() != Some(wanted.target) {
            let path = ["webhooks", &there.id];
            let reply = caller.send(Method::PATCH, &path, &[], Some(&body)).await?;
            success(reply, &Told::default())?;
        }
        return Ok(Registered { id: there.id.clone(), added, kept, ..Registered::default() });
    }
    let reply = caller.send(Method::POST, &["webhooks"], &[], Some(&body)).await?;
    let made = success(reply, &Told::default())?;
    let missing = |what: &str| Fault::sent(Class::Unexpected, format!("the answer has no {what}"));
    let id = text_at(&made, &["data", "id", "webhook_id"]).ok_or_else(|| missing("webhook id"))?;
    let secret = text_at(&made, &["data", "secret"]).ok_or_else(|| missing("secret"))?;
    // Only now: until the new one was there the old ones told what happened.
    for old in &own {
        unhook(client, token, &old.id).await?;
    }
    Ok(Registered {
        id: id.into_owned(),
        secret: Some(SecretString::from(secret.into_owned())),
        added: topics,
        ..Registered::default()
    })
}

/// Removes a webhook.
pub(in crate::sync) async fn unhook(client: &Client, token: &SecretString, id: &str) -> Result<(), Fault> {
    let caller = Caller { client, token, object: Object::Contact };
    let reply = caller.send(Method::DELETE, &["webhooks", id], &[], None).await?;
    match success(reply, &Told::default()) {
        Err(fault) if fault.class == Class::Missing => Ok(()),
        answered => answered.map(drop),
    }
}

impl Objects {
    async fn read(caller: &Caller<'_>) -> Result<Objects, Fault> {
        let mut objects = Vec::new();
        for &object in Object::READ {
            let caller = Caller { object, ..*caller };
            let body = caller.ask(&["objects", caller.slug()], &[]).await?;
            let id = text_at(&body, &["data", "id", "object_id"])
                .ok_or_else(|| Fault::sent(Class::Unexpected, "the answer has no object id"))?;
            objects.push((object, id.into_owned()));
        }
        Ok(Objects(objects))
    }

    /// A subscription for each topic, which keeps to the topic's object.
    fn subscriptions(&self, topics: &[Topic]) -> Vec<Json> {
        let subscription = |topic: &Topic| {
            let (_, id) = self.0.iter().find(|(object, _)| *object == topic.object)?;
            let condition = json!({"field": OBJECT_FIELD, "operator": "equals", "value": id});
            Some(json!({"event_type": event_type(topic)?, "filter": {"$and": [condition]}}))
        };
        topics.iter().filter_map(subscription).collect()
    }

    fn subscription(&self, raw: &Json) -> Option<Subscription> {
        let topics = list_at(raw, "subscriptions").iter().flat_map(|subscription| self.topics(subscription));
        Some(Subscription {
            id: text_at(raw, &["id", "webhook_id"])?.into_owned(),
            target: text_at(raw, &["target_url"]).map(Into::into),
            topics: topics.collect(),
            state: match text_at(raw, &["status"]).as_deref() {
                Some("degraded") => State::Failing,
                Some("inactive") => State::Inactive,
                _ => State::Active,
            },
        })
    }

    /// What a subscription tells all of; one that tells only part of a topic does not count.
    fn topics(&self, raw: &Json) -> Vec<Topic> {
        let what = match text_at(raw, &["event_type"]).as_deref() {
            Some("record.created") => What::Created,
            Some("record.updated") => What::Changed(None),
            Some("record.deleted") => What::Deleted,
            Some("record.merged") => What::Merged,
            _ => return Vec::new(),
        };
        let filter = raw.get("filter").unwrap_or(&Json::Null);
        let is_of = |condition: &Json, id: &str| {
            let is =
                |key: &str, expected: &str| text_at(condition, &[key]).is_some_and(|text| text == expected);
            is("field", OBJECT_FIELD) && is("operator", "equals") && is("value", id)
        };
        let passes = |id: &str| {
            let all = list_at(filter, "$and");
            filter.is_null()
                || (!all.is_empty() && all.iter().all(|condition| is_of(condition, id)))
                || list_at(filter, "$or").iter().any(|condition| is_of(condition, id))
        };
        let objects = self.0.iter().filter(|(_, id)| passes(id));
        objects.map(|(object, _)| Topic::new(*object, what.clone())).collect()
    }
}

/// Restored and associated records, and what becomes of privacy, are no events here.
fn event_type(topic: &Topic) -> Option<&'static str> {
    match topic.what {
        What::Created => Some("record.created"),
        What::Changed(None) => Some("record.updated"),
        What::Deleted => Some("record.deleted"),
        What::Merged => Some("record.merged"),
        What::Changed(Some(_)) | What::Restored | What::Associated | What::Erased => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::stub::{Canned, Stub};

    fn objects() -> Objects {
        Objects(vec![(Object::Contact, "p".to_owned()), (Object::Company, "c".to_owned())])
    }

    fn object(id: &str) -> Canned {
        Canned::json(200, json!({"data": {"id": {"object_id": id}}}))
    }

    #[test]
    fn a_subscription_counts_only_for_what_it_tells_all_of() {
        let people = json!({"field": "id.object_id", "operator": "equals", "value": "p"});
        let companies = json!({"field": "id.object_id", "operator": "equals", "value": "c"});
        let not_ours = json!({"field": "actor.id", "operator": "not_equals", "value": "x"});
        let others = json!({"field": "id.object_id", "operator": "not_equals", "value": "p"});
        let check = |event: &str, filter: Json, expected: &[Object]| {
            let topics = objects().topics(&json!({"event_type": event, "filter": filter}));
            let told: Vec<Object> = topics.iter().map(|topic| topic.object).collect();
            assert_eq!(told, expected, "{event} {filter}");
        };
        check("record.created", json!(null), Object::READ);
        check("record.merged", json!({"$and": [people]}), &[Object::Contact]);
        check("record.deleted", json!({"$or": [people, companies]}), Object::READ);
        check("record.updated", json!({"$and": [people, not_ours]}), &[]);
        check("record.updated", json!({"$and": [people, companies]}), &[]);
        check("record.updated", json!({"$and": [others]}), &[]);
        check("record.updated", json!({"$and": []}), &[]);
        check("note.created", json!(null), &[]);
    }

    #[tokio::test]
    async fn every_topic_is_asked_for_by_its_objects_id() {
        let made = json!({"data": {"id": {"webhook_id": "w"}, "secret": "hidden"}});
        let none = Canned::json(200, json!({"data": []}));
        let stub = Stub::serve(vec![
            none.at("GET /v2/webhooks"),
            object("p").at("people"),
            object("c").at("companies"),
            Canned::json(200, made).at("POST"),
        ])
        .await;
        let topics = [
            Topic::new(Object::Company, What::Changed(None)),
            Topic::new(Object::Contact, What::Erased),
            Topic::new(Object::Contact, What::Deleted),
        ];
        let wanted = Wanted { target: "https://new.example.com/a", topics: &topics, replace: false };
        let token = SecretString::from("t");
        let registered = hook(&Stub::client(&stub.address()), &token, wanted).await.unwrap();
        assert_eq!(
            registered.added,
            [topics[0].clone(), topics[2].clone()],
            "the other is no event of Attio"
        );
        assert_eq!(stub.lines()[0], "GET /v2/webhooks?limit=100&offset=0");
        let sent = stub.asked()[3].json();
        let of = |id: &str| json!({"$and": [{"field": "id.object_id", "operator": "equals", "value": id}]});
        let expected = json!([
            {"event_type": "record.updated", "filter": of("c")},
            {"event_type": "record.deleted", "filter": of("p")},
        ]);
        assert_eq!(
            (&sent["data"]["subscriptions"], &sent["data"]["target_url"]),
            (&expected, &json!(wanted.target))
        );
    }

    #[tokio::test]
    async fn a_webhook_without_its_secret_is_no_webhook() {
        let none = Canned::json(200, json!({"data": []}));
        let made = Canned::json(200, json!({"data": {"id": {"webhook_id": "w"}}}));
        let stub = Stub::serve(vec![
            none.at("GET /v2/webhooks"),
            object("p").at("people"),
            object("c").at("companies"),
            made.at("POST"),
        ])
        .await;
        let wanted = Wanted { target: "https://new.example.com/a", topics: &[], replace: false };
        let token = SecretString::from("t");
        let fault = hook(&Stub::client(&stub.address()), &token, wanted).await.unwrap_err();
        assert_eq!((fault.class, fault.sent), (Class::Unexpected, true));
    }
}
