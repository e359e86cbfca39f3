//! Every way to forge a delivery that we can think of, many times with random bodies: none comes in.
//!
//! All cases are handed to the receiver; a share of each class goes through the real server.

mod attio;
mod hubspot;

use opstables::http::Limits;
use opstables::tables::System;

use super::bodies::body;
use super::client::Served;
use super::signed::{Delivery, Hooked};
use crate::harness::{Bench, on_both};
use crate::schedules::dice::Dice;

const CASES: usize = 200;
/// Every how many-th case goes through the server as well.
const SHARE: usize = 40;

/// A class of forgeries, and how one is made of a genuine delivery.
type Forgery = (&'static str, fn(&mut Case) -> Delivery);

/// A genuine delivery that is to be forged, and what the forger has.
struct Case<'a> {
    dice: &'a mut Dice,
    hooked: &'a Hooked,
    body: Vec<u8>,
    genuine: Delivery,
}

on_both! {
    async fn no_forged_delivery_comes_in(t: Bench) {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        let mut dice = Dice::new(11);
        let both = || BODIES.iter().chain(PATHS);
        let classes = hubspot::FORGERIES.iter().chain(both()).map(|forgery| (System::Hubspot, forgery));
        let more = attio::FORGERIES.iter().chain(both()).map(|forgery| (System::Attio, forgery));
        let mut number = 0;
        for (system, (name, forge)) in classes.chain(more) {
            number += 1;
            for place in 0..CASES {
                let body = body(&mut dice, system);
                let genuine = hooked.genuine(system, &body);
                let forged = forge(&mut Case { dice: &mut dice, hooked: &hooked, body, genuine });
                let result = hooked.receive(&forged).await;
                assert!(result.is_err(), "{system:?}, {name}: {result:?} for {forged:?}");
                if place % SHARE == 0 {
                    let answer = served.send(&forged).await;
                    assert!((400..500).contains(&answer.status), "{system:?}, {name}: {answer:?} for {forged:?}");
                }
            }
        }
        assert!(number >= 50, "{number} classes");
        assert_eq!(hooked.inbox_len().await, 0, "forged events came in");
        // What all of them were made of does come in.
        for system in System::ALL {
            let genuine = hooked.genuine(*system, &body(&mut dice, *system));
            assert!(hooked.receive(&genuine).await.is_ok());
            assert_eq!(served.send(&genuine).await.status, 200);
        }
        assert!(hooked.inbox_len().await > 0);
        served.stopped().await;
    }
}

impl Case<'_> {
    /// The genuine delivery with one header changed.
    fn with(&mut self, name: &str, change: impl FnOnce(&mut Dice, String) -> String) -> Delivery {
        let mut forged = self.genuine.clone();
        let value = change(self.dice, forged.header(name));
        forged.set(name, &value);
        forged
    }

    /// The genuine delivery with another body.
    fn with_body(&mut self, change: impl FnOnce(&mut Dice, Vec<u8>) -> Vec<u8>) -> Delivery {
        let mut forged = self.genuine.clone();
        forged.body = change(self.dice, forged.body);
        assert_ne!(forged.body, self.body, "the body is changed");
        forged
    }
}

