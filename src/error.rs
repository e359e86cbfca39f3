//! The one error that callers see: a code to branch on, a message to read, a hint to act on.
//!
//! Errors are made by the functions here and in the modules that know the fact; nothing formats an
//! error twice. `source` is for the operator's log and never leaves the process.

use std::fmt;

use serde::Serialize;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is wrong; correct it as the message says.
    Invalid,
    /// What the request names does not exist.
    NotFound,
    /// The data changed since the caller read it, or two requests contradict each other.
    Conflict,
    /// The caller may not do this.
    Denied,
    /// The server is at its limit or the database is away; the same call may work later.
    Busy,
    /// The caller cancelled the request.
    Cancelled,
    /// A fault of the server; the log holds the cause.
    Internal,
}

/// An error as a caller sees it.
#[derive(Debug)]
pub struct Error {
    pub code: Code,
    pub message: String,
    /// What to try next, as a sentence.
    pub hint: Option<String>,
    /// Where in the arguments the fault is, as `filters[0].column`.
    pub path: Option<String>,
    /// The values that would be right, when they are few enough to list.
    pub allowed: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), hint: None, path: None, allowed: Vec::new(), source: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Names the place of the fault; an inner path already there is put behind this one.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Error {
        let path = path.into();
        self.path = Some(match self.path {
            Some(inner) if inner.starts_with('[') => format!("{path}{inner}"),
            Some(inner) => format!("{path}.{inner}"),
            None => path,
        });
        self
    }

    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.source = Some(source.into());
        self
    }

    /// Lists what would be right, and the nearest of it to `given` as the hint.
    #[must_use]
    pub fn choices<S: Into<String>>(mut self, given: &str, allowed: impl IntoIterator<Item = S>) -> Error {
        self.allowed = allowed.into_iter().map(Into::into).collect();
        if let Some(best) = nearest(given, self.allowed.iter().map(String::as_str)) {
            self.hint = Some(format!("did you mean `{best}`?"));
        }
        self
    }

    /// The operator's part: what went wrong underneath.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)?;
        if !self.allowed.is_empty() {
            write!(f, " (one of: {})", self.allowed.join(", "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The JSON form that a tool result or `--json` carries: `{code, message, path?, allowed?, hint?}`.
impl Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            code: Code,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            path: &'a Option<String>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            allowed: &'a Vec<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            hint: &'a Option<String>,
        }
        Shown {
            code: self.code,
            message: &self.message,
            path: &self.path,
            allowed: &self.allowed,
            hint: &self.hint,
        }
        .serialize(serializer)
    }
}

pub fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::Invalid, message)
}

pub fn not_found(message: impl Into<String>) -> Error {
    Error::new(Code::NotFound, message)
}

pub fn conflict(message: impl Into<String>) -> Error {
    Error::new(Code::Conflict, message)
}

pub fn denied(message: impl Into<String>) -> Error {
    Error::new(Code::Denied, message)
}

pub fn busy(message: impl Into<String>) -> Error {
    Error::new(Code::Busy, message)
}

pub fn cancelled() -> Error {
    Error::new(Code::Cancelled, "the request was cancelled; nothing was changed")
}

/// A fault of ours: the cause goes to the log, the caller learns only that it was not the request.
pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Code::Internal, "internal error; the server's log on stderr says more").because(source)
}

/// The word of `known` that `given` most probably meant, or none when nothing is near.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = fold(given);
    if given.is_empty() {
        return None;
    }
    known
        .into_iter()
        .filter_map(|word| {
            let folded = fold(word);
            let part =
                folded.len() >= 4 && given.len() >= 4 && (folded.contains(&given) || given.contains(&folded));
            let slips = strsim::osa_distance(&given, &folded);
            let slipped = slips <= (folded.chars().count() / 3).min(2);
            let score = strsim::jaro_winkler(&given, &folded)
                .max(if part { 0.86 } else { 0.0 })
                .max(if slipped { if slips < 2 { 0.95 } else { 0.9 } } else { 0.0 });
            (score > 0.8).then_some((word, score))
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(word, _)| word)
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_survives_spelling_case_and_separators() {
        let known = ["contact_email", "contact_name", "status", "created_at"];
        assert_eq!(nearest("Contact Email", known), Some("contact_email"));
        assert_eq!(nearest("contact_emial", known), Some("contact_email"));
        assert_eq!(nearest("email", known), Some("contact_email"));
        assert_eq!(nearest("zebra", known), None);
        assert_eq!(nearest("nwe", ["new", "ready"]), Some("new"));
    }

    #[test]
    fn a_path_grows_from_the_inside_out() {
        let error = invalid("no").at("[2]").at("filters").at("leads");
        assert_eq!(error.path.as_deref(), Some("leads.filters[2]"));
    }
}
