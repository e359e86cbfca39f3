//! A backfill as a task: asked for by its id, by whichever process of the organization, until it has ended.

use std::sync::Arc;
use std::time::Duration;

use opstables::backfill::{self, Host, Settings};
use opstables::clock::Clock;
use opstables::store::Sql;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::application::Application;
use super::derivations::application;
use super::edits::many;
use super::{all, count_of, host};
use crate::client::McpProcess;
use crate::database::change;
use crate::harness::{Bench, on_both};

const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// So many that a run is stopped or killed long before its end.
const MANY: u32 = 3_000;

on_both! {
    async fn a_start_is_a_task_that_ends_with_what_status_says(t: Bench) {
        let place = Place::of(&application());
        let server = place.server(&t, "acme");
        let task = start(&server, json!({})).await;
        assert_eq!((&task["resultType"], &task["status"], &task["ttlMs"]), (&json!("task"), &json!("working"), &Json::Null));
        assert_eq!(task["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "opstables");
        assert!(task["pollIntervalMs"].is_u64() && task.get("content").is_none(), "{task}");
        assert!(task["lastUpdatedAt"].as_str() >= task["createdAt"].as_str(), "{task}");
        let done = ended(&server, &task).await;
        let profiles = &done["result"]["structuredContent"]["run"]["tables"][0];
        assert_eq!((&profiles["table"], &profiles["total"]), (&json!("profiles"), &profiles["read"]));
        let status = server.call("backfill_table", json!({"action": "status"})).await;
        assert_eq!((&done["status"], &done["resultType"]), (&json!("completed"), &json!("complete")));
        assert_eq!(done["result"]["structuredContent"], status["structuredContent"]);
        assert_eq!(done["result"]["content"], status["content"]);
        assert_eq!((&done["result"]["resultType"], &done["taskId"]), (&json!("complete"), &status["structuredContent"]["run"]["id"]));
        assert_eq!(done["createdAt"], task["createdAt"]);
        assert!(done["lastUpdatedAt"].as_str() >= task["createdAt"].as_str(), "{done}");
        assert_eq!(all(&t, "leads").await.len(), 9);
        // A second one is another task, and changes nothing.
        let again = start(&server, json!({"table": "leads"})).await;
        assert_ne!(again["taskId"], task["taskId"]);
        assert_eq!(ended(&server, &again).await["result"]["structuredContent"]["run"]["tables"][1]["unchanged"], 9);
        assert_eq!(ended(&server, &task).await, done);
    }

    async fn only_a_start_of_who_declares_it_becomes_a_task(t: Bench) {
        let place = Place::of(&application());
        let server = place.server(&t, "acme");
        let found = server.result("server/discover", json!({})).await;
        assert_eq!(found["capabilities"]["extensions"][EXTENSION], json!({}));
        // Once declared is not declared again.
        let task = start(&server, json!({"action": "start", "from": "app"})).await;
        ended(&server, &task).await;
        let plain = server.call("backfill_table", json!({})).await;
        assert_eq!((&plain["resultType"], &plain["structuredContent"]["run"]["state"]), (&json!("complete"), &json!("done")));
        for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
            let error = server.request(method, json!({"taskId": task["taskId"], "inputResponses": {}})).await["error"].take();
            assert_eq!(error["code"], -32021, "{error}");
            assert_eq!(error["data"]["requiredCapabilities"]["extensions"][EXTENSION], json!({}));
        }
        for (tool, arguments) in [
            ("backfill_table", json!({"action": "status"})),
            ("backfill_table", json!({"action": "cancel"})),
            ("backfill_table", json!({"from": "hubspot", "restart": true})),
            ("backfill_table", json!({"from": "attio", "action": "status"})),
            ("backfill_table", json!({"table": "deals"})),
            ("backfill_table", json!({"begin": true})),
            ("query_leads", json!({})),
        ] {
            let result = call(&server, tool, arguments).await;
            assert_eq!((&result["resultType"], result.get("taskId")), (&json!("complete"), None), "{tool}: {result}");
        }
    }

    async fn who_shook_hands_has_no_tasks(t: Bench) {
        let place = Place::of(&application());
        let server = place.server(&t, "acme");
        server.legacy("2025-11-25").await;
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {"extensions": {EXTENSION: {}}}, "clientInfo": {"name": "test", "version": "1"}});
        let answer = server.result("initialize", hello).await;
        let extensions = &answer["capabilities"]["extensions"];
        assert_eq!((extensions.get(EXTENSION), extensions["io.modelcontextprotocol/skills"].is_object()), (None, true));
        let plain = server.result("tools/call", json!({"name": "backfill_table", "arguments": {}, "task": {"ttl": 60_000}})).await;
        assert_eq!((&plain["structuredContent"]["run"]["state"], plain.get("resultType")), (&json!("done"), None));
        let id = &plain["structuredContent"]["run"]["id"];
        for method in ["tasks/get", "tasks/cancel", "tasks/update", "tasks/result"] {
            assert_eq!(server.request(method, json!({"taskId": id, "inputResponses": {}})).await["error"]["code"], -32601);
        }
    }

    async fn a_server_without_the_tool_has_no_tasks(t: Bench) {
        let server = t.serve(&["--org", "acme"]);
        let found = server.result("server/discover", json!({})).await;
        assert_eq!(found["capabilities"]["extensions"].get(EXTENSION), None);
        assert_eq!(error(&server, "tasks/get", json!({"taskId": "x"})).await["code"], -32601);
    }

    async fn what_is_no_task_of_the_organization_is_not_found(t: Bench) {
        t.app.create_organization("globex", "Globex", chrono_tz::UTC).await.expect("an organization");
        let place = Place::of(&application());
        let (ours, theirs) = (place.server(&t, "acme"), place.server(&t, "globex"));
        let task = start(&ours, json!({})).await;
        let done = ended(&ours, &task).await;
        for id in [task["taskId"].clone(), json!("0190c9d0-0000-7000-8000-000000000001"), json!("42"), json!("")] {
            for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
                let error = error(&theirs, method, json!({"taskId": id, "inputResponses": {}})).await;
                assert_eq!((&error["code"], &error["message"]), (&json!(-32602), &json!("there is no task with this id")), "{method} {id}");
            }
        }
        assert_eq!(error(&ours, "tasks/get", json!({})).await["code"], -32602);
        assert_eq!(error(&ours, "tasks/update", json!({"taskId": task["taskId"]})).await["code"], -32602);
        // Nothing is asked, so nothing that is answered matters.
        let ack = ours.result("tasks/update", declared(json!({"taskId": task["taskId"], "inputResponses": {"name": {"action": "accept"}}}))).await;
        assert_eq!((&ack["resultType"], &ack["_meta"]["io.modelcontextprotocol/serverInfo"]["name"]), (&json!("complete"), &json!("opstables")));
        // What has ended is not stopped.
        assert_eq!(ours.result("tasks/cancel", declared(json!({"taskId": task["taskId"]}))).await["resultType"], "complete");
        assert_eq!(ended(&ours, &task).await, done);
    }

    async fn a_cancelled_task_stops_and_a_start_goes_on_with_it(t: Bench) {
        let place = Place::of(&many(MANY));
        let server = place.server(&t, "acme");
        let task = start(&server, json!({})).await;
        let ack = server.result("tasks/cancel", declared(json!({"taskId": task["taskId"]}))).await;
        assert_eq!(ack["resultType"], "complete");
        let stopped = ended(&server, &task).await;
        assert_eq!((&stopped["status"], stopped.get("result"), stopped.get("error")), (&json!("cancelled"), None, None));
        assert_eq!(server.ok("backfill_table", json!({"action": "status"})).await["run"]["state"], "cancelled");
        let again = start(&server, json!({})).await;
        assert_eq!((&again["taskId"], &again["createdAt"]), (&task["taskId"], &task["createdAt"]));
        assert_eq!(ended(&server, &again).await["result"]["structuredContent"]["run"]["state"], "done");
        assert_eq!(all(&t, "leads").await.len(), MANY as usize);
    }

    async fn a_task_outlives_its_process(t: Bench) {
        let place = Place::of(&many(MANY));
        let first = place.server(&t, "acme");
        let task = start(&first, json!({})).await;
        let (status, stderr) = first.close().await;
        assert!(status.success(), "{status}; stderr:\n{stderr}");
        let second = place.server(&t, "acme");
        assert_eq!(get(&second, &task).await["status"], "working");
        let again = start(&second, json!({})).await;
        assert_eq!(again["taskId"], task["taskId"]);
        let done = ended(&second, &task).await;
        assert_eq!(done["result"]["structuredContent"]["run"]["is_resumed"], true, "{done}");
        drop(second);
        let third = place.server(&t, "acme");
        assert_eq!(get(&third, &task).await, done);
        assert_eq!(all(&t, "leads").await.len(), MANY as usize);
        assert_eq!(count_of(&t, "backfills").await, "1");
    }

    async fn a_run_of_another_process_is_followed_and_stopped(t: Bench) {
        let t = Bench::process(&t.database_url, t.org, &Clock::System);
        let folder = TempDir::new().unwrap();
        let settings = Settings { batch: Some(5), ..many(200).to_folder(folder.path()) };
        let (moving, working) = running(&t, settings);
        moving.notified().await;
        let run = backfill::status(&host(&t)).await.unwrap().expect("a run");
        let server = t.serve(&["--toolsets", "core,admin", "--org", "acme"]);
        let task = json!({"taskId": run.id});
        let seen = get(&server, &task).await;
        assert_eq!(seen["status"], "working");
        assert!(seen["statusMessage"].as_str().is_some_and(|said| said.ends_with("of 6 tables are done")), "{seen}");
        server.result("tasks/cancel", declared(task.clone())).await;
        let error = working.await.unwrap().expect_err("a run that was stopped");
        assert_eq!(error.message, "the backfill was cancelled");
        assert_eq!(get(&server, &task).await["status"], "cancelled");
    }

    async fn a_run_that_failed_is_a_result_that_says_so(t: Bench) {
        let folder = TempDir::new().unwrap();
        let settings = application().to_folder(folder.path());
        let begun = backfill::begin(&host(&t), &settings, &[], false).await.unwrap();
        let task = json!({"taskId": begun.id()});
        change(&t, [Sql::new("alter table app_links rename to app_links_away")]).await;
        let error = begun.work().await.expect_err("a run without a table that it needs");
        change(&t, [Sql::new("alter table app_links_away rename to app_links")]).await;
        let server = t.serve(&["--toolsets", "core,admin", "--org", "acme"]);
        let ended = get(&server, &task).await;
        assert_eq!((&ended["status"], &ended["statusMessage"]), (&json!("completed"), &json!(error.message)));
        let result = &ended["result"];
        assert_eq!((&result["isError"], result.get("structuredContent")), (&json!(true), None));
        let text: Json = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, json!({"error": error}));
    }

    async fn a_run_whose_process_is_gone_does_not_work_for_ever(t: Bench) {
        // The bench's clock stands still long before the program's.
        let folder = TempDir::new().unwrap();
        let settings = Settings { batch: Some(5), ..many(200).to_folder(folder.path()) };
        let (moving, working) = running(&t, settings);
        moving.notified().await;
        working.abort();
        assert!(working.await.is_err_and(|gone| gone.is_cancelled()));
        let run = backfill::status(&host(&t)).await.unwrap().expect("a run");
        let server = t.serve(&["--toolsets", "core,admin", "--org", "acme"]);
        let task = json!({"taskId": run.id});
        let left = get(&server, &task).await;
        assert_eq!((&left["status"], &left["error"]["code"]), (&json!("failed"), &json!(-32603)));
        assert_eq!((left.get("result"), &left["statusMessage"]), (None, &left["error"]["message"]));
        assert_eq!(server.ok("backfill_table", json!({"action": "status"})).await["run"]["state"], "running");
        server.result("tasks/cancel", declared(task.clone())).await;
        assert_eq!(get(&server, &task).await["status"], "cancelled");
    }

    async fn what_cannot_start_is_refused_at_once(t: Bench) {
        let server = t.serve(&["--toolsets", "core,admin", "--org", "acme"]);
        let refused = call(&server, "backfill_table", json!({})).await;
        assert_eq!((&refused["resultType"], &refused["isError"]), (&json!("complete"), &json!(true)));
        assert!(refused["content"][0]["text"].as_str().is_some_and(|text| text.contains("OPSTABLES_APP_SOURCE")), "{refused}");
        assert_eq!(count_of(&t, "backfills").await, "0");
    }
}

