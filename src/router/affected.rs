//! Which rows a change is about; they must be named, and no word may be left over.

use std::ops::Range;

use serde_json::Map;

use super::call::{self, Operation};
use super::draft::Draft;
use super::grammar::Gram;
use super::reader::Reader;
use super::text::TokenKind;
use super::update::Cell;
use crate::tables::{Kind, Op, Role};

impl Reader<'_> {
    /// "delete the lead spam@spam.com".
    pub(super) fn deletion(&mut self, at: usize) -> Option<call::Found> {
        let end = self.end;
        let rows = match self.gram(at, Gram::Delete) {
            Some(length) => at + length..end,
            None => self.rows_to_delete(at)?,
        };
        self.rows(rows, true)?;
        Some(call::change(self, Operation::Delete, Map::new(), Vec::new()))
    }

    /// "client Foo Ltd is a dupe, delete it": the rows stand before the verb.
    pub(super) fn rows_to_delete(&self, at: usize) -> Option<Range<usize>> {
        let verb = (at + 1..self.end).find(|i| self.gram(*i, Gram::Delete).is_some())?;
        let length = self.gram(verb, Gram::Delete)?;
        let told = ["it", "them", "that", "him", "her", "this"].contains(&self.word(verb + length))
            && verb + length + 1 == self.end;
        let mut stop = (at + 1..verb).find(|i| ["is", "are", "was"].contains(&self.word(*i))).unwrap_or(verb);
        let plain = (stop..verb).all(|i| {
            let word = self.word(i);
            word.is_empty()
                || [
                    "is",
                    "are",
                    "was",
                    "a",
                    "an",
                    "just",
                    "dupe",
                    "dupes",
                    "duplicate",
                    "duplicates",
                    "test",
                    "spam",
                    "fake",
                    "junk",
                    "row",
                    "entry",
                    "record",
                    "please",
                    "so",
                    "and",
                    "wrong",
                ]
                .contains(&word)
        });
        while stop > at && self.token(stop - 1).is_some_and(|token| matches!(token.kind, TokenKind::Mark(_)))
        {
            stop -= 1;
        }
        (told && plain).then_some(at..stop)
    }

    pub(super) fn update(&mut self, key: Range<usize>, cells: Vec<Cell>) -> Option<call::Found> {
        self.update_named(key, cells, false)
    }

    /// As [`Reader::update`]; `named` when the message names the column and the row it is of.
    pub(super) fn update_named(
        &mut self,
        key: Range<usize>,
        cells: Vec<Cell>,
        named: bool,
    ) -> Option<call::Found> {
        let end = self.end;
        let possessive = key
            .end
            .checked_sub(1)
            .and_then(|last| self.token(last))
            .is_some_and(|token| token.kind == TokenKind::Possessive);
        let objects = [
            "deal",
            "deals",
            "opportunity",
            "opportunities",
            "contract",
            "contracts",
            "task",
            "tasks",
            "ticket",
            "tickets",
        ];
        let elsewhere = (0..self.end).any(|at| {
            objects.contains(&self.word(at)) && self.any_column(at).is_none_or(|(length, _)| length == 1)
        });
        self.rows(key, false)?;
        self.end = end;
        // A deal is no row of these tables, however it is named.
        if elsewhere && self.draft.noun.is_none() {
            return None;
        }
        // Free text is set only where the row is said to be one of the table's.
        let is_text =
            |column: usize| matches!(self.kind(column), Some(Kind::Text | Kind::Tags | Kind::Company));
        if self.draft.noun.is_none()
            && !named
            && !possessive
            && !self.has_exact_email()
            && cells.iter().any(|(column, ..)| is_text(*column))
        {
            return None;
        }
        let mut set = Map::new();
        let mut parts = Vec::new();
        for (column, value, tokens) in cells {
            let known = self.column(column).filter(|known| known.is_editable())?;
            parts.push((tokens, format!("set {} to {value}", known.key)));
            if set.insert(known.key.clone(), value).is_some() {
                return None;
            }
        }
        Some(call::change(self, Operation::Update, set, parts))
    }

    /// Reads which rows are meant; all words must be understood and something must narrow them down.
    pub(super) fn rows(&mut self, key: Range<usize>, needs_noun: bool) -> Option<()> {
        if key.is_empty() {
            return None;
        }
        let end = self.end;
        self.draft = Draft { names_row: !needs_noun, changes: true, ..Draft::default() };
        let read = self.read(key.start, key.end);
        self.end = end;
        let settled = read.is_ok().then(|| self.settle()).flatten();
        let draft = &self.draft;
        let only_owner = self.role(Role::Owner).is_some_and(|owner| {
            draft.filters.iter().all(|found| found.column == super::draft::Where::Column(owner))
        });
        let shaped = draft.limit.is_some()
            || !draft.sort.is_empty()
            || draft.superlative.is_some()
            || draft.counts
            || draft.most.is_some()
            || draft.each
            || draft.recent
            || draft.asks
            || draft.finds
            || draft.figure.is_some()
            || draft.how_much
            || !draft.group_by.is_empty()
            || !draft.fields.is_empty()
            || draft.date_column.is_some();
        // Rows of two tables at once, or of two names that no row has both, are no selection.
        let other_rows = (key.start..key.end).any(|at| {
            self.noun_at(at).is_none()
                && self.noun_of_other_table(at).is_some()
                && self.any_column(at).is_none()
        });
        let contradicts = draft.contradicts();
        let negative = draft.filters.iter().all(|found| matches!(found.op, Op::NotEquals | Op::NotIn));
        if other_rows || contradicts || negative {
            return None;
        }
        let named = draft.noun.is_some() || draft.keyed;
        let which = !draft.filters.is_empty() && (draft.keyed || draft.noun.is_some_and(|noun| noun.plural));
        let whole = only_owner && needs_noun;
        (settled.is_some()
            && which
            && named
            && !shaped
            && !whole
            && (!needs_noun || draft.noun.is_some() || self.has_exact_email()))
        .then_some(())
    }

    pub(super) fn has_exact_email(&self) -> bool {
        self.words().and_then(|words| words.email).is_some_and(|email| self.draft.has_filter_on(email))
    }
}
