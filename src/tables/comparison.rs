//! Reads the value of one comparison, as its column and operator want it.

use serde_json::Value as Json;

use super::catalog::CatalogColumn;
use super::filter::{Range, Test};
use super::kind::{Kind, Op, Storage};
use super::tags;
use super::text::clean;
use super::value::{self, Reading, Value};
use crate::error::{Error, Result, invalid};

/// How many values `in` and `not_in` take.
const VALUES_MAX: usize = 200;

const CONTAINS_CHARS_MAX: usize = 500;

/// A column and an operator that fits it, about to read the value.
pub(super) struct Comparison<'a> {
    pub(super) column: &'a CatalogColumn,
    pub(super) op: Op,
    pub(super) reading: &'a Reading<'a>,
}

impl Comparison<'_> {
    pub(super) fn test(&self, raw: &Json) -> Result<Test> {
        let is_time = self.column.kind.storage() == Storage::Time;
        match self.op {
            Op::IsEmpty | Op::IsNotEmpty => self.no_value(raw),
            Op::Equals if is_time => Ok(Test::Range(self.one_time(raw)?)),
            Op::NotEquals if is_time => Ok(Test::NotRange(self.one_time(raw)?)),
            Op::Equals => Ok(Test::In(vec![self.cell(self.one(raw)?)?])),
            Op::NotEquals => Ok(Test::NotIn(vec![self.cell(self.one(raw)?)?])),
            Op::In => Ok(Test::In(self.cells(raw)?)),
            Op::NotIn => Ok(Test::NotIn(self.cells(raw)?)),
            Op::Contains => Ok(Test::Contains(self.part(raw)?)),
            Op::StartsWith => Ok(Test::StartsWith(self.part(raw)?)),
            Op::Between if is_time => Ok(Test::Range(self.two_times(raw)?)),
            Op::Between => Ok(Test::Range(self.two_numbers(raw)?)),
            Op::WithinLastDays | Op::WithinNextDays => Ok(Test::Range(self.days_around(raw)?)),
            Op::Gt | Op::Gte | Op::Lt | Op::Lte | Op::Before | Op::After if is_time => {
                Ok(Test::Range(self.one_time(raw)?))
            }
            Op::Gt | Op::Gte | Op::Lt | Op::Lte | Op::Before | Op::After => {
                Ok(Test::Range(self.one_number(raw)?))
            }
        }
    }

    fn no_value(&self, raw: &Json) -> Result<Test> {
        if !raw.is_null() {
            return Err(invalid(format!("`{}` takes no value", self.op.name())).hint("leave `value` out"));
        }
        Ok(if self.op == Op::IsEmpty { Test::IsEmpty } else { Test::IsNotEmpty })
    }

    /// The value itself, when it is one and not nothing.
    pub(super) fn one<'a>(&self, raw: &'a Json) -> Result<&'a Json> {
        if raw.as_array().is_some_and(|items| !items.is_empty()) {
            let error = invalid(format!("`{}` takes one value, not a list", self.op.name()));
            return Err(match (self.op, self.column.kind.storage()) {
                (_, Storage::Time) => error.hint("use `between` for a first and a last day"),
                (Op::Equals, _) => error.hint("use `in` for several values"),
                (Op::NotEquals, _) => error.hint("use `not_in` for several values"),
                _ => error.hint("use one filter for each value, under `any_of` when one is enough"),
            });
        }
        let blank = raw.as_str().is_some_and(|text| text.trim().is_empty());
        if raw.is_null() || raw.is_array() || blank {
            return Err(self.missing());
        }
        Ok(raw)
    }

    fn missing(&self) -> Error {
        invalid(format!("`{}` needs a value", self.op.name()))
            .hint("for cells without a value use `is_empty`, for those with one `is_not_empty`")
    }

    /// The values of a list, which may also come as one value or as a list written in a text.
    fn many(&self, raw: &Json) -> Result<Vec<Json>> {
        let items = match raw {
            Json::Array(items) => items.clone(),
            Json::String(text) => match tags::list_in(text) {
                Some(Json::Array(items)) => items,
                _ => vec![raw.clone()],
            },
            other => vec![other.clone()],
        };
        if items.is_empty() {
            return Err(self.missing());
        }
        if items.len() > VALUES_MAX {
            let count = items.len();
            return Err(invalid(format!(
                "`{}` takes at most {VALUES_MAX} values, not {count}",
                self.op.name()
            )));
        }
        Ok(items)
    }

    fn cells(&self, raw: &Json) -> Result<Vec<Value>> {
        let is_list = raw.is_array();
        let read = |(place, item): (usize, &Json)| {
            let cell = self.one(item).and_then(|item| self.cell(item));
            cell.map_err(|error| if is_list { error.at(format!("[{place}]")) } else { error })
        };
        self.many(raw)?.iter().enumerate().map(read).collect()
    }

    /// The canonical value to compare cells with; for tags, a single tag.
    fn cell(&self, raw: &Json) -> Result<Value> {
        let kind = self.column.kind;
        if raw.is_object() && kind != Kind::Person {
            return Err(invalid(format!("`{}` is compared with plain values", self.column.key))
                .hint("{\"me\": true} is for person columns"));
        }
        if kind == Kind::Tags {
            let tag = raw.as_str().map_or_else(|| Err(invalid("a tag is text")), tags::tag)?;
            return tag.map(Value::Text).ok_or_else(|| self.missing());
        }
        match value::parse(self.column, raw, self.reading) {
            Ok(value) => value.ok_or_else(|| self.missing()),
            Err(error) if kind.operators().contains(&Op::Contains) && raw.is_string() => {
                let hint = error.hint.clone().unwrap_or_else(|| "shorten it".to_owned());
                Err(error.hint(format!("{hint}; for a part of it use `contains`")))
            }
            Err(error) => Err(error),
        }
    }

    /// The text that cells shall contain or start with.
    fn part(&self, raw: &Json) -> Result<String> {
        let text = match self.one(raw)? {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            _ => return Err(invalid(format!("`{}` takes text", self.op.name()))),
        };
        let text = clean(&text, CONTAINS_CHARS_MAX)?.ok_or_else(|| self.missing())?;
        Ok(if self.column.kind.ignores_case() { text } else { text.to_lowercase() })
    }

    fn one_number(&self, raw: &Json) -> Result<Range> {
        let number = self.cell(self.one(raw)?)?;
        Ok(match self.op {
            Op::Gt => Range::from(number, false),
            Op::Gte => Range::from(number, true),
            Op::Lt => Range::to(number, false),
            _ => Range::to(number, true),
        })
    }

    fn two_numbers(&self, raw: &Json) -> Result<Range> {
        let (from, to) = self.two(raw)?;
        let (from, to) = (self.cell(self.one(&from)?)?, self.cell(self.one(&to)?)?);
        if matches!((&from, &to), (Value::Number(from), Value::Number(to)) if from > to) {
            return Err(wrong_order());
        }
        Ok(Range { from: Some((from, true)), to: Some((to, true)) })
    }

    pub(super) fn two(&self, raw: &Json) -> Result<(Json, Json)> {
        match self.many(raw)?.as_slice() {
            [from, to] => Ok((from.clone(), to.clone())),
            items => {
                let count = items.len();
                let error =
                    invalid(format!("`between` needs exactly two values, the smaller first; it has {count}"));
                Err(match self.column.kind.storage() {
                    Storage::Time => {
                        error.hint("write [\"2026-03-01\", \"2026-03-31\"], or `equals` \"this_month\"")
                    }
                    _ => error.hint("write [10, 20]; both belong to the range"),
                })
            }
        }
    }
}

pub(super) fn wrong_order() -> Error {
    invalid("`between` needs the smaller value first").hint("swap the two values")
}
