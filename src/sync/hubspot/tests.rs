//! The client before canned answers: what it sends, and what it makes of what comes back.

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::*;
use crate::sync::crm::{Answer, Grant, Landed, Mapped, Pace, Past, Push, Writer};
use crate::sync::fault::Class;
use crate::sync::stub::{Canned, Stub};
use crate::tables::{Form, Value, Way};

const UPDATED: &str = "2026-11-22T10:00:00.000Z";
const UPDATED_MS: i64 = 1_795_341_600_000;

fn token() -> SecretString {
    SecretString::from("pat-secret")
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
fn push(number: u128, record: Option<&str>, property: &str, form: Form, value: &str) -> Push {
    let cells = vec![(mapped(property, property, form), Some(text(value)))];
    Push { row: row(number), record: record.map(str::to_owned), cells, known: vec![None], associate: None }
}

fn written(record: &str, created: bool) -> Landed {
    Landed::Written { record: record.to_owned(), created, at_ms: Some(UPDATED_MS) }
}

fn result(id: &str, number: u128) -> Json {
    json!({"id": id, "updatedAt": UPDATED, "objectWriteTraceId": row(number).to_string()})
}

async fn pushed(stub: &Stub, object: Object, pushes: &[Push]) -> Result<Answer<Vec<Landed>>, Fault> {
    super::push(&Stub::client(&stub.address()), &token(), object, pushes).await
}

#[tokio::test]
async fn partial_results_in_any_order_reach_their_rows() {
    let body = json!({
        "results": [result("30", 3), result("10", 1)],
        "errors": [
            {"category": "OBJECT_NOT_FOUND", "message": "not there", "context": {"ids": ["40"]}},
            {"category": "VALIDATION_ERROR", "message": "Property \"phone\" is \"secret\"",
             "context": {"objectWriteTraceId": [row(2).to_string()]}},
        ],
    });
    let answer = Canned::json(207, body).header("X-HubSpot-RateLimit-Remaining", "99");
    let stub = Stub::serve(vec![answer]).await;
    let each = |number, id: &'static str| push(number, Some(id), "phone", Form::Phone, "secret");
    let pushes = [each(1, "10"), each(2, "20"), each(3, "30"), each(4, "40")];
    let answer = pushed(&stub, Object::Contact, &pushes).await.unwrap();
    assert_eq!(answer.pace, Pace { window_left: Some(99), ..Pace::default() });
    let [first, Landed::Refused(refusal), third, fourth] = &answer.value[..] else { panic!("{answer:?}") };
    assert_eq!((first, third, fourth), (&written("10", false), &written("30", false), &Landed::Gone));
    assert_eq!((refusal.class, refusal.property.as_deref()), (Class::Invalid, Some("phone")));
    assert_eq!(refusal.message, "Property \"phone\" is \"…\"");
    assert_eq!(stub.lines(), ["POST /crm/objects/2026-09/contacts/batch/update"]);
    assert!(stub.asked()[0].head.contains("Bearer pat-secret"));
    let input =
        json!({"id": "10", "properties": {"phone": "secret"}, "objectWriteTraceId": row(1).to_string()});
    assert_eq!(stub.asked()[0].json()["inputs"][0], input);
}

#[tokio::test]
async fn a_lost_answer_may_have_been_written_and_a_refused_connection_was_not() {
    let pushes = [push(1, Some("10"), "phone", Form::Phone, "123")];
    let stub = Stub::serve(vec![Canned::cut()]).await;
    let fault = pushed(&stub, Object::Contact, &pushes).await.unwrap_err();
    assert_eq!((fault.class, fault.sent), (Class::Unanswered, true));
    let stub = Stub::serve(vec![Canned::text(200, "{\"results\": [")]).await;
    let fault = pushed(&stub, Object::Contact, &pushes).await.unwrap_err();
    assert_eq!((fault.class, fault.sent), (Class::Unanswered, true));
    let client = Stub::client("http://127.0.0.1:1");
    let fault = super::push(&client, &token(), Object::Contact, &pushes).await.unwrap_err();
    assert_eq!((fault.class, fault.sent), (Class::Unavailable, false));
}

#[tokio::test]
async fn a_step_back_of_the_stage_clears_it_and_then_sets_it() {
    let answer = || Canned::json(200, json!({"results": [result("10", 1)]}));
    let stub = Stub::serve(vec![answer(), answer()]).await;
    let mut back = push(1, Some("10"), "lifecyclestage", Form::Stage, "lead");
    back.cells.push((mapped("title", "jobtitle", Form::Text), Some(text("CEO"))));
    back.known = vec![Some(text("customer")), None];
    let landed = pushed(&stub, Object::Contact, std::slice::from_ref(&back)).await.unwrap().value;
    assert_eq!(landed, [written("10", false)]);
    let sent: Vec<Json> =
        stub.asked().iter().map(|asked| asked.json()["inputs"][0]["properties"].clone()).collect();
    assert_eq!(sent, [json!({"lifecyclestage": "", "jobtitle": "CEO"}), json!({"lifecyclestage": "lead"})]);

    // Cleared and not set again: it is to be read back.
    let stub = Stub::serve(vec![answer(), Canned::json(429, json!({}))]).await;
    let fault = pushed(&stub, Object::Contact, &[back.clone()]).await.unwrap_err();
    assert_eq!((fault.class, fault.sent), (Class::RateLimited, true));

    let refused = Canned::json(400, json!({"category": "VALIDATION_ERROR", "message": "no"}));
    let stub = Stub::serve(vec![refused]).await;
    let landed = pushed(&stub, Object::Contact, &[back]).await.unwrap().value;
    assert!(matches!(&landed[..], [Landed::Refused(_)]), "what is refused clears nothing: {landed:?}");
    assert_eq!(stub.lines().len(), 1);
}

#[tokio::test]
async fn a_person_who_is_there_already_is_found_by_any_address() {
    let found = json!({"results": [
        {"id": "70", "properties": {"email": "other@x.com", "hs_additional_emails": "Ann@x.com;b@x.com"}},
        {"id": "80", "properties": {"email": "mine@x.com", "ops_row_id": row(2).to_string()}},
    ]});
    let new = json!({"results": [
        {"id": "90", "updatedAt": UPDATED, "new": true, "objectWriteTraceId": row(3).to_string()},
        {"id": "80", "updatedAt": UPDATED, "new": false, "objectWriteTraceId": row(2).to_string()},
    ]});
    let stub = Stub::serve(vec![Canned::json(207, found), Canned::json(200, new)]).await;
    let email = |number, address: &str| push(number, None, "email", Form::Email, address);
    let pushes =
        [email(1, "ann@x.com"), email(2, "mine@x.com"), email(3, "new@x.com"), email(4, "new@x.com")];
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert_eq!(landed[0], Landed::Exists { record: "70".to_owned() });
    assert_eq!(landed[1..3], [written("80", false), written("90", true)]);
    let Landed::Later(fault) = &landed[3] else { panic!("{landed:?}") };
    assert_eq!((fault.class, fault.sent), (Class::Locked, false));
    let asked = stub.asked();
    assert_eq!(asked[0].json()["idProperty"], "email");
    assert_eq!(asked[1].line, "POST /crm/objects/2026-09/contacts/batch/upsert");
    let row = row(2).to_string();
    let input = json!({
        "id": row, "idProperty": "ops_row_id", "objectWriteTraceId": row,
        "properties": {"email": "mine@x.com", "ops_row_id": row},
    });
    assert_eq!(asked[1].json()["inputs"][0], input);
}

#[tokio::test]
async fn a_conflict_names_the_existing_record_or_it_is_looked_up() {
    let conflict = |message: &str| Canned::json(409, json!({"category": "CONFLICT", "message": message}));
    let none = || Canned::json(404, json!({"category": "OBJECT_NOT_FOUND"}));
    let pushes = [push(1, None, "email", Form::Email, "ann@x.com")];
    let stub = Stub::serve(vec![none(), conflict("Contact already exists. Existing ID: 55")]).await;
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert_eq!(landed, [Landed::Exists { record: "55".to_owned() }]);

    let found = json!({"results": [{"id": "66", "properties": {"email": "ann@x.com"}}]});
    let stub = Stub::serve(vec![none(), conflict("Contact already exists."), Canned::json(200, found)]).await;
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert_eq!(landed, [Landed::Exists { record: "66".to_owned() }]);

    let stub = Stub::serve(vec![none(), conflict("Something clashes."), none()]).await;
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert!(
        matches!(&landed[..], [Landed::Refused(refusal)] if refusal.class == Class::Duplicate),
        "{landed:?}"
    );
}

#[tokio::test]
async fn a_company_is_looked_up_by_its_domain_before_it_is_made() {
    let page = |id: &str, domain: &str, next: Json| {
        let record = json!({"id": id, "properties": {"domain": domain}});
        Canned::json(200, json!({"results": [record], "paging": next}))
    };
    let next = json!({"next": {"after": "200"}});
    let answers = vec![page("5", "acme.com", next), page("6", "b.com", json!(null)).header("x", "y")];
    let stub = Stub::serve(answers).await;
    let domain = |number, name: &str| push(number, None, "domain", Form::Domain, name);
    let landed =
        pushed(&stub, Object::Company, &[domain(1, "acme.com"), domain(2, "b.com")]).await.unwrap().value;
    let exists = |id: &str| Landed::Exists { record: id.to_owned() };
    assert_eq!(landed, [exists("5"), exists("6")]);
    assert_eq!(stub.lines(), ["POST /crm/objects/2026-09/companies/search"; 2]);
    assert_eq!(stub.asked()[1].json()["after"], "200");
}

#[tokio::test]
async fn one_bad_record_of_a_batch_never_keeps_the_others_back() {
    let refused = || Canned::json(400, json!({"category": "VALIDATION_ERROR", "message": "no"}));
    let good = |numbers: &[u128]| {
        let results: Vec<Json> = numbers.iter().map(|number| result(&number.to_string(), *number)).collect();
        Canned::json(200, json!({ "results": results }))
    };
    // All four, then the halves: the second one is good, the first one falls into a bad and a good record.
    let stub = Stub::serve(vec![refused(), refused(), refused(), good(&[2]), good(&[3, 4])]).await;
    let ids = ["1", "2", "3", "4"];
    let pushes: Vec<Push> =
        (1..).zip(ids).map(|(number, id)| push(number, Some(id), "phone", Form::Phone, "123")).collect();
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert!(matches!(&landed[0], Landed::Refused(_)), "{landed:?}");
    assert_eq!(landed[1..], [written("2", false), written("3", false), written("4", false)]);
    assert_eq!(stub.lines().len(), 5);
}

#[tokio::test]
async fn a_property_that_is_not_there_refuses_all_that_have_it_at_once() {
    let error =
        json!({"code": "PROPERTY_DOESNT_EXIST", "message": "x", "context": {"propertyName": ["fax"]}});
    let body = json!({"category": "VALIDATION_ERROR", "message": "Property values were not valid", "errors": [error]});
    let good = Canned::json(200, json!({"results": [result("2", 2)]}));
    let stub = Stub::serve(vec![Canned::json(400, body), good]).await;
    let pushes = [
        push(1, Some("1"), "fax", Form::Text, "a"),
        push(2, Some("2"), "phone", Form::Phone, "123"),
        push(3, Some("3"), "fax", Form::Text, "b"),
    ];
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    for place in [0, 2] {
        let Landed::Refused(refusal) = &landed[place] else { panic!("{landed:?}") };
        assert_eq!(refusal.property.as_deref(), Some("fax"));
    }
    assert_eq!(landed[1], written("2", false));
    assert_eq!(stub.lines().len(), 2);
}

#[tokio::test]
async fn a_limit_midway_leaves_what_is_written_and_puts_off_the_rest() {
    let good = Canned::json(200, json!({"results": [result("1", 1)]}));
    let stub = Stub::serve(vec![good, Canned::json(429, json!({"policyName": "SECONDLY"}))]).await;
    let pushes =
        [push(1, Some("1"), "phone", Form::Phone, "123"), push(2, None, "firstname", Form::GivenName, "Ann")];
    let landed = pushed(&stub, Object::Contact, &pushes).await.unwrap().value;
    assert_eq!(landed[0], written("1", false));
    let Landed::Later(fault) = &landed[1] else { panic!("{landed:?}") };
    assert_eq!((fault.class, fault.retry_after_ms, fault.sent), (Class::RateLimited, Some(1_000), false));
}

#[tokio::test]
async fn a_value_that_cannot_be_written_is_refused_without_being_sent() {
    let stub = Stub::serve(Vec::new()).await;
    let pushes = [push(1, Some("1"), "annualrevenue", Form::Number, "much")];
    let landed = pushed(&stub, Object::Company, &pushes).await.unwrap().value;
    assert!(
        matches!(&landed[..], [Landed::Refused(refusal)] if refusal.property.as_deref() == Some("annualrevenue"))
    );
    assert!(stub.lines().is_empty());
}

#[tokio::test]
async fn records_are_read_with_their_history_the_archived_ones_too() {
    let entry = |value: &str, at: &str, kind: &str, id: &str| json!({"value": value, "timestamp": at, "sourceType": kind, "sourceId": id});
    let live = json!({"results": [{
        "id": "1", "createdAt": UPDATED, "updatedAt": UPDATED,
        "properties": {"ops_row_id": row(7).to_string()},
        "propertiesWithHistory": {
            "jobtitle": [
                entry("", "2026-11-22T10:00:02Z", "CRM_UI", "userId:5"),
                entry("CEO", "2026-11-22T10:00:01Z", "INTEGRATION", "app-1"),
                entry("CTO", "2026-11-22T10:00:00Z", "INTEGRATION", "app-2"),
            ],
            "email": [entry("nobody", "2026-11-22T10:00:00Z", "IMPORT", "")],
            "company": [entry("Free text", "2026-11-22T10:00:00Z", "CRM_UI", "userId:5")],
            "associatedcompanyid": [entry("9", "2026-11-22T10:00:05Z", "CRM_UI", "userId:6")],
        },
    }]});
    let archived = json!({"results": [{"id": "2", "archived": true, "propertiesWithHistory": {}}]});
    let names = json!({"results": [{"id": "9",
        "propertiesWithHistory": {"name": [entry("Acme", "2026-11-22T10:00:03Z", "CRM_UI", "userId:5")]}}]});
    let stub =
        Stub::serve(vec![Canned::json(207, live), Canned::json(207, archived), Canned::json(200, names)])
            .await;
    let columns = [
        mapped("title", "jobtitle", Form::Text),
        mapped("email", "email", Form::Email),
        mapped("company_name", "company", Form::CompanyName),
        mapped("crm_id", "hs_object_id", Form::RecordId),
    ];
    let ids = ["1", "2", "3"].map(str::to_owned);
    let client = Stub::client(&stub.address());
    let seen =
        super::read(&client, &token(), Object::Contact, &ids, &columns, Some("app-1")).await.unwrap().value;
    assert_eq!(
        seen.iter().map(|seen| (seen.record.as_str(), seen.archived)).collect::<Vec<_>>(),
        [("1", false), ("2", true)]
    );
    assert_eq!((seen[0].row, seen[0].modified_ms), (Some(row(7)), Some(UPDATED_MS)));
    let past =
        |value: Option<Value>, seconds: i64, by| Past { value, at_ms: UPDATED_MS + seconds * 1000, by };
    let other = |name: &str| Writer::Other(name.to_owned());
    assert_eq!(
        seen[0].columns[0].1,
        [
            past(Some(text("CTO")), 0, other("INTEGRATION app-2")),
            past(Some(text("CEO")), 1, Writer::Us),
            past(None, 2, other("CRM_UI userId:5")),
        ]
    );
    assert_eq!(seen[0].columns[1].1, []);
    assert_eq!(seen[0].columns[2].1, [past(Some(text("Acme")), 5, other("CRM_UI userId:6"))]);
    assert_eq!(seen[0].columns[3].1, [past(Some(text("1")), 0, Writer::Unknown)]);
    let asked = stub.asked();
    assert_eq!(asked[1].line, "POST /crm/objects/2026-09/contacts/batch/read?archived=true");
    assert_eq!(asked[1].json()["inputs"], json!([{"id": "2"}, {"id": "3"}]));
}

#[tokio::test]
async fn a_merged_record_is_read_under_the_id_that_it_has_now() {
    let live = json!({"results": [{"id": "9", "properties": {"hs_merged_object_ids": "4; 1"}}]});
    let stub = Stub::serve(vec![Canned::json(200, live)]).await;
    let client = Stub::client(&stub.address());
    let seen =
        super::read(&client, &token(), Object::Contact, &["1".to_owned()], &[], None).await.unwrap().value;
    assert_eq!(seen[0].record, "9");
    assert_eq!(stub.lines().len(), 1);
}

#[tokio::test]
async fn rows_are_found_by_the_id_that_their_records_carry() {
    let found = json!({"results": [{"id": "12", "properties": {"ops_row_id": row(2).to_string()}}]});
    let stub = Stub::serve(vec![Canned::json(207, found)]).await;
    let client = Stub::client(&stub.address());
    let found = super::find(&client, &token(), Object::Contact, &[row(1), row(2)]).await.unwrap().value;
    assert_eq!(found, [(row(2), "12".to_owned())]);
    assert_eq!(stub.asked()[0].json()["idProperty"], "ops_row_id");
}

#[tokio::test]
async fn our_property_is_made_once_and_must_be_unique() {
    let made = Canned::json(201, json!({}));
    let neighbour = Canned::json(200, json!({"name": "name", "groupName": "companyinformation"}));
    let stub = Stub::serve(vec![Canned::json(404, json!({})), neighbour, made]).await;
    let client = Stub::client(&stub.address());
    super::prepare(&client, &token(), Object::Company).await.unwrap();
    assert_eq!(
        stub.lines(),
        [
            "GET /crm/properties/2026-09/companies/ops_row_id",
            "GET /crm/properties/2026-09/companies/name",
            "POST /crm/properties/2026-09/companies",
        ]
    );
    let body = stub.asked()[2].json();
    assert_eq!((&body["groupName"], &body["hasUniqueValue"]), (&json!("companyinformation"), &json!(true)));

    for (unique, expected) in [(true, true), (false, false)] {
        let there = Canned::json(200, json!({"name": "ops_row_id", "hasUniqueValue": unique}));
        let stub = Stub::serve(vec![there]).await;
        let prepared = super::prepare(&Stub::client(&stub.address()), &token(), Object::Contact).await;
        assert_eq!(prepared.is_ok(), expected);
    }
}

#[tokio::test]
async fn properties_tell_what_may_be_written() {
    let option =
        |label: &str, value: &str, place: i64| json!({"label": label, "value": value, "displayOrder": place});
    let body = json!({"results": [
        {"name": "lifecyclestage", "label": "Lifecycle Stage", "type": "enumeration", "fieldType": "radio",
         "options": [option("Customer", "customer", 2), option("Lead", "lead", 1)]},
        {"name": "score", "label": "Score", "type": "number", "calculated": true},
        {"name": "id", "label": "Id", "type": "string", "hasUniqueValue": true,
         "modificationMetadata": {"readOnlyValue": true}},
    ]});
    let stub = Stub::serve(vec![Canned::json(200, body)]).await;
    let client = Stub::client(&stub.address());
    let properties = super::properties(&client, &token(), Object::Contact).await.unwrap();
    let values: Vec<&str> = properties[0].options.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(values, ["lead", "customer"]);
    let flags: Vec<_> = properties.iter().map(|property| (property.read_only, property.unique)).collect();
    assert_eq!(flags, [(false, false), (true, false), (true, true)]);
}

#[tokio::test]
async fn the_account_is_the_portal_and_its_writer_the_app() {
    let details = || Canned::json(200, json!({"portalId": 62515, "uiDomain": "app.hubspot.com"}));
    let oauth = Canned::json(200, json!({"app_id": 1234}));
    let stub = Stub::serve(vec![details(), oauth]).await;
    let account = super::account(&Stub::client(&stub.address()), &token()).await.unwrap();
    assert_eq!((account.id.as_str(), account.writer.as_deref()), ("62515", Some("1234")));
    assert_eq!(stub.lines(), ["GET /account-info/2026-09/details", "GET /oauth/v1/access-tokens/pat-secret"]);
    let refused = || Canned::json(400, json!({}));
    let stub = Stub::serve(vec![details(), refused(), Canned::json(200, json!({"appId": 77}))]).await;
    let account = super::account(&Stub::client(&stub.address()), &token()).await.unwrap();
    assert_eq!(account.writer.as_deref(), Some("77"));
    let stub = Stub::serve(vec![details(), refused(), refused()]).await;
    assert_eq!(super::account(&Stub::client(&stub.address()), &token()).await.unwrap().writer, None);
}

#[tokio::test]
async fn no_secret_is_in_the_fault_of_a_refresh() {
    let body = json!({"message": "the token refresh-secret of client-secret is void"});
    let stub = Stub::serve(vec![
        Canned::json(400, body),
        Canned::json(200, json!({"access_token": "new", "refresh_token": "next", "expires_in": 1800})),
    ])
    .await;
    let grant = Grant {
        client_id: "app".to_owned(),
        client_secret: SecretString::from("client-secret"),
        refresh: SecretString::from("refresh-secret"),
    };
    let client = Stub::client(&stub.address());
    let fault = super::refresh(&client, &grant).await.unwrap_err();
    assert_eq!((fault.class, fault.message.as_str()), (Class::Unauthorized, "the token … of … is void"));
    let tokens = super::refresh(&client, &grant).await.unwrap();
    assert_eq!((tokens.access.expose_secret(), tokens.lives_secs), ("new", Some(1800)));
    assert_eq!(stub.asked()[0].line, "POST /oauth/2026-09/token");
    assert!(
        stub.asked()[0].body.contains("grant_type=refresh_token&client_id=app&client_secret=client-secret")
    );
}
