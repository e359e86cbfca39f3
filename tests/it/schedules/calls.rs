//! Plays a schedule: random calls to the tools and to the write path, each made on the model too.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use opstables::error::{Code, Error};
use opstables::records::{self, Action, Actor, ActorKind, Change, Source, Target};
use opstables::tables::value;
use opstables::tools::{Ctx, Toolbox};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::dice::{self, Dice, Holds, TABLES};
use super::model::{Do, Edit, World, Writer};
use crate::harness::Bench;

/// More rows than this by filter are shown before they are changed.
const UNCONFIRMED: usize = 25;
pub(super) struct Player<'a> {
    pub(super) t: Bench,
    pub(super) world: World,
    toolbox: &'a Toolbox,
    pub(super) dice: Dice,
    /// The organization's own columns of each table.
    pub(super) own: Vec<(&'static str, &'static str, Holds)>,
    keys: usize,
}

/// What the model makes of a call, given the ids of the rows that it creates.
type Model<'a> = &'a dyn Fn(&mut World, &mut dyn Iterator<Item = Uuid>) -> Result<Option<usize>, Code>;

impl<'a> Player<'a> {
    pub(super) fn new(t: Bench, toolbox: &'a Toolbox, seed: u64) -> Player<'a> {
        Player { t, world: World::default(), toolbox, dice: Dice::new(seed), own: Vec::new(), keys: 0 }
    }

    pub(super) async fn play(&mut self) {
        for _ in 0..self.dice.roll(3) {
            self.add_column().await;
        }
        let calls = 12 + self.dice.roll(9);
        self.create("leads").await;
        for _ in 0..calls {
            let ms = *self.dice.pick(&[0, 0, 0, 0, 1, 1, 2, 1_000, 86_400_000, -700]);
            self.t.clock.advance_ms(ms);
            let table = *self.dice.pick(TABLES);
            match self.dice.roll(20) {
                0..3 => self.create(table).await,
                3..7 => self.update(table).await,
                7..9 => self.set_by_filter(table).await,
                9..12 => self.upsert(table).await,
                12..14 => self.archive(table).await,
                14 => self.archive_by_filter(table).await,
                15..18 => self.undo_some().await,
                18 => self.write_directly(table).await,
                _ if self.dice.chance(30) => self.drop_column().await,
                _ => self.fail(table).await,
            }
        }
    }

    pub(super) fn actor(&mut self) -> Actor {
        match self.dice.roll(3) {
            0 => Actor { kind: ActorKind::Person, id: Some(Uuid::from_u128(7)), ..Actor::default() },
            _ => Actor::default(),
        }
    }

    pub(super) fn writer(&self, actor: &Actor) -> Writer {
        Writer { source: "app", actor: actor.short(), now: self.t.clock.now() }
    }

    fn ctx(&self, actor: &Actor) -> Ctx {
        self.t.app.ctx(self.t.org, actor.clone())
    }

    pub(super) async fn send(&self, actor: &Actor, tool: &str, arguments: &Json) -> Result<Json, Error> {
        let Json::Object(arguments) = arguments.clone() else { panic!("arguments are an object") };
        self.toolbox.find(tool)?.call(self.ctx(actor), arguments).await
    }

    /// Makes a call and its counterpart on the model, now and then as a dry run before, or twice with one key.
    async fn call(&mut self, actor: &Actor, tool: &str, mut arguments: Json, model: Model<'_>) {
        if self.dice.chance(10) {
            let mut dry = arguments.clone();
            dry["dry_run"] = json!(true);
            let done = self.send(actor, tool, &dry).await;
            let expected = model(&mut self.world.clone(), &mut made_up());
            assert_eq!(
                done.as_ref().map_err(|error| error.code).err(),
                expected.err(),
                "{tool} {dry}: {done:?}"
            );
            assert!(
                done.is_err()
                    || done.is_ok_and(|done| done["status"] == "dry_run" && done["change_id"].is_null())
            );
        }
        let key = self.dice.chance(10).then(|| {
            self.keys += 1;
            json!(format!("key {}", self.keys))
        });
        if let Some(key) = &key {
            arguments["idempotency_key"] = key.clone();
        }
        let done = self.send(actor, tool, &arguments).await;
        match &done {
            Err(error) => {
                let expected = model(&mut self.world.clone(), &mut made_up());
                assert_eq!(expected, Err(error.code), "{tool} {arguments}: {error:?}");
            }
            Ok(done) => self.apply(tool, &arguments, done, model),
        }
        if let (Some(key), Ok(done)) = (key, done) {
            let again = self.send(actor, tool, &arguments).await.expect("what was done before");
            for part in ["created", "updated", "unchanged", "archived", "restored", "change_id"] {
                assert_eq!(again[part], done[part], "{tool} {arguments} again");
            }
            let other = json!({"rows": [{"tags": ["other"]}], "idempotency_key": key});
            let refused = self.send(actor, "save_clients", &other).await;
            assert_eq!(refused.map_err(|error| error.code), Err(Code::Conflict));
        }
    }

    fn apply(&mut self, tool: &str, arguments: &Json, done: &Json, model: Model<'_>) {
        assert_eq!(done["status"], "done", "{tool} {arguments}");
        let mut created = ids(&done["created"]).into_iter();
        let number = model(&mut self.world, &mut created);
        let number = number.unwrap_or_else(|code| panic!("{tool} {arguments} should be {code:?}: {done}"));
        assert_eq!(created.next(), None, "{tool} {arguments} created more than it should");
        assert_eq!(number.is_some(), done["change_id"].is_string(), "{tool} {arguments}: {done}");
        if let Some(number) = number {
            self.world.changes[number].id = done["change_id"].as_str().map(str::to_owned);
        }
    }

    /// Some cells of a row, as they are written and as they are kept; at least one holds a value.
    fn cells(&mut self, table: &'static str) -> (Map<String, Json>, Vec<(String, Json)>) {
        let mut columns = dice::columns(table).to_vec();
        columns.extend(self.own.iter().filter(|(of, ..)| *of == table).map(|(_, key, holds)| (*key, *holds)));
        let (mut written, mut kept) = (Map::new(), Vec::new());
        for i in 0..=self.dice.roll(4) {
            let (column, holds) = *self.dice.pick(&columns);
            if !written.contains_key(column) {
                let (raw, value) = if i == 0 { self.dice.some(holds) } else { self.dice.value(holds) };
                written.insert(column.to_owned(), raw);
                kept.push((column.to_owned(), value));
            }
        }
        (written, kept)
    }

    async fn create(&mut self, table: &'static str) {
        let count = if self.dice.chance(8) { 24 + self.dice.roll(12) } else { 1 + self.dice.roll(5) };
        let is_many = count > 5;
        let (mut rows, mut kept) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (mut row, mut cells) = self.cells(table);
            if is_many {
                // Enough rows of one kind that changing them by filter needs a confirmation.
                let (column, values) = dice::filtered(table);
                row.insert(column.to_owned(), json!(values[0]));
                cells.retain(|(key, _)| key != column);
                cells.push((column.to_owned(), json!(values[0])));
            }
            rows.push(row);
            kept.push(cells);
        }
        let actor = self.actor();
        let writer = self.writer(&actor);
        self.call(&actor, &format!("save_{table}"), json!({"rows": rows}), &|world, created| {
            let edits: Vec<Edit> = kept.iter().map(|cells| set(created.next(), true, cells, &[])).collect();
            world.write(table, &writer, &edits)
        })
        .await;
    }

