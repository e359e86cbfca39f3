//! One comparison of a query: as a call gives it, and as it is meant.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Where;
use super::catalog::CatalogTable;
use super::comparison::Comparison;
use super::kind::Op;
use super::operator;
use super::value::{Reading, Value};
use crate::error::Result;

/// A comparison as a call gives it: `{"column": "status", "op": "in", "value": ["new", "ready"]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterArg {
    /// The column's key.
    pub column: String,
    /// The operator; which ones a column has depends on its type.
    pub op: String,
    /// What to compare with; nothing for `is_empty` and `is_not_empty`.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    #[schemars(with = "FilterValue")]
    pub value: Json,
}

/// Only the schema of [`FilterArg::value`].
struct FilterValue;

impl schemars::JsonSchema for FilterValue {
    fn schema_name() -> Cow<'static, str> {
        "FilterValue".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                {"type": "string"},
                {"type": "number"},
                {"type": "boolean"},
                {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "number"}]}},
                {"type": "object", "properties": {"me": {"const": true}}, "required": ["me"], "additionalProperties": false},
            ]
        })
    }
}

/// A comparison that holds for the declaration it was parsed against.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The place of the column among the table's.
    pub column: usize,
    pub test: Test,
}

/// What is asked of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    IsEmpty,
    IsNotEmpty,
    /// The cell equals one of the values, or has one of them as a tag.
    In(Vec<Value>),
    /// The cell equals none of the values, or has none of them as a tag; an empty cell passes.
    NotIn(Vec<Value>),
    Contains(String),
    StartsWith(String),
    /// The cell is not empty and within the bounds.
    Range(Range),
    /// The cell is empty or outside the bounds.
    NotRange(Range),
}

/// Bounds, each with whether it belongs to the range; none is unbounded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Range {
    pub from: Option<(Value, bool)>,
    pub to: Option<(Value, bool)>,
}

impl Range {
    pub(super) fn from(value: Value, inclusive: bool) -> Range {
        Range { from: Some((value, inclusive)), to: None }
    }

    pub(super) fn to(value: Value, inclusive: bool) -> Range {
        Range { from: None, to: Some((value, inclusive)) }
    }
}

/// The comparison that the argument asks for, checked against the table's columns.
pub fn parse(table: &CatalogTable, arg: &FilterArg, reading: &Reading<'_>) -> Result<Filter> {
    let column = table.column(&arg.column).map_err(|error| error.at("column"))?;
    let place = table.columns.iter().take_while(|known| known.key != column.key).count();
    let op = operator::parse(column, &arg.op).map_err(|error| error.at("op"))?;
    let test = Comparison { column, op, reading }.test(&arg.value).map_err(|error| error.at("value"))?;
    Ok(Filter { column: place, test })
}

