//! `opstables connect`: the organization's accounts at HubSpot and Attio.

pub(super) mod webhooks;

use secrecy::ExposeSecret;
use serde::Serialize;

use super::Status;
use super::grid::Grid;
use super::output::{FAINT, GOOD, styled};
use super::secret;
use super::session::Session;
use crate::error::{Result, conflict, invalid};
use crate::sync::connect::{self, Connected, Credentials, Decisions};
use crate::sync::mapping::Finding;
use crate::sync::status::{self, Asked};
use crate::tables::System;

use webhooks::{Ended, Webhooks};

/// Connect the organization to its HubSpot or Attio account
///
/// The token is taken from the environment (`OPSTABLES_HUBSPOT_TOKEN`, `OPSTABLES_ATTIO_TOKEN`), from stdin, or asked for. It is
/// checked at the CRM and kept sealed with this installation's key. From then on what is written here goes there: a
/// running `opstables serve` or `opstables worker` brings it.
///
/// Where `OPSTABLES_PUBLIC_URL` says at which address the CRMs reach `opstables serve --http`, webhooks are set up too, so that
/// changes made there are here at once: at `HubSpot` with the app's `OPSTABLES_HUBSPOT_DEVELOPER_KEY`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE, arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// List the connections
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Connect a HubSpot account, by a private app's or service key's token or an OAuth app
    Hubspot(New),
    /// Connect an Attio workspace, by an API key or an OAuth app
    Attio(New),
    /// Set up a connection's webhooks, again or for the first time
    Webhooks(webhooks::Args),
    /// Forget a connection: its webhooks, its token, which rows were which records, and what was to be sent
    Remove {
        /// CRM: hubspot or attio
        system: String,
        /// Do it though something is forgotten
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct New {
    /// Read the token from stdin
    #[arg(long, conflicts_with = "oauth")]
    token_stdin: bool,
    /// Use an OAuth app: its id, secret and refresh token are read from `OPSTABLES_<CRM>_CLIENT_ID`,
    /// `_CLIENT_SECRET` and `_REFRESH_TOKEN`
    #[arg(long)]
    oauth: bool,
    /// Connect another account than before: which records the rows were is forgotten
    #[arg(long)]
    replace: bool,
    /// Whether rows made from now on become records there [default: yes, or as before]
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    create: Option<bool>,
}

const EXAMPLE: &str = "Examples:
  opstables connect hubspot                            asks for the token
  opstables connect attio --token-stdin < attio.key
  opstables connect hubspot --oauth --create no
  opstables connect --list
  opstables connect webhooks hubspot                   sets them up, or brings them up to date
  opstables connect webhooks hubspot --secret-only     for an app whose subscriptions are set up at HubSpot
  opstables connect remove attio";

#[derive(Debug, Serialize)]
struct Report {
    system: System,
    account: String,
    account_name: String,
    /// Whether it was connected to this account before.
    again: bool,
    creates: bool,
    columns: usize,
    left_out: Vec<LeftOut>,
    findings: Vec<Finding>,
    webhooks: Webhooks,
}

/// A column that this account leaves out, or only gives.
#[derive(Debug, Serialize)]
struct LeftOut {
    column: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Removed {
    system: System,
    linked_rows: u64,
    unsent_changes: u64,
    webhooks: Ended,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    match args.action {
        None => list(session).await,
        Some(Action::Hubspot(new)) => add(session, System::Hubspot, &new).await,
        Some(Action::Attio(new)) => add(session, System::Attio, &new).await,
        Some(Action::Webhooks(args)) => webhooks::run(args, session).await,
        Some(Action::Remove { system, yes }) => remove(session, parse_system(&system)?, yes).await,
    }
}

async fn add(session: &Session, system: System, new: &New) -> Result<Status> {
    let connection = session.connect().await?;
    let credentials = credentials(session, system, new).await?;
    let decisions = Decisions { replace: new.replace, creates: new.create };
    let sync = &connection.app.services.sync;
    let connected = connect::connect(sync, connection.org, system, &credentials, decisions).await?;
    let webhooks = webhooks::after_connecting(session, &connection, system).await;
    let report = report(system, connected, webhooks);
    session.output.result(&report, || show(&report))?;
    Ok(Status::Done)
}

async fn credentials(session: &Session, system: System, new: &New) -> Result<Credentials> {
    let variable = |part: &str| format!("OPSTABLES_{}_{part}", system.name().to_uppercase());
    if new.oauth {
        let id = secret::required(&variable("CLIENT_ID"), "the OAuth app's id")?;
        return Ok(Credentials::OAuth {
            client_id: id.expose_secret().to_owned(),
            client_secret: secret::required(&variable("CLIENT_SECRET"), "the OAuth app's secret")?,
            refresh: secret::required(&variable("REFRESH_TOKEN"), "the account's refresh token")?,
        });
    }
    if new.token_stdin {
        return secret::from_stdin().map(Credentials::Token);
    }
    if let Some(token) = secret::from_variable(&variable("TOKEN")) {
        return Ok(Credentials::Token(token));
    }
    let asked = secret::asked(session.output, &format!("{} token", system.label())).await?;
    asked.map(Credentials::Token).ok_or_else(|| {
        invalid("there is no token")
            .hint(format!("set {}, or pipe it in with --token-stdin", variable("TOKEN")))
    })
}

fn report(system: System, connected: Connected, webhooks: Webhooks) -> Report {
    let columns = connected.left_out.into_iter().map(|edit| LeftOut {
        column: format!("{}.{}", edit.table, edit.column),
        reason: edit.reason.unwrap_or_default(),
    });
    let tables = connected.not_sent.into_iter().map(|(object, reason)| LeftOut {
        column: format!("{}.*", object.table()),
        reason: format!("they are not sent, because {} said: {reason}", system.label()),
    });
    Report {
        system,
        account: connected.account.id,
        account_name: connected.account.name,
        again: connected.was_connected,
        creates: connected.creates,
        columns: connected.columns,
        left_out: columns.chain(tables).collect(),
        findings: connected.findings,
        webhooks,
    }
}

fn show(report: &Report) -> String {
    let (crm, name) = (report.system.label(), report.system.name());
    let account = format!("{} ({})", report.account_name, report.account);
    let done = if report.again { "Connected again to" } else { "Connected to" };
    let mut lines = vec![format!("{} {done} {crm}: {account}.", styled(GOOD, "✓"))];
    lines.push(format!(
        "{} columns are kept in step; `opstables sync map {name}` shows them.",
        report.columns
    ));
    let out = report.left_out.iter().map(|out| format!("  {}: {}", out.column, out.reason));
    lines.extend(out);
    lines.extend(report.findings.iter().map(|it| format!("  {}.{}: {}", it.table, it.column, it.message)));
    lines.push(if report.creates {
        "Rows made from now on become records there.".to_owned()
    } else {
        "Rows that are records there are kept in step; no new records are made.".to_owned()
    });
    lines.extend(report.webhooks.lines(report.system));
    lines.push(styled(FAINT, "A running `opstables serve` or `opstables worker` sends what is written."));
    lines.join("\n")
}

async fn list(session: &Session) -> Result<Status> {
    let ctx = session.connect().await?.person();
    let (mut tx, _) = ctx.read().await?;
    let now = ctx.services.clock.now();
    let connections = status::status(&mut tx, ctx.org, Asked::default(), now).await?.connections;
    session.output.result(&connections, || {
        if connections.is_empty() {
            return "No CRM is connected: `opstables connect hubspot` or `opstables connect attio`"
                .to_owned();
        }
        let mut grid = Grid::new(["crm", "account", "state", "linked rows", "creates records"]);
        for it in &connections {
            let linked: i64 = it.tables.iter().map(|table| table.linked).sum();
            let state = match &it.reason {
                Some(reason) => format!("{}: {reason}", it.state),
                None => it.state.clone(),
            };
            grid.row([
                it.system.label().to_owned(),
                format!("{} ({})", it.account_name, it.account),
                state,
                linked.to_string(),
                if it.creates { "yes" } else { "no" }.to_owned(),
            ]);
        }
        grid.render(None)
    })?;
    Ok(Status::Done)
}

async fn remove(session: &Session, system: System, yes: bool) -> Result<Status> {
    let connection = session.connect().await?;
    let sync = &connection.app.services.sync;
    let stake = connect::at_stake(sync, connection.org, system).await?;
    if !yes && stake.linked + stake.unsent > 0 {
        return Err(conflict(format!(
            "this forgets which rows are records in {} ({}), and what was to be sent there ({})",
            system.label(),
            stake.linked,
            stake.unsent
        ))
        .hint("repeat it with --yes; the rows themselves stay. `opstables sync pause` only stops sending"));
    }
    let ended = webhooks::end(session, &connection, system).await;
    let forgotten = connect::disconnect(sync, connection.org, system).await?;
    let report =
        Removed { system, linked_rows: forgotten.linked, unsent_changes: forgotten.unsent, webhooks: ended };
    session.output.result(&report, || {
        let said = format!(
            "{} is disconnected and its token forgotten; {} rows are no longer linked. All rows stay.",
            system.label(),
            forgotten.linked
        );
        [vec![said], report.webhooks.lines(system)].concat().join("\n")
    })?;
    Ok(Status::Done)
}

/// A CRM as people write it.
pub(super) fn parse_system(name: &str) -> Result<System> {
    let known = System::ALL.iter().map(|system| system.name());
    System::from_name(&name.to_lowercase())
        .ok_or_else(|| invalid(format!("`{name}` is no CRM that can be connected")).choices(name, known))
}

fn yes_or_no(text: &str) -> std::result::Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}