    /// Updates rows by id: archived ones, one twice, one that does not exist, with expectations that may fail.
    async fn update(&mut self, table: &'static str) {
        let known = self.world.ids(table, |_| true);
        if known.is_empty() {
            return self.create(table).await;
        }
        let live = self.world.ids(table, super::model::Row::is_live);
        let (mut rows, mut edits) = (Vec::new(), Vec::new());
        let mut expected = Vec::new();
        for _ in 0..=self.dice.roll(3) {
            let among = if live.is_empty() || self.dice.chance(8) { &known } else { &live };
            let id = if self.dice.chance(3) { Uuid::from_u128(99) } else { *self.dice.pick(among) };
            let (mut row, cells) = self.cells(table);
            if rows.is_empty() && self.dice.chance(20) {
                let (column, _) = dice::filtered(table);
                let value = self.world.rows.get(&id).map_or(Json::Null, |row| row.value(column));
                expected.push((column.to_owned(), value));
            }
            row.insert("id".to_owned(), json!(id));
            rows.push(row);
            edits.push((id, cells));
        }
        let edits: Vec<Edit> =
            edits.iter().map(|(id, cells)| set(Some(*id), false, cells, &expected)).collect();
        let mut arguments = json!({"rows": rows});
        if !expected.is_empty() {
            arguments["expected"] = json!(expected.into_iter().collect::<Map<String, Json>>());
        }
        let actor = self.actor();
        let writer = self.writer(&actor);
        let model: Model<'_> = &|world, _| world.write(table, &writer, &edits);
        self.call(&actor, &format!("save_{table}"), arguments, model).await;
    }

