//! The comparison with a full recomputation finds what is wrong, and recomputing puts it right.

use std::process::Command;

use opstables::records;
use opstables::store::Sql;
use serde_json::{Value as Json, json};

use super::{audit, engaged, pass, right};
use crate::database::change;
use crate::harness::{Bench, on_both};

async fn furnish(t: &Bench) -> [String; 2] {
    let company = t.create("companies", json!({"name": "Acme"})).await;
    let row = json!({"email": "ann@x.io", "company_name": "Acme", "last_engagement": "2026-01-01T00:00:00Z", "recent_signals": ["vip"]});
    let contact = t.create("contacts", row).await;
    t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-01-05T00:00:00Z"})).await;
    [company, contact]
}

/// Runs the program on the bench's database; how it ended and what it printed as JSON.
fn program(t: &Bench, args: &[&str]) -> (Option<i32>, Json) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
    command.env("OPSTABLES_DATABASE_URL", &t.database_url).args(args).arg("--json");
    let ended = command.output().unwrap();
    (ended.status.code(), serde_json::from_slice(&ended.stdout).unwrap())
}

on_both! {
    async fn a_value_that_somebody_put_into_the_database_is_found_and_put_right(t: Bench) {
        let [company, contact] = furnish(&t).await;
        t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-02-20T00:00:00Z", "summary": "Said much."})).await;
        right(&t).await;
        let wrong = [
            ("contacts", "last_engagement", "d01 = null", &contact),
            ("contacts", "recent_signals", "t10 = '\nmet\n'", &contact),
            ("companies", "active_contacts_count", "n02 = 7", &company),
            ("companies", "last_contact_date", "d01 = null", &company),
        ];
        for (table, column, set, row) in wrong {
            let text = format!("update dynamic_table_rows set {set} where table_key = '{table}'");
            change(&t, [Sql::new(&text)]).await;
            let found = audit(&t).await;
            let named: Vec<_> = found.differing.iter().map(|it| (it.table, it.column.as_str(), it.rows)).collect();
            assert_eq!(named.first(), Some(&(table, column, 1)), "{found:?}");
            assert_eq!(found.differing[0].sample.to_string(), *row);
            let services = &t.app.services;
            let changed = records::recompute(&services.store, &services.catalogs, t.org, &t.clock, &services.ids).await.unwrap();
            assert!(changed > 0);
            right(&t).await;
        }
        let rows = t.rows("query_contacts", json!({"fields": ["last_engagement", "recent_signals"]})).await;
        assert_eq!((&rows[0]["last_engagement"], &rows[0]["recent_signals"]), (&json!("2026-02-20T00:00:00Z"), &json!(["met", "vip"])));
    }

    async fn doctor_says_what_is_wrong_and_recompute_puts_it_right(t: Bench) {
        furnish(&t).await;
        let checked = |t: &Bench| {
            let (code, report) = program(t, &["doctor"]);
            let checks = report["checks"].as_array().unwrap().clone();
            (code, checks.into_iter().find(|check| check["name"] == "derived").unwrap())
        };
        let (_, good) = checked(&t);
        assert_eq!(good["state"], "good", "{good}");
        change(&t, [Sql::new("update dynamic_table_rows set n02 = 7 where table_key = 'companies'")]).await;
        let (code, fault) = checked(&t);
        assert_eq!((code, &fault["state"]), (Some(1), &json!("fault")));
        let said = format!("{} {}", fault["found"], fault["fix"]);
        assert!(said.contains("companies.active_contacts_count of 1") && said.contains("opstables recompute"), "{said}");
        assert_eq!(program(&t, &["recompute"]), (Some(0), json!({"changed": 1})));
        assert_eq!(checked(&t).1["state"], "good");
        assert_eq!(program(&t, &["recompute"]), (Some(0), json!({"changed": 0})));
    }

    async fn a_table_that_was_away_is_computed_anew(t: Bench) {
        let [_, contact] = furnish(&t).await;
        t.ok("manage_tables", json!({"action": "delete", "table": "contacts", "confirm": confirmed(&t, "contacts").await})).await;
        t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-02-05T00:00:00Z"})).await;
        t.ok("manage_tables", json!({"action": "provision", "table": "contacts"})).await;
        assert_eq!(engaged(&t, &contact).await, "2026-01-05T00:00:00Z");
        pass(&t, 0).await;
        assert_eq!(engaged(&t, &contact).await, "2026-02-05T00:00:00Z");
        right(&t).await;
    }
}

async fn confirmed(t: &Bench, table: &str) -> Json {
    let asked = t.ok("manage_tables", json!({"action": "delete", "table": table})).await;
    asked["confirm"].clone()
}
