//! An organization's own columns, and what it may and may not do to the core ones.

use opstables::error::Code;
use serde_json::{Map, Value as Json, json};

use crate::database::structure;
use crate::harness::{Bench, on_both};
use crate::provisioning::{column, keys};

on_both! {
    async fn an_own_column_of_every_type_lives_its_whole_life(t: Bench) {
        for sample in SAMPLES {
            live(&t, sample).await;
        }
        let columns = keys(&t, "clients").await;
        assert!(SAMPLES.iter().all(|sample| columns.contains(sample.key)), "{columns}");
    }

    async fn an_own_column_leaves_with_a_preview_and_comes_back_with_its_values(t: Bench) {
        let add = json!({"action": "add", "table": "leads", "key": "region", "label": "Region", "type": "text"});
        t.ok("manage_columns", add.clone()).await;
        let live = t.create("leads", json!({"contact_name": "A", "region": "EMEA"})).await;
        let archived = t.create("leads", json!({"contact_name": "B", "region": "APAC"})).await;
        t.ok("archive_rows", json!({"table": "leads", "ids": [archived]})).await;
        let delete = |confirm: &Json| {
            let mut call = json!({"action": "delete", "table": "leads", "key": "region"});
            if !confirm.is_null() { call["confirm"] = confirm.clone(); }
            call
        };
        let preview = t.ok("manage_columns", delete(&Json::Null)).await;
        assert_eq!((&preview["status"], &preview["preview"]["rows"]), (&json!("needs_confirmation"), &json!(2)));
        assert!(keys(&t, "leads").await.contains("region"));
        assert_eq!(t.refused("manage_columns", delete(&json!("made-up"))).await.path.as_deref(), Some("confirm"));
        t.ok("save_leads", json!({"rows": [{"id": live, "region": "Europe"}]})).await;
        assert_eq!(t.refused("manage_columns", delete(&preview["confirm"])).await.code, Code::Conflict);
        let preview = t.ok("manage_columns", delete(&Json::Null)).await;
        let gone = t.ok("manage_columns", delete(&preview["confirm"])).await;
        assert!(!keys(&t, "leads").await.contains("region"));
        for arguments in [json!({"fields": ["region"]}), json!({"filters": [{"column": "region", "op": "is_empty"}]})] {
            assert!(t.refused("query_leads", arguments).await.message.contains("no column `region`"));
        }
        t.ok("manage_columns", add).await;
        assert_eq!(t.rows("query_leads", json!({"fields": ["region"]})).await[0]["region"], Json::Null);
        for change in gone["change_ids"].as_array().unwrap() {
            t.ok("undo_change", json!({"change_id": change})).await;
        }
        assert_eq!(t.rows("query_leads", json!({"fields": ["region"]})).await[0]["region"], "Europe");
    }

    async fn room_for_own_columns_ends_with_a_clear_refusal(t: Bench) {
        let add = |i: usize| json!({"action": "add", "table": "leads", "label": format!("Flag {i}"), "type": "boolean"});
        for i in 0..6 {
            t.ok("manage_columns", add(i)).await;
        }
        let error = t.refused("manage_columns", add(6)).await;
        assert_eq!((error.code, error.path.as_deref()), (Code::Conflict, Some("type")));
        assert!(error.message.contains("6 is the most"), "{error}");
        t.ok("manage_columns", json!({"action": "add", "table": "clients", "label": "Flag 6", "type": "boolean"})).await;
        t.ok("manage_columns", json!({"action": "add", "table": "leads", "label": "Not a flag", "type": "number"})).await;
        t.ok("manage_columns", json!({"action": "delete", "table": "leads", "key": "flag_3"})).await;
        t.ok("manage_columns", add(6)).await;
    }

    async fn core_columns_are_locked(t: Bench) {
        let before = structure(&t).await;
        for (call, code, path) in [
            (json!({"action": "delete", "key": "status"}), Code::Denied, "key"),
            (json!({"action": "delete", "key": "tags"}), Code::Denied, "key"),
            (json!({"action": "update", "key": "status", "type": "text"}), Code::Denied, "type"),
            (json!({"action": "update", "key": "status", "options": [{"value": "x"}]}), Code::Denied, "options"),
            (json!({"action": "update", "key": "tags", "label": "Labels"}), Code::Denied, "key"),
            (json!({"action": "add", "key": "status", "label": "Other", "type": "text"}), Code::Conflict, "key"),
            (json!({"action": "update", "key": "stauts", "label": "Other"}), Code::Invalid, "key"),
            (json!({"action": "update", "label": "Other"}), Code::Invalid, "key"),
        ] {
            let mut call = call;
            call["table"] = json!("leads");
            let error = t.refused("manage_columns", call.clone()).await;
            assert_eq!((error.code, error.path.as_deref()), (code, Some(path)), "{call}: {error}");
        }
        assert_eq!(structure(&t).await, before);
    }

    async fn a_name_that_hides_or_confuses_is_refused(t: Bench) {
        let before = structure(&t).await;
        let long = "x".repeat(65);
        let labels = [
            "", "   ", "Re\u{202E}noig", "Re\u{2066}gion", "Re\u{200B}gion", "Re\u{FEFF}gion", "Re\ngion", "Re\tgion",
            "Re\u{2028}gion", "Re\0gion", "Re\u{1b}[31mgion", "Re\u{AD}gion", long.as_str(), "Priority", "pri-ority", "Tags",
        ];
        for label in labels {
            for call in [
                json!({"action": "add", "table": "leads", "key": "region", "label": label, "type": "text"}),
                json!({"action": "update", "table": "leads", "key": "source", "label": label}),
            ] {
                let error = t.refused("manage_columns", call).await;
                assert_eq!(error.path.as_deref(), Some("label"), "{label:?}: {error}");
            }
        }
        for label in &labels[..12] {
            t.refused("manage_tables", json!({"action": "relabel", "table": "leads", "label": label})).await;
        }
        let long = "x".repeat(64);
        for key in ["id", "tags", "_value", "updated_at", "org_id", "table_key", "status", "Region", "1st", "a b", "región", "x\"; drop table", long.as_str()] {
            let error = t.refused("manage_columns", json!({"action": "add", "table": "leads", "key": key, "label": "Region", "type": "text"})).await;
            assert_eq!(error.path.as_deref(), Some("key"), "{key}: {error}");
            assert!(error.hint.is_some(), "{key}: {error}");
        }
        for (fault, path) in [
            (json!({"about": "one\u{202E}line"}), "about"), (json!({"about": "x".repeat(301)}), "about"),
            (json!({"options": [{"value": "a\u{200B}"}]}), "options"), (json!({"options": [{"value": "a"}, {"value": "A"}]}), "options"),
            (json!({"options": [{"value": "a", "words": ["b\u{202E}"]}]}), "options"), (json!({"options": []}), "options"),
        ] {
            let mut call = json!({"action": "add", "table": "leads", "label": "Region", "type": "status", "options": [{"value": "x"}]});
            call.as_object_mut().unwrap().extend(fault.as_object().cloned().unwrap_or_else(Map::new));
            let error = t.refused("manage_columns", call).await;
            assert!(error.path.as_deref().is_some_and(|given| given.starts_with(path)), "{fault}: {error}");
        }
        assert_eq!(structure(&t).await, before);
    }
}

