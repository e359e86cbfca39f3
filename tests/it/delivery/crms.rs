//! A world with both CRMs connected, and hands on either side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opstables::clock::Clock;
use opstables::fakes::{AttioFake, HubspotFake, Options};
use opstables::records;
use opstables::store::{Field, Queue, Sql, connections, links, organizations, queue, read_text};
use opstables::sync::crm::Hosts;
use opstables::sync::pace::Limit;
use opstables::sync::{Turn, deliver};
use opstables::tables::{Object, System};
use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::connections::connect;
use crate::harness::Bench;

pub(crate) struct Crms {
    pub(crate) t: Bench,
    pub(crate) hubspot: Arc<HubspotFake>,
    pub(crate) attio: Arc<AttioFake>,
    limits: Mutex<[Limit; 2]>,
}

impl Crms {
    /// Both CRMs, with the organization connected to them.
    pub(crate) async fn connected(t: &Bench) -> Crms {
        Crms::connected_to(t, |options| options, |_| {}).await
    }

    /// The same with CRMs that are set up otherwise, and that hold something before they are connected.
    pub(crate) async fn connected_to(
        t: &Bench,
        set_up: impl Fn(Options) -> Options,
        before: impl FnOnce(&Crms),
    ) -> Crms {
        // Calls that are under way when the first of them is refused come at the same moment of a clock that stands.
        let fair = |options| set_up(Options { grace_ms: 1, rotate_refresh_tokens: true, ..options });
        let hubspot = HubspotFake::start(fair(Options::hubspot(t.clock.clone()))).await.expect("a free port");
        let attio = AttioFake::start(fair(Options::attio(t.clock.clone()))).await.expect("a free port");
        let crms = Crms::of(t, Arc::new(hubspot), Arc::new(attio));
        before(&crms);
        for system in System::ALL {
            connect(&crms.t, *system, "test-token").await;
            describe(&crms.t, *system).await;
        }
        crms
    }

    fn of(t: &Bench, hubspot: Arc<HubspotFake>, attio: Arc<AttioFake>) -> Crms {
        let t = t.reaching(Hosts { hubspot: hubspot.url(), attio: attio.url() });
        let limits = Mutex::new([Limit::new(System::Hubspot), Limit::new(System::Attio)]);
        Crms { t, hubspot, attio, limits }
    }

    /// The same CRMs and the same database, seen by a process with another clock.
    pub(crate) fn at(&self, clock: &Clock) -> Crms {
        let t = Bench::process(&self.t.database_url, self.t.org, clock);
        Crms::of(&t, Arc::clone(&self.hubspot), Arc::clone(&self.attio))
    }

    pub(crate) fn hosts(&self) -> Hosts {
        Hosts { hubspot: self.hubspot.url(), attio: self.attio.url() }
    }

    /// One turn for each CRM; what they came to. A turn that finds the account closed waits until it opens.
    pub(crate) async fn turn(&self) -> [Turn; 2] {
        let mut turns = [Turn::Worked(0); 2];
        for (place, system) in System::ALL.iter().enumerate() {
            let mut limit = self.limits.lock().expect("the limits")[place].clone();
            let engine = &self.t.app.services.sync;
            let turn = deliver(engine, self.t.org, *system, &mut limit).await.expect("a turn");
            self.limits.lock().expect("the limits")[place] = limit;
            turns[place] = turn;
        }
        let now_ms = self.t.clock.now_ms();
        let waits = turns.iter().map(|turn| match turn {
            Turn::Worked(_) => Some(0),
            Turn::Closed(until_ms) | Turn::Idle(Some(until_ms)) => Some((until_ms - now_ms).max(0)),
            Turn::Idle(None) => None,
        });
        if let Some(wait) = waits.flatten().min() {
            self.t.clock.advance_ms(wait);
        }
        turns
    }

    /// Works until nothing waits any more.
    pub(crate) async fn work(&self) {
        for _ in 0..10_000 {
            if self.turn().await == [Turn::Idle(None); 2] {
                return;
            }
            if self.is_stuck().await {
                return;
            }
        }
        panic!("it goes on for ever: {:?}", self.queue(System::Hubspot).await);
    }

