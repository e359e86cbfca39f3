//! The one integration binary: every module below drives the crate or the real program from outside.

#![expect(clippy::unwrap_used, reason = "a test says that something must be so by failing when it is not")]

mod backfill;
mod bad_calls;
mod canary;
mod cancellation;
mod cli;
mod client;
mod concurrency;
mod connections;
mod contracts;
mod convergence;
mod crm;
mod crm_clients;
mod database;
mod declarations;
mod delivery;
mod derived;
mod durability;
mod harness;
mod history;
mod imports;
mod inbound;
mod kills;
mod layers;
mod merge_laws;
mod own_columns;
mod provisioning;
mod queries;
mod receiver;
mod reconcile;
mod route;
mod route_commands;
mod saves;
mod schedules;
mod skills;
mod skills_commands;
mod skills_served;
mod source;
mod stdio;
mod store;
mod sync_commands;
mod sync_connect;
mod sync_tools;
mod throttling;
mod tidy;
mod webhook_clients;
mod webhook_commands;
mod webhook_deliveries;
mod webhook_registration;
mod webhooks;

#[test]
fn no_forgotten_test_files() {
    let listed = include_str!("main.rs");
    let folder = source::root().join("tests/it");
    for entry in std::fs::read_dir(folder).expect("the folder of this file") {
        let name = entry.expect("a readable entry").file_name().into_string().expect("a plain name");
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        let is_module = module != "main" && (module != name || source::is_module_folder(&name));
        assert!(
            !is_module || listed.contains(&format!("\nmod {module};")),
            "tests/it/{name} never runs: main.rs has no `mod {module};`"
        );
    }
}
