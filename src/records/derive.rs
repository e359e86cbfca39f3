//! What is computed from a change and stored: how many contacts a company has, and when it was last heard
//! from. It is written by the same path, as a change of its own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::actor::{Actor, ActorKind, Source};
use super::change::{Action, Change, Edit, Target};
use super::write::{Draft, write};
use crate::clock::Ids;
use crate::error::Result;
use crate::store::{Field, Org, Sql, Tx, read_integer, read_text, read_time};
use crate::store::{rows, structure};
use crate::tables::definitions::comparable;
use crate::tables::{COMPANIES, CONTACTS, Catalog, CatalogTable, Table, Value};

/// Brings the companies up to date that a change of contacts or companies concerns.
pub(super) async fn after(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    drafts: &[Draft],
    now: DateTime<Utc>,
    ids: &Ids,
) -> Result<()> {
    let names = match table.key() {
        key if key == CONTACTS.key => {
            concerned(table, drafts, "company_name", &["company_name", "last_engagement"])
        }
        key if key == COMPANIES.key => concerned(table, drafts, "name", &["name"]),
        _ => return Ok(()),
    };
    let Ok(companies) = catalog.table(COMPANIES.key) else { return Ok(()) };
    if names.is_empty() {
        return Ok(());
    }
    enter(tx, catalog.org, companies).await?;
    let edits = edits(tx, catalog, companies, &names).await?;
    if edits.is_empty() {
        return Ok(());
    }
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let change = Change { table: companies, actor: &actor, source: Source::Derived, edits, undo_of: None };
    Box::pin(write(tx, catalog, change, now, ids)).await.map(drop)
}

/// Companies hold figures of other rows, so one transaction writes them at a time, and takes its turn before it
/// touches any of them: each then counts all that was written before it, and no two wait for each other.
pub(super) async fn enter(tx: &mut Tx, org: Org, table: &CatalogTable) -> Result<()> {
    if table.key() == COMPANIES.key {
        structure::lock_table(tx, org, COMPANIES.key).await?;
    }
    Ok(())
}

/// The company names, folded, that rows had or have, where one of `columns` or the row's life changed.
fn concerned(table: &CatalogTable, drafts: &[Draft], name: &str, columns: &[&str]) -> Vec<String> {
    let place = |key: &str| table.columns.iter().position(|column| column.key == key);
    let Some(name) = place(name) else { return Vec::new() };
    let watched: Vec<usize> = columns.iter().filter_map(|key| place(key)).collect();
    let mut names = BTreeSet::new();
    for draft in drafts {
        let lives =
            draft.before.as_ref().is_some_and(|before| before.head.archived == draft.after.head.archived);
        let same = |&place: &usize| {
            draft
                .before
                .as_ref()
                .is_some_and(|before| before.values.get(place) == draft.after.values.get(place))
        };
        if lives && watched.iter().all(same) {
            continue;
        }
        for stored in draft.before.iter().chain([&draft.after]) {
            if let Some(Some(Value::Text(name))) = stored.values.get(name) {
                names.insert(name.to_ascii_lowercase());
            }
        }
    }
    names.into_iter().collect()
}

/// The edits that give each named company its figures; [`write`] drops those that change nothing.
async fn edits(
    tx: &mut Tx,
    catalog: &Catalog,
    companies: &CatalogTable,
    names: &[String],
) -> Result<Vec<Edit>> {
    let figures = figures(tx, catalog, names).await?;
    let found = rows::by_text(tx, catalog.org, COMPANIES.key, &expression(&COMPANIES, "name"), names).await?;
    let place = |key: &str| companies.columns.iter().position(|column| column.key == key);
    let (Some(count), Some(last)) = (place("active_contacts_count"), place("last_contact_date")) else {
        return Ok(Vec::new());
    };
    let mut edits = Vec::with_capacity(found.len());
    for (name, id) in found {
        let (contacts, engaged) = figures.get(&name).copied().unwrap_or((0, None));
        #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^53")]
        let mut cells = vec![(count, Some(Value::Number(contacts as f64)))];
        let known = super::stored::get(tx, catalog.org, companies, id).await?;
        let known = known.and_then(|stored| stored.values.get(last).cloned().flatten());
        if let Some(engaged) = engaged
            && !matches!(known, Some(Value::Time(known)) if known >= engaged)
        {
            cells.push((last, Some(Value::Time(engaged))));
        }
        let action = Action::Set { cells, expected: Vec::new() };
        edits.push(Edit { target: Target::Existing(id), action, position: edits.len() });
    }
    Ok(edits)
}

/// For each company name: its live contacts, and the latest engagement of any of them.
async fn figures(
    tx: &mut Tx,
    catalog: &Catalog,
    names: &[String],
) -> Result<BTreeMap<String, (i64, Option<DateTime<Utc>>)>> {
    let name = expression(&CONTACTS, "company_name");
    let engaged = expression(&CONTACTS, "last_engagement");
    let mut figures = BTreeMap::new();
    for chunk in names.chunks(5_000) {
        let start =
            format!("select {name}, count(*), max({engaged}) from dynamic_table_rows where org_id = ");
        let mut sql = Sql::bulk(tx.dialect(), &start);
        sql.bind(catalog.org)
            .push(&format!(" and table_key = '{}' and archived_ms is null and {name} in (", CONTACTS.key));
        sql.bind_all(chunk.iter().map(String::as_str)).push(&format!(") group by {name}"));
        for row in tx.fetch_fields(sql, &[Field::Text, Field::Integer, Field::Time]).await? {
            if let [name, contacts, engaged] = row.as_slice()
                && let Some(name) = read_text(name)
            {
                figures.insert(name.to_owned(), (read_integer(contacts).unwrap_or(0), read_time(engaged)));
            }
        }
    }
    Ok(figures)
}

/// How a declared column is compared in SQL.
fn expression(table: &Table, key: &str) -> String {
    table
        .column(key)
        .and_then(|column| Some(comparable(column.kind, &column.slot?.column())))
        .unwrap_or_else(|| "null".to_owned())
}
