//! Seals the tokens of connections, so that neither the database nor a backup of it can be used at a CRM.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Ids;
use crate::error::{Result, internal, invalid};
use crate::store::Org;

/// The environment variable that holds the key, as 32 bytes in base64 or hexadecimal.
pub const VARIABLE: &str = "OPSTABLES_SECRET_KEY";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Opens and seals what is kept of a connection's tokens.
pub struct Vault {
    key: SecretSlice<u8>,
}

/// The secrets of a connection.
#[derive(Clone)]
pub struct Secrets {
    pub access: SecretString,
    pub oauth: Option<OAuth>,
}

/// What new access tokens are asked for with.
#[derive(Clone)]
pub struct OAuth {
    pub client_id: String,
    pub client_secret: SecretString,
    pub refresh: SecretString,
}

/// [`Secrets`] as they are sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth: Option<[String; 3]>,
}

impl Vault {
    /// The vault of a key that was given as text.
    pub fn with_key(text: &str) -> Result<Vault> {
        let text = text.trim();
        let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == KEY_BYTES);
        let bytes = bytes.or_else(|| STANDARD.decode(text).ok().filter(|bytes| bytes.len() == KEY_BYTES));
        let bytes = bytes.ok_or_else(|| {
            invalid("the key is not 32 bytes in base64 or hexadecimal")
                .at(VARIABLE)
                .hint("`openssl rand -base64 32` prints one")
        })?;
        Ok(Vault { key: bytes.into() })
    }

    /// The vault of the key in a file, which is made with a new key when it is not there. Others may not read it.
    pub fn of_file(path: &Path, ids: &Ids) -> Result<Vault> {
        match fs::read_to_string(path) {
            Ok(text) => {
                refuse_readable(path)?;
                Vault::with_key(&text).map_err(|error| error.at(path.display().to_string()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = STANDARD.encode(ids.secret());
                create(path, &text).map_err(|error| {
                    invalid(format!("the key file `{}` cannot be made: {error}", path.display()))
                        .hint(format!("set {VARIABLE}, or sync.key_file to a place that can be written"))
                })?;
                Vault::with_key(&text)
            }
            Err(error) => Err(invalid(format!("the key file `{}` cannot be read: {error}", path.display()))),
        }
    }

    /// Seals secrets for one connection of one organization.
    pub fn seal(&self, org: Org, connection: Uuid, secrets: &Secrets, ids: &Ids) -> Result<Vec<u8>> {
        let oauth = secrets.oauth.as_ref().map(|oauth| {
            [
                oauth.client_id.clone(),
                oauth.client_secret.expose_secret().to_owned(),
                oauth.refresh.expose_secret().to_owned(),
            ]
        });
        let sealed = Sealed { access: secrets.access.expose_secret().to_owned(), oauth };
        let text = serde_json::to_string(&sealed).map_err(internal)?;
        self.seal_text(org, connection, &text.into(), ids)
    }

    /// Opens what [`Vault::seal`] made for this very connection.
    pub fn open(&self, org: Org, connection: Uuid, sealed: &[u8]) -> Result<Secrets> {
        let text = self.open_text(org, connection, sealed)?;
        let sealed: Sealed = serde_json::from_str(text.expose_secret()).map_err(|_| wrong_key())?;
        let oauth = sealed.oauth.map(|[client_id, client_secret, refresh]| OAuth {
            client_id,
            client_secret: client_secret.into(),
            refresh: refresh.into(),
        });
        Ok(Secrets { access: sealed.access.into(), oauth })
    }

    /// Seals a text for one connection of one organization.
    pub fn seal_text(&self, org: Org, connection: Uuid, text: &SecretString, ids: &Ids) -> Result<Vec<u8>> {
        let nonce = ids.secret();
        let nonce: [u8; NONCE_BYTES] = nonce
            .get(..NONCE_BYTES)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| internal("a short nonce"))?;
        let bound = bound_to(org, connection);
        let payload = Payload { msg: text.expose_secret().as_bytes(), aad: &bound };
        let mut bytes = nonce.to_vec();
        let sealed = self.cipher()?.encrypt(&XNonce::from(nonce), payload);
        bytes.extend(sealed.map_err(|_| internal("the tokens could not be sealed"))?);
        Ok(bytes)
    }

    /// Opens what [`Vault::seal_text`] made for this very connection.
    pub fn open_text(&self, org: Org, connection: Uuid, sealed: &[u8]) -> Result<SecretString> {
        let (nonce, text) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(wrong_key)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| wrong_key())?;
        let bound = bound_to(org, connection);
        let payload = Payload { msg: text, aad: &bound };
        let text = self.cipher()?.decrypt(&XNonce::from(nonce), payload).map_err(|_| wrong_key())?;
        String::from_utf8(text).map(SecretString::from).map_err(|_| wrong_key())
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305> {
        XChaCha20Poly1305::new_from_slice(self.key.expose_secret()).map_err(internal)
    }
}

fn wrong_key() -> crate::error::Error {
    invalid("the connection's tokens cannot be opened with this process's key").hint(format!(
        "set {VARIABLE} or sync.key_file to the key that it was connected with, or connect again"
    ))
}

/// What sealed tokens are good for: nobody can move them to another connection.
fn bound_to(org: Org, connection: Uuid) -> Vec<u8> {
    [b"opstables connection".as_slice(), org.0.as_bytes(), connection.as_bytes()].concat()
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn refuse_readable(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(internal)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(invalid(format!("others may read the key file `{}`", path.display()))
                .hint(format!("`chmod 600 {}`", path.display())));
        }
    }
    Ok(())
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_open_only_for_their_connection_with_their_key() {
        let vault = Vault::with_key(&"ab".repeat(32)).unwrap();
        let (org, id) = (Org(Uuid::from_u128(1)), Uuid::from_u128(2));
        let oauth = OAuth {
            client_id: "c".to_owned(),
            client_secret: "s".to_owned().into(),
            refresh: "r".to_owned().into(),
        };
        let secrets = Secrets { access: "token".to_owned().into(), oauth: Some(oauth) };
        let sealed = vault.seal(org, id, &secrets, &Ids::Random).unwrap();
        assert!(!sealed.windows(5).any(|bytes| bytes == b"token"));
        let opened = vault.open(org, id, &sealed).unwrap();
        assert_eq!(opened.access.expose_secret(), "token");
        assert_eq!(opened.oauth.unwrap().refresh.expose_secret(), "r");
        assert!(vault.open(Org(id), id, &sealed).is_err());
        assert!(vault.open(org, org.0, &sealed).is_err());
        assert!(Vault::with_key(&"cd".repeat(32)).unwrap().open(org, id, &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(vault.open(org, id, &changed).is_err());
        }
        assert!(
            !format!("{vault:?} {opened:?}", opened = vault.open(org, id, &sealed).unwrap())
                .contains("token")
        );
    }

    #[test]
    fn a_key_file_is_made_once_and_kept_from_others() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("deep/key");
        let (org, id) = (Org(Uuid::from_u128(1)), Uuid::from_u128(2));
        let secrets = Secrets { access: "token".to_owned().into(), oauth: None };
        let sealed =
            Vault::of_file(&path, &Ids::Random).unwrap().seal(org, id, &secrets, &Ids::Random).unwrap();
        assert!(Vault::of_file(&path, &Ids::Random).unwrap().open(org, id, &sealed).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert!(Vault::of_file(&path, &Ids::Random).unwrap_err().message.contains("others may read"));
        }
        assert!(Vault::with_key("short").is_err());
    }
}
