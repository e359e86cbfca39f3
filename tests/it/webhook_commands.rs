//! Webhooks at the command line: set up, taken in by `serve --http`, looked after, ended.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Once;

use serde_json::{Value as Json, json};

use crate::sync_commands::{Desk, Running, TOKEN, ended, until};

const PUBLIC: (&str, &str) = ("OPSTABLES_PUBLIC_URL", "https://hooks.example.com");
const KEY: (&str, &str) = ("OPSTABLES_HUBSPOT_DEVELOPER_KEY", "demo-developer-key");
const SECRET: (&str, &str) = ("OPSTABLES_HUBSPOT_CLIENT_SECRET", "demo-client-secret");
const ALL: &[(&str, &str)] = &[PUBLIC, KEY, SECRET];

/// A desk whose stand-ins deliver to a server that takes webhooks in. Nothing is read by a schedule.
struct Office {
    desk: Desk,
    address: String,
    server: Option<Running>,
}

impl Office {
    fn new() -> Office {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let desk = Desk::with(&["--deliver-to", &format!("http://{address}")]);
        let mut office = Office { desk, address, server: None };
        office.serve();
        office
    }

    fn serve(&mut self) {
        let args = ["serve", "--http", &self.address, "--public-url", PUBLIC.1];
        let mut server = self.desk.command(&args);
        server.env("OPSTABLES_POLL_SECS", "0").stdout(Stdio::null()).stderr(Stdio::null());
        self.server = Some(Running(server.spawn().unwrap()));
    }

    /// What a command prints with these variables; it never shows a secret.
    fn run(&self, args: &[&str], variables: &[(&str, &str)], input: &str, code: i32) -> String {
        let mut command = self.desk.command(args);
        command.envs(variables.iter().copied());
        let said = ended(command, input, code, args);
        for secret in ["demo-developer-key", "demo-client-secret", "wrong-key", "newer-secret"] {
            assert!(!said.contains(secret), "{args:?} shows {secret}:\n{said}");
        }
        said
    }

