//! How fast webhooks come in: genuine deliveries through the real server, by clients that keep their connections.
//!
//! ```text
//! OPSTABLES_TEST_POSTGRES=postgres://user@host/postgres cargo bench --bench ingest
//! ```
//! As fast as it goes, each client sends its next delivery when the last one is answered; at a steady rate, at its time, and
//! what is answered late counts from then. Clients and server share the machine's processors.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use mimalloc::MiMalloc;
use opstables::app::{App, Options};
use opstables::clock::Clock;
use opstables::http::{self, Server};
use opstables::store::{ConnectionRow, Org, Sql, connections};
use opstables::sync::receive::path_of;
use opstables::sync::{Key, hooks};
use opstables::tables::System;
use secrecy::SecretString;
use serde_json::json;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

mod databases;

const PUBLIC_URL: &str = "https://crm.example.com";
const SECRET: &str = "hubspot-client-secret";
const TIME: Duration = Duration::from_secs(5);
const LOADS: &[Load] = &[
    Load { events: 1, clients: 32, rate: None },
    Load { events: 1, clients: 32, rate: Some(2_000) },
    // As many at once as HubSpot sends unless it is told otherwise.
    Load { events: 100, clients: 10, rate: None },
    Load { events: 100, clients: 10, rate: Some(2_000) },
];

/// What the clients send.
#[derive(Clone, Copy)]
struct Load {
    /// In a delivery.
    events: u64,
    clients: u32,
    /// Events a second of all clients together; none for as many as are answered.
    rate: Option<u32>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::TempDir::new().expect("a folder");
    runtime.block_on(async {
        for (name, url) in databases::both(folder.path(), "opstables_ingest_bench").await {
            measure(name, &url).await;
        }
    });
}

async fn measure(name: &str, url: &str) {
    let key = Key::Text("abababababababababababababababababababababababababababababababab".into());
    let sync = opstables::sync::Options { key, ..opstables::sync::Options::default() };
    let options = Options { sync, ..Options::at(url) };
    let app = App::open(&options).expect("a database");
    let made = app.create_organization("acme", "Acme", chrono_tz::UTC).await;
    let connection = connect(&app, made.expect("an organization").0).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let options = http::Options { public_url: Some(PUBLIC_URL.to_owned()), ..http::Options::default() };
    let server = Server::on(Arc::clone(&app.services.sync), listener, options).expect("a server");
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(server.run(stopped));
    println!("{name}");
    for (place, load) in LOADS.iter().enumerate() {
        ingest(&app, address, connection, *load, place as u64).await;
    }
    stop.send_replace(true);
    running.await.expect("a server");
    app.services.store.close().await;
}

/// Sends deliveries for a while.
async fn ingest(app: &App, address: SocketAddr, connection: Uuid, load: Load, place: u64) {
    let before = kept(app).await;
    let began = Instant::now();
    let clients = (0..load.clients).map(|client| {
        let first = u64::from(client + 1) * 1_000_000_000 + place * 100_000_000;
        tokio::spawn(async move { send(address, connection, load, (client, first)).await })
    });
    let mut times = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        times.extend(client.await.expect("a client"));
    }
    let elapsed = began.elapsed();
    let sent = times.len() as u64 * load.events;
    assert_eq!(kept(app).await - before, i64::try_from(sent).expect("a count"), "each event is kept once");
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "  {:>3} events a delivery, {} clients, {}: {:>7.0} events/s, answers: median {:>6.1?}, p99 {:>6.1?}, longest {:>6.1?}",
        load.events,
        load.clients,
        if load.rate.is_some() { "at a steady rate" } else { "as fast as it goes" },
        sent as f64 / elapsed.as_secs_f64(),
        at(50),
        at(99),
        at(100),
    );
}

/// The times of the answers to one client.
async fn send(
    address: SocketAddr,
    connection: Uuid,
    load: Load,
    (client, first): (u32, u64),
) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let (mut times, mut turn, mut next, mut buffer) = (Vec::new(), 0, first, [0; 4_096]);
    let began = Instant::now();
    while began.elapsed() < TIME {
        let request = request(connection, load.events, next);
        next += load.events;
        let mut sent = Instant::now();
        if let Some(rate) = load.rate {
            let pause = Duration::from_secs(load.events * u64::from(load.clients)) / rate;
            // One after the other: all clients at once would be no steady rate.
            sent = began + turn * pause + client * pause / load.clients;
            tokio::time::sleep_until(sent.into()).await;
        }
        turn += 1;
        stream.write_all(&request).await.expect("a request");
        // An answer is short: it comes in one piece.
        let length = stream.read(&mut buffer).await.expect("an answer");
        times.push(sent.elapsed());
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..length]));
    }
    times
}

fn request(connection: Uuid, events: u64, first: u64) -> Vec<u8> {
    let now_ms = Clock::System.now_ms();
    let events = (first..first + events).map(|id| {
        json!({
            "eventId": id, "subscriptionId": 1001, "portalId": 1, "appId": 50_780_459, "occurredAt": now_ms,
            "subscriptionType": "contact.propertyChange", "attemptNumber": 0, "objectId": id % 100_000,
            "propertyName": "jobtitle", "propertyValue": format!("Title {id}"), "changeSource": "CRM_UI",
            "sourceId": "userId:9",
        })
    });
    let body = events.collect::<serde_json::Value>().to_string();
    let path = path_of(System::Hubspot, connection);
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(format!("POST{PUBLIC_URL}{path}{body}{now_ms}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-HubSpot-Signature-v3: {signature}\r\n\
         X-HubSpot-Request-Timestamp: {now_ms}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

async fn kept(app: &App) -> i64 {
    let mut tx = app.services.store.read().await.expect("a connection");
    let row: Option<(i64,)> =
        tx.fetch_optional(Sql::new("select count(*) from crm_inbox")).await.expect("a count");
    row.map_or(0, |(count,)| count)
}

/// A connection as `opstables connect` leaves it, with a secret for its webhooks; its token is never used.
async fn connect(app: &App, org: Org) -> Uuid {
    let (now, id) = (app.services.clock.now(), app.services.ids.next());
    let row = ConnectionRow {
        writer: Some("50780459".to_owned()),
        ..ConnectionRow::active(System::Hubspot.name(), id, ("1", "Bench"), now)
    };
    let mut tx = app.services.store.begin().await.expect("a transaction");
    connections::put(&mut tx, org, &row).await.expect("a connection");
    let secret = SecretString::from(SECRET.to_owned());
    let place = (org, System::Hubspot);
    hooks::add_secret(&app.services.sync, &mut tx, place, id, &secret).await.expect("a secret");
    tx.commit().await.expect("a commit");
    id
}
