//! What synchronization costs: a write with its outbox row beside the same write without it, and how fast a queue drains.
//!
//! ```text
//! OPSTABLES_TEST_POSTGRES=postgres://user@host/postgres cargo bench --bench queue
//! ```
//! Every figure comes from one run on one server; ratios are of medians of alternating rounds. `benches/peers.mjs` drains the
//! same number of jobs with two queues of the Node world on the same server.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::time::{Duration, Instant};

use opstables::app::{App, Options};
use opstables::clock::Ids;
use opstables::records::{Actor, queue_of};
use opstables::store::queue::{self, Columns, Put, Settled};
use opstables::store::{ConnectionRow, Org, connections, organizations};
use opstables::tables::System;
use opstables::tools::{Tool, Toolbox};
use serde_json::{Value as Json, json};
use uuid::Uuid;

mod databases;

const ROUNDS: usize = 400;
const LINES: usize = 100_000;
const AT_ONCE: i64 = 1_000;
const WORKERS: usize = 2;

fn main() {
    // Cargo passes `--bench`; anything else is a filter of the harness that this is not.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::TempDir::new().expect("a folder");
    runtime.block_on(async {
        for (name, url) in databases::both(folder.path(), "opstables_queue_bench").await {
            measure(name, &url).await;
        }
    });
}

async fn measure(name: &str, url: &str) {
    let options = Options::at(url);
    let app = App::open(&options).expect("a database");
    println!("{name}");
    writes(&app).await;
    drains(&app).await;
    app.services.store.close().await;
}

/// One cell of one row, written with a connection to a CRM and without.
async fn writes(app: &App) {
    let (plain, _) =
        app.create_organization("plain", "Plain", chrono_tz::UTC).await.expect("an organization");
    let (connected, _) =
        app.create_organization("connected", "Connected", chrono_tz::UTC).await.expect("an organization");
    connect(app, connected).await;
    let toolbox = Toolbox::new(opstables::tools::all(), &[], false);
    let save = toolbox.find("save_contacts").expect("the tool");
    let mut rows = Vec::new();
    for org in [plain, connected] {
        let row = json!({"rows": [{"email": "ann@acme.com", "first_name": "Ann"}]});
        let made = call(app, org, save, row).await;
        rows.push(made["created"][0].as_str().expect("an id").to_owned());
    }
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (place, org) in [plain, connected].into_iter().enumerate() {
            let row = json!({"rows": [{"id": rows[place], "title": format!("Title {round}")}]});
            let began = Instant::now();
            call(app, org, save, row).await;
            times[place].push(began.elapsed());
        }
    }
    let [without, with] = times.map(median);
    println!(
        "  a write without outbox row {without:>9.1?}, with it {with:>9.1?}: {:.2} ×",
        with.as_secs_f64() / without.as_secs_f64()
    );
}

/// Claims and settles every line of a queue, with fences and one line a record.
async fn drains(app: &App) {
    let (org, _) = app.create_organization("queue", "Queue", chrono_tz::UTC).await.expect("an organization");
    let store = &app.services.store;
    let hubspot = queue_of(System::Hubspot);
    let lines: Vec<Put> = (0..LINES)
        .map(|_| Put {
            row_id: Ids::Random.next(),
            table_key: "contacts",
            columns: Columns::from_iter([("title".to_owned(), json!(true))]),
        })
        .collect();
    let began = Instant::now();
    let mut tx = store.begin().await.expect("a transaction");
    queue::put(&mut tx, org, hubspot, &lines, app.services.clock.now_ms()).await.expect("lines");
    tx.commit().await.expect("a commit");
    println!("  filled at {:>8.0} lines/s", rate(LINES, began.elapsed()));
    let began = Instant::now();
    let workers = (0..WORKERS).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { drain(&app, org).await })
    });
    let mut drained = 0;
    for worker in workers.collect::<Vec<_>>() {
        drained += worker.await.expect("a worker");
    }
    assert_eq!(drained, LINES);
    println!("  drained at {:>7.0} lines/s by {WORKERS} workers", rate(LINES, began.elapsed()));
}

async fn drain(app: &App, org: Org) -> usize {
    let (store, hubspot) = (&app.services.store, queue_of(System::Hubspot));
    let mut drained = 0;
    loop {
        let now_ms = app.services.clock.now_ms();
        let mut tx = store.begin().await.expect("a transaction");
        let lines = queue::claim(&mut tx, org, hubspot, now_ms, 45_000, AT_ONCE).await.expect("lines");
        tx.commit().await.expect("a commit");
        if lines.is_empty() {
            return drained;
        }
        let settled: Vec<Settled> = lines.iter().map(|line| Settled::done(line, now_ms)).collect();
        let mut tx = store.begin().await.expect("a transaction");
        drained += queue::settle(&mut tx, org, hubspot, &settled, now_ms).await.expect("settled").len();
        tx.commit().await.expect("a commit");
    }
}

async fn call(app: &App, org: Org, tool: &Tool, arguments: Json) -> Json {
    let Json::Object(arguments) = arguments else { panic!("arguments are an object") };
    tool.call(app.ctx(org, Actor::default()), arguments).await.expect("a write")
}

/// A connection as `opstables connect` leaves it; its token is never used.
async fn connect(app: &App, org: Org) {
    let now = app.services.clock.now();
    let row = ConnectionRow {
        state: "paused".to_owned(),
        ..ConnectionRow::active(System::Hubspot.name(), Uuid::nil(), ("1", "Bench"), now)
    };
    let mut tx = app.services.store.begin().await.expect("a transaction");
    connections::put(&mut tx, org, &row).await.expect("a connection");
    organizations::bump(&mut tx, org).await.expect("a new version");
    tx.commit().await.expect("a commit");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn rate(lines: usize, time: Duration) -> f64 {
    lines as f64 / time.as_secs_f64()
}
