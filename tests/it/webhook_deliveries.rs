//! The stand-ins deliver webhooks as the CRMs do, and as badly as a test wants.

use std::collections::BTreeMap;
use std::time::Duration;

use opstables::clock::Clock;
use opstables::fakes::{AttioFake, Deliveries, Habits, HubspotFake, Options};
use serde_json::{Value as Json, json};

use crate::receiver::{Answer, Receiver};

const PUBLIC: &str = "https://hooks.example.com";
const TARGET: &str = "https://hooks.example.com/webhooks/hubspot/c1";
const APP: &str = "50780459";

/// Repetitions follow at once.
fn quick() -> Habits {
    Habits { retry: Duration::from_millis(1), ..Habits::default() }
}

async fn call(url: &str, method: &str, path: &str, body: Json) -> Json {
    drop(rustls::crypto::ring::default_provider().install_default());
    let request = reqwest::Client::new().request(method.parse().unwrap(), format!("{url}{path}"));
    let answer = request.bearer_auth("test-token").json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

/// A portal whose app tells the target of these types of events, with the id of each subscription.
async fn portal(
    at_once: u32,
    wanted: &[(&str, Option<&str>, bool)],
) -> (HubspotFake, BTreeMap<String, String>) {
    let fake = HubspotFake::start(Options::hubspot(Clock::System)).await.unwrap();
    fake.deliveries().set_habits(quick());
    let path = |rest: &str| format!("/app-webhooks/2026-09/{APP}/{rest}?hapikey=test-developer-key");
    let settings = json!({"targetUrl": TARGET, "throttling": {"maxConcurrentRequests": at_once}});
    call(&fake.url(), "PUT", &path("settings"), settings).await;
    let mut ids = BTreeMap::new();
    for (event_type, property, active) in wanted {
        let mut body = json!({"eventType": event_type, "active": active});
        if let Some(property) = property {
            body["propertyName"] = json!(property);
        }
        let made = call(&fake.url(), "POST", &path("subscriptions"), body).await;
        ids.insert((*event_type).to_owned(), made["id"].as_str().unwrap().to_owned());
    }
    (fake, ids)
}

async fn received(deliveries: &Deliveries) -> Receiver {
    let receiver = Receiver::start().await;
    deliveries.route(PUBLIC, &receiver.url());
    receiver
}

fn types(events: &[Json]) -> Vec<&str> {
    let mut types: Vec<&str> =
        events.iter().map(|event| event["subscriptionType"].as_str().unwrap()).collect();
    types.sort_unstable();
    types
}

#[tokio::test]
async fn hubspot_delivers_what_was_subscribed_to_signed_for_the_public_address() {
    let (fake, ids) = portal(
        10,
        &[
            ("contact.creation", None, true),
            ("contact.propertyChange", Some("email"), true),
            ("contact.deletion", None, true),
            ("contact.privacyDeletion", None, true),
            ("company.creation", None, false),
        ],
    )
    .await;
    let id = fake.create("contacts", &[("email", "a@x.com"), ("firstname", "Ann")]).unwrap();
    let receiver = received(fake.deliveries()).await;
    fake.create("companies", &[("name", "Acme")]).unwrap();
    fake.edit("contacts", &id, "email", Some("b@x.com")).unwrap();
    fake.privacy_delete(&id).unwrap();
    fake.deliveries().flush().await;
    let events = receiver.events();
    let expected = [
        "contact.creation",
        "contact.deletion",
        "contact.privacyDeletion",
        "contact.propertyChange",
        "contact.propertyChange",
    ];
    assert_eq!(types(&events), expected);
    for event in &events {
        let subscription = &ids[event["subscriptionType"].as_str().unwrap()];
        assert_eq!(event["subscriptionId"].to_string(), *subscription);
        assert_eq!((&event["attemptNumber"], &event["portalId"]), (&json!(0), &json!(62515)));
        assert_eq!(event["objectId"].to_string(), id);
    }
    for delivery in receiver.deliveries() {
        assert_eq!(delivery.path, "/webhooks/hubspot/c1");
        assert!(delivery.is_of_hubspot("test-secret", TARGET, fake.now_ms()));
        assert!(!delivery.is_of_hubspot("other-secret", TARGET, fake.now_ms()));
        let local = format!("{}/webhooks/hubspot/c1", receiver.url());
        assert!(!delivery.is_of_hubspot("test-secret", &local, fake.now_ms()));
    }
    assert_eq!(fake.take_events(), Vec::<Json>::new(), "what was delivered is not taken again");
}

#[tokio::test]
async fn a_delivery_that_is_not_taken_comes_again_with_the_next_number_signed_anew() {
    let (fake, _) = portal(10, &[("contact.creation", None, true)]).await;
    let receiver = Receiver::start().await;
    let late = Answer::Late(Duration::from_mins(1));
    receiver.answer(&[Answer::Status(500), Answer::Status(404), Answer::Status(302), late]);
    fake.deliveries().set_habits(Habits { timeout: Duration::from_secs(2), ..quick() });
    fake.deliveries().route(PUBLIC, &receiver.url());
    fake.create("contacts", &[("email", "a@x.com")]).unwrap();
    fake.deliveries().flush().await;
    let numbers: Vec<Json> = receiver.events().iter().map(|event| event["attemptNumber"].clone()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    let deliveries = receiver.deliveries();
    assert!(deliveries.iter().all(|it| it.is_of_hubspot("test-secret", TARGET, fake.now_ms())));
    let answered: Vec<Option<u16>> = fake.deliveries().attempts().iter().map(|it| it.status).collect();
    assert_eq!(answered, [Some(500), Some(404), Some(302), None, Some(204)]);
    let mut event = receiver.events().remove(0);
    event["attemptNumber"] = json!(4);
    assert_eq!(receiver.events()[4], event);
}

#[tokio::test]
async fn what_nobody_listens_to_arrives_when_somebody_does() {
    let (fake, _) = portal(10, &[("contact.creation", None, true)]).await;
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let patient = Habits { retry: Duration::from_millis(20), ..Habits::default() };
    fake.deliveries().set_habits(patient);
    fake.deliveries().route(PUBLIC, &format!("http://{address}"));
    fake.create("contacts", &[("email", "a@x.com")]).unwrap();
    while fake.deliveries().attempts().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let receiver = Receiver::at(address).await;
    fake.deliveries().flush().await;
    assert_eq!((receiver.events().len(), fake.deliveries().given_up()), (1, 0));
    assert!(receiver.events()[0]["attemptNumber"].as_u64() > Some(0));
}

#[tokio::test]
async fn an_address_that_stands_for_no_local_one_is_never_called() {
    let (fake, _) = portal(10, &[("contact.creation", None, true)]).await;
    fake.create("contacts", &[("email", "a@x.com")]).unwrap();
    fake.deliveries().route("https://other.example.com", "http://127.0.0.1:9");
    fake.deliveries().flush().await;
    let attempts = fake.deliveries().attempts();
    assert_eq!((attempts.len(), fake.deliveries().given_up()), (11, 1));
    assert!(attempts.iter().all(|attempt| attempt.status.is_none() && attempt.target == TARGET));
}

#[tokio::test]
async fn events_come_in_any_order_several_times_and_some_never() {
    let (fake, _) = portal(10, &[("contact.creation", None, true)]).await;
    let receiver = received(fake.deliveries()).await;
    let delay = (Duration::ZERO, Duration::from_millis(20));
    let bad = Habits { shuffle: true, copies: (1, 4), lost_per_mille: 100, delay, together: 7, ..quick() };
    fake.deliveries().set_habits(bad);
    for number in 0..300 {
        fake.create("contacts", &[("email", &format!("p{number}@x.com"))]).unwrap();
    }
    fake.deliveries().flush().await;
    let lost = fake.deliveries().lost();
    assert!((5..100).contains(&lost), "{lost}");
    let events = receiver.events();
    let mut copies: BTreeMap<i64, Vec<Json>> = BTreeMap::new();
    for event in &events {
        copies.entry(event["eventId"].as_i64().unwrap()).or_default().push(event.clone());
    }
    assert_eq!(copies.len() + lost, 300);
    assert!(copies.values().all(|copies| copies.len() <= 4) && copies.values().any(|it| it.len() == 4));
    let numbers =
        |copies: &Vec<Json>| copies.iter().map(|it| it["attemptNumber"].clone()).collect::<Vec<_>>();
    assert!(copies.values().any(|copies| numbers(copies) == [0, 0]));
    assert!(copies.values().any(|copies| numbers(copies).iter().any(|number| *number != 0)));
    for copies in copies.values() {
        let plain = |event: &Json| {
            let mut event = event.clone();
            event["attemptNumber"] = json!(0);
            event
        };
        assert!(copies.iter().all(|copy| plain(copy) == plain(&copies[0])));
    }
    let order: Vec<i64> = events.iter().map(|event| event["eventId"].as_i64().unwrap()).collect();
    assert!(!order.is_sorted());
    assert!(receiver.deliveries().iter().all(|delivery| delivery.json().as_array().unwrap().len() <= 7));
}

#[tokio::test]
async fn deliveries_wait_while_paused_and_keep_to_the_limits_of_the_app() {
    let (fake, _) = portal(3, &[("contact.creation", None, true)]).await;
    fake.deliveries().pause();
    let receiver = received(fake.deliveries()).await;
    for number in 0..950 {
        fake.create("contacts", &[("email", &format!("p{number}@x.com"))]).unwrap();
    }
    while fake.deliveries().waiting() < 950 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(receiver.deliveries().is_empty());
    receiver.answer(&[Answer::Late(Duration::from_millis(20)); 10]);
    fake.deliveries().resume();
    fake.deliveries().flush().await;
    let mut sizes: Vec<usize> =
        receiver.deliveries().iter().map(|delivery| delivery.json().as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100, 100, 100, 100, 100, 100, 100, 100]);
    assert!(receiver.most_at_once() <= 3, "{}", receiver.most_at_once());
}

/// A workspace with a webhook of all that happens to people; the webhook's id and secret.
async fn workspace() -> (AttioFake, String, String) {
    let fake = AttioFake::start(Options::attio(Clock::System)).await.unwrap();
    fake.deliveries().set_habits(quick());
    let (id, secret) = webhook(&fake, "https://hooks.example.com/webhooks/attio/c1").await;
    (fake, id, secret)
}

async fn webhook(fake: &AttioFake, target: &str) -> (String, String) {
    let events = ["record.created", "record.updated", "record.deleted"];
    let subscriptions = events.map(|event| json!({"event_type": event, "filter": null}));
    let body = json!({"data": {"target_url": target, "subscriptions": subscriptions}});
    let made = call(&fake.url(), "POST", "/v2/webhooks", body).await;
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    (text(&made["data"]["id"]["webhook_id"]), text(&made["data"]["secret"]))
}

#[tokio::test]
async fn attio_signs_each_event_and_repeats_it_under_the_same_key() {
    let (fake, id, secret) = workspace().await;
    let receiver = received(fake.deliveries()).await;
    receiver.answer(&[Answer::Status(503), Answer::Status(400)]);
    let person = fake.create("people", &json!({})).unwrap();
    fake.deliveries().flush().await;
    fake.delete("people", &person).unwrap();
    fake.deliveries().flush().await;
    let deliveries = receiver.deliveries();
    let keys: Vec<&str> = deliveries.iter().map(|delivery| delivery.header("idempotency-key")).collect();
    assert_eq!((deliveries.len(), keys[0], keys[1]), (4, keys[1], keys[2]));
    assert_ne!(keys[2], keys[3]);
    assert_eq!(deliveries[0].body, deliveries[2].body);
    for delivery in &deliveries {
        assert!(delivery.is_of_attio(&secret) && !delivery.is_of_attio("guessed"));
        assert_eq!(delivery.path, "/webhooks/attio/c1");
        let body = delivery.json();
        assert_eq!(
            (&body["webhook_id"], &body["events"][0]["id"]["record_id"]),
            (&json!(id), &json!(person))
        );
    }
    assert_eq!(deliveries[3].json()["events"][0]["event_type"], "record.deleted");
}

#[tokio::test]
async fn a_webhook_of_attio_that_takes_nothing_is_degraded_and_one_switched_off_is_told_nothing() {
    let (fake, id, _) = workspace().await;
    let receiver = received(fake.deliveries()).await;
    receiver.answer(&[Answer::Status(500); 11]);
    fake.create("people", &json!({})).unwrap();
    fake.deliveries().flush().await;
    assert_eq!((receiver.deliveries().len(), fake.deliveries().given_up()), (11, 1));
    let status = async |id: &str| {
        let shown = call(&fake.url(), "GET", &format!("/v2/webhooks/{id}"), json!({})).await;
        shown["data"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&id).await, "degraded");
    assert!(fake.deactivate(&id) && !fake.deactivate("another"));
    let (other, secret) = webhook(&fake, "https://hooks.example.com/webhooks/attio/c2").await;
    fake.create("people", &json!({})).unwrap();
    fake.deliveries().flush().await;
    assert_eq!((status(&id).await, status(&other).await), ("inactive".to_owned(), "active".to_owned()));
    let last = &receiver.deliveries()[11..];
    assert!(last.len() == 1 && last[0].path == "/webhooks/attio/c2" && last[0].is_of_attio(&secret));
}

#[tokio::test]
async fn without_a_route_events_wait_for_whoever_takes_them() {
    let (fake, _) = portal(10, &[]).await;
    fake.create("contacts", &[("email", "a@x.com")]).unwrap();
    fake.deliveries().flush().await;
    assert_eq!(types(&fake.take_events()), ["contact.creation", "contact.propertyChange"]);
    assert!(fake.deliveries().attempts().is_empty());
}
