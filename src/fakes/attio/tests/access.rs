//! Tokens, workspaces, limits, webhooks and faults.

use secrecy::ExposeSecret;

use super::*;
use crate::fakes::{AccountOptions, Fault, Limits, Rule};

#[tokio::test]
async fn a_token_says_whose_it_is() {
    let (_fake, mut caller, _) = start().await;
    let own = caller.get("/v2/self").await.expect(200);
    assert_eq!((&own["active"], &own["workspace_name"]), (&json!(true), &json!("Test workspace")));
    assert_eq!(own["workspace_id"], "14beef7a-99f7-4534-a87e-70b564330a4c");
    caller.token = "nonsense".to_owned();
    assert_eq!(caller.get("/v2/self").await.expect(200), json!({"active": false}));
    let refused = caller.get("/v2/objects").await.expect(401);
    assert_eq!((&refused["type"], &refused["status_code"]), (&json!("auth_error"), &json!(401)));
}

#[tokio::test]
async fn a_code_gives_a_token_of_the_app_that_does_not_expire() {
    let (fake, mut caller, clock) = start().await;
    let code = fake.authorize();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", "test-client"),
        ("client_secret", "test-secret"),
    ];
    let given = caller.form("/oauth/token", &form).await.expect(200);
    assert_eq!(given.as_object().unwrap().keys().collect::<Vec<_>>(), ["access_token", "token_type"]);
    caller.form("/oauth/token", &form).await.expect(400);
    caller.token = given["access_token"].as_str().unwrap().to_owned();
    clock.advance_ms(1000 * 24 * 3600 * 1000);
    let made = caller.call("POST", PEOPLE, data(json!({"job_title": "x"}))).await.expect(200);
    assert_eq!(made["data"]["values"]["job_title"][0]["created_by_actor"]["type"], "app");
}

#[tokio::test]
async fn workspaces_do_not_see_each_other() {
    let other = "22222222-2222-4222-8222-222222222222";
    let (fake, mut caller, _) = start_with(|options| {
        options.accounts.push(AccountOptions::new(other, "Other", "other-token", "writer"));
    })
    .await;
    let id = fake.create("people", &json!({"email_addresses": ["a@b.co"]})).unwrap();
    caller.token = "other-token".to_owned();
    caller.get(&format!("{PEOPLE}/{id}")).await.expect(404);
    caller.call("POST", PEOPLE, data(json!({"email_addresses": ["a@b.co"]}))).await.expect(200);
    let other = fake.of(other).unwrap();
    assert_eq!(other.take_events()[0]["events"][0]["actor"], json!({"type": "api-token", "id": "writer"}));
    assert_eq!(fake.ids("people"), [id]);
}

#[tokio::test]
async fn reads_and_writes_are_counted_apart_by_the_clock_second() {
    let (fake, caller, clock) = start_with(|options| {
        options.limits.reads_per_second = Some(2);
        options.limits.writes_per_second = Some(1);
    })
    .await;
    clock.advance_ms(400);
    caller.call("POST", PEOPLE, data(json!({}))).await.expect(200);
    let limited = caller.call("POST", PEOPLE, data(json!({}))).await;
    assert_eq!(limited.header("retry-after"), Some("Fri, 02 Jan 2026 03:04:06 GMT"));
    let body = limited.expect(429);
    assert_eq!((&body["type"], &body["code"]), (&json!("rate_limit_error"), &json!("rate_limit_exceeded")));
    caller.call("POST", &format!("{PEOPLE}/query"), json!({})).await.expect(200);
    caller.get("/v2/objects").await.expect(200);
    caller.get("/v2/objects").await.expect(429);
    assert_eq!(fake.early_requests(), 0);
    clock.advance_ms(599);
    caller.call("POST", PEOPLE, data(json!({}))).await.expect(429);
    assert_eq!(fake.early_requests(), 1);
    clock.advance_ms(1);
    caller.call("POST", PEOPLE, data(json!({}))).await.expect(200);
    assert_eq!((fake.early_requests(), fake.ids("people").len()), (1, 2));
}

