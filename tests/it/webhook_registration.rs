//! The webhooks of an organization's connections: set up, checked, and ended.

use opstables::clock::Clock;
use opstables::error::Code;
use opstables::fakes::{AttioFake, Fault, HubspotFake, Options, Rule};
use opstables::sync::connect::{self, Credentials, Decisions};
use opstables::sync::crm::Hosts;
use opstables::sync::mapping::Wish;
use opstables::sync::registration::{self, App, Finding};
use opstables::sync::subscriptions::{Owner, Topic, What};
use opstables::tables::{Object, System};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::harness::{Bench, on_both};
use crate::receiver::Receiver;

const PUBLIC: &str = "https://hooks.example.com";
const HUBSPOT: System = System::Hubspot;
const ATTIO: System = System::Attio;

/// A bench that is connected to a portal and to a workspace.
async fn world(t: &Bench) -> (Bench, HubspotFake, AttioFake) {
    let hubspot = HubspotFake::start(Options::hubspot(Clock::System)).await.unwrap();
    let attio = AttioFake::start(Options::attio(Clock::System)).await.unwrap();
    let t = t.reaching(Hosts { hubspot: hubspot.url(), attio: attio.url() });
    for system in [HUBSPOT, ATTIO] {
        let token = Credentials::Token(SecretString::from("test-token"));
        connect::connect(&t.app.services.sync, t.org, system, &token, Decisions::default()).await.unwrap();
    }
    (t, hubspot, attio)
}

fn app() -> App {
    App {
        id: None,
        developer_key: SecretString::from("test-developer-key"),
        client_secret: Some(SecretString::from("test-secret")),
    }
}

async fn findings(t: &Bench, system: System) -> Vec<Finding> {
    registration::check(&t.app.services.sync, t.org, system, PUBLIC, Some(&app())).await.unwrap()
}

fn changed(property: &str) -> Topic {
    Topic::new(Object::Contact, What::Changed(Some(property.to_owned())))
}

