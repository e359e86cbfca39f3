//! One verb offered to the model: its published words and schemas, and the function behind them.
//!
//! Nothing here knows the protocol. A tool takes a JSON object, checks it against its own schema, runs
//! with typed arguments, and renders its result once.

use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::arguments::{self, Checker};
use super::ctx::Ctx;
use super::schema::{self, Map};
use crate::error::{Result, internal};

pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Room for most results, so that few are moved as they grow.
const TEXT_BYTES: usize = 8 << 10;

/// A tool as it is declared in its file and listed in [`super::all`].
pub struct Tool {
    pub name: String,
    pub title: String,
    pub description: String,
    pub toolset: Toolset,
    pub hints: Hints,
    /// The JSON Schema of the arguments; what does not conform never reaches the function.
    pub input: Map,
    /// The JSON Schema of the result.
    pub output: Map,
    /// The schema that arguments are checked against, where it is not the published one.
    enforced: Option<Map>,
    checker: OnceLock<Checker>,
    run: Box<dyn Fn(Ctx, Value) -> BoxFuture<Result<String>> + Send + Sync>,
}

/// The words a model chooses a tool by.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub description: &'a str,
}

/// Tools are switched on in sets; `Core` is always on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Toolset {
    Core,
    Skills,
    Sync,
    Admin,
}

/// What a host may tell people about a tool before it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's four annotations")]
pub struct Hints {
    pub read_only: bool,
    pub destructive: bool,
    pub idempotent: bool,
    pub open_world: bool,
}

impl Hints {
    /// Changes nothing.
    pub const READ: Hints =
        Hints { read_only: true, destructive: false, idempotent: true, open_world: false };
    /// Changes or removes what is there; the same call again changes nothing more.
    pub const EDIT: Hints =
        Hints { read_only: false, destructive: true, idempotent: true, open_world: false };
    /// Changes or removes what is there, each time it is called.
    pub const ACT: Hints =
        Hints { read_only: false, destructive: true, idempotent: false, open_world: false };
}

impl Toolset {
    pub const ALL: &[Toolset] = &[Toolset::Core, Toolset::Skills, Toolset::Sync, Toolset::Admin];

    pub const fn name(self) -> &'static str {
        match self {
            Toolset::Core => "core",
            Toolset::Skills => "skills",
            Toolset::Sync => "sync",
            Toolset::Admin => "admin",
        }
    }

    pub fn from_name(name: &str) -> Option<Toolset> {
        Toolset::ALL.iter().copied().find(|toolset| toolset.name() == name)
    }
}

impl Tool {
    /// A tool whose schemas are those of its argument and result types.
    pub fn new<Args, Output, F, Fut>(words: Words<'_>, toolset: Toolset, hints: Hints, f: F) -> Tool
    where
        Args: DeserializeOwned + JsonSchema + 'static,
        Output: Serialize + JsonSchema + 'static,
        F: Fn(Ctx, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Output>> + Send + 'static,
    {
        let run = move |ctx: Ctx, arguments: Value| -> BoxFuture<Result<String>> {
            match arguments::typed::<Args>(arguments) {
                Ok(typed) => {
                    let work = f(ctx, typed);
                    Box::pin(async move { text(&work.await?) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error))),
            }
        };
        Tool {
            name: words.name.to_owned(),
            title: words.title.to_owned(),
            description: words.description.to_owned(),
            toolset,
            hints,
            input: schema::input::<Args>(),
            output: schema::output::<Output>(),
            enforced: None,
            checker: OnceLock::new(),
            run: Box::new(run),
        }
    }

    /// Completes the argument schema with what is known only from the declarations: enums, properties,
    /// descriptions. The result is published and enforced as it is.
    #[must_use]
    pub fn with_input(mut self, adjust: impl FnOnce(&mut Map)) -> Tool {
        adjust(&mut self.input);
        self.checker = OnceLock::new();
        self
    }

    /// Completes the argument schema as it is published only: what it says of the parts that the function
    /// reads more leniently, and explains better, than a schema could.
    #[must_use]
    pub fn with_published(mut self, adjust: impl FnOnce(&mut Map)) -> Tool {
        self.enforced.get_or_insert_with(|| self.input.clone());
        adjust(&mut self.input);
        self
    }

    /// Checks the arguments and runs the tool.
    pub fn call(&self, ctx: Ctx, arguments: Map) -> BoxFuture<Result<Value>> {
        let text = self.call_text(ctx, arguments);
        Box::pin(async move { serde_json::from_str(&text.await?).map_err(internal) })
    }

    /// Like [`Tool::call`], with the result as the JSON text that goes to the caller.
    pub fn call_text(&self, ctx: Ctx, arguments: Map) -> BoxFuture<Result<String>> {
        match self.check(arguments) {
            Ok(arguments) => (self.run)(ctx, arguments),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    /// The arguments as they conform to the schema, or the first reason why they do not.
    pub fn check(&self, arguments: Map) -> Result<Value> {
        self.checker
            .get_or_init(|| Checker::new(self.enforced.as_ref().unwrap_or(&self.input)))
            .check(arguments)
    }
}

/// A result as JSON.
fn text(result: &impl Serialize) -> Result<String> {
    let mut text = Vec::with_capacity(TEXT_BYTES);
    serde_json::to_writer(&mut text, result).map_err(internal)?;
    String::from_utf8(text).map_err(internal)
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("name", &self.name)
            .field("toolset", &self.toolset)
            .finish_non_exhaustive()
    }
}