    async fn set_by_filter(&mut self, table: &'static str) {
        let (column, values) = dice::filtered(table);
        let wanted = *self.dice.pick(values);
        let (written, cells) = self.cells(table);
        let arguments =
            json!({"filters": [{"column": column, "op": "equals", "value": wanted}], "set": written});
        let matched =
            |world: &World| world.ids(table, |row| row.is_live() && row.value(column) == json!(wanted));
        let edits = |world: &World| -> Vec<Edit> {
            matched(world).into_iter().map(|id| set(Some(id), false, &cells, &[])).collect()
        };
        self.by_filter(table, &format!("save_{table}"), arguments, &matched, &edits).await;
    }

    async fn archive_by_filter(&mut self, table: &'static str) {
        let (column, values) = dice::filtered(table);
        let wanted = *self.dice.pick(values);
        let arguments =
            json!({"table": table, "filters": [{"column": column, "op": "equals", "value": wanted}]});
        let matched =
            |world: &World| world.ids(table, |row| row.is_live() && row.value(column) == json!(wanted));
        let edits = |world: &World| -> Vec<Edit> {
            matched(world).into_iter().map(|id| Edit { id, is_new: false, what: Do::Archive }).collect()
        };
        self.by_filter(table, "archive_rows", arguments, &matched, &edits).await;
    }

    /// A call that many rows turn into a preview, which is then confirmed, or is no longer true.
    async fn by_filter(
        &mut self,
        table: &'static str,
        tool: &str,
        mut arguments: Json,
        matched: &dyn Fn(&World) -> Vec<Uuid>,
        edits: &dyn Fn(&World) -> Vec<Edit>,
    ) {
        let actor = self.actor();
        let writer = self.writer(&actor);
        let model: Model<'_> = &|world, _| world.write(table, &writer, &edits(world));
        let rows = matched(&self.world);
        if rows.len() <= UNCONFIRMED {
            return self.call(&actor, tool, arguments, model).await;
        }
        let shown = self.send(&actor, tool, &arguments).await.expect("a preview");
        assert_eq!(shown["status"], "needs_confirmation", "{tool} {arguments}: {shown}");
        assert_eq!(shown["preview"]["rows"], rows.len());
        arguments["confirm"] = shown["confirm"].clone();
        match self.dice.roll(4) {
            0 => {
                let row = json!({"id": self.dice.pick(&rows), "tags": [format!("tag {}", self.dice.roll(1_000_000))]});
                let edit = set(
                    row["id"].as_str().and_then(|id| id.parse().ok()),
                    false,
                    &[("tags".to_owned(), row["tags"].clone())],
                    &[],
                );
                let once: Model<'_> = &|world, _| world.write(table, &writer, std::slice::from_ref(&edit));
                self.call(&actor, &format!("save_{table}"), json!({"rows": [row]}), once).await;
                let refused = self.send(&actor, tool, &arguments).await;
                assert_eq!(refused.map_err(|error| error.code), Err(Code::Conflict), "the rows have changed");
            }
            1 => {
                arguments["confirm"] = json!("made up");
                let refused = self.send(&actor, tool, &arguments).await;
                assert_eq!(refused.map_err(|error| error.code), Err(Code::Invalid));
            }
            _ => self.call(&actor, tool, arguments, model).await,
        }
    }

