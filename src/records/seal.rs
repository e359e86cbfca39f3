//! Tokens that callers carry back to us unchanged, or not at all: cursors and confirmations.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many bytes of the signature are kept: 128 bits cannot be guessed.
const SIGNATURE: usize = 16;

/// A token that carries `payload`, good for `purpose` under `key` only.
pub fn seal(key: &[u8], purpose: &str, payload: &str) -> String {
    let mut token = sign(key, purpose, payload.as_bytes()).to_vec();
    token.extend_from_slice(payload.as_bytes());
    URL_SAFE_NO_PAD.encode(token)
}

/// The payload of a token made by [`seal`]; none when it was made for something else or changed on the way.
pub fn open(key: &[u8], purpose: &str, token: &str) -> Option<String> {
    let token = URL_SAFE_NO_PAD.decode(token.trim()).ok()?;
    let (signature, payload) = token.split_at_checked(SIGNATURE)?;
    mac(key, purpose, payload).verify_truncated_left(signature).ok()?;
    String::from_utf8(payload.to_vec()).ok()
}

/// What a text is known by where the text itself must not stand: nobody finds it by trying texts.
pub(super) fn fingerprint(key: &[u8], purpose: &str, text: &str) -> String {
    hex::encode(sign(key, purpose, text.as_bytes()))
}

fn sign(key: &[u8], purpose: &str, payload: &[u8]) -> [u8; SIGNATURE] {
    let whole = mac(key, purpose, payload).finalize().into_bytes();
    let mut signature = [0; SIGNATURE];
    signature.iter_mut().zip(whole).for_each(|(kept, byte)| *kept = byte);
    signature
}

fn mac(key: &[u8], purpose: &str, payload: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(payload);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_as_it_was_sealed() {
        let token = seal(b"key", "cursor", r#"{"id":1}"#);
        assert_eq!(open(b"key", "cursor", &token).as_deref(), Some(r#"{"id":1}"#));
        assert_eq!(open(b"key", "confirmation", &token), None);
        assert_eq!(open(b"other", "cursor", &token), None);
        assert_eq!(open(b"key", "cursor", "AAAA"), None);
        for i in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            assert_ne!(
                open(b"key", "cursor", &String::from_utf8(bytes).unwrap()).as_deref(),
                Some(r#"{"id":1}"#)
            );
        }
    }
}
