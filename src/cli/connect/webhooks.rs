//! `opstables connect webhooks`: has a CRM tell of what happens there, beside reading it by the schedule.

use secrecy::SecretString;
use serde::Serialize;

use super::parse_system;
use crate::cli::output::{GOOD, WARN, styled};
use crate::cli::session::{Connection, Session};
use crate::cli::{Status, secret};
use crate::error::{Error, Result, invalid};
use crate::sync::registration::{self, App, Registration};
use crate::sync::{hooks, subscriptions};
use crate::tables::System;

const PUBLIC_URL: &str = "OPSTABLES_PUBLIC_URL";
const DEVELOPER_KEY: &str = "OPSTABLES_HUBSPOT_DEVELOPER_KEY";
const CLIENT_SECRET: &str = "OPSTABLES_HUBSPOT_CLIENT_SECRET";
const APP_ID: &str = "OPSTABLES_HUBSPOT_APP_ID";

/// The address is `OPSTABLES_PUBLIC_URL` (`http.public_url`), where the CRM reaches `opstables serve --http`.
///
/// Attio's webhooks are set up with the connection's token. `HubSpot`'s belong to an app: its developer account's key is
/// taken from `OPSTABLES_HUBSPOT_DEVELOPER_KEY`, its id from `OPSTABLES_HUBSPOT_APP_ID` unless the token tells it, and its
/// client secret, which signs deliveries, from `OPSTABLES_HUBSPOT_CLIENT_SECRET` unless the connection is by OAuth. Run it
/// again after the mapping or the secret has changed: the secret before it stays valid beside the newest.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CRM: hubspot or attio
    system: String,
    /// Take the place of what is there: of the app's other target, or of a webhook whose secret is to change
    #[arg(long)]
    replace: bool,
    /// Only keep the client secret of a `HubSpot` app whose subscriptions are set up there, and say what they must be
    #[arg(long, conflicts_with = "replace")]
    secret_only: bool,
    /// Read the client secret from stdin
    #[arg(long, requires = "secret_only")]
    secret_stdin: bool,
}

/// What became of a connection's webhooks.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Webhooks {
    SetUp {
        target: String,
        added: Vec<String>,
        kept: Vec<String>,
        refused: Vec<RefusedTopic>,
    },
    /// The secret is kept; the rest is for a person to enter at the CRM.
    SecretKept {
        target: String,
        subscriptions: Vec<ToSubscribe>,
    },
    /// They are as they were.
    Unchanged,
    /// Changes are read by the schedule, until there is what is missing.
    Polled {
        every_secs: u32,
        missing: Vec<&'static str>,
    },
    Failed {
        error: Error,
        every_secs: u32,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct RefusedTopic {
    topic: String,
    reason: String,
}

/// A subscription as `HubSpot` names it.
#[derive(Debug, Serialize)]
pub(super) struct ToSubscribe {
    event_type: String,
    properties: Vec<String>,
}

/// What became of the webhooks of a connection that is removed.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Ended {
    /// There were none.
    None,
    #[serde(rename = "ended")]
    Done {
        subscriptions: usize,
    },
    Failed {
        error: Error,
    },
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let system = parse_system(&args.system)?;
    let connection = session.connect().await?;
    let url = public_url(session)?;
    let done = if args.secret_only {
        keep_secret(session, &connection, system, url, args.secret_stdin).await?
    } else {
        let app = app(system);
        if system == System::Hubspot && app.is_none() {
            return Err(invalid("HubSpot's webhooks belong to an app, and its developer's key is missing").hint(
                format!(
                    "set {DEVELOPER_KEY}; for an app whose subscriptions are set up at HubSpot there is --secret-only"
                ),
            ));
        }
        set_up(&connection, system, url, app.as_ref(), args.replace).await.map_err(named)?
    };
    session.output.result(&done, || done.lines(system).join("\n"))?;
    Ok(Status::Done)
}

