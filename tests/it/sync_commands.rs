//! Connecting, watching, steering and working synchronization at the command line.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A user's world with an organization, and stand-ins for both CRMs that run until it is dropped.
pub(crate) struct Desk {
    pub(crate) home: TempDir,
    _crms: Running,
    pub(crate) hubspot: String,
    pub(crate) attio: String,
}

pub(crate) const TOKEN: &str = "demo-token";

impl Desk {
    fn new() -> Desk {
        Desk::with(&[])
    }

    /// With more for the stand-ins to do.
    pub(crate) fn with(options: &[&str]) -> Desk {
        let home = TempDir::new().unwrap();
        let args = ["fake-crm", "--port-hubspot", "0", "--port-attio", "0", "--json"];
        let mut crms = command(&home, &[&args, options].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        for line in BufReader::new(crms.stdout.as_mut().unwrap()).lines() {
            text += &line.unwrap();
            if text.ends_with("}}") || serde_json::from_str::<Json>(&text).is_ok() {
                break;
            }
        }
        let places: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(places["hubspot"]["token"], TOKEN);
        let url = |system: &str| places[system]["url"].as_str().unwrap().to_owned();
        let desk = Desk { hubspot: url("hubspot"), attio: url("attio"), home, _crms: Running(crms) };
        desk.run(&["init", "--org", "acme", "--member", "Ann Lee <ann@acme.com>"], "", 0);
        desk
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(&self.home, args);
        command.env("OPSTABLES_HUBSPOT_BASE_URL", &self.hubspot).env("OPSTABLES_ATTIO_BASE_URL", &self.attio);
        command
    }

    /// What a command prints that reads `input`, results before remarks, when it ends as it should.
    pub(crate) fn run(&self, args: &[&str], input: &str, code: i32) -> String {
        ended(self.command(args), input, code, args)
    }

    /// What a command refuses.
    fn refused(&self, args: &[&str], parts: &[&str]) {
        let said = self.run(args, "", 1);
        assert!(said.starts_with("error: "), "{said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{args:?}\n{said}");
    }

    pub(crate) fn json(&self, args: &[&str]) -> Json {
        let text = self.run(&[args, &["--json"]].concat(), "", 0);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn connected() -> Desk {
        let desk = Desk::new();
        desk.run(&["connect", "hubspot", "--token-stdin"], &format!("{TOKEN}\n"), 0);
        desk
    }

    fn save(&self, row: &Json) -> Json {
        self.json(&["call", "save_contacts", &json!({"rows": [row]}).to_string()])
    }
}

/// A program that ends with the test, however the test ends.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn command(home: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OPSTABLES_") {
            command.env_remove(name);
        }
    }
    for place in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(place, home.path());
    }
    command.current_dir(home.path()).args(args);
    command.stdin(Stdio::null());
    command
}

pub(crate) fn ended(mut command: Command, input: &str, code: i32, args: &[&str]) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    // A program that reads nothing may have left already.
    drop(program.stdin.take().unwrap().write_all(input.as_bytes()));
    let ended = program.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(code), "{args:?}\n{said}");
    assert!(!said.contains(TOKEN) || args[0] == "fake-crm", "{args:?} shows the token:\n{said}");
    said
}

#[test]
fn the_stand_ins_say_where_they_deliver_webhooks() {
    let home = TempDir::new().unwrap();
    let begun = |args: &[&str]| {
        let args = [&["fake-crm", "--port-hubspot", "0", "--port-attio", "0"], args].concat();
        let mut crms = Running(command(&home, &args).stdout(Stdio::piped()).spawn().unwrap());
        let mut text = String::new();
        for line in BufReader::new(crms.0.stdout.take().unwrap()).lines() {
            text += &line.unwrap();
            text.push('\n');
            if text.contains("Ctrl-C") || serde_json::from_str::<Json>(&text).is_ok() {
                break;
            }
        }
        text
    };
    let said: Json =
        serde_json::from_str(&begun(&["--deliver-to", "http://127.0.0.1:8787/", "--json"])).unwrap();
    let route = json!({"public_url": "https://hooks.example.com", "deliver_to": "http://127.0.0.1:8787"});
    assert_eq!((&said["deliveries"], &said["app"]["id"]), (&route, &json!("50780459")));
    let said = begun(&["--deliver-to", "http://127.0.0.1:1", "--public-url", "https://crm.example.org/x"]);
    assert!(said.contains("for https://crm.example.org/x are delivered to http://127.0.0.1:1"), "{said}");
    assert!(said.contains("client secret demo-client-secret"), "{said}");
    assert!(begun(&[]).contains("are not delivered; --deliver-to says where to"));
}

