//! What is computed from other rows and stored: every write brings the rows up to date that depend on it, in its own
//! transaction, and what passes with time is brought up to date by [`catch_up`].
//!
//! There is one way to a computed value, [`fill`]: a row on its way through a change gets it before it is stored. Where a
//! change concerns rows of other tables, [`after`] has these written once more, with nothing to set.

mod companies;
mod contacts;
mod signals;
mod upkeep;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::actor::{Actor, ActorKind, Source};
use super::change::{Action, Change, Edit, Target};
use super::merge::{Cell, Stamp};
use super::stored::Stored;
use super::write::{Draft, write};
use crate::clock::Ids;
use crate::error::Result;
use crate::store::{Org, Tx, rows};
use crate::tables::definitions::comparable;
use crate::tables::{
    COMPANIES, CONTACTS, Catalog, CatalogTable, Derivation, LEADS, MEETINGS, Table, Value, line,
};
pub use upkeep::{Audit, Differing, audit, catch_up, recompute};

/// What was computed for the rows that one text names, such as an address or a company's name.
type Computed = HashMap<String, Vec<(Derivation, Option<Value>)>>;

/// Computes the derived columns of the rows that need it, before they are stored.
pub(super) async fn fill(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    drafts: &mut [Draft],
    stamp: &Stamp,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(by) = by(table).and_then(|by| place(table, by)) else { return Ok(()) };
    let mut due: Vec<&mut Draft> = drafts.iter_mut().filter(|draft| is_due(table, by, draft)).collect();
    if due.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<String> = due.iter().filter_map(|draft| named(&draft.after, by)).collect();
    let names: Vec<String> = names.into_iter().collect();
    let computed = compute(tx, catalog.org, table, &names, now).await?;
    let stamp = Stamp { source: Source::Derived, actor: system().short(), ..stamp.clone() };
    for draft in &mut due {
        let found = named(&draft.after, by).and_then(|name| computed.get(&name));
        put(table, draft, found.map_or(&[], Vec::as_slice), &stamp);
    }
    Ok(())
}

/// Brings the rows of other tables up to date that a change concerns.
pub(super) async fn after(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    drafts: &[Draft],
    now: DateTime<Utc>,
    ids: &Ids,
) -> Result<()> {
    let (to, name, watched): (&Table, &str, &[&str]) = match table.key() {
        key if key == MEETINGS.key => (&CONTACTS, "contact_email", signals::MEETING_INPUTS),
        key if key == LEADS.key => (&CONTACTS, "contact_email", signals::LEAD_INPUTS),
        key if key == CONTACTS.key => (&COMPANIES, "company_name", companies::INPUTS),
        _ => return Ok(()),
    };
    let names = concerned(table, drafts, name, watched);
    let Ok(to) = catalog.table(to.key) else { return Ok(()) };
    if names.is_empty() {
        return Ok(());
    }
    line::enter(tx, catalog.org, to.key()).await?;
    follow(tx, catalog, to, &names, now, ids).await.map(drop)
}

/// Writes the rows once more that one of the names stands for; how many changed.
async fn follow(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    names: &[String],
    now: DateTime<Utc>,
    ids: &Ids,
) -> Result<usize> {
    let Some(by) = by(table) else { return Ok(0) };
    let expression = expression(table.declared, by);
    let found = rows::by_text(tx, catalog.org, table.key(), &expression, names).await?;
    let rows: Vec<uuid::Uuid> = found.into_iter().map(|(_, id)| id).collect();
    again(tx, catalog, table, &rows, now, ids).await
}

/// Writes the rows with nothing to set; how many changed.
async fn again(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    rows: &[uuid::Uuid],
    now: DateTime<Utc>,
    ids: &Ids,
) -> Result<usize> {
    if rows.is_empty() {
        return Ok(0);
    }
    let edit = |(position, &id)| Edit { target: Target::Existing(id), action: Action::Recompute, position };
    let edits = rows.iter().enumerate().map(edit).collect();
    let actor = system();
    let change = Change { table, actor: &actor, source: Source::Derived, edits, undo_of: None };
    let outcome = Box::pin(write(tx, catalog, change, now, ids)).await?;
    Ok(outcome.rows.iter().filter(|row| !row.columns.is_empty()).count())
}

