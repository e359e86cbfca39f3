//! Gives an organization its five tables, and brings an organization of an older version up to date.
//!
//! Safe to run at any time and by several processes at once: what exists stays, what is missing is added,
//! and a label, place, option or view that the organization has edited is never overwritten.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use sqlx::types::Json as SqlJson;

use super::catalog::{CatalogOption, Dir, SortArg, ViewSpec};
use super::column::{Choice, Column};
use super::filter::spec_of;
use super::{TABLES, Table, View};
use crate::error::Result;
use crate::store::{ColumnRow, Org, TableRow, Tx, ViewRow};
use crate::store::{derived, organizations, structure};

/// What provisioning did to one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provisioned {
    /// The table was not there.
    Created,
    /// The table was there, made from another version of its declaration.
    Updated,
    /// The table had been deleted and is back, with its rows.
    Restored,
    Unchanged,
    /// The table is deleted and was left so.
    Deleted,
}

/// Provisions the standard tables. Deleted tables stay deleted unless named in `restore`.
pub async fn provision(
    tx: &mut Tx,
    org: Org,
    restore: &[&str],
    now: DateTime<Utc>,
) -> Result<Vec<(&'static Table, Provisioned)>> {
    // The organization's own line is the lock: the second of two processes sees the first one's tables.
    organizations::bump(tx, org).await?;
    let known = structure::tables(tx, org).await?;
    if known.is_empty() {
        // Without rows there is nothing to be computed anew.
        derived::reach(tx, org, now).await?;
    }
    let mut done = Vec::with_capacity(TABLES.len());
    for &table in TABLES {
        let row = known.iter().find(|row| row.key == table.key);
        let outcome = match row {
            None => Provisioned::Created,
            Some(row) if row.deleted_at.is_some() && restore.contains(&table.key) => Provisioned::Restored,
            Some(row) if row.deleted_at.is_some() => Provisioned::Deleted,
            Some(row) if row.template != template(table) => Provisioned::Updated,
            Some(_) if restore.contains(&table.key) => Provisioned::Updated,
            Some(_) => Provisioned::Unchanged,
        };
        if !matches!(outcome, Provisioned::Unchanged | Provisioned::Deleted) {
            provision_table(tx, org, table, now).await?;
        }
        if outcome == Provisioned::Restored {
            structure::set_table_deleted(tx, org, table.key, None).await?;
            // Nothing followed what its rows depend on.
            derived::restart(tx, org).await?;
        }
        done.push((table, outcome));
    }
    Ok(done)
}

/// A fingerprint of a table's declaration: another one means there is something to add.
pub fn template(table: &Table) -> String {
    let mut digest = Sha256::new();
    for row in column_rows(table) {
        digest.update(format!(
            "{}|{}|{}|{:?}|{}|{}\n",
            row.key, row.label, row.kind, row.slot, row.options.0, row.about
        ));
    }
    for row in view_rows(table) {
        digest.update(format!("{}|{}|{}\n", row.key, row.label, row.spec.0));
    }
    hex::encode(&digest.finalize()[..8])
}

/// The options of a declared column as an organization keeps them.
pub fn options_of(choices: &[Choice]) -> Vec<CatalogOption> {
    choices
        .iter()
        .map(|choice| CatalogOption {
            value: choice.value.to_owned(),
            label: choice.label.to_owned(),
            color: choice.color.to_owned(),
            words: choice.words.iter().map(|&word| word.to_owned()).collect(),
        })
        .collect()
}

/// Adds a table, or what its declaration has that the organization's table has not.
pub async fn provision_table(tx: &mut Tx, org: Org, table: &Table, now: DateTime<Utc>) -> Result<()> {
    structure::put_table(tx, org, &table_row(table), now).await?;
    for column in column_rows(table) {
        structure::put_column(tx, org, &column, now).await?;
    }
    for view in view_rows(table) {
        structure::put_view(tx, org, &view, now).await?;
    }
    Ok(())
}

pub(super) fn table_row(table: &Table) -> TableRow {
    TableRow {
        key: table.key.to_owned(),
        label: table.label.to_owned(),
        template: template(table),
        deleted_at: None,
    }
}

pub(super) fn column_rows(table: &Table) -> Vec<ColumnRow> {
    let row = |(position, column): (usize, &Column)| ColumnRow {
        table_key: table.key.to_owned(),
        key: column.key.to_owned(),
        label: column.label.to_owned(),
        kind: column.kind.key().to_owned(),
        slot: column.slot.map(super::Slot::column),
        options: SqlJson(json!(options_of(column.options))),
        about: column.about.to_owned(),
        position: i64::try_from(position).unwrap_or(i64::MAX),
        is_system: true,
        is_hidden: false,
        is_edited: false,
    };
    table.columns.iter().enumerate().map(row).collect()
}

pub(super) fn view_rows(table: &Table) -> Vec<ViewRow> {
    let row = |(position, view): (usize, &View)| ViewRow {
        table_key: table.key.to_owned(),
        key: view.key.to_owned(),
        label: view.label.to_owned(),
        spec: SqlJson(spec(view)),
        position: i64::try_from(position).unwrap_or(i64::MAX),
        is_system: true,
        is_edited: false,
    };
    table.views.iter().enumerate().map(row).collect()
}

fn spec(view: &View) -> Json {
    let sort = view
        .sort
        .iter()
        .map(|sort| SortArg {
            column: sort.column.to_owned(),
            dir: if sort.descending { Dir::Desc } else { Dir::Asc },
        })
        .collect();
    json!(ViewSpec {
        filters: view.filters.iter().map(spec_of).collect(),
        any_of: view.any_of.iter().map(spec_of).collect(),
        sort,
    })
}
