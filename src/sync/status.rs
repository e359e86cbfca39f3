//! How synchronization is doing: figures of every connection and table, the lines that fail, and whether that is well.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::inbound::{self, Inbound};
use super::reading::Kind;
use crate::error::Result;
use crate::records::queue_of;
use crate::store::queue::{Count, Failed};
use crate::store::{ConnectionRow, Org, Tx, conflicts, connections, hooks, links, polls, queue};
use crate::tables::{Object, System};

/// Over how long the rate of arrivals is taken.
const RATE_MINUTES: i64 = 5;
/// How many failing lines of a connection are shown.
const FAILING_MAX: i64 = 25;

/// More conflicts than these in seven days are an error.
const CONFLICTS_MAX: i64 = 10;
/// Larger shares of stale rows than these are an error, and worth a warning.
const STALE_ERROR_PERCENT: i64 = 50;
const STALE_WARNING_PERCENT: i64 = 10;
/// A change that has waited longer than this is worth a warning.
const WAITING_SECS: i64 = 300;

/// Which part of it is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    pub system: Option<System>,
    pub table: Option<&'a str>,
}

/// How synchronization is doing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Status {
    pub connections: Vec<Connected>,
    pub health: Vec<Health>,
    /// Changes that did not arrive, those that are given up first.
    pub failing: Vec<Failing>,
}

/// A connection.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Connected {
    pub system: System,
    /// active, paused (by a person) or broken (its token is refused).
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub account: String,
    pub account_name: String,
    /// Whether new rows become records there.
    pub creates: bool,
    /// Until when the CRM wants no calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// Set while nothing is taken in that the CRM tells, until a person lets it go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    pub inbound: Inbound,
    /// When the next change is tried that has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_retry_at: Option<DateTime<Utc>>,
    pub tables: Vec<Figures>,
}

/// Why nothing is taken in, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Held {
    pub reason: String,
    pub since: DateTime<Utc>,
}

/// A table at a CRM, in rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Figures {
    pub table: String,
    /// Rows that are a record there.
    pub linked: i64,
    /// Of these, rows that the CRM has changed and not told us of for a day.
    pub stale: i64,
    /// Rows whose changes wait to be sent.
    pub pending: i64,
    /// Rows that are being sent.
    pub sending: i64,
    /// Rows whose changes a person holds back.
    pub paused: i64,
    /// Rows whose changes the CRM refuses for good.
    pub dead: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_pending_secs: Option<i64>,
    /// How many rows arrived a minute, over the last five.
    pub per_minute: f64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, i64>,
    pub open_conflicts: i64,
    /// Conflicts of the last seven days, resolved ones too.
    pub recent_conflicts: i64,
    /// When what changed at the CRM was last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_poll_at: Option<DateTime<Utc>>,
    /// When everything was last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sweep_at: Option<DateTime<Utc>>,
    /// For how long changes at the CRM may not have been read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind_secs: Option<i64>,
}

/// A table's health, with what stands against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Health {
    pub table: String,
    pub level: Level,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Healthy,
    Warning,
    Error,
}

/// A row whose changes did not arrive.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Failing {
    pub system: System,
    pub table: String,
    pub row_id: String,
    /// The columns that differ there.
    pub columns: Vec<String>,
    /// dead, or pending while it is tried again.
    pub state: String,
    pub attempts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<DateTime<Utc>>,
    /// The kind of failure, as `rate_limited` or `invalid`.
    pub class: String,
    /// The CRM's own words.
    pub message: String,
    /// The column that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What the CRM's support finds the call by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// How the organization's connections are doing.
