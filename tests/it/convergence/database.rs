//! Our side of a history in a database: a contact's title, kept in step by the write path, the ledger and the queues.

use chrono::{DateTime, Utc};
use opstables::records::merge::Cell;
use opstables::records::sides::Observation;
use opstables::records::{self, Action, Actor, Change, Edit, Life, Observed, Source, Target};
use opstables::store::{Field, LinkRow, Sql, Tx, conflicts, ledger, links, read_text};
use opstables::tables::{Catalog, CatalogTable, System, Value};
use serde_json::json;
use uuid::Uuid;

use super::world::{BEGIN_MS, Ours, Version, WrittenBy};
use crate::harness::Bench;

const COLUMN: &str = "title";

pub(super) struct Database<'a> {
    t: &'a Bench,
    row: Uuid,
    record: String,
}

impl Database<'_> {
    /// A contact that is a record in both CRMs.
    pub(super) async fn new(t: &Bench, number: u64) -> Database<'_> {
        // The row is older than all that is going to happen to it.
        t.clock.advance_ms(BEGIN_MS - 1_200_000 - t.clock.now_ms());
        let email = format!("person{number}@example.com");
        let row = t.create("contacts", json!({"email": email})).await.parse().expect("an id");
        let ours = Database { t, row, record: number.to_string() };
        for system in System::ALL {
            ours.observe(*system, |_| Observed::of(*system, &ours.record, t.clock.now_ms())).await;
        }
        ours
    }

    async fn observe(&self, system: System, observed: impl FnOnce(usize) -> Observed) {
        let ctx = self.t.ctx();
        let (mut tx, catalog) = ctx.begin().await.expect("a transaction");
        let table = catalog.table("contacts").expect("a table");
        let observed = observed(table.place(COLUMN).expect("a column"));
        let action = Action::Observe(Box::new(observed));
        let edit = Edit { target: Target::Existing(self.row), action, position: 0 };
        let actor = Actor::default();
        let change =
            Change { table, actor: &actor, source: Source::of(system), edits: vec![edit], undo_of: None };
        let (now, ids) = (ctx.services.clock.now(), &ctx.services.ids);
        records::write(&mut tx, &catalog, change, now, ids).await.expect("a write");
        tx.commit().await.expect("a commit");
    }

    async fn cell(&self) -> Option<Cell> {
        let (mut tx, catalog) = self.t.ctx().read().await.expect("a connection");
        let table = catalog.table("contacts").expect("a table");
        let place = table.place(COLUMN).expect("a column");
        let stored = records::get(&mut tx, catalog.org, table, self.row).await.expect("a read");
        stored.expect("the row").cell(table, place)
    }

    /// Each queue holds the column exactly while the CRM must be told. Of a row that is archived or a record that is gone
    /// it may hold what the worker will find needless.
    async fn check_queues(&self) {
        let (mut tx, catalog) = self.t.ctx().read().await.expect("a connection");
        for system in System::ALL {
            let Some((stored, link)) = self.linked(&mut tx, &catalog, *system).await else { continue };
            if stored.head.archived.is_some() || link.gone_ms.is_some() {
                continue;
            }
            let differs = self.differs(&mut tx, &catalog, *system).await.is_some();
            let queue = records::queue_of(*system).table();
            let columns = match tx.dialect() {
                opstables::store::Dialect::Sqlite => "columns",
                opstables::store::Dialect::Postgres => "cast(columns as text)",
            };
            let text = format!("select {columns}, state from {queue} where row_id = $1");
            let lines =
                tx.fetch_fields(Sql::with(&text, [self.row.into()]), &[Field::Text, Field::Text]).await;
            let lines = lines.expect("a read");
            let waits = lines.iter().any(|line| {
                read_text(&line[0]).is_some_and(|columns| columns.contains(COLUMN))
                    && read_text(&line[1]) == Some("pending")
            });
            assert_eq!(waits, differs, "{queue} holds {lines:?}");
        }
    }

    /// The row and its link to a CRM, once there is one.
    async fn linked(
        &self,
        tx: &mut Tx,
        catalog: &Catalog,
        system: System,
    ) -> Option<(records::Stored, LinkRow)> {
        let table: &CatalogTable = catalog.table("contacts").expect("a table");
        let stored = records::get(tx, catalog.org, table, self.row).await.expect("a read").expect("the row");
        let known = links::of_rows(tx, catalog.org, &[self.row]).await.expect("the links");
        Some((stored, known.into_iter().find(|link| link.system == system.name())?))
    }

    async fn differs(
        &self,
        tx: &mut Tx,
        catalog: &Catalog,
        system: System,
    ) -> Option<(records::Stored, LinkRow)> {
        let table: &CatalogTable = catalog.table("contacts").expect("a table");
        let (stored, link) = self.linked(tx, catalog, system).await?;
        if stored.head.archived.is_some() || link.gone_ms.is_some() {
            return None;
        }
        let connection = catalog.connection(system).expect("a connection");
        let differing = records::differing(connection, table, &stored, Some(&link));
        differing.contains_key(COLUMN).then_some((stored, link))
    }
}

