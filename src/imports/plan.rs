//! What an import is going to do with each heading, decided before a row is read.

use std::collections::HashMap;

use super::mapping::{Feed, Mapping, Part, Route};
use super::matching::{self, Claim};
use super::report::{Mapped, NotImported};
use super::source::Source;
use crate::error::{Error, Result, invalid, nearest};
use crate::tables::{Access, Catalog, CatalogTable, Kind, Storage};

/// The way of the rows that one part of the mapping takes.
#[derive(Debug)]
pub(super) struct RoutePlan {
    pub(super) table: &'static str,
    /// Headings with the cells, folded, that a row must have.
    pub(super) only: Vec<(usize, Vec<String>)>,
    pub(super) uses: Vec<Use>,
    /// The columns that find a row again, best first.
    pub(super) keys: Vec<usize>,
    pub(super) not_imported: Vec<NotImported>,
}

/// What fills one column.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) column: usize,
    pub(super) from: From,
    pub(super) why: &'static str,
    /// What the file says, folded, and what is stored for it.
    pub(super) values: HashMap<String, String>,
    pub(super) day_first: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    Cells(Vec<usize>, String),
    Part(usize, Part),
    Constant(String),
}

impl From {
    pub(super) fn headings(&self) -> &[usize] {
        match self {
            From::Cells(headings, _) => headings,
            From::Part(heading, _) => std::slice::from_ref(heading),
            From::Constant(_) => &[],
        }
    }
}

/// Plans every part of the mapping.
pub(super) fn plan(catalog: &Catalog, source: &Source, mapping: &Mapping) -> Result<Vec<RoutePlan>> {
    let planned = mapping.into.iter().enumerate().map(|(i, route)| {
        let table = table_of(catalog, source, route)?;
        plan_route(table, source, route).map_err(|error| error.at(format!("into[{i}]")))
    });
    planned.collect()
}

/// The table a part names; without a name, an error that says which one the headings fit.
pub(super) fn table_of<'a>(catalog: &'a Catalog, source: &Source, route: &Route) -> Result<&'a CatalogTable> {
    if let Some(key) = &route.table {
        return catalog.table(key);
    }
    let all: Vec<usize> = (0..source.headings.len()).collect();
    let tables = catalog.tables.iter().filter(|table| !table.deleted);
    let known = |table: &CatalogTable| matching::matched(table, &source.headings, &all, &[]).won.len();
    let error = invalid("the import does not say into which table")
        .choices("", tables.clone().map(CatalogTable::key));
    Err(match tables.max_by_key(|table| known(table)).filter(|table| known(table) > 0) {
        Some(best) => error.hint(format!("the headings fit `{}` best", best.key())),
        None => error,
    })
}

fn plan_route(table: &CatalogTable, source: &Source, route: &Route) -> Result<RoutePlan> {
    let mut only = Vec::with_capacity(route.only.len());
    for (name, wanted) in &route.only {
        only.push((
            place(source, name).map_err(|error| error.at("where"))?,
            wanted.iter().map(|cell| folded(cell)).collect(),
        ));
    }
    let mut uses = Vec::new();
    for (key, feed) in &route.columns {
        uses.push(told(table, source, key, feed).map_err(|error| error.at(format!("columns.{key}")))?);
    }
    let mut ignored = Vec::with_capacity(route.ignore.len());
    for name in &route.ignore {
        ignored.push(place(source, name).map_err(|error| error.at("ignore"))?);
    }
    let mut not_imported = found(table, source, &ignored, &mut uses);
    for (key, values) in &route.values {
        let wrong = |error: Error| error.at(format!("values.{key}"));
        let column = table.place(key).map_err(wrong)?;
        let Some(used) = uses.iter_mut().find(|used| used.column == column) else {
            return Err(wrong(
                invalid(format!("no heading fills `{key}`")).hint(format!("name one under columns.{key}")),
            ));
        };
        used.values = values.iter().map(|(from, to)| (folded(from), to.clone())).collect();
    }
    for left in &mut not_imported {
        let decides = only.iter().any(|(heading, _)| source.headings.get(*heading) == Some(&left.heading));
        if decides {
            "it only decides which rows are taken".clone_into(&mut left.why);
            left.hint = None;
        }
    }
    uses.sort_by_key(|used| used.column);
    let keys = keys(table, route, &uses)?;
    Ok(RoutePlan { table: table.key(), only, uses, keys, not_imported })
}

