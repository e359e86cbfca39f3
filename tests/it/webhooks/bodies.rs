//! Random bodies of genuine deliveries.

use opstables::tables::System;
use serde_json::Value as Json;
use uuid::Uuid;

use super::signed::{change, list, payload, update};
use crate::schedules::dice::Dice;

/// A body with one to three events, whose values have everything in them that a wrong reading could trip over.
pub(super) fn body(dice: &mut Dice, system: System) -> Vec<u8> {
    let values: [&str; 9] =
        ["CEO", "Ünï", "日本 \u{1F600}", "a|b;c", "%3A%2F", "\"quoted\" \\ 'it'", "", " x ", "1e9"];
    let many = dice.roll(3) + 1;
    let events = (0..many).map(|_| {
        let (event, record) = (dice.roll(1 << 30) as u64, dice.roll(1 << 30) as u64);
        match system {
            System::Hubspot => change(event, record, values[dice.roll(values.len())]),
            System::Attio => update(Uuid::from_u128(record.into())),
        }
    });
    let events: Vec<Json> = events.collect();
    match system {
        System::Hubspot => list(&events),
        System::Attio => payload(&events),
    }
}