pub async fn status(tx: &mut Tx, org: Org, asked: Asked<'_>, now: DateTime<Utc>) -> Result<Status> {
    let mut status = Status { connections: Vec::new(), health: Vec::new(), failing: Vec::new() };
    let lost = conflicts::counts(tx, org, now - TimeDelta::days(7)).await?;
    for row in connections::all(tx, org).await? {
        let Some(system) = System::from_name(&row.system) else { continue };
        if asked.system.is_some_and(|asked| asked != system) {
            continue;
        }
        let mut tables = figures(tx, org, system, now).await?;
        tables.retain(|figures| asked.table.is_none_or(|table| figures.table == table));
        for figures in &mut tables {
            let own = lost.iter().filter(|(table, of, ..)| *table == figures.table && of == system.name());
            for (_, _, open, recent) in own {
                figures.open_conflicts += open;
                figures.recent_conflicts += recent;
            }
        }
        let next_ms = queue::next_due_ms(tx, org, queue_of(system)).await?;
        let failed = queue::failed(tx, org, queue_of(system), asked.table, FAILING_MAX).await?;
        status.failing.extend(failed.into_iter().map(|line| failing(system, line)));
        let held = hooks::get(tx, org, system.name()).await?.and_then(|row| row.held_reason.zip(row.held_at));
        let held = held.map(|(reason, since)| Held { reason, since });
        let inbound = inbound::figures(tx, org, system, now).await?;
        let connected = connected(row, system, tables, next_ms, now);
        status.connections.push(Connected { held, inbound, ..connected });
    }
    status.failing.sort_by_key(|line| line.state != "dead");
    if !status.connections.is_empty() {
        let tables = Object::shown().map(Object::table);
        let tables = tables.filter(|table| asked.table.is_none_or(|asked| asked == *table));
        status.health = tables.map(|table| judge(table, &status.connections)).collect();
    }
    Ok(status)
}

/// The figures of every table that a CRM has records of.
async fn figures(tx: &mut Tx, org: Org, system: System, now: DateTime<Utc>) -> Result<Vec<Figures>> {
    let now_ms = now.timestamp_millis();
    let lines = queue::counts(tx, org, queue_of(system)).await?;
    let done = queue::done_since(tx, org, queue_of(system), now_ms - RATE_MINUTES * 60_000).await?;
    let linked = links::counts(tx, org, system.name()).await?;
    let stale = links::stale(tx, org, system.name(), now - TimeDelta::hours(24)).await?;
    let read = polls::all(tx, org, system.name(), false).await?;
    let of = |counts: &[(String, i64)], table: &str| {
        counts.iter().find(|(key, _)| key == table).map_or(0, |(_, count)| *count)
    };
    let figures = Object::shown().map(|object| {
        let table = object.table();
        let read =
            |kind: Kind| read.iter().find(|row| row.object == object.name() && row.kind == kind.name());
        let (changes, sweep) = (read(Kind::Changes), read(Kind::Sweep));
        // A complete reading of Attio is what finds its changes.
        let sweep = if system == System::Attio { changes } else { sweep };
        let lines = lines.iter().filter(|count| count.table_key == table);
        Figures {
            table: table.to_owned(),
            linked: of(&linked, table),
            stale: of(&stale, table),
            per_minute: per_minute(of(&done, table)),
            last_poll_at: changes.and_then(|row| row.done_at),
            last_sweep_at: sweep.and_then(|row| row.done_at),
            behind_secs: changes.and_then(|row| row.cursor_ms).map(|ms| (now_ms - ms).max(0) / 1_000),
            ..counted(lines, now_ms)
        }
    });
    Ok(figures.collect())
}

fn per_minute(rows: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^53")]
    let (rows, minutes) = (rows as f64, RATE_MINUTES as f64);
    (rows / minutes * 10.0).round() / 10.0
}

/// What a queue holds of a table.
fn counted<'a>(lines: impl Iterator<Item = &'a Count>, now_ms: i64) -> Figures {
    let mut figures = Figures::default();
    for count in lines {
        let state = match count.state.as_str() {
            "pending" => &mut figures.pending,
            "leased" => &mut figures.sending,
            "paused" => &mut figures.paused,
            "dead" => &mut figures.dead,
            _ => continue,
        };
        *state += count.lines;
        if matches!(count.state.as_str(), "pending" | "leased") {
            let age = (now_ms - count.oldest_ms).max(0) / 1_000;
            figures.oldest_pending_secs = figures.oldest_pending_secs.max(Some(age));
        }
        if let Some(class) = &count.error_class {
            *figures.errors.entry(class.clone()).or_default() += count.lines;
        }
    }
    figures
}

