//! `import_rows`: brings rows of CSV or JSON in, with a report of every line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json, json};

use super::ctx::Ctx;
use super::schema::{Map, property};
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Result, invalid};
use crate::imports::{self, Host, Mapping, Report, Source};
use crate::tables::TABLES;

/// How many faults, and how many repeated rows, one answer lists.
const LISTED_MAX: usize = 50;

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// CSV with a heading line; at most 1 MiB
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<String>,
    /// One JSON object a line
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jsonl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<JsonMap<String, Json>>,
    /// What the headings do not say by themselves
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// Store nothing: report what would be
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Whether 1/2/2026 is the first of February; default: found out from the rows
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_first: Option<bool>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "import_rows",
        title: "Import rows",
        description: "Import CSV, JSON Lines or rows of another system's export: headings find their columns, values \
                      are converted, bad lines are reported and the rest is stored; the same import again changes \
                      nothing. Try dry_run first. For a few known rows use save_<table>.",
    };
    Tool::new(words, Toolset::Admin, Hints::EDIT, run).with_input(describe)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Report> {
    let source = source(&args)?;
    let mut mapping = args.mapping.unwrap_or_default().with_table(args.table.as_deref());
    mapping.day_first = args.day_first.or(mapping.day_first);
    let services = &ctx.services;
    let progress = |done: u64, total: Option<u64>, message: &str| ctx.progress.report(done, total, message);
    let host = Host {
        store: &services.store,
        catalogs: &services.catalogs,
        clock: &services.clock,
        ids: &services.ids,
        org: ctx.org,
        actor: &ctx.actor,
        progress: &progress,
    };
    if args.dry_run.unwrap_or(false) {
        return Ok(imports::preview(&host, &source, &mapping).await?.shortened(LISTED_MAX));
    }
    let mut report = imports::run(&host, &source, &mapping).await?.shortened(LISTED_MAX);
    if report.change_ids.len() > 1 {
        let count = report.change_ids.len();
        report.notes.push(format!(
            "{count} changes were made: undo_change takes back one at a time, the last one first"
        ));
    }
    Ok(report)
}

fn source(args: &Args) -> Result<Source> {
    match (&args.csv, &args.jsonl, args.rows.is_empty()) {
        (Some(text), None, true) => Source::csv("csv", text.as_bytes()).map_err(|error| error.at("csv")),
        (None, Some(text), true) => {
            Source::json_lines("jsonl", text.as_bytes()).map_err(|error| error.at("jsonl"))
        }
        (None, None, false) => Ok(Source::objects("rows", args.rows.clone())),
        (None, None, true) => {
            Err(invalid("there is nothing to import").hint("pass one of csv, jsonl and rows"))
        }
        _ => Err(invalid("pass only one of csv, jsonl and rows")),
    }
}

fn describe(schema: &mut Map) {
    let tables: Vec<&str> = TABLES.iter().map(|table| table.key).collect();
    let table = property(schema, "table");
    table.insert("enum".to_owned(), json!(tables));
    table.insert("description".to_owned(), json!("Needed unless the mapping names it"));
}
