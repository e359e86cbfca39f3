//! Reads an object's records page by page: those modified since a moment by searches, all of them by the list.
//!
//! A search answers at most 10,000 results, and what is modified meanwhile moves among its pages. So each page is a search
//! of its own that begins where the last record of the page before stood: by the moment of its modification, and by its
//! id among those that were modified at the same moment
//! (<https://developers.hubspot.com/docs/api-reference/crm/search-the-crm>).

use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::read::{SHOWN, WITH_HISTORY, read, seen, with_history};
use super::{Caller, HUBSPOT_API_VERSION, faults};
use crate::sync::crm::{Answer, Client, Pace, Page, PageAsk, Seen, ms};
use crate::sync::fault::Fault;
use crate::sync::forms;
use crate::sync::wire::{list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::Object;

/// The most results of one page of a search.
const FOUND: usize = 200;

/// The next page of live records; with a moment, of those modified since.
pub(in crate::sync) async fn page(
    client: &Client,
    token: &SecretString,
    object: Object,
    ask: &PageAsk<'_>,
) -> Result<Answer<Page>, Fault> {
    let caller = Caller { client, token, object };
    match ask.since_ms {
        Some(since_ms) => changed(&caller, since_ms, ask).await,
        None => listed(&caller, ask).await,
    }
}

/// Where a search begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct From {
    at_ms: i64,
    /// Only what was modified at that very moment, after this id.
    id: Option<u64>,
}

async fn changed(caller: &Caller<'_>, since_ms: i64, ask: &PageAsk<'_>) -> Result<Answer<Page>, Fault> {
    let from = ask.after.and_then(From::parse).unwrap_or(From { at_ms: since_ms, id: None });
    let reply = caller.ask(caller.object, "search", &from.search(modified_property(caller.object))).await?;
    let answered_ms = reply.date_ms();
    let found: Vec<(u64, i64)> =
        list_at(reply.read()?, "results").iter().filter_map(|it| found(caller.object, it)).collect();
    let ids: Vec<String> = found.iter().map(|(id, _)| id.to_string()).collect();
    let answer = read(caller.client, caller.token, caller.object, &ids, ask.mapped, ask.writer).await?;
    let page = Page {
        newest_ms: newest(&answer.value),
        seen: answer.value,
        next: from.next(&found).map(From::text),
        answered_ms,
        is_whole: true,
        offset: None,
    };
    Ok(Answer { value: page, pace: answer.pace })
}

impl From {
    fn parse(text: &str) -> Option<From> {
        match text.split_once('/') {
            Some((at_ms, id)) => Some(From { at_ms: at_ms.parse().ok()?, id: Some(id.parse().ok()?) }),
            None => Some(From { at_ms: text.parse().ok()?, id: None }),
        }
    }

    fn text(self) -> String {
        match self.id {
            Some(id) => format!("{}/{id}", self.at_ms),
            None => self.at_ms.to_string(),
        }
    }

    fn search(self, modified: &str) -> Json {
        let at = self.at_ms.to_string();
        let (filters, sort) = match self.id {
            None => (json!([{"propertyName": modified, "operator": "GTE", "value": at}]), modified),
            Some(id) => (
                json!([
                    {"propertyName": modified, "operator": "EQ", "value": at},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": id.to_string()},
                ]),
                "hs_object_id",
            ),
        };
        json!({
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": [modified],
            "limit": FOUND,
        })
    }

    /// Where to go on after a page; none after the last one.
    fn next(self, found: &[(u64, i64)]) -> Option<From> {
        let is_last = found.len() < FOUND;
        let (last_id, last_ms) = *found.last().unwrap_or(&(0, self.at_ms));
        match self.id {
            // What else was modified at the last record's moment comes again with the next page.
            None if is_last => None,
            None if last_ms > self.at_ms => Some(From { at_ms: last_ms, id: None }),
            None => Some(From { at_ms: self.at_ms, id: Some(0) }),
            Some(_) if is_last => Some(From { at_ms: self.at_ms + 1, id: None }),
            Some(_) => Some(From { at_ms: self.at_ms, id: Some(last_id) }),
        }
    }
}

/// A search result's id, and when it was modified.
fn found(object: Object, result: &Json) -> Option<(u64, i64)> {
    let at = text_at(result, &["properties", modified_property(object)]);
    let at = at.or_else(|| text_at(result, &["updatedAt"])).and_then(|at| forms::moment(&at))?;
    Some((text_at(result, &["id"])?.parse().ok()?, ms(at)))
}

/// Contacts keep the name that the property had before there were other objects.
fn modified_property(object: Object) -> &'static str {
    match object {
        Object::Contact => "lastmodifieddate",
        Object::Meeting | Object::Company => "hs_lastmodifieddate",
    }
}

async fn listed(caller: &Caller<'_>, ask: &PageAsk<'_>) -> Result<Answer<Page>, Fault> {
    let mut path = format!(
        "/crm/objects/{HUBSPOT_API_VERSION}/{}?limit={WITH_HISTORY}&properties={}&propertiesWithHistory={}",
        caller.plural(),
        SHOWN.join(","),
        with_history(ask.mapped).join(","),
    );
    if let Some(after) = ask.after {
        path.push_str("&after=");
        path.extend(url::form_urlencoded::byte_serialize(after.as_bytes()));
    }
    let reply = caller.get(&path).await?;
    if !reply.is_success() {
        return Err(faults::fault(&reply, &Told::default()));
    }
    let mut left: Pace = faults::pace(&reply);
    let body = reply.read()?;
    let raw: Vec<(Json, bool)> =
        list_at(body, "results").iter().map(|record| (record.clone(), false)).collect();
    let seen = seen(caller, &raw, ask.mapped, ask.writer, &mut left).await?;
    let page = Page {
        newest_ms: newest(&seen),
        seen,
        next: text_at(body, &["paging", "next", "after"]).map(std::borrow::Cow::into_owned),
        answered_ms: reply.date_ms(),
        is_whole: true,
        offset: None,
    };
    Ok(Answer { value: page, pace: left })
}

fn newest(seen: &[Seen]) -> Option<i64> {
    seen.iter().filter_map(|seen| seen.modified_ms).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_begins_where_the_one_before_ended() {
        let many = |at: &dyn Fn(u64) -> i64| (0..200).map(|id| (id, at(id))).collect::<Vec<_>>();
        let from = From { at_ms: 10, id: None };
        let check = |from: From, found: &[(u64, i64)], next: Option<&str>| {
            assert_eq!(from.next(found).map(From::text).as_deref(), next);
        };
        check(from, &[], None);
        check(from, &[(7, 12)], None);
        check(from, &many(&|id| 10 + i64::from(id > 100)), Some("11"));
        check(from, &many(&|_| 10), Some("10/0"));
        let within = From::parse("10/0").expect("a place");
        check(within, &many(&|_| 10), Some("10/199"));
        check(within, &[(300, 10)], Some("11"));
        check(within, &[], Some("11"));
        assert_eq!(From::parse("11"), Some(From { at_ms: 11, id: None }));
        assert_eq!(From::parse("soon"), None);
    }
}
