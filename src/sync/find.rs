//! Which row a CRM's record is: by its link, by the row's id that it carries, by what it was before a merge, and else by its
//! e-mail address, domain or name among the rows that are no record of this CRM.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::crm::Seen;
use super::engine::Engine;
use super::joined::join;
use crate::error::Result;
use crate::records::{Stored, get_all};
use crate::store::{LinkRow, Org, Tx, links, rows};
use crate::tables::definitions::comparable;
use crate::tables::{Catalog, CatalogTable, Connection, Object, Place, Value};

/// Whose records they are.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) connection: &'a Connection,
    pub(super) table: &'a CatalogTable,
    pub(super) object: Object,
}

impl Of<'_> {
    fn org(&self) -> Org {
        self.catalog.org
    }

    /// The names by which links know the records.
    pub(super) fn names(&self) -> (&'static str, &'static str) {
        (self.connection.system.name(), self.object.name())
    }
}

/// The row that a record is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Linked(Box<LinkRow>),
    /// A row that was no record of this CRM.
    Free(Uuid),
    None,
}

/// Gives records that became others the ids that they have now, and leaves out what comes twice.
pub(super) async fn follow(tx: &mut Tx, of: &Of<'_>, seen: &mut Vec<Seen>) -> Result<()> {
    let (system, object) = of.names();
    let records: Vec<String> = seen.iter().map(|seen| seen.record.clone()).collect();
    let mut became = links::resolve_all(tx, of.org(), system, object, &records).await?;
    for seen in seen.iter_mut() {
        if let Some(now) = became.remove(&seen.record) {
            seen.record = now;
        }
    }
    let mut known = HashSet::new();
    seen.retain(|seen| known.insert(seen.record.clone()));
    Ok(())
}

/// Makes one row of those whose records were merged; how many rows that took.
pub(super) async fn join_merged(engine: &Engine, tx: &mut Tx, of: &Of<'_>, seen: &[Seen]) -> Result<u64> {
    let (system, object) = of.names();
    let olds: Vec<String> = seen.iter().flat_map(|seen| seen.merged.iter().cloned()).collect();
    if olds.is_empty() {
        return Ok(0);
    }
    let linked = links::of_records(tx, of.org(), system, object, &olds).await?;
    let mut joined = 0;
    for seen in seen {
        for old in seen.merged.iter().filter(|old| **old != seen.record) {
            if let Some(link) = linked.iter().find(|link| link.record_id == *old) {
                joined += u64::from(became(engine, tx, of, link, &seen.record).await?);
            } else {
                // Whoever tells of it later means this one.
                let now = engine.clock.now();
                links::alias(tx, of.org(), (system, object), old, &seen.record, now).await?;
            }
        }
    }
    Ok(joined)
}

/// Makes a linked record the new one; whether another row was it already.
pub(super) async fn became(
    engine: &Engine,
    tx: &mut Tx,
    of: &Of<'_>,
    link: &LinkRow,
    new: &str,
) -> Result<bool> {
    let (row, old) = (link.row_id, link.record_id.as_str());
    let whose = (of.connection, of.table, of.object);
    let stands = join(engine, tx, of.catalog, whose, (row, old, new)).await?;
    // What the merged record holds is told by its history alone.
    links::becomes(tx, of.org(), of.names(), new, new).await?;
    Ok(stands != row)
}

