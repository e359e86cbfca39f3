//! How a stand-in is set up.

use std::net::SocketAddr;

use secrecy::SecretString;

use super::accounts::AccountOptions;
use super::limits::Limits;
use crate::clock::Clock;

/// The settings of a stand-in; [`Options::hubspot`] and [`Options::attio`] have one account with the token
/// `test-token` and the limits that are documented.
#[derive(Debug, Clone)]
pub struct Options {
    pub clock: Clock,
    /// Where to listen; a free port of 127.0.0.1 when none.
    pub bind: Option<SocketAddr>,
    /// How far the CRM's clock is ahead of `clock`.
    pub skew_ms: i64,
    /// Decides every random choice: orders, faults, latencies, ids.
    pub seed: u64,
    pub limits: Limits,
    /// How long after a refusal requests still count as under way when it was given, and not as too early.
    pub grace_ms: i64,
    pub accounts: Vec<AccountOptions>,
    /// The app that authorization codes and refresh tokens are given to.
    pub client_id: String,
    pub client_secret: SecretString,
    /// What opens the administration of `HubSpot`'s apps: the key of the developer's account.
    pub developer_key: SecretString,
    /// How long access tokens live that were given for a code or a refresh token, by the stand-in's clock. None: for
    /// ever, and no refresh token comes with them, as documented for `Attio`.
    pub access_lives_secs: Option<i64>,
    /// Whether a refresh token is void once it was used, and its answer carries the next one.
    pub rotate_refresh_tokens: bool,
    /// How long `HubSpot`'s search does not yet see a change.
    pub search_lag_ms: i64,
    /// How long `Attio` takes for a merge: until then the new record is not readable.
    pub merge_ms: i64,
}

impl Options {
    pub fn hubspot(clock: Clock) -> Options {
        Options::new(
            clock,
            Limits::hubspot(),
            Some(1800),
            AccountOptions::new("62515", "Test portal", "test-token", "50780459"),
        )
    }

    pub fn attio(clock: Clock) -> Options {
        let account = AccountOptions::new(
            "14beef7a-99f7-4534-a87e-70b564330a4c",
            "Test workspace",
            "test-token",
            "5e0d1f3a-7c36-4a52-9a0b-8f6a4f1f7a11",
        );
        Options::new(clock, Limits::attio(), None, account)
    }

    fn new(clock: Clock, limits: Limits, access_lives_secs: Option<i64>, account: AccountOptions) -> Options {
        Options {
            clock,
            bind: None,
            skew_ms: 0,
            seed: 1,
            limits,
            grace_ms: 0,
            accounts: vec![account],
            client_id: "test-client".to_owned(),
            client_secret: SecretString::from("test-secret"),
            developer_key: SecretString::from("test-developer-key"),
            access_lives_secs,
            rotate_refresh_tokens: false,
            search_lag_ms: 0,
            merge_ms: 0,
        }
    }
}
