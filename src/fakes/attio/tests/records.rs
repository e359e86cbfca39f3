//! Records: creation, assertion, both updates, merges, deletions, history and notes.

use super::*;

const ADA: &str = "ada@example.com";

async fn person(caller: &Caller, emails: Value) -> String {
    id_of(&caller.call("POST", PEOPLE, data(json!({"email_addresses": emails}))).await.expect(200))
}

#[tokio::test]
async fn a_record_says_who_wrote_each_value_and_when() {
    let (fake, caller, clock) = start().await;
    let id = fake.create("people", &json!({"job_title": "Countess", "email_addresses": [ADA]})).unwrap();
    clock.advance_ms(250);
    let changed = caller
        .call("PATCH", &format!("{PEOPLE}/{id}"), data(json!({"job_title": [{"value": "Analyst"}]})))
        .await;
    let changed = changed.expect(200);
    let title = &changed["data"]["values"]["job_title"][0];
    assert_eq!(title["value"], "Analyst");
    assert_eq!(title["active_from"], "2026-01-02T03:04:05.250000000Z");
    assert_eq!(title["active_until"], Value::Null);
    assert_eq!(title["attribute_type"], "text");
    assert_eq!(
        title["created_by_actor"],
        json!({"type": "api-token", "id": "5e0d1f3a-7c36-4a52-9a0b-8f6a4f1f7a11"})
    );
    let email = &changed["data"]["values"]["email_addresses"][0];
    assert_eq!(email["active_from"], "2026-01-02T03:04:05.000000000Z");
    assert_eq!(email["created_by_actor"]["type"], "workspace-member");
    assert_eq!(changed["data"]["values"]["phone_numbers"], json!([]));
    assert_eq!(changed["data"]["created_at"], "2026-01-02T03:04:05.000000000Z");
}

#[tokio::test]
async fn history_has_what_was_there_and_until_when() {
    let (fake, caller, clock) = start().await;
    let id = fake.create("people", &json!({"job_title": "Countess"})).unwrap();
    for title in [json!("Analyst"), json!([])] {
        clock.advance_ms(1000);
        fake.edit("people", &id, "job_title", &title).unwrap();
    }
    let path = format!("{PEOPLE}/{id}/attributes/job_title/values");
    assert_eq!(caller.get(&path).await.expect(200), json!({"data": []}));
    let all = caller.get(&format!("{path}?show_historic=true")).await.expect(200);
    let mut spans: Vec<(String, String, String)> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| {
            ["active_from", "active_until", "value"]
                .map(|field| value[field].as_str().unwrap().to_owned())
                .into()
        })
        .collect();
    spans.sort();
    let at = |second: u32| format!("2026-01-02T03:04:0{second}.000000000Z");
    assert_eq!(spans, [(at(5), at(6), "Countess".to_owned()), (at(6), at(7), "Analyst".to_owned())]);
    let past: Vec<Value> =
        fake.history("people", &id, "job_title").into_iter().map(|past| past.value).collect();
    assert_eq!(past, [json!([{"value": "Countess"}]), json!([{"value": "Analyst"}]), json!([])]);
}

#[tokio::test]
async fn a_patch_adds_to_a_list_in_front_and_a_put_replaces_it() {
    let (_fake, caller, clock) = start().await;
    let id = person(&caller, json!(["A@b.co", "c@d.co"])).await;
    let one = format!("{PEOPLE}/{id}");
    clock.advance_ms(1000);
    let added =
        caller.call("PATCH", &one, data(json!({"email_addresses": ["e@f.co", "a@B.co"]}))).await.expect(200);
    assert_eq!(each(&added, "email_addresses", "email_address"), ["e@f.co", "a@b.co", "c@d.co"]);
    let nothing = caller.call("PATCH", &one, data(json!({"email_addresses": []}))).await.expect(200);
    assert_eq!(each(&nothing, "email_addresses", "email_address").len(), 3);
    clock.advance_ms(1000);
    let put =
        caller.call("PUT", &one, data(json!({"email_addresses": ["c@d.co", "x@y.co"]}))).await.expect(200);
    assert_eq!(each(&put, "email_addresses", "email_address"), ["c@d.co", "x@y.co"]);
    let from = each(&put, "email_addresses", "active_from");
    assert_eq!(from, ["2026-01-02T03:04:05.000000000Z", "2026-01-02T03:04:07.000000000Z"]);
}