/// The row of each record, and how many rows became one because a record carries the id of a row that was another one.
pub(super) async fn rows(
    engine: &Engine,
    tx: &mut Tx,
    of: &Of<'_>,
    seen: &[Seen],
) -> Result<(Vec<Found>, u64)> {
    let (system, object) = of.names();
    let records: Vec<String> = seen.iter().map(|seen| seen.record.clone()).collect();
    let mut linked = by_record(links::of_records(tx, of.org(), system, object, &records).await?);
    let unlinked: Vec<&Seen> = seen.iter().filter(|seen| !linked.contains_key(&seen.record)).collect();
    if unlinked.is_empty() {
        return Ok((found(seen, &linked, &HashMap::new()), 0));
    }
    let mut free = HashMap::new();
    let mut joined = 0;
    for (record, row, link) in carried(tx, of, &unlinked).await? {
        match link {
            // The id is unique at the CRM: who carries it took the place of who did.
            Some(link) => joined += u64::from(became(engine, tx, of, &link, &record).await?),
            None => drop(free.insert(record, row)),
        }
    }
    let left: Vec<&Seen> =
        unlinked.into_iter().filter(|seen| !seen.archived && !free.contains_key(&seen.record)).collect();
    let renewed = links::of_records(tx, of.org(), system, object, &records).await?;
    linked = by_record(renewed);
    let left: Vec<&Seen> = left.into_iter().filter(|seen| !linked.contains_key(&seen.record)).collect();
    for (record, row, gone) in by_key(tx, of, &left, free.values().copied().collect()).await? {
        match gone {
            // The record of before was deleted, and somebody made it anew.
            Some(old) => links::becomes(tx, of.org(), of.names(), &old, &record).await?,
            None => drop(free.insert(record, row)),
        }
    }
    linked = by_record(links::of_records(tx, of.org(), system, object, &records).await?);
    Ok((found(seen, &linked, &free), joined))
}

fn by_record(links: Vec<LinkRow>) -> HashMap<String, LinkRow> {
    links.into_iter().map(|link| (link.record_id.clone(), link)).collect()
}

fn found(seen: &[Seen], linked: &HashMap<String, LinkRow>, free: &HashMap<String, Uuid>) -> Vec<Found> {
    let of = |seen: &Seen| match (linked.get(&seen.record), free.get(&seen.record)) {
        (Some(link), _) => Found::Linked(Box::new(link.clone())),
        (None, Some(row)) => Found::Free(*row),
        (None, None) => Found::None,
    };
    seen.iter().map(of).collect()
}

/// The records that carry the id of a row that there is, with the link that the row has to another record.
async fn carried(tx: &mut Tx, of: &Of<'_>, seen: &[&Seen]) -> Result<Vec<(String, Uuid, Option<LinkRow>)>> {
    let ids: Vec<Uuid> = seen.iter().filter_map(|seen| seen.row).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let there = rows::get_all(tx, of.org(), of.table.key(), &ids, &[]).await?;
    let there: HashSet<Uuid> = there.into_iter().map(|row| row.head.id).collect();
    let links = of_system(tx, of, &ids).await?;
    let mut taken = HashSet::new();
    let carried = seen.iter().filter_map(|seen| {
        let row = seen.row.filter(|row| there.contains(row) && taken.insert(*row))?;
        Some((seen.record.clone(), row, links.get(&row).cloned()))
    });
    Ok(carried.collect())
}

/// The links of rows to this CRM.
async fn of_system(tx: &mut Tx, of: &Of<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, LinkRow>> {
    let links = links::of_rows(tx, of.org(), ids).await?;
    let own = links.into_iter().filter(|link| link.system == of.connection.system.name());
    Ok(own.map(|link| (link.row_id, link)).collect())
}

/// The live rows that records are by what they hold: each row for one record, the oldest first. With the record that the
/// row was, when the CRM has deleted that one.
async fn by_key(
    tx: &mut Tx,
    of: &Of<'_>,
    seen: &[&Seen],
    mut taken: HashSet<Uuid>,
) -> Result<Vec<(String, Uuid, Option<String>)>> {
    let mut placed: HashMap<String, (Uuid, Option<String>)> = HashMap::new();
    for key in keys(of.object) {
        let open: Vec<&&Seen> = seen.iter().filter(|seen| !placed.contains_key(&seen.record)).collect();
        let candidates = candidates(tx, of, key, &open).await?;
        let ids: Vec<Uuid> = candidates.values().flatten().copied().collect();
        let links = of_system(tx, of, &ids).await?;
        // A name alone does not make two companies one whose domains differ.
        let domains = if *key == "name" { domains(tx, of, &ids).await? } else { HashMap::new() };
        for seen in open {
            let Some(value) = held(seen, key) else { continue };
            let is_free = |id: &&Uuid| {
                let is_live = links.get(*id).is_some_and(|link| link.gone_ms.is_none());
                let other = domains
                    .get(*id)
                    .is_some_and(|domain| held(seen, "domain").is_some_and(|own| own != *domain));
                !is_live && !other && !taken.contains(*id)
            };
            let Some(row) = candidates.get(&value).and_then(|ids| ids.iter().find(is_free)).copied() else {
                continue;
            };
            taken.insert(row);
            let was = links.get(&row).map(|link| link.record_id.clone());
            placed.insert(seen.record.clone(), (row, was));
        }
    }
    Ok(placed.into_iter().map(|(record, (row, was))| (record, row, was)).collect())
}

/// The columns by which a record is known, the surest first.
const fn keys(object: Object) -> &'static [&'static str] {
    match object {
        Object::Meeting => &[],
        Object::Contact => &["email"],
        Object::Company => &["domain", "name"],
    }
}

