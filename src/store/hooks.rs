//! What connections' webhooks are told apart by, whether what they bring is taken in, and what of it was refused.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

/// The webhooks of a connection. `secrets` is sealed.
#[derive(Debug, Clone, FromRow)]
pub struct HookRow {
    pub secrets: Vec<u8>,
    pub held_reason: Option<String>,
    pub held_at: Option<DateTime<Utc>>,
    /// Since when changes are counted, and how many rows changed since.
    pub window_ms: i64,
    pub window_changed: i64,
    /// Until then nothing is held back.
    pub free_until_ms: i64,
}

/// A connection as its webhooks need it.
#[derive(Debug, Clone, FromRow)]
pub struct HookedRow {
    pub org_id: Uuid,
    pub account: String,
    pub writer: Option<String>,
    pub properties: SqlJson<Json>,
}

/// Deliveries that were refused for a reason.
#[derive(Debug, Clone, FromRow)]
pub struct RefusalRow {
    pub reason: String,
    pub deliveries: i64,
    pub last_at: DateTime<Utc>,
}

/// A connection by the id that its webhooks' address holds.
pub async fn connection(tx: &mut Tx, system: &str, id: Uuid) -> Result<Option<HookedRow>> {
    let text =
        "select org_id, account, writer, properties from crm_connections where system = $1 and id = $2";
    tx.fetch_optional(Sql::with(text, [system.into(), id.into()])).await
}

const COLUMNS: &str = "secrets, held_reason, held_at, window_ms, window_changed, free_until_ms";

pub async fn get(tx: &mut Tx, org: Org, system: &str) -> Result<Option<HookRow>> {
    let text = format!("select {COLUMNS} from crm_hooks where org_id = $1 and system = $2");
    tx.fetch_optional(Sql::with(&text, [org.into(), system.into()])).await
}

/// The same, held until the transaction ends.
pub async fn lock(tx: &mut Tx, org: Org, system: &str) -> Result<Option<HookRow>> {
    let hold = tx.dialect().for_update();
    let text = format!("select {COLUMNS} from crm_hooks where org_id = $1 and system = $2{hold}");
    tx.fetch_optional(Sql::with(&text, [org.into(), system.into()])).await
}

/// Notes rows that changed in the present window; how many of them had not yet.
pub async fn changed(tx: &mut Tx, org: Org, system: &str, rows: &[Uuid]) -> Result<u64> {
    let mut new = 0;
    for chunk in rows.chunks(5_000) {
        let mut sql =
            Sql::bulk(tx.dialect(), "insert into crm_changed_rows (org_id, system, row_id) values ");
        for (i, row) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([Datum::from(org), system.into(), (*row).into()]).push(")");
        }
        sql.push(" on conflict (org_id, system, row_id) do nothing");
        new += tx.execute(sql).await?;
    }
    Ok(new)
}

/// Begins a window in which no row has changed yet.
pub async fn begin_window(tx: &mut Tx, org: Org, system: &str) -> Result<()> {
    let text = "delete from crm_changed_rows where org_id = $1 and system = $2";
    tx.execute(Sql::with(text, [org.into(), system.into()])).await.map(drop)
}

/// Notes how many rows changed since a moment.
pub async fn set_window(tx: &mut Tx, org: Org, system: &str, window_ms: i64, changed: i64) -> Result<()> {
    let text = "insert into crm_hooks (org_id, system, secrets, window_ms, window_changed)
                values ($1, $2, $3, $4, $5)
                on conflict (org_id, system) do update
                set window_ms = excluded.window_ms, window_changed = excluded.window_changed";
    let values = [org.into(), system.into(), Vec::new().into(), window_ms.into(), changed.into()];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Lets what is held back come in, and holds back nothing until a moment; whether anything was held back.
pub async fn release(tx: &mut Tx, org: Org, system: &str, free_until_ms: i64) -> Result<bool> {
    let text = "update crm_hooks
                set held_reason = null, held_at = null, window_changed = 0, free_until_ms = $3
                where org_id = $1 and system = $2 and held_at is not null";
    Ok(tx.execute(Sql::with(text, [org.into(), system.into(), free_until_ms.into()])).await? == 1)
}

/// Replaces the sealed secrets.
pub async fn set_secrets(tx: &mut Tx, org: Org, system: &str, secrets: Vec<u8>) -> Result<()> {
    let text = "insert into crm_hooks (org_id, system, secrets) values ($1, $2, $3)
                on conflict (org_id, system) do update set secrets = excluded.secrets";
    tx.execute(Sql::with(text, [org.into(), system.into(), secrets.into()])).await.map(drop)
}

/// Holds back what comes, with the reason for people, or with none lets it be taken in again.
pub async fn hold(
    tx: &mut Tx,
    org: Org,
    system: &str,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let text =
        "insert into crm_hooks (org_id, system, secrets, held_reason, held_at) values ($1, $2, $3, $4, $5)
                on conflict (org_id, system) do update
                set held_reason = excluded.held_reason, held_at = excluded.held_at";
    let values = [
        org.into(),
        system.into(),
        Vec::new().into(),
        Datum::String(reason.map(str::to_owned)),
        Datum::ChronoDateTimeUtc(reason.map(|_| now)),
    ];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Counts refused deliveries.
pub async fn refused(
    tx: &mut Tx,
    org: Org,
    system: &str,
    reason: &str,
    deliveries: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    let text = "insert into crm_refusals as r (org_id, system, reason, deliveries, last_at) values ($1, $2, $3, $4, $5)
                on conflict (org_id, system, reason) do update
                set deliveries = r.deliveries + excluded.deliveries, last_at = excluded.last_at";
    let values = [org.into(), system.into(), reason.into(), deliveries.into(), now.into()];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// What was refused, by reason.
pub async fn refusals(tx: &mut Tx, org: Org, system: &str) -> Result<Vec<RefusalRow>> {
    let text = "select reason, deliveries, last_at from crm_refusals where org_id = $1 and system = $2 order by reason";
    tx.fetch(Sql::with(text, [org.into(), system.into()])).await
}

/// Forgets the webhooks of a connection.
pub async fn remove(tx: &mut Tx, org: Org, system: &str) -> Result<()> {
    for table in ["crm_refusals", "crm_changed_rows", "crm_hooks"] {
        let text = format!("delete from {table} where org_id = $1 and system = $2");
        tx.execute(Sql::with(&text, [org.into(), system.into()])).await?;
    }
    Ok(())
}
