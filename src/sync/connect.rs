//! Connecting an organization to its account at a CRM, and what becomes of the connection later.
//!
//! A call to the CRM comes first and a transaction after it: nothing waits for a CRM while it holds a row. Connecting to the
//! same account again replaces the tokens and keeps everything else.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::access::access;
pub use super::access::not_connected;
use super::crm::{Account, Grant};
use super::decide;
use super::engine::Engine;
use super::fault::{Class, Fault};
use super::mapping::{self, Described, Finding, Wish};
use super::vault::{OAuth, Secrets};
use crate::error::{Error, Result, busy, conflict, denied, internal, invalid};
use crate::records::{self, Action, Actor, ActorKind, Change, Edit, Source, Target, queue_of};
use crate::store::{ConnectionRow, Org, Tx, connections, hooks, inbox, links, organizations, polls, queue};
use crate::tables::{Access, Catalog, CatalogTable, MappingEdit, Object, System, Value, mapping_edits};

/// What a person brings to connect an account.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A private app's or service key's token, or an API key: it does not expire.
    Token(SecretString),
    /// An OAuth app's, with a refresh token of the account.
    OAuth { client_id: String, client_secret: SecretString, refresh: SecretString },
}

/// What a person decides when they connect.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decisions {
    /// Connect even though another account was connected: what was linked to its records is no longer linked.
    pub replace: bool,
    /// Whether rows made from now on become records there; as before, or yes, when they do not say.
    pub creates: Option<bool>,
}

/// A connection that was made or renewed.
#[derive(Debug, Clone)]
pub struct Connected {
    pub account: Account,
    /// Whether the organization was connected to this very account before.
    pub was_connected: bool,
    pub creates: bool,
    /// The columns that are kept in step, as `contacts.email`.
    pub columns: usize,
    /// The declared columns that the account leaves out, with the reasons.
    pub left_out: Vec<MappingEdit>,
    /// What is not sent to the account, with the reasons.
    pub not_sent: Vec<(Object, String)>,
    pub findings: Vec<Finding>,
}

/// What the CRM said of an account.
#[derive(Debug, Clone)]
pub struct Looked {
    pub account: Account,
    pub properties: Described,
}

/// What was forgotten with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows that had a record.
    pub linked: u64,
    /// Rows whose changes had not arrived.
    pub unsent: u64,
}

/// Connects an organization to the account that the credentials open.
pub async fn connect(
    engine: &Engine,
    org: Org,
    system: System,
    credentials: &Credentials,
    decisions: Decisions,
) -> Result<Connected> {
    // A key that cannot be read is a reason not to begin.
    engine.vault()?;
    let (secrets, ends) = secrets(engine, system, credentials).await?;
    let client = engine.client()?;
    let refused = |fault: Fault| refused(system, &fault);
    let account = client.account(system, &secrets.access).await.map_err(refused)?;
    {
        let mut tx = engine.store.read().await?;
        let before = connections::get(&mut tx, org, system.name(), false).await?;
        refuse_another(before.as_ref(), system, &account, decisions)?;
    }
    let mut left_out = Vec::new();
    for &object in Object::ALL {
        match client.prepare(system, &secrets.access, object).await {
            // The columns of what may not be sent are left out.
            Err(fault) if is_optional(object, &fault) => left_out.push((object, fault.message)),
            prepared => prepared.map_err(|fault| unprepared(system, object, &fault))?,
        }
    }
    let properties = describe(engine, system, &secrets.access, &mut left_out).await?.map_err(refused)?;
    let looked = Looked { account, properties };
    let connected = keep(engine, org, system, looked, (&secrets, ends), decisions).await?;
    Ok(Connected { not_sent: left_out, ..connected })
}

