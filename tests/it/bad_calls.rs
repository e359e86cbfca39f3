//! Calls that are wrong, sent to the real program: each is refused with the place of the fault and the way to
//! mend it, and nothing is written. Calls that are only spelled in the wrong JSON type are understood.

use serde_json::{Value as Json, json};

use crate::client::McpProcess;
use crate::database::{KEPT, counts, dump};
use crate::harness::{Bench, on_both};

/// A tool, its arguments, the path the refusal must name, and a word of the fix.
type Bad = (&'static str, Json, &'static str, &'static str);

/// What the bad calls are about.
struct World {
    server: McpProcess,
    lead: String,
    archived: String,
    undone: String,
    cursor: String,
    foreign_cursor: String,
    expired: String,
    of_another_call: String,
}

const NOBODY: &str = "0190d1c2-7a4e-7c3b-9f00-5b7e2d1c4a90";

async fn world(t: &Bench) -> World {
    // By another process, whose secrets are not those of this one.
    let rival = t.another_process();
    let (org, _) = rival.app.create_organization("rival", "Rival", chrono_tz::UTC).await.unwrap();
    let rival = rival.within(org);
    let three = json!({"rows": [{"contact_name": "R1"}, {"contact_name": "R2"}, {"contact_name": "R3"}]});
    rival.ok("save_leads", three).await;
    let foreign = rival.ok("query_leads", json!({"limit": 1})).await;
    t.app.add_member(t.org, "Tom Hill", Some("hill@acme.com")).await.unwrap();

    let server = t.serve(&["--toolsets", "core,admin", "--org", "acme"]);
    let rows: Vec<Json> =
        (0..30).map(|i| json!({"contact_name": format!("L{i}"), "status": "new"})).collect();
    let saved = server.ok("save_leads", json!({"rows": rows})).await;
    let lead = saved["created"][0].as_str().unwrap().to_owned();
    let archived = saved["created"][1].as_str().unwrap().to_owned();
    server.ok("archive_rows", json!({"table": "leads", "ids": [archived]})).await;
    let change =
        server.ok("save_leads", json!({"rows": [{"id": lead, "priority": "low"}]})).await["change_id"]
            .clone();
    server.ok("undo_change", json!({"change_id": change})).await;
    server.ok("save_clients", json!({"rows": [{"company_name": "Globex"}], "idempotency_key": "used"})).await;
    server.ok("save_contacts", json!({"rows": [{"first_name": "Ann"}]})).await;

    let page = server.ok("query_leads", json!({"limit": 2})).await;
    let all_new = json!([{"column": "status", "op": "equals", "value": "new"}]);
    // The clock of this process stands months before the server's.
    let expired = t.ok("save_leads", json!({"filters": all_new, "set": {"priority": "low"}})).await;
    let other = server.ok("archive_rows", json!({"table": "leads", "filters": all_new})).await;
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    World {
        server,
        lead,
        archived,
        undone: text(&change),
        cursor: text(&page["next_cursor"]),
        foreign_cursor: text(&foreign["next_cursor"]),
        expired: text(&expired["confirm"]),
        of_another_call: text(&other["confirm"]),
    }
}

/// A query with one comparison.
fn asking(column: &str, op: &str, value: Json) -> Json {
    json!({"filters": [{"column": column, "op": op, "value": value}]})
}

/// A save of one row.
fn saving(row: Json) -> Json {
    json!({"rows": [row]})
}

fn bad_queries(w: &World) -> Vec<Bad> {
    let tampered = format!("{}A", &w.cursor[..w.cursor.len() - 1]);
    let ids = vec![NOBODY; 201];
    vec![
        ("query_leads", json!({"limit": 0}), "limit", "at least 1"),
        ("query_leads", json!({"limit": 201}), "limit", "at most 200"),
        ("query_leads", json!({"limit": "many"}), "limit", "must be an integer"),
        ("query_leads", json!({"limit": 2.5}), "limit", "must be an integer"),
        ("query_leads", json!({"limit": -1}), "limit", "at least"),
        ("query_leads", json!({"filtres": []}), "", "did you mean `filters`"),
        ("query_leads", json!({"offset": 10}), "", "cursor"),
        (
            "query_leads",
            json!({"filters": [{"colum": "status", "op": "equals", "value": "new"}]}),
            "filters[0]",
            "did you mean `column`",
        ),
        (
            "query_leads",
            json!({"filters": [{"column": "status", "value": "new"}]}),
            "filters[0]",
            "`op` is missing",
        ),
        ("query_leads", json!({"filters": "status = new"}), "filters", "must be a list"),
        ("query_leads", json!({"filters": [7]}), "filters[0]", "must be an object"),
        (
            "query_leads",
            asking("stauts", "equals", json!("new")),
            "filters[0].column",
            "did you mean `status`",
        ),
        (
            "query_leads",
            asking("Contact Name", "equals", json!("x")),
            "filters[0].column",
            "did you mean `contact_name`",
        ),
        ("query_leads", asking("status", "contains", json!("ne")), "filters[0].op", "did you mean `equals`"),
        ("query_leads", asking("status", "==", json!("new")), "filters[0].op", "did you mean `equals`"),
        (
            "query_leads",
            asking("status", "equals", json!("raedy")),
            "filters[0].value",
            "did you mean `ready`",
        ),
        ("query_leads", asking("status", "equals", json!(null)), "filters[0].value", "is_empty"),
        ("query_leads", asking("status", "equals", json!(["new", "ready"])), "filters[0].value", "use `in`"),
        ("query_leads", asking("status", "in", json!([])), "filters[0].value", "is_empty"),
        ("query_leads", asking("status", "is_empty", json!("new")), "filters[0].value", "leave `value` out"),
        (
            "query_leads",
            asking("meeting_start", "after", json!("2026-13-45")),
            "filters[0].value",
            "2026-03-31",
        ),
        (
            "query_leads",
            asking("meeting_start", "after", json!("sometime")),
            "filters[0].value",
            "2026-03-31",
        ),
        (
            "query_leads",
            asking("meeting_start", "within_last_days", json!("soon")),
            "filters[0].value",
            "write 7",
        ),
        (
            "query_leads",
            asking("meeting_start", "within_last_days", json!(-3)),
            "filters[0].value",
            "write 7",
        ),
        (
            "query_leads",
            asking("meeting_start", "between", json!(["2026-03-01"])),
            "filters[0].value",
            "2026-03-31",
        ),
        (
            "query_leads",
            asking("meeting_start", "between", json!(["2026-03-05", "2026-03-01"])),
            "filters[0].value",
            "first",
        ),
        ("query_clients", asking("deal_value", "between", json!([10])), "filters[0].value", "[10, 20]"),
        ("query_clients", asking("deal_value", "between", json!([10, 5])), "filters[0].value", "first"),
        ("query_clients", asking("deal_value", "gt", json!("12x")), "filters[0].value", "1234.5"),
        ("query_clients", asking("deal_value", "gt", json!("1e400")), "filters[0].value", "too large"),
        ("query_leads", asking("owner", "equals", json!("Nobody")), "filters[0].value", "Ann Lee"),
        ("query_leads", asking("owner", "equals", json!("tom")), "filters[0].value", "Tom Ford"),
        ("query_leads", asking("owner", "equals", json!("me")), "filters[0].value", "OPSTABLES_USER"),
        ("query_leads", asking("contact_name", "contains", json!("a\u{0}b")), "filters[0].value", "U+0000"),
        (
            "query_leads",
            json!({"any_of": [{"column": "stauts", "op": "is_empty"}]}),
            "any_of[0].column",
            "did you mean `status`",
        ),
        (
            "query_leads",
            json!({"sort": [{"column": "creatd_at"}]}),
            "sort[0].column",
            "did you mean `created_at`",
        ),
        ("query_leads", json!({"sort": [{"column": "status", "dir": "down"}]}), "sort[0].dir", "desc"),
        (
            "query_leads",
            json!({"sort": [{"column": "status", "direction": "desc"}]}),
            "sort[0]",
            "did you mean `dir`",
        ),
        (
            "query_leads",
            json!({"fields": ["contact_name", "contact_emial"]}),
            "fields[1]",
            "did you mean `contact_email`",
        ),
        ("query_leads", json!({"ids": ["abc"]}), "ids[0]", "ids look like"),
        ("query_leads", json!({"ids": ids}), "ids", "at most 200"),
        ("query_leads", json!({"view": "High Prio"}), "view", "high_priority"),
        ("query_leads", json!({"archived": "maybe"}), "archived", "must be true or false"),
        ("query_leads", json!({"search": "x".repeat(201)}), "search", "200"),
        ("query_leads", json!({"search": "a\u{0}b"}), "search", "visible"),
        ("query_leads", json!({"cursor": tampered}), "cursor", "next_cursor"),
        ("query_leads", json!({"cursor": w.foreign_cursor}), "cursor", "next_cursor"),
        ("query_leads", json!({"cursor": "abc"}), "cursor", "next_cursor"),
        ("query_clients", json!({"cursor": w.cursor}), "cursor", "next_cursor"),
        ("query_leads", json!({"cursor": w.cursor, "search": "x"}), "cursor", "pass the cursor alone"),
        ("query_leads", json!({"group_by": ["stauts"]}), "group_by[0]", "did you mean `status`"),
        ("query_leads", json!({"group_by": ["tags"]}), "group_by[0]", "filter by a tag"),
        ("query_leads", json!({"group_by": ["status", "priority", "owner"]}), "group_by", "at most 2"),
        ("query_leads", json!({"group_by": ["created_at:decade"]}), "group_by[0]", "year"),
        ("query_leads", json!({"group_by": ["status:month"]}), "group_by[0]", "use `status`"),
        (
            "query_leads",
            json!({"group_by": ["status"], "sort": [{"column": "contact_name"}]}),
            "sort[0].column",
            "_value",
        ),
        ("query_leads", json!({"group_by": ["status"], "fields": ["status"]}), "fields", "leave it out"),
        (
            "query_clients",
            json!({"aggregate": {"fn": "sum", "column": "company_name"}}),
            "aggregate.column",
            "deal_value",
        ),
        (
            "query_clients",
            json!({"aggregate": {"fn": "sum", "column": "deal_valeu"}}),
            "aggregate.column",
            "did you mean `deal_value`",
        ),
        ("query_clients", json!({"aggregate": {"fn": "sum"}}), "aggregate.column", "deal_value"),
        (
            "query_clients",
            json!({"aggregate": {"fn": "total", "column": "deal_value"}}),
            "aggregate.fn",
            "sum",
        ),
        ("query_clients", json!({"aggregate": {"function": "sum"}}), "aggregate", "fn"),
        ("describe_tables", json!({"tables": ["lead"]}), "tables[0]", "did you mean `leads`"),
        ("describe_tables", json!({"verbose": "perhaps"}), "verbose", "must be true or false"),
    ]
}

fn bad_saves(w: &World) -> Vec<Bad> {
    let (lead, archived) = (&w.lead, &w.archived);
    let new = json!([{"column": "status", "op": "equals", "value": "new"}]);
    let by_filter = |confirm: &str| json!({"filters": new, "set": {"priority": "low"}, "confirm": confirm});
    vec![
        ("save_leads", json!({}), "", "give rows"),
        ("save_leads", json!({"row": [{"contact_name": "A"}]}), "", "did you mean `rows`"),
        ("save_leads", json!({"rows": ["Ann"]}), "rows[0]", "must be an object"),
        ("save_leads", json!({"rows": vec![json!({"contact_name": "A"}); 1_001]}), "rows", "1000"),
        ("save_leads", saving(json!({})), "rows[0]", "at least one value"),
        (
            "save_leads",
            json!({"rows": [{"contact_name": "A"}], "set": {"status": "new"}}),
            "set",
            "one call takes one",
        ),
        ("save_leads", json!({"rows": [{"contact_name": "A"}], "filters": new}), "filters", "into set"),
        ("save_leads", json!({"set": {"status": "new"}}), "filters", "at least one filter"),
        ("save_leads", json!({"filters": new, "set": {}}), "set", "names no column"),
        (
            "save_leads",
            json!({"filters": new, "set": {"stauts": "new"}}),
            "set.stauts",
            "did you mean `status`",
        ),
        (
            "save_leads",
            json!({"filters": new, "set": {"meeting_held": "Met"}}),
            "set.meeting_held",
            "leave it out",
        ),
        (
            "save_leads",
            json!({"filters": [{"column": "stauts", "op": "is_empty"}], "set": {"status": "new"}}),
            "filters[0].column",
            "did you mean `status`",
        ),
        (
            "save_leads",
            json!({"filters": new, "set": {"status": "new"}, "match_on": "contact_email"}),
            "match_on",
            "goes with rows",
        ),
        ("save_leads", by_filter("made-up"), "confirm", "without confirm"),
        ("save_leads", by_filter(&w.expired), "confirm", "without confirm"),
        ("save_leads", by_filter(&w.of_another_call), "confirm", "without confirm"),
        (
            "save_leads",
            saving(json!({"contact_nmae": "A"})),
            "rows[0].contact_nmae",
            "did you mean `contact_name`",
        ),
        (
            "save_leads",
            saving(json!({"Contact Name": "A"})),
            "rows[0].Contact Name",
            "did you mean `contact_name`",
        ),
        ("save_leads", saving(json!({"status": "nwe"})), "rows[0].status", "did you mean `new`"),
        ("save_leads", saving(json!({"status": ["new"]})), "rows[0].status", "write it as \"new\""),
        ("save_leads", saving(json!({"contact_name": 7})), "rows[0].contact_name", "write it as"),
        (
            "save_leads",
            saving(json!({"contact_name": {"first": "A"}})),
            "rows[0].contact_name",
            "write it as",
        ),
        ("save_leads", saving(json!({"contact_name": "a\u{7}b"})), "rows[0].contact_name", "U+0007"),
        ("save_leads", saving(json!({"contact_name": "a\u{0}b"})), "rows[0].contact_name", "U+0000"),
        ("save_leads", saving(json!({"contact_name": "x".repeat(65_537)})), "rows[0].contact_name", "65536"),
        ("save_leads", saving(json!({"contact_name": "x".repeat(1 << 20)})), "", "split them"),
        (
            "save_leads",
            saving(json!({"contact_email": "ann.at.x.io"})),
            "rows[0].contact_email",
            "jane@acme.com",
        ),
        ("save_leads", saving(json!({"domain": "not a domain"})), "rows[0].domain", "acme.com"),
        (
            "save_leads",
            saving(json!({"meeting_recording_url": "javascript:alert(1)"})),
            "rows[0].meeting_recording_url",
            "https",
        ),
        ("save_leads", saving(json!({"meeting_start": "2026-02-30"})), "rows[0].meeting_start", "2026-03-31"),
        ("save_leads", saving(json!({"meeting_start": "3026-01-01"})), "rows[0].meeting_start", "2200"),
        ("save_leads", saving(json!({"meeting_start": true})), "rows[0].meeting_start", "2026-03-31"),
        ("save_leads", saving(json!({"meeting_held": "Met"})), "rows[0].meeting_held", "leave it out"),
        ("save_leads", saving(json!({"owner": "Nobody"})), "rows[0].owner", "Ann Lee"),
        ("save_leads", saving(json!({"owner": "Tom"})), "rows[0].owner", "full name"),
        ("save_leads", saving(json!({"tags": {"vip": true}})), "rows[0].tags", "first tag"),
        ("save_leads", saving(json!({"tags": [1, 2]})), "rows[0].tags", "first tag"),
        ("save_leads", saving(json!({"tags": ["x".repeat(101)]})), "rows[0].tags", "at most 100"),
        ("save_contacts", saving(json!({"crm_id": "1"})), "rows[0].crm_id", "leave it out"),
        ("save_contacts", saving(json!({"phone": "call me"})), "rows[0].phone", "+14155550123"),
        (
            "save_contacts",
            saving(json!({"linkedin_url": "https://x.io/ann"})),
            "rows[0].linkedin_url",
            "linkedin.com/in/",
        ),
        (
            "save_companies",
            saving(json!({"active_contacts_count": 3})),
            "rows[0].active_contacts_count",
            "leave it out",
        ),
        ("save_clients", saving(json!({"deal_value": "12x"})), "rows[0].deal_value", "1234.5"),
        ("save_clients", saving(json!({"deal_value": "1e400"})), "rows[0].deal_value", "too large"),
        (
            "save_clients",
            saving(json!({"deal_value": 12_345_678_901_234_567_u64})),
            "rows[0].deal_value",
            "round it",
        ),
        ("save_leads", saving(json!({"id": "abc", "status": "new"})), "rows[0].id", "ids look like"),
        ("save_leads", saving(json!({"id": 5, "status": "new"})), "rows[0].id", "ids look like"),
        ("save_leads", saving(json!({"id": NOBODY, "status": "new"})), "rows[0].id", "query_leads"),
        ("save_leads", saving(json!({"id": archived, "status": "new"})), "rows[0].id", "restore: true"),
        (
            "save_leads",
            json!({"rows": [{"id": lead, "status": "ready"}], "expected": {"status": "converted"}}),
            "rows[0].expected.status",
            "read the row again",
        ),
        (
            "save_leads",
            json!({"rows": [{"id": lead, "status": "ready"}], "expected": {"stauts": "new"}}),
            "expected.stauts",
            "did you mean `status`",
        ),
        (
            "save_leads",
            json!({"rows": [{"contact_name": "A"}], "match_on": "contact_email"}),
            "rows[0].contact_email",
            "give it, or an id",
        ),
        (
            "save_leads",
            json!({"rows": [{"contact_name": "A"}], "match_on": "emial"}),
            "match_on",
            "contact_email",
        ),
        (
            "save_leads",
            json!({"rows": [{"contact_name": "A"}], "match_on": "created_at"}),
            "match_on",
            "contact_email",
        ),
        (
            "save_leads",
            json!({"rows": [{"contact_name": "Good"}, {"status": "nwe"}, {"owner": "Nobody"}]}),
            "rows[1].status",
            "1 more: rows[2].owner",
        ),
        (
            "save_clients",
            json!({"rows": [{"company_name": "Other"}], "idempotency_key": "used"}),
            "idempotency_key",
            "use a new key",
        ),
        (
            "save_clients",
            json!({"rows": [{"company_name": "Other"}], "idempotency_key": ""}),
            "idempotency_key",
            "UUID",
        ),
        (
            "save_clients",
            json!({"rows": [{"company_name": "Other"}], "idempotency_key": "a\u{0}b"}),
            "idempotency_key",
            "UUID",
        ),
        ("archive_rows", json!({"table": "leads"}), "ids", "filters"),
        ("archive_rows", json!({"table": "leads", "ids": [lead], "filters": new}), "filters", "give one"),
        ("archive_rows", json!({"table": "leads", "filters": new, "restore": true}), "ids", "archived: true"),
        ("archive_rows", json!({"table": "leads", "ids": [NOBODY]}), "ids[0]", "query_leads"),
        ("archive_rows", json!({"table": "clients", "ids": [lead]}), "ids[0]", "query_clients"),
        ("archive_rows", json!({"table": "deals", "ids": [lead]}), "table", "leads"),
        ("archive_rows", json!({"ids": [lead]}), "", "`table` is missing"),
        (
            "archive_rows",
            json!({"table": "leads", "filters": new, "confirm": w.expired}),
            "confirm",
            "without confirm",
        ),
        ("undo_change", json!({}), "", "`change_id` is missing"),
        ("undo_change", json!({"change_id": "last"}), "change_id", "that a save"),
        ("undo_change", json!({"change_id": NOBODY}), "change_id", "that a save"),
        ("undo_change", json!({"change_id": w.undone}), "change_id", "does it again"),
    ]
}

fn bad_management() -> Vec<Bad> {
    let columns = |what: Json| {
        let mut call = json!({"table": "leads", "type": "text", "action": "add", "label": "Region"});
        for (key, value) in what.as_object().unwrap() {
            if value.is_null() {
                call.as_object_mut().unwrap().remove(key);
            } else {
                call[key] = value.clone();
            }
        }
        call
    };
    vec![
        ("manage_columns", json!({"action": "delete", "table": "leads", "key": "status"}), "key", "hide it"),
        (
            "manage_columns",
            json!({"action": "update", "table": "leads", "key": "status", "type": "text"}),
            "type",
            "add a new column",
        ),
        (
            "manage_columns",
            json!({"action": "update", "table": "leads", "key": "stauts", "label": "X"}),
            "key",
            "did you mean `status`",
        ),
        (
            "manage_columns",
            json!({"action": "update", "table": "leads", "key": "status", "position": -1}),
            "position",
            "at least 0",
        ),
        (
            "manage_columns",
            json!({"action": "rename", "table": "leads", "key": "status"}),
            "action",
            "update",
        ),
        ("manage_columns", columns(json!({"type": "money"})), "type", "number"),
        ("manage_columns", columns(json!({"type": null})), "type", "number"),
        ("manage_columns", columns(json!({"label": null})), "label", "label"),
        ("manage_columns", columns(json!({"label": "Re\u{202E}noig"})), "label", "visible"),
        ("manage_columns", columns(json!({"key": "region", "label": "Status"})), "label", "choose another"),
        ("manage_columns", columns(json!({"key": "id"})), "key", "choose another"),
        ("manage_columns", columns(json!({"options": [{"value": "a"}]})), "options", "only a status"),
        ("manage_columns", columns(json!({"type": "status"})), "options", "needs options"),
        ("manage_columns", columns(json!({"with_time": true})), "with_time", "date column"),
        ("manage_columns", columns(json!({"table": "deals"})), "table", "leads"),
        ("import_rows", json!({}), "", "pass one of csv"),
        (
            "import_rows",
            json!({"table": "leads", "csv": "Email\na@x.io", "rows": [{"contact_email": "a@x.io"}]}),
            "",
            "only one",
        ),
        ("import_rows", json!({"table": "deals", "csv": "Email\na@x.io"}), "table", "leads"),
        ("import_rows", json!({"csv": "Email\na@x.io"}), "table", "leads"),
        ("import_rows", json!({"table": "leads", "csv": ""}), "csv", "heading"),
        ("manage_tables", json!({"action": "relabel", "table": "deals", "label": "X"}), "table", "leads"),
        ("manage_tables", json!({"action": "relabel", "table": "leads"}), "label", "new label"),
        (
            "manage_tables",
            json!({"action": "relabel", "table": "leads", "label": "a\nb"}),
            "label",
            "one line",
        ),
        ("manage_tables", json!({"action": "delete"}), "table", "leads"),
        (
            "manage_tables",
            json!({"action": "delete", "table": "leads", "confirm": "yes"}),
            "confirm",
            "without confirm",
        ),
        ("manage_tables", json!({"action": "drop", "table": "leads"}), "action", "delete"),
    ]
}

on_both! {
    async fn a_bad_call_is_refused_with_its_place_and_its_fix_and_writes_nothing(t: Bench) {
        let w = world(&t).await;
        let mut kept = Vec::new();
        for table in KEPT {
            kept.push(dump(&t, table).await);
        }
        let before = counts(&t).await;
        let bad: Vec<Bad> = [bad_queries(&w), bad_saves(&w), bad_management()].concat();
        assert!(bad.len() >= 60, "{}", bad.len());
        let mut faults = Vec::new();
        for (tool, arguments, path, fix) in bad {
            let call = format!("{tool} {}", arguments.to_string().chars().take(160).collect::<String>());
            let result = w.server.call(tool, arguments).await;
            let text = result["content"][0]["text"].as_str().unwrap_or_default();
            let error: Json = serde_json::from_str::<Json>(text).unwrap_or_default()["error"].clone();
            let said = ["message", "hint", "allowed"].map(|part| match &error[part] {
                Json::String(text) => text.clone(),
                Json::Array(allowed) => allowed.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
                _ => String::new(),
            }).join("; ");
            if result["isError"] != true {
                faults.push(format!("{call} was accepted: {text}"));
            } else if error["path"].as_str().unwrap_or_default() != path || !said.contains(fix) {
                faults.push(format!("{call}\n    should name `{path}` and say `{fix}`: {error}"));
            } else if ["internal", "busy", "cancelled"].contains(&error["code"].as_str().unwrap_or("internal")) {
                faults.push(format!("{call} is not the server's fault: {error}"));
            } else if text.len() > 4_096 {
                faults.push(format!("{call} is answered with {} bytes", text.len()));
            }
            let after = counts(&t).await;
            assert_eq!(after, before, "{call} has written something");
        }
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
        for (table, before) in KEPT.iter().zip(kept) {
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
        let rows = r#"[{"company_name": "Globex", "deal_value": "1,200.50", "tags": "[\"a\", \"b\"]", "subscription_start": "3/4/2026"},
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
            vec![json!("Globex"), json!(1200.5), json!(["a", "b"]), json!("2026-03-04"), json!(null)],
            vec![json!("Initech"), json!(7), json!(["c"]), json!(null), json!("active")],
        ]);
        let id = saved["created"][0].as_str().unwrap();
        for (arguments, expected) in [
            (json!({"ids": id}), 1), (json!({"ids": format!("[\"{id}\"]")}), 1), (json!({"limit": 1.0}), 1), (json!({"limit": "1"}), 1),
            (asking("deal_value", "in", json!("[7, 8]")), 1), (asking("tags", "equals", json!("A")), 1),
            (asking("status", "in", json!("active")), 1), (asking("deal_value", "between", json!("[\"1k\", \"2k\"]")), 1),
            (asking("subscription_start", "within_last_days", json!("3650")), 1), (json!({"group_by": "status"}), 2),
            (json!({"aggregate": "{\"fn\": \"count\"}"}), 1), (json!({"sort": {"column": "deal_value"}}), 2), (json!({"cursor": ""}), 2),
        ] {
            let found = server.ok("query_clients", arguments.clone()).await;
            assert_eq!(found["rows"].as_array().unwrap().len(), expected, "{arguments}: {found}");
        }
        let updated = server.ok("save_clients", json!({"rows": {"id": id, "deal_value": "(300)"}})).await;
        assert_eq!(updated["updated"][0]["fields"], json!(["deal_value"]));
    }
}
