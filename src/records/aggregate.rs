//! Figures over a selection: counts, sums, means and extremes, by up to two columns.

use chrono::{DateTime, Duration, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::computed::push_value;
use super::query::{Query, push_conditions};
use super::stored::{field, from_slot};
use crate::error::Result;
pub use crate::store::Bucket;
use crate::store::{Datum, Dialect, Field, Sql, Tx, read_integer, read_number, read_text, read_time};
use crate::tables::{CatalogColumn, Kind, Value};

/// What is asked: a figure, and the columns to give it by.
#[derive(Debug, Clone)]
pub struct Aggregate {
    pub function: Function,
    /// The measured column; none counts rows.
    pub column: Option<usize>,
    pub group_by: Vec<GroupBy>,
    /// The order of the groups; by their figure, largest first, when none is given.
    pub order: Option<Order>,
    pub limit: usize,
    pub zone: Tz,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

/// A column to group by; dates by a span of the organization's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBy {
    pub column: usize,
    pub bucket: Option<Bucket>,
}

/// An order of groups: by the figure, or by the place of a column in `group_by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub by: Option<usize>,
    pub descending: bool,
}

/// One group with its figure; a group's date is its span's first day.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub keys: Vec<Option<Value>>,
    pub figure: Option<Value>,
}

/// The groups of a selection, and whether there are more than the limit.
pub async fn aggregate(tx: &mut Tx, query: &Query<'_>, aggregate: &Aggregate) -> Result<(Vec<Group>, bool)> {
    let measured = aggregate.column.and_then(|column| query.table.columns.get(column));
    let mut groups = Vec::new();
    for by in &aggregate.group_by {
        if let Some(column) = query.table.columns.get(by.column) {
            let offsets = match (by.bucket, column.kind) {
                (Some(_), Kind::Instant) => offsets(tx, query, column, aggregate.zone).await?,
                _ => Vec::new(),
            };
            groups.push((column, by.bucket, offsets));
        }
    }
    let dialect = tx.dialect();
    let mut sql = Sql::new("select ");
    for (column, bucket, offsets) in &groups {
        push_group(&mut sql, query, column, *bucket, offsets, dialect);
        sql.push(", ");
    }
    push_figure(&mut sql, query, aggregate.function, measured, dialect);
    sql.push(" from dynamic_table_rows r where ");
    push_conditions(&mut sql, query, dialect);
    push_order(&mut sql, aggregate, groups.len());
    let mut types: Vec<Field> = groups
        .iter()
        .map(|(column, bucket, _)| if bucket.is_some() { Field::Text } else { field(column.kind) })
        .collect();
    types.push(figure_field(aggregate.function, measured));
    let rows = tx.fetch_fields(sql, &types).await?;
    let more = rows.len() > aggregate.limit;
    let groups = rows.into_iter().take(aggregate.limit).map(|row| read(&row, &groups, measured)).collect();
    Ok((groups, more))
}

type Grouping<'a> = (&'a CatalogColumn, Option<Bucket>, Vec<(DateTime<Utc>, i64)>);

fn push_group(
    sql: &mut Sql,
    query: &Query<'_>,
    column: &CatalogColumn,
    bucket: Option<Bucket>,
    offsets: &[(DateTime<Utc>, i64)],
    dialect: Dialect,
) {
    let Some(bucket) = bucket else { return push_value(sql, column, &query.basis) };
    let mut value = Sql::new("");
    push_value(&mut value, column, &query.basis);
    let mut minutes = String::new();
    for (until, offset) in offsets.iter().take(offsets.len().saturating_sub(1)) {
        let until = sql.placeholder(*until);
        minutes.extend(["when ", value.text(), " < ", &until, " then ", &offset.to_string(), " "]);
    }
    let last = offsets.last().map_or(0, |(_, offset)| *offset);
    let minutes =
        if minutes.is_empty() { last.to_string() } else { format!("case {minutes}else {last} end") };
    sql.push(&dialect.bucket(&dialect.local(value.text(), &minutes), bucket));
}

fn push_figure(
    sql: &mut Sql,
    query: &Query<'_>,
    function: Function,
    measured: Option<&CatalogColumn>,
    dialect: Dialect,
) {
    let Some(column) = measured else {
        sql.push("count(*)");
        return;
    };
    if function == Function::Count {
        sql.push("count(");
        push_value(sql, column, &query.basis);
        sql.push(")");
        return;
    }
    // What is summed or compared is a slot, never a computed value with values of its own to bind.
    let mut value = Sql::new("");
    push_value(&mut value, column, &query.basis);
    let figure = match function {
        Function::Count => String::new(),
        Function::Sum => dialect.sum(value.text()),
        Function::Avg => dialect.average(value.text()),
        Function::Min => format!("min({})", value.text()),
        Function::Max => format!("max({})", value.text()),
    };
    sql.push(&figure);
}