/// Stores a connection to the account that was looked at.
pub async fn keep(
    engine: &Engine,
    org: Org,
    system: System,
    looked: Looked,
    (secrets, ends): (&Secrets, Option<DateTime<Utc>>),
    decisions: Decisions,
) -> Result<Connected> {
    let now = engine.clock.now();
    let (mut tx, catalog) = engine.catalogs.begin(&engine.store, org, now).await?;
    organizations::bump(&mut tx, org).await?;
    let before = connections::get(&mut tx, org, system.name(), true).await?;
    refuse_another(before.as_ref(), system, &looked.account, decisions)?;
    let same = before.as_ref().filter(|before| before.account == looked.account.id);
    if before.is_some() && same.is_none() {
        forget(engine, &mut tx, &catalog, system).await?;
    }
    let id = same.map_or_else(|| engine.ids.next(), |same| same.id);
    let edits = same.map(mapping_edits).unwrap_or_default();
    let edits = mapping::renewed(system, &catalog.tables, &looked.properties, &edits);
    let account = (looked.account.id.as_str(), looked.account.name.as_str());
    let row = ConnectionRow {
        writer: looked.account.writer.clone(),
        tokens: engine.vault()?.seal(org, id, secrets, &engine.ids)?,
        tokens_expire_at: ends,
        creates: decisions.creates.or(same.map(|same| same.creates)).unwrap_or(true),
        mapping: SqlJson(serde_json::to_value(&edits).map_err(internal)?),
        properties: SqlJson(serde_json::to_value(&looked.properties).map_err(internal)?),
        connected_at: same.map_or(now, |same| same.connected_at),
        last_success_at: same.and_then(|same| same.last_success_at),
        ..ConnectionRow::active(system.name(), id, account, now)
    };
    connections::put(&mut tx, org, &row).await?;
    tx.commit().await?;
    engine.wake();
    // Read back: a catalog loaded before the commit would be kept even if the commit failed.
    let (_, catalog) = engine.catalogs.read(&engine.store, org, now).await?;
    Ok(Connected {
        was_connected: same.is_some(),
        creates: row.creates,
        columns: catalog.connection(system).map_or(0, |connection| connection.fields.len()),
        not_sent: Vec::new(),
        left_out: edits.into_iter().filter(|edit| edit.reason.is_some()).collect(),
        findings: mapping::findings(system, &catalog, &looked.properties),
        account: looked.account,
    })
}

/// What disconnecting would forget.
pub async fn at_stake(engine: &Engine, org: Org, system: System) -> Result<Forgotten> {
    let mut tx = engine.store.read().await?;
    if connections::get(&mut tx, org, system.name(), false).await?.is_none() {
        return Err(not_connected(system));
    }
    let linked = links::counts(&mut tx, org, system.name()).await?;
    let lines = queue::counts(&mut tx, org, queue_of(system)).await?;
    let unsent = lines.iter().filter(|count| count.state != "done").map(|count| count.lines);
    let whole = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Forgotten { linked: whole(linked.iter().map(|(_, rows)| rows).sum()), unsent: whole(unsent.sum()) })
}

/// Forgets a connection with its tokens, its links and what was still to be sent. The rows and the lost edits stay.
pub async fn disconnect(engine: &Engine, org: Org, system: System) -> Result<Forgotten> {
    let now = engine.clock.now();
    let (mut tx, catalog) = engine.catalogs.begin(&engine.store, org, now).await?;
    organizations::bump(&mut tx, org).await?;
    if !connections::remove(&mut tx, org, system.name()).await? {
        return Err(not_connected(system));
    }
    let forgotten = forget(engine, &mut tx, &catalog, system).await?;
    tx.commit().await?;
    Ok(forgotten)
}

/// Stops all calls for a connection, or lets them go on; whether that is a change. What is written meanwhile waits.
pub async fn set_paused(engine: &Engine, org: Org, system: System, paused: bool) -> Result<bool> {
    let mut tx = engine.store.begin().await?;
    let done = set_paused_in(&mut tx, org, system, paused).await?;
    tx.commit().await?;
    engine.wake();
    Ok(done)
}

/// The same in the caller's transaction.
pub async fn set_paused_in(tx: &mut Tx, org: Org, system: System, paused: bool) -> Result<bool> {
    let row = connections::get(tx, org, system.name(), true).await?.ok_or_else(|| not_connected(system))?;
    let (state, reason) = if paused { ("paused", Some("a person paused it")) } else { ("active", None) };
    if row.state == "broken" {
        let why = row.reason.unwrap_or_default();
        return Err(conflict(format!("the connection to {} is broken: {why}", system.label()))
            .at("system")
            .hint(format!("`opstables connect {}` with a new token repairs it", system.name())));
    }
    if row.state == state {
        return Ok(false);
    }
    connections::set_state(tx, org, system.name(), state, reason).await?;
    Ok(true)
}

