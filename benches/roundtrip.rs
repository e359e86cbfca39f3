//! How long an edit takes from one CRM to the other: a person edits a contact at `HubSpot`, its webhook comes in, the row
//! changes, and Attio has the value.
//!
//! ```text
//! OPSTABLES_TEST_POSTGRES=postgres://user@host/postgres cargo bench --bench roundtrip
//! ```
//! Real processes throughout: `fake-crm`, which delivers webhooks as the CRMs do, and `serve --http` with its worker. The
//! edits follow one another a tenth of a second apart, since Attio allows 25 writes a second. A row is looked at every 2 ms by the same tool that a copilot calls, in this process, and Attio's
//! stand-in every 10 ms over HTTP, so that the figures are late by up to as much.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use opstables::app::{App, Options};
use opstables::records::Actor;
use opstables::store::{Org, hooks};
use opstables::sync::breaker;
use opstables::tables::System;
use opstables::tools::{Tool, Toolbox};
use serde_json::{Value as Json, json};

mod databases;

const EDITS: usize = 200;
const PAUSE: Duration = Duration::from_millis(100);
const PUBLIC_URL: &str = "https://hooks.example.com";
const LONGEST: Duration = Duration::from_secs(30);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::TempDir::new().expect("a folder");
        for (name, url) in databases::both(folder.path(), "opstables_roundtrip").await {
            let home = tempfile::TempDir::new().expect("a folder");
            measure(name, home.path(), &url).await;
        }
    });
}

