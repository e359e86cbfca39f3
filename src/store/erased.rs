//! Hashes of what was erased for a person's privacy, so that it does not come back by itself.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

pub async fn put(tx: &mut Tx, org: Org, hashes: &[String], now: DateTime<Utc>) -> Result<()> {
    for chunk in hashes.chunks(1_000) {
        let mut sql = Sql::bulk(tx.dialect(), "insert into crm_erased (org_id, key_hash, erased_at) values ");
        for (i, hash) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([Datum::from(org), hash.as_str().into(), now.into()]).push(")");
        }
        sql.push(" on conflict (org_id, key_hash) do nothing");
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Which of these hashes are known.
pub async fn among(tx: &mut Tx, org: Org, hashes: &[String]) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    for chunk in hashes.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), "select key_hash from crm_erased where org_id = ");
        sql.bind(org).push(" and key_hash in (").bind_all(chunk.iter().map(String::as_str)).push(")");
        found.extend(tx.fetch::<(String,)>(sql).await?.into_iter().map(|(hash,)| hash));
    }
    Ok(found)
}
