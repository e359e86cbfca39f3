//! The meaning of a read and of a write.
//!
//! Whoever changes a row — a copilot, a person, a file — makes a [`Change`] and hands it to [`write()`]; there
//! is no other way in. The caller opens the transaction and commits it.

mod actor;
mod aggregate;
mod change;
mod computed;
mod derive;
mod history;
pub mod merge;
mod page;
mod query;
mod seal;
mod stored;
mod write;

pub use actor::{Actor, ActorKind, Source};
pub use aggregate::{Aggregate, Bucket, Function, Group, GroupBy, Order, aggregate};
pub use change::{Action, Change, Edit, Target};
pub use history::{Left, Undone, plan_undo};
pub use page::{Cursor, Page, PageRow, Span, page};
pub use query::{Query, SortKey, count, matching_ids};
pub use seal::{open, seal};
pub use stored::{Stored, get, lock};
pub use write::{Outcome, RowOutcome, Touched, write};
