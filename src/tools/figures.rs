//! The part of a query that asks for figures: `aggregate` and `group_by`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::ctx::Ctx;
use super::query::{Args, Output, Total};
use super::selection;
use crate::error::{Result, invalid};
use crate::records::{self, Aggregate, Bucket, Function, Group, GroupBy, Order};
use crate::store::Tx;
use crate::tables::{Catalog, CatalogColumn, CatalogTable, Dir, Kind, Value, value};

const MAX_GROUPS: usize = 200;
const BUCKETS: &[(&str, Bucket)] = &[
    ("day", Bucket::Day),
    ("week", Bucket::Week),
    ("month", Bucket::Month),
    ("quarter", Bucket::Quarter),
    ("year", Bucket::Year),
];

/// `{"fn": "sum", "column": "deal_value"}`; `count` needs no column.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AggregateArg {
    #[serde(rename = "fn")]
    pub function: Fn,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fn {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

/// Answers with one row a group: the group's columns, then the figure as `_value`.
pub async fn run(
    ctx: &Ctx,
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    args: &Args,
) -> Result<Output> {
    if !args.fields.is_empty() || args.cursor.is_some() {
        return Err(invalid("figures have no fields and no cursor")
            .at(if args.cursor.is_some() { "cursor" } else { "fields" })
            .hint("leave it out; a figure's columns are those of group_by and _value"));
    }
    let query = selection::parse(ctx, catalog, table, args)?;
    let measure = args.aggregate.clone().unwrap_or(AggregateArg { function: Fn::Count, column: None });
    let (function, column) = parse_measure(table, &measure)?;
    let group_by = parse_groups(table, &args.group_by)?;
    let aggregate = Aggregate {
        function,
        column,
        order: parse_order(args, &group_by)?,
        limit: args.limit.unwrap_or(MAX_GROUPS).clamp(1, MAX_GROUPS),
        zone: catalog.zone,
        group_by: group_by.iter().map(|(by, _)| *by).collect(),
    };
    let (groups, more) = records::aggregate(tx, &query, &aggregate).await?;
    let measured =
        column.and_then(|column| table.columns.get(column)).filter(|_| function != Function::Count);
    let rows: Vec<Vec<Json>> =
        groups.iter().map(|group| show(catalog, table, &aggregate, measured, group)).collect();
    Ok(Output {
        columns: group_by.iter().map(|(_, name)| name.clone()).chain(["_value".to_owned()]).collect(),
        total: rows.len() as u64,
        total_is: if more { Total::AtLeast } else { Total::Exact },
        truncated: more,
        note: more.then(|| "more groups than were returned: filter, or group by a wider span".to_owned()),
        rows,
        next_cursor: None,
    })
}

fn parse_measure(table: &CatalogTable, measure: &AggregateArg) -> Result<(Function, Option<usize>)> {
    let function = match measure.function {
        Fn::Count => Function::Count,
        Fn::Sum => Function::Sum,
        Fn::Avg => Function::Avg,
        Fn::Min => Function::Min,
        Fn::Max => Function::Max,
    };
    let allowed = |column: &CatalogColumn| match function {
        Function::Count => true,
        Function::Sum | Function::Avg => column.kind == Kind::Number,
        Function::Min | Function::Max => matches!(column.kind, Kind::Number | Kind::Day | Kind::Instant),
    };
    let possible = || table.columns.iter().filter(|column| allowed(column)).map(|column| column.key.clone());
    let Some(key) = &measure.column else {
        if function == Function::Count {
            return Ok((function, None));
        }
        return Err(invalid("this figure needs a column").at("aggregate.column").choices("", possible()));
    };
    let place = table.place(key).map_err(|error| error.at("aggregate.column"))?;
    if table.columns.get(place).is_some_and(|column| !allowed(column)) {
        return Err(invalid(format!("`{key}` holds no numbers to work this figure out from"))
            .at("aggregate.column")
            .choices(key, possible()));
    }
    Ok((function, Some(place)))
}

fn parse_groups(table: &CatalogTable, group_by: &[String]) -> Result<Vec<(GroupBy, String)>> {
    group_by
        .iter()
        .enumerate()
        .map(|(i, text)| parse_group(table, text).map_err(|error| error.at(format!("group_by[{i}]"))))
        .collect()
}

/// `status`, or a date as `created_at:month`; a date alone is grouped by day.
fn parse_group(table: &CatalogTable, text: &str) -> Result<(GroupBy, String)> {
    let (key, span) = text.split_once(':').map_or((text, None), |(key, span)| (key, Some(span)));
    let place = table.place(key)?;
    let kind = table.columns.get(place).map_or(Kind::Text, |column| column.kind);
    let bucket = match (kind, span) {
        (Kind::Tags, _) => {
            return Err(invalid(format!("`{key}` holds sets of tags, which make no groups"))
                .hint("filter by a tag and count instead"));
        }
        (Kind::Day | Kind::Instant, span) => {
            let span = span.unwrap_or("day");
            let found = BUCKETS.iter().find(|(name, _)| *name == span).map(|(_, bucket)| *bucket);
            Some(found.ok_or_else(|| {
                invalid(format!("`{span}` is not a span to group dates by"))
                    .choices(span, BUCKETS.iter().map(|(name, _)| *name))
            })?)
        }
        (_, Some(span)) => {
            return Err(
                invalid(format!("`{key}` is not a date, so it has no `{span}`")).hint(format!("use `{key}`"))
            );
        }
        (_, None) => None,
    };
    let span = BUCKETS.iter().find(|(_, known)| Some(*known) == bucket).map(|(name, _)| *name);
    let name = span.map_or_else(|| key.to_owned(), |span| format!("{key}:{span}"));
    Ok((GroupBy { column: place, bucket }, name))
}

fn parse_order(args: &Args, group_by: &[(GroupBy, String)]) -> Result<Option<Order>> {
    let Some(sort) = args.sort.first() else { return Ok(None) };
    let descending = sort.dir == Dir::Desc;
    if sort.column == "_value" {
        return Ok(Some(Order { by: None, descending }));
    }
    let by = group_by
        .iter()
        .position(|(_, name)| *name == sort.column || name.split(':').next() == Some(&sort.column));
    match by {
        Some(by) => Ok(Some(Order { by: Some(by), descending })),
        None => Err(invalid(format!("figures cannot be sorted by `{}`", sort.column))
            .at("sort[0].column")
            .choices(&sort.column, group_by.iter().map(|(_, name)| name.as_str()).chain(["_value"]))),
    }
}

fn show(
    catalog: &Catalog,
    table: &CatalogTable,
    aggregate: &Aggregate,
    measured: Option<&CatalogColumn>,
    group: &Group,
) -> Vec<Json> {
    let mut row: Vec<Json> = aggregate
        .group_by
        .iter()
        .zip(&group.keys)
        .map(|(by, key)| match (by.bucket, key, table.columns.get(by.column)) {
            (Some(_), Some(Value::Text(day)), _) => json!(day),
            (None, Some(key), Some(column)) => value::show(column, key, &catalog.members),
            _ => Json::Null,
        })
        .collect();
    row.push(match (&group.figure, measured) {
        (Some(figure), Some(column)) => value::show(column, figure, &catalog.members),
        (Some(Value::Number(count)), None) => value::show_number(*count),
        _ => Json::Null,
    });
    row
}
