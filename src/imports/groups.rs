//! The rows of a file that mean the same record, put together: the later over the earlier.
//!
//! What identifies a row is the first of its table's keys that it fills. A row that fills none is
//! identified by its content: the same file read again finds the same rows.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::cells::Cells;
use super::plan::RoutePlan;
use crate::store::Org;
use crate::tables::{CatalogTable, Kind, Value};

/// One record to be.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) route: usize,
    pub(super) identity: Identity,
    pub(super) cells: Cells,
    pub(super) lines: Vec<Line>,
}

/// A line of the file, and whether it changed what the lines before it said of the same record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) changes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// The column whose value finds it.
    Key(usize),
    Content(Uuid),
}

/// Groups in the order of their first lines.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    /// The group that first had a value in a key column.
    by_key: HashMap<(&'static str, usize, String), usize>,
    /// How often a content has occurred.
    occurrences: HashMap<Vec<u8>, u32>,
}

impl Groups {
    /// Adds a row of the file.
    pub(super) fn add(
        &mut self,
        org: Org,
        table: &CatalogTable,
        route: (usize, &RoutePlan),
        number: u64,
        cells: Cells,
    ) {
        let (place, plan) = route;
        let key = plan.keys.iter().copied().find_map(|column| Some((column, cells.get(&column)?)));
        let known = key.and_then(|(column, value)| self.known(table, column, value));
        let group = if let Some(group) = known {
            self.put_over(group, number, cells);
            group
        } else {
            let identity = match key {
                Some((column, _)) => Identity::Key(column),
                None => Identity::Content(self.content_id(org, table, &cells)),
            };
            let lines = vec![Line { number, changes: true }];
            self.all.push(Group { route: place, identity, cells, lines });
            self.all.len() - 1
        };
        self.index(table, plan, group);
    }

    /// The group that has this value in its key column now.
    fn known(&self, table: &CatalogTable, column: usize, value: &Value) -> Option<usize> {
        let wanted = key_text(table, column, value);
        let group = *self.by_key.get(&(table.key(), column, wanted.clone()))?;
        let now = self.all.get(group)?.cells.get(&column)?;
        (key_text(table, column, now) == wanted).then_some(group)
    }

    fn put_over(&mut self, group: usize, number: u64, cells: Cells) {
        let Some(group) = self.all.get_mut(group) else { return };
        let mut changes = false;
        for (column, value) in cells {
            changes |= group.cells.get(&column) != Some(&value);
            group.cells.insert(column, value);
        }
        group.lines.push(Line { number, changes });
    }

    fn index(&mut self, table: &CatalogTable, plan: &RoutePlan, group: usize) {
        for &column in &plan.keys {
            let Some(value) = self.all.get(group).and_then(|group| group.cells.get(&column)) else {
                continue;
            };
            if self.known(table, column, value).is_none() {
                self.by_key.insert((table.key(), column, key_text(table, column, value)), group);
            }
        }
    }

    /// An id that depends on nothing but the organization, the table, the row's content, and how many rows
    /// of the very same content came before it.
    fn content_id(&mut self, org: Org, table: &CatalogTable, cells: &Cells) -> Uuid {
        let mut digest = Sha256::new();
        let mut part = |text: &[u8]| {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        };
        part(org.0.as_bytes());
        part(table.key().as_bytes());
        let mut named: Vec<(&str, String)> = cells
            .iter()
            .filter_map(|(column, value)| Some((table.columns.get(*column)?.key.as_str(), value.canonical())))
            .collect();
        named.sort_unstable();
        for (key, value) in &named {
            part(key.as_bytes());
            part(value.as_bytes());
        }
        let content = digest.finalize().to_vec();
        let occurrence = self.occurrences.entry(content.clone()).or_default();
        *occurrence += 1;
        let mut digest = Sha256::new();
        digest.update(&content);
        digest.update(occurrence.to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.finalize()[..16]);
        // Version 8: an id of the maker's own kind.
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_bytes(bytes)
    }
}

/// Whether two spellings that differ in case alone are one key: for words, not for ids.
pub(super) fn ignores_case(table: &CatalogTable, column: usize) -> bool {
    table.columns.get(column).is_some_and(|column| {
        let is_id = column.kind == Kind::Text && !table.declared.natural_keys.contains(&column.key.as_str());
        column.kind.ignores_case() && !is_id
    })
}

/// A key's value as it is compared within the file.
pub(super) fn key_text(table: &CatalogTable, column: usize, value: &Value) -> String {
    let text = value.canonical();
    if ignores_case(table, column) { text.to_lowercase() } else { text }
}