/// Sets up the webhooks of a connection that was just made, when what that needs is known. It never fails: the connection
/// stands without them.
pub(super) async fn after_connecting(session: &Session, connection: &Connection, system: System) -> Webhooks {
    let app = app(system);
    let every_secs = session.config.sync.poll_secs;
    let (url, has_key) = (&session.config.http.public_url, system == System::Attio || app.is_some());
    let (Some(url), true) = (url, has_key) else {
        let sync = &connection.app.services.sync;
        if hooks::has_secret(sync, connection.org, system).await.is_ok_and(|is_known| is_known) {
            return Webhooks::Unchanged;
        }
        let missing = [(url.is_some(), PUBLIC_URL), (has_key, DEVELOPER_KEY)];
        let missing = missing.into_iter().filter(|(is_set, _)| !is_set).map(|(_, name)| name).collect();
        return Webhooks::Polled { every_secs, missing };
    };
    match set_up(connection, system, url, app.as_ref(), false).await {
        Ok(done) => done,
        Err(error) => Webhooks::Failed { error: named(error), every_secs },
    }
}

/// Ends the webhooks of a connection that is about to be removed. It never fails: the connection goes all the same.
pub(super) async fn end(session: &Session, connection: &Connection, system: System) -> Ended {
    let sync = &connection.app.services.sync;
    let is_known = hooks::has_secret(sync, connection.org, system).await.unwrap_or(false);
    let app = app(system);
    // Without either nobody has set up any.
    if !is_known && (session.config.http.public_url.is_none() || (system == System::Hubspot && app.is_none()))
    {
        return Ended::None;
    }
    match registration::unregister(sync, connection.org, system, app.as_ref()).await {
        Ok(0) => Ended::None,
        Ok(subscriptions) => Ended::Done { subscriptions },
        Err(error) => Ended::Failed { error: named(error) },
    }
}

/// What administers a `HubSpot` app's webhooks, when its key is there.
pub(in crate::cli) fn app(system: System) -> Option<App> {
    if system != System::Hubspot {
        return None;
    }
    Some(App {
        developer_key: secret::from_variable(DEVELOPER_KEY)?,
        id: std::env::var(APP_ID).ok().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
        client_secret: secret::from_variable(CLIENT_SECRET),
    })
}

/// The error of webhooks, with what to set where it names a place.
pub(in crate::cli) fn named(mut error: Error) -> Error {
    let variable = match error.path.take().as_deref() {
        Some("public_url") => Some(PUBLIC_URL),
        Some("developer_key") => Some(DEVELOPER_KEY),
        Some("client_secret") => Some(CLIENT_SECRET),
        Some("app_id") => Some(APP_ID),
        _ => None,
    };
    if let Some(variable) = variable {
        let hint = error.hint.take().map_or_else(String::new, |hint| format!("; {hint}"));
        error.hint = Some(format!("set {variable}{hint}"));
    }
    error
}

async fn set_up(
    connection: &Connection,
    system: System,
    url: &str,
    app: Option<&App>,
    replace: bool,
) -> Result<Webhooks> {
    let sync = &connection.app.services.sync;
    let done = hooks::set_up(sync, connection.org, system, url, app, replace).await?;
    let Registration { target, added, kept, refused, .. } = done;
    let texts = |topics: Vec<subscriptions::Topic>| topics.iter().map(ToString::to_string).collect();
    let refused = refused
        .into_iter()
        .map(|(topic, refusal)| RefusedTopic { topic: topic.to_string(), reason: refusal.message });
    Ok(Webhooks::SetUp { target, added: texts(added), kept: texts(kept), refused: refused.collect() })
}

async fn keep_secret(
    session: &Session,
    connection: &Connection,
    system: System,
    url: &str,
    from_stdin: bool,
) -> Result<Webhooks> {
    if system != System::Hubspot {
        return Err(invalid(format!("{} tells a webhook's secret when it makes it", system.label()))
            .hint(format!("`opstables connect webhooks {}` keeps it", system.name())));
    }
    let (sync, org) = (&connection.app.services.sync, connection.org);
    let declared = registration::declared(sync, org, system, url).await.map_err(named)?;
    let secret = client_secret(session, from_stdin).await?;
    hooks::keep_secret(sync, (org, system), declared.connection, &secret).await?;
    let mut subscriptions: Vec<ToSubscribe> = Vec::new();
    for topic in &declared.topics {
        let (event_type, property) = topic.at_hubspot();
        let properties = property.map(str::to_owned).into_iter();
        match subscriptions.iter_mut().find(|it| it.event_type == event_type) {
            Some(known) => known.properties.extend(properties),
            None => subscriptions.push(ToSubscribe { event_type, properties: properties.collect() }),
        }
    }
    Ok(Webhooks::SecretKept { target: declared.target, subscriptions })
}

