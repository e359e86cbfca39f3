//! Connections for tests: as `opstables connect` leaves them, without the call to a CRM that it takes.

use chrono::{DateTime, Utc};
use opstables::store::{ConnectionRow, connections, organizations};
use opstables::tables::System;
use secrecy::SecretString;

use opstables::sync::vault::Secrets;

use crate::harness::Bench;

/// Connects the organization to a CRM with a token.
pub(crate) async fn connect(t: &Bench, system: System, token: &str) {
    let secrets = Secrets { access: SecretString::from(token.to_owned()), oauth: None };
    connect_with(t, system, &secrets, None).await;
}

/// Connects the organization to a CRM with tokens that end at some time.
pub(crate) async fn connect_with(t: &Bench, system: System, secrets: &Secrets, ends: Option<DateTime<Utc>>) {
    let services = &t.app.services;
    let (now, id) = (services.clock.now(), services.ids.next());
    let vault = services.sync.vault().expect("a key");
    let row = ConnectionRow {
        writer: Some("50780459".to_owned()),
        tokens: vault.seal(t.org, id, secrets, &services.ids).expect("sealed tokens"),
        tokens_expire_at: ends,
        ..ConnectionRow::active(system.name(), id, ("1", "Test"), now)
    };
    let mut tx = services.store.begin().await.expect("a transaction");
    connections::put(&mut tx, t.org, &row).await.expect("a connection");
    organizations::bump(&mut tx, t.org).await.expect("a new version");
    tx.commit().await.expect("a commit");
}
