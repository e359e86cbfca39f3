//! A page of rows by keyset: the next one starts behind the last row seen, however many were added before it.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::computed::push_value;
use super::query::{Query, SortKey, push_conditions, push_count, push_sort, sort_field};
use super::stored::{field, from_slot};
use crate::error::Result;
use crate::store::{
    Datum, Field, Sql, Tx, read_flag, read_id, read_integer, read_number, read_text, read_time,
};
use crate::tables::{CatalogColumn, Dir, Value};

/// Rows with the values of the columns asked for.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub rows: Vec<PageRow>,
    /// Whether more rows match behind the last one.
    pub more: bool,
    /// How many rows match in all, as far as counting was asked for and the page has a row to carry it.
    pub matching: Option<u64>,
    /// The organization's catalog version as of this page, if it was asked for and the page has a row to carry it.
    pub version: Option<i64>,
}

/// Which part of a query's rows is wanted, and what of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span<'a> {
    pub sort: &'a [SortKey],
    /// The places of the columns to return.
    pub fields: &'a [usize],
    /// The row before the first one.
    pub after: Option<&'a Cursor>,
    pub limit: usize,
    /// How far to count the matches, if at all.
    pub count_to: Option<u64>,
    /// Whether to tell the catalog's version.
    pub versioned: bool,
}

#[derive(Debug, Clone)]
pub struct PageRow {
    pub id: Uuid,
    pub values: Vec<Option<Value>>,
    /// What the row was sorted by; see [`PageRow::cursor`].
    keys: Vec<Datum>,
}

/// A place in an order: the sort values of a row and its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    pub keys: Vec<Json>,
    pub id: Uuid,
}

impl PageRow {
    /// Where the row stands in the order; made for the one row of a page that needs it.
    pub fn cursor(&self) -> Cursor {
        Cursor { keys: self.keys.iter().map(from_datum).collect(), id: self.id }
    }
}

/// The rows of a query that a span asks for.
pub async fn page(tx: &mut Tx, query: &Query<'_>, span: &Span<'_>) -> Result<Page> {
    let columns = &query.table.columns;
    let keys: Vec<(&CatalogColumn, Dir)> =
        span.sort.iter().filter_map(|key| Some((columns.get(key.column)?, key.dir))).collect();
    let mut page = Page::default();
    // Behind a row with a value come, first, values further on, and then the empty cells. Asking for them
    // one after the other lets each be one range of an index.
    let parts: &[Part] = match span.after.and_then(|cursor| cursor.keys.first()) {
        None => &[Part::Whole],
        Some(Json::Null) => &[Part::Empty],
        Some(_) => &[Part::Valued, Part::Empty],
    };
    for part in parts {
        // One more than wanted tells whether there are more.
        let limit = span.limit + 1 - page.rows.len();
        if limit == 0 {
            break;
        }
        // The count travels with the first rows: a statement of its own would cost another round trip.
        let count_to = span.count_to.filter(|_| page.rows.is_empty());
        let wanted = Span { limit, count_to, ..*span };
        let sql = select(tx.dialect(), query, &keys, &wanted, *part);
        fetch(tx, sql, query, &keys, &wanted, &mut page).await?;
    }
    page.more = page.rows.len() > span.limit;
    page.rows.truncate(span.limit);
    Ok(page)
}

/// Which part of the order behind a cursor a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// The rows whose first sort cell has a value.
    Valued,
    /// The rows whose first sort cell is empty.
    Empty,
}

fn select(
    dialect: crate::store::Dialect,
    query: &Query<'_>,
    keys: &[(&CatalogColumn, Dir)],
    span: &Span<'_>,
    part: Part,
) -> Sql {
    let mut sql = Sql::new("select r.id");
    for column in span.fields.iter().filter_map(|&field| query.table.columns.get(field)) {
        sql.push(", ");
        push_value(&mut sql, column, &query.basis);
    }
    for (column, _) in keys {
        sql.push(", ");
        push_sort(&mut sql, column, &query.basis);
    }
    if let Some(most) = span.count_to {
        sql.push(", (");
        push_count(&mut sql, query, most, dialect);
        sql.push(")");
    }
    if span.versioned {
        sql.push(", (select o.version from ops_organizations o where o.id = ").bind(query.org).push(")");
    }
    sql.push(" from dynamic_table_rows r where ");
    push_conditions(&mut sql, query, dialect);
    if let Some(after) = span.after {
        push_after(&mut sql, query, keys, after, part);
    }
    sql.push(" order by ");
    let mut last = Dir::Asc;
    for (column, dir) in keys {
        push_sort(&mut sql, column, &query.basis);
        sql.push(match dir {
            Dir::Asc => " asc nulls last, ",
            Dir::Desc => " desc nulls last, ",
        });
        last = *dir;
    }
    sql.push(if last == Dir::Desc { "r.id desc" } else { "r.id" }).push(&format!(" limit {}", span.limit));
    sql
}

