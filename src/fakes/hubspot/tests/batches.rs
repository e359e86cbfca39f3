//! Batches: who fails alone, who fails with all, and in what order results come.

use super::*;

#[tokio::test]
async fn an_upsert_by_a_row_key_makes_once_and_then_changes() {
    let (fake, caller, _) = start().await;
    make_row_key(&caller).await;
    let row = |key: &str, email: &str| {
        json!({
            "id": key,
            "idProperty": "ops_row_id",
            "properties": {"ops_row_id": key, "email": email},
            "objectWriteTraceId": key,
        })
    };
    let upsert = async |rows: Value| {
        caller.call("POST", &format!("{CONTACTS}/batch/upsert"), json!({"inputs": rows})).await.expect(200)
    };
    let made = upsert(json!([row("r1", "a@b.co"), row("r2", "c@d.co")])).await;
    assert_eq!(made["status"], "COMPLETE");
    let of = |answer: &Value, trace: &str| {
        let results = answer["results"].as_array().unwrap().clone();
        results.into_iter().find(|result| result["objectWriteTraceId"] == trace).unwrap()
    };
    assert_eq!(of(&made, "r1")["new"], true);
    let again = upsert(json!([row("r1", "x@b.co")])).await;
    assert_eq!(of(&again, "r1")["new"], false);
    assert_eq!(of(&again, "r1")["id"], of(&made, "r1")["id"]);
    assert_eq!(fake.ids("contacts").len(), 2);
    let request = fake.requests().pop().unwrap();
    assert_eq!(request.traces, ["r1"]);
    assert_eq!(json!(request.records[0]), of(&made, "r1")["id"]);
}

#[tokio::test]
async fn rows_with_trace_ids_fail_alone() {
    let (fake, caller, _) = start().await;
    let taken = fake.create("contacts", &[("email", "a@b.co")]).unwrap();
    let row = |trace: &str, properties: Value| json!({"properties": properties, "objectWriteTraceId": trace});
    let inputs = json!([
        row("bad", json!({"email": "z@z.co", "missing": "x"})),
        row("good", json!({"email": "y@y.co"})),
        row("taken", json!({"email": "a@b.co"})),
    ]);
    let answer =
        caller.call("POST", &format!("{CONTACTS}/batch/create"), json!({"inputs": inputs})).await.expect(207);
    assert_eq!(strings(&answer["results"], "/objectWriteTraceId"), ["good"]);
    assert_eq!(answer["numErrors"], 2);
    let error = |trace: &str| {
        let errors = answer["errors"].as_array().unwrap().iter();
        errors.clone().find(|error| error["context"]["objectWriteTraceId"] == json!([trace])).unwrap()
    };
    assert_eq!(error("bad")["category"], "VALIDATION_ERROR");
    assert_eq!(error("bad")["status"], "error");
    assert_eq!(error("taken")["category"], "CONFLICT");
    assert_eq!(error("taken")["context"]["existingId"], json!([taken]));
    assert_eq!(fake.ids("contacts").len(), 2);
}

#[tokio::test]
async fn without_trace_ids_one_bad_row_refuses_the_batch() {
    let (fake, caller, _) = start().await;
    let id = fake.create("contacts", &[("email", "a@b.co")]).unwrap();
    let inputs = json!([
        {"id": id, "properties": {"city": "Bonn"}},
        {"id": "999", "properties": {"city": "Bonn", "missing": "x"}},
    ]);
    let refused =
        caller.call("POST", &format!("{CONTACTS}/batch/update"), json!({"inputs": inputs})).await.expect(400);
    assert_eq!(refused["category"], "VALIDATION_ERROR");
    assert_eq!(fake.history("contacts", &id, "city"), []);
    let inputs = json!([
        {"id": id, "properties": {"city": "Bonn"}},
        {"id": "999", "properties": {"city": "Bonn"}},
    ]);
    let partial =
        caller.call("POST", &format!("{CONTACTS}/batch/update"), json!({"inputs": inputs})).await.expect(207);
    assert_eq!(strings(&partial["results"], "/id"), [id]);
    assert_eq!(partial["errors"][0]["category"], "OBJECT_NOT_FOUND");
    assert_eq!(partial["errors"][0]["context"]["ids"], json!(["999"]));
}

