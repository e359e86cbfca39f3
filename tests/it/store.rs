//! The two databases behind one face: what a transaction promises, how values come back, and what is said
//! when a database cannot be opened.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeZone, Utc};
use opstables::error::{Code, Error};
use opstables::store::{Datum, Dialect, Field, Row, RowHead, SlotColumn, Sql, Store, Tx, rows};
use opstables::tables::definitions::definitions;
use serde_json::{Map, json};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use crate::harness::{Bench, in_new_postgres, on_both};

/// As many values as one call of the largest kind binds.
const MANY: i64 = 30_000;

async fn note(tx: &mut Tx, key: &str, value: &str) -> Result<u64, Error> {
    tx.execute(Sql::with("insert into ops_settings (key, value) values ($1, $2)", [key.into(), value.into()]))
        .await
}

async fn noted(store: &Store, key: &str) -> Option<String> {
    let mut tx = store.read().await.expect("a read");
    let sql = Sql::with("select value from ops_settings where key = $1", [key.into()]);
    let row: Option<(String,)> = tx.fetch_optional(sql).await.expect("a statement that is right");
    row.map(|(value,)| value)
}

/// A row with these provenance, moments and slots.
fn row(id: u128, head: RowHead, slots: Vec<Datum>) -> Row {
    Row { head: RowHead { id: Uuid::from_u128(id), ..head }, slots }
}

fn head(base: (i64, i64), at: DateTime<Utc>) -> RowHead {
    RowHead {
        id: Uuid::nil(),
        base_ms: base.0,
        base_ctr: base.1,
        base_source: "app".to_owned(),
        base_actor: "copilot".to_owned(),
        provenance: Map::new(),
        created_at: at,
        updated_at: at,
        archived: None,
        tags: None,
        search: String::new(),
    }
}

fn slots() -> Vec<SlotColumn> {
    [("t20", Field::Text), ("n10", Field::Number), ("d10", Field::Time), ("f05", Field::Flag)]
        .map(|(name, field)| (name.to_owned(), field))
        .to_vec()
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment in RFC 3339")
}

/// The rows five times, under other ids.
fn many(rows: &[Row]) -> Vec<Row> {
    let again = |times: u128| {
        rows.iter().map(move |row| {
            let id = Uuid::from_u128(row.head.id.as_u128() ^ (times << 64));
            Row { head: RowHead { id, ..row.head.clone() }, slots: row.slots.clone() }
        })
    };
    (0..5).flat_map(again).collect()
}

/// The most and the least that each type holds, and nothing at all.
fn extremes() -> Vec<Row> {
    let now = Utc.with_ymd_and_hms(2026, 3, 2, 10, 0, 0).single().expect("a real moment");
    let cells = |text: Option<&str>, number, time: Option<&str>, flag| {
        vec![
            Datum::String(text.map(str::to_owned)),
            Datum::Double(number),
            Datum::ChronoDateTimeUtc(time.map(moment)),
            Datum::Bool(flag),
        ]
    };
    let mut provenance = Map::new();
    provenance.insert("a \"quoted\" 'key' — ключ".to_owned(), json!([i64::MAX, 0, "csv", "person:1"]));
    provenance.insert("z".to_owned(), json!({"b": [1.5, null, true], "a": "\u{1F600}"}));
    let full = RowHead {
        provenance,
        archived: Some((i64::MAX, i64::MIN)),
        tags: Some("\na\nb\n".to_owned()),
        search: "a%b_c\\d".to_owned(),
        ..head((i64::MAX, i64::MAX), moment("9999-12-31T23:59:59.999Z"))
    };
    let long = "é\n\t'\"\\%_;--\u{1F600}".repeat(5_000);
    vec![
        row(0, head((0, 0), now), cells(None, None, None, None)),
        row(
            u128::MAX,
            full,
            cells(Some(&long), Some(f64::MAX), Some("9999-12-31T23:59:59.999Z"), Some(true)),
        ),
        row(
            1,
            head((i64::MIN, i64::MIN), now),
            cells(Some(""), Some(f64::MIN), Some("0001-01-01T00:00:00Z"), Some(false)),
        ),
        row(
            2,
            head((-1, 1), now),
            cells(Some(" "), Some(f64::MIN_POSITIVE), Some("1969-12-31T23:59:59.999Z"), None),
        ),
        row(
            3,
            head((1, -1), now),
            cells(Some("0"), Some(0.1 + 0.2), Some("1970-01-01T00:00:00.001Z"), Some(true)),
        ),
        row(4, head((1, 2), now), cells(Some("1"), Some(-0.0), Some("2026-02-28T23:59:59Z"), Some(false))),
        row(5, head((1, 2), now), cells(None, Some(9_007_199_254_740_993.0), None, Some(true))),
    ]
}

