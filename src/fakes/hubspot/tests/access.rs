//! Tokens, accounts, limits and clocks.

use super::*;
use crate::fakes::{AccountOptions, Limits};

#[tokio::test]
async fn a_token_that_is_not_known_is_told_so() {
    let (fake, mut caller, _) = start().await;
    caller.token = "nonsense".to_owned();
    let body = caller.get(CONTACTS).await.expect(401);
    assert_eq!(body["category"], "INVALID_AUTHENTICATION");
    assert_eq!(body["status"], "error");
    assert!(!format!("{:?}", fake.requests()).contains("nonsense"));
}

#[tokio::test]
async fn records_of_one_portal_are_not_seen_from_another() {
    let (fake, mut caller, _) = start_with(|options| {
        options.accounts.push(AccountOptions::new("777", "Other", "other-token", "42"));
    })
    .await;
    let id = fake.create("contacts", &[("email", "a@b.co")]).unwrap();
    caller.token = "other-token".to_owned();
    caller.get(&format!("{CONTACTS}/{id}")).await.expect(404);
    let made = caller.call("POST", CONTACTS, json!({"properties": {"email": "a@b.co"}})).await.expect(201);
    let other = fake.of("777").unwrap();
    assert_eq!(json!(other.ids("contacts")), json!([made["id"]]));
    assert_eq!(other.take_events()[0]["sourceId"], "42");
    assert_eq!(fake.requests().pop().unwrap().account.as_deref(), Some("777"));
    let details = caller.get("/account-info/2026-09/details").await.expect(200);
    assert_eq!(details["portalId"], 777);
}

#[tokio::test]
async fn tokens_are_given_for_a_code_expire_and_are_refreshed() {
    let (fake, mut caller, clock) = start_with(|options| options.rotate_refresh_tokens = true).await;
    let client = [("client_id", "test-client"), ("client_secret", "test-secret")];
    let code = fake.authorize();
    let ask = async |caller: &Caller, grant: &str, name: &str, value: &str| {
        let mut form = vec![("grant_type", grant), (name, value)];
        form.extend(client);
        caller.form("/oauth/2026-09/token", &form).await
    };
    let given = ask(&caller, "authorization_code", "code", &code).await.expect(200);
    assert_eq!((&given["expires_in"], &given["hub_id"]), (&json!(1800), &json!(62515)));
    ask(&caller, "authorization_code", "code", &code).await.expect(400);
    caller.token = given["access_token"].as_str().unwrap().to_owned();
    caller.get(CONTACTS).await.expect(200);
    clock.advance_ms(1_800_000);
    assert_eq!(caller.get(CONTACTS).await.expect(401)["category"], "EXPIRED_AUTHENTICATION");
    let refresh = given["refresh_token"].as_str().unwrap();
    let renewed = ask(&caller, "refresh_token", "refresh_token", refresh).await.expect(200);
    assert_ne!(renewed["refresh_token"], given["refresh_token"]);
    let void = ask(&caller, "refresh_token", "refresh_token", refresh).await.expect(400);
    assert_eq!(void["status"], "BAD_REFRESH_TOKEN");
    caller.token = renewed["access_token"].as_str().unwrap().to_owned();
    caller.get(CONTACTS).await.expect(200);
    assert_eq!(fake.refreshes(), 1);
    fake.revoke();
    caller.get(CONTACTS).await.expect(401);
}

#[tokio::test]
async fn a_token_tells_its_portal_and_app() {
    let (fake, caller, _) = start().await;
    let form = [("client_id", "test-client"), ("client_secret", "test-secret"), ("token", "test-token")];
    let facts = caller.form("/oauth/2026-09/token/introspect", &form).await.expect(200);
    assert_eq!(facts["active"], true);
    assert_eq!((&facts["hub_id"], &facts["app_id"]), (&json!(62515), &json!(50_780_459)));
    let unknown = [("client_id", "test-client"), ("client_secret", "test-secret"), ("token", "x")];
    assert_eq!(
        caller.form("/oauth/2026-09/token/introspect", &unknown).await.expect(200),
        json!({"active": false})
    );
    let older = caller.get("/oauth/v1/access-tokens/test-token").await.expect(200);
    assert_eq!(older["hub_id"], 62515);
    assert!(!format!("{:?}", fake.requests()).contains("test-token"));
}

#[tokio::test]
async fn the_window_of_ten_seconds_closes_and_opens_again() {
    let (fake, caller, clock) = start_with(|options| options.limits.calls_per_ten_seconds = Some(3)).await;
    for left in ["2", "1", "0"] {
        let seen = caller.get(CONTACTS).await;
        assert_eq!(seen.header("x-hubspot-ratelimit-remaining"), Some(left));
        assert_eq!(seen.header("x-hubspot-ratelimit-max"), Some("3"));
        assert_eq!(seen.header("x-hubspot-ratelimit-daily"), None);
        clock.advance_ms(1000);
    }
    let limited = caller.get(CONTACTS).await;
    assert_eq!(limited.header("retry-after"), None);
    let body = limited.expect(429);
    assert_eq!(
        (&body["errorType"], &body["policyName"]),
        (&json!("RATE_LIMIT"), &json!("TEN_SECONDLY_ROLLING"))
    );
    assert_eq!(fake.early_requests(), 0);
    clock.advance_ms(6_999);
    caller.get(CONTACTS).await.expect(429);
    assert_eq!(fake.early_requests(), 1);
    clock.advance_ms(1);
    caller.get(CONTACTS).await.expect(200);
    assert_eq!(fake.early_requests(), 1);
}

#[tokio::test]
async fn the_day_closes_until_midnight() {
    let (_fake, caller, clock) = start_with(|options| {
        options.limits = Limits { calls_per_day: Some(2), ..Limits::off() };
    })
    .await;
    assert_eq!(caller.get(CONTACTS).await.header("x-hubspot-ratelimit-daily-remaining"), Some("1"));
    caller.get(CONTACTS).await.expect(200);
    assert_eq!(caller.get(CONTACTS).await.expect(429)["policyName"], "DAILY");
    clock.advance_ms(20 * 3600 * 1000);
    caller.get(CONTACTS).await.expect(429);
    clock.advance_ms(3600 * 1000);
    caller.get(CONTACTS).await.expect(200);
}

#[tokio::test]
async fn the_clock_of_the_crm_may_be_wrong() {
    let (fake, caller, _) = start_with(|options| options.skew_ms = 90_000).await;
    let made = caller.call("POST", CONTACTS, json!({"properties": {"email": "a@b.co"}})).await.expect(201);
    assert_eq!(made["updatedAt"], "2026-01-02T03:05:35.000Z");
    assert_eq!(fake.now_ms(), 1_767_323_135_000);
}