#[tokio::test]
async fn upserts_by_email_are_whole_or_nothing() {
    let (fake, caller, _) = start().await;
    let row = |email: &str, more: Value| json!({"id": email, "idProperty": "email", "properties": more, "objectWriteTraceId": email});
    let inputs = json!([row("a@b.co", json!({})), row("c@d.co", json!({"missing": "x"}))]);
    caller.call("POST", &format!("{CONTACTS}/batch/upsert"), json!({"inputs": inputs})).await.expect(400);
    assert_eq!(fake.ids("contacts"), Vec::<String>::new());
    let inputs = json!([row("a@b.co", json!({"email": "a@b.co"})), row("c@d.co", json!({}))]);
    caller.call("POST", &format!("{CONTACTS}/batch/upsert"), json!({"inputs": inputs})).await.expect(200);
    assert_eq!(fake.ids("contacts").len(), 2);
}

#[tokio::test]
async fn only_a_unique_property_names_a_record() {
    let (fake, caller, _) = start().await;
    let id = fake.create("contacts", &[("email", "a@b.co")]).unwrap();
    for property in ["city", "hs_object_id"] {
        let row = json!({"id": id, "idProperty": property, "properties": {"city": "Bonn"}});
        let refused = caller
            .call("POST", &format!("{CONTACTS}/batch/update"), json!({"inputs": [row]}))
            .await
            .expect(400);
        assert_eq!(
            refused["message"],
            format!(
                "Unable to perform update/upsert by non-unique 0-1 property {property} in portal ID 62515"
            ),
        );
    }
    let body = json!({"idProperty": "email", "inputs": [{"id": "A@B.co"}], "properties": ["email"]});
    let read = caller.call("POST", &format!("{CONTACTS}/batch/read"), body).await.expect(200);
    assert_eq!(read["results"][0]["id"], id);
}

#[tokio::test]
async fn a_batch_read_says_what_is_missing_and_mixes_the_rest() {
    let (fake, caller, _) = start().await;
    let ids: Vec<String> =
        (0..30).map(|n| fake.create("contacts", &[("email", &format!("p{n}@b.co"))]).unwrap()).collect();
    let mut inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"inputs": inputs, "properties": ["email"], "propertiesWithHistory": ["email"]});
    let read = caller.call("POST", &format!("{CONTACTS}/batch/read"), body).await.expect(200);
    let mut seen = strings(&read["results"], "/id");
    assert_ne!(seen, ids);
    seen.sort();
    assert_eq!(seen, ids);
    assert_eq!(read["results"][0]["propertiesWithHistory"]["email"][0]["sourceType"], "CRM_UI");
    inputs.push(json!({"id": "999"}));
    let partial =
        caller.call("POST", &format!("{CONTACTS}/batch/read"), json!({"inputs": inputs})).await.expect(207);
    assert_eq!(partial["results"].as_array().unwrap().len(), 30);
    assert_eq!(partial["errors"][0]["context"], json!({"ids": ["999"]}));
}

#[tokio::test]
async fn batches_have_their_sizes_and_no_id_twice() {
    let (_fake, caller, _) = start().await;
    let many = |count: usize| (0..count).map(|n| json!({"id": n.to_string()})).collect::<Vec<Value>>();
    let read = async |body: Value| caller.call("POST", &format!("{CONTACTS}/batch/read"), body).await.status;
    assert_eq!(read(json!({"inputs": many(100)})).await, 207);
    assert_eq!(read(json!({"inputs": many(101)})).await, 400);
    assert_eq!(read(json!({"inputs": many(51), "propertiesWithHistory": ["email"]})).await, 400);
    assert_eq!(read(json!({"inputs": []})).await, 400);
    let twice = json!([{"id": "1", "properties": {}}, {"id": "1", "properties": {}}]);
    let refused =
        caller.call("POST", &format!("{CONTACTS}/batch/update"), json!({"inputs": twice})).await.expect(400);
    assert_eq!(refused["message"], "Duplicate IDs found in batch input: [1]. IDs must be unique");
}

#[tokio::test]
async fn a_row_key_that_another_record_has_is_refused() {
    let (_fake, caller, _) = start().await;
    make_row_key(&caller).await;
    let create = |email: &str| json!({"properties": {"email": email, "ops_row_id": "r1"}});
    let first = caller.call("POST", CONTACTS, create("a@b.co")).await.expect(201);
    let second = caller.call("POST", CONTACTS, create("c@d.co")).await.expect(400);
    let message = second["message"].as_str().unwrap();
    assert!(
        message.ends_with(&format!("{} already has that value.", first["id"].as_str().unwrap())),
        "{message}"
    );
}
