//! The wire facts of `HubSpot`'s stand-in, each over real HTTP.

#[cfg(test)]
mod access;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod searches;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod webhooks;

use chrono::DateTime;
use serde_json::{Value, json};

use super::HubspotFake;
use crate::clock::Clock;
use crate::fakes::Options;
use crate::fakes::testing::Caller;

const CONTACTS: &str = "/crm/objects/2026-09/contacts";
const COMPANIES: &str = "/crm/objects/2026-09/companies";

/// A stand-in whose time moves only when told to, at 2026-01-02T03:04:05.000Z.
async fn start() -> (HubspotFake, Caller, Clock) {
    start_with(|_| {}).await
}

async fn start_with(change: impl FnOnce(&mut Options)) -> (HubspotFake, Caller, Clock) {
    let clock = Clock::fixed(DateTime::from_timestamp_millis(1_767_323_045_000).expect("a test's setup"));
    let mut options = Options::hubspot(clock.clone());
    change(&mut options);
    let fake = HubspotFake::start(options).await.expect("a test's setup");
    let caller = Caller::new(fake.url());
    (fake, caller, clock)
}

async fn make_row_key(caller: &Caller) {
    let property = json!({
        "name": "ops_row_id",
        "label": "Row",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        "hasUniqueValue": true,
    });
    caller.call("POST", "/crm/properties/2026-09/contacts", property).await.expect(201);
}

fn strings(value: &Value, pointer: &str) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item.pointer(pointer)?.as_str()).map(str::to_owned).collect()
}
