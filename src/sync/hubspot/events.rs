//! What a webhook delivery holds: <https://developers.hubspot.com/docs/api/webhooks>.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::sync::receive::{Event, Events, Known, LeftOut, Refused};
use crate::sync::wire::text_at;
use crate::tables::Object;

/// What may happen to a record; other types are not followed.
const FOLLOWED: &[&str] = &["creation", "deletion", "merge", "restore", "propertyChange", "privacyDeletion"];
const ASSOCIATION: &str = "associationChange";

/// What tells two events apart. `attemptNumber` is not among it, or an event that is sent again would be another one;
/// `eventId` alone "is not guaranteed to be unique".
const TELLING: &[&str] = &[
    "portalId",
    "subscriptionType",
    "objectTypeId",
    "objectId",
    "propertyName",
    "eventId",
    "occurredAt",
    "propertyValue",
];
/// What tells merges and associations apart besides.
const TELLING_MORE: &[&str] = &[
    "primaryObjectId",
    "mergedObjectIds",
    "newObjectId",
    "associationType",
    "fromObjectId",
    "toObjectId",
    "associationRemoved",
];

/// The events of a body, which is a list of them.
pub(in crate::sync) fn events(known: &Known, body: Json) -> Result<Events, Refused> {
    let Json::Array(events) = body else { return Err(Refused::NotReadable) };
    Ok(events.into_iter().map(|event| read(known, event)).collect())
}

/// An app serves many portals, and its secret signs for all of them: an event of another one is none of this connection.
fn read(known: &Known, event: Json) -> Result<Event, LeftOut> {
    if text_at(&event, &["portalId"]).as_deref() != Some(known.account.as_str()) {
        return Err(LeftOut::WrongAccount);
    }
    if let (Some(app), Some(writer)) = (text_at(&event, &["appId"]), &known.writer)
        && app != writer.as_str()
    {
        return Err(LeftOut::WrongApp);
    }
    let (object, record_id) = subject(&event).ok_or(LeftOut::NotFollowed)?;
    let dedupe_key = dedupe_key(&event);
    Ok(Event { object, record_id, dedupe_key, raw: event })
}

/// The record that an event is about.
fn subject(event: &Json) -> Option<(Object, String)> {
    let kind = text_at(event, &["subscriptionType"])?;
    let (name, what) = kind.split_once('.')?;
    let object = match name {
        "contact" => Some(Object::Contact),
        "company" => Some(Object::Company),
        "object" => object_of_type(text_at(event, &["objectTypeId"]).as_deref()?),
        _ => None,
    };
    let id = |key: &str| {
        let id = text_at(event, &[key])?.into_owned();
        let is_id = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then_some(id)
    };
    match what {
        // Of a contact and its companies; told from either end, it is the contact's.
        ASSOCIATION => {
            object?;
            let (from, to) = ends(event)?;
            match (from, to) {
                (Object::Contact, Object::Company) => Some((Object::Contact, id("fromObjectId")?)),
                (Object::Company, Object::Contact) => Some((Object::Contact, id("toObjectId")?)),
                _ => None,
            }
        }
        "merge" => Some((object?, id("primaryObjectId").or_else(|| id("objectId"))?)),
        _ if FOLLOWED.contains(&what) => Some((object?, id("objectId")?)),
        _ => None,
    }
}

fn object_of_type(id: &str) -> Option<Object> {
    match id {
        "0-1" => Some(Object::Contact),
        "0-2" => Some(Object::Company),
        _ => None,
    }
}

/// The objects at the two ends of an association.
fn ends(event: &Json) -> Option<(Object, Object)> {
    let of_type = |key: &str| object_of_type(text_at(event, &[key]).as_deref()?);
    if let (Some(from), Some(to)) = (of_type("fromObjectTypeId"), of_type("toObjectTypeId")) {
        return Some((from, to));
    }
    let kind = text_at(event, &["associationType"])?;
    let (from, to) = kind.split_once("_TO_")?;
    // `CONTACT_TO_COMPANY_UNLABELED` and the like name the label last.
    let named = |text: &str| match text.split('_').next() {
        Some("CONTACT") => Some(Object::Contact),
        Some("COMPANY") => Some(Object::Company),
        _ => None,
    };
    Some((named(from)?, named(to)?))
}

