//! `Attio`, by the second version of its API: <https://docs.attio.com/rest-api/overview>.
//!
//! Where a workspace answers otherwise than the documentation says, the workspace is right. There are no batches: a
//! call here is some requests for each record, a few of them at a time.

pub(super) mod events;
mod existing;
mod faults;
mod history;
mod news;
pub(super) mod notes;
mod oauth;
mod page;
mod push;
mod read;
mod schema;
mod several;
pub(super) mod signature;
#[cfg(test)]
mod tests;
mod values;
mod webhooks;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use url::Url;

pub(super) use existing::find;
pub(super) use news::news;
pub(super) use oauth::refresh;
pub(super) use page::page;
pub(super) use push::push;
pub(super) use read::read;
pub(super) use schema::{account, prepare, properties};
pub(super) use webhooks::{hook, hooks, unhook};

use super::crm::Client;
use super::fault::{Class, Fault};
use super::wire::{self, Reply};
use super::wording::Told;
use crate::tables::Object;

/// The most records of one call: as many as may be written in a second.
pub const MOST_AT_ONCE: usize = 25;

/// How many records are under way at a time.
const AT_A_TIME: usize = 4;

/// The unique attribute in which records of our making carry their row's id.
const ROW_ATTRIBUTE: &str = "ops_row_id";

/// Whoever calls the endpoints of one object with one token.
#[derive(Clone, Copy)]
struct Caller<'a> {
    client: &'a Client,
    token: &'a SecretString,
    object: Object,
}

impl Caller<'_> {
    /// The object's slug.
    fn slug(&self) -> &'static str {
        slug(self.object)
    }

    /// The request of a path, each part of which is escaped: ids are what a CRM or a webhook said.
    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Reply, Fault> {
        let url = url(&self.client.hosts.attio, path)
            .ok_or_else(|| Fault::unsent(Class::Unexpected, "the address of Attio is no address"))?;
        let request = self.client.http.request(method, url).bearer_auth(self.token.expose_secret());
        let request = if query.is_empty() { request } else { request.query(query) };
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.client.patience.check(self.token)?;
        let reply = wire::send(request).await?;
        if !reply.is_success() {
            self.client.patience.note(self.token, &faults::fault(&reply, &Told::default()).fault);
        }
        Ok(reply)
    }

    /// Asks for something; any answer but a 2xx is a fault. Nothing is written by that.
    async fn ask(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Json, Fault> {
        success(self.send(Method::GET, path, query, None).await?, &Told::default())
    }
}

fn success(reply: Reply, told: &Told) -> Result<Json, Fault> {
    if !reply.is_success() {
        return Err(faults::fault(&reply, told).fault);
    }
    reply.read()?;
    Ok(reply.body.unwrap_or_default())
}

/// The host may be given with or without the version that its documentation counts to it.
fn url(host: &str, path: &[&str]) -> Option<Url> {
    let mut url = Url::parse(host.trim_end_matches('/').trim_end_matches("/v2")).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().push("v2").extend(path);
    Some(url)
}

/// An object's name in paths and references.
fn slug(object: Object) -> &'static str {
    match object {
        Object::Meeting => "notes",
        Object::Contact => "people",
        Object::Company => "companies",
    }
}
