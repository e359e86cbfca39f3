//! The clients of both CRMs before the stand-ins that speak their wire formats.

use opstables::clock::Clock;
use opstables::fakes::{AttioFake, Fault, HubspotFake, Options, RetryAfter, Rule};
use opstables::sync::crm::{Client, Hosts, Landed, Mapped, Past, Property, Push, Seen, Writer};
use opstables::sync::fault::Class;
use opstables::tables::{Object, System, Value, table};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

/// A client whose CRMs are at these addresses.
fn client(hubspot: &str, attio: &str) -> Client {
    let hosts = Hosts { hubspot: hubspot.to_owned(), attio: attio.to_owned() };
    Client::new(hosts, Clock::System).unwrap()
}

fn token() -> SecretString {
    SecretString::from("test-token")
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// One CRM with its client, ready to be written to.
struct Crm {
    client: Client,
    system: System,
    object: Object,
    properties: Vec<Property>,
    writer: Option<String>,
}

impl Crm {
    async fn of(client: Client, system: System, object: Object) -> Crm {
        let writer = client.account(system, &token()).await.unwrap().writer;
        client.prepare(system, &token(), object).await.unwrap();
        client.prepare(system, &token(), object).await.unwrap();
        let properties = client.properties(system, &token(), object).await.unwrap();
        assert!(properties.iter().any(|property| property.name == "ops_row_id" && property.unique));
        Crm { client, system, object, properties, writer }
    }

    /// The column as it is mapped by default, described by the CRM.
    fn mapped(&self, column: &str) -> Mapped {
        let declared = table(self.object.table()).unwrap().column(column).unwrap();
        let field = declared.field(self.system).unwrap();
        let described = self.properties.iter().find(|property| property.name == field.name);
        Mapped {
            column: column.to_owned(),
            property: field.name.to_owned(),
            form: field.form,
            way: field.way,
            described: described.cloned(),
        }
    }

    fn push(&self, row: u128, record: Option<&str>, cells: &[(&str, Option<Value>)]) -> Push {
        let cells: Vec<_> =
            cells.iter().map(|(column, value)| (self.mapped(column), value.clone())).collect();
        let known = cells.iter().map(|_| None).collect();
        Push { row: Uuid::from_u128(row), record: record.map(str::to_owned), cells, known, associate: None }
    }

    async fn pushed(&self, pushes: &[Push]) -> Vec<Landed> {
        self.client.push(self.system, &token(), self.object, pushes).await.unwrap().value
    }

    /// Makes a record of one row and returns its id.
    async fn made(&self, row: u128, cells: &[(&str, Option<Value>)]) -> String {
        match &self.pushed(&[self.push(row, None, cells)]).await[..] {
            [Landed::Written { record, created: true, at_ms: Some(_) }] => record.clone(),
            other => panic!("{other:?}"),
        }
    }

    async fn seen(&self, ids: &[&str], columns: &[&str]) -> Vec<Seen> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let mapped: Vec<Mapped> = columns.iter().map(|column| self.mapped(column)).collect();
        let writer = self.writer.as_deref();
        let token = token();
        let read = self.client.read(self.system, &token, self.object, &ids, &mapped, writer);
        read.await.unwrap().value
    }

    async fn find(&self, row: u128) -> Vec<String> {
        let rows = [(Uuid::from_u128(row), None)];
        let found = self.client.find(self.system, &token(), self.object, &rows).await.unwrap().value;
        found.into_iter().map(|(_, id)| id).collect()
    }
}

/// The values of a column over time, with whether we wrote them.
fn history<'a>(seen: &'a Seen, column: &str) -> Vec<(Option<&'a Value>, bool)> {
    let (_, past) = seen.columns.iter().find(|(key, _)| key == column).unwrap();
    past.iter().map(|Past { value, by, .. }| (value.as_ref(), *by == Writer::Us)).collect()
}

async fn hubspot(object: Object) -> (HubspotFake, Crm) {
    let fake = HubspotFake::start(Options::hubspot(Clock::System)).await.unwrap();
    let crm = Crm::of(client(&fake.url(), ""), System::Hubspot, object).await;
    assert!(crm.writer.is_some());
    (fake, crm)
}

async fn attio(object: Object) -> (AttioFake, Crm) {
    let fake = AttioFake::start(Options::attio(Clock::System)).await.unwrap();
    let crm = Crm::of(client("", &fake.url()), System::Attio, object).await;
    assert!(crm.writer.is_some());
    (fake, crm)
}

