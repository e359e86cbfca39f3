//! Webhook events (<https://docs.attio.com/rest-api/guides/webhooks>): ids only, without values or moments, so that nearly
//! every one of them means that its record is to be read.

use serde_json::Value as Json;

use crate::sync::news::News;
use crate::sync::wire::text_at;

/// What an event says of its record.
pub(in crate::sync) fn news(event: &Json) -> News {
    let text = |path: &[&str]| text_at(event, path).map(std::borrow::Cow::into_owned);
    match text_at(event, &["event_type"]).as_deref() {
        Some("record.created" | "record.updated" | "record.deleted") => News::Changed,
        // There is one event for each of the records that became the new one.
        Some("record.merged") => match (text(&["id", "record_id"]), text(&["duplicate_record_id"])) {
            (Some(into), Some(other)) if into != other => News::Merged { into, others: vec![other] },
            _ => News::Changed,
        },
        _ => News::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_means_that_its_record_is_read() {
        for what in ["record.created", "record.updated", "record.deleted"] {
            assert_eq!(news(&json!({"event_type": what, "id": {"record_id": "a"}})), News::Changed);
        }
        assert_eq!(news(&json!({"event_type": "note.created"})), News::Nothing);
        let merged =
            json!({"event_type": "record.merged", "id": {"record_id": "new"}, "duplicate_record_id": "old"});
        assert_eq!(news(&merged), News::Merged { into: "new".to_owned(), others: vec!["old".to_owned()] });
    }
}
