//! A folder of CSV and JSON Lines files, loaded into a temporary database: from there it is read as any other source.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::names::{EXPECTED, Names};
use crate::error::{Error, Result, invalid, not_found};
use crate::store::app_source::{AppRecord, AppSource};

/// How many records are loaded at once.
const BATCH: usize = 1_000;
/// What records are found by, besides their ids.
const LOOKED_UP: &[(&str, &str)] = &[
    ("meeting_attendees", "meeting_id"),
    ("meetings", "primary_contact_id"),
    ("meetings", "lead_id"),
    ("leads", "meeting_id"),
];

/// Loads the files named after the tables that a backfill reads.
pub(super) async fn load(folder: &Path, names: &Names) -> Result<AppSource> {
    let db = AppSource::temporary()?;
    let files = files(folder)?;
    for expected in EXPECTED {
        let Some(name) = names.table(expected.key) else { continue };
        let Some(path) = files.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name)) else {
            continue;
        };
        let key = names.column(expected.key, "id").map_or("id", |(id, _)| id);
        let mut table = Table { db: &db, name, key, columns: Vec::new(), waiting: Vec::new() };
        if is_csv(path) {
            table.csv(path).await?;
        } else {
            table.json_lines(path).await?;
        }
        for (key, column) in LOOKED_UP.iter().filter(|(key, _)| *key == expected.key) {
            if let Some((column, _)) = names.column(key, column)
                && table.columns.iter().any(|known| known == column)
            {
                db.index(name, column).await?;
            }
        }
    }
    Ok(db)
}

/// The folder's files of a kind that is read, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let shown = folder.display();
    let unread = |error: std::io::Error| {
        not_found(format!("the folder `{shown}` cannot be read: {error}")).because(error)
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        if ["csv", "jsonl", "ndjson"].iter().any(|known| ending == *known) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

/// A table that is being filled.
struct Table<'a> {
    db: &'a AppSource,
    name: &'a str,
    /// The column of its ids.
    key: &'a str,
    columns: Vec<String>,
    waiting: Vec<AppRecord>,
}

impl Table<'_> {
    async fn csv(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let mut reader = csv::ReaderBuilder::new().from_reader(BufReader::new(file));
        let headings = reader.headers().map_err(|error| unreadable(path, &error))?.clone();
        let headings =
            headings.iter().map(|heading| heading.trim_start_matches('\u{feff}').trim().to_owned());
        self.start(headings.collect()).await?;
        for record in reader.records() {
            let record = record.map_err(|error| unreadable(path, &error))?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |cell: &str| (!cell.trim().is_empty()).then(|| cell.to_owned());
            self.add(path, line, record.iter().map(cell).collect()).await?;
        }
        self.flush().await
    }

    async fn json_lines(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        for (text, line) in BufReader::new(file).lines().zip(1..) {
            let text = text.map_err(|error| unreadable(path, &error))?;
            let text = text.trim_start_matches('\u{feff}').trim();
            if text.is_empty() {
                continue;
            }
            let object: Map<String, Json> = serde_json::from_str(text).map_err(|error| {
                invalid(format!("{}, line {line} is no JSON object: {error}", path.display()))
            })?;
            self.widen(&object).await?;
            let mut record: AppRecord = vec![None; self.columns.len()];
            for (key, value) in object {
                if let Some(place) = self.columns.iter().position(|column| *column == key)
                    && let Some(cell) = record.get_mut(place)
                {
                    *cell = text_of(value);
                }
            }
            self.add(path, line, record).await?;
        }
        if self.columns.is_empty() {
            return Err(invalid(format!("`{}` is empty, so its columns are not known", path.display()))
                .hint("leave the file out, or use CSV, whose first line names the columns"));
        }
        self.flush().await
    }

    /// Takes in the columns that the object is the first to have.
    async fn widen(&mut self, object: &Map<String, Json>) -> Result<()> {
        if self.columns.is_empty() {
            return self.start(object.keys().cloned().collect()).await;
        }
        let new: Vec<String> = object.keys().filter(|key| !self.columns.contains(key)).cloned().collect();
        if !new.is_empty() {
            self.flush().await?;
        }
        for column in new {
            self.db.add_column(self.name, &column).await?;
            self.columns.push(column);
        }
        Ok(())
    }

    async fn start(&mut self, columns: Vec<String>) -> Result<()> {
        let distinct: BTreeSet<String> = columns.iter().map(|column| column.to_ascii_lowercase()).collect();
        if distinct.len() != columns.len() || columns.iter().any(String::is_empty) {
            return Err(invalid(format!("the columns of `{}` are not all named, each once", self.name)));
        }
        self.db.create(self.name, &columns, self.key).await?;
        self.columns = columns;
        Ok(())
    }

    async fn add(&mut self, path: &Path, line: u64, record: AppRecord) -> Result<()> {
        let id = self.columns.iter().position(|column| column == self.key);
        if id.is_some_and(|id| record.get(id).is_none_or(Option::is_none)) {
            return Err(invalid(format!("{}, line {line}: the record has no id", path.display()))
                .hint("records are known again by their ids: each needs its own"));
        }
        self.waiting.push(record);
        if self.waiting.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        self.db.insert(self.name, &self.columns, &self.waiting).await?;
        self.waiting.clear();
        Ok(())
    }
}

/// A value as a column of texts holds it.
fn text_of(value: Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => (!text.trim().is_empty()).then_some(text),
        other => Some(other.to_string()),
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    invalid(format!("`{}` cannot be read: {error}", path.display()))
        .hint("save it as CSV UTF-8, or as JSON Lines")
}
