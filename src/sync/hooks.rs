//! The secrets that a connection's webhooks are signed with: the newest and the one before it, so that neither side must
//! change at the same moment.

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::access::not_connected;
use super::engine::Engine;
use super::registration::{self, App, Registration};
use crate::error::{Result, conflict, internal};
use crate::store::{Org, Tx, connections, hooks};
use crate::tables::System;

/// How many secrets are valid at once.
const KEPT: usize = 2;

/// Sets up the webhooks of a connection, and keeps what they are signed with.
pub async fn set_up(
    engine: &Engine,
    org: Org,
    system: System,
    public_url: &str,
    app: Option<&App>,
    replace: bool,
) -> Result<Registration> {
    // `Attio` tells the secret of a webhook once: one whose secret is not known here tells nobody anything.
    let replace = replace || (system == System::Attio && !has_secret(engine, org, system).await?);
    let registration = registration::register(engine, org, system, public_url, app, replace).await?;
    if let Some(secret) = &registration.secret {
        keep_secret(engine, (org, system), registration.connection, secret).await?;
    }
    Ok(registration)
}

/// Whether a secret is kept that can be read.
pub async fn has_secret(engine: &Engine, org: Org, system: System) -> Result<bool> {
    let mut tx = engine.store.read().await?;
    let row = connections::get(&mut tx, org, system.name(), false).await?;
    let id = row.ok_or_else(|| not_connected(system))?.id;
    Ok(secrets(engine, &mut tx, (org, system), id).await.is_ok_and(|known| !known.is_empty()))
}

/// Keeps a connection's newest secret.
pub async fn keep_secret(
    engine: &Engine,
    (org, system): (Org, System),
    connection: Uuid,
    secret: &SecretString,
) -> Result<()> {
    let mut tx = engine.store.begin().await?;
    let row = connections::get(&mut tx, org, system.name(), true).await?;
    // Another account may have taken its place while the CRM was asked.
    if row.ok_or_else(|| not_connected(system))?.id != connection {
        return Err(conflict(format!("{} was connected anew meanwhile", system.label())).hint("repeat it"));
    }
    add_secret(engine, &mut tx, (org, system), connection, secret).await?;
    tx.commit().await
}

/// The valid secrets, the newest first; none while no webhooks are set up.
pub(super) async fn secrets(
    engine: &Engine,
    tx: &mut Tx,
    (org, system): (Org, System),
    connection: Uuid,
) -> Result<Vec<SecretString>> {
    let Some(row) = hooks::get(tx, org, system.name()).await? else { return Ok(Vec::new()) };
    if row.secrets.is_empty() {
        return Ok(Vec::new());
    }
    let text = engine.vault()?.open_text(org, connection, &row.secrets)?;
    let known: Vec<String> = serde_json::from_str(text.expose_secret()).map_err(internal)?;
    Ok(known.into_iter().map(SecretString::from).collect())
}

/// Makes a secret the newest valid one. The one before it stays valid.
pub async fn add_secret(
    engine: &Engine,
    tx: &mut Tx,
    (org, system): (Org, System),
    connection: Uuid,
    secret: &SecretString,
) -> Result<()> {
    // What another key sealed is nobody's secret any more.
    let known = secrets(engine, tx, (org, system), connection).await.unwrap_or_default();
    let others =
        known.iter().map(ExposeSecret::expose_secret).filter(|other| *other != secret.expose_secret());
    let valid: Vec<&str> = std::iter::once(secret.expose_secret()).chain(others).take(KEPT).collect();
    let text = SecretString::from(serde_json::to_string(&valid).map_err(internal)?);
    let sealed = engine.vault()?.seal_text(org, connection, &text, &engine.ids)?;
    hooks::set_secrets(tx, org, system.name(), sealed).await
}
