//! Finds the rows that records are: those they were before, else a person's by e-mail address, a company's by domain or name.

use std::collections::HashMap;

use uuid::Uuid;

use super::plan::Planned;
use crate::error::Result;
use crate::store::{Field, Org, Tx, read_text, rows};
use crate::tables::definitions::comparable;
use crate::tables::{COMPANIES, CONTACTS, CatalogTable, Place, Value};

/// Rows that a record may be, by what tells them apart.
#[derive(Debug, Default)]
pub(super) struct Same {
    keys: Vec<Key>,
    found: HashMap<(usize, String), Uuid>,
    /// The domains of companies that were found by name.
    domains: HashMap<Uuid, String>,
}

/// A column that tells rows apart.
#[derive(Debug)]
struct Key {
    place: usize,
    expression: String,
}

impl Same {
    /// Whether records of the table may be rows that others made.
    pub(super) fn is_sought(table: &CatalogTable) -> bool {
        !columns(table).is_empty()
    }

    /// Looks up all rows that the records may be.
    pub(super) async fn find(
        tx: &mut Tx,
        org: Org,
        table: &CatalogTable,
        records: &[&Planned],
    ) -> Result<Same> {
        let mut same = Same { keys: keys(table), ..Same::default() };
        if records.is_empty() {
            return Ok(same);
        }
        for (number, key) in same.keys.iter().enumerate() {
            let mut texts: Vec<String> = records.iter().filter_map(|record| text(record, key)).collect();
            texts.sort_unstable();
            texts.dedup();
            for (text, id) in rows::by_text(tx, org, table.key(), &key.expression, &texts).await? {
                // The oldest of several.
                same.found.entry((number, text)).or_insert(id);
            }
        }
        same.find_domains(tx, org, table).await?;
        Ok(same)
    }

    /// The row that a record is; none when it is a new one.
    pub(super) fn get(&self, record: &Planned) -> Option<Uuid> {
        self.keys.iter().enumerate().find_map(|(number, key)| {
            let id = *self.found.get(&(number, text(record, key)?))?;
            (number == 0 || !self.is_another(record, id)).then_some(id)
        })
    }

    /// Notes that a record has become this row.
    pub(super) fn put(&mut self, record: &Planned, id: Uuid) {
        for (number, key) in self.keys.iter().enumerate() {
            if let Some(text) = text(record, key) {
                if number == 0 && self.keys.len() > 1 {
                    self.domains.entry(id).or_insert_with(|| text.clone());
                }
                self.found.entry((number, text)).or_insert(id);
            }
        }
    }

    /// Whether both have a domain, and not the same one: two companies of one name.
    fn is_another(&self, record: &Planned, id: Uuid) -> bool {
        let own = self.keys.first().and_then(|key| text(record, key));
        own.is_some_and(|own| self.domains.get(&id).is_some_and(|domain| *domain != own))
    }

    async fn find_domains(&mut self, tx: &mut Tx, org: Org, table: &CatalogTable) -> Result<()> {
        let [first, _, ..] = self.keys.as_slice() else { return Ok(()) };
        let ids: Vec<Uuid> =
            self.found.iter().filter(|((number, _), _)| *number > 0).map(|(_, id)| *id).collect();
        let slot = table.columns.get(first.place).and_then(|column| match column.place {
            Place::Slot(slot) => Some((slot.column(), Field::Text)),
            _ => None,
        });
        let Some(slot) = slot.filter(|_| !ids.is_empty()) else { return Ok(()) };
        for row in rows::get_all(tx, org, table.key(), &ids, &[slot]).await? {
            if let Some(domain) = row.slots.first().and_then(read_text) {
                self.domains.insert(row.head.id, domain.to_ascii_lowercase());
            }
        }
        Ok(())
    }
}

/// What tells rows of a table apart, best first; nothing where two records are two rows.
fn columns(table: &CatalogTable) -> &'static [&'static str] {
    match table.key() {
        key if key == CONTACTS.key => &["email"],
        key if key == COMPANIES.key => &["domain", "name"],
        _ => &[],
    }
}

fn keys(table: &CatalogTable) -> Vec<Key> {
    let key = |key: &&str| {
        let place = table.columns.iter().position(|column| column.key == **key)?;
        let column = table.columns.get(place)?;
        let Place::Slot(slot) = column.place else { return None };
        Some(Key { place, expression: comparable(column.kind, &slot.column()) })
    };
    columns(table).iter().filter_map(key).collect()
}

/// A record's value as the database compares it.
fn text(record: &Planned, key: &Key) -> Option<String> {
    let cell = record.cells.iter().find(|cell| cell.place == key.place)?;
    match &cell.value {
        Some(Value::Text(text)) => Some(text.to_ascii_lowercase()),
        _ => None,
    }
}
