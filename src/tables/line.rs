//! The lines in which writers of a table stand: one at a time, so that each sees all that was written before it.

use super::{COMPANIES, CONTACTS};
use crate::error::Result;
use crate::store::{Org, Tx, structure};

/// The tables whose rows hold what comes from other rows, and whose writers therefore all stand in line. A contact waits for
/// its company's record at a CRM, so who writes companies takes the contacts' line first: no two writers ever wait for
/// each other in a circle.
const ORDER: [&str; 2] = [CONTACTS.key, COMPANIES.key];

/// Takes a table's line, until the transaction ends, behind those that come before it.
pub async fn take(tx: &mut Tx, org: Org, table: &str) -> Result<()> {
    let before = ORDER.iter().take_while(|key| **key != table).filter(|_| ORDER.contains(&table));
    for key in before.copied().chain([table]) {
        structure::lock_table(tx, org, key).await?;
    }
    Ok(())
}

/// Takes the line of a table that all its writers take; other tables have none.
pub async fn enter(tx: &mut Tx, org: Org, table: &str) -> Result<()> {
    if ORDER.contains(&table) { take(tx, org, table).await } else { Ok(()) }
}
