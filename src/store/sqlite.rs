//! The embedded database: one file, one writer at a time, several readers beside it.

use std::path::Path;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::pool::{PoolConnection, PoolConnectionMetadata};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite as Driver, SqliteConnection};

use super::kept::{Kept, Place};
use super::{Datum, Field, FromEither, Sql, failed, half_done, packed};
use crate::error::{Code, Result, invalid};

/// How long a transaction waits for another process to finish its own before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const READERS: u32 = 4;
/// How long a transaction sleeps at most before it tries again to begin.
const PAUSE_MAX: Duration = Duration::from_millis(10);
/// How many virtual machine steps a statement runs between looks at its stop flag.
const STEPS_BETWEEN_LOOKS: i32 = 4_000;

#[derive(Debug)]
pub struct Sqlite {
    pub(super) writer: SqlitePool,
    readers: Arc<Kept<Driver, Stop>>,
}

/// Stops the statement that runs on a connection.
type Stop = Arc<AtomicBool>;

/// A connection in use; the flag stops its running statement when the work is dropped half-way.
#[derive(Debug)]
pub struct SqliteTx {
    conn: Option<PoolConnection<Driver>>,
    stop: Stop,
    /// Where the connection goes back to; none for the writer's, which its pool takes back.
    place: Option<Place<Driver, Stop>>,
    running: bool,
    open: bool,
    failed: bool,
}

impl Sqlite {
    pub(super) fn open(url: &str) -> Result<Sqlite> {
        let options = SqliteConnectOptions::from_str(url).map_err(|error| {
            invalid(format!("`{url}` is not a SQLite URL: {error}")).hint("use sqlite://path/to/file.db")
        })?;
        create_folder(options.get_filename())?;
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL would acknowledge a commit before it is on disk.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .statement_cache_capacity(256)
            // A page of rows crosses over from the engine's thread at once.
            .row_buffer_size(256)
            .pragma("mmap_size", "268435456")
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "memory");
        let pool = || SqlitePoolOptions::new().test_before_acquire(false).acquire_timeout(BUSY_TIMEOUT);
        let writer = pool().max_connections(1).after_connect(no_wait).connect_lazy_with(options.clone());
        let readers = pool().max_connections(READERS).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Sqlite { writer, readers: Kept::new(readers, READERS, BUSY_TIMEOUT) })
    }

    pub(super) async fn read(&self) -> Result<SqliteTx> {
        let place = self.readers.place().await?;
        if let Some((conn, stop)) = place.take() {
            return Ok(SqliteTx::over(conn, stop, Some(place)));
        }
        let mut tx = SqliteTx::new(acquire(self.readers.pool()).await?).await?;
        tx.place = Some(place);
        Ok(tx)
    }

    /// A connection to read from, if one is at hand.
    pub(super) fn at_hand(&self) -> Option<SqliteTx> {
        let (place, conn, stop) = self.readers.at_hand()?;
        Some(SqliteTx::over(conn, stop, Some(place)))
    }

    pub(super) async fn begin(&self) -> Result<SqliteTx> {
        let mut tx = SqliteTx::new(acquire(&self.writer).await?).await?;
        let (started, mut pause) = (Instant::now(), Duration::ZERO);
        loop {
            // Open before it begins: dropped in the middle, it may still begin, and must be rolled back.
            tx.open = true;
            let begun = tx.execute(Sql::new("begin immediate")).await;
            (tx.open, tx.failed) = (begun.is_ok(), false);
            match begun {
                Ok(_) => return Ok(tx),
                Err(error) if error.code == Code::Busy && started.elapsed() < BUSY_TIMEOUT => {}
                Err(error) => return Err(error),
            }
            // SQLite itself would look ever more seldom the longer it waits, and late comers would go first.
            pause = PAUSE_MAX.min(pause + Duration::from_millis(1));
            tokio::time::sleep(pause).await;
        }
    }

    /// The writer's connection, without a transaction.
    pub(super) async fn connection(&self) -> Result<PoolConnection<Driver>> {
        acquire(&self.writer).await
    }

    pub(super) async fn define(&self, statement: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.execute(Sql::new(statement)).await?;
        tx.commit().await
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl SqliteTx {
    async fn new(mut conn: PoolConnection<Driver>) -> Result<SqliteTx> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        conn.lock_handle()
            .await
            .map_err(failed)?
            .set_progress_handler(STEPS_BETWEEN_LOOKS, move || !flag.load(Ordering::Relaxed));
        Ok(SqliteTx::over(conn, stop, None))
    }

    fn over(conn: PoolConnection<Driver>, stop: Stop, place: Option<Place<Driver, Stop>>) -> SqliteTx {
        SqliteTx { conn: Some(conn), stop, place, running: false, open: false, failed: false }
    }

    pub(super) async fn execute(&mut self, sql: Sql) -> Result<u64> {
        let (text, values) = sql.into_parts();
        let query = sqlx::query_with(text, values);
        let done = self.run(async |conn| query.execute(&mut **conn).await).await?;
        Ok(done.rows_affected())
    }

    pub(super) async fn fetch<T: FromEither>(&mut self, sql: Sql) -> Result<Vec<T>> {
        let (text, values) = sql.into_parts();
        let query = sqlx::query_as_with::<Driver, T, _>(text, values);
        self.run(async |conn| query.fetch_all(&mut **conn).await).await
    }

    pub(super) async fn fetch_fields(&mut self, sql: Sql, fields: &[Field]) -> Result<Vec<Vec<Datum>>> {
        let (text, values) = sql.into_parts();
        let query = sqlx::query_with(text, values);
        let rows = self.run(async |conn| query.fetch_all(&mut **conn).await).await?;
        rows.iter().map(|row| read_fields(row, fields)).collect()
    }

    pub(super) async fn fetch_page(&mut self, sql: Sql, fields: &[Field]) -> Result<Vec<Vec<Datum>>> {
        let (text, values) = packed::pack(sql.clone(), fields).into_parts();
        let query = sqlx::query_scalar_with::<Driver, String, _>(text, values);
        let rows = self.run(async |conn| query.fetch_one(&mut **conn).await).await?;
        match packed::unpack(&rows, fields)? {
            Some(rows) => Ok(rows),
            None => self.fetch_fields(sql, fields).await,
        }
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        if self.failed {
            return Err(half_done());
        }
        if self.open {
            self.execute(Sql::new("commit")).await?;
            self.open = false;
        }
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

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if self.running {
            self.stop.store(true, Ordering::Relaxed);
        } else if !self.open
            && !self.failed
            && let Some(place) = self.place.take()
            && let Some(conn) = self.conn.take()
        {
            place.bring_back(conn, Arc::clone(&self.stop));
        }
        if self.open
            && let (Some(mut conn), Ok(runtime)) = (self.conn.take(), tokio::runtime::Handle::try_current())
        {
            let stop = Arc::clone(&self.stop);
            runtime.spawn(async move {
                // The flag has done its work once the statement it stopped is over; the rollback must run.
                if let Ok(mut handle) = conn.lock_handle().await {
                    handle.remove_progress_handler();
                }
                stop.store(false, Ordering::Relaxed);
                let rolled_back = sqlx::raw_sql("rollback").execute(&mut *conn).await;
                if rolled_back.is_err() {
                    conn.close_on_drop();
                }
            });
        }
    }
}

