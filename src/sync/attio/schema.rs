//! Whose token it is, which attributes there are, and the one of our own.

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::{Caller, ROW_ATTRIBUTE, success};
use crate::sync::crm::{Account, Client, Property};
use crate::sync::fault::{Class, Fault};
use crate::sync::wire::{list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::Object;

/// How many attributes, options or values are asked for at once.
pub(super) const PAGE: usize = 500;

/// The workspace; our writes are said to be by the token's client.
pub(in crate::sync) async fn account(client: &Client, token: &SecretString) -> Result<Account, Fault> {
    let caller = Caller { client, token, object: Object::Contact };
    let body = caller.ask(&["self"], &[]).await?;
    if body.get("active").and_then(Json::as_bool) == Some(false) {
        return Err(Fault::unsent(Class::Unauthorized, "the token is not active"));
    }
    let text = |key: &str| text_at(&body, &[key]).map(std::borrow::Cow::into_owned);
    let id = text("workspace_id")
        .ok_or_else(|| Fault::sent(Class::Unexpected, "the answer has no workspace id"))?;
    let name = text("workspace_name").unwrap_or_else(|| format!("Attio {id}"));
    Ok(Account { id, name, writer: text("client_id") })
}

/// The attributes of an object that are not archived, those with options with them.
pub(in crate::sync) async fn properties(
    client: &Client,
    token: &SecretString,
    object: Object,
) -> Result<Vec<Property>, Fault> {
    let caller = Caller { client, token, object };
    let mut found = Vec::new();
    for raw in pages(&caller, &["objects", caller.slug(), "attributes"], &[]).await? {
        let Some(mut property) = property(&raw) else { continue };
        let (list, id) = match property.kind.as_str() {
            "select" => ("options", "option_id"),
            "status" => ("statuses", "status_id"),
            _ => {
                found.push(property);
                continue;
            }
        };
        let path = ["objects", caller.slug(), "attributes", &property.name, list];
        let options = pages(&caller, &path, &[]).await?;
        property.options =
            options.iter().filter(|option| is_live(option)).filter_map(|raw| option(raw, id)).collect();
        found.push(property);
    }
    Ok(found)
}

/// All of a list that comes in pages: until one is short, because none says whether there is another.
pub(super) async fn pages(
    caller: &Caller<'_>,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<Vec<Json>, Fault> {
    pages_of(caller, path, query, PAGE).await
}

/// The same in pages of another size, for lists that allow fewer at once.
pub(super) async fn pages_of(
    caller: &Caller<'_>,
    path: &[&str],
    query: &[(&str, &str)],
    size: usize,
) -> Result<Vec<Json>, Fault> {
    let mut all: Vec<Json> = Vec::new();
    let limit = size.to_string();
    loop {
        let offset = all.len().to_string();
        let mut query = query.to_vec();
        query.extend([("limit", limit.as_str()), ("offset", offset.as_str())]);
        let body = caller.ask(path, &query).await?;
        let page = list_at(&body, "data");
        // A page that repeats what came before is of an endpoint that knows no offset.
        if page.is_empty() || all.ends_with(page) {
            return Ok(all);
        }
        all.extend_from_slice(page);
        if page.len() < size {
            return Ok(all);
        }
    }
}

fn is_live(raw: &Json) -> bool {
    !raw.get("is_archived").and_then(Json::as_bool).unwrap_or(false)
}

fn property(raw: &Json) -> Option<Property> {
    let flag = |key: &str| raw.get(key).and_then(Json::as_bool);
    let name = text_at(raw, &["api_slug"]).filter(|_| is_live(raw))?.into_owned();
    let kind = text_at(raw, &["type"]).unwrap_or_default().into_owned();
    Some(Property {
        label: text_at(raw, &["title"]).map_or_else(|| name.clone(), Into::into),
        read_only: !flag("is_writable").unwrap_or(true) || kind == "interaction",
        unique: flag("is_unique").unwrap_or(false),
        multiple: flag("is_multiselect").unwrap_or(false),
        options: Vec::new(),
        object_id: text_at(raw, &["id", "object_id"]).map(Into::into),
        name,
        kind,
    })
}

fn option(raw: &Json, key: &str) -> Option<(String, String)> {
    let title = text_at(raw, &["title"])?.into_owned();
    Some((text_at(raw, &["id", key]).map_or_else(|| title.clone(), Into::into), title))
}

/// Makes the unique attribute that carries the row's id, unless it is there.
pub(in crate::sync) async fn prepare(
    client: &Client,
    token: &SecretString,
    object: Object,
) -> Result<(), Fault> {
    let caller = Caller { client, token, object };
    match caller.ask(&["objects", caller.slug(), "attributes", ROW_ATTRIBUTE], &[]).await {
        Ok(body) => {
            let is_unique = body.get("data").and_then(property).is_some_and(|property| property.unique);
            let not_ours =
                || Fault::unsent(Class::Invalid, "there is an attribute `ops_row_id` that is not unique");
            return if is_unique { Ok(()) } else { Err(not_ours()) };
        }
        Err(fault) if fault.class == Class::Missing => {}
        Err(fault) => return Err(fault),
    }
    let body = json!({"data": {
        "title": "opstables row",
        "description": "The id of the row that opstables keeps in step with this record.",
        "api_slug": ROW_ATTRIBUTE,
        "type": "text",
        "is_required": false,
        "is_unique": true,
        "is_multiselect": false,
        "config": {},
    }});
    let path = ["objects", caller.slug(), "attributes"];
    let reply = caller.send(Method::POST, &path, &[], Some(&body)).await?;
    match success(reply, &Told::default()) {
        // Another process may have made it in between.
        Err(fault) if fault.class == Class::Duplicate => Ok(()),
        answered => answered.map(|_| ()),
    }
}