async fn client_secret(session: &Session, from_stdin: bool) -> Result<SecretString> {
    if from_stdin {
        return secret::from_stdin();
    }
    if let Some(secret) = secret::from_variable(CLIENT_SECRET) {
        return Ok(secret);
    }
    let asked = secret::asked(session.output, "client secret of the HubSpot app").await?;
    asked.ok_or_else(|| {
        invalid("there is no client secret")
            .hint(format!("set {CLIENT_SECRET}, or pipe it in with --secret-stdin"))
    })
}

fn public_url(session: &Session) -> Result<&str> {
    session.config.http.public_url.as_deref().ok_or_else(|| {
        invalid("the address at which the CRM reaches `opstables serve --http` is not known")
            .hint(format!("set {PUBLIC_URL} or http.public_url, as https://crm.example.com"))
    })
}

impl Webhooks {
    pub(super) fn lines(&self, system: System) -> Vec<String> {
        let (crm, name) = (system.label(), system.name());
        match self {
            Webhooks::SetUp { target, added, kept, refused } => {
                let mark = styled(GOOD, "✓");
                let (all, new) = (added.len() + kept.len(), added.len());
                let said = format!(
                    "{mark} Webhooks are set up: {crm} tells of {all} things ({new} new) at {target}"
                );
                let refused =
                    refused.iter().map(|it| format!("  not told of, but read: {}: {}", it.topic, it.reason));
                std::iter::once(said).chain(refused).collect()
            }
            Webhooks::SecretKept { target, subscriptions } => {
                let mark = styled(GOOD, "✓");
                let mut lines = vec![
                    format!("{mark} The client secret is kept; the one before it stays valid."),
                    format!("Enter this as the app's target URL at {crm}:\n  {target}"),
                    "Subscribe to:".to_owned(),
                ];
                lines.extend(subscriptions.iter().map(|it| match it.properties.as_slice() {
                    [] => format!("  {}", it.event_type),
                    properties => format!("  {}: {}", it.event_type, properties.join(", ")),
                }));
                lines
            }
            Webhooks::Unchanged => vec![format!(
                "Its webhooks stay as they were; `opstables connect webhooks {name}` brings them up to date."
            )],
            Webhooks::Polled { every_secs, missing } => vec![format!(
                "{}; to be told at once set {} and run `opstables connect webhooks {name}`.",
                read(*every_secs),
                missing.join(" and ")
            )],
            Webhooks::Failed { error, every_secs } => vec![
                format!("{} Webhooks are not set up: {}", styled(WARN, "!"), error.message),
                format!("  {}", error.hint.as_deref().unwrap_or("the same may work in a moment")),
                format!("  {}; `opstables connect webhooks {name}` tries again.", read(*every_secs)),
            ],
        }
    }
}

impl Ended {
    pub(super) fn lines(&self, system: System) -> Vec<String> {
        match self {
            Ended::None => Vec::new(),
            Ended::Done { subscriptions: 1 } => vec!["Its webhook there is ended.".to_owned()],
            Ended::Done { subscriptions } => {
                vec![format!("Its {subscriptions} webhook subscriptions there are ended.")]
            }
            Ended::Failed { error } => vec![format!(
                "{} Its webhooks there could not be ended: {}\n  Remove them at {}: what they tell is refused from now on.",
                styled(WARN, "!"),
                error.message,
                system.label()
            )],
        }
    }
}

/// How changes at a CRM come in without webhooks.
fn read(every_secs: u32) -> String {
    match every_secs {
        0 => "Changes made there are not read, for sync.poll_secs is 0".to_owned(),
        secs if secs % 60 == 0 => match secs / 60 {
            1 => "Changes made there are read every minute".to_owned(),
            minutes => format!("Changes made there are read every {minutes} minutes"),
        },
        secs => format!("Changes made there are read every {secs} seconds"),
    }
}
