//! The skills that one organization's agent can choose from.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::choose::{self, Choice};
use super::finding::Finding;
use super::index::Index;
use super::reading::Shelf;
use super::skill::Skill;
use super::tuning::TUNING;
use crate::error::{Result, not_found};

/// Skills by key, turned so that messages find them, and what is wrong with those that are not among them.
#[derive(Debug)]
pub struct Library {
    skills: Vec<Arc<Skill>>,
    findings: Vec<Finding>,
    index: Index,
}

impl Library {
    /// The library in a folder of skill folders, or in a file with one skill a line. Its templates stay as they
    /// are.
    pub fn read(path: &Path) -> Result<Library> {
        Ok(Library::new(Shelf::read(path)?))
    }

    /// A library of these skills; those that contradict each other or miss a part are left out.
    pub fn new(shelf: Shelf) -> Library {
        let Shelf { skills, mut findings } = shelf;
        let skills = consistent(skills, &mut findings);
        let index = Index::new(&skills, TUNING);
        Library { skills: skills.into_iter().map(Arc::new).collect(), findings, index }
    }

    /// The skills, sorted by key.
    pub fn skills(&self) -> &[Arc<Skill>] {
        &self.skills
    }

    /// What is wrong with the skills that were left out, and what is odd about others.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub fn get(&self, key: &str) -> Option<&Arc<Skill>> {
        let at = self.skills.binary_search_by(|skill| skill.key.as_str().cmp(key)).ok()?;
        self.skills.get(at)
    }

    /// The skill with this key, or an error that names the nearest.
    pub fn find(&self, key: &str) -> Result<&Arc<Skill>> {
        self.get(key).ok_or_else(|| {
            let keys = self.skills.iter().map(|skill| skill.key.as_str());
            match crate::error::nearest(key, keys) {
                Some(near) => {
                    not_found(format!("there is no skill `{key}`")).hint(format!("did you mean `{near}`?"))
                }
                None => {
                    not_found(format!("there is no skill `{key}`")).hint("find_skills lists what there is")
                }
            }
        })
    }

    /// Which skill the message is for.
    pub fn choose(&self, message: &str) -> Choice {
        choose::choose(&self.skills, &self.index, message)
    }
}

/// The skills by key, without those that are there twice and sequences whose skills are not all there.
fn consistent(mut skills: Vec<Skill>, findings: &mut Vec<Finding>) -> Vec<Skill> {
    skills.sort_by(|a, b| a.key.cmp(&b.key));
    skills.dedup_by(|second, first| {
        let same = second.key == first.key;
        if same {
            let message = format!("the key `{}` is taken by {}", second.key, first.origin);
            let finding = Finding::error(&second.origin, None, message).of(&second.key);
            findings.push(finding.hint("give one of them another name"));
        }
        same
    });
    // Leaving out one sequence may break another that runs it.
    loop {
        let keys: HashSet<String> = skills.iter().map(|skill| skill.key.clone()).collect();
        let before = skills.len();
        skills.retain(|skill| match missing(skill, &keys) {
            Some(finding) => {
                findings.push(finding);
                false
            }
            None => true,
        });
        if skills.len() == before {
            return skills;
        }
    }
}

fn missing(skill: &Skill, keys: &HashSet<String>) -> Option<Finding> {
    let link = skill.linked_skills.iter().find(|link| !keys.contains(*link) || **link == skill.key)?;
    let message = if *link == skill.key {
        format!("the sequence `{link}` runs itself")
    } else {
        format!("the linked skill `{link}` is not in the library")
    };
    let hint =
        match crate::error::nearest(link, keys.iter().map(String::as_str).filter(|key| *key != skill.key)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it, enable it, or take it out of `linked_skills`".to_owned(),
        };
    Some(Finding::error(&skill.origin, None, message).of(&skill.key).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(key: &str, links: &[&str]) -> Skill {
        let linked_skills = links.iter().map(|&link| link.to_owned()).collect();
        Skill { key: key.to_owned(), origin: format!("{key}.md"), linked_skills, ..Skill::default() }
    }

    #[test]
    fn a_sequence_stays_out_until_all_it_runs_is_there() {
        let skills =
            vec![skill("a", &["b", "c"]), skill("b", &["missing"]), skill("c", &[]), skill("d", &["a"])];
        let library = Library::new(Shelf { skills, findings: Vec::new() });
        let keys: Vec<&str> = library.skills().iter().map(|skill| skill.key.as_str()).collect();
        assert_eq!(keys, ["c"]);
        let said: Vec<String> = library.findings().iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("b.md: the linked skill `missing` is not in the library"), "{said:?}");
    }

    #[test]
    fn a_key_is_taken_once() {
        let library =
            Library::new(Shelf { skills: vec![skill("a", &[]), skill("a", &[])], findings: Vec::new() });
        assert_eq!((library.skills().len(), library.findings().len()), (1, 1));
        assert_eq!(library.find("b").unwrap_err().message, "there is no skill `b`");
    }
}
