//! Columns that have no slot: the SQL that computes them whenever they are read, so they are never stale.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};

use crate::store::Sql;
use crate::tables::{CatalogColumn, Derivation, LEADS, MEETINGS, Place, Table};

/// Appends the SQL for a column's value in the row `r`.
pub(super) fn push_value(sql: &mut Sql, column: &CatalogColumn, now: DateTime<Utc>) {
    match column.place {
        Place::Slot(slot) => {
            sql.push(&format!("r.{}", slot.column()));
        }
        Place::RowTags => {
            sql.push("r.tags");
        }
        Place::Computed(Derivation::MeetingHeld) => push_meeting_held(sql, now),
        // No CRM is connected to this organization: synchronization is not part of this version.
        Place::Computed(Derivation::SyncStatus) => {
            sql.push("cast('not_connected' as text)");
        }
        Place::Computed(Derivation::ActiveContacts) => {
            sql.push("cast(null as double precision)");
        }
    }
}

/// Cancelled if the lead or its meeting is; Upcoming until the meeting starts; Met when it left a recording,
/// a transcript or a completed outcome; otherwise a No Show.
fn push_meeting_held(sql: &mut Sql, now: DateTime<Utc>) {
    // It depends on declarations alone, and takes longer to compose than all else of a page's statement.
    static TEXT: LazyLock<(String, String)> = LazyLock::new(meeting_held);
    sql.push(&TEXT.0).bind(now).push(&TEXT.1);
}

/// The SQL before and after the moment it is computed for.
fn meeting_held() -> (String, String) {
    let lead = |key| slot(&LEADS, "r", key);
    let meeting = |key| slot(&MEETINGS, "m", key);
    let before = format!(
        "case when {status} = 'cancelled' or {outcome} = 'cancelled' then 'Cancelled' \
         when {start} is null then null when {start} > ",
        status = lead("status"),
        outcome = lead("meeting_outcome"),
        start = lead("meeting_start"),
    );
    let after = format!(
        " then 'Upcoming' when {outcome} = 'no_show' then 'No Show' \
         when {recording} is not null or {outcome} = 'completed' or exists \
         (select 1 from dynamic_table_rows m where m.org_id = r.org_id and m.table_key = 'meetings' \
         and m.archived_ms is null and {email} = {lead_email} and {date} = {start} \
         and ({meeting_recording} is not null or {transcript} is not null)) \
         then 'Met' else 'No Show' end",
        outcome = lead("meeting_outcome"),
        recording = lead("meeting_recording_url"),
        lead_email = lead("contact_email"),
        start = lead("meeting_start"),
        email = meeting("contact_email"),
        date = meeting("meeting_date"),
        meeting_recording = meeting("recording_url"),
        transcript = meeting("transcript"),
    );
    (before, after)
}

fn slot(table: &Table, row: &str, key: &str) -> String {
    let slot = table.column(key).and_then(|column| column.slot);
    slot.map_or_else(|| "null".to_owned(), |slot| format!("{row}.{}", slot.column()))
}
