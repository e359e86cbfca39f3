//! Records, one at a time: what they take, what they had, and what becomes of them.

use super::*;

#[tokio::test]
async fn a_contact_is_made_changed_and_archived() {
    let (fake, caller, clock) = start().await;
    let made =
        caller.call("POST", CONTACTS, json!({"properties": {"email": "Ada@Example.com"}})).await.expect(201);
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["properties"]["email"], "ada@example.com");
    assert_eq!(made["createdAt"], "2026-01-02T03:04:05.000Z");
    clock.advance_ms(1500);
    let one = format!("{CONTACTS}/{id}");
    let changed =
        caller.call("PATCH", &one, json!({"properties": {"jobtitle": "Countess"}})).await.expect(200);
    assert_eq!(changed["updatedAt"], "2026-01-02T03:04:06.500Z");
    assert_eq!(changed["properties"]["lastmodifieddate"], "2026-01-02T03:04:06.500Z");
    let read = caller.get(&format!("{one}?properties=jobtitle,city,nonsense")).await.expect(200);
    assert_eq!(read["properties"]["jobtitle"], "Countess");
    assert_eq!(read["properties"]["city"], Value::Null);
    assert_eq!(read["properties"].get("nonsense"), None);
    assert_eq!(caller.send("DELETE", &one, None).await.unwrap().status, 204);
    assert_eq!(caller.send("DELETE", &one, None).await.unwrap().status, 204);
    let gone = caller.get(&one).await.expect(404);
    assert_eq!(gone["category"], "OBJECT_NOT_FOUND");
    assert_eq!(caller.get(&format!("{one}?archived=true")).await.expect(200)["archived"], true);
    assert_eq!(fake.archived_ids("contacts"), [id]);
}

#[tokio::test]
async fn history_is_newest_first_and_names_its_writers() {
    let (fake, caller, clock) = start().await;
    let id = fake.create("contacts", &[("email", "a@b.co"), ("city", "Bonn")]).unwrap();
    clock.advance_ms(1000);
    let one = format!("{CONTACTS}/{id}");
    caller.call("PATCH", &one, json!({"properties": {"city": ""}})).await.expect(200);
    fake.edit("contacts", &id, "city", Some("Köln")).unwrap();
    let read = caller.get(&format!("{one}?propertiesWithHistory=city")).await.expect(200);
    let expected = json!([
        {"value": "Köln", "timestamp": "2026-01-02T03:04:06.001Z", "sourceType": "CRM_UI", "sourceId": "userId:9001"},
        {"value": "", "timestamp": "2026-01-02T03:04:06.000Z", "sourceType": "INTEGRATION", "sourceId": "50780459"},
        {"value": "Bonn", "timestamp": "2026-01-02T03:04:05.000Z", "sourceType": "CRM_UI", "sourceId": "userId:9001"},
    ]);
    assert_eq!(read["propertiesWithHistory"]["city"], expected);
    let past: Vec<(Value, i64)> =
        fake.history("contacts", &id, "city").into_iter().map(|past| (past.value, past.at_ms)).collect();
    let start = 1_767_323_045_000;
    assert_eq!(past, [(json!("Bonn"), start), (json!(""), start + 1000), (json!("Köln"), start + 1001)]);
}

#[tokio::test]
async fn a_value_that_is_there_already_is_no_change() {
    let (fake, caller, clock) = start().await;
    let id = fake.create("contacts", &[("email", "a@b.co"), ("city", "Bonn")]).unwrap();
    fake.take_events();
    clock.advance_ms(1000);
    let one = format!("{CONTACTS}/{id}");
    let same = caller.call("PATCH", &one, json!({"properties": {"city": "Bonn"}})).await.expect(200);
    assert_eq!(same["updatedAt"], "2026-01-02T03:04:05.000Z");
    assert_eq!(fake.history("contacts", &id, "city").len(), 1);
    assert_eq!(fake.take_events(), Vec::<Value>::new());
}

#[tokio::test]
async fn values_that_a_property_does_not_take_are_refused_by_name() {
    async fn check(caller: &Caller, properties: Value, code: &str) {
        let refused = caller.call("POST", COMPANIES, json!({"properties": properties})).await.expect(400);
        assert_eq!(refused["category"], "VALIDATION_ERROR");
        assert_eq!(refused["errors"][0]["code"], code, "{refused}");
        assert!(refused["message"].as_str().unwrap().starts_with("Property values were not valid: [{"));
    }
    let (fake, caller, _) = start().await;
    check(&caller, json!({"name": "A", "shoe_size": "46"}), "PROPERTY_DOESNT_EXIST").await;
    check(&caller, json!({"name": "A", "notes_last_contacted": "2026-01-01"}), "READ_ONLY_VALUE").await;
    check(&caller, json!({"name": "A", "industry": "software"}), "INVALID_OPTION").await;
    check(&caller, json!({"name": "A", "annualrevenue": "a lot"}), "INVALID_DOUBLE").await;
    let number =
        caller.call("POST", COMPANIES, json!({"properties": {"annualrevenue": 5}})).await.expect(400);
    assert!(number["message"].as_str().unwrap().contains("not a string"));
    assert_eq!(fake.ids("companies"), Vec::<String>::new());
}