/// A row's cells. Collected as results, they would be moved each time there is one more than room for.
fn read_fields(row: &SqliteRow, fields: &[Field]) -> Result<Vec<Datum>> {
    let mut cells = Vec::with_capacity(fields.len());
    for (i, field) in fields.iter().enumerate() {
        cells.push(read_field(row, i, *field).map_err(failed)?);
    }
    Ok(cells)
}

fn read_field(row: &SqliteRow, i: usize, field: Field) -> sqlx::Result<Datum> {
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

/// A connection of the pool. Opening one can find a new file in the hands of another process that is just
/// making it a write-ahead-log one, which SQLite does not wait for by itself.
async fn acquire(pool: &SqlitePool) -> Result<PoolConnection<Driver>> {
    let started = Instant::now();
    loop {
        match pool.acquire().await.map_err(failed) {
            Err(error) if error.code == Code::Busy && started.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(PAUSE_MAX).await;
            }
            acquired => return acquired,
        }
    }
}

/// Once connected, the writer waits for other processes by itself, in [`Sqlite::begin`].
fn no_wait(
    conn: &mut SqliteConnection,
    _: PoolConnectionMetadata,
) -> Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send + '_>> {
    Box::pin(async move { sqlx::raw_sql("pragma busy_timeout = 0").execute(conn).await.map(drop) })
}

fn create_folder(file: &Path) -> Result<()> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        invalid(format!("the folder `{}` cannot be made: {error}", folder.display()))
            .hint("choose another place with --database-url")
    })
}
