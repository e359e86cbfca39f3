//! The client before canned answers: what it sends, and what it makes of what comes back.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::sync::crm::{Answer, Grant, Landed, Mapped, Past, Push, Writer};
use crate::sync::stub::{Canned, Stub};
use crate::tables::{Form, Value, Way};

const FROM: &str = "2026-11-22T10:00:00.000000000Z";
const FROM_MS: i64 = 1_795_341_600_000;

fn token() -> SecretString {
    SecretString::from("attio-secret")
}

fn mapped(column: &str, property: &str, form: Form) -> Mapped {
    let (column, property) = (column.to_owned(), property.to_owned());
    Mapped { column, property, form, way: Way::Both, described: None }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn row(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A push of one text.
fn push(number: u128, record: Option<&str>, attribute: &str, form: Form, value: Option<Value>) -> Push {
    let cells = vec![(mapped(attribute, attribute, form), value)];
    Push { row: row(number), record: record.map(str::to_owned), cells, known: vec![None], associate: None }
}

/// A record's body with the values of one attribute.
fn record(id: &str, attribute: &str, values: &Json) -> Json {
    let mut values = values.clone();
    for value in values.as_array_mut().into_iter().flatten() {
        value["active_from"] = json!(FROM);
        value["created_by_actor"] = json!({"type": "app", "id": "us"});
    }
    json!({"id": {"record_id": id}, "created_at": FROM, "values": {attribute: values}})
}

fn saved(id: &str, attribute: &str, values: &Json) -> Canned {
    Canned::json(200, json!({"data": record(id, attribute, values)}))
}

fn none() -> Canned {
    Canned::json(200, json!({"data": []}))
}

fn written(record: &str, created: bool) -> Landed {
    Landed::Written { record: record.to_owned(), created, at_ms: Some(FROM_MS) }
}

async fn pushed(stub: &Stub, object: Object, pushes: &[Push]) -> Result<Answer<Vec<Landed>>, Fault> {
    super::push(&Stub::client(&stub.address()), &token(), object, pushes).await
}

#[tokio::test]
async fn other_addresses_of_a_person_are_kept() {
    let email = |address: &str| json!({"email_address": address});
    let there = json!([email("old@x.com"), email("b@x.com"), email("c@x.com")]);
    let stub = Stub::serve(vec![
        saved("r-1", "email_addresses", &there).at("GET"),
        saved("r-1", "email_addresses", &json!([email("new@x.com")])).at("PUT"),
    ])
    .await;
    let pushes = [push(1, Some("r-1"), "email_addresses", Form::Email, Some(text("new@x.com")))];
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert_eq!(landed, [written("r-1", false)]);
    assert_eq!(stub.lines(), ["GET /v2/objects/people/records/r-1", "PUT /v2/objects/people/records/r-1"]);
    let sent = stub.asked()[1].json();
    let expected = json!([email("new@x.com"), email("b@x.com"), email("c@x.com")]);
    assert_eq!(sent["data"]["values"]["email_addresses"], expected);
}

#[tokio::test]
async fn a_new_person_is_asserted_by_address_unless_somebody_has_it() {
    let pushes = [push(1, None, "email_addresses", Form::Email, Some(text("ann@x.com")))];
    let address = json!([{"email_address": "ann@x.com"}]);
    let stub = Stub::serve(vec![none(), saved("r-9", "email_addresses", &address)]).await;
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert_eq!(landed, [written("r-9", true)]);
    assert_eq!(
        stub.lines(),
        [
            "POST /v2/objects/people/records/query",
            "PUT /v2/objects/people/records?matching_attribute=email_addresses",
        ]
    );
    let filter = json!({"email_addresses": {"email_address": {"$eq": "ann@x.com"}}});
    assert_eq!(stub.asked()[0].json()["filter"], filter);
    let sent = stub.asked()[1].json();
    assert_eq!(sent["data"]["values"]["ops_row_id"], json!([{"value": row(1).to_string()}]));

    let theirs = Canned::json(200, json!({"data": [record("r-5", "email_addresses", &address)]}));
    let stub = Stub::serve(vec![theirs]).await;
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert_eq!(landed, [Landed::Exists { record: "r-5".to_owned() }]);

    let mine = record("r-6", "ops_row_id", &json!([{"value": row(1).to_string()}]));
    let mine = Canned::json(200, json!({"data": [mine]}));
    let stub = Stub::serve(vec![mine, saved("r-6", "email_addresses", &address)]).await;
    assert_eq!(pushed(&stub, Object::Contact, &pushes).await.unwrap().value, [written("r-6", true)]);
}

#[tokio::test]
async fn a_new_record_without_an_address_is_asserted_by_its_row() {
    let stub = Stub::serve(vec![saved("r-1", "description", &json!([{"value": "x"}]))]).await;
    let pushes = [push(1, None, "description", Form::Text, Some(text("x")))];
    assert_eq!(pushed(&stub, Object::Company, &pushes).await.unwrap().value, [written("r-1", true)]);
    assert_eq!(stub.lines(), ["PUT /v2/objects/companies/records?matching_attribute=ops_row_id"]);
}

#[tokio::test]
async fn a_clash_of_a_new_record_is_looked_into() {
    let clash = || Canned::json(409, json!({"code": "uniqueness_conflict", "message": "taken"})).at("PUT");
    let pushes = [push(1, None, "domains", Form::Domain, Some(text("acme.com")))];
    let theirs =
        Canned::json(200, json!({"data": [record("r-5", "domains", &json!([{"domain": "acme.com"}]))]}));
    let stub = Stub::serve(vec![none(), clash(), none(), theirs]).await;
    let landed = pushed(&stub, Object::Company, &pushes).await.unwrap().value;
    assert_eq!(landed, [Landed::Exists { record: "r-5".to_owned() }]);
    let stub = Stub::serve(vec![none(), clash(), none(), none()]).await;
    let landed = pushed(&stub, Object::Company, &pushes).await.unwrap().value;
    assert!(
        matches!(&landed[..], [Landed::Refused(refusal)] if refusal.class == Class::Duplicate),
        "{landed:?}"
    );
}

#[tokio::test]
async fn outcomes_are_told_apart_and_keep_their_order() {
    let answer = |status, code: &str, id: &'static str| {
        let body = json!({"code": code, "message": "Attribute \"description\" is \"secret\""});
        Canned::json(status, body).at(id)
    };
    let stub = Stub::serve(vec![
        Canned::json(404, json!({"code": "not_found"})).at("/r-1"),
        answer(400, "validation_type", "/r-2"),
        saved("r-3", "description", &json!([]))
            .header("Date", "Sun, 22 Nov 2026 10:00:00 GMT")
            .at("/r-3")
            .after_ms(50),
        answer(409, "merge_in_progress", "/r-4"),
        Canned::cut().at("/r-5"),
    ])
    .await;
    let ids = ["r-1", "r-2", "r-3", "r-4", "r-5"];
    let each =
        |(number, id): (u128, &&str)| push(number, Some(id), "description", Form::Text, Some(text("secret")));
    let pushes: Vec<Push> = (1..).zip(&ids).map(each).collect();
    let landed = pushed(&stub, Object::Company, &pushes).await.unwrap().value;
    let [Landed::Gone, Landed::Refused(refusal), third, Landed::Later(merging), Landed::Later(lost)] =
        &landed[..]
    else {
        panic!("{landed:?}")
    };
    assert_eq!(refusal.property.as_deref(), Some("description"));
    assert_eq!(refusal.message, "Attribute \"description\" is \"…\"");
    assert_eq!(third, &written("r-3", false), "a cleared value holds from the answer's date on");
    assert_eq!((merging.class, merging.sent), (Class::Locked, false));
    assert_eq!((lost.class, lost.sent), (Class::Unanswered, true));
}

#[tokio::test]
async fn a_fault_of_the_connection_puts_off_the_rest_without_sending_it() {
    let limited = || Canned::json(429, json!({"code": "rate_limit_exceeded"}));
    let good = saved("r-1", "description", &json!([{"value": "x"}])).at("/r-1");
    let stub = Stub::serve(vec![good, limited(), limited(), limited(), limited()]).await;
    let ids: Vec<String> = (1..=9).map(|number| format!("r-{number}")).collect();
    let each =
        |(number, id): (u128, &String)| push(number, Some(id), "description", Form::Text, Some(text("x")));
    let pushes: Vec<Push> = (1..).zip(&ids).map(each).collect();
    let landed = pushed(&stub, Object::Company, &pushes).await.unwrap().value;
    assert_eq!(landed[0], written("r-1", false));
    let is_put_off = |landed: &Landed| matches!(landed, Landed::Later(fault) if fault.class == Class::RateLimited && !fault.sent);
    assert!(landed[1..].iter().all(is_put_off), "{landed:?}");
    assert!(stub.lines().len() < 9);

    let stub = Stub::serve(vec![Canned::json(401, json!({}))]).await;
    let fault = pushed(&stub, Object::Company, &pushes[..1]).await.unwrap_err();
    assert_eq!((fault.class, fault.sent), (Class::Unauthorized, false));
}

#[tokio::test]
async fn two_new_records_with_one_address_do_not_become_one_unseen() {
    let address = json!([{"email_address": "ann@x.com"}]);
    let stub = Stub::serve(vec![none(), saved("r-9", "email_addresses", &address)]).await;
    let new = |number| push(number, None, "email_addresses", Form::Email, Some(text("ann@x.com")));
    let landed = pushed(&stub, Object::Contact, &[new(1), new(2)]).await.unwrap().value;
    assert_eq!(landed[0], written("r-9", true));
    assert!(matches!(&landed[1], Landed::Later(fault) if !fault.sent), "{landed:?}");
}

#[tokio::test]
async fn records_are_read_with_their_history_or_their_present_values() {
    let value = |value: &str, from: &str, until: Option<&str>| json!({"value": value, "active_from": from, "active_until": until, "created_by_actor": {"type": "api-token", "id": "us"}});
    let titles = json!({"data": [value("CTO", FROM, Some("2026-11-22T10:00:05.000000000Z"))]});
    let company = json!([{"target_object": "companies", "target_record_id": "c-1"}]);
    let mut there = record("r-1", "company", &company);
    there["values"]["ops_row_id"] = json!([{"value": row(7).to_string()}]);
    there["values"]["last_interaction"] = json!([{"interacted_at": FROM, "active_from": FROM}]);
    let references = there["values"]["company"].clone();
    let stub = Stub::serve(vec![
        Canned::json(404, json!({"code": "not_found"})).at("/records/r-2"),
        Canned::json(200, titles).at("/attributes/job_title/values?show_historic=true"),
        Canned::json(400, json!({"code": "validation_type"})).at("/attributes/last_interaction/values"),
        Canned::json(200, json!({"data": references})).at("/attributes/company/values"),
        saved("c-1", "name", &json!([{"value": "Acme"}])).at("/companies/records/c-1"),
        Canned::json(200, json!({"data": there})).at("/records/r-1"),
    ])
    .await;
    let columns = [
        mapped("title", "job_title", Form::Text),
        mapped("last_engagement", "last_interaction", Form::Instant),
        mapped("company_name", "company", Form::CompanyName),
        mapped("crm_id", "record_id", Form::RecordId),
    ];
    let ids = ["r-1", "r-2"].map(str::to_owned);
    let client = Stub::client(&stub.address());
    let seen =
        super::read(&client, &token(), Object::Contact, &ids, &columns, Some("us")).await.unwrap().value;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].record.as_str(), seen[0].row, seen[0].modified_ms),
        ("r-1", Some(row(7)), Some(FROM_MS))
    );
    let past = |value: Option<Value>, seconds: i64, by| Past { value, at_ms: FROM_MS + seconds * 1000, by };
    let columns: Vec<&[Past]> = seen[0].columns.iter().map(|(_, past)| past.as_slice()).collect();
    assert_eq!(columns[0], [past(Some(text("CTO")), 0, Writer::Us), past(None, 5, Writer::Unknown)]);
    let moment = chrono::DateTime::from_timestamp_millis(FROM_MS).map(Value::Time);
    assert_eq!(columns[1], [past(moment, 0, Writer::Unknown)]);
    assert_eq!(columns[2], [past(Some(text("Acme")), 0, Writer::Us)]);
    assert_eq!(columns[3], [past(Some(text("r-1")), 0, Writer::Unknown)]);
}

