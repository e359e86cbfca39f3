//! What has been understood of a message so far.

use std::ops::Range;

use serde_json::Value as Json;

use super::grammar::Figure;
use super::moment::When;
use crate::tables::{Dir, Op};

/// A request that is being read, for one table.
#[derive(Debug, Default, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a message")]
pub(super) struct Draft {
    /// How the message asks: to show, to find, to count.
    pub asks: bool,
    pub finds: bool,
    /// It asks with "which", "what" or "who", rather than to be shown something.
    pub questions: bool,
    pub counts: bool,
    pub how_much: bool,
    /// The message says that the organization's own data is meant.
    pub ours: bool,
    /// Where the table's rows are named, and whether in the plural.
    pub noun: Option<NounAt>,
    pub noun_end: usize,
    pub filters: Vec<Found>,
    pub sort: Vec<(Sorted, Dir)>,
    pub limit: Option<usize>,
    pub group_by: Vec<Group>,
    pub figure: Option<Figure>,
    /// The number column that a figure or an order is about.
    pub measure: Option<usize>,
    /// Columns that are asked for.
    pub fields: Vec<Field>,
    /// "biggest", "newest": an order still without its column or limit.
    pub superlative: Option<Superlative>,
    /// "highest MRR": an order when rows are named, else the figure itself.
    pub extreme: Option<(usize, Dir)>,
    pub extreme_at: usize,
    /// Rows are asked to be shown: "list the clients with the highest MRR".
    pub asks_rows: bool,
    /// A date column that was named and waits for its date.
    pub date_column: Option<usize>,
    pub date_column_at: usize,
    /// Leads by what became of their meeting are dated by it.
    pub speaks_of_event: bool,
    /// "most", in a question for the group with the most.
    pub most: Option<Dir>,
    pub each: bool,
    pub recent: bool,
    /// A row was named by something that identifies it.
    pub keyed: bool,
    /// In a change a bare name stands for its row.
    pub names_row: bool,
    /// The words are about rows that are to be changed.
    pub changes: bool,
    /// Where "the most" stands.
    pub most_at: usize,
    /// Words that had to be corrected or guessed.
    pub doubts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NounAt {
    pub at: usize,
    pub plural: bool,
}

/// A column that is asked for, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub column: usize,
    pub at: usize,
}

/// A comparison and the tokens that it came from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub column: Where,
    pub op: Op,
    pub value: Json,
    pub tokens: Range<usize>,
}

/// The column of a comparison; a date may be read before its column is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Column(usize),
    SomeDate(When),
}

/// What an order goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sorted {
    Column(usize),
    /// The figure of each group.
    Value,
}

/// A column to group by; dates by a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub column: usize,
    pub unit: Option<&'static str>,
    pub tokens: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Superlative {
    Measure(Dir),
    Date(Dir),
    Length(Dir),
}

impl Draft {
    pub(super) fn filter(&mut self, column: usize, op: Op, value: Json, tokens: Range<usize>) {
        self.filters.push(Found { column: Where::Column(column), op, value, tokens });
    }

    /// Whether two texts are to be in one cell, which no sentence about rows means.
    pub(super) fn contradicts(&self) -> bool {
        let texts = || self.filters.iter().filter(|found| matches!(found.op, Op::Contains | Op::StartsWith));
        texts().any(|found| texts().any(|other| other.column == found.column && other.value != found.value))
    }

    /// The columns that are compared so far.
    pub(super) fn has_filter_on(&self, column: usize) -> bool {
        self.filters.iter().any(|found| found.column == Where::Column(column))
    }
}
