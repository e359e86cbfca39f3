//! Which rows a call means, as SQL: filters, alternatives, search, ids and order.

use uuid::Uuid;

use super::computed::{Basis, is_failing, push_failing, push_value};
use super::stored::{field, fold, to_slot};
use crate::error::Result;
use crate::store::{Datum, Dialect, Field, Org, Sql, Tx, like_literal, read_id, read_integer};
use crate::tables::{CatalogColumn, CatalogTable, Dir, Filter, Kind, Range, Test, Value, line};

/// A selection of a table's live rows, valid against its columns.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    pub org: Org,
    pub table: &'a CatalogTable,
    /// Every one must hold.
    pub filters: Vec<Filter>,
    /// In each group at least one must hold.
    pub any_of: Vec<Vec<Filter>>,
    /// Every word must occur in the searched columns.
    pub search: Option<String>,
    /// Only these rows, when there are any.
    pub ids: Option<Vec<Uuid>>,
    /// Archived rows instead of live ones.
    pub archived: bool,
    /// What computed columns are computed from.
    pub basis: Basis,
}

/// One column of an order. Empty cells come last whichever the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    pub column: usize,
    pub dir: Dir,
}

/// How many rows match, counting no further than `most`.
pub async fn count(tx: &mut Tx, query: &Query<'_>, most: u64) -> Result<u64> {
    let mut sql = Sql::new("");
    push_count(&mut sql, query, most, tx.dialect());
    let rows = tx.fetch_fields(sql, &[Field::Integer]).await?;
    let count = rows.first().and_then(|row| row.first()).and_then(read_integer).unwrap_or(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The ids of the matching rows in their order, no more than `most`. The rows are held until the transaction
/// ends: what somebody changes at this moment matches as it is then, or does not match.
pub async fn matching_ids(tx: &mut Tx, query: &Query<'_>, most: usize) -> Result<Vec<Uuid>> {
    line::enter(tx, query.org, query.table.key()).await?;
    let mut sql = Sql::new("select r.id from dynamic_table_rows r where ");
    push_conditions(&mut sql, query, tx.dialect());
    sql.push(&format!(" order by r.id limit {most}{}", tx.dialect().for_update()));
    let rows = tx.fetch_fields(sql, &[Field::Id]).await?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(read_id)).collect())
}

/// Appends the statement that counts the matching rows, no further than `most`.
pub(super) fn push_count(sql: &mut Sql, query: &Query<'_>, most: u64, dialect: Dialect) {
    sql.push("select count(*) from (select 1 as one from dynamic_table_rows r where ");
    push_conditions(sql, query, dialect);
    sql.push(&format!(" limit {most}) as matching"));
}

/// Appends everything a row must satisfy.
pub(super) fn push_conditions(sql: &mut Sql, query: &Query<'_>, dialect: Dialect) {
    sql.push("r.org_id = ").bind(query.org);
    // The table and the mark of archiving are literals, so that partial indexes apply.
    sql.push(&format!(" and r.table_key = '{}'", query.table.key()));
    sql.push(if query.archived { " and r.archived_ms is not null" } else { " and r.archived_ms is null" });
    if let Some(ids) = &query.ids {
        sql.push(" and r.id in (").bind_all(ids.iter().copied()).push(")");
    }
    push_filters(sql, query, &query.filters);
    for group in query.any_of.iter().filter(|group| !group.is_empty()) {
        sql.push(" and (");
        for (i, filter) in group.iter().enumerate() {
            sql.push(if i == 0 { "" } else { " or " });
            push_filter(sql, query, filter);
        }
        sql.push(")");
    }
    for word in query.search.iter().flat_map(|words| words.split_whitespace()) {
        let word = fold(word);
        sql.push(" and ");
        if word.chars().count() >= 3 {
            let term = sql.placeholder(dialect.search_term(&word));
            sql.push(&dialect.search(&term));
        } else {
            sql.push("r.search like ").bind(format!("%{}%", like_literal(&word))).push(" escape '\\'");
        }
    }
}

/// Appends that each of the filters holds, after another condition.
pub(super) fn push_filters(sql: &mut Sql, query: &Query<'_>, filters: &[Filter]) {
    for filter in filters {
        sql.push(" and ");
        push_filter(sql, query, filter);
    }
}

/// Appends what orders rows by a column; see [`sort_field`] for its type.
pub(super) fn push_sort(sql: &mut Sql, column: &CatalogColumn, basis: &Basis) {
    match column.kind {
        // The options' own order: high comes after low, not before it.
        Kind::Status if !column.options.is_empty() => {
            sql.push("cast(case ");
            push_value(sql, column, basis);
            for (i, option) in column.options.iter().enumerate() {
                sql.push(" when ").bind(option.value.as_str()).push(&format!(" then {i}"));
            }
            sql.push(" end as bigint)");
        }
        Kind::Person => {
            sql.push("(select lower(p.name) from ops_members p where p.org_id = r.org_id and p.id = ");
            push_value(sql, column, basis);
            sql.push(")");
        }
        _ => push_compared(sql, column, basis),
    }
}

