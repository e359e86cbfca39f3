//! The protocol's methods. Everything a client can list is built once, when the server starts; everything it
//! gets may be cached by itself only, because it belongs to one organization.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use rmcp::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    DiscoverResult, ErrorData, InitializeRequestParams, InitializeResult, ListPromptsRequestMethod,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject,
    PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, Tool as ListedTool, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer};

use super::call::Calls;
use super::{completion, progress, resources, result};
use crate::error::{Code, Result};
use crate::tools::{Progress, Tool, Toolbox};

/// How long a client may keep a list. They change only with the server's version or configuration.
pub(super) const LIST_TTL_MS: u64 = 300_000;

pub(super) struct Server {
    toolbox: Toolbox,
    calls: Calls,
    config: ServerConfig,
    tools: ListToolsResult,
    meta: MetaObject,
}

type Request = RequestContext<RoleServer>;

impl Server {
    pub(super) fn new(toolbox: Toolbox, calls: Calls, instructions: String) -> Server {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_resources().enable_completions().build();
        let tools = toolbox.tools().iter().map(listed).collect();
        Server {
            toolbox,
            calls,
            config: ServerConfig::new(capabilities)
                .with_server_info(result::implementation())
                .with_instructions(instructions),
            tools: ListToolsResult::with_all_items(tools)
                .with_ttl_ms(LIST_TTL_MS)
                .with_cache_scope(CacheScope::Private),
            meta: result::server_meta(),
        }
    }

    /// The `_meta` of a result for this request; the revisions with `initialize` know no such thing.
    fn meta(&self, request: &Request) -> Option<MetaObject> {
        is_modern(request).then(|| self.meta.clone())
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.config.clone()
    }

    async fn initialize(
        &self,
        params: InitializeRequestParams,
        request: Request,
    ) -> Result<InitializeResult, ErrorData> {
        let answer = self.negotiate_initialize(&params)?;
        let mut client = params;
        client.protocol_version = answer.protocol_version.clone();
        request.peer.set_peer_info(client);
        Ok(answer)
    }

    async fn discover(&self, _: Request) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        request: Request,
    ) -> Result<ListToolsResult, ErrorData> {
        check_cursor(page)?;
        let mut tools = self.tools.clone();
        tools.meta = self.meta(&request);
        if tools.meta.is_none() {
            (tools.ttl_ms, tools.cache_scope) = (None, None);
        }
        Ok(tools)
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        request: Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = self.toolbox.find(&params.name).map_err(|error| result::refused(&error, None))?;
        let started = Instant::now();
        let (progress, reports) = progress::reports(&request);
        let work = async {
            let ctx = self.calls.ctx(&request, Some(&tool.name), progress).await?;
            tool.call_text(ctx, params.arguments.unwrap_or_default()).await
        };
        let done = match reports {
            Some(reports) => self.calls.run(&request, reports.during(work)).await,
            None => self.calls.run(&request, work).await,
        };
        log(&tool.name, started, &done);
        let meta = self.meta(&request);
        Ok(match done {
            Ok(text) => result::done(text, meta),
            Err(error) => result::failed(&error, meta),
        }
        .into())
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        request: Request,
    ) -> Result<ListResourcesResult, ErrorData> {
        check_cursor(page)?;
        let mut list = resources::list();
        list.meta = self.meta(&request);
        if list.meta.is_none() {
            (list.ttl_ms, list.cache_scope) = (None, None);
        }
        Ok(list)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        request: Request,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        check_cursor(page)?;
        let mut list = resources::templates();
        list.meta = self.meta(&request);
        if list.meta.is_none() {
            (list.ttl_ms, list.cache_scope) = (None, None);
        }
        Ok(list)
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        request: Request,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let started = Instant::now();
        let work = Box::pin(async {
            let ctx = self.calls.ctx(&request, None, Progress::default()).await?;
            resources::read(&ctx, &params.uri).await
        });
        let done = self.calls.run(&request, work).await;
        log("resources/read", started, &done);
        let mut read = done.map_err(|error| result::refused(&error, Some(&params.uri)))?;
        read.meta = self.meta(&request);
        if read.meta.is_none() {
            (read.ttl_ms, read.cache_scope) = (None, None);
        }
        Ok(read.into())
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        request: Request,
    ) -> Result<CompleteResult, ErrorData> {
        let started = Instant::now();
        let work = Box::pin(async {
            let ctx = self.calls.ctx(&request, None, Progress::default()).await?;
            completion::complete(&ctx, &params).await
        });
        let done = self.calls.run(&request, work).await;
        log("completion/complete", started, &done);
        let mut completed = CompleteResult::new(done.map_err(|error| result::refused(&error, None))?);
        completed.meta = self.meta(&request);
        Ok(completed)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Request,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }
}

/// Whether the request is of a revision whose results say who made them and how long they may be kept.
fn is_modern(request: &Request) -> bool {
    request.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// Lists fit on one page, so the only cursor that is right is none.
fn check_cursor(page: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match page.and_then(|page| page.cursor) {
        Some(cursor) if !cursor.is_empty() => {
            Err(ErrorData::invalid_params("the cursor is not one of this server's", None))
        }
        _ => Ok(()),
    }
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

/// Says what was called, how long it took and how it went; never with what arguments.
fn log<T>(work: &str, started: Instant, done: &Result<T>) {
    let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    match done {
        Ok(_) => tracing::debug!(tool = work, duration_us, outcome = "ok", "call"),
        Err(error) if error.code == Code::Internal => {
            let cause = error.cause().map(ToString::to_string).map_or(Cow::Borrowed("unknown"), Cow::Owned);
            tracing::error!(tool = work, duration_us, outcome = "internal", %cause, "call");
        }
        Err(error) => tracing::info!(tool = work, duration_us, outcome = result::outcome(error.code), "call"),
    }
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
