//! What every writing tool answers: what became of each row, and how to undo it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::records::{Outcome, Stored, Touched};
use crate::tables::{Catalog, CatalogTable, System, value};

/// How many ids one list of a result holds.
const MAX_IDS: usize = 1_000;
const SAMPLE_ROWS: usize = 5;
const SAMPLE_COLUMNS: usize = 3;

/// The result of a write. `change_id` is what `undo_change` takes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    pub status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub created: Vec<String>,
    /// Rows with the fields that changed, those with the same fields together.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub updated: Vec<Updated>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub archived: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub restored: Vec<String>,
    /// Rows that already were as asked for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unchanged: Vec<String>,
    /// Rows that were refused; nothing of them was written.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schemars(schema_with = "errors_schema")]
    pub errors: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub change_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preview: Option<Preview>,
    /// To be passed back as `confirm`, with the same arguments, to do what the preview says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confirm: Option<String>,
    pub sync: Sync,
    /// The CRMs that are told of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sync_to: Vec<System>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Done,
    /// Nothing was written: this is what would happen.
    DryRun,
    /// Nothing was written: the call must be repeated with `confirm`.
    NeedsConfirmation,
}

/// Whether the change goes on to the CRMs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sync {
    /// The table is kept in step with no CRM.
    #[default]
    NotConnected,
    /// It is on its way to those in `sync_to`; `contacts.sync_status` and `sync_status` say when it has arrived.
    Queued,
    /// No CRM holds anything else.
    NothingToSend,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Updated {
    pub fields: Vec<String>,
    pub ids: Vec<String>,
}

/// The effect of a call that has not happened yet.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// One sentence for the person who decides.
    pub effect: String,
    pub rows: u64,
    pub columns: Vec<String>,
    /// A few of the rows as they are now.
    #[schemars(schema_with = "sample_schema")]
    pub sample: Vec<Vec<Json>>,
}

impl Written {
    /// The result of a change that was written, or would be.
    pub fn new(catalog: &Catalog, table: &CatalogTable, outcome: &Outcome, status: Status) -> Written {
        let mut written = Written { status, ..Written::unwritten(catalog, table) };
        if !outcome.told.is_empty() {
            written.sync = Sync::Queued;
            written.sync_to.clone_from(&outcome.told);
        }
        let mut updated = BTreeMap::<Vec<usize>, Vec<String>>::new();
        for row in &outcome.rows {
            let id = row.id.to_string();
            match row.touched {
                Touched::Created => written.created.push(id),
                Touched::Archived => written.archived.push(id),
                Touched::Restored => written.restored.push(id),
                Touched::Unchanged => written.unchanged.push(id),
                // A row that this very call created is listed once, as created.
                Touched::Updated if written.created.contains(&id) => {}
                Touched::Updated => updated.entry(row.columns.clone()).or_default().push(id),
            }
        }
        let name = |place: &usize| table.columns.get(*place).map(|column| column.key.clone());
        written.updated = updated
            .into_iter()
            .map(|(columns, ids)| Updated { fields: columns.iter().filter_map(name).collect(), ids })
            .collect();
        written.change_id = match status {
            Status::Done => outcome.change_id.map(|id| id.to_string()),
            _ => None,
        };
        written.cut();
        written
    }

    /// The result of a call that changed nothing of a table.
    pub fn unwritten(catalog: &Catalog, table: &CatalogTable) -> Written {
        let is_connected = catalog.connected(table).next().is_some();
        let sync = if is_connected { Sync::NothingToSend } else { Sync::NotConnected };
        Written { sync, ..Written::default() }
    }

    /// Keeps the lists of ids at a size that a model can take in, and says what was cut.
    fn cut(&mut self) {
        let mut cut = Vec::new();
        let lists = [
            ("created", &mut self.created),
            ("archived", &mut self.archived),
            ("restored", &mut self.restored),
            ("unchanged", &mut self.unchanged),
        ];
        for (name, list) in
            lists.into_iter().chain(self.updated.iter_mut().map(|updated| ("updated", &mut updated.ids)))
        {
            if list.len() > MAX_IDS {
                cut.push(format!("{} {name}", list.len()));
                list.truncate(MAX_IDS);
            }
        }
        if !cut.is_empty() {
            self.note = Some(format!("only the first {MAX_IDS} ids are listed of {}", cut.join(", ")));
        }
    }
}

impl Preview {
    /// A preview of what would happen to these rows, with the columns that it is about behind the first ones.
    pub fn new(
        catalog: &Catalog,
        table: &CatalogTable,
        rows: &[Stored],
        effect: String,
        about: &[&str],
    ) -> Preview {
        let is_about = |place: &usize| {
            table.columns.get(*place).is_some_and(|column| about.contains(&column.key.as_str()))
        };
        let mut columns: Vec<usize> = (0..table.columns.len())
            .filter(|&place| table.columns.get(place).is_some_and(|column| table.shows_by_default(column)))
            .filter(|place| !is_about(place))
            .take(SAMPLE_COLUMNS)
            .collect();
        columns.extend((0..table.columns.len()).filter(is_about));
        let names =
            columns.iter().filter_map(|&place| table.columns.get(place)).map(|column| column.key.clone());
        let sample = rows.iter().take(SAMPLE_ROWS).map(|row| {
            let cell = |&place: &usize| {
                let (column, cell) = (table.columns.get(place)?, row.values.get(place)?.as_ref()?);
                Some(value::show(column, cell, &catalog.members))
            };
            std::iter::once(json!(row.head.id))
                .chain(columns.iter().map(|place| cell(place).unwrap_or(Json::Null)))
                .collect()
        });
        Preview {
            effect,
            rows: rows.len() as u64,
            columns: std::iter::once("id".to_owned()).chain(names).collect(),
            sample: sample.collect(),
        }
    }
}

fn sample_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let cell = super::schema::cell(generator);
    schemars::json_schema!({"type": "array", "items": {"type": "array", "items": cell}})
}

fn errors_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "array", "items": {"type": "object", "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "path": {"type": "string"},
        "allowed": {"type": "array", "items": {"type": "string"}},
        "hint": {"type": "string"}
    }}})
}
