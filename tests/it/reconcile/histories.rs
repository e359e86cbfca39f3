//! Random histories at both CRMs and here, of which nothing is told: in the end all three hold the same.
//!
//! `OPSTABLES_HISTORIES` says how many are tried.

use std::collections::BTreeSet;

use opstables::records::queue_of;
use opstables::store::{Field, Sql, queue, read_text};
use opstables::tables::System;
use serde_json::{Map, Value as Json, json};

use super::reader::{POLL_MS, after, contacts, record, settle};
use crate::delivery::crms::Crms;
use crate::harness::{Bench, on_both};

const STEPS: u32 = 40;

on_both! {
    async fn all_three_agree_after_any_history(t: Bench) {
        let histories = std::env::var("OPSTABLES_HISTORIES").map_or(4, |text| text.parse().expect("a number"));
        for seed in 1..=histories {
            let world = World { t: &t, seed };
            world.run().await;
        }
    }
}

struct World<'a> {
    t: &'a Bench,
    seed: u64,
}

/// A plain generator: which numbers come does not matter, only that they are many.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("it is small") % most.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let place = self.below(of.len());
        of.get(place)
    }
}

impl World<'_> {
    async fn run(&self) {
        let org =
            self.t.app.create_organization(&format!("world-{}", self.seed), "World", chrono_tz::UTC).await;
        let t = self.t.within(org.expect("an organization").0);
        let crms = Crms::connected(&t).await;
        let mut dice = Dice(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut done = Vec::new();
        for step in 0..STEPS {
            crms.t.clock.advance_ms(1 + i64::try_from(dice.below(90_000)).expect("it is small"));
            done.push(act(&crms, &mut dice, step).await);
        }
        settle(&crms).await;
        let problems = problems(&crms).await;
        assert!(problems.is_empty(), "seed {}: {problems:#?} after {done:#?}", self.seed);
    }
}

/// One thing that somebody does somewhere, or a look of the worker; in words.
async fn act(crms: &Crms, dice: &mut Dice, step: u32) -> String {
    let new = format!("T{step}");
    match dice.below(20) {
        0..=2 => {
            let row = json!({"email": format!("p{step}@acme.com"), "first_name": "Pat", "title": new});
            crms.t.create("contacts", row).await;
            "made here".to_owned()
        }
        3..=5 => {
            let rows = contacts(crms).await;
            let Some(row) = dice.one(&rows) else { return "nobody here".to_owned() };
            let edit = match dice.below(4) {
                0 => json!({"id": row["id"], "title": null}),
                1 => json!({"id": row["id"], "first_name": new}),
                2 => json!({"id": row["id"], "phone": format!("+1415555{:04}", step + 100)}),
                _ => json!({"id": row["id"], "title": new}),
            };
            crms.t.ok("save_contacts", json!({"rows": [edit]})).await;
            format!("edited here: {edit}")
        }
        6..=16 => at_a_crm(crms, dice, step, new).await,
        17..=18 => {
            crms.work().await;
            "sent".to_owned()
        }
        _ => {
            after(crms, POLL_MS).await;
            "read".to_owned()
        }
    }
}

/// One thing that somebody does at a CRM; in words.
async fn at_a_crm(crms: &Crms, dice: &mut Dice, step: u32, new: String) -> String {
    let hubspot = crms.hubspot.ids("contacts");
    let attio = crms.attio.ids("people");
    match 6 + dice.below(11) {
        6 => {
            let email = address(crms, dice, step).await;
            let person = [("email", email.as_str()), ("firstname", "Hub"), ("jobtitle", new.as_str())];
            let is_taken = hubspot.iter().any(|id| crms.hubspot_value(id, "email") == email);
            if is_taken {
                return "there already".to_owned();
            }
            format!("made at HubSpot: {:?} {email}", crms.hubspot.create("contacts", &person))
        }
        7 => {
            let email = address(crms, dice, step).await;
            let person = json!({"email_addresses": [email], "job_title": new});
            format!("made at Attio: {:?} {email}", crms.attio.create("people", &person))
        }
        8..=10 => {
            let Some(id) = dice.one(&hubspot) else { return "nobody at HubSpot".to_owned() };
            let (property, value) = match dice.below(4) {
                0 => ("jobtitle", None),
                1 => ("lastname", Some(new.clone())),
                2 => ("phone", Some(format!("+1415555{:04}", step + 200))),
                _ => ("jobtitle", Some(new.clone())),
            };
            crms.hubspot.edit("contacts", id, property, value.as_deref()).expect("an edit");
            format!("edited at HubSpot: {id} {property} {value:?}")
        }
        11..=12 => {
            let Some(id) = dice.one(&attio) else { return "nobody at Attio".to_owned() };
            let (attribute, value) = match dice.below(3) {
                0 => ("job_title", json!([])),
                1 => (
                    "name",
                    json!([{"first_name": new, "last_name": "Ray", "full_name": format!("{new} Ray")}]),
                ),
                _ => ("job_title", json!([new])),
            };
            crms.attio.edit("people", id, attribute, &value).expect("an edit");
            format!("edited at Attio: {id} {attribute} {value}")
        }
        13 => {
            let Some(id) = dice.one(&hubspot) else { return "nobody at HubSpot".to_owned() };
            crms.hubspot.archive("contacts", id).expect("a deletion");
            format!("deleted at HubSpot: {id}")
        }
        14 => {
            let archived = crms.hubspot.archived_ids("contacts");
            let Some(id) = dice.one(&archived) else { return "nobody to restore".to_owned() };
            format!("restored at HubSpot: {id} {:?}", crms.hubspot.restore("contacts", id).is_ok())
        }
        15 => {
            let (Some(one), Some(two)) = (dice.one(&hubspot), dice.one(&hubspot)) else {
                return "nobody at HubSpot".to_owned();
            };
            format!("merged at HubSpot: {one} {two} {:?}", crms.hubspot.merge("contacts", one, two).ok())
        }
        _ => {
            let (Some(one), Some(two)) = (dice.one(&attio), dice.one(&attio)) else {
                return "nobody at Attio".to_owned();
            };
            if dice.below(2) == 0 {
                crms.attio.delete("people", one).expect("a deletion");
                return format!("deleted at Attio: {one}");
            }
            format!("merged at Attio: {one} {two} {:?}", crms.attio.merge("people", one, two).ok())
        }
    }
}