    /// Works one CRM's queue beside others who do so too: time goes on, but does not leap, or it would end their leases.
    pub(crate) async fn work_beside_others(&self, system: System) {
        let mut limit = Limit::new(system);
        let engine = &self.t.app.services.sync;
        for _ in 0..1_000 {
            match deliver(engine, self.t.org, system, &mut limit).await.expect("a turn") {
                Turn::Idle(None) => return,
                Turn::Worked(_) => {}
                Turn::Idle(Some(_)) | Turn::Closed(_) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    self.t.clock.advance_ms(20);
                }
            }
        }
        panic!("it goes on for ever: {:?}", self.queue(system).await);
    }

    /// Whether the lines that wait belong to a broken connection.
    async fn is_stuck(&self) -> bool {
        let mut tx = self.t.app.services.store.read().await.expect("a connection");
        let all = connections::all(&mut tx, self.t.org).await.expect("the connections");
        drop(tx);
        let broken = all.iter().filter(|row| row.state != "active").map(|row| row.system.as_str());
        let broken: Vec<&str> = broken.collect();
        if broken.is_empty() {
            return false;
        }
        let mut waits = false;
        for system in System::ALL.iter().filter(|system| !broken.contains(&system.name())) {
            waits |= self.queue(*system).await.iter().any(|line| line.starts_with("pending"));
        }
        !waits
    }

    /// A turn for each CRM that ends in the middle, wherever it happens to be.
    pub(crate) async fn die_at_work(&self) {
        for (place, system) in System::ALL.iter().enumerate() {
            let mut limit = self.limits.lock().expect("the limits")[place].clone();
            let engine = &self.t.app.services.sync;
            let work = deliver(engine, self.t.org, *system, &mut limit);
            let time = Duration::from_micros(500 * u64::from(engine.ids.secret()[0]));
            drop(tokio::time::timeout(time, work).await);
        }
    }

    /// A refresh token, as the authorization of an app gives one.
    pub(crate) async fn authorize(&self) -> String {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "test-client"),
            ("client_secret", "test-secret"),
            ("redirect_uri", "https://example.com/back"),
            ("code", &self.hubspot.authorize()),
        ];
        let url = format!("{}/oauth/2026-09/token", self.hubspot.url());
        let answer = reqwest::Client::new().post(url).form(&form).send().await.expect("an answer");
        let tokens: Json = answer.json().await.expect("JSON");
        tokens["refresh_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    /// Has a person decide between both sides' edits of a column.
    pub(crate) async fn decide_by_hand(&self, table: &str, column: &str) {
        let services = &self.t.app.services;
        let mut tx = services.store.begin().await.expect("a transaction");
        let edit = json!([{"table": table, "column": column, "property": "jobtitle", "policy": "manual"}]);
        connections::set_mapping(&mut tx, self.t.org, "hubspot", edit).await.expect("a mapping");
        organizations::bump(&mut tx, self.t.org).await.expect("a new version");
        tx.commit().await.expect("a commit");
    }

    /// A contact whose title was edited at `HubSpot` after it was here, so that a person must decide; and its record there.
    pub(crate) async fn disputed_title(&self) -> (String, String) {
        self.decide_by_hand("contacts", "title").await;
        let row = self.t.create("contacts", json!({"email": "ann@acme.com", "title": "Ours"})).await;
        self.work().await;
        let [hubspot, _] = self.records(&row).await;
        self.t.clock.advance_ms(60_000);
        self.hubspot.edit("contacts", &hubspot, "jobtitle", Some("Theirs")).expect("an edit");
        self.read_back(&row).await;
        (row, hubspot)
    }

    /// Has a row's record at `HubSpot` read with its history.
    pub(crate) async fn read_back(&self, row: &str) {
        let mut tx = self.t.app.services.store.begin().await.expect("a transaction");
        let (row, now_ms) = (row.parse().expect("an id"), self.t.clock.now_ms());
        queue::doubt(&mut tx, self.t.org, Queue::HUBSPOT, row, "contacts", now_ms).await.expect("a line");
        tx.commit().await.expect("a commit");
        self.work().await;
    }

    /// The records that a row is: at `HubSpot` and at `Attio`.
    pub(crate) async fn records(&self, row: &str) -> [String; 2] {
        let row = row.parse().expect("an id");
        let mut tx = self.t.app.services.store.read().await.expect("a connection");
        let known = links::of_rows(&mut tx, self.t.org, &[row]).await.expect("the links");
        let record = |system: System| {
            let link = known.iter().find(|link| link.system == system.name());
            link.unwrap_or_else(|| panic!("no record at {system:?}")).record_id.clone()
        };
        [record(System::Hubspot), record(System::Attio)]
    }

    pub(crate) fn hubspot_value(&self, record: &str, property: &str) -> String {
        self.hubspot_value_of("contacts", record, property)
    }

    pub(crate) fn hubspot_value_of(&self, object: &str, record: &str, property: &str) -> String {
        let record = self.hubspot.record(object, record).expect("a record");
        record.get(property).cloned().unwrap_or_default()
    }

    pub(crate) fn attio_value(&self, record: &str, attribute: &str) -> Json {
        let record = self.attio.record("people", record).expect("a record");
        record.get(attribute).and_then(|values| values.first()).cloned().unwrap_or_default()
    }

    /// The records of the companies that a contact is associated with: at `HubSpot` its primary one, and at `Attio`.
    pub(crate) async fn companies_of(&self, row: &str) -> [Option<String>; 2] {
        let [hubspot, attio] = self.records(row).await;
        let there = self.attio_value(&attio, "company")["target_record_id"].as_str().map(str::to_owned);
        [Some(self.hubspot_value(&hubspot, "associatedcompanyid")).filter(|id| !id.is_empty()), there]
    }

    /// The notes on a contact at `Attio`, each with its id, title and content.
    pub(crate) async fn notes(&self, row: &str) -> Vec<(String, String, String)> {
        let [_, attio] = self.records(row).await;
        self.attio.notes(&attio)
    }

    /// No line waits for anything.
    pub(crate) async fn is_settled(&self) {
        for system in System::ALL {
            let lines = self.queue(*system).await;
            assert!(lines.iter().all(|line| line.starts_with("done|{}|")), "{system:?}: {lines:?}");
        }
    }

    /// A queue's lines as `state|columns|class|column`.
    pub(crate) async fn queue(&self, system: System) -> Vec<String> {
        let columns = match self.t.app.services.store.dialect() {
            opstables::store::Dialect::Sqlite => "columns",
            opstables::store::Dialect::Postgres => "cast(columns as text)",
        };
        let text = format!(
            "select state, {columns}, coalesce(error_class, ''), coalesce(error_column, '') from {} order by row_id",
            records::queue_of(system).table()
        );
        self.lines(&text, 4).await
    }

    /// The lost edits of a row as `column|kind|value|resolution`.
    pub(crate) async fn conflicts(&self, row: &str) -> Vec<String> {
        let value = match self.t.app.services.store.dialect() {
            opstables::store::Dialect::Sqlite => "loser_value",
            opstables::store::Dialect::Postgres => "cast(loser_value as text)",
        };
        let id = match self.t.app.services.store.dialect() {
            opstables::store::Dialect::Sqlite => format!("x'{}'", row.replace('-', "")),
            opstables::store::Dialect::Postgres => format!("'{row}'"),
        };
        let text = format!(
            "select column_key, kind, {value}, resolution from ops_sync_conflicts where row_id = {id} order by column_key, kind"
        );
        self.lines(&text, 4).await
    }

    async fn lines(&self, text: &str, columns: usize) -> Vec<String> {
        let mut tx = self.t.app.services.store.read().await.expect("a connection");
        let rows = tx.fetch_fields(Sql::new(text), &vec![Field::Text; columns]).await.expect("a read");
        let line = |row: &Vec<_>| {
            row.iter().map(|cell| read_text(cell).unwrap_or("null")).collect::<Vec<_>>().join("|")
        };
        rows.iter().map(line).collect()
    }

    /// The columns that wait in a queue, by row.
    pub(crate) async fn waiting(&self, system: System) -> HashMap<Uuid, Vec<String>> {
        let mut tx = self.t.app.services.store.read().await.expect("a connection");
        let text = format!(
            "select row_id, columns from {} where state in ('pending', 'leased')",
            records::queue_of(system).table()
        );
        let lines: Vec<(Uuid, sqlx::types::Json<Map<String, Json>>)> =
            tx.fetch(Sql::new(&text)).await.expect("a read");
        lines.into_iter().map(|(row, columns)| (row, columns.0.keys().cloned().collect())).collect()
    }

    /// How many live rows a table has.
    pub(crate) async fn count(&self, table: &str) -> usize {
        let text = format!("select cast(count(*) as text) from {table}");
        self.lines(&text, 1).await[0].parse().expect("a number")
    }

    /// How many values are said to be on their way.
    pub(crate) async fn unarrived(&self) -> usize {
        let text = "select cast(count(*) as text) from crm_ledger where reported_ms is null";
        self.lines(text, 1).await[0].parse().expect("a number")
    }

    /// How many live rows hold a text in a column.
    pub(crate) async fn count_of(&self, table: &str, column: &str, text: &str) -> usize {
        let text = format!("select cast(count(*) as text) from {table} where {column} = '{text}'");
        self.lines(&text, 1).await[0].parse().expect("a number")
    }

    pub(crate) async fn rows_of(&self, table: &str) -> Vec<Uuid> {
        let shown = self.t.rows(&format!("query_{table}"), json!({"fields": ["id"], "limit": 200})).await;
        shown.iter().filter_map(|row| row["id"].as_str()?.parse().ok()).collect()
    }

    /// What the CRMs hold is what the table holds, for every linked contact.
    pub(crate) async fn agree(&self) {
        let fields = ["id", "first_name", "last_name", "email", "title", "phone"];
        let rows = self.t.rows("query_contacts", json!({"fields": fields, "limit": 200})).await;
        assert!(!rows.is_empty());
        for row in rows {
            let [hubspot, attio] = self.records(row["id"].as_str().expect("an id")).await;
            let hubspot = self.hubspot.record("contacts", &hubspot).expect("a record");
            let attio = self.attio.record("people", &attio).expect("a record");
            check_record(&row, &hubspot, &attio);
        }
    }
}

