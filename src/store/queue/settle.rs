//! What becomes of lines that were leased: stored by whoever still holds the lease.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Columns, INSERTED, Queue, Settled, State, json};
use crate::error::Result;
use crate::store::{Datum, Org, Sql, Tx};

/// Settles leased lines. Of those whose lease was lost nothing is stored; the rows that were settled are returned.
///
/// Each line is found by its key, whatever the database believes of the table: right after a large import it takes a queue for
/// almost empty, and would read all of it for every few lines. So they are upserts, of lines that are held and therefore there.
pub async fn settle(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    lines: &[Settled],
    now_ms: i64,
) -> Result<Vec<Uuid>> {
    let mut settled = Vec::with_capacity(lines.len());
    for chunk in lines.chunks(500) {
        let held = hold(tx, org, queue, chunk).await?;
        let there = chunk.iter().filter(|line| held.contains(&line.row_id));
        let (known, kept): (Vec<&Settled>, Vec<&Settled>) = there.partition(|line| line.columns.is_some());
        for (lines, columns) in [(known, "excluded.columns"), (kept, "q.columns")] {
            settled.extend(settle_held(tx, org, queue, &lines, columns, now_ms).await?);
        }
    }
    Ok(settled)
}

/// Settles lines that are held, each with the columns that the expression says.
async fn settle_held(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    lines: &[&Settled],
    columns: &str,
    now_ms: i64,
) -> Result<Vec<Uuid>> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let start = format!(
        "insert into {} as q ({INSERTED}, error, error_class, error_column, correlation, done_ms) values ",
        queue.0
    );
    let mut sql = Sql::bulk(tx.dialect(), &start);
    for (i, line) in lines.iter().enumerate() {
        let failure = line.failure.as_ref();
        let text = |part: Option<&str>| Datum::String(part.map(str::to_owned));
        sql.push(if i == 0 { "(" } else { ", (" });
        sql.bind_all([Datum::from(org), line.row_id.into()]).push(", '', ");
        sql.bind_all([
            json(line.columns.as_ref().unwrap_or(&Columns::new())),
            line.state.name().into(),
            0.into(),
            line.run_after_ms.into(),
            line.attempts.into(),
            line.fence.into(),
            line.in_doubt.into(),
            now_ms.into(),
            text(failure.map(|failure| failure.message.as_str())),
            text(failure.map(|failure| failure.class)),
            text(failure.and_then(|failure| failure.column.as_deref())),
            text(failure.and_then(|failure| failure.correlation.as_deref())),
            Datum::BigInt((line.state == State::Done).then_some(now_ms)),
        ]);
        sql.push(")");
    }
    sql.push(&format!(
        " on conflict (org_id, row_id) do update set columns = {columns}, state = excluded.state,
           run_after_ms = excluded.run_after_ms, attempts = excluded.attempts, in_doubt = excluded.in_doubt,
           leased_until_ms = null, error = excluded.error, error_class = excluded.error_class,
           error_column = excluded.error_column, correlation = excluded.correlation,
           done_ms = coalesce(excluded.done_ms, q.done_ms)
         where q.fence = excluded.fence and q.state = 'leased' returning row_id"
    ));
    let settled: Vec<(Uuid,)> = tx.fetch(sql).await?;
    Ok(settled.into_iter().map(|(row,)| row).collect())
}

/// Holds lines in the order of their rows, as writes do, so that no two transactions wait for each other in a circle; those
/// that are there.
async fn hold(tx: &mut Tx, org: Org, queue: Queue, lines: &[Settled]) -> Result<HashSet<Uuid>> {
    let mut rows: Vec<Uuid> = lines.iter().map(|line| line.row_id).collect();
    rows.sort_unstable();
    let (name, for_update) = (queue.0, tx.dialect().for_update());
    let mut sql = Sql::bulk(tx.dialect(), "with v (row_id) as (values ");
    for (i, row) in rows.into_iter().enumerate() {
        sql.push(if i == 0 { "(" } else { ", (" }).bind(row).push(")");
    }
    sql.push(&format!(") select (select q.row_id from {name} q where q.org_id = ")).bind(org);
    sql.push(&format!(" and q.row_id = v.row_id{for_update}) from v"));
    let held: Vec<(Option<Uuid>,)> = tx.fetch(sql).await?;
    Ok(held.into_iter().filter_map(|(row,)| row).collect())
}
