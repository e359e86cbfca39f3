//! The declaration of one core column: everything the product knows about it, in one place.

use super::crm::{CrmField, System};
use super::kind::{Kind, Storage};

/// A core column. Keys and slots never change once released; labels and words may.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The stable name used in calls, SQL views and provenance.
    pub key: &'static str,
    /// What people see.
    pub label: &'static str,
    pub kind: Kind,
    /// Where the value lives in `dynamic_table_rows`; none for a column computed when it is read.
    pub slot: Option<Slot>,
    /// One line of help.
    pub about: &'static str,
    /// Other words people use for the column: spreadsheet headings, spoken names.
    pub words: &'static [&'static str],
    /// What only speech calls it: `came in` for a date, `pays` for an amount. No heading of a file says that.
    pub said: &'static [&'static str],
    /// What a name in a sentence means here, as the company in "meetings with Acme".
    pub role: Option<Role>,
    /// The values of a status column, in their order; empty for other kinds.
    pub options: &'static [Choice],
    pub access: Access,
    /// What is computed for the column, alone or beside what is written into it.
    pub derivation: Option<Derivation>,
    /// The application field that a backfill reads.
    pub app_source: &'static str,
    /// The HubSpot property this column reads and writes, when there is one by default.
    pub hubspot: Option<CrmField>,
    /// The Attio attribute this column reads and writes, when there is one by default.
    pub attio: Option<CrmField>,
    /// Long texts, links and what other columns say already are returned only when asked for by name.
    pub detail: bool,
    /// Whether free-text search looks here.
    pub searched: bool,
}

/// The part that a column's values play in a sentence about its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The company a row belongs to or is.
    Company,
    /// The person on the other side, by full name.
    Person,
    GivenName,
    FamilyName,
    /// The member of the organization who works the row.
    Owner,
    /// Where the row came from: a channel, a campaign.
    Channel,
    /// What the row is called: "the kickoff".
    Topic,
    Industry,
    JobTitle,
    /// The number of the row's record in a CRM.
    Record,
}

/// Who may set a column's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Editable,
    /// Set by synchronization only.
    Synced,
    /// Computed by the product, and set by nobody.
    Derived(Derivation),
}

/// The computations behind derived columns. What a column without a slot shows is computed when it is read; the others
/// are stored, brought up to date by every write that they depend on, and by the worker as time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Derivation {
    MeetingHeld,
    SyncStatus,
    ActiveContacts,
    LastEngagement,
    LastContact,
    RecentSignals,
}

impl Derivation {
    pub const ALL: [Derivation; 6] = [
        Derivation::MeetingHeld,
        Derivation::SyncStatus,
        Derivation::ActiveContacts,
        Derivation::LastEngagement,
        Derivation::LastContact,
        Derivation::RecentSignals,
    ];

    /// From what it is computed.
    pub const fn about(self) -> &'static str {
        match self {
            Derivation::MeetingHeld => {
                "the lead's status, meeting_start, meeting_outcome and recording, the meeting at that time, and the clock"
            }
            Derivation::SyncStatus => "the row's links to records of CRMs and its lines in their queues",
            Derivation::ActiveContacts => "how many live contacts name the company",
            Derivation::LastEngagement => {
                "the latest of what was written and of the meetings with the contact's e-mail address that have begun"
            }
            Derivation::LastContact => {
                "the latest of what was written and of the last_engagement of the company's live contacts"
            }
            Derivation::RecentSignals => {
                "what was written, and the declared signals of the leads and meetings with the contact's e-mail address"
            }
        }
    }
}

/// One value of a status column.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub value: &'static str,
    pub label: &'static str,
    pub color: &'static str,
    /// Other words people use for the value.
    pub words: &'static [&'static str],
    /// What only speech calls it: `stood us up`, `bailed`. No file writes that into a cell.
    pub said: &'static [&'static str],
}

/// A place in `dynamic_table_rows`: the column `t01`, `n01`, `d01`, `f01`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    pub storage: Storage,
    pub number: u8,
}

impl Slot {
    /// How many slots of each family exist, and how many of them core columns may use. Custom columns
    /// take the rest, so a later version can add core columns without moving anybody's data.
    pub const fn counts(storage: Storage) -> (u8, u8) {
        match storage {
            Storage::Text => (36, 14),
            Storage::Number => (14, 4),
            Storage::Time => (12, 4),
            Storage::Flag => (8, 2),
        }
    }

