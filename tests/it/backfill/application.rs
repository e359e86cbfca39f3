//! A made-up application: its tables, as a folder of files or as a schema of a server.

use std::path::Path;

use opstables::backfill::Settings;
use serde_json::{Map, Value as Json, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Its tables with their records, and the types of their columns where that is not text.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub(crate) tables: Vec<(&'static str, Vec<Json>)>,
}

/// Types by table and column.
const TYPES: &[(&str, &str, &str)] = &[
    ("*", "created_at", "timestamptz"),
    ("*", "updated_at", "timestamptz"),
    ("profiles", "id", "uuid"),
    ("companies", "id", "bigint"),
    ("companies", "revenue", "numeric"),
    ("contacts", "company_id", "bigint"),
    ("leads", "id", "uuid"),
    ("leads", "owner_id", "uuid"),
    ("leads", "meeting_start", "timestamptz"),
    ("meetings", "start_time", "timestamp"),
    ("meetings", "duration_minutes", "integer"),
    ("meetings", "company_id", "bigint"),
    ("meetings", "sentiment_score", "double precision"),
    ("meetings", "summary", "jsonb"),
    ("meetings", "next_actions", "text[]"),
    ("meetings", "owner_user_id", "uuid"),
    ("meetings", "lead_id", "uuid"),
    ("meeting_attendees", "is_external", "boolean"),
    ("meeting_attendees", "attended", "boolean"),
    ("clients", "subscription_amount", "numeric(12, 2)"),
    ("clients", "subscription_start_date", "date"),
    ("clients", "owner_id", "uuid"),
];

impl Application {
    pub(crate) fn table(&mut self, table: &str) -> &mut Vec<Json> {
        &mut self.tables.iter_mut().find(|(name, _)| *name == table).expect("a table").1
    }

    /// Sets values of the record with this id.
    pub(crate) fn set(&mut self, table: &str, id: &Json, values: &Json) {
        let record = self.table(table).iter_mut().find(|record| record["id"] == *id).expect("a record");
        for (key, value) in values.as_object().expect("an object") {
            record[key] = value.clone();
        }
    }

    /// Writes one file a table, in turns CSV and JSON Lines.
    pub(crate) fn to_folder(&self, folder: &Path) -> Settings {
        for (number, (table, records)) in self.tables.iter().enumerate() {
            let columns = columns(records);
            let (ending, text) =
                if number % 2 == 0 { ("csv", csv(&columns, records)) } else { ("jsonl", lines(records)) };
            std::fs::write(folder.join(format!("{table}.{ending}")), text).expect("a file");
        }
        settings(&folder.display().to_string(), None)
    }

    /// Makes the schema anew.
    pub(crate) async fn to_schema(&self, url: &str, schema: &str) -> Settings {
        let mut connection = PgConnection::connect(url).await.expect("the server");
        let mut run = async |sql: String| {
            connection
                .execute(AssertSqlSafe(sql.clone()))
                .await
                .unwrap_or_else(|error| panic!("{error}: {sql}"));
        };
        run(format!("drop schema if exists {schema} cascade; create schema {schema}")).await;
        for (table, records) in &self.tables {
            let typed: Vec<String> = columns(records)
                .iter()
                .map(|column| format!("{column} {}", type_of(table, column)))
                .collect();
            run(format!("create table {schema}.{table} ({})", typed.join(", "))).await;
            let rows = Json::from(records.clone()).to_string().replace('\'', "''");
            run(format!("insert into {schema}.{table} select * from jsonb_populate_recordset(null::{schema}.{table}, '{rows}')"))
                .await;
        }
        settings(url, Some(schema))
    }
}

pub(crate) fn settings(source: &str, schema: Option<&str>) -> Settings {
    Settings {
        source: Some(source.to_owned().into()),
        schema: schema.map(str::to_owned),
        names: None,
        batch: None,
    }
}

pub(crate) fn uuid(number: u32) -> Json {
    json!(format!("00000000-0000-4000-8000-{number:012}"))
}

/// A record with these values among all columns of its table.
pub(crate) fn record(columns: &[&str], values: &Json) -> Json {
    let mut record: Map<String, Json> =
        columns.iter().map(|column| ((*column).to_owned(), Json::Null)).collect();
    for (key, value) in values.as_object().expect("an object") {
        assert!(record.contains_key(key), "no column {key}");
        record.insert(key.clone(), value.clone());
    }
    Json::Object(record)
}

fn columns(records: &[Json]) -> Vec<String> {
    records.first().and_then(Json::as_object).expect("a record").keys().cloned().collect()
}

fn type_of(table: &str, column: &str) -> &'static str {
    let found = TYPES.iter().find(|(of, name, _)| *name == column && (*of == table || *of == "*"));
    found.map_or("text", |(_, _, kind)| kind)
}

fn csv(columns: &[String], records: &[Json]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let cell = |value: &Json| match value {
        Json::Null => String::new(),
        Json::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    };
    let mut text = columns.join(",") + "\n";
    for record in records {
        let cells: Vec<String> = columns.iter().map(|column| cell(&record[column])).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

fn lines(records: &[Json]) -> String {
    records.iter().map(|record| record.to_string() + "\n").collect()
}
