//! Looks at the database itself, behind the back of the tools.

use opstables::store::{Datum, Dialect, Field, Org, Sql, read_text};
use uuid::Uuid;

use crate::harness::Bench;

/// The organization that `tests/fixtures/organization_v0.sql` holds.
pub(crate) const OLD_ORGANIZATION: Org = Org(Uuid::from_u128(0x0190_d0a0_0000_7000_8000_0000_0000_0001));

/// The tables in which the product keeps data.
pub(crate) const KEPT: &[&str] = &[
    "ops_organizations",
    "ops_members",
    "dynamic_tables",
    "dynamic_table_columns",
    "dynamic_table_views",
    "dynamic_table_rows",
    "ops_changes",
    "ops_change_rows",
    "ops_idempotency",
    "ops_settings",
    "organization_context",
    "organization_skills",
    "ops_routed_messages",
    "crm_connections",
    "crm_links",
    "crm_aliases",
    "crm_ledger",
    "ops_sync_conflicts",
    "hubspot_sync_queue",
    "attio_sync_queue",
    "crm_hooks",
    "crm_inbox",
    "crm_refusals",
    "crm_changed_rows",
    "crm_erased",
    "crm_polls",
    "ops_derived",
    "app_links",
    "backfills",
    "backfill_tables",
];

/// Runs statements in one transaction.
pub(crate) async fn change(t: &Bench, statements: impl IntoIterator<Item = Sql>) {
    let mut tx = t.app.services.store.begin().await.expect("a transaction");
    for sql in statements {
        let text = sql.text().to_owned();
        if let Err(error) = tx.execute(sql).await {
            panic!("{error}: {:?}: {text}", error.cause());
        }
    }
    tx.commit().await.expect("a commit");
}

/// The result of a select as text, one line a row, with a bar between its columns.
pub(crate) async fn lines(t: &Bench, sql: &str, columns: usize) -> Vec<String> {
    let mut tx = t.app.services.store.read().await.expect("a connection");
    let rows = tx.fetch_fields(Sql::new(sql), &vec![Field::Text; columns]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{error}: {:?}: {sql}", error.cause()));
    let line = |row: &Vec<Datum>| {
        row.iter().map(|datum| read_text(datum).unwrap_or("null").to_owned()).collect::<Vec<_>>().join("|")
    };
    rows.iter().map(line).collect()
}

/// The columns of a table or view in their order, as `name|type`.
pub(crate) async fn columns_of(t: &Bench, table: &str) -> Vec<String> {
    let sql = match t.app.services.store.dialect() {
        Dialect::Sqlite => format!("select name, lower(type) from pragma_table_info('{table}') order by cid"),
        Dialect::Postgres => format!(
            "select cast(column_name as text), cast(data_type as text) from information_schema.columns
             where table_schema = current_schema() and table_name = '{table}' order by ordinal_position"
        ),
    };
    lines(t, &sql, 2).await
}

/// Everything in the table, one line a row, in a fixed order.
pub(crate) async fn dump(t: &Bench, table: &str) -> Vec<String> {
    let whole = match t.app.services.store.dialect() {
        Dialect::Postgres => "cast(t as text)".to_owned(),
        Dialect::Sqlite => {
            let columns = columns_of(t, table).await;
            let names = columns.iter().filter_map(|column| column.split('|').next());
            names.map(|name| format!("quote({name})")).collect::<Vec<_>>().join(" || '|' || ")
        }
    };
    lines(t, &format!("select {whole} from {table} t order by 1"), 1).await
}

/// What every organization's tables are made of.
pub(crate) async fn structure(t: &Bench) -> Vec<String> {
    let mut lines = dump(t, "dynamic_tables").await;
    lines.extend(dump(t, "dynamic_table_columns").await);
    lines.extend(dump(t, "dynamic_table_views").await);
    lines
}

/// How many rows each table has.
pub(crate) async fn counts(t: &Bench) -> Vec<String> {
    let counts: Vec<String> =
        KEPT.iter().map(|table| format!("select '{table}', cast(count(*) as text) from {table}")).collect();
    lines(t, &counts.join(" union all "), 2).await
}

/// Loads the organization of an older version.
pub(crate) async fn load_old_organization(t: &Bench) {
    let text = include_str!("../fixtures/organization_v0.sql");
    let text = text.replace("{org}", &format!("{{id:{}}}", OLD_ORGANIZATION.0));
    let spelled = spell(&text, t.app.services.store.dialect());
    let code = spelled.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let statements = code.split(";\n").map(str::trim).filter(|statement| !statement.is_empty());
    change(t, statements.map(Sql::new)).await;
}

/// The text with `{id:…}`, `{time:…}` and `{bytes:…}` as literals of the database.
fn spell(text: &str, dialect: Dialect) -> String {
    let mut spelled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["{id:", "{time:", "{bytes:"].iter().filter_map(|token| rest.find(token)).min() {
        let (before, token) = rest.split_at(at);
        let (token, after) = token[1..].split_once('}').expect("a closed token");
        let (kind, value) = token.split_once(':').expect("a token with a value");
        spelled += before;
        let literal = match (dialect, kind) {
            (Dialect::Sqlite, "time") => format!("'{}'", value.replace('Z', "+00:00")),
            (Dialect::Sqlite, _) => format!("x'{}'", value.replace('-', "")),
            (Dialect::Postgres, "bytes") => format!("'\\x{value}'"),
            (Dialect::Postgres, _) => format!("'{value}'"),
        };
        spelled += &literal;
        rest = after;
    }
    spelled + rest
}
