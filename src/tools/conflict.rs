//! A lost edit as callers read it: what stands, what was lost, who wrote either, and a sentence that says so.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::schema::cell;
use crate::error::Result;
use crate::records::{self, Source, Stored, from_log};
use crate::store::{ConflictRow, Tx};
use crate::tables::{Catalog, CatalogColumn, CatalogTable, Policy, Role, System, Value, value};

/// A lost edit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Conflict {
    pub id: String,
    /// What happened, for the person who decides.
    pub says: String,
    pub table: String,
    pub row_id: String,
    /// What the row is called.
    pub row: String,
    /// None when it is about the row as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub system: String,
    /// overwritten, `stale_arrival`, `delete_vs_edit`, `merge_collision` or `remote_rejected`.
    pub kind: String,
    /// What decided: policy, time, counter, `source_rank`, `value_hash` or tombstone.
    pub rule: String,
    pub winner: Side,
    pub loser: Side,
    /// What the row holds now, when that is neither of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "cell")]
    pub now: Option<Json>,
    /// open, superseded, kept, restored or set.
    pub resolution: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<DateTime<Utc>>,
    /// The change that resolved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    pub came_up_at: DateTime<Utc>,
}

/// One of the two edits.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Side {
    #[schemars(schema_with = "cell")]
    pub value: Json,
    /// app, manual, csv, derived, hubspot or attio.
    pub source: String,
    pub actor: String,
    pub at: DateTime<Utc>,
}

/// The lines as callers read them. Texts longer than `longest` characters are cut.
pub(super) async fn show_all(
    tx: &mut Tx,
    catalog: &Catalog,
    lines: &[ConflictRow],
    longest: usize,
) -> Result<Vec<Conflict>> {
    let mut rows = HashMap::<Uuid, Stored>::new();
    for table in &catalog.tables {
        let of_table = lines.iter().filter(|line| line.table_key == table.key());
        let ids: Vec<Uuid> = of_table.map(|line| line.row_id).collect();
        if !ids.is_empty() {
            let found = records::get_all(tx, catalog.org, table, &ids).await?;
            rows.extend(found.into_iter().map(|row| (row.head.id, row)));
        }
    }
    Ok(lines.iter().map(|line| show(catalog, line, rows.get(&line.row_id), longest)).collect())
}

fn show(catalog: &Catalog, line: &ConflictRow, row: Option<&Stored>, longest: usize) -> Conflict {
    let table = catalog.tables.iter().find(|table| table.key() == line.table_key);
    let column = table.and_then(|table| table.find(&line.column_key));
    let shown = |logged: &Json| shorten(shown(catalog, column, logged), longest);
    let winner = Side {
        value: shown(&line.winner_value.0),
        source: line.winner_source.clone(),
        actor: actor(catalog, &line.winner_source, &line.winner_actor),
        at: DateTime::from_timestamp_millis(line.winner_ms).unwrap_or_default(),
    };
    let loser = Side {
        value: shown(&line.loser_value.0),
        source: line.loser_source.clone(),
        actor: actor(catalog, &line.loser_source, &line.loser_actor),
        at: DateTime::from_timestamp_millis(line.loser_ms).unwrap_or_default(),
    };
    let name =
        table.zip(row).map_or_else(|| format!("the row {}", line.row_id), |(table, row)| name(table, row));
    let now = row.zip(table).zip(column).map(|((row, table), column)| {
        let place = table.columns.iter().position(|known| known.key == column.key);
        let current = place.and_then(|place| row.values.get(place)).and_then(Option::as_ref);
        current.map_or(Json::Null, |current| value::show(column, current, &catalog.members))
    });
    let now = now.map(|now| shorten(now, longest)).filter(|now| *now != winner.value && *now != loser.value);
    Conflict {
        id: line.id.to_string(),
        says: says(line, column, &name, (&winner, &loser)),
        table: line.table_key.clone(),
        row_id: line.row_id.to_string(),
        row: name,
        column: Some(line.column_key.clone()).filter(|key| !key.is_empty()),
        system: line.system.clone(),
        kind: line.kind.clone(),
        rule: line.rule.clone(),
        winner,
        loser,
        now,
        resolution: line.resolution.clone(),
        resolved_by: line.resolved_by.as_deref().map(|by| person(catalog, by)),
        resolved_at: line.resolved_at,
        change_id: line.change_id.map(|id| id.to_string()),
        came_up_at: line.created_at,
    }
}

