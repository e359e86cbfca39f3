//! `Attio`'s stand-in: records of people, companies and deals with the history of every value, attributes, notes,
//! webhooks, tokens and limits of the v2 API.
//!
//! Where live answers are not documented: writing a value that is there already changes nothing; a merged record keeps
//! the times and writers of the values it took over; the client id that `/v2/self` tells is the id that writes are
//! said to be by, for tokens made by hand as well. Live workspaces also enrich records and link people to companies by
//! their domains, which this one does not.

mod attributes;
mod defaults;
mod desk;
mod events;
mod hub;
mod notes;
mod oauth;
mod object;
mod query;
mod record;
mod records;
mod refusal;
#[cfg(test)]
mod tests;
mod values;
mod webhooks;
mod workspace;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use self::desk::Desk;
use self::hub::Hub;
use self::object::Mode;
use self::record::Actor;
pub use self::webhooks::Webhook;
use super::Past;
use super::deliveries::Deliveries;
use super::faults::Faults;
use super::options::Options;
use super::requests::Request;
use super::server::Running;
use crate::error::{Result, invalid, not_found};

/// A running stand-in, and the hands of a person in one of its workspaces. Clones act on the same server, which stops
/// with the last of them.
#[derive(Clone)]
pub struct AttioFake {
    running: Arc<Running<Hub>>,
    account: usize,
}

impl AttioFake {
    /// Begins to serve. The hands are in the first account.
    pub async fn start(options: Options) -> io::Result<AttioFake> {
        let hub = Hub::new(&options);
        let running = Arc::new(Running::start(hub, &options).await?);
        Ok(AttioFake { running, account: 0 })
    }

    /// `http://127.0.0.1:…`, without a slash at the end. The API's paths begin with `/v2`.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The time by the CRM's own clock.
    pub fn now_ms(&self) -> i64 {
        self.running.now_ms()
    }

    pub fn faults(&self) -> &Faults {
        self.running.faults()
    }

    /// What happens to webhooks: nothing until there is somewhere to deliver them to.
    pub fn deliveries(&self) -> &Deliveries {
        self.running.deliveries()
    }

