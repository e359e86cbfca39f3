//! The application's own data becomes rows: every derivation, once, whoever edits meanwhile and however often it is killed.

mod application;
mod derivations;
mod edits;
mod errors;
mod identity;
mod kills;
mod task;
mod task_of_crm;
mod tool;

use std::collections::BTreeMap;
use std::sync::Arc;

use opstables::backfill::{self, Host, Report, Settings};
use opstables::records::Actor;
use serde_json::{Map, Value as Json, json};

use crate::database::lines;
use crate::harness::Bench;

/// A host in the same process as the bench.
pub(crate) fn host(t: &Bench) -> Host {
    let services = &t.app.services;
    Host {
        store: Arc::clone(&services.store),
        catalogs: Arc::clone(&services.catalogs),
        clock: services.clock.clone(),
        ids: services.ids.clone(),
        org: t.org,
        actor: Actor::default(),
        progress: Arc::new(|_, _, _| {}),
    }
}

pub(crate) async fn run(t: &Bench, settings: &Settings) -> Report {
    backfill::run(&host(t), settings, &[], false)
        .await
        .unwrap_or_else(|error| panic!("{error}: {:?}", error.cause()))
}

/// Read, created, updated, unchanged, archived, refused of a table.
fn counts(report: &Report, table: &str) -> [i64; 6] {
    let of = report.tables.iter().find(|of| of.table == table).expect("a table");
    assert_eq!(of.read, of.created + of.updated + of.unchanged + of.archived + of.refused, "{of:?}");
    [of.read, of.created, of.updated, of.unchanged, of.archived, of.refused]
}

/// How many rows were changed, and what became of all others.
fn changed(report: &Report) -> i64 {
    report.tables.iter().map(|table| table.created + table.updated).sum()
}

/// Everything in the tables that people see, without ids, in a fixed order.
pub(crate) async fn contents(t: &Bench) -> BTreeMap<&'static str, Vec<String>> {
    let mut contents = BTreeMap::new();
    for table in backfill::tables() {
        let mut rows: Vec<String> =
            all(t, table).await.iter().map(|row| Json::Object(row.clone()).to_string()).collect();
        rows.sort_unstable();
        contents.insert(table, rows);
    }
    contents
}

/// The rows of a table with every column that has a value, but the ids.
async fn all(t: &Bench, table: &str) -> Vec<Map<String, Json>> {
    let catalog = t.ctx().read().await.expect("a connection").1;
    let fields: Vec<&str> =
        catalog.table(table).expect("a table").columns.iter().map(|column| column.key.as_str()).collect();
    let mut rows = Vec::new();
    let mut arguments = json!({"fields": fields, "limit": 200});
    loop {
        let page = t.ok(&format!("query_{table}"), arguments.clone()).await;
        let columns: Vec<String> =
            page["columns"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        for row in page["rows"].as_array().unwrap() {
            let cells = columns.iter().cloned().zip(row.as_array().unwrap().iter().cloned());
            rows.push(cells.filter(|(key, value)| key != "id" && !value.is_null()).collect());
        }
        match page.get("next_cursor").and_then(Json::as_str) {
            Some(cursor) => arguments = json!({"cursor": cursor}),
            None => return rows,
        }
    }
}

/// The one row whose column has this value.
async fn row(t: &Bench, table: &str, column: &str, value: &str) -> Map<String, Json> {
    let rows = all(t, table).await;
    let mut found = rows.into_iter().filter(|row| row.get(column).is_some_and(|cell| *cell == json!(value)));
    let row = found.next().unwrap_or_else(|| panic!("{table} has no row with {column} {value}"));
    assert!(found.next().is_none(), "{table} has several rows with {column} {value}");
    row
}

async fn count_of(t: &Bench, table: &str) -> String {
    lines(t, &format!("select cast(count(*) as text) from {table}"), 1).await.remove(0)
}
