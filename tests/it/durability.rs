//! An acknowledged change is on disk: the system calls of the server say so, which no kill can show.
//!
//! `strace` watches the server on SQLite. Without it, or where tracing is not allowed, the test is skipped with a loud note.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

const CALLS: usize = 200;

#[test]
fn no_change_is_acknowledged_before_its_log_is_synced() {
    let folder = TempDir::new().expect("a temporary folder");
    let trace = folder.path().join("trace");
    let can_trace = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !can_trace.is_ok_and(|output| output.status.success()) {
        let note = "SKIPPED no_change_is_acknowledged_before_its_log_is_synced: strace cannot trace here";
        drop(writeln!(std::io::stderr(), "{note}"));
        return;
    }
    let mut server = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=pwrite64,write,writev,sendto,fdatasync,fsync", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_opstables"))
        .arg("serve")
        .env("HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .env("OPSTABLES_DATABASE_URL", format!("sqlite://{}", folder.path().join("traced.db").display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a traced server");
    let mut calls = server.stdin.take().expect("a piped stdin");
    let mut answers = BufReader::new(server.stdout.take().expect("a piped stdout")).lines();
    for number in 0..CALLS {
        let rows = json!([{"email": format!("person{number}@example.com")}]);
        writeln!(calls, "{}", call(number, &rows)).expect("a server that listens");
        let answer: Json =
            serde_json::from_str(&answers.next().expect("an answer").expect("text")).expect("JSON");
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
    drop(calls);
    server.wait().expect("an end");
    let traced = std::fs::read_to_string(&trace).expect("a trace");
    let (acknowledged, early) = count(&traced);
    assert_eq!(acknowledged, CALLS, "the trace shows every answer");
    assert_eq!(early, 0, "answers before the write-ahead log was synced");
}

/// How many answers the trace shows, and how many of them while the log held writes that were not synced.
fn count(trace: &str) -> (usize, usize) {
    let (mut acknowledged, mut early, mut is_dirty) = (0, 0, false);
    for line in trace.lines() {
        let is_log = line.contains("traced.db-wal");
        if is_log && line.contains("pwrite64(") {
            is_dirty = true;
        } else if is_log && line.contains("sync(") {
            is_dirty = false;
        } else if line.contains("jsonrpc") && !is_log {
            acknowledged += 1;
            early += usize::from(is_dirty);
        }
    }
    (acknowledged, early)
}

fn call(number: usize, rows: &Json) -> Json {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": "save_contacts", "arguments": {"rows": rows}, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
}

#[test]
fn an_answer_before_the_sync_is_counted() {
    let trace = "1 pwrite64(9</x/traced.db-wal>, \"…\") = 24\n1 write(1<pipe:[1]>, \"{\\\"jsonrpc\\\"…\") = 9\n\
                 1 fdatasync(9</x/traced.db-wal>) = 0\n1 write(1<pipe:[1]>, \"{\\\"jsonrpc\\\"…\") = 9\n";
    assert_eq!(count(trace), (2, 1));
}
