//! Organizations' connections to CRMs.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

/// A connection. `tokens` is sealed; nothing here can open it.
#[derive(Debug, Clone, FromRow)]
pub struct ConnectionRow {
    pub system: String,
    pub id: Uuid,
    pub state: String,
    pub reason: Option<String>,
    pub account: String,
    pub account_name: String,
    pub writer: Option<String>,
    pub tokens: Vec<u8>,
    pub tokens_expire_at: Option<DateTime<Utc>>,
    pub creates: bool,
    pub mapping: SqlJson<Json>,
    pub properties: SqlJson<Json>,
    pub properties_read_at: DateTime<Utc>,
    pub connected_at: DateTime<Utc>,
    pub paused_until: Option<DateTime<Utc>>,
    pub last_success_at: Option<DateTime<Utc>>,
    pub last_failure_at: Option<DateTime<Utc>>,
    pub last_failure: Option<String>,
}

impl ConnectionRow {
    /// An active connection as of now, of which nothing more is known.
    pub fn active(
        system: &str,
        id: Uuid,
        (account, account_name): (&str, &str),
        now: DateTime<Utc>,
    ) -> ConnectionRow {
        ConnectionRow {
            system: system.to_owned(),
            id,
            state: "active".to_owned(),
            reason: None,
            account: account.to_owned(),
            account_name: account_name.to_owned(),
            writer: None,
            tokens: Vec::new(),
            tokens_expire_at: None,
            creates: true,
            mapping: SqlJson(json!([])),
            properties: SqlJson(json!({})),
            properties_read_at: now,
            connected_at: now,
            paused_until: None,
            last_success_at: None,
            last_failure_at: None,
            last_failure: None,
        }
    }
}

const COLUMNS: &str = "system, id, state, reason, account, account_name, writer, tokens, tokens_expire_at, creates, mapping, \
     properties, properties_read_at, connected_at, paused_until, last_success_at, last_failure_at, last_failure";

/// The organization's connections, by system.
pub async fn all(tx: &mut Tx, org: Org) -> Result<Vec<ConnectionRow>> {
    let text = format!("select {COLUMNS} from crm_connections where org_id = $1 order by system");
    tx.fetch(Sql::with(&text, [org.into()])).await
}

/// The connection, held until the transaction ends when `lock` is set.
pub async fn get(tx: &mut Tx, org: Org, system: &str, lock: bool) -> Result<Option<ConnectionRow>> {
    let hold = if lock { tx.dialect().for_update() } else { "" };
    let text = format!("select {COLUMNS} from crm_connections where org_id = $1 and system = $2{hold}");
    tx.fetch_optional(Sql::with(&text, [org.into(), system.into()])).await
}

