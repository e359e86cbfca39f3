//! What Step 0 answers, checked against the declared tables.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::{Call, Operation, Router, Step};
use crate::tables::{Access, Catalog, CatalogColumn, CatalogOption, Kind, Place, Slot, catalog_as_declared};

/// A Monday.
fn now() -> DateTime<Utc> {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn router() -> Router {
    Router::new(Arc::new(catalog_as_declared()))
}

fn call(router: &Router, message: &str) -> Call {
    match router.route(message, now(), chrono_tz::UTC) {
        Step::Call(call) => *call,
        Step::Leave { reason } => panic!("{message}: {reason}"),
    }
}

fn leaves(router: &Router, message: &str) {
    if let Step::Call(call) = router.route(message, now(), chrono_tz::UTC) {
        panic!("{message}: {:?}", call.tool());
    }
}

/// The call's tool and arguments.
fn check(router: &Router, message: &str, tool: &str, arguments: &Json) {
    let (name, given) = call(router, message).tool();
    assert_eq!((name.as_str(), &given), (tool, arguments), "{message}");
}

/// Clients with columns that no part of the router knows.
fn with_custom_columns() -> Catalog {
    let mut catalog = catalog_as_declared();
    let clients = catalog.tables.iter_mut().find(|table| table.key() == "clients").unwrap();
    let column = |key: &str, label: &str, kind: Kind, options: &[&str]| CatalogColumn {
        key: key.to_owned(),
        label: label.to_owned(),
        kind,
        place: Place::Slot(Slot::parse("t20").unwrap()),
        about: "".into(),
        words: Vec::new(),
        options: options
            .iter()
            .map(|option| CatalogOption {
                value: (*option).to_owned(),
                label: (*option).to_owned(),
                color: "gray".to_owned(),
                words: Vec::new(),
            })
            .collect(),
        access: Access::Editable,
        custom: true,
        hidden: false,
        detail: false,
        searched: false,
    };
    clients.columns.push(column("region", "Region", Kind::Status, &["EMEA", "APAC", "Americas"]));
    clients.columns.push(column("tier", "Tier", Kind::Status, &["A", "B", "C"]));
    clients.columns.push(column("renewal_date", "Renewal Date", Kind::Day, &[]));
    clients.columns.push(column("account_manager", "Account Manager", Kind::Person, &[]));
    catalog
}

#[test]
fn words_of_own_columns_are_understood_at_once() {
    let router = Router::new(Arc::new(with_custom_columns()));
    check(
        &router,
        "tier A clients in EMEA renewing next quarter",
        "query_clients",
        &json!({"filters": [
            {"column": "tier", "op": "equals", "value": "A"},
            {"column": "region", "op": "equals", "value": "EMEA"},
            {"column": "renewal_date", "op": "between", "value": ["2026-04-01", "2026-06-30"]},
        ]}),
    );
    check(
        &router,
        "clients by region",
        "query_clients",
        &json!({"aggregate": {"fn": "count"}, "group_by": ["region"]}),
    );
    check(
        &router,
        "move Globex to tier B",
        "save_clients",
        &json!({"filters": [{"column": "company_name", "op": "contains", "value": "Globex"}], "set": {"tier": "B"}}),
    );
    check(
        &router,
        "Sofia's APAC accounts without a renewal date",
        "query_clients",
        &json!({"filters": [
            {"column": "owner", "op": "equals", "value": "Sofia"},
            {"column": "region", "op": "equals", "value": "APAC"},
            {"column": "renewal_date", "op": "is_empty"},
        ]}),
    );
    for message in [
        "EMEA clients this month",
        "how many tier B or C clients do we have in the Americas",
        "clients where account manager is Priya",
        "APAC clients with no account manager",
        "set the region of Lumio to EMEA",
        "clients in EMEA and APAC with renewal before June",
        "MRR by region",
        "clients up for renewal this quarter",
    ] {
        call(&router, message);
    }
}
