//! The queues of what the CRMs must still learn: one line a row, holding which columns differ there.
//!
//! A line is pending until its time has come, leased while a worker sends it, done, dead when the CRM refuses it for good,
//! or paused by a person. Each claim moves the line's fence, so that whoever held it before can no longer say anything.

mod settle;

use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Dialect, Org, Sql, Tx};
use crate::error::Result;
pub use settle::settle;

/// A set of column keys, as the queues keep it: `{"email": true}`.
pub type Columns = serde_json::Map<String, serde_json::Value>;

/// One CRM's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue(&'static str);

/// What is to be put into a queue.
#[derive(Debug, Clone)]
pub struct Put {
    pub row_id: Uuid,
    pub table_key: &'static str,
    pub columns: Columns,
}

/// A line that a worker has leased.
#[derive(Debug, Clone, FromRow)]
pub struct Leased {
    pub row_id: Uuid,
    pub table_key: String,
    pub columns: SqlJson<Columns>,
    pub attempts: i64,
    pub fence: i64,
    pub in_doubt: bool,
}

/// What becomes of a leased line.
#[derive(Debug, Clone)]
pub struct Settled {
    pub row_id: Uuid,
    pub fence: i64,
    /// The columns that still differ, worked out while the row is held; none leaves those of the line, to which edits may have
    /// added since it was claimed.
    pub columns: Option<Columns>,
    pub state: State,
    pub run_after_ms: i64,
    /// How often it has been tried in vain.
    pub attempts: i64,
    pub in_doubt: bool,
    pub failure: Option<Failure>,
}

/// Why a line was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    pub class: &'static str,
    pub column: Option<String>,
    pub correlation: Option<String>,
}

/// The states of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Leased,
    Done,
    Dead,
    Paused,
}

/// How many lines of a table are in a state, with the oldest of them.
#[derive(Debug, Clone, FromRow)]
pub struct Count {
    pub table_key: String,
    pub state: String,
    pub error_class: Option<String>,
    pub lines: i64,
    pub oldest_ms: i64,
    pub newest_done_ms: Option<i64>,
}

/// A line with its last failure, as people read it.
#[derive(Debug, Clone, FromRow)]
pub struct Failed {
    pub row_id: Uuid,
    pub table_key: String,
    pub columns: SqlJson<Columns>,
    pub state: String,
    pub attempts: i64,
    pub run_after_ms: i64,
    pub error: Option<String>,
    pub error_class: Option<String>,
    pub error_column: Option<String>,
    pub correlation: Option<String>,
}

impl Queue {
    pub const HUBSPOT: Queue = Queue("hubspot_sync_queue");
    pub const ATTIO: Queue = Queue("attio_sync_queue");

    /// The name of the table.
    pub const fn table(self) -> &'static str {
        self.0
    }
}

impl Settled {
    /// The line waits again, with these columns or its own; what was in doubt is not any more.
    pub fn again(line: &Leased, columns: Option<Columns>, run_after_ms: i64) -> Settled {
        Settled {
            row_id: line.row_id,
            fence: line.fence,
            columns,
            state: State::Pending,
            run_after_ms,
            attempts: line.attempts,
            in_doubt: false,
            failure: None,
        }
    }

    /// The line holds nothing any more.
    pub fn done(line: &Leased, now_ms: i64) -> Settled {
        let columns = Some(Columns::new());
        Settled { state: State::Done, attempts: 0, ..Settled::again(line, columns, now_ms) }
    }
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Leased => "leased",
            State::Done => "done",
            State::Dead => "dead",
            State::Paused => "paused",
        }
    }
}