fn connected(
    row: ConnectionRow,
    system: System,
    tables: Vec<Figures>,
    next_ms: Option<i64>,
    now: DateTime<Utc>,
) -> Connected {
    let waits_until = row.paused_until.filter(|until| *until > now);
    let next = next_ms.and_then(DateTime::from_timestamp_millis).max(waits_until);
    Connected {
        system,
        // A connection that nothing is sent for tries nothing again.
        next_retry_at: next.filter(|next| *next > now && row.state == "active" && next_ms.is_some()),
        state: row.state,
        reason: row.reason,
        account: row.account,
        account_name: row.account_name,
        creates: row.creates,
        waits_until,
        last_success_at: row.last_success_at,
        last_failure_at: row.last_failure_at,
        last_failure: row.last_failure,
        held: None,
        inbound: Inbound::default(),
        tables,
    }
}

fn failing(system: System, line: Failed) -> Failing {
    let is_tried_again = line.state == "pending";
    Failing {
        system,
        table: line.table_key,
        row_id: line.row_id.to_string(),
        columns: line.columns.0.keys().cloned().collect(),
        next_try_at: DateTime::from_timestamp_millis(line.run_after_ms).filter(|_| is_tried_again),
        state: line.state,
        attempts: line.attempts,
        class: line.error_class.unwrap_or_default(),
        message: line.error.unwrap_or_default(),
        column: line.error_column,
        correlation_id: line.correlation,
    }
}

/// A table's health over all connections.
fn judge(table: &str, connections: &[Connected]) -> Health {
    let figures = || connections.iter().flat_map(|it| &it.tables).filter(|figures| figures.table == table);
    let sum = |of: fn(&Figures) -> i64| figures().map(of).sum::<i64>();
    let (linked, stale, dead) = (sum(|it| it.linked), sum(|it| it.stale), sum(|it| it.dead));
    let conflicts = sum(|it| it.recent_conflicts);
    let waiting = figures().filter_map(|it| it.oldest_pending_secs).max().unwrap_or(0);
    let mut health = Health { table: table.to_owned(), level: Level::Healthy, reasons: Vec::new() };
    let mut against = |level: Level, reason: String| {
        health.level = health.level.max(level);
        health.reasons.push(reason);
    };
    if dead > 0 {
        against(
            Level::Error,
            format!("{} that a CRM refuses for good", rows(dead, "has changes", "have changes")),
        );
    }
    if conflicts > 0 {
        let level = if conflicts > CONFLICTS_MAX { Level::Error } else { Level::Warning };
        let came =
            if conflicts == 1 { "1 conflict came".to_owned() } else { format!("{conflicts} conflicts came") };
        against(level, format!("{came} up in the last 7 days"));
    }
    if stale * 100 > linked * STALE_WARNING_PERCENT {
        let level = if stale * 100 > linked * STALE_ERROR_PERCENT { Level::Error } else { Level::Warning };
        against(
            level,
            format!("{} out of date: their CRM has not been heard of for a day", share(stale, linked)),
        );
    }
    if waiting > WAITING_SECS {
        against(Level::Warning, format!("the oldest change has waited for {}", spoken(waiting)));
    }
    for it in connections {
        let (crm, told) = (it.system.label(), &it.inbound);
        if it.held.is_some() {
            against(Level::Warning, format!("what {crm} tells is held back"));
        }
        if told.dead > 0 {
            against(Level::Warning, format!("{} that {crm} told could not be taken in", events(told.dead)));
        }
        if let Some(waits) = told.oldest_pending_secs.filter(|secs| *secs > WAITING_SECS && it.held.is_none())
        {
            against(Level::Warning, format!("what {crm} told has waited for {}", spoken(waits)));
        }
    }
    health
}

fn rows(count: i64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 row {one}") } else { format!("{count} rows {many}") }
}

fn events(count: i64) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

fn share(part: i64, whole: i64) -> String {
    format!("{part} of {whole} linked rows are")
}

