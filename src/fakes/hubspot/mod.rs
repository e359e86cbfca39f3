//! `HubSpot`'s stand-in: the 2026-09 paths for contacts, companies, deals, notes, meetings and tasks, their properties,
//! associations and owners, OAuth, limits, webhooks and their administration.
//!
//! Where live answers are not documented: a lifecycle stage that would step back is left as it is with status 200;
//! a second record with the same value of a unique property is a `VALIDATION_ERROR` that names the first one; a
//! merged record has a new id, and both old ids lead to it.

mod associations;
mod batch;
mod checks;
mod defaults;
mod desk;
mod events;
mod hub;
mod kind;
mod oauth;
mod objects;
mod portal;
mod properties;
mod records;
mod refusal;
mod search;
mod signature;
#[cfg(test)]
mod tests;
mod webhooks;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde_json::Value;

use self::checks::Values;
use self::hub::Hub;
use self::kind::Kind;
use self::portal::Portal;
use self::properties::Property;
use self::records::Writer;
use super::Past;
use super::deliveries::Deliveries;
use super::faults::Faults;
use super::options::Options;
use super::requests::Request;
use super::server::Running;
use crate::error::{Result, invalid, not_found};

/// A running stand-in, and the hands of a person in one of its portals. Clones act on the same server, which stops
/// with the last of them.
#[derive(Clone)]
pub struct HubspotFake {
    running: Arc<Running<Hub>>,
    account: usize,
}

impl HubspotFake {
    /// Begins to serve. The hands are in the first account.
    pub async fn start(options: Options) -> io::Result<HubspotFake> {
        let hub = Hub::new(&options);
        let running = Arc::new(Running::start(hub, &options).await?);
        Ok(HubspotFake { running, account: 0 })
    }

    /// `http://127.0.0.1:…`, without a slash at the end.
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
    pub fn of(&self, account: &str) -> Option<HubspotFake> {
        let at = self.running.crm().portals.iter().position(|portal| portal.id.to_string() == account)?;
        Some(HubspotFake { running: Arc::clone(&self.running), account: at })
    }

    /// Allows the app into the account: an authorization code, good once.
    pub fn authorize(&self) -> String {
        let mut hub = self.running.crm();
        let Hub { doorkeeper, dice, .. } = &mut *hub;
        doorkeeper.authorize(self.account, dice)
    }

    /// Uninstalls the app: every token of the account is void.
    pub fn revoke(&self) {
        self.running.crm().doorkeeper.revoke(self.account);
    }

    /// How often access tokens were given for a refresh token.
    pub fn refreshes(&self) -> u64 {
        self.running.crm().doorkeeper.refreshes()
    }

    /// Makes a record as a person does, whatever the properties allow; its id.
    pub fn create(&self, object: &str, properties: &[(&str, &str)]) -> Result<String> {
        let kind = kind(object)?;
        self.act(|portal, now, person| {
            let values: Values = properties.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            known(portal, kind, &values)?;
            let id = portal.create(kind, now, person);
            portal.write(kind, id, &values, now, person);
            Ok(id.to_string())
        })
    }

    /// Changes one property as a person does: also a read-only one, and also a stage backwards. None clears.
    pub fn edit(&self, object: &str, id: &str, property: &str, value: Option<&str>) -> Result<()> {
        let kind = kind(object)?;
        self.act(|portal, now, person| {
            let values = Values::from([(property.to_owned(), value.unwrap_or_default().to_owned())]);
            known(portal, kind, &values)?;
            let id = live(portal, kind, id)?;
            portal.write(kind, id, &values, now, person);
            Ok(())
        })
    }

    pub fn archive(&self, object: &str, id: &str) -> Result<()> {
        let kind = kind(object)?;
        self.act(|portal, now, person| {
            let id = live(portal, kind, id)?;
            portal.archive(kind, id, now, person);
            Ok(())
        })
    }

    /// Brings an archived record back.
    pub fn restore(&self, object: &str, id: &str) -> Result<()> {
        let kind = kind(object)?;
        self.act(|portal, now, person| {
            let restored = portal.restore(kind, number(id)?, now, person);
            if restored { Ok(()) } else { Err(invalid(format!("{object} {id} cannot be restored"))) }
        })
    }

    /// Merges the second record into the first; the id of what they become.
    pub fn merge(&self, object: &str, primary: &str, other: &str) -> Result<String> {
        let kind = kind(object)?;
        self.act(|portal, now, person| {
            let (primary, other) = (live(portal, kind, primary)?, live(portal, kind, other)?);
            let merged = portal.merge(kind, primary, other, now, person);
            merged.map(|id| id.to_string()).ok_or_else(|| invalid("a record cannot be merged with itself"))
        })
    }

    /// Deletes a contact for good, with everything that is known of it.
    pub fn privacy_delete(&self, id: &str) -> Result<()> {
        self.act(|portal, now, person| {
            portal.privacy_delete(number(id)?, now, person);
            Ok(())
        })
    }

    pub fn associate(&self, from: (&str, &str), to: (&str, &str)) -> Result<()> {
        let (from_kind, to_kind) = (kind(from.0)?, kind(to.0)?);
        self.act(|portal, now, person| {
            let from = (from_kind, live(portal, from_kind, from.1)?);
            let to = (to_kind, live(portal, to_kind, to.1)?);
            portal.associate([from, to], false, now, person);
            Ok(())
        })
    }

