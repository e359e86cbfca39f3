//! What the product asks of a CRM, in the product's terms. Each CRM's folder answers with its own wire format.
//!
//! One call here is one request there, or the pages of one: nothing is tried again, nothing waits. Whether and when a
//! call is repeated is decided where its outcome is kept, by [`super::fault::Fault`]. A request that comes before the end of a
//! wait that the CRM asked for is refused without being sent.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::fault::{Fault, Refusal};
use super::patience::Patience;
use super::{attio, hubspot};
use crate::clock::Clock;
use crate::tables::{Form, Object, System, Value, Way};

/// The way to the CRMs' hosts.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) hosts: Hosts,
    pub(super) patience: Patience,
}

/// Where the CRMs answer, without a slash at the end: settings, so that tests and demos talk to a stand-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    pub hubspot: String,
    pub attio: String,
}

/// What a call brought, and how much of the account's allowance is left by the CRM's own count.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    pub value: T,
    pub pace: Pace,
}

/// The account's allowance as response headers tell it; what they do not tell is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Calls allowed in a window of `window_ms`, and how many are left in the present one.
    pub window_max: Option<u32>,
    pub window_left: Option<u32>,
    pub window_ms: Option<i64>,
    pub day_left: Option<u32>,
}

/// What a token stands for at its CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `HubSpot`'s portal id, `Attio`'s workspace id.
    pub id: String,
    pub name: String,
    /// Who our writes are said to be by: the app's id, or the token's. Echoes are told by it.
    pub writer: Option<String>,
}

/// A pair of tokens as an authorization server gives them.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: SecretString,
    /// A new one replaces the old one, which may be void from then on.
    pub refresh: Option<SecretString>,
    pub lives_secs: Option<u64>,
}

/// What is needed for new tokens.
#[derive(Debug, Clone)]
pub struct Grant {
    pub client_id: String,
    pub client_secret: SecretString,
    pub refresh: SecretString,
}

/// A property of an object as the CRM describes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Property {
    pub name: String,
    pub label: String,
    /// The CRM's own word for its type: `string`, `enumeration`, `personal-name`, `select`, …
    pub kind: String,
    pub read_only: bool,
    pub unique: bool,
    /// Several values at once.
    pub multiple: bool,
    /// Values with their labels, of a property that has options.
    pub options: Vec<(String, String)>,
    /// The CRM's own id of the object, where its webhooks name the object by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
}

/// A column of ours and the property it is at a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// Our column's key.
    pub column: String,
    pub property: String,
    pub form: Form,
    pub way: Way,
    /// What the CRM says of the property; its options translate ours.
    pub described: Option<Property>,
}

/// A record that is to get values.
#[derive(Debug, Clone)]
pub struct Push {
    /// The row's id, which new records carry so that creating one twice makes one.
    pub row: Uuid,
    /// The record's id at the CRM; none for a record that is to be made.
    pub record: Option<String>,
    /// The value of each mapped column that differs there; none clears. All columns of one property stand together.
    pub cells: Vec<(Mapped, Option<Value>)>,
    /// The last known values there of the same columns, for writes whose form depends on them.
    pub known: Vec<Option<Value>>,
    /// The record that a cell of the form [`Form::CompanyName`] or [`Form::Person`] names.
    pub associate: Option<String>,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq)]
pub enum Landed {
    Written {
        record: String,
        created: bool,
        /// When the CRM says it was written, in milliseconds; none when it does not say.
        at_ms: Option<i64>,
    },
    /// A record that is to be made exists already under this id, found by its e-mail address or domain.
    Exists { record: String },
    /// The CRM has no live record of this id.
    Gone,
    /// The CRM will not take it, now or later, until something is changed.
    Refused(Refusal),
    /// This one is to be tried again, though others of the same call were written.
    Later(Fault),
}

/// A record as the CRM has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub record: String,
    /// The row that a record of our making carries.
    pub row: Option<Uuid>,
    pub archived: bool,
    /// When it was last modified or, of an archived record, when it was archived.
    pub modified_ms: Option<i64>,
    /// The ids of the records that were merged into it.
    pub merged: Vec<String>,
    /// Each column's values over time, oldest first; the last one is there now.
    pub columns: Vec<(String, Vec<Past>)>,
}

/// Which records of an object are wanted next.
#[derive(Debug, Clone, Copy)]
pub struct PageAsk<'a> {
    /// Only those modified since, where the CRM can tell; all with none.
    pub since_ms: Option<i64>,
    /// Where the page before said to go on.
    pub after: Option<&'a str>,
    pub mapped: &'a [Mapped],
    pub writer: Option<&'a str>,
    /// Whether the names of referenced records are wanted, where each takes a call of its own.
    pub named: bool,
}

/// Some records of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub seen: Vec<Seen>,
    /// Where to go on; none after the last page.
    pub next: Option<String>,
    /// The latest modification among its records.
    pub newest_ms: Option<i64>,
    /// When the page was answered, by the CRM's own clock.
    pub answered_ms: Option<i64>,
    /// Whether the records come with the history of their values, or only with those that they have now.
    pub is_whole: bool,
    /// How many records come before it, where pages are counted in records.
    pub offset: Option<usize>,
}

