//! Runs that bring in the application's data, or as tasks that of a CRM, how far each table of theirs is, and which row each record is.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx, bulk};
use crate::error::Result;

/// A run.
#[derive(Debug, Clone, FromRow)]
pub struct BackfillRow {
    pub id: Uuid,
    pub source: String,
    pub place: String,
    pub state: String,
    pub fence: i64,
    pub error: Option<String>,
    pub started_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// As JSON, where the tables do not tell it: how far the reading of a CRM is, or the error that ended the run.
    pub answer: Option<String>,
}

/// How a run ended: its state, what an error said, and its answer.
pub type Ending<'a> = (&'a str, Option<String>, Option<String>);

/// One table of a run.
#[derive(Debug, Clone, FromRow)]
pub struct BackfillTableRow {
    pub table_key: String,
    pub position: i64,
    pub is_done: bool,
    pub checkpoint: Option<String>,
    pub total: i64,
    pub read: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub archived: i64,
    pub refused: i64,
    pub left_out: i64,
    pub faults: SqlJson<Json>,
    pub updated_at: DateTime<Utc>,
}

/// Which row a record of the application is.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AppLinkRow {
    pub source_id: String,
    pub row_id: Uuid,
    pub said: Vec<u8>,
}

const COLUMNS: &str = "id, source, place, state, fence, error, started_at, updated_at, finished_at, answer";
const TABLE_COLUMNS: &str = "table_key, position, is_done, checkpoint, total, read, created, updated, unchanged, \
                             archived, refused, left_out, faults, updated_at";

impl BackfillRow {
    /// A run that begins at this moment.
    pub fn running(id: Uuid, source: &str, place: &str, now: DateTime<Utc>) -> BackfillRow {
        BackfillRow {
            id,
            source: source.to_owned(),
            place: place.to_owned(),
            state: "running".to_owned(),
            fence: 1,
            error: None,
            started_at: now,
            updated_at: now,
            finished_at: None,
            answer: None,
        }
    }
}

/// The run from this source that was started last.
pub async fn latest(tx: &mut Tx, org: Org, source: &str) -> Result<Option<BackfillRow>> {
    let text = format!(
        "select {COLUMNS} from backfills where org_id = $1 and source = $2 order by started_at desc, id desc limit 1"
    );
    tx.fetch_optional(Sql::with(&text, [org.into(), source.into()])).await
}

/// The run with this id.
pub async fn get(tx: &mut Tx, org: Org, id: Uuid) -> Result<Option<BackfillRow>> {
    of_id(tx, org, id, "").await
}

/// The run with its line held against others that would take it up or stop it, until the transaction ends.
pub async fn hold(tx: &mut Tx, org: Org, id: Uuid) -> Result<Option<BackfillRow>> {
    let hold = tx.dialect().for_share();
    of_id(tx, org, id, hold).await
}

async fn of_id(tx: &mut Tx, org: Org, id: Uuid, hold: &str) -> Result<Option<BackfillRow>> {
    let text = format!("select {COLUMNS} from backfills where org_id = $1 and id = $2{hold}");
    tx.fetch_optional(Sql::with(&text, [org.into(), id.into()])).await
}

/// Adds a run, or writes what has become of it.
pub async fn put(tx: &mut Tx, org: Org, row: &BackfillRow) -> Result<()> {
    let sql = Sql::with(
        "insert into backfills (org_id, id, source, place, state, fence, error, started_at, updated_at, finished_at,
           answer)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (org_id, id) do update set state = excluded.state, fence = excluded.fence,
           error = excluded.error, updated_at = excluded.updated_at, finished_at = excluded.finished_at,
           answer = excluded.answer",
        [
            org.into(),
            row.id.into(),
            row.source.as_str().into(),
            row.place.as_str().into(),
            row.state.as_str().into(),
            row.fence.into(),
            Datum::String(row.error.clone()),
            row.started_at.into(),
            row.updated_at.into(),
            Datum::ChronoDateTimeUtc(row.finished_at),
            Datum::String(row.answer.clone()),
        ],
    );
    tx.execute(sql).await.map(drop)
}

