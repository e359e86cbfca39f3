//! A cancelled call stops the database's work, leaves nothing behind, and takes nothing from the next call.

use std::time::{Duration, Instant};

use chrono::{TimeZone, Utc};
use opstables::store::{Dialect, Sql};
use opstables::tables::LEADS;
use serde_json::{Value as Json, json};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::harness::{Bench, on_both};
use crate::history;

const ROWS: usize = 60_000;
/// Long after the engine has begun to work, long before it is done.
const SOON: Duration = Duration::from_millis(50);
/// What the next call may take on a busy machine; the slow query takes several times as long.
const PROMPT: Duration = Duration::from_secs(2);

/// Rows with a long text each, made by the database itself.
async fn many_long_rows(t: &Bench) {
    let source = LEADS.column("source").and_then(|column| column.slot).expect("a stored column").column();
    let mut tx = t.app.services.store.begin().await.expect("a transaction");
    let id = match tx.dialect() {
        Dialect::Sqlite => "randomblob(16)",
        Dialect::Postgres => "gen_random_uuid()",
    };
    let long = "ab".repeat(500);
    let now = Utc.with_ymd_and_hms(2026, 3, 2, 10, 0, 0).single().expect("a real moment");
    let text = format!(
        "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {ROWS})
         insert into dynamic_table_rows (org_id, table_key, id, base_ms, base_ctr, base_source, base_actor,
           provenance, created_at, updated_at, search, {source})
         select $1, 'leads', {id}, 0, 0, 'app', 'copilot', '{{}}', $2, $2, '', '{long}' from numbers"
    );
    tx.execute(Sql::with(&text, [t.org.into(), now.into()])).await.expect("an insert");
    tx.commit().await.expect("a commit");
}

/// A count that no index can answer: it looks for thirty texts in every row.
fn slow() -> Json {
    let look = |i: usize| json!({"column": "source", "op": "contains", "value": format!("ababab{i}")});
    json!({"any_of": (0..30).map(look).collect::<Vec<_>>(), "aggregate": {"fn": "count"}})
}

/// Starts the slow query and gives up on it.
async fn cancelled(t: &Bench) {
    let answered = timeout(SOON, t.ok("query_leads", slow())).await;
    assert!(answered.is_err(), "the query was to be slow, and was answered: {answered:?}");
}

