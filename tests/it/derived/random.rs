//! Random calls on all five tables, by one caller and by several: after each of them everything is as computed anew, and as
//! the plainest reading of the rows gives it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};

use super::{pass, right};
use crate::harness::{Bench, on_both};
use crate::schedules::dice::Dice;

const ROUNDS: usize = 60;
const TABLES: [&str; 5] = ["leads", "meetings", "contacts", "companies", "clients"];

type Row = Map<String, Json>;

fn email(dice: &mut Dice) -> Json {
    if dice.chance(15) { Json::Null } else { json!(format!("p{}@x.io", dice.roll(6))) }
}

/// A moment between forty days ago and five days ahead.
fn moment(dice: &mut Dice, now: DateTime<Utc>) -> Json {
    if dice.chance(10) {
        return Json::Null;
    }
    let hours = i64::try_from(dice.roll(45 * 24)).unwrap();
    json!(now + TimeDelta::hours(hours - 40 * 24))
}

fn cells(dice: &mut Dice, table: &str, now: DateTime<Utc>) -> Json {
    let company = *dice.pick(&["Acme", "ACME", "Globex", "Initech"]);
    let some = |dice: &mut Dice, value: Json| if dice.chance(50) { value } else { Json::Null };
    match table {
        "leads" => json!({
            "contact_email": email(dice),
            "meeting_start": moment(dice, now),
            "created_at": moment(dice, now),
            "status": dice.pick(&["new", "ready", "converted", "cancelled"]),
            "priority": dice.pick(&["low", "high", "urgent"]),
            "meeting_outcome": some(dice, json!("completed")),
        }),
        "meetings" => json!({
            "contact_email": email(dice),
            "meeting_date": moment(dice, now),
            "sentiment": dice.pick(&["Negative", "Neutral", "Very Positive"]),
            "summary": some(dice, json!("Said much.")),
        }),
        "contacts" => json!({
            "email": email(dice),
            "company_name": company,
            "last_engagement": moment(dice, now),
            "recent_signals": some(dice, json!(["hiring", "met"])),
        }),
        "companies" => json!({"name": company, "last_contact_date": moment(dice, now)}),
        _ => json!({"contact_email": email(dice), "company_name": company, "status": "active"}),
    }
}

/// Some of the cells, so that edits touch one column as often as several.
fn part(dice: &mut Dice, mut cells: Json) -> Json {
    let keys: Vec<String> = cells.as_object().unwrap().keys().cloned().collect();
    for key in keys {
        if dice.chance(50) {
            cells.as_object_mut().unwrap().remove(&key);
        }
    }
    cells
}

