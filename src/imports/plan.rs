//! What an import is going to do with each heading, decided before a row is read.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

use super::headings::Headings;
use super::mapping::{Feed, Mapping, Part, Route};
use super::matching;
use super::report::{Mapped, NotImported};
use super::source::Source;
use crate::error::{Result, invalid};
use crate::tables::value::parse;
use crate::tables::{Access, Catalog, CatalogColumn, CatalogTable, Kind, Reading, Storage};

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
pub(super) fn plan(
    catalog: &Catalog,
    source: &Source,
    mapping: &Mapping,
    reading: &Reading<'_>,
) -> Result<Vec<RoutePlan>> {
    let planned = mapping.into.iter().enumerate().map(|(i, route)| {
        let table = table_of(catalog, source, route)?;
        plan_route(table, source, route, reading).map_err(|error| error.at(format!("into[{i}]")))
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
    let known = |table: &CatalogTable| matching::matched(table, &source.headings, &all, &[], &[]).won.len();
    let error = invalid("the import does not say into which table")
        .at("table")
        .choices("", tables.clone().map(CatalogTable::key));
    Err(match tables.rev().max_by_key(|table| known(table)).filter(|table| known(table) > 0) {
        Some(best) => error.hint(format!("the headings fit `{}` best", best.key())),
        None => error,
    })
}

fn plan_route(
    table: &CatalogTable,
    source: &Source,
    route: &Route,
    reading: &Reading<'_>,
) -> Result<RoutePlan> {
    let places = |names: &[String], key: &str| {
        names
            .iter()
            .map(|name| place(source, name).map_err(|error| error.at(key)))
            .collect::<Result<Vec<usize>>>()
    };
    let mut only = Vec::with_capacity(route.only.len());
    for (name, wanted) in &route.only {
        let heading = place(source, name).map_err(|error| error.at("where"))?;
        only.push((heading, wanted.iter().map(|cell| folded(cell)).collect()));
    }
    let mut uses = Vec::new();
    for (key, feed) in &route.columns {
        let told = told(table, source, key, feed, reading);
        uses.push(told.map_err(|error| error.at(format!("columns.{key}")))?);
    }
    let headings = Headings { table, source, reading: *reading, ignored: places(&route.ignore, "ignore")? };
    let mut not_imported = headings.find(&mut uses);
    for (key, values) in &route.values {
        translate(table, &mut uses, key, values, reading)
            .map_err(|error| error.at(format!("values.{key}")))?;
    }
    for left in &mut not_imported {
        if only.iter().any(|(heading, _)| source.headings.get(*heading) == Some(&left.heading)) {
            "it only decides which rows are taken".clone_into(&mut left.why);
            left.hint = None;
        }
    }
    uses.sort_by_key(|used| used.column);
    let keys = keys(table, route, &uses)?;
    Ok(RoutePlan { table: table.key(), only, uses, keys, not_imported })
}

/// Sets what is stored for what the file says.
fn translate(
    table: &CatalogTable,
    uses: &mut [Use],
    key: &str,
    values: &BTreeMap<String, String>,
    reading: &Reading<'_>,
) -> Result<()> {
    let column = table.place(key)?;
    let Some(filled) = uses.iter_mut().find(|used| used.column == column) else {
        return Err(
            invalid(format!("no heading fills `{key}`")).hint(format!("name one under columns.{key}"))
        );
    };
    for (from, to) in values {
        check_constant(table.column(key)?, to, reading)?;
        filled.values.insert(folded(from), to.clone());
    }
    Ok(())
}

/// Refuses a constant that its column cannot take; a person may still become a member.
fn check_constant(column: &CatalogColumn, value: &str, reading: &Reading<'_>) -> Result<()> {
    if column.kind == Kind::Person {
        return Ok(());
    }
    parse(column, &Json::from(value), reading).map(drop)
}

/// A column that the mapping fills.
fn told(table: &CatalogTable, source: &Source, key: &str, feed: &Feed, reading: &Reading<'_>) -> Result<Use> {
    let column = table.place(key)?;
    if table.columns.get(column).is_some_and(|column| matches!(column.access, Access::Derived(_))) {
        return Err(invalid(format!("`{key}` is computed by the product and cannot be imported")));
    }
    let from = match feed {
        Feed::Heading(name) => From::Cells(vec![place(source, name)?], String::new()),
        Feed::Made(made) => match (&made.value, made.part, made.headings.as_slice()) {
            (Some(value), None, []) => {
                check_constant(table.column(key)?, value, reading)?;
                From::Constant(value.clone())
            }
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
    pub(super) fn takes(&self, cells: &[Json]) -> bool {
        self.only.iter().all(|(heading, wanted)| {
            let cell = cells.get(*heading).map(super::cells::text).unwrap_or_default();
            wanted.contains(&folded(&cell))
        })
    }
}
