//! Reads the CRMs as the worker does, on a clock that the test moves.

use opstables::store::{links, polls};
use opstables::sync::pace::Limit;
use opstables::sync::pull::{Report, backfill};
use opstables::sync::{Turn, poll};
use opstables::tables::{Object, System};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::delivery::crms::Crms;

/// Longer than the time between two readings of what changed.
pub(crate) const POLL_MS: i64 = 301_000;
/// Longer than the time between two complete readings.
pub(crate) const SWEEP_MS: i64 = 25 * 3_600_000;

/// Reads what is due from a CRM until nothing is for a while.
pub(crate) async fn read(crms: &Crms, system: System) {
    let mut limit = Limit::new(system);
    for _ in 0..20_000 {
        let now_ms = crms.t.clock.now_ms();
        match poll(&crms.t.app.services.sync, crms.t.org, system, &mut limit).await.expect("a turn") {
            Turn::Worked(_) => {}
            Turn::Idle(Some(due_ms)) | Turn::Closed(due_ms) if due_ms - now_ms < 59_000 => {
                crms.t.clock.advance_ms((due_ms - now_ms).max(1));
            }
            Turn::Idle(_) | Turn::Closed(_) => return,
        }
    }
    panic!("it goes on for ever");
}

/// Lets time pass, and then reads what is due from both.
pub(crate) async fn after(crms: &Crms, ms: i64) {
    // The lines of a new connection are made by the first look.
    for system in System::ALL {
        read(crms, *system).await;
    }
    crms.t.clock.advance_ms(ms);
    for system in System::ALL {
        read(crms, *system).await;
    }
}

/// Reads and sends until both are through.
pub(crate) async fn settle(crms: &Crms) {
    for _ in 0..3 {
        after(crms, SWEEP_MS).await;
        crms.work().await;
    }
}

pub(crate) async fn pull(crms: &Crms, system: System, object: Object) -> Report {
    let engine = &crms.t.app.services.sync;
    let done = backfill(engine, crms.t.org, system, object, &|_| {}, &|| false);
    let ticking = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            crms.t.clock.advance_ms(500);
        }
    };
    tokio::select! {
        report = done => report.expect("a report"),
        () = ticking => unreachable!("it ticks for ever"),
    }
}

/// The contacts with what is compared of them, by their e-mail address.
pub(crate) async fn contacts(crms: &Crms) -> Vec<Map<String, Json>> {
    let fields = ["id", "email", "first_name", "last_name", "title", "phone"];
    let asked = json!({"fields": fields, "limit": 200, "sort": [{"column": "email"}]});
    crms.t.rows("query_contacts", asked).await
}

/// The record that a row is at a CRM, while it is there.
pub(crate) async fn record(crms: &Crms, system: System, row: &str) -> Option<String> {
    let row: Uuid = row.parse().expect("an id");
    let mut tx = crms.t.app.services.store.read().await.expect("a connection");
    let known = links::of_rows(&mut tx, crms.t.org, &[row]).await.expect("the links");
    let link = known.into_iter().find(|link| link.system == system.name() && link.gone_ms.is_none());
    link.map(|link| link.record_id)
}

/// How far a CRM's changes were read.
pub(crate) async fn cursor(crms: &Crms, system: System, object: Object) -> Option<i64> {
    let mut tx = crms.t.app.services.store.read().await.expect("a connection");
    let rows = polls::all(&mut tx, crms.t.org, system.name(), false).await.expect("the lines");
    let row = rows.into_iter().find(|row| row.object == object.name() && row.kind == "changes");
    row.and_then(|row| row.cursor_ms)
}
