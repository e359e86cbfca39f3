//! The signals of a contact: short phrases, each declared with what it comes from and how long it holds.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::Sql;
use crate::tables::filter::{self, spec_of};
use crate::tables::{
    CatalogTable, Filter, LEADS, MEETINGS, Op, Reading, Slot, Table, Value, Where, as_declared,
};

/// A signal: its word is shown while a live row of `table` with the contact's e-mail address meets the conditions.
#[derive(Debug, Clone, Copy)]
struct Signal {
    word: &'static str,
    table: &'static Table,
    /// The date that `holds` speaks of.
    date: &'static str,
    holds: Holds,
    conditions: &'static [Where],
}

/// When a signal holds, by its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Before,
    DaysAfter(i64),
    Always,
}

const BOOKED: &str = "meeting booked";
const MET: &str = "met";
/// What happened of late is what happened in a month.
const MONTH: Holds = Holds::DaysAfter(30);
/// How long a lead is new.
const FORTNIGHT: Holds = Holds::DaysAfter(14);

/// All of them. A word may have several origins: a meeting took place if it left a recording, a transcript or a summary.
const SIGNALS: &[Signal] = &[
    of_lead(BOOKED, Holds::Before, &[Where::new("meeting_held", Op::Equals, &["Upcoming"])]),
    of_meeting(BOOKED, Holds::Before, &[]),
    of_lead(MET, MONTH, &[Where::new("meeting_held", Op::Equals, &["Met"])]),
    of_meeting(MET, MONTH, &[Where::new("recording_url", Op::IsNotEmpty, &[])]),
    of_meeting(MET, MONTH, &[Where::new("transcript", Op::IsNotEmpty, &[])]),
    of_meeting(MET, MONTH, &[Where::new("summary", Op::IsNotEmpty, &[])]),
    of_lead("no show", MONTH, &[Where::new("meeting_held", Op::Equals, &["No Show"])]),
    of_meeting("negative sentiment", MONTH, &[Where::new("sentiment", Op::Equals, &["Negative"])]),
    of_meeting("very positive sentiment", MONTH, &[Where::new("sentiment", Op::Equals, &["Very Positive"])]),
    Signal { date: "created_at", ..of_lead("new lead", FORTNIGHT, &[]) },
    of_lead(
        "high priority lead",
        Holds::Always,
        &[
            Where::new("priority", Op::In, &["high", "urgent"]),
            Where::new("status", Op::In, &["new", "prepping", "ready"]),
        ],
    ),
];

const fn of_lead(word: &'static str, holds: Holds, conditions: &'static [Where]) -> Signal {
    Signal { word, table: &LEADS, date: "meeting_start", holds, conditions }
}

const fn of_meeting(word: &'static str, holds: Holds, conditions: &'static [Where]) -> Signal {
    Signal { word, table: &MEETINGS, date: "meeting_date", holds, conditions }
}

/// The columns of a meeting that its contact depends on.
pub(super) const MEETING_INPUTS: &[&str] =
    &["contact_email", "meeting_date", "sentiment", "summary", "recording_url", "transcript"];
/// The columns of a lead that its contact depends on: those of `meeting_held` are among them.
pub(super) const LEAD_INPUTS: &[&str] = &[
    "contact_email",
    "meeting_start",
    "status",
    "priority",
    "meeting_outcome",
    "meeting_recording_url",
    "created_at",
];

/// A table that signals come from, with what is asked of its rows.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) table: CatalogTable,
    /// The slot of the e-mail address, and that of the date when something with the person takes place.
    pub(super) email: String,
    pub(super) date: String,
    pub(super) signals: Vec<Asked>,
    /// For each slot of a date, after how many days from it something changes.
    pub(super) boundaries: BTreeMap<String, Vec<i64>>,
}

/// A signal as it is asked of the database.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) word: &'static str,
    date: String,
    holds: Holds,
    pub(super) conditions: Vec<Filter>,
}

/// The origins, meetings first.
pub(super) fn origins() -> &'static [Origin] {
    static ORIGINS: LazyLock<Vec<Origin>> =
        LazyLock::new(|| vec![origin(&MEETINGS, "meeting_date"), origin(&LEADS, "meeting_start")]);
    &ORIGINS
}

