//! Backfills: the application's own data becomes rows of the five tables, by the one write path.
//!
//! A record is a write of the moment at which it was last changed in the application, so what a person wrote here later stays.
//! Which row it is, and a digest of what it said last, are kept: a second run finds its rows, and only what is another
//! value than before is a write at all. A run's progress is stored in the transaction of each batch; killed, it goes on behind
//! the last one. Nothing is deleted, archived or brought back.
//!
//! No table waits for another: what a row shows of other records (the name of a contact's company, the lead of a meeting) is
//! looked up among the application's records, a page at a time. Only members come first, and what is computed from other rows
//! comes after these.

mod derive;
mod folder;
mod host;
mod names;
mod people;
mod plan;
mod report;
mod run;
mod said;
mod settings;
mod source;
mod targets;
mod work;
mod write;

pub use host::{Host, Report as Listener};
pub use names::{EXPECTED, Expected, Names};
pub use plan::Fault;
pub use report::{Report, TableReport};
pub use run::APP;
pub use settings::Settings;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use run::Run;
use source::Source;

use crate::error::{Result, internal, invalid};
use crate::store::backfills;
use crate::tables::table;

/// The tables in the order in which they are worked, those of a stage side by side. What rows show that is computed from
/// others comes from tables of the stages before, so that it is computed once and not with every batch of these.
const STAGES: &[&[&str]] = &[&["meetings", "leads"], &["contacts", "clients"], &["companies"]];

/// The tables that can be brought in, in the order of their stages.
pub fn tables() -> impl Iterator<Item = &'static str> {
    STAGES.iter().copied().flatten().copied()
}

/// A run that stands in the database as running and has yet to be worked.
#[derive(Debug)]
pub struct Begun {
    host: Host,
    source: Source,
    run: Run,
    tables: Vec<&'static str>,
    batch: Option<usize>,
}

/// Brings the tables in; of none named, all. An unfinished run of the same source and tables goes on unless `restart`.
pub async fn run(host: &Host, settings: &Settings, tables: &[&str], restart: bool) -> Result<Report> {
    begin(host, settings, tables, restart).await?.work().await
}

/// Opens the source and starts the run, or takes the unfinished one up.
pub async fn begin(host: &Host, settings: &Settings, tables: &[&str], restart: bool) -> Result<Begun> {
    let place = settings.place()?;
    let names = settings.names()?;
    let tables = chosen(host, tables).await?;
    let source = Source::open(settings.open(&names).await?, &names, &tables).await?;
    let run = Run::start(host, &place, &tables, restart).await?;
    Ok(Begun { host: host.clone(), source, run, tables, batch: settings.batch })
}

impl Begun {
    pub fn id(&self) -> Uuid {
        self.run.id
    }

    /// When it first began, which is long ago for a run that was taken up.
    pub fn began(&self) -> DateTime<Utc> {
        self.run.began
    }

    /// Works it to its end and notes how that was.
    pub async fn work(self) -> Result<Report> {
        let Begun { host, source, run, tables, batch } = self;
        let worked = work::work(host.clone(), source, run.clone(), &tables, batch).await;
        run.finish(&host, worked.as_ref().err()).await?;
        worked?;
        find(&host, run.id).await?.ok_or_else(|| internal("the run is gone"))
    }
}

/// What the last run did, or has done so far.
pub async fn status(host: &Host) -> Result<Option<Report>> {
    let mut tx = host.store.read().await?;
    Report::latest(&mut tx, host.org).await
}

/// What the run with this id did, or has done so far.
pub async fn find(host: &Host, id: Uuid) -> Result<Option<Report>> {
    let mut tx = host.store.read().await?;
    Report::by_id(&mut tx, host.org, id).await
}

/// Stops the run that is going on, in whatever process, at the end of its batch; whether there was one.
pub async fn cancel(host: &Host) -> Result<bool> {
    let mut tx = host.store.begin().await?;
    let stopped = backfills::stop(&mut tx, host.org, APP, None, host.clock.now()).await?;
    tx.commit().await?;
    Ok(stopped > 0)
}

/// Stops the run with this id, and no other, at the end of its batch; whether it was going on.
pub async fn cancel_run(host: &Host, id: Uuid) -> Result<bool> {
    let mut tx = host.store.begin().await?;
    let stopped = backfills::cancel(&mut tx, host.org, id, host.clock.now()).await?;
    tx.commit().await?;
    Ok(stopped)
}

/// The tables that are meant, in the order of [`tables()`]; of none named, those that the organization has.
async fn chosen(host: &Host, wanted: &[&str]) -> Result<Vec<&'static str>> {
    let (tx, catalog) = host.catalogs.read(&host.store, host.org, host.clock.now()).await?;
    drop(tx);
    for key in wanted {
        if table(key).is_none() {
            return Err(invalid(format!("there is no table `{key}`")).choices(key, self::tables()));
        }
        catalog.table(key)?;
    }
    let is_chosen =
        |key: &&str| if wanted.is_empty() { catalog.table(key).is_ok() } else { wanted.contains(key) };
    Ok(self::tables().filter(is_chosen).collect())
}
