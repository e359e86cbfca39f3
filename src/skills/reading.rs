//! Skills from disk: a folder of skill folders, one skill folder, or a whole library in one JSONL file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::finding::Finding;
use super::frontmatter;
use super::skill::{File, SKILL_FILE, Skill, Trigger};
use crate::error::{Result, not_found};

/// What the protocol allows a skill to carry.
const FILES_MAX: usize = 512;
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How deep files may lie inside a skill's folder.
const DEPTH_MAX: usize = 4;

/// Skills as they were written, and what is wrong with those that are missing.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    pub skills: Vec<Skill>,
    pub findings: Vec<Finding>,
}

/// The state of a place on disk: it differs whenever a file was added, removed or edited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<SystemTime>, u64)>);

impl Shelf {
    /// Reads what is at `path`. A skill with a fault is left out and has findings; a path that cannot be read
    /// at all is an error.
    pub fn read(path: &Path) -> Result<Shelf> {
        let unreadable = |error: std::io::Error| {
            not_found(format!("the skills at `{}` cannot be read: {error}", path.display()))
                .hint("name a folder of skill folders, or a library file with one skill a line")
        };
        let mut shelf = Shelf::default();
        if fs::metadata(path).map_err(unreadable)?.is_file() {
            let text = fs::read_to_string(path).map_err(unreadable)?;
            if path.file_name().is_some_and(|name| name == SKILL_FILE) {
                shelf.read_folder(path.parent().unwrap_or(Path::new("")));
            } else {
                shelf.read_lines(&path.display().to_string(), &text);
            }
        } else if path.join(SKILL_FILE).is_file() {
            shelf.read_folder(path);
        } else {
            for folder in skill_folders(path).map_err(unreadable)? {
                shelf.read_folder(&folder);
            }
        }
        Ok(shelf)
    }

    /// Takes in one skill by the text of its `SKILL.md`.
    pub fn add(&mut self, key: &str, file: &str, text: &str, files: Vec<File>) {
        let (skill, findings) = frontmatter::read(key, file, text);
        self.findings.extend(findings);
        self.skills.extend(skill.map(|skill| Skill { files, ..skill }));
    }

    fn read_folder(&mut self, folder: &Path) {
        let file = folder.join(SKILL_FILE);
        let shown = file.display().to_string();
        let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let key = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match fs::read_to_string(&file) {
            Ok(text) => match beside(folder) {
                Ok(files) => self.add(&key, &shown, &text, files),
                Err(message) => self.findings.push(Finding::error(&shown, None, message).of(&key)),
            },
            Err(error) => {
                let finding = Finding::error(&shown, None, format!("the file cannot be read: {error}"));
                self.findings.push(finding.of(&key));
            }
        }
    }

    fn read_lines(&mut self, file: &str, text: &str) {
        for (line, text) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match serde_json::from_str::<Line>(text) {
                Ok(read) if !read.is_active => {}
                Ok(read) => self.skills.push(read.skill(file)),
                Err(error) => {
                    let finding = Finding::error(file, line + 1, format!("the line is not a skill: {error}"));
                    self.findings.push(finding.hint(
                        "write {\"skill_key\": …, \"description\": …, \"triggers\": […], \"keywords\": […]}",
                    ));
                }
            }
        }
    }
}

impl Stamp {
    /// The state of what [`Shelf::read`] would read. What cannot be looked at counts as not there.
    pub fn of(path: &Path) -> Stamp {
        let mut seen = Vec::new();
        if path.is_dir() {
            let inner = path.join(SKILL_FILE).is_file();
            let folders = if inner { vec![path.to_owned()] } else { skill_folders(path).unwrap_or_default() };
            for folder in folders {
                walk(&folder, 0, &mut |file, found| {
                    seen.push((file.to_owned(), found.modified().ok(), found.len()));
                });
            }
        } else if let Ok(found) = fs::metadata(path) {
            seen.push((path.to_owned(), found.modified().ok(), found.len()));
        }
        Stamp(seen)
    }
}

/// The folders with a `SKILL.md`, in order of name.
fn skill_folders(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(path)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.join(SKILL_FILE).is_file())
        .collect();
    folders.sort();
    Ok(folders)
}

/// The other files of a skill's folder.
fn beside(folder: &Path) -> Result<Vec<File>, String> {
    let mut paths = Vec::new();
    let mut bytes = 0;
    walk(folder, 0, &mut |path, found| {
        bytes += found.len();
        paths.push(path.to_owned());
    });
    if paths.len() > FILES_MAX || bytes > BYTES_MAX {
        return Err(format!(
            "the folder holds {} files of {bytes} bytes; {FILES_MAX} files of 16 MiB are the most",
            paths.len()
        ));
    }
    let mut files = Vec::new();
    for path in paths {
        let inside = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if inside != SKILL_FILE {
            let bytes = fs::read(&path).map_err(|error| format!("`{inside}` cannot be read: {error}"))?;
            files.push(File { path: inside, bytes });
        }
    }
    Ok(files)
}

/// Visits the files of a folder in order of path. Hidden ones and links are none of a skill's business.
fn walk(folder: &Path, depth: usize, visit: &mut dyn FnMut(&Path, &fs::Metadata)) {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        let Some(found) = entry.metadata().ok().filter(|_| !is_hidden) else { continue };
        if found.is_file() {
            visit(&entry.path(), &found);
        } else if found.is_dir() && depth < DEPTH_MAX {
            walk(&entry.path(), depth + 1, visit);
        }
    }
}

/// A skill as one line of a library file.
#[derive(Deserialize)]
struct Line {
    skill_key: String,
    name: Option<String>,
    category: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    triggers: Vec<Trigger>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    linked_skills: Vec<String>,
    #[serde(default = "active")]
    is_active: bool,
    #[serde(default)]
    body: String,
}

const fn active() -> bool {
    true
}

impl Line {
    fn skill(self, file: &str) -> Skill {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), Json::from(self.skill_key.as_str()));
        fields.insert("description".to_owned(), Json::from(self.description.as_str()));
        Skill {
            name: self.name.unwrap_or_else(|| frontmatter::title_of(&self.skill_key)),
            key: self.skill_key,
            category: self.category,
            version: "1".to_owned(),
            description: self.description,
            description_line: 1,
            triggers: self.triggers,
            keywords: self.keywords,
            linked_skills: self.linked_skills,
            frontmatter: fields,
            body: self.body,
            body_line: 1,
            files: Vec::new(),
            origin: file.to_owned(),
        }
    }
}
