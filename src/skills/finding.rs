//! What is wrong with a skill, where it stands, and what would be right.

use std::fmt;

use serde::Serialize;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// The skill stays out.
    Error,
    /// The skill works, though perhaps not as its author meant.
    Warning,
}

/// One fault of one skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub weight: Weight,
    /// The file as it was named to us, or the name of where the skill is kept.
    pub file: String,
    /// Counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    pub message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    pub fn error(file: &str, line: impl Into<Option<usize>>, message: impl Into<String>) -> Finding {
        let (file, line, message) = (file.to_owned(), line.into(), message.into());
        Finding { weight: Weight::Error, file, line, skill: None, message, hint: None }
    }

    pub fn warning(file: &str, line: impl Into<Option<usize>>, message: impl Into<String>) -> Finding {
        Finding { weight: Weight::Warning, ..Finding::error(file, line, message) }
    }

    #[must_use]
    pub fn of(mut self, skill: &str) -> Finding {
        self.skill = Some(skill.to_owned());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.weight == Weight::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}
