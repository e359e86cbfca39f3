//! Reads a cell's value from what callers write: every kind of column in each of its usual spellings.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::catalog::{CatalogColumn, Member};
use super::kind::Kind;
use super::text::{TEXT_CHARS_MAX, clean, clean_line, quote};
use super::value::Value;
use super::{address, number, person, status, tags, written};
use crate::error::{Error, Result, invalid};

const COMPANY_CHARS_MAX: usize = 500;

/// What is needed to understand a written value: where and when it was written, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Dates without a zone, and words such as `today`, are meant in this zone.
    pub zone: Tz,
    pub now: DateTime<Utc>,
    pub members: &'a [Member],
    /// The member who is calling, when that is known.
    pub me: Option<Uuid>,
    /// Whether `1/2/2026` is the first of February.
    pub day_first: bool,
}

/// The canonical value of what was written for the column; none for an empty value.
pub fn parse(column: &CatalogColumn, raw: &Json, reading: &Reading<'_>) -> Result<Option<Value>> {
    if is_blank(raw) {
        return Ok(None);
    }
    let value = parse_kind(column, raw, reading).unwrap_or_else(|| Err(wrong_type(column, raw, reading)));
    value.map_err(|mut error| {
        error.message = format!("`{}`: {}", column.key, error.message);
        error
    })
}