/// A value that a property had from a moment on.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    pub value: Option<Value>,
    pub at_ms: i64,
    pub by: Writer,
}

/// Who wrote a value at a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writer {
    /// Our own app or token.
    Us,
    /// Somebody or something else, as the CRM names it.
    Other(String),
    Unknown,
}

impl Client {
    pub fn new(hosts: Hosts, clock: Clock) -> crate::error::Result<Client> {
        // Another part of the process may have chosen one already; the choice is the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .user_agent(concat!("opstables/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(std::time::Duration::from_secs(5))
            .timeout(std::time::Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(crate::error::internal)?;
        Ok(Client { http, hosts, patience: Patience::new(clock) })
    }

    /// Whose token it is.
    pub async fn account(&self, system: System, token: &SecretString) -> Result<Account, Fault> {
        match system {
            System::Hubspot => hubspot::account(self, token).await,
            System::Attio => attio::account(self, token).await,
        }
    }

    /// The properties of an object.
    pub async fn properties(
        &self,
        system: System,
        token: &SecretString,
        object: Object,
    ) -> Result<Vec<Property>, Fault> {
        match system {
            System::Hubspot => hubspot::properties(self, token, object).await,
            System::Attio if object == Object::Meeting => Ok(attio::notes::properties()),
            System::Attio => attio::properties(self, token, object).await,
        }
    }

    /// Makes the unique property in which records of our making carry their row's id, unless it is there; of notes, which
    /// have no properties of one's own, looks whether they may be written.
    pub async fn prepare(&self, system: System, token: &SecretString, object: Object) -> Result<(), Fault> {
        match system {
            System::Hubspot => hubspot::prepare(self, token, object).await,
            System::Attio if object == Object::Meeting => attio::notes::prepare(self, token).await,
            System::Attio => attio::prepare(self, token, object).await,
        }
    }

    /// Writes records of one object, at most [`most_at_once`] of them: an outcome for each push, in their order. A
    /// fault is one of the whole call: what it says of `sent` holds for every push.
    pub async fn push(
        &self,
        system: System,
        token: &SecretString,
        object: Object,
        pushes: &[Push],
    ) -> Result<Answer<Vec<Landed>>, Fault> {
        match system {
            System::Hubspot => hubspot::push(self, token, object, pushes).await,
            System::Attio if object == Object::Meeting => attio::notes::push(self, token, pushes).await,
            System::Attio => attio::push(self, token, object, pushes).await,
        }
    }

    /// Records with the history of the mapped properties, by their ids; those that are gone are left out.
    pub async fn read(
        &self,
        system: System,
        token: &SecretString,
        object: Object,
        records: &[String],
        mapped: &[Mapped],
        writer: Option<&str>,
    ) -> Result<Answer<Vec<Seen>>, Fault> {
        match system {
            System::Hubspot => hubspot::read(self, token, object, records, mapped, writer).await,
            System::Attio if object == Object::Meeting => attio::notes::read(self, token, records).await,
            System::Attio => attio::read(self, token, object, records, mapped, writer).await,
        }
    }

    /// The next page of an object's live records.
    pub async fn page(
        &self,
        system: System,
        token: &SecretString,
        object: Object,
        ask: &PageAsk<'_>,
    ) -> Result<Answer<Page>, Fault> {
        match system {
            System::Hubspot => hubspot::page(self, token, object, ask).await,
            System::Attio => attio::page(self, token, object, ask).await,
        }
    }

    /// The ids of the records that carry these rows' ids, for creations whose answer was lost. Beside each row stands the
    /// record that its own is associated with.
    pub async fn find(
        &self,
        system: System,
        token: &SecretString,
        object: Object,
        rows: &[(Uuid, Option<String>)],
    ) -> Result<Answer<Vec<(Uuid, String)>>, Fault> {
        let ids: Vec<Uuid> = rows.iter().map(|(row, _)| *row).collect();
        match (system, object) {
            (System::Hubspot, _) => hubspot::find(self, token, object, &ids).await,
            (System::Attio, Object::Meeting) => attio::notes::find(self, token, rows).await,
            (System::Attio, _) => attio::find(self, token, object, &ids).await,
        }
    }

    /// New tokens for a refresh token.
    pub async fn refresh(&self, system: System, grant: &Grant) -> Result<Tokens, Fault> {
        match system {
            System::Hubspot => hubspot::refresh(self, grant).await,
            System::Attio => attio::refresh(self, grant).await,
        }
    }
}

impl Landed {
    /// The first fault among outcomes that holds for every call of the connection.
    pub(super) fn fault_of_connection(landed: &[Landed]) -> Option<&Fault> {
        landed.iter().find_map(|landed| match landed {
            Landed::Later(fault) if fault.class.is_of_connection() => Some(fault),
            _ => None,
        })
    }
}

/// How many records one call may write.
pub fn most_at_once(system: System) -> usize {
    match system {
        System::Hubspot => hubspot::MOST_AT_ONCE,
        System::Attio => attio::MOST_AT_ONCE,
    }
}

/// A moment in the milliseconds that CRMs' times are compared in.
pub(super) fn ms(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}
