//! What an import did, or would do: every row of the file is in one of its counts, every loss has a reason.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::error::{Result, internal};

/// How many faults are kept with their words; all are counted.
const FAULTS_MAX: usize = 10_000;

/// `rows = created + updated + unchanged + refused + left_out`, always.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Report {
    /// Whether nothing was stored: the counts say what an import would do.
    pub dry_run: bool,
    pub source: String,
    /// How the file was read, as `CSV with ;`.
    pub format: String,
    /// Rows of the file, without its heading line.
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Rows not stored because of a fault, each among `faults`.
    pub refused: u64,
    /// Rows that no `[[into]]` of the mapping takes.
    pub left_out: u64,
    pub tables: Vec<TableReport>,
    /// Headings whose cells are not stored, with the reason.
    pub not_imported: Vec<NotImported>,
    pub faults: Vec<Fault>,
    /// Faults beyond those listed.
    pub more_faults: u64,
    /// Rows that mean the same record as an earlier row of the file and were put over it.
    pub repeated: Vec<Repeated>,
    /// Repeated rows beyond those listed.
    pub more_repeated: u64,
    /// Members added because a row names them.
    pub people_added: Vec<String>,
    /// The changes made, in order, one for each batch and table; `undo_change` takes back each.
    pub change_ids: Vec<String>,
    /// What was decided on the way, as sentences.
    pub notes: Vec<String>,
    /// The first rows as they would be stored; only in a dry run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<Sample>,
}

/// What became of the rows that one part of the mapping took.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct TableReport {
    pub table: String,
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub refused: u64,
    /// Which columns find a row again, best first; none when it is the row's whole content.
    pub matched_by: Vec<String>,
    pub mapped: Vec<Mapped>,
    pub columns_created: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mapped {
    /// The heading, several joined by ` + `, or the constant in quotes.
    pub from: String,
    pub column: String,
    /// Why: the column's `key`, its `label`, another `word` for it, or the `mapping` says so.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotImported {
    pub table: String,
    pub heading: String,
    pub why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Something wrong in a line, and what would be right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// The line of the file where the row begins, counted as an editor does; of a list, the row's number.
    pub line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub why: String,
    /// Whether the whole row was refused, not only this cell.
    pub row_refused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Repeated {
    pub table: String,
    pub line: u64,
    pub first_line: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sample {
    pub line: u64,
    pub table: String,
    pub cells: Map<String, Json>,
}

/// What became of one row of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Created,
    Updated,
    Unchanged,
    Refused,
}

impl Report {
    /// Counts one row of the file, for its table when one took it.
    pub(super) fn count(&mut self, route: Option<usize>, outcome: Outcome) {
        bump(outcome, [&mut self.created, &mut self.updated, &mut self.unchanged, &mut self.refused]);
        if let Some(table) = route.and_then(|route| self.tables.get_mut(route)) {
            table.rows += 1;
            bump(outcome, [&mut table.created, &mut table.updated, &mut table.unchanged, &mut table.refused]);
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX { self.faults.push(fault) } else { self.more_faults += 1 }
    }

    pub(super) fn repeat(&mut self, repeated: Repeated) {
        if self.repeated.len() < FAULTS_MAX { self.repeated.push(repeated) } else { self.more_repeated += 1 }
    }

    /// The same report with no more than `most` faults and repeated rows listed.
    #[must_use]
    pub fn shortened(mut self, most: usize) -> Report {
        self.more_faults += self.faults.len().saturating_sub(most) as u64;
        self.faults.truncate(most);
        self.more_repeated += self.repeated.len().saturating_sub(most) as u64;
        self.repeated.truncate(most);
        self
    }

    /// How many rows of the file are in one of the counts.
    pub(super) fn accounted(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.refused + self.left_out
    }

    /// The report, once every row of the file is accounted for.
    pub(super) fn checked(mut self) -> Result<Report> {
        let known = self.accounted();
        if known != self.rows {
            return Err(internal(format!("an import of {} rows accounts for {known}", self.rows)));
        }
        self.faults.sort_by_key(|fault| fault.line);
        self.repeated.sort_by_key(|repeated| repeated.line);
        Ok(self)
    }
}

fn bump(outcome: Outcome, [created, updated, unchanged, refused]: [&mut u64; 4]) {
    *match outcome {
        Outcome::Created => created,
        Outcome::Updated => updated,
        Outcome::Unchanged => unchanged,
        Outcome::Refused => refused,
    } += 1;
}
