//! The verbs offered to the model. Each tool is one file; this is the one list of them.
//!
//! To add a tool: write its file with a function that returns its [`Tool`], and add it to [`all`]. Its
//! published definition follows from there; the contract test shows the difference.

mod archive;
mod arguments;
mod backfill_table;
pub mod backfill_task;
mod coerce;
mod confirm;
pub mod conflict;
mod ctx;
pub mod describe;
mod edits;
mod explain;
pub mod figures;
pub mod find_skills;
pub mod get_skill;
mod import_rows;
pub mod list_conflicts;
mod manage_columns;
mod manage_tables;
mod once;
mod outcome;
mod published;
pub mod query;
pub mod resolve_conflict;
pub mod retry_sync;
pub mod route_message;
pub mod save;
pub mod schema;
pub mod selection;
mod shown;
pub mod sync_status;
mod tidy;
mod tool;
mod undo;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result, not_found};
use crate::tables::TABLES;

pub use ctx::{Ctx, Progress, Services};
pub use tool::{BoxFuture, Hints, Tool, Toolset, Words};

/// Every tool there is.
pub fn all() -> Vec<Tool> {
    let mut tools = vec![route_message::tool(), describe::tool()];
    tools.extend(TABLES.iter().map(|table| query::tool(table)));
    tools.extend(TABLES.iter().map(|table| save::tool(table)));
    tools.extend([
        archive::tool(),
        undo::tool(),
        find_skills::tool(),
        get_skill::tool(),
        sync_status::tool(),
        retry_sync::tool(),
        list_conflicts::tool(),
        resolve_conflict::tool(),
        manage_columns::tool(),
        manage_tables::tool(),
        import_rows::tool(),
        backfill_table::tool(),
    ]);
    tools
}

/// The tools that one server offers, sorted by name.
#[derive(Debug)]
pub struct Toolbox {
    tools: Vec<Tool>,
    /// Tools that exist but are not offered, with the reason.
    off: Vec<(String, String)>,
}

impl Toolbox {
    /// The tools of the given sets and of `Core`; of those only the reading ones when `read_only`.
    pub fn new(tools: Vec<Tool>, toolsets: &[Toolset], read_only: bool) -> Toolbox {
        let mut toolbox = Toolbox { tools: Vec::new(), off: Vec::new() };
        for tool in tools {
            if tool.toolset != Toolset::Core && !toolsets.contains(&tool.toolset) {
                let reason = format!(
                    "it belongs to the toolset `{}`, which is switched off here",
                    tool.toolset.name()
                );
                toolbox.off.push((tool.name, reason));
            } else if read_only && !tool.hints.read_only {
                toolbox.off.push((tool.name, "it writes, and this server only reads".to_owned()));
            } else {
                toolbox.tools.push(tool);
            }
        }
        toolbox.tools.sort_by(|a, b| a.name.cmp(&b.name));
        toolbox
    }

    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    pub fn find(&self, name: &str) -> Result<&Tool> {
        match self.tools.binary_search_by(|tool| tool.name.as_str().cmp(name)) {
            Ok(index) => Ok(&self.tools[index]),
            Err(_) => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, name: &str) -> Error {
        let error = not_found(format!("Unknown tool: {}", explain::shorten(name)));
        match self.off.iter().find(|(off, _)| off == name) {
            Some((_, reason)) => error.hint(reason.as_str()),
            None => error.choices(name, self.tools.iter().map(|tool| tool.name.as_str())),
        }
    }
}

/// A tool's definition as it is published.
pub fn contract(tool: &Tool) -> Value {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input,
        "outputSchema": tool.output,
        "annotations": {
            "readOnlyHint": tool.hints.read_only,
            "destructiveHint": tool.hints.destructive,
            "idempotentHint": tool.hints.idempotent,
            "openWorldHint": tool.hints.open_world,
        },
    })
}

/// The list of the tools' definitions by name, with digests that change whenever a definition does.
pub fn manifest(tools: &[Tool]) -> Value {
    let mut sorted: Vec<&Tool> = tools.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let contracts: Vec<Value> = sorted.iter().map(|tool| canonical(contract(tool))).collect();
    let entries: Vec<Value> = sorted
        .iter()
        .zip(&contracts)
        .map(|(tool, contract)| {
            json!({ "name": tool.name, "toolset": tool.toolset.name(), "sha256": sha256(&contract.to_string()) })
        })
        .collect();
    json!({ "sha256": sha256(&Value::Array(contracts).to_string()), "tools": entries })
}

/// The same value with the keys of every object sorted.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(
                entries.into_iter().map(|(key, value)| (key, canonical(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one_that_hosts_accept() {
        for tool in all() {
            assert_eq!(schema::faults(&tool.input), Vec::<String>::new(), "{}: arguments", tool.name);
            assert_eq!(schema::faults(&tool.output), Vec::<String>::new(), "{}: result", tool.name);
        }
    }

    #[test]
    fn names_are_unique_and_every_tool_has_its_words() {
        let mut names = std::collections::BTreeSet::new();
        for tool in all() {
            assert!(names.insert(tool.name.clone()), "{} is listed twice", tool.name);
            assert!(!tool.title.is_empty() && !tool.description.is_empty(), "{} lacks words", tool.name);
        }
    }

    #[test]
    fn a_digest_does_not_depend_on_the_order_of_keys() {
        let one = canonical(json!({ "b": [{ "d": 1, "c": 2 }], "a": 3 }));
        let two = canonical(json!({ "a": 3, "b": [{ "c": 2, "d": 1 }] }));
        assert_eq!(sha256(&one.to_string()), sha256(&two.to_string()));
    }
}
