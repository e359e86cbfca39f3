//! A person who edits while records come in never loses the edit; what the application changed later does come in.

use std::collections::BTreeMap;
use std::sync::Arc;

use opstables::backfill::{self, Settings};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::application::{Application, record, uuid};
use super::derivations::{ATTENDEES, CLIENTS, COMPANIES, CONTACTS, LEADS, MEETINGS};
use super::{all, host, row, run};
use crate::harness::{Bench, on_both};
use crate::schedules::dice::Dice;

const LEADS_THERE: u32 = 120;
const BATCH: usize = 7;

on_both! {
    async fn an_edit_made_meanwhile_is_never_lost(t: Bench) {
        for seed in 0..2 {
            edit_meanwhile(&t, seed).await;
        }
    }

    async fn the_later_of_two_edits_stands_wherever_it_was_made(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut app = many(4);
        run(&t, &app.to_folder(folder.path())).await;
        let ids = ids(&t).await;
        let save = async |name: &str, values: Json| {
            let mut row = values;
            row["id"] = json!(ids[name]);
            t.ok("save_leads", json!({"rows": [row]})).await;
        };
        // 10:00 here.
        save("Lead 1", json!({"priority": "urgent", "meeting_title": "Ours"})).await;
        save("Lead 2", json!({"priority": "urgent"})).await;
        save("Lead 3", json!({"priority": null})).await;
        // There: before it, after it, after it but another column.
        app.set("leads", &uuid(1), &json!({"priority": "high", "updated_at": "2026-03-02T09:59:59Z"}));
        app.set("leads", &uuid(2), &json!({"priority": "high", "updated_at": "2026-03-02T10:30:00Z"}));
        app.set("leads", &uuid(3), &json!({"status": "ready", "updated_at": "2026-03-02T10:30:00Z"}));
        t.clock.advance_ms(3_600_000);
        run(&t, &app.to_folder(folder.path())).await;
        let lead = async |name: &str| row(&t, "leads", "contact_name", name).await;
        let first = lead("Lead 1").await;
        assert_eq!((&first["priority"], &first["meeting_title"]), (&json!("urgent"), &json!("Ours")));
        assert_eq!(lead("Lead 2").await["priority"], "high");
        // The record's time is newer than the edit, but of the edited column it says nothing new.
        let third = lead("Lead 3").await;
        assert_eq!((third.get("priority"), &third["status"]), (None, &json!("ready")));
    }

    async fn a_clock_ahead_of_ours_beats_nobody_who_writes_later(t: Bench) {
        let folder = TempDir::new().unwrap();
        let mut app = many(1);
        app.set("leads", &uuid(1), &json!({"updated_at": "2027-01-01T00:00:00Z"}));
        run(&t, &app.to_folder(folder.path())).await;
        t.clock.advance_ms(1_000);
        let id = ids(&t).await["Lead 1"].clone();
        t.ok("save_leads", json!({"rows": [{"id": id, "priority": "urgent"}]})).await;
        app.set("leads", &uuid(1), &json!({"status": "ready", "updated_at": "2027-01-02T00:00:00Z"}));
        run(&t, &app.to_folder(folder.path())).await;
        assert_eq!(row(&t, "leads", "contact_name", "Lead 1").await["priority"], "urgent");
    }
}

