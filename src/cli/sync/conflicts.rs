//! The edits that were lost, and what people decide about them.

use chrono_tz::Tz;
use serde_json::json;

use super::super::Status;
use super::super::connect::parse_system;
use super::super::output::{FAINT, STRONG, harmless, styled};
use super::super::session::Session;
use super::placeless;
use super::status::moment;
use crate::error::Result;
use crate::tools::conflict::Conflict;
use crate::tools::list_conflicts::{self, Output, Resolution};
use crate::tools::resolve_conflict::{self, Decision};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only of this table: contacts or companies
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Only of this column
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Only with this CRM: hubspot or attio
    #[arg(long, value_name = "CRM")]
    system: Option<String>,
    /// Only of this row
    #[arg(long, value_name = "ROW")]
    row: Option<String>,
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// How many to show at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=100))]
    limit: i64,
    /// Go on where an earlier list ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Resolve {
    /// Id of the conflict
    id: String,
    #[command(subcommand)]
    decision: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Leave what stands
    Keep,
    /// Write again what was lost
    Restore,
    /// Write another value
    Set {
        /// It, as it would be saved; "" clears
        value: String,
    },
}

pub(super) async fn list(args: Args, session: &Session) -> Result<Status> {
    let system = args.system.as_deref().map(parse_system).transpose()?;
    let ctx = session.connect().await?.person();
    let (tx, catalog) = ctx.read().await?;
    drop(tx);
    let asked = list_conflicts::Args {
        resolution: args.all.then_some(Resolution::Any),
        table: args.table,
        column: args.column,
        system,
        row_id: args.row,
        id: None,
        limit: Some(args.limit),
        cursor: args.cursor,
    };
    let found = list_conflicts::run(ctx, asked).await.map_err(placeless)?;
    session.output.result(&found, || show(&found, catalog.zone))?;
    Ok(Status::Done)
}

pub(super) async fn resolve(args: Resolve, session: &Session) -> Result<Status> {
    let ctx = session.connect().await?.person();
    let (action, value) = match args.decision {
        What::Keep => (Decision::Keep, None),
        What::Restore => (Decision::Restore, None),
        What::Set { value } => (Decision::Set, Some(json!(value))),
    };
    let asked = resolve_conflict::Args { id: args.id, action, value, dry_run: None };
    let done = resolve_conflict::run(ctx, asked).await.map_err(placeless)?;
    session.output.result(&done, || {
        let mut said = vec![format!("The conflict is closed: {}.", done.conflict.resolution)];
        said.extend(done.written.note.iter().map(|note| format!("{note}.")));
        let told: Vec<&str> = done.written.sync_to.iter().map(|system| system.label()).collect();
        if !told.is_empty() {
            said.push(format!("On its way to {}.", told.join(" and ")));
        }
        let undo = done.written.change_id.as_ref().map(|change| {
            let call = format!("opstables call undo_change '{{\"change_id\": \"{change}\"}}'");
            styled(FAINT, format!("\n`{call}` takes the edit back."))
        });
        said.join(" ") + &undo.unwrap_or_default()
    })?;
    Ok(Status::Done)
}

fn show(found: &Output, zone: Tz) -> String {
    if found.conflicts.is_empty() {
        return "There are no conflicts.".to_owned();
    }
    let mut parts: Vec<String> = found.conflicts.iter().map(|it| one(it, zone)).collect();
    if let Some(cursor) = &found.next_cursor {
        parts.push(format!(
            "{} of {} shown; go on with --cursor {cursor}",
            found.conflicts.len(),
            found.total
        ));
    }
    let decide = "`opstables sync resolve ID keep|restore|set VALUE` decides one.";
    parts.push(styled(FAINT, decide));
    parts.join("\n\n")
}

fn one(it: &Conflict, zone: Tz) -> String {
    let state = match it.resolution.as_str() {
        "open" => String::new(),
        closed => format!(", {closed}"),
    };
    let times = format!(
        "{} by {} at {}; {} by {} at {}",
        it.winner.value,
        it.winner.actor,
        moment(it.winner.at, zone),
        it.loser.value,
        it.loser.actor,
        moment(it.loser.at, zone),
    );
    format!(
        "{}{state}\n  {}\n  {}",
        styled(STRONG, &it.id),
        harmless(&it.says),
        styled(FAINT, harmless(&times))
    )
}