/// Adds columns to the rows' lines, and makes lines that are done or dead pending again. A line that waits keeps its
/// place and its attempts: an edit is no reason to call a CRM that just asked for patience.
pub async fn put(tx: &mut Tx, org: Org, queue: Queue, lines: &[Put], now_ms: i64) -> Result<()> {
    let name = queue.0;
    for chunk in lines.chunks(1_000) {
        let mut sql = Sql::bulk(tx.dialect(), &format!("insert into {name} as q ({INSERTED}) values "));
        for (i, line) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind_all([Datum::from(org), line.row_id.into(), line.table_key.into(), json(&line.columns)]);
            sql.push(", 'pending', 0, ").bind(now_ms).push(", 0, 0, false, ").bind(now_ms).push(")");
        }
        let union = tx.dialect().json_union("q.columns", "excluded.columns");
        sql.push(&format!(
            " on conflict (org_id, row_id) do update set columns = {union},
              state = case when q.state in ('done', 'dead') then 'pending' else q.state end,
              run_after_ms = case when q.state in ('done', 'dead') then excluded.run_after_ms else q.run_after_ms end,
              attempts = case when q.state in ('done', 'dead') then 0 else q.attempts end,
              enqueued_ms = case when q.state = 'done' then excluded.enqueued_ms else q.enqueued_ms end"
        ));
        tx.execute(sql).await?;
    }
    Ok(())
}

const INSERTED: &str = "org_id, row_id, table_key, columns, state, priority, run_after_ms, attempts, fence, in_doubt, enqueued_ms";

/// Has the row's record read back before anything more is sent of it.
pub async fn doubt(tx: &mut Tx, org: Org, queue: Queue, row: Uuid, table: &str, now_ms: i64) -> Result<()> {
    let mut sql = Sql::new(&format!("insert into {} ({INSERTED}) values (", queue.0));
    sql.bind_all([Datum::from(org), row.into(), table.into(), json(&Columns::new())]);
    sql.push(", 'pending', 0, ").bind(now_ms).push(", 0, 0, true, ").bind(now_ms);
    sql.push(
        ") on conflict (org_id, row_id) do update set in_doubt = true, run_after_ms = excluded.run_after_ms,
           state = 'pending'",
    );
    tx.execute(sql).await.map(drop)
}

/// Takes columns that agree again out of the rows' lines; a line that holds no other is done. Leased lines are left to
/// their worker.
pub async fn agree(tx: &mut Tx, org: Org, queue: Queue, rows: &[(Uuid, Columns)]) -> Result<()> {
    let name = queue.0;
    for (row, columns) in rows {
        let rest = tx.dialect().json_without("columns", columns.keys().map(String::as_str));
        let text = format!(
            "update {name} set columns = {rest}
             where org_id = $1 and row_id = $2 and state in ('pending', 'dead', 'paused')"
        );
        tx.execute(Sql::with(&text, [org.into(), (*row).into()])).await?;
        let empty = tx.dialect().json_literal("{}");
        let text = format!(
            "update {name} set state = 'done', in_doubt = false, error = null, error_class = null, error_column = null,
               correlation = null
             where org_id = $1 and row_id = $2 and state in ('pending', 'dead') and columns = {empty}"
        );
        tx.execute(Sql::with(&text, [org.into(), (*row).into()])).await?;
    }
    Ok(())
}

/// Leases lines whose time has come, the most urgent and oldest first. No two workers get the same one.
pub async fn claim(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    now_ms: i64,
    lease_ms: i64,
    most: i64,
) -> Result<Vec<Leased>> {
    let (name, skip) = (queue.0, tx.dialect().for_update_skip_locked());
    // Chosen once, before anything is updated: PostgreSQL may run a subquery again for each row, and then lease too many.
    let text = format!(
        "with due as materialized (
           select row_id from {name}
           where org_id = $1 and state = 'pending' and run_after_ms <= $2
           order by priority, run_after_ms, row_id limit $4{skip}
         )
         update {name} set state = 'leased', fence = fence + 1, leased_until_ms = $3
         where org_id = $1 and row_id in (select row_id from due)
         returning row_id, table_key, columns, attempts, fence, in_doubt"
    );
    let values = [org.into(), now_ms.into(), (now_ms + lease_ms).into(), most.into()];
    tx.fetch(Sql::with(&text, values)).await
}

