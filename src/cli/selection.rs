//! Which rows a command means: the flags that `query` and `export` share, and filters as people type them.

use serde_json::{Value as Json, json};

use crate::error::{Error, Result, invalid};
use crate::tables::{Dir, FilterArg, SortArg};
use crate::tools::query;

/// The flags that select and order rows.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Selection {
    /// Only rows for which this holds, as `status=new`, `deal_value>=500`, `title~demo`,
    /// `status in new,ready` or `industry is_empty`; repeat for more, all must hold
    #[arg(long = "filter", short = 'f', value_name = "FILTER", help_heading = "Rows")]
    filters: Vec<String>,
    /// Only the rows of this view, in its order
    #[arg(long, value_name = "VIEW", help_heading = "Rows")]
    view: Option<String>,
    /// Only rows with these words in names or e-mail addresses
    #[arg(long, value_name = "WORDS", help_heading = "Rows")]
    search: Option<String>,
    /// Order by this column, as `created_at:desc`; repeat for more
    #[arg(long, value_name = "COLUMN[:desc]", help_heading = "Rows")]
    sort: Vec<String>,
    /// Archived rows instead of live ones
    #[arg(long, help_heading = "Rows")]
    archived: bool,
}

/// Operators as symbols, longest first.
const SYMBOLS: &[(&str, &str)] = &[
    ("!=", "not_equals"),
    (">=", "gte"),
    ("<=", "lte"),
    ("==", "equals"),
    ("=", "equals"),
    (">", "gt"),
    ("<", "lt"),
    ("~", "contains"),
];

impl Selection {
    /// The arguments of a query call that mean the same.
    pub(super) fn to_args(&self) -> Result<query::Args> {
        Ok(query::Args {
            filters: self.filters.iter().map(|text| parse_filter(text)).collect::<Result<_>>()?,
            view: self.view.clone(),
            search: self.search.clone(),
            sort: self.sort.iter().map(|text| parse_sort(text)).collect::<Result<_>>()?,
            archived: self.archived.then_some(true),
            ..query::Args::default()
        })
    }
}

/// `column op value` with the operator's name or its symbol; whether column and operator exist is for the
/// table to say.
fn parse_filter(text: &str) -> Result<FilterArg> {
    let text = text.trim();
    let filter = |column: &str, op: &str, value: Json| FilterArg {
        column: column.to_owned(),
        op: op.to_owned(),
        value,
    };
    let start = text.find(['=', '!', '<', '>', '~']).unwrap_or(text.len());
    let (column, rest) = text.split_at(start);
    let is_one_word = !column.trim().is_empty() && !column.trim().contains(char::is_whitespace);
    if let Some((symbol, op)) = SYMBOLS.iter().find(|(symbol, _)| is_one_word && rest.starts_with(symbol)) {
        return Ok(filter(column.trim(), op, json!(rest[symbol.len()..].trim())));
    }
    let mut words = text.splitn(3, char::is_whitespace);
    match (words.next(), words.next(), words.next().map(str::trim).filter(|value| !value.is_empty())) {
        (Some(column), Some(op), None) => Ok(filter(column, op, Json::Null)),
        (Some(column), Some(op), Some(value)) => Ok(filter(column, op, operand(op, value))),
        _ => Err(no_filter(text)),
    }
}

/// The value of a named operator: a list where it takes several.
fn operand(op: &str, value: &str) -> Json {
    let parts = |separator: &str| value.split(separator).map(str::trim).collect::<Vec<_>>();
    match op {
        "between" if value.contains(" and ") => json!(parts(" and ")),
        "between" if value.contains("..") => json!(parts("..")),
        "in" | "not_in" | "between" => json!(parts(",")),
        _ => json!(value),
    }
}

fn no_filter(text: &str) -> Error {
    invalid(format!("`{text}` is not a filter"))
        .hint("write 'status=new', 'deal_value>=500', 'status in new,ready' or 'industry is_empty'")
}

fn parse_sort(text: &str) -> Result<SortArg> {
    let (column, dir) = text.split_once(':').unwrap_or((text, "asc"));
    let dir = match dir {
        "asc" => Dir::Asc,
        "desc" => Dir::Desc,
        other => return Err(invalid(format!("`{other}` is not a direction")).choices(other, ["asc", "desc"])),
    };
    Ok(SortArg { column: column.to_owned(), dir })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_as_it_is_typed() {
        let check = |text: &str, column: &str, op: &str, value: Json| {
            let filter = parse_filter(text).unwrap();
            assert_eq!(
                (filter.column.as_str(), filter.op.as_str(), &filter.value),
                (column, op, &value),
                "{text}"
            );
        };
        check("status=new", "status", "equals", json!("new"));
        check("status != new", "status", "not_equals", json!("new"));
        check("deal_value>=1,200", "deal_value", "gte", json!("1,200"));
        check("title~demo call", "title", "contains", json!("demo call"));
        check("status in new, ready", "status", "in", json!(["new", "ready"]));
        check("created_at within_last_days 7", "created_at", "within_last_days", json!("7"));
        check("deal_value between 1 and 5", "deal_value", "between", json!(["1", "5"]));
        check("industry is_empty", "industry", "is_empty", Json::Null);
        check("title contains a=b", "title", "contains", json!("a=b"));
        for wrong in ["", "status", "=new"] {
            assert!(parse_filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_order_goes_up_unless_it_says_down() {
        assert_eq!(parse_sort("name").unwrap().dir, Dir::Asc);
        assert_eq!(parse_sort("name:desc").unwrap().dir, Dir::Desc);
        assert!(parse_sort("name:down").is_err());
    }
}
