//! Imports: a file's rows become typed rows, every value checked, every loss reported, nothing twice.
//!
//! A file is CSV (`,`, `;` or tab) or JSON Lines. Its headings find their columns by the words of the
//! declarations; a [`Mapping`] says what differs. All of it is optional, and an unknown key is refused:
//!
//! ```toml
//! day_first = true               # 1/2/2026 is the first of February; found out from the file when not said
//! on_bad_value = "skip_cell"     # store the rest of such a row; "refuse_row" when not said
//! people = "refuse"              # refuse a row with a person who is no member; "add" when not said
//!
//! [[into]]                       # the first one whose `where` holds takes the row
//! table = "clients"
//! where = { deal_stage = ["Won"] }
//! match_on = ["opportunity_id"]  # which columns find the row again; the table's own keys when not said
//! ignore = ["internal note"]     # headings to leave out
//! [into.columns]                 # column = heading, several headings joined, a part of one, or a constant
//! company_name = "account"
//! deal_name = { headings = ["product", "account"], join = " · " }
//! contact_name = { headings = ["name"], part = "first_word" }     # or "other_words"
//! status = { value = "active" }
//! [into.values.status]           # what the file says = what is stored
//! "On hold" = "paused"
//! [[into.create]]                # a column made when the table lacks it
//! key = "opportunity_id"
//! label = "Opportunity ID"
//! type = "text"
//! ```
//!
//! A row is found again by `match_on`, or the table's first natural key that the row fills, or an id made
//! of its own content, so the same file can be imported again and changes nothing. An empty cell leaves
//! what is stored. Rows are written 500 at a time through `records::write`, each time in a transaction.

mod cells;
mod csv;
mod dates;
mod groups;
mod headings;
mod host;
mod json;
mod mapping;
mod matching;
mod people;
mod plan;
mod prepare;
mod reading;
mod report;
mod run;
mod setup;
mod source;
mod write;

pub use host::Host;
pub use mapping::{Create, Feed, Made, Mapping, OnBadValue, Part, People, Route};
pub use report::{Fault, Mapped, NotImported, Repeated, Report, Sample, TableReport};
pub use run::{preview, run};
pub use source::{Format, Source};
