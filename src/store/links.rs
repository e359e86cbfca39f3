//! Which records of a CRM the rows are, with what is known to be there; and which records became others.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Dialect, Org, Sql, Tx};
use crate::error::Result;

/// A row's record at a CRM. `shadow` holds `[value, at_ms]` by column.
#[derive(Debug, Clone, FromRow, PartialEq)]
pub struct LinkRow {
    pub system: String,
    pub object: String,
    pub record_id: String,
    pub table_key: String,
    pub row_id: Uuid,
    pub shadow: SqlJson<Map<String, Json>>,
    pub linked_at: DateTime<Utc>,
    pub heard_at: DateTime<Utc>,
    pub modified_ms: Option<i64>,
    pub gone_ms: Option<i64>,
    pub has_conflicts: bool,
    /// Up to which modification its history was read.
    pub read_ms: Option<i64>,
}

const COLUMNS: &str = "system, object, record_id, table_key, row_id, shadow, linked_at, heard_at, modified_ms, gone_ms, has_conflicts, read_ms";

/// The links of these rows to any CRM.
pub async fn of_rows(tx: &mut Tx, org: Org, rows: &[Uuid]) -> Result<Vec<LinkRow>> {
    let mut found = Vec::new();
    for chunk in rows.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), &format!("select {COLUMNS} from crm_links where org_id = "));
        sql.bind(org)
            .push(" and row_id in (")
            .bind_all(chunk.iter().copied())
            .push(") order by row_id, system");
        found.extend(tx.fetch(sql).await?);
    }
    Ok(found)
}

/// The links of these records of one CRM; records that became others are found under their new ids.
pub async fn of_records(
    tx: &mut Tx,
    org: Org,
    system: &str,
    object: &str,
    records: &[String],
) -> Result<Vec<LinkRow>> {
    let mut found = Vec::new();
    for chunk in records.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), &format!("select {COLUMNS} from crm_links where org_id = "));
        sql.bind(org).push(" and system = ").bind(system).push(" and object = ").bind(object);
        sql.push(" and record_id in (").bind_all(chunk.iter().map(String::as_str)).push(")");
        found.extend(tx.fetch(sql).await?);
    }
    Ok(found)
}

/// The record that this one is now, through every merge it went through.
pub async fn resolve(tx: &mut Tx, org: Org, system: &str, object: &str, record: &str) -> Result<String> {
    let mut now = resolve_all(tx, org, system, object, &[record.to_owned()]).await?;
    Ok(now.remove(record).unwrap_or_else(|| record.to_owned()))
}

/// The records that became others, each with the one that it is now.
pub async fn resolve_all(
    tx: &mut Tx,
    org: Org,
    system: &str,
    object: &str,
    records: &[String],
) -> Result<HashMap<String, String>> {
    let mut now = HashMap::new();
    for chunk in records.chunks(1_000) {
        let mut sql = Sql::bulk(
            tx.dialect(),
            "with recursive chain (old_id, record_id, step) as (
               select record_id, becomes, 1 from crm_aliases where org_id = ",
        );
        sql.bind(org).push(" and system = ").bind(system).push(" and object = ").bind(object);
        sql.push(" and record_id in (").bind_all(chunk.iter().map(String::as_str));
        sql.push(
            ") union all
               select chain.old_id, a.becomes, chain.step + 1 from crm_aliases a
               join chain on a.record_id = chain.record_id where a.org_id = ",
        );
        sql.bind(org).push(" and a.system = ").bind(system).push(" and a.object = ").bind(object);
        sql.push(" and chain.step < 100) select old_id, record_id from chain order by step");
        let found: Vec<(String, String)> = tx.fetch(sql).await?;
        now.extend(found);
    }
    Ok(now)
}

