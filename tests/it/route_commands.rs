//! `opstables route` as people and scripts meet it.

use serde_json::{Value as Json, json};

use crate::skills_commands::Desk;

const DANA: &str = r#"{"rows": [{"contact_name": "Dana Miller", "contact_email": "dana@globex.com", "status": "new", "priority": "urgent"}]}"#;

fn predictions(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[test]
fn a_message_is_shown_with_what_each_of_its_words_came_to() {
    let desk = Desk::new();
    let shown = desk.run(&["route", "urgent leads since January", "--now", "2026-03-02T10:00:00Z"], 0);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[..2], ["urgent leads since January", "^^^^^^ ^^^^^ ^^^^^^^^^^^^^"], "{shown}");
    for said in [
        "table query_leads query",
        r#"{"column":"created_at","op":"gte","value":"2026-01-01"}"#,
        r#""urgent" → priority equals "urgent""#,
        "confidence 0.99",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let shown = desk.run(&["route", "triage my new leads"], 0);
    assert!(shown.contains("skill lead-triage") && shown.contains("no table call: "), "{shown}");
    assert!(desk.run(&["route", "lovely weather"], 0).contains("neither a table nor a skill"));
    assert!(desk.run(&["route"], 1).contains("there is no message to route"));
    assert!(desk.run(&["route", "new leads", "--now", "soon"], 1).contains("`soon` is no time"));
    assert!(desk.run(&["route", "new leads", "--tz", "Here"], 1).contains("`Here` is no time zone"));
}

#[test]
fn execute_shows_the_rows_of_a_read_and_leaves_a_change_alone() {
    let desk = Desk::new();
    desk.run(&["call", "save_leads", DANA], 0);
    assert!(desk.run(&["route", "--execute", "urgent leads"], 0).contains("dana@globex.com"));
    let counted = desk.json(&["route", "--execute", "how many urgent leads are there"]);
    assert_eq!(counted["result"]["rows"], json!([[1]]), "{counted}");
    let shown = desk.run(&["route", "--execute", "delete the lead dana@globex.com"], 0);
    assert!(shown.contains("table, a change archive_rows") && shown.contains("never run here"), "{shown}");
    assert_eq!(desk.json(&["call", "query_leads", "{}"])["total"], 1);
}

#[test]
fn a_prediction_is_printed_for_each_line() {
    let desk = Desk::new();
    let input = "{\"id\": \"a\", \"text\": \"ready leads\"}\n\n  triage my new leads\nhello there\n";
    let printed = desk.fed(&["route", "--jsonl"], input, 0);
    let found = predictions(&printed);
    let ways: Vec<(&Json, &str)> =
        found.iter().map(|one| (&one["id"], one["kind"].as_str().unwrap())).collect();
    assert_eq!(ways, [(&json!("a"), "table"), (&json!(3), "skill"), (&json!(4), "none")], "{printed}");
    assert_eq!(
        found[0]["arguments"]["filters"],
        json!([{"column": "status", "op": "equals", "value": "ready"}])
    );
    assert_eq!(found[1]["skill"], "lead-triage");
    assert!(found.iter().all(|one| one["latency_us"].as_f64().is_some_and(|us| us > 0.0)), "{printed}");
    let printed = desk.fed(&["route", "--jsonl"], "new leads\n{\"id\": 2}\nnew leads\n", 1);
    assert!(printed.contains("line 2 is no message: missing field `text`"), "{printed}");
    assert_eq!(printed.matches("\"kind\"").count(), 1, "{printed}");
    assert!(desk.run(&["route", "stats"], 0).contains("no message was routed"), "predictions are not logged");
}

#[test]
fn predictions_need_no_database_and_make_none() {
    let desk = Desk::bare();
    let now = ["route", "--jsonl", "--now", "2026-03-02T23:30:00Z", "--tz", "Asia/Tokyo"];
    let found = predictions(&desk.fed(&now, "meetings today\n", 0));
    assert_eq!(found[0]["arguments"]["filters"][0]["value"], "2026-03-03");
    assert!(desk.is_empty());
}

#[test]
fn stats_count_the_ways_and_show_texts_only_once_they_are_kept() {
    let desk = Desk::new();
    assert!(desk.run(&["route", "stats"], 0).contains("no message was routed in the last 30 days"));
    for message in ["new leads", "New  leads", "triage my new leads", "lovely weather"] {
        desk.run(&["route", message], 0);
    }
    let stats = desk.json(&["route", "stats", "--days", "7"]);
    assert_eq!((&stats["messages"], &stats["keeps_texts"]), (&json!(4), &json!(false)));
    let leads = &stats["ways"][0];
    assert_eq!(
        (&leads["to"], &leads["messages"], &leads["distinct"]),
        (&json!("query leads"), &json!(2), &json!(1))
    );
    let shown = desk.run(&["route", "stats"], 0);
    assert!(shown.contains("opstables route keep texts") && !shown.contains("weather"), "{shown}");
    desk.run(&["route", "keep", "texts"], 0);
    desk.run(&["route", "lovely clouds"], 0);
    let shown = desk.run(&["route", "stats"], 0);
    assert!(shown.contains("Without an answer:\n  lovely clouds") && !shown.contains("weather"), "{shown}");
    desk.run(&["route", "keep", "hashes"], 0);
    assert!(!desk.run(&["route", "stats"], 0).contains("clouds"));
}