on_both! {
    async fn hubspot_tells_of_every_mapped_property_and_what_becomes_of_records(t: Bench) {
        let (t, hubspot, _attio) = world(&t).await;
        let sync = &t.app.services.sync;
        assert_eq!(findings(&t, HUBSPOT).await, [Finding::Unregistered]);
        let register = async || registration::register(sync, t.org, HUBSPOT, PUBLIC, Some(&app()), false).await.unwrap();
        let made = register().await;
        assert_eq!(made.target, format!("{PUBLIC}/webhooks/hubspot/{}", made.connection));
        assert_eq!((made.id.as_str(), made.kept.len()), ("50780459", 0));
        assert_eq!(made.secret.unwrap().expose_secret(), "test-secret");
        for topic in [changed("email"), changed("jobtitle"), changed("lifecyclestage"), Topic::new(Object::Company, What::Restored)] {
            assert!(made.added.contains(&topic), "{topic}");
        }
        assert!(!made.added.contains(&changed("hs_object_id")) && !made.added.contains(&changed("favourite_color")));
        assert_eq!(findings(&t, HUBSPOT).await, []);

        let property = json!({"name": "favourite_color", "label": "Colour", "type": "string", "fieldType": "text", "groupName": "contactinformation"});
        hubspot.define("contacts", &property).unwrap();
        connect::refresh_schema(sync, t.org, HUBSPOT).await.unwrap();
        let wish = Wish::Property("favourite_color".to_owned(), None);
        connect::map(sync, t.org, HUBSPOT, ("contacts", "phone"), &wish).await.unwrap();
        assert_eq!(findings(&t, HUBSPOT).await, [Finding::Missing(changed("favourite_color"))]);
        let mended = register().await;
        assert_eq!(mended.added, [changed("favourite_color")]);
        assert!(mended.kept.contains(&changed("email")) && !mended.kept.contains(&changed("phone")));
        assert_eq!(findings(&t, HUBSPOT).await, []);

        let receiver = Receiver::start().await;
        hubspot.deliveries().route(PUBLIC, &receiver.url());
        hubspot.create("contacts", &[("email", "a@x.com"), ("city", "Rome")]).unwrap();
        hubspot.deliveries().flush().await;
        let told: Vec<_> = receiver.events().iter().map(|event| event["propertyName"].clone()).collect();
        assert_eq!(told, [json!(null), json!("email")], "a creation and the one property that a column is");
    }

    async fn attio_tells_of_people_and_companies_and_its_secret_once(t: Bench) {
        let (t, _hubspot, attio) = world(&t).await;
        let sync = &t.app.services.sync;
        let register = async |replace| registration::register(sync, t.org, ATTIO, PUBLIC, None, replace).await.unwrap();
        assert_eq!(findings(&t, ATTIO).await, [Finding::Unregistered]);
        let made = register(false).await;
        assert_eq!((made.added.len(), made.refused.len()), (8, 0));
        assert_eq!(attio.webhooks()[0].target_url, format!("{PUBLIC}/webhooks/attio/{}", made.connection));
        let secret = made.secret.unwrap();
        assert_eq!(attio.webhooks()[0].secret.expose_secret(), secret.expose_secret());
        let again = register(false).await;
        assert_eq!((again.id, again.kept.len(), again.secret.is_none()), (made.id, 8, true));
        assert_eq!(findings(&t, ATTIO).await, []);
        let anew = register(true).await.secret.unwrap();
        assert_ne!(anew.expose_secret(), secret.expose_secret());
        assert_eq!(attio.webhooks().len(), 1);

        attio.deactivate(&attio.webhooks()[0].id);
        let created = Topic::new(Object::Contact, What::Created);
        assert!(findings(&t, ATTIO).await.contains(&Finding::Inactive(created)));
        assert!(register(false).await.secret.is_some(), "only a new one is switched on");
        assert_eq!(findings(&t, ATTIO).await, []);
    }

    async fn webhooks_that_go_elsewhere_fail_or_are_switched_off_are_found(t: Bench) {
        let (t, hubspot, _attio) = world(&t).await;
        let sync = &t.app.services.sync;
        let register = async |system, url: &str| registration::register(sync, t.org, system, url, Some(&app()), false).await;
        for system in [HUBSPOT, ATTIO] {
            register(system, "https://old.example.com/").await.unwrap();
            assert_eq!(findings(&t, system).await, [Finding::Elsewhere("old.example.com".to_owned())]);
            register(system, PUBLIC).await.unwrap();
            assert_eq!(findings(&t, system).await, []);
        }
        let owner = Owner::App { id: "50780459".to_owned(), key: SecretString::from("test-developer-key") };
        let hooks = sync.client().unwrap().hooks(&owner).await.unwrap();
        let email = hooks.iter().find(|hook| hook.topics == [changed("email")]).unwrap();
        pause(&hubspot, &email.id).await;
        assert_eq!(findings(&t, HUBSPOT).await, [Finding::Inactive(changed("email"))]);
        assert_eq!(register(HUBSPOT, PUBLIC).await.unwrap().added, [changed("email")]);
        // Another organization's connection by the same app.
        let other = t.app.create_organization("other", "Other", chrono_tz::UTC).await.unwrap().0;
        let token = Credentials::Token(SecretString::from("test-token"));
        connect::connect(sync, other, HUBSPOT, &token, Decisions::default()).await.unwrap();
        let theirs = registration::check(sync, other, HUBSPOT, PUBLIC, Some(&app())).await.unwrap();
        assert_eq!(theirs, [Finding::Elsewhere("hooks.example.com".to_owned())]);
        let refused = registration::register(sync, other, HUBSPOT, PUBLIC, Some(&app()), false).await.unwrap_err();
        assert_eq!(refused.code, Code::Conflict);
        assert_eq!(findings(&t, HUBSPOT).await, [], "it took nothing away");
    }

    async fn ending_webhooks_leaves_those_of_others(t: Bench) {
        let (t, hubspot, attio) = world(&t).await;
        let sync = &t.app.services.sync;
        for (system, least) in [(HUBSPOT, 10), (ATTIO, 1)] {
            registration::register(sync, t.org, system, PUBLIC, Some(&app()), false).await.unwrap();
            let ended = registration::unregister(sync, t.org, system, Some(&app())).await.unwrap();
            assert!(ended >= least, "{ended}");
            assert_eq!(findings(&t, system).await, [Finding::Unregistered]);
            assert_eq!(registration::unregister(sync, t.org, system, Some(&app())).await.unwrap(), 0);
        }
        assert!(attio.webhooks().is_empty());
        let receiver = Receiver::start().await;
        hubspot.deliveries().route(PUBLIC, &receiver.url());
        hubspot.create("contacts", &[("email", "a@x.com")]).unwrap();
        hubspot.deliveries().flush().await;
        assert!(receiver.deliveries().is_empty());
    }

    async fn what_is_missing_for_webhooks_is_said(t: Bench) {
        let (t, _hubspot, attio) = world(&t).await;
        let sync = &t.app.services.sync;
        let check = async |system, url: &str, app: Option<App>, parts: &[&str]| {
            let error = registration::register(sync, t.org, system, url, app.as_ref(), false).await.unwrap_err();
            assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
            assert!(!error.to_string().contains("wrong-key"), "{error}");
        };
        check(HUBSPOT, "http://hooks.example.com", Some(app()), &["https"]).await;
        check(ATTIO, "hooks.example.com", None, &["no address", "https"]).await;
        check(HUBSPOT, PUBLIC, None, &["developer's key is not given"]).await;
        check(HUBSPOT, PUBLIC, Some(App { client_secret: None, ..app() }), &["client secret", "not known"]).await;
        let wrong = App { developer_key: SecretString::from("wrong-key"), ..app() };
        check(HUBSPOT, PUBLIC, Some(wrong), &["cannot be set up", "one account"]).await;
        check(HUBSPOT, PUBLIC, Some(App { id: Some("../1".to_owned()), ..app() }), &["is a number"]).await;
        attio.faults().add(Rule::next(1, Fault::Status { status: 403, retry_after: None }).at("POST /v2/webhooks"));
        check(ATTIO, PUBLIC, None, &["webhook:read-write"]).await;
        connect::disconnect(sync, t.org, ATTIO).await.unwrap();
        check(ATTIO, PUBLIC, None, &["Attio is not connected"]).await;
    }
}

/// Switches a subscription off, as a person does in the app's settings.
async fn pause(hubspot: &HubspotFake, subscription: &str) {
    let path = format!("/app-webhooks/2026-09/50780459/subscriptions/{subscription}");
    let url = format!("{}{path}?hapikey=test-developer-key", hubspot.url());
    let answer = reqwest::Client::new().patch(url).json(&json!({"active": false})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}
