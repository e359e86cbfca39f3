//! Idempotency keys: the same key with the same arguments gives the first result again and does nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::confirm::call_digest;
use super::ctx::Ctx;
use crate::error::{Result, conflict, internal, invalid};
use crate::store::{Tx, idempotency};

/// A key taken for the current call; its result is kept with it in the same transaction.
#[derive(Debug)]
pub struct Once {
    key: Option<String>,
    who: String,
}

/// Whether a call is the first with its key.
#[derive(Debug)]
pub enum Claim<T> {
    First(Once),
    /// The key was used before, for the same call: its result.
    Again(T),
}

/// Takes the key of a call, when it has one.
pub async fn claim<T: DeserializeOwned>(
    tx: &mut Tx,
    ctx: &Ctx,
    tool: &str,
    key: Option<&str>,
    arguments: &Json,
) -> Result<Claim<T>> {
    let who = ctx.actor.short();
    let Some(key) = key else { return Ok(Claim::First(Once { key: None, who })) };
    if key.is_empty() || key.len() > 128 || key.contains(char::is_control) {
        return Err(invalid("an idempotency key has 1 to 128 visible characters")
            .at("idempotency_key")
            .hint("a UUID made for this call will do"));
    }
    let digest = call_digest(tool, arguments);
    if idempotency::take(tx, ctx.org, &who, key, &digest, ctx.services.clock.now()).await? {
        return Ok(Claim::First(Once { key: Some(key.to_owned()), who }));
    }
    match idempotency::get(tx, ctx.org, &who, key).await? {
        Some(known) if known.digest == digest => {
            serde_json::from_value(known.result.0).map(Claim::Again).map_err(internal)
        }
        _ => Err(conflict("this idempotency key was used before with other arguments")
            .at("idempotency_key")
            .hint("use a new key for a new call, or repeat the first call exactly")),
    }
}

impl Once {
    /// Keeps the result for calls that repeat the key.
    pub async fn finish<T: Serialize>(&self, tx: &mut Tx, ctx: &Ctx, result: &T) -> Result<()> {
        let Some(key) = &self.key else { return Ok(()) };
        let result = serde_json::to_value(result).map_err(internal)?;
        idempotency::finish(tx, ctx.org, &self.who, key, &result).await
    }
}