async fn measure(name: &str, home: &Path, url: &str) {
    let world = World::start(home, url);
    let record =
        world.by_hand(&world.hubspot, "POST", "/crm/objects/2026-09/contacts", contact("Title")).await;
    let record = format!("/crm/objects/2026-09/contacts/{}", record["id"].as_str().expect("an id"));
    let person = world.person().await;
    let rows = Rows::open(url).await;
    rows.let_in().await;
    let mut to_row = Vec::with_capacity(EDITS);
    let mut to_attio = Vec::with_capacity(EDITS);
    for number in 0..EDITS {
        let title = format!("Title {number}");
        let began = Instant::now();
        world.by_hand(&world.hubspot, "PATCH", &record, contact(&title)).await;
        while rows.title().await != title {
            assert!(began.elapsed() < LONGEST, "the row is not {title}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        to_row.push(began.elapsed());
        while world.title(&person).await != title {
            assert!(began.elapsed() < LONGEST, "Attio has not {title}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        to_attio.push(began.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    println!("{name}: {EDITS} edits");
    for (place, times) in [("the row", to_row), ("Attio", to_attio)] {
        let [median, late, worst] = figures(times).map(|time| time.as_millis());
        println!(
            "  until {place:<8} has it: median {median} ms, 95 of 100 within {late} ms, worst {worst} ms"
        );
    }
    rows.app.services.store.close().await;
}

fn contact(title: &str) -> Json {
    json!({"properties": {"email": "ann@acme.com", "firstname": "Ann", "lastname": "Lee", "jobtitle": title}})
}

fn figures(mut times: Vec<Duration>) -> [Duration; 3] {
    times.sort_unstable();
    [times.len() / 2, times.len() * 95 / 100, times.len() - 1].map(|place| times[place])
}

/// The processes, which end with it, and the way to the stand-ins.
struct World {
    _running: [Running; 2],
    http: reqwest::Client,
    hubspot: String,
    attio: String,
}

/// A process that ends with the bench.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl World {
    /// An organization that is connected to both stand-ins, with their webhooks.
    fn start(home: &Path, url: &str) -> World {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port");
        let to = format!("http://{address}");
        let args = ["fake-crm", "--port-hubspot", "0", "--port-attio", "0", "--json", "--deliver-to", &to];
        let mut crms =
            Running(command(home, url).args(args).stdout(Stdio::piped()).spawn().expect("the stand-ins"));
        let places = first_json(crms.0.stdout.as_mut().expect("its output"));
        let place = |crm: &str| places[crm]["url"].as_str().expect("a URL").to_owned();
        let (hubspot, attio) = (place("hubspot"), place("attio"));
        let with_crms = || {
            let mut command = command(home, url);
            command.env("OPSTABLES_HUBSPOT_BASE_URL", &hubspot).env("OPSTABLES_ATTIO_BASE_URL", &attio);
            command.env("OPSTABLES_PUBLIC_URL", PUBLIC_URL).stdout(Stdio::null());
            command
        };
        done(with_crms().args(["init", "--org", "acme", "--member", "Ann Lee <ann@acme.com>"]));
        let server = with_crms().args(["serve", "--http", &address.to_string()]).spawn().expect("the server");
        let server = Running(server);
        let app = &places["app"];
        let secret = |name: &str| app[name].as_str().expect("a text").to_owned();
        done(
            with_crms()
                .args(["connect", "hubspot"])
                .env("OPSTABLES_HUBSPOT_TOKEN", places["hubspot"]["token"].as_str().expect("a token"))
                .env("OPSTABLES_HUBSPOT_DEVELOPER_KEY", secret("developer_key"))
                .env("OPSTABLES_HUBSPOT_CLIENT_SECRET", secret("client_secret")),
        );
        done(
            with_crms()
                .args(["connect", "attio"])
                .env("OPSTABLES_ATTIO_TOKEN", places["attio"]["token"].as_str().expect("a token")),
        );
        World { _running: [server, crms], http: reqwest::Client::new(), hubspot, attio }
    }

    /// What a person does there.
    async fn by_hand(&self, url: &str, method: &str, path: &str, body: Json) -> Json {
        let request = self.http.request(method.parse().expect("a method"), format!("{url}{path}"));
        let answer = request.bearer_auth("demo-person").json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    /// The contact's record at Attio, once it is there.
    async fn person(&self) -> String {
        let began = Instant::now();
        loop {
            let path = "/v2/objects/people/records/query";
            let found = self.by_hand(&self.attio, "POST", path, json!({})).await;
            if let Some(id) = found["data"][0]["id"]["record_id"].as_str() {
                return format!("/v2/objects/people/records/{id}");
            }
            assert!(began.elapsed() < LONGEST, "the contact does not come to Attio");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn title(&self, person: &str) -> String {
        let record = self.by_hand(&self.attio, "GET", person, json!({})).await;
        record["data"]["values"]["job_title"][0]["value"].as_str().unwrap_or_default().to_owned()
    }
}

/// The organization's contacts, as a copilot reads them.
struct Rows {
    app: App,
    org: Org,
    toolbox: Toolbox,
}

impl Rows {
    async fn open(url: &str) -> Rows {
        let options = Options::at(url);
        let app = App::open(&options).expect("a database");
        let org = app.organization(None).await.expect("the organization");
        Rows { app, org, toolbox: Toolbox::new(opstables::tools::all(), &[], false) }
    }

    /// So many edits in so short a time are held back until a person lets them go on, as here.
    async fn let_in(&self) {
        let (services, system) = (&self.app.services, System::Hubspot);
        let mut tx = services.store.begin().await.expect("a transaction");
        let now = services.clock.now();
        hooks::hold(&mut tx, self.org, system.name(), Some("many edits"), now).await.expect("held back");
        breaker::let_in(&mut tx, self.org, system, now.timestamp_millis()).await.expect("let go on");
        tx.commit().await.expect("a commit");
    }

    async fn title(&self) -> String {
        let tool: &Tool = self.toolbox.find("query_contacts").expect("the tool");
        let Json::Object(arguments) = json!({"fields": ["title"]}) else { return String::new() };
        let ctx = self.app.ctx(self.org, Actor::default());
        let found = tool.call(ctx, arguments).await.expect("an answer");
        let found = serde_json::to_value(found).expect("JSON");
        found["rows"][0][1].as_str().unwrap_or_default().to_owned()
    }
}

fn command(home: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OPSTABLES_") {
            command.env_remove(name);
        }
    }
    for place in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(place, home);
    }
    command.current_dir(home).stdin(Stdio::null()).env("OPSTABLES_DATABASE_URL", url);
    command
}

fn done(command: &mut Command) {
    let status = command.status().expect("a program");
    assert!(status.success(), "{command:?}: {status}");
}

/// The JSON that a program begins with, which goes on.
fn first_json(output: impl std::io::Read) -> Json {
    let mut text = String::new();
    for line in BufReader::new(output).lines() {
        text += &line.expect("a line");
        if let Ok(json) = serde_json::from_str(&text) {
            return json;
        }
    }
    panic!("no JSON: {text}");
}
