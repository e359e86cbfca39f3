//! What is wrong with a delivery that says to be `HubSpot`'s.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256, Sha512};

use super::super::signed::{ATTIO_SECRET, Delivery, PUBLIC_URL, SECRET, hubspot_signature};
use super::{Case, Forgery, byte};
use crate::schedules::dice::Dice;

const SIGNATURE: &str = "X-HubSpot-Signature-v3";
const TIME: &str = "X-HubSpot-Request-Timestamp";

/// Signs a delivery for a method and a URL with its own time.
pub(super) fn sign(case: &Case, forged: &mut Delivery, method: &str, url: &str) {
    let signature = hubspot_signature(SECRET, method, url, &case.body, &forged.header(TIME));
    forged.set(SIGNATURE, &signature);
}

pub(super) const FORGERIES: &[Forgery] = &[
    // What is there.
    ("nothing is signed", |case| without(case, &[SIGNATURE, TIME])),
    ("no signature", |case| without(case, &[SIGNATURE])),
    ("no time", |case| without(case, &[TIME])),
    ("version 1 alone", |case| old(case, "v1", false)),
    ("version 2 alone", |case| old(case, "v2", false)),
    ("version 1 under the name of version 3", |case| old(case, "v1", true)),
    ("version 2 under the name of version 3", |case| old(case, "v2", true)),
    ("version 1 in hexadecimal under the name of version 3", |case| {
        let digest = hex::encode(digest(case, "v1"));
        case.with(SIGNATURE, |_, _| digest)
    }),
    ("Attio's signature", |case| {
        let signature = super::super::signed::mac(SECRET, &[&case.body]);
        let mut forged = without(case, &[SIGNATURE]);
        forged.add("Attio-Signature", &hex::encode(signature));
        forged.add("Idempotency-Key", "1");
        forged
    }),
    // How the signature is written.
    ("in hexadecimal", |case| case.with(SIGNATURE, |_, given| hex::encode(bytes(&given)))),
    ("in base64 for URLs", |case| case.with(SIGNATURE, |_, given| URL_SAFE_NO_PAD.encode(bytes(&given)))),
    ("without padding", |case| case.with(SIGNATURE, |_, given| given.replace('=', ""))),
    ("with too much padding", |case| case.with(SIGNATURE, |_, given| given + "=")),
    ("with a space in it", |case| {
        case.with(SIGNATURE, |dice, mut given| {
            given.insert(1 + dice.roll(40), *dice.pick(&[' ', '\t']));
            given
        })
    }),
    ("with bits that say nothing", |case| {
        case.with(SIGNATURE, |_, given| {
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let last = given.chars().nth(42).and_then(|last| alphabet.find(last)).expect("a digit");
            let next = alphabet.chars().nth(last + 1).expect("the last digit has room");
            format!("{}{next}=", &given[..42])
        })
    }),
    ("in the other case", |case| {
        case.with(SIGNATURE, |_, given| {
            given
                .chars()
                .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                .collect()
        })
    }),
    ("one bit of it is changed", |case| {
        case.with(SIGNATURE, |dice, given| {
            let mut bytes = bytes(&given);
            bytes[dice.roll(32)] ^= 1 << dice.roll(8);
            STANDARD.encode(bytes)
        })
    }),
    ("cut off", |case| case.with(SIGNATURE, |dice, given| STANDARD.encode(&bytes(&given)[..dice.roll(32)]))),
    ("too long", |case| {
        case.with(SIGNATURE, |dice, given| {
            STANDARD.encode([bytes(&given), vec![0; dice.roll(40) + 1]].concat())
        })
    }),
    ("turned round", |case| {
        case.with(SIGNATURE, |_, given| {
            let mut bytes = bytes(&given);
            bytes.reverse();
            STANDARD.encode(bytes)
        })
    }),
    ("all zeros", |case| case.with(SIGNATURE, |_, _| STANDARD.encode([0; 32]))),
    ("guessed", |case| {
        case.with(SIGNATURE, |dice, _| STANDARD.encode((0..32).map(|_| byte(dice)).collect::<Vec<_>>()))
    }),
    ("empty", |case| case.with(SIGNATURE, |_, _| String::new())),
    ("with quotes", |case| case.with(SIGNATURE, |_, given| format!("\"{given}\""))),
    ("with a name before it", |case| case.with(SIGNATURE, |_, given| format!("sha256={given}"))),
    ("twice", |case| added(case, SIGNATURE, false)),
    ("once guessed and once right", |case| added(case, SIGNATURE, true)),
    ("twice in one header", |case| case.with(SIGNATURE, |_, given| format!("{given}, {given}"))),
    // Who has signed.
    ("by another secret", |case| {
        let secret = format!("secret-{}", case.dice.roll(1 << 30));
        by(case, &secret)
    }),
    ("by no secret", |case| by(case, "")),
    ("by the secret with a line's end", |case| by(case, &format!("{SECRET}\n"))),
    ("by the secret in capitals", |case| by(case, &SECRET.to_uppercase())),
    ("by a part of the secret", |case| {
        let part = &SECRET[..case.dice.roll(SECRET.len())];
        by(case, part)
    }),
    ("by the other CRM's secret", |case| by(case, ATTIO_SECRET)),
    ("with a digest instead of a code", |case| {
        let parts =
            [SECRET.as_bytes(), b"POST", url(case).as_bytes(), &case.body, time(case).as_bytes()].concat();
        case.with(SIGNATURE, |_, _| STANDARD.encode(Sha256::digest(parts)))
    }),
    ("with another digest", |case| {
        let parts =
            [SECRET.as_bytes(), b"POST", url(case).as_bytes(), &case.body, time(case).as_bytes()].concat();
        case.with(SIGNATURE, |_, _| STANDARD.encode(&Sha512::digest(parts)[..32]))
    }),
    ("without the method", |case| signed(case, "", None)),
    ("for another method", |case| {
        let method = *case.dice.pick(&["PUT", "GET", "PATCH", "post", "POST "]);
        signed(case, method, None)
    }),
    ("sent with another method", |case| {
        let mut forged = case.genuine.clone();
        forged.method = case.dice.pick(&["PUT", "PATCH", "GET", "DELETE"]).to_string();
        forged
    }),
    ("in another order", |case| {
        let (url, time) = (url(case), time(case));
        let signature = hubspot_signature(SECRET, &url, "POST", &case.body, &time);
        case.with(SIGNATURE, |_, _| signature)
    }),
    ("without the body", |case| {
        let signature = hubspot_signature(SECRET, "POST", &url(case), b"", &time(case));
        case.with(SIGNATURE, |_, _| signature)
    }),
    ("without the time", |case| {
        let signature = hubspot_signature(SECRET, "POST", &url(case), &case.body, "");
        case.with(SIGNATURE, |_, _| signature)
    }),
    // For which address.
    ("for the host that the request names", |case| {
        let url = url(case).replace("crm.example.com", "attacker.example");
        signed(case, "POST", Some(url))
    }),
    ("for http", |case| {
        let url = url(case).replace("https:", "http:");
        signed(case, "POST", Some(url))
    }),
    ("for a port", |case| {
        let url = url(case).replace(".com/", ".com:443/");
        signed(case, "POST", Some(url))
    }),
    ("for capitals", |case| {
        let url = url(case).replace("crm", "CRM");
        signed(case, "POST", Some(url))
    }),
    ("for the path alone", |case| {
        let url = case.genuine.path.clone();
        signed(case, "POST", Some(url))
    }),
    ("for the path without its prefix", |case| {
        let url = url(case).replace("/hooks", "");
        signed(case, "POST", Some(url))
    }),
    ("for a path that goes on", |case| {
        let url = url(case) + "/";
        signed(case, "POST", Some(url))
    }),
    ("for an escaped address", |case| {
        let url = url(case).replace(':', "%3A").replace('/', "%2F");
        signed(case, "POST", Some(url))
    }),
    ("for another query", |case| queried(case, "?a=1&b=2", "?b=2&a=1")),
    ("for no query", |case| queried(case, "?a=1", "")),
    ("for an empty query", |case| queried(case, "", "?")),
    ("for a query that was not sent", |case| queried(case, "", "?a=1")),
    ("for a query with a space that was escaped", |case| queried(case, "?a=%20", "?a= ")),
    ("for a query with escapes that stay", |case| queried(case, "?a=%2B%26%3D", "?a=+&=")),
    ("for a query with an escape in small letters", |case| queried(case, "?a=%3a", "?a=:")),
    ("for a query that is decoded twice", |case| queried(case, "?a=%253A", "?a=:")),
    ("for a query that is not decoded", |case| queried(case, "?a=%3A%2F", "?a=%3A%2F")),
    // When.
    ("too old", |case| {
        let apart = 300_001 + milliseconds(case.dice, 1 << 30);
        at(case, &(case.hooked.t.clock.now_ms() - apart).to_string())
    }),
    ("too new", |case| {
        let apart = 300_001 + milliseconds(case.dice, 1 << 30);
        at(case, &(case.hooked.t.clock.now_ms() + apart).to_string())
    }),
    ("in seconds", |case| at(case, &(case.hooked.t.clock.now_ms() / 1_000).to_string())),
    ("in microseconds", |case| at(case, &(case.hooked.t.clock.now_ms() * 1_000).to_string())),
    ("as a date", |case| at(case, &case.hooked.t.clock.now().to_rfc3339())),
    ("as no number", |case| {
        let text = *case.dice.pick(&["NaN", "Infinity", "null", "now", "-", "0x19", "1e12"]);
        at(case, text)
    }),
    ("with a sign, a zero or a point", |case| {
        let now_ms = case.hooked.t.clock.now_ms();
        let text = *case.dice.pick(&["+", "0", "00", "-"]);
        if case.dice.chance(50) {
            at(case, &format!("{text}{now_ms}"))
        } else {
            at(case, &format!("{now_ms}.0"))
        }
    }),
    ("at no time", |case| at(case, "")),
    ("at zero", |case| at(case, "0")),
    ("at more than a number holds", |case| {
        let digits = "9".repeat(19 + case.dice.roll(40));
        at(case, &digits)
    }),
    ("at two times", |case| added(case, TIME, false)),
    ("at another time than is signed", |case| {
        case.with(TIME, |dice, given| {
            let given: i64 = given.parse().expect("a number");
            (given - 1 - milliseconds(dice, 200_000)).to_string()
        })
    }),
    ("an old delivery with a new time", |case| {
        let now_ms = case.hooked.t.clock.now_ms();
        let old = Delivery::hubspot(case.hooked.hubspot, SECRET, now_ms - 3_600_000, &case.body);
        let mut forged = old;
        forged.set(TIME, &now_ms.to_string());
        forged
    }),
];