impl Ours for Database<'_> {
    async fn edit(&mut self, value: Option<Value>, now_ms: i64) -> Version {
        self.t.clock.advance_ms(now_ms - self.t.clock.now_ms());
        let value = match value {
            Some(Value::Text(text)) => json!(text),
            _ => json!(null),
        };
        self.t.ok("save_contacts", json!({"rows": [{"id": self.row, COLUMN: value}]})).await;
        self.check_queues().await;
        let stamp = self.cell().await.expect("a written cell").stamp;
        (stamp.ms, stamp.ctr)
    }

    async fn observe(&mut self, source: Source, seen: Observation) {
        self.t.clock.advance_ms(seen.received_ms - self.t.clock.now_ms());
        let system = source.system().expect("a CRM");
        let received_ms = seen.received_ms;
        Database::observe(self, system, |place| {
            let record = Observed::of(system, &self.record, received_ms);
            Observed { cells: vec![(place, vec![seen])], ..record }
        })
        .await;
        self.check_queues().await;
    }

    async fn send(&mut self, source: Source, now_ms: i64) -> Option<(Uuid, Option<Value>)> {
        self.t.clock.advance_ms(now_ms - self.t.clock.now_ms());
        let system = source.system().expect("a CRM");
        let (mut tx, catalog) = self.t.ctx().begin().await.expect("a transaction");
        let (stored, link) = self.differs(&mut tx, &catalog, system).await?;
        let table = catalog.table("contacts").expect("a table");
        let place = table.place(COLUMN).expect("a column");
        let id = self.t.app.services.ids.next();
        let sending = records::sending(system, (table, &stored, place), Some(&link.record_id), id, now_ms);
        let now = DateTime::<Utc>::from_timestamp_millis(now_ms).expect("a time");
        ledger::append(&mut tx, catalog.org, &[sending.expect("a line")], now).await.expect("a line");
        tx.commit().await.expect("a commit");
        Some((id, stored.values[place].clone()))
    }

    async fn acknowledged(&mut self, source: Source, sent: Uuid, at_ms: i64) {
        let system = source.system().expect("a CRM");
        let record = Observed::of(system, &self.record, self.t.clock.now_ms());
        let acknowledged = |place| Observed { acknowledged: vec![(place, sent, at_ms)], ..record };
        Database::observe(self, system, acknowledged).await;
        self.check_queues().await;
    }

    async fn read_back(&mut self, source: Source, history: Vec<Observation>) {
        let system = source.system().expect("a CRM");
        if let Some(seen) = history.first() {
            self.t.clock.advance_ms(seen.received_ms - self.t.clock.now_ms());
        }
        let record = Observed::of(system, &self.record, self.t.clock.now_ms());
        let whole = |place| Observed { cells: vec![(place, history)], is_whole: true, ..record };
        Database::observe(self, system, whole).await;
        self.check_queues().await;
    }

    async fn current(&mut self) -> Option<(Option<Value>, Version, WrittenBy)> {
        let cell = self.cell().await?;
        Some((cell.value, (cell.stamp.ms, cell.stamp.ctr), cell.stamp.source))
    }

    async fn lives(&mut self, source: Source, life: Life, received_ms: i64) {
        let system = source.system().expect("a CRM");
        let record = Observed::of(system, &self.record, received_ms);
        Database::observe(self, system, |_| Observed { life: Some(life), ..record }).await;
        self.check_queues().await;
    }

    async fn restore(&mut self, now_ms: i64) -> Version {
        self.t.clock.advance_ms(now_ms - self.t.clock.now_ms());
        let restore = json!({"table": "contacts", "ids": [self.row], "restore": true});
        self.t.ok("archive_rows", restore).await;
        self.check_queues().await;
        let (mut tx, catalog) = self.t.ctx().read().await.expect("a connection");
        let table = catalog.table("contacts").expect("a table");
        let stored = records::get(&mut tx, catalog.org, table, self.row).await.expect("a read");
        stored.expect("the row").restored().expect("a restored row")
    }

    async fn is_archived(&mut self) -> bool {
        let (mut tx, catalog) = self.t.ctx().read().await.expect("a connection");
        let table = catalog.table("contacts").expect("a table");
        let stored = records::get(&mut tx, catalog.org, table, self.row).await.expect("a read");
        stored.expect("the row").head.archived.is_some()
    }

    async fn lost(&mut self) -> Vec<(Option<Value>, Version, WrittenBy)> {
        let (mut tx, catalog) = self.t.ctx().read().await.expect("a connection");
        let lines = conflicts::of_rows(&mut tx, catalog.org, &[self.row]).await.expect("the conflicts");
        let open = lines.into_iter().filter(|line| line.resolution == "open" && line.column_key == COLUMN);
        open.map(|line| {
            let value = line.loser_value.0.as_str().map(|text| Value::Text(text.to_owned()));
            let source = Source::from_name(&line.loser_source).expect("a source");
            (value, (line.loser_ms, line.loser_ctr), source)
        })
        .collect()
    }
}
