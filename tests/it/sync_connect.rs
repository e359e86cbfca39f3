//! Connecting to an account, again, to another one, and not at all any more.

use opstables::clock::Clock;
use opstables::error::{Code, Error};
use opstables::fakes::{AccountOptions, AttioFake, Fault, HubspotFake, Options, Rule};
use opstables::store::{connections, links};
use opstables::sync::connect::{self, Connected, Credentials, Decisions};
use opstables::sync::crm::Hosts;
use opstables::sync::mapping::Wish;
use opstables::tables::{Policy, System, Way};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::crm::linked;
use crate::database::dump;
use crate::harness::{Bench, on_both};

const HUBSPOT: System = System::Hubspot;

/// A bench with a portal of two accounts and a workspace to connect to.
async fn world(t: &Bench) -> (Bench, HubspotFake, AttioFake) {
    let mut options = Options::hubspot(Clock::System);
    options.accounts.push(AccountOptions::new("777", "Other portal", "other-token", "50780459"));
    let hubspot = HubspotFake::start(options).await.unwrap();
    let attio = AttioFake::start(Options::attio(Clock::System)).await.unwrap();
    let t = t.reaching(Hosts { hubspot: hubspot.url(), attio: attio.url() });
    (t, hubspot, attio)
}

async fn dial(t: &Bench, system: System, token: &str, decisions: Decisions) -> Result<Connected, Error> {
    let credentials = Credentials::Token(SecretString::from(token.to_owned()));
    connect::connect(&t.app.services.sync, t.org, system, &credentials, decisions).await
}

async fn stored(t: &Bench) -> opstables::store::ConnectionRow {
    let mut tx = t.app.services.store.read().await.unwrap();
    connections::get(&mut tx, t.org, HUBSPOT.name(), false).await.unwrap().unwrap()
}

