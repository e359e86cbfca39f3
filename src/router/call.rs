//! The answer of Step 0: a call of a typed tool, with the words of the message that each part came from.

use std::ops::Range;

use serde_json::{Map, Value as Json, json};

use super::finish::Request;
use super::grammar::Figure;
use super::reader::Reader;
use crate::tables::{Dir, FilterArg, Op};

/// A call that is ready to run.
#[derive(Debug, Clone)]
pub struct Call {
    /// The table's key.
    pub table: &'static str,
    pub operation: Operation,
    pub filters: Vec<FilterArg>,
    /// Columns to order by; `_value` is the figure of each group.
    pub sort: Vec<(String, Dir)>,
    pub limit: Option<usize>,
    /// Columns to group by; a date column with the unit it is cut into.
    pub group_by: Vec<(String, Option<&'static str>)>,
    /// The figure's name and its column; counts have none.
    pub figure: Option<(&'static str, Option<String>)>,
    pub fields: Vec<String>,
    /// The values that a create or an update sets.
    pub set: Map<String, Json>,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where each part came from.
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Query,
    Aggregate,
    Create,
    Update,
    Delete,
}

/// A part of the call and the bytes of the message that say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub span: Range<usize>,
    pub meaning: String,
}

/// A reading and how well it fits.
pub(super) struct Found {
    pub call: Call,
    pub score: i32,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Operation::Query => "query",
            Operation::Aggregate => "aggregate",
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }

    pub fn is_write(self) -> bool {
        matches!(self, Operation::Create | Operation::Update | Operation::Delete)
    }
}

impl Call {
    /// The tool's name and its arguments.
    pub fn tool(&self) -> (String, Json) {
        let filters = || json!(self.filters);
        match self.operation {
            Operation::Create => (format!("save_{}", self.table), json!({"rows": [self.set]})),
            Operation::Update => {
                (format!("save_{}", self.table), json!({"filters": filters(), "set": self.set}))
            }
            Operation::Delete => {
                ("archive_rows".to_owned(), json!({"table": self.table, "filters": filters()}))
            }
            Operation::Query | Operation::Aggregate => (format!("query_{}", self.table), self.query()),
        }
    }

    fn query(&self) -> Json {
        let mut arguments = Map::new();
        let mut put = |key: &str, value: Json| arguments.insert(key.to_owned(), value);
        if !self.filters.is_empty() {
            put("filters", json!(self.filters));
        }
        if let Some((function, column)) = &self.figure {
            put(
                "aggregate",
                match column {
                    Some(column) => json!({"fn": function, "column": column}),
                    None => json!({"fn": function}),
                },
            );
        }
        if !self.group_by.is_empty() {
            let groups: Vec<String> = self
                .group_by
                .iter()
                .map(|(column, unit)| unit.map_or_else(|| column.clone(), |unit| format!("{column}:{unit}")))
                .collect();
            put("group_by", json!(groups));
        }
        if !self.sort.is_empty() {
            let sort: Vec<Json> =
                self.sort.iter().map(|(column, dir)| json!({"column": column, "dir": dir})).collect();
            put("sort", json!(sort));
        }
        if let Some(limit) = self.limit {
            put("limit", json!(limit));
        }
        // A figure has no columns but its own.
        if !self.fields.is_empty() && self.figure.is_none() {
            put("fields", json!(self.fields));
        }
        Json::Object(arguments)
    }

    /// The call in one line, for people.
    pub fn summary(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.meaning.as_str()).collect();
        let of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("{} {}{of}", self.operation.name(), self.table)
    }
}