    fn json(&self, args: &[&str], variables: &[(&str, &str)]) -> Json {
        let text = self.run(&[args, &["--json"]].concat(), variables, "", 0);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn connect(&self, system: &str, variables: &[(&str, &str)]) -> Json {
        let token = format!("OPSTABLES_{}_TOKEN", system.to_uppercase());
        self.json(&["connect", system], &[variables, &[(token.as_str(), TOKEN)]].concat())
    }

    /// The first row of a column's values.
    fn contact(&self, field: &str) -> Json {
        self.desk.json(&["query", "contacts", "--fields", field])["rows"][0][1].clone()
    }

    fn check(&self, name: &str, variables: &[(&str, &str)]) -> Json {
        let report = self.json(&["doctor"], variables);
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{report:#}")).clone()
    }
}

/// What a person does on the CRM's pages.
fn by_hand(url: &str, method: &str, path: &str, body: &Json) -> Json {
    static CRYPTOGRAPHY: Once = Once::new();
    CRYPTOGRAPHY.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let request = reqwest::Client::new().request(method.parse().unwrap(), format!("{url}{path}"));
        let answer = request.bearer_auth("demo-person").json(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    })
}

fn contact_at_hubspot(office: &Office, properties: &Json) -> String {
    let body = json!({"properties": properties});
    let made = by_hand(&office.desk.hubspot, "POST", "/crm/objects/2026-09/contacts", &body);
    made["id"].as_str().unwrap().to_owned()
}

fn edit_at_hubspot(office: &Office, record: &str, properties: &Json) {
    let path = format!("/crm/objects/2026-09/contacts/{record}");
    by_hand(&office.desk.hubspot, "PATCH", &path, &json!({"properties": properties}));
}

#[test]
fn connecting_sets_up_webhooks_and_an_edit_goes_from_one_crm_to_the_other() {
    let office = Office::new();
    let made = office.connect("hubspot", ALL);
    assert_eq!(made["webhooks"]["state"], "set_up", "{made:#}");
    let target = made["webhooks"]["target"].as_str().unwrap().to_owned();
    assert!(target.starts_with("https://hooks.example.com/webhooks/hubspot/"), "{target}");
    let added = made["webhooks"]["added"].as_array().unwrap();
    assert!(added.contains(&json!("contact changed: email")), "{added:?}");
    let attio = office.connect("attio", &[PUBLIC]);
    assert_eq!(attio["webhooks"]["state"], "set_up", "{attio:#}");

    let ann = json!({"email": "ann@acme.com", "firstname": "Ann", "jobtitle": "CTO"});
    let record = contact_at_hubspot(&office, &ann);
    until(|| office.contact("email") == "ann@acme.com");
    edit_at_hubspot(&office, &record, &json!({"jobtitle": "CEO"}));
    until(|| office.contact("title") == "CEO");
    let at_attio = || {
        let found = by_hand(&office.desk.attio, "POST", "/v2/objects/people/records/query", &json!({}));
        found["data"][0].clone()
    };
    until(|| at_attio()["values"]["job_title"][0]["value"] == "CEO");

    let person = at_attio()["id"]["record_id"].as_str().unwrap().to_owned();
    let edit = json!({"data": {"values": {"job_title": "Chair"}}});
    by_hand(&office.desk.attio, "PATCH", &format!("/v2/objects/people/records/{person}"), &edit);
    until(|| office.contact("title") == "Chair");
    let path = format!("/crm/objects/2026-09/contacts/{record}?properties=jobtitle");
    until(|| by_hand(&office.desk.hubspot, "GET", &path, &json!({}))["properties"]["jobtitle"] == "Chair");

    let again = office.json(&["connect", "webhooks", "hubspot"], ALL);
    assert_eq!(
        (&again["state"], &again["added"], &again["target"]),
        (&json!("set_up"), &json!([]), &json!(target))
    );
    for system in ["hubspot", "attio"] {
        let check = office.check(&format!("{system} webhooks"), ALL);
        assert_eq!(check["state"], "good", "{check}");
        assert_eq!(check["found"], "set up and active, a secret is kept");
        let check = office.check(&format!("{system} inbound"), ALL);
        assert_eq!(check["state"], "good", "{check}");
    }
    let check = office.check("hubspot webhooks", &[PUBLIC]);
    assert!(
        check["found"].as_str().unwrap().contains("OPSTABLES_HUBSPOT_DEVELOPER_KEY is not set"),
        "{check}"
    );

    let removed = office.json(&["connect", "remove", "attio", "--yes"], &[]);
    assert_eq!(removed["webhooks"], json!({"state": "ended", "subscriptions": 1}));
    assert_eq!(by_hand(&office.desk.attio, "GET", "/v2/webhooks", &json!({}))["data"], json!([]));
    let removed = office.run(&["connect", "remove", "hubspot", "--yes"], &[], "", 0);
    assert!(
        removed.contains("could not be ended") && removed.contains("Remove them at HubSpot"),
        "{removed}"
    );
}

#[test]
fn a_secret_is_changed_while_both_are_valid() {
    let office = Office::new();
    let refused = |name: &str| {
        let status = office.desk.json(&["sync", "status", "--system", "hubspot"]);
        status["connections"][0]["inbound"]["refused"][name].as_i64().unwrap_or_default()
    };
    // The stand-in signs with its own secret, whatever is kept here.
    let other = [PUBLIC, KEY, ("OPSTABLES_HUBSPOT_CLIENT_SECRET", "newer-secret")];
    assert_eq!(office.connect("hubspot", &other)["webhooks"]["state"], "set_up");
    let record = contact_at_hubspot(&office, &json!({"email": "ann@acme.com"}));
    until(|| refused("bad_signature") > 0);
    let check = office.check("hubspot inbound", ALL);
    assert_eq!(check["state"], "warning", "{check}");
    assert!(check["found"].as_str().unwrap().contains("bad_signature"), "{check}");
    let status = office.run(&["sync", "status"], &[], "", 0);
    assert!(status.contains("turned away: ") && status.contains("bad_signature"), "{status}");
    assert_eq!(office.desk.json(&["query", "contacts"])["rows"], json!([]));

    let said = office.run(&["connect", "webhooks", "hubspot", "--secret-only"], &[PUBLIC, SECRET], "", 0);
    for part in [
        "https://hooks.example.com/webhooks/hubspot/",
        "contact.propertyChange: ",
        "email",
        "company.restore",
    ] {
        assert!(said.contains(part), "{said}");
    }
    edit_at_hubspot(&office, &record, &json!({"jobtitle": "CEO"}));
    until(|| office.contact("title") == "CEO");
    // The newer one is the newest again, and the stand-in's is the one before it.
    let args = ["connect", "webhooks", "hubspot", "--secret-only", "--secret-stdin"];
    office.run(&args, &[PUBLIC], "newer-secret\n", 0);
    edit_at_hubspot(&office, &record, &json!({"jobtitle": "Chair"}));
    until(|| office.contact("title") == "Chair");
}

#[test]
fn a_connection_stands_without_its_webhooks_and_what_is_missing_is_said() {
    let office = Office::new();
    let wrong = [PUBLIC, SECRET, ("OPSTABLES_HUBSPOT_DEVELOPER_KEY", "wrong-key")];
    let failed = office.connect("hubspot", &wrong);
    assert_eq!((&failed["webhooks"]["state"], &failed["account"]), (&json!("failed"), &json!("62515")));
    assert_eq!(office.connect("attio", &[])["webhooks"]["missing"], json!(["OPSTABLES_PUBLIC_URL"]));
    let refused = |args: &[&str], variables: &[(&str, &str)], parts: &[&str]| {
        let said = office.run(args, variables, "", 1);
        assert!(parts.iter().all(|part| said.contains(part)), "{args:?}\n{said}");
    };
    let webhooks = ["connect", "webhooks", "hubspot"];
    refused(&webhooks, &[KEY], &["OPSTABLES_PUBLIC_URL"]);
    refused(&webhooks, &[PUBLIC], &["OPSTABLES_HUBSPOT_DEVELOPER_KEY", "--secret-only"]);
    refused(&webhooks, &[PUBLIC, KEY], &["OPSTABLES_HUBSPOT_CLIENT_SECRET"]);
    refused(&webhooks, &wrong, &["one account"]);
    refused(&webhooks, &[("OPSTABLES_PUBLIC_URL", "http://hooks.example.com"), KEY], &["https"]);
    refused(&["connect", "webhooks", "attio", "--secret-only"], &[PUBLIC], &["tells a webhook's secret"]);
    let none = office.check("attio webhooks", &[]);
    assert_eq!(none["state"], "good", "{none}");
    assert!(none["found"].as_str().unwrap().contains("read by the schedule"), "{none}");
    let none = office.check("attio webhooks", &[PUBLIC]);
    assert_eq!(none["state"], "warning", "{none}");
    assert!(none["fix"].as_str().unwrap().contains("opstables connect webhooks attio"), "{none}");
    assert_eq!(office.json(&["connect", "webhooks", "attio"], &[PUBLIC])["state"], "set_up");
    let removed = office.json(&["connect", "remove", "hubspot"], &[]);
    assert_eq!(removed["webhooks"], json!({"state": "none"}));
}
