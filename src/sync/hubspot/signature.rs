//! The signature of a webhook delivery, version 3 alone:
//! <https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation>.
//!
//! Deliveries carry version 1 as well, which has no time in it and would let anybody repeat them for ever; versions 1 and 2 are
//! not looked at, so that nobody can fall back to them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::sync::receive::{Head, Refused};

const SIGNATURE: &str = "x-hubspot-signature-v3";
const TIMESTAMP: &str = "x-hubspot-request-timestamp";
const SIGNATURE_BYTES: usize = 32;
/// How far the time of a delivery may be from ours, either way.
const MOST_APART_MS: u64 = 300_000;
/// The escapes that are decoded before the URL is signed; all others stay.
const DECODED: &[(&str, &str)] = &[
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

/// What stands in the head of a delivery.
#[derive(Debug)]
pub(in crate::sync) struct Proof {
    /// Method and URL as they are signed.
    before_body: String,
    timestamp: String,
    signature: Vec<u8>,
}

impl Proof {
    /// Reads the headers. The URL is the configured one: what a request says of its host is the sender's word.
    pub(in crate::sync) fn read(public_url: &str, head: Head<'_>) -> Result<Proof, Refused> {
        let timestamp = head.only(TIMESTAMP).ok_or(Refused::NotSigned)?;
        let time_ms = milliseconds(timestamp).ok_or(Refused::NotSigned)?;
        let signature = head.only(SIGNATURE).ok_or(Refused::NotSigned)?;
        let signature = STANDARD.decode(signature).ok().filter(|bytes| bytes.len() == SIGNATURE_BYTES);
        let signature = signature.ok_or(Refused::NotSigned)?;
        if time_ms.abs_diff(head.received_ms) > MOST_APART_MS {
            return Err(Refused::Stale);
        }
        let url = decoded(&format!("{public_url}{}", head.path_and_query));
        Ok(Proof { before_body: format!("{}{url}", head.method), timestamp: timestamp.to_owned(), signature })
    }

    /// Whether one of the secrets has signed this body. The comparison takes the same time wherever it fails.
    pub(in crate::sync) fn holds(&self, secrets: &[SecretString], body: &[u8]) -> bool {
        secrets.iter().any(|secret| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
                return false;
            };
            mac.update(self.before_body.as_bytes());
            mac.update(body);
            mac.update(self.timestamp.as_bytes());
            mac.verify_slice(&self.signature).is_ok()
        })
    }
}

/// Milliseconds since 1970 as `HubSpot` writes them: digits, and the same number in no other way.
fn milliseconds(text: &str) -> Option<i64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if is_plain { text.parse().ok() } else { None }
}

