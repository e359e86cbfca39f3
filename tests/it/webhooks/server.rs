//! The server itself: what it answers to what, and how it stops.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opstables::http::{Limits, Options, Server};
use opstables::store::Sql;
use opstables::tables::System;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use uuid::Uuid;

use super::client::{Line, PATIENCE, Served};
use super::signed::{Hooked, PUBLIC_URL, change, list, payload, update};
use crate::client::McpProcess;
use crate::harness::{Bench, on_both, on_sqlite};
use crate::source;

on_both! {
    async fn deliveries_are_answered_over_one_connection_and_kept(t: Bench) {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        let mut line = served.line().await;
        for event in 0..5 {
            let body = list(&[change(event, 11, "CEO"), change(event, 12, "CFO")]);
            let answer = line.send(&hooked.genuine(System::Hubspot, &body)).await;
            assert_eq!((answer.status, answer.json()), (200, json!({"taken": 2, "left_out": 0})));
        }
        let answer = line.send(&hooked.genuine(System::Attio, &payload(&[update(Uuid::nil())]))).await;
        assert_eq!(answer.status, 200);
        assert_eq!(hooked.inbox_len().await, 11);
        served.stopped().await;
    }

    async fn a_failed_insert_is_answered_with_503_and_the_next_attempt_is_kept(t: Bench) {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        let delivery = hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")]));
        hooked.break_inbox(true).await;
        let answer = served.send(&delivery).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
        assert_eq!(answer.json()["code"], "busy");
        hooked.break_inbox(false).await;
        assert_eq!(served.send(&delivery).await.status, 200);
        assert_eq!(hooked.inbox_len().await, 1);
        served.stopped().await;
    }

    async fn what_has_begun_is_answered_when_the_server_stops(t: Bench) {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits { requests: 1, ..Limits::default() }).await;
        let mut idle = served.line().await;
        assert_eq!(idle.send(&hooked.genuine(System::Hubspot, b"[]")).await.status, 200);
        let held = hooked.t.another_process();
        let mut tx = held.app.services.store.begin().await.expect("a transaction");
        if !hooked.is_sqlite() {
            tx.execute(Sql::new("lock table crm_inbox in exclusive mode")).await.expect("a lock");
        }
        let mut line = served.line().await;
        let delivery = hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")]));
        line.write(&delivery.wire()).await.expect("a request");
        // The one that may be under way is.
        while served.send(&hooked.genuine(System::Hubspot, b"[]")).await.status != 503 {}
        served.ask_to_stop();
        idle.end().await;
        drop(tx);
        assert_eq!(line.answer().await.expect("an answer").status, 200);
        line.end().await;
        let address = served.address;
        served.stopped().await;
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
        assert_eq!(hooked.inbox_len().await, 1);
    }

    async fn a_delivery_that_breaks_off_leaves_nothing(t: Bench) {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        for missing in [1, 2, 100, 250, 400] {
            let wire = hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")])).wire();
            let mut line = served.line().await;
            line.write(&wire[..wire.len() - missing]).await.expect("a part of a request");
            drop(line);
        }
        served.stopped().await;
        assert_eq!(hooked.inbox_len().await, 0);
    }

    async fn the_server_says_whether_it_is_alive_and_ready(t: Bench) {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        let alive = served.ask("GET", "/healthz").await;
        assert_eq!((alive.status, alive.json()), (200, json!({"status": "alive"})));
        let ready = served.ask("GET", "/readyz").await;
        assert_eq!((ready.status, ready.json()), (200, json!({"status": "ready"})));
        served.stopped().await;
    }

    async fn what_is_not_there_is_said_in_json_without_a_word_about_the_server(t: Bench) {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        let path = hooked.genuine(System::Hubspot, b"").path;
        for (method, path, status, code) in [
            ("GET", "/", 404, "not_found"),
            ("POST", "/webhooks/hubspot", 404, "not_found"),
            ("POST", "/webhooks/salesforce/1", 404, "not_found"),
            ("POST", "/webhooks/hubspot/1", 404, "not_found"),
            ("GET", path.as_str(), 405, "invalid"),
            ("PUT", path.as_str(), 405, "invalid"),
            ("POST", "/healthz", 405, "invalid"),
            ("POST", path.as_str(), 401, "denied"),
        ] {
            let answer = served.ask(method, path).await;
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            assert_eq!(answer.json()["code"], code);
            assert!(answer.json()["message"].as_str().is_some_and(|message| !message.is_empty()));
            let header = |name: &str| answer.header(name).map(str::to_owned);
            assert_eq!(header("content-type").as_deref(), Some("application/json"));
            assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
            assert_eq!(header("cache-control").as_deref(), Some("no-store"));
            assert_eq!(header("server"), None);
            assert_eq!(header("allow").is_some(), status == 405, "{method} {path}");
        }
        served.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_its_database_is_alive_and_not_ready() {
    on_sqlite(async |t| {
        let file = format!("{}-broken", t.database_url);
        let path = file.strip_prefix("sqlite://").expect("a file");
        std::fs::write(path, "this is no database, and longer than a page's head\n".repeat(40)).unwrap();
        let hooked = Hooked::new(t).await;
        let t = Bench::process(&file, hooked.t.org, &hooked.t.clock);
        let hooked = Hooked { t, ..hooked };
        let served = Served::start(&hooked, Limits::default()).await;
        assert_eq!(served.ask("GET", "/healthz").await.status, 200);
        let ready = served.ask("GET", "/readyz").await;
        assert_eq!(ready.status, 503);
        assert!(
            ready.json()["message"].as_str().is_some_and(|message| message.contains("database")),
            "{ready:?}"
        );
        let delivery = hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")]));
        assert_eq!(served.send(&delivery).await.status, 503);
        served.stopped().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_come_over_tls() {
    on_sqlite(async |t| {
        let hooked = Hooked::new(t).await;
        let folder = source::root().join("tests/fixtures/tls");
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let options = |key| Options {
            public_url: Some(PUBLIC_URL.to_owned()),
            tls: Some((cert.clone(), key)),
            limits: Limits::default(),
        };
        let engine = || Arc::clone(&hooked.t.app.services.sync);
        let refused = Server::bind(engine(), "127.0.0.1:0", options(cert.clone())).await;
        assert!(refused.expect_err("a certificate is no key").message.contains("the key cannot be read"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::on(engine(), listener, options(key)).expect("a server");
        assert!(server.url().starts_with("https://"));
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(server.run(stopped));

        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&cert).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("TLS");
        let mut delivery = hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")]));
        delivery.set("Connection", "close");
        stream.write_all(&delivery.wire()).await.unwrap();
        let mut said = String::new();
        drop(stream.read_to_string(&mut said).await);
        assert!(said.starts_with("HTTP/1.1 200") && said.contains("strict-transport-security"), "{said}");
        let mut plain = Line::new(TcpStream::connect(address).await.unwrap());
        plain.write(&hooked.genuine(System::Hubspot, b"[]").wire()).await.unwrap();
        assert!(plain.answer().await.is_none(), "plain HTTP is not answered");
        assert_eq!(hooked.inbox_len().await, 1);
        stop.send_replace(true);
        running.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_serves_copilots_and_webhooks_side_by_side() {
    on_sqlite(async |t| {
        let env = [("OPSTABLES_DATABASE_URL", t.database_url.as_str()), ("OPSTABLES_ORG", "acme")];
        let host = McpProcess::start(&env, &["--http", "127.0.0.1:0", "--public-url", PUBLIC_URL]);
        let began = Instant::now();
        while !host.stderr().contains("; Ctrl-C stops.") {
            assert!(began.elapsed() < PATIENCE, "{}", host.stderr());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        host.ok("describe_tables", json!({})).await;
        assert_eq!(status_of(&host.stderr(), "/readyz").await, 200);
        terminate(host.pid());
        let (status, stderr) = host.close().await;
        assert!(status.success(), "{status}; {stderr}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_goes_on_until_it_is_told_to_stop_whatever_its_stdin_is() {
    on_sqlite(async |t| {
        goes_on(&t, Stdio::null()).await;
        goes_on(&t, Stdio::piped()).await;
    })
    .await;
}

async fn goes_on(t: &Bench, stdin: Stdio) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
    command.args(["serve", "--http", "127.0.0.1:0", "--database-url", &t.database_url]);
    let log = tempfile::NamedTempFile::new().expect("a file");
    command.stdin(stdin).stdout(Stdio::null()).stderr(log.reopen().expect("a file"));
    let mut program = command.spawn().expect("the built program");
    // Waiting for the program would close it.
    let open = program.stdin.take();
    let said = || std::fs::read_to_string(log.path()).expect("a log");
    let began = Instant::now();
    while !said().contains("; Ctrl-C stops.") && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status_of(&said(), "/readyz").await, 200);
    assert!(program.try_wait().expect("a state").is_none(), "it goes on");
    terminate(program.id());
    let began = Instant::now();
    let status = loop {
        match program.try_wait().expect("a state") {
            Some(status) => break status,
            None if began.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(20)).await,
            None => {
                program.kill().expect("a process");
                panic!("it did not stop; {}", said());
            }
        }
    };
    assert!(status.success(), "{status}; {}", said());
    drop(open);
}

/// What a path of the server is answered with whose address stands in a log.
async fn status_of(log: &str, path: &str) -> u16 {
    let address = log.split("http://").nth(1).and_then(|rest| rest.split(';').next()).expect("an address");
    let mut line = Line::new(TcpStream::connect(address).await.expect("a connection"));
    line.write(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.expect("a request");
    line.answer().await.expect("an answer").status
}

fn terminate(process: u32) {
    assert!(Command::new("kill").args(["-TERM", &process.to_string()]).status().expect("kill").success());
}
