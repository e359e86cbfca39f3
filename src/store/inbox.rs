//! What the CRMs told by webhooks: kept in the transaction that is answered for, and worked off afterwards.
//!
//! An event is pending until its time has come, leased while a worker takes it in, done, or dead when it cannot be taken in.
//! Each claim moves the event's fence, so that whoever held it before can no longer say anything.

use std::borrow::Borrow;

use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

/// An event that has come.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub id: Uuid,
    pub dedupe_key: String,
    pub object: String,
    pub record_id: String,
    pub event: Json,
    pub received_ms: i64,
}

/// An event that a worker has leased.
#[derive(Debug, Clone, FromRow)]
pub struct Inbound {
    pub id: Uuid,
    pub object: String,
    pub record_id: String,
    pub event: SqlJson<Json>,
    pub received_ms: i64,
    pub attempts: i64,
    pub fence: i64,
}

/// What becomes of a leased event.
#[derive(Debug, Clone)]
pub struct Handled {
    pub id: Uuid,
    pub fence: i64,
    pub state: State,
    pub run_after_ms: i64,
    pub attempts: i64,
    pub error: Option<String>,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Done,
    Dead,
}

/// How many events are in a state, with the oldest of them.
#[derive(Debug, Clone, FromRow)]
pub struct Count {
    pub state: String,
    pub events: i64,
    pub oldest_ms: i64,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Done => "done",
            State::Dead => "dead",
        }
    }
}

const INSERTED: &str = "org_id, system, id, dedupe_key, object, record_id, event, received_ms, state, run_after_ms, attempts, fence";

/// Keeps events of any number of connections; those that came before stay as they are. How many are new.
pub async fn insert<E: Borrow<(Org, &'static str, Arrived)>>(tx: &mut Tx, events: &[E]) -> Result<u64> {
    let mut new = 0;
    for chunk in events.chunks(1_000) {
        let mut sql = Sql::bulk(tx.dialect(), &format!("insert into crm_inbox ({INSERTED}) values "));
        for (i, (org, system, event)) in chunk.iter().map(Borrow::borrow).enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([
                Datum::from(*org),
                (*system).into(),
                event.id.into(),
                event.dedupe_key.as_str().into(),
                event.object.as_str().into(),
                event.record_id.as_str().into(),
                Datum::Json(Some(Box::new(event.event.clone()))),
                event.received_ms.into(),
            ]);
            sql.push(", 'pending', ").bind(event.received_ms).push(", 0, 0)");
        }
        sql.push(" on conflict (org_id, system, dedupe_key) do nothing");
        new += tx.execute(sql).await?;
    }
    Ok(new)
}

/// Leases events whose time has come, in the order in which they came. No two workers get the same one.
pub async fn claim(
    tx: &mut Tx,
    org: Org,
    system: &str,
    now_ms: i64,
    lease_ms: i64,
    most: i64,
) -> Result<Vec<Inbound>> {
    let skip = tx.dialect().for_update_skip_locked();
    // Chosen once, before anything is updated: PostgreSQL may run a subquery again for each row, and then lease too many.
    let text = format!(
        "with due as materialized (
           select id from crm_inbox
           where org_id = $1 and system = $2 and state = 'pending' and run_after_ms <= $3
           order by run_after_ms, id limit $5{skip}
         )
         update crm_inbox set state = 'leased', fence = fence + 1, leased_until_ms = $4
         where org_id = $1 and system = $2 and id in (select id from due)
         returning id, object, record_id, event, received_ms, attempts, fence"
    );
    let values = [org.into(), system.into(), now_ms.into(), (now_ms + lease_ms).into(), most.into()];
    let mut claimed: Vec<Inbound> = tx.fetch(Sql::with(&text, values)).await?;
    claimed.sort_unstable_by_key(|event| event.id);
    Ok(claimed)
}

/// Makes events pending whose lease has run out.
pub async fn expire(tx: &mut Tx, org: Org, system: &str, now_ms: i64) -> Result<u64> {
    let skip = tx.dialect().for_update_skip_locked();
    let text = format!(
        "update crm_inbox set state = 'pending', leased_until_ms = null
         where org_id = $1 and system = $2 and id in (
           select id from crm_inbox
           where org_id = $1 and system = $2 and state = 'leased' and leased_until_ms < $3{skip}
         )"
    );
    tx.execute(Sql::with(&text, [org.into(), system.into(), now_ms.into()])).await
}

