//! Builds the process's services once, and knows which organization and member a caller stands for.

use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;
use uuid::Uuid;

use crate::backfill;
use crate::clock::{Clock, Ids};
use crate::error::{Result, invalid, not_found};
use crate::records::Actor;
use crate::router::Routers;
use crate::skills::Skills;
use crate::store::organizations::{self, MemberRow, OrganizationRow};
use crate::store::{Org, Store};
use crate::sync::{self, Engine};
use crate::tables::definitions::definitions;
use crate::tables::provision::provision;
use crate::tables::{Catalogs, Member};
use crate::tools::{Ctx, Progress, Services};

/// The organization a new database gets when nobody names one.
pub const DEFAULT_ORGANIZATION: &str = "default";

/// What an app is built from.
#[derive(Debug, Clone)]
pub struct Options {
    pub database_url: String,
    pub clock: Clock,
    pub ids: Ids,
    /// A folder whose skills every organization gets beside its own; edits in it are noticed.
    pub skills_dir: Option<PathBuf>,
    pub sync: sync::Options,
    /// Where the application's own data is.
    pub backfill: backfill::Settings,
}

impl Options {
    /// A database at this moment, with everything else as it is where nothing is configured.
    pub fn at(database_url: &str) -> Options {
        Options {
            database_url: database_url.to_owned(),
            clock: Clock::System,
            ids: Ids::Random,
            skills_dir: None,
            sync: sync::Options::default(),
            backfill: backfill::Settings::default(),
        }
    }
}

/// The process's services.
#[derive(Debug, Clone)]
pub struct App {
    pub services: Arc<Services>,
}

impl App {
    /// Opens the database by its URL; connecting and migrating happen on first use.
    pub fn open(options: &Options) -> Result<App> {
        let store = Store::open(&options.database_url, definitions)?;
        let catalogs = Arc::new(Catalogs::default());
        let sync = Engine::new(
            Arc::clone(&store),
            Arc::clone(&catalogs),
            options.clock.clone(),
            options.ids.clone(),
            options.sync.clone(),
        );
        let services = Services {
            store,
            clock: options.clock.clone(),
            ids: options.ids.clone(),
            catalogs,
            sync: Arc::new(sync),
            skills: Skills::new(options.skills_dir.as_deref()),
            routers: Routers::default(),
            backfill: options.backfill.clone(),
        };
        Ok(App { services: Arc::new(services) })
    }

    /// A call's context.
    pub fn ctx(&self, org: Org, actor: Actor) -> Ctx {
        Ctx { services: Arc::clone(&self.services), org, actor, progress: Progress::default() }
    }

    /// Makes an organization with its five tables, or returns the one that has this slug already; whether it
    /// was made.
    pub async fn create_organization(&self, slug: &str, name: &str, zone: Tz) -> Result<(Org, bool)> {
        let services = &self.services;
        let row = OrganizationRow {
            id: services.ids.next(),
            slug: valid_slug(slug)?,
            name: name.to_owned(),
            timezone: zone.name().to_owned(),
            version: 1,
            signing_key: services.ids.secret().to_vec(),
            created_at: services.clock.now(),
        };
        let mut tx = services.store.begin().await?;
        let created = organizations::insert(&mut tx, &row).await?;
        let row = organizations::by_slug(&mut tx, &row.slug).await?.unwrap_or(row);
        let org = Org(row.id);
        if created {
            provision(&mut tx, org, &[], services.clock.now()).await?;
        }
        tx.commit().await?;
        Ok((org, created))
    }

    /// The organization with this slug; without one, the only organization of the database, made when the
    /// database is new.
    pub async fn organization(&self, slug: Option<&str>) -> Result<Org> {
        let mut tx = self.services.store.read().await?;
        let known = organizations::all(&mut tx).await?;
        drop(tx);
        let slugs = || known.iter().map(|row| row.slug.as_str());
        match (slug, known.as_slice()) {
            (Some(slug), _) => match known.iter().find(|row| row.slug == slug) {
                Some(row) => Ok(Org(row.id)),
                None => Err(not_found(format!(
                    "there is no organization `{slug}` in {}",
                    self.services.store.url()
                ))
                .choices(slug, slugs())
                .hint(format!("`opstables init --org {slug}` makes it"))),
            },
            (None, [only]) => Ok(Org(only.id)),
            (None, []) => Ok(self
                .create_organization(DEFAULT_ORGANIZATION, "Default organization", chrono_tz::UTC)
                .await?
                .0),
            (None, _) => Err(invalid("the database holds several organizations: say which one is meant")
                .choices("", slugs())
                .hint("set OPSTABLES_ORG or --org")),
        }
    }

    /// The member with this name or e-mail address.
    pub async fn member(&self, org: Org, name: &str) -> Result<Uuid> {
        let (_, catalog) =
            self.services.catalogs.read(&self.services.store, org, self.services.clock.now()).await?;
        let same = |member: &&Member| {
            member.name.eq_ignore_ascii_case(name)
                || member.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(name))
        };
        catalog.members.iter().find(same).map(|member| member.id).ok_or_else(|| {
            not_found(format!("`{name}` is not a member of {}", catalog.name))
                .choices(name, catalog.members.iter().map(|member| member.name.as_str()))
                .hint(format!("`opstables members add \"{name}\"` adds them"))
        })
    }

    /// Adds a member unless one of that name is there; whether one was added.
    pub async fn add_member(&self, org: Org, name: &str, email: Option<&str>) -> Result<bool> {
        let services = &self.services;
        let member = MemberRow {
            id: services.ids.next().to_string(),
            name: name.trim().to_owned(),
            email: email.map(str::to_lowercase),
        };
        if member.name.is_empty() {
            return Err(invalid("a member needs a name"));
        }
        let mut tx = services.store.begin().await?;
        let added = organizations::insert_member(&mut tx, org, &member, services.clock.now()).await?;
        if added {
            organizations::bump(&mut tx, org).await?;
        }
        tx.commit().await?;
        Ok(added)
    }
}

fn valid_slug(slug: &str) -> Result<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if slug.is_empty() || slug.len() > 63 || !slug.chars().all(fits) {
        return Err(invalid(format!("`{slug}` is not an organization's short name"))
            .hint("use 1 to 63 lower-case letters, digits and dashes, as acme-sales"));
    }
    Ok(slug.to_owned())
}
