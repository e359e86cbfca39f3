//! Many new rows of one table at once: copied in on PostgreSQL, where binding and planning thousands of values takes longer
//! than storing them; inserted a few hundred at a time on SQLite.

use super::{Datum, Sql, Tx};
use crate::error::{Result, internal};

/// Fewer rows than this are inserted: a copy costs two round trips.
const COPY_MIN: usize = 20;
/// 2000-01-01, from which PostgreSQL counts, since 1970.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The most rows that one statement inserts.
const INSERT_MAX: usize = 500;

/// Adds rows whose values are in the order of `columns`, which must be declared names.
pub(super) async fn insert(tx: &mut Tx, table: &str, columns: &[&str], rows: Vec<Vec<Datum>>) -> Result<()> {
    if let (Tx::Postgres(tx), true) = (&mut *tx, rows.len() >= COPY_MIN) {
        let input = copied(&rows)?;
        let statement = format!("copy {table} ({}) from stdin (format binary)", columns.join(", "));
        return tx.copy_in(&statement, input).await;
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

/// The rows in the binary format of PostgreSQL's `copy` (its manual, COPY, "Binary Format"): nothing is written as text to be
/// read again.
fn copied(rows: &[Vec<Datum>]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(rows.len() * 512);
    bytes.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    // No flags, and no extension of the header.
    bytes.extend_from_slice(&[0; 8]);
    for row in rows {
        bytes.extend_from_slice(&i16::try_from(row.len()).map_err(internal)?.to_be_bytes());
        for datum in row {
            push(&mut bytes, datum)?;
        }
    }
    bytes.extend_from_slice(&(-1_i16).to_be_bytes());
    Ok(bytes)
}

/// A value behind its length, as a column of its own type receives it.
fn push(bytes: &mut Vec<u8>, datum: &Datum) -> Result<()> {
    match datum {
        Datum::String(Some(value)) => push_field(bytes, &[value.as_bytes()]),
        // The version of the binary form of `jsonb`, then its text.
        Datum::Json(Some(value)) => push_field(bytes, &[&[1], value.to_string().as_bytes()]),
        Datum::Uuid(Some(value)) => push_field(bytes, &[value.as_bytes()]),
        Datum::BigInt(Some(value)) => push_field(bytes, &[&value.to_be_bytes()]),
        Datum::Double(Some(value)) => push_field(bytes, &[&value.to_be_bytes()]),
        Datum::Bool(Some(value)) => push_field(bytes, &[&[u8::from(*value)]]),
        Datum::ChronoDateTimeUtc(Some(value)) => {
            let micros = value.timestamp_micros() - EPOCH_MICROS;
            push_field(bytes, &[&micros.to_be_bytes()])
        }
        Datum::Bytes(Some(value)) => push_field(bytes, &[value]),
        Datum::String(None)
        | Datum::Json(None)
        | Datum::Uuid(None)
        | Datum::BigInt(None)
        | Datum::Double(None)
        | Datum::Bool(None)
        | Datum::ChronoDateTimeUtc(None)
        | Datum::Bytes(None) => {
            bytes.extend_from_slice(&(-1_i32).to_be_bytes());
            Ok(())
        }
        other => Err(internal(format!("a value of this type cannot be copied in: {other:?}"))),
    }
}

fn push_field(bytes: &mut Vec<u8>, parts: &[&[u8]]) -> Result<()> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    bytes.extend_from_slice(&i32::try_from(len).map_err(internal)?.to_be_bytes());
    for part in parts {
        bytes.extend_from_slice(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_stands_behind_its_length() {
        let moment = chrono::DateTime::from_timestamp_micros(EPOCH_MICROS + 1);
        let row = vec![
            Datum::String(Some("é".to_owned())),
            Datum::String(None),
            Datum::Double(Some(-0.25)),
            Datum::Bytes(Some(vec![0, 255])),
            Datum::Json(Some(Box::new(serde_json::json!([1])))),
            Datum::ChronoDateTimeUtc(moment),
            Datum::Bool(Some(true)),
        ];
        let fields: [&[u8]; 7] = [
            b"\0\0\0\x02\xc3\xa9",
            b"\xff\xff\xff\xff",
            b"\0\0\0\x08\xbf\xd0\0\0\0\0\0\0",
            b"\0\0\0\x02\0\xff",
            b"\0\0\0\x04\x01[1]",
            b"\0\0\0\x08\0\0\0\0\0\0\0\x01",
            b"\0\0\0\x01\x01",
        ];
        let wanted =
            [b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x07", fields.concat().as_slice(), b"\xff\xff"].concat();
        assert_eq!(copied(&[row]).unwrap(), wanted);
        assert!(copied(&[vec![Datum::Char(Some('a'))]]).is_err());
    }
}