    /// Creates or updates rows by a natural key, of which several rows may have one.
    async fn upsert(&mut self, table: &'static str) {
        let key = dice::key(table);
        let holds =
            dice::columns(table).iter().find(|(column, _)| *column == key).expect("a key is a column").1;
        let (mut rows, mut wanted) = (Vec::new(), Vec::new());
        for _ in 0..=self.dice.roll(4) {
            let (mut row, mut cells) = self.cells(table);
            let (raw, value) = self.dice.some(holds);
            row.insert(key.to_owned(), raw);
            cells.retain(|(column, _)| column != key);
            cells.push((key.to_owned(), value.clone()));
            rows.push(row);
            wanted.push((value.as_str().unwrap_or_default().to_ascii_lowercase(), cells));
        }
        let actor = self.actor();
        let writer = self.writer(&actor);
        let arguments = json!({"rows": rows, "match_on": key});
        self.call(&actor, &format!("save_{table}"), arguments, &|world, created| {
            let mut made: Vec<(String, Uuid)> = Vec::new();
            let mut edits = Vec::new();
            for (name, cells) in &wanted {
                let has = |row: &super::model::Row| {
                    row.is_live()
                        && row.value(key).as_str().is_some_and(|found| found.to_ascii_lowercase() == *name)
                };
                let known = world.ids(table, has);
                let earlier = made.iter().find(|(known, _)| known == name).map(|(_, id)| *id);
                edits.push(match (known.as_slice(), earlier) {
                    ([], None) => {
                        let edit = set(created.next(), true, cells, &[]);
                        made.push((name.clone(), edit.id));
                        edit
                    }
                    ([], earlier) => set(earlier, true, cells, &[]),
                    ([only], _) => set(Some(*only), false, cells, &[]),
                    _ => return Err(Code::Invalid),
                });
            }
            world.write(table, &writer, &edits)
        })
        .await;
    }

    async fn archive(&mut self, table: &'static str) {
        let known = self.world.ids(table, |_| true);
        if known.is_empty() {
            return self.create(table).await;
        }
        let chosen: BTreeSet<Uuid> = (0..=self.dice.roll(3)).map(|_| *self.dice.pick(&known)).collect();
        let restore = self.dice.chance(50);
        let what = if restore { Do::Restore } else { Do::Archive };
        let edits: Vec<Edit> =
            chosen.iter().map(|&id| Edit { id, is_new: false, what: what.clone() }).collect();
        let actor = self.actor();
        let writer = self.writer(&actor);
        let arguments = json!({"table": table, "ids": chosen, "restore": restore});
        let model: Model<'_> = &|world, _| world.write(table, &writer, &edits);
        self.call(&actor, "archive_rows", arguments, model).await;
    }

    /// Takes back any earlier change, an undo too; the latest one must leave everything as it was before it.
    async fn undo_some(&mut self) {
        let known: Vec<usize> =
            (0..self.world.changes.len()).filter(|&number| self.world.changes[number].id.is_some()).collect();
        let Some(&last) = known.last() else { return };
        let number = if self.dice.chance(30) { last } else { *self.dice.pick(&known) };
        let id = self.world.changes[number].id.clone();
        let actor = self.actor();
        let writer = self.writer(&actor);
        let done = self.send(&actor, "undo_change", &json!({"change_id": id})).await;
        let expected = self.world.undo(number, &writer);
        let (done, (undoing, left)) = match (done, expected) {
            (Ok(done), Ok(expected)) => (done, expected),
            (done, expected) => {
                assert_eq!(
                    done.as_ref().err().map(|error| error.code),
                    expected.err(),
                    "undo of {id:?}: {done:?}"
                );
                return;
            }
        };
        let left_there = done["left"].as_array().expect("a list").iter().map(|left| {
            (
                left["id"].as_str().and_then(|id| id.parse().ok()).expect("an id"),
                left["column"].as_str().map(str::to_owned),
            )
        });
        assert_eq!(left_there.collect::<BTreeSet<(Uuid, Option<String>)>>(), left, "undo of {id:?}: {done}");
        assert_eq!(undoing.is_some(), done["change_id"].is_string(), "undo of {id:?}: {done}");
        if let Some(undoing) = undoing {
            self.world.changes[undoing].id = done["change_id"].as_str().map(str::to_owned);
        }
    }

