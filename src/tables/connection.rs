//! An organization's connection to a CRM as far as its tables are concerned: which column is which property there, and who
//! decides when both were edited.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::catalog::CatalogTable;
use super::crm::{Form, Object, System, Way};
use super::kind::Kind;
use crate::store::ConnectionRow;

/// A connection.
#[derive(Debug, Clone)]
pub struct Connection {
    pub system: System,
    pub id: Uuid,
    /// Whether rows made after `connected_at` become records at the CRM.
    pub creates: bool,
    pub connected_at: DateTime<Utc>,
    pub fields: Vec<ConnectedField>,
}

/// A column that is kept in step with a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedField {
    pub table: &'static str,
    pub column: String,
    pub property: String,
    pub form: Form,
    pub way: Way,
}

/// What an organization decided about a column, or what its CRM cannot do: it stands over the declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingEdit {
    pub table: String,
    pub column: String,
    /// None leaves the column out.
    pub property: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    #[serde(default, skip_serializing_if = "Policy::is_default")]
    pub policy: Policy,
    /// Why it is left out, when the CRM is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which of two edits of a cell stands. Every policy is an order of writes: first by the rank that it gives to their
/// sources, then by time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The later one.
    #[default]
    Lww,
    /// Ours.
    AppWins,
    /// The CRM's.
    RemoteWins(System),
    /// Ours, and it is not sent while a lost edit of the CRM's waits for a person.
    Manual,
}

impl Policy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_default(&self) -> bool {
        *self == Policy::Lww
    }
}

impl Connection {
    /// The connection as stored, over what its tables declare.
    pub fn assemble(row: &ConnectionRow, tables: &[CatalogTable]) -> Option<Connection> {
        let system = System::from_name(&row.system)?;
        let edits = mapping_edits(row);
        let mut fields = Vec::new();
        // What was not there when the account was looked at is not sent.
        let is_there = |object: Object| object.is_read() || row.properties.0.get(object.name()).is_some();
        for table in tables.iter().filter(|table| Object::of_table(table.key()).is_some_and(is_there)) {
            for column in &table.columns {
                let edit = edits.iter().find(|edit| edit.table == table.key() && edit.column == column.key);
                let declared = table.declared.column(&column.key).filter(|_| !column.custom);
                let declared = declared.and_then(|column| column.field(system));
                let property = match (edit, declared) {
                    (Some(edit), _) => edit.property.clone(),
                    (None, Some(field)) => Some(field.name.to_owned()),
                    (None, None) => None,
                };
                let Some(property) = property else { continue };
                let form = edit.and_then(|edit| edit.form).or(declared.map(|field| field.form));
                let way = edit.and_then(|edit| edit.way).or(declared.map(|field| field.way));
                fields.push(ConnectedField {
                    table: table.key(),
                    column: column.key.clone(),
                    property,
                    form: form.unwrap_or_else(|| form_of(column.kind)),
                    way: way.unwrap_or(Way::Both),
                });
            }
        }
        Some(Connection { system, id: row.id, creates: row.creates, connected_at: row.connected_at, fields })
    }

    /// The fields of a table.
    pub fn fields_of(&self, table: &str) -> impl Iterator<Item = &ConnectedField> {
        self.fields.iter().filter(move |field| field.table == table)
    }

    /// The field of a column whose values are sent.
    pub fn sent(&self, table: &str, column: &str) -> Option<&ConnectedField> {
        self.fields_of(table).find(|field| field.column == column && field.way.is_sent())
    }
}

/// What a connection's organization decided about its columns.
pub fn mapping_edits(row: &ConnectionRow) -> Vec<MappingEdit> {
    serde_json::from_value(row.mapping.0.clone()).unwrap_or_default()
}

/// How the values of a custom column are written at a CRM.
pub fn form_of(kind: Kind) -> Form {
    match kind {
        Kind::Email => Form::Email,
        Kind::Phone => Form::Phone,
        Kind::Domain => Form::Domain,
        Kind::Number => Form::Number,
        Kind::Boolean => Form::Flag,
        Kind::Day => Form::Day,
        Kind::Instant => Form::Instant,
        Kind::Status => Form::Choice,
        Kind::Tags => Form::Choices,
        Kind::Text | Kind::Url | Kind::Linkedin | Kind::Person | Kind::Company => Form::Text,
    }
}
