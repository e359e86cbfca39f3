//! Writes what events tell without a look at the CRM: values, deletions, restorings, merges and privacy deletions.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::error::Result;
use crate::records::sides::Observation;
use crate::records::{
    self, Action, Actor, ActorKind, Change, Edit, Life, Observed, Outcome, Source, Target, Touched, erase,
    erase_unknown,
};
use crate::store::{LinkRow, Tx, links};
use crate::sync::access::Access;
use crate::sync::crm::{Mapped, Writer};
use crate::sync::deliver::mapped;
use crate::sync::engine::Engine;
use crate::sync::find::{self, Of};
use crate::sync::hubspot;
use crate::sync::news::News;
use crate::tables::{Catalog, CatalogTable, Connection, Form, Object, System};

use super::story::Story;

/// What came of hearing stories.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The places of the stories whose records are to be read.
    pub(super) unread: Vec<usize>,
    /// Whether a CRM must now be told of something.
    pub(super) told: bool,
    /// The rows that changed.
    pub(super) changed: Vec<Uuid>,
}

/// Takes in stories in the caller's transaction.
pub(super) async fn hear(
    engine: &Engine,
    tx: &mut Tx,
    catalog: &Catalog,
    access: &Access,
    stories: &[&Story],
) -> Result<Heard> {
    let mut heard = Heard::default();
    let Some(connection) = catalog.connection(access.system) else { return Ok(heard) };
    for &object in Object::READ {
        let of_object: Vec<(usize, &Story)> = stories
            .iter()
            .enumerate()
            .filter(|(_, story)| story.object == object)
            .map(|(place, story)| (place, *story))
            .collect();
        let Ok(table) = catalog.table(object.table()) else { continue };
        if of_object.is_empty() {
            continue;
        }
        let mapped = mapped(connection, access, object);
        let listener = Listener { engine, catalog, connection, table, object, mapped };
        let of_object = listener.erase(tx, of_object).await?;
        listener.merge(tx, &of_object).await?;
        listener.listen(tx, &of_object, &mut heard).await?;
    }
    heard.unread.sort_unstable();
    Ok(heard)
}

/// What the records of one object are taken in with.
struct Listener<'a> {
    engine: &'a Engine,
    catalog: &'a Catalog,
    connection: &'a Connection,
    table: &'a CatalogTable,
    object: Object,
    mapped: Vec<Mapped>,
}

type Placed<'a> = (usize, &'a Story);