/// Appends that a row stands behind the cursor: equal in the first keys and further in the next, or equal in
/// all and behind in its id.
fn push_after(sql: &mut Sql, query: &Query<'_>, keys: &[(&CatalogColumn, Dir)], after: &Cursor, part: Part) {
    let Some(((first, dir), value)) = keys.first().zip(after.keys.first()) else {
        sql.push(" and r.id > ").bind(after.id);
        return;
    };
    if part == Part::Empty {
        sql.push(" and ");
        push_sort(sql, first, &query.basis);
        sql.push(" is null");
        if !value.is_null() {
            return;
        }
    } else {
        sql.push(" and ");
        push_sort(sql, first, &query.basis);
        sql.push(if *dir == Dir::Asc { " >= " } else { " <= " }).bind(to_datum(first, value));
    }
    sql.push(" and (");
    for (depth, ((column, dir), value)) in keys.iter().zip(&after.keys).enumerate() {
        if value.is_null() {
            continue;
        }
        push_ties(sql, query, keys, after, depth);
        sql.push("(");
        push_sort(sql, column, &query.basis);
        sql.push(if *dir == Dir::Asc { " > " } else { " < " }).bind(to_datum(column, value)).push(" or ");
        push_sort(sql, column, &query.basis);
        sql.push(" is null)) or ");
    }
    push_ties(sql, query, keys, after, keys.len());
    let descending = keys.last().is_some_and(|(_, dir)| *dir == Dir::Desc);
    sql.push(if descending { "r.id < " } else { "r.id > " }).bind(after.id).push("))");
}

/// Appends `(`, that the first `depth` keys equal the cursor's, and a trailing `and`.
fn push_ties(sql: &mut Sql, query: &Query<'_>, keys: &[(&CatalogColumn, Dir)], after: &Cursor, depth: usize) {
    sql.push("(");
    for ((column, _), value) in keys.iter().zip(&after.keys).take(depth) {
        push_sort(sql, column, &query.basis);
        if value.is_null() {
            sql.push(" is null and ");
        } else {
            sql.push(" = ").bind(to_datum(column, value)).push(" and ");
        }
    }
}

/// Adds the rows of a statement to the page, and what they carry beside their cells.
async fn fetch(
    tx: &mut Tx,
    sql: Sql,
    query: &Query<'_>,
    keys: &[(&CatalogColumn, Dir)],
    span: &Span<'_>,
    page: &mut Page,
) -> Result<()> {
    let columns: Vec<&CatalogColumn> =
        span.fields.iter().filter_map(|&field| query.table.columns.get(field)).collect();
    let mut types = vec![Field::Id];
    types.extend(columns.iter().map(|column| field(column.kind)));
    types.extend(keys.iter().map(|(column, _)| sort_field(column)));
    types.extend(span.count_to.map(|_| Field::Integer));
    types.extend(span.versioned.then_some(Field::Integer));
    for row in tx.fetch_page(sql, &types).await? {
        let mut row = row.into_iter();
        let Some(id) = row.next().as_ref().and_then(read_id) else {
            return Err(crate::error::internal("a row came back without its id"));
        };
        let values =
            columns.iter().zip(row.by_ref()).map(|(column, datum)| from_slot(column.kind, datum)).collect();
        let keys = row.by_ref().take(keys.len()).collect();
        if span.count_to.is_some() {
            let count = row.next().as_ref().and_then(read_integer);
            page.matching = count.and_then(|count| u64::try_from(count).ok());
        }
        if span.versioned {
            page.version = row.next().as_ref().and_then(read_integer);
        }
        page.rows.push(PageRow { id, values, keys });
    }
    Ok(())
}

/// A sort value as a cursor carries it.
fn from_datum(datum: &Datum) -> Json {
    read_text(datum)
        .map(|text| json!(text))
        .or_else(|| read_number(datum).map(|number| json!(number)))
        .or_else(|| read_integer(datum).map(|number| json!(number)))
        .or_else(|| read_time(datum).map(|time| json!(time.to_rfc3339_opts(SecondsFormat::Millis, true))))
        .or_else(|| read_flag(datum).map(|flag| json!(flag)))
        .unwrap_or(Json::Null)
}

/// The sort value that [`from_datum`] wrote.
fn to_datum(column: &CatalogColumn, value: &Json) -> Datum {
    match sort_field(column) {
        Field::Integer => Datum::BigInt(value.as_i64()),
        Field::Number => Datum::Double(value.as_f64()),
        Field::Flag => Datum::Bool(value.as_bool()),
        Field::Time => {
            let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
            Datum::ChronoDateTimeUtc(time.map(|time| time.to_utc()))
        }
        _ => Datum::String(value.as_str().map(str::to_owned)),
    }
}
