//! The wire facts of `Attio`'s stand-in, each over real HTTP.

#[cfg(test)]
mod access;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod records;
#[cfg(test)]
mod values;

use chrono::DateTime;
use serde_json::{Value, json};

use super::AttioFake;
use crate::clock::Clock;
use crate::fakes::Options;
use crate::fakes::testing::Caller;

const PEOPLE: &str = "/v2/objects/people/records";
const COMPANIES: &str = "/v2/objects/companies/records";

/// A stand-in whose time moves only when told to, at 2026-01-02T03:04:05.000Z.
async fn start() -> (AttioFake, Caller, Clock) {
    start_with(|_| {}).await
}

async fn start_with(change: impl FnOnce(&mut Options)) -> (AttioFake, Caller, Clock) {
    let clock = Clock::fixed(DateTime::from_timestamp_millis(1_767_323_045_000).expect("a test's setup"));
    let mut options = Options::attio(clock.clone());
    change(&mut options);
    let fake = AttioFake::start(options).await.expect("a test's setup");
    let caller = Caller::new(fake.url());
    (fake, caller, clock)
}

fn data(values: impl Into<Value>) -> Value {
    json!({"data": {"values": values.into()}})
}

fn id_of(answer: &Value) -> String {
    answer.pointer("/data/id/record_id").and_then(Value::as_str).expect("a test's setup").to_owned()
}

/// One field of each value of an attribute.
fn each(answer: &Value, slug: &str, field: &str) -> Vec<Value> {
    let values =
        answer.pointer(&format!("/data/values/{slug}")).and_then(Value::as_array).expect("a test's setup");
    values.iter().map(|value| value[field].clone()).collect()
}