/// Nothing of this database is at work or waits in a transaction.
async fn assert_idle(t: &Bench, patience: Duration) {
    if t.app.services.store.dialect() == Dialect::Sqlite {
        return;
    }
    let mut server = PgConnection::connect(&t.database_url).await.expect("the test's database");
    let started = Instant::now();
    loop {
        let busy: Vec<(String, Option<String>)> = sqlx::query_as(
            "select state, query from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
               and backend_type in ('client backend', 'parallel worker')",
        )
        .fetch_all(&mut server)
        .await
        .expect("the server's view of itself");
        if busy.is_empty() {
            return;
        }
        assert!(started.elapsed() < patience, "still at work: {busy:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Every connection works: more calls at once than there are connections are all answered soon.
async fn assert_usable(t: &Bench) {
    let started = Instant::now();
    let save = async |i: usize| {
        t.ok("save_companies", json!({"rows": [{"name": format!("Company {i}")}]})).await;
        t.ok("query_companies", json!({"limit": 1})).await
    };
    let (a, b) = ((0..12).map(save), (12..24).map(save));
    for (a, b) in a.zip(b) {
        tokio::join!(a, b);
    }
    assert!(started.elapsed() < 5 * PROMPT, "48 small calls took {:?}", started.elapsed());
}

on_both! {
    async fn a_dropped_query_stops_the_engine_and_frees_its_connection(t: Bench) {
        many_long_rows(&t).await;
        // As many as there are connections to read from on SQLite, so that the next call needs one of theirs.
        tokio::join!(cancelled(&t), cancelled(&t), cancelled(&t), cancelled(&t));
        let started = Instant::now();
        assert_idle(&t, Duration::from_secs(1)).await;
        t.ok("query_companies", json!({"limit": 1})).await;
        t.ok("save_companies", json!({"rows": [{"name": "Globex"}]})).await;
        assert!(started.elapsed() < PROMPT, "the next calls took {:?}", started.elapsed());
    }

    async fn a_storm_of_cancellations_exhausts_nothing(t: Bench) {
        many_long_rows(&t).await;
        for _ in 0..3 {
            let mut storm = JoinSet::new();
            for _ in 0..40 {
                let t = t.within(t.org);
                storm.spawn(async move { cancelled(&t).await });
            }
            storm.join_all().await;
            let started = Instant::now();
            t.ok("save_companies", json!({"rows": [{"name": "Globex"}]})).await;
            assert!(started.elapsed() < PROMPT, "the next call took {:?}", started.elapsed());
            assert_idle(&t, PROMPT).await;
        }
    }

    async fn a_write_cancelled_anywhere_is_done_whole_or_not_at_all(t: Bench) {
        let rows: Vec<Json> = (0..300).map(|i| json!({"contact_name": format!("Lead {i}"), "status": "new"})).collect();
        let save = json!({"rows": rows});
        let started = Instant::now();
        t.ok("save_leads", save.clone()).await;
        let whole = started.elapsed();
        for i in 0..30 {
            drop(timeout(whole * i / 25, t.ok("save_leads", save.clone())).await);
        }
        assert_usable(&t).await;
        assert_idle(&t, PROMPT).await;
        let companies = t.ok("query_companies", json!({"limit": 1})).await["total"].clone();
        assert_eq!(companies, json!(24));
        assert_eq!((history::check(&t).await - 24) % 300, 0);
    }

    async fn calls_dropped_at_any_moment_leave_every_connection_clean(t: Bench) {
        for i in 0..400_u32 {
            let moment = Duration::from_micros(u64::from(i * 7_919 % 6_000));
            let call = async {
                match i % 4 {
                    0 => t.ok("query_leads", json!({"search": "lead"})).await,
                    1 => t.ok("save_leads", json!({"rows": [{"contact_name": format!("Lead {i}")}]})).await,
                    2 => t.ok("save_leads", json!({"match_on": "contact_email", "rows": [{"contact_email": "a@b.co", "source": i.to_string()}]})).await,
                    _ => t.ok("save_leads", json!({"filters": [{"column": "contact_email", "op": "equals", "value": "a@b.co"}], "set": {"source": i.to_string()}})).await,
                }
            };
            drop(timeout(moment, call).await);
        }
        assert_usable(&t).await;
        assert_idle(&t, PROMPT).await;
        t.ok("save_leads", json!({"rows": [{"contact_name": "Last"}]})).await;
        assert_eq!(t.rows("query_leads", json!({"search": "last"})).await.len(), 1, "a read sees what is newest");
        history::check(&t).await;
    }

    async fn a_notification_stops_the_servers_work(t: Bench) {
        many_long_rows(&t).await;
        let host = t.serve(&[]);
        host.ok("query_leads", json!({"limit": 1})).await;
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
        for id in 1_000..1_004 {
            let params = json!({"name": "query_leads", "arguments": slow(), "_meta": meta});
            host.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})).await;
            sleep(SOON).await;
            host.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "_meta": meta}})).await;
        }
        assert_idle(&t, Duration::from_secs(1)).await;
        sleep(Duration::from_millis(200)).await;
        let before = cpu_time(host.pid());
        sleep(Duration::from_secs(1)).await;
        let spent = cpu_time(host.pid()).saturating_sub(before);
        assert!(spent < Duration::from_millis(200), "the server went on working: {spent:?}");
        let started = Instant::now();
        host.ok("query_companies", json!({"limit": 1})).await;
        assert!(started.elapsed() < PROMPT, "the next call took {:?}", started.elapsed());
        let answered = host.messages().into_iter().find(|message| message["result"].is_object());
        assert_eq!(answered, None, "a cancelled request was answered with a result");
    }
}

/// What a process has used of the processors so far; nothing where that cannot be read.
fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks =
        after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}
