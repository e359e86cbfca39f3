//! The fields of a frontmatter, each read as what it should be, with a finding where it is not.

use serde_json::{Map, Value as Json};

use super::finding::Finding;
use super::frontmatter::Reader;
use super::skill::Trigger;
use crate::error::nearest;

impl Reader<'_> {
    pub(super) fn check_length(&mut self, field: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if length > max {
            self.error(
                self.line(field),
                format!("the {field} has {length} characters, more than {max}"),
                "move what does not help to choose it into the instructions".to_owned(),
            );
        }
    }

    /// A slip in a field's name would quietly switch off what it says.
    pub(super) fn check_known(&mut self, place: &str, fields: &Map<String, Json>, known: &[&str]) {
        for key in fields.keys().filter(|key| !known.contains(&key.as_str())) {
            if let Some(meant) = nearest(key, known.iter().copied()) {
                let message = format!("`{place}{key}` is not a field");
                let finding = Finding::warning(self.file, self.line(key), message);
                self.findings.push(finding.hint(format!("did you mean `{meant}`?")));
            }
        }
    }

    pub(super) fn triggers(&mut self, metadata: &Map<String, Json>) -> Vec<Trigger> {
        let listed = match metadata.get("triggers") {
            None | Some(Json::Null) => return Vec::new(),
            Some(Json::Array(listed)) => listed.clone(),
            Some(_) => {
                self.error(
                    self.line("triggers"),
                    "`metadata.triggers` is not a list".to_owned(),
                    TRIGGER.to_owned(),
                );
                return Vec::new();
            }
        };
        let mut triggers = Vec::new();
        for (at, item) in listed.into_iter().enumerate() {
            match trigger(item) {
                Ok(trigger) => triggers.push(trigger),
                Err(message) => self.error(
                    self.line("triggers"),
                    format!("`metadata.triggers[{at}]` {message}"),
                    TRIGGER.to_owned(),
                ),
            }
        }
        triggers
    }

    /// A list of texts, or one text with commas.
    pub(super) fn list(&mut self, fields: &Map<String, Json>, field: &str) -> Vec<String> {
        let texts = |items: &[Json]| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        let found = match fields.get(field) {
            None | Some(Json::Null) => Some(Vec::new()),
            Some(Json::String(text)) => Some(
                text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            ),
            Some(Json::Array(items)) => texts(items),
            Some(_) => None,
        };
        found.unwrap_or_else(|| {
            self.error(
                self.line(field),
                format!("`metadata.{field}` is not a list of texts"),
                format!("write `{field}: [one, two]`"),
            );
            Vec::new()
        })
    }

    /// A field's text; numbers are texts too, since nobody quotes a version.
    pub(super) fn text(&mut self, fields: &Map<String, Json>, field: &str) -> Option<String> {
        match fields.get(field)? {
            Json::Null => None,
            Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Json::Number(number) => Some(number.to_string()),
            _ => {
                self.error(self.line(field), format!("`{field}` is not a text"), self.example(field));
                None
            }
        }
    }

    pub(super) fn example(&self, field: &str) -> String {
        match field {
            "name" => format!("write `name: {}`", self.key),
            "description" => "write `description:` with what the skill does and when it is meant".to_owned(),
            _ => format!("write `{field}: some words`"),
        }
    }

    /// The line of the file that a field stands on.
    pub(super) fn line(&self, field: &str) -> Option<usize> {
        let starts = |line: &str| {
            line.trim_start()
                .trim_start_matches("- ")
                .strip_prefix(field)
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        self.yaml.lines().position(starts).map(|at| at + 2)
    }

    pub(super) fn error(&mut self, line: Option<usize>, message: String, hint: String) {
        self.findings.push(Finding::error(self.file, line, message).hint(hint));
    }
}

const TRIGGER: &str =
    "write `- pattern: words people say`, with `confidence: 0.9` and `examples: [other words]` if you like";

/// A trigger as an object, or as its pattern alone.
fn trigger(item: Json) -> Result<Trigger, String> {
    let trigger = match item {
        Json::String(pattern) => Trigger { pattern, confidence: 1.0, ..Trigger::default() },
        item => serde_json::from_value(item).map_err(|error| format!("cannot be read: {error}"))?,
    };
    if trigger.pattern.trim().is_empty() {
        return Err("has no words in its `pattern`".to_owned());
    }
    if !(0.0..=1.0).contains(&trigger.confidence) {
        return Err(format!("has the confidence {}, which is not from 0 to 1", trigger.confidence));
    }
    Ok(trigger)
}
