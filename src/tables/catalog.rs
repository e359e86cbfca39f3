//! An organization's tables as they are now: the declarations, its own columns, options, labels and views,
//! and the people its rows can belong to. Loaded once and kept until its version moves.

use std::borrow::Cow;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::column::{Access, Derivation, Slot};
use super::connection::{Connection, Policy};
use super::crm::System;
use super::filter::FilterArg;
use super::kind::Kind;
use super::{Table, kind};
use crate::error::{Result, invalid, not_found};
use crate::store::Org;

/// Everything needed to understand one organization's calls.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub org: Org,
    pub name: String,
    /// Dates without a zone, and words such as `today`, are meant in this zone.
    pub zone: Tz,
    /// Moves with every change of a table, column, view or member.
    pub version: i64,
    /// Signs this organization's cursors and confirmations.
    pub key: Vec<u8>,
    pub members: Vec<Member>,
    pub tables: Vec<CatalogTable>,
    /// The CRMs that its tables are kept in step with.
    pub connections: Vec<Connection>,
}

/// A person who can own rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: Uuid,
    pub name: String,
    pub email: Option<String>,
}

/// One standard table as the organization has it. `columns` are in the organization's order and end with
/// the row's `tags`.
#[derive(Debug, Clone)]
pub struct CatalogTable {
    pub declared: &'static Table,
    pub label: String,
    pub deleted: bool,
    /// Whether it was provisioned from this version's declaration.
    pub current: bool,
    pub columns: Vec<CatalogColumn>,
    pub views: Vec<CatalogView>,
}

/// A core or custom column.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a column")]
pub struct CatalogColumn {
    pub key: String,
    pub label: String,
    pub kind: Kind,
    pub place: Place,
    pub about: Cow<'static, str>,
    pub words: Vec<String>,
    pub options: Vec<CatalogOption>,
    pub access: Access,
    /// What is computed for it, alone or beside what is written.
    pub derivation: Option<Derivation>,
    pub custom: bool,
    pub hidden: bool,
    pub detail: bool,
    pub searched: bool,
    /// Who decides between our edits and a CRM's.
    pub policy: Policy,
}

/// Where a column's value is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Slot(Slot),
    /// The `tags` column that every row has.
    RowTags,
    /// Nowhere: computed when read.
    Computed(Derivation),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogOption {
    pub value: String,
    pub label: String,
    pub color: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

/// A saved selection, in the words of a query call.
#[derive(Debug, Clone)]
pub struct CatalogView {
    pub key: String,
    pub label: String,
    pub system: bool,
    pub spec: ViewSpec,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewSpec {
    pub filters: Vec<FilterArg>,
    pub any_of: Vec<FilterArg>,
    pub sort: Vec<SortArg>,
}

/// An order as a call gives it: `{"column": "created_at", "dir": "desc"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SortArg {
    pub column: String,
    #[serde(default)]
    pub dir: Dir,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dir {
    #[default]
    Asc,
    Desc,
}

impl Catalog {
    /// The table with this key, live or deleted.
    pub fn table(&self, key: &str) -> Result<&CatalogTable> {
        let found = self.tables.iter().find(|table| table.declared.key == key).ok_or_else(|| {
            not_found(format!("there is no table `{key}`"))
                .choices(key, self.tables.iter().map(|table| table.declared.key))
        })?;
        if found.deleted {
            return Err(not_found(format!("the table `{key}` was deleted from this organization"))
                .hint(format!("`manage_tables` with {{\"action\":\"provision\",\"table\":\"{key}\"}} brings it back with its rows")));
        }
        Ok(found)
    }

    /// The organization's connection to a CRM.
    pub fn connection(&self, system: System) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.system == system)
    }

    /// The CRMs that a table is kept in step with.
    pub fn connected(&self, table: &CatalogTable) -> impl Iterator<Item = System> {
        let key = table.key();
        let connections = self.connections.iter();
        connections.filter(move |connection| connection.fields_of(key).next().is_some()).map(|it| it.system)
    }

    pub fn member(&self, id: Uuid) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }
}

impl CatalogTable {
    pub fn key(&self) -> &'static str {
        self.declared.key
    }

    pub fn find(&self, key: &str) -> Option<&CatalogColumn> {
        self.columns.iter().find(|column| column.key == key)
    }

    /// The column with this key; a label or another word for it is refused with the key as the hint, so
    /// that the caller learns the stable name.
    pub fn column(&self, key: &str) -> Result<&CatalogColumn> {
        self.find(key).ok_or_else(|| {
            let error = invalid(format!("`{}` has no column `{key}`", self.key()));
            let known = self.columns.iter().map(|column| column.key.as_str());
            match self.columns.iter().find(|column| column.answers_to(key)) {
                Some(column) => error.choices("", known).hint(format!("did you mean `{}`?", column.key)),
                None => error.choices(key, known),
            }
        })
    }

    pub fn view(&self, name: &str) -> Result<&CatalogView> {
        let wanted = kind::fold_word(name);
        self.views
            .iter()
            .find(|view| kind::fold_word(&view.key) == wanted || kind::fold_word(&view.label) == wanted)
            .ok_or_else(|| {
                invalid(format!("`{}` has no view `{name}`", self.key()))
                    .choices(name, self.views.iter().map(|view| view.key.as_str()))
            })
    }

    /// The place among `columns` of the one with this key.
    pub fn place(&self, key: &str) -> Result<usize> {
        match self.columns.iter().position(|column| column.key == key) {
            Some(place) => Ok(place),
            None => self.column(key).map(|_| 0),
        }
    }

    /// Whether a query returns the column when it names none: not hidden, no detail.
    pub fn shows_by_default(&self, column: &CatalogColumn) -> bool {
        !column.hidden && !column.detail && column.place != Place::RowTags
    }
}

impl CatalogColumn {
    /// Whether people call this column by that word: its key, label or a declared synonym.
    pub fn answers_to(&self, word: &str) -> bool {
        let wanted = kind::fold_word(word);
        !wanted.is_empty()
            && (kind::fold_word(&self.key) == wanted
                || kind::fold_word(&self.label) == wanted
                || self.words.iter().any(|known| kind::fold_word(known) == wanted))
    }

    /// Whether it takes what a CRM says: a stored column that is not the record's own id.
    pub fn is_observed(&self) -> bool {
        self.access != Access::Synced && !matches!(self.place, Place::Computed(_))
    }

    /// Whether what it shows is more than what was last written into it.
    pub fn is_combined(&self) -> bool {
        self.derivation.is_some() && self.is_editable()
    }

    /// Whether a caller may set it.
    pub fn is_editable(&self) -> bool {
        self.access == Access::Editable
    }
}