#[test]
fn an_account_is_connected_listed_and_disconnected() {
    let desk = Desk::new();
    assert!(desk.run(&["connect", "--list"], "", 0).contains("No CRM is connected"));
    desk.refused(&["connect", "hubspot"], &["OPSTABLES_HUBSPOT_TOKEN", "--token-stdin"]);
    desk.refused(&["connect", "hubspot", "--oauth"], &["OPSTABLES_HUBSPOT_CLIENT_ID"]);
    desk.refused(&["connect", "remove", "hubspt"], &["did you mean `hubspot`?"]);
    let wrong = desk.run(&["connect", "hubspot", "--token-stdin"], "wrong-token", 1);
    assert!(wrong.contains("HubSpot does not accept the token") && !wrong.contains("wrong-token"), "{wrong}");
    let said = desk.run(&["connect", "hubspot", "--token-stdin", "--create", "no"], TOKEN, 0);
    assert!(said.contains("Test portal (62515)") && said.contains("no new records are made"), "{said}");
    let polled = "Changes made there are read every 5 minutes; to be told at once set OPSTABLES_PUBLIC_URL and \
                  OPSTABLES_HUBSPOT_DEVELOPER_KEY and run `opstables connect webhooks hubspot`.";
    assert!(said.contains(polled), "{said}");
    let mut attio = desk.command(&["connect", "attio", "--json"]);
    attio.env("OPSTABLES_ATTIO_TOKEN", TOKEN);
    let made: Json = serde_json::from_str(&ended(attio, "", 0, &["connect"])).unwrap();
    assert_eq!(
        (&made["system"], &made["again"], &made["creates"]),
        (&json!("attio"), &json!(false), &json!(true))
    );
    let listed = desk.json(&["connect", "--list"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1]["creates"], false);
    desk.save(&json!({"first_name": "Ann"}));
    desk.refused(&["connect", "remove", "attio"], &["what was to be sent there (1)", "--yes"]);
    let removed = desk.json(&["connect", "remove", "attio", "--yes"]);
    assert_eq!((&removed["system"], &removed["unsent_changes"]), (&json!("attio"), &json!(1)));
    desk.refused(&["connect", "remove", "attio", "--yes"], &["Attio is not connected"]);
}

#[test]
fn a_change_is_brought_there_by_a_worker_that_can_be_stopped() {
    let desk = Desk::connected();
    let saved = desk.save(&json!({"first_name": "Ann", "email": "ann@x.io"}));
    assert_eq!(saved["sync_to"], json!(["hubspot"]));
    let waits = desk.run(&["sync", "status"], "", 0);
    assert!(waits.contains("Test portal (62515)") && waits.contains("last arrival never"), "{waits}");
    let mut worker = desk.command(&["worker", "--json"]);
    let mut worker = Running(worker.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let figures =
        || desk.json(&["sync", "status", "--table", "contacts"])["connections"][0]["tables"][0].clone();
    until(|| figures()["linked"] == 1 && figures()["pending"] == 0 && figures()["sending"] == 0);
    assert_eq!((&figures()["dead"], &figures()["open_conflicts"]), (&json!(0), &json!(0)));
    let rows = desk.json(&["query", "contacts", "--fields", "sync_status"]);
    assert_eq!(rows["rows"][0][1], "synced");
    let stopped = Instant::now();
    Command::new("kill").args(["-TERM", &worker.0.id().to_string()]).status().unwrap();
    let mut said = String::new();
    worker.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(worker.0.wait().unwrap().success() && stopped.elapsed() < Duration::from_secs(10));
    assert_eq!(serde_json::from_str::<Json>(&said).unwrap(), json!({"stopped_by": "SIGTERM"}));
    assert!(desk.run(&["doctor"], "", 0).contains("✓ hubspot"));
}

#[test]
fn the_connection_is_paused_let_go_and_looked_after() {
    let desk = Desk::connected();
    desk.save(&json!({"first_name": "Ann"}));
    assert_eq!(desk.run(&["sync", "pause"], "", 0).trim(), "HubSpot: the connection is paused.");
    let report = desk.json(&["doctor"]);
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "hubspot").unwrap();
    assert_eq!(check["state"], "warning");
    assert!(check["fix"].as_str().unwrap().contains("opstables sync resume"), "{check}");
    let resumed = desk.run(&["sync", "resume"], "", 0);
    assert_eq!(resumed.trim(), "HubSpot: the connection is active, the changes of 0 rows are let go.");
    assert_eq!(desk.json(&["sync", "retry", "--table", "contacts"])["systems"][0]["rows"], 0);
    assert_eq!(desk.json(&["sync", "discard"])["status"], "done");
    desk.refused(&["sync", "retry", "--table", "leads"], &["contacts, companies"]);
    desk.refused(&["sync", "status", "--system", "hubspt"], &["did you mean `hubspot`?"]);
    let key = desk.home.path().join("opstables/key");
    std::fs::rename(&key, desk.home.path().join("elsewhere")).unwrap();
    let said = desk.run(&["doctor"], "", 1);
    assert!(said.contains("✗ hubspot") && said.contains("OPSTABLES_SECRET_KEY"), "{said}");
    assert!(!key.exists(), "looking makes no key");
}

