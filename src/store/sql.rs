//! A statement being composed: text made of declared names, and the values bound to it.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use sea_query_sqlx::SqlxValues;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::Dialect;

/// A statement with more values than this is prepared for them alone. A plan for any values, which PostgreSQL makes of a
/// statement that it keeps, compares every row with each of thousands of them; a plan for these looks them up.
const KEPT_MAX: usize = 64;

/// A value bound to a statement or read from a row, with its type even when it is null.
pub type Datum = sea_query::Value;

/// The type of a result column that is known only at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Id,
    Text,
    Integer,
    Number,
    Time,
    Flag,
    Json,
}

/// SQL text with its values. Text comes from the code and the declarations only; what a caller gave is
/// always bound.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    text: String,
    values: Vec<Datum>,
    /// Placeholders are `?` instead of `$1`, `$2`, …
    anonymous: bool,
}

impl Sql {
    pub fn new(text: &str) -> Sql {
        Sql { text: text.to_owned(), ..Sql::default() }
    }

    /// A whole statement with its values in order, for `$1`, `$2`, ….
    pub fn with(text: &str, values: impl IntoIterator<Item = Datum>) -> Sql {
        Sql { text: text.to_owned(), values: values.into_iter().collect(), anonymous: false }
    }

    /// A statement that will bind many values, each where it is appended. To SQLite `$1` is a name, which it
    /// looks up among all others: thousands of them take longer than the rows.
    pub fn bulk(dialect: Dialect, text: &str) -> Sql {
        Sql { text: text.to_owned(), values: Vec::new(), anonymous: dialect == Dialect::Sqlite }
    }

    /// Appends text.
    pub fn push(&mut self, text: &str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder bound to `value`.
    pub fn bind(&mut self, value: impl Into<Datum>) -> &mut Sql {
        self.values.push(value.into());
        if self.anonymous {
            return self.push("?");
        }
        // Writing to a text cannot fail.
        let _ = write!(self.text, "${}", self.values.len());
        self
    }

    /// Binds `value` without appending; the placeholder to put somewhere in the text.
    pub fn placeholder(&mut self, value: impl Into<Datum>) -> String {
        self.values.push(value.into());
        if self.anonymous { "?".to_owned() } else { format!("${}", self.values.len()) }
    }

    /// Appends placeholders for `values`, separated by commas.
    pub fn bind_all<V: Into<Datum>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Sql {
        for (i, value) in values.into_iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self
    }

    /// The statement between two texts that bind nothing.
    pub(super) fn within(self, before: &str, after: &str) -> Sql {
        Sql { text: format!("{before}{}{after}", self.text), ..self }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the statement should stay prepared for other values.
    pub(super) fn is_kept(&self) -> bool {
        self.values.len() <= KEPT_MAX
    }

    /// The parts a driver takes. The text is safe because of the rule on [`Sql`].
    pub(super) fn into_parts(self) -> (AssertSqlSafe<String>, SqlxValues) {
        (AssertSqlSafe(self.text), SqlxValues(sea_query::Values(self.values)))
    }
}

impl From<super::Org> for Datum {
    fn from(org: super::Org) -> Datum {
        Datum::Uuid(Some(org.0))
    }
}

/// The text in a datum, or none when it is null or something else.
pub fn text_of(datum: &Datum) -> Option<&str> {
    match datum {
        Datum::String(Some(text)) => Some(text),
        _ => None,
    }
}

/// The id in a datum.
pub fn id_of(datum: &Datum) -> Option<Uuid> {
    match datum {
        Datum::Uuid(id) => *id,
        _ => None,
    }
}

/// The whole number in a datum.
pub fn integer_of(datum: &Datum) -> Option<i64> {
    match datum {
        Datum::BigInt(number) => *number,
        _ => None,
    }
}

/// The decimal in a datum.
pub fn number_of(datum: &Datum) -> Option<f64> {
    match datum {
        Datum::Double(number) => *number,
        _ => None,
    }
}

/// The instant in a datum.
pub fn time_of(datum: &Datum) -> Option<DateTime<Utc>> {
    match datum {
        Datum::ChronoDateTimeUtc(time) => *time,
        _ => None,
    }
}

/// The truth value in a datum.
pub fn flag_of(datum: &Datum) -> Option<bool> {
    match datum {
        Datum::Bool(flag) => *flag,
        _ => None,
    }
}

/// The JSON in a datum.
pub fn json_of(datum: &Datum) -> Option<&serde_json::Value> {
    match datum {
        Datum::Json(json) => json.as_deref(),
        _ => None,
    }
}
