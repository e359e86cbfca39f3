//! A page of rows as one: SQLite's driver hands every row from its own thread to ours, which takes longer than reading it.
//! As one JSON text they cross together.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::{Deserialize, Deserializer, Visitor};
use uuid::Uuid;

use super::{Datum, Field, Sql};
use crate::error::{Result, internal};

/// Stands for a number that fifteen digits do not tell from others.
const LONG: &str = "long";

/// The select whose one row is the JSON text of all rows of `sql`, in their order: that of a part with a limit is kept.
pub(super) fn pack(sql: Sql, fields: &[Field]) -> Sql {
    let names: Vec<String> = (0..fields.len()).map(|i| format!("c{i}")).collect();
    let cells: Vec<String> = fields.iter().zip(&names).map(|(field, name)| cell(*field, name)).collect();
    let (names, cells) = (names.join(", "), cells.join(", "));
    sql.within(
        &format!("with packed ({names}) as ("),
        &format!(") select json_group_array(json_array({cells})) from packed"),
    )
}

/// The rows of the text that the packed select gave; none when a number of them cannot be packed.
pub(super) fn unpack(text: &str, fields: &[Field]) -> Result<Option<Vec<Vec<Datum>>>> {
    let rows: Vec<Vec<Cell<'_>>> = serde_json::from_str(text).map_err(internal)?;
    let is_long = |cell: &Cell<'_>, field: &Field| {
        *field == Field::Number && matches!(cell, Cell::Text(text) if text == LONG)
    };
    if rows.iter().any(|row| row.iter().zip(fields).any(|(cell, field)| is_long(cell, field))) {
        return Ok(None);
    }
    let row =
        |row: Vec<Cell<'_>>| row.into_iter().zip(fields).map(|(cell, field)| cell.read(*field)).collect();
    rows.into_iter().map(row).collect::<Result<_>>().map(Some)
}

/// What JSON can hold of a column: no bytes, and fifteen digits of a number, of which SQLite is sure within these bounds.
fn cell(field: Field, name: &str) -> String {
    match field {
        Field::Id => format!("hex({name})"),
        Field::Number => format!(
            "case when {name} is null then null
             when (abs({name}) between 1e-5 and 1e15 or {name} = 0) and printf('%!.15g', {name}) + 0.0 = {name}
             then printf('%!.15g', {name}) else '{LONG}' end"
        ),
        Field::Text | Field::Integer | Field::Time | Field::Flag | Field::Json => name.to_owned(),
    }
}

/// A value between its column and ours.
enum Cell<'a> {
    Nothing,
    Integer(i64),
    Text(Cow<'a, str>),
}

impl Cell<'_> {
    fn read(self, field: Field) -> Result<Datum> {
        Ok(match (field, self) {
            (Field::Id, Cell::Text(text)) if !text.is_empty() => {
                Datum::Uuid(Some(Uuid::try_parse(&text).map_err(internal)?))
            }
            (Field::Id, _) => Datum::Uuid(None),
            (Field::Text, Cell::Text(text)) => Datum::String(Some(text.into_owned())),
            (Field::Text, Cell::Integer(integer)) => Datum::String(Some(integer.to_string())),
            (Field::Text, Cell::Nothing) => Datum::String(None),
            (Field::Integer, Cell::Integer(integer)) => Datum::BigInt(Some(integer)),
            (Field::Integer, _) => Datum::BigInt(None),
            (Field::Number, Cell::Text(text)) => Datum::Double(Some(text.parse().map_err(internal)?)),
            (Field::Number, _) => Datum::Double(None),
            (Field::Time, Cell::Text(text)) => Datum::ChronoDateTimeUtc(Some(time(&text)?)),
            (Field::Time, _) => Datum::ChronoDateTimeUtc(None),
            (Field::Flag, Cell::Integer(integer)) => Datum::Bool(Some(integer != 0)),
            (Field::Flag, _) => Datum::Bool(None),
            (Field::Json, Cell::Text(text)) => {
                Datum::Json(Some(Box::new(serde_json::from_str(&text).map_err(internal)?)))
            }
            (Field::Json, _) => Datum::Json(None),
        })
    }
}

