//! What a backfill did so far: every record that was read is in one of its counts.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::plan::Fault;
use super::run::APP;
use crate::error::Result;
use crate::store::{BackfillRow, BackfillTableRow, Org, Tx, backfills};

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    pub id: String,
    /// Where the data comes from, without a password.
    pub place: String,
    /// running, done, failed or cancelled. One that was left by its process says running, with an old `updated_at`.
    pub state: String,
    /// Whether it went on where an earlier one stopped.
    pub is_resumed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub started_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    pub tables: Vec<TableReport>,
}

/// `read = created + updated + unchanged + archived + refused`, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TableReport {
    /// A table's key, or `profiles` for members.
    pub table: String,
    pub is_done: bool,
    /// How many records there were when it began.
    pub total: i64,
    pub read: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    /// Records whose rows are archived here or whose people were erased, and stay so.
    pub archived: i64,
    pub refused: i64,
    /// Values that were left out because their columns cannot take them; the first ones are among `faults`.
    pub values_left_out: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

impl Report {
    /// The last run's.
    pub(super) async fn latest(tx: &mut Tx, org: Org) -> Result<Option<Report>> {
        let run = backfills::latest(tx, org, APP).await?;
        Report::with_tables(tx, org, run).await
    }

    /// That of the run with this id.
    pub(super) async fn by_id(tx: &mut Tx, org: Org, id: Uuid) -> Result<Option<Report>> {
        let run = backfills::get(tx, org, id).await?;
        Report::with_tables(tx, org, run).await
    }

    async fn with_tables(tx: &mut Tx, org: Org, run: Option<BackfillRow>) -> Result<Option<Report>> {
        let Some(run) = run else { return Ok(None) };
        let tables = backfills::tables(tx, org, run.id).await?;
        Ok(Some(Report::of(run, tables)))
    }

    fn of(run: BackfillRow, tables: Vec<BackfillTableRow>) -> Report {
        let updated_at = tables.iter().map(|table| table.updated_at).fold(run.updated_at, Ord::max);
        Report {
            id: run.id.to_string(),
            place: run.place,
            state: run.state,
            is_resumed: run.fence > 1,
            error: run.error,
            started_at: run.started_at,
            updated_at,
            finished_at: run.finished_at,
            tables: tables.into_iter().map(TableReport::of).collect(),
        }
    }

    /// The same with no more than `most` faults of each table listed.
    #[must_use]
    pub fn shortened(mut self, most: usize) -> Report {
        for table in &mut self.tables {
            table.faults.truncate(most);
        }
        self
    }

    /// How many records and values were not taken.
    pub fn losses(&self) -> i64 {
        self.tables.iter().map(|table| table.refused + table.values_left_out).sum()
    }
}

impl TableReport {
    fn of(row: BackfillTableRow) -> TableReport {
        TableReport {
            table: row.table_key,
            is_done: row.is_done,
            total: row.total,
            read: row.read,
            created: row.created,
            updated: row.updated,
            unchanged: row.unchanged,
            archived: row.archived,
            refused: row.refused,
            values_left_out: row.left_out,
            faults: serde_json::from_value(row.faults.0).unwrap_or_default(),
        }
    }
}