fn push_order(sql: &mut Sql, aggregate: &Aggregate, groups: usize) {
    if groups == 0 {
        return;
    }
    let places: Vec<String> = (1..=groups).map(|place| place.to_string()).collect();
    let order = aggregate.order.unwrap_or(Order { by: None, descending: true });
    let place = order.by.map_or(groups + 1, |by| by + 1);
    let direction = if order.descending { "desc" } else { "asc" };
    let ties: Vec<String> = places.iter().map(|place| format!("{place} asc nulls last")).collect();
    sql.push(&format!(
        " group by {} order by {place} {direction} nulls last, {} limit {}",
        places.join(", "),
        ties.join(", "),
        aggregate.limit + 1
    ));
}

fn figure_field(function: Function, measured: Option<&CatalogColumn>) -> Field {
    match (function, measured) {
        (Function::Count, _) | (_, None) => Field::Integer,
        (_, Some(column)) => field(column.kind),
    }
}

fn read(row: &[Datum], groups: &[Grouping<'_>], measured: Option<&CatalogColumn>) -> Group {
    let keys = groups
        .iter()
        .zip(row)
        .map(|((column, bucket, _), datum)| match bucket {
            Some(_) => read_text(datum).map(|day| Value::Text(day.to_owned())),
            None => from_slot(column.kind, datum.clone()),
        })
        .collect();
    let figure = row.last().and_then(|datum| {
        #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^53")]
        let count = read_integer(datum).map(|count| Value::Number(count as f64));
        count
            .or_else(|| read_number(datum).map(|number| Value::Number(rounded(number))))
            .or_else(|| read_time(datum).map(Value::Time))
            .or_else(|| measured.and_then(|column| from_slot(column.kind, datum.clone())))
    });
    Group { keys, figure }
}

/// A computed figure to 12 significant digits: what is behind them is noise of binary fractions.
fn rounded(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

/// The zone's offsets over the span of the selection's dates: each with the moment until which it holds.
async fn offsets(
    tx: &mut Tx,
    query: &Query<'_>,
    column: &CatalogColumn,
    zone: Tz,
) -> Result<Vec<(DateTime<Utc>, i64)>> {
    let mut sql = Sql::new("select ");
    let mut value = Sql::new("");
    push_value(&mut value, column, &query.basis);
    sql.push(&format!("min({0}), max({0}) from dynamic_table_rows r where ", value.text()));
    push_conditions(&mut sql, query, tx.dialect());
    let rows = tx.fetch_fields(sql, &[Field::Time, Field::Time]).await?;
    let span = rows.first().and_then(|row| Some((read_time(row.first()?)?, read_time(row.get(1)?)?)));
    Ok(span.map_or_else(Vec::new, |(from, to)| transitions(zone, from, to)))
}

fn transitions(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<(DateTime<Utc>, i64)> {
    let offset = |at: DateTime<Utc>| {
        i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()) / 60
    };
    let mut found = Vec::new();
    let (mut at, mut current) = (from, offset(from));
    while at < to {
        let next = at + Duration::days(1);
        if offset(next) != current {
            // The change is within this day: narrow it down to the minute.
            let (mut before, mut after) = (at, next);
            while after - before > Duration::minutes(1) {
                let middle = before + (after - before) / 2;
                if offset(middle) == current { before = middle } else { after = middle }
            }
            let minute = after.timestamp().div_euclid(60) * 60;
            found.push((DateTime::from_timestamp(minute, 0).unwrap_or(after), current));
            current = offset(next);
        }
        at = next;
    }
    found.push((to, current));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_change_at_the_minute_the_zone_says() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let found =
            transitions(chrono_tz::Europe::Berlin, at("2026-01-01T00:00:00Z"), at("2026-12-31T00:00:00Z"));
        assert_eq!(
            found,
            vec![
                (at("2026-03-29T01:00:00Z"), 60),
                (at("2026-10-25T01:00:00Z"), 120),
                (at("2026-12-31T00:00:00Z"), 60)
            ]
        );
    }

    #[test]
    fn figures_carry_no_noise_of_binary_fractions() {
        assert_eq!(rounded(0.1 + 0.2).to_string(), "0.3");
    }
}
