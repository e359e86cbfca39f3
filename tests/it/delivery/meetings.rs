//! A meeting goes out once its contact is known there: to `HubSpot` as a meeting, to `Attio` as a note on the person.

use opstables::fakes::{Fault, Rule};
use opstables::tables::System;
use serde_json::json;

use super::crms::Crms;
use crate::harness::{Bench, on_both};

on_both! {
    async fn a_meeting_with_a_summary_is_logged_once_and_then_updated(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        let meeting = crms.t.create("meetings", json!({
            "title": "Demo", "meeting_date": "2026-03-04T10:00:00Z", "contact_email": "ann@acme.com",
        })).await;
        crms.work().await;
        assert!(crms.hubspot.ids("meetings").is_empty(), "there is nothing to tell yet");
        assert!(crms.notes(&ann).await.is_empty());

        let said = json!({"id": meeting, "summary": "They want a trial.", "next_actions": ["Send <terms>"], "sentiment": "Positive"});
        crms.t.ok("save_meetings", json!({"rows": [said]})).await;
        crms.work().await;
        let logged = crms.hubspot.ids("meetings");
        assert_eq!(logged.len(), 1);
        let value = |property: &str| crms.hubspot_value_of("meetings", &logged[0], property);
        assert_eq!((value("hs_meeting_title"), value("hs_timestamp")), ("Demo".to_owned(), "2026-03-04T10:00:00.000Z".to_owned()));
        assert_eq!(
            value("hs_meeting_body"),
            "<p>They want a trial.</p><p><strong>Sentiment:</strong> Positive</p><p><strong>Next Actions:</strong> </p>\
             <ul><li>Send &lt;terms&gt;</li></ul>"
        );
        let [contact, _] = crms.records(&ann).await;
        assert_eq!(crms.hubspot.associated(("meetings", &logged[0]), "contacts"), [contact]);
        let notes = crms.notes(&ann).await;
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].1, "Demo");
        assert_eq!(
            notes[0].2,
            format!("They want a trial.\n\nMeeting Date: 2026-03-04 10:00 UTC\n\nSentiment: Positive\n\nNext Actions:\n- Send <terms>\n\nopstables {meeting}")
        );

        crms.t.ok("save_meetings", json!({"rows": [{"id": meeting, "summary": "They want two trials.", "title": "Second demo"}]})).await;
        crms.work().await;
        assert_eq!(crms.hubspot.ids("meetings"), logged);
        assert!(crms.hubspot_value_of("meetings", &logged[0], "hs_meeting_body").starts_with("<p>They want two trials.</p>"));
        let again = crms.notes(&ann).await;
        assert_eq!((again.len(), &again[0].0, again[0].1.as_str()), (1, &notes[0].0, "Second demo"));
        assert!(again[0].2.starts_with("They want two trials.\n"));
        crms.is_settled().await;
    }

    async fn a_meeting_waits_for_its_contact(t: Bench) {
        let crms = Crms::connected(&t).await;
        let meeting = json!({"title": "Intro", "summary": "Hello", "meeting_date": "2026-03-04", "contact_email": "Bob@Acme.com"});
        crms.t.create("meetings", meeting).await;
        crms.work().await;
        assert!(crms.hubspot.ids("meetings").is_empty());
        assert_eq!(crms.queue(System::Attio).await, ["done|{}||"], "no line waits");
        let bob = crms.t.create("contacts", json!({"email": "bob@acme.com"})).await;
        crms.work().await;
        assert_eq!(crms.hubspot.ids("meetings").len(), 1);
        assert_eq!(crms.notes(&bob).await.len(), 1);
        crms.is_settled().await;
    }

    async fn a_meeting_that_moves_to_another_contact_is_associated_with_both(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        let bob = crms.t.create("contacts", json!({"email": "bob@acme.com"})).await;
        let meeting = json!({"summary": "Hello", "meeting_date": "2026-03-04", "contact_email": "ann@acme.com"});
        let meeting = crms.t.create("meetings", meeting).await;
        crms.work().await;
        crms.t.ok("save_meetings", json!({"rows": [{"id": meeting, "contact_email": "bob@acme.com"}]})).await;
        crms.work().await;
        let logged = crms.hubspot.ids("meetings");
        let ([ann_there, _], [bob_there, _]) = (crms.records(&ann).await, crms.records(&bob).await);
        assert_eq!(crms.hubspot.associated(("meetings", &logged[0]), "contacts"), [ann_there, bob_there]);
        assert_eq!((crms.notes(&ann).await.len(), crms.notes(&bob).await.len()), (1, 0), "a note stays where it is");
        crms.is_settled().await;
    }

    async fn a_lost_answer_makes_no_second_meeting(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        crms.work().await;
        crms.hubspot.faults().add(Rule::next(1, Fault::LostAnswer).at("/meetings/batch/upsert"));
        crms.attio.faults().add(Rule::next(1, Fault::LostAnswer).at("POST "));
        let meeting = json!({"summary": "Hello", "meeting_date": "2026-03-04", "contact_email": "ann@acme.com"});
        let meeting = crms.t.create("meetings", meeting).await;
        crms.work().await;
        assert_eq!(crms.hubspot.ids("meetings").len(), 1);
        assert_eq!(crms.notes(&ann).await.len(), 1);
        crms.t.ok("save_meetings", json!({"rows": [{"id": meeting, "summary": "Hello again"}]})).await;
        crms.work().await;
        assert_eq!(crms.hubspot.ids("meetings").len(), 1);
        assert!(crms.notes(&ann).await[0].2.starts_with("Hello again"));
        crms.is_settled().await;
    }

    async fn a_worker_that_dies_logs_no_meeting_twice(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        crms.work().await;
        let meeting = json!({"summary": "Hello", "meeting_date": "2026-03-04", "contact_email": "ann@acme.com"});
        crms.t.create("meetings", meeting).await;
        for _ in 0..8 {
            crms.die_at_work().await;
            crms.t.clock.advance_ms(46_000);
        }
        crms.work().await;
        assert_eq!((crms.hubspot.ids("meetings").len(), crms.notes(&ann).await.len()), (1, 1));
        crms.is_settled().await;
    }

    async fn a_token_that_may_write_no_notes_writes_the_rest(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        crms.work().await;
        crms.attio.faults().add(Rule::next(1, Fault::Status { status: 403, retry_after: None }).at("/notes"));
        let meeting = json!({"summary": "Hello", "meeting_date": "2026-03-04", "contact_email": "ann@acme.com"});
        crms.t.create("meetings", meeting).await;
        crms.work().await;
        crms.t.ok("save_contacts", json!({"rows": [{"id": ann, "title": "CTO"}]})).await;
        crms.work().await;
        let [_, person] = crms.records(&ann).await;
        assert_eq!(crms.attio_value(&person, "job_title")["value"], "CTO");
        let lines = crms.queue(System::Attio).await;
        assert!(lines.iter().any(|line| line.starts_with("dead|") && line.contains("|forbidden|")), "{lines:?}");
    }
}
