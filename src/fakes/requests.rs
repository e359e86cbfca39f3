//! What was asked of a stand-in.

use sha2::{Digest, Sha256};

/// A request as it is remembered: enough to tell what was done and how often, no token and no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it came in, in milliseconds by the stand-in's clock.
    pub at_ms: i64,
    pub method: String,
    /// Without its query.
    pub path: String,
    /// The account that its token is of.
    pub account: Option<String>,
    /// The first characters of a hash of its token.
    pub token: Option<String>,
    /// The records that it made or changed.
    pub records: Vec<String>,
    /// The trace ids of the rows that it brought.
    pub traces: Vec<String>,
    /// What was answered; none when the connection was cut instead.
    pub status: Option<u16>,
    /// Whether it was worked on, though its answer may have been lost.
    pub done: bool,
    /// It came before the wait was over that an earlier refusal asked for.
    pub early: bool,
}

/// What tells tokens apart without giving them away.
pub(super) fn fingerprint(token: &str) -> String {
    hex::encode(Sha256::digest(token)).chars().take(16).collect()
}