fn is_blank(raw: &Json) -> bool {
    match raw {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The value, or `None` when `raw` has a JSON type that the column cannot take.
fn parse_kind(column: &CatalogColumn, raw: &Json, reading: &Reading<'_>) -> Option<Result<Option<Value>>> {
    let text_of = |read: fn(&str) -> Result<Option<String>>| {
        raw.as_str().map(|text| read(text).map(|found| found.map(Value::Text)))
    };
    match column.kind {
        Kind::Text => text_of(|text| clean(text, TEXT_CHARS_MAX)),
        Kind::Company => text_of(|text| clean_line(text, COMPANY_CHARS_MAX)),
        Kind::Email => text_of(address::email),
        Kind::Url => text_of(address::web),
        Kind::Domain => text_of(address::domain),
        Kind::Phone => text_of(address::phone),
        Kind::Linkedin => text_of(address::linkedin),
        Kind::Number => match raw {
            Json::Number(given) => Some(number::from_json(given)),
            Json::String(text) => Some(number::parse(text)),
            _ => None,
        }
        .map(|read| read.map(|found| Some(Value::Number(found)))),
        Kind::Day | Kind::Instant => {
            let text = text_or_number(raw)?;
            Some(parse_time(column.kind, &text, reading).map(|time| Some(Value::Time(time))))
        }
        Kind::Status => {
            let text = text_or_number(raw)?;
            Some(status::find(column, &text).map(|option| Some(Value::Text(option.value.clone()))))
        }
        Kind::Tags => {
            tags::parse(raw).map(|read| read.map(|found| (!found.is_empty()).then_some(Value::Tags(found))))
        }
        Kind::Person => {
            person::parse(raw, reading).map(|read| read.map(|id| Some(Value::Text(id.to_string()))))
        }
        Kind::Boolean => parse_flag(raw).map(|read| read.map(|flag| Some(Value::Flag(flag)))),
    }
}

fn text_or_number(raw: &Json) -> Option<String> {
    match raw {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn parse_time(kind: Kind, text: &str, reading: &Reading<'_>) -> Result<DateTime<Utc>> {
    let written = written::parse(text, reading)?;
    Ok(match kind {
        Kind::Day => written.day(reading).and_time(NaiveTime::MIN).and_utc(),
        _ => written.instant(reading),
    })
}

fn parse_flag(raw: &Json) -> Option<Result<bool>> {
    let text = match raw {
        Json::Bool(flag) => return Some(Ok(*flag)),
        other => text_or_number(other)?,
    };
    Some(match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "on" => Ok(true),
        "false" | "no" | "n" | "0" | "off" => Ok(false),
        _ => Err(invalid(format!("{} is neither true nor false", quote(&text)))),
    })
}

fn wrong_type(column: &CatalogColumn, raw: &Json, reading: &Reading<'_>) -> Error {
    let given = match raw {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    };
    invalid(format!("a column of type {} does not take {given}", column.kind.type_name()))
        .hint(format!("write it as {}", example(column, reading)))
}

/// A right value for the column.
fn example(column: &CatalogColumn, reading: &Reading<'_>) -> Json {
    match column.kind {
        Kind::Text => json!("some text"),
        Kind::Email => json!("jane@acme.com"),
        Kind::Url => json!("https://acme.com/page"),
        Kind::Domain => json!("acme.com"),
        Kind::Phone => json!("+14155550123"),
        Kind::Linkedin => json!("https://www.linkedin.com/in/jane-doe"),
        Kind::Number => json!(1250.5),
        Kind::Day => json!("2026-03-31"),
        Kind::Instant => json!("2026-03-31T14:30:00Z"),
        Kind::Status => json!(column.options.first().map_or("an option", |option| option.value.as_str())),
        Kind::Tags => json!(["first tag", "second tag"]),
        Kind::Person => {
            json!(reading.members.first().map_or("a member's name", |member| member.name.as_str()))
        }
        Kind::Company => json!("Acme"),
        Kind::Boolean => json!(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{SARAH, catalog_column, column, instant, members, reading};
    use crate::tables::{COMPANIES, LEADS};

    fn read(kind: Kind, raw: &Json) -> Result<Option<Value>> {
        parse(&column(kind), raw, &reading(&members()))
    }

    fn text(kind: Kind, raw: &str, expected: &str) {
        assert_eq!(read(kind, &json!(raw)).unwrap(), Some(Value::Text(expected.to_owned())), "{raw}");
    }

    fn time(kind: Kind, zone: Tz, raw: &Json, expected: &str) {
        let reading = Reading { zone, ..reading(&[]) };
        let value = parse(&column(kind), raw, &reading).unwrap();
        assert_eq!(value, Some(Value::Time(instant(expected))), "{raw} {zone}");
    }

    #[test]
    fn nothing_in_any_form_is_no_value() {
        for kind in Kind::ALL {
            for raw in [json!(null), json!(""), json!(" \n"), json!([])] {
                assert_eq!(read(*kind, &raw).unwrap(), None, "{kind:?} {raw}");
            }
        }
        assert_eq!(read(Kind::Tags, &json!(", ;")).unwrap(), None);
        assert_eq!(read(Kind::Tags, &json!([" "])).unwrap(), None);
    }

    #[test]
    fn each_kind_of_text_has_its_canonical_form() {
        text(Kind::Text, " a\r\nb ", "a\nb");
        text(Kind::Company, " Acme Inc. ", "Acme Inc.");
        text(Kind::Email, "Jane@ACME.com", "jane@acme.com");
        text(Kind::Url, "acme.com/x", "https://acme.com/x");
        text(Kind::Domain, "https://www.Acme.com/x", "acme.com");
        text(Kind::Phone, "+1 415 555 0123", "+14155550123");
        text(Kind::Linkedin, "in/jane", "https://www.linkedin.com/in/jane");
        text(Kind::Person, "me", &Uuid::from_u128(SARAH).to_string());
        assert!(read(Kind::Company, &json!("a\nb")).is_err());
        assert!(read(Kind::Company, &json!("x".repeat(501))).is_err());
    }

    #[test]
    fn numbers_come_as_numbers_or_text() {
        for raw in [json!(2000), json!(2000.0), json!("2k"), json!("$2,000.00")] {
            assert_eq!(read(Kind::Number, &raw).unwrap(), Some(Value::Number(2000.0)), "{raw}");
        }
        assert_eq!(read(Kind::Number, &json!(-0.0)).unwrap().unwrap().canonical(), "0");
        assert!(read(Kind::Number, &json!("many")).is_err());
        assert!(read(Kind::Number, &json!(true)).is_err());
    }

    #[test]
    fn a_day_is_the_same_everywhere() {
        let berlin = Tz::Europe__Berlin;
        for raw in
            [json!("2026-03-04"), json!("3/4/2026"), json!("2026-03-04 23:30"), json!("2026-03-03T23:30:00Z")]
        {
            time(Kind::Day, berlin, &raw, "2026-03-04T00:00:00Z");
        }
        time(Kind::Day, Tz::Pacific__Auckland, &json!("tomorrow"), "2026-03-03T00:00:00Z");
    }

    #[test]
    fn an_instant_without_a_zone_is_in_the_organizations() {
        let berlin = Tz::Europe__Berlin;
        time(Kind::Instant, berlin, &json!("2026-03-04 14:30"), "2026-03-04T13:30:00Z");
        time(Kind::Instant, berlin, &json!("2026-03-04"), "2026-03-03T23:00:00Z");
        time(Kind::Instant, berlin, &json!("2026-03-29 02:30"), "2026-03-29T01:30:00Z");
        time(Kind::Instant, berlin, &json!("2026-03-04T14:30:00.1239Z"), "2026-03-04T14:30:00.123Z");
        time(Kind::Instant, berlin, &json!(1_772_634_600_000_i64), "2026-03-04T14:30:00Z");
        assert!(
            read(Kind::Instant, &json!(1_772_634_600)).unwrap_err().to_string().contains("look like seconds")
        );
    }

    #[test]
    fn flags_come_in_many_words() {
        for raw in [json!(true), json!("Yes"), json!("y"), json!(1), json!("on"), json!("TRUE")] {
            assert_eq!(read(Kind::Boolean, &raw).unwrap(), Some(Value::Flag(true)), "{raw}");
        }
        for raw in [json!(false), json!("no"), json!("N"), json!("0"), json!("off")] {
            assert_eq!(read(Kind::Boolean, &raw).unwrap(), Some(Value::Flag(false)), "{raw}");
        }
        assert!(read(Kind::Boolean, &json!("maybe")).is_err());
        assert!(read(Kind::Boolean, &json!(2)).is_err());
    }

    #[test]
    fn a_status_is_stored_as_its_value() {
        let status = catalog_column(LEADS.column("status").unwrap());
        let value = parse(&status, &json!("Canceled"), &reading(&[])).unwrap();
        assert_eq!(value, Some(Value::Text("cancelled".to_owned())));
        let error = parse(&status, &json!("reddy"), &reading(&[])).unwrap_err();
        assert_eq!(error.message, "`status`: `reddy` is no option");
        assert_eq!(error.hint.as_deref(), Some("did you mean `ready`?"));
        let size = catalog_column(COMPANIES.column("company_size").unwrap());
        let value = parse(&size, &json!(120), &reading(&[])).unwrap();
        assert_eq!(value, Some(Value::Text("medium".to_owned())));
    }

    #[test]
    fn a_wrong_type_names_the_column_and_an_example() {
        let check = |kind: Kind, raw: &Json, expected: &str| {
            assert_eq!(read(kind, raw).unwrap_err().to_string(), expected);
        };
        check(
            Kind::Text,
            &json!(7),
            "`it`: a column of type text does not take a number; write it as \"some text\"",
        );
        check(
            Kind::Email,
            &json!(["a@b.co"]),
            "`it`: a column of type email does not take a list; write it as \"jane@acme.com\"",
        );
        check(
            Kind::Day,
            &json!(true),
            "`it`: a column of type date does not take true or false; write it as \"2026-03-31\"",
        );
        check(
            Kind::Person,
            &json!({}),
            "`it`: a column of type person does not take an object; write it as \"Sarah Chen\"",
        );
        check(
            Kind::Number,
            &json!([1]),
            "`it`: a column of type number does not take a list; write it as 1250.5",
        );
        check(
            Kind::Tags,
            &json!([1]),
            "`it`: a column of type tags does not take a list; write it as [\"first tag\",\"second tag\"]",
        );
    }
}
