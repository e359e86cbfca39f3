//! Writing rows: create, update, upsert, archive, undo — and what is refused.

use opstables::error::Code;
use serde_json::{Value as Json, json};

use crate::harness::{Bench, on_both};

/// Creates `count` leads with numbered names, all new.
async fn leads(t: &Bench, count: usize) -> Vec<String> {
    let rows: Vec<Json> = (0..count)
        .map(|i| json!({"contact_name": format!("Lead {i:03}"), "contact_email": format!("lead{i}@x.io"), "status": "new"}))
        .collect();
    let saved = t.ok("save_leads", json!({"rows": rows})).await;
    serde_json::from_value(saved["created"].clone()).expect("ids")
}

on_both! {
    async fn a_saved_lead_comes_back_as_it_was_written(t: Bench) {
        let id = t.create("leads", json!({
            "contact_name": "Dana Müller", "contact_email": "Dana@Globex.COM", "domain": "https://www.globex.com/about",
            "meeting_start": "2026-03-05T15:00:00+01:00", "status": "New", "priority": "HIGH", "owner": "ann lee",
            "tags": ["vip", "VIP", "emea"],
        })).await;
        let rows = t.rows("query_leads", json!({"ids": [id], "fields": [
            "contact_name", "contact_email", "domain", "meeting_start", "status", "priority", "owner", "tags", "meeting_held", "created_at",
        ]})).await;
        assert_eq!(Json::Object(rows[0].clone()), json!({
            "id": id, "contact_name": "Dana Müller", "contact_email": "dana@globex.com", "domain": "globex.com",
            "meeting_start": "2026-03-05T14:00:00Z", "status": "new", "priority": "high", "owner": "Ann Lee",
            "tags": rows[0]["tags"], "meeting_held": "Upcoming", "created_at": "2026-03-02T10:00:00Z",
        }));
        assert_eq!(rows[0]["tags"].as_array().unwrap().len(), 2);
    }

    async fn an_update_says_what_changed_and_what_did_not(t: Bench) {
        let id = t.create("leads", json!({"contact_name": "Dana", "status": "new"})).await;
        let saved = t.ok("save_leads", json!({"rows": [{"id": id, "status": "ready", "contact_name": "Dana"}]})).await;
        assert_eq!(saved["updated"], json!([{"fields": ["status"], "ids": [id]}]));
        assert!(saved["change_id"].is_string());
        let again = t.ok("save_leads", json!({"rows": [{"id": id, "status": "ready"}]})).await;
        assert_eq!(again["unchanged"], json!([id]));
        assert_eq!(again["change_id"], Json::Null);
    }

    async fn an_upsert_finds_its_row_by_a_natural_key(t: Bench) {
        let row = json!({"contact_email": "a@b.co", "contact_name": "A"});
        let first = t.ok("save_leads", json!({"rows": [row], "match_on": "contact_email"})).await;
        let second = t.ok("save_leads", json!({"match_on": "contact_email", "rows": [
            {"contact_email": "A@B.co", "priority": "high"}, {"contact_email": "c@d.co"}, {"contact_email": "c@d.co", "status": "new"},
        ]})).await;
        assert_eq!(second["updated"], json!([{"fields": ["priority"], "ids": [first["created"][0]]}]));
        assert_eq!(second["created"].as_array().unwrap().len(), 1);
        assert_eq!(t.rows("query_leads", json!({})).await.len(), 2);
    }

    async fn a_key_that_several_rows_have_is_refused_with_their_ids(t: Bench) {
        let one = t.create("companies", json!({"name": "Acme"})).await;
        t.create("companies", json!({"name": "ACME"})).await;
        let error = t.refused("save_companies", json!({"match_on": "name", "rows": [{"name": "acme", "industry": "x"}]})).await;
        assert!(error.to_string().contains(&one), "{error}");
    }

    async fn a_bad_row_refuses_the_whole_call_unless_errors_are_skipped(t: Bench) {
        let rows = json!([{"contact_name": "Good"}, {"contact_name": "Bad", "status": "nwe"}]);
        let error = t.refused("save_leads", json!({"rows": rows})).await;
        assert_eq!(error.path.as_deref(), Some("rows[1].status"));
        assert!(error.to_string().contains("did you mean `new`"), "{error}");
        assert!(t.rows("query_leads", json!({})).await.is_empty());
        let saved = t.ok("save_leads", json!({"rows": rows, "skip_errors": true})).await;
        assert_eq!(saved["created"].as_array().unwrap().len(), 1);
        assert_eq!(saved["errors"][0]["path"], "rows[1].status");
    }

    async fn a_row_that_does_not_exist_is_not_made_up(t: Bench) {
        let error = t.refused("save_leads", json!({"rows": [{"id": "0190d1c2-7a4e-7c3b-9f00-5b7e2d1c4a90", "status": "new"}]})).await;
        assert_eq!(error.code, Code::NotFound);
        assert_eq!(error.path.as_deref(), Some("rows[0].id"));
    }

    async fn a_dry_run_writes_nothing_and_says_what_would_happen(t: Bench) {
        let saved = t.ok("save_leads", json!({"rows": [{"contact_name": "A"}], "dry_run": true})).await;
        assert_eq!(saved["status"], "dry_run");
        assert_eq!(saved["created"].as_array().unwrap().len(), 1);
        assert!(t.rows("query_leads", json!({})).await.is_empty());
    }

    async fn a_large_update_by_filter_needs_the_token_of_its_preview(t: Bench) {
        leads(&t, 30).await;
        let call = json!({"filters": [{"column": "status", "op": "equals", "value": "new"}], "set": {"priority": "low"}});
        let preview = t.ok("save_leads", call.clone()).await;
        assert_eq!(preview["status"], "needs_confirmation");
        assert_eq!(preview["preview"]["rows"], 30);
        let with = |token: &str, set: Json| {
            let mut call = call.clone();
            call["confirm"] = json!(token);
            call["set"] = set;
            call
        };
        let token = preview["confirm"].as_str().unwrap().to_owned();
        t.refused("save_leads", with("made-up", json!({"priority": "low"}))).await;
        t.refused("save_leads", with(&token, json!({"priority": "high"}))).await;
        let done = t.ok("save_leads", with(&token, json!({"priority": "low"}))).await;
        assert_eq!(done["updated"][0]["ids"].as_array().unwrap().len(), 30);
        let again = t.refused("save_leads", with(&token, json!({"priority": "low"}))).await;
        assert_eq!(again.code, Code::Conflict, "the rows have another version now");
    }

    async fn a_confirmation_is_void_when_a_row_changed_or_time_ran_out(t: Bench) {
        let ids = leads(&t, 26).await;
        let call = json!({"table": "leads", "filters": [{"column": "status", "op": "equals", "value": "new"}]});
        let confirmed = |preview: &Json| {
            let mut call = call.clone();
            call["confirm"] = preview["confirm"].clone();
            call
        };
        let preview = t.ok("archive_rows", call.clone()).await;
        t.ok("save_leads", json!({"rows": [{"id": ids[3], "contact_name": "Changed"}]})).await;
        assert_eq!(t.refused("archive_rows", confirmed(&preview)).await.code, Code::Conflict);
        let preview = t.ok("archive_rows", call.clone()).await;
        t.clock.advance_ms(11 * 60 * 1_000);
        assert!(t.refused("archive_rows", confirmed(&preview)).await.message.contains("expired"));
        let preview = t.ok("archive_rows", call.clone()).await;
        assert_eq!(t.ok("archive_rows", confirmed(&preview)).await["archived"].as_array().unwrap().len(), 26);
    }

    async fn an_idempotency_key_is_good_for_one_call(t: Bench) {
        let call = json!({"rows": [{"contact_name": "Once"}], "idempotency_key": "k1"});
        let first = t.ok("save_leads", call.clone()).await;
        let second = t.ok("save_leads", call).await;
        assert_eq!(first["created"], second["created"]);
        assert!(second["note"].is_string());
        assert_eq!(t.rows("query_leads", json!({})).await.len(), 1);
        let other = t.refused("save_leads", json!({"rows": [{"contact_name": "Twice"}], "idempotency_key": "k1"})).await;
        assert_eq!(other.code, Code::Conflict);
    }

    async fn an_expected_value_guards_against_a_change_in_between(t: Bench) {
        let id = t.create("clients", json!({"company_name": "Globex", "status": "active", "deal_value": 100})).await;
        let call = json!({"rows": [{"id": id, "status": "paused"}], "expected": {"status": "active"}});
        t.ok("save_clients", call.clone()).await;
        let error = t.refused("save_clients", call).await;
        assert_eq!(error.code, Code::Conflict);
        assert_eq!(error.path.as_deref(), Some("rows[0].expected.status"));
    }

    async fn a_whole_change_is_undone_and_redone(t: Bench) {
        let id = t.create("leads", json!({"contact_name": "Dana", "status": "new", "priority": "low"})).await;
        let saved = t.ok("save_leads", json!({"rows": [{"id": id, "status": "ready", "priority": "", "tags": ["x"]}]})).await;
        let undone = t.ok("undo_change", json!({"change_id": saved["change_id"]})).await;
        assert_eq!(undone["left"], json!([]));
        let row = &t.rows("query_leads", json!({"fields": ["status", "priority", "tags"]})).await[0];
        assert_eq!((&row["status"], &row["priority"], &row["tags"]), (&json!("new"), &json!("low"), &Json::Null));
        assert_eq!(t.refused("undo_change", json!({"change_id": saved["change_id"]})).await.code, Code::Conflict);
        t.ok("undo_change", json!({"change_id": undone["change_id"]})).await;
        let row = &t.rows("query_leads", json!({"fields": ["status", "priority", "tags"]})).await[0];
        assert_eq!((&row["status"], &row["priority"], &row["tags"]), (&json!("ready"), &Json::Null, &json!(["x"])));
    }

    async fn an_undo_leaves_what_somebody_changed_since(t: Bench) {
        let id = t.create("leads", json!({"contact_name": "Dana", "status": "new"})).await;
        let saved = t.ok("save_leads", json!({"rows": [{"id": id, "status": "ready", "contact_name": "Dana B"}]})).await;
        t.ok("save_leads", json!({"rows": [{"id": id, "status": "converted"}]})).await;
        let undone = t.ok("undo_change", json!({"change_id": saved["change_id"]})).await;
        assert_eq!(undone["left"], json!([{"id": id, "column": "status"}]));
        let row = &t.rows("query_leads", json!({})).await[0];
        assert_eq!((&row["status"], &row["contact_name"]), (&json!("converted"), &json!("Dana")));
    }

    async fn undoing_a_creation_archives_and_undoing_an_archiving_restores(t: Bench) {
        let saved = t.ok("save_leads", json!({"rows": [{"contact_name": "A"}, {"contact_name": "B"}]})).await;
        let undone = t.ok("undo_change", json!({"change_id": saved["change_id"]})).await;
        assert_eq!(undone["archived"].as_array().unwrap().len(), 2);
        assert!(t.rows("query_leads", json!({})).await.is_empty());
        assert_eq!(t.rows("query_leads", json!({"archived": true})).await.len(), 2);
        t.ok("undo_change", json!({"change_id": undone["change_id"]})).await;
        assert_eq!(t.rows("query_leads", json!({})).await.len(), 2);
    }

    async fn an_archived_row_takes_no_edits_until_it_is_restored(t: Bench) {
        let id = t.create("leads", json!({"contact_name": "A"})).await;
        t.ok("archive_rows", json!({"table": "leads", "ids": [id]})).await;
        assert_eq!(t.refused("save_leads", json!({"rows": [{"id": id, "status": "new"}]})).await.code, Code::Conflict);
        t.ok("archive_rows", json!({"table": "leads", "ids": [id], "restore": true})).await;
        t.ok("save_leads", json!({"rows": [{"id": id, "status": "new"}]})).await;
    }

    async fn a_company_knows_its_contacts_at_once(t: Bench) {
        t.ok("save_companies", json!({"rows": [{"name": "Globex"}, {"name": "Initech"}]})).await;
        let contacts = t.ok("save_contacts", json!({"rows": [
            {"first_name": "A", "company_name": "globex", "last_engagement": "2026-02-01"},
            {"first_name": "B", "company_name": "Globex"}, {"first_name": "C", "company_name": "Nowhere"},
        ]})).await;
        let fields = json!({"fields": ["name", "active_contacts_count", "last_contact_date"], "sort": [{"column": "name"}]});
        let rows = t.rows("query_companies", fields.clone()).await;
        assert_eq!((&rows[0]["active_contacts_count"], &rows[1]["active_contacts_count"]), (&json!(2), &json!(0)));
        assert_eq!(rows[0]["last_contact_date"], "2026-02-01T00:00:00Z");
        t.ok("save_contacts", json!({"rows": [{"id": contacts["created"][1], "company_name": "Initech"}]})).await;
        t.ok("archive_rows", json!({"table": "contacts", "ids": [contacts["created"][0]]})).await;
        let rows = t.rows("query_companies", fields).await;
        assert_eq!((&rows[0]["active_contacts_count"], &rows[1]["active_contacts_count"]), (&json!(0), &json!(1)));
    }

    async fn derived_and_synced_columns_cannot_be_set(t: Bench) {
        for (tool, row) in [
            ("save_leads", json!({"meeting_held": "Met"})),
            ("save_contacts", json!({"crm_id": "1"})),
            ("save_companies", json!({"active_contacts_count": 3})),
        ] {
            let error = t.refused(tool, json!({"rows": [row]})).await;
            assert!(error.message.contains("cannot be set"), "{error}");
        }
    }
}
