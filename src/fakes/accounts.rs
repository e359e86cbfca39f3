//! The accounts of a stand-in and the tokens that open them.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};

use super::dice::Dice;
use super::options::Options;
use super::requests::fingerprint;
use super::time::SECOND_MS;

/// An account: a portal at `HubSpot`, a workspace at `Attio`.
#[derive(Debug, Clone)]
pub struct AccountOptions {
    /// A number at `HubSpot`, a UUID at `Attio`.
    pub id: String,
    pub name: String,
    /// A token that does not expire: a private app's or service key's, a workspace's API key.
    pub token: SecretString,
    /// What a person's own edits come with over the wire: they stand for those on the CRM's pages, and no limit counts them.
    pub person: Option<SecretString>,
    /// Who writes with the account's tokens: `HubSpot`'s appId (a number), `Attio`'s token or app id.
    pub writer: String,
}

impl AccountOptions {
    pub fn new(id: &str, name: &str, token: &str, writer: &str) -> AccountOptions {
        AccountOptions {
            id: id.to_owned(),
            name: name.to_owned(),
            token: SecretString::from(token),
            person: None,
            writer: writer.to_owned(),
        }
    }
}

/// Who may come in: tokens are kept as fingerprints only.
#[derive(Debug)]
pub(super) struct Doorkeeper {
    client_id: String,
    client_secret: SecretString,
    lives_secs: Option<i64>,
    rotates: bool,
    access: HashMap<String, Bearer>,
    refresh: HashMap<String, usize>,
    codes: HashMap<String, usize>,
    refreshes: u64,
}

/// What an access token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    /// The account's place among the accounts.
    pub(super) account: usize,
    pub(super) expires_ms: Option<i64>,
    /// Given by the OAuth flow, not made in the account's settings.
    pub(super) by_flow: bool,
    /// A person's, not an app's.
    pub(super) is_person: bool,
}

/// New tokens, in the clear, once.
pub(super) struct Issued {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) lives_secs: Option<i64>,
    pub(super) account: usize,
}

/// Why no tokens are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    Client,
    Grant,
    Code,
    Refresh,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    Unknown,
    Expired { at_ms: i64 },
}

impl Doorkeeper {
    pub(super) fn new(options: &Options) -> Doorkeeper {
        let standing = |(account, given): (usize, &AccountOptions)| {
            let app = Bearer { account, expires_ms: None, by_flow: false, is_person: false };
            let person = given.person.as_ref();
            let person = person.map(|token| (token, Bearer { is_person: true, ..app.clone() }));
            std::iter::once((&given.token, app))
                .chain(person)
                .map(|(token, bearer)| (fingerprint(token.expose_secret()), bearer))
                .collect::<Vec<_>>()
        };
        Doorkeeper {
            client_id: options.client_id.clone(),
            client_secret: options.client_secret.clone(),
            lives_secs: options.access_lives_secs,
            rotates: options.rotate_refresh_tokens,
            access: options.accounts.iter().enumerate().flat_map(standing).collect(),
            refresh: HashMap::new(),
            codes: HashMap::new(),
            refreshes: 0,
        }
    }

    pub(super) fn bearer(&self, token: Option<&str>, now: i64) -> Result<Bearer, Stranger> {
        let known = token.and_then(|token| self.access.get(&fingerprint(token))).ok_or(Stranger::Unknown)?;
        match known.expires_ms {
            Some(at_ms) if at_ms <= now => Err(Stranger::Expired { at_ms }),
            _ => Ok(known.clone()),
        }
    }

    /// The account that a refresh token is of.
    pub(super) fn refreshable(&self, token: &str) -> Option<usize> {
        self.refresh.get(&fingerprint(token)).copied()
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(super) fn is_client(&self, id: &str, secret: &str) -> bool {
        id == self.client_id && secret == self.client_secret.expose_secret()
    }

    /// How often tokens were given for a refresh token.
    pub(super) fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// What a person does on the consent screen: a code that is good once.
    pub(super) fn authorize(&mut self, account: usize, dice: &mut Dice) -> String {
        let code = dice.uuid().to_string();
        self.codes.insert(fingerprint(&code), account);
        code
    }

    /// What a person does by uninstalling the app: every token of the account is void.
    pub(super) fn revoke(&mut self, account: usize) {
        self.access.retain(|_, bearer| bearer.account != account);
        self.refresh.retain(|_, owner| *owner != account);
        self.codes.retain(|_, owner| *owner != account);
    }

    pub(super) fn forget_refresh(&mut self, token: &str) -> bool {
        self.refresh.remove(&fingerprint(token)).is_some()
    }

    /// Tokens for the form of a token request.
    pub(super) fn exchange(
        &mut self,
        form: &HashMap<String, String>,
        now: i64,
        dice: &mut Dice,
    ) -> Result<Issued, Denied> {
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if !self.is_client(field("client_id"), field("client_secret")) {
            return Err(Denied::Client);
        }
        match field("grant_type") {
            "authorization_code" => {
                let account = self.codes.remove(&fingerprint(field("code"))).ok_or(Denied::Code)?;
                let refresh = self.lives_secs.is_some().then(|| self.new_refresh(account, dice));
                Ok(self.issue(account, refresh, now, dice))
            }
            "refresh_token" => {
                let given = field("refresh_token");
                let account = self.refreshable(given).ok_or(Denied::Refresh)?;
                self.refreshes += 1;
                if !self.rotates {
                    return Ok(self.issue(account, Some(given.to_owned()), now, dice));
                }
                self.forget_refresh(given);
                let refresh = self.new_refresh(account, dice);
                Ok(self.issue(account, Some(refresh), now, dice))
            }
            _ => Err(Denied::Grant),
        }
    }

    fn new_refresh(&mut self, account: usize, dice: &mut Dice) -> String {
        let token = format!("refresh-{}", dice.uuid());
        self.refresh.insert(fingerprint(&token), account);
        token
    }

    fn issue(&mut self, account: usize, refresh: Option<String>, now: i64, dice: &mut Dice) -> Issued {
        let access = format!("access-{}", dice.uuid());
        let expires_ms = self.lives_secs.map(|secs| now + secs * SECOND_MS);
        self.access
            .insert(fingerprint(&access), Bearer { account, expires_ms, by_flow: true, is_person: false });
        Issued { access, refresh, lives_secs: self.lives_secs, account }
    }
}
