//! Derived columns as time passes, and as a whole: what a moment changes, all of them anew, and whether they are right.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{again, by, fill, follow, named, place, signals, system};
use crate::clock::{Clock, Ids};
use crate::error::Result;
use crate::records::actor::Source;
use crate::records::merge::Stamp;
use crate::records::stored::{Stored, get_all, lock};
use crate::records::write::Draft;
use crate::store::{Field, Org, Sql, Store, Tx, derived, read_text, rows};
use crate::tables::{COMPANIES, CONTACTS, Catalog, CatalogTable, Catalogs, Table, line};

/// How many rows are brought up to date in one transaction.
const BATCH: usize = 1_000;
/// How far a look at what has passed reaches back behind the last one: a write that was under way then, or whose process has
/// a slower clock, was not seen by it.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// The tables with stored derived columns; what the second one holds comes from the first.
const TABLES: [&Table; 2] = [&CONTACTS, &COMPANIES];

/// What a comparison with a full recomputation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// How many rows were compared.
    pub rows: usize,
    pub differing: Vec<Differing>,
    /// How many rows differ only by what has passed since the worker last looked.
    pub waiting: usize,
    /// When that was; none before its first time.
    pub reached: Option<DateTime<Utc>>,
}

/// A column that does not hold what is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    pub table: &'static str,
    pub column: String,
    pub rows: usize,
    /// One of the rows.
    pub sample: Uuid,
}

/// Brings up to date what time alone has changed since the last call: meetings that have begun, and what held for so many
/// days. The work is that of the rows that this concerns. The first time, all of them are computed. How many rows
/// changed.
pub async fn catch_up(
    store: &Store,
    catalogs: &Catalogs,
    org: Org,
    clock: &Clock,
    ids: &Ids,
) -> Result<usize> {
    let now = clock.now();
    let (emails, reached) = {
        let mut tx = store.read().await?;
        match derived::reached(&mut tx, org).await? {
            Some(reached) => (crossed(&mut tx, org, reached - OVERLAP, now).await?, Some(reached)),
            None => (Vec::new(), None),
        }
    };
    if reached.is_none() {
        return recompute(store, catalogs, org, clock, ids).await;
    }
    let mut changed = 0;
    for batch in emails.chunks(BATCH) {
        let now = clock.now();
        let (mut tx, catalog) = catalogs.begin(store, org, now).await?;
        if let Ok(contacts) = catalog.table(CONTACTS.key) {
            line::enter(&mut tx, org, contacts.key()).await?;
            changed += follow(&mut tx, &catalog, contacts, batch, now, ids).await?;
            tx.commit().await?;
        }
    }
    reach(store, org, now).await?;
    Ok(changed)
}

/// Computes every stored derived column anew; how many rows changed.
pub async fn recompute(
    store: &Store,
    catalogs: &Catalogs,
    org: Org,
    clock: &Clock,
    ids: &Ids,
) -> Result<usize> {
    let started = clock.now();
    let mut changed = 0;
    for table in TABLES {
        let mut last = None;
        loop {
            let now = clock.now();
            let (mut tx, catalog) = catalogs.begin(store, org, now).await?;
            let Ok(table) = catalog.table(table.key) else { break };
            let batch = rows::live_after(&mut tx, org, table.key(), last, BATCH).await?;
            last = batch.last().copied();
            if last.is_none() {
                break;
            }
            changed += again(&mut tx, &catalog, table, &batch, now, ids).await?;
            tx.commit().await?;
        }
    }
    reach(store, org, started).await?;
    Ok(changed)
}

/// Compares every stored derived column with what a full recomputation gives; nothing is changed.
pub async fn audit(store: &Store, catalogs: &Catalogs, org: Org, clock: &Clock) -> Result<Audit> {
    let reached = {
        let mut tx = store.read().await?;
        derived::reached(&mut tx, org).await?
    };
    let mut audit = Audit { rows: 0, differing: Vec::new(), waiting: 0, reached };
    for table in TABLES {
        let suspects = suspects(store, catalogs, (org, table), clock.now(), &mut audit.rows).await?;
        for batch in suspects.chunks(BATCH) {
            let now = clock.now();
            let mut tx = store.begin().await?;
            let catalog = catalogs.load(&mut tx, org).await?;
            let Ok(table) = catalog.table(table.key) else { break };
            // Somebody may have been writing while it was looked at: the second look holds the rows.
            let held = lock(&mut tx, org, table, batch).await?;
            let passed = match reached {
                Some(reached) if table.key() == CONTACTS.key => {
                    crossed(&mut tx, org, reached - OVERLAP, now).await?.into_iter().collect()
                }
                _ => BTreeSet::new(),
            };
            let found = differing(&mut tx, &catalog, table, held, now).await?;
            audit.add(table, &found, &passed);
        }
    }
    Ok(audit)
}