#[tokio::test]
async fn a_new_record_needs_what_tells_it_apart() {
    let (_fake, caller, _) = start().await;
    for (object, properties) in [
        ("contacts", json!({"city": "Bonn"})),
        ("companies", json!({"phone": "1"})),
        ("deals", json!({"dealname": "Big"})),
        ("notes", json!({"hs_note_body": "x"})),
    ] {
        let path = format!("/crm/objects/2026-09/{object}");
        caller.call("POST", &path, json!({"properties": properties})).await.expect(400);
    }
    let note = json!({"hs_timestamp": "2026-01-01T00:00:00Z", "hs_note_body": "x"});
    caller.call("POST", "/crm/objects/2026-09/0-46", json!({"properties": note})).await.expect(201);
}

#[tokio::test]
async fn an_email_address_belongs_to_one_contact_and_a_domain_to_many_companies() {
    let (fake, caller, _) = start().await;
    let id = fake.create("contacts", &[("email", "a@b.co")]).unwrap();
    let twin = caller.call("POST", CONTACTS, json!({"properties": {"email": "A@b.co"}})).await.expect(409);
    assert_eq!(twin["category"], "CONFLICT");
    assert_eq!(twin["message"], format!("Contact already exists. Existing ID: {id}"));
    fake.archive("contacts", &id).unwrap();
    caller.call("POST", CONTACTS, json!({"properties": {"email": "a@b.co"}})).await.expect(201);
    assert!(fake.restore("contacts", &id).is_err());
    for _ in 0..2 {
        caller.call("POST", COMPANIES, json!({"properties": {"domain": "b.co"}})).await.expect(201);
    }
}

#[tokio::test]
async fn a_lifecycle_stage_steps_back_only_after_it_was_cleared() {
    let (fake, caller, _) = start().await;
    let id = fake.create("contacts", &[("email", "a@b.co"), ("lifecyclestage", "customer")]).unwrap();
    let one = format!("{CONTACTS}/{id}");
    let set = async |stage: &str| {
        caller.call("PATCH", &one, json!({"properties": {"lifecyclestage": stage}})).await.expect(200)
    };
    assert_eq!(set("lead").await["properties"]["lifecyclestage"], "customer");
    assert_eq!(set("evangelist").await["properties"]["lifecyclestage"], "evangelist");
    assert_eq!(set("").await["properties"]["lifecyclestage"], Value::Null);
    assert_eq!(set("lead").await["properties"]["lifecyclestage"], "lead");
    fake.edit("contacts", &id, "lifecyclestage", Some("subscriber")).unwrap();
    assert_eq!(fake.record("contacts", &id).unwrap()["lifecyclestage"], "subscriber");
}

#[tokio::test]
async fn a_merge_makes_a_new_id_to_which_both_old_ones_lead() {
    let (fake, caller, _) = start().await;
    let first = fake.create("contacts", &[("email", "a@b.co"), ("city", "Bonn")]).unwrap();
    let second =
        fake.create("contacts", &[("email", "c@d.co"), ("phone", "+49 1"), ("city", "Köln")]).unwrap();
    fake.take_events();
    let body = json!({"primaryObjectId": first, "objectIdToMerge": second});
    let merged = caller.call("POST", &format!("{CONTACTS}/merge"), body).await.expect(200);
    let id = merged["id"].as_str().unwrap();
    assert!(id != first && id != second);
    for old in [&first, &second] {
        let read = caller
            .get(&format!("{CONTACTS}/{old}?properties=city,phone,hs_additional_emails"))
            .await
            .expect(200);
        assert_eq!(read["id"], id);
        assert_eq!(read["properties"]["city"], "Bonn");
        assert_eq!(read["properties"]["phone"], "+49 1");
        assert_eq!(read["properties"]["hs_additional_emails"], "c@d.co");
    }
    caller.call("POST", CONTACTS, json!({"properties": {"email": "c@d.co"}})).await.expect(409);
    let event =
        fake.take_events().into_iter().find(|event| event["subscriptionType"] == "contact.merge").unwrap();
    let number = |id: &str| json!(id.parse::<u64>().unwrap());
    assert_eq!(event["primaryObjectId"], number(&first));
    assert_eq!(event["mergedObjectIds"], json!([number(&second)]));
    assert_eq!(event["newObjectId"], number(id));
    assert_eq!(event["changeSource"], "MERGE_OBJECTS");
}

#[tokio::test]
async fn a_privacy_deletion_leaves_nothing_and_fires_two_events() {
    let (fake, caller, _) = start().await;
    let id = fake.create("contacts", &[("email", "a@b.co")]).unwrap();
    fake.take_events();
    let body = json!({"objectId": "a@b.co", "idProperty": "email"});
    assert_eq!(caller.call("POST", &format!("{CONTACTS}/gdpr-delete"), body).await.status, 204);
    assert_eq!(fake.record("contacts", &id), None);
    let types = strings(&Value::Array(fake.take_events()), "/subscriptionType");
    assert_eq!(types, ["contact.privacyDeletion", "contact.deletion"]);
}

