//! How far each organization's derived columns have followed the clock.

use chrono::{DateTime, Utc};

use super::{Org, Sql, Tx};
use crate::error::Result;

/// The moment they have reached; none while all of them are still to be computed.
pub async fn reached(tx: &mut Tx, org: Org) -> Result<Option<DateTime<Utc>>> {
    let text = "select reached_at from ops_derived where org_id = $1";
    let row: Option<(DateTime<Utc>,)> = tx.fetch_optional(Sql::with(text, [org.into()])).await?;
    Ok(row.map(|(at,)| at))
}

/// Notes the moment, unless another process has come further.
pub async fn reach(tx: &mut Tx, org: Org, at: DateTime<Utc>) -> Result<()> {
    let text = "insert into ops_derived (org_id, reached_at) values ($1, $2)
                on conflict (org_id) do update set reached_at = excluded.reached_at
                where ops_derived.reached_at < excluded.reached_at";
    tx.execute(Sql::with(text, [org.into(), at.into()])).await.map(drop)
}

/// Has all of them computed again: what they come from was out of sight for a while.
pub async fn restart(tx: &mut Tx, org: Org) -> Result<()> {
    let text = "delete from ops_derived where org_id = $1";
    tx.execute(Sql::with(text, [org.into()])).await.map(drop)
}