    pub fn dissociate(&self, from: (&str, &str), to: (&str, &str)) -> Result<()> {
        let (from_kind, to_kind) = (kind(from.0)?, kind(to.0)?);
        self.act(|portal, now, person| {
            let from = (from_kind, live(portal, from_kind, from.1)?);
            let to = (to_kind, live(portal, to_kind, to.1)?);
            portal.dissociate(from, to, now, person);
            Ok(())
        })
    }

    /// Makes a property, given as the body of the call that makes one.
    pub fn define(&self, object: &str, property: &Value) -> Result<()> {
        let kind = kind(object)?;
        let property = Property::parse(property).map_err(|refusal| invalid(refusal.message))?;
        self.act(|portal, _, _| {
            portal.define(kind, property);
            Ok(())
        })
    }

    /// Takes a property away, as in portals that do not have it.
    pub fn undefine(&self, object: &str, property: &str) -> Result<()> {
        let kind = kind(object)?;
        self.act(|portal, _, _| {
            portal.undefine(kind, property);
            Ok(())
        })
    }

    /// Has lists leave out what is there.
    pub fn list_nothing(&self, nothing: bool) {
        self.running.crm().portals[self.account].lists_nothing = nothing;
    }

    /// What a record has now, archived or not; properties without a value are left out.
    pub fn record(&self, object: &str, id: &str) -> Option<BTreeMap<String, String>> {
        let kind = Kind::named(object)?;
        let hub = self.running.crm();
        let record = hub.portals[self.account].records(kind).any(id.parse().ok()?)?;
        let held = |name: &String| Some((name.clone(), record.current(kind, name)?));
        Some(record.versions.keys().filter_map(held).collect())
    }

    /// Every value that a property had, oldest first.
    pub fn history(&self, object: &str, id: &str, property: &str) -> Vec<Past> {
        let (Some(kind), Ok(id)) = (Kind::named(object), id.parse()) else {
            return Vec::new();
        };
        let hub = self.running.crm();
        let record = hub.portals[self.account].records(kind).any(id);
        let versions = record.and_then(|record| record.versions.get(property)).cloned().unwrap_or_default();
        let past = |version: records::Version| Past {
            value: Value::String(version.value),
            at_ms: version.at_ms,
            source: version.writer.source.to_owned(),
            writer: version.writer.id,
        };
        versions.into_iter().map(past).collect()
    }

    /// The live records' ids, in the order in which they were made.
    pub fn ids(&self, object: &str) -> Vec<String> {
        self.ids_that(object, false)
    }

    pub fn archived_ids(&self, object: &str) -> Vec<String> {
        self.ids_that(object, true)
    }

    /// The ids of the records of an object that a record is associated with.
    pub fn associated(&self, from: (&str, &str), to: &str) -> Vec<String> {
        let (Some(kind), Ok(id), Some(to)) = (Kind::named(from.0), from.1.parse(), Kind::named(to)) else {
            return Vec::new();
        };
        let hub = self.running.crm();
        let edges = hub.portals[self.account].associated((kind, id), to);
        edges.into_iter().map(|edge| edge.to.1.to_string()).collect()
    }

    /// Every live record of an object with what it has.
    pub fn snapshot(&self, object: &str) -> BTreeMap<String, BTreeMap<String, String>> {
        let ids = self.ids(object).into_iter();
        ids.filter_map(|id| Some((id.clone(), self.record(object, &id)?))).collect()
    }

    /// The webhook events since the last call, each as an item of a delivery, oldest first, whatever is subscribed to.
    /// Those that were delivered are not among them.
    pub fn take_events(&self) -> Vec<Value> {
        self.running.crm().portals[self.account].events.take()
    }

    fn ids_that(&self, object: &str, archived: bool) -> Vec<String> {
        let Some(kind) = Kind::named(object) else {
            return Vec::new();
        };
        let hub = self.running.crm();
        let records = hub.portals[self.account].records(kind).records.values();
        records
            .filter(|record| record.archived_ms.is_some() == archived)
            .map(|record| record.id.to_string())
            .collect()
    }

    /// Does something in the account's own screens.
    fn act<T>(&self, does: impl FnOnce(&mut Portal, i64, &Writer) -> Result<T>) -> Result<T> {
        let mut hub = self.running.crm();
        let now = hub.time.now_ms();
        let done = does(&mut hub.portals[self.account], now, &Writer::person());
        drop(hub);
        self.running.deliveries().wake();
        done
    }
}

fn kind(object: &str) -> Result<Kind> {
    Kind::named(object).ok_or_else(|| not_found(format!("the stand-in has no objects called {object}")))
}

fn number(id: &str) -> Result<u64> {
    id.parse().map_err(|_| not_found(format!("{id} is no record's id")))
}

fn live(portal: &Portal, kind: Kind, id: &str) -> Result<u64> {
    let record = portal.records(kind).live(number(id)?);
    record
        .map(|record| record.id)
        .ok_or_else(|| not_found(format!("no live {} has the id {id}", kind.singular())))
}

fn known(portal: &Portal, kind: Kind, values: &Values) -> Result<()> {
    match values.keys().find(|name| portal.property(kind, name).is_none()) {
        Some(name) => Err(not_found(format!("{} have no property {name}", kind.plural()))),
        None => Ok(()),
    }
}