/// An e-mail address: sometimes that of somebody who is here already.
async fn address(crms: &Crms, dice: &mut Dice, step: u32) -> String {
    let rows = contacts(crms).await;
    match dice.one(&rows).and_then(|row| row["email"].as_str()) {
        Some(known) if dice.below(3) == 0 => known.to_owned(),
        _ => format!("p{step}@acme.com"),
    }
}

/// Where the sides do not hold the same.
async fn problems(crms: &Crms) -> Vec<String> {
    let mut problems = Vec::new();
    let rows = contacts(crms).await;
    let refused = [refused(crms, System::Hubspot).await, refused(crms, System::Attio).await];
    for row in &rows {
        let id = row["id"].as_str().expect("an id");
        // What a CRM refuses waits for a person: rows that one CRM merged may be two people with one address in the other.
        let [at_hubspot, at_attio] = refused.each_ref().map(|refused| refused.contains(id));
        if !at_hubspot && let Some(record) = record(crms, System::Hubspot, id).await {
            let held = crms.hubspot.record("contacts", &record).unwrap_or_default();
            let theirs = |name: &str| held.get(name).cloned().unwrap_or_default();
            let pairs = [
                ("first_name", "firstname"),
                ("last_name", "lastname"),
                ("title", "jobtitle"),
                ("phone", "phone"),
            ];
            problems.extend(pairs.iter().filter(|(column, name)| ours(row, column) != theirs(name)).map(
                |(column, name)| {
                    format!("HubSpot {record} {column}: {:?} and {:?}", ours(row, column), theirs(name))
                },
            ));
        }
        if !at_attio && let Some(record) = record(crms, System::Attio, id).await {
            let held = crms.attio.record("people", &record).unwrap_or_default();
            let theirs = |name: &str, part: &str| {
                let value = held.get(name).and_then(|values| values.first());
                value.and_then(|value| value[part].as_str()).unwrap_or_default().to_owned()
            };
            let parts = [
                ("first_name", theirs("name", "first_name")),
                ("last_name", theirs("name", "last_name")),
                ("title", theirs("job_title", "value")),
                ("phone", theirs("phone_numbers", "phone_number")),
            ];
            problems.extend(parts.iter().filter(|(column, theirs)| ours(row, column) != *theirs).map(
                |(column, theirs)| format!("Attio {record} {column}: {:?} and {theirs:?}", ours(row, column)),
            ));
        }
    }
    // Nobody who is at a CRM is unknown here, and nobody is here who is gone there.
    for (system, live) in [("hubspot", crms.hubspot.ids("contacts")), ("attio", crms.attio.ids("people"))] {
        let live: BTreeSet<String> = live.into_iter().collect();
        let known = linked(crms, system).await;
        problems.extend(live.difference(&known).map(|id| format!("{system} {id} is no row")));
        problems.extend(known.difference(&live).map(|id| format!("{system} {id} is gone and still linked")));
    }
    problems
}

/// The rows whose changes a CRM refuses for good.
async fn refused(crms: &Crms, system: System) -> BTreeSet<String> {
    let mut tx = crms.t.app.services.store.read().await.expect("a connection");
    let dead = queue::dead(&mut tx, crms.t.org, queue_of(system), None, &[]).await.expect("the lines");
    dead.into_iter().map(|(row, _)| row.to_string()).collect()
}

fn ours(row: &Map<String, Json>, column: &str) -> String {
    row[column].as_str().unwrap_or_default().to_owned()
}

/// The records that rows are at a CRM, as far as they are known to be there.
async fn linked(crms: &Crms, system: &str) -> BTreeSet<String> {
    let mut tx = crms.t.app.services.store.read().await.expect("a connection");
    let text = format!(
        "select record_id from crm_links where org_id = $1 and system = '{system}' and gone_ms is null"
    );
    let rows = tx.fetch_fields(Sql::with(&text, [crms.t.org.into()]), &[Field::Text]).await.expect("a read");
    rows.iter().filter_map(|row| read_text(&row[0]).map(str::to_owned)).collect()
}
