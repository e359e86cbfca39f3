//! Works the tables of a run, two side by side where the database lets two write: while one batch is written, the next one
//! is read.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::derive::{self, Page};
use super::host::Host;
use super::people;
use super::plan::{Fault, Planned, Planner};
use super::run::{Progress, Run};
use super::source::Source;
use super::write::write;
use crate::error::{Code, Result, internal};
use crate::store::Dialect;
use crate::tables::{Catalog, Reading};

/// How many records a batch has at most, and how many the first one has.
const BATCH_MAX: usize = 2_500;
const BATCH_FIRST: usize = 500;
/// How many bytes a batch should read: records with transcripts are large.
const BATCH_BYTES: usize = 6 << 20;
/// How often a batch is tried when others hold what it needs.
const ATTEMPTS: usize = 3;
/// How many tables are worked side by side on PostgreSQL.
const LANES: usize = 2;

/// What the tables of a run have in common.
struct Job {
    host: Host,
    source: Source,
    run: Run,
    members: HashMap<String, Uuid>,
    /// How many records a batch may have, when that was said.
    batch: Option<usize>,
    /// Records that are done, and records there are, of all tables.
    done: AtomicU64,
    total: u64,
}

/// Works all tables to their ends.
pub(super) async fn work(
    host: Host,
    source: Source,
    run: Run,
    tables: &[&'static str],
    batch: Option<usize>,
) -> Result<()> {
    let mut rows = Vec::new();
    for table in tables {
        let mut row = run.table(&host.store, table).await?;
        row.total = source.count(table).await?;
        rows.push(row);
    }
    let members = people::bring(&host, &source, &run).await?;
    let sum = |of: fn(&Progress) -> i64| rows.iter().map(|row| u64::try_from(of(row)).unwrap_or(0)).sum();
    let (done, total) = (sum(|row| row.counts.read), sum(|row| row.total));
    let lanes = if host.store.dialect() == Dialect::Postgres { LANES } else { 1 };
    let job = Arc::new(Job { host, source, run, members, batch, done: AtomicU64::new(done), total });
    let waiting: VecDeque<(&'static str, Progress)> =
        tables.iter().copied().zip(rows).filter(|(_, row)| !row.is_done).collect();
    let waiting = Arc::new(Mutex::new(waiting));
    // Dropped with this call, and then nothing of it goes on.
    let mut working = JoinSet::new();
    for _ in 0..lanes {
        let (job, waiting) = (Arc::clone(&job), Arc::clone(&waiting));
        working.spawn(async move {
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some((table, progress)) = next else { return Ok(()) };
                job.table(table, progress).await?;
            }
        });
    }
    while let Some(ended) = working.join_next().await {
        ended.map_err(internal)??;
    }
    job.source.close().await;
    Ok(())
}

impl Job {
    async fn table(&self, table: &'static str, mut progress: Progress) -> Result<()> {
        let mut limit = self.batch.unwrap_or(BATCH_FIRST);
        let mut page = self.read(table, progress.checkpoint.as_deref(), limit).await?;
        loop {
            let is_last = page.records.len() < limit;
            let last = page.records.last().map(|record| record.id.clone());
            limit = self.batch.unwrap_or_else(|| fitting(&page));
            if is_last {
                return self.write(table, &page, &mut progress, true).await;
            }
            let (next, ()) = tokio::try_join!(
                self.read(table, last.as_deref(), limit),
                self.write(table, &page, &mut progress, false)
            )?;
            page = next;
        }
    }

    async fn read(&self, table: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        derive::page(&self.source, table, after, limit, self.run.began).await
    }

    /// Writes a page and how far that brings the table, in one transaction.
    async fn write(&self, table: &str, page: &Page, progress: &mut Progress, is_last: bool) -> Result<()> {
        let host = &self.host;
        let mut seen = match host.catalogs.last_seen(host.org) {
            Some(catalog) => catalog,
            None => host.catalogs.read(&host.store, host.org, host.clock.now()).await?.1,
        };
        let (mut planned, mut faults) = self.plan(&seen, table, page)?;
        let mut attempt = 1;
        loop {
            let (mut tx, catalog) = host.catalogs.begin(&host.store, host.org, host.clock.now()).await?;
            if catalog.version != seen.version {
                // Somebody changed the table since: what was planned may stand in other places now.
                drop(tx);
                (planned, faults) = self.plan(&catalog, table, page)?;
                seen = catalog;
                continue;
            }
            let mut further = progress.clone();
            let written = async {
                self.run.hold(&mut tx).await?;
                let counts = write(&mut tx, host, &catalog, catalog.table(table)?, &planned).await?;
                further.counts.add(counts);
                further.faults_new.clone_from(&faults);
                further.checkpoint =
                    page.records.last().map(|record| record.id.clone()).or(further.checkpoint.take());
                further.is_done = is_last;
                self.run.store(&mut tx, &mut further).await?;
                tx.commit().await
            };
            match written.await {
                Err(error) if error.code == Code::Busy && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
                Ok(()) => break *progress = further,
            }
        }
        let new = page.records.len() as u64;
        let done = self.done.fetch_add(new, Ordering::Relaxed) + new;
        (host.progress)(
            done,
            Some(self.total.max(done)),
            &format!("brought in {done} of {} records", self.total),
        );
        Ok(())
    }

    fn plan(&self, catalog: &Catalog, table: &str, page: &Page) -> Result<(Vec<Planned>, Vec<Fault>)> {
        let reading = Reading {
            zone: catalog.zone,
            now: self.run.began,
            members: &catalog.members,
            me: None,
            day_first: false,
        };
        let planner =
            Planner { table: catalog.table(table)?, reading, members: &self.members, began: self.run.began };
        Ok(planner.plan(&page.records))
    }
}

/// How many records the next batch should have, by the size of this one's.
fn fitting(page: &Page) -> usize {
    let each = page.bytes / page.records.len().max(1);
    (BATCH_BYTES / each.max(1)).clamp(20, BATCH_MAX)
}