/// The URL with the listed escapes decoded, once.
fn decoded(url: &str) -> String {
    let mut decoded = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        decoded.push_str(before);
        let known = DECODED.iter().find(|(escaped, _)| escape.starts_with(escaped));
        let (plain, after) = match known {
            Some((escaped, plain)) => (*plain, escape.get(escaped.len()..)),
            None => ("%", escape.get(1..)),
        };
        decoded.push_str(plain);
        rest = after.unwrap_or_default();
    }
    decoded + rest
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
    const SITE: &str = "https://www.example.com";
    const BODY: &[u8] = b"{'example_field':'example_value'}";
    const TIME_MS: i64 = 1_693_657_560_000;
    const SIGNED: &str = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=";

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            let value = HeaderValue::from_str(value).expect("a value");
            headers.append(HeaderName::from_bytes(name.as_bytes()).expect("a name"), value);
        }
        headers
    }

    fn checked(method: &str, headers: &HeaderMap, body: &[u8], received_ms: i64) -> Result<bool, Refused> {
        let head = Head { method, path_and_query: "/webhook_uri", headers, received_ms };
        let proof = Proof::read(SITE, head)?;
        Ok(proof.holds(&[SecretString::from(SECRET.to_owned())], body))
    }

    fn v3(signature: &str, timestamp: &str) -> HeaderMap {
        headers(&[("X-HubSpot-Signature-v3", signature), ("X-HubSpot-Request-Timestamp", timestamp)])
    }

    #[test]
    fn the_published_signatures_of_version_3_hold_at_their_time() {
        let later = "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=";
        for (signature, time_ms) in [(SIGNED, TIME_MS), (later, 1_700_000_300_000)] {
            let headers = v3(signature, &time_ms.to_string());
            for apart in [-300_000, 0, 300_000] {
                assert_eq!(checked("POST", &headers, BODY, time_ms + apart), Ok(true), "{apart}");
            }
            for apart in [-300_001, 300_001, i64::MIN / 2] {
                assert_eq!(checked("POST", &headers, BODY, time_ms + apart), Err(Refused::Stale), "{apart}");
            }
            assert_eq!(checked("PUT", &headers, BODY, time_ms), Ok(false));
            assert_eq!(checked("POST", &headers, b"{'example_field':'other_value'}", time_ms), Ok(false));
        }
    }

    #[test]
    fn the_published_signatures_of_versions_1_and_2_are_refused() {
        let v1_body = br#"[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]"#;
        let published: [(&str, &str, &str, &[u8]); 3] = [
            ("v1", "POST", "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de", v1_body),
            ("v2", "GET", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e", b""),
            (
                "v2",
                "POST",
                "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
                br#"{"example_field":"example_value"}"#,
            ),
        ];
        for (version, method, signature, body) in published {
            let time = TIME_MS.to_string();
            let old = [("X-HubSpot-Signature", signature), ("X-HubSpot-Signature-Version", version)];
            let dated = [old.as_slice(), &[("X-HubSpot-Request-Timestamp", &time)]].concat();
            assert_eq!(checked(method, &headers(&old), body, TIME_MS), Err(Refused::NotSigned));
            assert_eq!(checked(method, &headers(&dated), body, TIME_MS), Err(Refused::NotSigned));
            let bytes = hex::decode(signature).expect("hexadecimal");
            let disguised = v3(&STANDARD.encode(bytes), &time);
            assert_eq!(checked(method, &disguised, body, TIME_MS), Ok(false));
        }
    }

    #[test]
    fn an_old_signature_beside_the_new_one_changes_nothing() {
        let time = TIME_MS.to_string();
        let new = [("X-HubSpot-Signature-v3", SIGNED), ("X-HubSpot-Request-Timestamp", &time)];
        let old = [("X-HubSpot-Signature", "00"), ("X-HubSpot-Signature-Version", "v1")];
        assert_eq!(checked("POST", &headers(&[new, old].concat()), BODY, TIME_MS), Ok(true));
    }

    #[test]
    fn a_header_counts_once_and_in_its_own_form_only() {
        let time = TIME_MS.to_string();
        let twice = |name: &str, value: &str| {
            let mut headers = v3(SIGNED, &time);
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                value.parse().expect("a value"),
            );
            checked("POST", &headers, BODY, TIME_MS)
        };
        assert_eq!(twice(SIGNATURE, SIGNED), Err(Refused::NotSigned));
        assert_eq!(twice(TIMESTAMP, &time), Err(Refused::NotSigned));
        for timestamp in ["", "NaN", "+1693657560000", "-1693657560000", "01693657560000", "1693657560000.0"]
        {
            assert_eq!(
                checked("POST", &v3(SIGNED, timestamp), BODY, TIME_MS),
                Err(Refused::NotSigned),
                "{timestamp}"
            );
        }
        let unpadded = SIGNED.trim_end_matches('=');
        let noisy = SIGNED.replace("Y=", "Z=");
        for signature in ["", "=", unpadded, noisy.as_str(), &SIGNED.replace('+', "-").replace('/', "_")] {
            assert_eq!(
                checked("POST", &v3(signature, &time), BODY, TIME_MS),
                Err(Refused::NotSigned),
                "{signature}"
            );
        }
    }

    #[test]
    fn exactly_the_listed_escapes_are_decoded_and_only_once() {
        let all = "%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B";
        assert_eq!(decoded(all), ":/?@!$'()*,;");
        for kept in ["%20", "%26", "%3D", "%2B", "%23", "%25", "%5B", "%3a", "%2f", "%", "%2", "ü%C3%BC"] {
            assert_eq!(decoded(kept), kept);
        }
        assert_eq!(decoded("a%253Ab%2Fc%"), "a%253Ab/c%");
    }
}
