//! The application's people as members: found by the address, else by the name, else added.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::host::Host;
use super::plan::Fault;
use super::run::Run;
use super::source::{Record, Source};
use crate::error::Result;
use crate::store::{AppLinkRow, MemberRow, Tx, backfills, organizations};

/// What profiles are called among the tables of a run.
pub(super) const PROFILES: &str = "profiles";
const PAGE: usize = 1_000;
const NAME_CHARS_MAX: usize = 200;

/// The members by the ids of their profiles; those that were missing are added.
pub(super) async fn bring(host: &Host, source: &Source, run: &Run) -> Result<HashMap<String, Uuid>> {
    let mut members = HashMap::new();
    let mut progress = run.table(&host.store, PROFILES).await?;
    // Profiles are few: a run that goes on reads them again, and counts them anew.
    progress.restart();
    progress.total = source.count(PROFILES).await?;
    let mut after: Option<String> = None;
    loop {
        let page = source.page(PROFILES, after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.iter().last().and_then(|profile| profile.get("id")).map(str::to_owned);
        let mut tx = host.store.begin().await?;
        run.hold(&mut tx).await?;
        let mut known = Known::load(&mut tx, host, page.values("id")).await?;
        for profile in page.iter() {
            known.take(&mut tx, host, &profile, &mut progress.faults_new).await?;
        }
        progress.counts.read += i64::try_from(page.len()).unwrap_or(i64::MAX);
        progress.counts.created += known.added;
        progress.counts.refused += known.refused;
        progress.counts.unchanged += known.found;
        backfills::link(&mut tx, host.org, PROFILES, known.new).await?;
        if known.added > 0 {
            organizations::bump(&mut tx, host.org).await?;
        }
        progress.is_done = is_last;
        run.store(&mut tx, &mut progress).await?;
        tx.commit().await?;
        members.extend(known.by_profile);
        if is_last {
            return Ok(members);
        }
    }
}

/// The members, and which of them the profiles are.
struct Known {
    by_profile: HashMap<String, Uuid>,
    by_email: HashMap<String, Uuid>,
    by_name: HashMap<String, (Uuid, Option<String>)>,
    linked: HashSet<Uuid>,
    new: Vec<AppLinkRow>,
    added: i64,
    found: i64,
    refused: i64,
}

impl Known {
    async fn load(tx: &mut Tx, host: &Host, profiles: impl Iterator<Item = &str>) -> Result<Known> {
        let ids: Vec<String> = profiles.map(str::to_owned).collect();
        let links = backfills::links(tx, host.org, PROFILES, &ids).await?;
        let (mut by_email, mut by_name) = (HashMap::new(), HashMap::new());
        for member in organizations::members(tx, host.org).await? {
            let Ok(id) = Uuid::parse_str(&member.id) else { continue };
            if let Some(email) = &member.email {
                by_email.insert(email.to_lowercase(), id);
            }
            by_name.insert(member.name.to_lowercase(), (id, member.email.map(|email| email.to_lowercase())));
        }
        let linked = links.iter().map(|link| link.row_id).collect();
        let by_profile = links.into_iter().map(|link| (link.source_id, link.row_id)).collect();
        Ok(Known { by_profile, by_email, by_name, linked, new: Vec::new(), added: 0, found: 0, refused: 0 })
    }

    async fn take(
        &mut self,
        tx: &mut Tx,
        host: &Host,
        profile: &Record<'_>,
        faults: &mut Vec<Fault>,
    ) -> Result<()> {
        let Some(id) = profile.get("id") else { return Ok(()) };
        if self.by_profile.contains_key(id) {
            self.found += 1;
            return Ok(());
        }
        let email = profile.get("email").map(str::to_lowercase);
        let Some(name) = name(profile).or_else(|| email.clone()) else {
            self.refused += 1;
            let why = "the profile has neither a name nor an e-mail address".to_owned();
            faults.push(Fault { id: id.to_owned(), column: None, why });
            return Ok(());
        };
        let member = match self.find(&name, email.as_deref()) {
            Some(member) => {
                self.found += 1;
                member
            }
            None => self.add(tx, host, name, email).await?,
        };
        self.linked.insert(member);
        self.by_profile.insert(id.to_owned(), member);
        self.new.push(AppLinkRow { source_id: id.to_owned(), row_id: member, said: Vec::new() });
        Ok(())
    }

    /// The member with this address, else the one of this name, unless that is somebody with another address.
    fn find(&self, name: &str, email: Option<&str>) -> Option<Uuid> {
        if let Some(id) = email.and_then(|email| self.by_email.get(email)) {
            return Some(*id);
        }
        let (id, known) = self.by_name.get(&name.to_lowercase())?;
        let fits = email.is_none() || known.is_none();
        (fits && !self.linked.contains(id)).then_some(*id)
    }

    async fn add(&mut self, tx: &mut Tx, host: &Host, name: String, email: Option<String>) -> Result<Uuid> {
        let id = host.ids.next();
        let mut unique = name.clone();
        // Members are told apart by their names.
        let mut number = 1;
        while self.by_name.contains_key(&unique.to_lowercase()) {
            unique = match (&email, number) {
                (Some(email), 1) => format!("{name} ({email})"),
                _ => format!("{name} ({})", number + 1),
            };
            number += 1;
        }
        let row = MemberRow { id: id.to_string(), name: unique.clone(), email: email.clone() };
        organizations::insert_member(tx, host.org, &row, host.clock.now()).await?;
        if let Some(email) = &email {
            self.by_email.insert(email.clone(), id);
        }
        self.by_name.insert(unique.to_lowercase(), (id, email));
        self.added += 1;
        Ok(id)
    }
}

fn name(profile: &Record<'_>) -> Option<String> {
    let joined = || {
        let parts: Vec<&str> =
            ["first_name", "last_name"].iter().filter_map(|key| profile.get(key)).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let name = profile.get("full_name").map(str::to_owned).or_else(joined)?;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(NAME_CHARS_MAX).collect())
}
