//! Records that took the place of others without a word of it: where a CRM makes a new record of two, the new one has the
//! address of one that is gone.

use super::access::Access;
use super::arrive;
use super::crm::Seen;
use super::engine::Engine;
use super::fault::Fault;
use super::find::{self, Of};
use crate::error::Result;

/// How many records are looked at together.
const TOGETHER: usize = 50;

/// Notes with each new record whose address a row has that is another record which of those took its place: the ones that
/// the CRM does not know any more.
pub(super) async fn note(
    engine: &Engine,
    of: &Of<'_>,
    access: &Access,
    seen: &mut [Seen],
) -> Result<Result<(), Fault>> {
    let org = of.catalog.org;
    let mut tx = engine.store.read().await?;
    let rivals = find::rivals(&mut tx, of, seen).await?;
    drop(tx);
    for chunk in rivals.chunks(TOGETHER) {
        let names: Vec<String> = chunk.iter().map(|(_, rival)| rival.clone()).collect();
        let there = match arrive::read(engine, org, access, of.object, &names).await? {
            Ok(there) => there,
            Err(fault) => return Ok(Err(fault)),
        };
        for (record, rival) in chunk {
            let is_gone = there.iter().any(|it| it.record == *rival && it.columns.is_empty());
            if let Some(new) = seen.iter_mut().find(|seen| is_gone && seen.record == *record) {
                new.merged.push(rival.clone());
            }
        }
    }
    Ok(Ok(()))
}
