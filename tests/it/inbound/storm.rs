//! Thousands of events, in any order, each up to four times, while the server that takes them in is killed again and again.
//!
//! `OPSTABLES_EVENTS` says how many events there are; the server is killed once for every five hundred of them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use opstables::clock::Clock;
use opstables::fakes::Habits;
use opstables::store::Sql;
use opstables::sync::{hooks, registration};
use opstables::tables::System;
use secrecy::SecretString;
use serde_json::json;
use tokio::time::sleep;

use super::expire_leases;
use crate::client::McpProcess;
use crate::database::{change, lines};
use crate::delivery::crms::Crms;
use crate::harness::{Bench, KEY, on_both};
use crate::schedules::dice::Dice;

const EVENTS: usize = 1_000;
const EVENTS_A_KILL: usize = 500;
const PEOPLE: usize = 40;
const PUBLIC: &str = "https://hooks.example.com";

on_both! {
    async fn every_event_has_one_effect_though_the_server_is_killed(t: Bench) {
        let count = std::env::var("OPSTABLES_EVENTS").map_or(EVENTS, |text| text.parse().expect("a number"));
        let crms = Crms::connected(&Bench::process(&t.database_url, t.org, &Clock::System)).await;
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            let person = json!({"email": format!("p{number}@acme.com"), "title": "Old"});
            people.push(crms.t.create("contacts", person).await);
        }
        crms.work().await;
        // As many changes of so few rows would be held back.
        let text = "insert into crm_hooks (org_id, system, secrets, free_until_ms)
                    select org_id, system, $1, 9007199254740991 from crm_connections";
        change(&crms.t, [Sql::with(text, [Vec::<u8>::new().into()])]).await;
        register(&crms).await;
        drop((crms.hubspot.take_events(), crms.attio.take_events()));
        Story::new(&crms, &people).await.rage(&crms, count).await.check(&crms).await;
    }
}

/// Has both CRMs tell of everything, signed with what they gave for it.
async fn register(crms: &Crms) {
    let services = &crms.t.app.services;
    let app = registration::App {
        id: None,
        developer_key: SecretString::from("test-developer-key"),
        client_secret: Some(SecretString::from("test-secret")),
    };
    for system in System::ALL {
        let made =
            registration::register(&services.sync, crms.t.org, *system, PUBLIC, Some(&app), false).await;
        let made = made.expect("webhooks");
        let secret = made.secret.expect("a new secret");
        let mut tx = services.store.begin().await.expect("a transaction");
        let place = (crms.t.org, *system);
        hooks::add_secret(&services.sync, &mut tx, place, made.connection, &secret).await.expect("a secret");
        tx.commit().await.expect("a commit");
    }
}

/// What people do at both CRMs, and what must come of it.
struct Story {
    /// Each person's records, at HubSpot and at Attio.
    records: Vec<[String; 2]>,
    /// The last title of each person, by who wrote it last.
    last: BTreeMap<usize, String>,
    /// How many titles were written at HubSpot.
    written: usize,
    dice: Dice,
}

impl Story {
    async fn new(crms: &Crms, people: &[String]) -> Story {
        let mut records = Vec::new();
        for person in people {
            records.push(crms.records(person).await);
        }
        Story { records, last: BTreeMap::new(), written: 0, dice: Dice::new(11) }
    }

    /// Edits go on while the server comes and goes.
    async fn rage(mut self, crms: &Crms, count: usize) -> Story {
        let habits = Habits {
            shuffle: true,
            copies: (1, 4),
            retry: Duration::from_millis(20),
            timeout: Duration::from_secs(2),
            ..Habits::default()
        };
        crms.hubspot.deliveries().set_habits(habits);
        crms.attio.deliveries().set_habits(habits);
        for _ in 0..count.div_ceil(EVENTS_A_KILL) {
            let server = self.serve(crms).await;
            for _ in 0..EVENTS_A_KILL.min(count) {
                self.edit(crms);
                sleep(Duration::from_millis(1)).await;
            }
            let lives = u64::try_from(self.dice.roll(600)).unwrap_or(0);
            sleep(Duration::from_millis(lives)).await;
            drop(server);
            expire_leases(&crms.t).await;
        }
        // What could not be delivered is delivered to the last one, and what was left is done by it.
        let server = self.serve(crms).await;
        calm(crms).await;
        drop(server);
        assert_eq!(crms.hubspot.deliveries().given_up() + crms.attio.deliveries().given_up(), 0);
        self
    }