/// Makes lines pending whose lease has run out. Whether they went out is not known.
pub async fn expire(tx: &mut Tx, org: Org, queue: Queue, now_ms: i64) -> Result<u64> {
    // Lines that somebody holds are left to the next look: waiting for them while holding others could go in a circle.
    let (name, skip) = (queue.0, tx.dialect().for_update_skip_locked());
    let text = format!(
        "update {name} set state = 'pending', in_doubt = true, leased_until_ms = null, run_after_ms = $2
         where org_id = $1 and row_id in (
           select row_id from {name} where org_id = $1 and state = 'leased' and leased_until_ms < $2{skip}
         )"
    );
    tx.execute(Sql::with(&text, [org.into(), now_ms.into()])).await
}

/// Makes dead and waiting lines pending now: all, those of a table, or those of some rows. How many there were.
pub async fn retry(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    table: Option<&str>,
    rows: &[Uuid],
    now_ms: i64,
) -> Result<u64> {
    let mut sql = Sql::new(&format!(
        "update {} set state = 'pending', attempts = 0, error = null, error_class = null, error_column = null,
           correlation = null, run_after_ms = ",
        queue.0
    ));
    sql.bind(now_ms).push(" where org_id = ").bind(org);
    sql.push(" and (state = 'dead' or (state = 'pending' and error is not null))");
    narrow(&mut sql, table, rows);
    tx.execute(sql).await
}

/// Gives up what dead lines hold: they are done, and the CRM keeps what it has. How many there were.
pub async fn discard(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    table: Option<&str>,
    rows: &[Uuid],
    now_ms: i64,
) -> Result<u64> {
    let empty = tx.dialect().json_literal("{}");
    let mut sql = Sql::new(&format!("update {} set state = 'done', columns = {empty}, done_ms = ", queue.0));
    sql.bind(now_ms).push(" where org_id = ").bind(org).push(" and state = 'dead'");
    narrow(&mut sql, table, rows);
    tx.execute(sql).await
}

/// The dead lines: all, those of a table, or those of some rows; with their fences, by which a change of them shows.
pub async fn dead(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    table: Option<&str>,
    rows: &[Uuid],
) -> Result<Vec<(Uuid, i64)>> {
    let mut sql = Sql::new(&format!("select row_id, fence from {} where org_id = ", queue.0));
    sql.bind(org).push(" and state = 'dead'");
    narrow(&mut sql, table, rows);
    sql.push(" order by row_id");
    tx.fetch(sql).await
}

/// Takes every line away. How many there were that still held something.
pub async fn clear(tx: &mut Tx, org: Org, queue: Queue) -> Result<u64> {
    let text = format!("delete from {} where org_id = $1 and state = 'done'", queue.0);
    tx.execute(Sql::with(&text, [org.into()])).await?;
    tx.execute(Sql::with(&format!("delete from {} where org_id = $1", queue.0), [org.into()])).await
}

/// Takes the lines of rows away, whatever they hold.
pub async fn remove(tx: &mut Tx, org: Org, queue: Queue, rows: &[Uuid]) -> Result<()> {
    for chunk in rows.chunks(5_000) {
        let mut sql = Sql::bulk(tx.dialect(), &format!("delete from {} where org_id = ", queue.0));
        sql.bind(org).push(" and row_id in (").bind_all(chunk.iter().copied()).push(")");
        tx.execute(sql).await?;
    }
    Ok(())
}

/// Holds back the lines that wait, or lets them go again. How many there were.
pub async fn pause(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    table: Option<&str>,
    rows: &[Uuid],
    paused: bool,
) -> Result<u64> {
    let (from, to) = if paused { ("pending", "paused") } else { ("paused", "pending") };
    let mut sql = Sql::new(&format!("update {} set state = '{to}' where org_id = ", queue.0));
    sql.bind(org).push(&format!(" and state = '{from}'"));
    narrow(&mut sql, table, rows);
    tx.execute(sql).await
}