#[tokio::test]
async fn a_hubspot_contact_is_made_changed_and_read_with_both_hands() {
    let (fake, crm) = hubspot(Object::Contact).await;
    let cells = [("first_name", Some(text("Ann"))), ("email", Some(text("ann@x.com")))];
    let id = crm.made(1, &cells).await;
    assert_eq!(crm.find(1).await, std::slice::from_ref(&id));
    assert!(crm.find(2).await.is_empty());
    fake.edit("contacts", &id, "firstname", Some("Anna")).unwrap();
    let changed =
        crm.pushed(&[crm.push(1, Some(&id), &[("title", Some(text("CEO"))), ("email", None)])]).await;
    assert!(matches!(&changed[..], [Landed::Written { created: false, .. }]), "{changed:?}");
    let seen = crm.seen(&[&id, "999999"], &["first_name", "email", "title", "crm_id"]).await;
    assert_eq!((seen.len(), seen[0].row), (1, Some(Uuid::from_u128(1))));
    let (ann, anna, mail) = (text("Ann"), text("Anna"), text("ann@x.com"));
    assert_eq!(history(&seen[0], "first_name"), [(Some(&ann), true), (Some(&anna), false)]);
    assert_eq!(history(&seen[0], "email"), [(Some(&mail), true), (None, true)]);
    assert_eq!(history(&seen[0], "title"), [(Some(&text("CEO")), true)]);
    assert_eq!(history(&seen[0], "crm_id"), [(Some(&text(&id)), false)]);
}

#[tokio::test]
async fn hubspot_records_that_are_there_are_found_not_doubled() {
    let (fake, crm) = hubspot(Object::Contact).await;
    let theirs = fake.create("contacts", &[("email", "ann@x.com")]).unwrap();
    let landed = crm.pushed(&[crm.push(1, None, &[("email", Some(text("ann@x.com")))])]).await;
    assert_eq!(landed, [Landed::Exists { record: theirs }]);
    let (fake, crm) = hubspot(Object::Company).await;
    let theirs = fake.create("companies", &[("name", "Acme"), ("domain", "acme.com")]).unwrap();
    let new = |row, domain: &str| crm.push(row, None, &[("domain", Some(text(domain)))]);
    let landed = crm.pushed(&[new(1, "acme.com"), new(2, "b.com")]).await;
    assert_eq!(landed[0], Landed::Exists { record: theirs });
    assert!(matches!(&landed[1], Landed::Written { created: true, .. }), "{landed:?}");
    assert_eq!(fake.ids("companies").len(), 2);
}

#[tokio::test]
async fn a_bad_row_of_a_hubspot_batch_leaves_the_others_written() {
    let (fake, crm) = hubspot(Object::Contact).await;
    let ids: Vec<String> = (0..4).map(|_| fake.create("contacts", &[("firstname", "A")]).unwrap()).collect();
    fake.archive("contacts", &ids[3]).unwrap();
    let title = |row: u128, id: &str| crm.push(row, Some(id), &[("title", Some(text("CEO")))]);
    let bad = crm.push(2, Some(&ids[1]), &[("email", Some(text("not-an-address")))]);
    let landed = crm.pushed(&[title(1, &ids[0]), bad, title(3, &ids[2]), title(4, &ids[3])]).await;
    let [Landed::Written { .. }, Landed::Refused(refusal), Landed::Written { .. }, Landed::Gone] =
        &landed[..]
    else {
        panic!("{landed:?}")
    };
    assert_eq!((refusal.class, refusal.property.as_deref()), (Class::Invalid, Some("email")));
    assert!(!refusal.message.contains("not-an-address"), "{}", refusal.message);
    assert_eq!(fake.record("contacts", &ids[2]).unwrap()["jobtitle"], "CEO");
}

#[tokio::test]
async fn a_hubspot_stage_goes_back_and_a_lost_creation_is_found() {
    let (fake, crm) = hubspot(Object::Contact).await;
    let id = fake.create("contacts", &[("email", "a@x.com"), ("lifecyclestage", "customer")]).unwrap();
    let mut back = crm.push(1, Some(&id), &[("lifecycle_stage", Some(text("mql")))]);
    back.known = vec![Some(text("customer"))];
    crm.pushed(&[back]).await;
    assert_eq!(fake.record("contacts", &id).unwrap()["lifecyclestage"], "marketingqualifiedlead");

    fake.faults().add(Rule::next(1, Fault::LostAnswer).at("batch/upsert"));
    let new = [crm.push(2, None, &[("email", Some(text("b@x.com")))])];
    let fault = crm.client.push(System::Hubspot, &token(), Object::Contact, &new).await.unwrap_err();
    assert_eq!((fault.class, fault.sent), (Class::Unanswered, true));
    assert_eq!(crm.find(2).await.len(), 1);
    let again = crm.pushed(&new).await;
    assert!(matches!(&again[..], [Landed::Written { created: false, .. }]), "{again:?}");
    assert_eq!(fake.ids("contacts").len(), 2);
}

