//! Reads all records of an object page by page, with the values that they have now.
//!
//! A record does not say when it was modified, and a query filters and sorts by attributes only
//! (<https://docs.attio.com/rest-api/endpoint-reference/records/list-records>,
//! <https://docs.attio.com/rest-api/guides/filtering-and-sorting>). So whoever looks for changes reads every page, which
//! costs one call for 500 records, and compares: each present value says since when it holds. Nothing tells whether there is
//! more; the last page is a short one.

use std::collections::HashMap;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::history::Reading;
use super::read::{Raw, Reader, names, present};
use super::{Caller, faults};
use crate::sync::crm::{Answer, Client, Pace, Page, PageAsk};
use crate::sync::fault::Fault;
use crate::sync::wire::list_at;
use crate::sync::wording::Told;
use crate::tables::{Form, Object};

/// The most records of a page.
const FOUND: usize = 500;

/// The next page, oldest records first, so that new ones come last. `after` counts records.
pub(in crate::sync) async fn page(
    client: &Client,
    token: &SecretString,
    object: Object,
    ask: &PageAsk<'_>,
) -> Result<Answer<Page>, Fault> {
    let caller = Caller { client, token, object };
    let offset: usize = ask.after.and_then(|after| after.parse().ok()).unwrap_or(0);
    let sorts = json!([{"attribute": "created_at", "direction": "asc"}]);
    let body = json!({"sorts": sorts, "limit": FOUND, "offset": offset});
    let path = ["objects", caller.slug(), "records", "query"];
    let reply = caller.send(Method::POST, &path, &[], Some(&body)).await?;
    if !reply.is_success() {
        return Err(faults::fault(&reply, &Told::default()).fault);
    }
    let records = list_at(reply.read()?, "data");
    let raw: Vec<Raw> = records.iter().map(|record| now(record, ask)).collect();
    let known = if ask.named { names(caller, &raw, ask.mapped).await? } else { HashMap::new() };
    let reader = Reader { reading: Reading { object, writer: ask.writer }, mapped: ask.mapped, names: known };
    let mut seen = Vec::with_capacity(raw.len());
    for raw in &raw {
        let Some(mut one) = reader.seen(raw) else { continue };
        one.columns.retain(|(column, past)| !past.is_empty() || is_clear(raw, ask, column));
        seen.push(one);
    }
    let page = Page {
        newest_ms: seen.iter().filter_map(|seen| seen.modified_ms).max(),
        seen,
        next: (records.len() == FOUND).then(|| (offset + FOUND).to_string()),
        answered_ms: reply.date_ms(),
        is_whole: false,
        offset: Some(offset),
    };
    Ok(Answer { value: page, pace: Pace::default() })
}

/// A record whose history is what it has now.
fn now(record: &Json, ask: &PageAsk<'_>) -> Raw {
    let read = ask
        .mapped
        .iter()
        .filter(|mapped| mapped.form != Form::RecordId && (ask.named || mapped.form != Form::CompanyName));
    let history = read.map(|mapped| (mapped.property.clone(), present(record, &mapped.property).to_vec()));
    Raw { history: history.collect(), record: record.clone() }
}

/// Whether there is nothing where the column's value stands, rather than something that it cannot hold.
fn is_clear(raw: &Raw, ask: &PageAsk<'_>, column: &str) -> bool {
    let mapped = ask.mapped.iter().find(|mapped| mapped.column == column);
    mapped.is_some_and(|mapped| present(&raw.record, &mapped.property).is_empty())
}
