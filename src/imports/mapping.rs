//! The mapping file: which rows go to which table, and which heading to which column where their names do
//! not say it. TOML or JSON; see the folder's documentation for an example with every key.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Whether 1/2/2026 is the first of February; found out from the file when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_first: Option<bool>,
    pub on_bad_value: OnBadValue,
    pub people: People,
    /// The first one whose `where` holds takes the row.
    pub into: Vec<Route>,
}

/// What becomes of a row with a value that its column cannot take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadValue {
    #[default]
    RefuseRow,
    SkipCell,
}

/// What becomes of a person who is no member yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum People {
    #[default]
    Add,
    Refuse,
}

/// The way of some rows into one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Headings with the cells that a row must have, in any case; `""` is an empty cell.
    #[serde(rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub only: BTreeMap<String, Vec<String>>,
    /// Columns that find a row again, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_on: Vec<String>,
    /// Headings to leave out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// What fills a column: a heading, or something made of headings.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Feed>,
    /// For a column, what the file says and what is stored for it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// Columns made when the table lacks them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<Create>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Feed {
    Heading(String),
    Made(Made),
}

/// Either `headings`, with `join` or `part`, or a constant `value`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Made {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headings: Vec<String>,
    /// Stands between the cells that are not empty; a space when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The same value in every row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A part of a full name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    FirstWord,
    OtherWords,
}

/// A column that the import makes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Create {
    pub key: String,
    pub label: String,
    /// text, email, url, phone, linkedin, number, date, status, tags, person, company or boolean.
    #[serde(rename = "type")]
    pub kind: String,
    /// The values of a status column.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    pub about: String,
}

impl Mapping {
    /// The mapping with `table` for every part that names none; a mapping without parts gets one.
    #[must_use]
    pub fn with_table(mut self, table: Option<&str>) -> Mapping {
        if self.into.is_empty() {
            self.into.push(Route::default());
        }
        for route in &mut self.into {
            route.table = route.table.take().or_else(|| table.map(str::to_owned));
        }
        self
    }
}
