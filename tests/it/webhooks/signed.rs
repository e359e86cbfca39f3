//! A world with a connection to each CRM, and deliveries signed as the CRMs sign them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use opstables::store::{Dialect, connections, inbox};
use opstables::sync::hooks;
use opstables::sync::receive::{Accepted, Head, Receiver, Refused, path_of};
use opstables::tables::System;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::connections::connect;
use crate::database::lines;
use crate::harness::Bench;

pub(crate) const PUBLIC_URL: &str = "https://crm.example.com/hooks";
pub(crate) const SECRET: &str = "hubspot-client-secret-0123456789";
pub(crate) const ATTIO_SECRET: &str = "attio-webhook-secret-0123456789";
/// The account and the app of the connections that tests make.
pub(crate) const ACCOUNT: &str = "1";
pub(crate) const APP: u64 = 50_780_459;

/// A database with both connections, and who takes in their deliveries.
pub(crate) struct Hooked {
    pub(crate) t: Bench,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) hubspot: Uuid,
    pub(crate) attio: Uuid,
}

/// A delivery as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) system: System,
    pub(crate) connection: Uuid,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Hooked {
    pub(crate) async fn new(t: Bench) -> Hooked {
        let receiver = Receiver::new(Arc::clone(&t.app.services.sync), Some(PUBLIC_URL.to_owned()));
        for system in System::ALL {
            connect(&t, *system, "test-token").await;
        }
        let hubspot = connection(&t, System::Hubspot).await;
        let attio = connection(&t, System::Attio).await;
        let hooked = Hooked { t, receiver: Arc::new(receiver), hubspot, attio };
        hooked.add_secret(System::Hubspot, SECRET).await;
        hooked.add_secret(System::Attio, ATTIO_SECRET).await;
        hooked
    }

    pub(crate) async fn add_secret(&self, system: System, secret: &str) {
        let services = &self.t.app.services;
        let mut tx = services.store.begin().await.expect("a transaction");
        let (place, id) = ((self.t.org, system), self.id(system));
        let secret = SecretString::from(secret.to_owned());
        hooks::add_secret(&services.sync, &mut tx, place, id, &secret).await.expect("a secret");
        tx.commit().await.expect("a commit");
    }

    pub(crate) fn id(&self, system: System) -> Uuid {
        match system {
            System::Hubspot => self.hubspot,
            System::Attio => self.attio,
        }
    }

    /// A genuine delivery of a body.
    pub(crate) fn genuine(&self, system: System, body: &[u8]) -> Delivery {
        let (connection, time_ms) = (self.id(system), self.t.clock.now_ms());
        match system {
            System::Hubspot => Delivery::hubspot(connection, SECRET, time_ms, body),
            System::Attio => Delivery::attio(connection, ATTIO_SECRET, "key-1", body),
        }
    }

    /// Hands a delivery to the receiver, as the server does.
    pub(crate) async fn receive(&self, delivery: &Delivery) -> Result<Accepted, Refused> {
        let headers = delivery.header_map();
        let head = Head {
            method: &delivery.method,
            path_and_query: &delivery.path,
            headers: &headers,
            received_ms: self.t.clock.now_ms(),
        };
        let admitted = self.receiver.admit(delivery.system, delivery.connection, head).await?;
        self.receiver.take(admitted, &delivery.body).await
    }

    /// The events in the inbox as `system|object|record|state`, in the order of their arrival.
    pub(crate) async fn inbox(&self) -> Vec<String> {
        let text = "select system, object, record_id, state from crm_inbox order by system desc, id";
        lines(&self.t, text, 4).await
    }

    pub(crate) async fn inbox_len(&self) -> usize {
        self.inbox().await.len()
    }

    /// What was counted, as `system|reason|number`.
    pub(crate) async fn counted(&self) -> Vec<String> {
        self.receiver.finish().await;
        let text =
            "select system, reason, cast(deliveries as text) from crm_refusals order by system desc, reason";
        lines(&self.t, text, 3).await
    }

    /// The whole events of a connection.
    pub(crate) async fn events(&self, system: System) -> Vec<Json> {
        let now_ms = self.t.clock.now_ms();
        let mut tx = self.t.app.services.store.begin().await.expect("a transaction");
        let claimed = inbox::claim(&mut tx, self.t.org, system.name(), now_ms, 1_000, 1_000).await;
        claimed.expect("events").into_iter().map(|event| event.event.0).collect()
    }

    /// Makes every insert into the inbox fail, or work again.
    pub(crate) async fn break_inbox(&self, broken: bool) {
        let (from, to) = if broken { ("crm_inbox", "away") } else { ("away", "crm_inbox") };
        let rename = opstables::store::Sql::new(&format!("alter table {from} rename to {to}"));
        crate::database::change(&self.t, [rename]).await;
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.t.app.services.store.dialect() == Dialect::Sqlite
    }
}

