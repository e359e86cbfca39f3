//! The five standard tables as declarations. Everything else that knows a column by name — schemas, SQL,
//! filters, import headings, help — is derived from here.
//!
//! To add a column: one line in its table's file, with a free core slot. To add a table: one file and one
//! line in [`TABLES`]. Provisioning brings both to organizations that exist already.

mod address;
mod catalog;
mod catalogs;
mod clients;
mod column;
mod companies;
mod comparison;
mod connection;
mod contacts;
mod crm;
pub mod custom;
pub mod dates;
pub mod definitions;
pub mod filter;
mod free_mail;
mod kind;
mod leads;
pub mod line;
mod meetings;
mod number;
mod operator;
mod period;
mod person;
pub mod provision;
mod reading;
mod span;
mod status;
mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod time_of_day;
pub mod value;
mod written;

pub use catalog::{
    Catalog, CatalogColumn, CatalogOption, CatalogTable, CatalogView, Dir, Member, Place, SortArg, ViewSpec,
};
pub use catalogs::{Catalogs, as_declared, catalog_as_declared};
pub use clients::CLIENTS;
pub use column::{Access, Choice, Column, Derivation, Role, Slot};
pub use companies::COMPANIES;
pub use connection::{ConnectedField, Connection, MappingEdit, Policy, form_of, mapping_edits};
pub use contacts::CONTACTS;
pub use crm::{CrmField, Form, Object, System, Way};
pub use filter::{Filter, FilterArg, Range, Test};
pub use free_mail::{company_domain, is_free_mail};
pub use kind::{Kind, Op, Storage, fold_word};
pub use leads::LEADS;
pub use meetings::MEETINGS;
pub use value::{Reading, Value};

/// The standard tables, in the order people see them.
pub const TABLES: &[&Table] = &[&LEADS, &MEETINGS, &CONTACTS, &COMPANIES, &CLIENTS];

/// A standard table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The stable name used in calls and SQL.
    pub key: &'static str,
    pub label: &'static str,
    /// One row, as `lead`.
    pub singular: &'static str,
    pub icon: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// The nouns people use for its rows.
    pub nouns: &'static [&'static str],
    /// Nouns of another table that people use for these rows too, when the rest of what they say fits only here.
    pub loose_nouns: &'static [&'static str],
    /// What people call rows by their kind, which their title holds: "demos", "the kickoff".
    pub topics: &'static [&'static str],
    pub columns: &'static [Column],
    /// The first view is the default one.
    pub views: &'static [View],
    /// Columns that can find "the same" row for an upsert, best first.
    pub natural_keys: &'static [&'static str],
    /// The date people mean when they name none.
    pub default_date: &'static str,
    pub automations: &'static [Automation],
    /// The indexes this table's queries stand on: slots behind the named columns, in this order.
    pub indexes: &'static [Index],
}

/// A saved selection of a table's rows.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub key: &'static str,
    pub label: &'static str,
    /// All of `filters` and, when there are any, at least one of `any_of` must hold.
    pub filters: &'static [Where],
    pub any_of: &'static [Where],
    pub sort: &'static [Sort],
}

/// One comparison of a view; the values are written as a caller would write them.
#[derive(Debug, Clone, Copy)]
pub struct Where {
    pub column: &'static str,
    pub op: Op,
    pub values: &'static [&'static str],
}

/// One column of an order.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    pub column: &'static str,
    pub descending: bool,
}

/// An index over columns; `descending` orders the last one downwards.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    pub columns: &'static [&'static str],
    pub descending: bool,
}

/// A default automation: what starts it, what must hold, what it does.
#[derive(Debug, Clone, Copy)]
pub struct Automation {
    pub key: &'static str,
    /// One line of help.
    pub about: &'static str,
    pub triggers: &'static [Trigger],
    /// All of `conditions` and, when there are any, at least one of `any_of` must hold.
    pub conditions: &'static [Where],
    pub any_of: &'static [Where],
    pub actions: &'static [Action],
}

#[derive(Debug, Clone, Copy)]
pub enum Trigger {
    RowCreated,
    CellChanged(&'static str),
    Daily,
}

#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// Tells the organization; `{{column}}` is replaced by the row's value.
    Notify { text: &'static str, urgent: bool },
    /// Fills the columns from the source column.
    Enrich { from: &'static str, columns: &'static [&'static str] },
    /// Adds a tag to the row.
    Tag(&'static str),
    /// Sends the named columns to the connected CRM.
    Push(&'static [&'static str]),
}

impl Table {
    /// The declared column with this key, or none.
    pub fn column(&self, key: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.key == key)
    }
}

/// The standard table with this key, or none.
pub fn table(key: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.key == key)
}

impl Where {
    pub const fn new(column: &'static str, op: Op, values: &'static [&'static str]) -> Where {
        Where { column, op, values }
    }
}

impl Sort {
    pub const fn asc(column: &'static str) -> Sort {
        Sort { column, descending: false }
    }

    pub const fn desc(column: &'static str) -> Sort {
        Sort { column, descending: true }
    }
}
