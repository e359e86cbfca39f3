//! The clients of both CRMs set up webhooks before the stand-ins.

use opstables::clock::Clock;
use opstables::fakes::{AttioFake, Fault, HubspotFake, Limits, Options, Rule};
use opstables::sync::crm::{Client, Hosts};
use opstables::sync::fault::Class;
use opstables::sync::subscriptions::{Owner, State, Topic, Wanted, What};
use opstables::tables::Object;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::receiver::Receiver;

const TARGET: &str = "https://hooks.example.com/webhooks/x/0199-a";

fn of(object: Object, what: What) -> Topic {
    Topic::new(object, what)
}

fn changed(property: &str) -> Topic {
    of(Object::Contact, What::Changed(Some(property.to_owned())))
}

fn wanted(topics: &[Topic]) -> Wanted<'_> {
    Wanted { target: TARGET, topics, replace: false }
}

fn app(key: &str) -> Owner {
    Owner::App { id: "50780459".to_owned(), key: SecretString::from(key) }
}

async fn hubspot() -> (HubspotFake, Client) {
    let fake = HubspotFake::start(Options::hubspot(Clock::System)).await.unwrap();
    let client = Client::new(Hosts { hubspot: fake.url(), attio: String::new() }, Clock::System).unwrap();
    (fake, client)
}

async fn attio() -> (AttioFake, Client, Owner) {
    let mut options = Options::attio(Clock::System);
    options.limits = Limits::off();
    let fake = AttioFake::start(options).await.unwrap();
    let client = Client::new(Hosts { hubspot: String::new(), attio: fake.url() }, Clock::System).unwrap();
    (fake, client, Owner::Workspace(SecretString::from("test-token")))
}

/// How many requests were made that change something.
fn changes(requests: &[opstables::fakes::Request]) -> usize {
    requests.iter().filter(|request| request.method != "GET").count()
}

#[tokio::test]
async fn an_app_of_hubspot_is_pointed_here_and_subscribed_once() {
    let (fake, client) = hubspot().await;
    let owner = app("test-developer-key");
    assert!(client.hooks(&owner).await.unwrap().is_empty());
    let topics = [
        of(Object::Contact, What::Created),
        of(Object::Company, What::Merged),
        of(Object::Contact, What::Erased),
        changed("email"),
        changed("lastmodifieddate"),
    ];
    let first = client.hook(&owner, wanted(&topics)).await.unwrap();
    assert_eq!((first.id.as_str(), first.added.as_slice(), first.kept.len()), ("50780459", &topics[..4], 0));
    assert!(first.secret.is_none());
    let [(refused, refusal)] = first.refused.as_slice() else { panic!("{first:?}") };
    assert_eq!((refused, refusal.class), (&topics[4], Class::Invalid));
    let hooks = client.hooks(&owner).await.unwrap();
    let told: Vec<&Topic> = hooks.iter().flat_map(|hook| &hook.topics).collect();
    assert_eq!(told, topics[..4].iter().collect::<Vec<_>>());
    assert!(hooks.iter().all(|hook| hook.target.as_deref() == Some(TARGET) && hook.state == State::Active));

    let before = changes(&fake.requests());
    let again = client.hook(&owner, wanted(&topics[..4])).await.unwrap();
    assert_eq!((again.added.len(), again.kept.as_slice()), (0, &topics[..4]));
    assert_eq!(changes(&fake.requests()), before, "what is there is left alone");

    client.unhook(&owner, &hooks[0].id).await.unwrap();
    client.unhook(&owner, &hooks[0].id).await.unwrap();
    assert_eq!(client.hooks(&owner).await.unwrap().len(), 3);
    let mended = client.hook(&owner, wanted(&topics[..4])).await.unwrap();
    assert_eq!(mended.added, topics[..1]);
}

