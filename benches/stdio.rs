//! What opstables costs beside the database itself, in one run: `cargo bench`.
//!
//! - from process start to the first `tools/list` reply, beside a bare rmcp echo server
//! - a filtered, sorted page of 50 of 100,000 leads over stdio, beside the same SQL by hand, the bounded count of
//!   matches included, on a plain wide table with the right index, in the same database
//! - the tokens (bytes / 4) of the definitions and of typical results
//!
//! `OPSTABLES_TEST_POSTGRES=postgres://…` adds PostgreSQL. `OPSTABLES_BENCH_ROWS` sets the number of leads.
//! `OPSTABLES_BENCH_KEEP=folder` keeps the databases filled there and on the server, and uses them the next time.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a bench prints its figures")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use opstables::app::{App, Options};
use serde_json::{Value as Json, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

mod databases;
mod echo;

const CALLS: usize = 1_000;
const PAGE_ROWS: usize = 50;
const STARTS: usize = 30;
const DATABASE: &str = "opstables_bench";
const PROGRAM: &str = env!("CARGO_BIN_EXE_opstables");

fn main() {
    if std::env::args().any(|argument| argument == "--echo") {
        return echo::serve();
    }
    let rows: usize =
        std::env::var("OPSTABLES_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::TempDir::new().expect("a folder");
    let kept = std::env::var("OPSTABLES_BENCH_KEEP").ok().map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or_else(|| folder.path());
    let filled = kept.is_some() && folder.join("bench.db").exists();
    let databases = if filled {
        databases::kept(folder, DATABASE)
    } else {
        runtime.block_on(databases::both(folder, DATABASE))
    };
    for (name, url) in &databases {
        println!("\n{name}, {rows} leads");
        if !filled {
            runtime.block_on(fill(url, rows));
        }
        starts(name, url);
        pages(&runtime, url);
        if *name == "SQLite" {
            tokens(url);
        }
    }
}

/// Five rounds of starts, each program in turn, so that both meet the same noise.
fn starts(name: &str, url: &str) {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        ours.push(start(Command::new(PROGRAM).args(["serve", "--database-url", url])));
        bare.push(start(Command::new(std::env::current_exe().expect("this program")).arg("--echo")));
    }
    let (ours, bare) = (median(&mut ours), median(&mut bare));
    println!(
        "  start to tools/list   {ours:>8.2} ms   bare rmcp {bare:>7.2} ms   ratio {:.2}   ({name})",
        ours / bare
    );
}

fn start(command: &mut Command) -> f64 {
    let began = Instant::now();
    let mut host = Host::new(command);
    host.request("tools/list", json!({}));
    began.elapsed().as_secs_f64() * 1_000.0
}

/// The page over stdio and the same SQL by hand, call by call in turn.
fn pages(runtime: &tokio::runtime::Runtime, url: &str) {
    let mut host = Host::new(Command::new(PROGRAM).args(["serve", "--database-url", url]));
    let call = json!({"name": "query_leads", "arguments": {
        "filters": [
            {"column": "status", "op": "in", "value": ["new", "ready"]},
            {"column": "priority", "op": "equals", "value": "high"},
        ],
        "sort": [{"column": "created_at", "dir": "desc"}], "limit": PAGE_ROWS, "fields": COLUMNS,
    }});
    let (mut ours, mut hand, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    let mut by_hand = runtime.block_on(ByHand::connect(url));
    for i in 0..CALLS + 20 {
        let (ours_ms, reply) = host.timed("tools/call", call.clone());
        assert_eq!(
            reply["result"]["structuredContent"]["rows"].as_array().map(Vec::len),
            Some(PAGE_ROWS),
            "{reply}"
        );
        let began = Instant::now();
        let found = runtime.block_on(by_hand.page());
        let hand_ms = began.elapsed().as_secs_f64() * 1_000.0;
        assert_eq!(found, PAGE_ROWS);
        let (idle_ms, _) = host.timed("tools/list", json!({}));
        if i >= 20 {
            ours.push(ours_ms);
            hand.push(hand_ms);
            idle.push(idle_ms);
        }
    }
    let (ours, hand, idle) = (median(&mut ours), median(&mut hand), median(&mut idle));
    println!(
        "  page of {PAGE_ROWS} over stdio {ours:>8.3} ms   by hand   {hand:>7.3} ms   ratio {:.2}",
        ours / hand
    );
    println!("  tools/list, warm      {idle:>8.3} ms");
}

fn tokens(url: &str) {
    let mut host = Host::new(Command::new(PROGRAM).args(["serve", "--database-url", url]));
    let listed = host.request("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().cloned().unwrap_or_default();
    let bytes: usize = tools
        .iter()
        .map(|tool| {
            let text = |key: &str| tool[key].as_str().map_or(0, str::len);
            text("name") + text("description") + tool["inputSchema"].to_string().len()
        })
        .sum();
    println!("  tokens of tools/list  {:>8}", bytes / 4);
    for (what, arguments) in [
        ("50 leads × 14 columns", json!({"limit": 50, "fields": COLUMNS})),
        ("25 leads, default view", json!({"limit": 25})),
    ] {
        let reply = host.request("tools/call", json!({"name": "query_leads", "arguments": arguments}));
        let text = reply["result"]["content"][0]["text"].as_str().unwrap_or_default();
        let (width, rows) =
            (&reply["result"]["structuredContent"]["columns"], &reply["result"]["structuredContent"]["rows"]);
        let shape = (rows.as_array().map_or(0, Vec::len), width.as_array().map_or(0, Vec::len));
        println!("  tokens of {what:<22} {:>6}   ({} rows × {} columns)", text.len() / 4, shape.0, shape.1);
    }
}

const COLUMNS: &[&str] = &[
    "contact_name",
    "contact_email",
    "domain",
    "meeting_title",
    "meeting_start",
    "source",
    "status",
    "priority",
    "owner",
    "meeting_held",
    "meeting_recording_url",
    "meeting_outcome",
    "created_at",
];

/// A client that writes a request and waits for its reply.
struct Host {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: u64,
}

impl Host {
    fn new(command: &mut Command) -> Host {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.take().expect("its input");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        Host { child, stdin, stdout, next: 0 }
    }

    fn request(&mut self, method: &str, params: Json) -> Json {
        self.timed(method, params).1
    }

    /// How long, in milliseconds, until the reply had come; reading it is the client's own cost.
    fn timed(&mut self, method: &str, mut params: Json) -> (f64, Json) {
        self.next += 1;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let request = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        let request = format!("{request}\n");
        let began = Instant::now();
        self.stdin.write_all(request.as_bytes()).expect("the program reads");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the program answers");
        (began.elapsed().as_secs_f64() * 1_000.0, serde_json::from_str(&line).expect("a message"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The plain wide table `bench_leads` and the statement one would write for it.
enum ByHand {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

const PAGE: &str =
    "select id, contact_name, contact_email, domain, meeting_title, meeting_start, source, status, priority,
    owner, meeting_recording_url, meeting_outcome, created_at,
    (select count(*) from (select 1 from bench_leads where org_id = $1 and status in ($2, $3) and priority = $4
      limit 201) as matching)
    from bench_leads where org_id = $1 and status in ($2, $3) and priority = $4
    order by created_at desc, id desc limit 50";

impl ByHand {
    async fn connect(url: &str) -> ByHand {
        if url.starts_with("sqlite") {
            ByHand::Sqlite(SqliteConnection::connect(url).await.expect("the database"))
        } else {
            ByHand::Postgres(PgConnection::connect(url).await.expect("the database"))
        }
    }

    async fn page(&mut self) -> usize {
        use sqlx::Row;
        macro_rules! rows {
            ($connection:expr) => {{
                let query = sqlx::query(PAGE).bind(1_i64).bind("new").bind("ready").bind("high");
                let rows = query.fetch_all($connection).await.expect("rows");
                // Reading every cell is part of the work.
                let cells = |row| {
                    let text = |i| Row::try_get::<Option<String>, _>(row, i).expect("text");
                    let count: i64 = Row::try_get(row, 13).expect("a count");
                    assert!(count > 0);
                    (1..13).filter_map(text).map(|cell| cell.len()).sum::<usize>()
                };
                assert!(rows.iter().map(cells).sum::<usize>() > 0);
                rows.len()
            }};
        }
        match self {
            ByHand::Sqlite(connection) => rows!(connection),
            ByHand::Postgres(connection) => rows!(connection),
        }
    }
}

/// Fills leads by the product's own write path, copies them into the wide table, and lets both be analyzed.
async fn fill(url: &str, rows: usize) {
    let options = Options::at(url);
    let app = App::open(&options).expect("a database");
    let (org, _) = app.create_organization("bench", "Bench", chrono_tz::UTC).await.expect("an organization");
    for name in MEMBERS {
        app.add_member(org, name, None).await.expect("a member");
    }
    let tools = opstables::tools::Toolbox::new(opstables::tools::all(), &[], false);
    let save = tools.find("save_leads").expect("the tool");
    let began = Instant::now();
    for start in (0..rows).step_by(1_000) {
        let batch: Vec<Json> = (start..rows.min(start + 1_000)).map(lead).collect();
        let Json::Object(arguments) = json!({"rows": batch}) else { continue };
        save.call(app.ctx(org, opstables::records::Actor::default()), arguments).await.expect("saved");
    }
    println!("  filled by save_leads  {:>8.0} rows/s", rows as f64 / began.elapsed().as_secs_f64());
    copy(url).await;
    app.services.store.close().await;
}

async fn copy(url: &str) {
    let columns = "contact_name text, contact_email text, domain text, meeting_title text, meeting_start text, source text,
        status text, priority text, owner text, meeting_recording_url text, meeting_outcome text, created_at text";
    let table = format!(
        "create table bench_leads (org_id bigint not null, id text not null, {columns}, primary key (org_id, id))"
    );
    let cast = |slot: &str| if url.starts_with("sqlite") { slot.to_owned() } else { format!("{slot}::text") };
    let id = if url.starts_with("sqlite") { "hex(id)" } else { "id::text" };
    let fill = format!(
        "insert into bench_leads select 1, {id}, t01, t02, t03, t04, {}, t05, t06, t07, t08, t09, t10, {} from dynamic_table_rows where table_key = 'leads'",
        cast("d01"),
        cast("d02"),
    );
    let index =
        "create index bench_leads_page on bench_leads (org_id, priority, status, created_at desc, id desc)";
    // As PostgreSQL does by itself, and as SQLite advises: samples of a whole analysis would make it plan a
    // statement anew whenever a value is bound.
    let tidy =
        if url.starts_with("sqlite") { "pragma analysis_limit = 1000; analyze" } else { "vacuum analyze" };
    let newest =
        "create index bench_leads_newest on bench_leads (org_id, priority, created_at desc, id desc)";
    for statement in [table.as_str(), &fill, index, newest, tidy] {
        let statement = AssertSqlSafe(statement.to_owned());
        if url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(url).await.expect("the database");
            connection.execute(statement).await.expect("copied");
        } else {
            let mut connection = PgConnection::connect(url).await.expect("the database");
            connection.execute(statement).await.expect("copied");
        }
    }
}

const MEMBERS: &[&str] = &["Ann Lee", "Tom Ford", "Sarah Chen", "Aisha Khan", "Marco Rossi", "Helen Park"];

/// A believable lead, the same in every run.
fn lead(i: usize) -> Json {
    // A small multiplicative hash spreads the values without a source of randomness.
    let pick = |salt: usize, n: usize| {
        (i.wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(40_503)) >> 7) % n
    };
    let first = ["Dana", "Luis", "Priya", "Noah", "Mia", "Omar", "Ines", "Jon"][pick(1, 8)];
    let last = ["Miller", "Garcia", "Patel", "Kim", "Novak", "Haddad", "Silva", "Berg"][pick(2, 8)];
    let company =
        ["globex", "initech", "umbrella", "hooli", "acme", "vandelay", "stark", "wayne"][pick(3, 8)];
    let status = ["new", "prepping", "ready", "converted", "archived", "cancelled"][pick(4, 6)];
    let priority = ["low", "normal", "normal", "normal", "high", "urgent"][pick(5, 6)];
    let month = pick(6, 12) + 1;
    let created = format!(
        "2025-{month:02}-{:02}T{:02}:{:02}:{:02}Z",
        pick(7, 28) + 1,
        pick(8, 24),
        pick(9, 60),
        i % 60
    );
    let title = ["Intro call", "Product demo", "Discovery"][pick(10, 3)];
    let source = ["Website", "Referral", "Webinar", "LinkedIn"][pick(13, 4)];
    let outcome = ["scheduled", "completed", "no_show"][pick(15, 3)];
    let owner = MEMBERS[pick(14, 6)];
    json!({
        "contact_name": format!("{first} {last}"), "contact_email": format!("{first}.{last}{i}@{company}.com").to_lowercase(),
        "domain": format!("{company}.com"), "meeting_title": title,
        "meeting_start": format!("2025-{month:02}-{:02}T{:02}:00:00Z", pick(11, 28) + 1, pick(12, 9) + 9),
        "source": source, "status": status, "priority": priority,
        "owner": owner, "created_at": created,
        "meeting_outcome": outcome,
    })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
