//! `opstables skills` as people and scripts meet it.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A user's world with a database of its own.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Desk {
        let desk = Desk::bare();
        desk.run(&["init", "--org", "acme", "--member", "Ann Lee <ann@acme.com>"], 0);
        desk
    }

    /// A world in which nothing has been set up.
    pub(crate) fn bare() -> Desk {
        Desk(TempDir::new().unwrap())
    }

    pub(crate) fn is_empty(&self) -> bool {
        fs::read_dir(self.0.path()).unwrap().next().is_none()
    }

    /// What a command prints, results before remarks, when it ends as it should.
    pub(crate) fn run(&self, args: &[&str], code: i32) -> String {
        self.fed(args, "", code)
    }

    /// The same of a command that reads `input`.
    pub(crate) fn fed(&self, args: &[&str], input: &str, code: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("OPSTABLES_") {
                command.env_remove(name);
            }
        }
        for place in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(place, self.0.path());
        }
        command.current_dir(self.0.path()).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        // A program that reads nothing may have left already.
        drop(program.stdin.take().unwrap().write_all(input.as_bytes()));
        let ended = program.wait_with_output().unwrap();
        let said =
            String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{args:?}\n{said}");
        said
    }

    pub(crate) fn json(&self, args: &[&str]) -> Json {
        let args = [args, &["--json"]].concat();
        serde_json::from_str(&self.run(&args, 0)).unwrap()
    }

    fn write(&self, key: &str, text: &str) -> String {
        let folder = self.0.path().join("mine").join(key);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("SKILL.md"), text).unwrap();
        format!("mine/{key}")
    }
}

#[test]
fn skills_are_listed_shown_switched_and_filled_in() {
    let desk = Desk::new();
    let listed = desk.json(&["skills", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), opstables::skills::platform().skills.len());
    assert!(desk.run(&["skills", "list"], 0).contains("lead-triage"));
    desk.run(&["skills", "context", "set", "company_name", "Acme"], 0);
    desk.run(&["skills", "context", "set", "icp.description", "\"carriers\""], 0);
    assert_eq!(
        desk.json(&["skills", "context", "list"]),
        json!({"company_name": "Acme", "icp": {"description": "carriers"}})
    );
    assert!(desk.run(&["skills", "show", "lead-triage"], 0).contains("Help Acme decide"));
    let off = desk.json(&["skills", "disable", "meeting-prep"]);
    assert_eq!((&off["changed"], &off["findings"]), (&json!(true), &json!(1)));
    assert!(
        desk.run(&["skills", "show", "meeting-prep"], 1).contains("opstables skills enable meeting-prep")
    );
    assert!(
        desk.run(&["skills", "lint"], 1).contains("the linked skill `meeting-prep` is not in the library")
    );
    assert!(desk.run(&["skills", "enable", "meeting-prp"], 1).contains("did you mean `meeting-prep`?"));
    desk.run(&["skills", "enable", "meeting-prep"], 0);
    assert!(desk.run(&["skills", "compile"], 0).contains("Everything is filled in again"));
    assert!(desk.run(&["skills", "context", "unset", "nothing"], 1).contains("is not in the context"));
}

#[test]
fn lint_says_where_the_fault_is_and_what_would_be_right() {
    let desk = Desk::new();
    let good = "---\nname: quote\ndescription: Quote prices.\n---\n\nAsk ${sales_lead}.\n";
    desk.write("quote", good);
    desk.write("broken", "---\nname: other\ndescription: x\n---\nbody\n");
    let said = desk.run(&["skills", "lint", "mine"], 1);
    assert!(
        said.contains("mine/broken/SKILL.md:2: the name `other` is not that of its folder `broken`"),
        "{said}"
    );
    assert!(
        said.contains("mine/quote/SKILL.md:6: `${sales_lead}` is not in the organization's context"),
        "{said}"
    );
    assert!(said.contains("2 errors, 0 warnings"), "{said}");
    desk.run(&["skills", "context", "set", "sales_lead", "Ann"], 0);
    let said = desk.run(&["skills", "lint", "mine/quote", "--org", "acme"], 0);
    assert!(said.contains("0 errors"), "{said}");
}

#[test]
fn an_own_skill_is_taken_in_and_removed() {
    let desk = Desk::new();
    let folder = desk.write("quote", "---\nname: quote\ndescription: Quote prices.\n---\n\nTen.\n");
    desk.run(&["skills", "add", &folder], 0);
    assert!(desk.run(&["skills", "show", "quote"], 0).contains("Ten."));
    desk.run(&["skills", "remove", "quote"], 0);
    desk.run(&["skills", "show", "quote"], 1);
    assert!(
        desk.run(&["skills", "remove", "lead-triage"], 1).contains("opstables skills disable lead-triage")
    );
    let folder = desk.write("bad", "---\nname: bad\ndescription: x\n---\n\n${unknown}\n");
    assert!(
        desk.run(&["skills", "add", &folder], 1)
            .contains("`${unknown}` is not in the organization's context")
    );
    assert!(!desk.run(&["skills", "list"], 0).contains("bad"), "nothing is left of it");
}
