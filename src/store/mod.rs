//! Two databases behind four verbs: begin, execute, fetch, commit. SQL without meaning.
//!
//! A statement is one text in the subset both databases share ([`Sql`]); what remains different is a named
//! method of [`Dialect`]. Nothing outside this folder sees a driver's type.

pub mod app_source;
pub mod backfills;
mod bulk;
pub mod changes;
pub mod conflicts;
pub mod connections;
pub mod derived;
mod dialect;
pub mod erased;
pub mod health;
pub mod hooks;
pub mod idempotency;
pub mod inbox;
mod kept;
pub mod ledger;
pub mod links;
mod migrate;
pub mod organizations;
mod packed;
pub mod polls;
mod postgres;
pub mod queue;
pub mod routed;
pub mod rows;
pub mod skills;
mod sql;
mod sqlite;
pub mod structure;

use std::sync::Arc;

use sqlx::FromRow;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use app_source::AppSource;
pub use backfills::{AppLinkRow, BackfillRow, BackfillTableRow};
pub use changes::{Change, ChangeRow};
pub use conflicts::ConflictRow;
pub use connections::ConnectionRow;
pub use dialect::{Bucket, Dialect, like_literal};
pub use idempotency::Remembered;
pub use ledger::LedgerRow;
pub use links::LinkRow;
pub use organizations::{MemberRow, OrganizationRow};
pub use queue::Queue;
pub use rows::{Row, RowHead, SlotColumn};
pub use sql::{
    Datum, Field, Sql, flag_of as read_flag, id_of as read_id, integer_of as read_integer,
    number_of as read_number, text_of as read_text, time_of as read_time,
};
pub use structure::{ColumnRow, TableRow, ViewRow};

use crate::error::{Result, busy, invalid};

/// An organization's id. Every statement takes one; every key starts with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Org(pub Uuid);

/// An open database. Connecting and migrating happen on first use, so that a server can answer what needs
/// no data at once.
#[derive(Debug)]
pub struct Store {
    engine: Engine,
    /// The statements derived from declarations that a migrated database must have run: views and indexes.
    derived: Vec<String>,
    ready: OnceCell<()>,
    url: String,
}

#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// One unit of work on one connection: a read, or a transaction that holds until [`Tx::commit`]. Dropped
/// without it, everything is rolled back and a statement still running is stopped.
#[derive(Debug)]
pub enum Tx {
    Sqlite(sqlite::SqliteTx),
    Postgres(postgres::PostgresTx),
}

/// A row type that reads from both drivers.
pub trait FromEither:
    for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + for<'r> FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin
{
}

impl<T> FromEither for T where
    T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin
{
}

impl Store {
    /// Opens a database by its URL: `sqlite://path/to/file.db` or `postgres://user@host/database`.
    /// `derived` lists the views and indexes that follow from declarations.
    pub fn open(url: &str, derived: fn(Dialect) -> Vec<String>) -> Result<Arc<Store>> {
        let engine = match url.split(':').next() {
            Some("sqlite") => Engine::Sqlite(sqlite::Sqlite::open(url)?),
            Some("postgres" | "postgresql") => Engine::Postgres(postgres::Postgres::open(url)?),
            _ => {
                return Err(invalid(format!("`{}` is not a database URL", shown(url)))
                    .hint("use sqlite://path/to/file.db or postgres://user:password@host/database"));
            }
        };
        let dialect = match engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        };
        Ok(Arc::new(Store { engine, derived: derived(dialect), ready: OnceCell::new(), url: shown(url) }))
    }

    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The database's URL without its password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connects and brings the schema up to date, once; later calls cost nothing.
    pub async fn ready(&self) -> Result<()> {
        self.ready
            .get_or_try_init(|| async {
                match &self.engine {
                    Engine::Sqlite(sqlite) => migrate::sqlite(sqlite, &self.derived).await,
                    Engine::Postgres(postgres) => migrate::postgres(postgres, &self.derived).await,
                }
            })
            .await
            .copied()
    }

    /// Whether the database was used already.
    pub fn is_ready(&self) -> bool {
        self.ready.initialized()
    }

    /// A connection to read from. What it sees is one moment on PostgreSQL and, statement by statement,
    /// the newest committed state on SQLite.
    pub async fn read(&self) -> Result<Tx> {
        self.ready().await?;
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read().await.map(Tx::Sqlite),
            Engine::Postgres(postgres) => postgres.read().await.map(Tx::Postgres),
        }
    }

    /// A connection to read one statement from, if one is at hand: the quickest there is.
    pub fn at_hand(&self) -> Option<Tx> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.at_hand().map(Tx::Sqlite),
            Engine::Postgres(postgres) => postgres.at_hand().map(Tx::Postgres),
        }
    }

    /// A connection to read from, with the organization's catalog version as of it.
    pub async fn read_with_version(&self, org: Org) -> Result<(Tx, Option<i64>)> {
        self.ready().await?;
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let mut tx = sqlite.read().await.map(Tx::Sqlite)?;
                let version = organizations::version(&mut tx, org).await?;
                Ok((tx, version))
            }
            Engine::Postgres(postgres) => {
                let (tx, version) = postgres.read_with_version(org).await?;
                Ok((Tx::Postgres(tx), version))
            }
        }
    }

    /// A transaction that may write. On SQLite it is the only one until it ends.
    pub async fn begin(&self) -> Result<Tx> {
        self.ready().await?;
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.begin().await.map(Tx::Sqlite),
            Engine::Postgres(postgres) => postgres.begin().await.map(Tx::Postgres),
        }
    }

    /// Runs one definition statement outside any transaction, as an index on a slot just taken into use.
    pub async fn define(&self, statement: &str) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.define(statement).await,
            Engine::Postgres(postgres) => postgres.define(statement).await,
        }
    }

    /// Closes every connection, so that a file can be moved or deleted.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }
}