#[tokio::test]
async fn an_id_cannot_leave_its_place_in_the_path() {
    let stub = Stub::serve(vec![Canned::json(404, json!({}))]).await;
    let client = Stub::client(&stub.address());
    let ids = ["../../self?x=1".to_owned()];
    let seen = super::read(&client, &token(), Object::Contact, &ids, &[], None).await.unwrap().value;
    assert_eq!(seen, []);
    assert_eq!(stub.lines(), ["GET /v2/objects/people/records/..%2F..%2Fself%3Fx=1"]);
}

#[tokio::test]
async fn rows_are_found_by_the_id_that_their_records_carry() {
    let mine = record("r-6", "ops_row_id", &json!([{"value": row(2).to_string()}]));
    let stub = Stub::serve(vec![Canned::json(200, json!({"data": [mine]}))]).await;
    let client = Stub::client(&stub.address());
    let found = super::find(&client, &token(), Object::Contact, &[row(1), row(2)]).await.unwrap().value;
    assert_eq!(found, [(row(2), "r-6".to_owned())]);
}

#[tokio::test]
async fn attributes_come_with_their_options_and_ours_is_made_once() {
    let attribute = |slug: &str, kind: &str, archived: bool| {
        json!({"api_slug": slug, "title": slug, "type": kind, "is_multiselect": true, "is_unique": false,
            "is_writable": true, "is_archived": archived})
    };
    let list = json!({"data": [attribute("categories", "select", false), attribute("old", "text", true),
        attribute("last_interaction", "interaction", false)]});
    let options = json!({"data": [{"id": {"option_id": "o-1"}, "title": "B2B"},
        {"id": {"option_id": "o-2"}, "title": "Old", "is_archived": true}]});
    let stub = Stub::serve(vec![Canned::json(200, list), Canned::json(200, options)]).await;
    let client = Stub::client(&stub.address());
    let found = super::properties(&client, &token(), Object::Company).await.unwrap();
    let shown: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.read_only)).collect();
    assert_eq!(shown, [("categories", false), ("last_interaction", true)]);
    assert_eq!(found[0].options, [("o-1".to_owned(), "B2B".to_owned())]);

    let stub =
        Stub::serve(vec![Canned::json(404, json!({"code": "not_found"})), Canned::json(200, json!({}))])
            .await;
    super::prepare(&Stub::client(&stub.address()), &token(), Object::Contact).await.unwrap();
    assert_eq!(
        stub.lines(),
        ["GET /v2/objects/people/attributes/ops_row_id", "POST /v2/objects/people/attributes",]
    );
    assert_eq!(stub.asked()[1].json()["data"]["is_unique"], json!(true));
}

