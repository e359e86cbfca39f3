//! A `SKILL.md`: YAML between two lines of dashes, then Markdown. Either all of it can be used, or the
//! findings say what cannot.

use serde_json::{Map, Value as Json};

use super::finding::Finding;
use super::skill::Skill;

const FENCE: &str = "---";

/// The fields of the format, and those that opstables reads inside `metadata`.
const FIELDS: &[&str] =
    &["name", "description", "license", "compatibility", "allowed-tools", "metadata", "version"];
const METADATA: &[&str] =
    &["title", "category", "version", "triggers", "keywords", "linked_skills", "author"];

const NAME_MAX: usize = 64;
pub(super) const DESCRIPTION_MAX: usize = 1_024;
const COMPATIBILITY_MAX: usize = 500;

/// Reads the file of the skill `key`. The skill is none when a finding is an error.
pub(super) fn read(key: &str, file: &str, text: &str) -> (Option<Skill>, Vec<Finding>) {
    let mut reader = Reader { key, file, yaml: "", findings: Vec::new() };
    let skill = reader.skill(text);
    let findings: Vec<Finding> = reader.findings.into_iter().map(|finding| finding.of(key)).collect();
    (skill.filter(|_| !findings.iter().any(Finding::is_error)), findings)
}

/// Whether a word can be a skill's key: small letters, digits and single dashes.
pub(super) fn is_key(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !word.is_empty()
        && word.len() <= NAME_MAX
        && word.chars().all(fits)
        && !word.starts_with('-')
        && !word.ends_with('-')
        && !word.contains("--")
}

