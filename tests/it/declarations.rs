//! What is declared once is found everywhere: in schemas, SQL, help, filters and headings, and in the database.

use std::collections::BTreeSet;

use opstables::error::Code;
use opstables::records::{self, Action, Actor, Change, Edit, Source, Target};
use opstables::store::{Dialect, Sql, structure as stored};
use opstables::tables::definitions::table_definitions;
use opstables::tables::provision::{provision_table, template};
use opstables::tables::{
    Choice, Column, FilterArg, Kind, LEADS, Reading, Slot, Storage, TABLES, Table, Value, as_declared, filter,
};
use opstables::tools::{contract, describe, query, save};
use serde_json::json;

use crate::database::{change, columns_of, dump, lines};
use crate::harness::{Bench, on_both};

/// The leads with one more column and one more option.
fn leads_of_tomorrow() -> &'static Table {
    let mut columns = LEADS.columns.to_vec();
    let priority = columns.iter_mut().find(|column| column.key == "priority").unwrap();
    let someday = Choice::new("someday", "Some day", "gray").words(&["whenever"]);
    priority.options = priority.options.iter().copied().chain([someday]).collect::<Vec<_>>().leak();
    let about = "How likely the lead is to recommend us";
    columns.push(Column::new("nps_score", "NPS", Kind::Number, 4, about).words(&["net promoter score"]));
    Box::leak(Box::new(Table { columns: columns.leak(), ..LEADS }))
}

#[test]
fn a_new_column_and_option_are_in_the_published_schemas() {
    let tomorrow = leads_of_tomorrow();
    let query = contract(&query::tool(tomorrow)).to_string();
    assert!(query.contains("nps_score (number)") && query.contains("urgent|someday"), "{query}");
    let save = contract(&save::tool(tomorrow));
    let rows = &save["inputSchema"]["properties"]["rows"]["description"];
    assert!(rows.as_str().unwrap().contains("nps_score"), "{rows}");
    let today = contract(&query::tool(&LEADS)).to_string() + &contract(&save::tool(&LEADS)).to_string();
    assert!(!today.contains("nps_score") && !today.contains("someday"));
}

#[test]
fn a_new_column_and_option_are_in_help_filters_and_headings() {
    let tomorrow = as_declared(leads_of_tomorrow());
    let info = json!(describe::table_info(&tomorrow, &[], true));
    let column =
        |key: &str| info["columns"].as_array().unwrap().iter().find(|column| column["key"] == key).cloned();
    let nps = column("nps_score").unwrap();
    assert_eq!((&nps["type"], &nps["label"]), (&json!("number"), &json!("NPS")));
    assert_eq!(nps["about"], "How likely the lead is to recommend us");
    assert!(nps["operators"].to_string().contains("between"));
    assert!(column("priority").unwrap()["options"].to_string().contains("someday"));
    assert!(
        info["views"].to_string().contains("top_scored"),
        "a view follows from the column's name: {info}"
    );

    for heading in ["nps_score", "NPS", "Net Promoter Score"] {
        assert!(tomorrow.find("nps_score").unwrap().answers_to(heading), "{heading}");
    }
    let reading = Reading {
        zone: chrono_tz::UTC,
        now: chrono::DateTime::UNIX_EPOCH,
        members: &[],
        me: None,
        day_first: false,
    };
    for (column, op, value) in [("nps_score", "gte", json!("9")), ("priority", "equals", json!("Whenever"))] {
        let asked = FilterArg { column: column.to_owned(), op: op.to_owned(), value };
        assert!(filter::parse(&tomorrow, &asked, &reading).is_ok(), "{asked:?}");
        assert!(filter::parse(&as_declared(&LEADS), &asked, &reading).is_err(), "{asked:?}");
    }
}

#[test]
fn a_new_column_or_option_gives_a_table_another_fingerprint() {
    assert_ne!(template(leads_of_tomorrow()), template(&LEADS));
    let fingerprints: BTreeSet<String> = TABLES.iter().map(|table| template(table)).collect();
    assert_eq!(fingerprints.len(), TABLES.len());
}