#[tokio::test]
async fn the_account_is_the_workspace_and_a_dead_token_is_refused() {
    let body = json!({"active": true, "workspace_id": "w-1", "workspace_name": "Acme", "client_id": "app-1"});
    let stub = Stub::serve(vec![Canned::json(200, body), Canned::json(200, json!({"active": false}))]).await;
    let client = Stub::client(&format!("{}/v2", stub.address()));
    let account = super::account(&client, &token()).await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("w-1", "Acme"));
    assert_eq!(account.writer.as_deref(), Some("app-1"));
    assert_eq!(super::account(&client, &token()).await.unwrap_err().class, Class::Unauthorized);
    assert_eq!(stub.lines(), ["GET /v2/self"; 2]);
}

#[tokio::test]
async fn no_secret_is_in_the_fault_of_a_refresh() {
    let stub = Stub::serve(vec![
        Canned::json(400, json!({"error": "invalid_grant", "error_description": "refresh-secret is void"})),
        Canned::json(200, json!({"access_token": "new"})),
    ])
    .await;
    let grant = Grant {
        client_id: "app".to_owned(),
        client_secret: SecretString::from("client-secret"),
        refresh: SecretString::from("refresh-secret"),
    };
    let client = Stub::client(&stub.address());
    let fault = super::refresh(&client, &grant).await.unwrap_err();
    assert_eq!((fault.class, fault.message.as_str()), (Class::Unauthorized, "… is void"));
    let tokens = super::refresh(&client, &grant).await.unwrap();
    assert_eq!((tokens.access.expose_secret(), tokens.refresh.is_none()), ("new", true));
    assert_eq!(stub.lines(), ["POST /oauth/token"; 2]);
}
