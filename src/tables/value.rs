//! A cell's value in its canonical form: read from what callers write, shown as callers read it.
//!
//! Two writings of the same thing have one canonical form, and `null`, `""` and `[]` are all no value: the
//! merge of writes from several systems rests on that.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::catalog::{CatalogColumn, Member};
use super::kind::Kind;
pub use super::reading::{Reading, parse};
pub use super::tags::{tags_from_slot, tags_to_slot};

/// Whole numbers up to here are shown without a fraction.
const WHOLE_MAX: f64 = 1e15;

/// A cell's canonical value; an absent one is `None`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Number(f64),
    Time(DateTime<Utc>),
    Flag(bool),
    Tags(Vec<String>),
}

/// The value as callers read it.
pub fn show(column: &CatalogColumn, value: &Value, members: &[Member]) -> Json {
    match value {
        Value::Text(id) if column.kind == Kind::Person => {
            let known = Uuid::try_parse(id).ok();
            let member = known.and_then(|id| members.iter().find(|member| member.id == id));
            json!(member.map_or(id, |member| &member.name))
        }
        Value::Text(text) => json!(text),
        Value::Number(number) => show_number(*number),
        Value::Time(time) if column.kind == Kind::Day => json!(time.format("%Y-%m-%d").to_string()),
        Value::Time(time) => {
            let exact = time.timestamp_subsec_millis() != 0;
            let format = if exact { SecondsFormat::Millis } else { SecondsFormat::Secs };
            json!(time.to_rfc3339_opts(format, true))
        }
        Value::Flag(flag) => json!(flag),
        Value::Tags(tags) => json!(tags),
    }
}

/// Like [`show`], of a value that is not needed any more: most are texts, and move as they are.
pub fn into_shown(column: &CatalogColumn, value: Value, members: &[Member]) -> Json {
    match value {
        Value::Text(text) if column.kind != Kind::Person => Json::String(text),
        value => show(column, &value, members),
    }
}

/// A number as callers read it: a whole one without a point.
pub fn show_number(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and far below the limit of i64")]
        return json!(number as i64);
    }
    json!(number)
}

impl Value {
    /// A text that is the same for equal values and differs for others of the same column.
    pub fn canonical(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            // Adding zero turns -0 into 0, which it equals.
            Value::Number(number) => (number + 0.0).to_string(),
            Value::Time(time) => time.timestamp_millis().to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Tags(tags) => tags_to_slot(tags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{column, instant, members, reading};

    #[test]
    fn what_is_shown_reads_back_as_the_same_value() {
        let members = members();
        let check = |kind: Kind, raw: Json, expected: Json| {
            let column = column(kind);
            let value = parse(&column, &raw, &reading(&members)).unwrap().unwrap();
            let shown = show(&column, &value, &members);
            assert_eq!(shown, expected);
            assert_eq!(parse(&column, &shown, &reading(&members)).unwrap(), Some(value), "{shown}");
        };
        check(Kind::Number, json!("5m"), json!(5_000_000));
        check(Kind::Number, json!(-2.5), json!(-2.5));
        check(Kind::Number, json!(1e18), json!(1e18));
        check(Kind::Day, json!("Mar 4, 2026"), json!("2026-03-04"));
        check(Kind::Instant, json!("2026-03-04 14:30"), json!("2026-03-04T14:30:00Z"));
        check(Kind::Instant, json!(1_772_634_600_120_i64), json!("2026-03-04T14:30:00.120Z"));
        check(Kind::Person, json!({"me": true}), json!("Sarah Chen"));
        check(Kind::Tags, json!("b, a"), json!(["a", "b"]));
        check(Kind::Boolean, json!("yes"), json!(true));
    }

    #[test]
    fn a_member_who_left_is_shown_by_id() {
        let id = Uuid::from_u128(99).to_string();
        assert_eq!(show(&column(Kind::Person), &Value::Text(id.clone()), &members()), json!(id));
    }

    #[test]
    fn the_canonical_text_is_stable() {
        let check = |value: Value, expected: &str| assert_eq!(value.canonical(), expected);
        check(Value::Text("a".to_owned()), "a");
        check(Value::Number(1200.0), "1200");
        check(Value::Number(0.1), "0.1");
        check(Value::Number(-0.0), "0");
        check(Value::Time(instant("1970-01-01T00:00:01Z")), "1000");
        check(Value::Flag(true), "true");
        check(Value::Tags(vec!["a".to_owned(), "b".to_owned()]), "\na\nb\n");
    }
}
