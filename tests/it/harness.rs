//! Runs a test on both databases, each time in a fresh one.
//!
//! ```text
//! on_both! {
//!     async fn a_saved_lead_can_be_found(t: Bench) { … }
//! }
//! ```
//! makes `a_saved_lead_can_be_found::sqlite` and `::postgres`. The server is the one that
//! `OPSTABLES_TEST_POSTGRES` names; `tests/run.sh` starts one. Without it the second test is skipped
//! with a loud note, and fails when `CI` is set.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Once};
use std::task::Poll;

use chrono::{TimeZone, Utc};
use opstables::app::{App, Options};
use opstables::clock::{Clock, Ids};
use opstables::error::Error;
use opstables::records::Actor;
use opstables::store::Org;
use opstables::tools::{self, Ctx, Toolbox, Toolset};
use serde_json::{Map, Value as Json, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use crate::client::McpProcess;

/// The key that seals the tokens of tests' connections.
pub(crate) const KEY: &str = "abababababababababababababababababababababababababababababababab";

macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($bench:ident: Bench) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn check($bench: Bench) $body

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::harness::on_sqlite(check).await;
            }

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::harness::on_postgres(stringify!($name), check).await;
            }
        }
    )+};
}
pub(crate) use on_both;

/// One test's own world: a migrated database with an organization, a clock that stands, ids that count.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) org: Org,
    pub(crate) clock: Clock,
    pub(crate) database_url: String,
    toolbox: Arc<Toolbox>,
}

impl Bench {
    async fn open(database_url: &str) -> Bench {
        let now = Utc.with_ymd_and_hms(2026, 3, 2, 10, 0, 0).single().expect("a real moment");
        let (clock, ids) = (Clock::fixed(now), Ids::counted(1));
        let options =
            Options { clock: clock.clone(), ids, sync: sync_options(), ..Options::at(database_url) };
        let app = App::open(&options).expect("the URL of a database");
        let made = app.create_organization("acme", "Acme Sales", chrono_tz::UTC).await;
        let (org, _) = made.expect("a fresh database takes an organization");
        for (name, email) in
            [("Ann Lee", "ann@acme.com"), ("Tom Ford", "tom@acme.com"), ("Sarah Chen", "sarah@acme.com")]
        {
            app.add_member(org, name, Some(email)).await.expect("a new member");
        }
        Bench { app, org, clock, database_url: database_url.to_owned(), toolbox: toolbox() }
    }

    /// The same world seen by another process, which remembers nothing of this one.
    pub(crate) fn another_process(&self) -> Bench {
        Bench::process(&self.database_url, self.org, &self.clock)
    }

    /// A process of its own on a database that has the organization.
    pub(crate) fn process(database_url: &str, org: Org, clock: &Clock) -> Bench {
        let (database_url, clock) = (database_url.to_owned(), clock.clone());
        let options = Options { clock: clock.clone(), sync: sync_options(), ..Options::at(&database_url) };
        let app = App::open(&options).expect("the URL of a database");
        Bench { app, org, clock, database_url, toolbox: toolbox() }
    }

    /// The same world seen by a process that reaches the CRMs there.
    pub(crate) fn reaching(&self, hosts: opstables::sync::crm::Hosts) -> Bench {
        let sync = opstables::sync::Options { hosts, ..sync_options() };
        let options = Options { clock: self.clock.clone(), sync, ..Options::at(&self.database_url) };
        let app = App::open(&options).expect("the URL of a database");
        let (org, clock, database_url) = (self.org, self.clock.clone(), self.database_url.clone());
        Bench { app, org, clock, database_url, toolbox: toolbox() }
    }

    /// The same process, calling for another organization.
    pub(crate) fn within(&self, org: Org) -> Bench {
        let (app, clock, database_url) = (self.app.clone(), self.clock.clone(), self.database_url.clone());
        Bench { app, org, clock, database_url, toolbox: Arc::clone(&self.toolbox) }
    }

    /// Calls a tool inside this process and returns its result.
    pub(crate) async fn ok(&self, tool: &str, arguments: Json) -> Json {
        match self.call(tool, arguments.clone()).await {
            Ok(result) => result,
            Err(error) => panic!("{tool} {arguments} was refused: {error:?}"),
        }
    }