/// The type of what [`push_sort`] gives.
pub(super) fn sort_field(column: &CatalogColumn) -> Field {
    match column.kind {
        Kind::Status if !column.options.is_empty() => Field::Integer,
        kind => field(kind),
    }
}

fn push_filter(sql: &mut Sql, query: &Query<'_>, filter: &Filter) {
    let Some(column) = query.table.columns.get(filter.column) else { return };
    let basis = &query.basis;
    match &filter.test {
        Test::IsEmpty => push_null(sql, column, basis, " is null"),
        Test::IsNotEmpty => push_null(sql, column, basis, " is not null"),
        Test::In(values) if is_failing(column, basis, values) => push_failing(sql, basis, query.org),
        Test::In(values) => push_in(sql, column, basis, values),
        Test::NotIn(values) => {
            sql.push("(");
            push_null(sql, column, basis, " is null or not (");
            push_in(sql, column, basis, values);
            sql.push("))");
        }
        Test::Contains(text) => push_like(sql, column, basis, text, "%"),
        Test::StartsWith(text) => push_like(sql, column, basis, text, ""),
        Test::Range(range) => push_range(sql, column, basis, range),
        Test::NotRange(range) => {
            sql.push("(");
            push_null(sql, column, basis, " is null or not ");
            push_range(sql, column, basis, range);
            sql.push(")");
        }
    }
}

fn push_null(sql: &mut Sql, column: &CatalogColumn, basis: &Basis, test: &str) {
    push_value(sql, column, basis);
    sql.push(test);
}

/// A column as it is compared: words typed by people without regard to case.
fn push_compared(sql: &mut Sql, column: &CatalogColumn, basis: &Basis) {
    if column.kind.ignores_case() && column.kind != Kind::Tags {
        sql.push("lower(");
        push_value(sql, column, basis);
        sql.push(")");
    } else {
        push_value(sql, column, basis);
    }
}

fn push_in(sql: &mut Sql, column: &CatalogColumn, basis: &Basis, values: &[Value]) {
    if column.kind == Kind::Tags {
        sql.push("(");
        for (i, value) in values.iter().enumerate() {
            sql.push(if i == 0 { "" } else { " or " });
            if let Value::Text(tag) = value {
                push_like(sql, column, basis, &format!("\n{tag}\n"), "%");
            }
        }
        sql.push(")");
        return;
    }
    let mut forms: Vec<Datum> = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::Text(text) if column.kind.ignores_case() => {
                forms.extend(spellings(text).into_iter().map(Datum::from));
            }
            other => forms.push(to_slot(column.kind, Some(other))),
        }
    }
    push_compared(sql, column, basis);
    if let [form] = forms.as_slice() {
        sql.push(" = ").bind(form.clone());
    } else {
        sql.push(" in (").bind_all(forms).push(")");
    }
}

fn push_like(sql: &mut Sql, column: &CatalogColumn, basis: &Basis, text: &str, before: &str) {
    sql.push("(");
    for (i, spelling) in spellings(text).iter().enumerate() {
        sql.push(if i == 0 { "lower(" } else { " or lower(" });
        push_value(sql, column, basis);
        sql.push(") like ").bind(format!("{before}{}%", like_literal(spelling))).push(" escape '\\'");
    }
    sql.push(")");
}

fn push_range(sql: &mut Sql, column: &CatalogColumn, basis: &Basis, range: &Range) {
    let bounds = [(&range.from, " > ", " >= "), (&range.to, " < ", " <= ")];
    sql.push("(");
    let mut first = true;
    for (bound, open, closed) in bounds {
        if let Some((value, inclusive)) = bound {
            sql.push(if first { "" } else { " and " });
            push_value(sql, column, basis);
            sql.push(if *inclusive { closed } else { open }).bind(to_slot(column.kind, Some(value)));
            first = false;
        }
    }
    if first {
        push_null(sql, column, basis, " is not null");
    }
    sql.push(")");
}

/// The spellings of a text that mean the same. The databases fold ASCII letters only, so a text with others
/// is compared in each of its usual cases.
fn spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![text.to_ascii_lowercase()];
    if !text.is_ascii() {
        let mut capital = String::new();
        for (i, c) in text.to_lowercase().chars().enumerate() {
            if i == 0 { capital.extend(c.to_uppercase()) } else { capital.push(c) }
        }
        for form in [text.to_lowercase(), text.to_uppercase(), capital] {
            let form = form.to_ascii_lowercase();
            if !spellings.contains(&form) {
                spellings.push(form);
            }
        }
    }
    spellings
}