fn narrow(sql: &mut Sql, table: Option<&str>, rows: &[Uuid]) {
    if let Some(table) = table {
        sql.push(" and table_key = ").bind(table);
    }
    if !rows.is_empty() {
        sql.push(" and row_id in (").bind_all(rows.iter().copied()).push(")");
    }
}

/// How many lines there are by table, state and class of their last failure.
pub async fn counts(tx: &mut Tx, org: Org, queue: Queue) -> Result<Vec<Count>> {
    let text = format!(
        "select table_key, state, error_class, count(*) as lines, min(enqueued_ms) as oldest_ms,
           max(done_ms) as newest_done_ms
         from {} where org_id = $1 group by table_key, state, error_class order by table_key, state, error_class",
        queue.0
    );
    tx.fetch(Sql::with(&text, [org.into()])).await
}

/// How many lines of each table were done since a moment.
pub async fn done_since(tx: &mut Tx, org: Org, queue: Queue, since_ms: i64) -> Result<Vec<(String, i64)>> {
    let text = format!(
        "select table_key, count(*) from {} where org_id = $1 and done_ms >= $2 group by table_key",
        queue.0
    );
    tx.fetch(Sql::with(&text, [org.into(), since_ms.into()])).await
}

/// The lines that failed last time, dead ones first.
pub async fn failed(
    tx: &mut Tx,
    org: Org,
    queue: Queue,
    table: Option<&str>,
    most: i64,
) -> Result<Vec<Failed>> {
    let mut sql = Sql::new(&format!(
        "select row_id, table_key, columns, state, attempts, run_after_ms, error, error_class, error_column, correlation
         from {} where org_id = ",
        queue.0
    ));
    sql.bind(org).push(" and state in ('dead', 'pending') and error is not null");
    if let Some(table) = table {
        sql.push(" and table_key = ").bind(table);
    }
    sql.push(" order by state, enqueued_ms, row_id limit ").bind(most);
    tx.fetch(sql).await
}

/// When the next line's time comes; none when no line waits.
pub async fn next_due_ms(tx: &mut Tx, org: Org, queue: Queue) -> Result<Option<i64>> {
    let text = format!(
        "select min(t) from (
           select min(run_after_ms) as t from {name} where org_id = $1 and state = 'pending'
           union all select min(leased_until_ms) + 1 from {name} where org_id = $1 and state = 'leased'
         ) due",
        name = queue.0
    );
    let row: Option<(Option<i64>,)> = tx.fetch_optional(Sql::with(&text, [org.into()])).await?;
    Ok(row.and_then(|(due,)| due))
}

fn json(columns: &Columns) -> Datum {
    Datum::Json(Some(Box::new(serde_json::Value::Object(columns.clone()))))
}

impl Dialect {
    /// Two JSON objects as one; where both have a key the second's value stands.
    fn json_union(self, one: &str, other: &str) -> String {
        match self {
            Dialect::Sqlite => format!("json_patch({one}, {other})"),
            Dialect::Postgres => format!("{one} || {other}"),
        }
    }

    /// A JSON object without some of its keys, which are names of columns.
    fn json_without<'a>(self, object: &str, keys: impl Iterator<Item = &'a str>) -> String {
        match self {
            Dialect::Sqlite => {
                let paths: Vec<String> = keys.map(|key| format!("'$.\"{key}\"'")).collect();
                format!("json_remove({object}, {})", paths.join(", "))
            }
            Dialect::Postgres => {
                let keys: Vec<String> = keys.map(|key| format!("'{key}'")).collect();
                format!("{object} - array[{}]", keys.join(", "))
            }
        }
    }

    /// JSON that stands in a statement's text.
    pub(super) fn json_literal(self, json: &str) -> String {
        match self {
            Dialect::Sqlite => format!("'{json}'"),
            Dialect::Postgres => format!("cast('{json}' as jsonb)"),
        }
    }
}
