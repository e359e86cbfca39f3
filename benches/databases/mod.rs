//! The databases that the benches run on: a file of SQLite, and one of their own on the server that
//! `OPSTABLES_TEST_POSTGRES` names.

#![expect(clippy::print_stdout, reason = "a bench says what it leaves out")]

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A new database of each kind, with what people call it and its URL. `name` is that of the one on the server.
pub async fn both(folder: &Path, name: &str) -> Vec<(&'static str, String)> {
    let databases = kept(folder, name);
    if let Some(server) = server() {
        anew(&server, name).await;
    }
    databases
}

/// The databases as they are.
pub fn kept(folder: &Path, name: &str) -> Vec<(&'static str, String)> {
    let mut databases = vec![("SQLite", format!("sqlite://{}", folder.join("bench.db").display()))];
    match server() {
        Some(server) => databases.push(("PostgreSQL", url(&server, name))),
        None => println!("PostgreSQL: OPSTABLES_TEST_POSTGRES names no server"),
    }
    databases
}

/// The server that benches may make databases on, if one is named.
pub fn server() -> Option<String> {
    std::env::var("OPSTABLES_TEST_POSTGRES").ok()
}

/// Makes the database anew on the server; its URL.
pub async fn anew(server: &str, name: &str) -> String {
    remove(server, name).await;
    command(server, &format!("create database {name}")).await;
    url(server, name)
}

/// The URL of a database on the server.
fn url(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).expect("a URL");
    url.set_path(name);
    url.to_string()
}

pub async fn remove(server: &str, name: &str) {
    command(server, &format!("drop database if exists {name} with (force)")).await;
}

async fn command(server: &str, sql: &str) {
    let mut connection = PgConnection::connect(server).await.expect("the server");
    connection.execute(AssertSqlSafe(sql.to_owned())).await.expect("a user who may create databases");
}
