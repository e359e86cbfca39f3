//! How far the reading of the CRMs' records has come, and who reads at the moment.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

/// One way of reading the records of an object. `kind` is changes, sweep or pull.
#[derive(Debug, Clone, FromRow, PartialEq)]
pub struct PollRow {
    pub object: String,
    pub kind: String,
    pub cursor_ms: Option<i64>,
    pub started_at: Option<DateTime<Utc>>,
    pub starts_ms: Option<i64>,
    pub position: Option<String>,
    pub done_at: Option<DateTime<Utc>>,
    pub due_ms: i64,
    pub fence: i64,
    pub leased_until_ms: Option<i64>,
}

const COLUMNS: &str =
    "object, kind, cursor_ms, started_at, starts_ms, position, done_at, due_ms, fence, leased_until_ms";

/// All of a connection, held until the transaction ends when `lock` is set.
pub async fn all(tx: &mut Tx, org: Org, system: &str, lock: bool) -> Result<Vec<PollRow>> {
    let hold = if lock { tx.dialect().for_update() } else { "" };
    let text = format!(
        "select {COLUMNS} from crm_polls where org_id = $1 and system = $2 order by object, kind{hold}"
    );
    tx.fetch(Sql::with(&text, [org.into(), system.into()])).await
}

/// Adds one, unless it is there.
pub async fn insert(tx: &mut Tx, org: Org, system: &str, row: &PollRow) -> Result<()> {
    let text = format!(
        "insert into crm_polls (org_id, system, {COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (org_id, system, object, kind) do nothing"
    );
    tx.execute(Sql::with(&text, values(org, system, row))).await.map(drop)
}

/// Stores how far it has come; whether it was still held by this fence. `fence` is the next one from then on.
pub async fn save(tx: &mut Tx, org: Org, system: &str, row: &PollRow, fence: i64) -> Result<bool> {
    let text = "update crm_polls
                set cursor_ms = $5, started_at = $6, starts_ms = $7, position = $8, done_at = $9, due_ms = $10,
                  leased_until_ms = $12, fence = $13
                where org_id = $1 and system = $2 and object = $3 and kind = $4 and fence = $11";
    let values = values(org, system, row).into_iter().chain([fence.into()]);
    Ok(tx.execute(Sql::with(text, values)).await? == 1)
}

/// Forgets how far a connection was read.
pub async fn remove(tx: &mut Tx, org: Org, system: &str) -> Result<()> {
    let text = "delete from crm_polls where org_id = $1 and system = $2";
    tx.execute(Sql::with(text, [org.into(), system.into()])).await.map(drop)
}

/// Whose poll it is and all of its columns, in their order.
fn values(org: Org, system: &str, row: &PollRow) -> [Datum; 12] {
    [
        org.into(),
        system.into(),
        row.object.as_str().into(),
        row.kind.as_str().into(),
        Datum::BigInt(row.cursor_ms),
        Datum::ChronoDateTimeUtc(row.started_at),
        Datum::BigInt(row.starts_ms),
        Datum::String(row.position.clone()),
        Datum::ChronoDateTimeUtc(row.done_at),
        row.due_ms.into(),
        row.fence.into(),
        Datum::BigInt(row.leased_until_ms),
    ]
}
