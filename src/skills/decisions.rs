//! What an organization decides about its skills: which are on, what it writes itself, what it tells about
//! itself. Each decision compiles its skills in the same transaction.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use sqlx::types::Json as SqlJson;

use super::compile::Origin;
use super::library::Library;
use super::organizations::Skills;
use super::skill::{File, Skill};
use super::template::Context;
use crate::error::{Result, conflict, invalid, not_found};
use crate::store::skills::{self, SkillRow};
use crate::store::{Org, Tx, organizations};

impl Skills {
    /// Compiles everything again and stores it.
    pub async fn refresh(&self, tx: &mut Tx, org: Org, now: DateTime<Utc>) -> Result<Library> {
        let library = self.compile(tx, org, now).await?;
        organizations::bump(tx, org).await?;
        Ok(library)
    }

    /// Switches a skill on or off; whether that changed anything.
    pub async fn set_enabled(
        &self,
        tx: &mut Tx,
        org: Org,
        key: &str,
        is_enabled: bool,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        self.compile(tx, org, now).await?;
        let mut row = find(tx, org, key).await?;
        if row.is_enabled == is_enabled {
            return Ok(false);
        }
        row.is_enabled = is_enabled;
        skills::put(tx, org, &row, now).await?;
        self.refresh(tx, org, now).await?;
        Ok(true)
    }

    /// Takes in a skill that the organization wrote, over a platform skill of the same key.
    pub async fn add(
        &self,
        tx: &mut Tx,
        org: Org,
        skill: &Skill,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let row = SkillRow {
            skill_key: skill.key.clone(),
            origin: Origin::Organization.name().to_owned(),
            is_enabled: true,
            template: Some(text.to_owned()),
            files: SqlJson(Json::Object(texts(&skill.files)?)),
            name: skill.name.clone(),
            description: skill.description.clone(),
            category: skill.category.clone(),
            version: skill.version.clone(),
            linked_skills: SqlJson(Json::from(skill.linked_skills.clone())),
            compiled: None,
            digest: String::new(),
        };
        skills::put(tx, org, &row, now).await?;
        let library = self.refresh(tx, org, now).await?;
        let fault = library
            .findings()
            .iter()
            .find(|finding| finding.is_error() && finding.skill.as_deref() == Some(&skill.key));
        match fault {
            Some(fault) => Err(invalid(format!("the skill cannot be used: {fault}"))),
            None => Ok(()),
        }
    }

    /// Removes what the organization wrote; a platform skill that it stood over is back.
    pub async fn remove(&self, tx: &mut Tx, org: Org, key: &str, now: DateTime<Utc>) -> Result<()> {
        let row = find(tx, org, key).await?;
        if row.template.is_none() {
            return Err(conflict(format!("`{key}` is not the organization's own"))
                .hint(format!("`opstables skills disable {key}` switches it off")));
        }
        skills::delete(tx, org, key).await?;
        self.refresh(tx, org, now).await.map(drop)
    }

    /// Sets what the organization tells about itself under a path of keys, or takes it out with none.
    pub async fn tell(
        &self,
        tx: &mut Tx,
        org: Org,
        path: &str,
        value: Option<Json>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let keys: Vec<&str> = path.split('.').collect();
        let is_key = |key: &&str| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        };
        let [first, inner @ ..] = keys.as_slice() else { return Ok(()) };
        if !keys.iter().all(is_key) {
            return Err(invalid(format!("`{path}` is not a key of the context"))
                .hint("use letters, digits, `_` and `-`, with a period before a part: icp.industry"));
        }
        let told = told(tx, org).await?;
        let mut whole = told.get(*first).cloned();
        put(&mut whole, inner, value).map_err(|part| {
            conflict(format!("`{first}` has no parts, so `{part}` cannot be one of them"))
                .hint(format!("`opstables skills context unset {first}` makes room"))
        })?;
        match whole {
            Some(whole) => skills::put_context(tx, org, first, &whole, now).await?,
            None if skills::delete_context(tx, org, first).await? => {}
            None => {
                return Err(
                    not_found(format!("`{path}` is not in the context")).choices(path, told.keys().cloned())
                );
            }
        }
        self.refresh(tx, org, now).await.map(drop)
    }
}

/// What the organization has told about itself.
pub async fn told(tx: &mut Tx, org: Org) -> Result<Context> {
    Ok(skills::context(tx, org).await?.into_iter().map(|row| (row.key, row.value.0)).collect())
}

async fn find(tx: &mut Tx, org: Org, key: &str) -> Result<SkillRow> {
    let rows = skills::all(tx, org).await?;
    let keys: Vec<String> = rows.iter().map(|row| row.skill_key.clone()).collect();
    rows.into_iter().find(|row| row.skill_key == key).ok_or_else(|| {
        let error = not_found(format!("there is no skill `{key}`"));
        match crate::error::nearest(key, keys.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`opstables skills list` shows what there is"),
        }
    })
}

/// Puts a value, or nothing, at a path of keys; the part that is in the way is the error.
fn put(place: &mut Option<Json>, path: &[&str], value: Option<Json>) -> std::result::Result<(), String> {
    let [key, inner @ ..] = path else {
        *place = value;
        return Ok(());
    };
    let whole = place.get_or_insert_with(|| Json::Object(Map::new()));
    let Json::Object(object) = whole else { return Err((*key).to_owned()) };
    let mut part = object.remove(*key);
    let done = put(&mut part, inner, value);
    if let Some(part) = part {
        object.insert((*key).to_owned(), part);
    }
    if object.is_empty() {
        *place = None;
    }
    done
}

/// A skill's other files as texts by path: that is how they are stored.
fn texts(files: &[File]) -> Result<Map<String, Json>> {
    let text = |file: &File| match String::from_utf8(file.bytes.clone()) {
        Ok(text) => Ok((file.path.clone(), Json::from(text))),
        Err(_) => Err(invalid(format!("`{}` is not text, and only texts are stored", file.path))
            .hint("leave it out, or keep the skill in a folder and name that with skills.dir")),
    };
    files.iter().map(text).collect()
}
