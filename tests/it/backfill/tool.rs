//! The tool and the command, as other programs see them.

use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::application::Application;
use super::derivations::application;
use super::{all, count_of};
use crate::client::McpProcess;
use crate::harness::{Bench, on_both};

on_both! {
    async fn a_copilot_starts_a_backfill_and_asks_how_far_it_is(t: Bench) {
        let folder = TempDir::new().unwrap();
        application().to_folder(folder.path());
        let place = folder.path().display().to_string();
        let args = ["--toolsets", "core,admin", "--org", "acme"];
        let server = McpProcess::start(&[("OPSTABLES_DATABASE_URL", &t.database_url), ("OPSTABLES_APP_SOURCE", &place)], &args);
        let none = server.ok("backfill_table", json!({"action": "status"})).await;
        assert_eq!(none, json!({}));
        let leads = server.ok("backfill_table", json!({"table": "leads"})).await;
        let tables = |answer: &Json| answer["run"]["tables"].as_array().unwrap().iter().map(|table| table["table"].clone()).collect::<Vec<_>>();
        assert_eq!((&leads["run"]["state"], tables(&leads)), (&json!("done"), vec![json!("profiles"), json!("leads")]));
        let everything = server.ok("backfill_table", json!({})).await;
        assert_eq!(tables(&everything).len(), 6);
        let status = server.ok("backfill_table", json!({"action": "status"})).await;
        assert_eq!(status["run"], everything["run"]);
        assert_eq!(server.ok("backfill_table", json!({"action": "cancel"})).await["cancelled"], false);
        assert_eq!(all(&t, "leads").await.len(), 9);
    }

    async fn without_a_configured_source_the_tool_says_how_to_set_one(t: Bench) {
        let error = t.refused("backfill_table", json!({})).await;
        assert!(error.hint.is_some_and(|hint| hint.contains("OPSTABLES_APP_SOURCE")));
        t.refused("backfill_table", json!({"from": "postgres://elsewhere/db"})).await;
        t.refused("backfill_table", json!({"source": "exports"})).await;
        t.refused("backfill_table", json!({"action": "status", "table": "leads"})).await;
    }

    async fn the_command_reports_each_table_and_fails_when_a_value_is_left_out(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut odd: Application = application();
        odd.set("contacts", &json!("c2"), &json!({"email": "bob at big"}));
        odd.to_folder(folder.path());
        let place = folder.path().display().to_string();
        let run = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
            command.arg("backfill").args(args).env("OPSTABLES_DATABASE_URL", &t.database_url).env("OPSTABLES_ORG", "acme");
            command.output().expect("the program")
        };
        let done = run(&["contacts", "companies", "--from", &place]);
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(!done.status.success(), "{text}");
        assert!(text.contains("contacts") && text.contains("contacts c2, email: `email`: `bob at big` is not an e-mail address"), "{text}");
        let status: Json = serde_json::from_slice(&run(&["--status", "--json"]).stdout).unwrap();
        assert_eq!((&status["state"], &status["tables"][1]["values_left_out"]), (&json!("done"), &json!(1)));
        let refused = run(&["--from", "postgres://ann:s3cret@127.0.0.1:9/none"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("cannot be reached") && !said.contains("s3cret"), "{said}");
        assert_eq!(count_of(&t, "backfills").await, "1");
    }
}
