//! Forgets what the ledger no longer needs: CRMs repeat their events for some days, not for ever.

use chrono::TimeDelta;

use super::engine::Engine;
use crate::error::Result;
use crate::store::{Org, inbox, ledger, organizations};

/// `Attio` redelivers an event for three days and gives an address up after seven.
const KEPT: TimeDelta = TimeDelta::days(14);

/// Takes old lines out of every organization's ledger, except the last one of each property, and old events out of its
/// inbox.
pub async fn forget(engine: &Engine) -> Result<()> {
    let before = engine.clock.now() - KEPT;
    let known = {
        let mut tx = engine.store.read().await?;
        organizations::all(&mut tx).await?
    };
    for organization in known {
        let mut tx = engine.store.begin().await?;
        ledger::forget(&mut tx, Org(organization.id), before).await?;
        inbox::forget(&mut tx, Org(organization.id), before.timestamp_millis()).await?;
        tx.commit().await?;
    }
    Ok(())
}