#[test]
fn a_column_is_mapped_left_out_and_given_a_policy() {
    let desk = Desk::connected();
    let mapped = |column: &str| {
        let report = desk.json(&["sync", "map", "hubspot"]);
        let columns = report["columns"].as_array().unwrap().clone();
        columns.into_iter().find(|it| it["column"] == column).unwrap_or_default()
    };
    assert_eq!(mapped("contacts.email")["property"], "email");
    assert_eq!(mapped("contacts.last_engagement")["way"], "in");
    let add =
        json!({"action": "add", "table": "contacts", "key": "region", "label": "Region", "type": "text"});
    desk.run(&["call", "manage_columns", &add.to_string()], "", 0);
    desk.refused(&["sync", "map", "hubspot", "contacts.region", "ctiy"], &["did you mean `city`?"]);
    desk.refused(&["sync", "map", "hubspot", "contacts.regoin", "city"], &["did you mean `region`?"]);
    desk.refused(&["sync", "map", "hubspot", "region", "city"], &["contacts.phone"]);
    desk.refused(&["sync", "map", "hubspot", "contacts.region"], &["--off"]);
    desk.refused(&["sync", "map", "hubspot", "contacts.region", "createdate"], &["of the type datetime"]);
    desk.run(&["sync", "map", "hubspot", "contacts.region", "city"], "", 0);
    assert_eq!(mapped("contacts.region")["property"], "city");
    desk.run(&["sync", "map", "hubspot", "contacts.region", "--policy", "remote_wins"], "", 0);
    assert_eq!(mapped("contacts.region")["policy"], json!({"remote_wins": "hubspot"}));
    desk.refused(&["sync", "map", "hubspot", "contacts.region", "--policy", "remote"], &["remote_wins"]);
    desk.run(&["sync", "map", "hubspot", "contacts.phone", "--off"], "", 0);
    assert_eq!(mapped("contacts.phone")["property"], Json::Null);
    assert!(desk.run(&["sync", "map", "hubspot", "--refresh"], "", 0).contains("(left out)"));
    desk.refused(&["sync", "map", "attio"], &["Attio is not connected"]);
}