/// A column that the mapping fills.
fn told(table: &CatalogTable, source: &Source, key: &str, feed: &Feed) -> Result<Use> {
    let column = table.place(key)?;
    if table.columns.get(column).is_some_and(|column| matches!(column.access, Access::Derived(_))) {
        return Err(invalid(format!("`{key}` is computed by the product and cannot be imported")));
    }
    let from = match feed {
        Feed::Heading(name) => From::Cells(vec![place(source, name)?], String::new()),
        Feed::Made(made) => match (&made.value, made.part, made.headings.as_slice()) {
            (Some(value), None, []) => From::Constant(value.clone()),
            (None, Some(part), [name]) => From::Part(place(source, name)?, part),
            (None, None, names) if !names.is_empty() => {
                let places = names.iter().map(|name| place(source, name)).collect::<Result<_>>()?;
                From::Cells(places, made.join.clone().unwrap_or_else(|| " ".to_owned()))
            }
            _ => {
                return Err(invalid(
                    "a column is filled by headings, by a part of one heading, or by a constant value",
                ));
            }
        },
    };
    Ok(Use { column, from, why: "mapping", values: HashMap::new(), day_first: false })
}

/// Adds the columns that the other headings mean, and says why the rest is not imported.
fn found(table: &CatalogTable, source: &Source, ignored: &[usize], uses: &mut Vec<Use>) -> Vec<NotImported> {
    let named =
        |uses: &[Use], heading: usize| uses.iter().any(|used| used.from.headings().contains(&heading));
    let free: Vec<usize> = (0..source.headings.len())
        .filter(|heading| !ignored.contains(heading) && !named(uses, *heading))
        .collect();
    let taken: Vec<usize> = uses.iter().map(|used| used.column).collect();
    let matched = matching::matched(table, &source.headings, &free, &taken);
    let used = |column, from, why| Use { column, from, why, values: HashMap::new(), day_first: false };
    uses.extend(matched.won.iter().map(|&(heading, column, claim): &(usize, usize, Claim)| {
        used(column, From::Cells(vec![heading], String::new()), claim.why())
    }));
    let names = full_names(table, source, ignored, uses);
    uses.extend(names.into_iter().map(|(column, from)| used(column, from, "full name")));
    let mut left = Vec::new();
    for heading in (0..source.headings.len()).filter(|heading| !named(uses, *heading)) {
        left.push(explain(table, source, heading, ignored, &matched, uses));
    }
    left
}

