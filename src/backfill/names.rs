//! What the application calls its tables and columns, where that is not what we expect.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Result, invalid, not_found};

/// A table of the application, by the name that the catalog has for it.
#[derive(Debug)]
pub struct Expected {
    pub key: &'static str,
    pub columns: &'static [&'static str],
    /// Those of the columns that an application may well lack.
    pub optional: &'static [&'static str],
}

/// Everything that a backfill reads. By its first column, the ids, a table is read page by page.
pub const EXPECTED: &[Expected] = &[
    Expected {
        key: "profiles",
        columns: &["id", "full_name", "first_name", "last_name", "email"],
        optional: &["full_name", "first_name", "last_name", "email"],
    },
    Expected {
        key: "companies",
        columns: &[
            "id",
            "name",
            "domain",
            "website",
            "industry",
            "size",
            "phone",
            "linkedin_url",
            "description",
            "revenue",
            "created_at",
            "updated_at",
        ],
        optional: &["created_at", "updated_at"],
    },
    Expected {
        key: "contacts",
        columns: &[
            "id",
            "first_name",
            "last_name",
            "email",
            "company_id",
            "title",
            "phone",
            "linkedin_url",
            "lifecycle_stage",
            "created_at",
            "updated_at",
        ],
        optional: &["created_at", "updated_at"],
    },
    Expected {
        key: "leads",
        columns: &[
            "id",
            "contact_name",
            "contact_email",
            "domain",
            "meeting_title",
            "meeting_start",
            "booking_link_name",
            "source_channel",
            "utm_source",
            "external_source",
            "status",
            "priority",
            "owner_id",
            "meeting_outcome",
            "meeting_id",
            "created_at",
            "updated_at",
        ],
        optional: &["updated_at"],
    },
    Expected {
        key: "meetings",
        columns: &[
            "id",
            "title",
            "start_time",
            "duration_minutes",
            "primary_contact_id",
            "company_id",
            "sentiment_score",
            "summary",
            "next_actions",
            "owner_user_id",
            "share_url",
            "transcript_text",
            "lead_id",
            "status",
            "created_at",
            "updated_at",
        ],
        optional: &["lead_id", "status", "created_at", "updated_at"],
    },
    Expected {
        key: "meeting_attendees",
        columns: &["meeting_id", "name", "email", "is_external", "id", "attended"],
        optional: &["id", "attended"],
    },
    Expected {
        key: "clients",
        columns: &[
            "id",
            "company_name",
            "contact_name",
            "contact_email",
            "deal_id",
            "subscription_amount",
            "status",
            "subscription_start_date",
            "owner_id",
            "created_at",
            "updated_at",
        ],
        optional: &["updated_at"],
    },
    Expected { key: "deals", columns: &["id", "name", "lead_source_channel"], optional: &[] },
];

/// For each of our names of a table, `table` is its name there and any other key a column's; an empty name says that the
/// application has no such thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Names(BTreeMap<String, BTreeMap<String, String>>);

/// The key that names a table itself.
const TABLE: &str = "table";

impl Names {
    /// Reads a file, as TOML:
    ///
    /// ```toml
    /// [leads]
    /// table = "bookings"
    /// contact_email = "invitee_email"
    /// utm_source = ""
    /// ```
    pub fn open(path: &Path) -> Result<Names> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| not_found(format!("the names file `{shown}` cannot be read: {error}")))?;
        let names: Names = toml::from_str(&text)
            .map_err(|error| invalid(format!("`{shown}`: {}", error.message().trim())))?;
        names.check().map_err(|error| error.at(shown.to_string()))?;
        Ok(names)
    }

    fn check(&self) -> Result<()> {
        for (table, columns) in &self.0 {
            let Some(expected) = expected(table) else {
                return Err(invalid(format!("a backfill reads no `{table}`"))
                    .choices(table, EXPECTED.iter().map(|expected| expected.key)));
            };
            let known = || [TABLE].iter().chain(expected.columns).copied();
            if let Some(unknown) = columns.keys().find(|key| !known().any(|known| known == key.as_str())) {
                return Err(invalid(format!("a backfill reads no `{unknown}` of `{table}`"))
                    .choices(unknown, known()));
            }
        }
        Ok(())
    }

    /// What the application calls a table; none when it has no such table.
    pub(super) fn table<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        self.given(key, TABLE).map_or(Some(key), non_empty)
    }

    /// What it calls a column, and whether that was said; none when it has no such column.
    pub(super) fn column<'a>(&'a self, table: &str, key: &'a str) -> Option<(&'a str, bool)> {
        match self.given(table, key) {
            Some(given) => non_empty(given).map(|name| (name, true)),
            None => Some((key, false)),
        }
    }

    fn given(&self, table: &str, key: &str) -> Option<&str> {
        self.0.get(table)?.get(key).map(String::as_str)
    }
}

/// The table with this name of ours.
pub(super) fn expected(key: &str) -> Option<&'static Expected> {
    EXPECTED.iter().find(|expected| expected.key == key)
}

fn non_empty(name: &str) -> Option<&str> {
    (!name.trim().is_empty()).then_some(name)
}
