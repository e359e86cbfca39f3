//! Sixteen programs at work on one database: no write is lost, none waits for ever, and one that is killed
//! leaves nothing half-done.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::McpProcess;
use crate::harness::{Bench, in_new_postgres, in_new_sqlite, on_both};
use crate::history;

const CLIENTS: usize = 16;

type Client = Arc<McpProcess>;

/// Programs that have opened the database.
async fn clients(t: &Bench) -> Vec<Client> {
    let clients: Vec<Client> = (0..CLIENTS).map(|_| Arc::new(t.serve(&[]))).collect();
    each(&clients, async |_, client| client.ok("query_leads", json!({"limit": 1})).await).await;
    clients
}

/// Lets all clients work at once; what each of them came to, in their order.
async fn each<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    clients: &[Client],
    work: impl Fn(usize, Client) -> F,
) -> Vec<T> {
    let mut at_work = JoinSet::new();
    for (i, client) in clients.iter().enumerate() {
        let work = work(i, Arc::clone(client));
        at_work.spawn(async move { (i, work.await) });
    }
    let mut done = at_work.join_all().await;
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The same numbers in every run, different for each client.
fn dice(client: usize) -> impl FnMut(usize) -> usize {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(client as u64 + 1);
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % sides
    }
}

/// The structured content of a call that is done or meets a conflict; nothing else may come of it.
async fn done_or_conflict(client: &McpProcess, tool: &str, arguments: Json) -> Option<Json> {
    done_or_refused(client, tool, arguments, "conflict").await
}

async fn done_or_refused(client: &McpProcess, tool: &str, arguments: Json, code: &str) -> Option<Json> {
    let result = client.call(tool, arguments.clone()).await;
    if result["isError"] != true {
        return Some(result["structuredContent"].clone());
    }
    let text = result["content"][0]["text"].to_string();
    assert!(text.contains(code), "{tool} {arguments}: {text}");
    None
}

async fn deal_value(client: &McpProcess, id: &str) -> f64 {
    let found = client.ok("query_clients", json!({"ids": [id], "fields": ["deal_value"]})).await;
    let place = found["columns"].as_array().expect("columns").iter().position(|name| name == "deal_value");
    found["rows"][0][place.expect("the column")].as_f64().expect("a number")
}

/// Adds one to a row's value, as often as it takes until nobody else did in between.
async fn increment(client: &McpProcess, id: &str) {
    loop {
        let known = deal_value(client, id).await;
        let save =
            json!({"rows": [{"id": id, "deal_value": known + 1.0}], "expected": {"deal_value": known}});
        if done_or_conflict(client, "save_clients", save).await.is_some() {
            return;
        }
    }
}

/// Reads all leads, three at a time.
async fn page_through(client: &McpProcess) {
    let mut call = json!({"limit": 3, "sort": [{"column": "source"}], "fields": ["source"]});
    loop {
        let page = client.ok("query_leads", call.clone()).await;
        match page.get("next_cursor") {
            Some(cursor) => call["cursor"] = cursor.clone(),
            None => return,
        }
    }
}

/// One of the ways to write the shared leads: each says so itself, and none may touch half of its rows.
async fn write_somehow(
    client: &McpProcess,
    i: usize,
    roll: &mut impl FnMut(usize) -> usize,
    ids: &[String],
) -> Option<Json> {
    let source = json!(format!("client {i}, {}", roll(1_000_000)));
    let three = [roll(ids.len()), roll(ids.len()), roll(ids.len())];
    match roll(7) {
        0 | 1 => {
            let rows: Vec<Json> =
                three.iter().map(|&row| json!({"id": ids[row], "source": source})).collect();
            done_or_conflict(client, "save_leads", json!({"rows": rows})).await
        }
        2 => {
            let emails = three
                .iter()
                .map(|row| json!({"contact_email": format!("shared{row}@x.io"), "source": source}));
            let call = json!({"match_on": "contact_email", "rows": emails.collect::<Vec<_>>()});
            done_or_conflict(client, "save_leads", call).await
        }
        3 => {
            let mut status = || ["new", "ready", "prepping"][roll(3)];
            let (from, to) = (status(), status());
            let filters = json!([{"column": "status", "op": "equals", "value": from}, {"column": "priority", "op": "is_empty"}]);
            let set = json!({"source": source, "status": to});
            done_or_conflict(client, "save_leads", json!({"filters": filters, "set": set})).await
        }
        4 => {
            let ids: HashSet<&String> = three.iter().map(|&row| &ids[row]).collect();
            let call = json!({"table": "leads", "ids": ids, "restore": roll(2) == 0});
            done_or_conflict(client, "archive_rows", call).await
        }
        5 => {
            page_through(client).await;
            None
        }
        _ => {
            let rows = json!([{"id": ids[three[0]], "tags": [format!("tag {i}")], "meeting_title": source}]);
            let saved = done_or_conflict(client, "save_leads", json!({"rows": rows})).await?;
            let change_id = saved.get("change_id").filter(|id| id.is_string())?;
            done_or_conflict(client, "undo_change", json!({"change_id": change_id})).await
        }
    }
}

