//! A server for tests that gives canned answers in their order and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::crm::{Client, Hosts};

/// An answer: written as it is, after a pause.
pub(super) struct Canned {
    text: String,
    pause: Duration,
    /// Whether only requests to paths with this in them get it; others get the next one that fits.
    path: Option<&'static str>,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// As `PUT /v2/objects/people/records?matching_attribute=email_addresses`.
    pub line: String,
    pub head: String,
    pub body: String,
}

pub(super) struct Stub {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Canned {
    pub(super) fn json(status: u16, body: impl Into<Json>) -> Canned {
        let body: Json = body.into();
        Canned::text(status, &body.to_string())
    }

    pub(super) fn text(status: u16, body: &str) -> Canned {
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
        Canned { text: format!("{head}\r\n{body}"), pause: Duration::ZERO, path: None }
    }

    /// The connection breaks within the answer.
    pub(super) fn cut() -> Canned {
        let text = "HTTP/1.1 200 -\r\ncontent-length: 100\r\n\r\n{".to_owned();
        Canned { text, pause: Duration::ZERO, path: None }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Canned {
        self.text = self.text.replacen("\r\n", &format!("\r\n{name}: {value}\r\n"), 1);
        self
    }

    pub(super) fn after_ms(mut self, ms: u64) -> Canned {
        self.pause = Duration::from_millis(ms);
        self
    }

    pub(super) fn at(mut self, path: &'static str) -> Canned {
        self.path = Some(path);
        self
    }
}

impl Stub {
    pub(super) async fn serve(answers: Vec<Canned>) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, answers) = (Arc::clone(&asked), Arc::new(Mutex::new(answers)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&heard), Arc::clone(&answers)));
            }
        });
        Stub { address, asked }
    }

    pub(super) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of which both CRMs are at that address.
    pub(super) fn client(address: &str) -> Client {
        let hosts = Hosts { hubspot: address.to_owned(), attio: address.to_owned() };
        Client::new(hosts, crate::clock::Clock::System).unwrap()
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The first lines of the requests, in their order.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

impl Asked {
    pub(super) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn answer(mut stream: TcpStream, heard: Arc<Mutex<Vec<Asked>>>, answers: Arc<Mutex<Vec<Canned>>>) {
    let Some(asked) = request(&mut stream).await else { return };
    let canned = {
        let mut answers = answers.lock().unwrap();
        let fits = |canned: &Canned| canned.path.is_none_or(|path| asked.line.contains(path));
        answers.iter().position(fits).map(|place| answers.remove(place))
    };
    heard.lock().unwrap().push(asked);
    let Some(canned) = canned else { return };
    tokio::time::sleep(canned.pause).await;
    stream.write_all(canned.text.as_bytes()).await.ok();
}

async fn request(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.ok()?;
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().split_once("content-length: ").map_or(0, |(_, rest)| {
                rest.split_whitespace().next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
            });
            if body.len() >= length {
                let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
                return Some(Asked { line, head: head.to_owned(), body: body.to_owned() });
            }
        }
        if count == 0 {
            return None;
        }
    }
}