/// Reads the account's properties again, and works out again which columns it leaves out.
pub async fn refresh_schema(engine: &Engine, org: Org, system: System) -> Result<Vec<Finding>> {
    let refused = |fault: Fault| refused(system, &fault);
    let access = access(engine, org, system).await?.map_err(refused)?;
    // What could not be written when it was connected can be only by connecting again.
    let left_out = Object::ALL.iter().filter(|object| !access.properties.contains_key(object.name()));
    let mut left_out = left_out.map(|object| (*object, String::new())).collect();
    let described = describe(engine, system, &access.token, &mut left_out).await?.map_err(refused)?;
    let now = engine.clock.now();
    let (mut tx, catalog) = engine.catalogs.begin(&engine.store, org, now).await?;
    organizations::bump(&mut tx, org).await?;
    let row = connections::get(&mut tx, org, system.name(), true).await?;
    let row = row.ok_or_else(|| not_connected(system))?;
    let edits = mapping::renewed(system, &catalog.tables, &described, &mapping_edits(&row));
    set_mapping(&mut tx, org, system, &edits).await?;
    let properties = serde_json::to_value(&described).map_err(internal)?;
    connections::set_properties(&mut tx, org, system.name(), properties, now).await?;
    tx.commit().await?;
    let (_, catalog) = engine.catalogs.read(&engine.store, org, now).await?;
    Ok(mapping::findings(system, &catalog, &described))
}

/// Maps a column as the organization wishes. What it holds is sent with the next edit of a row, not at once: what the CRM
/// has there is not known yet. Another policy decides the column's open conflicts anew; how many rows have another value
/// by it.
pub async fn map(
    engine: &Engine,
    org: Org,
    system: System,
    column: (&str, &str),
    wish: &Wish,
) -> Result<usize> {
    let (mut tx, catalog) = engine.catalogs.begin(&engine.store, org, engine.clock.now()).await?;
    organizations::bump(&mut tx, org).await?;
    let row = connections::get(&mut tx, org, system.name(), true).await?;
    let row = row.ok_or_else(|| not_connected(system))?;
    let edits = mapping::edit(system, &catalog.tables, &described(&row), &mapping_edits(&row), column, wish)?;
    set_mapping(&mut tx, org, system, &edits).await?;
    tx.commit().await?;
    if matches!(wish, Wish::Policy(_)) { decide::anew(engine, org, column).await } else { Ok(0) }
}

/// What the CRM said of the properties of a connection's account.
pub fn described(row: &ConnectionRow) -> Described {
    serde_json::from_value(row.properties.0.clone()).unwrap_or_default()
}

async fn set_mapping(tx: &mut Tx, org: Org, system: System, edits: &[MappingEdit]) -> Result<()> {
    let mapping = serde_json::to_value(edits).map_err(internal)?;
    connections::set_mapping(tx, org, system.name(), mapping).await
}

/// The tokens that the credentials are or give, and when they end.
async fn secrets(
    engine: &Engine,
    system: System,
    credentials: &Credentials,
) -> Result<(Secrets, Option<DateTime<Utc>>)> {
    let (client_id, client_secret, refresh) = match credentials {
        Credentials::Token(token) => return Ok((Secrets { access: token.clone(), oauth: None }, None)),
        Credentials::OAuth { client_id, client_secret, refresh } => (client_id, client_secret, refresh),
    };
    let grant = Grant {
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        refresh: refresh.clone(),
    };
    let tokens = engine.client()?.refresh(system, &grant).await.map_err(|fault| refused(system, &fault))?;
    let oauth = OAuth {
        client_id: grant.client_id,
        client_secret: grant.client_secret,
        refresh: tokens.refresh.unwrap_or(grant.refresh),
    };
    let lives = tokens.lives_secs.and_then(|secs| i64::try_from(secs).ok()).and_then(TimeDelta::try_seconds);
    let ends = lives.map(|lives| engine.clock.now() + lives);
    Ok((Secrets { access: tokens.access, oauth: Some(oauth) }, ends))
}

