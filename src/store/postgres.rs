//! PostgreSQL, and what speaks its protocol.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::{Connection as _, Postgres as Driver, Row as _};

use super::kept::{Kept, Place};
use super::{Datum, Field, FromEither, Org, Sql, failed, half_done};
use crate::error::{Result, invalid};

const CONNECTIONS: u32 = 10;
const READ: &str = "begin isolation level repeatable read read only";
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The advisory lock of whoever makes an index, and how long others wait before they ask for it again.
const DEFINING: i64 = 0x6f70_7374_6162_6c65;
const DEFINING_PAUSE: Duration = Duration::from_millis(20);
/// How long the connection that stops others is kept after a cancellation.
const STOPPER_IDLE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Postgres {
    connections: Arc<Kept<Driver, Backend>>,
    /// Stops what was dropped half-way. Beside the pool, because all of that may be waiting to be stopped.
    stopper: PgPool,
}

/// The server process of a connection.
type Backend = i32;

/// A connection in use; `backend` is the server process to stop when the work is dropped half-way, known once
/// a first transaction has begun on it.
#[derive(Debug)]
pub struct PostgresTx {
    conn: Option<PoolConnection<Driver>>,
    place: Option<Place<Driver, Backend>>,
    stopper: PgPool,
    backend: Option<Backend>,
    running: bool,
    open: bool,
    failed: bool,
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Postgres> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| {
                invalid(format!("the PostgreSQL URL cannot be read: {error}"))
                    .hint("use postgres://user:password@host:5432/database")
            })?
            .application_name("opstables")
            .statement_cache_capacity(256)
            .options([("timezone", "UTC")]);
        let pool = || PgPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
        let stopper = pool().max_connections(1).idle_timeout(STOPPER_IDLE).connect_lazy_with(options.clone());
        let pool = pool().max_connections(CONNECTIONS).test_before_acquire(false).connect_lazy_with(options);
        Ok(Postgres { connections: Kept::new(pool, CONNECTIONS, ACQUIRE_TIMEOUT), stopper })
    }

    /// A connection beside the pool, to find out whether the server can be reached at all: the pool would try
    /// a refused connection again until its time is up, and then not say why.
    pub(super) async fn connect(&self) -> Result<PgConnection> {
        let options = self.connections.pool().connect_options();
        match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await {
            Ok(connected) => connected.map_err(failed),
            Err(_) => Err(failed(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
    }

    pub(super) async fn read(&self) -> Result<PostgresTx> {
        Ok(self.start(READ, "null::bigint").await?.0)
    }

    /// A read with the organization's catalog version, in the round trip that opens it.
    pub(super) async fn read_with_version(&self, org: Org) -> Result<(PostgresTx, Option<i64>)> {
        // An id's text is hexadecimal digits and dashes; the simple protocol takes no bound values.
        let version = format!("(select version from ops_organizations where id = '{}')", org.0);
        self.start(READ, &version).await
    }

    /// A connection for one statement that is a transaction by itself, if one is at hand.
    pub(super) fn at_hand(&self) -> Option<PostgresTx> {
        let (place, conn, backend) = self.connections.at_hand()?;
        let stopper = self.stopper.clone();
        let (conn, place, backend) = (Some(conn), Some(place), Some(backend));
        Some(PostgresTx { conn, place, stopper, backend, running: false, open: false, failed: false })
    }

    pub(super) async fn begin(&self) -> Result<PostgresTx> {
        Ok(self.start("begin", "null::bigint").await?.0)
    }

    /// Indexes are made one after the other: two that are made concurrently wait for each other's snapshots.
    /// The lock goes with the connection, and who waits for it asks again, so as to hold no snapshot.
    pub(super) async fn define(&self, statement: &str) -> Result<()> {
        let mut conn = self.connect().await?;
        let lock = || sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(DEFINING);
        while !lock().fetch_one(&mut conn).await.map_err(failed)? {
            tokio::time::sleep(DEFINING_PAUSE).await;
        }
        let (text, _) = Sql::new(statement).into_parts();
        sqlx::raw_sql(text).execute(&mut conn).await.map_err(failed)?;
        conn.close().await.map_err(failed)
    }

    pub(super) async fn close(&self) {
        self.connections.close().await;
        self.stopper.close().await;
    }

    /// Opens a transaction and learns its server process and one more number, in one round trip. A pooled connection that died
    /// while idle is thrown away and the next one tried.
    async fn start(&self, begin: &'static str, number: &str) -> Result<(PostgresTx, Option<i64>)> {
        let mut attempts = CONNECTIONS + 1;
        loop {
            let place = self.connections.place().await?;
            let (conn, backend) = match place.take() {
                Some((conn, backend)) => (conn, Some(backend)),
                None => (self.connections.pool().acquire().await.map_err(failed)?, None),
            };
            // Open before it begins: dropped in the middle, its connection must not be given to others.
            let mut tx = PostgresTx {
                conn: Some(conn),
                place: Some(place),
                stopper: self.stopper.clone(),
                backend,
                running: false,
                open: true,
                failed: false,
            };
            let (text, _) = Sql::new(&format!("{begin}; select pg_backend_pid(), {number}")).into_parts();
            match tx.run(async |conn| sqlx::raw_sql(text).fetch_one(&mut **conn).await).await {
                Ok(row) => {
                    tx.backend = Some(row.try_get(0).map_err(failed)?);
                    let number = row.try_get(1).map_err(failed)?;
                    return Ok((tx, number));
                }
                Err(error) => {
                    // As if it were still running: then it is closed.
                    tx.running = true;
                    attempts -= 1;
                    if attempts == 0 {
                        return Err(error);
                    }
                }
            }
        }
    }
}

impl PostgresTx {
    pub(super) async fn execute(&mut self, sql: Sql) -> Result<u64> {
        let is_kept = sql.is_kept();
        let (text, values) = sql.into_parts();
        let query = sqlx::query_with(text, values).persistent(is_kept);
        let done = self.run(async |conn| query.execute(&mut **conn).await).await?;
        Ok(done.rows_affected())
    }

    pub(super) async fn fetch<T: FromEither>(&mut self, sql: Sql) -> Result<Vec<T>> {
        let is_kept = sql.is_kept();
        let (text, values) = sql.into_parts();
        let query = sqlx::query_as_with::<Driver, T, _>(text, values).persistent(is_kept);
        self.run(async |conn| query.fetch_all(&mut **conn).await).await
    }

    pub(super) async fn fetch_fields(&mut self, sql: Sql, fields: &[Field]) -> Result<Vec<Vec<Datum>>> {
        let is_kept = sql.is_kept();
        let (text, values) = sql.into_parts();
        let query = sqlx::query_with(text, values).persistent(is_kept);
        let rows = self.run(async |conn| query.fetch_all(&mut **conn).await).await?;
        rows.iter().map(|row| read_fields(row, fields)).collect()
    }

    /// Runs a `copy … from stdin` with its whole input.
    pub(super) async fn copy_in(&mut self, statement: &str, input: Vec<u8>) -> Result<()> {
        self.run(async |conn| {
            let mut copy = conn.copy_in_raw(statement).await?;
            copy.send(input).await?;
            copy.finish().await
        })
        .await
        .map(drop)
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        if self.failed {
            return Err(half_done());
        }
        self.run(async |conn| sqlx::raw_sql("commit").execute(&mut **conn).await).await?;
        self.open = false;
        Ok(())
    }

    /// Runs `work` on the connection, marked as running so that a drop in the middle stops it.
    async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PoolConnection<Driver>) -> sqlx::Result<T>,
    ) -> Result<T> {
        let Some(conn) = self.conn.as_mut() else {
            return Err(crate::error::internal("the connection was given back already"));
        };
        self.running = true;
        let result = work(conn).await;
        self.running = false;
        self.failed |= result.is_err();
        result.map_err(failed)
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        let (Some(mut conn), Some(place)) = (self.conn.take(), self.place.take()) else { return };
        let (stopper, backend, running) = (self.stopper.clone(), self.backend, self.running);
        if !self.open && !running {
            if let (Some(backend), false) = (backend, self.failed) {
                place.bring_back(conn, backend);
            }
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if running {
                // Closed, since its answer was never read; ended first, because a server at work does not look
                // whether its client has gone. A mere cancel would miss a statement that is still on its way.
                // The connection is in this task's hands until then, so it cannot hit anybody else's work.
                conn.close_on_drop();
                let Some(backend) = backend else { return };
                let stop = sqlx::query("select pg_terminate_backend($1)").bind(backend);
                if let Err(error) = stop.execute(&stopper).await {
                    tracing::warn!(error = %error, "a cancelled statement could not be stopped");
                }
            } else if sqlx::raw_sql("rollback").execute(&mut *conn).await.is_err() {
                conn.close_on_drop();
            } else if let Some(backend) = backend {
                place.bring_back(conn, backend);
            }
        });
    }
}

/// A row's cells. Collected as results, they would be moved each time there is one more than room for.
fn read_fields(row: &PgRow, fields: &[Field]) -> Result<Vec<Datum>> {
    let mut cells = Vec::with_capacity(fields.len());
    for (i, field) in fields.iter().enumerate() {
        cells.push(read_field(row, i, *field).map_err(failed)?);
    }
    Ok(cells)
}

fn read_field(row: &PgRow, i: usize, field: Field) -> sqlx::Result<Datum> {
    Ok(match field {
        Field::Id => Datum::Uuid(row.try_get(i)?),
        // Most cells are text, and any type would be read as such: comparing types would take as long as reading.
        Field::Text => Datum::String(row.try_get_unchecked(i)?),
        Field::Integer => Datum::BigInt(row.try_get(i)?),
        Field::Number => Datum::Double(row.try_get(i)?),
        Field::Time => Datum::ChronoDateTimeUtc(row.try_get(i)?),
        Field::Flag => Datum::Bool(row.try_get(i)?),
        Field::Json => {
            Datum::Json(row.try_get::<Option<sqlx::types::Json<_>>, _>(i)?.map(|json| Box::new(json.0)))
        }
    })
}