on_both! {
    async fn what_is_committed_stays_and_what_is_dropped_was_never_there(t: Bench) {
        let store = &t.app.services.store;
        let mut tx = store.begin().await.expect("a transaction");
        note(&mut tx, "kept", "1").await.expect("an insert");
        assert_eq!(noted(store, "kept").await, None, "nobody sees it before the commit");
        tx.commit().await.expect("a commit");
        assert_eq!(noted(store, "kept").await.as_deref(), Some("1"));
        let mut tx = store.begin().await.expect("a transaction");
        note(&mut tx, "dropped", "1").await.expect("an insert");
        drop(tx);
        assert_eq!(noted(store, "dropped").await, None);
        note(&mut store.begin().await.expect("a transaction"), "dropped", "2").await.expect("the key is free");
    }

    async fn a_transaction_with_a_failed_statement_commits_nothing(t: Bench) {
        let store = &t.app.services.store;
        let mut tx = store.begin().await.expect("a transaction");
        note(&mut tx, "twice", "1").await.expect("an insert");
        note(&mut tx, "twice", "2").await.expect_err("the key is taken");
        tx.commit().await.expect_err("half of the work must not be acknowledged");
        assert_eq!(noted(store, "twice").await, None);
    }

    async fn a_read_cannot_write(t: Bench) {
        let mut tx = t.app.services.store.read().await.expect("a read");
        note(&mut tx, "read", "1").await.expect_err("reads change nothing");
        drop(tx);
        assert_eq!(noted(&t.app.services.store, "read").await, None);
    }

    async fn a_dropped_transaction_frees_its_connection_at_once(t: Bench) {
        let store = &t.app.services.store;
        let started = Instant::now();
        for i in 0..100 {
            let mut tx = store.begin().await.expect("the connection is free again");
            note(&mut tx, "dropped", &i.to_string()).await.expect("the one before it was rolled back");
        }
        assert!(started.elapsed() < Duration::from_secs(10), "100 times took {:?}", started.elapsed());
        assert_eq!(noted(store, "dropped").await, None);
    }

    async fn every_value_comes_back_as_it_went_in(t: Bench) {
        let store = &t.app.services.store;
        // So many that they are copied in, where a database can do that.
        let wanted = many(&extremes());
        let mut tx = store.begin().await.expect("a transaction");
        rows::insert(&mut tx, t.org, "leads", &slots(), wanted.clone()).await.expect("an insert");
        tx.commit().await.expect("a commit");
        let mut tx = store.read().await.expect("a read");
        for row in &wanted {
            let found = rows::get(&mut tx, t.org, "leads", row.head.id, &slots()).await.expect("a select");
            assert_eq!(found.as_ref(), Some(row));
        }
    }

    async fn every_value_comes_back_after_an_update_of_many_rows(t: Bench) {
        let store = &t.app.services.store;
        let wanted = extremes();
        let mut tx = store.begin().await.expect("a transaction");
        let blank = vec![Datum::String(None), Datum::Double(None), Datum::ChronoDateTimeUtc(None), Datum::Bool(None)];
        let before: Vec<Row> = wanted.iter().map(|row| Row { slots: blank.clone(), ..row.clone() }).collect();
        rows::insert(&mut tx, t.org, "leads", &slots(), before).await.expect("an insert");
        let columns: Vec<String> = slots().into_iter().map(|(name, _)| name).collect();
        let updates: Vec<_> = wanted.iter().map(|row| (row.head.id, row.slots.clone())).collect();
        rows::update(&mut tx, t.org, "leads", &columns, &updates).await.expect("an update");
        let ids: Vec<Uuid> = wanted.iter().map(|row| row.head.id).collect();
        let found = rows::lock(&mut tx, t.org, "leads", &ids, &slots()).await.expect("a select");
        let found: HashMap<Uuid, Row> = found.into_iter().map(|row| (row.head.id, row)).collect();
        for row in &wanted {
            assert_eq!(found.get(&row.head.id), Some(row));
        }
    }

    async fn a_statement_binds_thirty_thousand_values(t: Bench) {
        let store = &t.app.services.store;
        let mut sql = Sql::new("select count(*) from ops_settings where length(key) in (");
        sql.bind_all(0..MANY).push(")");
        let mut tx = store.read().await.expect("a read");
        let found = tx.fetch_fields(sql, &[Field::Integer]).await.expect("a statement that is right");
        assert!(matches!(found.as_slice(), [row] if matches!(row.as_slice(), [Datum::BigInt(Some(1..))])));
    }

    async fn a_database_of_a_newer_program_is_refused(t: Bench) {
        let mut tx = t.app.services.store.begin().await.expect("a transaction");
        let now = match tx.dialect() {
            Dialect::Sqlite => "datetime()",
            Dialect::Postgres => "now()",
        };
        tx.execute(Sql::new(&format!(
            "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
             select 9999, 'later', {now}, true, checksum, 0 from _sqlx_migrations where version = 1"
        ))).await.expect("an insert");
        tx.commit().await.expect("a commit");
        let newer = Store::open(&t.database_url, definitions).expect("the URL of a database");
        let error = newer.begin().await.expect_err("an older program cannot know it");
        assert_eq!(error.code, Code::Invalid);
        assert!(error.to_string().contains("9999") && error.to_string().contains("newer version"), "{error}");
    }
}