fn dedupe_key(event: &Json) -> String {
    let mut hash = Sha256::new();
    let told = TELLING.iter().chain(TELLING_MORE.iter().filter(|key| event.get(**key).is_some()));
    for (place, key) in told.enumerate() {
        if place > 0 {
            hash.update("|");
        }
        match event.get(*key) {
            None | Some(Json::Null) => {}
            Some(Json::String(text)) => hash.update(text),
            Some(other) => hash.update(other.to_string()),
        }
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, more: &Json) -> Json {
        let mut event = json!({"eventId": 1, "portalId": 62515, "appId": 54321, "occurredAt": 1_564_113_600_000_i64,
            "subscriptionType": kind, "attemptNumber": 0});
        for (name, value) in more.as_object().expect("an object") {
            event[name] = value.clone();
        }
        event
    }

    #[test]
    fn an_event_is_about_a_contact_or_a_company_or_left_alone() {
        let check = |kind: &str, more: Json, expected: Option<(Object, &str)>| {
            let found = subject(&event(kind, &more));
            assert_eq!(found, expected.map(|(object, id)| (object, id.to_owned())), "{kind} {more}");
        };
        let (contact, company) = (Object::Contact, Object::Company);
        check("contact.creation", json!({"objectId": 123}), Some((contact, "123")));
        check("company.propertyChange", json!({"objectId": "77"}), Some((company, "77")));
        check("contact.privacyDeletion", json!({"objectId": 1}), Some((contact, "1")));
        check("object.deletion", json!({"objectId": 1, "objectTypeId": "0-2"}), Some((company, "1")));
        check("object.deletion", json!({"objectId": 1, "objectTypeId": "0-3"}), None);
        check("deal.creation", json!({"objectId": 1}), None);
        check("contact.scored", json!({"objectId": 1}), None);
        check("contact.creation", json!({"objectId": "1/../2"}), None);
        check("contact.creation", json!({}), None);
        check("contact", json!({"objectId": 1}), None);
        let merge = json!({"objectId": 9, "primaryObjectId": 3, "mergedObjectIds": [4], "newObjectId": 9});
        check("contact.merge", merge, Some((contact, "3")));
        let ends = |kind: &str| json!({"associationType": kind, "fromObjectId": 5, "toObjectId": 6});
        check("contact.associationChange", ends("CONTACT_TO_COMPANY"), Some((contact, "5")));
        check("company.associationChange", ends("COMPANY_TO_CONTACT"), Some((contact, "6")));
        check("company.associationChange", ends("COMPANY_TO_CONTACT_UNLABELED"), Some((contact, "6")));
        check("contact.associationChange", ends("CONTACT_TO_DEAL"), None);
        check("contact.associationChange", json!({"fromObjectId": 5, "toObjectId": 6}), None);
    }

    #[test]
    fn the_key_is_the_documented_digest_of_the_fields_in_their_order() {
        let event = event(
            "contact.propertyChange",
            &json!({"objectId": 5, "propertyName": "email", "propertyValue": "a|b"}),
        );
        let text = "62515|contact.propertyChange||5|email|1|1564113600000|a|b";
        assert_eq!(dedupe_key(&event), hex::encode(Sha256::digest(text)));
    }

    #[test]
    fn another_attempt_has_the_same_key_and_another_event_a_different_one() {
        let change = event(
            "contact.propertyChange",
            &json!({"objectId": 5, "propertyName": "email", "propertyValue": "a"}),
        );
        let merge =
            event("contact.merge", &json!({"primaryObjectId": 3, "mergedObjectIds": [4], "newObjectId": 9}));
        let link = event(
            "contact.associationChange",
            &json!({"fromObjectId": 5, "toObjectId": 6, "associationRemoved": false,
            "associationType": "CONTACT_TO_COMPANY"}),
        );
        let check = |event: &Json, name: &str, value: Json, same: bool| {
            let mut other = event.clone();
            other[name] = value;
            assert_eq!(dedupe_key(event) == dedupe_key(&other), same, "{name}");
        };
        for event in [&change, &merge, &link] {
            check(event, "attemptNumber", json!(3), true);
            check(event, "eventId", json!(2), false);
            check(event, "occurredAt", json!(1), false);
            check(event, "portalId", json!(1), false);
        }
        check(&change, "propertyValue", json!("b"), false);
        check(&change, "propertyName", json!("phone"), false);
        check(&merge, "mergedObjectIds", json!([4, 5]), false);
        check(&merge, "newObjectId", json!(10), false);
        check(&link, "fromObjectId", json!(7), false);
        check(&link, "toObjectId", json!(7), false);
        check(&link, "associationRemoved", json!(true), false);
    }
}
