//! The application's tables as they are found: which of the expected columns are there, and how records are read.

use std::collections::HashMap;

use super::names::{Expected, Names, expected};
use crate::error::{Error, Result, internal, not_found};
use crate::store::app_source::{AppColumn, AppRecord, AppSource, AppTable, Read};

/// The types that an id may have.
const ID_KINDS: &[&str] = &["uuid", "text", "character varying", "bigint", "integer", "smallint"];

/// A source whose names were checked.
#[derive(Debug)]
pub(super) struct Source {
    db: AppSource,
    tables: HashMap<&'static str, Found>,
}

/// A table that was found, with the columns that were.
#[derive(Debug)]
struct Found {
    name: String,
    columns: HashMap<&'static str, AppColumn>,
}

/// Records with what was read of them, by our names.
#[derive(Debug)]
pub(super) struct Records {
    keys: &'static [&'static str],
    rows: Vec<AppRecord>,
}

/// One record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    keys: &'static [&'static str],
    row: &'a AppRecord,
}

impl Source {
    /// Finds what the wanted tables are read from.
    pub(super) async fn open(db: AppSource, names: &Names, wanted: &[&'static str]) -> Result<Source> {
        let there = db.tables().await?;
        let mut tables = HashMap::new();
        let main = |key: &str| wanted.contains(&key);
        for expected in needed(wanted) {
            let Some(name) = names.table(expected.key) else {
                if main(expected.key) {
                    return Err(no_table(expected.key, &there));
                }
                continue;
            };
            if !there.iter().any(|table| table == name) {
                let error = no_table(name, &there);
                return Err(if main(expected.key) {
                    error
                } else {
                    error.hint(format!(
                        "when it has none, say `table = \"\"` under [{}] in the names file",
                        expected.key
                    ))
                });
            }
            let columns = columns(&db, name, expected, names).await?;
            tables.insert(expected.key, Found { name: name.to_owned(), columns });
        }
        Ok(Source { db, tables })
    }

    pub(super) async fn count(&self, table: &str) -> Result<i64> {
        match self.tables.get(table) {
            Some(found) => self.db.count(&found.name).await,
            None => Ok(0),
        }
    }

    /// The whole records behind `after`, in the order of their ids.
    pub(super) async fn page(&self, table: &str, after: Option<&str>, limit: usize) -> Result<Records> {
        let keys = expected(table).map_or(&[][..], |expected| expected.columns);
        let Some(read) = self.read(table, keys) else { return Ok(Records { keys, rows: Vec::new() }) };
        Ok(Records { keys, rows: self.db.page(&read, after, limit).await? })
    }

    /// The records whose `key` is one of `values`, which are ids from the column `of` of another table.
    pub(super) async fn among(
        &self,
        table: &str,
        keys: &'static [&'static str],
        key: &str,
        of: (&str, &str),
        values: impl IntoIterator<Item = &str>,
    ) -> Result<Records> {
        let kind = self.column(of.0, of.1).map_or("text", |column| column.kind.as_str());
        match self.lookup(table, keys, key, values) {
            Some((read, place, values)) => {
                Ok(Records { keys, rows: self.db.among(&read, place, kind, &values).await? })
            }
            None => Ok(Records { keys, rows: Vec::new() }),
        }
    }

    /// The records whose `key` is one of these texts, whatever its case.
    pub(super) async fn among_folded(
        &self,
        table: &str,
        keys: &'static [&'static str],
        key: &str,
        values: impl IntoIterator<Item = &str>,
    ) -> Result<Records> {
        // SQLite folds the case of ASCII letters only.
        let forms: Vec<String> =
            values.into_iter().flat_map(|value| [value.to_lowercase(), value.to_ascii_lowercase()]).collect();
        match self.lookup(table, keys, key, forms.iter().map(String::as_str)) {
            Some((read, place, values)) => {
                Ok(Records { keys, rows: self.db.among_folded(&read, place, &values).await? })
            }
            None => Ok(Records { keys, rows: Vec::new() }),
        }
    }

    pub(super) fn has(&self, table: &str, key: &str) -> bool {
        self.column(table, key).is_some()
    }

    pub(super) async fn close(&self) {
        self.db.close().await;
    }

    fn column(&self, table: &str, key: &str) -> Option<&AppColumn> {
        self.tables.get(table)?.columns.get(key)
    }

    /// What a look-up takes; none when there is nothing to find.
    fn lookup<'v>(
        &self,
        table: &str,
        keys: &'static [&'static str],
        key: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Option<(AppTable, usize, Vec<String>)> {
        let place = keys.iter().position(|known| *known == key)?;
        let read = self.read(table, keys).filter(|read| read.reads.get(place) != Some(&Read::Nothing))?;
        let mut values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        values.sort_unstable();
        values.dedup();
        (!values.is_empty()).then_some((read, place, values))
    }

    /// What is read for these keys: `a` is a column, `a?` whether it is filled, `a+b` both joined.
    fn read(&self, table: &str, keys: &[&'static str]) -> Option<AppTable> {
        let found = self.tables.get(table)?;
        let reads = keys.iter().map(|key| {
            if let Some(key) = key.strip_suffix('?') {
                return found.columns.get(key).cloned().map_or(Read::Nothing, Read::Filled);
            }
            if key.contains('+') {
                return Read::Joined(
                    key.split('+').filter_map(|key| found.columns.get(key).cloned()).collect(),
                );
            }
            found.columns.get(key).cloned().map_or(Read::Nothing, Read::Value)
        });
        Some(AppTable { name: found.name.clone(), reads: reads.collect() })
    }
}

