//! The protocol's methods. Everything a client can list is built once, when the server starts; everything it
//! gets may be cached by itself only, because it belongs to one organization.

use std::time::Instant;

use rmcp::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
    CompleteResult, DiscoverResult, ErrorData, GetPromptRequestParams, GetPromptResponse,
    GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult, InitializeRequestParams,
    InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult,
    ListToolsResult, MetaObject, PaginatedRequestParams, ProtocolVersion, ReadResourceDirectoryRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, TASKS_EXTENSION_ID,
    UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer};

use super::call::{Calls, log};
use super::result::Stamped;
use super::{completion, listing, progress, resources, result, skills, tasks};
use crate::error::Result;
use crate::tools::backfill_task::Start;
use crate::tools::{Ctx, Progress, Tool, Toolbox};

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
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions();
        let mut capabilities = capabilities.enable_skills_with_directory_read();
        if tasks::are_offered(&toolbox) {
            capabilities = capabilities.enable_tasks();
        }
        let capabilities = capabilities.build();
        let tools = listing::tools(&toolbox);
        Server {
            toolbox,
            calls,
            config: ServerConfig::new(capabilities)
                .with_server_info(result::implementation())
                .with_instructions(instructions),
            tools,
            meta: result::server_meta(),
        }
    }

    /// The `_meta` of a result for this request; the revisions with `initialize` know no such thing.
    fn meta(&self, request: &Request) -> Option<MetaObject> {
        is_modern(request).then(|| self.meta.clone())
    }

    /// The result as this request's revision wants it.
    fn stamped<T: Stamped>(&self, request: &Request, mut result: T) -> T {
        result.stamp(self.meta(request));
        result
    }

    /// What the work of a request that calls no tool gets to know.
    async fn ctx(&self, request: &Request) -> Result<Ctx> {
        self.calls.ctx(request, None, Progress::default()).await
    }

    /// Does the work of a request that calls no tool, when its turn has come. `uri` is the resource it asks for.
    async fn served<T: Stamped>(
        &self,
        request: &Request,
        name: &str,
        uri: Option<&str>,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T, ErrorData> {
        let started = Instant::now();
        let done = self.calls.run(request, work).await;
        log(name, started, &done);
        done.map(|done| self.stamped(request, done)).map_err(|error| result::refused(&error, uri))
    }

    /// Answers a call with the task that does its work, or with why there is none.
    async fn begin_task(&self, request: &Request, tool: &Tool, start: &Start) -> CallToolResponse {
        let started = Instant::now();
        let work = async {
            let ctx = self.calls.ctx(request, Some(&tool.name), Progress::default()).await?;
            tasks::begin(ctx, start).await
        };
        let begun = self.calls.run(request, Box::pin(work)).await;
        log(&tool.name, started, &begun);
        match begun {
            Ok(task) => self.stamped(request, task).into(),
            Err(error) => result::failed(&error, self.meta(request)).into(),
        }
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
        let mut answer = self.negotiate_initialize(&params)?;
        if let Some(extensions) = &mut answer.capabilities.extensions {
            // Those revisions have no tasks, or others.
            extensions.remove(TASKS_EXTENSION_ID);
        }
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
        Ok(self.stamped(&request, self.tools.clone()))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        request: Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = self.toolbox.find(&params.name).map_err(|error| result::refused(&error, None))?;
        let arguments = params.arguments.unwrap_or_default();
        if is_modern(&request)
            && let Some(start) = tasks::wanted(&request, tool, &arguments)
        {
            return Ok(Box::pin(self.begin_task(&request, tool, &start)).await);
        }
        let started = Instant::now();
        let (progress, reports) = progress::reports(&request);
        let work = async {
            let ctx = self.calls.ctx(&request, Some(&tool.name), progress).await?;
            tool.call_text(ctx, arguments).await
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

    async fn get_task(&self, params: GetTaskParams, request: Request) -> Result<GetTaskResult, ErrorData> {
        let work = async { tasks::get(&self.ctx(&request).await?, &params.task_id).await };
        self.served(&request, "tasks/get", None, Box::pin(work)).await
    }

    async fn update_task(&self, params: UpdateTaskParams, request: Request) -> Result<(), ErrorData> {
        let work = async { tasks::update(&self.ctx(&request).await?, &params.task_id).await };
        self.served(&request, "tasks/update", None, Box::pin(work)).await
    }

    async fn cancel_task(&self, params: CancelTaskParams, request: Request) -> Result<(), ErrorData> {
        let work = async { tasks::cancel(&self.ctx(&request).await?, &params.task_id).await };
        self.served(&request, "tasks/cancel", None, Box::pin(work)).await
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        request: Request,
    ) -> Result<ListResourcesResult, ErrorData> {
        check_cursor(page)?;
        Ok(self.stamped(&request, resources::list()))
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        request: Request,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        check_cursor(page)?;
        Ok(self.stamped(&request, resources::templates()))
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        request: Request,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let work = async { resources::read(&self.ctx(&request).await?, &params.uri).await };
        self.served(&request, "resources/read", Some(&params.uri), Box::pin(work)).await.map(Into::into)
    }

    async fn complete(
        &self,
        params: CompleteRequestParams,
        request: Request,
    ) -> Result<CompleteResult, ErrorData> {
        let work = async {
            let ctx = self.ctx(&request).await?;
            completion::complete(&ctx, &params).await.map(CompleteResult::new)
        };
        self.served(&request, "completion/complete", None, Box::pin(work)).await
    }

    async fn list_skills(
        &self,
        page: Option<PaginatedRequestParams>,
        request: Request,
    ) -> Result<ListSkillsResult, ErrorData> {
        check_cursor(page)?;
        let work = async { skills::list(&self.ctx(&request).await?).await };
        self.served(&request, "skills/list", None, Box::pin(work)).await
    }

    async fn get_skill(
        &self,
        params: GetSkillRequestParams,
        request: Request,
    ) -> Result<GetSkillResult, ErrorData> {
        let work = async { skills::get(&self.ctx(&request).await?, &params.uri).await };
        self.served(&request, "skills/get", None, Box::pin(work)).await
    }

    async fn read_resource_directory(
        &self,
        params: ReadResourceDirectoryRequestParams,
        request: Request,
    ) -> Result<ListResourcesResult, ErrorData> {
        let work = async { skills::directory(&self.ctx(&request).await?, &params.uri).await };
        self.served(&request, "resources/directory/read", Some(&params.uri), Box::pin(work)).await
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        request: Request,
    ) -> Result<ListPromptsResult, ErrorData> {
        check_cursor(page)?;
        let work = async { skills::prompts(&self.ctx(&request).await?).await };
        self.served(&request, "prompts/list", None, Box::pin(work)).await
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        request: Request,
    ) -> Result<GetPromptResponse, ErrorData> {
        let work = async {
            skills::prompt(&self.ctx(&request).await?, &params.name, params.arguments.as_ref()).await
        };
        self.served(&request, "prompts/get", None, Box::pin(work)).await.map(Into::into)
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