on_both! {
    async fn no_increment_of_sixteen_clients_is_lost(t: Bench) {
        let saved = t.ok("save_clients", json!({"rows": (0..3).map(|i| json!({"company_name": format!("Counter {i}"), "deal_value": 0})).collect::<Vec<_>>()})).await;
        let ids: Vec<String> = serde_json::from_value(saved["created"].clone()).expect("ids");
        let clients = clients(&t).await;
        let counters = ids.clone();
        each(&clients, move |i, client| {
            let id = counters[i % 3].clone();
            async move {
                for _ in 0..5 {
                    increment(&client, &id).await;
                }
            }
        }).await;
        let counted = t.ok("query_clients", json!({"aggregate": {"fn": "sum", "column": "deal_value"}})).await;
        assert_eq!(counted["rows"], json!([[80]]));
        history::check(&t).await;
    }

    async fn sixteen_clients_write_the_same_rows_and_the_log_tells_all_of_it(t: Bench) {
        let rows: Vec<Json> = (0..8).map(|i| json!({"contact_name": format!("Lead {i}"), "status": "new"})).collect();
        let saved = t.ok("save_leads", json!({"rows": rows})).await;
        let ids: Vec<String> = serde_json::from_value(saved["created"].clone()).expect("ids");
        let clients = clients(&t).await;
        let acknowledged = each(&clients, move |i, client| {
            let ids = ids.clone();
            async move {
                let (mut roll, mut changes) = (dice(i), Vec::new());
                for _ in 0..12 {
                    let written = write_somehow(&client, i, &mut roll, &ids).await;
                    changes.extend(written.and_then(|written| Some(written.get("change_id")?.as_str()?.to_owned())));
                }
                changes
            }
        }).await;
        history::check(&t).await;
        let acknowledged: Vec<String> = acknowledged.into_iter().flatten().collect();
        // How many calls meet a conflict depends on the machine; several changes of each client must be there to be looked for.
        assert!(acknowledged.len() > CLIENTS * 2, "only {} changes were made", acknowledged.len());
        for change in acknowledged {
            let known = t.call("undo_change", json!({"change_id": change, "dry_run": true})).await;
            assert!(!known.is_err_and(|error| error.to_string().contains("no change")), "{change} is not in the log");
        }
        let emails = t.ok("query_leads", json!({"group_by": ["contact_email"], "aggregate": {"fn": "count"}, "filters": [{"column": "contact_email", "op": "is_not_empty"}]})).await;
        for group in emails["rows"].as_array().expect("groups") {
            assert_eq!(group[1], 1, "two rows for one key: {group}");
        }
    }

    async fn an_upsert_of_sixteen_clients_makes_one_row_for_each_key(t: Bench) {
        let clients = clients(&t).await;
        each(&clients, async |i, client| {
            for round in 0..3 {
                // Each begins at another key, so that they meet in every order.
                let rows: Vec<Json> = (0..6).map(|n| json!({"domain": format!("d{}-{round}.com", (n + i) % 6), "name": format!("From {i}")})).collect();
                client.ok("save_companies", json!({"match_on": "domain", "rows": rows})).await;
            }
        }).await;
        assert_eq!(t.ok("query_companies", json!({"limit": 1})).await["total"], 18);
        history::check(&t).await;
    }

    async fn of_sixteen_that_claim_a_row_by_filter_one_gets_it(t: Bench) {
        let clients = clients(&t).await;
        for round in 0..6 {
            let id = t.create("leads", json!({"contact_name": "Claimed", "status": "new", "meeting_title": format!("round {round}")})).await;
            let claims = each(&clients, move |i, client| async move {
                let filters = json!([{"column": "status", "op": "equals", "value": "new"}, {"column": "meeting_title", "op": "equals", "value": format!("round {round}")}]);
                client.ok("save_leads", json!({"filters": filters, "set": {"status": "ready", "source": format!("client {i}")}})).await
            }).await;
            let winners: Vec<usize> = (0..CLIENTS).filter(|&i| claims[i]["change_id"].is_string()).collect();
            let row = &t.rows("query_leads", json!({"ids": [id], "fields": ["source"]})).await[0];
            assert_eq!(winners.len(), 1, "all of {winners:?} were told that they have it");
            assert_eq!(row["source"], format!("client {}", winners[0]));
        }
    }

    async fn a_call_that_sixteen_clients_repeat_is_done_once(t: Bench) {
        let clients = clients(&t).await;
        for round in 0..5 {
            let results = each(&clients, move |_, client| async move {
                client.ok("save_leads", json!({"rows": [{"contact_name": "Once"}], "idempotency_key": format!("key {round}")})).await
            }).await;
            let created: HashSet<String> = results.iter().map(|result| result["created"].to_string()).collect();
            assert_eq!(created.len(), 1, "{created:?}");
        }
        assert_eq!(t.ok("query_leads", json!({"limit": 1})).await["total"], 5);
    }

    async fn figures_are_right_after_sixteen_clients_changed_what_they_come_from(t: Bench) {
        let saved = t.ok("save_companies", json!({"rows": [{"name": "Globex"}, {"name": "Initech"}, {"name": "Umbrella"}]})).await;
        let companies: Vec<String> = serde_json::from_value(saved["created"].clone()).expect("ids");
        let clients = clients(&t).await;
        each(&clients, move |i, client| {
            let companies = companies.clone();
            async move {
                let (mut roll, names) = (dice(i), ["Globex", "initech", "UMBRELLA", "Nowhere"]);
                for round in 0..6 {
                    let contacts: Vec<Json> = (0..3).map(|_| json!({"first_name": format!("From {i}"), "company_name": names[roll(4)]})).collect();
                    let saved = client.ok("save_contacts", json!({"rows": contacts})).await;
                    client.ok("save_contacts", json!({"rows": [{"id": saved["created"][0], "company_name": names[roll(4)]}]})).await;
                    if round % 2 == 0 {
                        client.ok("archive_rows", json!({"table": "contacts", "ids": [saved["created"][1]]})).await;
                    }
                    if i % 4 == 0 {
                        // Two companies may have one name for a while: both then have its contacts.
                        let (one, other) = (roll(3), roll(3));
                        let rows = json!([{"id": companies[one], "name": names[roll(3)]}, {"id": companies[other], "name": names[roll(3)]}]);
                        client.ok("save_companies", json!({"rows": rows})).await;
                    }
                }
            }
        }).await;
        let contacts = t.ok("query_contacts", json!({"group_by": ["company_name"], "aggregate": {"fn": "count"}})).await;
        let mut counts = std::collections::HashMap::<String, i64>::new();
        for group in contacts["rows"].as_array().expect("groups") {
            let name = group[0].as_str().unwrap_or_default().to_lowercase();
            *counts.entry(name).or_default() += group[1].as_i64().expect("a count");
        }
        for row in t.rows("query_companies", json!({"fields": ["name", "active_contacts_count"]})).await {
            let name = row["name"].as_str().expect("a name").to_lowercase();
            assert_eq!(row["active_contacts_count"], json!(counts.get(&name).copied().unwrap_or(0)), "{name} of {counts:?}");
        }
        history::check(&t).await;
    }

    async fn writes_and_changes_of_the_structure_do_not_wait_for_each_other_for_ever(t: Bench) {
        let admins: Vec<Client> = (0..CLIENTS).map(|_| Arc::new(t.serve(&["--toolsets", "core,admin"]))).collect();
        each(&admins, async |i, client| {
            for round in 0..3 {
                if i % 4 == 0 {
                    let (table, key) = (["companies", "leads"][i / 4 % 2], format!("own_{i}_{round}"));
                    let column = |action: &str| json!({"action": action, "table": table, "key": key, "label": key});
                    let mut add = column("add");
                    add["type"] = json!("text");
                    client.ok("manage_columns", add).await;
                    let row = json!({"name": key, "contact_name": key, key.clone(): "x"});
                    done_or_refused(&client, &format!("save_{table}"), json!({"rows": [row]}), "invalid").await;
                    let delete = json!({"action": "delete", "table": table, "key": key});
                    client.ok("manage_columns", delete).await;
                } else if i % 4 == 1 {
                    client.ok("manage_tables", json!({"action": "provision"})).await;
                    client.ok("manage_columns", json!({"action": "update", "table": "companies", "key": "name", "label": format!("Name {i} {round}")})).await;
                } else if i % 4 == 2 {
                    let rows: Vec<Json> = (0..5).map(|n| json!({"name": format!("Company {}", (n + i) % 5), "industry": format!("{i}")})).collect();
                    client.ok("save_companies", json!({"match_on": "name", "rows": rows})).await;
                } else {
                    client.ok("save_contacts", json!({"rows": [{"first_name": "A", "company_name": format!("Company {}", i % 5)}]})).await;
                }
            }
        }).await;
        history::check(&t).await;
    }

    async fn a_query_follows_what_another_process_did_to_the_table(t: Bench) {
        let other = t.another_process();
        t.ok("save_companies", json!({"rows": [{"name": "Globex"}]})).await;
        let nobody = json!({"filters": [{"column": "name", "op": "equals", "value": "Nobody"}]});
        for (round, arguments) in [json!({}), nobody].into_iter().enumerate() {
            // The second time everything is at hand.
            t.ok("query_companies", arguments.clone()).await;
            let before = t.ok("query_companies", arguments.clone()).await;
            let key = format!("own_{round}");
            other.ok("manage_columns", json!({"action": "add", "table": "companies", "key": key, "label": key, "type": "text"})).await;
            let after = t.ok("query_companies", arguments).await;
            let count = |found: &Json| found["columns"].as_array().expect("columns").len();
            assert_eq!(count(&after), count(&before) + 1, "{after}");
            assert_eq!(after["total"], before["total"]);
        }
    }

    async fn a_client_killed_in_the_middle_leaves_nothing_half_written(t: Bench) {
        let rows: Vec<Json> = (0..200).map(|i| json!({"contact_email": format!("lead{i}@x.io"), "status": "new"})).collect();
        let others: Vec<Json> = (0..200).map(|i| json!({"contact_name": format!("Lead {i}"), "status": "new"})).collect();
        for i in 0..8_u64 {
            let victim = t.serve(&[]);
            victim.ok("query_leads", json!({"limit": 1})).await;
            let work = async {
                victim.ok("save_leads", json!({"rows": rows, "match_on": "contact_email"})).await;
                victim.ok("save_leads", json!({"rows": others})).await;
            };
            drop(timeout(Duration::from_millis(20 + 40 * i), work).await);
            drop(victim);
        }
        // Nothing the dead have held is in the way of the living.
        t.ok("save_leads", json!({"rows": rows, "match_on": "contact_email"})).await;
        sleep(Duration::from_millis(100)).await;
        let whole = history::check(&t).await;
        assert_eq!(whole % 200, 0, "{whole} rows");
    }
}

/// Programs that all find an empty database.
async fn open_at_once(url: String) {
    let start = || Arc::new(McpProcess::start(&[("OPSTABLES_DATABASE_URL", &url)], &[]));
    let clients: Vec<Client> = (0..CLIENTS).map(|_| start()).collect();
    let results = each(&clients, async |i, client| {
        client.ok("save_leads", json!({"rows": [{"contact_name": format!("Lead {i}")}]})).await;
        client.ok("describe_tables", json!({})).await
    })
    .await;
    for described in results {
        assert_eq!(described["tables"].as_array().expect("tables").len(), 5);
    }
    assert_eq!(clients[0].ok("query_leads", json!({"limit": 1})).await["total"], 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_programs_make_one_database_out_of_a_missing_file() {
    in_new_sqlite(open_at_once).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_programs_make_one_schema_in_an_empty_database() {
    in_new_postgres("sixteen_programs_make_one_schema", open_at_once).await;
}