/// Ends every run from this source that is still going, but the one with the id `except`; how many there were.
pub async fn stop(
    tx: &mut Tx,
    org: Org,
    source: &str,
    except: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<u64> {
    let text = "update backfills set state = 'cancelled', updated_at = $2, finished_at = $2
                where org_id = $1 and source = $4 and state = 'running' and id <> $3";
    let values = [org.into(), now.into(), except.unwrap_or_default().into(), source.into()];
    tx.execute(Sql::with(text, values)).await
}

/// Ends this run if it is still going; whether it was.
pub async fn cancel(tx: &mut Tx, org: Org, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let text = "update backfills set state = 'cancelled', updated_at = $3, finished_at = $3
                where org_id = $1 and id = $2 and state = 'running'";
    Ok(tx.execute(Sql::with(text, [org.into(), id.into(), now.into()])).await? > 0)
}

/// Ends a run unless somebody else has taken it up since.
pub async fn finish(
    tx: &mut Tx,
    org: Org,
    (id, fence): (Uuid, i64),
    (state, error, answer): Ending<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let text = "update backfills set state = $4, error = $5, updated_at = $6, finished_at = $6, answer = $7
                where org_id = $1 and id = $2 and fence = $3 and state = 'running'";
    let values = [
        org.into(),
        id.into(),
        fence.into(),
        state.into(),
        Datum::String(error),
        now.into(),
        Datum::String(answer),
    ];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Notes how far a run is; false when it is no longer going.
pub async fn note(tx: &mut Tx, org: Org, id: Uuid, answer: String, now: DateTime<Utc>) -> Result<bool> {
    let text = "update backfills set answer = $3, updated_at = $4
                where org_id = $1 and id = $2 and state = 'running'";
    let values = [org.into(), id.into(), answer.into(), now.into()];
    Ok(tx.execute(Sql::with(text, values)).await? > 0)
}

/// The tables of a run, in the order in which they are worked.
pub async fn tables(tx: &mut Tx, org: Org, id: Uuid) -> Result<Vec<BackfillTableRow>> {
    let text = format!(
        "select {TABLE_COLUMNS} from backfill_tables where org_id = $1 and backfill_id = $2 order by position"
    );
    tx.fetch(Sql::with(&text, [org.into(), id.into()])).await
}

/// Writes how far a table is.
pub async fn put_table(tx: &mut Tx, org: Org, id: Uuid, row: &BackfillTableRow) -> Result<()> {
    let text = format!(
        "insert into backfill_tables (org_id, backfill_id, {TABLE_COLUMNS})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         on conflict (org_id, backfill_id, table_key) do update set is_done = excluded.is_done,
           checkpoint = excluded.checkpoint, total = excluded.total, read = excluded.read, created = excluded.created,
           updated = excluded.updated, unchanged = excluded.unchanged, archived = excluded.archived,
           refused = excluded.refused, left_out = excluded.left_out, faults = excluded.faults,
           updated_at = excluded.updated_at"
    );
    let values = [
        org.into(),
        id.into(),
        row.table_key.as_str().into(),
        row.position.into(),
        row.is_done.into(),
        Datum::String(row.checkpoint.clone()),
        row.total.into(),
        row.read.into(),
        row.created.into(),
        row.updated.into(),
        row.unchanged.into(),
        row.archived.into(),
        row.refused.into(),
        row.left_out.into(),
        Datum::Json(Some(Box::new(row.faults.0.clone()))),
        row.updated_at.into(),
    ];
    tx.execute(Sql::with(&text, values)).await.map(drop)
}

/// What is known of the records with these ids.
pub async fn links(tx: &mut Tx, org: Org, table: &str, ids: &[String]) -> Result<Vec<AppLinkRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(5_000) {
        let start = "select source_id, row_id, said from app_links where org_id = ";
        let mut sql = Sql::bulk(tx.dialect(), start);
        sql.bind(org).push(" and table_key = ").bind(table);
        if let (Some(first), Some(last)) = (chunk.iter().min(), chunk.iter().max()) {
            // The ids of a page lie together. Whatever is believed of the table, no more of its index is read than that.
            sql.push(" and source_id >= ")
                .bind(first.as_str())
                .push(" and source_id <= ")
                .bind(last.as_str());
        }
        sql.push(" and source_id in (").bind_all(chunk.iter().map(String::as_str)).push(")");
        found.extend(tx.fetch::<AppLinkRow>(sql).await?);
    }
    Ok(found)
}

/// Adds records that were not known.
pub async fn link(tx: &mut Tx, org: Org, table: &str, links: Vec<AppLinkRow>) -> Result<()> {
    let values = links.into_iter().map(|link| {
        vec![
            Datum::from(org),
            table.into(),
            link.source_id.into(),
            link.row_id.into(),
            Datum::Bytes(Some(link.said)),
        ]
    });
    bulk::insert(tx, "app_links", &["org_id", "table_key", "source_id", "row_id", "said"], values.collect())
        .await
}

/// Notes what known records say now.
pub async fn heard(tx: &mut Tx, org: Org, table: &str, links: &[AppLinkRow]) -> Result<()> {
    for chunk in links.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), "with v (source_id, said) as (values ");
        for (i, link) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([Datum::from(link.source_id.as_str()), Datum::Bytes(Some(link.said.clone()))])
                .push(")");
        }
        sql.push(") update app_links set said = v.said from v where org_id = ").bind(org);
        sql.push(" and table_key = ").bind(table).push(" and app_links.source_id = v.source_id");
        tx.execute(sql).await?;
    }
    Ok(())
}
