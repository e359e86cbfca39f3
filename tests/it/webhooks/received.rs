//! What becomes of genuine deliveries.

use opstables::store::hooks as stored;
use opstables::sync::receive::{Accepted, Receiver, Refused};
use opstables::tables::System;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use super::signed::{ATTIO_SECRET, Delivery, Hooked, PUBLIC_URL, SECRET, change, list, payload, update};
use crate::harness::{Bench, on_both};

const fn all(taken: usize) -> Accepted {
    Accepted { taken, left_out: 0 }
}

on_both! {
    async fn a_genuine_delivery_is_in_the_inbox_when_it_is_answered(t: Bench) {
        let hooked = Hooked::new(t).await;
        let person = Uuid::from_u128(7);
        let body = list(&[change(1, 11, "CEO"), change(2, 12, "CFO")]);
        assert_eq!(hooked.receive(&hooked.genuine(System::Hubspot, &body)).await, Ok(all(2)));
        let body = payload(&[update(person)]);
        assert_eq!(hooked.receive(&hooked.genuine(System::Attio, &body)).await, Ok(all(1)));
        let expected =
            ["hubspot|contact|11|pending", "hubspot|contact|12|pending", &format!("attio|contact|{person}|pending")];
        assert_eq!(hooked.inbox().await, expected);
        assert_eq!(hooked.events(System::Hubspot).await, [change(1, 11, "CEO"), change(2, 12, "CFO")]);
        assert_eq!(hooked.counted().await, [""; 0]);
    }

    async fn a_delivery_that_is_sent_again_brings_nothing_new(t: Bench) {
        let hooked = Hooked::new(t).await;
        for attempt in 0..4 {
            hooked.t.clock.advance_ms(60_000);
            let mut event = change(1, 11, "CEO");
            event["attemptNumber"] = json!(attempt);
            let body = list(&[event.clone(), event]);
            assert_eq!(hooked.receive(&hooked.genuine(System::Hubspot, &body)).await, Ok(all(2)));
            let body = payload(&[update(Uuid::from_u128(7)), update(Uuid::from_u128(7))]);
            assert_eq!(hooked.receive(&hooked.genuine(System::Attio, &body)).await, Ok(all(2)));
        }
        assert_eq!(hooked.inbox_len().await, 1 + 2, "Attio's events of one delivery are told apart by their place");
        let body = payload(&[update(Uuid::from_u128(7))]);
        let next = Delivery::attio(hooked.attio, ATTIO_SECRET, "key-2", &body);
        assert_eq!(hooked.receive(&next).await, Ok(all(1)));
        assert_eq!(hooked.inbox_len().await, 4);
    }

    async fn what_is_none_of_the_connection_is_left_out_and_counted(t: Bench) {
        let hooked = Hooked::new(t).await;
        let with = |name: &str, value: serde_json::Value| {
            let mut event = change(1, 11, "CEO");
            event[name] = value;
            event
        };
        let events = [
            with("portalId", json!(2)),
            with("portalId", json!(null)),
            with("appId", json!(54321)),
            with("subscriptionType", json!("deal.propertyChange")),
            with("subscriptionType", json!("contact.somethingNew")),
            json!("no event"),
            change(2, 12, "CFO"),
        ];
        let accepted = hooked.receive(&hooked.genuine(System::Hubspot, &list(&events))).await;
        assert_eq!(accepted, Ok(Accepted { taken: 1, left_out: 6 }));
        let mut elsewhere = update(Uuid::from_u128(1));
        elsewhere["id"]["workspace_id"] = json!("2");
        let mut deal = update(Uuid::from_u128(2));
        deal["id"]["object_id"] = json!("deals");
        let note = json!({"event_type": "note.created", "id": {"workspace_id": "1", "note_id": "n"}});
        let body = payload(&[elsewhere, deal, note, update(Uuid::from_u128(3))]);
        let accepted = hooked.receive(&hooked.genuine(System::Attio, &body)).await;
        assert_eq!(accepted, Ok(Accepted { taken: 1, left_out: 3 }));
        assert_eq!(hooked.inbox_len().await, 2);
        let expected = [
            "hubspot|not_followed|2", "hubspot|wrong_account|3", "hubspot|wrong_app|1",
            "attio|not_followed|2", "attio|wrong_account|1",
        ];
        assert_eq!(hooked.counted().await, expected);
    }

    async fn bad_json_with_a_good_signature_is_refused_and_counted(t: Bench) {
        let hooked = Hooked::new(t).await;
        for body in ["", "[", "{}", "null", "[1]x", "\u{feff}[]"] {
            let refused = hooked.receive(&hooked.genuine(System::Hubspot, body.as_bytes())).await;
            assert_eq!(refused, Err(Refused::NotReadable), "{body}");
        }
        for body in ["[]", "{}", "{\"events\":{}}"] {
            let refused = hooked.receive(&hooked.genuine(System::Attio, body.as_bytes())).await;
            assert_eq!(refused, Err(Refused::NotReadable), "{body}");
        }
        assert_eq!(hooked.receive(&hooked.genuine(System::Hubspot, b"[]")).await, Ok(all(0)));
        assert_eq!(hooked.inbox_len().await, 0);
        assert_eq!(hooked.counted().await, ["hubspot|not_readable|6", "attio|not_readable|3"]);
    }

    async fn text_that_a_database_cannot_keep_is_kept_without_it(t: Bench) {
        let hooked = Hooked::new(t).await;
        let body = list(&[change(1, 11, "a\0b"), change(2, 12, "quote ' \\ \u{1F600}")]);
        assert_eq!(hooked.receive(&hooked.genuine(System::Hubspot, &body)).await, Ok(all(2)));
        let events = hooked.events(System::Hubspot).await;
        assert_eq!(events, [change(1, 11, "a\u{fffd}b"), change(2, 12, "quote ' \\ \u{1F600}")]);
    }

    async fn two_secrets_are_valid_and_the_one_before_them_is_not(t: Bench) {
        let hooked = Hooked::new(t).await;
        let sent = |event: u64, secret: &str| {
            let (body, now_ms) = (list(&[change(event, 11, "CEO")]), hooked.t.clock.now_ms());
            Delivery::hubspot(hooked.hubspot, secret, now_ms, &body)
        };
        assert_eq!(hooked.receive(&sent(1, SECRET)).await, Ok(all(1)));
        assert_eq!(hooked.receive(&sent(2, "second")).await, Err(Refused::BadSignature));
        for (secret, now_valid) in [("second", [true, true, false]), ("third", [false, true, true])] {
            hooked.add_secret(System::Hubspot, secret).await;
            hooked.t.clock.advance_ms(2_000);
            for (secret, valid) in [SECRET, "second", "third"].into_iter().zip(now_valid) {
                let expected = if valid { Ok(all(1)) } else { Err(Refused::BadSignature) };
                assert_eq!(hooked.receive(&sent(3, secret)).await, expected, "{secret}");
            }
        }
    }

    async fn a_connection_without_secrets_or_public_url_refuses_everything(t: Bench) {
        let hooked = Hooked::new(t).await;
        let delivery = hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")]));
        let engine = Arc::clone(&hooked.t.app.services.sync);
        let nameless = Hooked { receiver: Arc::new(Receiver::new(engine, None)), ..hooked };
        assert_eq!(nameless.receive(&delivery).await, Err(Refused::NoPublicUrl));
        assert_eq!(nameless.counted().await, ["hubspot|no_public_url|1"]);
        let engine = Arc::clone(&nameless.t.app.services.sync);
        let public_url = Some(PUBLIC_URL.to_owned());
        let hooked = Hooked { receiver: Arc::new(Receiver::new(engine, public_url)), ..nameless };
        let mut tx = hooked.t.app.services.store.begin().await.expect("a transaction");
        for system in System::ALL {
            stored::remove(&mut tx, hooked.t.org, system.name()).await.expect("no secrets");
        }
        tx.commit().await.expect("a commit");
        let unsealed = Delivery::hubspot(hooked.hubspot, "", hooked.t.clock.now_ms(), b"[]");
        for delivery in [delivery, unsealed, hooked.genuine(System::Attio, &payload(&[update(Uuid::nil())]))] {
            assert_eq!(hooked.receive(&delivery).await, Err(Refused::NoSecret));
        }
        assert_eq!(hooked.inbox_len().await, 0);
        assert_eq!(hooked.counted().await, ["hubspot|no_secret|2", "attio|no_secret|1"]);
    }

    async fn what_could_not_be_kept_is_refused_and_kept_when_it_is_sent_again(t: Bench) {
        let hooked = Hooked::new(t).await;
        let delivery = hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")]));
        hooked.break_inbox(true).await;
        assert_eq!(hooked.receive(&delivery).await, Err(Refused::NotStored));
        hooked.break_inbox(false).await;
        assert_eq!(hooked.inbox_len().await, 0);
        assert_eq!(hooked.receive(&delivery).await, Ok(all(1)));
        assert_eq!(hooked.inbox_len().await, 1);
        assert_eq!(hooked.counted().await, ["hubspot|not_stored|1"]);
    }

    async fn one_delivery_that_cannot_be_kept_keeps_out_no_other(t: Bench) {
        let hooked = Arc::new(Hooked::new(t).await);
        let bad: u64 = 66;
        forbid(&hooked, bad).await;
        let sending = (0..64_u64).map(|event| {
            let hooked = Arc::clone(&hooked);
            let contact = if event % 8 == 3 { bad } else { 11 };
            tokio::spawn(async move {
                let delivery = hooked.genuine(System::Hubspot, &list(&[change(event, contact, "CEO")]));
                (contact == bad, hooked.receive(&delivery).await)
            })
        });
        for sent in sending.collect::<Vec<_>>() {
            let (is_bad, result) = sent.await.expect("an answer");
            assert_eq!(result, if is_bad { Err(Refused::NotStored) } else { Ok(all(1)) });
        }
        assert_eq!(hooked.inbox_len().await, 56);
    }
}

/// Has the database refuse a record's events.
async fn forbid(hooked: &Hooked, record: u64) {
    let statements = if hooked.is_sqlite() {
        vec![format!(
            "create trigger forbidden before insert on crm_inbox when new.record_id = '{record}'
             begin select raise(abort, 'forbidden'); end"
        )]
    } else {
        vec![format!("alter table crm_inbox add constraint forbidden check (record_id <> '{record}')")]
    };
    crate::database::change(&hooked.t, statements.iter().map(|text| opstables::store::Sql::new(text))).await;
}
