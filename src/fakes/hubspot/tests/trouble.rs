//! What a test can make go wrong.

use std::time::Duration;

use super::*;
use crate::fakes::{Fault, Outage, RetryAfter, Rule};

fn contact() -> Value {
    json!({"properties": {"email": "a@b.co"}})
}

#[tokio::test]
async fn a_lost_answer_leaves_its_work_behind() {
    let (fake, caller, _) = start().await;
    caller.get(CONTACTS).await.expect(200);
    fake.faults().add(Rule::next(1, Fault::LostAnswer).at("POST"));
    assert!(caller.send("POST", CONTACTS, Some(contact())).await.is_err());
    assert_eq!(fake.ids("contacts").len(), 1);
    let request = fake.requests().pop().unwrap();
    assert_eq!((request.status, request.done), (None, true));
    assert_eq!(request.records, fake.ids("contacts"));
    caller.call("POST", CONTACTS, contact()).await.expect(409);
}

#[tokio::test]
async fn a_reset_connection_has_done_nothing() {
    let (fake, caller, _) = start().await;
    fake.faults().add(Rule::next(1, Fault::Reset));
    assert!(caller.send("POST", CONTACTS, Some(contact())).await.is_err());
    assert_eq!(fake.ids("contacts"), Vec::<String>::new());
    assert!(!fake.requests()[0].done);
    caller.call("POST", CONTACTS, contact()).await.expect(201);
}

#[tokio::test]
async fn a_malformed_answer_is_half_of_one() {
    let (fake, caller, _) = start().await;
    fake.faults().add(Rule::next(1, Fault::Malformed));
    let seen = caller.call("POST", CONTACTS, contact()).await;
    assert_eq!(seen.status, 201);
    assert!(seen.body.is_string(), "{}", seen.body);
    assert_eq!(fake.ids("contacts").len(), 1);
}

#[tokio::test]
async fn refusals_say_when_to_come_again_and_who_comes_too_early_is_counted() {
    let (fake, caller, clock) = start().await;
    let refuse =
        |status, retry_after| fake.faults().add(Rule::next(1, Fault::Status { status, retry_after }));
    refuse(477, Some(RetryAfter::Seconds(5)));
    let moving = caller.get(CONTACTS).await;
    assert_eq!((moving.status, moving.header("retry-after")), (477, Some("5")));
    clock.advance_ms(4_999);
    caller.get(CONTACTS).await.expect(200);
    assert_eq!(fake.early_requests(), 1);
    clock.advance_ms(1);
    caller.get(CONTACTS).await.expect(200);
    assert_eq!(fake.early_requests(), 1);
    refuse(429, Some(RetryAfter::Policy("SECONDLY", 1)));
    let limited = caller.get(CONTACTS).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, None));
    assert_eq!(limited.body["policyName"], "SECONDLY");
    clock.advance_ms(1_000);
    caller.get(CONTACTS).await.expect(200);
    assert_eq!(fake.early_requests(), 1);
    refuse(429, Some(RetryAfter::Date(3)));
    let limited = caller.get(CONTACTS).await;
    assert_eq!(limited.header("retry-after"), Some("Fri, 02 Jan 2026 03:04:14 GMT"));
    for status in [423, 500, 502, 503, 504] {
        refuse(status, None);
        assert!(caller.call("POST", CONTACTS, contact()).await.expect(status)["message"].is_string());
    }
    assert_eq!(fake.ids("contacts"), Vec::<String>::new());
}

#[tokio::test]
async fn one_row_of_a_batch_fails_and_the_others_do_not() {
    let (fake, caller, _) = start().await;
    fake.faults().add(Rule::next(1, Fault::Row { index: 1, category: "RATE_LIMITS" }).at("batch/create"));
    let row =
        |n: u32| json!({"properties": {"email": format!("p{n}@b.co")}, "objectWriteTraceId": n.to_string()});
    let body = json!({"inputs": [row(0), row(1), row(2)]});
    let answer = caller.call("POST", &format!("{CONTACTS}/batch/create"), body).await.expect(207);
    assert_eq!(answer["results"].as_array().unwrap().len(), 2);
    assert_eq!(answer["errors"][0]["category"], "RATE_LIMITS");
    assert_eq!(answer["errors"][0]["context"]["objectWriteTraceId"], json!(["1"]));
}

#[tokio::test]
async fn an_outage_ends_as_it_began() {
    let (fake, caller, _) = start().await;
    fake.faults().outage(Some(Outage::Unavailable));
    caller.get(CONTACTS).await.expect(503);
    fake.faults().outage(Some(Outage::Refused));
    for _ in 0..3 {
        assert!(caller.send("GET", CONTACTS, None).await.is_err());
    }
    fake.faults().outage(None);
    let again = async {
        while caller.send("GET", CONTACTS, None).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), again).await.unwrap();
}

#[tokio::test]
async fn latency_comes_before_the_work() {
    let (fake, caller, _) = start().await;
    fake.faults().latency(Duration::from_millis(300), Duration::from_millis(300));
    let hurried =
        tokio::time::timeout(Duration::from_millis(100), caller.send("POST", CONTACTS, Some(contact())))
            .await;
    assert!(hurried.is_err());
    assert_eq!(fake.ids("contacts"), Vec::<String>::new());
}

#[tokio::test]
async fn random_faults_come_about_as_often_as_they_should() {
    let (fake, caller, _) = start_with(|options| options.limits = crate::fakes::Limits::off()).await;
    fake.faults().add(Rule::often(300, Fault::Status { status: 503, retry_after: None }));
    let mut failed = 0;
    for _ in 0..200 {
        failed += u32::from(caller.get(CONTACTS).await.status == 503);
    }
    assert!((30..90).contains(&failed), "{failed}");
}

#[tokio::test]
async fn a_stand_in_that_was_dropped_answers_nobody() {
    let (fake, caller, _) = start().await;
    caller.get(CONTACTS).await.expect(200);
    drop(fake);
    assert!(caller.send("GET", CONTACTS, None).await.is_err());
}