/// Changes of a body that leave its meaning as it is, or nearly.
const BODIES: &[Forgery] = &[
    ("one byte of the body is changed", |case| {
        case.with_body(|dice, mut body| {
            let at = dice.roll(body.len());
            body[at] ^= 1 << dice.roll(7);
            body
        })
    }),
    ("the body is cut off", |case| {
        case.with_body(|dice, mut body| {
            body.truncate(dice.roll(body.len()));
            body
        })
    }),
    ("something follows the body", |case| {
        case.with_body(|dice, mut body| {
            let tails = [" ", "\n", "\0", "[]", "\r\n"];
            body.extend_from_slice(tails[dice.roll(tails.len())].as_bytes());
            body
        })
    }),
    ("something stands before the body", |case| {
        case.with_body(|dice, body| {
            [*dice.pick(&[b" ".as_slice(), b"\n", b"\xef\xbb\xbf", b"\t"]), body.as_slice()].concat()
        })
    }),
    ("the body is written again with spaces", |case| {
        case.with_body(|_, body| {
            let json: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            serde_json::to_vec_pretty(&json).expect("JSON")
        })
    }),
    ("the body is written again with escapes", |case| {
        case.with_body(|_, body| text(body).replacen("\"event", "\"\\u0065vent", 1).into_bytes())
    }),
    ("the body is in UTF-16", |case| {
        case.with_body(|_, body| text(body).encode_utf16().flat_map(u16::to_be_bytes).collect())
    }),
    ("the body is empty", |case| case.with_body(|_, _| Vec::new())),
    ("the body is twice there", |case| case.with_body(|_, body| [body.clone(), body].concat())),
    ("the body is that of another delivery", |case| {
        let system = case.genuine.system;
        case.with_body(|dice, body| {
            loop {
                let other = super::bodies::body(dice, system);
                if other != body {
                    return other;
                }
            }
        })
    }),
    ("the body is written again in base64", |case| {
        use base64::Engine as _;
        case.with_body(|_, body| base64::engine::general_purpose::STANDARD.encode(body).into_bytes())
    }),
];

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).expect("text")
}

/// Other spellings of a path's id.
const PATHS: &[Forgery] = &[
    ("the connection is another one", |case| {
        let other = uuid::Uuid::from_u128(u128::from(case.dice.roll(1 << 30) as u64) << 64 | 5);
        elsewhere(case, &other.to_string())
    }),
    ("the connection is the other CRM's", |case| {
        let other =
            if case.genuine.system == System::Hubspot { case.hooked.attio } else { case.hooked.hubspot };
        elsewhere(case, &other.to_string())
    }),
    ("the connection is in capitals", |case| {
        let id = case.genuine.connection.to_string().to_uppercase();
        // An id of digits alone looks the same in capitals.
        let id = if id.to_lowercase() == id { format!("{{{id}}}") } else { id };
        elsewhere(case, &id)
    }),
    ("the connection has no dashes", |case| {
        let id = case.genuine.connection.simple().to_string();
        elsewhere(case, &id)
    }),
    ("the connection is escaped", |case| {
        let id = case.genuine.connection.to_string().replacen('-', "%2D", case.dice.roll(4) + 1);
        elsewhere(case, &id)
    }),
    ("the connection is in braces or a URN", |case| {
        let id = case.genuine.connection;
        let id = if case.dice.chance(50) { format!("%7B{id}%7D") } else { format!("urn:uuid:{id}") };
        elsewhere(case, &id)
    }),
    ("something follows the path", |case| {
        let tail = *case.dice.pick(&["/", "//", "/..", ";x", "%00", "."]);
        let id = format!("{}{tail}", case.genuine.connection);
        elsewhere(case, &id)
    }),
    ("the path is another one", |case| {
        let prefix = *case.dice.pick(&["/", "/hooks", "/./", "/x/..", "/%2e"]);
        let mut forged = case.genuine.clone();
        forged.path = format!("{prefix}{}", forged.path);
        resigned(case, forged)
    }),
];

/// The delivery at another address, signed for that one.
fn elsewhere(case: &Case, id: &str) -> Delivery {
    let mut forged = case.genuine.clone();
    forged.path = format!("/webhooks/{}/{id}", forged.system.name());
    if let Ok(connection) = uuid::Uuid::try_parse(id) {
        forged.connection = connection;
    }
    resigned(case, forged)
}

/// The delivery signed for the path that it has.
fn resigned(case: &Case, mut forged: Delivery) -> Delivery {
    if forged.system == System::Hubspot {
        let url = format!("{}{}", super::signed::PUBLIC_URL, forged.path);
        hubspot::sign(case, &mut forged, "POST", &url);
    }
    forged
}

fn byte(dice: &mut Dice) -> u8 {
    u8::try_from(dice.roll(256)).expect("a byte")
}