async fn ids(t: &Bench, table: &str, archived: bool) -> Vec<String> {
    let found = t
        .rows(&format!("query_{table}"), json!({"archived": archived, "fields": ["id"], "limit": 200}))
        .await;
    found.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Makes one call; the change that it made.
async fn call(t: &Bench, dice: &mut Dice, changes: &[Json]) -> Json {
    let table = *dice.pick(&TABLES);
    let now = t.clock.now();
    let save = format!("save_{table}");
    let known = ids(t, table, false).await;
    let done = match dice.roll(10) {
        0..4 => {
            let rows: Vec<Json> = (0..=dice.roll(4)).map(|_| cells(dice, table, now)).collect();
            t.call(&save, json!({"rows": rows})).await
        }
        4..7 if !known.is_empty() => {
            let whole = cells(dice, table, now);
            let mut row = part(dice, whole);
            row["id"] = json!(dice.pick(&known));
            t.call(&save, json!({"rows": [row]})).await
        }
        7 if !known.is_empty() => {
            t.call("archive_rows", json!({"table": table, "ids": [dice.pick(&known)]})).await
        }
        8 => {
            let gone = ids(t, table, true).await;
            if gone.is_empty() {
                return Json::Null;
            }
            t.call("archive_rows", json!({"table": table, "ids": [dice.pick(&gone)], "restore": true})).await
        }
        _ if !changes.is_empty() => t.call("undo_change", json!({"change_id": dice.pick(changes)})).await,
        _ => return Json::Null,
    };
    done.map_or(Json::Null, |done| done["change_id"].clone())
}

fn at(row: &Row, column: &str) -> Option<DateTime<Utc>> {
    row[column].as_str().map(|text| text.parse().unwrap())
}

/// Reads all rows and works the figures out of them that can be read without what was written.
async fn read(t: &Bench) {
    let all = async |table: &str, fields: &[&str]| {
        t.rows(&format!("query_{table}"), json!({"fields": fields, "limit": 200})).await
    };
    let now = t.clock.now();
    let meetings = all("meetings", &["contact_email", "meeting_date", "sentiment", "summary"]).await;
    let contacts = all("contacts", &["email", "company_name", "last_engagement", "recent_signals"]).await;
    for contact in contacts.iter().filter(|contact| contact["email"].is_string()) {
        let own = || meetings.iter().filter(|meeting| meeting["contact_email"] == contact["email"]);
        let began = own().filter_map(|meeting| at(meeting, "meeting_date")).filter(|at| *at <= now).max();
        assert!(at(contact, "last_engagement") >= began, "{contact:?} {began:?}");
        let of_late = |meeting: &&Row| {
            at(meeting, "meeting_date").is_some_and(|at| at <= now && at > now - TimeDelta::days(30))
        };
        let is_sad = own().filter(of_late).any(|meeting| meeting["sentiment"] == "Negative");
        let signals = contact["recent_signals"].as_array().cloned().unwrap_or_default();
        assert_eq!(signals.contains(&json!("negative sentiment")), is_sad, "{contact:?}");
    }
    for company in all("companies", &["name", "active_contacts_count", "last_contact_date"]).await {
        let name = company["name"].as_str().unwrap_or_default().to_lowercase();
        let of_it = || {
            contacts
                .iter()
                .filter(|it| it["company_name"].as_str().unwrap_or_default().to_lowercase() == name)
        };
        let count = if name.is_empty() { 0 } else { of_it().count() };
        assert_eq!(company["active_contacts_count"], json!(count), "{company:?}");
        let latest = of_it().filter(|_| !name.is_empty()).filter_map(|it| at(it, "last_engagement")).max();
        assert!(at(&company, "last_contact_date") >= latest, "{company:?} {latest:?}");
    }
}

on_both! {
    async fn whatever_is_called_everything_is_as_computed_anew(t: Bench) {
        for seed in 0..4 {
            let (mut dice, mut changes) = (Dice::new(seed), Vec::new());
            for _ in 0..ROUNDS {
                let change = call(&t, &mut dice, &changes).await;
                changes.extend(change.is_string().then_some(change));
                if dice.chance(30) {
                    let hours = i64::try_from(dice.roll(60)).unwrap();
                    pass(&t, hours * 3_600_000).await;
                }
                assert_eq!(right(&t).await.waiting, 0);
            }
            read(&t).await;
        }
        crate::history::check(&t).await;
    }

    async fn several_at_once_leave_everything_as_computed_anew(t: Bench) {
        let writers = (0..4).map(|seed| {
            let bench = t.another_process();
            tokio::spawn(async move {
                let (mut dice, mut changes) = (Dice::new(100 + seed), Vec::new());
                for _ in 0..40 {
                    let change = call(&bench, &mut dice, &changes).await;
                    changes.extend(change.is_string().then_some(change));
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert!(right(&t).await.rows > 0);
        read(&t).await;
        crate::history::check(&t).await;
    }

    async fn a_contact_and_its_meeting_made_at_once_find_each_other(t: Bench) {
        let other = t.another_process();
        for round in 0..25 {
            let email = format!("p{round}@x.io");
            let contact = json!({"rows": [{"email": email, "company_name": "Acme"}]});
            let meeting = json!({"rows": [{"contact_email": email, "meeting_date": "2026-02-01T00:00:00Z"}]});
            let company = json!({"rows": [{"name": "Acme"}]});
            let (one, two, three) = tokio::join!(
                t.call("save_contacts", contact), other.call("save_meetings", meeting), other.call("save_companies", company)
            );
            assert!(one.is_ok() && two.is_ok() && three.is_ok());
        }
        right(&t).await;
        let rows = t.rows("query_contacts", json!({"fields": ["last_engagement"], "limit": 200})).await;
        assert!(rows.iter().all(|row| row["last_engagement"] == "2026-02-01T00:00:00Z"));
    }
}
