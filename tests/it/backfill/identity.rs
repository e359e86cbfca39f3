//! Which row a record is: the same one each time, the CRM's when it is the same person, and no other.

use opstables::backfill::Settings;
use opstables::store::Sql;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::application::{record, uuid};
use super::derivations::{COMPANIES, CONTACTS, application, with_schema};
use super::{all, changed, count_of, counts, row, run};
use crate::harness::{Bench, on_both};

on_both! {
    async fn a_crm_contact_and_an_app_contact_of_one_address_are_one_row(t: Bench) {
        let folder = TempDir::new().unwrap();
        let known = t.create("contacts", json!({"email": "ann@acme.com", "first_name": "Annie"})).await;
        let company = t.create("companies", json!({"name": "ACME Inc", "domain": "acme.com"})).await;
        let named = t.create("companies", json!({"name": "freelance"})).await;
        let report = run(&t, &application().to_folder(folder.path())).await;
        assert_eq!(counts(&report, "contacts"), [5, 4, 1, 0, 0, 0]);
        assert_eq!(counts(&report, "companies"), [3, 1, 2, 0, 0, 0]);
        let ann = row(&t, "contacts", "email", "ann@acme.com").await;
        // What was written here is newer; what was empty is filled.
        assert_eq!((&ann["first_name"], &ann["last_name"]), (&json!("Annie"), &json!("Ash")));
        let links = crate::database::lines(&t, "select source_id, cast(count(*) as text) from app_links group by 1 having count(*) > 1", 2).await;
        assert!(links.iter().all(|line| line.starts_with(['1', '2', '3'])), "{links:?}");
        for (table, id) in [("contacts", &known), ("companies", &company), ("companies", &named)] {
            let found = t.rows(&format!("query_{table}"), json!({"fields": ["id"]})).await;
            assert!(found.iter().any(|row| row["id"] == json!(id)), "{table} {id}");
        }
    }

    async fn records_of_one_address_or_domain_are_one_row(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut twice = application();
        twice.table("contacts").push(record(CONTACTS, &json!({"id": "c9", "first_name": "Anna", "last_name": "Ash", "email": "ANN@acme.com",
            "title": "CEO", "updated_at": "2026-02-02T00:00:00Z"})));
        twice.table("companies").push(record(COMPANIES, &json!({"id": 9, "name": "Acme Corporation", "domain": "www.acme.com", "updated_at": "2025-01-01T00:00:00Z"})));
        // One name and two domains are two companies; without a domain it is the one of that name.
        twice.table("companies").push(record(COMPANIES, &json!({"id": 10, "name": "Big", "domain": "big.example"})));
        twice.table("companies").push(record(COMPANIES, &json!({"id": 11, "name": "FREELANCE"})));
        let settings = twice.to_folder(folder.path());
        let report = run(&t, &settings).await;
        assert_eq!(counts(&report, "contacts")[1], 5);
        // The later change of either record stands.
        let ann = row(&t, "contacts", "email", "ann@acme.com").await;
        assert_eq!((&ann["first_name"], &ann["title"], &ann["company_name"]), (&json!("Anna"), &json!("CEO"), &json!("Acme")));
        assert_eq!(row(&t, "companies", "domain", "acme.com").await["name"], "Acme");
        let names: Vec<String> = all(&t, "companies").await.iter().map(|row| row["name"].as_str().unwrap().to_lowercase()).collect();
        assert_eq!(names.iter().filter(|name| *name == "big").count(), 2);
        assert_eq!(names.iter().filter(|name| *name == "freelance").count(), 1);
        assert_eq!(changed(&run(&t, &settings).await), 0);
    }

    async fn numbered_records_are_read_page_by_page(t: Bench) {
        with_schema(&t, async |url, schema| {
            let mut numbered = application();
            // As texts these would be in another order than as numbers.
            for id in 4..=120 {
                numbered.table("companies").push(record(COMPANIES, &json!({"id": id, "name": format!("Company {id}")})));
            }
            let settings = Settings { batch: Some(7), ..numbered.to_schema(&url, &schema).await };
            let report = run(&t, &settings).await;
            assert_eq!(counts(&report, "companies"), [120, 120, 0, 0, 0, 0]);
        }).await;
    }

    async fn a_second_run_changes_and_logs_nothing(t: Bench) {
        let folder = TempDir::new().unwrap();
        let settings = application().to_folder(folder.path());
        run(&t, &settings).await;
        let before = [count_of(&t, "ops_changes").await, count_of(&t, "ops_change_rows").await, count_of(&t, "ops_members").await];
        t.clock.advance_ms(60_000);
        let again = run(&t, &settings).await;
        assert_eq!(changed(&again), 0);
        let after = [count_of(&t, "ops_changes").await, count_of(&t, "ops_change_rows").await, count_of(&t, "ops_members").await];
        assert_eq!(before, after);
    }

    async fn a_change_there_arrives_and_a_value_that_went_is_cleared(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut app = application();
        run(&t, &app.to_folder(folder.path())).await;
        t.clock.advance_ms(60_000);
        app.set("contacts", &json!("c1"), &json!({"title": null, "phone": "+1 415 555 0199", "updated_at": "2026-03-02T10:00:30Z"}));
        // Only the company says it, and a contact shows it.
        app.set("companies", &json!(1), &json!({"name": "Acme Group"}));
        let report = run(&t, &app.to_folder(folder.path())).await;
        assert_eq!(counts(&report, "contacts"), [5, 0, 1, 4, 0, 0]);
        let ann = row(&t, "contacts", "email", "ann@acme.com").await;
        assert_eq!((ann.get("title"), &ann["phone"], &ann["company_name"]), (None, &json!("+14155550199"), &json!("Acme Group")));
    }

    async fn an_archived_row_stays_archived(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut app = application();
        run(&t, &app.to_folder(folder.path())).await;
        let found = t.rows("query_leads", json!({"fields": ["id"], "filters": [{"column": "contact_name", "op": "equals", "value": "utm"}]})).await;
        t.ok("archive_rows", json!({"table": "leads", "ids": [found[0]["id"]]})).await;
        app.set("leads", &uuid(3), &json!({"priority": "urgent", "updated_at": "2026-03-05T00:00:00Z"}));
        let report = run(&t, &app.to_folder(folder.path())).await;
        assert_eq!(counts(&report, "leads"), [9, 0, 0, 8, 1, 0]);
        assert!(!all(&t, "leads").await.iter().any(|row| row["contact_name"] == "utm"));
        // Brought back by a person, it takes what it missed.
        t.ok("archive_rows", json!({"table": "leads", "ids": [found[0]["id"]], "restore": true})).await;
        let report = run(&t, &app.to_folder(folder.path())).await;
        assert_eq!(counts(&report, "leads"), [9, 0, 1, 8, 0, 0]);
        assert_eq!(row(&t, "leads", "contact_name", "utm").await["priority"], "urgent");
    }

    async fn what_was_brought_can_be_undone(t: Bench) {
        let folder = TempDir::new().unwrap();
        run(&t, &application().to_folder(folder.path())).await;
        let mut tx = t.app.services.store.read().await.unwrap();
        let ids: Vec<(Uuid,)> = tx.fetch(Sql::new("select id from ops_changes where table_key = 'leads'")).await.unwrap();
        drop(tx);
        assert_eq!(ids.len(), 1);
        let undone = t.ok("undo_change", json!({"change_id": ids[0].0})).await;
        assert!(all(&t, "leads").await.is_empty(), "{undone}");
    }

    async fn people_become_members_once(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut app = application();
        let profile = |id: u32, name: &str, email: &str| json!({"id": uuid(id), "first_name": name, "last_name": null, "email": email});
        // Another Ann Lee than the member, somebody with an address alone, and somebody with nothing.
        app.table("profiles").extend([
            profile(903, "Ann Lee", "ann.lee@elsewhere.com"),
            profile(904, "", "someone@acme.com"),
            profile(905, "", ""),
        ]);
        let report = run(&t, &app.to_folder(folder.path())).await;
        assert_eq!(counts(&report, "profiles"), [5, 3, 0, 1, 0, 1]);
        let names = crate::database::lines(&t, "select name from ops_members order by name", 1).await;
        assert_eq!(names, ["Ann Lee", "Ann Lee (ann.lee@elsewhere.com)", "Sarah Chen", "Tom Ford", "Zoë Zed", "someone@acme.com"]);
        run(&t, &app.to_folder(folder.path())).await;
        assert_eq!(count_of(&t, "ops_members").await, "6");
    }
}
