//! Whoever receives webhooks in tests: keeps every delivery, and verifies signatures by itself.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

/// A server that answers 204, unless told otherwise. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    deliveries: Vec<Delivery>,
    answers: VecDeque<Answer>,
    under_way: usize,
    most_under_way: usize,
}

/// What is answered to a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Status(u16),
    /// After so long.
    Late(Duration),
}

#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Receiver {
    pub(crate) async fn start() -> Receiver {
        Receiver::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Receiver {
        let listener = TcpListener::bind(address).await.unwrap();
        let receiver = Receiver { address: listener.local_addr().unwrap(), heard: Arc::default() };
        let app = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the next deliveries are answered.
    pub(crate) fn answer(&self, answers: &[Answer]) {
        self.heard.lock().unwrap().answers.extend(answers);
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.heard.lock().unwrap().deliveries.clone()
    }

    /// The events of HubSpot's deliveries, in the order in which they came.
    pub(crate) fn events(&self) -> Vec<Json> {
        self.deliveries().iter().flat_map(|delivery| delivery.json().as_array().unwrap().clone()).collect()
    }

    /// How many deliveries came before others were answered, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.heard.lock().unwrap().most_under_way
    }
}

impl Delivery {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// Whether both of HubSpot's signatures are those of the secret for the address.
    pub(crate) fn is_of_hubspot(&self, secret: &str, url: &str, now_ms: i64) -> bool {
        let body = std::str::from_utf8(&self.body).unwrap();
        let timestamp = self.header("x-hubspot-request-timestamp");
        let first = hex::encode(Sha256::digest(format!("{secret}{body}")));
        let third = STANDARD.encode(mac(secret, format!("POST{url}{body}{timestamp}").as_bytes()));
        self.header("x-hubspot-signature") == first
            && self.header("x-hubspot-signature-version") == "v1"
            && self.header("x-hubspot-signature-v3") == third
            && (now_ms - timestamp.parse::<i64>().unwrap()).abs() <= 300_000
    }

    pub(crate) fn is_of_attio(&self, secret: &str) -> bool {
        let signature = hex::encode(mac(secret, &self.body));
        self.header("attio-signature") == signature && self.header("x-attio-signature") == signature
    }
}

fn mac(secret: &str, bytes: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.chain_update(bytes).finalize().into_bytes().to_vec()
}

async fn take(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let answer = {
        let mut heard = receiver.heard.lock().unwrap();
        heard.deliveries.push(Delivery { path: uri.path().to_owned(), headers, body: body.to_vec() });
        heard.under_way += 1;
        heard.most_under_way = heard.most_under_way.max(heard.under_way);
        heard.answers.pop_front()
    };
    if let Some(Answer::Late(pause)) = answer {
        tokio::time::sleep(pause).await;
    }
    receiver.heard.lock().unwrap().under_way -= 1;
    match answer {
        Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap(),
        _ => StatusCode::NO_CONTENT,
    }
}