/// A time as people say it.
pub fn spoken(secs: i64) -> String {
    match secs {
        ..120 => format!("{secs} s"),
        120..7_200 => format!("{} minutes", secs / 60),
        7_200..172_800 => format!("{} hours", secs / 3_600),
        _ => format!("{} days", secs / 86_400),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A connection of which nothing is wrong but what the figures say.
    pub(crate) fn connection(figures: Figures) -> Connected {
        Connected {
            system: System::Hubspot,
            state: "active".to_owned(),
            reason: None,
            account: "1".to_owned(),
            account_name: "One".to_owned(),
            creates: true,
            waits_until: None,
            last_success_at: None,
            last_failure_at: None,
            last_failure: None,
            held: None,
            inbound: Inbound::default(),
            next_retry_at: None,
            tables: vec![Figures { table: "contacts".to_owned(), ..figures }],
        }
    }

    #[test]
    fn health_follows_its_thresholds() {
        let check = |figures: Figures, level: Level, reason: &str| {
            let health = judge("contacts", &[connection(figures.clone())]);
            assert_eq!(health.level, level, "{figures:?}");
            assert_eq!(health.reasons.first().map_or("", String::as_str), reason, "{figures:?}");
        };
        let none = Figures { linked: 100, ..Figures::default() };
        let conflicts = |recent_conflicts| Figures { recent_conflicts, ..none.clone() };
        let stale = |stale| Figures { stale, ..none.clone() };
        let waiting = |secs| Figures { oldest_pending_secs: Some(secs), pending: 1, ..none.clone() };
        check(none.clone(), Level::Healthy, "");
        check(conflicts(1), Level::Warning, "1 conflict came up in the last 7 days");
        check(conflicts(10), Level::Warning, "10 conflicts came up in the last 7 days");
        check(conflicts(11), Level::Error, "11 conflicts came up in the last 7 days");
        check(stale(10), Level::Healthy, "");
        let out = "of 100 linked rows are out of date: their CRM has not been heard of for a day";
        check(stale(11), Level::Warning, &format!("11 {out}"));
        check(stale(50), Level::Warning, &format!("50 {out}"));
        check(stale(51), Level::Error, &format!("51 {out}"));
        check(waiting(300), Level::Healthy, "");
        check(waiting(301), Level::Warning, "the oldest change has waited for 5 minutes");
        let dead = Figures { dead: 1, ..none.clone() };
        check(dead, Level::Error, "1 row has changes that a CRM refuses for good");
        check(Figures::default(), Level::Healthy, "");
    }

    #[test]
    fn what_does_not_come_in_stands_against_every_table() {
        let check = |inbound: Inbound, held: bool, expected: &[&str]| {
            let held = held.then(|| Held { reason: "too much".to_owned(), since: DateTime::UNIX_EPOCH });
            let connected = Connected { held, inbound, ..connection(Figures::default()) };
            let health = judge("contacts", &[connected]);
            assert_eq!(health.reasons, expected);
            assert_eq!(health.level == Level::Warning, !expected.is_empty());
        };
        let waiting = |secs| Inbound { pending: 1, oldest_pending_secs: Some(secs), ..Inbound::default() };
        check(waiting(300), false, &[]);
        check(waiting(301), false, &["what HubSpot told has waited for 5 minutes"]);
        check(waiting(301), true, &["what HubSpot tells is held back"]);
        let dead = Inbound { dead: 2, ..Inbound::default() };
        check(dead, false, &["2 events that HubSpot told could not be taken in"]);
    }

    #[test]
    fn the_worst_of_both_connections_counts_and_nothing_hides_the_rest() {
        let one = connection(Figures { dead: 2, ..Figures::default() });
        let other = connection(Figures { recent_conflicts: 1, ..Figures::default() });
        let health = judge("contacts", &[one, other]);
        assert_eq!((health.level, health.reasons.len()), (Level::Error, 2));
        assert_eq!(judge("companies", &[]).level, Level::Healthy);
    }

    #[test]
    fn a_time_is_said_in_its_own_unit() {
        let check = |secs: i64, said: &str| assert_eq!(spoken(secs), said);
        check(0, "0 s");
        check(119, "119 s");
        check(120, "2 minutes");
        check(7_200, "2 hours");
        check(200_000, "2 days");
    }
}