/// Runs again and again with an application that changes, while a person edits at random.
async fn edit_meanwhile(t: &Bench, seed: u64) {
    let mut dice = Dice::new(seed);
    let folder = TempDir::new().unwrap();
    let mut app = many(LEADS_THERE);
    let mut edits: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..3 {
        // Every change there is older than any edit here.
        for _ in 0..30 {
            let number = 1 + u32::try_from(dice.roll(LEADS_THERE as usize)).unwrap();
            let title = format!("There {seed} {round} {}", dice.roll(9));
            app.set(
                "leads",
                &uuid(number),
                &json!({"meeting_title": title, "updated_at": "2026-03-01T12:00:00Z"}),
            );
        }
        let settings = Settings { batch: Some(BATCH), ..app.to_folder(folder.path()) };
        let over = Arc::new(Notify::new());
        let (host, ended) = (host(t), Arc::clone(&over));
        let running = tokio::spawn(async move {
            let done = backfill::run(&host, &settings, &[], false).await;
            ended.notify_one();
            done.map(drop)
        });
        let mut number = 0;
        loop {
            let known = ids(t).await;
            if !known.is_empty() {
                let names: Vec<&String> = known.keys().collect();
                let name = dice.pick(&names).to_owned().clone();
                let title = format!("Ours {seed} {round} {number}");
                t.ok("save_leads", json!({"rows": [{"id": known[&name], "meeting_title": title}]})).await;
                edits.insert(name, title);
                number += 1;
            }
            if tokio::time::timeout(std::time::Duration::from_millis(1), over.notified()).await.is_ok() {
                break;
            }
        }
        running.await.expect("a task").unwrap_or_else(|error| panic!("{error}: {:?}", error.cause()));
        let titles: BTreeMap<String, String> = all(t, "leads")
            .await
            .iter()
            .map(|row| (text(&row["contact_name"]), text(&row["meeting_title"])))
            .collect();
        assert_eq!(titles.len(), LEADS_THERE as usize);
        for (name, title) in &edits {
            assert_eq!(
                titles.get(name),
                Some(title),
                "the edit of {name} was lost (seed {seed}, round {round})"
            );
        }
    }
}

/// The leads' ids by their names.
async fn ids(t: &Bench) -> BTreeMap<String, String> {
    let rows = t.rows("query_leads", json!({"fields": ["id", "contact_name"], "limit": 200})).await;
    rows.iter().map(|row| (text(&row["contact_name"]), text(&row["id"]))).collect()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An application with so many leads, each with its meeting and its contact.
pub(super) fn many(count: u32) -> Application {
    let lead = |n: u32| {
        record(
            LEADS,
            &json!({"id": uuid(n), "contact_name": format!("Lead {n}"), "contact_email": format!("lead{n}@company{}.com", n % 9),
            "meeting_title": format!("Demo {n}"), "meeting_start": "2026-02-01T09:00:00Z", "utm_source": "news", "status": "new",
            "priority": "low", "owner_id": uuid(901), "meeting_id": format!("m{n:05}"), "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-02T00:00:00Z"}),
        )
    };
    let meeting = |n: u32| {
        record(
            MEETINGS,
            &json!({"id": format!("m{n:05}"), "title": format!("Demo {n}"), "start_time": "2026-02-01T09:00:00Z",
            "primary_contact_id": format!("c{n:05}"), "share_url": format!("https://rec.co/{n}"), "updated_at": "2026-02-02T00:00:00Z"}),
        )
    };
    let contact = |n: u32| {
        record(
            CONTACTS,
            &json!({"id": format!("c{n:05}"), "first_name": format!("First {n}"), "email": format!("lead{n}@company{}.com", n % 9),
            "company_id": 1 + n % 9, "updated_at": "2026-01-02T00:00:00Z"}),
        )
    };
    let company = |n: u32| {
        record(
            COMPANIES,
            &json!({"id": n, "name": format!("Company {n}"), "domain": format!("company{n}.com")}),
        )
    };
    let all = |make: &dyn Fn(u32) -> Json, count: u32| (1..=count).map(make).collect::<Vec<_>>();
    Application {
        tables: vec![
            ("profiles", vec![json!({"id": uuid(901), "full_name": "Tom Ford", "email": "tom@acme.com"})]),
            ("companies", all(&company, 9)),
            ("contacts", all(&contact, count)),
            ("leads", all(&lead, count)),
            ("meetings", all(&meeting, count)),
            (
                "meeting_attendees",
                vec![record(ATTENDEES, &json!({"id": "a1", "meeting_id": "m00001", "name": "Guest"}))],
            ),
            (
                "clients",
                vec![record(
                    CLIENTS,
                    &json!({"id": "k1", "company_name": "Company 1", "created_at": "2026-01-01T00:00:00Z"}),
                )],
            ),
            ("deals", vec![json!({"id": "d1", "name": "Deal", "lead_source_channel": "Partner"})]),
        ],
    }
}