fn without(case: &Case, names: &[&str]) -> Delivery {
    let mut forged = case.genuine.clone();
    for name in names {
        forged.remove(name);
    }
    forged
}

/// The digest of an older version.
fn digest(case: &Case, version: &str) -> Vec<u8> {
    let url = url(case);
    let request: &[&[u8]] = if version == "v1" { &[] } else { &[b"POST", url.as_bytes()] };
    Sha256::digest([&[SECRET.as_bytes()], request, &[&case.body]].concat().concat()).to_vec()
}

fn old(case: &Case, version: &str, disguised: bool) -> Delivery {
    let digest = digest(case, version);
    let mut forged = without(case, &[SIGNATURE]);
    if disguised {
        forged.set(SIGNATURE, &STANDARD.encode(&digest));
    }
    forged.set("X-HubSpot-Signature", &hex::encode(digest));
    forged.set("X-HubSpot-Signature-Version", version);
    forged
}

/// A second header of a name, with the same value or a guessed one.
fn added(case: &Case, name: &str, guessed: bool) -> Delivery {
    let mut forged = case.genuine.clone();
    let value = if guessed { STANDARD.encode([7; 32]) } else { forged.header(name) };
    forged.headers.insert(0, (name.to_owned(), value.into_bytes()));
    forged
}

