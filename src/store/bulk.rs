//! Many new rows of one table at once: copied in on PostgreSQL, where binding and planning thousands of values takes longer
//! than storing them; inserted a few hundred at a time on SQLite.

use std::fmt::Write as _;

use chrono::SecondsFormat;

use super::{Datum, Dialect, Sql, Tx};
use crate::error::{Result, internal};

/// Fewer rows than this are inserted: a copy costs two round trips.
const COPY_MIN: usize = 20;
/// The most rows that one statement inserts.
const INSERT_MAX: usize = 500;

/// Adds rows whose values are in the order of `columns`, which must be declared names.
pub(super) async fn insert(tx: &mut Tx, table: &str, columns: &[&str], rows: Vec<Vec<Datum>>) -> Result<()> {
    if let (Tx::Postgres(tx), true) = (&mut *tx, rows.len() >= COPY_MIN) {
        let text = copy_text(&rows)?;
        let statement = format!("copy {table} ({}) from stdin", columns.join(", "));
        return tx.copy_in(&statement, text).await;
    }
    let rows_at_once = (tx.dialect().max_values() / columns.len().max(1)).clamp(1, INSERT_MAX);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut sql =
            Sql::bulk(tx.dialect(), &format!("insert into {table} ({}) values ", columns.join(", ")));
        for (i, row) in rows.by_ref().take(rows_at_once).enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" }).bind_all(row).push(")");
        }
        tx.execute(sql).await?;
    }
    Ok(())
}

/// The rows as PostgreSQL's `copy` reads them: a line a row, a tab between values.
fn copy_text(rows: &[Vec<Datum>]) -> Result<Vec<u8>> {
    let mut text = String::with_capacity(rows.len() * 256);
    for row in rows {
        for (i, datum) in row.iter().enumerate() {
            if i > 0 {
                text.push('\t');
            }
            push(&mut text, datum)?;
        }
        text.push('\n');
    }
    Ok(text.into_bytes())
}

fn push(text: &mut String, datum: &Datum) -> Result<()> {
    // Writing to a text cannot fail.
    let written = match datum {
        Datum::String(Some(value)) => {
            push_escaped(text, value);
            Ok(())
        }
        Datum::Json(Some(value)) => {
            push_escaped(text, &value.to_string());
            Ok(())
        }
        Datum::Uuid(Some(value)) => write!(text, "{value}"),
        Datum::BigInt(Some(value)) => write!(text, "{value}"),
        Datum::Double(Some(value)) => write!(text, "{value:?}"),
        Datum::Bool(Some(value)) => write!(text, "{value}"),
        Datum::ChronoDateTimeUtc(Some(value)) => {
            text.push_str(&value.to_rfc3339_opts(SecondsFormat::Micros, true));
            Ok(())
        }
        Datum::Bytes(Some(value)) => write!(text, "\\\\x{}", hex::encode(value)),
        Datum::String(None)
        | Datum::Json(None)
        | Datum::Uuid(None)
        | Datum::BigInt(None)
        | Datum::Double(None)
        | Datum::Bool(None)
        | Datum::ChronoDateTimeUtc(None)
        | Datum::Bytes(None) => {
            text.push_str("\\N");
            Ok(())
        }
        other => return Err(internal(format!("a value of this type cannot be copied in: {other:?}"))),
    };
    written.map_err(internal)
}

fn push_escaped(text: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '\t', '\n', '\r']) {
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        text.push_str(match special.as_bytes().first() {
            Some(b'\\') => "\\\\",
            Some(b'\t') => "\\t",
            Some(b'\n') => "\\n",
            _ => "\\r",
        });
        rest = special.get(1..).unwrap_or_default();
    }
    text.push_str(rest);
}

impl Dialect {
    /// Appended to a select to keep its rows as they are until the transaction ends, beside others who do so too.
    pub fn for_share(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for share",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_copy_would_take_for_its_own_is_escaped() {
        let row = vec![
            Datum::String(Some("a\tb\\c\nd\re".to_owned())),
            Datum::String(None),
            Datum::Double(Some(-0.25)),
            Datum::Bytes(Some(vec![0, 255])),
            Datum::Json(Some(Box::new(serde_json::json!({"a": "x\n"})))),
        ];
        let text = String::from_utf8(copy_text(&[row]).unwrap()).unwrap();
        assert_eq!(text, "a\\tb\\\\c\\nd\\re\t\\N\t-0.25\t\\\\x00ff\t{\"a\":\"x\\\\n\"}\n");
    }
}
