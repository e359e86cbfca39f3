//! An organization's skills as its agents read them, and what it has told about itself.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::FromRow;
use sqlx::types::Json as SqlJson;

use super::{Datum, Org, Sql, Tx};
use crate::error::Result;

#[derive(Debug, Clone, FromRow)]
pub struct SkillRow {
    pub skill_key: String,
    pub origin: String,
    pub is_enabled: bool,
    pub template: Option<String>,
    pub files: SqlJson<Json>,
    pub name: String,
    pub description: String,
    pub category: Option<String>,
    pub version: String,
    pub linked_skills: SqlJson<Json>,
    pub compiled: Option<String>,
    pub digest: String,
}

#[derive(Debug, Clone, FromRow)]
pub struct ContextRow {
    pub key: String,
    pub value: SqlJson<Json>,
}

pub async fn all(tx: &mut Tx, org: Org) -> Result<Vec<SkillRow>> {
    let text = "select skill_key, origin, is_enabled, template, files, name, description, category, version,
                  linked_skills, compiled, digest
                from organization_skills
                where org_id = $1
                order by skill_key";
    tx.fetch(Sql::with(text, [org.into()])).await
}

/// Writes a skill whole, over what was there.
pub async fn put(tx: &mut Tx, org: Org, row: &SkillRow, now: DateTime<Utc>) -> Result<()> {
    let sql = Sql::with(
        "insert into organization_skills
           (org_id, skill_key, origin, is_enabled, template, files, name, description, category, version,
            linked_skills, compiled, digest, compiled_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (org_id, skill_key) do update set
           origin = excluded.origin,
           is_enabled = excluded.is_enabled,
           template = excluded.template,
           files = excluded.files,
           name = excluded.name,
           description = excluded.description,
           category = excluded.category,
           version = excluded.version,
           linked_skills = excluded.linked_skills,
           compiled = excluded.compiled,
           digest = excluded.digest,
           compiled_at = excluded.compiled_at",
        [
            org.into(),
            row.skill_key.as_str().into(),
            row.origin.as_str().into(),
            row.is_enabled.into(),
            Datum::String(row.template.clone()),
            Datum::Json(Some(Box::new(row.files.0.clone()))),
            row.name.as_str().into(),
            row.description.as_str().into(),
            Datum::String(row.category.clone()),
            row.version.as_str().into(),
            Datum::Json(Some(Box::new(row.linked_skills.0.clone()))),
            Datum::String(row.compiled.clone()),
            row.digest.as_str().into(),
            now.into(),
        ],
    );
    tx.execute(sql).await.map(drop)
}

pub async fn delete(tx: &mut Tx, org: Org, key: &str) -> Result<()> {
    let text = "delete from organization_skills where org_id = $1 and skill_key = $2";
    tx.execute(Sql::with(text, [org.into(), key.into()])).await.map(drop)
}

pub async fn context(tx: &mut Tx, org: Org) -> Result<Vec<ContextRow>> {
    let text = "select key, value from organization_context where org_id = $1 order by key";
    tx.fetch(Sql::with(text, [org.into()])).await
}

pub async fn put_context(tx: &mut Tx, org: Org, key: &str, value: &Json, now: DateTime<Utc>) -> Result<()> {
    let sql = Sql::with(
        "insert into organization_context (org_id, key, value, updated_at) values ($1, $2, $3, $4)
         on conflict (org_id, key) do update set value = excluded.value, updated_at = excluded.updated_at",
        [org.into(), key.into(), Datum::Json(Some(Box::new(value.clone()))), now.into()],
    );
    tx.execute(sql).await.map(drop)
}

/// Takes a key out; whether it was there.
pub async fn delete_context(tx: &mut Tx, org: Org, key: &str) -> Result<bool> {
    let text = "delete from organization_context where org_id = $1 and key = $2";
    Ok(tx.execute(Sql::with(text, [org.into(), key.into()])).await? == 1)
}
