//! The edits that were lost, one line each, and what became of them.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

#[derive(Debug, Clone, FromRow, PartialEq)]
pub struct ConflictRow {
    pub id: Uuid,
    pub table_key: String,
    pub row_id: Uuid,
    pub column_key: String,
    pub system: String,
    pub object: String,
    pub record_id: Option<String>,
    pub kind: String,
    pub rule: String,
    pub winner_value: SqlJson<Json>,
    pub winner_source: String,
    pub winner_actor: String,
    pub winner_ms: i64,
    pub winner_ctr: i64,
    pub winner_reported_ms: Option<i64>,
    pub loser_value: SqlJson<Json>,
    pub loser_source: String,
    pub loser_actor: String,
    pub loser_ms: i64,
    pub loser_ctr: i64,
    pub loser_reported_ms: Option<i64>,
    pub loser_version: String,
    pub clock_skew_ms: i64,
    pub resolution: String,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub change_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
}

/// Which lines are listed.
#[derive(Debug, Clone, Default)]
pub struct Listed<'a> {
    pub resolution: Option<&'a str>,
    pub table: Option<&'a str>,
    pub column: Option<&'a str>,
    pub row: Option<Uuid>,
    pub system: Option<&'a str>,
    /// Lines after this one, newest first.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

const COLUMNS: &str = "id, table_key, row_id, column_key, system, object, record_id, kind, rule, winner_value, winner_source, \
     winner_actor, winner_ms, winner_ctr, winner_reported_ms, loser_value, loser_source, loser_actor, loser_ms, loser_ctr, \
     loser_reported_ms, loser_version, clock_skew_ms, resolution, resolved_by, resolved_at, change_id, created_at";

