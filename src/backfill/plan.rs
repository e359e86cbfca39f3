//! What records say, as values of our columns: checked, converted, and with every loss accounted for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::derive::{Said, Saying, moment};
use crate::tables::value::parse;
use crate::tables::{CatalogColumn, CatalogTable, Kind, Reading, Value};

/// A record that is ready to be written.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) id: String,
    pub(super) at_ms: i64,
    pub(super) created_ms: Option<i64>,
    pub(super) cells: Vec<PlannedCell>,
}

#[derive(Debug)]
pub(super) struct PlannedCell {
    pub(super) place: usize,
    pub(super) value: Option<Value>,
    pub(super) is_latest: bool,
}

/// A value that was left out, or a record that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fault {
    /// The record's id in the application.
    pub id: String,
    /// None when the whole record was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub why: String,
}

/// What is needed to understand what records say.
pub(super) struct Planner<'a> {
    pub(super) table: &'a CatalogTable,
    pub(super) reading: Reading<'a>,
    /// The members by the ids of their profiles.
    pub(super) members: &'a HashMap<String, Uuid>,
    /// When the run began: the time of records that have none.
    pub(super) began: DateTime<Utc>,
}

impl Planner<'_> {
    pub(super) fn plan(&self, records: &[Said]) -> (Vec<Planned>, Vec<Fault>) {
        let mut faults = Vec::new();
        // The place of a column is that of the last record's cell in the same position.
        let mut places: Vec<(&'static str, Option<usize>)> = Vec::new();
        let planned = records.iter().map(|said| {
            let time =
                |text: &Option<String>| text.as_deref().and_then(moment).map(|time| time.timestamp_millis());
            let mut cells = Vec::with_capacity(said.cells.len());
            for (position, (key, saying)) in said.cells.iter().enumerate() {
                if places.get(position).is_none_or(|(known, _)| known != key) {
                    places.truncate(position);
                    places.push((key, self.table.columns.iter().position(|column| column.key == *key)));
                }
                let Some((_, Some(place))) = places.get(position) else { continue };
                let Some(column) = self.table.columns.get(*place) else { continue };
                match self.value(column, saying) {
                    Ok(value) => {
                        let is_latest = matches!(saying, Saying::Latest(_));
                        cells.push(PlannedCell { place: *place, value, is_latest });
                    }
                    Err(why) => {
                        faults.push(Fault { id: said.id.clone(), column: Some((*key).to_owned()), why });
                    }
                }
            }
            Planned {
                id: said.id.clone(),
                at_ms: time(&said.updated).unwrap_or_else(|| self.began.timestamp_millis()),
                created_ms: time(&said.created),
                cells,
            }
        });
        (planned.collect(), faults)
    }

    fn value(&self, column: &CatalogColumn, saying: &Saying) -> Result<Option<Value>, String> {
        let raw = match saying {
            Saying::Nothing => return Ok(None),
            Saying::Latest(at) => return Ok(Some(Value::Time(*at))),
            Saying::Member(profile) => {
                let member = self.members.get(profile);
                let unknown = || "there is no profile with this id".to_owned();
                return member.map(|id| Some(Value::Text(id.to_string()))).ok_or_else(unknown);
            }
            Saying::Text(text) => {
                // Most moments are exact, and reading those needs no calendar words.
                if column.kind == Kind::Instant
                    && text.ends_with('Z')
                    && let Some(at) = exact(text)
                {
                    return Ok(Some(Value::Time(at)));
                }
                Json::String(text.clone())
            }
            Saying::List(items) => json!(items),
        };
        parse(column, &raw, &self.reading).map_err(|error| error.message)
    }
}

/// An exact moment of the years that are kept, to the millisecond.
fn exact(text: &str) -> Option<DateTime<Utc>> {
    use chrono::Datelike as _;
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (1900..=2200)
        .contains(&at.year())
        .then(|| DateTime::from_timestamp_millis(at.timestamp_millis()))
        .flatten()
}