/// What opening the database and using it says.
async fn fault(url: &str) -> Error {
    match Store::open(url, definitions) {
        Err(error) => error,
        Ok(store) => match store.begin().await {
            Ok(_) => panic!("{url} is a database"),
            Err(error) => error,
        },
    }
}

#[tokio::test]
async fn a_url_that_names_no_database_is_refused_with_the_form_it_should_have() {
    for url in [
        "",
        "opstables.db",
        "mysql://ann:s3cret@db/ops",
        "postgres://ann:s3cret@db:port/ops",
        "sqlite://a.db?mode=x",
    ] {
        let error = fault(url).await;
        assert_eq!(error.code, Code::Invalid, "{url}: {error}");
        let said = format!("{error} {error:?}");
        assert!(error.hint.is_some() && !said.contains("s3cret"), "{url}: {said}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_a_database_is_said_to_be_none() {
    let folder = TempDir::new().expect("a temporary folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "just some notes, and more of them than a header has\n".repeat(100))
        .expect("a file");
    for place in [folder.path().to_owned(), text.clone(), text.join("below.db")] {
        let error = fault(&format!("sqlite://{}", place.display())).await;
        assert_eq!(error.code, Code::Invalid, "{}: {error:?}", place.display());
    }
}

#[tokio::test]
async fn an_unreachable_server_is_said_to_be_so_at_once() {
    let started = Instant::now();
    let error = fault("postgres://ann:s3cret@127.0.0.1:9/ops").await;
    assert_eq!(error.code, Code::Busy);
    assert!(error.message.contains("cannot be reached"), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(8), "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn a_wrong_database_or_password_is_named_and_the_password_is_not() {
    in_new_postgres("a_wrong_database_or_password", async |url| {
        let with = |change: fn(&mut Url)| {
            let mut url = Url::parse(&url).expect("the URL of a server");
            assert_eq!(url.set_password(Some("s3cret")), Ok(()));
            change(&mut url);
            url.to_string()
        };
        let missing = fault(&with(|url| url.set_path("no_such_database"))).await;
        let unknown = fault(&with(|url| assert_eq!(url.set_username("no_such_user"), Ok(())))).await;
        for (error, name) in [(missing, "no_such_database"), (unknown, "no_such_user")] {
            assert_eq!(error.code, Code::Invalid, "{error:?}");
            let said = format!("{error} {error:?}");
            assert!(said.contains(name) && !said.contains("s3cret"), "{said}");
        }
    })
    .await;
}
