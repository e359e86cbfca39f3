//! One skill as it was written: what it is called, when it is meant, what it tells the agent.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// The category of skills that run other skills in order.
pub const SEQUENCE: &str = "agent-sequence";

/// The file that makes a folder a skill.
pub const SKILL_FILE: &str = "SKILL.md";

/// A skill, from a `SKILL.md` or from a line of a library file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Skill {
    /// Its folder's name; unique in a library.
    pub key: String,
    /// What people call it.
    pub name: String,
    pub category: Option<String>,
    pub version: String,
    /// What it does and when it is meant; a model chooses by this.
    pub description: String,
    /// The line of its file that the description stands on.
    pub description_line: usize,
    pub triggers: Vec<Trigger>,
    pub keywords: Vec<String>,
    /// The skills a sequence runs, in order.
    pub linked_skills: Vec<String>,
    /// Every field of the frontmatter, as its author wrote it.
    pub frontmatter: Map<String, Json>,
    /// The instructions, in Markdown, perhaps with `${…}` to fill in.
    pub body: String,
    /// The line of its file that the body starts on.
    pub body_line: usize,
    /// The other files of its folder.
    pub files: Vec<File>,
    /// Where it was read from, to be named in findings.
    pub origin: String,
}

/// What somebody says when they mean the skill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    pub pattern: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// How sure the author is that these words mean the skill, 0 to 1.
    #[serde(default = "sure")]
    pub confidence: f32,
    #[serde(default)]
    pub examples: Vec<String>,
}

/// A file that lies beside a `SKILL.md`, by its path inside the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

const fn sure() -> f32 {
    1.0
}

impl Skill {
    /// Whether it runs other skills in order.
    pub fn is_sequence(&self) -> bool {
        self.category.as_deref() == Some(SEQUENCE)
    }

    /// The whole `SKILL.md`, with its frontmatter one field a line; JSON is YAML.
    pub fn text(&self) -> String {
        let fields: Vec<String> =
            self.frontmatter.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        format!("---\n{}---\n\n{}\n", fields.concat(), self.body.trim())
    }
}
