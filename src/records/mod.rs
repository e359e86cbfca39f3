//! The meaning of a read and of a write.
//!
//! Whoever changes a row — a copilot, a person, a file — makes a [`Change`] and hands it to [`write()`]; there
//! is no other way in. The caller opens the transaction and commits it.

mod absorb;
mod actor;
mod aggregate;
mod associated;
mod bring;
mod change;
mod computed;
mod derive;
mod elsewhere;
mod erase;
mod history;
mod ledger;
pub mod life;
mod lost;
pub mod merge;
mod observe;
mod outbox;
mod page;
mod query;
mod seal;
pub mod sides;
mod stored;
mod write;

pub use actor::{Actor, ActorKind, Source};
pub use aggregate::{Aggregate, Bucket, Function, Group, GroupBy, Order, aggregate};
pub use associated::{Due, due};
pub use change::{Action, Brought, BroughtCell, Change, Edit, Life, Observed, Says, Target};
pub use computed::Basis;
pub use derive::{Audit, Differing, audit, catch_up, recompute};
pub use erase::{are_erased, email_key, erase, erase_unknown, record_key};
pub use history::{Left, Undone, plan_undo};
pub use ledger::{sending, shadow};
pub use outbox::{differing, queue_of};
pub use page::{Cursor, Page, PageRow, Span, page};
pub use query::{Query, SortKey, count, matching_ids};
pub use seal::{open, seal};
pub use stored::{Stored, from_log, get, get_all, lock};
pub use write::{Outcome, RowOutcome, Touched, write};