fn by(case: &mut Case, secret: &str) -> Delivery {
    let signature = hubspot_signature(secret, "POST", &url(case), &case.body, &time(case));
    case.with(SIGNATURE, |_, _| signature)
}

/// Signed with the right secret, for another request.
fn signed(case: &Case, method: &str, address: Option<String>) -> Delivery {
    let mut forged = case.genuine.clone();
    let address = address.unwrap_or_else(|| url(case));
    sign(case, &mut forged, method, &address);
    forged
}

fn queried(case: &Case, sent: &str, signed_for: &str) -> Delivery {
    let mut forged = signed(case, "POST", Some(format!("{}{signed_for}", url(case))));
    forged.path += sent;
    forged
}

/// Signed with the right secret for this text as its time.
fn at(case: &Case, time: &str) -> Delivery {
    let mut forged = case.genuine.clone();
    forged.set(TIME, time);
    sign(case, &mut forged, "POST", &url(case));
    forged
}

fn url(case: &Case) -> String {
    format!("{PUBLIC_URL}{}", case.genuine.path)
}

fn time(case: &Case) -> String {
    case.genuine.header(TIME)
}

fn bytes(signature: &str) -> Vec<u8> {
    STANDARD.decode(signature).expect("base64")
}

fn milliseconds(dice: &mut Dice, most: usize) -> i64 {
    i64::try_from(dice.roll(most)).expect("a small number")
}
