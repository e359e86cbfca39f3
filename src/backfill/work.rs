//! Works the tables of a run, those of a stage side by side where the database lets two write: while one batch is written, the
//! next one is read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::STAGES;
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
    let job = Arc::new(Job { host, source, run, members, batch, done: AtomicU64::new(done), total });
    for stage in STAGES {
        let (due, later): (Vec<Progress>, Vec<Progress>) =
            rows.into_iter().partition(|row| stage.contains(&row.key.as_str()));
        rows = later;
        // Dropped with this call, and then nothing of it goes on.
        let mut working = JoinSet::new();
        for progress in due.into_iter().filter(|row| !row.is_done) {
            working.spawn(Arc::clone(&job).table(progress));
            if job.host.store.dialect() == Dialect::Sqlite {
                // One at a time may write.
                join(&mut working).await?;
            }
        }
        join(&mut working).await?;
    }
    job.source.close().await;
    Ok(())
}

async fn join(working: &mut JoinSet<Result<()>>) -> Result<()> {
    while let Some(ended) = working.join_next().await {
        ended.map_err(internal)??;
    }
    Ok(())
}

/// A page with what is to be written of it.
struct Batch {
    page: Page,
    plan: Plan,
    /// No record comes after these.
    is_last: bool,
}

/// What records say, by the columns that a table had at the time.
struct Plan {
    seen: Arc<Catalog>,
    planned: Vec<Planned>,
    faults: Vec<Fault>,
}

impl Job {
    async fn table(self: Arc<Job>, mut progress: Progress) -> Result<()> {
        let mut limit = self.batch.unwrap_or(BATCH_FIRST);
        let mut reading = JoinSet::new();
        reading.spawn(Arc::clone(&self).read(progress.key.clone(), progress.checkpoint.clone(), limit));
        while let Some(read) = reading.join_next().await {
            let batch = read.map_err(internal)??;
            if !batch.is_last {
                limit = self.batch.unwrap_or_else(|| fitting(&batch.page));
                let last = batch.page.records.last().map(|record| record.id.clone());
                reading.spawn(Arc::clone(&self).read(progress.key.clone(), last, limit));
            }
            self.write(batch, &mut progress).await?;
        }
        Ok(())
    }

    async fn read(self: Arc<Job>, table: String, after: Option<String>, limit: usize) -> Result<Batch> {
        let page = derive::page(&self.source, &table, after.as_deref(), limit, self.run.began).await?;
        let host = &self.host;
        let seen = match host.catalogs.last_seen(host.org) {
            Some(catalog) => catalog,
            None => host.catalogs.read(&host.store, host.org, host.clock.now()).await?.1,
        };
        let plan = self.plan(seen, &table, &page)?;
        Ok(Batch { is_last: page.records.len() < limit, page, plan })
    }

    /// Writes a page and how far that brings the table, in one transaction.
    async fn write(&self, batch: Batch, progress: &mut Progress) -> Result<()> {
        let (host, table) = (&self.host, progress.key.clone());
        let Batch { page, mut plan, is_last } = batch;
        let mut attempt = 1;
        loop {
            let (mut tx, catalog) = host.catalogs.begin(&host.store, host.org, host.clock.now()).await?;
            if catalog.version != plan.seen.version {
                // Somebody changed the table since: what was planned may stand in other places now.
                drop(tx);
                plan = self.plan(catalog, &table, &page)?;
                continue;
            }
            let mut further = progress.clone();
            let written = async {
                self.run.hold(&mut tx).await?;
                let counts = write(&mut tx, host, &catalog, catalog.table(&table)?, &plan.planned).await?;
                further.counts.add(counts);
                further.faults_new.clone_from(&plan.faults);
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

    fn plan(&self, seen: Arc<Catalog>, table: &str, page: &Page) -> Result<Plan> {
        let reading = Reading {
            zone: seen.zone,
            now: self.run.began,
            members: &seen.members,
            me: None,
            day_first: false,
        };
        let (members, began) = (&self.members, self.run.began);
        let (planned, faults) =
            Planner { table: seen.table(table)?, reading, members, began }.plan(&page.records);
        Ok(Plan { seen, planned, faults })
    }
}

/// How many records the next batch should have, by the size of this one's.
fn fitting(page: &Page) -> usize {
    let each = page.bytes / page.records.len().max(1);
    (BATCH_BYTES / each.max(1)).clamp(20, BATCH_MAX)
}