/// A column type with two values, the lower one first, as they are written and as they are shown.
struct Sample {
    key: &'static str,
    kind: &'static str,
    written: [&'static str; 2],
    shown: [&'static str; 2],
    op: &'static str,
}

const fn sample(
    key: &'static str,
    kind: &'static str,
    written: [&'static str; 2],
    shown: [&'static str; 2],
    op: &'static str,
) -> Sample {
    Sample { key, kind, written, shown, op }
}

/// Every type of the catalog, and a date with its time. Values are JSON.
const SAMPLES: &[Sample] = &[
    sample("c_text", "text", [r#""alpha""#, r#""Beta""#], [r#""alpha""#, r#""Beta""#], "equals"),
    sample("c_email", "email", [r#""A@x.io""#, r#""b@x.io""#], [r#""a@x.io""#, r#""b@x.io""#], "equals"),
    sample(
        "c_url",
        "url",
        [r#""a.io/x""#, r#""https://b.io/""#],
        [r#""https://a.io/x""#, r#""https://b.io""#],
        "equals",
    ),
    sample(
        "c_phone",
        "phone",
        [r#""+1 415 555 0100""#, r#""+49 30 1234567""#],
        [r#""+14155550100""#, r#""+49301234567""#],
        "equals",
    ),
    sample(
        "c_linkedin",
        "linkedin",
        [r#""in/ann""#, r#""https://www.linkedin.com/in/tom/""#],
        [r#""https://www.linkedin.com/in/ann""#, r#""https://www.linkedin.com/in/tom""#],
        "equals",
    ),
    sample("c_number", "number", ["-2.5", r#""$1,300""#], ["-2.5", "1300"], "equals"),
    sample(
        "c_date",
        "date",
        [r#""3/4/2026""#, r#""2026-04-01""#],
        [r#""2026-03-04""#, r#""2026-04-01""#],
        "equals",
    ),
    sample(
        "c_instant",
        "date",
        [r#""2026-03-04T15:00:00+01:00""#, r#""2026-03-05""#],
        [r#""2026-03-04T14:00:00Z""#, r#""2026-03-05T00:00:00Z""#],
        "lte",
    ),
    sample("c_status", "status", [r#""cold""#, r#""WARM""#], [r#""cold""#, r#""warm""#], "in"),
    sample("c_tags", "tags", [r#""b, a""#, r#"["c"]"#], [r#"["a","b"]"#, r#"["c"]"#], "equals"),
    sample(
        "c_person",
        "person",
        [r#""Ann""#, r#""tom@acme.com""#],
        [r#""Ann Lee""#, r#""Tom Ford""#],
        "equals",
    ),
    sample(
        "c_company",
        "company",
        [r#""Acme""#, r#""beta gmbh""#],
        [r#""Acme""#, r#""beta gmbh""#],
        "equals",
    ),
    sample("c_boolean", "boolean", [r#""no""#, "true"], ["false", "true"], "equals"),
];

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// Adds, fills, reads, filters, sorts, relabels, hides, moves, deletes, adds again and restores a column.
async fn live(t: &Bench, sample: &Sample) {
    let Sample { key, kind, .. } = *sample;
    let mut add =
        json!({"action": "add", "table": "clients", "key": key, "label": format!("The {key}"), "type": kind});
    match key {
        "c_status" => add["options"] = json!([{"value": "cold"}, {"value": "warm", "label": "Warm"}]),
        "c_instant" => add["with_time"] = json!(true),
        _ => {}
    }
    t.ok("manage_columns", add.clone()).await;
    let described = column(t, "clients", key).await;
    assert_eq!((&described["custom"], &described["label"]), (&json!(true), &json!(format!("The {key}"))));

    let [low, high] = sample.written.map(parsed);
    let saved = json!({"rows": [{"company_name": key, (key): high}, {"company_name": key, (key): low}]});
    let saved = t.ok("save_clients", saved).await;
    let mine = json!({"column": "company_name", "op": "equals", "value": key});
    let sorted =
        |dir: &str| json!({"filters": [mine], "fields": [key], "sort": [{"column": key, "dir": dir}]});
    let shown = sample.shown.map(parsed);
    let values = |rows: Vec<Map<String, Json>>| rows.iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    assert_eq!(values(t.rows("query_clients", sorted("asc")).await), shown, "{key}");
    assert_eq!(
        values(t.rows("query_clients", sorted("desc")).await),
        [shown[1].clone(), shown[0].clone()],
        "{key}"
    );

    let wanted = if key == "c_tags" { json!("a") } else { low };
    let filter = json!({"column": key, "op": sample.op, "value": wanted});
    let found = t.rows("query_clients", json!({"filters": [mine, filter], "fields": [key]})).await;
    assert_eq!(values(found), [shown[0].clone()], "{filter}");

    edit(t, sample).await;

    let mut delete = json!({"action": "delete", "table": "clients", "key": key});
    delete["confirm"] = t.ok("manage_columns", delete.clone()).await["confirm"].clone();
    let gone = t.ok("manage_columns", delete).await;
    t.refused("query_clients", sorted("asc")).await;
    t.ok("manage_columns", add).await;
    t.ok("undo_change", json!({"change_id": gone["change_ids"][0]})).await;
    assert_eq!(values(t.rows("query_clients", sorted("asc")).await), shown, "{key}");
    t.ok("archive_rows", json!({"table": "clients", "ids": saved["created"]})).await;
}

/// Relabels, hides and moves the column, and refuses another type.
async fn edit(t: &Bench, sample: &Sample) {
    let key = sample.key;
    let update = |what: Json| {
        let mut call = json!({"action": "update", "table": "clients", "key": key});
        call.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        call
    };
    t.ok("manage_columns", update(json!({"label": format!("Own {key}"), "about": "For a test"}))).await;
    let described = column(t, "clients", key).await;
    assert_eq!(
        (&described["label"], &described["about"]),
        (&json!(format!("Own {key}")), &json!("For a test"))
    );
    let is_shown =
        async || t.ok("query_clients", json!({"limit": 1})).await["columns"].to_string().contains(key);
    assert!(is_shown().await, "{key}");
    t.ok("manage_columns", update(json!({"hidden": true}))).await;
    assert!(!is_shown().await, "{key}");
    t.ok("manage_columns", update(json!({"hidden": false, "position": 0}))).await;
    assert!(keys(t, "clients").await.starts_with(key));
    let error = t.refused("manage_columns", update(json!({"type": "text"}))).await;
    assert_eq!((error.code, error.path.as_deref()), (Code::Denied, Some("type")));
}
