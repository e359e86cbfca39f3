//! Calls that are wrong, sent to the real program: each is refused with the place of the fault and the way to
//! mend it, and nothing is written. Calls that are only spelled in the wrong JSON type are understood.

use std::collections::HashMap;

use chrono::DateTime;
use opstables::clock::Clock;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::client::McpProcess;
use crate::database::{KEPT, counts, dump};
use crate::harness::{Bench, on_both};

/// A line of `tests/fixtures/bad_calls.jsonl`.
#[derive(Deserialize)]
struct Bad {
    tool: String,
    arguments: Json,
    /// The path that the refusal must name.
    path: String,
    /// What it must say of the fix.
    fix: String,
}

impl Bad {
    /// What is wrong with the result of the call.
    fn fault(&self, result: &Json) -> Option<String> {
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        let error: Json = serde_json::from_str::<Json>(text).unwrap_or_default()["error"].clone();
        let said = ["message", "hint", "allowed"].map(|part| match &error[part] {
            Json::String(text) => text.clone(),
            Json::Array(allowed) => allowed.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        });
        let shown = self.shown();
        if result["isError"] != true {
            return Some(format!("{shown} was accepted: {text}"));
        }
        if error["path"].as_str().unwrap_or_default() != self.path || !said.join("; ").contains(&self.fix) {
            return Some(format!("{shown}\n    should name `{}` and say `{}`: {error}", self.path, self.fix));
        }
        if !["invalid", "not_found", "conflict", "denied"]
            .contains(&error["code"].as_str().unwrap_or_default())
        {
            return Some(format!("{shown} is not the server's fault: {error}"));
        }
        (text.len() > 4_096).then(|| format!("{shown} is answered with {} bytes", text.len()))
    }

    fn shown(&self) -> String {
        format!("{} {}", self.tool, self.arguments.to_string().chars().take(160).collect::<String>())
    }
}

/// What the bad calls are about, by its name in the file.
async fn prepare(t: &Bench, server: &McpProcess) -> HashMap<&'static str, String> {
    let rival = t.another_process();
    let created = rival.app.create_organization("rival", "Rival", chrono_tz::UTC).await;
    let rival = rival.within(created.expect("a new organization").0);
    let three = json!({"rows": [{"contact_name": "R1"}, {"contact_name": "R2"}, {"contact_name": "R3"}]});
    rival.ok("save_leads", three).await;
    let foreign = rival.ok("query_leads", json!({"limit": 1})).await;
    t.app.add_member(t.org, "Tom Hill", Some("hill@acme.com")).await.expect("a new member");

    let rows: Vec<Json> =
        (0..30).map(|i| json!({"contact_name": format!("L{i}"), "status": "new"})).collect();
    let saved = server.ok("save_leads", json!({"rows": rows})).await;
    let (lead, archived) = (&saved["created"][0], &saved["created"][1]);
    server.ok("archive_rows", json!({"table": "leads", "ids": [archived]})).await;
    let change = server.ok("save_leads", json!({"rows": [{"id": lead, "priority": "low"}]})).await;
    server.ok("undo_change", json!({"change_id": change["change_id"]})).await;
    server.ok("save_clients", json!({"rows": [{"company_name": "Globex"}], "idempotency_key": "used"})).await;
    server.ok("save_contacts", json!({"rows": [{"first_name": "Ann"}]})).await;

    let page = server.ok("query_leads", json!({"limit": 2})).await;
    let all_new = json!([{"column": "status", "op": "equals", "value": "new"}]);
    let past = Bench::process(&t.database_url, t.org, &Clock::fixed(DateTime::UNIX_EPOCH));
    let expired = past.ok("save_leads", json!({"filters": all_new, "set": {"priority": "low"}})).await;
    let other = server.ok("archive_rows", json!({"table": "leads", "filters": all_new})).await;
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let other_letter = if cursor.starts_with('A') { 'B' } else { 'A' };
    let tampered = json!(format!("{other_letter}{}", &cursor[1..]));
    let named = [
        ("$lead", lead),
        ("$archived", archived),
        ("$undone", &change["change_id"]),
        ("$cursor", &page["next_cursor"]),
        ("$tampered_cursor", &tampered),
        ("$foreign_cursor", &foreign["next_cursor"]),
        ("$expired", &expired["confirm"]),
        ("$of_another_call", &other["confirm"]),
    ];
    named.map(|(name, value)| (name, value.as_str().expect(name).to_owned())).into()
}