/// A time as the driver writes it, or as SQLite's own functions do.
fn time(text: &str) -> Result<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%F %T%.f").map(|time| time.and_utc()))
        .map_err(internal)
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Cells)
    }
}

struct Cells;

impl<'de> Visitor<'de> for Cells {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, an integer or null")
    }

    fn visit_unit<E>(self) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Nothing)
    }

    fn visit_i64<E>(self, integer: i64) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Integer(integer))
    }

    fn visit_u64<E: serde::de::Error>(self, integer: u64) -> std::result::Result<Cell<'de>, E> {
        i64::try_from(integer).map(Cell::Integer).map_err(E::custom)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::{Store, Tx};

    const FIELDS: [Field; 7] =
        [Field::Id, Field::Text, Field::Integer, Field::Number, Field::Time, Field::Flag, Field::Json];

    /// Mostly such as people write.
    fn numbers() -> impl Strategy<Value = f64> {
        prop_oneof![
            8 => (any::<i32>(), 0..7).prop_map(|(number, places)| f64::from(number) / 10_f64.powi(places)),
            2 => (-999_999_999_999_999_i64..=999_999_999_999_999, -8..8).prop_map(|(digits, places)| {
                format!("{digits}e{places}").parse().unwrap_or_default()
            }),
            1 => (-6.0..16.0_f64).prop_map(|size| 10_f64.powf(size)),
            1 => any::<f64>().prop_filter("finite", |number| number.is_finite()),
        ]
    }

    fn values() -> impl Strategy<Value = Vec<Datum>> {
        let time = 0..4_102_444_800_000_i64;
        let any = (
            any::<Option<u128>>().prop_map(|id| Datum::Uuid(id.map(Uuid::from_u128))),
            any::<Option<String>>().prop_map(|text| Datum::String(text.map(|text| text.replace('\0', "")))),
            any::<Option<i64>>().prop_map(Datum::BigInt),
            proptest::option::of(numbers()).prop_map(Datum::Double),
            proptest::option::of(time)
                .prop_map(|ms| Datum::ChronoDateTimeUtc(ms.and_then(DateTime::from_timestamp_millis))),
            any::<Option<bool>>().prop_map(Datum::Bool),
            any::<Option<i64>>().prop_map(|number| {
                Datum::Json(number.map(|number| Box::new(serde_json::json!({"a": [number]}))))
            }),
        );
        any.prop_map(|(a, b, c, d, e, f, g)| vec![a, b, c, d, e, f, g])
    }

    #[test]
    fn a_packed_row_is_the_row_itself() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("packed.db").display());
        let store = runtime.block_on(async { Store::open(&url, |_| Vec::new()) }).unwrap();
        let runner = |rows: Vec<Vec<Datum>>| {
            runtime.block_on(async {
                let mut tx = store.begin().await.unwrap();
                let mut sql = Sql::new("select null, null, null, null, null, null, null where false");
                for row in rows {
                    sql.push(" union all select ").bind_all(row);
                }
                sql.push(" limit 100");
                let plain = tx.fetch_fields(sql.clone(), &FIELDS).await.unwrap();
                let Tx::Sqlite(mut tx) = tx else { unreachable!() };
                (plain, tx.fetch_page(sql, &FIELDS).await.unwrap())
            })
        };
        proptest!(|(rows in proptest::collection::vec(values(), 1..4))| {
            let (plain, packed) = runner(rows);
            prop_assert_eq!(plain, packed);
        });
        assert_eq!(runner(Vec::new()).1, Vec::<Vec<Datum>>::new());
    }

    #[test]
    fn only_a_number_with_more_digits_than_people_write_is_not_packed() {
        let row = |number: &str| unpack(&format!("[[{number}]]"), &[Field::Number]).unwrap();
        assert_eq!(row("\"1234.56\""), Some(vec![vec![Datum::Double(Some(1234.56))]]));
        assert_eq!(row("null"), Some(vec![vec![Datum::Double(None)]]));
        assert_eq!(row("\"long\""), None);
    }
}
