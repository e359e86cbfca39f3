//! `opstables skills`: what the organization's agents are told to do, and when.

mod context;
mod lint;
mod list;

use std::path::PathBuf;

use serde::Serialize;

use super::Status;
use super::session::{Connection, Session};
use crate::error::{Result, invalid, not_found};
use crate::skills::{SKILL_FILE, Shelf};
use crate::store::skills::SkillRow;
use crate::store::{Tx, skills};

/// List, check and change the skills of an organization's agents
///
/// A skill is a folder with a SKILL.md. The product brings some; an organization switches them on and off, writes
/// its own, and tells about itself what they are filled in with.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the skills, with those that are off or cannot be used
    List,
    /// Print a skill as agents read it
    Show {
        /// Its key
        key: String,
    },
    /// Say what is wrong with the organization's skills, or with those in a folder or library file
    ///
    /// A folder is checked without a database unless an organization is named, whose context is then used.
    Lint {
        /// Folder of skills, one skill's folder, or library file
        path: Option<PathBuf>,
    },
    /// Fill everything in again and store it
    Compile,
    /// Switch a skill on
    Enable {
        /// Its key
        key: String,
    },
    /// Switch a skill off
    Disable {
        /// Its key
        key: String,
    },
    /// Take in a skill that the organization wrote, over a platform skill of the same name
    Add {
        /// Its folder
        folder: PathBuf,
    },
    /// Remove a skill that the organization wrote
    Remove {
        /// Its key
        key: String,
    },
    /// Show or change what the organization tells about itself
    Context(context::Args),
}

const EXAMPLE: &str = "Examples:
  opstables skills list
  opstables skills context set company_name \"Acme Logistics\"
  opstables skills context set icp.industries '[\"logistics\", \"retail\"]'
  opstables skills lint ./skills
  opstables skills add ./skills/lead-triage";

/// What changed, and how many skills there are now.
#[derive(Debug, Serialize)]
struct Report {
    skill: Option<String>,
    changed: bool,
    skills: usize,
    findings: usize,
    #[serde(skip)]
    said: String,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    match args.action {
        Action::List => list::list(session).await,
        Action::Show { key } => list::show(session, &key).await,
        Action::Lint { path } => lint::run(session, path.as_deref()).await,
        Action::Context(args) => context::run(args, session).await,
        Action::Compile => compile(session).await,
        Action::Enable { key } => switch(session, &key, true).await,
        Action::Disable { key } => switch(session, &key, false).await,
        Action::Add { folder } => add(session, folder).await,
        Action::Remove { key } => remove(session, &key).await,
    }
}

async fn compile(session: &Session) -> Result<Status> {
    let connection = session.connect().await?;
    let mut tx = begin(&connection).await?;
    let services = &connection.app.services;
    services.skills.refresh(&mut tx, connection.org, services.clock.now()).await?;
    tx.commit().await?;
    changed(session, &connection, None, true, "Everything is filled in again".to_owned()).await
}

async fn switch(session: &Session, key: &str, is_enabled: bool) -> Result<Status> {
    let connection = session.connect().await?;
    let mut tx = begin(&connection).await?;
    let services = &connection.app.services;
    let now = services.clock.now();
    let done = services.skills.set_enabled(&mut tx, connection.org, key, is_enabled, now).await?;
    tx.commit().await?;
    let state = if is_enabled { "on" } else { "off" };
    let said = if done { format!("{key} is {state}") } else { format!("{key} was {state} already") };
    changed(session, &connection, Some(key), done, said).await
}

async fn add(session: &Session, folder: PathBuf) -> Result<Status> {
    let shelf = Shelf::read(&folder)?;
    if let Some(finding) = shelf.findings.iter().find(|finding| finding.is_error()) {
        return Err(invalid(format!("the skill cannot be used: {finding}")));
    }
    let [skill] = shelf.skills.as_slice() else {
        return Err(invalid(format!("`{}` holds {} skills", folder.display(), shelf.skills.len()))
            .hint("name the folder of one skill; skills.dir takes a folder of many"));
    };
    let file = folder.join(SKILL_FILE);
    let text = std::fs::read_to_string(&file)
        .map_err(|error| not_found(format!("`{}` cannot be read: {error}", file.display())))?;
    let connection = session.connect().await?;
    let mut tx = begin(&connection).await?;
    let services = &connection.app.services;
    services.skills.add(&mut tx, connection.org, skill, &text, services.clock.now()).await?;
    tx.commit().await?;
    let said = format!("{} is one of the organization's skills", skill.key);
    changed(session, &connection, Some(&skill.key), true, said).await
}

async fn remove(session: &Session, key: &str) -> Result<Status> {
    let connection = session.connect().await?;
    let mut tx = begin(&connection).await?;
    let services = &connection.app.services;
    services.skills.remove(&mut tx, connection.org, key, services.clock.now()).await?;
    tx.commit().await?;
    changed(session, &connection, Some(key), true, format!("{key} is removed")).await
}

/// A transaction, once the organization's tables are there.
async fn begin(connection: &Connection) -> Result<Tx> {
    Ok(connection.person().begin().await?.0)
}

/// Reports a change, with what the organization's agents have now.
async fn changed(
    session: &Session,
    connection: &Connection,
    skill: Option<&str>,
    changed: bool,
    said: String,
) -> Result<Status> {
    let library = connection.person().library().await?;
    let (skills, findings) = (library.skills().len(), library.findings().len());
    let report = Report { skill: skill.map(str::to_owned), changed, skills, findings, said };
    session.output.result(&report, || {
        let faults = match report.findings {
            0 => String::new(),
            1 => ", and 1 finding: `opstables skills lint` says which".to_owned(),
            many => format!(", and {many} findings: `opstables skills lint` says which"),
        };
        format!("{}. Agents have {} skills{faults}.", report.said, report.skills)
    })?;
    Ok(Status::Done)
}

/// What is kept of every skill, brought up to date first.
async fn rows(connection: &Connection) -> Result<Vec<SkillRow>> {
    connection.person().library().await?;
    let (mut tx, _) = connection.person().read().await?;
    skills::all(&mut tx, connection.org).await
}