fn origin(declared: &'static Table, date: &str) -> Origin {
    let table = as_declared(declared);
    let of_it = || SIGNALS.iter().filter(|signal| signal.table.key == declared.key);
    let mut boundaries = BTreeMap::<String, Vec<i64>>::new();
    // A meeting counts as an engagement from its start.
    boundaries.insert(slot(declared, date), vec![0]);
    for signal in of_it() {
        let days = match signal.holds {
            Holds::Before => &[0][..],
            Holds::DaysAfter(days) => &[0, days],
            Holds::Always => continue,
        };
        let known = boundaries.entry(slot(declared, signal.date)).or_default();
        known.extend(days);
        known.sort_unstable();
        known.dedup();
    }
    let signals = of_it().map(|signal| asked(&table, signal)).collect();
    Origin { email: slot(declared, "contact_email"), date: slot(declared, date), signals, boundaries, table }
}

fn asked(table: &CatalogTable, signal: &Signal) -> Asked {
    let reading =
        Reading { zone: chrono_tz::UTC, now: DateTime::UNIX_EPOCH, members: &[], me: None, day_first: false };
    let parsed =
        signal.conditions.iter().map(|condition| filter::parse(table, &spec_of(condition), &reading));
    Asked {
        word: signal.word,
        date: slot(signal.table, signal.date),
        holds: signal.holds,
        conditions: parsed.filter_map(Result::ok).collect(),
    }
}

fn slot(table: &Table, key: &str) -> String {
    let slot = table.column(key).and_then(|column| column.slot);
    slot.map_or_else(|| "null".to_owned(), Slot::column)
}

impl Asked {
    /// Appends whether the row `r` stands in the signal's time.
    pub(super) fn push_time(&self, sql: &mut Sql, now: DateTime<Utc>) {
        let date = &self.date;
        match self.holds {
            Holds::Before => sql.push(&format!("r.{date} > ")).bind(now),
            Holds::DaysAfter(days) => sql
                .push(&format!("r.{date} > "))
                .bind(now - TimeDelta::days(days))
                .push(&format!(" and r.{date} <= "))
                .bind(now),
            Holds::Always => sql.push("1 = 1"),
        };
    }
}

/// What was written, without the words that are ours to say, and the signals that hold.
pub(super) fn combine(written: Option<Value>, computed: Option<Value>) -> Option<Value> {
    let tags = |value: Option<Value>| match value {
        Some(Value::Tags(tags)) => tags,
        _ => Vec::new(),
    };
    let is_ours = |tag: &String| SIGNALS.iter().any(|signal| signal.word == tag.to_lowercase());
    let mut all: Vec<String> = tags(written).into_iter().filter(|tag| !is_ours(tag)).collect();
    all.extend(tags(computed));
    // As a set of tags is kept.
    all.sort_by_cached_key(|tag| (tag.to_lowercase(), tag.clone()));
    (!all.is_empty()).then_some(Value::Tags(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_asked_as_it_is_declared() {
        let asked: usize = origins().iter().map(|origin| origin.signals.len()).sum();
        assert_eq!(asked, SIGNALS.len());
        for signal in SIGNALS {
            let inputs = if signal.table.key == LEADS.key { LEAD_INPUTS } else { MEETING_INPUTS };
            let parts = signal.conditions.iter().map(|condition| condition.column).chain([signal.date]);
            for part in parts.filter(|part| *part != "meeting_held") {
                assert!(inputs.contains(&part), "{} depends on {part}", signal.word);
            }
            let origin = origins().iter().find(|origin| origin.table.key() == signal.table.key).unwrap();
            let mut same = origin.signals.iter().filter(|asked| asked.word == signal.word);
            assert!(same.any(|asked| asked.conditions.len() == signal.conditions.len()), "{}", signal.word);
            assert!(signal.table.column(signal.date).is_some_and(|column| column.slot.is_some()));
            assert_eq!(signal.word, signal.word.to_lowercase());
        }
    }

    #[test]
    fn words_of_ours_are_said_by_us_alone() {
        let tags = |tags: &[&str]| Some(Value::Tags(tags.iter().map(|&tag| tag.to_owned()).collect()));
        assert_eq!(combine(tags(&["hiring", "Met"]), None), tags(&["hiring"]));
        assert_eq!(
            combine(tags(&["Hiring", "vip"]), tags(&["met", "no show"])),
            tags(&["Hiring", "met", "no show", "vip"])
        );
        assert_eq!(combine(tags(&["met"]), tags(&[])), None);
        assert_eq!(combine(None, None), None);
    }
}
