//! Whether what was read is a request for rows, and what it comes to.

use std::ops::Range;

use serde_json::Value as Json;

use super::draft::{Field, Group, Sorted, Superlative, Where};
use super::grammar::Figure;
use super::reader::Reader;
use crate::tables::{Dir, Kind, Op, Role};

/// Why a message is left alone, for the trace.
pub(super) type Reason = &'static str;

/// A request for rows or figures, with its columns by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub filters: Vec<(String, Op, Json, Range<usize>)>,
    pub sort: Vec<(String, Dir)>,
    pub limit: Option<usize>,
    pub group_by: Vec<(String, Option<&'static str>)>,
    pub figure: Option<(Figure, Option<String>)>,
    pub fields: Vec<String>,
}

/// The column name of an order by each group's figure.
pub(super) const VALUE: &str = "_value";

impl Reader<'_> {
    /// The request, when what was read is one.
    pub(super) fn request_read(&mut self) -> Result<Request, Reason> {
        self.settle().ok_or("no such table")?;
        self.group_by_most()?;
        self.choose_figure();
        self.is_about_rows()?;
        self.place_superlative()?;
        let key = |column: usize| self.column(column).map(|known| known.key.clone()).unwrap_or_default();
        let filters = self
            .draft
            .filters
            .iter()
            .filter_map(|found| match found.column {
                Where::Column(column) => {
                    Some((key(column), found.op, found.value.clone(), found.tokens.clone()))
                }
                Where::SomeDate(_) => None,
            })
            .collect();
        let mut fields: Vec<String> = self.draft.fields.iter().map(|field| key(field.column)).collect();
        fields.dedup();
        Ok(Request {
            filters,
            sort: self
                .draft
                .sort
                .iter()
                .map(|(by, dir)| match by {
                    Sorted::Column(column) => (key(*column), *dir),
                    Sorted::Value => (VALUE.to_owned(), *dir),
                })
                .collect(),
            limit: self.draft.limit,
            group_by: self.draft.group_by.iter().map(|group| (key(group.column), group.unit)).collect(),
            figure: self
                .draft
                .figure
                .map(|figure| (figure, self.draft.measure.map(key).filter(|_| figure != Figure::Count))),
            fields,
        })
    }

    /// "which rep has the most leads": one group for each rep, the largest first.
    fn group_by_most(&mut self) -> Result<(), Reason> {
        let Some(dir) = self.draft.most else { return Ok(()) };
        // "which client pays us the least"
        let paid = self.draft.fields.iter().position(|field| self.kind(field.column) == Some(Kind::Number));
        if let (Some(index), None, true, true) = (
            paid,
            self.draft.figure,
            self.draft.group_by.is_empty(),
            self.draft.noun.is_none_or(|noun| noun.at < self.draft.most_at),
        ) {
            let field = self.draft.fields.remove(index);
            self.draft.most = None;
            if self.draft.noun.is_none() {
                self.set_noun(field.at, false);
            }
            self.draft.sort.push((Sorted::Column(field.column), dir));
            return Ok(());
        }
        if self.draft.group_by.is_empty() {
            let groupable = |field: &&Field| {
                matches!(
                    self.kind(field.column),
                    Some(Kind::Status | Kind::Text | Kind::Person | Kind::Company)
                )
            };
            let (column, place) = match self.draft.fields.iter().find(groupable) {
                Some(field) => (field.column, field.at),
                None => (self.role(Role::Owner).ok_or("nothing to compare")?, 0),
            };
            let plural = self.word(place).ends_with('s');
            self.draft.group_by.push(Group { column, unit: None, tokens: place..place + 1 });
            if self.draft.limit.is_none() && !plural {
                self.draft.limit = Some(1);
            }
            self.draft.fields.retain(|field| field.column != column);
        }
        if self.draft.figure.is_none() {
            self.draft.figure = Some(Figure::Count);
        }
        self.draft.sort.retain(|(by, _)| *by != Sorted::Value);
        self.draft.sort.push((Sorted::Value, dir));
        Ok(())
    }

    /// Which figure was asked for, when the words left it open.
    fn choose_figure(&mut self) {
        self.ask_for_date();
        self.take_extreme();
        self.group_fields();
        let grouped = !self.draft.group_by.is_empty();
        // "select priority, count … group by priority"
        let groups: Vec<usize> = self.draft.group_by.iter().map(|group| group.column).collect();
        self.draft.fields.retain(|field| !groups.contains(&field.column));
        self.draft.figure = match (self.draft.figure, self.draft.measure) {
            (Some(figure), _) if figure == Figure::Count => Some(figure),
            (Some(figure), Some(_)) => Some(figure),
            (Some(Figure::Sum), None) if self.draft.noun.is_some() => Some(Figure::Count),
            (None, Some(_)) if grouped || self.draft.how_much => Some(Figure::Sum),
            (None, _) if self.draft.counts || grouped => Some(Figure::Count),
            (other, _) => other,
        };
        // "what's our MRR"
        if let ([Field { column, .. }], true) = (self.draft.fields.as_slice(), self.draft.figure.is_none())
            && self.draft.noun.is_none()
            && !self.draft.keyed
            && self.draft.asks
            && self.kind(*column) == Some(Kind::Number)
        {
            self.draft.measure = Some(*column);
            self.draft.figure = Some(Figure::Sum);
            self.draft.fields.clear();
        }
        if self.draft.counts && self.draft.figure.is_none() {
            self.draft.figure = Some(Figure::Count);
        }
        if grouped {
            self.order_by_figure();
        }
    }

    fn ask_for_date(&mut self) {
        // "last contact date for Solvay"; what merely happens at a date is no cell to show.
        let named = |column: usize| {
            let text = self.text(self.draft.date_column_at, self.draft.date_column_at + 3).to_lowercase();
            text.contains("date")
                || self.column(column).is_some_and(|known| text.starts_with(&known.label.to_lowercase()))
        };
        let waits = self.draft.date_column.filter(|column| {
            self.draft.keyed
                && self.draft.noun.is_none_or(|noun| !noun.plural)
                && self.draft.fields.is_empty()
                && named(*column)
        });
        if let Some(column) = waits {
            self.draft.fields.push(Field { column, at: self.draft.date_column_at });
            self.draft.date_column = None;
        }
    }

    /// "highest MRR" without rows is the figure itself.
    fn take_extreme(&mut self) {
        if let Some((column, dir)) = self.draft.extreme
            && self
                .draft
                .noun
                .is_none_or(|noun| noun.plural && self.draft.extreme_at < noun.at && !self.draft.asks_rows)
            && self.draft.limit.is_none()
            && self.draft.figure.is_none()
        {
            self.draft.figure = Some(if dir == Dir::Desc { Figure::Max } else { Figure::Min });
            self.draft.measure = Some(column);
            self.draft.sort.clear();
        }
    }

    /// Columns that groups are made of, and the one that is measured.
    fn group_fields(&mut self) {
        if self.draft.each {
            for Field { column, at } in std::mem::take(&mut self.draft.fields) {
                self.draft.group_by.push(Group { column, unit: None, tokens: at..at + 1 });
            }
            self.draft.counts = true;
        }
        if self.draft.measure.is_none()
            && (self.draft.figure.is_some() || self.draft.how_much || !self.draft.group_by.is_empty())
            && let Some(at) =
                self.draft.fields.iter().position(|field| self.kind(field.column) == Some(Kind::Number))
        {
            self.draft.measure = Some(self.draft.fields.remove(at).column);
        }
        // "lead sources, counts"
        if let ([Field { column, at }], true) = (
            self.draft.fields.as_slice(),
            self.draft.counts && self.draft.group_by.is_empty() && !self.draft.keyed,
        ) {
            self.draft.group_by.push(Group { column: *column, unit: None, tokens: *at..*at + 1 });
            self.draft.fields.clear();
        }
    }

    /// An order by a number over groups is an order by their figure.
    fn order_by_figure(&mut self) {
        let measure = self.draft.measure;
        let groups = &self.draft.group_by;
        for (by, _) in &mut self.draft.sort {
            let Sorted::Column(column) = *by else { continue };
            if Some(column) == measure || groups.iter().all(|group| group.column != column) {
                *by = Sorted::Value;
            }
        }
    }

    /// Turns "biggest" and "newest" into an order and, for a single row, a limit.
    fn place_superlative(&mut self) -> Result<(), Reason> {
        let Some(superlative) = self.draft.superlative else {
            if self.draft.noun.is_some_and(|noun| !noun.plural)
                && !self.draft.sort.is_empty()
                && self.draft.limit.is_none()
                && self.draft.figure.is_none()
            {
                self.draft.limit = Some(1);
            }
            return Ok(());
        };
        let words = self.words().ok_or("no such table")?;
        let dir = match superlative {
            Superlative::Measure(dir) | Superlative::Date(dir) | Superlative::Length(dir) => dir,
        };
        if !self.draft.group_by.is_empty() {
            if !self.draft.sort.iter().any(|(by, _)| *by == Sorted::Value) {
                self.draft.sort.push((Sorted::Value, dir));
            }
            return Ok(());
        }
        let column = match superlative {
            Superlative::Date(_) => words.default_date,
            Superlative::Measure(_) | Superlative::Length(_) => match self.draft.sort.first() {
                Some((Sorted::Column(_), _)) => return Ok(()),
                _ => words.measure.ok_or("biggest by what")?,
            },
        };
        if self.draft.sort.is_empty() {
            self.draft.sort.push((Sorted::Column(column), dir));
        }
        if self.draft.limit.is_none() && self.draft.noun.is_some_and(|noun| !noun.plural) {
            self.draft.limit = Some(1);
        }
        Ok(())
    }
}
