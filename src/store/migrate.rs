//! Brings a database to this version's schema: numbered files, each applied once, then the views and
//! indexes that follow from the declarations.
//!
//! A migration is one text for both databases. Where it must differ it has a `.sqlite.sql` and a
//! `.postgres.sql` form. Numbers are never reused and released files never change.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::{Dialect, Sql, failed, health, postgres, sqlite};
use crate::error::{Error, Result, internal, invalid};

struct Numbered {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Numbered] = &[
    both(1, "core", include_str!("../../migrations/0001_core.sql")),
    Numbered {
        number: 2,
        name: "search",
        sqlite: include_str!("../../migrations/0002_search.sqlite.sql"),
        postgres: include_str!("../../migrations/0002_search.postgres.sql"),
    },
    Numbered {
        number: 3,
        name: "skills",
        sqlite: include_str!("../../migrations/0003_skills.sql"),
        postgres: concat!(
            include_str!("../../migrations/0003_skills.sql"),
            include_str!("../../migrations/0003_skills.postgres.sql")
        ),
    },
    both(4, "routing", include_str!("../../migrations/0004_routing.sql")),
    both(5, "sync", include_str!("../../migrations/0005_sync.sql")),
    both(6, "inbox", include_str!("../../migrations/0006_inbox.sql")),
    both(7, "polls", include_str!("../../migrations/0007_polls.sql")),
    both(8, "backfill", include_str!("../../migrations/0008_backfill.sql")),
    both(9, "derived", include_str!("../../migrations/0009_derived.sql")),
    both(10, "tasks", include_str!("../../migrations/0010_tasks.sql")),
];

const fn both(number: i64, name: &'static str, text: &'static str) -> Numbered {
    Numbered { number, name, sqlite: text, postgres: text }
}

/// How long a process tries again when others migrate the same SQLite file at the same moment, and how long
/// it waits in between.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);

pub(super) async fn sqlite(database: &sqlite::Sqlite, derived: &[String]) -> Result<()> {
    let started = Instant::now();
    loop {
        let mut conn = database.connection().await?;
        let up_to_date = applied(&mut *conn).await == all();
        let result = if up_to_date {
            Ok(())
        } else {
            migrator(Dialect::Sqlite).run_direct(None, &mut *conn, false).await
        };
        drop(conn);
        match result {
            Ok(()) => break,
            Err(error) if is_final(&error) || started.elapsed() > PATIENCE => return Err(refused(error)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    derive(database.begin().await.map(super::Tx::Sqlite)?, derived).await
}

pub(super) async fn postgres(database: &postgres::Postgres, derived: &[String]) -> Result<()> {
    let mut conn = database.connect().await?;
    if applied(&mut conn).await != all() {
        migrator(Dialect::Postgres).run_direct(None, &mut conn, false).await.map_err(refused)?;
    }
    drop(conn);
    derive(database.begin().await.map(super::Tx::Postgres)?, derived).await
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|migration| {
            let text = match dialect {
                Dialect::Sqlite => migration.sqlite,
                Dialect::Postgres => migration.postgres,
            };
            Migration::new(
                migration.number,
                Cow::Borrowed(migration.name),
                MigrationType::Simple,
                AssertSqlSafe(spelled(text, dialect)).into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

/// Every migration, with whether it is among those applied.
pub(super) fn known(applied: &BTreeSet<i64>) -> Vec<health::Migration> {
    MIGRATIONS
        .iter()
        .map(|migration| health::Migration {
            number: migration.number,
            name: migration.name,
            applied: applied.contains(&migration.number),
        })
        .collect()
}

fn all() -> BTreeSet<i64> {
    MIGRATIONS.iter().map(|migration| migration.number).collect()
}

/// The migrations that the database has; none when it cannot say, which the migrator then finds out. All of them count,
/// not the newest alone: of two that were made side by side, the one with the lower number may come later.
pub(super) async fn applied<C: Migrate>(conn: &mut C) -> BTreeSet<i64> {
    match conn.list_applied_migrations("_sqlx_migrations").await {
        Ok(applied) => applied.iter().map(|migration| migration.version).collect(),
        Err(_) => BTreeSet::new(),
    }
}

/// The text with its type tokens spelled for the database.
fn spelled(text: &str, dialect: Dialect) -> String {
    let tokens = match dialect {
        Dialect::Sqlite => [
            ("{id}", "blob"),
            ("{time}", "text"),
            ("{json}", "text"),
            ("{text}", "text"),
            ("{bytes}", "blob"),
            // A stable rowid for the search index: the implicit one may change under `vacuum`.
            ("{seq}", "seq integer primary key,"),
            ("{row_key}", "unique"),
        ],
        Dialect::Postgres => [
            ("{id}", "uuid"),
            ("{time}", "timestamptz"),
            ("{json}", "jsonb"),
            // Bytewise order and ASCII case, as SQLite has them: the same query gives the same page on both.
            ("{text}", "text collate \"C\""),
            ("{bytes}", "bytea"),
            ("{seq}", ""),
            ("{row_key}", "primary key"),
        ],
    };
    tokens.iter().fold(text.to_owned(), |text, (token, spelling)| text.replace(token, spelling))
}

/// Makes the derived views and indexes again when the declarations they come from have changed.
async fn derive(mut tx: super::Tx, derived: &[String]) -> Result<()> {
    let digest = hex::encode(Sha256::digest(derived.join(";\n")));
    if derived_from(&mut tx).await? == digest {
        return Ok(());
    }
    // The line itself is the lock: of several processes at once one makes the views, and the others see it.
    tx.execute(Sql::new(
        "insert into ops_settings (key, value) values ('derived', '')
         on conflict (key) do update set value = ops_settings.value",
    ))
    .await?;
    if derived_from(&mut tx).await? == digest {
        return Ok(());
    }
    for statement in derived {
        tx.execute(Sql::new(statement)).await?;
    }
    let noted = "update ops_settings set value = $1 where key = 'derived'";
    tx.execute(Sql::with(noted, [digest.into()])).await?;
    tx.commit().await
}

/// The digest of what the views and indexes were last made from; empty when they never were.
async fn derived_from(tx: &mut super::Tx) -> Result<String> {
    let text = "select value from ops_settings where key = 'derived'";
    let known: Option<(String,)> = tx.fetch_optional(Sql::new(text)).await?;
    Ok(known.map_or_else(String::new, |(digest,)| digest))
}

fn is_final(error: &MigrateError) -> bool {
    matches!(
        error,
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) | MigrateError::Dirty(_)
    )
}

fn refused(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => {
            invalid(format!("the database has schema version {version}, which this opstables does not know"))
                .hint("it was written by a newer version: install that one")
        }
        MigrateError::VersionMismatch(version) => {
            invalid(format!("schema version {version} of the database differs from this version's"))
                .hint("it was made by a pre-release build: use a new database")
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        other => internal(other),
    }
}