on_both! {
    async fn a_token_connects_an_account_and_is_nowhere_to_be_read(t: Bench) {
        let (t, hubspot, _attio) = world(&t).await;
        hubspot.undefine("contacts", "hs_linkedin_url").unwrap();
        let connected = dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        assert_eq!((connected.account.id.as_str(), connected.was_connected, connected.creates), ("62515", false, true));
        assert_eq!(connected.account.writer.as_deref(), Some("50780459"));
        let out = connected.left_out.iter().find(|edit| edit.column == "linkedin_url").unwrap();
        assert_eq!(out.reason.as_deref(), Some("HubSpot has no property `hs_linkedin_url` for contacts"));
        for (object, property) in [("contacts", "ops_row_id"), ("companies", "ops_row_id")] {
            let made = hubspot.requests().iter().any(|request| request.method == "POST" && request.path.contains(object));
            assert!(made, "{property} of {object}");
        }
        let row = stored(&t).await;
        let secrets = t.app.services.sync.vault().unwrap().open(t.org, row.id, &row.tokens).unwrap();
        assert_eq!(secrets.access.expose_secret(), "test-token");
        let seen = format!("{row:?} {connected:?} {:?}", dump(&t, "crm_connections").await);
        assert!(!seen.contains("test-token"), "{seen}");
        t.clock.advance_ms(1);
        let saved = t.ok("save_contacts", json!({"rows": [{"first_name": "Ann"}]})).await;
        assert_eq!(saved["sync_to"], json!(["hubspot"]), "the catalog knows of it at once");
    }

    async fn connecting_to_the_same_account_again_keeps_everything_but_the_token(t: Bench) {
        let (t, hubspot, _attio) = world(&t).await;
        let only_links = Decisions { creates: Some(false), ..Decisions::default() };
        dial(&t, HUBSPOT, "test-token", only_links).await.unwrap();
        let sync = &t.app.services.sync;
        connect::map(sync, t.org, HUBSPOT, ("contacts", "email"), &Wish::Policy(Policy::AppWins)).await.unwrap();
        linked(&t, HUBSPOT, "1", json!({"first_name": "Bo"})).await;
        let before = stored(&t).await;
        t.clock.advance_ms(60_000);
        let again = dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        assert!(again.was_connected && !again.creates);
        let after = stored(&t).await;
        assert_eq!((after.id, after.connected_at, after.mapping.0), (before.id, before.connected_at, before.mapping.0));
        assert_ne!(after.tokens, before.tokens);
        assert_eq!(connect::at_stake(sync, t.org, HUBSPOT).await.unwrap().linked, 1);
        let mut tx = t.app.services.store.begin().await.unwrap();
        connections::set_state(&mut tx, t.org, "hubspot", "broken", Some("revoked")).await.unwrap();
        tx.commit().await.unwrap();
        dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        assert_eq!(stored(&t).await.state, "active");
        assert_eq!(hubspot.early_requests(), 0);
    }

    async fn another_account_takes_the_place_only_when_that_is_said(t: Bench) {
        let (t, _hubspot, _attio) = world(&t).await;
        dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        t.clock.advance_ms(1);
        let row = linked(&t, HUBSPOT, "101", json!({"first_name": "Bo"})).await;
        t.ok("save_contacts", json!({"rows": [{"first_name": "Waits"}]})).await;
        let refused = dial(&t, HUBSPOT, "other-token", Decisions::default()).await.unwrap_err();
        assert_eq!(refused.code, Code::Conflict);
        for part in ["62515", "777", "--replace"] {
            assert!(refused.to_string().contains(part), "{refused}");
        }
        let crm_id = async || t.rows("query_contacts", json!({"ids": [row], "fields": ["crm_id", "sync_status"]})).await;
        assert_eq!(crm_id().await[0]["crm_id"], "101");
        let before = stored(&t).await;
        let replaced = dial(&t, HUBSPOT, "other-token", Decisions { replace: true, creates: None }).await.unwrap();
        assert_eq!((replaced.account.id.as_str(), replaced.was_connected), ("777", false));
        assert_ne!(stored(&t).await.id, before.id);
        let shown = crm_id().await;
        assert_eq!((&shown[0]["crm_id"], &shown[0]["sync_status"]), (&json!(null), &json!("not_connected")));
        for table in ["crm_links", "crm_ledger", "hubspot_sync_queue"] {
            assert_eq!(dump(&t, table).await, Vec::<String>::new(), "{table}");
        }
    }

    async fn disconnecting_forgets_the_records_and_keeps_the_rows(t: Bench) {
        let (t, _hubspot, _attio) = world(&t).await;
        let sync = &t.app.services.sync;
        dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        dial(&t, System::Attio, "test-token", Decisions::default()).await.unwrap();
        t.clock.advance_ms(1);
        let row = linked(&t, HUBSPOT, "101", json!({"first_name": "Bo"})).await;
        linked(&t, System::Attio, "a-1", json!({"first_name": "Al"})).await;
        let stake = connect::at_stake(sync, t.org, HUBSPOT).await.unwrap();
        assert_eq!((stake.linked, stake.unsent), (1, 1));
        assert_eq!(connect::disconnect(sync, t.org, HUBSPOT).await.unwrap(), stake);
        let mut tx = t.app.services.store.read().await.unwrap();
        assert_eq!(links::counts(&mut tx, t.org, "attio").await.unwrap(), [("contacts".to_owned(), 1)]);
        drop(tx);
        assert_eq!(t.rows("query_contacts", json!({"ids": [row]})).await.len(), 1);
        let gone = connect::disconnect(sync, t.org, HUBSPOT).await.unwrap_err();
        assert_eq!(gone.code, Code::NotFound);
        assert_eq!(dump(&t, "hubspot_sync_queue").await, Vec::<String>::new());
    }

    async fn what_goes_wrong_is_said_so_that_a_person_can_repair_it(t: Bench) {
        let (t, hubspot, attio) = world(&t).await;
        let check = async |system: System, token: &str, code: Code, parts: &[&str]| {
            let error = dial(&t, system, token, Decisions::default()).await.unwrap_err();
            assert_eq!(error.code, code, "{error}");
            assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
            assert!(!error.to_string().contains(token), "{error}");
        };
        check(HUBSPOT, "wrong-token", Code::Denied, &["HubSpot does not accept the token"]).await;
        check(System::Attio, "wrong-token", Code::Denied, &["Attio does not accept the token"]).await;
        let refuse = |status| Fault::Status { status, retry_after: None };
        hubspot.faults().add(Rule::next(1, refuse(403)).at("POST /crm/properties/2026-09/contacts"));
        check(HUBSPOT, "test-token", Code::Denied, &["may not make the unique property", "crm.schemas.contacts.write"]).await;
        attio.faults().add(Rule::next(1, refuse(403)).at("POST /v2/objects"));
        check(System::Attio, "test-token", Code::Denied, &["object_configuration:read-write"]).await;
        hubspot.faults().add(Rule::next(1, refuse(503)));
        check(HUBSPOT, "test-token", Code::Busy, &["may work in a moment"]).await;
        assert_eq!(dump(&t, "crm_connections").await, Vec::<String>::new(), "nothing is left of it");
    }

    async fn an_account_that_takes_no_meetings_is_connected_without_them(t: Bench) {
        let (t, hubspot, _attio) = world(&t).await;
        let refused = Fault::Status { status: 403, retry_after: None };
        hubspot.faults().add(Rule::next(1, refused).at("POST /crm/properties/2026-09/meetings"));
        let connected = dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        assert_eq!(connected.not_sent.len(), 1);
        let (_, catalog) = t.ctx().read().await.unwrap();
        assert_eq!(catalog.connection(HUBSPOT).unwrap().fields_of("meetings").count(), 0);
        let sync = &t.app.services.sync;
        connect::refresh_schema(sync, t.org, HUBSPOT).await.unwrap();
        let wish = Wish::Property("hs_meeting_title".to_owned(), None);
        let error = connect::map(sync, t.org, HUBSPOT, ("meetings", "title"), &wish).await.unwrap_err();
        assert!(error.to_string().contains("takes no `meetings`"), "{error}");

        let again = dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        assert_eq!(again.not_sent, Vec::new());
        let (_, catalog) = t.ctx().read().await.unwrap();
        assert!(catalog.connection(HUBSPOT).unwrap().fields_of("meetings").count() > 0);
        let read = Wish::Property("hs_meeting_title".to_owned(), Some(Way::In));
        let error = connect::map(sync, t.org, HUBSPOT, ("meetings", "title"), &read).await.unwrap_err();
        assert!(error.to_string().contains("only sent"), "{error}");
    }

    async fn a_refresh_token_gives_the_first_access_token(t: Bench) {
        let (t, hubspot, _attio) = world(&t).await;
        // The client chooses the cryptography that this test's own call stands on, too.
        t.app.services.sync.client().unwrap();
        let refresh = refresh_token(&hubspot).await;
        let credentials = Credentials::OAuth {
            client_id: "test-client".to_owned(),
            client_secret: SecretString::from("test-secret"),
            refresh: SecretString::from(refresh.clone()),
        };
        let sync = &t.app.services.sync;
        connect::connect(sync, t.org, HUBSPOT, &credentials, Decisions::default()).await.unwrap();
        let row = stored(&t).await;
        assert_eq!(row.tokens_expire_at, Some(t.clock.now() + chrono::TimeDelta::seconds(1_800)));
        let secrets = sync.vault().unwrap().open(t.org, row.id, &row.tokens).unwrap();
        assert_eq!(secrets.oauth.unwrap().refresh.expose_secret(), refresh);
        let wrong = Credentials::OAuth {
            client_id: "test-client".to_owned(),
            client_secret: SecretString::from("guessed"),
            refresh: SecretString::from(refresh),
        };
        let error = connect::connect(sync, t.org, HUBSPOT, &wrong, Decisions::default()).await.unwrap_err();
        assert!(!error.to_string().contains("guessed"), "{error}");
    }

    async fn the_properties_are_read_again_when_asked(t: Bench) {
        let (t, hubspot, _attio) = world(&t).await;
        hubspot.undefine("contacts", "hs_linkedin_url").unwrap();
        dial(&t, HUBSPOT, "test-token", Decisions::default()).await.unwrap();
        let sync = &t.app.services.sync;
        let reach = async |property: &str| {
            let wish = Wish::Property(property.to_owned(), None);
            connect::map(sync, t.org, HUBSPOT, ("contacts", "linkedin_url"), &wish).await
        };
        assert!(reach("hs_linkedin_url").await.unwrap_err().message.contains("has no property"));
        let property = json!({"name": "hs_linkedin_url", "label": "LinkedIn URL", "type": "string", "fieldType": "text", "groupName": "contactinformation"});
        hubspot.define("contacts", &property).unwrap();
        connect::refresh_schema(sync, t.org, HUBSPOT).await.unwrap();
        let mapping = stored(&t).await.mapping.0.to_string();
        assert!(!mapping.contains("linkedin_url"), "{mapping}");
        reach("hs_linkedin_url").await.unwrap();
    }
}

/// A refresh token of the first account, as its consent screen leads to one.
async fn refresh_token(hubspot: &HubspotFake) -> String {
    let code = hubspot.authorize();
    let url = format!("{}/oauth/2026-09/token", hubspot.url());
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "test-client"),
        ("client_secret", "test-secret"),
        ("redirect_uri", "https://localhost/"),
        ("code", &code),
    ];
    let answer = reqwest::Client::new().post(url).form(&form).send().await.unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    answer["refresh_token"].as_str().unwrap().to_owned()
}