    /// Somebody writes a title that nobody has written before: at Attio now and then, where each event costs a reading.
    fn edit(&mut self, crms: &Crms) {
        let person = self.dice.roll(self.records.len());
        let [hubspot, attio] = &self.records[person];
        let title = format!("Title {} {}", person, self.dice.roll(1_000_000_000));
        if self.dice.chance(4) {
            crms.attio.edit("people", attio, "job_title", &json!(title)).expect("an edit");
        } else {
            crms.hubspot.edit("contacts", hubspot, "jobtitle", Some(&title)).expect("an edit");
            self.written += 1;
        }
        self.last.insert(person, title);
    }

    /// A server that takes in webhooks and works, at a new address.
    async fn serve(&self, crms: &Crms) -> McpProcess {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
        let hosts = crms.hosts();
        let listen = format!("127.0.0.1:{port}");
        let env = [
            ("OPSTABLES_DATABASE_URL", crms.t.database_url.as_str()),
            ("OPSTABLES_HUBSPOT_BASE_URL", &hosts.hubspot),
            ("OPSTABLES_ATTIO_BASE_URL", &hosts.attio),
            ("OPSTABLES_SECRET_KEY", KEY),
            ("OPSTABLES_ORG", "acme"),
            ("OPSTABLES_PUBLIC_URL", PUBLIC),
        ];
        let server = McpProcess::start(&env, &["--http", &listen]);
        for _ in 0..2_000 {
            if tokio::net::TcpStream::connect(&listen).await.is_ok() {
                break;
            }
            sleep(Duration::from_millis(5)).await;
        }
        for deliveries in [crms.hubspot.deliveries(), crms.attio.deliveries()] {
            deliveries.route(PUBLIC, &format!("http://{listen}"));
        }
        server
    }

    async fn check(&self, crms: &Crms) {
        let rows = crms.t.rows("query_contacts", json!({"fields": ["email", "title"], "limit": 200})).await;
        assert_eq!(rows.len(), PEOPLE);
        for row in &rows {
            let email = row["email"].as_str().expect("an address");
            let person: usize = email
                .trim_start_matches('p')
                .split('@')
                .next()
                .and_then(|n| n.parse().ok())
                .expect("a number");
            let title = self.last.get(&person).map_or("Old", String::as_str);
            assert_eq!(row["title"], title, "{email}");
            let [hubspot, attio] = &self.records[person];
            assert_eq!(crms.hubspot_value(hubspot, "jobtitle"), title);
            assert_eq!(crms.attio_value(attio, "job_title")["value"], title);
        }
        let waiting =
            "select state, cast(count(*) as text) from crm_inbox where state <> 'done' group by state";
        assert_eq!(lines(&crms.t, waiting, 2).await, [""; 0]);
        let heard = "select cast(count(*) as text), cast(count(distinct cast(reported_ms as text) || value_hash || cast(row_id as text)) as text)
                     from crm_ledger where system = 'hubspot' and column_key = 'title' and actor is not null";
        let written = self.written.to_string();
        assert_eq!(
            lines(&crms.t, heard, 2).await,
            [format!("{written}|{written}")],
            "each edit is known once"
        );
    }
}

/// Waits until nothing is under way any more.
async fn calm(crms: &Crms) {
    let left = "select cast((select count(*) from crm_inbox where state <> 'done')
                  + (select count(*) from hubspot_sync_queue where state <> 'done')
                  + (select count(*) from attio_sync_queue where state <> 'done') as text)";
    let mut calm = 0;
    for _ in 0..1_500 {
        crms.hubspot.deliveries().flush().await;
        crms.attio.deliveries().flush().await;
        calm = if lines(&crms.t, left, 1).await == ["0"] { calm + 1 } else { 0 };
        if calm == 5 {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("it goes on for ever");
}