/// Every connection of the database that may be called now, with its organization.
pub async fn active(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<(Uuid, String)>> {
    let text = "select org_id, system from crm_connections
                where state = 'active' and (paused_until is null or paused_until <= $1)
                order by org_id, system";
    tx.fetch(Sql::with(text, [now.into()])).await
}

/// Adds the connection or puts it in the place of the one before it.
pub async fn put(tx: &mut Tx, org: Org, row: &ConnectionRow) -> Result<()> {
    let mut sql = Sql::new(&format!("insert into crm_connections (org_id, {COLUMNS}) values ("));
    let text = |text: &Option<String>| Datum::String(text.clone());
    sql.bind_all([
        Datum::from(org),
        row.system.as_str().into(),
        row.id.into(),
        row.state.as_str().into(),
        text(&row.reason),
        row.account.as_str().into(),
        row.account_name.as_str().into(),
        text(&row.writer),
        row.tokens.clone().into(),
        Datum::ChronoDateTimeUtc(row.tokens_expire_at),
        row.creates.into(),
        Datum::Json(Some(Box::new(row.mapping.0.clone()))),
        Datum::Json(Some(Box::new(row.properties.0.clone()))),
        row.properties_read_at.into(),
        row.connected_at.into(),
        Datum::ChronoDateTimeUtc(row.paused_until),
        Datum::ChronoDateTimeUtc(row.last_success_at),
        Datum::ChronoDateTimeUtc(row.last_failure_at),
        text(&row.last_failure),
    ]);
    sql.push(") on conflict (org_id, system) do update set ");
    let updated: Vec<String> = COLUMNS
        .split(',')
        .map(str::trim)
        .filter(|column| *column != "system")
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    sql.push(&updated.join(", "));
    tx.execute(sql).await.map(drop)
}

/// Replaces the sealed tokens.
pub async fn set_tokens(
    tx: &mut Tx,
    org: Org,
    system: &str,
    tokens: Vec<u8>,
    expire_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let text = "update crm_connections set tokens = $3, tokens_expire_at = $4, refreshing_until_ms = null
                where org_id = $1 and system = $2";
    let values = [org.into(), system.into(), tokens.into(), Datum::ChronoDateTimeUtc(expire_at)];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Says that the tokens are no longer good, so that the next call replaces them first.
pub async fn expire_tokens(tx: &mut Tx, org: Org, system: &str, now: DateTime<Utc>) -> Result<()> {
    let text = "update crm_connections set tokens_expire_at = $3 where org_id = $1 and system = $2";
    tx.execute(Sql::with(text, [org.into(), system.into(), now.into()])).await.map(drop)
}

/// Replaces what differs from the declared mapping.
pub async fn set_mapping(tx: &mut Tx, org: Org, system: &str, mapping: Json) -> Result<()> {
    let text = "update crm_connections set mapping = $3 where org_id = $1 and system = $2";
    let values = [org.into(), system.into(), Datum::Json(Some(Box::new(mapping)))];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Replaces what the CRM said of its properties.
pub async fn set_properties(
    tx: &mut Tx,
    org: Org,
    system: &str,
    properties: Json,
    read_at: DateTime<Utc>,
) -> Result<()> {
    let text = "update crm_connections set properties = $3, properties_read_at = $4
                where org_id = $1 and system = $2";
    let values = [org.into(), system.into(), Datum::Json(Some(Box::new(properties))), read_at.into()];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Takes the turn to replace the tokens, for a while; whether it was free.
pub async fn take_refresh(tx: &mut Tx, org: Org, system: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
    let text = "update crm_connections set refreshing_until_ms = $4
                where org_id = $1 and system = $2 and (refreshing_until_ms is null or refreshing_until_ms < $3)";
    let values = [org.into(), system.into(), now_ms.into(), until_ms.into()];
    Ok(tx.execute(Sql::with(text, values)).await? == 1)
}

/// Gives the turn back without new tokens.
pub async fn release_refresh(tx: &mut Tx, org: Org, system: &str) -> Result<()> {
    let text = "update crm_connections set refreshing_until_ms = null where org_id = $1 and system = $2";
    tx.execute(Sql::with(text, [org.into(), system.into()])).await.map(drop)
}

/// Changes the state, with the reason for people.
pub async fn set_state(tx: &mut Tx, org: Org, system: &str, state: &str, reason: Option<&str>) -> Result<()> {
    let text = "update crm_connections set state = $3, reason = $4 where org_id = $1 and system = $2";
    let values = [org.into(), system.into(), state.into(), Datum::String(reason.map(str::to_owned))];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Notes how the last calls went.
pub async fn note(
    tx: &mut Tx,
    org: Org,
    system: &str,
    success: Option<DateTime<Utc>>,
    failure: Option<(DateTime<Utc>, &str)>,
    paused_until: Option<DateTime<Utc>>,
) -> Result<()> {
    let text = "update crm_connections
                set last_success_at = coalesce($3, last_success_at), last_failure_at = coalesce($4, last_failure_at),
                  last_failure = coalesce($5, last_failure), paused_until = $6
                where org_id = $1 and system = $2";
    let values = [
        org.into(),
        system.into(),
        Datum::ChronoDateTimeUtc(success),
        Datum::ChronoDateTimeUtc(failure.map(|(at, _)| at)),
        Datum::String(failure.map(|(_, message)| message.to_owned())),
        Datum::ChronoDateTimeUtc(paused_until),
    ];
    tx.execute(Sql::with(text, values)).await.map(drop)
}

/// Forgets the connection with its tokens.
pub async fn remove(tx: &mut Tx, org: Org, system: &str) -> Result<bool> {
    let text = "delete from crm_connections where org_id = $1 and system = $2";
    Ok(tx.execute(Sql::with(text, [org.into(), system.into()])).await? == 1)
}
