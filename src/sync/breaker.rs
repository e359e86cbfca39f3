//! Holds back what a CRM tells when too much of it changes at once: an import that went wrong or a list that somebody
//! emptied there should not be here before a person has looked.

use uuid::Uuid;

use super::engine::Engine;
use crate::error::Result;
use crate::store::{Org, Tx, hooks, links};
use crate::tables::System;

/// Over how long changes are counted, in milliseconds.
const WINDOW_MS: i64 = 600_000;
/// Fewer rows than these are never too many.
const FEW: i64 = 100;
/// How long nothing is held back after a person let it go on, in milliseconds.
const FREE_MS: i64 = 3_600_000;

/// Whether what the CRM tells is held back.
pub(super) async fn is_held(tx: &mut Tx, org: Org, system: System) -> Result<bool> {
    Ok(hooks::get(tx, org, system.name()).await?.is_some_and(|row| row.held_at.is_some()))
}

/// Counts the linked rows that what came in changed or deleted. When they are too many, the answer is yes: the caller gives
/// up its transaction and has the connection held back by another one.
pub(super) async fn is_too_much(
    engine: &Engine,
    tx: &mut Tx,
    (org, system): (Org, System),
    changed: &[Uuid],
) -> Result<bool> {
    if changed.is_empty() {
        return Ok(false);
    }
    let now_ms = engine.clock.now_ms();
    let known = hooks::lock(tx, org, system.name()).await?;
    if known.as_ref().is_some_and(|row| now_ms < row.free_until_ms) {
        return Ok(false);
    }
    let open = known.filter(|row| now_ms - row.window_ms < WINDOW_MS);
    if open.is_none() {
        hooks::begin_window(tx, org, system.name()).await?;
    }
    let (since_ms, before) = open.map_or((now_ms, 0), |row| (row.window_ms, row.window_changed));
    let new = hooks::changed(tx, org, system.name(), changed).await?;
    let total = before.saturating_add(i64::try_from(new).unwrap_or(i64::MAX));
    if total > FEW {
        let linked: i64 = links::counts(tx, org, system.name()).await?.iter().map(|(_, rows)| rows).sum();
        let share = i64::from(engine.schedule().breaker_percent);
        if total.saturating_mul(100) > linked.saturating_mul(share) {
            return Ok(true);
        }
    }
    hooks::set_window(tx, org, system.name(), since_ms, total).await?;
    Ok(false)
}

/// Holds back what the CRM tells until a person lets it go on.
pub(super) async fn hold(engine: &Engine, org: Org, system: System) -> Result<()> {
    let mut tx = engine.store.begin().await?;
    if is_held(&mut tx, org, system).await? {
        return Ok(());
    }
    let percent = engine.schedule().breaker_percent;
    let reason = format!(
        "more than {percent} % of the rows that are records of {} would change within 10 minutes",
        system.label()
    );
    tracing::warn!(system = system.name(), "{reason}; nothing is taken in until a person lets it go on");
    hooks::hold(&mut tx, org, system.name(), Some(&reason), engine.clock.now()).await?;
    tx.commit().await
}

/// Lets go on what was held back, and holds back nothing for an hour; whether anything was held back.
pub async fn let_in(tx: &mut Tx, org: Org, system: System, now_ms: i64) -> Result<bool> {
    hooks::release(tx, org, system.name(), now_ms + FREE_MS).await
}