impl Records {
    pub(super) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.rows.iter().map(|row| Record { keys: self.keys, row })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The distinct values of a column.
    pub(super) fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter_map(move |record| record.get(key))
    }

    /// The records by the value of a column; of several with one value always the same one.
    pub(super) fn by(&self, key: &str) -> HashMap<&str, Record<'_>> {
        let mut by: HashMap<&str, Record<'_>> = HashMap::with_capacity(self.rows.len());
        for record in self.iter() {
            if let Some(value) = record.get(key) {
                let known = by.entry(value).or_insert(record);
                if record.row < known.row {
                    *known = record;
                }
            }
        }
        by
    }

    /// The records by the value of a column, those of one value in a fixed order.
    pub(super) fn groups(&self, key: &str) -> HashMap<&str, Vec<Record<'_>>> {
        let mut groups: HashMap<&str, Vec<Record<'_>>> = HashMap::with_capacity(self.rows.len());
        for record in self.iter() {
            if let Some(value) = record.get(key) {
                groups.entry(value).or_default().push(record);
            }
        }
        for group in groups.values_mut() {
            group.sort_by(|a, b| a.row.cmp(b.row));
        }
        groups
    }

    /// How many bytes the records hold.
    pub(super) fn bytes(&self) -> usize {
        self.rows.iter().flatten().flatten().map(String::len).sum()
    }
}

impl<'a> Record<'a> {
    /// The value, unless there is nothing in it.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let place = self.keys.iter().position(|known| *known == key)?;
        self.row.get(place)?.as_deref().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The first of these columns that has something in it.
    pub(super) fn first(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.get(key))
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "t" | "TRUE" | "True" | "1" | "yes"))
    }
}

/// The tables that the wanted ones are worked out from, each once.
fn needed(wanted: &[&'static str]) -> Vec<&'static Expected> {
    let mut keys = vec!["profiles"];
    for table in wanted {
        let own: &[&'static str] = match *table {
            "companies" => &["companies"],
            "contacts" => &["contacts", "companies", "meetings", "meeting_attendees"],
            "leads" => &["leads", "profiles", "meetings", "meeting_attendees"],
            "meetings" => &["meetings", "profiles", "leads", "contacts", "companies", "meeting_attendees"],
            "clients" => &["clients", "profiles", "deals"],
            _ => &[],
        };
        keys.extend(own);
    }
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter_map(expected).collect()
}

/// The expected columns that the table has. All that are missing are named at once.
async fn columns(
    db: &AppSource,
    table: &str,
    expected: &'static Expected,
    names: &Names,
) -> Result<HashMap<&'static str, AppColumn>> {
    let there = db.columns(table).await?;
    let (mut found, mut missing) = (HashMap::new(), Vec::new());
    for key in expected.columns.iter().copied() {
        let is_expected = !expected.optional.contains(&key);
        let Some((name, is_said)) = names.column(expected.key, key) else { continue };
        match there.iter().find(|column| column.name == name) {
            Some(column) => drop(found.insert(key, column.clone())),
            None if is_expected || is_said => missing.push((key, name)),
            None => {}
        }
    }
    if let Some((key, _)) = missing.first() {
        return Err(no_columns(table, expected.key, key, &missing, &there));
    }
    match found.get("id") {
        Some(id) if !ID_KINDS.contains(&id.kind.as_str()) => Err(Error::new(
            crate::error::Code::Invalid,
            format!("the ids of `{table}` are of type {}, by which records cannot be paged", id.kind),
        )
        .hint(format!("ids may be of type {}", ID_KINDS.join(", ")))),
        None if expected.columns.first() == Some(&"id") => Err(internal("a table without an id was taken")),
        _ => Ok(found),
    }
}

fn no_table(name: &str, there: &[String]) -> Error {
    let has = if there.is_empty() { "nothing".to_owned() } else { there.join(", ") };
    not_found(format!("the source has no table `{name}`; it has {has}")).hint(format!(
        "when it is called otherwise, name it: `table = \"…\"` under [{name}] in the names file"
    ))
}

fn no_columns(table: &str, section: &str, key: &str, missing: &[(&str, &str)], there: &[AppColumn]) -> Error {
    let names: Vec<String> = missing.iter().map(|(_, name)| format!("`{name}`")).collect();
    let word = if names.len() == 1 { "column" } else { "columns" };
    let has: Vec<&str> = there.iter().map(|column| column.name.as_str()).collect();
    not_found(format!(
        "the source has no {word} {} in `{table}`; it has {}",
        names.join(", "),
        has.join(", ")
    ))
    .hint(format!(
        "name it in the names file under [{section}]: `{key} = \"…\"`, or `{key} = \"\"` when there is none"
    ))
}
