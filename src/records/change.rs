//! A change that is ready to be written: every value valid for its column.

use uuid::Uuid;

use super::actor::{Actor, Source};
use super::sides::Observation;
use super::stored::Stored;
use crate::tables::{CatalogTable, System, Value};

/// Edits of one table's rows that are written together, seen together and undone together.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    pub table: &'a CatalogTable,
    pub actor: &'a Actor,
    pub source: Source,
    pub edits: Vec<Edit>,
    /// The change that this one undoes.
    pub undo_of: Option<Uuid>,
}

/// What is to become of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    pub target: Target,
    pub action: Action,
    /// Where in the call it stands, for messages.
    pub position: usize,
}

/// Which row an edit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    New(Uuid),
    Existing(Uuid),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sets cells by the place of their column; none clears. `expected` must hold before anything is set.
    Set {
        cells: Vec<(usize, Option<Value>)>,
        expected: Vec<(usize, Option<Value>)>,
    },
    Archive,
    Restore,
    /// Takes over the cells of a row that turned out to be the same record.
    Absorb(Box<Stored>),
    /// Takes in what a CRM says of the row's record.
    Observe(Box<Observed>),
    /// Clears every column and archives the row, for a person's privacy: see [`super::erase`].
    Erase,
    /// Takes in what a record of the application says, with the record's own time.
    Bring(Box<Brought>),
    /// Clears one column, in an archived row too: the column is about to go.
    Empty(usize),
    /// Decides anew between a column's value and the edits of it that were lost: its policy is another one.
    Decide(usize),
    /// Brings the row's derived columns up to date: what they come from has changed elsewhere, or with time.
    Recompute,
}

/// What a record of the application says. It is a write of the moment at which the record was changed there: what people
/// wrote later stays. An archived row stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Brought {
    pub cells: Vec<BroughtCell>,
    /// When the record was last changed, and when it was made.
    pub at_ms: i64,
    pub created_ms: Option<i64>,
}

/// What a record says of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct BroughtCell {
    pub place: usize,
    pub value: Option<Value>,
    pub says: Says,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// It is the first thing that the record says of the column.
    First,
    /// It said something else before. That is older, whatever the record's time says: what it is worked out from may be
    /// another record that changed.
    Now,
    /// A moment that something happened at: the latest that is known of stands.
    Latest,
}

/// What a CRM tells of a record, or answers to what was sent to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub system: System,
    pub record: String,
    /// The writes that it tells of, by the place of their column.
    pub cells: Vec<(usize, Vec<Observation>)>,
    /// What was sent and arrived: its column, its line in the ledger, and the CRM's time.
    pub acknowledged: Vec<(usize, Uuid, i64)>,
    /// Whether `cells` is all that these columns held: what was sent and is not among it never arrived.
    pub is_whole: bool,
    /// The columns whose values it will not take.
    pub refused: Vec<usize>,
    pub life: Option<Life>,
    pub modified_ms: Option<i64>,
    pub received_ms: i64,
}

/// What became of a record as a whole, with the CRM's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Deleted(i64),
    Restored(i64),
}

impl Life {
    pub fn ms(self) -> i64 {
        match self {
            Life::Deleted(ms) | Life::Restored(ms) => ms,
        }
    }
}

impl Observed {
    /// The places of the columns that it tells of, each once, in their order.
    pub(super) fn places(&self) -> Vec<usize> {
        let told = self.cells.iter().map(|(place, _)| *place);
        let mut places: Vec<usize> = told.chain(self.acknowledged.iter().map(|(place, ..)| *place)).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Nothing yet of a record.
    pub fn of(system: System, record: &str, received_ms: i64) -> Observed {
        Observed {
            system,
            record: record.to_owned(),
            cells: Vec::new(),
            acknowledged: Vec::new(),
            is_whole: false,
            refused: Vec::new(),
            life: None,
            modified_ms: None,
            received_ms,
        }
    }
}

impl Target {
    pub fn id(self) -> Uuid {
        match self {
            Target::New(id) | Target::Existing(id) => id,
        }
    }
}
