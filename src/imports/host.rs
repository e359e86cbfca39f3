//! What an import needs of its caller.

use crate::clock::{Clock, Ids};
use crate::records::Actor;
use crate::store::{Org, Store};
use crate::tables::Catalogs;

/// The services an import runs on, and for whom.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    pub store: &'a Store,
    pub catalogs: &'a Catalogs,
    pub clock: &'a Clock,
    pub ids: &'a Ids,
    pub org: Org,
    /// Who asked for it; what it writes is marked as an import of theirs.
    pub actor: &'a Actor,
    /// Told how many rows are done, of how many, in a sentence.
    pub progress: &'a (dyn Fn(u64, Option<u64>, &str) + Send + Sync),
}
