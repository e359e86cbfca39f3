//! Columns that have no slot: the SQL that computes them whenever they are read, so they are never stale.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};

use super::outbox::queue_of;
use crate::store::{Org, Sql};
use crate::tables::{
    Catalog, CatalogColumn, CatalogTable, Derivation, LEADS, MEETINGS, Place, System, Table, Value,
};

/// What computed columns are computed from.
#[derive(Debug, Clone)]
pub struct Basis {
    pub now: DateTime<Utc>,
    /// The CRMs that the table is kept in step with.
    pub systems: Vec<System>,
    /// Whether the statement begins with the meetings in question, by [`push_held`].
    pub knows_held: bool,
}

impl Basis {
    pub fn new(catalog: &Catalog, table: &CatalogTable, now: DateTime<Utc>) -> Basis {
        Basis { now, systems: catalog.connected(table).collect(), knows_held: false }
    }
}

/// Appends the SQL for a column's value in the row `r`.
pub(super) fn push_value(sql: &mut Sql, column: &CatalogColumn, basis: &Basis) {
    match column.place {
        Place::Slot(slot) => {
            sql.push(&format!("r.{}", slot.column()));
        }
        Place::RowTags => {
            sql.push("r.tags");
        }
        Place::Computed(Derivation::MeetingHeld) => push_meeting_held(sql, basis),
        Place::Computed(Derivation::SyncStatus) => {
            sql.push(&sync_status(&basis.systems));
        }
        // The others have a slot.
        Place::Computed(_) => {
            sql.push("null");
        }
    }
}

/// Cancelled if the lead or its meeting is; Upcoming until the meeting starts; Met when it left a recording,
/// a transcript or a completed outcome; otherwise a No Show.
fn push_meeting_held(sql: &mut Sql, basis: &Basis) {
    // It depends on declarations alone, and takes longer to compose than all else of a page's statement.
    static PROBED: LazyLock<(String, String)> = LazyLock::new(|| meeting_held(false));
    static KNOWN: LazyLock<(String, String)> = LazyLock::new(|| meeting_held(true));
    let (before, after) = if basis.knows_held { &*KNOWN } else { &*PROBED };
    sql.push(before).bind(basis.now).push(after);
}

/// The SQL before and after the moment it is computed for.
fn meeting_held(knows_held: bool) -> (String, String) {
    let lead = |key| slot(&LEADS, "r", key);
    let before = format!(
        "case when {status} = 'cancelled' or {outcome} = 'cancelled' then 'Cancelled' \
         when {start} is null then null when {start} > ",
        status = lead("status"),
        outcome = lead("meeting_outcome"),
        start = lead("meeting_start"),
    );
    let held = if knows_held {
        format!(
            "({}, {}) in (select h.email, h.date from held h)",
            lead("contact_email"),
            lead("meeting_start")
        )
    } else {
        format!(
            "exists (select 1 from dynamic_table_rows m where m.org_id = r.org_id and {is_held} \
             and {email} = {lead_email} and {date} = {start})",
            is_held = is_held(),
            email = meeting("contact_email"),
            date = meeting("meeting_date"),
            lead_email = lead("contact_email"),
            start = lead("meeting_start"),
        )
    };
    let after = format!(
        " then 'Upcoming' when {outcome} = 'no_show' then 'No Show' \
         when {recording} is not null or {outcome} = 'completed' or {held} then 'Met' else 'No Show' end",
        outcome = lead("meeting_outcome"),
        recording = lead("meeting_recording_url"),
    );
    (before, after)
}

/// Begins a statement with the meetings with these people that took place: one read of the index for all of them. A look
/// for each lead is quick or very slow, as PostgreSQL picks one index or another while it has no statistics.
pub(super) fn push_held(sql: &mut Sql, org: Org, emails: &[String]) {
    let (email, date) = (meeting("contact_email"), meeting("meeting_date"));
    sql.push(&format!(
        "with held (email, date) as (select {email}, {date} from dynamic_table_rows m where m.org_id = "
    ));
    sql.bind(org).push(&format!(" and {} and {email} in (", is_held()));
    sql.bind_all(emails.iter().map(String::as_str)).push(")) ");
}

/// That the row `m` is a live meeting which left a recording or a transcript.
fn is_held() -> String {
    format!(
        "m.table_key = 'meetings' and m.archived_ms is null and ({} is not null or {} is not null)",
        meeting("recording_url"),
        meeting("transcript"),
    )
}

fn meeting(key: &str) -> String {
    slot(&MEETINGS, "m", key)
}

/// The worst of what the queues hold of the row; with nothing waiting, whether it has a live record.
fn sync_status(systems: &[System]) -> String {
    if systems.is_empty() {
        return "cast('not_connected' as text)".to_owned();
    }
    let any = |state: &str| {
        let queues = systems.iter().map(|system| {
            let queue = queue_of(*system).table();
            format!(
                "exists (select 1 from {queue} q where q.org_id = r.org_id and q.row_id = r.id and {state})"
            )
        });
        queues.collect::<Vec<_>>().join(" or ")
    };
    let names: Vec<String> = systems.iter().map(|system| format!("'{}'", system.name())).collect();
    format!(
        "cast(case when {dead} then 'error' when {waiting} then 'pending' \
         when exists (select 1 from crm_links l where l.org_id = r.org_id and l.row_id = r.id \
         and l.system in ({names}) and l.gone_ms is null) then 'synced' else 'not_connected' end as text)",
        dead = any("q.state = 'dead'"),
        waiting = any("q.state in ('pending', 'leased', 'paused')"),
        names = names.join(", "),
    )
}

/// Whether it is asked for just the rows whose changes a CRM refuses. They are few and an index names them: nobody need
/// look at every row's lines.
pub(super) fn is_failing(column: &CatalogColumn, basis: &Basis, values: &[Value]) -> bool {
    column.place == Place::Computed(Derivation::SyncStatus)
        && !basis.systems.is_empty()
        && matches!(values, [Value::Text(status)] if status == "error")
}

/// Appends that the row `r` is one of those.
pub(super) fn push_failing(sql: &mut Sql, basis: &Basis, org: Org) {
    sql.push("r.id in (");
    for (i, system) in basis.systems.iter().enumerate() {
        let queue = queue_of(*system).table();
        sql.push(if i == 0 { "" } else { " union all " });
        sql.push(&format!("select q.row_id from {queue} q where q.state = 'dead' and q.org_id = ")).bind(org);
    }
    sql.push(")");
}

fn slot(table: &Table, row: &str, key: &str) -> String {
    let slot = table.column(key).and_then(|column| column.slot);
    slot.map_or_else(|| "null".to_owned(), |slot| format!("{row}.{}", slot.column()))
}
