//! Confirmations: a large change first answers with a preview and a token, and happens when the token comes
//! back with the same arguments while the rows are still the same.
//!
//! A model can repeat a `confirm: true`; it cannot make a token. What a token proves is that the same caller
//! saw the preview of exactly this change — not that a person looked.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ctx::Ctx;
use crate::error::{Result, conflict, invalid};
use crate::records::{Stored, open, seal};
use crate::tables::Catalog;

/// How long a preview can be confirmed.
const VALID_MS: i64 = 10 * 60 * 1_000;
const PURPOSE: &str = "confirm";

/// What a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// A digest of the tool and its arguments.
    call: String,
    /// A digest of the rows and their versions.
    rows: String,
    who: String,
    until_ms: i64,
}

impl Bound {
    /// Binds this call to these rows as they are now.
    pub fn new(ctx: &Ctx, tool: &str, arguments: &Json, rows: &[Stored]) -> Bound {
        let versions = rows.iter().map(|row| {
            let (ms, ctr) = row.newest();
            (row.head.id, ms, ctr)
        });
        Bound::of(ctx, tool, arguments, versions)
    }

    /// Binds this call to whatever stands under these ids in these versions.
    pub fn of(
        ctx: &Ctx,
        tool: &str,
        arguments: &Json,
        versions: impl Iterator<Item = (Uuid, i64, i64)>,
    ) -> Bound {
        let mut digest = Sha256::new();
        for (id, ms, ctr) in versions {
            digest.update(id.as_bytes());
            digest.update(ms.to_be_bytes());
            digest.update(ctr.to_be_bytes());
        }
        Bound {
            call: call_digest(tool, arguments),
            rows: hex::encode(digest.finalize()),
            who: ctx.actor.short(),
            until_ms: ctx.services.clock.now_ms() + VALID_MS,
        }
    }

    pub fn token(&self, catalog: &Catalog) -> Result<String> {
        let payload = serde_json::to_string(self).map_err(crate::error::internal)?;
        Ok(seal(&catalog.key, PURPOSE, &payload))
    }

    /// Checks that `token` was given for just this.
    pub fn check(&self, catalog: &Catalog, now_ms: i64, token: &str) -> Result<()> {
        let again = "call again without confirm to get a new preview and token";
        let given: Option<Bound> =
            open(&catalog.key, PURPOSE, token).and_then(|payload| serde_json::from_str(&payload).ok());
        let Some(given) = given else {
            return Err(invalid("this is not a confirmation token of this organization")
                .at("confirm")
                .hint(again));
        };
        if given.until_ms < now_ms {
            return Err(invalid("the confirmation token has expired").at("confirm").hint(again));
        }
        if given.call != self.call || given.who != self.who {
            return Err(invalid("the confirmation token was given for another call")
                .at("confirm")
                .hint(again));
        }
        if given.rows != self.rows {
            return Err(conflict("the rows have changed since the preview").at("confirm").hint(again));
        }
        Ok(())
    }
}

/// A digest of a tool's call, whatever the order of its arguments.
pub fn call_digest(tool: &str, arguments: &Json) -> String {
    let mut digest = Sha256::new();
    digest.update(tool.as_bytes());
    feed(&mut digest, arguments);
    hex::encode(digest.finalize())
}

fn feed(digest: &mut Sha256, value: &Json) {
    match value {
        Json::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            digest.update(b"{");
            for key in keys {
                digest.update(format!("{key:?}:"));
                feed(digest, object.get(key).unwrap_or(&Json::Null));
            }
            digest.update(b"}");
        }
        Json::Array(items) => {
            digest.update(b"[");
            for item in items {
                feed(digest, item);
            }
            digest.update(b"]");
        }
        other => digest.update(format!("{other},")),
    }
}