impl Listener<'_> {
    fn system(&self) -> System {
        self.connection.system
    }

    /// Erases the people whom a privacy deletion names; the other stories are returned.
    async fn erase<'s>(&self, tx: &mut Tx, stories: Vec<Placed<'s>>) -> Result<Vec<Placed<'s>>> {
        let (erased, others): (Vec<Placed<'s>>, Vec<Placed<'s>>) =
            stories.into_iter().partition(|(_, story)| story.news.contains(&News::Erased));
        if erased.is_empty() {
            return Ok(others);
        }
        let mut records: Vec<String> = erased.iter().map(|(_, story)| story.record.clone()).collect();
        records.extend(self.now(tx, &records).await?.into_values());
        let at = (self.engine.clock.now(), &self.engine.ids);
        let linked = self.links(tx, &records).await?;
        let rows: Vec<_> = linked.values().map(|link| link.row_id).collect();
        if !rows.is_empty() {
            erase(tx, self.catalog, self.table, Source::of(self.system()), &rows, at).await?;
        }
        erase_unknown(tx, self.catalog, (self.system(), self.object), &records, at.0).await?;
        Ok(others)
    }

    /// Takes in which records became one.
    async fn merge(&self, tx: &mut Tx, stories: &[Placed<'_>]) -> Result<()> {
        for (_, story) in stories {
            for news in &story.news {
                let News::Merged { into, others } = news else { continue };
                for old in others {
                    self.rename(tx, old, into).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes in that a record goes by another id from now on. Its row takes over the id, or joins the row that has it.
    async fn rename(&self, tx: &mut Tx, old: &str, new: &str) -> Result<()> {
        let (org, system) = (self.catalog.org, self.system().name());
        let current = links::resolve(tx, org, system, self.object.name(), new).await?;
        let linked = self.links(tx, &[old.to_owned()]).await?;
        let Some(link) = linked.get(old).filter(|_| current != old) else {
            if current != old {
                let now = self.engine.clock.now();
                links::alias(tx, org, (system, self.object.name()), old, &current, now).await?;
            }
            return Ok(());
        };
        let of =
            Of { catalog: self.catalog, connection: self.connection, table: self.table, object: self.object };
        find::became(self.engine, tx, &of, link, &current).await.map(drop)
    }

    /// Takes in values, deletions and restorings of records that rows are linked to.
    async fn listen(&self, tx: &mut Tx, stories: &[Placed<'_>], heard: &mut Heard) -> Result<()> {
        let names: Vec<String> = stories.iter().map(|(_, story)| story.record.clone()).collect();
        let now = self.now(tx, &names).await?;
        let mut records: Vec<String> =
            names.iter().map(|name| now.get(name).unwrap_or(name).clone()).collect();
        records.sort_unstable();
        records.dedup();
        let links = self.links(tx, &records).await?;
        let mut observed = Vec::new();
        for (place, story) in stories {
            let record = now.get(&story.record).unwrap_or(&story.record);
            let is_renamed = record != &story.record;
            let link = links.get(record);
            let (edits, is_unread) = self.edits(story, record, link, is_renamed);
            if let Some(link) = link {
                observed.extend(edits.into_iter().map(|edit| (link.row_id, edit)));
            }
            if is_unread {
                heard.unread.push(*place);
            }
        }
        let outcome = self.write(tx, observed).await?;
        heard.told |= !outcome.told.is_empty();
        let changed = outcome.rows.iter().filter(|row| row.touched != Touched::Unchanged);
        let changed: HashSet<Uuid> = changed.map(|row| row.id).collect();
        heard.changed.extend(changed);
        Ok(())
    }

    /// What a story says of its row, and whether the record must be read besides.
    fn edits(
        &self,
        story: &Story,
        record: &str,
        link: Option<&LinkRow>,
        is_renamed: bool,
    ) -> (Vec<Observed>, bool) {
        let mut is_unread = false;
        let (mut values, mut lives) = (Vec::<(usize, Observation)>::new(), Vec::new());
        let mut modified_ms = None;
        for (news, event) in story.news.iter().zip(&story.events) {
            match news {
                News::Value { property, raw, at_ms, by } => {
                    modified_ms = modified_ms.max(Some(*at_ms));
                    let seen = (raw.as_str(), *at_ms, by, event.received_ms);
                    is_unread |= self.values(property, seen, &mut values);
                }
                // The id of a record that became another one is no longer anybody's: its end says nothing of the other.
                News::Deleted { .. } | News::Restored { .. } if is_renamed => is_unread = true,
                News::Deleted { at_ms } => lives.push((*at_ms, Life::Deleted(*at_ms), event.received_ms)),
                News::Restored { at_ms } => {
                    is_unread = true;
                    lives.push((*at_ms, Life::Restored(*at_ms), event.received_ms));
                }
                News::Changed | News::Merged { .. } => is_unread = true,
                News::Erased | News::Nothing => {}
            }
        }
        let Some(link) = link else {
            return (Vec::new(), is_unread || !values.is_empty());
        };
        is_unread |= self.is_doubtful(link, &values);
        let of = |received_ms| Observed::of(self.system(), record, received_ms);
        let mut edits = Vec::new();
        if let Some(received_ms) = values.iter().map(|(_, seen)| seen.received_ms).max() {
            edits.push(Observed { cells: by_place(values), modified_ms, ..of(received_ms) });
        }
        lives.sort_by_key(|(at_ms, ..)| *at_ms);
        edits.extend(
            lives.into_iter().map(|(_, life, received_ms)| Observed { life: Some(life), ..of(received_ms) }),
        );
        (edits, is_unread)
    }

    /// Adds what a property's value is to each column that it is mapped to; whether the record must be read to know it.
    fn values(
        &self,
        property: &str,
        (raw, at_ms, by, received_ms): (&str, i64, &Writer, i64),
        values: &mut Vec<(usize, Observation)>,
    ) -> bool {
        let mut is_unread = false;
        for mapped in self.mapped.iter().filter(|mapped| mapped.property == property) {
            if matches!(mapped.form, Form::CompanyName | Form::RecordId) {
                is_unread = true;
                continue;
            }
            let place = self.table.columns.iter().position(|column| column.key == mapped.column);
            let Some(place) = place.filter(|&place| {
                self.table.columns.get(place).is_some_and(crate::tables::CatalogColumn::is_observed)
            }) else {
                continue;
            };
            // What the column cannot hold is no value of it; reading the record would not make it one.
            let Ok(value) = hubspot::value(self.object, mapped, raw) else { continue };
            let actor = match by {
                Writer::Other(actor) => actor.clone(),
                Writer::Us | Writer::Unknown => self.system().name().to_owned(),
            };
            let by_us = *by == Writer::Us;
            values.push((place, Observation { value, reported_ms: at_ms, received_ms, by_us, actor }));
        }
        is_unread
    }

    /// Whether two values are said to have been there at one moment: only the CRM knows which of them is.
    fn is_doubtful(&self, link: &LinkRow, values: &[(usize, Observation)]) -> bool {
        values.iter().any(|(place, seen)| {
            let column = self.table.columns.get(*place);
            let there = column.and_then(|column| records::shadow(link, column));
            let is_other = |value| seen.value != value;
            there.is_some_and(|there| there.at_ms == seen.reported_ms && is_other(there.value))
                || values.iter().any(|(other, second)| {
                    other == place && second.reported_ms == seen.reported_ms && is_other(second.value.clone())
                })
        })
    }

    /// Writes what was heard of rows, by the one path.
    async fn write(&self, tx: &mut Tx, observed: Vec<(Uuid, Observed)>) -> Result<Outcome> {
        let actor = Actor { kind: ActorKind::System, ..Actor::default() };
        let edits = observed.into_iter().enumerate().map(|(position, (row, observed))| Edit {
            target: Target::Existing(row),
            action: Action::Observe(Box::new(observed)),
            position,
        });
        let change = Change {
            table: self.table,
            actor: &actor,
            source: Source::of(self.system()),
            edits: edits.collect(),
            undo_of: None,
        };
        let (now, ids) = (self.engine.clock.now(), &self.engine.ids);
        records::write(tx, self.catalog, change, now, ids).await
    }

    async fn now(&self, tx: &mut Tx, names: &[String]) -> Result<HashMap<String, String>> {
        links::resolve_all(tx, self.catalog.org, self.system().name(), self.object.name(), names).await
    }

    async fn links(&self, tx: &mut Tx, records: &[String]) -> Result<HashMap<String, LinkRow>> {
        let (org, system) = (self.catalog.org, self.system().name());
        let found = links::of_records(tx, org, system, self.object.name(), records).await?;
        Ok(found.into_iter().map(|link| (link.record_id.clone(), link)).collect())
    }
}

/// Observations by the place of their column.
fn by_place(values: Vec<(usize, Observation)>) -> Vec<(usize, Vec<Observation>)> {
    let mut cells: Vec<(usize, Vec<Observation>)> = Vec::new();
    for (place, seen) in values {
        match cells.iter_mut().find(|(of, _)| *of == place) {
            Some((_, all)) => all.push(seen),
            None => cells.push((place, vec![seen])),
        }
    }
    cells
}
