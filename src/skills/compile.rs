//! What an organization's agents read: the platform's skills, its own over them and those of a folder over
//! both, without those it has switched off, each filled in from what the organization has told about itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use sqlx::types::Json as SqlJson;

use super::finding::Finding;
use super::frontmatter;
use super::library::Library;
use super::platform::platform;
use super::reading::Shelf;
use super::skill::{File, Skill};
use super::template::{self, Context};
use crate::error::Result;
use crate::store::skills::SkillRow;

/// Where a skill's text comes from; each goes over those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Platform,
    Organization,
    Folder,
}

/// An organization's library, and how it is kept.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) library: Library,
    pub(super) rows: Vec<SkillRow>,
}

impl Origin {
    pub const ALL: [Origin; 3] = [Origin::Platform, Origin::Organization, Origin::Folder];

    pub const fn name(self) -> &'static str {
        match self {
            Origin::Platform => "platform",
            Origin::Organization => "organization",
            Origin::Folder => "folder",
        }
    }
}

/// A skill on its way: none when its text has a fault.
type Source = (Origin, Option<Skill>);

/// Puts the sources together. `kept` are the organization's rows: which skills are off, and its own texts.
pub(super) fn compile(platform: &Shelf, folder: &Shelf, kept: &[SkillRow], context: &Context) -> Compiled {
    let own = own(kept);
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    let mut findings = Vec::new();
    for (origin, shelf) in
        [(Origin::Platform, platform), (Origin::Organization, &own), (Origin::Folder, folder)]
    {
        let broken = shelf.findings.iter().filter(|finding| finding.is_error());
        // A fault in what replaces a skill must not bring back what it replaces.
        sources.extend(broken.filter_map(|finding| Some((finding.skill.clone()?, (origin, None)))));
        sources.extend(shelf.skills.iter().map(|skill| (skill.key.clone(), (origin, Some(skill.clone())))));
        findings.extend(shelf.findings.iter().cloned());
    }
    let is_off = |key: &str| kept.iter().any(|row| row.skill_key == key && !row.is_enabled);
    let mut filled = Vec::new();
    for skill in sources.values().filter_map(|(_, skill)| skill.as_ref()).filter(|skill| !is_off(&skill.key))
    {
        match fill(skill, context) {
            Ok(skill) => filled.push(skill),
            Err(faults) => findings.extend(faults),
        }
    }
    let library = Library::new(Shelf { skills: filled, findings });
    let rows = sources.iter().map(|(key, source)| row(key, source, &library, kept)).collect();
    Compiled { library, rows }
}

/// The skills whose text the organization keeps with us.
fn own(kept: &[SkillRow]) -> Shelf {
    let mut shelf = Shelf::default();
    for row in kept {
        if let Some(text) = &row.template {
            let file = format!("{} (stored)", row.skill_key);
            shelf.add(&row.skill_key, &file, text, stored_files(&row.files.0));
        }
    }
    shelf
}

fn stored_files(files: &Json) -> Vec<File> {
    let texts = files.as_object().into_iter().flatten();
    let file = |(path, text): (&String, &Json)| {
        Some(File { path: path.clone(), bytes: text.as_str()?.as_bytes().to_vec() })
    };
    texts.filter_map(file).collect()
}