#[tokio::test]
async fn what_an_app_was_subscribed_to_is_what_arrives() {
    let (fake, client) = hubspot().await;
    let topics =
        [of(Object::Contact, What::Created), changed("email"), of(Object::Contact, What::Associated)];
    client.hook(&app("test-developer-key"), wanted(&topics)).await.unwrap();
    let receiver = Receiver::start().await;
    fake.deliveries().route("https://hooks.example.com", &receiver.url());
    let contact = fake.create("contacts", &[("email", "a@x.com"), ("phone", "1")]).unwrap();
    let company = fake.create("companies", &[("name", "Acme")]).unwrap();
    fake.associate(("contacts", &contact), ("companies", &company)).unwrap();
    fake.deliveries().flush().await;
    let mut types: Vec<String> = receiver
        .events()
        .iter()
        .map(|event| event["subscriptionType"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    assert_eq!(types, ["contact.associationChange", "contact.creation", "contact.propertyChange"]);
}

#[tokio::test]
async fn an_app_whose_events_go_elsewhere_is_left_alone_unless_it_is_ours() {
    let (fake, client) = hubspot().await;
    let (owner, topics) = (app("test-developer-key"), [of(Object::Contact, What::Created)]);
    let at = |target: &'static str, replace: bool| Wanted { target, topics: &topics, replace };
    let theirs = "https://other.example.com/webhooks/x/0199-b?token=hidden";
    client.hook(&owner, at(theirs, false)).await.unwrap();
    let fault = client.hook(&owner, at(TARGET, false)).await.unwrap_err();
    assert_eq!((fault.class, fault.sent), (Class::Duplicate, false));
    assert!(fault.message.contains("other.example.com") && !fault.message.contains("hidden"), "{fault:?}");
    let target = async || client.hooks(&owner).await.unwrap()[0].target.clone().unwrap();
    assert_eq!(target().await, theirs);
    client.hook(&owner, at(TARGET, true)).await.unwrap();
    assert_eq!(target().await, TARGET);
    // The same connection at another address is ours.
    client.hook(&owner, at("https://new.example.com/webhooks/x/0199-a", false)).await.unwrap();
    assert_eq!(target().await, "https://new.example.com/webhooks/x/0199-a");
    // Nobody is harmed when nothing is delivered there.
    let id = client.hooks(&owner).await.unwrap()[0].id.clone();
    client.unhook(&owner, &id).await.unwrap();
    client.hook(&owner, at("https://third.example.com/webhooks/x/0199-c", false)).await.unwrap();
    assert_eq!(fake.early_requests(), 0);
}

#[tokio::test]
async fn a_wrong_key_or_app_is_refused_without_being_repeated() {
    let (fake, client) = hubspot().await;
    let topics = [of(Object::Contact, What::Created)];
    let fault = client.hook(&app("wrong-key"), wanted(&topics)).await.unwrap_err();
    assert_eq!(fault.class, Class::Unauthorized);
    let other = Owner::App { id: "1".to_owned(), key: SecretString::from("test-developer-key") };
    let missing = client.hook(&other, wanted(&topics)).await.unwrap_err();
    assert_eq!(missing.class, Class::Missing);
    fake.faults().add(Rule::next(1, Fault::Status { status: 503, retry_after: None }).at("POST"));
    let owner = app("test-developer-key");
    let fault = client.hook(&owner, wanted(&topics)).await.unwrap_err();
    assert_eq!(fault.class, Class::Unavailable);
    let said = format!("{fault:?} {missing:?} {owner:?} {:?}", fake.requests());
    assert!(!said.contains("wrong-key") && !said.contains("test-developer-key"), "{said}");
    fake.faults().add(Rule::next(1, Fault::LostAnswer).at("POST"));
    assert!(client.hook(&owner, wanted(&topics)).await.unwrap_err().sent);
    let again = client.hook(&owner, wanted(&topics)).await.unwrap();
    assert_eq!((again.added.len(), again.kept.as_slice()), (0, &topics[..]));
}

/// What a workspace of Attio is asked to tell of.
fn records() -> Vec<Topic> {
    let what = [What::Created, What::Changed(None), What::Deleted, What::Merged];
    let both = Object::READ.iter().flat_map(|object| what.clone().map(|what| of(*object, what)));
    both.collect()
}

#[tokio::test]
async fn a_webhook_of_attio_is_made_once_and_tells_its_secret_once() {
    let (fake, client, owner) = attio().await;
    let topics = records();
    let made = client.hook(&owner, wanted(&topics)).await.unwrap();
    let secret = made.secret.as_ref().unwrap().expose_secret();
    assert_eq!((made.added.as_slice(), made.kept.len()), (topics.as_slice(), 0));
    assert_eq!((fake.webhooks().len(), fake.webhooks()[0].secret.expose_secret()), (1, secret));
    assert!(!format!("{made:?}").contains(secret));

    let before = changes(&fake.requests());
    let again = client.hook(&owner, wanted(&topics)).await.unwrap();
    assert_eq!((again.id, again.added.len(), again.kept.as_slice()), (made.id.clone(), 0, topics.as_slice()));
    assert!(again.secret.is_none());
    assert_eq!(changes(&fake.requests()), before, "what is there is left alone");

    let receiver = Receiver::start().await;
    fake.deliveries().route("https://hooks.example.com", &receiver.url());
    let person = fake.create("people", &json!({})).unwrap();
    fake.create("deals", &json!({"name": "Big", "stage": "Lead"})).unwrap();
    fake.delete("people", &person).unwrap();
    fake.deliveries().flush().await;
    let mut types: Vec<String> =
        receiver.deliveries().iter().map(|it| it.json()["events"][0]["event_type"].to_string()).collect();
    types.sort();
    assert_eq!(types, ["\"record.created\"", "\"record.deleted\""], "deals are nobody's business here");
    assert!(receiver.deliveries().iter().all(|delivery| delivery.is_of_attio(secret)));

    client.unhook(&owner, &made.id).await.unwrap();
    client.unhook(&owner, &made.id).await.unwrap();
    assert!(client.hooks(&owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_webhook_of_attio_is_completed_moved_and_replaced_when_it_was_switched_off() {
    let (fake, client, owner) = attio().await;
    let topics = records();
    let first = client.hook(&owner, wanted(&topics[..3])).await.unwrap();
    let theirs = Wanted { target: "https://hooks.example.com/webhooks/x/other", ..wanted(&topics) };
    let theirs = client.hook(&owner, theirs).await.unwrap();
    let moved = Wanted { target: "https://new.example.com/webhooks/x/0199-a", ..wanted(&topics) };
    let whole = client.hook(&owner, moved).await.unwrap();
    assert_eq!(
        (whole.id.as_str(), whole.kept.len(), whole.added.as_slice()),
        (first.id.as_str(), 3, &topics[3..])
    );
    assert!(whole.secret.is_none(), "the secret stays");
    let hooks = client.hooks(&owner).await.unwrap();
    let own = hooks.iter().find(|hook| hook.id == first.id).unwrap();
    assert_eq!((own.target.as_deref(), own.topics.as_slice()), (Some(moved.target), topics.as_slice()));

    fake.deactivate(&first.id);
    let renewed = client.hook(&owner, wanted(&topics)).await.unwrap();
    assert!(renewed.secret.is_some() && renewed.id != first.id);
    let replaced = client.hook(&owner, Wanted { replace: true, ..wanted(&topics) }).await.unwrap();
    assert!(replaced.secret.is_some() && replaced.id != renewed.id);
    let mut left: Vec<String> = fake.webhooks().into_iter().map(|webhook| webhook.id).collect();
    left.sort();
    let mut expected = [theirs.id, replaced.id];
    expected.sort();
    assert_eq!(left, expected);
}

#[tokio::test]
async fn webhooks_of_attio_are_found_beyond_the_first_page() {
    let (_fake, client, owner) = attio().await;
    let topics = [of(Object::Contact, What::Created)];
    for number in 0..120 {
        let target = format!("https://hooks.example.com/webhooks/x/{number}");
        client.hook(&owner, Wanted { target: &target, ..wanted(&topics) }).await.unwrap();
    }
    assert_eq!(client.hooks(&owner).await.unwrap().len(), 120);
    let last = Wanted { target: "https://hooks.example.com/webhooks/x/119", ..wanted(&topics) };
    assert_eq!(client.hook(&owner, last).await.unwrap().kept, topics);
}
