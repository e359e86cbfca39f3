//! Search: its filters, its limits, its lag.

use super::*;

async fn search(caller: &Caller, body: Value) -> Value {
    caller.call("POST", &format!("{COMPANIES}/search"), body).await.expect(200)
}

fn filters(filters: impl Into<Value>) -> Value {
    json!({"filterGroups": [{"filters": filters.into()}], "properties": ["name"]})
}

#[tokio::test]
async fn filters_compare_by_type_and_sorting_follows_a_cursor() {
    async fn check(caller: &Caller, filter: Value, expected: &[&str]) {
        let found = search(caller, filters(json!([filter]))).await;
        assert_eq!(strings(&found["results"], "/properties/name"), expected, "{filter}");
    }
    let (fake, caller, clock) = start_with(|options| options.limits = crate::fakes::Limits::off()).await;
    for (name, revenue) in [("Acme Tools", "9"), ("Globex", "100"), ("Initech", "20")] {
        fake.create("companies", &[("name", name), ("annualrevenue", revenue)]).unwrap();
        clock.advance_ms(1000);
    }
    fake.create("companies", &[("name", "Umbrella")]).unwrap();
    let filter = |name: &str, operator: &str, value: &str| json!({"propertyName": name, "operator": operator, "value": value});
    check(&caller, filter("annualrevenue", "GT", "10"), &["Globex", "Initech"]).await;
    check(&caller, filter("name", "EQ", "globex"), &["Globex"]).await;
    check(&caller, filter("name", "CONTAINS_TOKEN", "tool*"), &["Acme Tools"]).await;
    check(&caller, filter("hs_lastmodifieddate", "GTE", "1767323047000"), &["Initech", "Umbrella"]).await;
    check(&caller, json!({"propertyName": "annualrevenue", "operator": "NOT_HAS_PROPERTY"}), &["Umbrella"])
        .await;
    check(
        &caller,
        json!({"propertyName": "name", "operator": "IN", "values": ["globex", "umbrella"]}),
        &["Globex", "Umbrella"],
    )
    .await;
    let between =
        json!({"propertyName": "annualrevenue", "operator": "BETWEEN", "value": "9", "highValue": "20"});
    check(&caller, between, &["Acme Tools", "Initech"]).await;
    let sorted = json!({"sorts": [{"propertyName": "annualrevenue", "direction": "DESCENDING"}], "properties": ["name"], "limit": 2});
    let page = search(&caller, sorted).await;
    assert_eq!(strings(&page["results"], "/properties/name"), ["Globex", "Initech"]);
    assert_eq!((&page["total"], &page["paging"]["next"]["after"]), (&json!(4), &json!("2")));
}

#[tokio::test]
async fn search_is_held_to_its_limits() {
    let (_fake, caller, _) = start().await;
    let path = format!("{COMPANIES}/search");
    let filter = json!({"propertyName": "name", "operator": "EQ", "value": "x"});
    let refused = |body: Value| caller.call("POST", &path, body);
    refused(filters(json!(vec![filter.clone(); 7]))).await.expect(400);
    refused(json!({"limit": 201})).await.expect(400);
    refused(json!({"limit": 100, "after": "9901"})).await.expect(400);
    refused(json!({"query": "x".repeat(3001)})).await.expect(400);
    let within = caller.call("POST", &path, json!({"limit": 100, "after": "9900"})).await;
    assert_eq!(within.header("x-hubspot-ratelimit-remaining"), None);
    within.expect(200);
    let limited = caller.call("POST", &path, json!({})).await.expect(429);
    assert_eq!(limited["policyName"], "SECONDLY");
}

#[tokio::test]
async fn search_lags_behind_when_it_is_told_to() {
    let (fake, caller, clock) = start_with(|options| options.search_lag_ms = 5000).await;
    let id = fake.create("companies", &[("name", "Old")]).unwrap();
    assert_eq!(search(&caller, json!({})).await["total"], 0);
    clock.advance_ms(5000);
    fake.edit("companies", &id, "name", Some("New")).unwrap();
    assert_eq!(search(&caller, json!({})).await["results"][0]["properties"]["name"], "Old");
    clock.advance_ms(5000);
    assert_eq!(search(&caller, json!({})).await["results"][0]["properties"]["name"], "New");
}