/// Settles leased events. How many were still held by these fences: who lost one of its leases must undo what it did.
pub async fn settle(tx: &mut Tx, org: Org, system: &str, events: &[Handled], now_ms: i64) -> Result<u64> {
    let mut settled = 0;
    for chunk in events.chunks(1_000) {
        let mut sql = Sql::bulk(
            tx.dialect(),
            "with v (id, fence, state, run_after_ms, attempts, error, settled_ms) as (values ",
        );
        for (i, event) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([
                event.id.into(),
                event.fence.into(),
                event.state.name().into(),
                event.run_after_ms.into(),
                event.attempts.into(),
                Datum::String(event.error.clone()),
                Datum::BigInt((event.state != State::Pending).then_some(now_ms)),
            ]);
            sql.push(")");
        }
        sql.push(
            ") update crm_inbox set state = v.state, run_after_ms = v.run_after_ms, attempts = v.attempts,
               error = v.error, settled_ms = v.settled_ms, leased_until_ms = null
             from v where crm_inbox.org_id = ",
        );
        sql.bind(org).push(" and crm_inbox.system = ").bind(system);
        sql.push(" and crm_inbox.id = v.id and crm_inbox.fence = v.fence and crm_inbox.state = 'leased'");
        settled += tx.execute(sql).await?;
    }
    Ok(settled)
}

/// How many events of a connection there are by state.
pub async fn counts(tx: &mut Tx, org: Org, system: &str) -> Result<Vec<Count>> {
    let text = "select state, count(*) as events, min(received_ms) as oldest_ms
                from crm_inbox where org_id = $1 and system = $2 and state <> 'done' group by state order by state";
    tx.fetch(Sql::with(text, [org.into(), system.into()])).await
}

/// When the next event's time comes; none when none waits.
pub async fn next_due_ms(tx: &mut Tx, org: Org, system: &str) -> Result<Option<i64>> {
    let text = "select min(t) from (
                  select min(run_after_ms) as t from crm_inbox
                  where org_id = $1 and system = $2 and state = 'pending'
                  union all
                  select min(leased_until_ms) + 1 from crm_inbox
                  where org_id = $1 and system = $2 and state = 'leased'
                ) due";
    let row: Option<(Option<i64>,)> = tx.fetch_optional(Sql::with(text, [org.into(), system.into()])).await?;
    Ok(row.and_then(|(due,)| due))
}

/// Makes dead events pending again. How many there were.
pub async fn retry(tx: &mut Tx, org: Org, system: &str, now_ms: i64) -> Result<u64> {
    let text = "update crm_inbox set state = 'pending', attempts = 0, error = null, settled_ms = null, run_after_ms = $3
                where org_id = $1 and system = $2 and state = 'dead'";
    tx.execute(Sql::with(text, [org.into(), system.into(), now_ms.into()])).await
}

/// Forgets events that were taken in before a moment.
pub async fn forget(tx: &mut Tx, org: Org, before_ms: i64) -> Result<u64> {
    let text = "delete from crm_inbox where org_id = $1 and state = 'done' and settled_ms < $2";
    tx.execute(Sql::with(text, [org.into(), before_ms.into()])).await
}

/// Takes what events say of a record out of them; that they came stays known.
pub async fn empty(tx: &mut Tx, org: Org, system: &str, object: &str, records: &[String]) -> Result<u64> {
    let mut sql = Sql::new(&format!(
        "update crm_inbox set event = {} where org_id = ",
        tx.dialect().json_literal("{}")
    ));
    sql.bind(org).push(" and system = ").bind(system).push(" and object = ").bind(object);
    sql.push(" and record_id in (").bind_all(records.iter().map(String::as_str)).push(")");
    tx.execute(sql).await
}

/// Forgets all that came for a connection.
pub async fn clear(tx: &mut Tx, org: Org, system: &str) -> Result<u64> {
    let text = "delete from crm_inbox where org_id = $1 and system = $2";
    tx.execute(Sql::with(text, [org.into(), system.into()])).await
}
