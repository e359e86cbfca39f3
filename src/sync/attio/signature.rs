//! The signature of a webhook delivery: <https://docs.attio.com/rest-api/guides/webhooks>.
//!
//! There is no time in it. A delivery that is sent again, by whomever, has the same key and so brings no new events; with another
//! key it makes us read the record once more, and nothing else, because events hold no values.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::sync::receive::{Head, Refused};

const SIGNATURES: [&str; 2] = ["attio-signature", "x-attio-signature"];
const KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;

/// What stands in the head of a delivery.
#[derive(Debug)]
pub(in crate::sync) struct Proof {
    signature: Vec<u8>,
    /// The same for every attempt at a delivery.
    pub(in crate::sync) key: String,
}

impl Proof {
    pub(in crate::sync) fn read(head: Head<'_>) -> Result<Proof, Refused> {
        let mut signature: Option<Vec<u8>> = None;
        for name in SIGNATURES.into_iter().filter(|name| head.headers.contains_key(*name)) {
            let text = head.only(name).ok_or(Refused::NotSigned)?;
            let bytes = hex::decode(text).map_err(|_| Refused::NotSigned)?;
            // Both names mean one signature.
            if signature.as_ref().is_some_and(|other| *other != bytes) {
                return Err(Refused::NotSigned);
            }
            signature = Some(bytes);
        }
        let signature = signature.ok_or(Refused::NotSigned)?;
        let key = head.only(KEY).filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
        let key = key.ok_or(Refused::NoIdempotencyKey)?.to_owned();
        Ok(Proof { signature, key })
    }

    /// Whether one of the secrets has signed this body. The comparison takes the same time wherever it fails.
    pub(in crate::sync) fn holds(&self, secrets: &[SecretString], body: &[u8]) -> bool {
        secrets.iter().any(|secret| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
                return false;
            };
            mac.update(body);
            mac.verify_slice(&self.signature).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName};

    use super::*;

    const BODY: &[u8] = br#"{"webhook_id":"1","events":[]}"#;

    /// `printf '%s' BODY | openssl dgst -sha256 -hmac secret`
    const SIGNED: &str = "607133c276a093ea830de49adf8950faa421be06f703c717f6f4e6b45c35eca1";

    fn checked(list: &[(&str, &str)], body: &[u8]) -> Result<bool, Refused> {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
        let head = Head { method: "POST", path_and_query: "/", headers: &headers, received_ms: 0 };
        let proof = Proof::read(head)?;
        let secrets = ["other", "secret"].map(|secret| SecretString::from(secret.to_owned()));
        Ok(proof.holds(&secrets, body))
    }

    #[test]
    fn a_signature_holds_for_its_bytes_in_either_case_under_either_name() {
        let upper = SIGNED.to_uppercase();
        let key = ("Idempotency-Key", "1");
        for list in [
            vec![("Attio-Signature", SIGNED), key],
            vec![("X-Attio-Signature", &upper), key],
            vec![("Attio-Signature", SIGNED), ("X-Attio-Signature", &upper), key],
        ] {
            assert_eq!(checked(&list, BODY), Ok(true));
            assert_eq!(checked(&list, br#"{"webhook_id":"1", "events":[]}"#), Ok(false));
        }
    }

    #[test]
    fn signatures_that_differ_or_stand_twice_and_missing_keys_are_refused() {
        let other = SIGNED.replace('a', "b");
        let key = ("Idempotency-Key", "1");
        let long = "k".repeat(256);
        for (list, refused) in [
            (vec![key], Refused::NotSigned),
            (vec![("Attio-Signature", SIGNED), ("X-Attio-Signature", &other), key], Refused::NotSigned),
            (vec![("Attio-Signature", SIGNED), ("Attio-Signature", SIGNED), key], Refused::NotSigned),
            (vec![("Attio-Signature", "not hexadecimal"), key], Refused::NotSigned),
            (vec![("Attio-Signature", SIGNED)], Refused::NoIdempotencyKey),
            (vec![("Attio-Signature", SIGNED), ("Idempotency-Key", "")], Refused::NoIdempotencyKey),
            (vec![("Attio-Signature", SIGNED), ("Idempotency-Key", &long)], Refused::NoIdempotencyKey),
            (vec![("Attio-Signature", SIGNED), key, key], Refused::NoIdempotencyKey),
        ] {
            assert_eq!(checked(&list, BODY), Err(refused), "{list:?}");
        }
        assert_eq!(checked(&[("Attio-Signature", &SIGNED[2..]), key], BODY), Ok(false));
    }
}
