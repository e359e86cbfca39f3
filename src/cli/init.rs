//! `opstables init`: the database, an organization with its tables, and its members. What is there already
//! stays; what was asked for and is missing is added.

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;

use super::Status;
use super::client_config;
use super::members::{Member, parse_member};
use super::output::{FAINT, GOOD, styled};
use super::session::Session;
use crate::app::{App, DEFAULT_ORGANIZATION};
use crate::error::{Result, invalid};
use crate::store::{Org, organizations};
use crate::tables::TABLES;

/// Make or update the database, and an organization with its five tables
///
/// Safe to repeat: what is there stays, and only what is missing is added.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Name of the organization, as people read it [default: from --org]
    #[arg(long)]
    name: Option<String>,
    /// Time zone of its dates, as Europe/Paris [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Member who can own rows, as "Ann Lee <ann@acme.com>"; repeat for more
    #[arg(long = "member", value_name = "MEMBER")]
    members: Vec<String>,
}

const EXAMPLE: &str = r#"Example:
  opstables init --org acme --name "Acme Sales" --timezone Europe/Paris --member "Ann Lee <ann@acme.com>""#;

/// What there is now, and what of it is new.
#[derive(Debug, Serialize)]
struct Report {
    database: String,
    organization: String,
    name: String,
    timezone: String,
    organization_created: bool,
    members: Vec<String>,
    members_added: Vec<String>,
    tables: Vec<&'static str>,
    client_config: Value,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let members = args.members.iter().map(|text| parse_member(text)).collect::<Result<Vec<_>>>()?;
    let zone = args.timezone.as_deref().map(parse_zone).transpose()?;
    let app = session.app()?;
    let slug = session.config.caller.org.as_deref().unwrap_or(DEFAULT_ORGANIZATION);
    let name = args.name.clone().unwrap_or_else(|| title(slug));
    let (org, created) = app.create_organization(slug, &name, zone.unwrap_or(Tz::UTC)).await?;
    if !created {
        update(&app, org, args.name.as_deref(), zone).await?;
    }
    let added = add(&app, org, &members).await?;
    let report = report(&app, org, session, created, added).await?;
    session.output.result(&report, || show(&report, session))?;
    Ok(Status::Done)
}

/// Gives an organization that was there already the name and zone that were asked for.
async fn update(app: &App, org: Org, name: Option<&str>, zone: Option<Tz>) -> Result<()> {
    let mut tx = app.services.store.begin().await?;
    if let Some(row) = organizations::get(&mut tx, org).await? {
        let name = name.unwrap_or(&row.name);
        let zone = zone.map_or(row.timezone.as_str(), |zone| zone.name());
        if (name, zone) != (row.name.as_str(), row.timezone.as_str()) {
            organizations::rename(&mut tx, org, name, zone).await?;
        }
    }
    tx.commit().await
}

async fn add(app: &App, org: Org, members: &[Member]) -> Result<Vec<String>> {
    let mut added = Vec::new();
    for member in members {
        if app.add_member(org, &member.name, member.email.as_deref()).await? {
            added.push(member.name.clone());
        }
    }
    Ok(added)
}

async fn report(app: &App, org: Org, session: &Session, created: bool, added: Vec<String>) -> Result<Report> {
    let services = &app.services;
    let (mut tx, catalog) = services.catalogs.read(&services.store, org, services.clock.now()).await?;
    let slug = organizations::get(&mut tx, org).await?.map(|row| row.slug).unwrap_or_default();
    let mut config = session.config.clone();
    // A second organization may come later; a copilot stays with its own.
    config.caller.org = Some(slug.clone());
    Ok(Report {
        database: session.config.database_shown(),
        organization: slug,
        name: catalog.name.clone(),
        timezone: catalog.zone.name().to_owned(),
        organization_created: created,
        members: catalog.members.iter().map(|member| member.name.clone()).collect(),
        members_added: added,
        tables: TABLES.iter().map(|table| table.key).collect(),
        client_config: client_config::client_config(&config),
    })
}

fn show(report: &Report, session: &Session) -> String {
    let state = if report.organization_created { styled(GOOD, "made") } else { "was there".to_owned() };
    let members = match (report.members.as_slice(), report.members_added.len()) {
        ([], _) => "none yet: add them with `opstables members add \"Ann Lee <ann@acme.com>\"`".to_owned(),
        (members, added) => format!("{} ({added} added)", members.join(", ")),
    };
    let mut config = session.config.clone();
    config.caller.org = Some(report.organization.clone());
    format!(
        "Database      {}\nOrganization  {}: {}, {} ({state})\nTables        {}\nMembers       {members}\n\n{}\n\n{}",
        report.database,
        report.organization,
        report.name,
        report.timezone,
        report.tables.join(", "),
        client_config::instructions(&config),
        styled(
            FAINT,
            "Next: `opstables import leads leads.csv --dry-run`, `opstables query leads`, `opstables doctor`."
        ),
    )
}

fn parse_zone(text: &str) -> Result<Tz> {
    text.parse().map_err(|_| {
        let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
        let error = invalid(format!("`{text}` is not a time zone"));
        match crate::error::nearest(text, known) {
            Some(best) => error.hint(format!("did you mean `{best}`?")),
            None => error.hint("use a name of the IANA list, as Europe/Paris or America/New_York"),
        }
    })
}

/// `acme-sales` as a name: Acme Sales.
fn title(slug: &str) -> String {
    if slug == DEFAULT_ORGANIZATION {
        return "Default organization".to_owned();
    }
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    };
    slug.split('-').map(capital).collect::<Vec<_>>().join(" ")
}
