//! Writes records: those that are linked by their ids, new ones under their rows' ids.

use serde_json::{Map, Value as Json, json};

use super::batch::{self, Input};
use super::ledger::Ledger;
use super::{Caller, associations, existing, values};
use crate::sync::crm::{Answer, Client, Landed, Push};
use crate::sync::fault::{Fault, Refusal};
use crate::sync::note;
use crate::tables::{Form, Object};

/// Writes at most [`super::MOST_AT_ONCE`] records. A value that cannot be written refuses its record without sending it.
pub(in crate::sync) async fn push(
    client: &Client,
    token: &secrecy::SecretString,
    object: Object,
    pushes: &[Push],
) -> Result<Answer<Vec<Landed>>, Fault> {
    let caller = Caller { client, token, object };
    let mut ledger = Ledger::new(pushes.len());
    let (mut updates, mut creations) = (Vec::new(), Vec::new());
    for (place, push) in pushes.iter().enumerate() {
        match properties(push) {
            Err(refusal) => ledger.land(place, Landed::Refused(refusal)),
            Ok(properties) => match &push.record {
                // Its company is all that is sent.
                Some(record) if properties.is_empty() => {
                    ledger
                        .land(place, Landed::Written { record: record.clone(), created: false, at_ms: None });
                }
                Some(_) => updates.push(Input { place, push, properties }),
                None => creations.push(Input { place, push, properties }),
            },
        }
    }
    update(&caller, updates, &mut ledger).await;
    if !ledger.is_stopped() {
        create(&caller, creations, &mut ledger).await;
    }
    if !ledger.is_stopped() {
        associations::write(&caller, pushes, &mut ledger).await;
    }
    ledger.finish()
}

fn properties(push: &Push) -> Result<Map<String, Json>, Refusal> {
    // A company or a person is no property but an association.
    let cells =
        push.cells.iter().filter(|(mapped, _)| !matches!(mapped.form, Form::CompanyName | Form::Person));
    let written = cells.map(|(mapped, value)| {
        let text = match mapped.form {
            Form::Note => note::html(push),
            _ => values::written(mapped, value.as_ref())?,
        };
        Ok((mapped.property.clone(), Json::String(text)))
    });
    written.collect()
}

/// A lifecycle stage is taken only when it is later than the present one, or when there is none
/// (<https://developers.hubspot.com/docs/api-reference/latest/crm/properties>). So a step back is two writes: everything
/// else with the stage cleared, and the stage.
async fn update(caller: &Caller<'_>, mut inputs: Vec<Input<'_>>, ledger: &mut Ledger) {
    let mut stages = Vec::new();
    for input in &mut inputs {
        for property in steps_back(input.push) {
            if let Some(stage) = input.properties.insert(property.to_owned(), json!("")) {
                let properties = Map::from_iter([(property.to_owned(), stage)]);
                stages.push(Input { properties, ..input.clone() });
            }
        }
    }
    batch::write(caller, inputs, ledger).await;
    stages.retain(|input| ledger.is_written(input.place));
    for input in &stages {
        ledger.reopen(input.place);
    }
    batch::write(caller, stages, ledger).await;
}

fn steps_back(push: &Push) -> impl Iterator<Item = &str> {
    let known = push.known.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    push.cells.iter().zip(known).filter_map(|((mapped, value), known)| {
        let is_back = values::is_step_back(mapped, known?, value.as_ref()?);
        is_back.then_some(mapped.property.as_str())
    })
}

/// Neither is a domain unique at `HubSpot`, nor may an e-mail address be the key of a partial upsert: so it is looked
/// up first whether the record is there already.
async fn create(caller: &Caller<'_>, inputs: Vec<Input<'_>>, ledger: &mut Ledger) {
    let inputs = existing::without_existing(caller, inputs, ledger).await;
    let clashes = batch::write(caller, inputs, ledger).await;
    if clashes.is_empty() {
        return;
    }
    // Somebody made the same one in between, or it is another property that clashes.
    for (input, refusal) in &clashes {
        ledger.land(input.place, Landed::Refused(refusal.clone()));
    }
    let inputs = clashes.into_iter().map(|(input, _)| input).collect();
    existing::without_existing(caller, inputs, ledger).await;
}