/// Gives the link of a record to the one that it became, with what is known to be there.
pub async fn rename(
    tx: &mut Tx,
    org: Org,
    (system, object): (&str, &str),
    record: &str,
    becomes: &str,
) -> Result<()> {
    let text = "update crm_links set record_id = $5
                where org_id = $1 and system = $2 and object = $3 and record_id = $4";
    let values = [org.into(), system.into(), object.into(), record.into(), becomes.into()];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Gives the link of a record to the one that it became. What that one holds is not known yet.
pub async fn becomes(
    tx: &mut Tx,
    org: Org,
    (system, object): (&str, &str),
    record: &str,
    becomes: &str,
) -> Result<()> {
    let text = format!(
        "update crm_links set record_id = $5, shadow = {}, gone_ms = null, read_ms = null
         where org_id = $1 and system = $2 and object = $3 and record_id = $4",
        tx.dialect().json_literal("{}")
    );
    let values = [org.into(), system.into(), object.into(), record.into(), becomes.into()];
    tx.execute(Sql::with(&text, values)).await.map(drop)
}

/// Notes that the CRM was heard from about these records, which are as they were.
pub async fn heard(
    tx: &mut Tx,
    org: Org,
    (system, object): (&str, &str),
    records: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    let hold = tx.dialect().for_update();
    for chunk in records.chunks(1_000) {
        // In the order in which changes store links, so that the two never wait for each other in a circle.
        let mut sql = Sql::bulk(tx.dialect(), "update crm_links set heard_at = ");
        sql.bind(now).push(" where org_id = ").bind(org).push(" and system = ").bind(system);
        sql.push(" and row_id in (select row_id from crm_links where org_id = ").bind(org);
        sql.push(" and system = ").bind(system).push(" and object = ").bind(object);
        sql.push(" and record_id in (").bind_all(chunk.iter().map(String::as_str));
        sql.push(&format!(") order by row_id{hold})"));
        tx.execute(sql).await?;
    }
    Ok(())
}

/// The live records that the CRM was not heard from about since a moment.
pub async fn unheard(
    tx: &mut Tx,
    org: Org,
    (system, object): (&str, &str),
    since: DateTime<Utc>,
    most: i64,
) -> Result<Vec<String>> {
    let text = "select record_id from crm_links
                where org_id = $1 and system = $2 and object = $3 and gone_ms is null and heard_at < $4
                order by record_id limit $5";
    let values = [org.into(), system.into(), object.into(), since.into(), most.into()];
    let found: Vec<(String,)> = tx.fetch(Sql::with(text, values)).await?;
    Ok(found.into_iter().map(|(record,)| record).collect())
}

/// Says that a record became another one.
pub async fn alias(
    tx: &mut Tx,
    org: Org,
    (system, object): (&str, &str),
    record: &str,
    becomes: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let text = "insert into crm_aliases (org_id, system, object, record_id, becomes, created_at)
                values ($1, $2, $3, $4, $5, $6)
                on conflict (org_id, system, object, record_id) do update set becomes = excluded.becomes";
    let values = [org.into(), system.into(), object.into(), record.into(), becomes.into(), now.into()];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Links rows to records. A row that has a link to the CRM keeps its link row with the new record.
pub async fn put(tx: &mut Tx, org: Org, links: &[LinkRow]) -> Result<()> {
    for chunk in links.chunks(1_000) {
        let mut sql = Sql::bulk(tx.dialect(), &format!("insert into crm_links (org_id, {COLUMNS}) values "));
        for (i, link) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([
                Datum::from(org),
                link.system.as_str().into(),
                link.object.as_str().into(),
                link.record_id.as_str().into(),
                link.table_key.as_str().into(),
                link.row_id.into(),
                Datum::Json(Some(Box::new(Json::Object(link.shadow.0.clone())))),
                link.linked_at.into(),
                link.heard_at.into(),
                Datum::BigInt(link.modified_ms),
                Datum::BigInt(link.gone_ms),
                link.has_conflicts.into(),
                Datum::BigInt(link.read_ms),
            ]);
            sql.push(")");
        }
        sql.push(
            " on conflict (org_id, row_id, system) do update set object = excluded.object,
              record_id = excluded.record_id, shadow = excluded.shadow, heard_at = excluded.heard_at,
              modified_ms = excluded.modified_ms, gone_ms = excluded.gone_ms,
              has_conflicts = excluded.has_conflicts, read_ms = excluded.read_ms",
        );
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Takes a row's link to a CRM away.
pub async fn remove(tx: &mut Tx, org: Org, system: &str, row: Uuid) -> Result<()> {
    let text = "delete from crm_links where org_id = $1 and row_id = $2 and system = $3";
    tx.execute(Sql::with(text, [org.into(), row.into(), system.into()])).await.map(drop)
}

/// The rows of a table that are linked to a CRM, with their records.
pub async fn of_table(tx: &mut Tx, org: Org, system: &str, table: &str) -> Result<Vec<(Uuid, String)>> {
    let text = "select row_id, record_id from crm_links where org_id = $1 and system = $2 and table_key = $3
                order by row_id";
    tx.fetch(Sql::with(text, [org.into(), system.into(), table.into()])).await
}

/// Takes every link to a CRM away, and forgets which of its records became others.
pub async fn remove_all(tx: &mut Tx, org: Org, system: &str) -> Result<u64> {
    for table in ["crm_aliases", "crm_ledger"] {
        let text = format!("delete from {table} where org_id = $1 and system = $2");
        tx.execute(Sql::with(&text, [org.into(), system.into()])).await?;
    }
    let text = "delete from crm_links where org_id = $1 and system = $2";
    tx.execute(Sql::with(text, [org.into(), system.into()])).await
}

/// How many linked rows of each table are stale: the CRM was last heard of before `before`, and reports a later
/// modification than that.
pub async fn stale(tx: &mut Tx, org: Org, system: &str, before: DateTime<Utc>) -> Result<Vec<(String, i64)>> {
    let heard_ms = tx.dialect().epoch_ms("heard_at");
    let text = format!(
        "select table_key, count(*) from crm_links
         where org_id = $1 and system = $2 and gone_ms is null and heard_at < $3 and modified_ms > {heard_ms}
         group by table_key"
    );
    tx.fetch(Sql::with(&text, [org.into(), system.into(), before.into()])).await
}

/// How many rows of each table are linked to a CRM.
pub async fn counts(tx: &mut Tx, org: Org, system: &str) -> Result<Vec<(String, i64)>> {
    let text = "select table_key, count(*) from crm_links
                where org_id = $1 and system = $2 and gone_ms is null
                group by table_key";
    tx.fetch(Sql::with(text, [org.into(), system.into()])).await
}

impl Dialect {
    /// A time as milliseconds since 1970.
    fn epoch_ms(self, time: &str) -> String {
        match self {
            Dialect::Sqlite => {
                format!("cast(round((julianday({time}) - 2440587.5) * 86400000.0) as integer)")
            }
            Dialect::Postgres => format!("cast(extract(epoch from {time}) * 1000 as bigint)"),
        }
    }
}
