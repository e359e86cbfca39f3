//! Skills as organizations have them: shipped, written by them, switched off, filled in, edited on disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use opstables::app::{App, Options};
use opstables::clock::Ids;
use opstables::records::Actor;
use opstables::skills::{self, Context, Library};
use opstables::store::Dialect;
use opstables::tools;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::database::lines;
use crate::harness::{Bench, on_both};
use crate::source;

/// Puts a skill into a folder.
fn write(folder: &Path, key: &str, description: &str, body: &str) {
    let place = folder.join(key);
    fs::create_dir_all(&place).unwrap();
    let text = format!("---\nname: {key}\ndescription: {description}\n---\n\n{body}\n");
    fs::write(place.join("SKILL.md"), text).unwrap();
}

impl Bench {
    async fn library(&self) -> std::sync::Arc<Library> {
        self.ctx().library().await.unwrap()
    }

    async fn tell(&self, key: &str, value: Option<Json>) {
        let services = &self.app.services;
        let mut tx = services.store.begin().await.unwrap();
        services.skills.tell(&mut tx, self.org, key, value, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn switch(&self, key: &str, on: bool) -> bool {
        let services = &self.app.services;
        let mut tx = services.store.begin().await.unwrap();
        let done = services.skills.set_enabled(&mut tx, self.org, key, on, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        done
    }

    async fn body(&self, key: &str) -> String {
        self.library().await.get(key).map(|skill| skill.body.clone()).unwrap_or_default()
    }
}

#[test]
fn every_platform_skill_is_listed_and_has_no_finding() {
    let folders: BTreeSet<String> = fs::read_dir(source::root().join("skills"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let library = Library::new(skills::platform().clone());
    let listed: BTreeSet<String> = library.skills().iter().map(|skill| skill.key.clone()).collect();
    assert_eq!(listed, folders);
    assert_eq!(library.findings(), []);
    assert_eq!(skills::rehearse(&source::root().join("skills"), &Context::new()).unwrap().findings(), []);
}

#[test]
fn a_platform_skill_is_found_by_what_people_say() {
    let library = Library::new(skills::platform().clone());
    let cases = [
        ("triage my new leads", "lead-triage"),
        ("could you get me ready for my call with Acme tomorrow?", "meeting-prep"),
        ("Sam didn't show up to our demo", "no-show-follow-up"),
        ("which accounts might we lose", "client-risk-review"),
        ("merge the doubles in our contacts", "duplicate-review"),
        ("Tom is leaving, reassign his leads", "owner-handover"),
        ("complete weekly preparation please", "seq-monday-start"),
        ("who have we lost touch with", "stale-contact-re-engagement"),
    ];
    for (message, key) in cases {
        let choice = library.choose(message);
        assert_eq!(choice.chosen().map(|chosen| chosen.key.as_str()), Some(key), "{message}: {choice:#?}");
    }
    for message in ["good morning", "what is the capital of Peru", "play some jazz"] {
        assert_eq!(library.choose(message).chosen, None, "{message}: {:#?}", library.choose(message));
    }
}

/// The calls that a skill's text spells out: a tool and its arguments between backticks.
fn calls(text: &str) -> Vec<(String, Json)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let call = |quoted: &str| {
        let (tool, arguments) = quoted.split_once(' ')?;
        (!quoted.contains('…'))
            .then(|| serde_json::from_str(arguments).ok())?
            .map(|json| (tool.to_owned(), json))
    };
    quoted.filter_map(call).collect()
}

on_both! {
    async fn every_call_that_a_platform_skill_spells_out_is_answered(t: Bench) {
        t.create("contacts", json!({"first_name": "Dana", "email": "dana@acme.com"})).await;
        let (mut tried, library) = (0, t.library().await);
        for skill in library.skills() {
            let text = skill.body.replace("<from>", "Ann Lee").replace("<to>", "Tom Ford").replace("<email>", "a@b.co").replace("<domain>", "acme.com").replace("<contact_email>", "a@b.co").replace(r#""me""#, r#""Ann Lee""#);
            for (tool, arguments) in calls(&text).into_iter().filter(|(tool, _)| tool.starts_with("query_")) {
                t.ok(&tool, arguments).await;
                tried += 1;
            }
            let allowed = skill.frontmatter["allowed-tools"].as_str().unwrap().to_owned();
            for tool in allowed.split(' ') {
                assert!(tools::all().iter().any(|known| known.name == tool), "{}: {tool}", skill.key);
            }
        }
        assert!(tried > 25, "only {tried} calls were found");
    }

    async fn what_an_organization_tells_is_filled_in_and_stored(t: Bench) {
        assert!(t.body("lead-triage").await.contains("Help the team decide"));
        t.tell("company_name", Some(json!("Acme ${x}"))).await;
        t.tell("icp.description", Some(json!("carriers with 50 trucks"))).await;
        let body = t.body("lead-triage").await;
        assert!(body.contains("Help Acme ${x} decide") && body.contains("carriers with 50 trucks"), "{body}");
        let stored = lines(&t, "select compiled from organization_skills where skill_key = 'lead-triage'", 1).await;
        assert!(stored[0].contains("Help Acme ${x} decide"), "{stored:?}");
        assert!(t.another_process().body("lead-triage").await.contains("Acme"));
        t.tell("icp.description", None).await;
        assert!(t.body("lead-triage").await.contains("no profile is on file"));
        assert_eq!(lines(&t, "select key from organization_context", 1).await, ["company_name"]);
    }

    async fn one_organization_does_not_see_anothers_skills(t: Bench) {
        let (other, _) = t.app.create_organization("other", "Other", chrono_tz::UTC).await.unwrap();
        t.tell("company_name", Some(json!("Acme"))).await;
        t.switch("meeting-prep", false).await;
        let other = t.within(other);
        assert!(other.body("lead-triage").await.contains("Help the team"));
        assert!(!other.body("meeting-prep").await.is_empty());
        assert!(t.body("meeting-prep").await.is_empty());
    }

    async fn a_skill_that_is_off_takes_its_sequences_with_it_and_comes_back(t: Bench) {
        assert!(t.switch("meeting-prep", false).await && !t.switch("meeting-prep", false).await);
        let library = t.library().await;
        assert!(library.get("meeting-prep").is_none() && library.get("seq-monday-start").is_none());
        let said = library.findings()[0].to_string();
        assert!(said.contains("the linked skill `meeting-prep` is not in the library"), "{said}");
        assert!(t.switch("meeting-prep", true).await);
        assert_eq!(t.library().await.findings(), []);
    }

    async fn agents_read_the_same_from_the_database(t: Bench) {
        t.switch("duplicate-review", false).await;
        let library = t.library().await;
        let sql = match t.app.services.store.dialect() {
            Dialect::Postgres => format!("select skill_key, content from get_organization_skills_for_agent('{}')", t.org.0),
            Dialect::Sqlite => "select skill_key, compiled from organization_skills where is_enabled and compiled is not null order by skill_key".to_owned(),
        };
        let read = lines(&t, &sql, 2).await;
        let expected: Vec<String> = library.skills().iter().map(|skill| format!("{}|{}", skill.key, skill.text())).collect();
        assert_eq!(read, expected);
    }

    async fn an_own_skill_stands_over_the_platforms_until_it_is_removed(t: Bench) {
        let folder = TempDir::new().unwrap();
        write(folder.path(), "lead-triage", "Our own way.", "Ask ${sales_lead | 'Ann'} first.");
        let shelf = skills::Shelf::read(&folder.path().join("lead-triage")).unwrap();
        let text = fs::read_to_string(folder.path().join("lead-triage/SKILL.md")).unwrap();
        let services = &t.app.services;
        let mut tx = services.store.begin().await.unwrap();
        services.skills.add(&mut tx, t.org, &shelf.skills[0], &text, t.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(t.body("lead-triage").await.trim(), "Ask Ann first.");
        assert_eq!(t.another_process().body("lead-triage").await.trim(), "Ask Ann first.");
        let mut tx = services.store.begin().await.unwrap();
        services.skills.remove(&mut tx, t.org, "lead-triage", t.clock.now()).await.unwrap();
        let refused = services.skills.remove(&mut tx, t.org, "lead-triage", t.clock.now()).await.unwrap_err();
        assert!(refused.message.contains("not the organization's own"), "{refused}");
        tx.commit().await.unwrap();
        assert!(t.body("lead-triage").await.contains("# Lead triage"));
    }

    async fn an_edit_on_disk_is_seen_within_a_second(t: Bench) {
        let folder = TempDir::new().unwrap();
        write(folder.path(), "price-list", "Quote our prices.", "Ten.");
        let options = Options {
            database_url: t.database_url.clone(),
            clock: t.clock.clone(),
            ids: Ids::Random,
            skills_dir: Some(folder.path().to_owned()), sync: opstables::sync::Options::default(),
            backfill: opstables::backfill::Settings::default(),
        };
        let app = App::open(&options).unwrap();
        let body = async || app.ctx(t.org, Actor::default()).library().await.unwrap().get("price-list").map(|skill| skill.body.trim().to_owned());
        assert_eq!(body().await.as_deref(), Some("Ten."));
        write(folder.path(), "price-list", "Quote our prices.", "Eleven.");
        t.clock.advance_ms(999);
        assert_eq!(body().await.as_deref(), Some("Eleven."));
        write(folder.path(), "price-list", "\"", "Twelve.");
        t.clock.advance_ms(999);
        assert_eq!(body().await, None, "a fault takes it out, all of it");
        fs::remove_dir_all(folder.path().join("price-list")).unwrap();
        t.clock.advance_ms(999);
        assert_eq!(body().await, None);
        let kept = lines(&t, "select skill_key from organization_skills where origin = 'folder'", 1).await;
        assert_eq!(kept, Vec::<String>::new());
    }

    async fn the_tools_find_list_and_read(t: Bench) {
        let found = t.ok("find_skills", json!({"message": "prep me for my next meeting"})).await;
        assert_eq!(found["chosen"], "meeting-prep");
        assert_eq!(found["skills"].as_array().unwrap().len(), 5);
        let all = t.ok("find_skills", json!({})).await;
        assert_eq!(all["skills"].as_array().unwrap().len(), skills::platform().skills.len());
        let read = t.ok("get_skill", json!({"key": "seq-monday-start"})).await;
        assert_eq!(read["linked_skills"][0], "weekly-lead-review");
        let refused = t.refused("get_skill", json!({"key": "meeting-prp"})).await;
        assert_eq!(refused.hint.as_deref(), Some("did you mean `meeting-prep`?"));
    }
}

#[test]
fn three_hundred_skills_load_fast_and_answer_at_once() {
    let folder = TempDir::new().unwrap();
    for number in 0..300 {
        write(folder.path(), &format!("skill-{number}"), "Does what nobody else does.", "Steps.");
    }
    let library = Library::read(folder.path()).unwrap();
    assert_eq!((library.skills().len(), library.findings().len()), (300, 0));
    assert!(library.choose("does what nobody does").candidates.len() <= skills::CANDIDATES);
}

#[test]
fn a_library_file_holds_a_skill_a_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("library.jsonl");
    let lines = [
        json!({"skill_key": "a", "name": "A", "category": "agent-sequence", "description": "d", "triggers": [{"pattern": "run the audit", "confidence": 0.9, "examples": []}], "keywords": ["audit"], "is_active": true}).to_string(),
        json!({"skill_key": "b", "description": "off", "is_active": false}).to_string(),
        "{\"nonsense\": true}".to_owned(),
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    let library = Library::read(&file).unwrap();
    assert_eq!(library.choose("please run the audit").chosen().map(|chosen| chosen.key.as_str()), Some("a"));
    assert!(library.skills()[0].is_sequence());
    assert_eq!(library.findings()[0].line, Some(3));
    let missing = Library::read(&folder.path().join("nowhere")).unwrap_err();
    assert!(missing.message.contains("cannot be read"), "{missing}");
}
