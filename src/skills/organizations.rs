//! Each organization's skills: compiled when something has changed, stored for whoever reads the database, and
//! kept here until the next change.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::compile::{Compiled, Origin, compile};
use super::folder::Folder;
use super::library::Library;
use super::platform::platform;
use super::reading::Shelf;
use super::template::Context;
use crate::error::Result;
use crate::store::skills::{self, SkillRow};
use crate::store::{Org, Store, Tx};

/// The libraries of a process.
#[derive(Debug, Default)]
pub struct Skills {
    folder: Option<Folder>,
    loaded: RwLock<HashMap<Org, Loaded>>,
}

/// A library and what it was made from.
#[derive(Debug, Clone)]
struct Loaded {
    version: i64,
    edition: u64,
    library: Arc<Library>,
}

impl Skills {
    /// With a folder whose skills every organization of this process gets as well.
    pub fn new(folder: Option<&Path>) -> Skills {
        Skills { folder: folder.map(Folder::new), loaded: RwLock::default() }
    }

    /// The organization's library. `version` is that of its catalog, which moves with everything that the
    /// organization decides; edits in the folder and a new platform version are noticed as well.
    pub async fn for_organization(
        &self,
        store: &Store,
        org: Org,
        version: i64,
        now: DateTime<Utc>,
    ) -> Result<Arc<Library>> {
        let (edition, folder) = self.folder(now);
        let known = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(&org).cloned();
        if let Some(known) = known.filter(|known| (known.version, known.edition) == (version, edition)) {
            return Ok(known.library);
        }
        let mut tx = store.read().await?;
        let (kept, context) = load(&mut tx, org).await?;
        drop(tx);
        let Compiled { library, rows } = compile(platform(), &folder, &kept, &context);
        if self.differs(&kept, &rows) {
            let mut tx = store.begin().await?;
            self.keep(&mut tx, org, &kept, &rows, now).await?;
            tx.commit().await?;
        }
        let library = Arc::new(library);
        let loaded = Loaded { version, edition, library: Arc::clone(&library) };
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).insert(org, loaded);
        Ok(library)
    }

    /// Compiles inside a transaction that has changed something, and stores what came of it.
    pub(super) async fn compile(&self, tx: &mut Tx, org: Org, now: DateTime<Utc>) -> Result<Library> {
        let (kept, context) = load(tx, org).await?;
        let (_, folder) = self.folder(now);
        let Compiled { library, rows } = compile(platform(), &folder, &kept, &context);
        self.keep(tx, org, &kept, &rows, now).await?;
        Ok(library)
    }

    fn folder(&self, now: DateTime<Utc>) -> (u64, Arc<Shelf>) {
        self.folder.as_ref().map(|folder| folder.shelf(now.timestamp_millis())).unwrap_or_default()
    }

    fn differs(&self, kept: &[SkillRow], rows: &[SkillRow]) -> bool {
        let is_kept = |row: &SkillRow| {
            kept.iter().any(|old| old.skill_key == row.skill_key && old.digest == row.digest)
        };
        !rows.iter().all(is_kept) || self.gone(kept, rows).next().is_some()
    }

    /// The rows of skills that are nowhere any more. Another process may have a folder that this one has not.
    fn gone<'a>(&self, kept: &'a [SkillRow], rows: &[SkillRow]) -> impl Iterator<Item = &'a SkillRow> {
        let is_ours = |row: &&SkillRow| row.origin != Origin::Folder.name() || self.folder.is_some();
        let is_gone = |row: &&SkillRow| rows.iter().all(|new| new.skill_key != row.skill_key);
        kept.iter().filter(is_ours).filter(is_gone).collect::<Vec<_>>().into_iter()
    }

    async fn keep(
        &self,
        tx: &mut Tx,
        org: Org,
        kept: &[SkillRow],
        rows: &[SkillRow],
        now: DateTime<Utc>,
    ) -> Result<()> {
        for row in self.gone(kept, rows) {
            skills::delete(tx, org, &row.skill_key).await?;
        }
        for row in rows {
            let old = kept.iter().find(|old| old.skill_key == row.skill_key);
            if old.is_none_or(|old| old.digest != row.digest) {
                skills::put(tx, org, row, now).await?;
            }
        }
        Ok(())
    }
}

async fn load(tx: &mut Tx, org: Org) -> Result<(Vec<SkillRow>, Context)> {
    let kept = skills::all(tx, org).await?;
    let told = skills::context(tx, org).await?;
    Ok((kept, told.into_iter().map(|row| (row.key, row.value.0)).collect()))
}