    /// Calls a tool that must refuse.
    pub(crate) async fn refused(&self, tool: &str, arguments: Json) -> Error {
        match self.call(tool, arguments.clone()).await {
            Ok(result) => panic!("{tool} {arguments} should have been refused, and gave {result}"),
            Err(error) => error,
        }
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Json) -> Result<Json, Error> {
        let Json::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.toolbox.find(tool)?.call(self.ctx(), arguments).await
    }

    pub(crate) fn ctx(&self) -> Ctx {
        self.app.ctx(self.org, Actor::default())
    }

    /// The rows of a query's result as objects by column.
    pub(crate) async fn rows(&self, tool: &str, arguments: Json) -> Vec<Map<String, Json>> {
        let result = self.ok(tool, arguments).await;
        let columns: Vec<&str> =
            result["columns"].as_array().expect("columns").iter().filter_map(Json::as_str).collect();
        let rows = result["rows"].as_array().expect("rows");
        rows.iter()
            .map(|row| {
                let cells = row.as_array().expect("a row of cells");
                columns.iter().map(|&column| column.to_owned()).zip(cells.iter().cloned()).collect()
            })
            .collect()
    }

    /// The one id that a save created.
    pub(crate) async fn create(&self, table: &str, row: Json) -> String {
        let saved = self.ok(&format!("save_{table}"), json!({"rows": [row]})).await;
        saved["created"][0].as_str().expect("a created id").to_owned()
    }

    /// The real program on the same database; it has the system's clock and random ids.
    pub(crate) fn serve(&self, args: &[&str]) -> McpProcess {
        McpProcess::start(&[("OPSTABLES_DATABASE_URL", &self.database_url)], args)
    }
}

/// A key of its own for every test, and no way to a CRM.
fn sync_options() -> opstables::sync::Options {
    let key = opstables::sync::Key::Text(KEY.into());
    let nowhere = "http://127.0.0.1:9".to_owned();
    let hosts = opstables::sync::crm::Hosts { hubspot: nowhere.clone(), attio: nowhere };
    opstables::sync::Options { hosts, key, ..opstables::sync::Options::default() }
}

fn toolbox() -> Arc<Toolbox> {
    Arc::new(Toolbox::new(tools::all(), Toolset::ALL, false))
}

pub(crate) async fn on_sqlite(check: impl AsyncFnOnce(Bench)) {
    in_new_sqlite(async |url| check(Bench::open(&url).await).await).await;
}

pub(crate) async fn on_postgres(test: &str, check: impl AsyncFnOnce(Bench)) {
    in_new_postgres(test, async |url| check(Bench::open(&url).await).await).await;
}

/// Runs the check with the URL of a database that does not exist yet.
pub(crate) async fn in_new_sqlite(check: impl AsyncFnOnce(String)) {
    let folder = TempDir::new().expect("a temporary folder");
    check(format!("sqlite://{}", folder.path().join("test.db").display())).await;
}

/// Runs the check with the URL of an empty database.
pub(crate) async fn in_new_postgres(test: &str, check: impl AsyncFnOnce(String)) {
    let Some(server) = postgres_server(test) else { return };
    let name = format!("opstables_test_{}", Uuid::new_v4().simple());
    command(&server, format!("create database {name}")).await;
    let mut url = Url::parse(&server).expect("the URL of a server");
    url.set_path(&name);
    let outcome = caught(check(url.to_string())).await;
    command(&server, format!("drop database if exists {name} with (force)")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

async fn command(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.expect("the server that tests were given");
    connection.execute(AssertSqlSafe(sql)).await.expect("a user who may create databases");
    // The command has succeeded; a failed goodbye changes nothing.
    drop(connection.close().await);
}

/// Runs to the end, of a panic too, so that the caller can clean up before passing it on.
async fn caught(work: impl Future<Output = ()>) -> std::thread::Result<()> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

fn postgres_server(test: &str) -> Option<String> {
    static ON_STDOUT: Once = Once::new();
    let server = std::env::var("OPSTABLES_TEST_POSTGRES").ok().filter(|server| !server.is_empty());
    if server.is_none() {
        let note = "OPSTABLES_TEST_POSTGRES is not set; `bash tests/run.sh` starts a server for the tests";
        assert!(std::env::var_os("CI").is_none(), "{note}");
        // Not `println!`, which the test runner hides when a test passes.
        let said = writeln!(std::io::stderr(), "SKIPPED {test}::postgres: {note}");
        ON_STDOUT.call_once(|| drop(writeln!(std::io::stdout(), "SKIPPED on PostgreSQL, all of it: {note}")));
        drop(said);
    }
    server
}