/// A folder with the application's data.
struct Place {
    folder: TempDir,
}

impl Place {
    fn of(application: &Application) -> Place {
        let folder = TempDir::new().expect("a temporary folder");
        application.to_folder(folder.path());
        Place { folder }
    }

    /// The real program, for an organization.
    fn server(&self, t: &Bench, org: &str) -> McpProcess {
        let place = self.folder.path().display().to_string();
        McpProcess::start(
            &[("OPSTABLES_DATABASE_URL", &t.database_url), ("OPSTABLES_APP_SOURCE", &place)],
            &["--toolsets", "core,admin", "--org", org],
        )
    }
}

/// The parameters with the extension declared.
pub(super) fn declared(mut params: Json) -> Json {
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"extensions": {EXTENSION: {}}});
    params
}

pub(super) async fn call(server: &McpProcess, tool: &str, arguments: Json) -> Json {
    server.result("tools/call", declared(json!({"name": tool, "arguments": arguments}))).await
}

pub(super) async fn start(server: &McpProcess, arguments: Json) -> Json {
    let task = call(server, "backfill_table", arguments).await;
    assert_eq!(task["resultType"], "task", "{task}");
    task
}

pub(super) async fn get(server: &McpProcess, task: &Json) -> Json {
    server.result("tasks/get", declared(json!({"taskId": task["taskId"]}))).await
}

async fn error(server: &McpProcess, method: &str, params: Json) -> Json {
    server.request(method, declared(params)).await["error"].take()
}

/// What the task says when it no longer works.
pub(super) async fn ended(server: &McpProcess, task: &Json) -> Json {
    loop {
        let task = get(server, task).await;
        if task["status"] != "working" {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A run of this process, and what is told when some of it is stored.
fn running(
    t: &Bench,
    settings: Settings,
) -> (Arc<Notify>, tokio::task::JoinHandle<opstables::error::Result<backfill::Report>>) {
    let moving = Arc::new(Notify::new());
    let noted = Arc::clone(&moving);
    let host = Host {
        progress: Arc::new(move |done, _, _| {
            if done > 20 {
                noted.notify_one();
            }
        }),
        ..host(t)
    };
    (moving, tokio::spawn(async move { backfill::run(&host, &settings, &[], false).await }))
}
