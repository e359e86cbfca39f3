//! `HubSpot`, by its date-versioned API: <https://developers.hubspot.com/docs/api-reference>.
//!
//! Where an account answers otherwise than the documentation says, the account is right: partial results are taken
//! from any 2xx that lists errors, and results are matched by trace or id, in whatever order they come.

mod associations;
mod batch;
pub(super) mod events;
mod existing;
mod faults;
mod ledger;
mod news;
mod oauth;
mod page;
mod push;
mod read;
mod schema;
pub(super) mod signature;
#[cfg(test)]
mod tests;
mod values;
mod webhooks;

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

pub(super) use existing::find;
pub(super) use news::news;
pub(super) use oauth::refresh;
pub(super) use page::page;
pub(super) use push::push;
pub(super) use read::read;
pub(super) use schema::{account, prepare, properties};
pub(in crate::sync) use values::read as value;
pub(super) use webhooks::{event_type, hook, hooks, unhook};

use super::crm::Client;
use super::fault::Fault;
use super::wire::{self, Reply};
use super::wording::Told;
use crate::tables::Object;

/// The version in the paths; each is supported for 18 months and never changes.
pub const HUBSPOT_API_VERSION: &str = "2026-09";

/// The most inputs of a batch.
pub const MOST_AT_ONCE: usize = 100;

/// The unique property in which records of our making carry their row's id.
const ROW_PROPERTY: &str = "ops_row_id";

/// Whoever calls the endpoints of one kind of object with one token.
#[derive(Clone, Copy)]
struct Caller<'a> {
    client: &'a Client,
    token: &'a SecretString,
    object: Object,
}

impl Caller<'_> {
    /// The name of the object in paths.
    fn plural(&self) -> &'static str {
        plural(self.object)
    }

    async fn get(&self, path: &str) -> Result<Reply, Fault> {
        let url = format!("{}{path}", self.client.hosts.hubspot);
        self.send(self.client.http.get(url)).await
    }

    async fn post(&self, path: &str, body: &Json) -> Result<Reply, Fault> {
        let url = format!("{}{path}", self.client.hosts.hubspot);
        self.send(self.client.http.post(url).json(body)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Reply, Fault> {
        self.client.patience.check(self.token)?;
        let reply = wire::send(request.bearer_auth(self.token.expose_secret())).await?;
        if !reply.is_success() {
            self.client.patience.note(self.token, &faults::fault(&reply, &Told::default()));
        }
        Ok(reply)
    }

    /// Asks for a batch or a search of the object; any answer but a 2xx is a fault. Nothing is written by that.
    async fn ask(&self, object: Object, verb: &str, body: &Json) -> Result<Reply, Fault> {
        let path = format!("/crm/objects/{HUBSPOT_API_VERSION}/{}/{verb}", plural(object));
        let reply = self.post(&path, body).await?;
        if reply.is_success() { Ok(reply) } else { Err(faults::fault(&reply, &Told::default())) }
    }
}

fn plural(object: Object) -> &'static str {
    match object {
        Object::Meeting => "meetings",
        Object::Contact => "contacts",
        Object::Company => "companies",
    }
}
