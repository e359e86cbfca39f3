//! Connections, and what a CRM tells, put into a bench without a CRM.

use opstables::records::sides::Observation;
use opstables::records::{
    self, Action, Actor, ActorKind, Change, Edit, Life, Observed, Source, Target, queue_of,
};
use opstables::store::queue::{self, Failure, Settled, State};
use opstables::store::{connections, organizations};
use opstables::tables::{System, Value};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::harness::Bench;

/// Connects the organization, with what differs from the declared mapping.
pub(crate) async fn connect(t: &Bench, system: System, mapping: Json) {
    crate::connections::connect(t, system, "secret-token").await;
    let mut tx = t.app.services.store.begin().await.unwrap();
    connections::set_mapping(&mut tx, t.org, system.name(), mapping).await.unwrap();
    organizations::bump(&mut tx, t.org).await.unwrap();
    tx.commit().await.unwrap();
}

/// A contact that is the record at the CRM, which holds what the row holds.
pub(crate) async fn linked(t: &Bench, system: System, record: &str, cells: Json) -> String {
    let id = t.create("contacts", cells.clone()).await;
    let held: Vec<(&str, Json)> =
        cells.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let at_ms = t.clock.now_ms();
    for (key, value) in held {
        tell(t, system, &id, record, key, Some(value.as_str().unwrap()), at_ms).await;
    }
    id
}

/// Tells that somebody wrote a text into a contact's column at the CRM.
pub(crate) async fn tell(
    t: &Bench,
    system: System,
    row: &str,
    record: &str,
    column: &str,
    value: Option<&str>,
    at_ms: i64,
) {
    let value = value.map(|value| Value::Text(value.to_owned()));
    tell_value(t, (system, row, record), column, value, at_ms).await;
}

/// Tells that somebody wrote a value into a contact's column at the CRM.
pub(crate) async fn tell_value(
    t: &Bench,
    (system, row, record): (System, &str, &str),
    column: &str,
    value: Option<Value>,
    at_ms: i64,
) {
    let mut observed = Observed::of(system, record, t.clock.now_ms());
    let seen = Observation {
        value,
        reported_ms: at_ms,
        received_ms: t.clock.now_ms(),
        by_us: false,
        actor: "userId:9".to_owned(),
    };
    observed.cells = vec![(place(t, column).await, vec![seen])];
    observe(t, system, row, observed).await;
}

/// Tells that the CRM deleted a contact's record.
pub(crate) async fn tell_deleted(t: &Bench, system: System, row: &str, record: &str, at_ms: i64) {
    let life = Some(Life::Deleted(at_ms));
    observe(t, system, row, Observed { life, ..Observed::of(system, record, t.clock.now_ms()) }).await;
}

/// Tells that the CRM will not take what a contact's column holds, and gives its line up.
pub(crate) async fn refuse(t: &Bench, system: System, row: &str, record: &str, column: &str) {
    let refused = vec![place(t, column).await];
    observe(t, system, row, Observed { refused, ..Observed::of(system, record, t.clock.now_ms()) }).await;
    let failure = Failure {
        message: format!("Property values were not valid: {column}"),
        class: "invalid",
        column: Some(column.to_owned()),
        correlation: Some("a2f1c0de-0001".to_owned()),
    };
    settle(t, system, State::Dead, Some(failure)).await;
}

/// Claims every line that is due and settles it so.
pub(crate) async fn settle(t: &Bench, system: System, state: State, failure: Option<Failure>) -> usize {
    let now_ms = t.clock.now_ms();
    let mut tx = t.app.services.store.begin().await.unwrap();
    let leased = queue::claim(&mut tx, t.org, queue_of(system), now_ms, 45_000, 1_000).await.unwrap();
    let settled = leased.iter().map(|line| Settled {
        row_id: line.row_id,
        fence: line.fence,
        columns: Some(if state == State::Done { queue::Columns::new() } else { line.columns.0.clone() }),
        state,
        run_after_ms: now_ms + 60_000,
        attempts: 1,
        in_doubt: false,
        failure: failure.clone(),
    });
    let settled: Vec<Settled> = settled.collect();
    queue::settle(&mut tx, t.org, queue_of(system), &settled, now_ms).await.unwrap();
    tx.commit().await.unwrap();
    settled.len()
}

/// A contact whose phone number somebody changed at HubSpot before somebody here did; the row and the conflict.
pub(crate) async fn lost_edit(t: &Bench) -> (String, String) {
    let row = linked(
        t,
        System::Hubspot,
        "101",
        json!({"first_name": "Dana", "last_name": "Wu", "phone": "+14155550100"}),
    )
    .await;
    t.clock.advance_ms(60_000);
    t.ok("save_contacts", json!({"rows": [{"id": row, "phone": "+14155550111"}]})).await;
    let before = t.clock.now_ms() - 30_000;
    tell(t, System::Hubspot, &row, "101", "phone", Some("+14155550122"), before).await;
    let listed = t.ok("list_conflicts", json!({"row_id": row})).await;
    (row, listed["conflicts"][0]["id"].as_str().unwrap().to_owned())
}

async fn observe(t: &Bench, system: System, row: &str, observed: Observed) {
    let services = &t.app.services;
    let (mut tx, catalog) = services.catalogs.begin(&services.store, t.org, t.clock.now()).await.unwrap();
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let edit = Edit {
        target: Target::Existing(Uuid::parse_str(row).unwrap()),
        action: Action::Observe(Box::new(observed)),
        position: 0,
    };
    let table = catalog.table("contacts").unwrap();
    let change =
        Change { table, actor: &actor, source: Source::of(system), edits: vec![edit], undo_of: None };
    records::write(&mut tx, &catalog, change, t.clock.now(), &services.ids).await.unwrap();
    tx.commit().await.unwrap();
}

async fn place(t: &Bench, column: &str) -> usize {
    let services = &t.app.services;
    let (_, catalog) = services.catalogs.read(&services.store, t.org, t.clock.now()).await.unwrap();
    catalog.table("contacts").unwrap().place(column).unwrap()
}
