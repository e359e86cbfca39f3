//! The tables as resources that a host can show or attach: their list, each table, each row.

use rmcp::model::{
    CacheScope, ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate,
};

use super::server::LIST_TTL_MS;
use super::skills;
use crate::error::{Error, Result, internal, not_found};
use crate::tables::TABLES;
use crate::tools::{Ctx, describe};

pub(super) const TABLES_URI: &str = "ops://tables";
pub(super) const TABLE_TEMPLATE: &str = "ops://tables/{table}";
pub(super) const ROW_TEMPLATE: &str = "ops://tables/{table}/rows/{id}";

const JSON: &str = "application/json";

/// What a resource address names.
#[derive(Debug, PartialEq, Eq)]
enum Address<'a> {
    Tables,
    Table(&'a str),
    Row(&'a str, &'a str),
}

pub(super) fn list() -> ListResourcesResult {
    let mut resources = vec![
        Resource::new(TABLES_URI, "tables")
            .with_title("Tables")
            .with_description("The organization's tables with their columns, options and views")
            .with_mime_type(JSON),
    ];
    resources.extend(TABLES.iter().map(|table| {
        Resource::new(format!("{TABLES_URI}/{}", table.key), table.key)
            .with_title(table.label)
            .with_description(table.about)
            .with_mime_type(JSON)
    }));
    ListResourcesResult::with_all_items(resources)
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

pub(super) fn templates() -> ListResourceTemplatesResult {
    let templates = vec![
        ResourceTemplate::new(TABLE_TEMPLATE, "table")
            .with_title("Table")
            .with_description("One table: its columns, options and views")
            .with_mime_type(JSON),
        ResourceTemplate::new(ROW_TEMPLATE, "row")
            .with_title("Row")
            .with_description("One row of a table, with every column")
            .with_mime_type(JSON),
        ResourceTemplate::new(skills::TEMPLATE, "skill")
            .with_title("Skill")
            .with_description("Instructions for a job, filled in for this organization")
            .with_mime_type("text/markdown"),
    ];
    ListResourceTemplatesResult::with_all_items(templates)
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

/// Reads what is at the address now. Rows change at any time, so nothing may be kept.
pub(super) async fn read(ctx: &Ctx, uri: &str) -> Result<ReadResourceResult> {
    if uri.starts_with(skills::SCHEME) {
        return skills::read(ctx, uri).await;
    }
    let value = match address(uri).ok_or_else(|| unknown(uri))? {
        Address::Tables => describe::tables_resource(ctx).await?,
        Address::Table(table) => describe::table_resource(ctx, table).await?,
        Address::Row(table, id) => describe::row_resource(ctx, table, id).await?,
    };
    let text = serde_json::to_string(&value).map_err(internal)?;
    let contents = vec![ResourceContents::text(text, uri).with_mime_type(JSON)];
    Ok(ReadResourceResult::new(contents).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

fn address(uri: &str) -> Option<Address<'_>> {
    if uri == TABLES_URI {
        return Some(Address::Tables);
    }
    let parts: Vec<&str> = uri.strip_prefix(TABLES_URI)?.strip_prefix('/')?.split('/').collect();
    match parts.as_slice() {
        [table] if !table.is_empty() => Some(Address::Table(table)),
        [table, "rows", id] if !table.is_empty() && !id.is_empty() => Some(Address::Row(table, id)),
        _ => None,
    }
}

fn unknown(uri: &str) -> Error {
    not_found(format!("Resource not found: {uri}"))
        .choices("", [TABLES_URI, TABLE_TEMPLATE, ROW_TEMPLATE, skills::TEMPLATE])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_list_a_table_or_a_row() {
        assert_eq!(address("ops://tables"), Some(Address::Tables));
        assert_eq!(address("ops://tables/leads"), Some(Address::Table("leads")));
        assert_eq!(address("ops://tables/leads/rows/1"), Some(Address::Row("leads", "1")));
        for wrong in
            ["ops://tables/", "ops://tables/leads/", "ops://tables/leads/rows/", "ops://tablesx", "file:///x"]
        {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
