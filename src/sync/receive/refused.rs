//! Why a delivery or an event of one is not taken in.

use crate::error::{Error, busy, denied, invalid, not_found};

/// Why a delivery is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refused {
    /// No connection has this address.
    UnknownConnection,
    /// Where `HubSpot` reaches us is part of what it signs, and nobody has said it.
    NoPublicUrl,
    /// No secret of the connection is known.
    NoSecret,
    /// A header of the signature is missing, there twice, or not of its form.
    NotSigned,
    /// Signed for another time than now.
    Stale,
    BadSignature,
    /// Without a key a delivery cannot be told from its repetition.
    NoIdempotencyKey,
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// Genuine, and not of the form that the CRM documents.
    NotReadable,
    /// The server works on as many requests as it may.
    Busy,
    /// The database did not take it, or could not say whose connection it is.
    NotStored,
}

/// Why an event of a delivery is left out. The CRM is answered as if it were taken: it would send it again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeftOut {
    /// Of another account than the connection's.
    WrongAccount,
    /// Told to another app than the connection's.
    WrongApp,
    /// Of an object or a type that no table follows.
    NotFollowed,
}

impl Refused {
    /// As it is counted and logged.
    pub const fn name(self) -> &'static str {
        match self {
            Refused::UnknownConnection => "unknown_connection",
            Refused::NoPublicUrl => "no_public_url",
            Refused::NoSecret => "no_secret",
            Refused::NotSigned => "not_signed",
            Refused::Stale => "stale",
            Refused::BadSignature => "bad_signature",
            Refused::NoIdempotencyKey => "no_idempotency_key",
            Refused::TooLarge => "too_large",
            Refused::TooSlow => "too_slow",
            Refused::NotReadable => "not_readable",
            Refused::Busy => "busy",
            Refused::NotStored => "not_stored",
        }
    }

    /// What the sender is told. Whoever forges learns no more than that it did not work.
    pub fn error(self) -> Error {
        match self {
            Refused::UnknownConnection => not_found("there is no such webhook address"),
            Refused::NoPublicUrl => {
                busy("this server does not know its public URL, which is part of what HubSpot signs")
                    .hint("set http.public_url or OPSTABLES_PUBLIC_URL to the address that HubSpot calls")
            }
            Refused::NoSecret | Refused::NotSigned | Refused::Stale | Refused::BadSignature => {
                denied("the delivery is not signed as it must be")
            }
            Refused::NoIdempotencyKey => invalid("the header `Idempotency-Key` must be there once"),
            Refused::TooLarge => invalid("the body is too long"),
            Refused::TooSlow => invalid("the body did not come in time"),
            Refused::NotReadable => invalid("the body is not a delivery of events"),
            Refused::Busy => busy("the server is at its limit"),
            Refused::NotStored => busy("the delivery could not be kept"),
        }
    }
}

impl LeftOut {
    /// As it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            LeftOut::WrongAccount => "wrong_account",
            LeftOut::WrongApp => "wrong_app",
            LeftOut::NotFollowed => "not_followed",
        }
    }
}
