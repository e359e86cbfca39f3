//! Webhook events (<https://developers.hubspot.com/docs/api-reference/webhooks>): each names one record and, at most, one
//! property with its new value.

use serde_json::Value as Json;

use crate::sync::crm::Writer;
use crate::sync::news::News;
use crate::sync::wire::{list_at, text_at};

/// What an event says of its record.
pub(in crate::sync) fn news(event: &Json, writer: Option<&str>) -> News {
    let text = |key: &str| text_at(event, &[key]).map(std::borrow::Cow::into_owned);
    let kind = text("subscriptionType").unwrap_or_default();
    let what = kind.split_once('.').map_or("", |(_, what)| what);
    let at_ms = event.get("occurredAt").and_then(Json::as_i64);
    match (what, at_ms) {
        ("propertyChange", Some(at_ms)) => match (text("propertyName"), text("propertyValue")) {
            (Some(property), Some(raw)) => News::Value { property, raw, at_ms, by: by(event, writer) },
            // The value of a sensitive property does not travel with its event.
            _ => News::Changed,
        },
        ("deletion", Some(at_ms)) => News::Deleted { at_ms },
        ("restore", Some(at_ms)) => News::Restored { at_ms },
        ("merge", _) => merged(event),
        ("privacyDeletion", _) => News::Erased,
        ("creation" | "associationChange" | "propertyChange" | "deletion" | "restore", _) => News::Changed,
        _ => News::Nothing,
    }
}

/// A merge may give the record an id that neither of the two had.
fn merged(event: &Json) -> News {
    let text = |key: &str| text_at(event, &[key]).map(std::borrow::Cow::into_owned);
    let Some(primary) = text("primaryObjectId").or_else(|| text("objectId")) else { return News::Changed };
    let into = text("newObjectId").unwrap_or_else(|| primary.clone());
    let merged = list_at(event, "mergedObjectIds").iter().filter_map(|id| text_at(id, &[]));
    let others = std::iter::once(primary).chain(merged.map(std::borrow::Cow::into_owned));
    News::Merged { others: others.filter(|id| *id != into).collect(), into }
}

fn by(event: &Json, writer: Option<&str>) -> Writer {
    let (kind, id) = (text_at(event, &["changeSource"]), text_at(event, &["sourceId"]));
    super::read::writer_of(kind.as_deref(), id.as_deref(), writer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_says_what_became_of_its_record() {
        let event = |what: &str, more: Json| {
            let mut event = json!({
                "eventId": 1, "portalId": 7, "appId": 9, "occurredAt": 1_700_000_000_000_i64, "objectId": 12,
                "subscriptionType": what, "changeSource": "CRM_UI", "sourceId": "userId:5",
            });
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event
        };
        let at_ms = 1_700_000_000_000;
        let value = |by| News::Value { property: "jobtitle".to_owned(), raw: "CTO".to_owned(), at_ms, by };
        let change = json!({"propertyName": "jobtitle", "propertyValue": "CTO"});
        let theirs = Writer::Other("CRM_UI userId:5".to_owned());
        assert_eq!(news(&event("contact.propertyChange", change.clone()), Some("9")), value(theirs));
        let mut ours = event("object.propertyChange", change);
        ours["changeSource"] = json!("INTEGRATION");
        ours["sourceId"] = json!("9");
        assert_eq!(news(&ours, Some("9")), value(Writer::Us));
        assert_eq!(news(&ours, Some("8")), value(Writer::Other("INTEGRATION 9".to_owned())));
        let hidden = event("contact.propertyChange", json!({"propertyName": "phone", "isSensitive": true}));
        assert_eq!(news(&hidden, None), News::Changed);
        let mut timeless = event("contact.deletion", json!({}));
        assert_eq!(news(&timeless, None), News::Deleted { at_ms });
        timeless["occurredAt"] = json!("yesterday");
        assert_eq!(news(&timeless, None), News::Changed, "no moment is made up");
        assert_eq!(news(&event("contact.restore", json!({})), None), News::Restored { at_ms });
        assert_eq!(news(&event("contact.privacyDeletion", json!({})), None), News::Erased);
        assert_eq!(news(&event("company.creation", json!({})), None), News::Changed);
        assert_eq!(news(&event("deal.stageMoved", json!({})), None), News::Nothing);
    }

    #[test]
    fn a_merge_names_every_old_id_and_the_new_one() {
        let merge = json!({"subscriptionType": "contact.merge", "occurredAt": 1, "objectId": 1,
            "primaryObjectId": 1, "mergedObjectIds": [2], "newObjectId": 3});
        let names = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(news(&merge, None), News::Merged { into: "3".to_owned(), others: names(&["1", "2"]) });
        let mut kept = merge;
        kept["newObjectId"] = json!(1);
        assert_eq!(news(&kept, None), News::Merged { into: "1".to_owned(), others: names(&["2"]) });
    }
}