/// The argument form of a declared comparison.
pub fn spec_of(where_: &Where) -> FilterArg {
    let value = match (where_.op, where_.values) {
        (Op::IsEmpty | Op::IsNotEmpty, _) | (_, []) => Json::Null,
        (Op::In | Op::NotIn | Op::Between, values) => json!(values),
        (_, [value, ..]) => json!(value),
    };
    FilterArg { column: where_.column.to_owned(), op: where_.op.name().to_owned(), value }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::error::Error;
    use crate::tables::testing::{SARAH, TOM, arg, members, reading, test_in};
    use crate::tables::{CLIENTS, COMPANIES, CONTACTS, LEADS, MEETINGS, Table, as_declared};

    fn check(table: &'static Table, column: &str, op: &str, value: Json, expected: &Test) {
        assert_eq!(&test_in(Tz::UTC, table, column, op, value).unwrap(), expected, "{column} {op}");
    }

    fn refusal(table: &'static Table, column: &str, op: &str, value: Json) -> Error {
        test_in(Tz::UTC, table, column, op, value).unwrap_err()
    }

    fn texts(values: &[&str]) -> Vec<Value> {
        values.iter().map(|value| Value::Text((*value).to_owned())).collect()
    }

    #[test]
    fn values_are_compared_in_their_canonical_form() {
        check(&LEADS, "status", "equals", json!("Canceled"), &Test::In(texts(&["cancelled"])));
        check(&LEADS, "status", "in", json!(["New", "ready"]), &Test::In(texts(&["new", "ready"])));
        check(&LEADS, "status", "in", json!("new"), &Test::In(texts(&["new"])));
        check(&LEADS, "status", "in", json!("[\"new\", \"ready\"]"), &Test::In(texts(&["new", "ready"])));
        check(&LEADS, "status", "not_in", json!(["archived"]), &Test::NotIn(texts(&["archived"])));
        check(
            &LEADS,
            "contact_email",
            "equals",
            json!("Jane@ACME.com"),
            &Test::In(texts(&["jane@acme.com"])),
        );
        check(
            &LEADS,
            "domain",
            "not_equals",
            json!("https://www.acme.com/"),
            &Test::NotIn(texts(&["acme.com"])),
        );
        check(&CLIENTS, "deal_value", "equals", json!("5k"), &Test::In(vec![Value::Number(5000.0)]));
        check(&LEADS, "tags", "equals", json!(" VIP "), &Test::In(texts(&["VIP"])));
        check(&MEETINGS, "next_actions", "contains", json!("propos"), &Test::Contains("propos".to_owned()));
        check(
            &LEADS,
            "contact_email",
            "contains",
            json!("@Globex.COM"),
            &Test::Contains("@globex.com".to_owned()),
        );
        check(
            &LEADS,
            "contact_name",
            "starts_with",
            json!("Zoe\u{308}"),
            &Test::StartsWith("Zoë".to_owned()),
        );
        check(&LEADS, "owner", "is_empty", json!(null), &Test::IsEmpty);
        check(&LEADS, "owner", "is_not_empty", json!(null), &Test::IsNotEmpty);
    }

    #[test]
    fn people_are_compared_by_id() {
        let sarah = Value::Text(uuid::Uuid::from_u128(SARAH).to_string());
        let tom = Value::Text(uuid::Uuid::from_u128(TOM).to_string());
        check(&LEADS, "owner", "equals", json!({"me": true}), &Test::In(vec![sarah.clone()]));
        check(&LEADS, "owner", "in", json!([{"me": true}, "Tom Becker"]), &Test::In(vec![sarah, tom]));
        let error = refusal(&LEADS, "status", "equals", json!({"me": true}));
        assert!(error.hint.unwrap().contains("person columns"));
    }

    #[test]
    fn numbers_make_ranges() {
        let check = |op: &str, value: Json, from: Option<(f64, bool)>, to: Option<(f64, bool)>| {
            let bound = |bound: Option<(f64, bool)>| {
                bound.map(|(number, inclusive)| (Value::Number(number), inclusive))
            };
            let range = Range { from: bound(from), to: bound(to) };
            check(&COMPANIES, "revenue", op, value, &Test::Range(range));
        };
        check("gt", json!("5m"), Some((5e6, false)), None);
        check("gte", json!(5), Some((5.0, true)), None);
        check("lt", json!(5), None, Some((5.0, false)));
        check("lte", json!("5"), None, Some((5.0, true)));
        check("between", json!([1, "2k"]), Some((1.0, true)), Some((2000.0, true)));
        check("between", json!("[3, 3]"), Some((3.0, true)), Some((3.0, true)));
    }

    #[test]
    fn what_is_wrong_is_named_where_it_is() {
        let check = |column: &str, op: &str, value: Json, path: &str, part: &str| {
            let error = refusal(&LEADS, column, op, value);
            assert_eq!(error.path.as_deref(), Some(path), "{column} {op}");
            assert!(error.to_string().contains(part), "{column} {op}: {error}");
        };
        check("e-mail", "equals", json!("x"), "column", "did you mean `contact_email`?");
        check("status", "=", json!("new"), "op", "did you mean `equals`?");
        check("status", "gt", json!("new"), "op", "does not work on `status`, whose type is status");
        check("status", "equals", json!(null), "value", "`equals` needs a value");
        check("status", "equals", json!(" "), "value", "use `is_empty`");
        check("status", "equals", json!(["new", "ready"]), "value", "use `in` for several");
        check("status", "in", json!([]), "value", "needs a value");
        check("status", "in", json!(["new", "old"]), "value[1]", "`old` is no option");
        check("status", "in", json!([null]), "value[0]", "needs a value");
        check("status", "is_empty", json!(true), "value", "takes no value");
        check("contact_email", "equals", json!("gmail"), "value", "for a part of it use `contains`");
        check("contact_name", "contains", json!(true), "value", "takes text");
        check(
            "created_at",
            "between",
            json!(["2026-03-01"]),
            "value",
            "exactly two values, the smaller first; it has 1",
        );
        check("created_at", "between", json!("this_month"), "value", "exactly two");
        check("created_at", "between", json!(["2026-03-02", "2026-03-01"]), "value", "smaller value first");
        check("created_at", "equals", json!(["today", "yesterday"]), "value", "use `between`");
        check("created_at", "after", json!(true), "value", "compared with dates");
        check("created_at", "after", json!("last weak"), "value", "did you mean `last_week`?");
        check(
            "created_at",
            "within_last_days",
            json!(3651),
            "value",
            "whole number from 0 to 3650, not `3651`",
        );
        check("created_at", "within_last_days", json!(-1), "value", "whole number");
        check("created_at", "within_last_days", json!(1.5), "value", "whole number");
        check("created_at", "within_last_days", json!("a week"), "value", "not `a week`");
        check("owner", "equals", json!("Sara Chen"), "value", "did you mean `Sarah Chen`?");
    }

    #[test]
    fn a_list_has_at_most_two_hundred_values() {
        let names = |count: u32| json!((0..count).map(|n| format!("name {n}")).collect::<Vec<_>>());
        assert!(test_in(Tz::UTC, &LEADS, "contact_name", "in", names(200)).is_ok());
        let error = refusal(&LEADS, "contact_name", "in", names(201));
        assert_eq!(error.message, "`in` takes at most 200 values, not 201");
    }

    #[test]
    fn me_needs_a_configured_user() {
        let members = members();
        let nobody = Reading { me: None, ..reading(&members) };
        let mine = arg("owner", "equals", json!({"me": true}));
        let error = parse(&as_declared(&LEADS), &mine, &nobody).unwrap_err();
        assert!(error.to_string().contains("OPSTABLES_USER"), "{error}");
    }

    #[test]
    fn the_place_is_that_of_the_column() {
        let table = as_declared(&CONTACTS);
        let filter = parse(&table, &arg("email", "is_empty", json!(null)), &reading(&[])).unwrap();
        assert_eq!(table.columns[filter.column].key, "email");
    }

    #[test]
    fn a_declared_comparison_is_written_as_a_call_would() {
        let written = |where_: Where| serde_json::to_value(spec_of(&where_)).unwrap();
        let expected = json!({"column": "status", "op": "in", "value": ["new"]});
        assert_eq!(written(Where::new("status", Op::In, &["new"])), expected);
        let expected = json!({"column": "revenue", "op": "gte", "value": "3"});
        assert_eq!(written(Where::new("revenue", Op::Gte, &["3"])), expected);
        assert_eq!(
            written(Where::new("domain", Op::IsEmpty, &[])),
            json!({"column": "domain", "op": "is_empty"})
        );
    }

    #[test]
    fn the_schema_of_a_value_lists_plain_types() {
        let schema = serde_json::to_value(schemars::schema_for!(FilterArg)).unwrap();
        let types: Vec<&Json> = schema["properties"]["value"]["anyOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["type"])
            .collect();
        assert_eq!(types, ["string", "number", "boolean", "array", "object"]);
        assert_eq!(schema["required"], json!(["column", "op"]));
    }
}
