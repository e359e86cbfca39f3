//! The forms of values, and the attributes that hold them.

use super::*;

/// Writes a value by itself and reads the fields named.
async fn check(caller: &Caller, object: &str, slug: &str, given: Value, expected: Value) {
    let path = format!("/v2/objects/{object}/records");
    let made = caller.call("POST", &path, data(json!({slug: given}))).await.expect(200);
    let value = &made["data"]["values"][slug][0];
    for (field, expected) in expected.as_object().unwrap() {
        assert_eq!(&value[field], expected, "{slug}: {value}");
    }
}

async fn refused(caller: &Caller, object: &str, slug: &str, given: Value, code: &str) {
    let path = format!("/v2/objects/{object}/records");
    let answer = caller.call("POST", &path, data(json!({slug: given}))).await.expect(400);
    assert_eq!(answer["code"], code, "{slug}: {answer}");
    assert_eq!(answer["type"], "invalid_request_error");
}

#[tokio::test]
async fn values_are_kept_in_their_canonical_form() {
    let (_fake, caller, _) = start_with(|options| options.limits = crate::fakes::Limits::off()).await;
    let name = json!({"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"});
    check(&caller, "people", "name", json!([name]), name.clone()).await;
    check(&caller, "people", "name", json!("Lovelace, Ada"), name).await;
    let email = json!({"email_address": "ada@mail.example.com", "email_root_domain": "example.com"});
    check(&caller, "people", "email_addresses", json!([{"email_address": "Ada@mail.example.com"}]), email)
        .await;
    let phone = json!({"phone_number": "+4930123456", "country_code": "DE"});
    check(
        &caller,
        "people",
        "phone_numbers",
        json!([{"original_phone_number": "+49 30 123456"}]),
        phone.clone(),
    )
    .await;
    let national = json!([{"original_phone_number": "030 123456", "country_code": "DE"}]);
    check(&caller, "people", "phone_numbers", national, phone).await;
    check(
        &caller,
        "companies",
        "domains",
        json!(["https://www.Acme.com/about"]),
        json!({"domain": "acme.com"}),
    )
    .await;
    check(&caller, "companies", "foundation_date", json!("1999-12-31"), json!({"value": "1999-12-31"})).await;
    let made = caller.call("POST", COMPANIES, data(json!({"employee_range": "11-50"}))).await.expect(200);
    let option = &made["data"]["values"]["employee_range"][0]["option"];
    assert_eq!(option["title"], "11-50");
    let id = option["id"]["option_id"].clone();
    check(&caller, "companies", "employee_range", json!([{"option": id}]), json!({"option": option})).await;
}

#[tokio::test]
async fn values_of_the_wrong_form_are_refused() {
    let (fake, caller, _) = start_with(|options| options.limits = crate::fakes::Limits::off()).await;
    refused(&caller, "people", "first_name", json!("Ada"), "value_not_found").await;
    refused(&caller, "people", "name", json!([{"first_name": "Ada"}]), "validation_type").await;
    refused(&caller, "people", "job_title", json!([{"value": 5}]), "validation_type").await;
    refused(&caller, "people", "job_title", json!(["a", "b"]), "validation_type").await;
    refused(&caller, "people", "email_addresses", json!(["nobody"]), "validation_type").await;
    refused(&caller, "people", "phone_numbers", json!(["030 123456"]), "validation_type").await;
    refused(&caller, "people", "primary_location", json!([{"locality": "Bonn"}]), "validation_type").await;
    refused(&caller, "people", "last_interaction", json!([{}]), "immutable_value").await;
    refused(&caller, "companies", "categories", json!(["Wizardry"]), "value_not_found").await;
    refused(&caller, "deals", "name", json!("Big"), "missing_value").await;
    assert_eq!(fake.ids("people"), Vec::<String>::new());
}

#[tokio::test]
async fn a_reference_names_a_record_by_its_id_or_a_unique_value() {
    let (fake, caller, _) = start().await;
    let company = fake.create("companies", &json!({"domains": ["acme.com"], "name": "Acme"})).unwrap();
    let target = json!({"target_object": "companies", "target_record_id": company});
    check(&caller, "people", "company", json!([target]), target.clone()).await;
    let by_domain = json!([{"target_object": "companies", "domains": [{"domain": "acme.com"}]}]);
    check(&caller, "people", "company", by_domain, target).await;
    let nobody = json!([{"target_object": "companies", "target_record_id": "nobody"}]);
    refused(&caller, "people", "company", nobody, "value_not_found").await;
    let wrong = json!([{"target_object": "deals", "target_record_id": company}]);
    refused(&caller, "people", "company", wrong, "validation_type").await;
}

#[tokio::test]
async fn a_deal_has_a_stage_an_owner_and_a_value() {
    let (_fake, caller, _) = start().await;
    let deal = |value: Value| {
        data(json!({
            "name": "Big",
            "stage": [{"status": "Lead"}],
            "owner": [{"workspace_member_email_address": "person@example.com"}],
            "value": [{"currency_value": value}],
        }))
    };
    let made = caller.call("POST", "/v2/objects/deals/records", deal(json!(12.5))).await.expect(200);
    assert_eq!(made["data"]["values"]["stage"][0]["status"]["title"], "Lead");
    assert_eq!(made["data"]["values"]["value"][0]["currency_code"], "USD");
    assert_eq!(made["data"]["values"]["owner"][0]["referenced_actor_type"], "workspace-member");
    caller.call("POST", "/v2/objects/deals/records", deal(json!(0.00001))).await.expect(400);
    caller.call("POST", "/v2/objects/deals/records", deal(json!(0.12345))).await.expect(400);
}

#[tokio::test]
async fn attributes_describe_themselves_and_their_options() {
    let (_fake, caller, _) = start().await;
    let all = caller.get("/v2/objects/people/attributes").await.expect(200);
    let of =
        |slug: &str| all["data"].as_array().unwrap().iter().find(|a| a["api_slug"] == slug).unwrap().clone();
    assert_eq!(
        (&of("email_addresses")["is_unique"], &of("email_addresses")["is_multiselect"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&of("last_interaction")["type"], &of("last_interaction")["is_writable"]),
        (&json!("interaction"), &json!(false))
    );
    let companies = caller.get("/v2/objects/companies").await.expect(200)["data"]["id"]["object_id"].clone();
    assert_eq!(of("company")["config"]["record_reference"]["allowed_object_ids"], json!([companies]));
    let options = "/v2/objects/companies/attributes/categories/options";
    caller.call("POST", options, json!({"data": {"title": "Wizardry"}})).await.expect(200);
    caller.call("POST", options, json!({"data": {"title": "Wizardry"}})).await.expect(409);
    let listed = caller.get(options).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().last().unwrap()["title"], "Wizardry");
    check(&caller, "companies", "categories", json!(["Wizardry"]), json!({"attribute_type": "select"})).await;
}
