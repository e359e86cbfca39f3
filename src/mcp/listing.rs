//! The tools as they are listed, built once.

use std::sync::Arc;

use rmcp::model::{CacheScope, ListToolsResult, Tool as ListedTool, ToolAnnotations};

use super::server::LIST_TTL_MS;
use crate::tools::{Tool, Toolbox};

pub(super) fn tools(toolbox: &Toolbox) -> ListToolsResult {
    ListToolsResult::with_all_items(toolbox.tools().iter().map(listed).collect())
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

/// The tool's definition in rmcp's type; the same as [`crate::tools::contract`].
fn listed(tool: &Tool) -> ListedTool {
    let annotations = ToolAnnotations::new()
        .read_only(tool.hints.read_only)
        .destructive(tool.hints.destructive)
        .idempotent(tool.hints.idempotent)
        .open_world(tool.hints.open_world);
    ListedTool::new(tool.name.clone(), tool.description.clone(), tool.input.clone())
        .with_title(tool.title.clone())
        .with_raw_output_schema(Arc::new(tool.output.clone()))
        .with_annotations(annotations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    #[test]
    fn what_is_listed_is_what_is_published() {
        for tool in tools::all() {
            assert_eq!(serde_json::to_value(listed(&tool)).unwrap(), tools::contract(&tool));
        }
    }
}