/// The skill with its description and instructions filled in, or what stands in the way.
pub(super) fn fill(skill: &Skill, context: &Context) -> std::result::Result<Skill, Vec<Finding>> {
    let finding = |line: usize, fault: template::Fault| {
        Finding::error(&skill.origin, line + fault.line, fault.message).of(&skill.key).hint(fault.hint)
    };
    let mut findings = Vec::new();
    let mut filled = |text: &str, line: usize| {
        template::fill(text, context).unwrap_or_else(|faults| {
            findings.extend(faults.into_iter().map(|fault| finding(line, fault)));
            String::new()
        })
    };
    let description = filled(&skill.description, skill.description_line);
    let body = filled(&skill.body, skill.body_line);
    if description.chars().count() > frontmatter::DESCRIPTION_MAX {
        let message =
            format!("filled in, the description is longer than {} characters", frontmatter::DESCRIPTION_MAX);
        findings.push(Finding::error(&skill.origin, skill.description_line, message).of(&skill.key));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut fields = skill.frontmatter.clone();
    fields.insert("description".to_owned(), Json::from(description.as_str()));
    Ok(Skill { description, body, frontmatter: fields, ..skill.clone() })
}

fn row(key: &str, (origin, source): &Source, library: &Library, kept: &[SkillRow]) -> SkillRow {
    let before = kept.iter().find(|row| row.skill_key == key);
    let unread = Skill { key: key.to_owned(), name: frontmatter::title_of(key), ..Skill::default() };
    let compiled = library.get(key);
    let skill = compiled.map(Arc::as_ref).or(source.as_ref()).unwrap_or(&unread);
    let compiled = compiled.map(|skill| skill.text());
    let mut row = SkillRow {
        skill_key: key.to_owned(),
        origin: origin.name().to_owned(),
        is_enabled: before.is_none_or(|row| row.is_enabled),
        template: before.and_then(|row| row.template.clone()),
        files: before.map_or_else(|| SqlJson(Json::Object(Map::new())), |row| row.files.clone()),
        name: skill.name.clone(),
        description: skill.description.clone(),
        category: skill.category.clone(),
        version: skill.version.clone(),
        linked_skills: SqlJson(Json::from(skill.linked_skills.clone())),
        compiled,
        digest: String::new(),
    };
    row.digest = digest(&row);
    row
}

/// A digest of all that a row says.
fn digest(row: &SkillRow) -> String {
    let said = serde_json::json!([
        row.origin,
        row.is_enabled,
        row.template,
        row.files.0,
        row.name,
        row.description,
        row.category,
        row.version,
        row.linked_skills.0,
        row.compiled,
    ]);
    hex(said.to_string().as_bytes())
}

/// SHA-256 in small hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The skills at a path as an organization with this context would get them beside the platform's: what is
/// wrong with them is in the library's findings.
pub fn rehearse(path: &Path, context: &Context) -> Result<Library> {
    Ok(compile(platform(), &Shelf::read(path)?, &[], context).library)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shelf(texts: &[(&str, &str)]) -> Shelf {
        let mut shelf = Shelf::default();
        for (key, body) in texts {
            let text = format!("---\nname: {key}\ndescription: For ${{company_name | 'us'}}.\n---\n{body}");
            shelf.add(key, key, &text, Vec::new());
        }
        shelf
    }

    fn context(told: &Json) -> Context {
        told.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn later_origins_go_over_earlier_ones_and_faults_do_not_bring_them_back() {
        let (platform, folder) =
            (shelf(&[("a", "first"), ("b", "first")]), shelf(&[("a", "second"), ("b", "")]));
        let compiled = compile(&platform, &folder, &[], &Context::new());
        assert_eq!(compiled.library.get("a").map(|skill| skill.body.as_str()), Some("second"));
        assert!(compiled.library.get("b").is_none());
        let states: Vec<(&str, bool)> =
            compiled.rows.iter().map(|row| (row.origin.as_str(), row.compiled.is_some())).collect();
        assert_eq!(states, [("folder", true), ("folder", false)]);
    }

    #[test]
    fn a_skill_is_filled_in_whole_or_left_out() {
        let platform = shelf(&[("a", "one\n${missing}"), ("b", "fine")]);
        let compiled =
            compile(&platform, &Shelf::default(), &[], &context(&json!({"company_name": "Acme: \"x\""})));
        let keys: Vec<&str> = compiled.library.skills().iter().map(|skill| skill.key.as_str()).collect();
        assert_eq!(keys, ["b"]);
        assert!(
            compiled.rows[1]
                .compiled
                .as_deref()
                .is_some_and(|text| text.contains(r#"description: "For Acme: \"x\".""#))
        );
        let said = compiled.library.findings()[0].to_string();
        assert!(said.starts_with("a:6: `${missing}` is not in the organization's context"), "{said}");
    }
}
