//! What a CRM says of a column that shows more than that.

use chrono::{DateTime, Utc};
use opstables::tables::{System, Value};
use serde_json::json;

use super::{archive, edit, engaged, right};
use crate::crm::{connect, linked, tell_value};
use crate::harness::{Bench, on_both};

const HUBSPOT: System = System::Hubspot;

on_both! {
    async fn what_a_crm_says_stays_under_what_is_computed(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        let ann = linked(&t, HUBSPOT, "1", json!({"email": "ann@x.io"})).await;
        let meeting = t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-02-10T09:00:00Z"})).await;
        let record = (HUBSPOT, ann.as_str(), "1");
        let said = |text: &str| Some(Value::Time(text.parse::<DateTime<Utc>>().unwrap()));
        // Older than our computation, and still what stands there.
        let before = t.clock.now_ms() - 86_400_000;
        tell_value(&t, record, "last_engagement", said("2026-02-08T00:00:00Z"), before).await;
        assert_eq!(engaged(&t, &ann).await, "2026-02-10T09:00:00Z");
        archive(&t, "meetings", &meeting, false).await;
        assert_eq!(engaged(&t, &ann).await, "2026-02-08T00:00:00Z");
        archive(&t, "meetings", &meeting, true).await;
        tell_value(&t, record, "last_engagement", said("2026-02-12T00:00:00Z"), before + 1_000).await;
        assert_eq!(engaged(&t, &ann).await, "2026-02-12T00:00:00Z");
        // A late event of an earlier value changes nothing, whatever came in between.
        tell_value(&t, record, "last_engagement", said("2026-02-20T00:00:00Z"), before - 1_000).await;
        assert_eq!(engaged(&t, &ann).await, "2026-02-12T00:00:00Z");
        tell_value(&t, record, "last_engagement", None, before + 2_000).await;
        assert_eq!(engaged(&t, &ann).await, "2026-02-10T09:00:00Z");
        // A person's later word stands above the CRM's, and both under the meeting.
        t.clock.advance_ms(1_000);
        edit(&t, "contacts", &ann, json!({"last_engagement": "2026-02-01T00:00:00Z"})).await;
        tell_value(&t, record, "last_engagement", said("2026-02-05T00:00:00Z"), before + 3_000).await;
        archive(&t, "meetings", &meeting, false).await;
        assert_eq!(engaged(&t, &ann).await, "2026-02-01T00:00:00Z");
        right(&t).await;
    }
}
