//! The rows of a file or of a call, each with the line it begins on.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::{csv, json};
use crate::error::{Error, Result, invalid, not_found};

/// The largest file that is taken, in bytes; rows are held in memory to find repeated ones.
const BYTES_MAX: usize = 64 << 20;

/// Headings and rows, read completely.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name, for messages.
    pub name: String,
    pub format: Format,
    pub headings: Vec<String>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CSV with this character between cells.
    Csv(char),
    JsonLines,
    /// A list of objects.
    Objects,
}

/// A row: its cells in the order of the headings, or why it cannot be read.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: Result<Vec<Json>, String>,
}

impl Source {
    /// Reads a file; its ending says what it is: `.jsonl`, `.ndjson`, `.json`, or else CSV.
    pub fn open(path: &Path) -> Result<Source> {
        let shown = path.display();
        let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        if size > BYTES_MAX as u64 {
            return Err(too_large());
        }
        let bytes = std::fs::read(path).map_err(|error| {
            not_found(format!("the file `{shown}` cannot be read: {error}")).because(error)
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match path.extension().map(OsStr::to_ascii_lowercase).as_ref().and_then(|ending| ending.to_str()) {
            Some("jsonl" | "ndjson") => Source::json_lines(&name, &bytes),
            Some("json") => Source::json(&name, &bytes),
            Some("xlsx" | "xls" | "ods" | "numbers") => Err(invalid(format!("`{shown}` is a workbook"))
                .hint("save the sheet as CSV UTF-8 and import that")),
            _ => Source::csv(&name, &bytes),
        }
    }

    /// CSV whose first line holds the headings.
    pub fn csv(name: &str, bytes: &[u8]) -> Result<Source> {
        check_size(bytes)?;
        csv::read(name, bytes)
    }

    /// One JSON object a line.
    pub fn json_lines(name: &str, bytes: &[u8]) -> Result<Source> {
        check_size(bytes)?;
        Ok(json::read_lines(name, bytes))
    }

    /// One JSON list of objects.
    pub fn json(name: &str, bytes: &[u8]) -> Result<Source> {
        check_size(bytes)?;
        let rows: Vec<Map<String, Json>> = serde_json::from_slice(bytes).map_err(|error| {
            invalid(format!("`{name}` is not a list of objects: {error}"))
                .hint("write [{\"email\": \"jane@acme.com\"}, …], or one object a line in a .jsonl file")
        })?;
        Ok(Source::objects(name, rows))
    }

    /// Rows given as objects; their lines are counted from 1.
    pub fn objects(name: &str, rows: Vec<Map<String, Json>>) -> Source {
        let rows = rows.into_iter().zip(1..).map(|(row, line)| (line, Ok(row))).collect();
        json::table(name, Format::Objects, rows)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of one heading, where there are any.
    pub(super) fn cells(&self, heading: usize) -> impl Iterator<Item = &Json> {
        self.rows
            .iter()
            .filter_map(move |row| row.cells.as_ref().ok()?.get(heading))
            .filter(|cell| !is_blank(cell))
    }
}

impl Format {
    pub(super) fn describe(self) -> String {
        match self {
            Format::Csv('\t') => "CSV with tabs".to_owned(),
            Format::Csv(delimiter) => format!("CSV with {delimiter}"),
            Format::JsonLines => "JSON Lines".to_owned(),
            Format::Objects => "a list of objects".to_owned(),
        }
    }
}

/// Whether a cell holds nothing.
pub(super) fn is_blank(cell: &Json) -> bool {
    match cell {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn check_size(bytes: &[u8]) -> Result<()> {
    if bytes.len() > BYTES_MAX { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Error {
    invalid(format!("the file is larger than {} MiB", BYTES_MAX >> 20))
        .hint("split it and import the parts one after the other")
}
