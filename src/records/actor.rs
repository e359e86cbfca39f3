//! Who changes a row, and through what.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::tables::System;

/// Who is behind a call. `client` is what the host says of itself: shown, never trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub kind: ActorKind,
    /// The member on whose behalf the call is made, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    #[default]
    Copilot,
    Person,
    Import,
    System,
}

/// The system a value came from. Ties in time between systems go to the higher rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A copilot or the application.
    App,
    /// A person at the command line.
    Manual,
    /// An imported file.
    Csv,
    /// A computation of ours.
    Derived,
    Hubspot,
    Attio,
}

impl Actor {
    /// The short form kept with each cell: `copilot`, or `person:<member id>`.
    pub fn short(&self) -> String {
        let kind = match self.kind {
            ActorKind::Copilot => "copilot",
            ActorKind::Person => "person",
            ActorKind::Import => "import",
            ActorKind::System => "system",
        };
        match self.id {
            Some(id) => format!("{kind}:{id}"),
            None => kind.to_owned(),
        }
    }
}

impl Source {
    const ALL: [Source; 6] =
        [Source::App, Source::Manual, Source::Csv, Source::Derived, Source::Hubspot, Source::Attio];

    /// What a CRM writes.
    pub const fn of(system: System) -> Source {
        match system {
            System::Hubspot => Source::Hubspot,
            System::Attio => Source::Attio,
        }
    }

    /// The CRM that this is; none for us.
    pub const fn system(self) -> Option<System> {
        match self {
            Source::Hubspot => Some(System::Hubspot),
            Source::Attio => Some(System::Attio),
            Source::App | Source::Manual | Source::Csv | Source::Derived => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Source::App => "app",
            Source::Manual => "manual",
            Source::Csv => "csv",
            Source::Derived => "derived",
            Source::Hubspot => "hubspot",
            Source::Attio => "attio",
        }
    }

    pub fn from_name(name: &str) -> Option<Source> {
        Source::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Decides between two writes of the very same moment; our own writes stand above any CRM's.
    pub fn rank(self) -> u8 {
        match self {
            Source::App | Source::Manual | Source::Csv | Source::Derived => 3,
            Source::Hubspot => 2,
            Source::Attio => 1,
        }
    }
}
