//! Which column is which property at a CRM.

use serde::Serialize;

use super::super::Status;
use super::super::connect::parse_system;
use super::super::grid::Grid;
use super::super::output::{FAINT, styled, width};
use super::super::session::{Connection, Session};
use super::placeless;
use crate::error::{Error, Result, invalid};
use crate::store::connections;
use crate::sync::connect;
use crate::sync::mapping::{Wish, findings};
use crate::tables::{MappingEdit, Policy, System, Way, mapping_edits};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CRM: hubspot or attio
    system: String,
    /// Column, as contacts.phone; without one the mapping is shown
    #[arg(value_name = "TABLE.COLUMN")]
    column: Option<String>,
    /// Property or attribute that it is, by its internal name
    #[arg(requires = "column", group = "wish")]
    property: Option<String>,
    /// Leave the column out
    #[arg(long, requires = "column", group = "wish")]
    off: bool,
    /// Who decides when both sides were edited: lww (the later edit), `app_wins`, `remote_wins` or manual
    #[arg(long, requires = "column", group = "wish", value_name = "POLICY")]
    policy: Option<String>,
    /// Only take in what the property holds, and send nothing
    #[arg(long, requires = "property")]
    read_only: bool,
    /// Read the account's properties again first
    #[arg(long)]
    refresh: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    system: System,
    columns: Vec<Mapped>,
    /// How many rows have another value by the new policy.
    decided: usize,
}

#[derive(Debug, Serialize)]
struct Mapped {
    column: String,
    /// None is left out.
    property: Option<String>,
    way: Option<Way>,
    policy: Policy,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let system = parse_system(&args.system)?;
    let connection = session.connect().await?;
    let sync = &connection.app.services.sync;
    if args.refresh {
        connect::refresh_schema(sync, connection.org, system).await?;
    }
    let mut decided = 0;
    if let Some(column) = &args.column {
        let (table, column) = column.split_once('.').ok_or_else(|| {
            invalid(format!("`{column}` does not name a table and a column")).hint("as contacts.phone")
        })?;
        let wish = wish(&args, system)?;
        decided =
            connect::map(sync, connection.org, system, (table, column), &wish).await.map_err(placeless)?;
    }
    let mut report = Report { decided, ..report(&connection, system).await? };
    if let Some(column) = &args.column {
        report.columns.retain(|mapped| mapped.column == *column);
    }
    session.output.result(&report, || show(&report))?;
    Ok(Status::Done)
}

fn wish(args: &Args, system: System) -> Result<Wish> {
    match (&args.property, args.off, &args.policy) {
        (Some(property), ..) => Ok(Wish::Property(property.clone(), args.read_only.then_some(Way::In))),
        (None, true, _) => Ok(Wish::Off),
        (None, false, Some(policy)) => parse_policy(policy, system).map(Wish::Policy),
        (None, false, None) => {
            Err(invalid("say what becomes of the column").hint("name a property, or give --off or --policy"))
        }
    }
}

fn parse_policy(text: &str, system: System) -> Result<Policy> {
    let policies = [
        ("lww", Policy::Lww),
        ("app_wins", Policy::AppWins),
        ("remote_wins", Policy::RemoteWins(system)),
        ("manual", Policy::Manual),
    ];
    let found = policies.iter().find(|(name, _)| *name == text).map(|(_, policy)| *policy);
    found.ok_or_else(|| {
        let error = invalid(format!("there is no policy `{text}`"));
        Error::choices(error, text, policies.map(|(name, _)| name))
    })
}

async fn report(connection: &Connection, system: System) -> Result<Report> {
    let ctx = connection.person();
    let (mut tx, catalog) = ctx.read().await?;
    let Some(connected) = catalog.connection(system) else {
        return Err(connect::not_connected(system));
    };
    let row = connections::get(&mut tx, connection.org, system.name(), false).await?;
    let row = row.ok_or_else(|| connect::not_connected(system))?;
    let (edits, described) = (mapping_edits(&row), connect::described(&row));
    let notes = findings(system, &catalog, &described);
    let note = |table: &str, column: &str| {
        let found = notes.iter().find(|it| it.table == table && it.column == column);
        let reason = edits.iter().find(|edit| edit.table == table && edit.column == column);
        reason.and_then(|edit| edit.reason.clone()).or_else(|| found.map(|it| it.message.clone()))
    };
    let mut columns: Vec<Mapped> = connected
        .fields
        .iter()
        .map(|field| {
            let table = catalog.tables.iter().find(|table| table.key() == field.table);
            let policy = table.and_then(|table| table.find(&field.column)).map(|column| column.policy);
            Mapped {
                column: format!("{}.{}", field.table, field.column),
                property: Some(field.property.clone()),
                way: Some(field.way),
                policy: policy.unwrap_or_default(),
                note: note(field.table, &field.column),
            }
        })
        .collect();
    let out = edits.iter().filter(|edit| edit.property.is_none());
    columns.extend(out.map(left_out));
    Ok(Report { system, columns, decided: 0 })
}

fn left_out(edit: &MappingEdit) -> Mapped {
    Mapped {
        column: format!("{}.{}", edit.table, edit.column),
        property: None,
        way: None,
        policy: Policy::Lww,
        note: edit.reason.clone(),
    }
}

fn show(report: &Report) -> String {
    let mut grid = Grid::new(["column", "property", "way", "decides", "note"]);
    for mapped in &report.columns {
        let way = match mapped.way {
            Some(Way::Both) => "both",
            Some(Way::In) => "read only",
            Some(Way::Out) => "sent only",
            None => "",
        };
        let decides = match (mapped.policy, &mapped.property) {
            (_, None) => String::new(),
            (Policy::Lww, _) => "the later edit".to_owned(),
            (Policy::AppWins, _) => "here".to_owned(),
            (Policy::RemoteWins(system), _) => system.label().to_owned(),
            (Policy::Manual, _) => "a person".to_owned(),
        };
        grid.row([
            mapped.column.clone(),
            mapped.property.clone().unwrap_or_else(|| "(left out)".to_owned()),
            way.to_owned(),
            decides,
            mapped.note.clone().unwrap_or_default(),
        ]);
    }
    let decided = match report.decided {
        0 => String::new(),
        1 => "One open conflict was decided the other way by it. ".to_owned(),
        rows => format!("{rows} open conflicts were decided the other way by it. "),
    };
    let more = format!("{decided}A column that is mapped anew is sent with the next edit of a row.");
    format!("{}\n\n{}", grid.render(width()), styled(FAINT, &more))
}