/// A value as it was logged, as callers read it.
fn shown(catalog: &Catalog, column: Option<&CatalogColumn>, logged: &Json) -> Json {
    match column {
        Some(column) => match from_log(column.kind, logged) {
            Some(cell) => value::show(column, &cell, &catalog.members),
            None => Json::Null,
        },
        // The column is gone, or it is about the row as a whole.
        None if logged.is_object() => json!(logged.to_string()),
        None => logged.clone(),
    }
}

fn shorten(shown: Json, longest: usize) -> Json {
    match shown {
        Json::String(text) => match text.char_indices().nth(longest) {
            Some((end, _)) => json!(format!("{}…", text.get(..end).unwrap_or_default())),
            None => Json::String(text),
        },
        other => other,
    }
}

/// What people call a row: the name of the person or the company, else what identifies it.
fn name(table: &CatalogTable, row: &Stored) -> String {
    let text = |key: &str| {
        let place = table.columns.iter().position(|column| column.key == key);
        match place.and_then(|place| row.values.get(place)) {
            Some(Some(Value::Text(text))) => Some(text.as_str()),
            _ => None,
        }
    };
    let of_role = |roles: &[Role]| {
        let columns = table.declared.columns.iter();
        let named = columns.filter(|column| column.role.is_some_and(|role| roles.contains(&role)));
        named.filter_map(|column| text(column.key)).collect::<Vec<_>>()
    };
    let keys = || table.declared.natural_keys.iter().filter_map(|key| text(key)).take(1).collect();
    let is_person = table.declared.columns.iter().any(|column| column.role == Some(Role::GivenName));
    let roles: &[Role] = if is_person { &[Role::GivenName, Role::FamilyName] } else { &[Role::Company] };
    let words = of_role(roles);
    let words: Vec<&str> = if words.is_empty() { keys() } else { words };
    if words.is_empty() { format!("the row {}", row.head.id) } else { words.join(" ") }
}

/// Who wrote an edit: a CRM's own name of somebody, or ours.
fn actor(catalog: &Catalog, source: &str, actor: &str) -> String {
    let system = Source::from_name(source).and_then(Source::system);
    match (system, actor) {
        (Some(system), "") => system.label().to_owned(),
        (Some(system), actor) if actor == system.name() => system.label().to_owned(),
        (Some(_), actor) => actor.to_owned(),
        (None, actor) => person(catalog, actor),
    }
}

/// `copilot:<id>` with the name of the member.
fn person(catalog: &Catalog, short: &str) -> String {
    let (kind, id) = short.split_once(':').unwrap_or((short, ""));
    let member = Uuid::try_parse(id).ok().and_then(|id| catalog.member(id));
    match (kind, member) {
        ("person", Some(member)) => member.name.clone(),
        (kind, Some(member)) => format!("{kind} of {}", member.name),
        (kind, None) => kind.to_owned(),
    }
}

fn says(
    line: &ConflictRow,
    column: Option<&CatalogColumn>,
    row: &str,
    (winner, loser): (&Side, &Side),
) -> String {
    let crm = System::from_name(&line.system).map_or("the CRM", System::label);
    let label = column.map_or(line.column_key.as_str(), |column| column.label.as_str());
    let (won, lost) = (quote(&winner.value), quote(&loser.value));
    match line.kind.as_str() {
        "delete_vs_edit" => format!(
            "{crm} deleted the record of {row}, which was edited here after that, so the row stays. \
             keep leaves it, restore archives it."
        ),
        "remote_rejected" => format!(
            "{crm} does not take {lost} as {label} of {row} and holds {won}. \
             keep leaves both as they are, set writes another value."
        ),
        _ => {
            let (by, from) = (who(winner), who(loser));
            let why = why(line, column);
            format!("{label} of {row} is {won} by {by}; {lost} by {from} was lost: {why}.")
        }
    }
}

fn who(side: &Side) -> String {
    match Source::from_name(&side.source).and_then(Source::system) {
        Some(system) if side.actor == system.label() => system.label().to_owned(),
        Some(system) => format!("{} in {}", side.actor, system.label()),
        None => side.actor.clone(),
    }
}

fn why(line: &ConflictRow, column: Option<&CatalogColumn>) -> String {
    match (line.rule.as_str(), column.map(|column| column.policy)) {
        ("policy", Some(Policy::RemoteWins(system))) => format!("this column follows {}", system.label()),
        ("policy", _) => "this column follows what is written here".to_owned(),
        ("time", _) => "the later edit stands".to_owned(),
        ("tombstone", _) => "the row was deleted".to_owned(),
        _ => "both came at the same moment".to_owned(),
    }
}

fn quote(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) => format!("“{}”", shorten_text(text)),
        other => other.to_string(),
    }
}

/// A sentence holds no more of a text than this.
fn shorten_text(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