/// The text that a record holds in a column, as it is compared.
fn held(seen: &Seen, column: &str) -> Option<String> {
    let (_, past) = seen.columns.iter().find(|(known, _)| known == column)?;
    match &past.last()?.value {
        Some(Value::Text(text)) => Some(text.to_ascii_lowercase()),
        _ => None,
    }
}

/// The live rows that hold one of the records' texts, oldest first.
async fn candidates(
    tx: &mut Tx,
    of: &Of<'_>,
    key: &str,
    seen: &[&&Seen],
) -> Result<HashMap<String, Vec<Uuid>>> {
    let mut texts: Vec<String> = seen.iter().filter_map(|seen| held(seen, key)).collect();
    texts.sort_unstable();
    texts.dedup();
    by_column(tx, of.org(), of.table, key, &texts).await
}

/// The live rows of a table by the text of a column, oldest first.
pub(super) async fn by_column(
    tx: &mut Tx,
    org: Org,
    table: &CatalogTable,
    column: &str,
    texts: &[String],
) -> Result<HashMap<String, Vec<Uuid>>> {
    let mut found: HashMap<String, Vec<Uuid>> = HashMap::new();
    let Some(column) = table.find(column) else { return Ok(found) };
    let Place::Slot(slot) = column.place else { return Ok(found) };
    let expression = comparable(column.kind, &slot.column());
    for (text, id) in rows::by_text(tx, org, table.key(), &expression, texts).await? {
        found.entry(text).or_default().push(id);
    }
    Ok(found)
}

/// The domains of companies.
async fn domains(tx: &mut Tx, of: &Of<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let rows = get_all(tx, of.org(), of.table, ids).await?;
    Ok(rows.iter().filter_map(|row| Some((row.head.id, text(of.table, row, "domain")?))).collect())
}

/// The text in a row's column, as it is compared.
pub(super) fn text(table: &CatalogTable, row: &Stored, column: &str) -> Option<String> {
    row.text(table, column).map(str::to_ascii_lowercase)
}

/// The records that rows are which have the key of another record that is no row yet, by that other one: either they hold
/// something else by now, or they are gone.
pub(super) async fn rivals(tx: &mut Tx, of: &Of<'_>, seen: &[Seen]) -> Result<Vec<(String, String)>> {
    let (system, object) = of.names();
    let records: Vec<String> = seen.iter().map(|seen| seen.record.clone()).collect();
    let linked = by_record(links::of_records(tx, of.org(), system, object, &records).await?);
    let new: Vec<&Seen> =
        seen.iter().filter(|seen| !seen.archived && !linked.contains_key(&seen.record)).collect();
    let new: Vec<&&Seen> = new.iter().collect();
    let Some(key) = keys(of.object).first().filter(|_| !new.is_empty()) else { return Ok(Vec::new()) };
    let candidates = candidates(tx, of, key, &new).await?;
    let ids: Vec<Uuid> = candidates.values().flatten().copied().collect();
    let links = of_system(tx, of, &ids).await?;
    let mut rivals = Vec::new();
    for seen in new {
        let rows = held(seen, key).and_then(|value| candidates.get(&value)).into_iter().flatten();
        let live = rows.filter_map(|row| links.get(row)).filter(|link| link.gone_ms.is_none());
        rivals.extend(live.map(|link| (seen.record.clone(), link.record_id.clone())));
    }
    Ok(rivals)
}
