//! A connection's token is where it must be, and nowhere else: in no log, no error, no result, no byte of the database or
//! of a backup of it.

use std::io::Write as _;
use std::process::Command;

use opstables::clock::Clock;
use opstables::fakes::{AccountOptions, Fault, HubspotFake, Options, Rule};
use opstables::tables::System;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

use crate::client::McpProcess;
use crate::connections::connect;
use crate::database::{KEPT, dump};
use crate::harness::{Bench, KEY, on_both};

const CANARY: &str = "canary-7f3a9c51e2d84b06";

on_both! {
    async fn a_token_shows_nowhere(t: Bench) {
        let account = AccountOptions::new("62515", "Test portal", CANARY, "50780459");
        let options = Options { accounts: vec![account], ..Options::hubspot(Clock::System) };
        let crm = HubspotFake::start(options).await.expect("a free port");
        let t = Bench::process(&t.database_url, t.org, &Clock::System);
        connect(&t, System::Hubspot, CANARY).await;
        crm.faults().add(Rule::next(1, Fault::Status { status: 500, retry_after: None }));
        crm.faults().add(Rule::next(1, Fault::Malformed));
        crm.faults().add(Rule::next(1, Fault::Reset));

        let env = [
            ("OPSTABLES_DATABASE_URL", t.database_url.as_str()),
            ("OPSTABLES_HUBSPOT_BASE_URL", &crm.url()),
            ("OPSTABLES_SECRET_KEY", KEY),
            ("OPSTABLES_ORG", "acme"),
            ("OPSTABLES_LOG", "trace"),
        ];
        let server = McpProcess::start(&env, &["--toolsets", "core,skills,sync,admin"]);
        let mut said = server.ok("save_contacts", json!({"rows": [{"email": "ann@acme.com"}]})).await.to_string();
        while crm.requests().iter().filter(|request| request.done).count() < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        crm.revoke();
        said += &server.ok("save_contacts", json!({"rows": [{"email": "bob@acme.com"}]})).await.to_string();
        said += &server.ok("describe_tables", json!({"verbose": true})).await.to_string();
        while crm.requests().iter().all(|request| request.status != Some(401)) {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let log = server.stderr();
        assert!(log.contains("TRACE"), "the log says everything it can");
        assert!(!log.contains(CANARY), "the token stands in the log");
        assert!(!log.contains(KEY), "the key stands in the log");
        assert!(!said.contains(CANARY), "the token stands in a result");
        for table in KEPT {
            let kept = dump(&t, table).await.join("\n").to_lowercase();
            let hidden = [CANARY.to_owned(), hex::encode(CANARY), hex::encode(CANARY).to_uppercase()];
            for form in hidden {
                assert!(!kept.contains(&form.to_lowercase()), "the token stands in {table}");
            }
        }
        if let Some(path) = t.database_url.strip_prefix("sqlite://") {
            for end in ["", "-wal"] {
                let bytes = std::fs::read(format!("{path}{end}")).unwrap_or_default();
                assert!(!holds(&bytes, CANARY), "the token stands in the database file{end}");
            }
        }
        if let Some(bytes) = backup(&t.database_url).await {
            assert!(holds(&bytes, "ann@acme.com"), "the backup has what was saved");
            for form in [CANARY.to_owned(), hex::encode(CANARY), KEY.to_owned()] {
                assert!(!holds(&bytes, &form), "a secret stands in the backup");
            }
        }
    }
}

/// A backup as each database's own tool makes it; none, said loudly, where PostgreSQL's is not installed.
async fn backup(url: &str) -> Option<Vec<u8>> {
    if !url.starts_with("sqlite") {
        let Ok(made) = Command::new("pg_dump").args(["--dbname", url]).output() else {
            let said =
                writeln!(std::io::stderr(), "SKIPPED: no backup was looked at, for pg_dump is not installed");
            drop(said);
            return None;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        return Some(made.stdout);
    }
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("backup.db");
    let mut connection = SqliteConnection::connect(url).await.expect("the database");
    let sql = format!("vacuum into '{}'", file.display());
    connection.execute(AssertSqlSafe(sql)).await.expect("a backup");
    Some(std::fs::read(file).expect("the backup"))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
