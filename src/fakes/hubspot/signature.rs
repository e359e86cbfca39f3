//! Deliveries as `HubSpot` sends and signs them
//! (<https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation>): both
//! the first version of the signature and the third one, over the address as it was registered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fakes::deliveries::{Envelope, Letter};

/// The escapes that are undone before an address is signed; all others are signed as they are.
const UNDONE: &[(&str, &str)] = &[
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

/// A list of events, each with how often it was tried before.
pub(super) fn seal(letters: &[Letter], now_ms: i64) -> Envelope {
    let event = |letter: &Letter| {
        let mut event = letter.event.clone();
        event["attemptNumber"] = json!(letter.attempt);
        event
    };
    let events: Vec<Value> = letters.iter().map(event).collect();
    let body = Value::Array(events).to_string();
    let Some(to) = letters.first().map(|letter| &letter.to) else {
        return Envelope { headers: Vec::new(), body: body.into_bytes() };
    };
    let headers = vec![
        ("X-HubSpot-Signature", first(&to.secret, &body)),
        ("X-HubSpot-Signature-Version", "v1".to_owned()),
        ("X-HubSpot-Signature-v3", third(&to.secret, &to.target, &body, now_ms)),
        ("X-HubSpot-Request-Timestamp", now_ms.to_string()),
    ];
    Envelope { headers, body: body.into_bytes() }
}

fn first(secret: &SecretString, body: &str) -> String {
    hex::encode(Sha256::new().chain_update(secret.expose_secret()).chain_update(body).finalize())
}

fn third(secret: &SecretString, target: &str, body: &str, now_ms: i64) -> String {
    let target = UNDONE
        .iter()
        .fold(target.to_owned(), |target, (escape, character)| target.replace(escape, character));
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return String::new();
    };
    let mac = mac.chain_update(format!("POST{target}{body}{now_ms}"));
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";

    #[test]
    fn the_published_signatures_come_out() {
        let secret = SecretString::from(SECRET);
        let body = r#"[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]"#;
        let expected = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de";
        assert_eq!(first(&secret, body), expected);
        let (url, body) = ("https://www.example.com/webhook_uri", "{'example_field':'example_value'}");
        let check = |url: &str, at_ms: i64, expected: &str| {
            assert_eq!(third(&secret, url, body, at_ms), expected, "{url} {at_ms}");
        };
        check(url, 1_693_657_560_000, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=");
        check(url, 1_700_000_300_000, "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=");
        let escaped = "https%3A%2F%2Fwww.example.com/webhook_uri";
        check(escaped, 1_693_657_560_000, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=");
    }
}
