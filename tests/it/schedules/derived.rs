//! What the model computes: figures of companies from their contacts, signals of contacts from their leads.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::model::{Cell, Change, Deed, Do, Edit, Row, World, Writer, is_combined};

/// What is said of a contact by its leads, and by nobody else.
const SIGNALS: &[&str] = &[
    "meeting booked",
    "met",
    "no show",
    "negative sentiment",
    "very positive sentiment",
    "new lead",
    "high priority lead",
];

impl World {
    /// Computes a row's columns where the change may have moved what they come from.
    pub(super) fn fill(
        &mut self,
        change: &mut Change,
        (id, is_asked): (Uuid, bool),
        before: Option<&Row>,
        stamp: &Cell,
        now: DateTime<Utc>,
    ) {
        let row = self.rows[&id].clone();
        let (name, columns): (&str, &[&str]) = match row.table {
            "contacts" => ("email", &["last_engagement", "recent_signals"]),
            "companies" => ("name", &["active_contacts_count", "last_contact_date"]),
            _ => return,
        };
        let is_new = before.is_none_or(|before| !before.is_live());
        let written = change.rows.get(&id).is_some_and(|(_, before)| {
            before.keys().any(|key| key == name || columns.contains(&key.as_str()))
        });
        if !row.is_live() || !(is_new || is_asked || written) {
            return;
        }
        for &column in columns {
            let value = self.computed(&row, column, now);
            if value == row.value(column) {
                continue;
            }
            let was = before.and_then(|before| before.cells.get(column));
            let was = was.filter(|cell| cell.source == "derived" && cell.value == value);
            let cell = was.cloned().unwrap_or(Cell { value, ..stamp.clone() });
            let target = self.rows.get_mut(&id).expect("the row");
            if let Some(written) = row.written(column).filter(|_| is_combined(column)) {
                target.under.insert(column.to_owned(), written.clone());
            }
            target.cells.insert(column.to_owned(), cell);
            change.rows.entry(id).or_insert((Deed::Update, std::collections::BTreeMap::new()));
        }
    }

    fn computed(&self, row: &Row, column: &str, now: DateTime<Utc>) -> Json {
        let written = row.written(column).map_or(Json::Null, |cell| cell.value.clone());
        let contacts: Vec<&Row> = match folded(&row.value("name")) {
            Some(name) => self.named("contacts", "company_name", &name),
            None => Vec::new(),
        };
        match column {
            "active_contacts_count" => {
                #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
                let count = contacts.len() as f64;
                json!(count)
            }
            "last_contact_date" => {
                let engaged = contacts.iter().filter_map(|row| moment(&row.value("last_engagement")));
                engaged.chain(moment(&written)).max().map_or(Json::Null, |latest| json!(latest))
            }
            "recent_signals" => {
                let tags = written.as_array().cloned().unwrap_or_default();
                let mut tags: BTreeSet<String> =
                    tags.iter().filter_map(Json::as_str).map(str::to_owned).collect();
                tags.retain(|tag| !SIGNALS.contains(&tag.to_lowercase().as_str()));
                if let Some(email) = folded(&row.value("email")) {
                    let leads = self.named("leads", "contact_email", &email);
                    tags.extend(leads.into_iter().flat_map(|lead| signals(lead, now)));
                }
                let mut tags: Vec<String> = tags.into_iter().collect();
                tags.sort_by_key(|tag| tag.to_lowercase());
                if tags.is_empty() { Json::Null } else { json!(tags) }
            }
            _ => written,
        }
    }

    /// The live rows of a table with that text in a column.
    fn named(&self, table: &str, column: &str, text: &str) -> Vec<&Row> {
        let is_it = |row: &&Row| {
            row.table == table && row.is_live() && folded(&row.value(column)).as_deref() == Some(text)
        };
        self.rows.values().filter(is_it).collect()
    }

    /// Computes the rows of other tables that a change concerns.
    pub(super) fn follow(&mut self, number: usize, now: DateTime<Utc>, before: &World) {
        let change = self.changes[number].clone();
        let (name, watched, table, column): (_, &[&str], _, _) = match change.table {
            "leads" => (
                "contact_email",
                &["contact_email", "status", "priority", "meeting_start", "created_at"],
                "contacts",
                "email",
            ),
            "contacts" => ("company_name", &["company_name", "last_engagement"], "companies", "name"),
            _ => return,
        };
        let mut names = BTreeSet::new();
        for id in change.rows.keys() {
            let (old, new) = (before.rows.get(id), &self.rows[id]);
            let same = |old: &&Row| {
                old.is_live() == new.is_live()
                    && watched.iter().all(|column| old.value(column) == new.value(column))
            };
            if !old.as_ref().is_some_and(same) {
                names.extend(old.into_iter().chain([new]).filter_map(|row| folded(&row.value(name))));
            }
        }
        let concerned =
            |row: &Row| row.is_live() && folded(&row.value(column)).is_some_and(|name| names.contains(&name));
        let edit = |id| Edit { id, is_new: false, what: Do::Recompute };
        let edits: Vec<Edit> = self.ids(table, concerned).into_iter().map(edit).collect();
        let writer = Writer { source: "derived", actor: "system".to_owned(), now };
        let written = self.write(table, &writer, &edits);
        assert!(written.is_ok(), "live rows take what is computed");
    }
}

/// What a live lead says of its contact at a moment.
fn signals(lead: &Row, now: DateTime<Utc>) -> Vec<String> {
    let since = |column: &str, days| {
        moment(&lead.value(column)).is_some_and(|at| at <= now && at > now - TimeDelta::days(days))
    };
    let is_ahead = moment(&lead.value("meeting_start")).is_some_and(|at| at > now);
    let is_open = ["new", "ready"].contains(&lead.value("status").as_str().unwrap_or_default());
    let said = [
        ("meeting booked", is_ahead),
        ("no show", since("meeting_start", 30)),
        ("new lead", since("created_at", 14)),
        ("high priority lead", lead.value("priority") == "high" && is_open),
    ];
    said.iter().filter(|(_, holds)| *holds).map(|(word, _)| (*word).to_owned()).collect()
}

fn folded(name: &Json) -> Option<String> {
    name.as_str().map(str::to_ascii_lowercase)
}

fn moment(value: &Json) -> Option<DateTime<Utc>> {
    value.as_str().map(|text| text.parse().expect("a moment in RFC 3339"))
}