async fn connection(t: &Bench, system: System) -> Uuid {
    let mut tx = t.app.services.store.read().await.expect("a connection");
    let row = connections::get(&mut tx, t.org, system.name(), false).await.expect("a read");
    row.expect("a connection").id
}

impl Delivery {
    pub(crate) fn hubspot(connection: Uuid, secret: &str, time_ms: i64, body: &[u8]) -> Delivery {
        let path = path_of(System::Hubspot, connection);
        let signature =
            hubspot_signature(secret, "POST", &format!("{PUBLIC_URL}{path}"), body, &time_ms.to_string());
        let mut delivery = Delivery::unsigned(System::Hubspot, connection, body);
        delivery.set("X-HubSpot-Signature-v3", &signature);
        delivery.set("X-HubSpot-Request-Timestamp", &time_ms.to_string());
        delivery
    }

    pub(crate) fn attio(connection: Uuid, secret: &str, key: &str, body: &[u8]) -> Delivery {
        let mut delivery = Delivery::unsigned(System::Attio, connection, body);
        delivery.set("Attio-Signature", &hex::encode(mac(secret, &[body])));
        delivery.set("Idempotency-Key", key);
        delivery
    }

    pub(crate) fn unsigned(system: System, connection: Uuid, body: &[u8]) -> Delivery {
        let headers = vec![("Content-Type".to_owned(), b"application/json".to_vec())];
        let (method, path, body) = ("POST".to_owned(), path_of(system, connection), body.to_vec());
        Delivery { system, connection, method, path, headers, body }
    }

    /// Puts a header in the place of those of its name.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        String::from_utf8(found.expect("a header").1.clone()).expect("text")
    }

    pub(crate) fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_bytes(value).expect("a value"));
        }
        map
    }
}

/// The third version of the signature over these parts.
pub(crate) fn hubspot_signature(secret: &str, method: &str, url: &str, body: &[u8], time: &str) -> String {
    STANDARD.encode(mac(secret, &[method.as_bytes(), url.as_bytes(), body, time.as_bytes()]))
}

pub(crate) fn mac(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// A change of a contact's property.
pub(crate) fn change(event: u64, contact: u64, value: &str) -> Json {
    json!({
        "eventId": event, "subscriptionId": 1001, "portalId": 1, "appId": APP, "occurredAt": 1_772_445_600_000_i64,
        "subscriptionType": "contact.propertyChange", "attemptNumber": 0, "objectId": contact,
        "propertyName": "jobtitle", "propertyValue": value, "changeSource": "CRM_UI", "sourceId": "userId:9",
    })
}

/// An update of a person.
pub(crate) fn update(person: Uuid) -> Json {
    let id =
        json!({"workspace_id": ACCOUNT, "object_id": "people", "record_id": person, "attribute_id": "a"});
    json!({"event_type": "record.updated", "id": id, "actor": {"type": "workspace-member", "id": "m"}})
}

pub(crate) fn payload(events: &[Json]) -> Vec<u8> {
    json!({"webhook_id": "w", "events": events}).to_string().into_bytes()
}

pub(crate) fn list(events: &[Json]) -> Vec<u8> {
    Json::from(events.to_vec()).to_string().into_bytes()
}
