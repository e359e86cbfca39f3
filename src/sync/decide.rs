//! Decides open conflicts anew when a column has got another policy.
//!
//! A policy is an order of writes, worked out from the policy that a column has and kept nowhere. So another policy changes
//! what stands where an edit waits that it would not have let be lost; what a person has settled stays as it is.

use uuid::Uuid;

use super::engine::Engine;
use crate::error::Result;
use crate::records::{self, Action, Actor, ActorKind, Change, Edit, Source, Target};
use crate::store::{Org, conflicts};

/// The most rows of one transaction.
const ROWS: usize = 500;

/// Decides the open conflicts of a column by its policy; how many rows have another value by it.
pub(super) async fn anew(engine: &Engine, org: Org, (table, column): (&str, &str)) -> Result<usize> {
    let mut tx = engine.store.read().await?;
    let rows = conflicts::open_rows(&mut tx, org, table, column).await?;
    drop(tx);
    let mut decided = 0;
    for rows in rows.chunks(ROWS) {
        decided += some(engine, org, (table, column), rows).await?;
    }
    engine.wake();
    Ok(decided)
}

async fn some(engine: &Engine, org: Org, (table, column): (&str, &str), rows: &[Uuid]) -> Result<usize> {
    let now = engine.clock.now();
    let (mut tx, catalog) = engine.catalogs.begin(&engine.store, org, now).await?;
    let table = catalog.table(table)?;
    let place = table.place(column)?;
    let edit = |(position, row): (usize, &Uuid)| Edit {
        target: Target::Existing(*row),
        action: Action::Decide(place),
        position,
    };
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let edits = rows.iter().enumerate().map(edit).collect();
    let change = Change { table, actor: &actor, source: Source::App, edits, undo_of: None };
    let outcome = records::write(&mut tx, &catalog, change, now, &engine.ids).await?;
    tx.commit().await?;
    Ok(outcome.rows.iter().filter(|row| !row.columns.is_empty()).count())
}