/// The value with what the test has prepared in place of its names.
fn filled(value: Json, prepared: &HashMap<&str, String>) -> Json {
    match value {
        Json::String(text) => match (prepared.get(text.as_str()), text.strip_prefix("$x*")) {
            (Some(known), _) => json!(known),
            (None, Some(count)) => json!("x".repeat(count.parse().expect("a count"))),
            (None, None) => json!(text),
        },
        Json::Array(items) => match items.as_slice() {
            [Json::String(mark), count, item] if mark == "$repeat" => {
                let count = usize::try_from(count.as_u64().expect("a count")).expect("a small count");
                json!(vec![filled(item.clone(), prepared); count])
            }
            _ => items.into_iter().map(|item| filled(item, prepared)).collect(),
        },
        Json::Object(object) => {
            object.into_iter().map(|(key, value)| (key, filled(value, prepared))).collect()
        }
        other => other,
    }
}

/// A query with one comparison.
fn asking(column: &str, op: &str, value: &str) -> Json {
    json!({"filters": [{"column": column, "op": op, "value": value}]})
}

on_both! {
    async fn a_bad_call_is_refused_with_its_place_and_its_fix_and_writes_nothing(t: Bench) {
        let server = t.serve(&["--toolsets", "core,admin", "--org", "acme"]);
        let prepared = prepare(&t, &server).await;
        let bad: Vec<Bad> = include_str!("../fixtures/bad_calls.jsonl")
            .lines()
            .filter(|line| line.starts_with('['))
            .map(|line| serde_json::from_value(filled(serde_json::from_str(line).expect(line), &prepared)).expect(line))
            .collect();
        assert!(bad.len() >= 60, "{}", bad.len());
        let mut kept = Vec::new();
        // The clock moves one table on, whatever is called.
        let tables: Vec<&str> = KEPT.iter().copied().filter(|table| *table != "ops_derived").collect();
        for table in &tables {
            kept.push(dump(&t, table).await);
        }
        let before = counts(&t).await;
        let mut faults = Vec::new();
        for bad in &bad {
            let result = server.call(&bad.tool, bad.arguments.clone()).await;
            faults.extend(bad.fault(&result));
            assert_eq!(counts(&t).await, before, "{} has written something", bad.shown());
        }
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
        for (table, before) in tables.iter().zip(kept) {
            assert_eq!(dump(&t, table).await, before, "{table}");
        }
    }

    async fn a_call_that_is_no_call_is_a_protocol_error(t: Bench) {
        let server = t.serve(&["--toolsets", "core"]);
        let before = counts(&t).await;
        for (params, fix) in [
            (json!({"name": "query_lead", "arguments": {}}), "did you mean `query_leads`"),
            (json!({"name": "manage_columns", "arguments": {}}), "toolset `admin`"),
            (json!({"name": "x".repeat(10_000), "arguments": {}}), "query_leads"),
            (json!({"arguments": {}}), "name"),
            (json!({"name": "query_leads", "arguments": [1]}), "tools/call"),
        ] {
            let reply = server.request("tools/call", params.clone()).await;
            assert_eq!(reply["error"]["code"], -32602, "{params}: {reply}");
            let message = reply["error"]["message"].as_str().unwrap();
            assert!(message.contains(fix) && message.len() < 1_000, "{message}");
        }
        let deep = (0..70).fold(json!("x"), |inner, _| json!([inner]));
        let reply = server.request("tools/call", json!({"name": "save_leads", "arguments": {"rows": [{"contact_name": deep}]}})).await;
        assert!(reply["error"]["message"].as_str().unwrap().contains("deeper than 64"), "{reply}");
        assert_eq!(counts(&t).await, before);
        server.ok("query_leads", json!({})).await;
    }

    async fn a_number_beyond_all_numbers_is_refused_under_its_own_id(t: Bench) {
        let server = t.serve(&[]);
        server.legacy("2025-06-18").await;
        let call = r#"{"jsonrpc":"2.0","id":777,"method":"tools/call","params":{"name":"save_clients","arguments":{"rows":[{"deal_value":1e400}]}}}"#;
        let reply = server.exchange_line(&json!(777), call).await;
        assert_eq!(reply["error"]["code"], -32602, "{reply}");
        assert!(reply["error"]["message"].as_str().unwrap().contains("number out of range"), "{reply}");
        assert!(t.rows("query_clients", json!({})).await.is_empty());
    }

    async fn the_wrong_json_type_for_the_right_thing_is_understood(t: Bench) {
        let server = t.serve(&["--org", "acme"]);
        let rows = r#"[{"company_name": "Globex", "deal_value": "1,200.50", "tags": "[\"a\", \"b\"]", "subscription_start": "3/4/2024"},
                       {"company_name": "Initech", "deal_value": 7, "tags": "c", "status": "ACTIVE"}]"#;
        let dry = server.ok("save_clients", json!({"rows": rows, "dry_run": "true"})).await;
        assert_eq!(dry["status"], "dry_run");
        assert!(t.rows("query_clients", json!({})).await.is_empty());
        let saved = server.ok("save_clients", json!({"rows": rows, "dry_run": "false", "confirm": null})).await;
        assert_eq!(saved["created"].as_array().unwrap().len(), 2);
        let query = json!({
            "fields": "[\"company_name\", \"deal_value\", \"tags\", \"subscription_start\", \"status\"]",
            "sort": "[{\"column\": \"deal_value\", \"dir\": \"desc\"}]", "limit": "5", "archived": "false", "search": null, "view": null,
            "filters": "[{\"column\": \"deal_value\", \"op\": \"gte\", \"value\": \"7\"}]",
        });
        let found = server.ok("query_clients", query).await;
        assert_eq!(found["rows"].as_array().unwrap().iter().map(|row| row.as_array().unwrap()[1..].to_vec()).collect::<Vec<_>>(), [
            vec![json!("Globex"), json!(1200.5), json!(["a", "b"]), json!("2024-03-04"), json!(null)],
            vec![json!("Initech"), json!(7), json!(["c"]), json!(null), json!("active")],
        ]);
        let id = saved["created"][0].as_str().unwrap();
        for (arguments, expected) in [
            (json!({"ids": id}), 1), (json!({"ids": format!("[\"{id}\"]")}), 1), (json!({"limit": 1.0}), 1), (json!({"limit": "1"}), 1),
            (asking("deal_value", "in", "[7, 8]"), 1), (asking("tags", "equals", "A"), 1),
            (asking("status", "in", "active"), 1), (asking("deal_value", "between", "[\"1k\", \"2k\"]"), 1),
            (asking("subscription_start", "within_last_days", "3650"), 1), (json!({"group_by": "status"}), 2),
            (json!({"aggregate": "{\"fn\": \"count\"}"}), 1), (json!({"sort": {"column": "deal_value"}}), 2), (json!({"cursor": ""}), 2),
        ] {
            let found = server.ok("query_clients", arguments.clone()).await;
            assert_eq!(found["rows"].as_array().unwrap().len(), expected, "{arguments}: {found}");
        }
        let updated = server.ok("save_clients", json!({"rows": {"id": id, "deal_value": "(300)"}})).await;
        assert_eq!(updated["updated"][0]["fields"], json!(["deal_value"]));
    }
}
