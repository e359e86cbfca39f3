//! The reading of a CRM as a task: the same answers, and an end however it goes.

use std::time::Duration;

use opstables::clock::Clock;
use opstables::fakes::Outage;
use serde_json::{Value as Json, json};

use super::task::{call, declared, ended, get, start};
use crate::client::McpProcess;
use crate::delivery::crms::Crms;
use crate::harness::{Bench, KEY, on_both};

on_both! {
    async fn what_came_from_a_crm_is_what_the_call_would_have_answered(t: Bench) {
        let (crms, server) = connected(&t).await;
        let task = start(&server, json!({"from": "hubspot"})).await;
        let done = ended(&server, &task).await;
        assert_eq!((&done["status"], &done["statusMessage"]), (&json!("completed"), &json!("read 50 records")), "{done}");
        let pulled = &done["result"]["structuredContent"]["pulled"];
        assert_eq!((&pulled[0]["table"], &pulled[0]["created"]), (&json!("companies"), &json!(20)), "{done}");
        assert_eq!((&pulled[1]["table"], &pulled[1]["created"]), (&json!("contacts"), &json!(30)), "{done}");
        assert_eq!(crms.count("contacts").await, 30);
        // The call and the task answer the same.
        let again = ended(&server, &start(&server, json!({"from": "hubspot", "table": "contacts"})).await).await;
        let plain = server.call("backfill_table", json!({"from": "hubspot", "table": "contacts"})).await;
        assert_eq!((&again["result"]["structuredContent"], &again["result"]["content"]), (&plain["structuredContent"], &plain["content"]));
        assert_eq!(plain["structuredContent"]["pulled"][0]["unchanged"], 30);
        // The application's runs are others.
        assert_eq!(server.ok("backfill_table", json!({"action": "status"})).await, json!({}));
        assert_eq!(server.ok("backfill_table", json!({"action": "cancel"})).await, json!({"cancelled": false}));
        assert_eq!(get(&server, &task).await, done);
    }

    async fn a_reading_that_is_refused_is_a_result_that_says_so(t: Bench) {
        let server = t.serve(&["--toolsets", "core,admin", "--org", "acme"]);
        for from in ["attio", "hubspot"] {
            let plain = server.call("backfill_table", json!({"from": from})).await;
            assert_eq!(plain["isError"], true, "{plain}");
            let refused = ended(&server, &start(&server, json!({"from": from})).await).await;
            assert_eq!(refused["status"], "completed");
            let result = &refused["result"];
            assert_eq!((&result["isError"], &result["content"]), (&plain["isError"], &plain["content"]));
            assert!(result.get("structuredContent").is_none(), "{result}");
        }
    }

    async fn a_reading_is_stopped_and_goes_on(t: Bench) {
        let (crms, server) = connected(&t).await;
        crms.hubspot.faults().outage(Some(Outage::Unavailable));
        let task = start(&server, json!({"from": "hubspot"})).await;
        assert_eq!(get(&server, &task).await["status"], "working");
        let ack = server.result("tasks/cancel", declared(json!({"taskId": task["taskId"]}))).await;
        assert_eq!(ack["resultType"], "complete");
        assert_eq!(get(&server, &task).await["status"], "cancelled");
        crms.hubspot.faults().outage(None);
        // As soon as the one that was stopped has noticed that.
        let done = loop {
            let again = ended(&server, &start(&server, json!({"from": "hubspot"})).await).await;
            if again["result"].get("isError").is_none() {
                break again;
            }
            assert!(again["result"].to_string().contains("is being read"), "{again}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(read_of(&done), 50);
        assert_eq!(get(&server, &task).await["status"], "cancelled");
        assert_eq!(call(&server, "query_contacts", json!({})).await["structuredContent"]["total"], 30);
    }
}

/// A server whose organization is connected to CRMs that had records before.
async fn connected(t: &Bench) -> (Crms, McpProcess) {
    let t = Bench::process(&t.database_url, t.org, &Clock::System);
    let fill = |crms: &Crms| {
        for number in 0..30 {
            let person = [("email", format!("p{number}@acme.com")), ("firstname", "Pat".to_owned())];
            let person: Vec<(&str, &str)> =
                person.iter().map(|(key, value)| (*key, value.as_str())).collect();
            crms.hubspot.create("contacts", &person).expect("a record");
        }
        for number in 0..20 {
            let name = format!("Company {number}");
            crms.hubspot.create("companies", &[("name", &name)]).expect("a record");
        }
    };
    let crms = Crms::connected_to(&t, |options| options, fill).await;
    let hosts = crms.hosts();
    let env = [
        ("OPSTABLES_DATABASE_URL", t.database_url.as_str()),
        ("OPSTABLES_HUBSPOT_BASE_URL", &hosts.hubspot),
        ("OPSTABLES_ATTIO_BASE_URL", &hosts.attio),
        ("OPSTABLES_SECRET_KEY", KEY),
    ];
    let server = McpProcess::start(&env, &["--toolsets", "core,admin", "--org", "acme"]);
    (crms, server)
}

fn read_of(task: &Json) -> u64 {
    let pulled = task["result"]["structuredContent"]["pulled"].as_array().expect("what came");
    pulled.iter().filter_map(|table| table["read"].as_u64()).sum()
}