on_both! {
    async fn a_new_column_reaches_the_database_and_an_older_version_lives_with_it(t: Bench) {
        t.create("leads", json!({"contact_name": "Old"})).await;
        let tomorrow = leads_of_tomorrow();
        let dialect = t.app.services.store.dialect();
        let mut tx = t.app.services.store.begin().await.unwrap();
        provision_table(&mut tx, t.org, tomorrow, t.clock.now()).await.unwrap();
        for statement in table_definitions(tomorrow, dialect) {
            tx.execute(Sql::new(&statement)).await.unwrap();
        }
        let table = as_declared(tomorrow);
        let catalog = t.app.services.catalogs.load(&mut tx, t.org).await.unwrap();
        let cells = [("contact_name", Value::Text("New".to_owned())), ("nps_score", Value::Number(9.0))];
        let cells = cells.map(|(key, value)| (table.place(key).unwrap(), Some(value))).to_vec();
        let new = Target::New(t.app.services.ids.next());
        let edit = Edit { target: new, action: Action::Set { cells, expected: Vec::new() }, position: 0 };
        let actor = Actor::default();
        let change = Change { table: &table, actor: &actor, source: Source::App, edits: vec![edit], undo_of: None };
        records::write(&mut tx, &catalog, change, t.clock.now(), &t.app.services.ids).await.unwrap();
        tx.commit().await.unwrap();

        let shown = lines(&t, "select contact_name, cast(nps_score as text) from leads order by contact_name", 2).await;
        assert_eq!(shown.iter().map(|line| line.trim_end_matches(".0")).collect::<Vec<_>>(), ["New|9", "Old|null"]);
        let mut tx = t.app.services.store.read().await.unwrap();
        let columns = stored::columns(&mut tx, t.org).await.unwrap();
        let nps = columns.iter().find(|column| column.key == "nps_score").unwrap();
        assert_eq!((nps.slot.as_deref(), nps.is_system, nps.position), (Some("n04"), true, 13));
        let tables = stored::tables(&mut tx, t.org).await.unwrap();
        assert!(tables.iter().any(|row| row.key == "leads" && row.template == template(tomorrow)));
        drop(tx);

        let older = t.another_process();
        let page = older.ok("query_leads", json!({"sort": [{"column": "contact_name"}]})).await;
        assert!(!page["columns"].to_string().contains("nps_score"));
        assert_eq!(page["rows"].as_array().unwrap().len(), 2);
    }

    async fn the_schema_has_exactly_the_declared_slots(t: Bench) {
        let is_postgres = t.app.services.store.dialect() == Dialect::Postgres;
        let declared: Vec<String> = Slot::all()
            .map(|slot| {
                let kind = match slot.storage {
                    Storage::Number => "double precision",
                    Storage::Time if is_postgres => "timestamp with time zone",
                    Storage::Text | Storage::Time => "text",
                    Storage::Flag => "boolean",
                };
                format!("{}|{kind}", slot.column())
            })
            .collect();
        let columns = columns_of(&t, "dynamic_table_rows").await;
        let is_slot = |column: &&String| column.len() > 3 && column.as_bytes()[3] == b'|' && column[1..3].parse::<u8>().is_ok();
        assert_eq!(columns.iter().filter(is_slot).collect::<Vec<_>>(), declared.iter().collect::<Vec<_>>());
        assert_eq!(declared.len(), 36 + 14 + 12 + 8);
    }

    async fn opening_a_database_again_leaves_its_schema_alone(t: Bench) {
        t.create("leads", json!({"contact_name": "Dana"})).await;
        let (before, applied) = (schema(&t).await, dump(&t, "_sqlx_migrations").await);
        assert_eq!(applied.len(), 10, "{applied:?}");
        t.another_process().app.services.store.ready().await.unwrap();
        assert_eq!((schema(&t).await, dump(&t, "_sqlx_migrations").await), (before.clone(), applied));
        // A version whose views differ makes them again, over those that are there.
        for forgotten in ["delete from ops_settings", "update ops_settings set value = 'of another version'"] {
            change(&t, [Sql::new(forgotten)]).await;
            t.another_process().app.services.store.ready().await.unwrap();
            assert_eq!(schema(&t).await, before);
        }
        assert_eq!(t.rows("query_leads", json!({"search": "dana"})).await.len(), 1);
    }

    async fn a_database_of_a_newer_version_is_refused_with_the_way_out(t: Bench) {
        let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                     select 9999, description, success, checksum, execution_time from _sqlx_migrations where version = 1";
        change(&t, [Sql::new(newer)]).await;
        let error = t.another_process().refused("query_leads", json!({})).await;
        assert_eq!(error.code, Code::Invalid);
        assert!(error.to_string().contains("9999") && error.to_string().contains("newer version"), "{error}");
    }

    async fn the_readable_views_show_what_was_saved(t: Bench) {
        let lead = t.create("leads", json!({"contact_name": "Dana", "contact_email": "d@x.io", "status": "Ready", "owner": "Ann Lee", "tags": ["vip"]})).await;
        t.create("meetings", json!({"title": "Intro", "duration_minutes": 30, "next_actions": ["call", "mail"], "transcript": "Hello"})).await;
        t.create("contacts", json!({"first_name": "Ann", "company_name": "Globex", "lifecycle_stage": "MQL"})).await;
        t.create("companies", json!({"name": "Globex", "revenue": 12.5})).await;
        t.create("clients", json!({"company_name": "Globex", "deal_value": 300, "owner": "Tom Ford", "subscription_start": "2026-03-01"})).await;
        let gone = t.create("leads", json!({"contact_name": "Gone"})).await;
        t.ok("archive_rows", json!({"table": "leads", "ids": [gone]})).await;
        for table in TABLES {
            let slotted = table.columns.iter().filter(|column| column.slot.is_some()).map(|column| column.key);
            let expected: Vec<&str> = ["org_id", "id"].into_iter().chain(slotted).chain(["tags", "updated_at"]).collect();
            let columns = columns_of(&t, table.key).await;
            assert_eq!(columns.iter().filter_map(|column| column.split('|').next()).collect::<Vec<_>>(), expected);
            assert_eq!(dump(&t, table.key).await.len(), 1, "{}", table.key);
        }
        for (sql, expected) in [
            ("select contact_name, contact_email, status, owner, tags, domain from leads", "Dana|d@x.io|ready|Ann Lee|\nvip\n|null"),
            ("select title, cast(duration_minutes as text), next_actions, transcript, owner, summary from meetings", "Intro|30|\ncall\nmail\n|Hello|null|null"),
            ("select first_name, company_name, lifecycle_stage, recent_signals, crm_id, phone from contacts", "Ann|Globex|mql|null|null|null"),
            ("select name, cast(revenue as text), cast(active_contacts_count as text), domain, phone, website from companies", "Globex|12.5|1|null|null|null"),
            ("select company_name, cast(deal_value as text), owner, substr(cast(subscription_start as text), 1, 10), deal_name, status from clients", "Globex|300|Tom Ford|2026-03-01|null|null"),
        ] {
            let shown = lines(&t, sql, 6).await;
            assert_eq!(shown.iter().map(|line| line.replace(".0|", "|")).collect::<Vec<_>>(), [expected], "{sql}");
        }
        t.ok("save_leads", json!({"rows": [{"id": lead, "status": "converted", "contact_email": ""}]})).await;
        let cells = "select column_key, value, last_source, last_actor, cast(version_ms as text), cast(version_ctr as text)
                     from dynamic_table_cells where table_key = 'leads' and column_key in ('contact_name', 'contact_email', 'status', 'domain')
                     order by value, column_key";
        let now = t.clock.now_ms();
        let mut shown = lines(&t, cells, 6).await;
        shown.sort();
        assert_eq!(shown, [
            format!("contact_email|null|app|copilot|{now}|1"), format!("contact_name|Dana|app|copilot|{now}|0"),
            format!("contact_name|Gone|app|copilot|{now}|0"), format!("status|converted|app|copilot|{now}|1"),
        ]);
    }
}

/// Every table, view, index and trigger with its definition.
async fn schema(t: &Bench) -> Vec<String> {
    match t.app.services.store.dialect() {
        Dialect::Sqlite => {
            let sql = "select type, name, sql from sqlite_master order by 1, 2";
            lines(t, sql, 3).await
        }
        Dialect::Postgres => {
            let sql = "select cast(table_name || '.' || column_name as text), cast(data_type as text), cast(is_nullable as text)
                       from information_schema.columns where table_schema = current_schema()
                       union all select cast(viewname as text), 'view', definition from pg_views where schemaname = current_schema()
                       union all select cast(indexname as text), 'index', indexdef from pg_indexes where schemaname = current_schema()
                       order by 1, 2";
            lines(t, sql, 3).await
        }
    }
}
