//! The right to call a CRM for an organization: its token, fresh, and what the CRM said of its properties.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use secrecy::SecretString;
use uuid::Uuid;

use super::crm::{Grant, Property};
use super::engine::Engine;
use super::fault::{Class, Fault};
use super::vault::OAuth;
use crate::error::{Result, not_found};
use crate::store::{ConnectionRow, Org, connections};
use crate::tables::System;

/// How long before its end a token is replaced: longer than any call takes.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// What calls for a connection are made with.
pub(super) struct Access {
    pub(super) system: System,
    pub(super) token: SecretString,
    /// Who our writes are said to be by at the CRM.
    pub(super) writer: Option<String>,
    /// Whether a refused token can be replaced: there is a refresh token, and this one is not quite new.
    pub(super) can_refresh: bool,
    /// The properties of each object.
    pub(super) properties: BTreeMap<String, Vec<Property>>,
}

/// The access of a connection. A token that is about to end is replaced first, by one process at a time: the others wait and
/// take the new one, for the old refresh token is void once it was used.
pub(super) async fn access(engine: &Engine, org: Org, system: System) -> Result<Result<Access, Fault>> {
    let row = {
        let mut tx = engine.store.read().await?;
        connections::get(&mut tx, org, system.name(), false).await?
    };
    let row = row.ok_or_else(|| not_connected(system))?;
    let secrets = engine.vault()?.open(org, row.id, &row.tokens)?;
    let ends = row.tokens_expire_at.filter(|ends| *ends <= engine.clock.now() + MARGIN);
    match (ends, secrets.oauth) {
        (Some(_), Some(_)) => refresh(engine, org, system, row.id).await,
        (_, oauth) => Ok(Ok(of(&row, system, secrets.access, oauth.is_some()))),
    }
}

/// No connection of the organization to the CRM.
pub fn not_connected(system: System) -> crate::error::Error {
    not_found(format!("{} is not connected", system.label()))
        .hint(format!("`opstables connect {}` connects it", system.name()))
}

async fn refresh(engine: &Engine, org: Org, system: System, id: Uuid) -> Result<Result<Access, Fault>> {
    let Some(turn) = take_turn(engine, org, system).await? else {
        return Ok(Err(Fault {
            class: Class::Unavailable,
            message: "another process is replacing the token".to_owned(),
            correlation: None,
            retry_after_ms: Some(1_000),
            sent: false,
        }));
    };
    let secrets = engine.vault()?.open(org, id, &turn.tokens)?;
    let Some(oauth) = secrets
        .oauth
        .filter(|_| turn.tokens_expire_at.is_some_and(|ends| ends <= engine.clock.now() + MARGIN))
    else {
        return Ok(Ok(of(&turn, system, secrets.access, false)));
    };
    let grant = Grant {
        client_id: oauth.client_id.clone(),
        client_secret: oauth.client_secret.clone(),
        refresh: oauth.refresh.clone(),
    };
    let tokens = engine.client()?.refresh(system, &grant).await;
    let mut tx = engine.store.begin().await?;
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(fault) => {
            connections::release_refresh(&mut tx, org, system.name()).await?;
            tx.commit().await?;
            return Ok(Err(fault));
        }
    };
    let secrets = super::vault::Secrets {
        access: tokens.access.clone(),
        oauth: Some(OAuth { refresh: tokens.refresh.unwrap_or(oauth.refresh.clone()), ..oauth }),
    };
    let sealed = engine.vault()?.seal(org, id, &secrets, &engine.ids)?;
    let ends = tokens.lives_secs.and_then(|secs| i64::try_from(secs).ok());
    let ends = ends.map(|secs| engine.clock.now() + TimeDelta::seconds(secs));
    connections::set_tokens(&mut tx, org, system.name(), sealed, ends).await?;
    tx.commit().await?;
    Ok(Ok(of(&turn, system, tokens.access, false)))
}

/// The connection, for the one who replaces its token now. A process that died while it did is given up after a while.
async fn take_turn(engine: &Engine, org: Org, system: System) -> Result<Option<ConnectionRow>> {
    let now_ms = engine.clock.now_ms();
    let mut tx = engine.store.begin().await?;
    let row = connections::get(&mut tx, org, system.name(), true).await?;
    let row = row.ok_or_else(|| not_connected(system))?;
    let is_mine = connections::take_refresh(&mut tx, org, system.name(), now_ms, now_ms + 60_000).await?;
    tx.commit().await?;
    Ok(is_mine.then_some(row))
}

fn of(row: &ConnectionRow, system: System, token: SecretString, can_refresh: bool) -> Access {
    let properties = serde_json::from_value(row.properties.0.clone()).unwrap_or_default();
    Access { system, token, writer: row.writer.clone(), can_refresh, properties }
}
