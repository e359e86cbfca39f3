//! The command line as people and scripts meet it: what it prints, what it leaves, and how it ends.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::CommandFactory;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::McpProcess;

/// A user's world: a home folder with nothing in it, and a database of its own.
struct Desk {
    home: TempDir,
}

/// How a command ended and what it said.
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Desk {
        Desk { home: TempDir::new().expect("a temporary folder") }
    }

    /// A desk with an organization that has one member and three leads.
    fn furnished() -> Desk {
        let desk = Desk::new();
        desk.ok(&[
            "init",
            "--org",
            "acme",
            "--member",
            "Ann Lee <ann@acme.com>",
            "--timezone",
            "Europe/Paris",
        ]);
        desk.ok(&[
            "call",
            "save_leads",
            r#"{"rows": [
                {"contact_name": "Dana Wu", "contact_email": "dana@brightwork.io", "status": "new", "owner": "Ann Lee"},
                {"contact_name": "Zoë Ørsted", "contact_email": "zoe@fjord.dk", "status": "ready"},
                {"contact_name": "=HYPERLINK(\"x\")", "contact_email": "eve@fjord.dk", "status": "new"}
            ]}"#,
        ]);
        desk
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("OPSTABLES_") {
                command.env_remove(name);
            }
        }
        for place in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(place, self.home.path());
        }
        command.current_dir(self.home.path()).args(args).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args))
    }

    /// What a command prints that must succeed.
    fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, 0, "{args:?}\n{}{}", ended.stdout, ended.stderr);
        ended.stdout
    }

    /// The JSON that a command prints that must succeed.
    fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What a command says that must fail.
    fn refused(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, 1, "{args:?}\n{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.stdout, "", "{args:?}");
        ended.stderr
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, text).expect("a writable folder");
        path.display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

