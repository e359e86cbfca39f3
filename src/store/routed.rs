//! The log of routed messages.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Org, Sql, Tx};
use crate::error::Result;

/// One routed message.
#[derive(Debug, Clone)]
pub struct RoutedRow {
    pub id: Uuid,
    pub routed_at: DateTime<Utc>,
    pub message_hash: String,
    /// None where the organization keeps no texts.
    pub message: Option<String>,
    pub step: &'static str,
    pub table_key: Option<String>,
    pub operation: Option<String>,
    pub skill_key: Option<String>,
    pub confidence: f64,
    pub latency_us: i64,
}

/// How many messages went one way.
#[derive(Debug, Clone, FromRow)]
pub struct RoutedCount {
    pub step: String,
    pub table_key: Option<String>,
    pub operation: Option<String>,
    pub skill_key: Option<String>,
    pub messages: i64,
    pub distinct_messages: i64,
    pub mean_confidence: f64,
    pub mean_latency_us: f64,
    pub max_latency_us: i64,
}

pub async fn insert(tx: &mut Tx, org: Org, row: &RoutedRow) -> Result<()> {
    let sql = Sql::with(
        "insert into ops_routed_messages
           (org_id, id, routed_at, message_hash, message, step, table_key, operation, skill_key, confidence, latency_us)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        [
            org.into(),
            row.id.into(),
            row.routed_at.into(),
            row.message_hash.as_str().into(),
            row.message.clone().into(),
            row.step.into(),
            row.table_key.clone().into(),
            row.operation.clone().into(),
            row.skill_key.clone().into(),
            row.confidence.into(),
            row.latency_us.into(),
        ],
    );
    tx.execute(sql).await.map(drop)
}

/// Forgets what was routed before the moment.
pub async fn forget(tx: &mut Tx, org: Org, before: DateTime<Utc>) -> Result<()> {
    let text = "delete from ops_routed_messages where org_id = $1 and routed_at < $2";
    tx.execute(Sql::with(text, [org.into(), before.into()])).await.map(drop)
}

/// The ways that messages went since the moment, the most used first.
pub async fn counts(tx: &mut Tx, org: Org, since: DateTime<Utc>) -> Result<Vec<RoutedCount>> {
    let text = "select step, table_key, operation, skill_key,
                  count(*) as messages,
                  count(distinct message_hash) as distinct_messages,
                  avg(confidence) as mean_confidence,
                  cast(avg(latency_us) as double precision) as mean_latency_us,
                  max(latency_us) as max_latency_us
                from ops_routed_messages
                where org_id = $1 and routed_at >= $2
                group by step, table_key, operation, skill_key
                order by messages desc, step, table_key, operation, skill_key";
    tx.fetch(Sql::with(text, [org.into(), since.into()])).await
}

/// Texts of messages that nothing answered, the newest first.
pub async fn unanswered(tx: &mut Tx, org: Org, since: DateTime<Utc>, limit: i64) -> Result<Vec<String>> {
    let text = "select message from ops_routed_messages
                where org_id = $1 and routed_at >= $2 and step = 'none' and message is not null
                order by routed_at desc
                limit $3";
    let rows: Vec<(String,)> = tx.fetch(Sql::with(text, [org.into(), since.into(), limit.into()])).await?;
    Ok(rows.into_iter().map(|(message,)| message).collect())
}

/// Whether the organization keeps the texts of its messages.
pub async fn keeps_messages(tx: &mut Tx, org: Org) -> Result<bool> {
    let text = "select keeps_messages from ops_organizations where id = $1";
    let row: Option<(bool,)> = tx.fetch_optional(Sql::with(text, [org.into()])).await?;
    Ok(row.is_some_and(|(keeps,)| keeps))
}

/// Decides whether texts are kept from now on; those kept so far go with the decision against it.
pub async fn keep_messages(tx: &mut Tx, org: Org, keep: bool) -> Result<()> {
    let text = "update ops_organizations set keeps_messages = $2 where id = $1";
    tx.execute(Sql::with(text, [org.into(), keep.into()])).await?;
    if !keep {
        let text = "update ops_routed_messages set message = null where org_id = $1 and message is not null";
        tx.execute(Sql::with(text, [org.into()])).await?;
    }
    Ok(())
}