#[tokio::test]
async fn our_writes_come_back_as_events_that_name_our_app() {
    let (fake, caller, _) = start().await;
    caller.call("POST", CONTACTS, json!({"properties": {"email": "a@b.co"}})).await.expect(201);
    let events = fake.take_events();
    assert_eq!(strings(&json!(events), "/subscriptionType"), ["contact.creation", "contact.propertyChange"]);
    let echo = &events[1];
    assert_eq!(echo["changeSource"], "INTEGRATION");
    assert_eq!(echo["sourceId"], "50780459");
    assert_eq!((&echo["propertyName"], &echo["propertyValue"]), (&json!("email"), &json!("a@b.co")));
    assert_eq!((&echo["portalId"], &echo["appId"]), (&json!(62515), &json!(50_780_459)));
    assert_eq!(echo["occurredAt"], json!(1_767_323_045_000_i64));
    assert_eq!(echo["attemptNumber"], 0);
    let id = fake.ids("contacts").remove(0);
    fake.edit("contacts", &id, "email", None).unwrap();
    let events = fake.take_events();
    assert_eq!(
        (&events[0]["changeSource"], &events[0]["sourceId"]),
        (&json!("CRM_UI"), &json!("userId:9001"))
    );
    assert_eq!(events[0]["propertyValue"], "");
}

#[tokio::test]
async fn associations_go_both_ways_and_the_first_company_is_the_primary_one() {
    let (fake, caller, _) = start().await;
    let contact = fake.create("contacts", &[("email", "a@b.co")]).unwrap();
    let companies: Vec<String> =
        ["One", "Two"].iter().map(|name| fake.create("companies", &[("name", name)]).unwrap()).collect();
    for company in &companies {
        let path = format!("{CONTACTS}/{contact}/associations/default/companies/{company}");
        for _ in 0..2 {
            caller.send("PUT", &path, None).await.unwrap().expect(200);
        }
    }
    let path = "/crm/associations/2026-09/contacts/companies/batch/read";
    let read = caller.call("POST", path, json!({"inputs": [{"id": contact}]})).await.expect(200);
    let types = |at: usize| read["results"][0]["to"][at]["associationTypes"].clone();
    let (plain, primary) = (
        json!({"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null}),
        json!({"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}),
    );
    assert_eq!((types(0), types(1)), (json!([plain, primary]), json!([plain])));
    assert_eq!(fake.associated(("companies", &companies[0]), "contacts"), *std::slice::from_ref(&contact));
    let path = format!("{CONTACTS}/{contact}/associations/companies/{}", companies[0]);
    assert_eq!(caller.send("DELETE", &path, None).await.unwrap().status, 204);
    assert_eq!(fake.associated(("contacts", &contact), "companies"), [companies[1].clone()]);
    let missing = format!("{CONTACTS}/{contact}/associations/default/companies/999");
    caller.send("PUT", &missing, None).await.unwrap().expect(404);
}

#[tokio::test]
async fn a_list_goes_from_page_to_page_by_its_cursor() {
    let (fake, caller, _) = start().await;
    let ids: Vec<String> =
        (0..5).map(|n| fake.create("companies", &[("name", &format!("C{n}"))]).unwrap()).collect();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("{COMPANIES}?limit=2{after}")).await.expect(200);
        seen.extend(strings(&page["results"], "/id"));
        match page.pointer("/paging/next/after").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    caller.get(&format!("{COMPANIES}?limit=101")).await.expect(400);
    caller.get(&format!("{COMPANIES}?limit=51&propertiesWithHistory=name")).await.expect(400);
}

#[tokio::test]
async fn a_property_is_described_made_once_and_then_taken() {
    let (_fake, caller, _) = start().await;
    let path = "/crm/properties/2026-09/contacts";
    let read_only = caller.get(&format!("{path}/notes_last_contacted")).await.expect(200);
    assert_eq!(read_only["modificationMetadata"]["readOnlyValue"], true);
    let stage = caller.get(&format!("{path}/lifecyclestage")).await.expect(200);
    assert_eq!(stage["type"], "enumeration");
    assert_eq!(
        stage["options"][2],
        json!({
            "label": "Marketing Qualified Lead",
            "value": "marketingqualifiedlead",
            "displayOrder": 2,
            "hidden": false,
            "description": "",
        })
    );
    caller.get(&format!("{path}/ops_row_id")).await.expect(404);
    make_row_key(&caller).await;
    assert_eq!(caller.get(&format!("{path}/ops_row_id")).await.expect(200)["hasUniqueValue"], true);
    let again =
        json!({"name": "ops_row_id", "label": "x", "type": "string", "fieldType": "text", "groupName": "g"});
    assert_eq!(caller.call("POST", path, again).await.expect(409)["category"], "OBJECT_ALREADY_EXISTS");
    let all = caller.get(path).await.expect(200);
    assert!(strings(&all["results"], "/name").contains(&"ops_row_id".to_owned()));
}
