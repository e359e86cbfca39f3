//! What the headings mean by themselves, and why a heading is not imported.

use std::collections::HashMap;

use super::cells::first_of_several;
use super::mapping::Part;
use super::matching::{self, Claim, Matched};
use super::plan::{From, Use};
use super::report::NotImported;
use super::source::Source;
use crate::error::nearest;
use crate::tables::value::parse;
use crate::tables::{Access, CatalogTable, Kind, Reading};

/// How many cells of a heading are looked at to see whether it means a column.
const CELLS_TRIED: usize = 100;

/// The headings of a file before one table.
pub(super) struct Headings<'a> {
    pub(super) table: &'a CatalogTable,
    pub(super) source: &'a Source,
    pub(super) reading: Reading<'a>,
    /// Those that the mapping leaves out.
    pub(super) ignored: Vec<usize>,
}

impl Headings<'_> {
    /// Adds the columns that the headings mean which the mapping does not name, and says why the rest is not
    /// imported.
    pub(super) fn find(&self, uses: &mut Vec<Use>) -> Vec<NotImported> {
        let free: Vec<usize> = self.all().filter(|&heading| self.is_free(heading, uses)).collect();
        let taken: Vec<usize> = uses.iter().map(|used| used.column).collect();
        let mut misfits = Vec::new();
        let matched = loop {
            let matched = matching::matched(self.table, &self.source.headings, &free, &taken, &misfits);
            let fits =
                |&&(heading, column, claim): &&(usize, usize, Claim)| self.fits(heading, column, claim);
            let Some(&(heading, column, _)) = matched.won.iter().find(|won| !fits(won)) else {
                break matched;
            };
            misfits.push((heading, column));
        };
        let fill = |column, from, why| Use { column, from, why, values: HashMap::new(), day_first: false };
        uses.extend(matched.won.iter().map(|&(heading, column, claim)| {
            fill(column, From::Cells(vec![heading], String::new()), claim.why())
        }));
        let names = self.full_names(uses);
        uses.extend(names.into_iter().map(|(column, from)| fill(column, from, "full name")));
        let left = self.all().filter(|heading| !is_used(*heading, uses));
        left.map(|heading| self.explain(heading, &matched, &misfits, uses)).collect()
    }

    fn all(&self) -> std::ops::Range<usize> {
        0..self.source.headings.len()
    }

    fn is_free(&self, heading: usize, uses: &[Use]) -> bool {
        !self.ignored.contains(&heading) && !is_used(heading, uses)
    }

    /// Whether a heading that is only another word for a column really means it: of cells that must have a
    /// certain form, one at least has it. `Company` over names is no domain.
    fn fits(&self, heading: usize, column: usize, claim: Claim) -> bool {
        let (Claim::Word(_), Some(column)) = (claim, self.table.columns.get(column)) else { return true };
        if matches!(column.kind, Kind::Text | Kind::Company | Kind::Status | Kind::Person | Kind::Tags) {
            return true;
        }
        let mut cells = self.source.cells(heading).take(CELLS_TRIED).peekable();
        let has_form = |cell| {
            [false, true].into_iter().any(|day_first| {
                let reading = Reading { day_first, ..self.reading };
                parse(column, cell, &reading).is_ok() || first_of_several(column, cell, &reading).is_some()
            })
        };
        cells.peek().is_none() || cells.any(has_form)
    }

    /// A full name for a table with first and last names, and the other way round.
    fn full_names(&self, uses: &[Use]) -> Vec<(usize, From)> {
        let column = |word: &str| {
            let is_free = |place: &usize| !uses.iter().any(|used| used.column == *place);
            self.table.columns.iter().position(|column| column.answers_to(word)).filter(is_free)
        };
        let heading = |words: &[&str]| {
            let place = |word: &&str| matching::heading(&self.source.headings, word);
            words.iter().find_map(|word| place(word).filter(|&heading| self.is_free(heading, uses)))
        };
        if let (Some(first), Some(last), Some(name)) = (
            column("first name"),
            column("last name"),
            heading(&["full name", "name", "contact name", "contact", "record"]),
        ) {
            return vec![
                (first, From::Part(name, Part::FirstWord)),
                (last, From::Part(name, Part::OtherWords)),
            ];
        }
        let parts = [heading(&["first name", "firstname"]), heading(&["last name", "lastname", "surname"])];
        match (column("full name"), parts) {
            (Some(name), [Some(first), Some(last)]) => {
                vec![(name, From::Cells(vec![first, last], " ".to_owned()))]
            }
            _ => Vec::new(),
        }
    }

    fn explain(
        &self,
        heading: usize,
        matched: &Matched,
        misfits: &[(usize, usize)],
        uses: &[Use],
    ) -> NotImported {
        let (table, source) = (self.table, self.source);
        let name = source.headings.get(heading).map_or("", String::as_str);
        let column = |place: usize| {
            table.columns.get(place).map_or(("", ""), |column| (column.key.as_str(), column.kind.type_name()))
        };
        let filled = |place: &usize| uses.iter().any(|used| used.column == *place);
        let lost = matched.lost.iter().find(|lost| lost.0 == heading);
        let misfit = misfits.iter().find(|misfit| misfit.0 == heading);
        let meant = table.columns.iter().position(|column| column.answers_to(name));
        let (why, hint) = if self.ignored.contains(&heading) {
            ("the mapping ignores it".to_owned(), None)
        } else if source.cells(heading).next().is_none() {
            ("it is empty in every row".to_owned(), None)
        } else if let Some(&(_, place, winner)) = lost {
            let winner = source.headings.get(winner).map_or("", String::as_str);
            (format!("`{}` is filled by the heading `{winner}`, which fits better", column(place).0), None)
        } else if let Some(place) = matching::computed(table, name) {
            (format!("`{}` is computed by the product", column(place).0), None)
        } else if let Some(&(_, place)) = misfit {
            let (key, kind) = column(place);
            let hint = format!("if they are right, say so in the mapping: columns.{key} = \"{name}\"");
            (format!("it may mean `{key}`, but none of its first cells has the form of a {kind}"), Some(hint))
        } else if let Some(place) = meant.filter(filled) {
            (format!("the mapping fills `{}` with something else", column(place).0), None)
        } else {
            (format!("`{}` has no column for it", table.key()), Some(self.advice(name, uses)))
        };
        NotImported { table: table.key().to_owned(), heading: name.to_owned(), why, hint }
    }

    /// How a heading without a column could be kept.
    fn advice(&self, heading: &str, uses: &[Use]) -> String {
        if heading.is_empty() {
            return "give it a heading".to_owned();
        }
        let is_free = |place: usize| !uses.iter().any(|used| used.column == place);
        let columns = self.table.columns.iter().enumerate();
        let settable =
            columns.filter(|(place, column)| is_free(*place) && !matches!(column.access, Access::Derived(_)));
        match nearest(heading, settable.map(|(_, column)| column.key.as_str())) {
            Some(key) => {
                format!("perhaps `{key}`? then say so in the mapping: columns.{key} = \"{heading}\"")
            }
            None => "to keep it, let the mapping make a column: [[into.create]]".to_owned(),
        }
    }
}

fn is_used(heading: usize, uses: &[Use]) -> bool {
    uses.iter().any(|used| used.from.headings().contains(&heading))
}
