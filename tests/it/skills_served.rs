//! Skills over the protocol, in both of its eras: the extension, their files, and each one as a prompt.

use std::fs;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::client::McpProcess;
use crate::harness::{Bench, on_both};

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold("sha256:".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}

async fn text_at(host: &McpProcess, uri: &str) -> String {
    let read = host.result("resources/read", json!({"uri": uri})).await;
    read["contents"][0]["text"].as_str().unwrap_or_default().to_owned()
}

fn names(list: &Json) -> Vec<&str> {
    list.as_array().unwrap().iter().filter_map(|item| item["name"].as_str()).collect()
}

on_both! {
    async fn every_skill_is_listed_with_a_digest_of_what_is_read(t: Bench) {
        let host = t.serve(&["--org", "acme"]);
        let found = host.result("server/discover", json!({})).await;
        assert_eq!(found["capabilities"]["extensions"]["io.modelcontextprotocol/skills"], json!({"directoryRead": true}));
        let listed = host.result("skills/list", json!({})).await;
        assert_eq!((&listed["cacheScope"], listed["ttlMs"].as_u64()), (&json!("private"), Some(1_000)));
        let skills = listed["skills"].as_array().unwrap();
        assert!(skills.len() > 12, "{listed}");
        for skill in skills {
            let uri = skill["uri"].as_str().unwrap();
            let text = text_at(&host, uri).await;
            assert_eq!(skill["resources"], json!([{"uri": uri, "digest": digest(&text), "size": text.len()}]));
            let name = skill["frontmatter"]["name"].as_str().unwrap();
            assert!(text.starts_with(&format!("---\nname: \"{name}\"\n")), "{text}");
            assert_eq!(host.result("skills/get", json!({"uri": uri})).await["skill"], *skill);
        }
        for wrong in ["skill://nowhere/SKILL.md", "skill://lead-triage/other.md", "file:///SKILL.md"] {
            assert_eq!(host.request("skills/get", json!({"uri": wrong})).await["error"]["code"], -32602, "{wrong}");
            assert_eq!(host.request("resources/read", json!({"uri": wrong})).await["error"]["code"], -32602, "{wrong}");
        }
        let completed = host.result("completion/complete", json!({
            "ref": {"type": "ref/resource", "uri": "skill://{skill}/SKILL.md"},
            "argument": {"name": "skill", "value": "lead"},
        })).await;
        assert_eq!(completed["completion"]["values"], json!(["lead-triage"]));
    }

    async fn the_files_of_a_folder_are_served_beside_its_skill(t: Bench) {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join("price-list");
        fs::create_dir_all(place.join("tables/eu")).unwrap();
        fs::write(place.join("SKILL.md"), "---\nname: price-list\ndescription: Quote prices.\n---\nRead tables/eu/prices.csv.\n").unwrap();
        fs::write(place.join("tables/eu/prices.csv"), "a,1\n").unwrap();
        fs::write(place.join("tables/logo.png"), [0xff, 0xfe]).unwrap();
        let host = t.serve(&["--org", "acme", "--skills", folder.path().to_str().unwrap()]);
        let skill = host.result("skills/get", json!({"uri": "skill://price-list/SKILL.md"})).await;
        assert_eq!(skill["skill"]["resources"].as_array().unwrap().len(), 3, "{skill}");
        let top = host.result("resources/directory/read", json!({"uri": "skill://price-list"})).await;
        assert_eq!(names(&top["resources"]), ["SKILL.md", "tables"]);
        assert_eq!(top["resources"][1]["mimeType"], "inode/directory");
        let inner = host.result("resources/directory/read", json!({"uri": "skill://price-list/tables"})).await;
        assert_eq!(names(&inner["resources"]), ["eu", "logo.png"]);
        assert_eq!(text_at(&host, "skill://price-list/tables/eu/prices.csv").await, "a,1\n");
        let blob = host.result("resources/read", json!({"uri": "skill://price-list/tables/logo.png"})).await;
        assert_eq!(blob["contents"][0]["blob"], "//4=");
        for wrong in ["skill://price-list/tab", "skill://price-list/SKILL.md", "skill://nowhere", "skill://price-list/../x"] {
            let refused = host.request("resources/directory/read", json!({"uri": wrong})).await;
            assert_eq!(refused["error"]["code"], -32602, "{wrong}: {refused}");
        }
        let read = host.ok("get_skill", json!({"key": "price-list"})).await;
        assert_eq!(read["files"], json!(["skill://price-list/tables/eu/prices.csv", "skill://price-list/tables/logo.png"]));
    }

    async fn each_skill_is_a_prompt(t: Bench) {
        let host = t.serve(&["--org", "acme"]);
        let listed = host.result("prompts/list", json!({})).await;
        assert!(names(&listed["prompts"]).contains(&"meeting-prep"), "{listed}");
        let got = host.result("prompts/get", json!({"name": "meeting-prep", "arguments": {"about": "Globex"}})).await;
        let text = got["messages"][0]["content"]["text"].as_str().unwrap();
        assert!(text.contains("# Meeting prep") && text.ends_with("It is about: Globex"), "{text}");
        let refused = host.request("prompts/get", json!({"name": "meeting-prp"})).await;
        assert_eq!(refused["error"]["code"], -32602);
        assert!(refused.to_string().contains("meeting-prep"), "{refused}");
        assert_eq!(host.request("prompts/list", json!({"cursor": "x"})).await["error"]["code"], -32602);
    }

    async fn older_clients_get_the_same_without_hints(t: Bench) {
        let host = t.serve(&["--org", "acme"]);
        host.legacy("2025-11-25").await;
        let ask = async |id: i64, method: &str, params: Json| {
            host.exchange(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await
        };
        for (id, method) in [(101, "skills/list"), (102, "prompts/list")] {
            let listed = ask(id, method, json!({})).await;
            assert!(listed["result"].is_object() && listed["result"].get("ttlMs").is_none(), "{method}: {listed}");
        }
        let read = ask(103, "resources/read", json!({"uri": "skill://meeting-prep/SKILL.md"})).await;
        assert!(read["result"]["contents"][0]["text"].as_str().unwrap().contains("# Meeting prep"), "{read}");
    }
}
