//! What a CRM holds of records, taken in as changes of the rows that they are: the one way in for what is read, whoever
//! asked for it.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::access::Access;
use super::breaker;
use super::crm::Seen;
use super::deliver::mapped;
use super::doubt::{as_found, whole};
use super::engine::Engine;
use super::fault::Fault;
use super::find::{self, Found, Of};
use super::leads;
use crate::error::Result;
use crate::records::{
    self, Action, Actor, ActorKind, Change, Edit, Life, Observed, Source, Target, Touched, are_erased,
    email_key, record_key,
};
use crate::store::{LinkRow, Org, Tx, links, structure};
use crate::tables::{Catalog, Kind, Object, Value};

/// How records were read.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Whether they come with all that their properties held, or only with what these hold now.
    pub(super) is_whole: bool,
    /// Whether too many changes at once are held back until a person has looked.
    pub(super) breaker: bool,
    /// When it was asked for them: what was alive then was not deleted before.
    pub(super) asked_ms: i64,
    /// Records that are no row yet and were last modified before this moment stay out.
    pub(super) since_ms: Option<i64>,
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) created: u64,
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    pub(super) deleted: u64,
    /// Rows that became one with another row.
    pub(super) joined: u64,
    /// Whether it was too much at once: then nothing was taken in, and nothing is until a person lets it go on.
    pub(super) is_held: bool,
}

impl How {
    /// Records that are read with their history because the CRM told of them, from now on.
    pub(super) fn told(engine: &Engine) -> How {
        How { is_whole: true, breaker: true, asked_ms: engine.clock.now_ms(), since_ms: None }
    }
}

impl std::ops::AddAssign for Taken {
    fn add_assign(&mut self, other: Taken) {
        self.created += other.created;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.joined += other.joined;
        self.is_held |= other.is_held;
    }
}

/// Takes records in, in one transaction. What is too much at once holds back the connection and is not taken in.
pub(super) async fn take(
    engine: &Engine,
    org: Org,
    access: &Access,
    object: Object,
    seen: Vec<Seen>,
    how: How,
) -> Result<Taken> {
    if seen.is_empty() {
        return Ok(Taken::default());
    }
    let (mut tx, catalog) = engine.catalogs.begin(&engine.store, org, engine.clock.now()).await?;
    let taken = take_within(engine, &mut tx, &catalog, access, object, seen, how).await?;
    if taken.is_held {
        drop(tx);
        breaker::hold(engine, org, access.system).await?;
    } else {
        tx.commit().await?;
        engine.wake();
    }
    Ok(taken)
}

/// The same in the caller's transaction, which must be given up when it was too much.
pub(super) async fn take_within(
    engine: &Engine,
    tx: &mut Tx,
    catalog: &Catalog,
    access: &Access,
    object: Object,
    seen: Vec<Seen>,
    how: How,
) -> Result<Taken> {
    let (Some(connection), Ok(table)) = (catalog.connection(access.system), catalog.table(object.table()))
    else {
        return Ok(Taken::default());
    };
    let of = Of { catalog, connection, table, object };
    if how.breaker && breaker::is_held(tx, catalog.org, access.system).await? {
        return Ok(Taken { is_held: true, ..Taken::default() });
    }
    // The table first, as imports do: no two make the same row, and nobody waits in a circle.
    structure::lock_table(tx, catalog.org, table.key()).await?;
    let mut seen = seen;
    find::follow(tx, &of, &mut seen).await?;
    keep_out_erased(tx, &of, &mut seen).await?;
    let joined = find::join_merged(engine, tx, &of, &seen).await?;
    let (found, relinked) = find::rows(engine, tx, &of, &seen).await?;
    let mapped = mapped(connection, access, object);
    let mut edits = Vec::with_capacity(seen.len());
    let mut known = HashSet::new();
    for (seen, found) in seen.iter().zip(found) {
        let (target, link) = match found {
            Found::Linked(link) => (Target::Existing(link.row_id), Some(link)),
            Found::Free(row) => (Target::Existing(row), None),
            Found::None if is_wanted(seen, how) => (Target::New(engine.ids.next()), None),
            Found::None => continue,
        };
        if link.is_some() {
            known.insert(target.id());
        }
        let is_own = link.is_some() || seen.row == Some(target.id());
        let observed = Observed {
            is_whole: how.is_whole && !seen.columns.is_empty(),
            life: life(seen, link.as_deref(), how),
            ..whole(access, table, &mapped, seen, engine.clock.now_ms())
        };
        let observed = if is_own { observed } else { as_found(observed) };
        let action = Action::Observe(Box::new(observed));
        edits.push(Edit { target, action, position: edits.len() });
    }
    let unwritten = u64::try_from(seen.len() - edits.len()).unwrap_or(0);
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let change = Change { table, actor: &actor, source: Source::of(access.system), edits, undo_of: None };
    let outcome = records::write(tx, catalog, change, engine.clock.now(), &engine.ids).await?;
    let mut taken = Taken { joined: joined + relinked, unchanged: unwritten, ..Taken::default() };
    let mut counted = Vec::new();
    let mut moved = Vec::new();
    for (id, touched) in once(&outcome.rows) {
        match touched {
            Touched::Created => taken.created += 1,
            Touched::Updated | Touched::Restored => taken.changed += 1,
            Touched::Archived => taken.deleted += 1,
            Touched::Unchanged => taken.unchanged += 1,
        }
        if touched != Touched::Unchanged && known.contains(&id) {
            counted.push(id);
        }
        if matches!(touched, Touched::Created | Touched::Updated | Touched::Restored) {
            moved.push(id);
        }
    }
    if how.breaker && breaker::is_too_much(engine, tx, (catalog.org, access.system), &counted).await? {
        return Ok(Taken { is_held: true, ..Taken::default() });
    }
    if object == Object::Contact {
        leads::fill(engine, tx, &of, &moved).await?;
    }
    Ok(taken)
}