#[tokio::test]
async fn a_unique_value_belongs_to_one_record() {
    let (fake, caller, _) = start().await;
    let first = person(&caller, json!([ADA])).await;
    let twin =
        caller.call("POST", PEOPLE, data(json!({"email_addresses": ["ADA@example.com"]}))).await.expect(409);
    assert_eq!((&twin["status_code"], &twin["code"]), (&json!(409), &json!("uniqueness_conflict")));
    let second = person(&caller, json!(["b@c.co"])).await;
    let path = format!("{PEOPLE}/{second}");
    let refused = caller.call("PUT", &path, data(json!({"email_addresses": [ADA]}))).await.expect(400);
    assert_eq!(refused["code"], "uniqueness_conflict");
    assert!(
        refused["message"].as_str().unwrap().contains(r#"\"email_address\":\"ada@example.com\""#),
        "{refused}"
    );
    fake.delete("people", &first).unwrap();
    caller.call("PUT", &path, data(json!({"email_addresses": [ADA]}))).await.expect(200);
}

#[tokio::test]
async fn an_assert_makes_once_changes_then_and_does_not_choose_between_two() {
    let (fake, caller, _) = start().await;
    let attribute = json!({"data": {
        "title": "Row", "description": "", "api_slug": "ops_row_id", "type": "text",
        "is_required": false, "is_unique": true, "is_multiselect": false, "config": {},
    }});
    caller.call("POST", "/v2/objects/people/attributes", attribute.clone()).await.expect(200);
    caller.call("POST", "/v2/objects/people/attributes", attribute).await.expect(409);
    let by_row = format!("{PEOPLE}?matching_attribute=ops_row_id");
    let row = |title: &str| data(json!({"ops_row_id": "r1", "job_title": title}));
    let made = caller.call("PUT", &by_row, row("One")).await.expect(200);
    let again = caller.call("PUT", &by_row, row("Two")).await.expect(200);
    assert_eq!(id_of(&made), id_of(&again));
    assert_eq!(fake.ids("people").len(), 1);
    person(&caller, json!(["a@b.co"])).await;
    person(&caller, json!(["c@d.co"])).await;
    let by_email = format!("{PEOPLE}?matching_attribute=email_addresses");
    let both = caller
        .call("PUT", &by_email, data(json!({"email_addresses": ["a@b.co", "c@d.co"]})))
        .await
        .expect(400);
    assert_eq!(both["code"], "multiple_match_results");
    let added = caller
        .call("PUT", &by_email, data(json!({"email_addresses": ["a@b.co", "n@b.co"]})))
        .await
        .expect(200);
    assert_eq!(each(&added, "email_addresses", "email_address"), ["n@b.co", "a@b.co"]);
    caller.call("PUT", &by_email, data(json!({"job_title": "x"}))).await.expect(400);
    caller.call("PUT", &format!("{PEOPLE}?matching_attribute=job_title"), row("x")).await.expect(400);
}

#[tokio::test]
async fn a_merge_makes_a_new_record_and_both_old_ones_are_gone() {
    let (fake, caller, _) = start().await;
    let first = fake.create("people", &json!({"email_addresses": ["a@b.co"], "job_title": "One"})).unwrap();
    let second = fake
        .create("people", &json!({"email_addresses": ["c@d.co"], "job_title": "Two", "linkedin": "in/x"}))
        .unwrap();
    fake.take_events();
    let body = json!({"data": {"primary_record_id": first, "secondary_record_id": second}});
    let merged = caller.call("POST", &format!("{PEOPLE}/merge"), body.clone()).await.expect(200);
    let id = merged["data"]["new_record_id"].as_str().unwrap().to_owned();
    let read = caller.get(&format!("{PEOPLE}/{id}")).await.expect(200);
    assert_eq!(each(&read, "email_addresses", "email_address"), ["a@b.co", "c@d.co"]);
    assert_eq!(
        (each(&read, "job_title", "value"), each(&read, "linkedin", "value")),
        (vec![json!("One")], vec![json!("in/x")])
    );
    assert_eq!(each(&read, "record_id", "value"), [id.as_str()]);
    for old in [&first, &second] {
        assert_eq!(caller.get(&format!("{PEOPLE}/{old}")).await.expect(404)["code"], "not_found");
    }
    caller.call("POST", &format!("{PEOPLE}/merge"), body).await.expect(404);
    let events = fake.take_events();
    let duplicates: Vec<&Value> =
        events.iter().map(|payload| &payload["events"][0]["duplicate_record_id"]).collect();
    assert_eq!(duplicates, [first.as_str(), second.as_str()]);
    assert!(events.iter().all(|payload| payload["events"][0]["id"]["record_id"] == id));
}

#[tokio::test]
async fn a_slow_merge_is_in_progress_for_a_while() {
    let (fake, caller, clock) = start_with(|options| options.merge_ms = 2000).await;
    let [first, second] =
        ["a@b.co", "c@d.co"].map(|email| fake.create("people", &json!({"email_addresses": email})).unwrap());
    let body = json!({"data": {"primary_record_id": first, "secondary_record_id": second}});
    let merged = caller.call("POST", &format!("{PEOPLE}/merge"), body).await.expect(202);
    let one = format!("{PEOPLE}/{}", merged["data"]["new_record_id"].as_str().unwrap());
    assert_eq!(caller.get(&one).await.expect(404)["code"], "merge_in_progress");
    clock.advance_ms(2000);
    caller.get(&one).await.expect(200);
}

#[tokio::test]
async fn a_deleted_record_is_not_found() {
    let (fake, caller, _) = start().await;
    let id = person(&caller, json!([ADA])).await;
    let one = format!("{PEOPLE}/{id}");
    assert_eq!(caller.send("DELETE", &one, None).await.unwrap().expect(200), json!({}));
    for method in ["GET", "DELETE"] {
        assert_eq!(caller.send(method, &one, None).await.unwrap().expect(404)["code"], "not_found");
    }
    assert_eq!(fake.ids("people"), Vec::<String>::new());
}

#[tokio::test]
async fn writing_what_is_there_changes_nothing_and_tells_nobody() {
    let (fake, caller, clock) = start().await;
    let id = person(&caller, json!([ADA])).await;
    fake.take_events();
    clock.advance_ms(1000);
    let same = caller
        .call("PUT", &format!("{PEOPLE}/{id}"), data(json!({"email_addresses": [ADA]})))
        .await
        .expect(200);
    assert_eq!(each(&same, "email_addresses", "active_from"), ["2026-01-02T03:04:05.000000000Z"]);
    assert_eq!(fake.take_events(), Vec::<Value>::new());
}

#[tokio::test]
async fn notes_are_made_on_a_record_changed_and_listed() {
    let (fake, caller, _) = start().await;
    let id = person(&caller, json!([ADA])).await;
    let note = |record: &str, format: &str| {
        json!({"data": {
            "parent_object": "people", "parent_record_id": record, "title": "Call", "format": format, "content": "Good.",
        }})
    };
    caller.call("POST", "/v2/notes", note("nobody", "plaintext")).await.expect(404);
    caller.call("POST", "/v2/notes", note(&id, "html")).await.expect(400);
    let made = caller.call("POST", "/v2/notes", note(&id, "plaintext")).await.expect(200);
    let note_id = made["data"]["id"]["note_id"].as_str().unwrap();
    caller
        .call("PATCH", &format!("/v2/notes/{note_id}"), json!({"data": {"title": "Met"}}))
        .await
        .expect(200);
    let listed =
        caller.get(&format!("/v2/notes?parent_object=people&parent_record_id={id}")).await.expect(200);
    assert_eq!(listed["data"][0]["title"], "Met");
    assert_eq!(listed["data"][0]["content_plaintext"], "Good.");
    let types: Vec<Value> =
        fake.take_events().iter().map(|payload| payload["events"][0]["event_type"].clone()).collect();
    assert_eq!(types, ["record.created", "note.created", "note.updated"]);
}