/// Adds lines, and opens again those that were closed for an answer that turned out to be none. A line that a person
/// resolved stays resolved.
pub async fn open(tx: &mut Tx, org: Org, lines: &[ConflictRow]) -> Result<()> {
    for line in lines {
        let mut sql = Sql::new(&format!("insert into ops_sync_conflicts (org_id, {COLUMNS}) values ("));
        let text = |text: &Option<String>| Datum::String(text.clone());
        sql.bind_all([
            Datum::from(org),
            line.id.into(),
            line.table_key.as_str().into(),
            line.row_id.into(),
            line.column_key.as_str().into(),
            line.system.as_str().into(),
            line.object.as_str().into(),
            text(&line.record_id),
            line.kind.as_str().into(),
            line.rule.as_str().into(),
            Datum::Json(Some(Box::new(line.winner_value.0.clone()))),
            line.winner_source.as_str().into(),
            line.winner_actor.as_str().into(),
            line.winner_ms.into(),
            line.winner_ctr.into(),
            Datum::BigInt(line.winner_reported_ms),
            Datum::Json(Some(Box::new(line.loser_value.0.clone()))),
            line.loser_source.as_str().into(),
            line.loser_actor.as_str().into(),
            line.loser_ms.into(),
            line.loser_ctr.into(),
            Datum::BigInt(line.loser_reported_ms),
            line.loser_version.as_str().into(),
            line.clock_skew_ms.into(),
            line.resolution.as_str().into(),
            text(&line.resolved_by),
            Datum::ChronoDateTimeUtc(line.resolved_at),
            Datum::Uuid(line.change_id),
            line.created_at.into(),
        ]);
        sql.push(
            ") on conflict (org_id, row_id, column_key, loser_version) do update
               set resolution = 'open', resolved_at = null
               where ops_sync_conflicts.resolution = 'superseded'",
        );
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Closes open lines without anybody having decided: `superseded` by a later edit that was made with it in sight, or
/// `restored` because the same value stands again.
pub async fn close(tx: &mut Tx, org: Org, ids: &[Uuid], resolution: &str, now: DateTime<Utc>) -> Result<()> {
    let mut sql = Sql::bulk(tx.dialect(), "update ops_sync_conflicts set resolution = ");
    sql.bind(resolution).push(", resolved_at = ").bind(now).push(" where org_id = ").bind(org);
    sql.push(" and resolution = 'open' and id in (").bind_all(ids.iter().copied()).push(")");
    tx.execute(sql).await.map(drop)
}

/// The lines of rows, of every resolution, in the order in which they came up.
pub async fn of_rows(tx: &mut Tx, org: Org, rows: &[Uuid]) -> Result<Vec<ConflictRow>> {
    let mut sql =
        Sql::bulk(tx.dialect(), &format!("select {COLUMNS} from ops_sync_conflicts where org_id = "));
    sql.bind(org).push(" and row_id in (").bind_all(rows.iter().copied()).push(") order by created_at, id");
    tx.fetch(sql).await
}

pub async fn get(tx: &mut Tx, org: Org, id: Uuid) -> Result<Option<ConflictRow>> {
    let text = format!("select {COLUMNS} from ops_sync_conflicts where org_id = $1 and id = $2");
    tx.fetch_optional(Sql::with(&text, [org.into(), id.into()])).await
}

/// Lines, newest first.
pub async fn list(tx: &mut Tx, org: Org, listed: &Listed<'_>, most: i64) -> Result<Vec<ConflictRow>> {
    let mut sql = Sql::new(&format!("select {COLUMNS} from ops_sync_conflicts where org_id = "));
    sql.bind(org);
    narrow(&mut sql, listed);
    if let Some((created_at, id)) = listed.after {
        sql.push(" and (created_at, id) < (").bind(created_at).push(", ").bind(id).push(")");
    }
    sql.push(" order by created_at desc, id desc limit ").bind(most);
    tx.fetch(sql).await
}

/// The rows of which an edit of a column was lost that waits for a person.
pub async fn open_rows(tx: &mut Tx, org: Org, table: &str, column: &str) -> Result<Vec<Uuid>> {
    let text = "select distinct row_id from ops_sync_conflicts
                where org_id = $1 and resolution = 'open' and table_key = $2 and column_key = $3 order by row_id";
    let rows: Vec<(Uuid,)> = tx.fetch(Sql::with(text, [org.into(), table.into(), column.into()])).await?;
    Ok(rows.into_iter().map(|(row,)| row).collect())
}

/// How many lines there are.
pub async fn count(tx: &mut Tx, org: Org, listed: &Listed<'_>) -> Result<i64> {
    let mut sql = Sql::new("select count(*) from ops_sync_conflicts where org_id = ");
    sql.bind(org);
    narrow(&mut sql, listed);
    let row: Option<(i64,)> = tx.fetch_optional(sql).await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// How many lines each table and CRM has that are open, and that came up since a moment and were not superseded.
pub async fn counts(tx: &mut Tx, org: Org, since: DateTime<Utc>) -> Result<Vec<(String, String, i64, i64)>> {
    let text = "select table_key, system, sum(case when resolution = 'open' then 1 else 0 end),
                  sum(case when created_at >= $2 and resolution <> 'superseded' then 1 else 0 end)
                from ops_sync_conflicts where org_id = $1
                group by table_key, system order by table_key, system";
    tx.fetch(Sql::with(text, [org.into(), since.into()])).await
}

fn narrow(sql: &mut Sql, listed: &Listed<'_>) {
    let texts = [
        ("resolution", listed.resolution),
        ("table_key", listed.table),
        ("column_key", listed.column),
        ("system", listed.system),
    ];
    for (column, value) in texts {
        if let Some(value) = value {
            sql.push(&format!(" and {column} = ")).bind(value);
        }
    }
    if let Some(row) = listed.row {
        sql.push(" and row_id = ").bind(row);
    }
}

/// Closes an open line by a person's decision; whether it was open.
pub async fn resolve(
    tx: &mut Tx,
    org: Org,
    id: Uuid,
    resolution: &str,
    (by, change): (&str, Option<Uuid>),
    now: DateTime<Utc>,
) -> Result<bool> {
    let text = "update ops_sync_conflicts
                set resolution = $3, resolved_by = $4, change_id = $5, resolved_at = $6
                where org_id = $1 and id = $2 and resolution = 'open'";
    let values = [org.into(), id.into(), resolution.into(), by.into(), Datum::Uuid(change), now.into()];
    Ok(tx.execute(Sql::with(text, values)).await? == 1)
}

/// Closes the rows' open lines that say that a CRM refused their values, because what it refused was given up.
pub async fn give_up(
    tx: &mut Tx,
    org: Org,
    system: &str,
    rows: &[Uuid],
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    for chunk in rows.chunks(5_000) {
        let mut sql =
            Sql::bulk(tx.dialect(), "update ops_sync_conflicts set resolution = 'kept', resolved_by = ");
        sql.bind(by).push(", resolved_at = ").bind(now).push(" where org_id = ").bind(org);
        sql.push(" and system = ").bind(system).push(" and kind = 'remote_rejected' and resolution = 'open'");
        sql.push(" and row_id in (").bind_all(chunk.iter().copied()).push(")");
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Takes the values out of rows' lines. What stood open is settled: there is nothing left to decide about.
pub async fn empty(tx: &mut Tx, org: Org, rows: &[Uuid]) -> Result<()> {
    for chunk in rows.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), "update ops_sync_conflicts set winner_value = ");
        sql.bind(Datum::Json(Some(Box::new(Json::Null)))).push(", loser_value = ");
        sql.bind(Datum::Json(Some(Box::new(Json::Null))));
        sql.push(", resolution = case when resolution = 'open' then 'superseded' else resolution end");
        sql.push(" where org_id = ")
            .bind(org)
            .push(" and row_id in (")
            .bind_all(chunk.iter().copied())
            .push(")");
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Notes the change that a resolved line was resolved by.
pub async fn set_change(tx: &mut Tx, org: Org, id: Uuid, change: Uuid) -> Result<()> {
    let text = "update ops_sync_conflicts set change_id = $3 where org_id = $1 and id = $2";
    tx.execute(Sql::with(text, [org.into(), id.into(), change.into()])).await.map(drop)
}
