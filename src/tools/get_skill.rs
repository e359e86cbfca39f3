//! Reads one skill as the agent is to follow it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ctx::Ctx;
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::Result;
use crate::skills::Skill;

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    pub key: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub key: String,
    pub name: String,
    pub version: String,
    pub description: String,
    /// What to do, in Markdown.
    pub instructions: String,
    /// The skills that this one runs, in order; read each before its turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub linked_skills: Vec<String>,
    /// Further files, to be read as resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "get_skill",
        title: "Get skill",
        description: "A skill's instructions, filled in for this organization; follow them.",
    };
    Tool::new(words, Toolset::Skills, Hints::READ, run)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let library = ctx.library().await?;
    library.find(&args.key).map(|skill| shown(skill)).map_err(|error| error.at("key"))
}

/// A skill as agents get it.
pub fn shown(skill: &Skill) -> Output {
    Output {
        key: skill.key.clone(),
        name: skill.name.clone(),
        version: skill.version.clone(),
        description: skill.description.clone(),
        instructions: skill.body.trim().to_owned(),
        linked_skills: skill.linked_skills.clone(),
        files: skill.files.iter().map(|file| format!("skill://{}/{}", skill.key, file.path)).collect(),
    }
}