/// What people call a skill that has only a key.
pub(super) fn title_of(key: &str) -> String {
    let mut title = key.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// Reads one file and collects what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) key: &'a str,
    pub(super) file: &'a str,
    pub(super) yaml: &'a str,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    fn skill(&mut self, text: &'a str) -> Option<Skill> {
        let (yaml, body, body_line) = self.split(text)?;
        self.yaml = yaml;
        let fields = self.fields()?;
        let metadata = self.metadata(&fields);
        self.check_name(&fields);
        let description = self.text(&fields, "description").unwrap_or_default();
        self.check_length("description", &description, DESCRIPTION_MAX);
        if let Some(compatibility) = self.text(&fields, "compatibility") {
            self.check_length("compatibility", &compatibility, COMPATIBILITY_MAX);
        }
        for field in ["description", "name"] {
            if !fields.contains_key(field) {
                self.error(Some(1), format!("the frontmatter has no `{field}`"), self.example(field));
            }
        }
        if body.trim().is_empty() {
            self.error(
                Some(body_line),
                "there are no instructions under the frontmatter".to_owned(),
                "say in Markdown what to do".to_owned(),
            );
        }
        self.check_known("", &fields, FIELDS);
        let version = self.text(&fields, "version").or_else(|| self.text(&metadata, "version"));
        Some(Skill {
            key: self.key.to_owned(),
            name: self.text(&metadata, "title").unwrap_or_else(|| title_of(self.key)),
            category: self.text(&metadata, "category"),
            version: version.unwrap_or_else(|| "1".to_owned()),
            description,
            description_line: self.line("description").unwrap_or(1),
            triggers: self.triggers(&metadata),
            keywords: self.list(&metadata, "keywords"),
            linked_skills: self.list(&metadata, "linked_skills"),
            frontmatter: fields,
            body: body.to_owned(),
            body_line,
            files: Vec::new(),
            origin: self.file.to_owned(),
        })
    }

    /// The YAML, the Markdown, and the line that the Markdown starts on.
    fn split(&mut self, text: &'a str) -> Option<(&'a str, &'a str, usize)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let fence = "start the file with a line `---`, the fields, and another line `---`";
        let mut lines = text.split_inclusive('\n');
        let opening = lines.next().unwrap_or_default();
        if opening.trim_end() != FENCE {
            self.error(Some(1), "the file does not start with frontmatter".to_owned(), fence.to_owned());
            return None;
        }
        let (mut end, mut number) = (opening.len(), 1);
        for line in lines {
            number += 1;
            if line.trim_end() == FENCE {
                return Some((&text[opening.len()..end], &text[end + line.len()..], number + 1));
            }
            end += line.len();
        }
        self.error(
            Some(number),
            "the frontmatter is never closed".to_owned(),
            "put a line `---` under its last field".to_owned(),
        );
        None
    }

    fn fields(&mut self) -> Option<Map<String, Json>> {
        // `y` and `on` are words.
        let options = serde_saphyr::options! { strict_booleans: true };
        match serde_saphyr::from_str_with_options::<Json>(self.yaml, options) {
            Ok(Json::Object(fields)) => Some(fields),
            Ok(_) => {
                self.error(
                    Some(2),
                    "the frontmatter is not a list of fields".to_owned(),
                    "write `name: …` and `description: …`, a line each".to_owned(),
                );
                None
            }
            Err(error) => {
                let line = error.location().and_then(|at| usize::try_from(at.line()).ok());
                let message = error.without_snippet().render();
                let message = message.lines().next().unwrap_or("it cannot be read").trim().to_owned();
                let hint = "put a text with `: ` or `#` in it between double quotes".to_owned();
                self.error(
                    line.map(|line| line + 1),
                    format!("the frontmatter is not YAML: {message}"),
                    hint,
                );
                None
            }
        }
    }

    fn metadata(&mut self, fields: &Map<String, Json>) -> Map<String, Json> {
        match fields.get("metadata") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(metadata)) => {
                self.check_known("metadata.", metadata, METADATA);
                metadata.clone()
            }
            Some(_) => {
                self.error(
                    self.line("metadata"),
                    "`metadata` is not a list of fields".to_owned(),
                    "indent its fields under it".to_owned(),
                );
                Map::new()
            }
        }
    }

    fn check_name(&mut self, fields: &Map<String, Json>) {
        let Some(name) = self.text(fields, "name") else { return };
        if !is_key(&name) {
            let hint = "use up to 64 small letters, digits and single dashes, as `lead-triage`".to_owned();
            self.error(self.line("name"), format!("`{name}` is not a skill's name"), hint);
        } else if name != self.key {
            let hint = format!("write `name: {}`, or rename the folder", self.key);
            self.error(
                self.line("name"),
                format!("the name `{name}` is not that of its folder `{}`", self.key),
                hint,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "---
name: lead-triage
description: Sort new leads. Use when a user says \"triage my leads\".
license: Apache-2.0
allowed-tools: query_leads save_leads
metadata:
  title: Lead triage
  version: 3
  category: leads
  keywords: [triage, new leads]
  triggers:
    - pattern: triage my leads
      confidence: 0.9
      examples: [sort the new leads]
    - who should I call first
---

# Lead triage

Call `query_leads`.
";

    fn faults(text: &str) -> Vec<String> {
        read("lead-triage", "SKILL.md", text).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_file_becomes_a_skill_and_can_be_written_again() {
        let (skill, findings) = read("lead-triage", "SKILL.md", GOOD);
        let skill = skill.unwrap();
        assert_eq!(findings, []);
        assert_eq!((skill.name.as_str(), skill.version.as_str(), skill.body_line), ("Lead triage", "3", 17));
        assert_eq!(skill.triggers.len(), 2);
        assert_eq!(skill.triggers[0].examples, ["sort the new leads"]);
        assert_eq!(skill.keywords, ["triage", "new leads"]);
        let (again, _) = read("lead-triage", "SKILL.md", &skill.text());
        assert_eq!(again.unwrap().frontmatter, skill.frontmatter);
    }

    #[test]
    fn every_fault_has_its_line_and_says_what_would_be_right() {
        let cases = [
            (
                "no fence",
                "SKILL.md:1: the file does not start with frontmatter; start the file with a line `---`, the fields, and another line `---`",
            ),
            (
                "---\nname: lead-triage\n",
                "SKILL.md:2: the frontmatter is never closed; put a line `---` under its last field",
            ),
            (
                "---\nname: Lead Triage\ndescription: x\n---\nbody",
                "SKILL.md:2: `Lead Triage` is not a skill's name; use up to 64 small letters, digits and single dashes, as `lead-triage`",
            ),
            (
                "---\nname: other\ndescription: x\n---\nbody",
                "SKILL.md:2: the name `other` is not that of its folder `lead-triage`; write `name: lead-triage`, or rename the folder",
            ),
            (
                "---\nname: lead-triage\n---\nbody",
                "SKILL.md:1: the frontmatter has no `description`; write `description:` with what the skill does and when it is meant",
            ),
            (
                "---\nname: lead-triage\ndescription: x\nmetadata:\n  triggers: yes please\n---\nbody",
                "SKILL.md:5: `metadata.triggers` is not a list; write `- pattern: words people say`, with `confidence: 0.9` and `examples: [other words]` if you like",
            ),
            (
                "---\nname: lead-triage\ndescripton: x\ndescription: words\n---\nbody",
                "SKILL.md:3: `descripton` is not a field; did you mean `description`?",
            ),
            (
                "---\nname: lead-triage\ndescription: x\n---\n",
                "SKILL.md:5: there are no instructions under the frontmatter; say in Markdown what to do",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(faults(text), [expected], "{text}");
        }
        let broken = faults("---\nname: lead-triage\ndescription: a: b: c\n---\nbody");
        assert!(broken[0].starts_with("SKILL.md:3: the frontmatter is not YAML"), "{broken:?}");
    }

    #[test]
    fn a_skill_with_a_fault_stays_out_and_one_with_an_oddity_does_not() {
        let (skill, _) =
            read("lead-triage", "f", "---\nname: lead-triage\ndescription: x\nmetadata: 3\n---\nbody");
        assert_eq!(skill, None);
        let (skill, findings) =
            read("lead-triage", "f", "---\nname: lead-triage\ndescription: x\nlicence: MIT\n---\nbody");
        assert!(skill.is_some() && findings.len() == 1 && !findings[0].is_error());
    }
}