    /// Writes as a person at the command line or an imported file does, through the write path itself; one
    /// transaction in four is given up.
    async fn write_directly(&mut self, table: &'static str) {
        let (source, name) = *self.dice.pick(&[(Source::Manual, "manual"), (Source::Csv, "csv")]);
        let actor = Actor { kind: ActorKind::Import, ..Actor::default() };
        let writer = Writer { source: name, ..self.writer(&actor) };
        let (ctx, live) = (self.ctx(&actor), self.world.ids(table, super::model::Row::is_live));
        let (mut tx, catalog) = ctx.begin().await.expect("a transaction");
        let declared = catalog.table(table).expect("a provisioned table");
        let reading = ctx.reading(&catalog);
        let (mut edits, mut expected) = (Vec::new(), Vec::new());
        for position in 0..=self.dice.roll(4) {
            let (written, cells) = self.cells(table);
            let is_new = live.is_empty() || self.dice.chance(50);
            let id = if is_new { ctx.services.ids.next() } else { *self.dice.pick(&live) };
            let archives = !is_new && self.dice.chance(15);
            let parsed = written.iter().map(|(key, raw)| {
                let place = declared.place(key).expect("a column");
                (place, value::parse(&declared.columns[place], raw, &reading).expect("a value"))
            });
            let action = if archives {
                Action::Archive
            } else {
                Action::Set { cells: parsed.collect(), expected: Vec::new() }
            };
            let target = if is_new { Target::New(id) } else { Target::Existing(id) };
            edits.push(records::Edit { target, action, position });
            expected.push(if archives {
                Edit { id, is_new, what: Do::Archive }
            } else {
                set(Some(id), is_new, &cells, &[])
            });
        }
        let change = Change { table: declared, actor: &actor, source, edits, undo_of: None };
        let now: DateTime<Utc> = self.t.clock.now();
        let written = records::write(&mut tx, &catalog, change, now, &ctx.services.ids).await;
        let mut world = self.world.clone();
        let number = world.write(table, &writer, &expected);
        match (written, number) {
            (Ok(outcome), Ok(number)) => {
                assert_eq!(outcome.change_id.is_some(), number.is_some());
                if self.dice.chance(75) {
                    tx.commit().await.expect("a commit");
                    if let Some(number) = number {
                        world.changes[number].id = outcome.change_id.map(|id| id.to_string());
                    }
                    self.world = world;
                }
            }
            (written, number) => assert_eq!(written.err().map(|error| error.code), number.err()),
        }
    }

    /// Calls that must be refused as a whole, however much of them is right.
    async fn fail(&mut self, table: &'static str) {
        let (good, _) = self.cells(table);
        let (column, _) = dice::filtered(table);
        let wrong = match self.dice.roll(5) {
            0 => json!({"rows": [good, {"no_such_column": 1}]}),
            1 => json!({"rows": [good, {"id": "not an id", "tags": ["a"]}]}),
            2 => json!({"rows": [good, {"tags": 5}]}),
            3 => json!({"set": good}),
            _ => json!({"filters": [{"column": column, "op": "gt", "value": 1}], "set": good}),
        };
        let refused = self.send(&Actor::default(), &format!("save_{table}"), &wrong).await;
        assert_eq!(refused.map_err(|error| error.code), Err(Code::Invalid), "{wrong}");
    }
}

fn set(id: Option<Uuid>, is_new: bool, cells: &[(String, Json)], expected: &[(String, Json)]) -> Edit {
    let id = id.expect("an id for each new row");
    Edit { id, is_new, what: Do::Set { cells: cells.to_vec(), expected: expected.to_vec() } }
}

fn ids(list: &Json) -> Vec<Uuid> {
    serde_json::from_value(list.clone()).unwrap_or_default()
}

/// Ids for rows that will not be.
fn made_up() -> impl Iterator<Item = Uuid> {
    (1_000..).map(Uuid::from_u128)
}