/// A reading of rows or figures as a call.
pub(super) fn read(reader: &Reader<'_>, request: Request) -> Found {
    let operation = if request.figure.is_some() { Operation::Aggregate } else { Operation::Query };
    let mut parts: Vec<Part> = request
        .filters
        .iter()
        .map(|(column, op, value, tokens)| part(reader, tokens, describe(column, *op, value)))
        .collect();
    for group in &reader.draft.group_by {
        let key = reader.column(group.column).map(|known| known.key.clone()).unwrap_or_default();
        parts.push(part(reader, &group.tokens, format!("grouped by {key}")));
    }
    if let Some(noun) = reader.draft.noun {
        parts.push(part(reader, &(noun.at..noun.at + 1), format!("the table {}", key(reader))));
    }
    parts.sort_by_key(|part| part.span.start);
    let noun = reader.draft.noun;
    let score = 10 * i32::from(noun.is_some_and(|noun| noun.plural))
        + 4 * i32::from(noun.is_some())
        + field_score(reader)
        // A person's cell is looked up among the contacts first.
        + 2 * i32::from(noun.is_none() && !request.fields.is_empty() && reader.role(crate::tables::Role::GivenName).is_some())
        - 2 * i32::try_from(reader.draft.doubts).unwrap_or(9)
        - i32::from(!request.group_by.is_empty() && reader.draft.each);
    let call = Call {
        table: key(reader),
        operation,
        filters: request
            .filters
            .into_iter()
            .map(|(column, op, value, _)| argument(column, op, value))
            .collect(),
        sort: request.sort,
        limit: request.limit,
        group_by: request.group_by,
        figure: request.figure.map(|(figure, column)| (Figure::name(figure), column)),
        fields: request.fields,
        set: Map::new(),
        confidence: confidence(reader),
        parts,
    };
    Found { call, score }
}

/// A change as a call: the rows by their filters, the cells by their keys.
pub(super) fn change(
    reader: &Reader<'_>,
    operation: Operation,
    set: Map<String, Json>,
    set_parts: Vec<(Range<usize>, String)>,
) -> Found {
    let filters: Vec<(String, Op, Json, Range<usize>)> = reader
        .draft
        .filters
        .iter()
        .filter_map(|found| match found.column {
            super::draft::Where::Column(column) => Some((
                reader.column(column)?.key.clone(),
                found.op,
                found.value.clone(),
                found.tokens.clone(),
            )),
            super::draft::Where::SomeDate(_) => None,
        })
        .collect();
    let mut parts: Vec<Part> = filters
        .iter()
        .map(|(column, op, value, tokens)| part(reader, tokens, describe(column, *op, value)))
        .collect();
    parts.extend(set_parts.into_iter().map(|(tokens, meaning)| part(reader, &tokens, meaning)));
    parts.sort_by_key(|part| part.span.start);
    let named = i32::from(reader.draft.noun.is_some());
    let call = Call {
        table: key(reader),
        operation,
        filters: filters.into_iter().map(|(column, op, value, _)| argument(column, op, value)).collect(),
        sort: Vec::new(),
        limit: None,
        group_by: Vec::new(),
        figure: None,
        fields: Vec::new(),
        set,
        confidence: confidence(reader),
        parts,
    };
    Found { call, score: 20 + 4 * named - 2 * i32::try_from(reader.draft.doubts).unwrap_or(9) }
}

/// A column asked for is less likely meant than rows, unless it is named in several words.
fn field_score(reader: &Reader<'_>) -> i32 {
    let words =
        |place: &usize| reader.any_column(*place).map_or(1, |(length, _)| i32::try_from(length).unwrap_or(1));
    let exact = |place: &usize| {
        let found = reader.any_column(*place).and_then(|(length, column)| {
            Some((reader.text(*place, place + length).to_lowercase(), reader.column(column)?))
        });
        i32::from(found.is_some_and(|(text, known)| text == known.key || text == known.label.to_lowercase()))
    };
    reader.draft.fields.iter().map(|field| 8 * (words(&field.at) - 1) - 3 + exact(&field.at)).sum()
}

fn key(reader: &Reader<'_>) -> &'static str {
    reader.lexicon.table(reader.table).map_or("", |table| table.key())
}

fn part(reader: &Reader<'_>, tokens: &Range<usize>, meaning: String) -> Part {
    let all = &reader.message.tokens;
    let start = all.get(tokens.start).map_or(0, |token| token.span.start);
    let end = tokens.end.checked_sub(1).and_then(|last| all.get(last)).map_or(start, |token| token.span.end);
    Part { span: start..end.max(start), meaning }
}

pub(super) fn describe(column: &str, op: Op, value: &Json) -> String {
    match value {
        Json::Null => format!("{column} {}", op.name()),
        value => format!("{column} {} {value}", op.name()),
    }
}

fn argument(column: String, op: Op, value: Json) -> FilterArg {
    FilterArg { column, op: op.name().to_owned(), value }
}

/// Words that were corrected or guessed make an answer less certain.
fn confidence(reader: &Reader<'_>) -> f64 {
    let corrected = u32::try_from(reader.message.corrected.len()).unwrap_or(u32::MAX);
    let lost = 5 * reader.draft.doubts.min(6) + 8 * corrected.min(5);
    f64::from(99 - lost) / 100.0
}
