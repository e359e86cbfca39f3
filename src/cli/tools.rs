//! `opstables tools`: the tools as they are offered, and their published definitions as files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::Status;
use super::grid::Grid;
use super::output::{BAD, GOOD, styled, unwritten, width};
use super::session::Session;
use crate::error::{Result, internal, invalid};
use crate::tools;

/// List the tools, or write their published definitions
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the tools with what they are for
    List,
    /// Write one JSON file per tool, and manifest.json with their digests
    Export {
        /// Folder to write to
        #[arg(long, default_value = "tools", value_name = "DIR")]
        dir: PathBuf,
        /// Write nothing; fail when the files differ from what would be written
        #[arg(long)]
        check: bool,
    },
}

const EXAMPLE: &str = "Examples:
  opstables tools list
  opstables tools export --check";

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    toolset: &'static str,
    writes: bool,
    description: String,
}

/// What became of the folder, by file name.
#[derive(Debug, Default, Serialize)]
struct Report {
    dir: PathBuf,
    files: usize,
    missing: Vec<String>,
    different: Vec<String>,
    left_over: Vec<String>,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<Status> {
    match &args.action {
        Action::List => list(session),
        Action::Export { dir, check: true } => check(dir, session),
        Action::Export { dir, check: false } => export(dir, session),
    }
}

fn list(session: &Session) -> Result<Status> {
    let mut listed: Vec<Listed> = tools::all()
        .into_iter()
        .map(|tool| Listed {
            name: tool.name,
            toolset: tool.toolset.name(),
            writes: !tool.hints.read_only,
            description: tool.description,
        })
        .collect();
    listed.sort_by(|a, b| (a.toolset != "core", &a.name).cmp(&(b.toolset != "core", &b.name)));
    session.output.result(&listed, || {
        let mut grid = Grid::new(["tool", "toolset", "writes", "for"]);
        for tool in &listed {
            let writes = if tool.writes { "yes" } else { "" };
            grid.row([tool.name.as_str(), tool.toolset, writes, tool.description.as_str()]);
        }
        grid.render(width())
    })?;
    Ok(Status::Done)
}

fn export(dir: &Path, session: &Session) -> Result<Status> {
    let report = compare(dir)?;
    fs::create_dir_all(dir).map_err(unwritten)?;
    for (name, text) in published()? {
        fs::write(dir.join(name), text).map_err(unwritten)?;
    }
    for name in report.left_over.iter().filter(|name| is_contract(&dir.join(name))) {
        fs::remove_file(dir.join(name)).map_err(unwritten)?;
    }
    session.output.result(&report, || {
        let changed = report.missing.len() + report.different.len();
        let removed = report.left_over.len();
        format!("Wrote {} files to {}: {changed} changed, {removed} removed.", report.files, dir.display())
    })?;
    Ok(Status::Done)
}

fn check(dir: &Path, session: &Session) -> Result<Status> {
    let report = compare(dir)?;
    let faults = report.missing.len() + report.different.len() + report.left_over.len();
    session.output.result(&report, || {
        if faults == 0 {
            return format!(
                "{} {} files in {} are up to date.",
                styled(GOOD, "✓"),
                report.files,
                dir.display()
            );
        }
        let kinds = [
            ("missing", &report.missing),
            ("different", &report.different),
            ("left over", &report.left_over),
        ];
        let names = kinds.iter().flat_map(|(kind, names)| {
            names.iter().map(move |name| format!("{} {kind}: {}", styled(BAD, "✗"), dir.join(name).display()))
        });
        let fix = "`opstables tools export` brings them up to date.".to_owned();
        names.chain([fix]).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if faults == 0 { Status::Done } else { Status::Failed })
}

/// How the folder differs from what is published.
fn compare(dir: &Path) -> Result<Report> {
    let published = published()?;
    let mut report = Report { dir: dir.to_owned(), files: published.len(), ..Report::default() };
    for (name, text) in &published {
        match fs::read_to_string(dir.join(name)) {
            Ok(there) if there.replace("\r\n", "\n") == *text => {}
            Ok(_) => report.different.push(name.clone()),
            Err(_) => report.missing.push(name.clone()),
        }
    }
    let Ok(entries) = fs::read_dir(dir) else { return Ok(report) };
    for entry in entries {
        let name =
            entry.map_err(|error| invalid(format!("{} cannot be read: {error}", dir.display())))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "json")
            && !published.contains_key(&name)
        {
            report.left_over.push(name);
        }
    }
    report.left_over.sort();
    Ok(report)
}

/// Whether the file was published by us: a folder of the user's may hold other JSON.
fn is_contract(path: &Path) -> bool {
    let contract: Value =
        fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    contract["inputSchema"].is_object()
        && contract["name"].as_str() == path.file_stem().and_then(|stem| stem.to_str())
}

/// The published files by name.
fn published() -> Result<BTreeMap<String, String>> {
    let all = tools::all();
    let mut files = BTreeMap::from([("manifest.json".to_owned(), text(&tools::manifest(&all))?)]);
    for tool in &all {
        files.insert(format!("{}.json", tool.name), text(&tools::contract(tool))?);
    }
    Ok(files)
}

fn text(value: &Value) -> Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(internal)
}
