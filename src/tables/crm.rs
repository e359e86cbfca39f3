//! The CRMs that tables are kept in sync with, and how a column is written there.
//!
//! To add a CRM: a variant of [`System`], its fields on the columns that it knows, and its folder in `sync`.

use serde::{Deserialize, Serialize};

/// A CRM.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum System {
    Hubspot,
    Attio,
}

/// What a CRM calls the rows of a table.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    Meeting,
    Contact,
    Company,
}

/// A property of a CRM's object as a column reads and writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrmField {
    /// The property's (`HubSpot`) or attribute's (`Attio`) own name.
    pub name: &'static str,
    pub form: Form,
    pub way: Way,
}

/// Which way a property's values travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Both,
    /// From the CRM only: it computes the value, or ours would not fit.
    In,
    /// To the CRM only: what it holds is ours.
    Out,
}

/// How a value is written at a CRM; each CRM's folder has the two directions of every form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Text,
    Number,
    Flag,
    Day,
    Instant,
    /// One option, by its label or its value.
    Choice,
    /// Several options.
    Choices,
    Email,
    Phone,
    Domain,
    /// One part of a name that `Attio` keeps as one value; the parts are written together.
    GivenName,
    FamilyName,
    /// A person's lifecycle stage: at `HubSpot` it moves forward only, unless cleared first.
    Stage,
    /// A number of employees, or a range of them, as one of our sizes.
    Headcount,
    /// An option that stands for a range of money, as its lower bound.
    MoneyRange,
    /// The company that a person is associated with, by its name: written as an association with the record of that name.
    CompanyName,
    /// The person that a meeting is associated with, by e-mail address.
    Person,
    /// One part of a note's text; the parts are written together.
    Note,
    /// The record's own id.
    RecordId,
}

impl System {
    pub const ALL: &[System] = &[System::Hubspot, System::Attio];

    /// The stable name used in calls and SQL.
    pub const fn name(self) -> &'static str {
        match self {
            System::Hubspot => "hubspot",
            System::Attio => "attio",
        }
    }

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            System::Hubspot => "HubSpot",
            System::Attio => "Attio",
        }
    }

    pub fn from_name(name: &str) -> Option<System> {
        System::ALL.iter().copied().find(|system| system.name() == name)
    }
}

impl Object {
    /// In the order in which their rows are held.
    pub const ALL: &[Object] = &[Object::Meeting, Object::Contact, Object::Company];

    /// Those whose records come in, too.
    pub const READ: &[Object] = &[Object::Contact, Object::Company];

    /// The stable name used in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Object::Meeting => "meeting",
            Object::Contact => "contact",
            Object::Company => "company",
        }
    }

    pub fn from_name(name: &str) -> Option<Object> {
        Object::ALL.iter().copied().find(|object| object.name() == name)
    }

    /// The table whose rows these are.
    pub const fn table(self) -> &'static str {
        match self {
            Object::Meeting => "meetings",
            Object::Contact => "contacts",
            Object::Company => "companies",
        }
    }

    /// Groups of columns: a new record must have at least one of each.
    pub const fn needs(self) -> &'static [&'static [&'static str]] {
        match self {
            Object::Meeting => &[&["summary"], &["meeting_date"], &["contact_email"]],
            Object::Contact => &[&["email", "first_name", "last_name"]],
            Object::Company => &[&["name", "domain"]],
        }
    }

    /// All of them as people read of them: what is kept in step first.
    pub fn shown() -> impl Iterator<Item = Object> {
        let sent = Object::ALL.iter().filter(|object| !object.is_read());
        Object::READ.iter().chain(sent).copied()
    }

    /// Whether its records come in, too: what is only sent is not read.
    pub fn is_read(self) -> bool {
        Object::READ.contains(&self)
    }

    /// The object that a table's rows are at a CRM; none for tables that are pushed nowhere.
    pub fn of_table(table: &str) -> Option<Object> {
        Object::ALL.iter().copied().find(|object| object.table() == table)
    }
}

impl CrmField {
    pub const fn both(name: &'static str, form: Form) -> CrmField {
        CrmField { name, form, way: Way::Both }
    }

    pub const fn read(name: &'static str, form: Form) -> CrmField {
        CrmField { name, form, way: Way::In }
    }

    pub const fn sent(name: &'static str, form: Form) -> CrmField {
        CrmField { name, form, way: Way::Out }
    }
}

impl Way {
    /// Whether our values go there.
    pub fn is_sent(self) -> bool {
        self != Way::In
    }
}
