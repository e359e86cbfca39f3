//! Derived columns: right after every write, as time moves, and beside a full recomputation.

mod crms;
mod passing;
mod random;
mod wrong;

use opstables::records::{self, Audit};
use opstables::tables::{Derivation, TABLES};
use serde_json::{Value as Json, json};

use crate::harness::{Bench, on_both};

#[test]
fn every_derived_column_is_declared_with_what_it_comes_from() {
    let declared = TABLES.iter().flat_map(|table| {
        let derived = table.columns.iter().filter_map(|column| Some((column, column.derivation?)));
        derived.map(move |(column, derivation)| (table.key, column, derivation))
    });
    let named: Vec<_> =
        declared.clone().map(|(table, column, _)| format!("{table}.{}", column.key)).collect();
    assert_eq!(
        named,
        [
            "leads.meeting_held",
            "contacts.last_engagement",
            "contacts.recent_signals",
            "contacts.sync_status",
            "companies.active_contacts_count",
            "companies.last_contact_date",
        ]
    );
    for derivation in Derivation::ALL {
        let of_it: Vec<_> = declared.clone().filter(|(.., known)| *known == derivation).collect();
        assert_eq!(of_it.len(), 1, "{derivation:?}");
        assert!(derivation.about().len() > 20 && !derivation.about().ends_with('.'), "{derivation:?}");
    }
}

/// What is found beside a full recomputation; nothing may differ.
pub(crate) async fn right(t: &Bench) -> Audit {
    let audit = audit(t).await;
    assert_eq!(audit.differing, []);
    audit
}

async fn audit(t: &Bench) -> Audit {
    let services = &t.app.services;
    records::audit(&services.store, &services.catalogs, t.org, &t.clock).await.unwrap()
}

/// Lets time pass, and the worker look; how many rows changed.
async fn pass(t: &Bench, ms: i64) -> usize {
    t.clock.advance_ms(ms);
    let services = &t.app.services;
    records::catch_up(&services.store, &services.catalogs, t.org, &t.clock, &services.ids).await.unwrap()
}

async fn one(t: &Bench, table: &str, id: &str, column: &str) -> Json {
    let rows = t.rows(&format!("query_{table}"), json!({"ids": [id], "fields": [column]})).await;
    rows[0][column].clone()
}

async fn engaged(t: &Bench, contact: &str) -> Json {
    one(t, "contacts", contact, "last_engagement").await
}

async fn signals(t: &Bench, contact: &str) -> Json {
    one(t, "contacts", contact, "recent_signals").await
}

async fn edit(t: &Bench, table: &str, id: &str, cells: Json) -> Json {
    let mut row = cells;
    row["id"] = json!(id);
    t.ok(&format!("save_{table}"), json!({"rows": [row]})).await
}

async fn archive(t: &Bench, table: &str, id: &str, restore: bool) {
    t.ok("archive_rows", json!({"table": table, "ids": [id], "restore": restore})).await;
}

const DAY: i64 = 86_400_000;