    /// Every request of every account, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.running.requests()
    }

    /// How many requests came before a wait was over that a refusal asked for.
    pub fn early_requests(&self) -> usize {
        self.requests().iter().filter(|request| request.early).count()
    }

    /// The same server, with the hands in another account.
    pub fn of(&self, account: &str) -> Option<AttioFake> {
        let at = self.running.crm().workspaces.iter().position(|workspace| workspace.id == account)?;
        Some(AttioFake { running: Arc::clone(&self.running), account: at })
    }

    /// Allows the app into the account: an authorization code, good once.
    pub fn authorize(&self) -> String {
        let mut hub = self.running.crm();
        let Hub { doorkeeper, dice, .. } = &mut *hub;
        doorkeeper.authorize(self.account, dice)
    }

    /// Takes the app's access away: every token of the account is void.
    pub fn revoke(&self) {
        self.running.crm().doorkeeper.revoke(self.account);
    }

    /// How often access tokens were given for a refresh token.
    pub fn refreshes(&self) -> u64 {
        self.running.crm().doorkeeper.refreshes()
    }

    /// Makes a record as a person does; `values` are as the API takes them, by slug. Its id.
    pub fn create(&self, object: &str, values: &Value) -> Result<String> {
        self.act(object, |desk, object| {
            let changes =
                desk.workspace.changes(object, values, true).map_err(|refusal| invalid(refusal.message))?;
            free(desk, object, &changes, None)?;
            let id = desk.dice.uuid().to_string();
            desk.workspace.create(object, &id, &changes, desk.now, &desk.actor);
            Ok(id)
        })
    }

    /// Sets one attribute's values as a person does: the whole list, `[]` clears. Also of attributes that the API may
    /// not write.
    pub fn edit(&self, object: &str, id: &str, attribute: &str, values: &Value) -> Result<()> {
        self.act(object, |desk, object| {
            let at = live(desk, object, id)?;
            let changes = desk.workspace.changes(object, &json!({attribute: values}), true);
            let changes = changes.map_err(|refusal| invalid(refusal.message))?;
            free(desk, object, &changes, Some(at))?;
            desk.workspace.write(object, at, &changes, Mode::Replace, desk.now, &desk.actor);
            Ok(())
        })
    }

    /// Deletes a record, for good.
    pub fn delete(&self, object: &str, id: &str) -> Result<()> {
        self.act(object, |desk, object| {
            let at = live(desk, object, id)?;
            desk.workspace.delete(object, at, &desk.actor);
            Ok(())
        })
    }

    /// Merges the second record into the first; the id of what they become.
    pub fn merge(&self, object: &str, primary: &str, other: &str) -> Result<String> {
        self.act(object, |desk, object| {
            let both = [live(desk, object, primary)?, live(desk, object, other)?];
            if both[0] == both[1] {
                return Err(invalid("a record cannot be merged with itself"));
            }
            let id = desk.dice.uuid().to_string();
            desk.workspace.merge(object, both, &id, (desk.now, desk.merge_ms), &desk.actor);
            Ok(id)
        })
    }

    /// Makes an attribute, given as the `data` of the call that makes one.
    pub fn define(&self, object: &str, attribute: &Value) -> Result<()> {
        self.act(object, |desk, object| {
            let defined = attributes::define(desk, object, attribute);
            defined.map(drop).map_err(|refusal| invalid(refusal.message))
        })
    }

    /// What a live record has now: the fields of each value, by slug; attributes without values are left out.
    pub fn record(&self, object: &str, id: &str) -> Option<BTreeMap<String, Vec<Value>>> {
        let hub = self.running.crm();
        let workspace = &hub.workspaces[self.account];
        let record = workspace.objects[workspace.object(object)?].live(id)?;
        let fields = |held: &record::Held| Value::Object(held.fields.clone());
        let values = record.values.iter().filter(|(_, held)| !held.is_empty());
        Some(values.map(|(slug, held)| (slug.clone(), held.iter().map(fields).collect())).collect())
    }

    /// Every list of values that an attribute had, oldest first; also of a record that is gone.
    pub fn history(&self, object: &str, id: &str, attribute: &str) -> Vec<Past> {
        let hub = self.running.crm();
        let workspace = &hub.workspaces[self.account];
        let collection = workspace.object(object).map(|at| &workspace.objects[at]);
        let record = collection.and_then(|collection| Some(&collection.records[collection.place(id)?]));
        record.and_then(|record| record.past.get(attribute)).cloned().unwrap_or_default()
    }

    /// The live records' ids, in the order in which they were made.
    pub fn ids(&self, object: &str) -> Vec<String> {
        let hub = self.running.crm();
        let workspace = &hub.workspaces[self.account];
        let records = workspace.object(object).map(|at| workspace.objects[at].records.as_slice());
        let live = records.unwrap_or_default().iter().filter(|record| !record.gone);
        live.map(|record| record.id.clone()).collect()
    }

    /// The notes on a record, oldest first, each with its id, title and content.
    pub fn notes(&self, record: &str) -> Vec<(String, String, String)> {
        let hub = self.running.crm();
        let notes = hub.workspaces[self.account].notes.iter().filter(|note| note.record == record);
        notes.map(|note| (note.id.clone(), note.title.clone(), note.content.clone())).collect()
    }

    /// Every live record of an object with what it has.
    pub fn snapshot(&self, object: &str) -> BTreeMap<String, BTreeMap<String, Vec<Value>>> {
        let ids = self.ids(object).into_iter();
        ids.filter_map(|id| Some((id.clone(), self.record(object, &id)?))).collect()
    }

    /// The bodies of the webhook deliveries since the last call, oldest first. While no webhook is registered, they
    /// are those that one for everything would get. Those that were delivered are not among them.
    pub fn take_events(&self) -> Vec<Value> {
        self.running.crm().workspaces[self.account].events.take()
    }

    /// The webhooks that are registered, with the secrets that sign their deliveries.
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.running.crm().workspaces[self.account].events.webhooks.clone()
    }

    /// Switches a webhook off, as happens when it took nothing for a week. Whether there is one of this id.
    pub fn deactivate(&self, webhook: &str) -> bool {
        let mut hub = self.running.crm();
        let webhooks = &mut hub.workspaces[self.account].events.webhooks;
        let found = webhooks.iter_mut().find(|known| known.id == webhook);
        found.map(|webhook| webhook.status = webhooks::Status::Inactive).is_some()
    }

    /// Does something in the account's own screens.
    fn act<T>(&self, object: &str, does: impl FnOnce(&mut Desk<'_>, usize) -> Result<T>) -> Result<T> {
        let mut hub = self.running.crm();
        let Hub { time, dice, workspaces, merge_ms, .. } = &mut *hub;
        let workspace = &mut workspaces[self.account];
        let Some(place) = workspace.object(object) else {
            return Err(not_found(format!("the stand-in has no objects called {object}")));
        };
        let actor = Actor { kind: "workspace-member", id: workspace.member.clone() };
        let done = does(&mut Desk { workspace, dice, now: time.now_ms(), actor, merge_ms: *merge_ms }, place);
        drop(hub);
        self.running.deliveries().wake();
        done
    }
}

fn live(desk: &Desk<'_>, object: usize, id: &str) -> Result<usize> {
    desk.live(object, id).map_err(|refusal| not_found(refusal.message))
}

fn free(desk: &Desk<'_>, object: usize, changes: &workspace::Changes, own: Option<usize>) -> Result<()> {
    match desk.workspace.objects[object].clash(changes, own) {
        Some((attribute, _)) => Err(invalid(format!("another record has this value of {}", attribute.slug))),
        None => Ok(()),
    }
}