/// The column by which a table's rows are found by what they depend on; none where nothing stored is derived.
fn by(table: &CatalogTable) -> Option<&'static str> {
    match table.key() {
        key if key == CONTACTS.key => Some("email"),
        key if key == COMPANIES.key => Some("name"),
        _ => None,
    }
}

/// What is computed for each of the names that rows of the table have.
async fn compute(
    tx: &mut Tx,
    org: Org,
    table: &CatalogTable,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<Computed> {
    if table.key() == CONTACTS.key {
        contacts::compute(tx, org, names, now).await
    } else {
        companies::compute(tx, org, names).await
    }
}

/// Whether a row's derived columns may have to change: it is new or live again, has another name, or something was
/// written where more is shown than that.
fn is_due(table: &CatalogTable, by: usize, draft: &Draft) -> bool {
    let is_new = draft.before.as_ref().is_none_or(|before| before.head.archived.is_some());
    let touches = |place: &usize| {
        *place == by || table.columns.get(*place).is_some_and(|column| column.derivation.is_some())
    };
    draft.after.head.archived.is_none() && (draft.is_due || is_new || draft.changed.keys().any(touches))
}

/// Puts what was computed into the row, beside what was written there.
fn put(table: &CatalogTable, draft: &mut Draft, computed: &[(Derivation, Option<Value>)], stamp: &Stamp) {
    for (place, column) in table.columns.iter().enumerate() {
        let Some(derivation) = column.derivation else { continue };
        let written = draft.after.written(table, place).and_then(|cell| cell.value);
        let found = computed.iter().find(|(of, _)| *of == derivation);
        let value = combine(derivation, written, found.and_then(|(_, value)| value.clone()));
        let known = draft.after.values.get(place).cloned().flatten();
        if value == known {
            continue;
        }
        // What goes on being shown is nothing new.
        let before = draft.before.as_ref().and_then(|before| before.cell(table, place));
        let before = before.filter(|cell| cell.stamp.source == Source::Derived && cell.value == value);
        let cell = before.unwrap_or_else(|| Cell { value, stamp: stamp.clone() });
        draft.after.put_computed(table, place, cell);
        draft.changed.entry(place).or_insert(known);
        draft.action = draft.action.or(Some("update"));
    }
}

/// What a column shows of what was written and what was computed.
fn combine(derivation: Derivation, written: Option<Value>, computed: Option<Value>) -> Option<Value> {
    match derivation {
        Derivation::LastEngagement | Derivation::LastContact => match (written, computed) {
            (Some(Value::Time(written)), Some(Value::Time(computed))) => {
                Some(Value::Time(written.max(computed)))
            }
            (written, computed) => written.or(computed),
        },
        Derivation::RecentSignals => signals::combine(written, computed),
        Derivation::ActiveContacts => computed.or(Some(Value::Number(0.0))),
        Derivation::MeetingHeld | Derivation::SyncStatus => None,
    }
}

/// The names, as they are compared, that rows had or have, where one of `columns` or the row's life changed.
fn concerned(table: &CatalogTable, drafts: &[Draft], name: &str, columns: &[&str]) -> Vec<String> {
    let Some(name) = place(table, name) else { return Vec::new() };
    let watched: Vec<usize> = columns.iter().filter_map(|key| place(table, key)).collect();
    let mut names = BTreeSet::new();
    for draft in drafts {
        let same = |before: &Stored| {
            before.head.archived == draft.after.head.archived
                && watched.iter().all(|&place| before.values.get(place) == draft.after.values.get(place))
        };
        if !draft.before.as_ref().is_some_and(same) {
            names.extend(draft.before.iter().chain([&draft.after]).filter_map(|row| named(row, name)));
        }
    }
    names.into_iter().collect()
}

/// A text of the row as the database compares it.
fn named(row: &Stored, place: usize) -> Option<String> {
    match row.values.get(place)? {
        Some(Value::Text(name)) => Some(name.to_ascii_lowercase()),
        _ => None,
    }
}

fn place(table: &CatalogTable, key: &str) -> Option<usize> {
    table.columns.iter().position(|column| column.key == key)
}

/// How a declared column is compared in SQL.
pub(super) fn expression(table: &Table, key: &str) -> String {
    table
        .column(key)
        .and_then(|column| Some(comparable(column.kind, &column.slot?.column())))
        .unwrap_or_else(|| "null".to_owned())
}

fn system() -> Actor {
    Actor { kind: ActorKind::System, ..Actor::default() }
}
