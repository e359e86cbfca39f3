//! Organizations and their members.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

#[derive(Debug, Clone, FromRow)]
pub struct OrganizationRow {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub timezone: String,
    pub version: i64,
    pub signing_key: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

/// A member; the id is a UUID in text form, as rows hold it in a text slot.
#[derive(Debug, Clone, FromRow)]
pub struct MemberRow {
    pub id: String,
    pub name: String,
    pub email: Option<String>,
}

const COLUMNS: &str = "id, slug, name, timezone, version, signing_key, created_at";

pub async fn get(tx: &mut Tx, org: Org) -> Result<Option<OrganizationRow>> {
    let sql = format!("select {COLUMNS} from ops_organizations where id = $1");
    tx.fetch_optional(Sql::with(&sql, [org.into()])).await
}

pub async fn by_slug(tx: &mut Tx, slug: &str) -> Result<Option<OrganizationRow>> {
    let sql = format!("select {COLUMNS} from ops_organizations where slug = $1");
    tx.fetch_optional(Sql::with(&sql, [slug.into()])).await
}

pub async fn all(tx: &mut Tx) -> Result<Vec<OrganizationRow>> {
    tx.fetch(Sql::new(&format!("select {COLUMNS} from ops_organizations order by slug"))).await
}

/// The organization's catalog version; none when it does not exist.
pub async fn version(tx: &mut Tx, org: Org) -> Result<Option<i64>> {
    let row: Option<(i64,)> = tx
        .fetch_optional(Sql::with("select version from ops_organizations where id = $1", [org.into()]))
        .await?;
    Ok(row.map(|(version,)| version))
}

/// Adds an organization unless its slug is taken; whether it was added.
pub async fn insert(tx: &mut Tx, row: &OrganizationRow) -> Result<bool> {
    let sql = Sql::with(
        "insert into ops_organizations (id, slug, name, timezone, version, signing_key, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (slug) do nothing",
        [
            row.id.into(),
            row.slug.as_str().into(),
            row.name.as_str().into(),
            row.timezone.as_str().into(),
            row.version.into(),
            row.signing_key.clone().into(),
            row.created_at.into(),
        ],
    );
    Ok(tx.execute(sql).await? == 1)
}

/// Changes the name and the time zone.
pub async fn rename(tx: &mut Tx, org: Org, name: &str, timezone: &str) -> Result<()> {
    let sql = Sql::with(
        "update ops_organizations set name = $2, timezone = $3, version = version + 1 where id = $1",
        [org.into(), name.into(), timezone.into()],
    );
    tx.execute(sql).await.map(drop)
}

/// Tells every process that its catalog of the organization is out of date.
pub async fn bump(tx: &mut Tx, org: Org) -> Result<()> {
    let sql = Sql::with("update ops_organizations set version = version + 1 where id = $1", [org.into()]);
    tx.execute(sql).await.map(drop)
}

pub async fn members(tx: &mut Tx, org: Org) -> Result<Vec<MemberRow>> {
    let text = "select id, name, email from ops_members where org_id = $1 order by lower(name)";
    tx.fetch(Sql::with(text, [org.into()])).await
}

/// Adds a member unless one of that name exists; whether one was added.
pub async fn insert_member(tx: &mut Tx, org: Org, member: &MemberRow, now: DateTime<Utc>) -> Result<bool> {
    let sql = Sql::with(
        "insert into ops_members (org_id, id, name, email, created_at) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        [
            org.into(),
            member.id.as_str().into(),
            member.name.as_str().into(),
            Datum::String(member.email.clone()),
            now.into(),
        ],
    );
    Ok(tx.execute(sql).await? == 1)
}
