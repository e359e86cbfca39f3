//! Writes a batch of records in one transaction: finds the rows that they are, and hands what is news to the one write path.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::host::Host;
use super::plan::Planned;
use super::run::Counts;
use super::said::{Memory, News};
use super::targets::Same;
use crate::error::Result;
use crate::records::{self, Action, Brought, BroughtCell, Change, Edit, Says, Source, Target, Touched};
use crate::store::{AppLinkRow, Tx, backfills, rows};
use crate::tables::{CONTACTS, Catalog, CatalogTable, Kind, Value, line};

/// Writes the records; what became of them.
pub(super) async fn write(
    tx: &mut Tx,
    host: &Host,
    catalog: &Catalog,
    table: &CatalogTable,
    records: &[Planned],
) -> Result<Counts> {
    if Same::is_sought(table) {
        // Held against everybody who might make the same row at this moment.
        line::take(tx, host.org, table.key()).await?;
    }
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    let known = backfills::links(tx, host.org, table.key(), &ids).await?;
    let known: HashMap<String, AppLinkRow> =
        known.into_iter().map(|link| (link.source_id.clone(), link)).collect();
    let strangers: Vec<&Planned> = records.iter().filter(|record| !known.contains_key(&record.id)).collect();
    let mut same = Same::find(tx, host.org, table, &strangers).await?;
    let erased = erased(tx, catalog, table, &strangers).await?;
    let mut batch = Batch::default();
    for record in records.iter().filter(|record| !erased.contains(record.id.as_str())) {
        batch.take(host, table, record, known.get(&record.id), &mut same);
    }
    let closed = closed(tx, host, table, &batch).await?;
    let mut counts = Counts { read: count(records.len()), ..Counts::default() };
    let Batch { edits, links, heard, .. } = batch;
    let (edits, left): (Vec<Edit>, Vec<Edit>) =
        edits.into_iter().partition(|edit| !closed.contains(&edit.target.id()));
    counts.archived = count(left.len() + erased.len());
    counts.unchanged = counts.read - counts.archived - count(edits.len());
    if !edits.is_empty() {
        let actor = host.writer();
        let change = Change { table, actor: &actor, source: Source::App, edits, undo_of: None };
        let outcome = records::write(tx, catalog, change, host.clock.now(), &host.ids).await?;
        for row in &outcome.rows {
            *match row.touched {
                Touched::Created => &mut counts.created,
                Touched::Updated | Touched::Archived | Touched::Restored => &mut counts.updated,
                Touched::Unchanged => &mut counts.unchanged,
            } += 1;
        }
    }
    backfills::link(tx, host.org, table.key(), links).await?;
    let heard: Vec<AppLinkRow> = heard.into_iter().filter(|link| !closed.contains(&link.row_id)).collect();
    backfills::heard(tx, host.org, table.key(), &heard).await?;
    Ok(counts)
}

/// The edits of a batch, and what is to be remembered of its records.
#[derive(Default)]
struct Batch {
    edits: Vec<Edit>,
    links: Vec<AppLinkRow>,
    heard: Vec<AppLinkRow>,
    made: HashSet<Uuid>,
}

impl Batch {
    fn take(
        &mut self,
        host: &Host,
        table: &CatalogTable,
        record: &Planned,
        known: Option<&AppLinkRow>,
        same: &mut Same,
    ) {
        let mut memory = known.map(|link| Memory::from_bytes(&link.said)).unwrap_or_default();
        let before = known.is_some().then(|| memory.clone());
        let cells = news(table, record, &mut memory);
        if before.as_ref() == Some(&memory) {
            return;
        }
        let row_id = match known {
            Some(link) => link.row_id,
            None => same.get(record).unwrap_or_else(|| {
                let id = host.ids.next();
                self.made.insert(id);
                id
            }),
        };
        let link = AppLinkRow { source_id: record.id.clone(), row_id, said: memory.to_bytes() };
        if known.is_some() {
            self.heard.push(link);
        } else {
            same.put(record, row_id);
            self.links.push(link);
        }
        let is_new = self.made.contains(&row_id);
        let target = if is_new { Target::New(row_id) } else { Target::Existing(row_id) };
        let brought = Brought { cells, at_ms: record.at_ms, created_ms: record.created_ms };
        let position = self.edits.len();
        self.edits.push(Edit { target, action: Action::Bring(Box::new(brought)), position });
    }
}

/// What a record says that it did not say before.
fn news(table: &CatalogTable, record: &Planned, memory: &mut Memory) -> Vec<BroughtCell> {
    let mut cells = Vec::with_capacity(record.cells.len());
    for cell in &record.cells {
        let Some(column) = table.columns.get(cell.place) else { continue };
        let says = match memory.hear(column, cell.value.as_ref()) {
            News::None => continue,
            _ if cell.is_latest => Says::Latest,
            News::First => Says::First,
            News::Changed => Says::Now,
        };
        cells.push(BroughtCell { place: cell.place, value: cell.value.clone(), says });
    }
    cells
}

/// The records of people who were erased for their privacy: they make no row again.
async fn erased<'a>(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    strangers: &[&'a Planned],
) -> Result<HashSet<&'a str>> {
    if table.key() != CONTACTS.key {
        return Ok(HashSet::new());
    }
    let (mut keys, mut owners) = (Vec::new(), Vec::new());
    for record in strangers {
        for cell in &record.cells {
            let is_email = table.columns.get(cell.place).is_some_and(|column| column.kind == Kind::Email);
            if let (true, Some(Value::Text(email))) = (is_email, &cell.value) {
                keys.push(records::email_key(email));
                owners.push(record.id.as_str());
            }
        }
    }
    let are_erased = records::are_erased(tx, catalog, &keys).await?;
    Ok(owners.into_iter().zip(are_erased).filter(|(_, erased)| *erased).map(|(id, _)| id).collect())
}

/// The rows of known records that are archived, or gone: they stay so.
async fn closed(tx: &mut Tx, host: &Host, table: &CatalogTable, batch: &Batch) -> Result<HashSet<Uuid>> {
    let existing = batch.edits.iter().filter_map(|edit| match edit.target {
        Target::Existing(id) => Some(id),
        Target::New(_) => None,
    });
    let mut closed: HashSet<Uuid> = existing.collect();
    if closed.is_empty() {
        return Ok(closed);
    }
    let ids: Vec<Uuid> = closed.iter().copied().collect();
    for row in rows::get_all(tx, host.org, table.key(), &ids, &[]).await? {
        if row.head.archived.is_none() {
            closed.remove(&row.head.id);
        }
    }
    Ok(closed)
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
