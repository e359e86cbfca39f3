//! One row of the file as typed cells, with every fault in it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::mapping::{OnBadValue, Part};
use super::people::People;
use super::plan::{From, RoutePlan, Use, folded};
use super::report::Fault;
use super::source::{Source, is_blank};
use crate::error::{Error, invalid};
use crate::tables::value::parse;
use crate::tables::{CatalogColumn, CatalogTable, Kind, Reading, Value};

/// How much of a wrong value a fault repeats, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// Typed cells by the place of their column.
pub(super) type Cells = BTreeMap<usize, Value>;

/// What is needed to read the rows of one part of the mapping.
pub(super) struct Reader<'a> {
    pub(super) table: &'a CatalogTable,
    pub(super) route: &'a RoutePlan,
    pub(super) source: &'a Source,
    pub(super) reading: Reading<'a>,
    pub(super) on_bad_value: OnBadValue,
}

impl Reader<'_> {
    /// The row's cells, or none when it is refused; and what is wrong with it.
    pub(super) fn read(
        &self,
        line: u64,
        row: &[Json],
        people: &mut People<'_>,
    ) -> (Option<Cells>, Vec<Fault>) {
        let (mut cells, mut faults, mut says_something) = (Cells::new(), Vec::new(), false);
        let skips = self.on_bad_value == OnBadValue::SkipCell;
        for used in &self.route.uses {
            let Some(column) = self.table.columns.get(used.column) else { continue };
            let raw = raw(used, row);
            if is_blank(&raw) {
                continue;
            }
            let is_constant = matches!(used.from, From::Constant(_));
            let reading = Reading { day_first: used.day_first, ..self.reading };
            let value = match column.kind {
                Kind::Person => people.find(column, &raw, &reading),
                _ => parse(column, &raw, &reading).or_else(|error| {
                    match first_of_several(column, &raw, &reading) {
                        Some(value) => {
                            faults.push(self.fault(line, used, &raw, only_first(), false));
                            Ok(Some(value))
                        }
                        None => Err(error),
                    }
                }),
            };
            match value {
                Ok(Some(value)) => {
                    cells.insert(used.column, value);
                    says_something |= !is_constant;
                }
                Ok(None) => {}
                Err(error) => faults.push(self.fault(line, used, &raw, error, !skips)),
            }
        }
        if !says_something && faults.iter().all(|fault| !fault.row_refused) {
            faults.push(self.empty(line));
        }
        let refused = faults.iter().any(|fault| fault.row_refused);
        ((!refused).then_some(cells), faults)
    }

    fn fault(&self, line: u64, used: &Use, raw: &Json, mut error: Error, row_refused: bool) -> Fault {
        let heading = |place: &usize| self.source.headings.get(*place).cloned();
        let column = self.table.columns.get(used.column).map(|column| column.key.clone());
        // The fault has a field for the column, so its name need not stand before the sentence too.
        if let Some(key) = &column
            && let Some(rest) = error.message.strip_prefix(&format!("`{key}`: "))
        {
            error.message = rest.to_owned();
        }
        Fault {
            line,
            table: Some(self.table.key().to_owned()),
            heading: used.from.headings().first().and_then(heading),
            column,
            value: Some(text(raw).chars().take(SHOWN_CHARS_MAX).collect()),
            why: error.to_string(),
            row_refused,
        }
    }

    fn empty(&self, line: u64) -> Fault {
        Fault {
            line,
            table: Some(self.table.key().to_owned()),
            why: "the row has no value for any column of the table".to_owned(),
            row_refused: true,
            ..Fault::default()
        }
    }
}

/// The first of several addresses or numbers in one cell, which CRMs put there and a column has one of.
pub(super) fn first_of_several(column: &CatalogColumn, raw: &Json, reading: &Reading<'_>) -> Option<Value> {
    if !matches!(column.kind, Kind::Email | Kind::Phone | Kind::Url | Kind::Domain | Kind::Linkedin) {
        return None;
    }
    let parts: Vec<&str> =
        raw.as_str()?.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let values = parts.iter().map(|part| parse(column, &Json::from(*part), reading).ok().flatten());
    let values: Vec<Value> = values.collect::<Option<_>>()?;
    if values.len() > 1 { values.into_iter().next() } else { None }
}

fn only_first() -> Error {
    invalid("the cell holds several values; the first is kept")
}

/// What a row says for a column, translated as the mapping asks.
fn raw<'a>(used: &'a Use, row: &'a [Json]) -> Cow<'a, Json> {
    let cell = |place: &usize| row.get(*place).unwrap_or(&Json::Null);
    let raw = match &used.from {
        From::Cells(places, _) if places.len() == 1 => {
            Cow::Borrowed(places.first().map_or(&Json::Null, cell))
        }
        From::Cells(places, join) => {
            let parts = places.iter().map(|place| text(cell(place))).filter(|part| !part.trim().is_empty());
            Cow::Owned(Json::from(parts.collect::<Vec<_>>().join(join)))
        }
        From::Part(place, part) => {
            let name = text(cell(place));
            let (first, others) = name.trim().split_once(char::is_whitespace).unwrap_or((name.trim(), ""));
            Cow::Owned(Json::from(if *part == Part::FirstWord { first } else { others.trim_start() }))
        }
        From::Constant(value) => Cow::Owned(Json::from(value.as_str())),
    };
    if used.values.is_empty() {
        return raw;
    }
    match used.values.get(&folded(&text(&raw))) {
        Some(translated) => Cow::Owned(Json::from(translated.as_str())),
        None => raw,
    }
}

/// A cell as text.
pub(super) fn text(cell: &Json) -> Cow<'_, str> {
    match cell {
        Json::String(text) => Cow::Borrowed(text),
        Json::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}
