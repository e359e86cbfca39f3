//! Associates contacts with the companies that they name, and meetings with their contacts, once both are there.
//!
//! A contact may have several companies, of which one is the primary one: that is the one a contact names here. A meeting
//! keeps whomever it was associated with before
//! (<https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide>).

use serde_json::{Value as Json, json};

use super::ledger::Ledger;
use super::{Caller, HUBSPOT_API_VERSION, faults, plural};
use crate::sync::crm::{Landed, Push};
use crate::sync::fault::{Fault, Refusal};
use crate::sync::wire::{Reply, list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::{Form, Object};

/// The type of the association of a contact with its primary company.
const PRIMARY: i64 = 1;

/// A record, and the one that it is to be associated with; none takes away the one that it has.
struct Pair<'a> {
    place: usize,
    property: &'a str,
    from: String,
    to: Option<String>,
}

/// Makes the associations of the pushes whose records were written. One that is not taken refuses its property.
pub(super) async fn write(caller: &Caller<'_>, pushes: &[Push], ledger: &mut Ledger) {
    let pairs = pushes.iter().enumerate().filter_map(|(place, push)| {
        let is_association = |form: Form| matches!(form, Form::CompanyName | Form::Person);
        let (mapped, _) = push.cells.iter().find(|(mapped, _)| is_association(mapped.form))?;
        let from = ledger.record(place)?.to_owned();
        Some(Pair { place, property: &mapped.property, from, to: push.associate.clone() })
    });
    let (made, taken): (Vec<Pair<'_>>, Vec<Pair<'_>>) = pairs.partition(|pair| pair.to.is_some());
    associate(caller, made, ledger).await;
    if caller.object == Object::Contact {
        dissociate(caller, taken, ledger).await;
    }
}

/// Makes the associations, those with companies as the primary ones. What a call leaves out is sent again in halves, until the one that is not taken
/// stands alone: making an association twice changes nothing.
async fn associate(caller: &Caller<'_>, pairs: Vec<Pair<'_>>, ledger: &mut Ledger) {
    let mut waiting = vec![pairs];
    while let Some(mut group) = waiting.pop() {
        if group.is_empty() {
            continue;
        }
        let (verb, kind) = match caller.object {
            Object::Contact => ("batch/create", Some(PRIMARY)),
            _ => ("batch/associate/default", None),
        };
        let inputs = group.iter().map(|pair| input(pair, kind)).collect();
        let answer = ask(caller, verb, inputs, ledger).await;
        if let Ok(reply) = &answer {
            let results = reply.body.as_ref().map_or(&[][..], |body| list_at(body, "results"));
            group.retain(|pair| !results.iter().any(|result| is_of(result, pair)));
        }
        let fault = match answer {
            Ok(reply) => part(&reply),
            Err(fault) => fault,
        };
        if group.len() > 1 && !ledger.is_stopped() && !fault.class.passes() {
            let half = group.split_off(group.len() / 2);
            waiting.extend([half, group]);
        } else {
            fail(ledger, &group, &fault);
        }
    }
}

/// Takes the primary companies away from contacts.
async fn dissociate(caller: &Caller<'_>, pairs: Vec<Pair<'_>>, ledger: &mut Ledger) {
    if pairs.is_empty() {
        return;
    }
    let inputs = pairs.iter().map(|pair| json!({ "id": pair.from })).collect();
    let found = match ask(caller, "batch/read", inputs, ledger).await {
        Ok(reply) => primary(&reply),
        Err(fault) => return fail(ledger, &pairs, &fault),
    };
    if found.is_empty() {
        return;
    }
    if let Err(fault) = ask(caller, "batch/archive", found, ledger).await {
        fail(ledger, &pairs, &fault);
    }
}

fn input(pair: &Pair<'_>, kind: Option<i64>) -> Json {
    let mut input = json!({"from": {"id": pair.from}, "to": {"id": pair.to}});
    if let Some(kind) = kind {
        input["types"] = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]);
    }
    input
}

/// One batch of associations; any answer but a 2xx is a fault.
async fn ask(
    caller: &Caller<'_>,
    verb: &str,
    inputs: Vec<Json>,
    ledger: &mut Ledger,
) -> Result<Reply, Fault> {
    let to = match caller.object {
        Object::Contact => plural(Object::Company),
        _ => plural(Object::Contact),
    };
    let path = format!("/crm/associations/{HUBSPOT_API_VERSION}/{}/{to}/{verb}", caller.plural());
    let reply = caller.post(&path, &json!({ "inputs": inputs })).await?;
    if !reply.is_success() {
        return Err(faults::fault(&reply, &Told::default()));
    }
    ledger.pace = faults::pace(&reply);
    Ok(reply)
}

/// Why an answer leaves an association out, as far as it says.
fn part(reply: &Reply) -> Fault {
    let told = faults::parts(reply, &Told::default()).into_iter().next();
    told.map_or_else(super::ledger::unnamed, |trouble| trouble.fault)
}

/// Whether a result is of the two records; their ids stand in one of two forms.
fn is_of(result: &Json, pair: &Pair<'_>) -> bool {
    let is = |paths: [&[&str]; 2], id: Option<&str>| {
        paths.iter().any(|path| text_at(result, path).as_deref().is_some_and(|found| Some(found) == id))
    };
    is([&["fromObjectId"], &["from", "id"]], Some(&pair.from))
        && is([&["toObjectId"], &["to", "id"]], pair.to.as_deref())
}

/// The primary associations that were read, as they are taken away.
fn primary(reply: &Reply) -> Vec<Json> {
    let results = reply.body.as_ref().map_or(&[][..], |body| list_at(body, "results"));
    let found = results.iter().filter_map(|result| {
        let is_primary = |target: &&Json| {
            let mut types = list_at(target, "associationTypes").iter();
            types.any(|kind| kind.get("typeId").and_then(Json::as_i64) == Some(PRIMARY))
        };
        let company = list_at(result, "to").iter().find(is_primary)?;
        let (from, to) = (text_at(result, &["from", "id"])?, text_at(company, &["toObjectId"])?);
        Some(json!({"from": {"id": from}, "to": [{"id": to}]}))
    });
    found.collect()
}

/// The records were written and their associations were not: what will not pass refuses the property alone.
fn fail(ledger: &mut Ledger, pairs: &[Pair<'_>], fault: &Fault) {
    for pair in pairs {
        ledger.reopen(pair.place);
        if fault.class.passes() || fault.class.is_of_connection() {
            ledger.land(pair.place, Landed::Later(fault.clone()));
        } else {
            let property = Some(pair.property.to_owned());
            ledger.land(pair.place, Landed::Refused(Refusal { property, ..Refusal::of_fault(fault) }));
        }
    }
    if fault.class.is_of_connection() {
        ledger.stop(fault, pairs.iter().map(|pair| pair.place));
    }
}