fn ended(mut command: Command) -> Ended {
    let output = command.output().expect("the built program");
    Ended {
        code: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

#[test]
fn the_command_line_is_declared_without_contradiction() {
    opstables::cli::Cli::command().debug_assert();
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let cli = opstables::cli::Cli::command();
    for command in cli.get_subcommands() {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} does not say what it does");
        let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(example.contains(&format!("opstables {name}")), "{name} has no example: {example}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name}: {} is not explained", argument.get_id());
        }
        let desk = Desk::new();
        let help = desk.ok(&[name, "--help"]);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[test]
fn the_first_page_of_help_shows_the_first_steps() {
    let help = Desk::new().ok(&["--help"]);
    for part in ["opstables demo", "opstables init --org acme", "serve", "doctor", "--database-url", "--json"]
    {
        assert!(help.contains(part), "{part} is not in:\n{help}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let desk = Desk::new();
    for args in [&["qeury"][..], &["query"], &["query", "leads", "--limit", "0"], &[]] {
        assert_eq!(desk.run(args).code, 2, "{args:?}");
    }
    assert!(desk.run(&["qeury"]).stderr.contains("query"));
}

#[test]
fn init_makes_what_is_missing_and_says_how_to_connect() {
    let desk = Desk::new();
    let args = ["init", "--org", "acme", "--member", "Ann Lee <ann@acme.com>"];
    let first = desk.json(&args);
    assert_eq!(first["organization_created"], true);
    assert_eq!(first["members_added"], json!(["Ann Lee"]));
    let server = &first["client_config"]["mcpServers"]["opstables"];
    assert_eq!(server["args"], json!(["serve"]));
    assert_eq!(server["env"]["OPSTABLES_ORG"], "acme");
    assert!(PathBuf::from(server["command"].as_str().expect("a path")).is_absolute());
    let again = desk.json(&[&args[..], &["--timezone", "Europe/Paris"]].concat());
    assert_eq!(again["organization_created"], false);
    assert_eq!(again["members_added"], json!([]));
    assert_eq!((again["name"].as_str(), again["timezone"].as_str()), (Some("Acme"), Some("Europe/Paris")));
    let text = desk.ok(&args);
    assert!(text.contains("mcpServers") && text.contains("opstables import"), "{text}");
    assert!(desk.path("opstables/opstables.db").is_file(), "the default database is in the data folder");
}

#[test]
fn members_are_added_once() {
    let desk = Desk::furnished();
    let added = desk.json(&["members", "add", "Bob Ray", "Ann Lee"]);
    assert_eq!(added["added"], json!(["Bob Ray"]));
    let names: Vec<&Value> =
        added["members"].as_array().expect("a list").iter().map(|m| &m["name"]).collect();
    assert_eq!(names, ["Ann Lee", "Bob Ray"]);
    assert!(desk.ok(&["members", "list"]).contains("ann@acme.com"));
}

#[test]
fn call_prints_what_a_copilot_would_get() {
    let desk = Desk::furnished();
    let file =
        desk.write("args.json", r#"{"filters": [{"column": "status", "op": "equals", "value": "new"}]}"#);
    let found: Value =
        serde_json::from_str(&desk.ok(&["call", "query_leads", &format!("@{file}")])).expect("JSON");
    assert_eq!(found["total"], 2);
    let refused = desk.run(&["call", "query_leads", r#"{"fields": ["contact_emial"]}"#, "--json"]);
    assert_eq!(refused.code, 1);
    let error: Value = serde_json::from_str(&refused.stdout).expect("JSON");
    assert_eq!(error["error"]["code"], "invalid");
    assert_eq!(error["error"]["hint"], "did you mean `contact_email`?");
    assert!(desk.refused(&["call", "query_lead"]).contains("query_leads"));
    assert!(desk.refused(&["call", "query_leads", "[]"]).contains("not an object"));
}

#[test]
fn query_aligns_rows_for_people_and_keeps_them_whole_for_machines() {
    let desk = Desk::furnished();
    let args = ["query", "leads", "-f", "contact_email~fjord", "--sort", "contact_name:desc"];
    let fields = ["--fields", "contact_name,status"];
    let text = desk.ok(&[&args[..], &fields[..]].concat());
    assert_eq!(text, "contact_name     status\nZoë Ørsted       ready\n=HYPERLINK(\"x\")  new\n");
    let found = desk.json(&[&args[..], &fields[..]].concat());
    assert_eq!(found["columns"], json!(["id", "contact_name", "status"]));
    assert_eq!(found["rows"].as_array().map(Vec::len), Some(2));
    let counted = desk.json(&["query", "leads", "--group-by", "status", "--count"]);
    assert_eq!(counted["rows"], json!([["new", 2], ["ready", 1]]));
    let limited = desk.json(&["query", "leads", "--limit", "2"]);
    assert_eq!((limited["rows"].as_array().map(Vec::len), &limited["total"]), (Some(2), &json!(3)));
}

#[test]
fn what_is_exported_can_be_imported_again_and_changes_nothing() {
    let desk = Desk::furnished();
    let wrote = desk.json(&["export", "leads", "--output", "leads.csv"]);
    assert_eq!(wrote["rows"], 3);
    let text = fs::read_to_string(desk.path("leads.csv")).expect("the file");
    assert!(text.contains("\"'=HYPERLINK(\"\"x\"\")\""), "a formula is not disarmed: {text}");
    let error = desk.refused(&["export", "leads", "--output", "leads.csv"]);
    assert!(error.contains("--force"), "{error}");
    desk.ok(&["export", "leads", "--output", "leads.csv", "--force"]);
    let report = desk.json(&["import", "leads", "leads.csv"]);
    assert_eq!((&report["unchanged"], &report["created"]), (&json!(3), &json!(0)), "{report:#}");
    let lines = desk.ok(&["export", "leads", "--format", "jsonl", "--filter", "status=ready"]);
    let row: Value = serde_json::from_str(lines.trim()).expect("one JSON object");
    assert_eq!(row["contact_name"], "Zoë Ørsted");
    let left: Vec<_> = fs::read_dir(desk.home.path()).expect("the folder").flatten().collect();
    assert!(!left.iter().any(|entry| entry.file_name().to_string_lossy().contains("partial")));
}

#[test]
fn an_import_accounts_for_every_row() {
    let desk = Desk::furnished();
    let file = desk.write("new.csv", "Name,Email,Priority\nBo,bo@x.io,high\nDi,di@x.io,hgih\n");
    let dry = desk.run(&["import", "leads", &file, "--dry-run"]);
    assert_eq!(dry.code, 1, "{}", dry.stdout);
    assert!(dry.stdout.contains("line 3") && dry.stdout.contains("hgih"), "{}", dry.stdout);
    assert_eq!(desk.json(&["query", "leads"])["total"], 3, "a dry run stores nothing");
    let real = desk.run(&["import", "leads", &file, "--json"]);
    let report: Value = serde_json::from_str(&real.stdout).expect("JSON");
    assert_eq!((&report["created"], &report["refused"]), (&json!(1), &json!(1)));
    assert!(desk.refused(&["import", &file]).contains("table"));
    assert!(desk.refused(&["import", "leads", "none.csv"]).contains("none.csv"));
}

#[test]
fn tables_are_listed_and_described() {
    let desk = Desk::furnished();
    let all = desk.json(&["tables"]);
    assert_eq!(all["tables"].as_array().map(Vec::len), Some(5));
    let one = desk.ok(&["tables", "leads"]);
    assert!(one.contains("contact_email") && one.contains("high_priority"), "{one}");
    assert!(desk.refused(&["tables", "lead"]).contains("did you mean `leads`?"));
}

#[test]
fn the_published_tools_are_compared_with_the_code() {
    let desk = Desk::new();
    let listed = desk.json(&["tools", "list"]);
    let count = listed.as_array().expect("a list").len();
    desk.ok(&["tools", "export", "--dir", "out"]);
    assert_eq!(fs::read_dir(desk.path("out")).expect("the folder").count(), count + 1);
    desk.ok(&["tools", "export", "--check", "--dir", "out"]);
    desk.write("out/query_leads.json", "{}");
    desk.write("out/old_tool.json", "{}");
    fs::remove_file(desk.path("out/manifest.json")).expect("a file");
    let ended = desk.run(&["tools", "export", "--check", "--dir", "out", "--json"]);
    assert_eq!(ended.code, 1);
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["different"], json!(["query_leads.json"]));
    assert_eq!(report["missing"], json!(["manifest.json"]));
    assert_eq!(report["left_over"], json!(["old_tool.json"]));
}

#[test]
fn migrate_says_what_is_pending_without_making_a_database() {
    let desk = Desk::new();
    let status = desk.run(&["migrate", "--status", "--json"]);
    assert_eq!(status.code, 1);
    assert!(!desk.path("opstables/opstables.db").exists());
    assert!(desk.json(&["migrate"])["applied_now"].as_u64() > Some(0));
    assert_eq!(desk.json(&["migrate"])["applied_now"], 0);
    desk.ok(&["migrate", "--status"]);
}

#[test]
fn doctor_finds_nothing_wrong_after_init_and_says_what_to_do_before() {
    let desk = Desk::new();
    let before = desk.run(&["doctor"]);
    assert_eq!(before.code, 1);
    assert!(
        before.stdout.contains("✗ database") && before.stdout.contains("opstables init"),
        "{}",
        before.stdout
    );
    assert!(!desk.path("opstables/opstables.db").exists(), "looking makes no database");
    desk.ok(&["init"]);
    let report = desk.json(&["doctor"]);
    assert_eq!(report["works"], true);
    let good = report["checks"].as_array().expect("a list").iter().all(|check| check["state"] == "good");
    assert!(good, "{report:#}");
    assert!(desk.ok(&["doctor"]).contains("✓ schema"));
}

#[test]
fn a_flag_stands_above_the_environment_and_that_above_the_file() {
    let desk = Desk::new();
    desk.write("opstables.toml", "[caller]\norg = \"file\"\nuser = \"file\"\n\n[log]\nlevel = \"error\"\n");
    desk.ok(&["init"]);
    let mut command = desk.command(&["doctor", "--json", "--org", "flag"]);
    command.env("OPSTABLES_ORG", "variable").env("OPSTABLES_USER", "variable");
    let report: Value = serde_json::from_str(&ended(command).stdout).expect("JSON");
    let setting = |key: &str| {
        let settings = report["settings"].as_array().expect("a list");
        let setting = settings.iter().find(|setting| setting["key"] == key).expect("the setting");
        format!(
            "{} from {}",
            setting["value"].as_str().unwrap_or("none"),
            setting["origin"].as_str().unwrap_or("")
        )
    };
    assert_eq!(setting("caller.org"), "flag from flag");
    assert_eq!(setting("caller.user"), "variable from OPSTABLES_USER");
    assert_eq!(setting("log.level"), "error from opstables.toml");
    assert_eq!(setting("server.read_only"), "false from default");
}

#[test]
fn a_wrong_setting_is_refused_by_name() {
    let desk = Desk::new();
    let check = |toml: &str, parts: &[&str]| {
        let file = desk.write("wrong.toml", toml);
        let error = desk.refused(&["--config", &file, "tables"]);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    check("[server]\nread_onyl = true\n", &["server.read_onyl", "did you mean `server.read_only`?"]);
    check("[server]\nmax_concurrent_calls = 0\n", &["max_concurrent_calls", "from 1 to 1024", "wrong.toml"]);
    check("[database]\nurl = \"postgres://ann:s3cret@\n", &["line 2"]);
    let mut command = desk.command(&["tables"]);
    command.env("OPSTABLES_LOG", "lod=chatty=x");
    assert!(ended(command).stderr.contains("OPSTABLES_LOG"));
    assert!(desk.refused(&["--config", "none.toml", "tables"]).contains("none.toml"));
}

#[test]
fn errors_name_the_right_word_and_end_with_1() {
    let desk = Desk::furnished();
    let check = |args: &[&str], part: &str| {
        let error = desk.refused(args);
        assert!(error.starts_with("error: ") && error.contains(part), "{error}");
    };
    check(&["query", "lead"], "hint: did you mean `leads`?");
    check(&["query", "leads", "-f", "statuss=new"], "hint: did you mean `status`?");
    check(&["query", "leads", "-f", "status"], "is not a filter");
    check(&["query", "leads", "-f", "status~new"], "contains");
    check(&["query", "leads", "--view", "hot"], "high_priority");
    check(&["query", "leads", "--org", "acmee"], "acme");
    check(&["query", "leads", "--user", "Bob"], "Bob");
    check(&["export", "leads", "--output", "no/such/folder.csv"], "folder.csv");
    check(&["init", "--timezone", "Europe/Pariss"], "Europe/Paris");
    check(&["init", "--member", "ann@acme.com"], "Ann Lee <ann@acme.com>");
    check(&["serve", "--toolsets", "croe"], "core");
}

#[test]
fn no_password_is_ever_shown() {
    let desk = Desk::new();
    let urls = [
        "mysql://ann:s3cret@db/ops",
        "postgres://ann:s3cret@127.0.0.1:1/ops",
        "postgres://ann@127.0.0.1:1/ops?password=s3cret",
        "postgres://ann:s3cret@127.0.0.1:nope/ops",
        "postgres:ann:s3cret@db",
    ];
    for url in urls {
        for command in [&["tables"][..], &["doctor"], &["migrate"], &["init"], &["doctor", "--json"]] {
            let args = [command, &["--database-url", url, "--log", "debug"]].concat();
            let ended = desk.run(&args);
            assert_eq!(ended.code, 1, "{args:?}");
            let said = ended.stdout + &ended.stderr;
            assert!(!said.contains("s3cret"), "{args:?} shows the password:\n{said}");
        }
    }
}

#[test]
fn a_reader_who_leaves_ends_the_program_quietly() {
    let desk = Desk::furnished();
    let mut child = desk.command(&["export", "leads"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the built program");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[tokio::test]
async fn the_tools_are_listed_before_the_database_is_opened() {
    let desk = Desk::new();
    let file = desk.path("lazy.db");
    let url = format!("sqlite://{}", file.display());
    let host = McpProcess::start(&[("OPSTABLES_DATABASE_URL", &url)], &[]);
    let listed = host.result("tools/list", json!({})).await;
    assert!(listed["tools"].as_array().is_some_and(|tools| !tools.is_empty()));
    assert!(!file.exists());
    host.ok("describe_tables", json!({})).await;
    assert!(file.exists());
}

#[tokio::test]
async fn a_reading_server_offers_nothing_that_writes() {
    let host = McpProcess::start(&[], &["--read-only", "--toolsets", "core,admin"]);
    let listed = host.result("tools/list", json!({})).await;
    let tools = listed["tools"].as_array().expect("a list");
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "{listed:#}");
}

#[test]
fn the_demo_plays_without_a_terminal_and_leaves_nothing_behind() {
    let desk = Desk::new();
    let temporary = desk.path("temporary");
    fs::create_dir(&temporary).expect("a folder");
    let mut command = desk.command(&["demo"]);
    command.env("TMPDIR", &temporary).env("OPSTABLES_DATABASE_URL", "postgres://nobody@127.0.0.1:1/x");
    let played = ended(command);
    assert_eq!((played.code, played.stderr.as_str()), (0, ""), "{}", played.stdout);
    let scenes =
        ["Ingrid Solheim", "did you mean `contact_email`?", "To be confirmed", "28 changed", "mcpServers"];
    for scene in scenes {
        assert!(played.stdout.contains(scene), "{scene} is missing:\n{}", played.stdout);
    }
    assert!(!played.stdout.contains('\x1b'), "colours without a terminal");
    assert_eq!(fs::read_dir(&temporary).expect("the folder").count(), 0);
    assert!(!desk.path("opstables/opstables.db").exists());
}

#[test]
fn a_demo_that_is_kept_can_be_queried() {
    let desk = Desk::new();
    let temporary = desk.path("temporary");
    fs::create_dir(&temporary).expect("a folder");
    let mut command = desk.command(&["demo", "--keep", "--json"]);
    command.env("TMPDIR", &temporary);
    let log: Value = serde_json::from_str(&ended(command).stdout).expect("JSON");
    let undone = log.as_array().and_then(|log| log.last()).expect("a last call");
    assert_eq!(undone["tool"], "undo_change");
    let kept = fs::read_dir(&temporary).expect("the folder").flatten().next().expect("what was kept").path();
    let url = format!("sqlite://{}", kept.join("demo.db").display());
    let found = desk.json(&["query", "leads", "--database-url", &url, "-f", "owner=Maya Okafor"]);
    assert_eq!(found["total"], 1, "only the lead she added is hers after the undo");
}
