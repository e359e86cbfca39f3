//! What can be said of a database without changing it: used to tell an operator what is wrong, so nothing here
//! migrates.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::{Engine, Sql, Store, Tx, migrate};
use crate::error::Result;

/// A schema version that this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    pub number: i64,
    pub name: &'static str,
    pub applied: bool,
}

/// The database server and the settings that decide whether a commit survives a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub product: &'static str,
    pub version: String,
    pub settings: Vec<(&'static str, String)>,
    /// Whether an acknowledged commit is on disk.
    pub is_durable: bool,
    /// The server's clock; none when it is this machine's.
    pub now: Option<DateTime<Utc>>,
}

/// How searches find their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchIndex {
    Consistent,
    /// There is none: searches read every row.
    Missing,
    Broken(String),
}

impl Store {
    /// The database's file that does not exist yet; connecting would make it.
    pub fn missing_file(&self) -> Option<PathBuf> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let file = sqlite.writer.connect_options().get_filename().to_owned();
                (!file.exists()).then_some(file)
            }
            Engine::Postgres(_) => None,
        }
    }

    /// The schema versions, each with whether the database has it.
    pub async fn migrations(&self) -> Result<Vec<Migration>> {
        if self.missing_file().is_some() {
            return Ok(migrate::known(&BTreeSet::new()));
        }
        let applied = match &self.engine {
            Engine::Sqlite(sqlite) => migrate::applied(&mut *sqlite.connection().await?).await,
            Engine::Postgres(postgres) => migrate::applied(&mut postgres.connect().await?).await,
        };
        Ok(migrate::known(&applied))
    }

    /// Connects and asks the server what it is.
    pub async fn server(&self) -> Result<Server> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite_server(&mut Tx::Sqlite(sqlite.read().await?)).await,
            Engine::Postgres(postgres) => {
                // The pool would try a refused connection again and again; this one says so at once.
                drop(postgres.connect().await?);
                postgres_server(&mut Tx::Postgres(postgres.read().await?)).await
            }
        }
    }

    /// Whether the search index is there and agrees with the rows.
    pub async fn search_index(&self) -> Result<SearchIndex> {
        match &self.engine {
            Engine::Sqlite(_) => {
                let mut tx = self.begin().await?;
                let check = "insert into ops_search (ops_search, rank) values ('integrity-check', 1)";
                Ok(match tx.execute(Sql::new(check)).await {
                    Ok(_) => SearchIndex::Consistent,
                    Err(error) => SearchIndex::Broken(
                        error.cause().map_or_else(|| error.to_string(), ToString::to_string),
                    ),
                })
            }
            Engine::Postgres(_) => {
                let valid = "select i.indisvalid from pg_index i where i.indexrelid = to_regclass('dynamic_table_rows_search')";
                let found: Option<(bool,)> = self.read_one(valid).await?;
                Ok(match found {
                    Some((true,)) => SearchIndex::Consistent,
                    Some((false,)) => {
                        SearchIndex::Broken("dynamic_table_rows_search is not valid".to_owned())
                    }
                    None => SearchIndex::Missing,
                })
            }
        }
    }

    /// Whether the database answers, with its schema up to date.
    pub async fn answers(&self) -> Result<()> {
        let _: Option<(i64,)> = self.read_one("select cast(1 as bigint)").await?;
        Ok(())
    }

    /// When the newest change of any organization was made.
    pub async fn newest_change(&self) -> Result<Option<DateTime<Utc>>> {
        let newest: Option<(DateTime<Utc>,)> =
            self.read_one("select created_at from ops_changes order by created_at desc limit 1").await?;
        Ok(newest.map(|(at,)| at))
    }

    async fn read_one<T: super::FromEither>(&self, text: &str) -> Result<Option<T>> {
        self.read().await?.fetch_optional(Sql::new(text)).await
    }
}

async fn sqlite_server(tx: &mut Tx) -> Result<Server> {
    let version = text(tx, "select sqlite_version()").await?;
    let journal = text(tx, "pragma journal_mode").await?;
    let synchronous: Option<(i64,)> = tx.fetch_optional(Sql::new("pragma synchronous")).await?;
    let synchronous = match synchronous.map(|(level,)| level) {
        Some(0) => "off",
        Some(1) => "normal",
        Some(2) => "full",
        Some(3) => "extra",
        _ => "unknown",
    };
    Ok(Server {
        product: "SQLite",
        version,
        is_durable: ["full", "extra"].contains(&synchronous),
        settings: vec![("journal_mode", journal), ("synchronous", synchronous.to_owned())],
        now: None,
    })
}

async fn postgres_server(tx: &mut Tx) -> Result<Server> {
    let version = text(tx, "select current_setting('server_version')").await?;
    let fsync = text(tx, "select current_setting('fsync')").await?;
    let synchronous = text(tx, "select current_setting('synchronous_commit')").await?;
    let now: Option<(DateTime<Utc>,)> = tx.fetch_optional(Sql::new("select clock_timestamp()")).await?;
    Ok(Server {
        product: "PostgreSQL",
        version,
        is_durable: fsync == "on" && synchronous != "off",
        settings: vec![("fsync", fsync), ("synchronous_commit", synchronous)],
        now: now.map(|(now,)| now),
    })
}

async fn text(tx: &mut Tx, statement: &str) -> Result<String> {
    let row: Option<(String,)> = tx.fetch_optional(Sql::new(statement)).await?;
    Ok(row.map(|(text,)| text).unwrap_or_default())
}
