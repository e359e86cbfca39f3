//! Runs an import, for real or to see what it would do.

use super::groups::Group;
use super::host::Host;
use super::mapping::Mapping;
use super::prepare::prepare;
use super::report::Report;
use super::setup;
use super::source::Source;
use super::write::write;
use crate::error::{Error, Result, conflict};
use crate::tables::definitions::slot_index;
use crate::tables::{Catalog, CatalogTable, Catalogs};

/// How many records one transaction writes.
const BATCH: usize = 500;

/// What an import would do: everything is done as by [`run`], in a transaction that is then rolled back.
pub async fn preview(host: &Host<'_>, source: &Source, mapping: &Mapping) -> Result<Report> {
    let mapping = &mapping.clone().with_table(None);
    let (mut tx, catalog) = host.catalogs.begin(host.store, host.org, host.clock.now()).await?;
    let made = setup::columns(&mut tx, host, &catalog, source, mapping).await?;
    // Not through the shared catalogs: nobody else must see what is going to be rolled back.
    let catalog = if made.is_empty() { catalog } else { Catalogs::default().load(&mut tx, host.org).await? };
    let mut prepared = prepare(host, &catalog, source, mapping, &made).await?;
    prepared.sample(&catalog);
    let groups = prepared.groups_by_table();
    let mut report = prepared.report.clone();
    report.dry_run = true;
    for batch in groups.chunks(BATCH) {
        write(&mut tx, host, &catalog, batch, &mut report).await?;
        progress(host, &report, "checked");
    }
    report.change_ids.clear();
    report.checked()
}

/// Imports the source: columns and people first, then its records in the order of their first lines.
pub async fn run(host: &Host<'_>, source: &Source, mapping: &Mapping) -> Result<Report> {
    let mapping = &mapping.clone().with_table(None);
    let (mut tx, mut catalog) = host.catalogs.begin(host.store, host.org, host.clock.now()).await?;
    let made = setup::columns(&mut tx, host, &catalog, source, mapping).await?;
    // The columns stay uncommitted until the file is read: a wrong mapping leaves nothing behind.
    let tx = if made.is_empty() {
        drop(tx);
        None
    } else {
        catalog = Catalogs::default().load(&mut tx, host.org).await?;
        Some(tx)
    };
    let prepared = prepare(host, &catalog, source, mapping, &made).await?;
    if tx.is_some() || !prepared.people.is_empty() {
        let mut tx = match tx {
            Some(tx) => tx,
            None => host.store.begin().await?,
        };
        setup::people(&mut tx, host, &prepared.people).await?;
        tx.commit().await?;
    }
    for made in &made {
        host.store.define(&slot_index(made.slot, host.store.dialect())).await?;
    }
    let groups = prepared.groups_by_table();
    let (mut report, mut stored_to) = (prepared.report.clone(), None);
    for batch in groups.chunks(BATCH) {
        let stored = store(host, &catalog, batch, &mut report).await;
        stored.map_err(|error| stopped(source, error, batch, stored_to))?;
        stored_to = first_line(batch.last());
        progress(host, &report, "stored");
    }
    report.checked()
}

/// Writes one batch and makes it durable.
async fn store(
    host: &Host<'_>,
    planned: &Catalog,
    batch: &[(&'static str, &Group)],
    report: &mut Report,
) -> Result<()> {
    let (mut tx, catalog) = host.catalogs.begin(host.store, host.org, host.clock.now()).await?;
    for (key, _) in batch {
        if shape(planned.table(key)?) != shape(catalog.table(key)?) {
            return Err(conflict(format!("the columns of `{key}` were changed during the import")));
        }
    }
    write(&mut tx, host, &catalog, batch, report).await?;
    tx.commit().await
}

/// What a plan depends on: which columns there are, and where.
fn shape(table: &CatalogTable) -> Vec<(&str, crate::tables::Kind, crate::tables::Place)> {
    table.columns.iter().map(|column| (column.key.as_str(), column.kind, column.place)).collect()
}

/// An error that says how far the import came.
fn stopped(source: &Source, error: Error, batch: &[(&'static str, &Group)], stored_to: Option<u64>) -> Error {
    let line = first_line(batch.first()).unwrap_or(0);
    let so_far = match stored_to {
        Some(stored_to) => format!("every record that begins up to line {stored_to} is stored"),
        None => "no row is stored".to_owned(),
    };
    let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!("{hint}; "));
    Error::new(
        error.code,
        format!("the import of `{}` stopped at line {line}: {}; {so_far}", source.name, error.message),
    )
    .hint(format!("{hint}import the same file again: rows that are stored are found and stay as they are"))
    .because(error)
}

fn first_line(group: Option<&(&'static str, &Group)>) -> Option<u64> {
    group.and_then(|(_, group)| group.lines.first()).map(|line| line.number)
}

fn progress(host: &Host<'_>, report: &Report, done_what: &str) {
    let done = report.accounted();
    (host.progress)(done, Some(report.rows), &format!("{done_what} {done} of {} rows", report.rows));
}
