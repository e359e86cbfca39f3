//! `sync_status`: whether what was written has reached the CRMs, and what keeps it from there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ctx::Ctx;
use super::published;
use super::schema::Map;
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Error, Result, invalid};
use crate::sync::status::{self, Asked, Status};
use crate::tables::{Catalog, Object, System};

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "sync_status",
        title: "Sync status",
        description: "Whether changes have reached HubSpot and Attio: what waits, what failed and why, health by table.",
    };
    Tool::new(words, Toolset::Sync, Hints::READ, run).with_published(describe)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let (mut tx, catalog) = ctx.read().await?;
    check_table(args.table.as_deref())?;
    let asked = Asked { system: args.system, table: args.table.as_deref() };
    let status = status::status(&mut tx, ctx.org, asked, ctx.services.clock.now()).await?;
    let note = match (status.connections.is_empty(), args.system) {
        (true, Some(system)) => Some(format!("{} is not connected", system.label())),
        (true, None) => Some("no CRM is connected; `opstables connect` connects one".to_owned()),
        (false, _) => None,
    };
    drop(catalog);
    Ok(Output { status, note })
}

/// Refuses a table that CRMs have no records of.
pub(super) fn check_table(table: Option<&str>) -> Result<()> {
    let known = || Object::ALL.iter().map(|object| object.table());
    match table.filter(|table| !known().any(|known| known == *table)) {
        Some(table) => {
            Err(invalid(format!("`{table}` is kept in step with no CRM")).at("table").choices(table, known()))
        }
        None => Ok(()),
    }
}

/// The CRMs that a call means: the one it names, else all that are connected.
pub(super) fn meant(catalog: &Catalog, system: Option<System>) -> Result<Vec<System>> {
    let connected: Vec<System> = catalog.connections.iter().map(|connection| connection.system).collect();
    match system {
        None if connected.is_empty() => Err(none_connected("no CRM is connected")),
        None => Ok(connected),
        Some(system) if connected.contains(&system) => Ok(vec![system]),
        Some(system) => Err(none_connected(&format!("{} is not connected", system.label())).at("system")),
    }
}

fn none_connected(message: &str) -> Error {
    crate::error::not_found(message)
        .hint("`opstables connect hubspot` or `opstables connect attio` connects one")
}

fn describe(schema: &mut Map) {
    tables(schema);
    systems(schema);
}

/// The argument that names a table which CRMs have records of.
pub(super) fn tables(schema: &mut Map) {
    let tables: Vec<&str> = Object::ALL.iter().map(|object| object.table()).collect();
    published::put(schema, "table", serde_json::json!({"type": "string", "enum": tables}));
}

/// The argument that names a CRM.
pub(super) fn systems(schema: &mut Map) {
    let systems: Vec<&str> = System::ALL.iter().map(|system| system.name()).collect();
    published::put(schema, "system", serde_json::json!({"type": "string", "enum": systems}));
}
