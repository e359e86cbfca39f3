//! What the application's records say of our columns: one file a table, each reading a page of records and, in a few
//! look-ups for the whole page, what they refer to.

mod clients;
mod companies;
mod contacts;
mod leads;
mod meetings;
mod texts;

use chrono::{DateTime, Utc};

use super::source::{Record, Records, Source};
use crate::error::{Result, internal};

/// What one record says.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) id: String,
    /// When it was last changed and when it was made, as the source writes it.
    pub(super) updated: Option<String>,
    pub(super) created: Option<String>,
    /// By the key of our column.
    pub(super) cells: Vec<(&'static str, Saying)>,
}

/// What a record says of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Saying {
    Nothing,
    Text(String),
    List(Vec<String>),
    /// The member who is this profile.
    Member(String),
    /// Something happened then; the latest that is known of stands.
    Latest(DateTime<Utc>),
}

/// A page of a table.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) records: Vec<Said>,
    /// How many bytes it was read as.
    pub(super) bytes: usize,
}

/// Reads the records of `table` behind `after`.
pub(super) async fn page(
    source: &Source,
    table: &str,
    after: Option<&str>,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Page> {
    match table {
        "companies" => companies::page(source, after, limit).await,
        "contacts" => contacts::page(source, after, limit, now).await,
        "leads" => leads::page(source, after, limit, now).await,
        "meetings" => meetings::page(source, after, limit).await,
        "clients" => clients::page(source, after, limit).await,
        _ => Err(internal("a backfill knows the standard tables only")),
    }
}

impl Said {
    fn of(record: &Record<'_>) -> Said {
        let own = |key| record.get(key).map(str::to_owned);
        Said {
            id: own("id").unwrap_or_default(),
            updated: own("updated_at").or_else(|| own("created_at")),
            created: own("created_at"),
            cells: Vec::with_capacity(14),
        }
    }

    /// Says the columns that the record has under the same or another name.
    fn say_own(&mut self, record: &Record<'_>, columns: &[(&'static str, &str)]) {
        for (column, key) in columns {
            self.say(column, record.get(key));
        }
    }

    fn say(&mut self, column: &'static str, text: Option<&str>) {
        let saying = text.map_or(Saying::Nothing, |text| Saying::Text(text.to_owned()));
        self.cells.push((column, saying));
    }

    fn say_member(&mut self, column: &'static str, profile: Option<&str>) {
        let saying = profile.map_or(Saying::Nothing, |id| Saying::Member(id.to_owned()));
        self.cells.push((column, saying));
    }
}

impl Page {
    fn of(records: Vec<Said>, read: &[&Records]) -> Page {
        Page { records, bytes: read.iter().map(|records| records.bytes()).sum() }
    }
}

/// A moment as the source writes it; none when it is no exact moment.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    texts::moment(text)
}
