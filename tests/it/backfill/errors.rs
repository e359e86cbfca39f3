//! What a source lacks is said with what it has; a value that a column cannot take costs that value alone.

use opstables::backfill::{self, Settings};
use serde_json::json;
use tempfile::TempDir;

use super::application::{self, uuid};
use super::derivations::{application, with_schema};
use super::{count_of, counts, host, row, run};
use crate::harness::{Bench, on_both};

async fn refused(t: &Bench, settings: &Settings, tables: &[&str]) -> (String, String) {
    let error = backfill::run(&host(t), settings, tables, false).await.expect_err("an error");
    (error.message, error.hint.unwrap_or_default())
}

on_both! {
    async fn a_missing_table_is_named_with_those_there_are(t: Bench) {
        let folder = TempDir::new().unwrap();
        let settings = application().to_folder(folder.path());
        std::fs::remove_file(folder.path().join("deals.jsonl")).unwrap();
        let (message, hint) = refused(&t, &settings, &["clients"]).await;
        assert!(message.starts_with("the source has no table `deals`; it has clients, companies, "), "{message}");
        assert!(hint.contains("under [deals]"), "{hint}");
        // Named as missing, it is not asked for.
        let names = folder.path().join("names.toml");
        std::fs::write(&names, "[deals]\ntable = \"\"\n").unwrap();
        let without = Settings { names: Some(names), ..settings.clone() };
        run(&t, &without).await;
        assert_eq!(row(&t, "clients", "company_name", "Acme").await.get("deal_name"), None);
    }

    async fn missing_columns_are_named_all_at_once(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut broken = application();
        for lead in broken.table("leads") {
            let lead = lead.as_object_mut().unwrap();
            lead.remove("utm_source");
            let email = lead.remove("contact_email").unwrap();
            lead.insert("invitee".to_owned(), email);
        }
        let settings = broken.to_folder(folder.path());
        let (message, hint) = refused(&t, &settings, &["leads"]).await;
        assert!(message.starts_with("the source has no columns `contact_email`, `utm_source` in `leads`; it has "), "{message}");
        assert!(message.contains("invitee") && hint.contains("[leads]"), "{message}; {hint}");
        let names = folder.path().join("names.toml");
        std::fs::write(&names, "[leads]\ncontact_email = \"invitee\"\nutm_source = \"\"\n").unwrap();
        run(&t, &Settings { names: Some(names.clone()), ..settings.clone() }).await;
        assert_eq!(row(&t, "leads", "contact_name", "booking").await["contact_email"], "ann@acme.com");
        std::fs::write(&names, "[leads]\nutm_sauce = \"\"\n").unwrap();
        let (message, hint) = refused(&t, &Settings { names: Some(names), ..settings }, &["leads"]).await;
        assert_eq!((message.as_str(), hint.as_str()), ("a backfill reads no `utm_sauce` of `leads`", "did you mean `utm_source`?"));
    }

    async fn a_schema_is_looked_at_in_the_same_way(t: Bench) {
        with_schema(&t, async |url, schema| {
            let mut broken = application();
            for lead in broken.table("leads") {
                lead.as_object_mut().unwrap().remove("priority");
            }
            let settings = broken.to_schema(&url, &schema).await;
            let (message, _) = refused(&t, &settings, &["leads"]).await;
            assert!(message.starts_with("the source has no column `priority` in `leads`; it has id, "), "{message}");
            let elsewhere = application::settings(&url, Some("nowhere"));
            let (message, _) = refused(&t, &elsewhere, &["leads"]).await;
            assert!(message.contains("no table `leads`; it has nothing"), "{message}");
        }).await;
    }

    async fn a_place_that_is_none_is_said_so(t: Bench) {
        let (message, _) = refused(&t, &application::settings("/nowhere/at/all", None), &[]).await;
        assert_eq!(message, "`/nowhere/at/all` is neither a PostgreSQL URL nor a folder");
        let (message, hint) = refused(&t, &Settings::default(), &[]).await;
        assert!(message.contains("not configured") && hint.contains("OPSTABLES_APP_SOURCE"), "{message} {hint}");
        let (message, _) = refused(&t, &application::settings("postgres://u:s3cret@127.0.0.1:9/none", None), &[]).await;
        assert!(!message.contains("s3cret"), "{message}");
    }

    async fn a_value_that_fits_nowhere_costs_that_value_alone(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut odd = application();
        odd.set("leads", &uuid(1), &json!({"contact_email": "not an address", "priority": "whenever", "owner_id": uuid(999)}));
        let report = run(&t, &odd.to_folder(folder.path())).await;
        assert_eq!(counts(&report, "leads"), [9, 9, 0, 0, 0, 0]);
        let leads = report.tables.iter().find(|table| table.table == "leads").unwrap();
        let mut columns: Vec<&str> = leads.faults.iter().filter_map(|fault| fault.column.as_deref()).collect();
        columns.sort_unstable();
        assert_eq!((leads.values_left_out, columns), (3, vec!["contact_email", "owner", "priority"]));
        assert!(leads.faults.iter().all(|fault| uuid(1) == fault.id.as_str()), "{:?}", leads.faults);
        let lead = row(&t, "leads", "contact_name", "booking").await;
        assert_eq!((lead.get("priority"), &lead["status"]), (None, &json!("ready")));
    }

    async fn a_record_without_an_id_stops_before_anything_is_written(t: Bench) {
        let folder = TempDir::new().unwrap();
        let settings = application().to_folder(folder.path());
        let file = folder.path().join("leads.jsonl");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text + "{\"contact_name\": \"Nobody\"}\n").unwrap();
        let (message, _) = refused(&t, &settings, &[]).await;
        assert!(message.ends_with("leads.jsonl, line 10: the record has no id"), "{message}");
        assert_eq!(count_of(&t, "dynamic_table_rows").await, "0");
    }
}
