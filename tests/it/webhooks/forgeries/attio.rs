//! What is wrong with a delivery that says to be `Attio`'s.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

use super::super::signed::{ATTIO_SECRET, Delivery, SECRET, mac};
use super::{Case, Forgery, byte};

const SIGNATURE: &str = "Attio-Signature";
const OTHER_NAME: &str = "X-Attio-Signature";
const KEY: &str = "Idempotency-Key";

pub(super) const FORGERIES: &[Forgery] = &[
    ("nothing is signed", |case| without(case, SIGNATURE)),
    ("no key", |case| without(case, KEY)),
    ("an empty key", |case| case.with(KEY, |_, _| String::new())),
    ("a key that is too long", |case| case.with(KEY, |dice, _| "k".repeat(256 + dice.roll(100)))),
    ("a key that is no plain text", |case| {
        let mut forged = without(case, KEY);
        forged.headers.push((KEY.to_owned(), vec![0xfc, 0xfc]));
        forged
    }),
    ("two keys", |case| {
        let mut forged = case.genuine.clone();
        forged.add(KEY, if case.dice.chance(50) { "key-1" } else { "key-2" });
        forged
    }),
    ("in base64", |case| {
        case.with(SIGNATURE, |_, given| STANDARD.encode(hex::decode(given).expect("hexadecimal")))
    }),
    ("with a name before it", |case| {
        case.with(SIGNATURE, |dice, given| format!("{}{given}", dice.pick(&["sha256=", "0x", "v1=", "hex:"])))
    }),
    ("cut off", |case| case.with(SIGNATURE, |dice, given| given[..dice.roll(64)].to_owned())),
    ("too long", |case| case.with(SIGNATURE, |dice, given| given + &"0".repeat(dice.roll(64) + 1))),
    ("with a space in it", |case| {
        case.with(SIGNATURE, |dice, mut given| {
            given.insert(1 + dice.roll(62), *dice.pick(&[' ', '-', ':']));
            given
        })
    }),
    ("one digit of it is changed", |case| {
        case.with(SIGNATURE, |dice, given| {
            let mut bytes = hex::decode(given).expect("hexadecimal");
            bytes[dice.roll(32)] ^= 1 << dice.roll(8);
            hex::encode(bytes)
        })
    }),
    ("all zeros", |case| case.with(SIGNATURE, |_, _| "0".repeat(64))),
    ("guessed", |case| {
        case.with(SIGNATURE, |dice, _| {
            (0..64).map(|_| *dice.pick(&['0', '3', '7', '9', 'a', 'c', 'f'])).collect()
        })
    }),
    ("empty", |case| case.with(SIGNATURE, |_, _| String::new())),
    ("twice", |case| {
        let mut forged = case.genuine.clone();
        let value = forged.header(SIGNATURE);
        forged.add(SIGNATURE, &value);
        forged
    }),
    ("another one under the other name", |case| {
        let mut forged = case.genuine.clone();
        forged.add(OTHER_NAME, &hex::encode([byte(case.dice); 32]));
        forged
    }),
    ("a guessed one under the other name alone", |case| {
        let mut forged = without(case, SIGNATURE);
        forged.add(OTHER_NAME, &hex::encode([byte(case.dice); 32]));
        forged
    }),
    ("an empty one under the other name", |case| {
        let mut forged = case.genuine.clone();
        forged.add(OTHER_NAME, "");
        forged
    }),
    ("by another secret", |case| {
        let secret = format!("secret-{}", case.dice.roll(1 << 30));
        by(case, &secret)
    }),
    ("by no secret", |case| by(case, "")),
    ("by the other CRM's secret", |case| by(case, SECRET)),
    ("by the secret with a line's end", |case| by(case, &format!("{ATTIO_SECRET}\n"))),
    ("with a digest instead of a code", |case| {
        let digest = Sha256::digest([ATTIO_SECRET.as_bytes(), &case.body].concat());
        case.with(SIGNATURE, |_, _| hex::encode(digest))
    }),
    ("with another digest", |case| {
        let digest = Sha512::digest([ATTIO_SECRET.as_bytes(), &case.body].concat());
        case.with(SIGNATURE, |_, _| hex::encode(&digest[..32]))
    }),
    ("of the body without anything after it", |case| {
        let signature = hex::encode(mac(ATTIO_SECRET, &[&case.body[..case.body.len() - 1]]));
        case.with(SIGNATURE, |_, _| signature)
    }),
    ("of the signature's name as well", |case| {
        let signature = hex::encode(mac(ATTIO_SECRET, &[SIGNATURE.as_bytes(), &case.body]));
        case.with(SIGNATURE, |_, _| signature)
    }),
    ("HubSpot's signature", |case| {
        let mut forged = without(case, SIGNATURE);
        let now_ms = case.hooked.t.clock.now_ms();
        let other = Delivery::hubspot(case.hooked.attio, ATTIO_SECRET, now_ms, &case.body);
        forged.headers.extend(other.headers);
        forged
    }),
];

fn without(case: &Case, name: &str) -> Delivery {
    let mut forged = case.genuine.clone();
    forged.remove(name);
    forged
}

fn by(case: &mut Case, secret: &str) -> Delivery {
    let signature = hex::encode(mac(secret, &[&case.body]));
    case.with(SIGNATURE, |_, _| signature)
}