    /// The SQL column, as `t01`.
    pub fn column(self) -> String {
        let letter = match self.storage {
            Storage::Text => 't',
            Storage::Number => 'n',
            Storage::Time => 'd',
            Storage::Flag => 'f',
        };
        format!("{letter}{:02}", self.number)
    }

    /// Reads the SQL column's name back; none when it names no slot.
    pub fn parse(name: &str) -> Option<Slot> {
        let storage = match name.chars().next()? {
            't' => Storage::Text,
            'n' => Storage::Number,
            'd' => Storage::Time,
            'f' => Storage::Flag,
            _ => return None,
        };
        let number = name.get(1..)?.parse().ok()?;
        (number >= 1 && number <= Slot::counts(storage).0).then_some(Slot { storage, number })
    }

    /// Every slot, in the order of the SQL columns.
    pub fn all() -> impl Iterator<Item = Slot> {
        [Storage::Text, Storage::Number, Storage::Time, Storage::Flag]
            .into_iter()
            .flat_map(|storage| (1..=Slot::counts(storage).0).map(move |number| Slot { storage, number }))
    }
}

impl Column {
    /// A column of `kind` in the numbered slot of the kind's family.
    pub const fn new(
        key: &'static str,
        label: &'static str,
        kind: Kind,
        slot: u8,
        about: &'static str,
    ) -> Column {
        let storage = match kind {
            Kind::Number => Storage::Number,
            Kind::Day | Kind::Instant => Storage::Time,
            Kind::Boolean => Storage::Flag,
            _ => Storage::Text,
        };
        Column {
            key,
            label,
            kind,
            slot: Some(Slot { storage, number: slot }),
            about,
            words: &[],
            said: &[],
            role: None,
            options: &[],
            access: Access::Editable,
            derivation: None,
            app_source: "",
            hubspot: None,
            attio: None,
            detail: false,
            searched: false,
        }
    }

    /// A column with no slot: its value is computed whenever it is read.
    pub const fn computed(
        key: &'static str,
        label: &'static str,
        kind: Kind,
        derivation: Derivation,
        about: &'static str,
    ) -> Column {
        let mut column = Column::new(key, label, kind, 0, about);
        column.slot = None;
        column.access = Access::Derived(derivation);
        column.derivation = Some(derivation);
        column
    }

    pub const fn words(mut self, words: &'static [&'static str]) -> Column {
        self.words = words;
        self
    }

    pub const fn said(mut self, said: &'static [&'static str]) -> Column {
        self.said = said;
        self
    }

    pub const fn role(mut self, role: Role) -> Column {
        self.role = Some(role);
        self
    }

    pub const fn options(mut self, options: &'static [Choice]) -> Column {
        self.options = options;
        self
    }

    pub const fn from_app(mut self, app_source: &'static str) -> Column {
        self.app_source = app_source;
        self
    }

    pub const fn hubspot(mut self, property: CrmField) -> Column {
        self.hubspot = Some(property);
        self
    }

    pub const fn attio(mut self, attribute: CrmField) -> Column {
        self.attio = Some(attribute);
        self
    }

    /// The property that this column reads and writes at a CRM, when there is one by default.
    pub const fn field(&self, system: System) -> Option<CrmField> {
        match system {
            System::Hubspot => self.hubspot,
            System::Attio => self.attio,
        }
    }

    /// Set by synchronization only.
    pub const fn synced(mut self) -> Column {
        self.access = Access::Synced;
        self
    }

    /// Computed by the product and stored in its slot.
    pub const fn derived(mut self, derivation: Derivation) -> Column {
        self.access = Access::Derived(derivation);
        self.derivation = Some(derivation);
        self
    }

    /// Written like any other column, and shown together with what is computed.
    pub const fn with(mut self, derivation: Derivation) -> Column {
        self.derivation = Some(derivation);
        self
    }

    pub const fn detail(mut self) -> Column {
        self.detail = true;
        self
    }

    pub const fn searched(mut self) -> Column {
        self.searched = true;
        self
    }
}

impl Choice {
    pub const fn new(value: &'static str, label: &'static str, color: &'static str) -> Choice {
        Choice { value, label, color, words: &[], said: &[] }
    }

    pub const fn words(mut self, words: &'static [&'static str]) -> Choice {
        self.words = words;
        self
    }

    pub const fn said(mut self, said: &'static [&'static str]) -> Choice {
        self.said = said;
        self
    }
}