on_both! {
    async fn the_last_engagement_is_the_latest_of_what_was_written_and_of_the_meetings(t: Bench) {
        let contact = t.create("contacts", json!({"email": "Ann@x.io", "last_engagement": "2026-02-01T00:00:00Z"})).await;
        let meeting = t.create("meetings", json!({"contact_email": "ANN@X.io", "meeting_date": "2026-02-10T09:00:00Z"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-10T09:00:00Z");
        t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-03-03T09:00:00Z"})).await;
        t.create("meetings", json!({"contact_email": "bob@x.io", "meeting_date": "2026-02-20T09:00:00Z"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-10T09:00:00Z", "tomorrow's and others' do not count");
        // What is written under it stays, and comes back.
        let edited = edit(&t, "contacts", &contact, json!({"last_engagement": "2026-02-05T00:00:00Z"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-10T09:00:00Z");
        archive(&t, "meetings", &meeting, false).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-05T00:00:00Z");
        archive(&t, "meetings", &meeting, true).await;
        let undone = t.ok("undo_change", json!({"change_id": edited["change_id"]})).await;
        assert_eq!(undone["left"].as_array().map_or(0, Vec::len), 0, "{undone}");
        assert_eq!(engaged(&t, &contact).await, "2026-02-10T09:00:00Z");
        let moved = edit(&t, "meetings", &meeting, json!({"contact_email": "bob@x.io"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-01T00:00:00Z");
        t.ok("undo_change", json!({"change_id": moved["change_id"]})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-10T09:00:00Z");
        // Another address has other meetings.
        edit(&t, "contacts", &contact, json!({"email": "bob@x.io"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-20T09:00:00Z");
        edit(&t, "contacts", &contact, json!({"last_engagement": null})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-20T09:00:00Z");
        edit(&t, "contacts", &contact, json!({"email": null})).await;
        assert_eq!(engaged(&t, &contact).await, Json::Null);
        edit(&t, "contacts", &contact, json!({"last_engagement": "2026-03-01T00:00:00Z", "email": "ann@x.io"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-03-01T00:00:00Z");
        right(&t).await;
        crate::history::check(&t).await;
    }

    async fn a_contact_that_is_new_or_back_has_its_meetings_at_once(t: Bench) {
        let meeting = t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-02-10T09:00:00Z"})).await;
        let contact = t.create("contacts", json!({"email": "ann@x.io"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-10T09:00:00Z");
        archive(&t, "contacts", &contact, false).await;
        archive(&t, "meetings", &meeting, false).await;
        archive(&t, "contacts", &contact, true).await;
        assert_eq!(engaged(&t, &contact).await, Json::Null);
        let saved = t.ok("save_meetings", json!({"rows": [
            {"contact_email": "ann@x.io", "meeting_date": "2026-01-05T00:00:00Z"}, {"contact_email": "ann@x.io", "meeting_date": "2026-01-06T00:00:00Z"},
        ]})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-01-06T00:00:00Z");
        t.ok("undo_change", json!({"change_id": saved["change_id"]})).await;
        assert_eq!(engaged(&t, &contact).await, Json::Null);
        right(&t).await;
    }

    async fn a_companys_last_contact_goes_back_when_a_contact_leaves(t: Bench) {
        let acme = t.create("companies", json!({"name": "Acme", "last_contact_date": "2026-01-01T00:00:00Z"})).await;
        let globex = t.create("companies", json!({"name": "Globex"})).await;
        let ann = t.create("contacts", json!({"email": "ann@x.io", "company_name": "acme"})).await;
        let bob = t.create("contacts", json!({"email": "bob@x.io", "company_name": "Acme", "last_engagement": "2026-02-01T00:00:00Z"})).await;
        t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-02-10T09:00:00Z"})).await;
        let figures = async |company: &str| {
            let rows = t.rows("query_companies", json!({"ids": [company], "fields": ["active_contacts_count", "last_contact_date"]})).await;
            format!("{} {}", rows[0]["active_contacts_count"], rows[0]["last_contact_date"]).replace('"', "")
        };
        assert_eq!(figures(&acme).await, "2 2026-02-10T09:00:00Z");
        archive(&t, "contacts", &ann, false).await;
        assert_eq!(figures(&acme).await, "1 2026-02-01T00:00:00Z");
        let left = edit(&t, "contacts", &bob, json!({"company_name": "Globex"})).await;
        assert_eq!(figures(&acme).await, "0 2026-01-01T00:00:00Z");
        assert_eq!(figures(&globex).await, "1 2026-02-01T00:00:00Z");
        t.ok("undo_change", json!({"change_id": left["change_id"]})).await;
        assert_eq!((figures(&acme).await, figures(&globex).await), ("1 2026-02-01T00:00:00Z".to_owned(), "0 null".to_owned()));
        let renamed = edit(&t, "companies", &globex, json!({"name": "ACME"})).await;
        assert_eq!(figures(&globex).await, "1 2026-02-01T00:00:00Z");
        edit(&t, "companies", &globex, json!({"last_contact_date": "2026-02-20T00:00:00Z"})).await;
        assert_eq!(figures(&globex).await, "1 2026-02-20T00:00:00Z");
        t.ok("undo_change", json!({"change_id": renamed["change_id"]})).await;
        assert_eq!(figures(&globex).await, "0 2026-02-20T00:00:00Z");
        archive(&t, "companies", &acme, false).await;
        archive(&t, "contacts", &ann, true).await;
        archive(&t, "companies", &acme, true).await;
        assert_eq!(figures(&acme).await, "2 2026-02-10T09:00:00Z");
        right(&t).await;
        crate::history::check(&t).await;
    }

    async fn signals_stand_beside_what_people_write(t: Bench) {
        let ann = t.create("contacts", json!({"email": "ann@x.io", "recent_signals": ["hiring", "met"]})).await;
        assert_eq!(signals(&t, &ann).await, json!(["hiring"]), "whether they met is ours to say");
        let lead = t.create("leads", json!({"contact_email": "ann@x.io", "priority": "high", "status": "new", "meeting_start": "2026-03-05T10:00:00Z"})).await;
        let all = json!(["high priority lead", "hiring", "meeting booked", "new lead"]);
        assert_eq!(signals(&t, &ann).await, all);
        // A form that sends back what it shows changes nothing.
        assert_eq!(edit(&t, "contacts", &ann, json!({"recent_signals": all})).await["change_id"], Json::Null);
        edit(&t, "leads", &lead, json!({"status": "cancelled"})).await;
        assert_eq!(signals(&t, &ann).await, json!(["hiring", "new lead"]));
        let edited = edit(&t, "contacts", &ann, json!({"recent_signals": ["hiring", "new lead", "vip"]})).await;
        let meeting = t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-02-20T10:00:00Z", "sentiment": "Negative", "transcript": "No."})).await;
        assert_eq!(signals(&t, &ann).await, json!(["hiring", "met", "negative sentiment", "new lead", "vip"]));
        edit(&t, "meetings", &meeting, json!({"sentiment": "Very Positive", "transcript": null, "recording_url": "https://x.io/1"})).await;
        assert_eq!(signals(&t, &ann).await, json!(["hiring", "met", "new lead", "very positive sentiment", "vip"]));
        archive(&t, "leads", &lead, false).await;
        t.ok("undo_change", json!({"change_id": edited["change_id"]})).await;
        assert_eq!(signals(&t, &ann).await, json!(["hiring", "met", "very positive sentiment"]));
        edit(&t, "contacts", &ann, json!({"recent_signals": []})).await;
        assert_eq!(signals(&t, &ann).await, json!(["met", "very positive sentiment"]));
        let found = t.rows("query_contacts", json!({"filters": [{"column": "recent_signals", "op": "in", "value": ["met"]}]})).await;
        assert_eq!(found.len(), 1);
        right(&t).await;
        crate::history::check(&t).await;
    }

    async fn what_was_computed_cannot_be_taken_back_by_itself(t: Bench) {
        let acme = t.create("companies", json!({"name": "Acme"})).await;
        t.create("contacts", json!({"email": "ann@x.io", "company_name": "Acme"})).await;
        let computed = "select cast(c.id as text) from ops_changes c where c.source = 'derived'";
        let computed = match t.app.services.store.dialect() {
            opstables::store::Dialect::Postgres => computed.to_owned(),
            opstables::store::Dialect::Sqlite => computed.replace("cast(c.id as text)", "lower(hex(c.id))"),
        };
        for change in crate::database::lines(&t, &computed, 1).await {
            let undone = t.call("undo_change", json!({"change_id": change})).await;
            assert!(undone.is_err() || undone.is_ok_and(|undone| undone["change_id"].is_null()));
        }
        assert_eq!(one(&t, "companies", &acme, "active_contacts_count").await, 1);
    }
}
