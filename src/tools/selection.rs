//! From the arguments of a query to rows: filters, view, search, ids and order, valid against the catalog.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::ctx::Ctx;
use super::query::Args;
use crate::error::{Error, Result, invalid};
use crate::records::{Basis, Query, SortKey};
use crate::tables::{Catalog, CatalogTable, Filter, FilterArg, Reading, SortArg, ViewSpec, filter};

/// The longest search, in characters.
const MAX_SEARCH: usize = 200;

/// The rows a call means: what its view says and what it says itself.
pub fn parse<'a>(ctx: &Ctx, catalog: &Catalog, table: &'a CatalogTable, args: &Args) -> Result<Query<'a>> {
    let reading = ctx.reading(catalog);
    let view = view(table, args)?;
    let mut filters = parse_filters(table, &view.filters, &reading, "view")?;
    filters.extend(parse_filters(table, &args.filters, &reading, "filters")?);
    let any_of = vec![
        parse_filters(table, &view.any_of, &reading, "view")?,
        parse_filters(table, &args.any_of, &reading, "any_of")?,
    ];
    if let Some(search) = &args.search
        && (search.chars().count() > MAX_SEARCH
            || search.contains(|c: char| c.is_control() && !c.is_whitespace()))
    {
        return Err(invalid(format!("a search has at most {MAX_SEARCH} visible characters"))
            .at("search")
            .hint("search for a few words of a name or an e-mail address"));
    }
    Ok(Query {
        org: catalog.org,
        table,
        filters,
        any_of,
        search: args.search.clone(),
        ids: if args.ids.is_empty() { None } else { Some(parse_ids(&args.ids)?) },
        archived: args.archived.unwrap_or(false),
        basis: Basis::new(catalog, table, reading.now),
    })
}

/// The order a call asks for: its own, else its view's, else the default view's.
pub fn sort(table: &CatalogTable, args: &Args) -> Result<Vec<SortKey>> {
    let view = view(table, args)?;
    let default = table.views.first().map(|view| view.spec.sort.as_slice()).unwrap_or_default();
    let (wanted, path): (&[SortArg], _) = match (&args.sort, &view.sort) {
        (own, _) if !own.is_empty() => (own, "sort"),
        (_, viewed) if !viewed.is_empty() => (viewed, "view"),
        _ => (default, "view"),
    };
    wanted
        .iter()
        .enumerate()
        .map(|(i, sort)| {
            let column =
                table.place(&sort.column).map_err(|error| error.at(format!("{path}[{i}].column")))?;
            Ok(SortKey { column, dir: sort.dir })
        })
        .collect()
}

pub fn parse_filters(
    table: &CatalogTable,
    args: &[FilterArg],
    reading: &Reading<'_>,
    path: &str,
) -> Result<Vec<Filter>> {
    args.iter()
        .enumerate()
        .map(|(i, arg)| filter::parse(table, arg, reading).map_err(|error| error.at(format!("{path}[{i}]"))))
        .collect()
}

/// Row ids as callers write them.
pub fn parse_ids(ids: &[String]) -> Result<Vec<Uuid>> {
    ids.iter()
        .enumerate()
        .map(|(i, id)| parse_id(id).map_err(|error| error.at(format!("ids[{i}]"))))
        .collect()
}

pub fn parse_id(id: &str) -> Result<Uuid> {
    Uuid::parse_str(id.trim()).map_err(|_| bad_id(&json!(id)))
}

/// What is no id in place of a row's id.
pub fn bad_id(given: &Json) -> Error {
    let shown: String = given.to_string().chars().take(60).collect();
    invalid(format!("{shown} is not a row id"))
        .hint("ids look like \"0199d1c2-7a4e-7c3b-9f00-5b7e2d1c4a90\"; a query returns them")
}

fn view(table: &CatalogTable, args: &Args) -> Result<ViewSpec> {
    match &args.view {
        Some(name) => Ok(table.view(name).map_err(|error| error.at("view"))?.spec.clone()),
        None => Ok(ViewSpec::default()),
    }
}