#[test]
fn what_a_crm_refuses_is_listed_and_decided() {
    let desk = Desk::connected();
    assert!(desk.run(&["sync", "conflicts"], "", 0).contains("There are no conflicts."));
    desk.refused(&["sync", "resolve", "7", "keep"], &["is not the id of a conflict"]);
    let unknown = "0199d1c2-7a4e-7c3b-9f00-5b7e2d1c4a90";
    desk.refused(&["sync", "resolve", unknown, "set", "x"], &["there is no conflict"]);
    let company = |row: Json| desk.json(&["call", "save_companies", &json!({"rows": [row]}).to_string()]);
    let made = company(json!({"name": "Globex", "industry": "Computer Software"}));
    let id = made["created"][0].as_str().unwrap();
    let figure = |name: &str| desk.json(&["sync", "status"])["connections"][0]["tables"][1][name].clone();
    let mut worker = desk.command(&["worker"]);
    let _worker = Running(worker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until(|| figure("linked") == 1 && figure("pending") == 0 && figure("sending") == 0);
    let refuse = |industry: &str| {
        company(json!({"id": id, "industry": industry}));
        until(|| figure("dead") == 1);
        desk.json(&["sync", "conflicts"])["conflicts"][0]["id"].as_str().unwrap().to_owned()
    };
    let conflict = refuse("Basket weaving");
    let listed = desk.run(&["sync", "conflicts", "--table", "companies"], "", 0);
    assert!(listed.contains(&conflict) && listed.contains("does not take “Basket weaving”"), "{listed}");
    let failing = desk.run(&["sync", "status"], "", 0);
    assert!(failing.contains("companies: error") && failing.contains("industry"), "{failing}");
    assert!(desk.run(&["doctor"], "", 0).contains("! hubspot"));
    desk.refused(&["sync", "resolve", &conflict, "restore"], &["nothing was lost here"]);
    let set = desk.run(&["sync", "resolve", &conflict, "set", "Banking"], "", 0);
    assert!(
        set.contains("set") && set.contains("On its way to HubSpot") && set.contains("undo_change"),
        "{set}"
    );
    until(|| figure("dead") == 0 && figure("pending") == 0 && figure("sending") == 0);
    let kept = desk.run(&["sync", "resolve", &refuse("Pottery"), "keep"], "", 0);
    assert!(kept.contains("the change is given up"), "{kept}");
    assert_eq!(figure("dead"), 0);
    assert_eq!(desk.json(&["sync", "conflicts", "--all"])["total"], 2);
    refuse("Juggling");
    assert_eq!(desk.json(&["sync", "discard", id])["systems"][0]["rows"], 1);
}

/// Waits for what a worker beside this test does.
pub(crate) fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it did not come so far");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_stand_in_says_how_to_reach_it_and_that_its_port_is_taken() {
    let desk = Desk::new();
    let port = desk.hubspot.rsplit(':').next().unwrap();
    desk.refused(&["fake-crm", "--port-hubspot", port], &[port, "name another port"]);
}

#[test]
fn a_worker_without_a_database_says_what_is_missing() {
    let home = TempDir::new().unwrap();
    let said = ended(command(&home, &["worker"]), "", 1, &["worker"]);
    assert!(said.contains("opstables init"), "{said}");
}

#[tokio::test]
async fn pull_makes_rows_of_what_is_at_a_crm() {
    let desk = Desk::connected();
    let person = json!({"properties": {"email": "ann@acme.com", "firstname": "Ann"}});
    let url = format!("{}/crm/objects/2026-09/contacts", desk.hubspot);
    let made = reqwest::Client::new().post(url).bearer_auth(TOKEN).json(&person).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let pulled = desk.json(&["sync", "pull", "hubspot"]);
    assert_eq!(pulled["tables"][0]["table"], "companies");
    let contacts = &pulled["tables"][1];
    assert_eq!(
        (&contacts["table"], &contacts["read"], &contacts["created"]),
        (&json!("contacts"), &json!(1), &json!(1))
    );
    let again = desk.json(&["sync", "pull", "hubspot", "--table", "contacts"]);
    assert_eq!((&again["tables"][0]["created"], &again["tables"][0]["changed"]), (&json!(0), &json!(0)));
    let rows = desk.run(&["query", "contacts", "--fields", "first_name,email"], "", 0);
    assert!(rows.contains("Ann") && rows.contains("ann@acme.com"), "{rows}");
    let shown = desk.run(&["sync", "pull", "hubspot", "--table", "contacts"], "", 0);
    assert!(shown.contains("contacts") && shown.contains("unchanged"), "{shown}");
    desk.refused(&["sync", "pull", "hubspot", "--table", "leads"], &["leads"]);
    desk.refused(&["sync", "pull", "attio"], &["not connected"]);
}
