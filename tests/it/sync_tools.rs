//! What callers learn of synchronization, and what they decide about it.

use opstables::error::Code;
use opstables::store::hooks;
use opstables::store::inbox::{self, Arrived, Handled};
use opstables::store::queue::{Failure, State};
use opstables::tables::System;
use serde_json::{Value as Json, json};

use crate::crm::{connect, linked, lost_edit, refuse, settle, tell, tell_deleted};
use crate::harness::{Bench, on_both};

const HUBSPOT: System = System::Hubspot;
const ATTIO: System = System::Attio;

/// The sync status of each contact, by its first name.
async fn statuses(t: &Bench, arguments: Json) -> Vec<String> {
    let rows = t.rows("query_contacts", arguments).await;
    rows.iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("first_name"), text("sync_status"))
        })
        .collect()
}

async fn status_of(t: &Bench, row: &str) -> String {
    let rows = t.rows("query_contacts", json!({"ids": [row], "fields": ["sync_status"]})).await;
    rows[0]["sync_status"].as_str().unwrap().to_owned()
}

async fn phone_of(t: &Bench, row: &str) -> String {
    let rows = t.rows("query_contacts", json!({"ids": [row], "fields": ["phone"]})).await;
    rows[0]["phone"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_write_says_which_crms_are_told_of_it(t: Bench) {
        let said = |result: &Json| (result["sync"].clone(), result["sync_to"].clone());
        let row = json!({"rows": [{"first_name": "Ann"}]});
        assert_eq!(said(&t.ok("save_contacts", row.clone()).await), (json!("not_connected"), Json::Null));
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        assert_eq!(said(&t.ok("save_leads", json!({"rows": [{"contact_name": "X"}]})).await), (json!("not_connected"), Json::Null));
        let saved = t.ok("save_contacts", row).await;
        assert_eq!(said(&saved), (json!("queued"), json!(["hubspot"])));
        let id = linked(&t, HUBSPOT, "1", json!({"first_name": "Bo"})).await;
        let signals = json!({"rows": [{"id": id, "recent_signals": ["hiring"]}]});
        assert_eq!(said(&t.ok("save_contacts", signals).await), (json!("nothing_to_send"), Json::Null));
        let again = t.ok("save_contacts", json!({"rows": [{"id": id, "first_name": "Bo"}]})).await;
        assert_eq!(said(&again).0, "nothing_to_send");
        let many: Vec<Json> = (0..30).map(|_| json!({"first_name": "Di"})).collect();
        t.ok("save_contacts", json!({"rows": many})).await;
        let asked = t.ok("save_contacts", json!({"filters": [{"column": "first_name", "op": "equals", "value": "Di"}], "set": {"title": "CEO"}})).await;
        assert_eq!((&asked["status"], &asked["sync"]), (&json!("needs_confirmation"), &json!("nothing_to_send")));
        connect(&t, ATTIO, json!([])).await;
        t.clock.advance_ms(1);
        let dry = t.ok("save_contacts", json!({"rows": [{"first_name": "Bo"}], "dry_run": true})).await;
        assert_eq!(said(&dry), (json!("queued"), json!(["attio", "hubspot"])));
    }

    async fn the_sync_status_of_a_row_follows_its_lines_and_its_records(t: Bench) {
        t.create("contacts", json!({"first_name": "Eve"})).await;
        let everyone = json!({"fields": ["first_name", "sync_status"], "sort": [{"column": "first_name"}]});
        assert_eq!(statuses(&t, everyone.clone()).await, ["Eve not_connected"]);
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let failure = Failure { message: "no".to_owned(), class: "invalid", column: None, correlation: None };
        t.create("contacts", json!({"first_name": "Ann"})).await;
        assert_eq!(settle(&t, HUBSPOT, State::Dead, Some(failure)).await, 1);
        linked(&t, HUBSPOT, "1", json!({"first_name": "Bo"})).await;
        settle(&t, HUBSPOT, State::Done, None).await;
        t.create("contacts", json!({"first_name": "Cy"})).await;
        let expected = ["Ann error", "Bo synced", "Cy pending", "Eve not_connected"];
        assert_eq!(statuses(&t, everyone).await, expected);
        let by_status = json!({"fields": ["first_name", "sync_status"], "sort": [{"column": "sync_status"}]});
        assert_eq!(statuses(&t, by_status.clone()).await, ["Bo synced", "Cy pending", "Ann error", "Eve not_connected"]);
        let first = t.ok("query_contacts", json!({"fields": ["first_name"], "limit": 3, "sort": [{"column": "sync_status"}]})).await;
        let next = t.ok("query_contacts", json!({"cursor": first["next_cursor"]})).await;
        assert_eq!(next["rows"][0][1], "Eve");
        let issues = json!({"view": "sync_issues", "fields": ["first_name", "sync_status"]});
        assert_eq!(statuses(&t, issues).await, ["Ann error"]);
        let counted = t.ok("query_contacts", json!({"group_by": ["sync_status"]})).await;
        assert_eq!(counted["rows"].as_array().unwrap().len(), 4);
        // Attio waits for Bo too: what is worst of both is what is said.
        connect(&t, ATTIO, json!([])).await;
        t.clock.advance_ms(1);
        t.create("contacts", json!({"first_name": "Di"})).await;
        settle(&t, HUBSPOT, State::Done, None).await;
        let waiting = json!({"filters": [{"column": "sync_status", "op": "in", "value": ["pending"]}], "fields": ["first_name", "sync_status"]});
        assert_eq!(statuses(&t, waiting).await, ["Di pending"]);
    }

    async fn the_status_tells_what_waits_what_failed_and_whether_that_is_well(t: Bench) {
        let nothing = t.ok("sync_status", json!({})).await;
        assert_eq!((&nothing["connections"], &nothing["health"]), (&json!([]), &json!([])));
        assert!(nothing["note"].as_str().unwrap().contains("opstables connect"));
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        linked(&t, HUBSPOT, "1", json!({"first_name": "Bo"})).await;
        for name in ["A", "B", "C"] {
            t.create("contacts", json!({"first_name": name})).await;
        }
        settle(&t, HUBSPOT, State::Done, None).await;
        let bad = t.create("contacts", json!({"first_name": "Dead"})).await;
        let failure = Failure {
            message: "Email address x is invalid".to_owned(),
            class: "invalid",
            column: Some("email".to_owned()),
            correlation: Some("c-1".to_owned()),
        };
        settle(&t, HUBSPOT, State::Dead, Some(failure)).await;
        t.create("companies", json!({"name": "Globex"})).await;
        let busy = Failure { message: "slow down".to_owned(), class: "rate_limited", column: None, correlation: None };
        settle(&t, HUBSPOT, State::Pending, Some(busy)).await;
        t.clock.advance_ms(30_000);
        let status = t.ok("sync_status", json!({})).await;
        let hubspot = &status["connections"][0];
        assert_eq!((&hubspot["system"], &hubspot["state"], &hubspot["account"]), (&json!("hubspot"), &json!("active"), &json!("1")));
        assert_eq!(hubspot["next_retry_at"], "2026-03-02T10:01:00.001Z");
        let contacts = &hubspot["tables"][0];
        assert_eq!((&contacts["table"], &contacts["linked"], &contacts["dead"]), (&json!("contacts"), &json!(1), &json!(1)));
        assert_eq!((&contacts["pending"], &contacts["per_minute"]), (&json!(0), &json!(0.6)));
        assert_eq!(contacts["errors"], json!({"invalid": 1}));
        let companies = &hubspot["tables"][1];
        assert_eq!((&companies["pending"], &companies["oldest_pending_secs"]), (&json!(1), &json!(30)));
        assert_eq!(status["failing"][0], json!({
            "system": "hubspot", "table": "contacts", "row_id": bad, "columns": ["first_name"], "state": "dead", "attempts": 1,
            "class": "invalid", "message": "Email address x is invalid", "column": "email", "correlation_id": "c-1",
        }));
        assert_eq!(status["failing"][1]["class"], "rate_limited");
        assert_eq!(status["health"][0], json!({"table": "contacts", "level": "error", "reasons": ["1 row has changes that a CRM refuses for good"]}));
        assert_eq!(status["health"][1], json!({"table": "companies", "level": "healthy"}));
        t.clock.advance_ms(10 * 60_000);
        let later = t.ok("sync_status", json!({"table": "companies"})).await;
        assert_eq!(later["health"], json!([{"table": "companies", "level": "warning", "reasons": ["the oldest change has waited for 10 minutes"]}]));
        assert_eq!(later["failing"].as_array().unwrap().len(), 1);
        let other = t.ok("sync_status", json!({"system": "attio"})).await;
        assert_eq!(other["note"], "Attio is not connected");
        assert!(t.refused("sync_status", json!({"table": "leads"})).await.allowed.contains(&"contacts".to_owned()));
        assert!(!status.to_string().contains("token"));
    }

    async fn stale_rows_are_those_that_the_crm_changed_and_did_not_tell_of(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        linked(&t, HUBSPOT, "1", json!({"first_name": "Bo"})).await;
        let day_ms = 86_400_000;
        t.clock.advance_ms(2 * day_ms);
        let stale = |status: &Json| status["connections"][0]["tables"][0]["stale"].clone();
        assert_eq!(stale(&t.ok("sync_status", json!({})).await), 0);
        let later = t.clock.now_ms() - day_ms;
        let sql = format!("update crm_links set modified_ms = {later}");
        crate::database::change(&t, [opstables::store::Sql::new(&sql)]).await;
        let status = t.ok("sync_status", json!({})).await;
        assert_eq!(stale(&status), 1);
        assert_eq!(status["health"][0]["level"], "error");
    }

    async fn what_failed_is_sent_again_held_back_or_given_up(t: Bench) {
        let none = t.refused("retry_sync", json!({"action": "retry"})).await;
        assert_eq!((none.code, none.message.as_str()), (Code::NotFound, "no CRM is connected"));
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let rows: Vec<Json> = (0..30).map(|i| json!({"first_name": format!("N{i}")})).collect();
        let saved = t.ok("save_contacts", json!({"rows": rows})).await;
        let first = saved["created"][0].clone();
        let failure = Failure { message: "no".to_owned(), class: "invalid", column: None, correlation: None };
        let kill = async || settle(&t, HUBSPOT, State::Dead, Some(failure.clone())).await;
        assert_eq!(kill().await, 30);
        let rows = |result: &Json| result["systems"][0]["rows"].clone();
        assert_eq!(rows(&t.ok("retry_sync", json!({"action": "retry", "ids": [first]})).await), 1);
        assert_eq!(status_of(&t, first.as_str().unwrap()).await, "pending");
        assert_eq!(rows(&t.ok("retry_sync", json!({"action": "pause", "table": "contacts"})).await), 1);
        assert_eq!(kill().await, 0, "what is held back is not claimed");
        assert_eq!(rows(&t.ok("retry_sync", json!({"action": "resume", "table": "contacts"})).await), 1);
        kill().await;
        let asked = t.ok("retry_sync", json!({"action": "discard"})).await;
        assert_eq!(asked["status"], "needs_confirmation");
        assert_eq!(asked["effect"], "gives up the refused changes of 30 rows (30 for HubSpot); the CRM keeps what it has");
        let other = t.refused("retry_sync", json!({"action": "discard", "table": "contacts", "confirm": asked["confirm"]})).await;
        assert!(other.message.contains("another call"), "{other}");
        t.ok("retry_sync", json!({"action": "retry", "ids": [first]})).await;
        let changed = t.refused("retry_sync", json!({"action": "discard", "confirm": asked["confirm"]})).await;
        assert_eq!(changed.code, Code::Conflict);
        let asked = t.ok("retry_sync", json!({"action": "discard"})).await;
        let done = t.ok("retry_sync", json!({"action": "discard", "confirm": asked["confirm"]})).await;
        assert_eq!((&done["status"], rows(&done)), (&json!("done"), json!(29)));
        assert_eq!(t.ok("sync_status", json!({})).await["connections"][0]["tables"][0]["dead"], 0);
        assert_eq!(t.refused("retry_sync", json!({"action": "retry", "system": "attio"})).await.path.as_deref(), Some("system"));
    }

    async fn a_whole_connection_is_paused_and_let_go(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let row = t.create("contacts", json!({"first_name": "Ann"})).await;
        let state = async || t.ok("sync_status", json!({})).await["connections"][0]["state"].clone();
        let paused = t.ok("retry_sync", json!({"action": "pause"})).await;
        assert_eq!(paused["systems"], json!([{"system": "hubspot", "rows": 0, "connection": "paused"}]));
        assert_eq!((state().await, status_of(&t, &row).await.as_str()), (json!("paused"), "pending"));
        t.ok("retry_sync", json!({"action": "pause", "ids": [row]})).await;
        let resumed = t.ok("retry_sync", json!({"action": "resume"})).await;
        assert_eq!(resumed["systems"], json!([{"system": "hubspot", "rows": 1, "connection": "active"}]));
        crate::database::change(&t, [opstables::store::Sql::new("update crm_connections set state = 'broken', reason = 'revoked'")]).await;
        let broken = t.refused("retry_sync", json!({"action": "resume"})).await;
        assert!(broken.to_string().contains("revoked") && broken.to_string().contains("opstables connect hubspot"), "{broken}");
    }

    async fn what_could_not_be_taken_in_is_told_and_tried_again(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let now_ms = t.clock.now_ms();
        let mut tx = t.app.services.store.begin().await.unwrap();
        let arrived = ["1", "2"].map(|record| {
            let id = t.app.services.sync.ids.next();
            let (dedupe_key, record_id) = (record.to_owned(), record.to_owned());
            (t.org, "hubspot", Arrived { id, dedupe_key, object: "contact".to_owned(), record_id, event: json!({}), received_ms: now_ms })
        });
        inbox::insert(&mut tx, &arrived).await.unwrap();
        let claimed = inbox::claim(&mut tx, t.org, "hubspot", now_ms, 1_000, 1).await.unwrap();
        let dead = claimed.iter().map(|event| Handled {
            id: event.id, fence: event.fence, state: inbox::State::Dead, run_after_ms: now_ms, attempts: 10, error: None,
        });
        assert_eq!(inbox::settle(&mut tx, t.org, "hubspot", &dead.collect::<Vec<_>>(), now_ms).await.unwrap(), 1);
        hooks::refused(&mut tx, t.org, "hubspot", "stale", 3, t.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        t.clock.advance_ms(400_000);
        let status = t.ok("sync_status", json!({})).await;
        let told = json!({"pending": 1, "oldest_pending_secs": 400, "dead": 1, "refused": {"stale": 3}});
        assert_eq!(status["connections"][0]["inbound"], told);
        let reasons = json!(["1 event that HubSpot told could not be taken in", "what HubSpot told has waited for 6 minutes"]);
        assert_eq!((&status["health"][0]["level"], &status["health"][0]["reasons"]), (&json!("warning"), &reasons));
        let retry = async |args: Json| t.ok("retry_sync", args).await["systems"][0].clone();
        let of_table = retry(json!({"action": "retry", "table": "contacts"})).await;
        assert_eq!(of_table, json!({"system": "hubspot", "rows": 0}), "an event is of no table");
        assert_eq!(retry(json!({"action": "retry"})).await, json!({"system": "hubspot", "rows": 0, "events": 1}));
        t.clock.advance_ms(86_400_000);
        let inbound = t.ok("sync_status", json!({})).await["connections"][0]["inbound"].clone();
        assert_eq!((&inbound["pending"], &inbound["dead"], &inbound["refused"]), (&json!(2), &json!(0), &Json::Null));
    }

    async fn a_lost_edit_is_told_in_words(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let (row, id) = lost_edit(&t).await;
        let listed = t.ok("list_conflicts", json!({})).await;
        let conflict = &listed["conflicts"][0];
        assert_eq!(conflict["says"], "Phone of Dana Wu is “+14155550111” by copilot; “+14155550122” by userId:9 in HubSpot was lost: the later edit stands.");
        assert_eq!((&conflict["id"], &conflict["row_id"], &conflict["row"]), (&json!(id), &json!(row), &json!("Dana Wu")));
        assert_eq!((&conflict["kind"], &conflict["rule"], &conflict["resolution"]), (&json!("stale_arrival"), &json!("time"), &json!("open")));
        assert_eq!(conflict["winner"], json!({"value": "+14155550111", "source": "app", "actor": "copilot", "at": "2026-03-02T10:01:00.001Z"}));
        assert_eq!(conflict["loser"]["at"], "2026-03-02T10:00:30.001Z");
        assert_eq!(conflict["now"], Json::Null);
        t.clock.advance_ms(1_000);
        t.ok("save_contacts", json!({"rows": [{"id": row, "phone": "+14155550133"}]})).await;
        let one = t.ok("list_conflicts", json!({"id": id})).await;
        assert_eq!(one["conflicts"][0]["now"], "+14155550133");
        for (filter, found) in [
            (json!({"table": "contacts", "column": "phone", "system": "hubspot"}), 1),
            (json!({"column": "email"}), 0), (json!({"system": "attio"}), 0), (json!({"table": "companies"}), 0),
            (json!({"resolution": "kept"}), 0), (json!({"resolution": "any"}), 1),
        ] {
            assert_eq!(t.ok("list_conflicts", filter.clone()).await["total"], found, "{filter}");
        }
        assert_eq!(t.refused("list_conflicts", json!({"table": "contacts", "column": "phon"})).await.hint.as_deref(), Some("did you mean `phone`?"));
        assert_eq!(t.refused("list_conflicts", json!({"id": row})).await.code, Code::NotFound);
        assert_eq!(t.refused("list_conflicts", json!({"id": "7"})).await.code, Code::Invalid);
    }

    async fn conflicts_come_in_pages(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let row = linked(&t, HUBSPOT, "1", json!({"first_name": "Bo", "title": "CTO", "phone": "+14155550100"})).await;
        t.clock.advance_ms(60_000);
        t.ok("save_contacts", json!({"rows": [{"id": row, "title": "CEO", "phone": "+14155550111", "first_name": "Bob"}]})).await;
        let before = t.clock.now_ms() - 30_000;
        for (column, value) in [("title", "CFO"), ("phone", "+14155550122"), ("first_name", "Robert")] {
            tell(&t, HUBSPOT, &row, "1", column, Some(value), before).await;
        }
        let first = t.ok("list_conflicts", json!({"limit": 2})).await;
        assert_eq!((&first["total"], &first["truncated"]), (&json!(3), &json!(true)));
        let second = t.ok("list_conflicts", json!({"cursor": first["next_cursor"], "limit": 2})).await;
        assert_eq!((&second["truncated"], &second["next_cursor"]), (&json!(false), &Json::Null));
        let columns = |page: &Json| page["conflicts"].as_array().unwrap().iter().map(|it| it["column"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let mut seen = [columns(&first), columns(&second)].concat();
        seen.sort();
        assert_eq!(seen, ["first_name", "phone", "title"]);
        let mixed = t.refused("list_conflicts", json!({"cursor": first["next_cursor"], "column": "title"})).await;
        assert!(mixed.message.contains("other arguments"));
        assert!(t.refused("list_conflicts", json!({"cursor": "AAAA"})).await.message.contains("was not issued"));
    }

    async fn what_stands_is_kept(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let (row, id) = lost_edit(&t).await;
        let kept = t.ok("resolve_conflict", json!({"id": id, "action": "keep"})).await;
        assert_eq!((&kept["conflict"]["resolution"], &kept["conflict"]["resolved_by"]), (&json!("kept"), &json!("copilot")));
        assert_eq!((&kept["change_id"], &kept["sync"]), (&Json::Null, &json!("nothing_to_send")));
        assert_eq!(phone_of(&t, &row).await, "+14155550111");
        let again = t.refused("resolve_conflict", json!({"id": id, "action": "restore"})).await;
        assert_eq!((again.code, again.path.as_deref()), (Code::Conflict, Some("id")));
        assert!(again.message.contains("what stood was kept"), "{again}");
        assert_eq!(t.ok("list_conflicts", json!({})).await["total"], 0);
    }

    async fn what_was_lost_is_written_again_and_can_be_undone(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let (row, id) = lost_edit(&t).await;
        assert_eq!(status_of(&t, &row).await, "pending");
        let dry = t.ok("resolve_conflict", json!({"id": id, "action": "restore", "dry_run": true})).await;
        assert_eq!((&dry["status"], &dry["conflict"]["resolution"]), (&json!("dry_run"), &json!("restored")));
        assert_eq!(phone_of(&t, &row).await, "+14155550111");
        t.clock.advance_ms(1_000);
        let restored = t.ok("resolve_conflict", json!({"id": id, "action": "restore"})).await;
        assert_eq!(restored["updated"], json!([{"fields": ["phone"], "ids": [row]}]));
        assert_eq!(restored["conflict"]["change_id"], restored["change_id"]);
        assert_eq!((phone_of(&t, &row).await.as_str(), status_of(&t, &row).await.as_str()), ("+14155550122", "synced"));
        let undone = t.ok("undo_change", json!({"change_id": restored["change_id"]})).await;
        assert_eq!(undone["sync_to"], json!(["hubspot"]));
        assert_eq!((phone_of(&t, &row).await.as_str(), status_of(&t, &row).await.as_str()), ("+14155550111", "pending"));
    }

    async fn another_value_is_set_and_sent(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let (row, id) = lost_edit(&t).await;
        let call = |value: Json| json!({"id": id, "action": "set", "value": value});
        assert_eq!(t.refused("resolve_conflict", json!({"id": id, "action": "set"})).await.path.as_deref(), Some("value"));
        assert_eq!(t.refused("resolve_conflict", json!({"id": id, "action": "keep", "value": "x"})).await.path.as_deref(), Some("value"));
        assert_eq!(t.refused("resolve_conflict", call(json!(true))).await.path.as_deref(), Some("value"));
        t.clock.advance_ms(1_000);
        let set = t.ok("resolve_conflict", call(json!("+1 415 555 0144"))).await;
        assert_eq!((&set["conflict"]["resolution"], &set["sync_to"]), (&json!("set"), &json!(["hubspot"])));
        assert_eq!(phone_of(&t, &row).await, "+14155550144");
        assert_eq!(t.ok("list_conflicts", json!({})).await["total"], 0);
    }

    async fn a_deletion_that_lost_is_done_or_forgotten(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let mut conflicts = Vec::new();
        for record in ["1", "2"] {
            let row = linked(&t, HUBSPOT, record, json!({"first_name": "Bo"})).await;
            t.clock.advance_ms(60_000);
            t.ok("save_contacts", json!({"rows": [{"id": row, "first_name": "Bob"}]})).await;
            tell_deleted(&t, HUBSPOT, &row, record, t.clock.now_ms() - 30_000).await;
            let listed = t.ok("list_conflicts", json!({"row_id": row})).await;
            conflicts.push((row, listed["conflicts"][0].clone()));
        }
        let (row, conflict) = &conflicts[0];
        assert_eq!((&conflict["kind"], &conflict["column"]), (&json!("delete_vs_edit"), &Json::Null));
        assert!(conflict["says"].as_str().unwrap().starts_with("HubSpot deleted the record of Bob"), "{conflict}");
        let none = t.refused("resolve_conflict", json!({"id": conflict["id"], "action": "set", "value": "x"})).await;
        assert!(none.message.contains("a deletion has no value"));
        let done = t.ok("resolve_conflict", json!({"id": conflict["id"], "action": "restore"})).await;
        assert_eq!(done["archived"], json!([row]));
        let (row, conflict) = &conflicts[1];
        t.ok("resolve_conflict", json!({"id": conflict["id"], "action": "keep"})).await;
        assert_eq!(t.rows("query_contacts", json!({"ids": [row]})).await.len(), 1);
    }

    async fn a_value_that_a_crm_refuses_is_changed_or_given_up(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let row = linked(&t, HUBSPOT, "1", json!({"first_name": "Bo", "title": "CTO"})).await;
        settle(&t, HUBSPOT, State::Done, None).await;
        let mut ids = Vec::new();
        for title in ["Chief", "Boss"] {
            t.clock.advance_ms(1_000);
            t.ok("save_contacts", json!({"rows": [{"id": row, "title": title}]})).await;
            refuse(&t, HUBSPOT, &row, "1", "title").await;
            assert_eq!(status_of(&t, &row).await, "error");
            let listed = t.ok("list_conflicts", json!({"row_id": row})).await;
            let conflict = &listed["conflicts"][0];
            assert_eq!(conflict["says"], format!("HubSpot does not take “{title}” as Title of Bo and holds “CTO”. keep leaves both as they are, set writes another value."));
            let id = conflict["id"].clone();
            let explained = t.refused("resolve_conflict", json!({"id": id, "action": "restore"})).await;
            assert!(explained.to_string().contains("the row holds its value, and HubSpot does not take it"), "{explained}");
            if title == "Chief" {
                let set = t.ok("resolve_conflict", json!({"id": id, "action": "set", "value": "VP"})).await;
                assert_eq!((&set["sync"], status_of(&t, &row).await.as_str()), (&json!("queued"), "pending"));
                settle(&t, HUBSPOT, State::Done, None).await;
            } else {
                t.ok("resolve_conflict", json!({"id": id, "action": "keep"})).await;
                assert_eq!(status_of(&t, &row).await, "synced");
            }
            ids.push(id);
        }
        assert_eq!(ids.len(), 2);
    }

    async fn what_a_policy_held_back_is_sent_once_it_is_decided(t: Bench) {
        let manual = json!([{"table": "contacts", "column": "phone", "property": "phone", "policy": "manual"}]);
        connect(&t, HUBSPOT, manual).await;
        t.clock.advance_ms(1);
        let (row, id) = lost_edit(&t).await;
        settle(&t, HUBSPOT, State::Done, None).await;
        t.clock.advance_ms(1_000);
        let saved = t.ok("save_contacts", json!({"rows": [{"id": row, "phone": "+14155550155"}]})).await;
        assert_eq!(saved["sync"], "nothing_to_send", "a disputed column waits");
        let kept = t.ok("resolve_conflict", json!({"id": id, "action": "keep"})).await;
        assert_eq!((&kept["sync"], &kept["sync_to"]), (&json!("queued"), &json!(["hubspot"])));
        assert_eq!(status_of(&t, &row).await, "pending");
    }

    async fn giving_up_a_refused_change_closes_its_conflict(t: Bench) {
        connect(&t, HUBSPOT, json!([])).await;
        t.clock.advance_ms(1);
        let row = linked(&t, HUBSPOT, "1", json!({"first_name": "Bo", "title": "CTO"})).await;
        settle(&t, HUBSPOT, State::Done, None).await;
        t.clock.advance_ms(1_000);
        t.ok("save_contacts", json!({"rows": [{"id": row, "title": "Chief"}]})).await;
        refuse(&t, HUBSPOT, &row, "1", "title").await;
        t.ok("retry_sync", json!({"action": "discard", "ids": [row]})).await;
        let kept = t.ok("list_conflicts", json!({"resolution": "kept"})).await;
        assert_eq!((&kept["total"], &kept["conflicts"][0]["resolved_by"]), (&json!(1), &json!("copilot")));
    }
}