/// Notes how far the clock was followed.
async fn reach(store: &Store, org: Org, at: DateTime<Utc>) -> Result<()> {
    let mut tx = store.begin().await?;
    derived::reach(&mut tx, org, at).await?;
    tx.commit().await
}

/// The e-mail addresses of rows with a date whose boundary lies between the two moments.
async fn crossed(tx: &mut Tx, org: Org, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<String>> {
    let mut sql = Sql::new("");
    let mut union = "";
    for origin in signals::origins() {
        for (date, boundaries) in &origin.boundaries {
            for &days in boundaries {
                let days = TimeDelta::days(days);
                // One range of the date's index each.
                sql.push(union).push(&format!("select r.{} from dynamic_table_rows r where ", origin.email));
                sql.push("r.org_id = ").bind(org);
                sql.push(&format!(" and r.table_key = '{}' and r.archived_ms is null", origin.table.key()));
                sql.push(&format!(" and r.{} is not null and r.{date} > ", origin.email)).bind(from - days);
                sql.push(&format!(" and r.{date} <= ")).bind(to - days);
                union = " union ";
            }
        }
    }
    let rows = tx.fetch_fields(sql, &[Field::Text]).await?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(read_text).map(str::to_owned)).collect())
}

/// The rows of a table that seem not to hold what is computed, by a look that holds up nobody.
async fn suspects(
    store: &Store,
    catalogs: &Catalogs,
    (org, table): (Org, &'static Table),
    now: DateTime<Utc>,
    count: &mut usize,
) -> Result<Vec<Uuid>> {
    let (mut last, mut suspects) = (None, Vec::new());
    loop {
        let mut tx = store.read().await?;
        let catalog = catalogs.load(&mut tx, org).await?;
        let Ok(table) = catalog.table(table.key) else { return Ok(suspects) };
        let batch = rows::live_after(&mut tx, org, table.key(), last, BATCH).await?;
        last = batch.last().copied();
        if last.is_none() {
            return Ok(suspects);
        }
        *count += batch.len();
        let stored = get_all(&mut tx, org, table, &batch).await?;
        let found = differing(&mut tx, &catalog, table, stored, now).await?;
        suspects.extend(found.iter().map(|draft| draft.after.head.id));
    }
}

/// The rows whose derived columns would change, with what they would become.
async fn differing(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    stored: Vec<Stored>,
    now: DateTime<Utc>,
) -> Result<Vec<Draft>> {
    let as_due = |stored: Stored| Draft { is_due: true, ..Draft::of(Some(stored.clone()), stored) };
    let mut drafts: Vec<Draft> = stored.into_iter().map(as_due).collect();
    let stamp =
        Stamp { ms: now.timestamp_millis(), ctr: 0, source: Source::Derived, actor: system().short() };
    fill(tx, catalog, table, &mut drafts, &stamp, now).await?;
    drafts.retain(|draft| !draft.changed.is_empty());
    Ok(drafts)
}

impl Audit {
    /// Counts the rows by column, those apart whose address is among those that something has passed for.
    fn add(&mut self, table: &CatalogTable, found: &[Draft], passed: &BTreeSet<String>) {
        let name = by(table).and_then(|by| place(table, by));
        let is_waiting = |draft: &&Draft| {
            let name = name.and_then(|name| named(&draft.after, name));
            name.is_some_and(|name| passed.contains(&name))
        };
        let (waiting, wrong): (Vec<&Draft>, Vec<&Draft>) = found.iter().partition(is_waiting);
        self.waiting += waiting.len();
        let mut columns = BTreeMap::<usize, (usize, Uuid)>::new();
        for draft in wrong {
            for place in draft.changed.keys() {
                columns.entry(*place).or_insert((0, draft.after.head.id)).0 += 1;
            }
        }
        for (place, (rows, sample)) in columns {
            let Some(column) = table.columns.get(place).map(|column| column.key.clone()) else { continue };
            match self.differing.iter_mut().find(|it| it.table == table.key() && it.column == column) {
                Some(known) => known.rows += rows,
                None => self.differing.push(Differing { table: table.key(), column, rows, sample }),
            }
        }
    }
}
