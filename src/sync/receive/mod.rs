//! Takes in what the CRMs tell by webhooks: the signature first, then the events, then the inbox. Nothing is worked on here.
//!
//! A delivery is looked at twice: [`Receiver::admit`] sees its head and refuses what no body can make right, so that nobody
//! makes us read a body by knowing an address; [`Receiver::take`] compares the signature with the raw bytes before it parses
//! any of them, and answers when the events are committed.
//!
//! What is refused is counted by connection and reason, and logged without values.

mod count;
mod group;
mod known;
mod refused;

use std::sync::Arc;

use reqwest::header::HeaderMap;
use serde_json::Value as Json;
use uuid::Uuid;

use super::engine::Engine;
use super::{attio, hubspot};
use crate::store::inbox::Arrived;
use crate::tables::{Object, System};

use count::Tally;
use group::Group;
use known::Directory;
pub(super) use known::Known;
pub use refused::{LeftOut, Refused};

/// Takes in the deliveries of every connection of a database.
#[derive(Debug)]
pub struct Receiver {
    engine: Arc<Engine>,
    public_url: Option<String>,
    directory: Directory,
    group: Group,
    tally: Arc<Tally>,
}

/// A request without its body.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    pub method: &'a str,
    /// As it was received, escapes and all.
    pub path_and_query: &'a str,
    pub headers: &'a HeaderMap,
    pub received_ms: i64,
}

/// A delivery whose body may be read.
#[derive(Debug)]
pub struct Admitted {
    known: Arc<Known>,
    proof: Proof,
    received_ms: i64,
}

/// What became of the events of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// In the inbox, where some of them may have been before.
    pub taken: usize,
    pub left_out: usize,
}

/// What a delivery says to be genuine by.
#[derive(Debug)]
enum Proof {
    Hubspot(hubspot::signature::Proof),
    Attio(attio::signature::Proof),
}

/// An event as the CRM's wire format names it.
#[derive(Debug, PartialEq)]
pub(super) struct Event {
    pub object: Object,
    pub record_id: String,
    pub dedupe_key: String,
    pub raw: Json,
}

/// The events of a delivery, in its order; each one, or why it is left out.
pub(super) type Events = Vec<Result<Event, LeftOut>>;

impl Receiver {
    /// Inside a runtime only. `public_url` is where the CRMs reach this server, without a slash at the end.
    pub fn new(engine: Arc<Engine>, public_url: Option<String>) -> Receiver {
        Receiver {
            public_url,
            directory: Directory::default(),
            group: Group::start(Arc::clone(&engine)),
            tally: Arc::new(Tally::new(Arc::clone(&engine))),
            engine,
        }
    }

    /// Looks at the head of a delivery to a connection's address.
    pub async fn admit(&self, system: System, connection: Uuid, head: Head<'_>) -> Result<Admitted, Refused> {
        // Another spelling of the address would be signed as another one.
        let path = head.path_and_query.split('?').next().unwrap_or_default();
        if path != path_of(system, connection) {
            return Err(Refused::UnknownConnection);
        }
        let known = self.directory.find(&self.engine, system, connection).await;
        let known = known.inspect_err(|refused| {
            tracing::debug!(%connection, reason = refused.name(), "a webhook delivery was refused");
        })?;
        let proof = self.proof(system, head);
        let proof = if known.secrets.is_empty() { proof.and(Err(Refused::NoSecret)) } else { proof };
        match proof {
            Ok(proof) => Ok(Admitted { known, proof, received_ms: head.received_ms }),
            Err(refused) => Err(self.count(&known, refused)),
        }
    }

    /// Compares the signature with the body, and keeps the events. They are committed when this returns.
    pub async fn take(&self, admitted: Admitted, body: &[u8]) -> Result<Accepted, Refused> {
        let Admitted { known, proof, received_ms } = admitted;
        let events = match proof.events(&known, body) {
            Ok(events) => events,
            Err(refused) => return Err(self.count(&known, refused)),
        };
        let mut arrived = Vec::with_capacity(events.len());
        let mut left_out = 0;
        for event in events {
            match event {
                Ok(event) => arrived.push((known.org, known.system.name(), self.arrived(event, received_ms))),
                Err(why) => {
                    left_out += 1;
                    self.tally.left_out(&known, why);
                }
            }
        }
        let taken = arrived.len();
        match self.group.insert(arrived).await {
            Ok(()) => Ok(Accepted { taken, left_out }),
            Err(refused) => Err(self.count(&known, refused)),
        }
    }

    /// Counts an admitted delivery that is refused before its body could be read.
    pub fn refuse(&self, admitted: &Admitted, refused: Refused) -> Refused {
        self.count(&admitted.known, refused)
    }

    /// Writes down what was counted and not written yet.
    pub async fn finish(&self) {
        self.tally.flush().await;
    }

    fn proof(&self, system: System, head: Head<'_>) -> Result<Proof, Refused> {
        match system {
            System::Hubspot => {
                let public_url = self.public_url.as_deref().ok_or(Refused::NoPublicUrl)?;
                hubspot::signature::Proof::read(public_url, head).map(Proof::Hubspot)
            }
            System::Attio => attio::signature::Proof::read(head).map(Proof::Attio),
        }
    }

    fn arrived(&self, event: Event, received_ms: i64) -> Arrived {
        Arrived {
            id: self.engine.ids.next(),
            dedupe_key: event.dedupe_key,
            object: event.object.name().to_owned(),
            record_id: event.record_id,
            event: event.raw,
            received_ms,
        }
    }

    fn count(&self, known: &Known, refused: Refused) -> Refused {
        self.tally.refused(known, refused);
        refused
    }
}

impl Head<'_> {
    /// The value of a header that is there once, in plain characters. Of two the sender could mean either.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    }
}

impl Proof {
    /// The events of a body that the proof is for.
    fn events(&self, known: &Known, body: &[u8]) -> Result<Events, Refused> {
        let holds = match self {
            Proof::Hubspot(proof) => proof.holds(&known.secrets, body),
            Proof::Attio(proof) => proof.holds(&known.secrets, body),
        };
        if !holds {
            return Err(Refused::BadSignature);
        }
        let mut json: Json = serde_json::from_slice(body).map_err(|_| Refused::NotReadable)?;
        if body.windows(NUL.len()).any(|window| window == NUL) {
            replace_nul(&mut json);
        }
        match self {
            Proof::Hubspot(_) => hubspot::events::events(known, json),
            Proof::Attio(proof) => attio::events::events(known, &proof.key, json),
        }
    }
}

/// The path of a connection's webhooks, as it is registered and signed.
pub fn path_of(system: System, connection: Uuid) -> String {
    format!("/webhooks/{}/{}", system.name(), connection.hyphenated())
}

/// A character that `PostgreSQL` keeps in no text, as JSON spells it.
const NUL: &[u8] = b"\\u0000";

fn replace_nul(json: &mut Json) {
    match json {
        Json::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Json::Array(items) => items.iter_mut().for_each(replace_nul),
        Json::Object(fields) => {
            let named = std::mem::take(fields).into_iter();
            *fields = named
                .map(|(name, mut value)| {
                    replace_nul(&mut value);
                    (name.replace('\0', "\u{fffd}"), value)
                })
                .collect();
        }
        _ => {}
    }
}