impl Tx {
    pub fn dialect(&self) -> Dialect {
        match self {
            Tx::Sqlite(_) => Dialect::Sqlite,
            Tx::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; the number of rows it touched.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64> {
        match self {
            Tx::Sqlite(tx) => tx.execute(sql).await,
            Tx::Postgres(tx) => tx.execute(sql).await,
        }
    }

    /// The rows of a statement, as `T`.
    pub async fn fetch<T: FromEither>(&mut self, sql: Sql) -> Result<Vec<T>> {
        match self {
            Tx::Sqlite(tx) => tx.fetch(sql).await,
            Tx::Postgres(tx) => tx.fetch(sql).await,
        }
    }

    /// The first row of a statement, when there is one.
    pub async fn fetch_optional<T: FromEither>(&mut self, sql: Sql) -> Result<Option<T>> {
        Ok(self.fetch(sql).await?.into_iter().next())
    }

    /// The rows of a statement whose columns are known only at run time, as the listed fields.
    pub async fn fetch_fields(&mut self, sql: Sql, fields: &[Field]) -> Result<Vec<Vec<Datum>>> {
        match self {
            Tx::Sqlite(tx) => tx.fetch_fields(sql, fields).await,
            Tx::Postgres(tx) => tx.fetch_fields(sql, fields).await,
        }
    }

    /// Like [`Tx::fetch_fields`], for a select with some dozens of rows.
    pub async fn fetch_page(&mut self, sql: Sql, fields: &[Field]) -> Result<Vec<Vec<Datum>>> {
        match self {
            Tx::Sqlite(tx) => tx.fetch_page(sql, fields).await,
            Tx::Postgres(tx) => tx.fetch_fields(sql, fields).await,
        }
    }

    /// Makes everything since `begin` durable and visible.
    pub async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        }
    }
}

/// A transaction whose statement failed is not committed: PostgreSQL would roll it back and say it was done,
/// SQLite would keep the rest.
fn half_done() -> crate::error::Error {
    crate::error::internal("a statement of the transaction failed, so it cannot be committed")
}

/// Turns a driver's error into ours: what the caller can act on, or an internal error with its cause.
fn failed(error: sqlx::Error) -> crate::error::Error {
    match &error {
        sqlx::Error::PoolTimedOut => {
            busy("all database connections are in use").hint("try again in a moment").because(error)
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => busy("the database cannot be reached")
            .hint("check OPSTABLES_DATABASE_URL and that the server is up; `opstables doctor` says more")
            .because(error),
        sqlx::Error::Database(fault) => match fault.code().as_deref() {
            // SQLite: busy, locked; PostgreSQL: serialization failure, deadlock, too many connections,
            // shutting down.
            Some("5" | "6" | "261" | "517" | "40001" | "40P01" | "53300" | "57P01" | "57P03") => {
                busy("the database is busy")
                    .hint("nothing was changed; the same call can be made again")
                    .because(error)
            }
            // SQLite: interrupted; PostgreSQL: query cancelled.
            Some("9" | "57014") => crate::error::cancelled(),
            // PostgreSQL: wrong password, wrong user, no such database; SQLite: cannot open, no database.
            Some("28P01" | "28000" | "3D000" | "14" | "26") => {
                invalid(format!("the database cannot be opened: {fault}"))
                    .hint("check OPSTABLES_DATABASE_URL")
            }
            _ => crate::error::internal(error),
        },
        _ => crate::error::internal(error),
    }
}

/// A URL as it may be shown: without its password.
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_shown_url_keeps_no_password() {
        assert_eq!(shown("postgres://ann:s3cret@db/ops"), "postgres://ann@db/ops");
        assert_eq!(shown("sqlite://ops.db"), "sqlite://ops.db");
    }
}