#[tokio::test]
async fn an_attio_person_is_made_changed_and_read_with_both_hands() {
    let (fake, crm) = attio(Object::Contact).await;
    let name = |first: &str| [("first_name", Some(text(first))), ("last_name", Some(text("Lee")))];
    let mut cells = name("Ann").to_vec();
    cells.push(("email", Some(text("ann@x.com"))));
    let id = crm.made(1, &cells).await;
    assert_eq!(crm.find(1).await, std::slice::from_ref(&id));
    let emails = json!([{"email_address": "ann@x.com"}, {"email_address": "b@x.com"}]);
    fake.edit("people", &id, "email_addresses", &emails).unwrap();
    cells = name("Anna").to_vec();
    cells.push(("email", Some(text("new@x.com"))));
    let changed = crm.pushed(&[crm.push(1, Some(&id), &cells)]).await;
    assert!(matches!(&changed[..], [Landed::Written { created: false, .. }]), "{changed:?}");
    let kept = &fake.record("people", &id).unwrap()["email_addresses"];
    let kept: Vec<&str> = kept.iter().map(|value| value["email_address"].as_str().unwrap()).collect();
    assert_eq!(kept, ["new@x.com", "b@x.com"]);
    let seen = crm.seen(&[&id], &["first_name", "last_name", "email", "crm_id"]).await;
    assert_eq!(seen[0].row, Some(Uuid::from_u128(1)));
    assert_eq!(history(&seen[0], "first_name"), [(Some(&text("Ann")), true), (Some(&text("Anna")), true)]);
    assert_eq!(history(&seen[0], "email").last(), Some(&(Some(&text("new@x.com")), true)));
    fake.delete("people", &id).unwrap();
    assert!(crm.seen(&[&id], &["email"]).await.is_empty());
    assert_eq!(crm.pushed(&[crm.push(1, Some(&id), &name("Ann"))]).await, [Landed::Gone]);
}

#[tokio::test]
async fn attio_records_that_are_there_are_found_not_doubled() {
    let (fake, crm) = attio(Object::Company).await;
    let values = json!({"name": [{"value": "Acme"}], "domains": [{"domain": "acme.com"}]});
    let theirs = fake.create("companies", &values).unwrap();
    let new = |row, domain: &str| crm.push(row, None, &[("domain", Some(text(domain)))]);
    let landed = crm.pushed(&[new(1, "acme.com"), new(2, "b.com")]).await;
    assert_eq!(landed[0], Landed::Exists { record: theirs });
    assert!(matches!(&landed[1], Landed::Written { created: true, .. }), "{landed:?}");
    let nameless = crm.push(3, None, &[("description", Some(text("No address")))]);
    for _ in 0..2 {
        let landed = crm.pushed(std::slice::from_ref(&nameless)).await;
        assert!(matches!(&landed[..], [Landed::Written { .. }]), "{landed:?}");
    }
    assert_eq!(fake.ids("companies").len(), 3);
}

#[tokio::test]
async fn faults_of_both_crms_are_told_apart() {
    let (fake, crm) = attio(Object::Company).await;
    let new = [crm.push(1, None, &[("description", Some(text("secret")))])];
    let token = token();
    let push = || crm.client.push(System::Attio, &token, Object::Company, &new);
    for (fault, class, sent) in [
        (Fault::Status { status: 503, retry_after: None }, Class::Unavailable, true),
        (Fault::Status { status: 401, retry_after: None }, Class::Unauthorized, false),
    ] {
        fake.faults().add(Rule::next(1, fault).at("PUT"));
        let fault = push().await.unwrap_err();
        assert_eq!((fault.class, fault.sent), (class, sent));
    }
    fake.faults().add(Rule::next(1, Fault::Malformed).at("PUT"));
    let landed = push().await.unwrap().value;
    assert!(matches!(&landed[..], [Landed::Later(fault)] if fault.sent), "{landed:?}");
    let refused = Fault::Status { status: 429, retry_after: Some(RetryAfter::Seconds(3_600)) };
    fake.faults().add(Rule::next(1, refused).at("PUT"));
    for _ in 0..2 {
        let fault = push().await.unwrap_err();
        assert_eq!((fault.class, fault.sent), (Class::RateLimited, false));
    }
    assert_eq!(fake.requests().last().unwrap().status, Some(429), "the second one was not sent");
    let wrong = SecretString::from("wrong-token");
    let fault = crm.client.properties(System::Attio, &wrong, Object::Company).await.unwrap_err();
    assert_eq!(fault.class, Class::Unauthorized);
    assert!(!format!("{fault:?}").contains("wrong-token"));

    let (_fake, crm) = hubspot(Object::Company).await;
    let fault = crm.client.properties(System::Hubspot, &wrong, Object::Company).await.unwrap_err();
    assert_eq!(fault.class, Class::Unauthorized);
    assert!(!format!("{fault:?}").contains("wrong-token"));
}