fn check_record(
    row: &Map<String, Json>,
    hubspot: &std::collections::BTreeMap<String, String>,
    attio: &std::collections::BTreeMap<String, Vec<Json>>,
) {
    let ours = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let theirs = |key: &str| hubspot.get(key).cloned().unwrap_or_default();
    let part = |attribute: &str, part: &str| {
        let value = attio.get(attribute).and_then(|values| values.first());
        value.and_then(|value| value[part].as_str()).unwrap_or_default().to_owned()
    };
    let pairs = [
        ("first_name", theirs("firstname"), part("name", "first_name")),
        ("last_name", theirs("lastname"), part("name", "last_name")),
        ("email", theirs("email"), part("email_addresses", "email_address")),
        ("title", theirs("jobtitle"), part("job_title", "value")),
        ("phone", theirs("phone"), part("phone_numbers", "phone_number")),
    ];
    for (column, hubspot, attio) in pairs {
        assert_eq!((ours(column), ours(column)), (hubspot, attio), "{column}");
    }
}

/// Takes over what the CRM says of its properties, as connecting does.
async fn describe(t: &Bench, system: System) {
    let services = &t.app.services;
    let token = SecretString::from("test-token".to_owned());
    let client = services.sync.client().expect("a client");
    let account = client.account(system, &token).await.expect("an account");
    let mut properties = Map::new();
    for object in Object::ALL {
        client.prepare(system, &token, *object).await.expect("the property of the row's id");
        let described = client.properties(system, &token, *object).await.expect("the properties");
        properties.insert(object.name().to_owned(), serde_json::to_value(described).expect("JSON"));
    }
    let mut tx = services.store.begin().await.expect("a transaction");
    let row = connections::get(&mut tx, t.org, system.name(), true).await.expect("a read");
    let mut row = row.expect("a connection");
    row.properties = sqlx::types::Json(Json::Object(properties));
    row.writer = account.writer;
    row.account = account.id;
    connections::put(&mut tx, t.org, &row).await.expect("a connection");
    organizations::bump(&mut tx, t.org).await.expect("a new version");
    tx.commit().await.expect("a commit");
}
