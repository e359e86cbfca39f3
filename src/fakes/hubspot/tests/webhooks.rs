//! The administration of an app's webhooks.

use super::*;
use crate::fakes::testing::Seen;

const APP: &str = "50780459";

async fn admin(caller: &Caller, method: &str, rest: &str, body: Option<Value>) -> Seen {
    let path = format!("/app-webhooks/2026-09/{APP}/{rest}?hapikey=test-developer-key");
    caller.send(method, &path, body).await.unwrap()
}

fn settings(target: &str, at_once: i64) -> Value {
    json!({"targetUrl": target, "throttling": {"maxConcurrentRequests": at_once}})
}

async fn subscribe(caller: &Caller, body: Value) -> Seen {
    admin(caller, "POST", "subscriptions", Some(body)).await
}

#[tokio::test]
async fn settings_are_made_changed_and_removed_with_the_developers_key() {
    let (_fake, caller, clock) = start().await;
    caller.get(&format!("/app-webhooks/2026-09/{APP}/settings")).await.expect(401);
    caller.get(&format!("/app-webhooks/2026-09/{APP}/settings?hapikey=guessed")).await.expect(401);
    caller.get("/app-webhooks/2026-09/1/settings?hapikey=test-developer-key").await.expect(404);
    admin(&caller, "GET", "settings", None).await.expect(404);
    admin(&caller, "PUT", "settings", Some(settings("http://example.com/hook", 10))).await.expect(400);
    admin(&caller, "PUT", "settings", Some(settings("https://example.com/hook", 0))).await.expect(400);
    let made =
        admin(&caller, "PUT", "settings", Some(settings("https://example.com/hook", 7))).await.expect(200);
    clock.advance_ms(1000);
    admin(&caller, "PUT", "settings", Some(settings("https://example.com/other", 10))).await.expect(200);
    let shown = admin(&caller, "GET", "settings", None).await.expect(200);
    assert_eq!(
        (&made["throttling"], &shown["targetUrl"]),
        (&json!({"maxConcurrentRequests": 7}), &json!("https://example.com/other"))
    );
    assert_eq!(
        (&shown["createdAt"], &shown["updatedAt"]),
        (&made["createdAt"], &json!("2026-01-02T03:04:06.000Z"))
    );
    admin(&caller, "DELETE", "settings", None).await.expect(204);
    admin(&caller, "DELETE", "settings", None).await.expect(404);
}

#[tokio::test]
async fn subscriptions_are_made_paused_and_removed() {
    let (_fake, caller, _) = start().await;
    let creation = json!({"eventType": "contact.creation", "active": true});
    subscribe(&caller, creation.clone()).await.expect(400);
    admin(&caller, "PUT", "settings", Some(settings("https://example.com/hook", 10))).await.expect(200);
    let made = subscribe(&caller, creation.clone()).await.expect(201);
    let mut fields: Vec<&String> = made.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["active", "createdAt", "eventType", "id", "updatedAt"]);
    subscribe(&caller, creation).await.expect(409);
    let email = json!({"eventType": "contact.propertyChange", "propertyName": "email", "active": false});
    subscribe(&caller, email).await.expect(201);
    let listed = admin(&caller, "GET", "subscriptions", None).await.expect(200);
    assert_eq!(strings(&listed["results"], "/eventType"), ["contact.creation", "contact.propertyChange"]);
    assert_eq!(
        (&listed["results"][1]["propertyName"], &listed["results"][1]["active"]),
        (&json!("email"), &json!(false))
    );
    let one = format!("subscriptions/{}", made["id"].as_str().unwrap());
    let paused = admin(&caller, "PATCH", &one, Some(json!({"active": false}))).await.expect(200);
    assert_eq!(paused["active"], false);
    assert_eq!(admin(&caller, "GET", &one, None).await.expect(200), paused);
    admin(&caller, "DELETE", &one, None).await.expect(204);
    admin(&caller, "DELETE", &one, None).await.expect(404);
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused() {
    let (_fake, caller, _) = start().await;
    admin(&caller, "PUT", "settings", Some(settings("https://example.com/hook", 10))).await.expect(200);
    for body in [
        json!({"eventType": "contact.creation"}),
        json!({"eventType": "contact.renaming", "active": true}),
        json!({"eventType": "company.privacyDeletion", "active": true}),
        json!({"eventType": "contact.propertyChange", "active": true}),
        json!({"eventType": "contact.creation", "propertyName": "email", "active": true}),
        json!({"eventType": "contact.propertyChange", "propertyName": "lastmodifieddate", "active": true}),
        json!({"eventType": "deal.propertyChange", "propertyName": "hs_is_closed", "active": true}),
        json!({"eventType": "object.creation", "active": true}),
    ] {
        let refused = subscribe(&caller, body).await.expect(400);
        assert_eq!(refused["category"], "VALIDATION_ERROR");
    }
    subscribe(&caller, json!({"eventType": "object.creation", "objectTypeId": "0-46", "active": true}))
        .await
        .expect(201);
}
