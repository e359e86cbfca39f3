//! Finds the skills that a message is for, or lists them all.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ctx::Ctx;
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::Result;
use crate::skills::Library;

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    /// The user's words; without them all are listed
    pub message: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The skill to follow; none when no skill is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    pub skills: Vec<Found>,
    /// How the choice came about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Found {
    pub key: String,
    pub name: String,
    /// Whether it runs other skills in order.
    #[serde(skip_serializing_if = "is_false")]
    pub is_sequence: bool,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "find_skills",
        title: "Find skills",
        description: "The organization's skills (step-by-step instructions) for a message, best first. Read the chosen one with get_skill.",
    };
    Tool::new(words, Toolset::Skills, Hints::READ, run)
}

pub async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let library = ctx.library().await?;
    match args.message.as_deref().map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) => Ok(chosen(&library, message)),
        None => Ok(all(&library)),
    }
}

fn chosen(library: &Library, message: &str) -> Output {
    let choice = library.choose(message);
    let chosen = choice.chosen().map(|candidate| candidate.key.clone());
    let skills = choice.candidates.into_iter().map(|candidate| Found {
        description: library.get(&candidate.key).map(|skill| skill.description.clone()),
        key: candidate.key,
        name: candidate.name,
        is_sequence: candidate.is_sequence,
        score: Some((f64::from(candidate.score) * 100.0).round() / 100.0),
        why: Some(candidate.why),
    });
    Output { chosen, skills: skills.collect(), trace: choice.trace }
}

fn all(library: &Library) -> Output {
    let skills = library.skills().iter().map(|skill| Found {
        key: skill.key.clone(),
        name: skill.name.clone(),
        is_sequence: skill.is_sequence(),
        score: None,
        why: None,
        description: Some(skill.description.clone()),
    });
    Output { chosen: None, skills: skills.collect(), trace: Vec::new() }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