/// Leaves out people who were erased for their privacy, under whatever record or address they come.
async fn keep_out_erased(tx: &mut Tx, of: &Of<'_>, seen: &mut Vec<Seen>) -> Result<()> {
    let (system, object) = of.names();
    let emails: HashSet<&str> = of
        .table
        .columns
        .iter()
        .filter(|column| column.kind == Kind::Email)
        .map(|column| column.key.as_str())
        .collect();
    let (mut keys, mut owners) = (Vec::new(), Vec::new());
    for (place, seen) in seen.iter().enumerate() {
        let values = seen.columns.iter().filter(|(column, _)| emails.contains(column.as_str()));
        let addresses = values.filter_map(|(_, past)| match past.last().map(|past| &past.value) {
            Some(Some(Value::Text(email))) => Some(email_key(email)),
            _ => None,
        });
        for key in addresses.chain([record_key(system, object, &seen.record)]) {
            keys.push(key);
            owners.push(place);
        }
    }
    let are_erased = are_erased(tx, of.catalog, &keys).await?;
    let erased: HashSet<usize> =
        owners.into_iter().zip(are_erased).filter(|(_, erased)| *erased).map(|(place, _)| place).collect();
    let mut place = 0..;
    seen.retain(|_| place.next().is_some_and(|place| !erased.contains(&place)));
    Ok(())
}

/// Reads records with their history and takes them in. Those that the CRM does not know any more are deleted there.
pub(super) async fn read_in(
    engine: &Engine,
    org: Org,
    access: &Access,
    object: Object,
    records: &[String],
    how: How,
) -> Result<Result<Taken, Fault>> {
    let how = How { is_whole: true, asked_ms: engine.clock.now_ms(), ..how };
    match read(engine, org, access, object, records).await? {
        Ok(seen) => Ok(Ok(take(engine, org, access, object, seen, how).await?)),
        Err(fault) => Ok(Err(fault)),
    }
}

/// The records as they are at the CRM now, by their present ids. One that is gone and is a row is archived since it was
/// last heard of: when it was deleted is not known.
pub(super) async fn read(
    engine: &Engine,
    org: Org,
    access: &Access,
    object: Object,
    records: &[String],
) -> Result<Result<Vec<Seen>, Fault>> {
    let (mut tx, catalog) = engine.catalogs.read(&engine.store, org, engine.clock.now()).await?;
    let Some(connection) = catalog.connection(access.system) else { return Ok(Ok(Vec::new())) };
    let (system, name) = (access.system.name(), object.name());
    let became = links::resolve_all(&mut tx, org, system, name, records).await?;
    let records = records.iter().map(|record| became.get(record).unwrap_or(record).clone());
    let records: Vec<String> = records.collect::<HashSet<_>>().into_iter().collect();
    let linked = links::of_records(&mut tx, org, system, name, &records).await?;
    drop(tx);
    let (mapped, writer) = (mapped(connection, access, object), access.writer.as_deref());
    let client = engine.client()?;
    let answer = client.read(access.system, &access.token, object, &records, &mapped, writer).await;
    let mut seen = match answer {
        Ok(answer) => answer.value,
        Err(fault) => return Ok(Err(fault)),
    };
    let names: HashSet<&str> =
        seen.iter().flat_map(|seen| seen.merged.iter().chain([&seen.record])).map(String::as_str).collect();
    let gone = linked.iter().filter(|link| !names.contains(link.record_id.as_str()));
    let gone: Vec<Seen> = gone.map(gone_since).collect();
    seen.extend(gone);
    Ok(Ok(seen))
}

fn gone_since(link: &LinkRow) -> Seen {
    Seen {
        record: link.record_id.clone(),
        row: None,
        archived: true,
        modified_ms: link.modified_ms.max(Some(link.heard_at.timestamp_millis())),
        merged: Vec::new(),
        columns: Vec::new(),
    }
}

/// Whether a record that is no row becomes one.
fn is_wanted(seen: &Seen, how: How) -> bool {
    let is_old = how.since_ms.is_some_and(|since| seen.modified_ms.is_some_and(|at| at < since));
    !seen.archived && !is_old
}

/// What the reading says of the record's life. One that is there was restored, unless it was deleted since it was asked for.
fn life(seen: &Seen, link: Option<&LinkRow>, how: How) -> Option<Life> {
    if seen.archived {
        return Some(Life::Deleted(seen.modified_ms.unwrap_or(how.asked_ms)));
    }
    let link = link.filter(|link| link.heard_at.timestamp_millis() <= how.asked_ms)?;
    link.gone_ms.map(|gone| Life::Restored(seen.modified_ms.unwrap_or(gone).max(gone + 1)))
}

/// Each row with the most that became of it.
fn once(outcomes: &[records::RowOutcome]) -> HashMap<Uuid, Touched> {
    let mut rows = HashMap::new();
    for outcome in outcomes {
        let touched = rows.entry(outcome.id).or_insert(outcome.touched);
        if *touched == Touched::Unchanged {
            *touched = outcome.touched;
        }
    }
    rows
}
