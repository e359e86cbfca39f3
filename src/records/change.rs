//! A change that is ready to be written: every value valid for its column.

use uuid::Uuid;

use super::actor::{Actor, Source};
use crate::tables::{CatalogTable, Value};

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
    /// Clears one column, in an archived row too: the column is about to go.
    Empty(usize),
}

impl Target {
    pub fn id(self) -> Uuid {
        match self {
            Target::New(id) | Target::Existing(id) => id,
        }
    }
}