/// A full name for a table with first and last names, and the other way round.
fn full_names(table: &CatalogTable, source: &Source, ignored: &[usize], uses: &[Use]) -> Vec<(usize, From)> {
    let column = |word: &str| {
        let is_free = |place: &usize| !uses.iter().any(|used| used.column == *place);
        table.columns.iter().position(|column| column.answers_to(word)).filter(is_free)
    };
    let heading = |words: &[&str]| {
        let is_free = |place: &usize| {
            !ignored.contains(place) && !uses.iter().any(|used| used.from.headings().contains(place))
        };
        words.iter().find_map(|word| matching::heading(&source.headings, word).filter(is_free))
    };
    if let (Some(first), Some(last), Some(name)) = (
        column("first name"),
        column("last name"),
        heading(&["full name", "name", "contact name", "contact"]),
    ) {
        return vec![(first, From::Part(name, Part::FirstWord)), (last, From::Part(name, Part::OtherWords))];
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
    table: &CatalogTable,
    source: &Source,
    heading: usize,
    ignored: &[usize],
    matched: &matching::Matched,
    uses: &[Use],
) -> NotImported {
    let name = source.headings.get(heading).map_or("", String::as_str);
    let key = |place: usize| table.columns.get(place).map_or("", |column| column.key.as_str());
    let filled = |place: &usize| uses.iter().any(|used| used.column == *place);
    let lost = matched.lost.iter().find(|lost| lost.0 == heading);
    let meant = table.columns.iter().position(|column| column.answers_to(name));
    let (why, hint) = if ignored.contains(&heading) {
        ("the mapping ignores it".to_owned(), None)
    } else if source.cells(heading).next().is_none() {
        ("it is empty in every row".to_owned(), None)
    } else if let Some(&(_, column, winner)) = lost {
        let winner = source.headings.get(winner).map_or("", String::as_str);
        (format!("`{}` is filled by the heading `{winner}`, which fits better", key(column)), None)
    } else if let Some(column) = matching::computed(table, name) {
        (format!("`{}` is computed by the product", key(column)), None)
    } else if let Some(column) = meant.filter(filled) {
        (format!("the mapping fills `{}` with something else", key(column)), None)
    } else {
        (format!("`{}` has no column for it", table.key()), Some(advice(table, name, uses)))
    };
    NotImported { table: table.key().to_owned(), heading: name.to_owned(), why, hint }
}

/// How a heading without a column could be kept.
fn advice(table: &CatalogTable, heading: &str, uses: &[Use]) -> String {
    if heading.is_empty() {
        return "give it a heading".to_owned();
    }
    let is_free = |place: usize| !uses.iter().any(|used| used.column == place);
    let columns = table.columns.iter().enumerate();
    let settable =
        columns.filter(|(place, column)| is_free(*place) && !matches!(column.access, Access::Derived(_)));
    match nearest(heading, settable.map(|(_, column)| column.key.as_str())) {
        Some(key) => format!("perhaps `{key}`? then say so in the mapping: columns.{key} = \"{heading}\""),
        None => "to keep it, let the mapping make a column: [[into.create]]".to_owned(),
    }
}

/// The columns that find a row again: the mapping's, or those of the table's keys that are filled.
fn keys(table: &CatalogTable, route: &Route, uses: &[Use]) -> Result<Vec<usize>> {
    let filled = |place: usize| uses.iter().any(|used| used.column == place);
    if route.match_on.is_empty() {
        let natural = table.declared.natural_keys.iter().filter_map(|key| table.place(key).ok());
        return Ok(natural.filter(|place| filled(*place)).collect());
    }
    let mut keys = Vec::with_capacity(route.match_on.len());
    for key in &route.match_on {
        let place = table.place(key).map_err(|error| error.at("match_on"))?;
        let kind = table.columns.get(place).map_or(Kind::Tags, |column| column.kind);
        if kind.storage() != Storage::Text || kind == Kind::Tags {
            return Err(invalid(format!(
                "`{key}` is a {}; rows are found again by a text",
                kind.type_name()
            ))
            .at("match_on"));
        }
        if !filled(place) {
            return Err(invalid(format!("no heading fills `{key}`"))
                .at("match_on")
                .hint(format!("name one under columns.{key}")));
        }
        keys.push(place);
    }
    Ok(keys)
}

fn place(source: &Source, name: &str) -> Result<usize> {
    matching::heading(&source.headings, name).ok_or_else(|| {
        invalid(format!("the file has no heading `{name}`"))
            .choices(name, source.headings.iter().map(String::as_str))
    })
}

/// A cell as conditions and translations compare it.
pub(super) fn folded(cell: &str) -> String {
    cell.trim().to_lowercase()
}

impl RoutePlan {
    /// The mapping as the report shows it.
    pub(super) fn mapped(&self, table: &CatalogTable, source: &Source) -> Vec<Mapped> {
        let heading = |place: &usize| source.headings.get(*place).map_or("", String::as_str);
        let shown = |used: &Use| Mapped {
            from: match &used.from {
                From::Constant(value) => format!("\"{value}\""),
                other => other.headings().iter().map(heading).collect::<Vec<_>>().join(" + "),
            },
            column: table.columns.get(used.column).map_or_else(String::new, |column| column.key.clone()),
            why: used.why.to_owned(),
        };
        self.uses.iter().map(shown).collect()
    }

    /// Whether a row with these cells is for this part.
    pub(super) fn takes(&self, cells: &[serde_json::Value]) -> bool {
        self.only.iter().all(|(heading, wanted)| {
            let cell = cells.get(*heading).map(super::cells::text).unwrap_or_default();
            wanted.contains(&folded(&cell))
        })
    }
}