async fn describe(
    engine: &Engine,
    system: System,
    token: &SecretString,
    left_out: &mut Vec<(Object, String)>,
) -> Result<Result<Described, Fault>> {
    let mut described = BTreeMap::new();
    for &object in Object::ALL {
        if left_out.iter().any(|(left_out, _)| *left_out == object) {
            continue;
        }
        match engine.client()?.properties(system, token, object).await {
            Ok(properties) => drop(described.insert(object.name().to_owned(), properties)),
            Err(fault) if is_optional(object, &fault) => left_out.push((object, fault.message)),
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok(described))
}

/// Whether an account can be worked with in which this object cannot: what is only sent need not be.
fn is_optional(object: Object, fault: &Fault) -> bool {
    !object.is_read() && matches!(fault.class, Class::Forbidden | Class::Missing | Class::Invalid)
}

/// Refuses to put another account in the place of the one that is connected, unless a person says so.
fn refuse_another(
    before: Option<&ConnectionRow>,
    system: System,
    account: &Account,
    decisions: Decisions,
) -> Result<()> {
    let Some(before) = before.filter(|before| before.account != account.id && !decisions.replace) else {
        return Ok(());
    };
    Err(conflict(format!(
        "this organization is connected to the {} account {} ({}), and the token is one of {} ({})",
        system.label(),
        before.account_name,
        before.account,
        account.name,
        account.id
    ))
    .hint("connect with --replace to forget which records of the other account the rows were"))
}

/// Forgets which records the rows were at a CRM, and what was to be sent there.
async fn forget(engine: &Engine, tx: &mut Tx, catalog: &Catalog, system: System) -> Result<Forgotten> {
    for &object in Object::ALL {
        if let Ok(table) = catalog.table(object.table()) {
            forget_ids(engine, tx, catalog, table, system).await?;
        }
    }
    let linked = links::remove_all(tx, catalog.org, system.name()).await?;
    let unsent = queue::clear(tx, catalog.org, queue_of(system)).await?;
    inbox::clear(tx, catalog.org, system.name()).await?;
    hooks::remove(tx, catalog.org, system.name()).await?;
    polls::remove(tx, catalog.org, system.name()).await?;
    Ok(Forgotten { linked, unsent })
}

/// Takes the records' ids out of the rows' own column for them: under the same id another account has somebody else.
async fn forget_ids(
    engine: &Engine,
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    system: System,
) -> Result<()> {
    let Some(place) = table.columns.iter().position(|column| column.access == Access::Synced) else {
        return Ok(());
    };
    let linked = links::of_table(tx, catalog.org, system.name(), table.key()).await?;
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    for chunk in linked.chunks(1_000) {
        let ids: Vec<Uuid> = chunk.iter().map(|(row, _)| *row).collect();
        let rows = records::lock(tx, catalog.org, table, &ids).await?;
        let named = rows.iter().filter(|row| {
            let record = chunk.iter().find(|(id, _)| *id == row.head.id).map(|(_, record)| record);
            let shown = row.values.get(place).and_then(Option::as_ref);
            row.head.archived.is_none()
                && matches!((shown, record), (Some(Value::Text(shown)), Some(record)) if shown == record)
        });
        let edits = named.enumerate().map(|(position, row)| Edit {
            target: Target::Existing(row.head.id),
            action: Action::Set { cells: vec![(place, None)], expected: Vec::new() },
            position,
        });
        let change =
            Change { table, actor: &actor, source: Source::Derived, edits: edits.collect(), undo_of: None };
        if !change.edits.is_empty() {
            records::write(tx, catalog, change, engine.clock.now(), &engine.ids).await?;
        }
    }
    Ok(())
}

/// The error of a call that was made for a person, who can do something about it.
pub fn refused(system: System, fault: &Fault) -> Error {
    let crm = system.label();
    let said = format!("{crm}: {}", fault.message);
    match fault.class {
        Class::Unauthorized => denied(format!("{crm} does not accept the token: {}", fault.message))
            .hint("give the token as it was shown when it was made; one that was revoked or rotated is void"),
        Class::Forbidden => denied(said).hint(format!("the token needs {}", scopes(system))),
        class if class.passes() => busy(said).hint("the same may work in a moment"),
        _ => invalid(said),
    }
}

/// The error of an account in which the property could not be made that carries our rows' ids.
fn unprepared(system: System, object: Object, fault: &Fault) -> Error {
    let what = format!("the unique property that tells our {} apart", object.table());
    match fault.class {
        Class::Forbidden | Class::Unauthorized => {
            let scope = match (system, object) {
                (System::Hubspot, Object::Contact | Object::Meeting) => "crm.schemas.contacts.write",
                (System::Hubspot, Object::Company) => "crm.schemas.companies.write",
                (System::Attio, _) => "object_configuration:read-write",
            };
            denied(format!("the token may not make {what} in {}", system.label()))
                .hint(format!("give it the scope {scope}; in all it needs {}", scopes(system)))
        }
        _ => {
            let mut error = refused(system, fault);
            error.message = format!("{what} cannot be made: {}", error.message);
            error
        }
    }
}

/// The scopes that a token needs, by the reference pages of the endpoints that are called.
const fn scopes(system: System) -> &'static str {
    match system {
        System::Hubspot => {
            "crm.objects.contacts.read and .write, crm.objects.companies.read and .write, \
             crm.schemas.contacts.read and .write, crm.schemas.companies.read and .write"
        }
        System::Attio => {
            "record_permission:read-write, object_configuration:read-write, webhook:read-write, \
             and note:read-write for meetings"
        }
    }
}
