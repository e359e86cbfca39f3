//! Queries: filters, sorting and pages.

use super::*;

async fn names(caller: &Caller, body: Value) -> Vec<String> {
    let found = caller.call("POST", &format!("{COMPANIES}/query"), body).await.expect(200);
    assert_eq!(found.as_object().unwrap().keys().collect::<Vec<_>>(), ["data"]);
    let records = found["data"].as_array().unwrap().iter();
    records.map(|record| record["values"]["name"][0]["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn filters_are_understood_in_their_short_and_long_forms() {
    async fn check(caller: &Caller, filter: Value, expected: &[&str]) {
        assert_eq!(names(caller, json!({"filter": filter})).await, expected, "{filter}");
    }
    let (fake, caller, clock) = start().await;
    for (name, domain, range) in
        [("Acme", "acme.com", "1-10"), ("Globex", "globex.io", "11-50"), ("Initech", "initech.com", "1-10")]
    {
        fake.create("companies", &json!({"name": name, "domains": [domain], "employee_range": range}))
            .unwrap();
        clock.advance_ms(1000);
    }
    let id = fake.ids("companies").remove(1);
    check(&caller, json!({"name": "Acme"}), &["Acme"]).await;
    check(&caller, json!({"domains": "GLOBEX.io"}), &["Globex"]).await;
    check(&caller, json!({"domains": {"domain": {"$eq": "acme.com"}}}), &["Acme"]).await;
    check(
        &caller,
        json!({"domains": {"$in": ["Initech.com", "none.com", "acme.com"]}}),
        &["Acme", "Initech"],
    )
    .await;
    check(&caller, json!({"domains": {"root_domain": "none.com"}}), &[]).await;
    check(
        &caller,
        json!({"$or": [{"domains": "initech.com"}, {"domains": {"domain": "acme.com"}}]}),
        &["Acme", "Initech"],
    )
    .await;
    check(&caller, json!({"$or": [{"domains": "initech.com"}, {"name": "Acme"}]}), &["Acme", "Initech"])
        .await;
    check(&caller, json!({"domains": {"domain": {"$ends_with": ".com"}}}), &["Acme", "Initech"]).await;
    check(&caller, json!({"employee_range": "1-10", "name": {"$contains": "INI"}}), &["Initech"]).await;
    check(&caller, json!({"record_id": {"$in": [id]}}), &["Globex"]).await;
    check(&caller, json!({"created_at": {"$gte": "2026-01-02T03:04:06.000000000Z"}}), &["Globex", "Initech"])
        .await;
    check(
        &caller,
        json!({"$or": [{"name": "Acme"}, {"$not": {"employee_range": "1-10"}}]}),
        &["Acme", "Globex"],
    )
    .await;
    check(&caller, json!({"linkedin": {"$not_empty": true}}), &[]).await;
    for wrong in [
        json!({"nothing": 1}),
        json!({"name": {"$like": "x"}}),
        json!({"$and": 1}),
        json!({"domains": {"$in": 1}}),
    ] {
        let refused =
            caller.call("POST", &format!("{COMPANIES}/query"), json!({"filter": wrong})).await.expect(400);
        assert_eq!(refused["code"], "filter_error");
    }
}

#[tokio::test]
async fn pages_are_cut_by_limit_and_offset_and_say_nothing_of_more() {
    let (fake, caller, _) = start().await;
    for name in ["B", "C", "A"] {
        fake.create("companies", &json!({"name": name})).unwrap();
    }
    assert_eq!(names(&caller, json!({})).await, ["B", "C", "A"]);
    let sorted = json!({"sorts": [{"attribute": "name", "direction": "desc"}], "limit": 2});
    assert_eq!(names(&caller, sorted).await, ["C", "B"]);
    assert_eq!(names(&caller, json!({"limit": 2, "offset": 2})).await, ["A"]);
    caller.call("POST", &format!("{COMPANIES}/query"), json!({"limit": 501})).await.expect(400);
}
