//! What the CRMs tell by webhooks arrives in the tables and at the other CRM: each event once, in whatever order they come.

mod storm;
mod wire;

use opstables::store::{Sql, hooks};
use opstables::sync::Turn;
use opstables::sync::pace::Limit;
use opstables::tables::System;
use serde_json::json;

use crate::database::{KEPT, change, dump, lines};
use crate::delivery::crms::Crms;
use crate::harness::{Bench, on_both};
use crate::reconcile::reader::{POLL_MS, after, contacts};
use crate::schedules::dice::Dice;
use wire::Wire;

on_both! {
    async fn an_edit_at_one_crm_reaches_the_row_and_the_other_crm(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "Old"})).await;
        wire.settle().await;
        let [hubspot, attio] = crms.records(&row).await;
        crms.t.clock.advance_ms(1_000);
        crms.hubspot.edit("contacts", &hubspot, "jobtitle", Some("New")).expect("an edit");
        wire.settle().await;
        assert_eq!(contacts(&crms).await[0]["title"], "New");
        assert_eq!(crms.attio_value(&attio, "job_title")["value"], "New");
        crms.t.clock.advance_ms(1_000);
        crms.attio.edit("people", &attio, "job_title", &json!("Newest")).expect("an edit");
        crms.hubspot.edit("contacts", &hubspot, "phone", Some("")).expect("an edit");
        wire.settle().await;
        assert_eq!(contacts(&crms).await[0]["title"], "Newest");
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "Newest");
        crms.agree().await;
        assert_eq!(crms.conflicts(&row).await, [""; 0], "everybody had seen what they replaced");
    }

    async fn a_record_that_somebody_makes_becomes_a_row(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        crms.t.clock.advance_ms(1_000);
        let person = [("email", "ann@acme.com"), ("firstname", "Ann")];
        let there = crms.hubspot.create("contacts", &person).expect("a record");
        wire.settle().await;
        let rows = contacts(&crms).await;
        assert_eq!((rows.len(), &rows[0]["first_name"]), (1, &json!("Ann")));
        let [hubspot, attio] = crms.records(rows[0]["id"].as_str().expect("an id")).await;
        assert_eq!(hubspot, there);
        assert_eq!(crms.attio_value(&attio, "name")["first_name"], "Ann");
        assert_eq!((crms.hubspot.ids("contacts").len(), crms.attio.ids("people").len()), (1, 1));
    }

    async fn a_deletion_archives_and_a_restoring_brings_back_in_either_order(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        wire.settle().await;
        let [hubspot, _] = crms.records(&row).await;
        let mut dice = Dice::new(3);
        for _ in 0..6 {
            crms.t.clock.advance_ms(60_000);
            crms.hubspot.archive("contacts", &hubspot).expect("an archive");
            wire.settle().await;
            assert_eq!(crms.count("contacts").await, 0, "it is archived");
            crms.t.clock.advance_ms(60_000);
            crms.hubspot.restore("contacts", &hubspot).expect("a restore");
            crms.t.clock.advance_ms(60_000);
            crms.hubspot.archive("contacts", &hubspot).expect("an archive");
            crms.t.clock.advance_ms(60_000);
            crms.hubspot.restore("contacts", &hubspot).expect("a restore");
            wire.deliver_badly(&mut dice).await;
            wire.take_in().await;
            assert_eq!(crms.count("contacts").await, 1, "it is back");
        }
        wire.settle().await;
        crms.agree().await;
    }

    async fn records_that_are_merged_become_one_row_and_their_old_ids_mean_it(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "CTO"})).await;
        let anna = crms.t.create("contacts", json!({"email": "anna@acme.com", "phone": "+14155550123"})).await;
        wire.settle().await;
        let ([first, _], [second, _]) = (crms.records(&ann).await, crms.records(&anna).await);
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.edit("contacts", &second, "jobtitle", Some("CEO")).expect("an edit");
        crms.t.clock.advance_ms(60_000);
        let merged = crms.hubspot.merge("contacts", &first, &second).expect("a merge");
        wire.deliver_badly(&mut Dice::new(5)).await;
        wire.take_in().await;
        let rows = contacts(&crms).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["phone"], "+14155550123");
        let [hubspot, _] = crms.records(rows[0]["id"].as_str().expect("an id")).await;
        assert_eq!(hubspot, merged);
        wire.settle().await;
        assert_eq!(crms.hubspot.ids("contacts").len(), 1, "nothing was made anew");
    }

    async fn who_is_moved_to_another_company_is_so_here(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        crms.t.create("companies", json!({"name": "Acme", "domain": "acme.com"})).await;
        wire.settle().await;
        let contact = crms.hubspot.ids("contacts")[0].clone();
        let company = crms.hubspot.ids("companies")[0].clone();
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.associate(("contacts", &contact), ("companies", &company)).expect("an association");
        wire.settle().await;
        let rows = crms.t.rows("query_contacts", json!({"fields": ["company_name"]})).await;
        assert_eq!(rows[0]["company_name"], "Acme");
    }

    async fn nothing_is_left_of_a_person_who_is_erased_and_nothing_brings_them_back(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        let person = json!({"email": "erika@canary.example", "first_name": "Erikacanary", "title": "Canarytitle"});
        let row = crms.t.create("contacts", person).await;
        wire.settle().await;
        let [hubspot, attio] = crms.records(&row).await;
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.edit("contacts", &hubspot, "jobtitle", Some("Canaryjob")).expect("an edit");
        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "phone": "+49301234567"}]})).await;
        wire.deliver().await;
        wire.take_in().await;
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.privacy_delete(&hubspot).expect("a privacy deletion");
        wire.deliver_badly(&mut Dice::new(1)).await;
        wire.take_in().await;
        assert_eq!(crms.count("contacts").await, 0);
        for table in KEPT.iter().filter(|table| !table.contains("routed") && **table != "ops_idempotency") {
            let found = dump(&crms.t, table).await.join("\n").to_lowercase();
            for left in ["erika", "canary", "1234567"] {
                assert!(!found.contains(left), "{left} is left in {table}: {found}");
            }
        }
        // The other CRM still has the person, and a late event names them; neither makes them a row again.
        crms.t.clock.advance_ms(60_000);
        crms.attio.edit("people", &attio, "job_title", &json!("Again")).expect("an edit");
        wire.settle().await;
        after(&crms, POLL_MS).await;
        assert_eq!(crms.count("contacts").await, 0);
        crms.hubspot.create("contacts", &[("email", "erika@canary.example")]).expect("a record");
        wire.settle().await;
        assert_eq!(crms.count("contacts").await, 0);
    }

    async fn what_comes_while_it_is_held_back_waits(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "Old"})).await;
        wire.settle().await;
        let [hubspot, _] = crms.records(&row).await;
        hold(&crms, Some("a person held it")).await;
        crms.t.clock.advance_ms(1_000);
        crms.hubspot.edit("contacts", &hubspot, "jobtitle", Some("New")).expect("an edit");
        wire.deliver().await;
        assert_eq!(wire.turn(System::Hubspot, &mut Limit::new(System::Hubspot)).await, Turn::Idle(None));
        assert_eq!(contacts(&crms).await[0]["title"], "Old");
        hold(&crms, None).await;
        wire.take_in().await;
        assert_eq!(contacts(&crms).await[0]["title"], "New");
    }

    async fn what_changes_too_much_at_once_is_held_back_and_nothing_of_it_is_lost(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        for number in 0..120 {
            let person = json!({"email": format!("p{number}@acme.com"), "title": "Old"});
            crms.t.create("contacts", person).await;
        }
        wire.settle().await;
        let held = "select system, held_reason from crm_hooks where held_at is not null";
        assert_eq!(lines(&crms.t, held, 2).await, [""; 0], "echoes are no changes");
        let unread = "select system, state, cast(count(*) as text) from crm_inbox where state <> 'done' group by system, state";
        assert_eq!(lines(&crms.t, unread, 3).await, [""; 0]);
        crms.t.clock.advance_ms(3_600_000);
        for record in crms.hubspot.ids("contacts") {
            crms.hubspot.edit("contacts", &record, "jobtitle", Some("Oops")).expect("an edit");
        }
        wire.deliver().await;
        wire.take_in().await;
        let changed = crms.count_of("contacts", "title", "Oops").await;
        assert!(changed <= 100, "{changed} rows changed before anybody looked");
        assert_eq!(lines(&crms.t, unread, 3).await, [format!("hubspot|pending|{}", 120 - changed)]);
        let mut tx = crms.t.app.services.store.begin().await.expect("a transaction");
        let now_ms = crms.t.clock.now_ms();
        let was_held =
            opstables::sync::breaker::let_in(&mut tx, crms.t.org, System::Hubspot, now_ms).await.expect("a write");
        tx.commit().await.expect("a commit");
        assert!(was_held);
        wire.take_in().await;
        assert_eq!(crms.count_of("contacts", "title", "Oops").await, 120);
    }

    async fn an_event_that_another_worker_took_over_counts_once(t: Bench) {
        let crms = Crms::connected(&t).await;
        let wire = Wire::of(&crms).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "Old"})).await;
        wire.settle().await;
        let [hubspot, _] = crms.records(&row).await;
        crms.t.clock.advance_ms(1_000);
        crms.hubspot.edit("contacts", &hubspot, "jobtitle", Some("New")).expect("an edit");
        wire.deliver_badly(&mut Dice::new(2)).await;
        let changes = "select source, action from ops_changes c join ops_change_rows r on r.org_id = c.org_id and r.change_id = c.id where source = 'hubspot'";
        let before = lines(&crms.t, changes, 2).await;
        let mut limits = [Limit::new(System::Hubspot), Limit::new(System::Hubspot)];
        let [one, other] = &mut limits;
        tokio::join!(wire.turn(System::Hubspot, one), wire.turn(System::Hubspot, other));
        wire.take_in().await;
        assert_eq!(contacts(&crms).await[0]["title"], "New");
        assert_eq!(lines(&crms.t, changes, 2).await.len(), before.len() + 1);
    }
}

async fn hold(crms: &Crms, reason: Option<&str>) {
    let mut tx = crms.t.app.services.store.begin().await.expect("a transaction");
    let now = crms.t.clock.now();
    hooks::hold(&mut tx, crms.t.org, "hubspot", reason, now).await.expect("a write");
    tx.commit().await.expect("a commit");
}

/// Ends all leases, as if their time had run out.
async fn expire_leases(t: &Bench) {
    let tables = ["crm_inbox", "hubspot_sync_queue", "attio_sync_queue"];
    let expire = tables
        .map(|table| Sql::new(&format!("update {table} set leased_until_ms = 0 where state = 'leased'")));
    change(t, expire).await;
}
