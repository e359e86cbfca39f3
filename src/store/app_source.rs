//! The application's own data: a schema of a PostgreSQL server, or a temporary SQLite database that a folder's files were
//! loaded into. Read only, by pages, every value as text.

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};

use super::{Datum, Dialect, Sql};
use crate::error::{Error, Result, busy, internal, invalid};

const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
const LOADED_AT_ONCE: usize = 500;

/// A database to read records from.
#[derive(Debug)]
pub struct AppSource {
    engine: Engine,
    schema: String,
}

#[derive(Debug)]
enum Engine {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// A column of a table there, and its type's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppColumn {
    pub name: String,
    pub kind: String,
}

/// What is read of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    Value(AppColumn),
    /// `1` when there is anything in it, else nothing.
    Filled(AppColumn),
    /// The columns with a space between them, in lower case.
    Joined(Vec<AppColumn>),
    /// Nothing: the source has no such column.
    Nothing,
}

/// A table there, and what is read of it. The first value is the record's id.
#[derive(Debug, Clone)]
pub struct AppTable {
    pub name: String,
    pub reads: Vec<Read>,
}

/// A record's values in the order of [`AppTable::reads`].
pub type AppRecord = Vec<Option<String>>;

impl AppSource {
    /// A schema of a PostgreSQL server.
    pub fn postgres(url: &str, schema: &str) -> Result<AppSource> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| {
                invalid("the source's URL cannot be read")
                    .hint("use postgres://user:password@host:5432/database")
            })?
            .application_name("opstables backfill")
            .options([("timezone", "UTC"), ("default_transaction_read_only", "on")]);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        Ok(AppSource { engine: Engine::Postgres(pool.connect_lazy_with(options)), schema: schema.to_owned() })
    }

    /// An empty database that is gone when this is.
    pub fn temporary() -> Result<AppSource> {
        let options = SqliteConnectOptions::from_str("sqlite://")
            .map_err(internal)?
            .filename("")
            .pragma("journal_mode", "off")
            .pragma("synchronous", "off")
            .pragma("cache_size", "-8192");
        // Its one connection is the database.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ACQUIRE_TIMEOUT);
        Ok(AppSource { engine: Engine::Sqlite(pool.connect_lazy_with(options)), schema: String::new() })
    }

    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Postgres(_) => Dialect::Postgres,
            Engine::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// The tables and views that there are.
    pub async fn tables(&self) -> Result<Vec<String>> {
        let sql = match self.dialect() {
            Dialect::Postgres => Sql::with(
                "select cast(table_name as text) from information_schema.tables where table_schema = $1 order by 1",
                [self.schema.as_str().into()],
            ),
            Dialect::Sqlite => Sql::new("select name from sqlite_schema where type = 'table' order by 1"),
        };
        Ok(self.fetch(sql, 1).await?.into_iter().filter_map(|mut row| row.pop().flatten()).collect())
    }

    /// The columns of a table, in their order; none when there is no such table.
    pub async fn columns(&self, table: &str) -> Result<Vec<AppColumn>> {
        let sql = match self.dialect() {
            Dialect::Postgres => Sql::with(
                "select cast(column_name as text), cast(data_type as text) from information_schema.columns
                 where table_schema = $1 and table_name = $2 order by ordinal_position",
                [self.schema.as_str().into(), table.into()],
            ),
            Dialect::Sqlite => {
                Sql::with("select name, 'text' from pragma_table_info($1) order by cid", [table.into()])
            }
        };
        let columns = self.fetch(sql, 2).await?.into_iter().filter_map(|row| match row.as_slice() {
            [Some(name), Some(kind)] => Some(AppColumn { name: name.clone(), kind: kind.clone() }),
            _ => None,
        });
        Ok(columns.collect())
    }

    /// How many records a table has.
    pub async fn count(&self, table: &str) -> Result<i64> {
        let sql = Sql::new(&format!("select cast(count(*) as text) from {}", self.quoted_table(table)));
        let rows = self.fetch(sql, 1).await?;
        let count = rows.first().and_then(|row| row.first()?.as_ref()?.parse().ok());
        Ok(count.unwrap_or(0))
    }

    /// The records behind `after` in the order of their ids, `limit` at most.
    pub async fn page(&self, table: &AppTable, after: Option<&str>, limit: usize) -> Result<Vec<AppRecord>> {
        let Some(Read::Value(id)) = table.reads.first() else {
            return Err(internal("a page is read by a column"));
        };
        let name = quoted(&id.name);
        let mut sql = self.select(table);
        if let Some(after) = after {
            sql.push(&format!(" where {name} > cast(")).bind(after);
            sql.push(&format!(" as {})", self.type_of(id)));
        } else {
            sql.push(&format!(" where {name} is not null"));
        }
        // By the column itself: its bare name would be that of what is selected, which is its text.
        sql.push(&format!(" order by {}.{name} limit {limit}", quoted(&table.name)));
        self.fetch(sql, table.reads.len()).await
    }

    /// The records whose value in the place `key` is one of `values`; `kind` is the type that the values have.
    pub async fn among(
        &self,
        table: &AppTable,
        key: usize,
        kind: &str,
        values: &[String],
    ) -> Result<Vec<AppRecord>> {
        let mut sql = self.select(table);
        let (column, cast) = match table.reads.get(key) {
            Some(Read::Value(column)) if column.kind == kind => (quoted(&column.name), self.type_of(column)),
            // Ids of another type than the column's would not all be such values: compared as texts they are just not there.
            Some(read) => (format!("({})", self.expression(read)), "text".to_owned()),
            None => return Err(internal("records are looked up by a value that is read")),
        };
        self.push_among(&mut sql, &column, &cast, values);
        self.fetch(sql, table.reads.len()).await
    }

    /// The records whose text in the place `key` is one of `values`, whatever its case; `values` are in lower case.
    pub async fn among_folded(
        &self,
        table: &AppTable,
        key: usize,
        values: &[String],
    ) -> Result<Vec<AppRecord>> {
        let Some(read) = table.reads.get(key) else {
            return Err(internal("records are looked up by a value that is read"));
        };
        let mut sql = self.select(table);
        self.push_among(&mut sql, &format!("lower({})", self.expression(read)), "text", values);
        self.fetch(sql, table.reads.len()).await
    }

    /// Makes a table of texts; `key` is the column of its ids.
    pub async fn create(&self, table: &str, columns: &[String], key: &str) -> Result<()> {
        let columns: Vec<String> = columns
            .iter()
            .map(|name| format!("{} text{}", quoted(name), if name == key { " primary key" } else { "" }))
            .collect();
        self.execute(Sql::new(&format!("create table {} ({})", quoted(table), columns.join(", ")))).await
    }

    /// Adds a column of texts.
    pub async fn add_column(&self, table: &str, column: &str) -> Result<()> {
        self.execute(Sql::new(&format!("alter table {} add column {} text", quoted(table), quoted(column))))
            .await
    }

    /// Adds records; of two with one id the later one stands.
    pub async fn insert(&self, table: &str, columns: &[String], records: &[AppRecord]) -> Result<()> {
        let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let at_once = (self.dialect().max_values() / columns.len().max(1)).clamp(1, LOADED_AT_ONCE);
        for chunk in records.chunks(at_once) {
            let start = format!("insert or replace into {} ({}) values ", quoted(table), names.join(", "));
            let mut sql = Sql::bulk(Dialect::Sqlite, &start);
            for (i, record) in chunk.iter().enumerate() {
                sql.push(if i == 0 { "(" } else { ", (" });
                sql.bind_all(record.iter().map(|value| Datum::String(value.clone()))).push(")");
            }
            self.execute(sql).await?;
        }
        Ok(())
    }

    /// An index, so that a column's values are found again quickly.
    pub async fn index(&self, table: &str, column: &str) -> Result<()> {
        let name = quoted(&format!("{table}_{column}"));
        self.execute(Sql::new(&format!("create index {name} on {} ({})", quoted(table), quoted(column))))
            .await
    }

    pub async fn close(&self) {
        match &self.engine {
            Engine::Postgres(pool) => pool.close().await,
            Engine::Sqlite(pool) => pool.close().await,
        }
    }

    fn select(&self, table: &AppTable) -> Sql {
        let mut text = "select ".to_owned();
        for (i, read) in table.reads.iter().enumerate() {
            // Writing to a text cannot fail.
            let _ = write!(text, "{}{}", if i == 0 { "" } else { ", " }, self.expression(read));
        }
        Sql::new(&format!("{text} from {}", self.quoted_table(&table.name)))
    }

    fn push_among(&self, sql: &mut Sql, column: &str, cast: &str, values: &[String]) {
        let values = serde_json::Value::from(values.to_vec()).to_string();
        match self.dialect() {
            Dialect::Postgres => {
                sql.push(&format!(" where {column} = any (cast(array(select json_array_elements_text(cast("));
                sql.bind(values).push(&format!(" as json))) as {cast}[]))"));
            }
            Dialect::Sqlite => {
                sql.push(&format!(" where {column} in (select value from json_each("))
                    .bind(values)
                    .push("))");
            }
        }
    }

    /// What is read, as text.
    fn expression(&self, read: &Read) -> String {
        match read {
            Read::Value(column) => self.text_of(column),
            Read::Filled(column) => {
                format!("case when {} <> '' then '1' end", self.text_of(column))
            }
            Read::Joined(columns) => {
                let parts: Vec<String> =
                    columns.iter().map(|column| format!("coalesce({}, '')", self.text_of(column))).collect();
                format!("lower(trim({}))", parts.join(" || ' ' || "))
            }
            Read::Nothing => "cast(null as text)".to_owned(),
        }
    }

    /// A column's value as text; instants in one form, lists as JSON.
    fn text_of(&self, column: &AppColumn) -> String {
        let name = quoted(&column.name);
        let instant = "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'";
        match (self.dialect(), column.kind.as_str()) {
            (Dialect::Sqlite, _) | (Dialect::Postgres, "text") => name,
            (Dialect::Postgres, "timestamp with time zone") => {
                format!("to_char({name} at time zone 'UTC', {instant})")
            }
            (Dialect::Postgres, "timestamp without time zone") => format!("to_char({name}, {instant})"),
            (Dialect::Postgres, "ARRAY") => format!("cast(to_json({name}) as text)"),
            (Dialect::Postgres, _) => format!("cast({name} as text)"),
        }
    }

    /// The type to which an id's text is turned back.
    fn type_of(&self, column: &AppColumn) -> String {
        match self.dialect() {
            Dialect::Sqlite => "text".to_owned(),
            Dialect::Postgres => column.kind.clone(),
        }
    }

    fn quoted_table(&self, table: &str) -> String {
        match self.dialect() {
            Dialect::Postgres => format!("{}.{}", quoted(&self.schema), quoted(table)),
            Dialect::Sqlite => quoted(table),
        }
    }

    async fn fetch(&self, sql: Sql, columns: usize) -> Result<Vec<AppRecord>> {
        let (text, values) = sql.into_parts();
        match &self.engine {
            Engine::Postgres(pool) => {
                let rows = query(text, values).fetch_all(pool).await.map_err(unread)?;
                rows.iter()
                    .map(|row| (0..columns).map(|i| row.try_get_unchecked(i)).collect())
                    .collect::<sqlx::Result<_>>()
            }
            Engine::Sqlite(pool) => {
                let rows = sqlx::query_with(text, values).fetch_all(pool).await.map_err(unread)?;
                rows.iter().map(|row| (0..columns).map(|i| row.try_get_unchecked(i)).collect()).collect()
            }
        }
        .map_err(unread)
    }

    async fn execute(&self, sql: Sql) -> Result<()> {
        let (text, values) = sql.into_parts();
        match &self.engine {
            Engine::Postgres(_) => return Err(internal("the application's database is only read")),
            Engine::Sqlite(pool) => sqlx::query_with(text, values).execute(pool).await.map_err(unread)?,
        };
        Ok(())
    }
}

fn query(
    text: AssertSqlSafe<String>,
    values: SqlxValues,
) -> sqlx::query::Query<'static, sqlx::Postgres, SqlxValues> {
    sqlx::query_with(text, values)
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A driver's error while reading the application's data.
fn unread(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => {
            busy("the application's database cannot be reached").hint("check the source's URL").because(error)
        }
        sqlx::Error::Database(fault) => match fault.code().as_deref() {
            Some("28P01" | "28000" | "3D000") => {
                invalid(format!("the application's database cannot be opened: {fault}"))
                    .hint("check the source's URL")
            }
            Some("42501") => invalid(format!("the application's data may not be read: {fault}"))
                .hint("grant its user `select` on the tables"),
            Some("57014" | "57P01" | "57P03" | "53300") => busy("the application's database is busy")
                .hint("start the backfill again: it goes on")
                .because(error),
            _ => internal(error),
        },
        _ => internal(error),
    }
}