#[tokio::test]
async fn a_webhook_gets_what_it_asked_for_with_ids_only() {
    let (fake, caller, _) = start().await;
    let own = "5e0d1f3a-7c36-4a52-9a0b-8f6a4f1f7a11";
    let not_ours = json!({"$and": [{"field": "actor.id", "operator": "not_equals", "value": own}]});
    let webhook = |target: &str| json!({"data": {"target_url": target, "subscriptions": [{"event_type": "record.updated", "filter": not_ours}]}});
    caller.call("POST", "/v2/webhooks", webhook("http://example.com/hook")).await.expect(400);
    let made = caller.call("POST", "/v2/webhooks", webhook("https://example.com/hook")).await.expect(200);
    assert!(made["data"]["secret"].is_string());
    let id = made["data"]["id"]["webhook_id"].clone();
    let listed = caller.get("/v2/webhooks").await.expect(200);
    assert_eq!(listed["data"][0].get("secret"), None);
    let record = id_of(&caller.call("POST", PEOPLE, data(json!({"job_title": "x"}))).await.expect(200));
    caller.call("PATCH", &format!("{PEOPLE}/{record}"), data(json!({"job_title": "y"}))).await.expect(200);
    fake.edit("people", &record, "job_title", &json!("z")).unwrap();
    let events = fake.take_events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["webhook_id"], id);
    let event = &events[0]["events"][0];
    assert_eq!(event["actor"]["type"], "workspace-member");
    let mut fields: Vec<&String> = event["id"].as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["attribute_id", "object_id", "record_id", "workspace_id"]);
    let path = format!("/v2/webhooks/{}", id.as_str().unwrap());
    caller.send("DELETE", &path, None).await.unwrap().expect(200);
    caller.send("DELETE", &path, None).await.unwrap().expect(404);
}

#[tokio::test]
async fn webhooks_are_shown_changed_and_listed_in_pages() {
    let (fake, caller, _) = start_with(|options| options.limits = Limits::off()).await;
    let body = |target: &str, event: &str| json!({"data": {"target_url": target, "subscriptions": [{"event_type": event, "filter": null}]}});
    let mut ids = Vec::new();
    for number in 0..12 {
        let target = format!("https://example.com/{number}");
        let made = caller.call("POST", "/v2/webhooks", body(&target, "record.created")).await.expect(200);
        ids.push(made["data"]["id"]["webhook_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(caller.get("/v2/webhooks").await.expect(200)["data"].as_array().unwrap().len(), 10);
    let rest = caller.get("/v2/webhooks?limit=100&offset=10").await.expect(200);
    assert_eq!(rest["data"][1]["id"]["webhook_id"], ids[11]);
    caller.get("/v2/webhooks?limit=500").await.expect(400);
    let path = format!("/v2/webhooks/{}", ids[0]);
    let secret = fake.webhooks()[0].secret.expose_secret().to_owned();
    caller.call("PATCH", &path, json!({"data": {"target_url": "http://example.com"}})).await.expect(400);
    let changed = body("https://example.com/new", "record.deleted");
    let changed = caller.call("PATCH", &path, changed).await.expect(200);
    assert_eq!(changed["data"].get("secret"), None);
    let shown = caller.get(&path).await.expect(200);
    assert_eq!(
        (&shown, &shown["data"]["subscriptions"][0]["event_type"]),
        (&changed, &json!("record.deleted"))
    );
    assert_eq!(fake.webhooks()[0].secret.expose_secret(), secret);
    caller.get("/v2/webhooks/unknown").await.expect(404);
}

#[tokio::test]
async fn without_a_webhook_everything_is_told() {
    let (fake, _, _) = start().await;
    let id = fake.create("people", &json!({"job_title": "x"})).unwrap();
    fake.edit("people", &id, "job_title", &json!([])).unwrap();
    fake.delete("people", &id).unwrap();
    let types: Vec<Value> =
        fake.take_events().iter().map(|payload| payload["events"][0]["event_type"].clone()).collect();
    assert_eq!(types, ["record.created", "record.updated", "record.deleted"]);
}

#[tokio::test]
async fn faults_speak_the_words_of_this_crm() {
    let (fake, caller, _) = start().await;
    fake.faults().add(Rule::next(1, Fault::Status { status: 500, retry_after: None }));
    assert_eq!(caller.get("/v2/objects").await.expect(500)["status_code"], 500);
    fake.faults().add(Rule::next(1, Fault::LostAnswer).at("POST /v2/objects/people"));
    assert!(caller.send("POST", PEOPLE, Some(data(json!({"job_title": "x"})))).await.is_err());
    assert_eq!(fake.ids("people").len(), 1);
    assert_eq!(fake.requests().pop().unwrap().records, fake.ids("people"));
}
