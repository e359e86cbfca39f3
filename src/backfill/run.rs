//! A run and how far it is, kept in the database: whoever takes it up goes on behind the last record that is written.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::host::Host;
use super::people::PROFILES;
use super::plan::Fault;
use crate::error::{Error, Result, conflict, internal};
use crate::store::{BackfillRow, BackfillTableRow, Org, Tx, backfills};

/// What is read: the application.
pub const APP: &str = "app";
/// A run that was left longer ago than this starts from the beginning.
const RESUMED_WITHIN: TimeDelta = TimeDelta::hours(24);
/// How many faults of a table are kept with their words; all are counted.
const FAULTS_MAX: usize = 100;

/// A run in our hands.
#[derive(Debug, Clone)]
pub(super) struct Run {
    org: Org,
    pub(super) id: Uuid,
    fence: i64,
    /// When it first began: what is in the future and what has passed is decided by that, however often it is taken up.
    pub(super) began: DateTime<Utc>,
    clock: crate::clock::Clock,
}

/// How far a table is.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    pub(super) key: String,
    position: i64,
    pub(super) is_done: bool,
    pub(super) checkpoint: Option<String>,
    pub(super) total: i64,
    pub(super) counts: Counts,
    left_out: i64,
    faults: Vec<Fault>,
    /// Those of the batch at hand.
    pub(super) faults_new: Vec<Fault>,
}

/// `read = created + updated + unchanged + archived + refused`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) read: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) unchanged: i64,
    pub(super) archived: i64,
    pub(super) refused: i64,
}

impl Run {
    /// Takes up the last run where it stopped, or starts one. Any other that is going on stops at its next batch.
    pub(super) async fn start(host: &Host, place: &str, tables: &[&str], restart: bool) -> Result<Run> {
        let now = host.clock.now();
        let mut tx = host.store.begin().await?;
        let latest = backfills::latest(&mut tx, host.org, APP).await?;
        let known = match &latest {
            Some(row) => backfills::tables(&mut tx, host.org, row.id).await?,
            None => Vec::new(),
        };
        let wanted: Vec<&str> = [PROFILES].into_iter().chain(tables.iter().copied()).collect();
        let is_same = known.iter().map(|table| table.table_key.as_str()).eq(wanted.iter().copied());
        let left = latest.filter(|row| {
            let is_open = row.state != "done" && row.updated_at + RESUMED_WITHIN > now;
            !restart && is_open && is_same && row.place == place
        });
        let is_resumed = left.is_some();
        let row = match left {
            None => BackfillRow::running(host.ids.next(), APP, place, now),
            Some(left) => BackfillRow {
                fence: left.fence + 1,
                started_at: left.started_at,
                ..BackfillRow::running(left.id, APP, place, now)
            },
        };
        backfills::stop(&mut tx, host.org, APP, Some(row.id), now).await?;
        backfills::put(&mut tx, host.org, &row).await?;
        let run = Run {
            org: host.org,
            id: row.id,
            fence: row.fence,
            began: row.started_at,
            clock: host.clock.clone(),
        };
        if !is_resumed {
            for (key, position) in wanted.iter().zip(0..) {
                run.store(&mut tx, &mut Progress::none(key, position)).await?;
            }
        }
        tx.commit().await?;
        Ok(run)
    }

    /// How far a table is.
    pub(super) async fn table(&self, store: &crate::store::Store, key: &str) -> Result<Progress> {
        let mut tx = store.read().await?;
        let rows = backfills::tables(&mut tx, self.org, self.id).await?;
        let row = rows.into_iter().find(|row| row.table_key == key);
        row.map(Progress::from_row).ok_or_else(|| internal("a table of the run is gone"))
    }

    /// Makes sure, until the transaction ends, that the run is still ours and nobody stopped it.
    pub(super) async fn hold(&self, tx: &mut Tx) -> Result<()> {
        match backfills::hold(tx, self.org, self.id).await? {
            Some(row) if row.fence == self.fence && row.state == "running" => Ok(()),
            Some(row) if row.fence == self.fence => {
                Err(conflict("the backfill was cancelled")
                    .hint("start it again: it goes on where it stopped"))
            }
            _ => Err(conflict("the backfill was taken up by another process")),
        }
    }

    /// Writes how far a table is.
    pub(super) async fn store(&self, tx: &mut Tx, progress: &mut Progress) -> Result<()> {
        progress.take_faults();
        backfills::put_table(tx, self.org, self.id, &progress.to_row(self.clock.now())?).await
    }

    /// Notes how it ended.
    pub(super) async fn finish(&self, host: &Host, error: Option<&Error>) -> Result<()> {
        let ending = match error {
            Some(error) => {
                let answer = serde_json::to_string(error).map_err(internal)?;
                ("failed", Some(error.message.clone()), Some(answer))
            }
            None => ("done", None, None),
        };
        let mut tx = host.store.begin().await?;
        let now = host.clock.now();
        backfills::finish(&mut tx, self.org, (self.id, self.fence), ending, now).await?;
        tx.commit().await
    }
}

impl Counts {
    pub(super) fn add(&mut self, more: Counts) {
        self.read += more.read;
        self.created += more.created;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
        self.archived += more.archived;
        self.refused += more.refused;
    }
}

impl Progress {
    fn none(key: &str, position: i64) -> Progress {
        Progress {
            key: key.to_owned(),
            position,
            is_done: false,
            checkpoint: None,
            total: 0,
            counts: Counts::default(),
            left_out: 0,
            faults: Vec::new(),
            faults_new: Vec::new(),
        }
    }

    pub(super) fn restart(&mut self) {
        *self = Progress::none(&self.key, self.position);
    }

    fn take_faults(&mut self) {
        let left_out = self.faults_new.iter().filter(|fault| fault.column.is_some()).count();
        self.left_out += i64::try_from(left_out).unwrap_or(i64::MAX);
        self.faults.append(&mut self.faults_new);
        self.faults.truncate(FAULTS_MAX);
    }

    fn from_row(row: BackfillTableRow) -> Progress {
        Progress {
            key: row.table_key,
            position: row.position,
            is_done: row.is_done,
            checkpoint: row.checkpoint,
            total: row.total,
            counts: Counts {
                read: row.read,
                created: row.created,
                updated: row.updated,
                unchanged: row.unchanged,
                archived: row.archived,
                refused: row.refused,
            },
            left_out: row.left_out,
            faults: serde_json::from_value(row.faults.0).unwrap_or_default(),
            faults_new: Vec::new(),
        }
    }

    fn to_row(&self, now: DateTime<Utc>) -> Result<BackfillTableRow> {
        let counts = self.counts;
        Ok(BackfillTableRow {
            table_key: self.key.clone(),
            position: self.position,
            is_done: self.is_done,
            checkpoint: self.checkpoint.clone(),
            total: self.total,
            read: counts.read,
            created: counts.created,
            updated: counts.updated,
            unchanged: counts.unchanged,
            archived: counts.archived,
            refused: counts.refused,
            left_out: self.left_out,
            faults: SqlJson(serde_json::to_value(&self.faults).map_err(internal)?),
            updated_at: now,
        })
    }
}
