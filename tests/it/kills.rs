//! The server and its worker are killed in the middle of their work, again and again: nothing that was acknowledged is lost,
//! nothing is sent twice, and each record's values reach the CRMs in their order.
//!
//! `OPSTABLES_KILLS` says how often.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use opstables::clock::Clock;
use opstables::fakes::Past;
use opstables::records;
use opstables::store::{Sql, links};
use opstables::tables::System;
use serde_json::json;
use tokio::time::sleep;

use crate::client::McpProcess;
use crate::database::change;
use crate::delivery::crms::Crms;
use crate::harness::{Bench, KEY, on_both};
use crate::schedules::dice::Dice;

const KILLS: usize = 40;
const ROWS: usize = 8;

on_both! {
    async fn a_server_that_is_killed_loses_nothing_and_sends_nothing_twice(t: Bench) {
        let crms = Crms::connected(&Bench::process(&t.database_url, t.org, &Clock::System)).await;
        let mut rows = Vec::new();
        for number in 0..ROWS {
            let person = json!({"first_name": format!("Person {number}"), "email": format!("p{number}@acme.com")});
            rows.push(crms.t.create("contacts", person).await);
        }
        let kills = std::env::var("OPSTABLES_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
        let mut story = Story { rows, sent: 0, acknowledged: BTreeMap::new(), dice: Dice::new(7) };
        for _ in 0..kills {
            story.work_and_be_killed(&crms).await;
            check_queues(&crms).await;
            expire_leases(&crms).await;
        }
        // The leases of the last one run out.
        let later = Clock::fixed(Clock::System.now() + TimeDelta::minutes(2));
        let crms = crms.at(&later);
        crms.work().await;
        story.check(&crms, kills).await;
    }
}

struct Story {
    rows: Vec<String>,
    sent: usize,
    /// The number of the last write of each row that was acknowledged.
    acknowledged: BTreeMap<String, usize>,
    dice: Dice,
}

impl Story {
    /// Writes numbered titles as fast as they are acknowledged, until the server is gone.
    async fn work_and_be_killed(&mut self, crms: &Crms) {
        let hosts = crms.hosts();
        let env = [
            ("OPSTABLES_DATABASE_URL", crms.t.database_url.as_str()),
            ("OPSTABLES_HUBSPOT_BASE_URL", &hosts.hubspot),
            ("OPSTABLES_ATTIO_BASE_URL", &hosts.attio),
            ("OPSTABLES_SECRET_KEY", KEY),
            ("OPSTABLES_ORG", "acme"),
        ];
        let server = McpProcess::start(&env, &[]);
        let first = self.write(&server).await;
        self.note(first);
        let lives = Duration::from_millis(3 + u64::try_from(self.dice.roll(120)).unwrap_or(0));
        let end = sleep(lives);
        tokio::pin!(end);
        loop {
            let writing = self.write(&server);
            tokio::select! {
                done = writing => self.note(done),
                () = &mut end => return,
            }
        }
    }

    fn write<'a>(&mut self, server: &'a McpProcess) -> impl Future<Output = (String, usize)> + 'a {
        self.sent += 1;
        let (row, number) = (self.dice.pick(&self.rows).clone(), self.sent);
        async move {
            let rows = json!([{"id": row, "title": format!("Title {number}")}]);
            server.ok("save_contacts", json!({"rows": rows})).await;
            (row, number)
        }
    }

    fn note(&mut self, (row, number): (String, usize)) {
        self.acknowledged.insert(row, number);
    }

    async fn check(&self, crms: &Crms, kills: usize) {
        assert_eq!(crms.hubspot.ids("contacts").len(), ROWS);
        assert_eq!(crms.attio.ids("people").len(), ROWS);
        crms.agree().await;
        let shown = crms.t.rows("query_contacts", json!({"fields": ["id", "title"]})).await;
        for row in &shown {
            let id = row["id"].as_str().expect("an id");
            let kept = number(row["title"].as_str().unwrap_or_default());
            let acknowledged = self.acknowledged.get(id).copied().unwrap_or(0);
            assert!(kept >= acknowledged, "{id} holds {kept}, and {acknowledged} was acknowledged");
            let [hubspot, attio] = crms.records(id).await;
            let mut sent = check_order(&crms.hubspot.history("contacts", &hubspot, "jobtitle"));
            sent += check_order(&crms.attio.history("people", &attio, "job_title"));
            assert!(sent > 0 || acknowledged == 0, "{id} was never sent");
        }
        for (name, requests) in [("HubSpot", crms.hubspot.requests()), ("Attio", crms.attio.requests())] {
            let writes = requests.iter().filter(|request| request.done && !request.records.is_empty());
            let records: usize = writes.map(|request| request.records.len()).sum();
            let values: usize = self.values_at(crms, name).await;
            let again = records.saturating_sub(values);
            assert!(again <= kills, "{name} was sent {again} values twice in {kills} kills");
        }
    }

    /// How many writes of records a CRM needed for the values that it held.
    async fn values_at(&self, crms: &Crms, name: &str) -> usize {
        let mut values = 0;
        for row in &self.rows {
            let [hubspot, attio] = crms.records(row).await;
            let titles = match name {
                "HubSpot" => crms.hubspot.history("contacts", &hubspot, "jobtitle"),
                _ => crms.attio.history("people", &attio, "job_title"),
            };
            // Its making, which may have carried the first title already.
            values += 1 + titles.len();
        }
        values
    }
}

/// Every value came once, and after those before it; how many there were.
fn check_order(history: &[Past]) -> usize {
    let title = |past: &Past| {
        past.value
            .as_str()
            .map_or_else(|| past.value[0]["value"].as_str().unwrap_or_default().to_owned(), str::to_owned)
    };
    let mut numbers: Vec<(i64, usize)> =
        history.iter().map(|past| (past.at_ms, number(&title(past)))).collect();
    numbers.sort_unstable();
    let out_of_order = numbers.windows(2).find(|pair| pair[0].1 >= pair[1].1);
    assert_eq!(out_of_order, None, "a value came again, or after a later one");
    numbers.len()
}

fn number(title: &str) -> usize {
    title.trim_start_matches("Title ").parse().unwrap_or(0)
}

/// Whatever differs at a CRM stands in its queue.
async fn check_queues(crms: &Crms) {
    let (mut tx, catalog) = crms.t.ctx().read().await.expect("a connection");
    let table = catalog.table("contacts").expect("a table");
    let rows = crms.rows_of("contacts").await;
    let known = links::of_rows(&mut tx, catalog.org, &rows).await.expect("the links");
    for system in System::ALL {
        let connection = catalog.connection(*system).expect("a connection");
        let waiting = crms.waiting(*system).await;
        for row in &rows {
            let stored =
                records::get(&mut tx, catalog.org, table, *row).await.expect("a read").expect("a row");
            let link = known.iter().find(|link| link.row_id == *row && link.system == system.name());
            let differing = records::differing(connection, table, &stored, link);
            let missing =
                differing.keys().find(|key| !waiting.get(row).is_some_and(|columns| columns.contains(key)));
            assert_eq!(missing, None, "{row} differs at {system:?} and nothing waits");
        }
    }
}

/// The time that a lease takes to run out has passed.
async fn expire_leases(crms: &Crms) {
    let expire = |system: System| {
        Sql::new(&format!(
            "update {} set leased_until_ms = 0 where state = 'leased'",
            records::queue_of(system).table()
        ))
    };
    change(&crms.t, System::ALL.iter().map(|system| expire(*system))).await;
}
