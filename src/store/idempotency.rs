//! The results of calls that carried an idempotency key.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

/// What a key was used for, and what came of it.
#[derive(Debug, Clone, FromRow)]
pub struct Remembered {
    pub digest: String,
    pub result: SqlJson<Json>,
}

pub async fn get(tx: &mut Tx, org: Org, actor: &str, key: &str) -> Result<Option<Remembered>> {
    let text = "select digest, result from ops_idempotency where org_id = $1 and actor = $2 and key = $3";
    tx.fetch_optional(Sql::with(text, [org.into(), actor.into(), key.into()])).await
}

/// Takes the key for this call; false when another call has it. On PostgreSQL a call that is taking the
/// same key at this moment is waited for.
pub async fn take(
    tx: &mut Tx,
    org: Org,
    actor: &str,
    key: &str,
    digest: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let sql = Sql::with(
        "insert into ops_idempotency (org_id, actor, key, digest, result, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (org_id, actor, key) do nothing",
        [
            org.into(),
            actor.into(),
            key.into(),
            digest.into(),
            Datum::Json(Some(Box::new(Json::Null))),
            now.into(),
        ],
    );
    Ok(tx.execute(sql).await? == 1)
}

/// Notes the result under the key taken before.
pub async fn finish(tx: &mut Tx, org: Org, actor: &str, key: &str, result: &Json) -> Result<()> {
    let text = "update ops_idempotency set result = $4 where org_id = $1 and actor = $2 and key = $3";
    let values = [org.into(), actor.into(), key.into(), Datum::Json(Some(Box::new(result.clone())))];
    tx.execute(Sql::with(text, values)).await.map(drop)
}
