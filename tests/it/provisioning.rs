//! An organization gets its five tables, keeps what it makes of them, and grows with newer versions.

use opstables::app::{App, Options};
use opstables::clock::Clock;
use opstables::error::{Code, Error};
use opstables::records::Actor;
use opstables::store::{Org, OrganizationRow, Sql, organizations};
use opstables::tools::describe;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::database::{self, OLD_ORGANIZATION, change, columns_of, lines, load_old_organization, structure};
use crate::harness::{Bench, in_new_postgres, in_new_sqlite, on_both};

const TABLES: [&str; 5] = ["leads", "meetings", "contacts", "companies", "clients"];

/// The columns as the catalog lists them.
const COLUMNS: [(&str, &str); 5] = [
    (
        "leads",
        "contact_name contact_email domain meeting_title meeting_start source status priority owner meeting_held \
         meeting_recording_url meeting_outcome created_at tags",
    ),
    (
        "meetings",
        "title meeting_date duration_minutes contact_name contact_email contact_company sentiment summary \
         next_actions owner recording_url transcript lead_source tags",
    ),
    (
        "contacts",
        "crm_id first_name last_name email company_name title phone linkedin_url last_engagement lifecycle_stage \
         recent_signals sync_status tags",
    ),
    (
        "companies",
        "crm_id name domain website industry company_size phone linkedin_url description revenue \
         active_contacts_count last_contact_date tags",
    ),
    (
        "clients",
        "company_name contact_name contact_email deal_name deal_value status subscription_start owner lead_source \
         created_at tags",
    ),
];

/// An organization that nobody has used yet: its line, and nothing else.
async fn unused_organization(app: &App, slug: &str) -> Org {
    let id = Uuid::new_v4();
    let row = OrganizationRow {
        id,
        slug: slug.to_owned(),
        name: slug.to_owned(),
        timezone: "UTC".to_owned(),
        version: 1,
        signing_key: vec![7; 32],
        created_at: app.services.clock.now(),
    };
    let mut tx = app.services.store.begin().await.unwrap();
    assert!(organizations::insert(&mut tx, &row).await.unwrap());
    tx.commit().await.unwrap();
    Org(id)
}

/// The keys of a table's columns in their order.
pub(crate) async fn keys(t: &Bench, table: &str) -> String {
    let described = t.ok("describe_tables", json!({"tables": [table]})).await;
    let columns = described["tables"][0]["columns"].as_array().unwrap().clone();
    columns.iter().filter_map(|column| column["key"].as_str()).collect::<Vec<_>>().join(" ")
}

/// What is told of a column; null when there is none.
pub(crate) async fn column(t: &Bench, table: &str, key: &str) -> Json {
    let described = t.ok("describe_tables", json!({"tables": [table], "verbose": true})).await;
    let columns = described["tables"][0]["columns"].as_array().unwrap().clone();
    columns.into_iter().find(|column| column["key"] == key).unwrap_or_default()
}

on_both! {
    async fn the_first_use_of_an_organization_provisions_it(t: Bench) {
        let reader = t.within(unused_organization(&t.app, "reader").await);
        let described = reader.ok("describe_tables", json!({})).await;
        assert_eq!(described["tables"].as_array().unwrap().len(), 5);
        let writer = t.within(unused_organization(&t.app, "writer").await);
        writer.ok("save_clients", json!({"rows": [{"company_name": "Globex"}]})).await;
        assert_eq!(writer.rows("query_clients", json!({})).await.len(), 1);
        assert!(reader.rows("query_clients", json!({})).await.is_empty(), "organizations see their own rows only");
    }

    async fn the_tables_have_the_columns_of_the_catalog(t: Bench) {
        for (table, expected) in COLUMNS {
            assert_eq!(keys(&t, table).await, expected.split_whitespace().collect::<Vec<_>>().join(" "), "{table}");
        }
    }

    async fn provisioning_again_changes_nothing(t: Bench) {
        let before = structure(&t).await;
        for call in [json!({"action": "provision"}), json!({"action": "provision", "table": "leads"})] {
            t.ok("manage_tables", call).await;
            assert_eq!(structure(&t).await, before);
        }
        let done = t.ok("manage_tables", json!({"action": "provision"})).await;
        assert!(done["gallery"].as_array().unwrap().iter().all(|table| table["done"] == "unchanged"), "{done}");
        t.another_process().ok("describe_tables", json!({})).await;
        assert_eq!(structure(&t).await, before);
    }

    async fn a_table_lost_from_the_database_is_made_again_around_its_rows(t: Bench) {
        let own = json!({"action": "add", "table": "leads", "label": "Region", "type": "text"});
        t.ok("manage_columns", own).await;
        t.create("leads", json!({"contact_name": "Dana", "region": "EMEA", "status": "ready"})).await;
        change(&t, [Sql::new("delete from dynamic_tables where key = 'leads'")]).await;
        let fresh = t.another_process();
        let rows = fresh.rows("query_leads", json!({})).await;
        assert_eq!((&rows[0]["contact_name"], &rows[0]["status"]), (&json!("Dana"), &json!("ready")));
        assert_eq!(keys(&fresh, "leads").await, COLUMNS[0].1.split_whitespace().collect::<Vec<_>>().join(" "));
        let other = json!({"action": "add", "table": "leads", "label": "Nickname", "type": "text"});
        fresh.ok("manage_columns", other).await;
        let rows = fresh.rows("query_leads", json!({"fields": ["nickname"]})).await;
        assert_eq!(rows[0]["nickname"], Json::Null, "a lost column's values must not turn up in a new one");
    }

    async fn a_deleted_table_says_how_it_comes_back_and_comes_back_with_its_rows(t: Bench) {
        let id = t.create("clients", json!({"company_name": "Globex"})).await;
        let call = json!({"action": "delete", "table": "clients"});
        let preview = t.ok("manage_tables", call).await;
        assert_eq!(preview["status"], "needs_confirmation");
        assert!(preview["effect"].as_str().unwrap().contains("1 row"), "{preview}");
        t.ok("manage_tables", json!({"action": "delete", "table": "clients", "confirm": preview["confirm"]})).await;
        for (tool, arguments) in [
            ("query_clients", json!({})),
            ("save_clients", json!({"rows": [{"id": id, "status": "active"}]})),
            ("archive_rows", json!({"table": "clients", "ids": [id]})),
            ("describe_tables", json!({"tables": ["clients"]})),
            ("manage_columns", json!({"action": "add", "table": "clients", "label": "Region", "type": "text"})),
            ("manage_tables", json!({"action": "delete", "table": "clients"})),
        ] {
            let error = t.refused(tool, arguments).await;
            assert_eq!(error.code, Code::NotFound, "{tool}: {error}");
            assert!(error.to_string().contains("provision"), "{tool}: {error}");
        }
        t.ok("manage_tables", json!({"action": "provision"})).await;
        assert_eq!(t.refused("query_clients", json!({})).await.code, Code::NotFound, "a deletion is a decision");
        let described = t.another_process().ok("describe_tables", json!({})).await;
        assert_eq!(described["tables"].as_array().unwrap().len(), 4);
        let back = t.ok("manage_tables", json!({"action": "provision", "table": "clients"})).await;
        let clients = back["gallery"].as_array().unwrap().iter().find(|table| table["table"] == "clients").unwrap();
        assert_eq!((&clients["done"], &clients["state"], &clients["rows"]), (&json!("restored"), &json!("live"), &json!(1)));
        assert_eq!(t.rows("query_clients", json!({})).await[0]["id"], id);
    }

    async fn a_newer_version_leaves_what_the_organization_has_edited(t: Bench) {
        for edit in [
            json!({"action": "update", "table": "leads", "key": "contact_name", "label": "Booker", "about": "Who booked"}),
            json!({"action": "update", "table": "leads", "key": "source", "hidden": true}),
            json!({"action": "update", "table": "leads", "key": "owner", "position": 0}),
            json!({"action": "add", "table": "leads", "label": "Region", "type": "text"}),
        ] {
            t.ok("manage_columns", edit).await;
        }
        t.ok("manage_tables", json!({"action": "relabel", "table": "leads", "label": "Bookings"})).await;
        let edited = structure(&t).await;
        change(&t, [
            Sql::new("update dynamic_tables set template = 'old' where key = 'leads'"),
            Sql::new("update dynamic_table_columns set about = 'old', label = 'Old' where table_key = 'leads' and not is_edited and is_system"),
            Sql::new("update dynamic_table_columns set options = '[]' where table_key = 'leads' and is_system"),
            Sql::new("update dynamic_table_views set label = 'Old' where table_key = 'leads'"),
        ]).await;
        let described = t.another_process().ok("describe_tables", json!({"tables": ["leads"], "verbose": true})).await;
        assert_eq!(described["tables"][0]["label"], "Bookings");
        assert_eq!(structure(&t).await, edited, "what was edited stays, what was not follows the declaration");
        let columns = described["tables"][0]["columns"].as_array().unwrap();
        assert_eq!(columns[0]["key"], "owner");
        assert_eq!(columns.iter().find(|column| column["key"] == "source").unwrap()["hidden"], true);
        let status = columns.iter().find(|column| column["key"] == "status").unwrap();
        assert_eq!(status["options"].as_array().unwrap().len(), 6, "locked options follow in moved columns too");
    }

    async fn the_gallery_says_what_each_template_brings(t: Bench) {
        let listed = t.ok("manage_tables", json!({"action": "gallery"})).await;
        let facts = |table: &Json| {
            let text = |key: &str| table[key].as_str().unwrap_or_default().to_owned();
            let number = |key: &str| table[key].as_u64().unwrap_or(u64::MAX);
            (text("table"), text("label"), text("icon"), [number("columns"), number("views"), number("automations")])
        };
        let listed: Vec<_> = listed["gallery"].as_array().unwrap().iter().map(facts).collect();
        let expected = [
            ("leads", "Leads", "zap", [13, 4, 3]),
            ("meetings", "Meetings", "calendar", [13, 3, 2]),
            ("contacts", "All Contacts", "users", [12, 3, 2]),
            ("companies", "All Companies", "building", [12, 3, 2]),
            ("clients", "Clients", "briefcase", [10, 3, 0]),
        ];
        assert_eq!(listed, expected.map(|(table, label, icon, counts)| (table.to_owned(), label.to_owned(), icon.to_owned(), counts)));
    }

    async fn an_organization_of_an_older_version_gains_what_is_new(t: Bench) {
        load_old_organization(&t).await;
        let old = t.within(OLD_ORGANIZATION);
        let described = old.ok("describe_tables", json!({"verbose": true})).await;
        let tables = described["tables"].as_array().unwrap();
        assert_eq!(tables.iter().map(|table| table["table"].as_str().unwrap()).collect::<Vec<_>>(), TABLES);
        assert_eq!(tables.iter().map(|table| table["rows"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 1, 1, 1, 0]);
        for (table, expected) in COLUMNS.into_iter().skip(1) {
            assert_eq!(keys(&old, table).await, expected.split_whitespace().collect::<Vec<_>>().join(" "), "{table}");
        }
        assert!(keys(&old, "leads").await.ends_with("meeting_recording_url meeting_outcome created_at region seats tags"));
        let views = lines(&old, "select v.table_key, v.key, v.label from dynamic_table_views v join ops_organizations o on o.id = v.org_id \
                                 where o.slug = 'oldco' order by v.table_key, v.position, v.key", 3).await;
        assert_eq!(views.len(), 17, "the sixteen declared ones and an own one: {views:?}");
        let status = column(&old, "leads", "status").await;
        assert_eq!((&status["label"], status["options"].as_array().unwrap().len()), (&json!("Stage"), 6));
        assert_ne!(column(&old, "leads", "domain").await["about"], "An older sentence about it");
        old.ok("save_leads", json!({"rows": [{"id": lead(1), "status": "cancelled", "meeting_outcome": "no_show"}]})).await;
        old.ok("save_clients", json!({"rows": [{"company_name": "Altwerk", "owner": "Bo Dahl"}]})).await;
        let new = old.rows("query_leads", json!({"ids": [old.create("leads", json!({"contact_name": "New"})).await]})).await;
        assert_eq!(new[0]["created_at"], "2026-03-02T10:00:00Z");
        let settled = structure(&old).await;
        old.ok("manage_tables", json!({"action": "provision"})).await;
        assert_eq!(structure(&old).await, settled);
    }

    async fn an_organization_of_an_older_version_keeps_its_own(t: Bench) {
        load_old_organization(&t).await;
        let rows_before = database::dump(&t, "dynamic_table_rows").await;
        let old = t.within(OLD_ORGANIZATION);
        let fields = json!(["contact_name", "contact_email", "domain", "status", "priority", "owner", "meeting_start", "region", "seats", "tags", "meeting_held", "created_at"]);
        let rows = old.rows("query_leads", json!({"fields": fields, "sort": [{"column": "seats", "dir": "desc"}]})).await;
        assert_eq!(json!(rows), json!([
            {"id": lead(1), "contact_name": "Jörg Müller", "contact_email": "jorg@altwerk.de", "domain": "altwerk.de", "status": "ready",
             "priority": "urgent", "owner": "Ann Berg", "meeting_start": "2025-06-10T07:30:00Z", "region": "Europe", "seats": 25,
             "tags": ["vip"], "meeting_held": "Met", "created_at": null},
            {"id": lead(2), "contact_name": "Kim Lee", "contact_email": "kim@seoul.io", "domain": null, "status": "new",
             "priority": "low", "owner": null, "meeting_start": null, "region": "Asia", "seats": 7.5,
             "tags": null, "meeting_held": null, "created_at": null},
        ]));
        assert_eq!(database::dump(&t, "dynamic_table_rows").await, rows_before, "no row is touched");
        let contact = &old.rows("query_contacts", json!({"fields": ["first_name", "recent_signals", "last_engagement"]})).await[0];
        assert_eq!((&contact["first_name"], &contact["recent_signals"]), (&json!("Jörg"), &json!(["asked for a quote", "opened mail"])));
        assert_eq!(old.rows("query_companies", json!({})).await[0]["active_contacts_count"], 1);
        let described = old.ok("describe_tables", json!({"verbose": true})).await;
        assert_eq!(described["tables"][2]["label"], "People");
        assert_eq!(column(&old, "leads", "contact_name").await["label"], "Person");
        assert_eq!(column(&old, "leads", "source").await["hidden"], true);
        assert_eq!(column(&old, "leads", "region").await["custom"], true);
        let of_view = |view: &'static str| { let old = &old; async move { old.rows("query_leads", json!({"view": view})).await.len() } };
        assert_eq!((of_view("Hot ones").await, of_view("in_europe").await, of_view("no_shows").await), (1, 1, 0));
        assert_eq!(old.rows("query_leads", json!({"search": "muller"})).await.len(), 1);
        let archived = old.rows("query_leads", json!({"archived": true, "fields": ["region", "owner"]})).await;
        assert_eq!((&archived[0]["id"], &archived[0]["owner"]), (&json!(lead(3)), &json!("Bo Dahl")));
        let row = describe::row_resource(&old.ctx(), "leads", &lead(1)).await.unwrap();
        assert_eq!(row["provenance"]["status"], json!({"source": "manual", "actor": "person:0190d0a0-0000-7000-8000-0000000000a1", "at": "2025-06-02T08:01:00Z"}));
        assert_eq!(row["provenance"]["contact_name"], json!({"source": "app", "actor": "copilot", "at": "2025-06-02T08:00:00Z"}));
        let undone = old.ok("undo_change", json!({"change_id": "0190d0a0-0000-7000-8000-000000009001"})).await;
        assert_eq!(undone["left"], json!([]));
        let row = &old.rows("query_leads", json!({"ids": [lead(1)], "fields": ["status", "region", "seats"]})).await[0];
        assert_eq!((&row["status"], &row["region"], &row["seats"]), (&json!("new"), &Json::Null, &json!(25)));
    }
}

/// The id of a lead of the stored organization.
fn lead(number: u32) -> String {
    format!("0190d0a0-0000-7000-8000-00000000{}", 1_000 + number)
}

/// Many processes find the same new database, then the same unused organization, at the same moment.
async fn crowd(url: String, size: usize) {
    let options = Options::at(&url);
    let apps: Vec<App> = (0..size).map(|_| App::open(&options).expect("the URL of a database")).collect();
    let opened: Vec<_> = apps.iter().cloned().map(|app| tokio::spawn(use_new_database(app))).collect();
    for user in opened {
        let tables = user.await.expect("no panic");
        assert!(tables.as_ref().is_ok_and(|tables| *tables == 5), "{tables:?}");
    }
    let org = unused_organization(&apps[0], "unused").await;
    let used: Vec<_> = apps.iter().cloned().map(|app| tokio::spawn(use_organization(app, org))).collect();
    for user in used {
        let tables = user.await.expect("no panic");
        assert!(tables.as_ref().is_ok_and(|tables| *tables == 5), "{tables:?}");
    }
    let t = Bench::process(&url, org, &Clock::System);
    let made = "select o.slug, cast(count(*) as text) from dynamic_tables t join ops_organizations o on o.id = t.org_id \
                group by o.slug order by o.slug";
    assert_eq!(lines(&t, made, 2).await, ["acme|5", "unused|5"]);
    let columns = lines(&t, "select cast(count(*) as text) from dynamic_table_columns", 1).await;
    assert_eq!(columns, ["120"], "sixty columns for each");
    assert_eq!(columns_of(&t, "leads").await.len(), 16, "the view of live leads");
}

async fn use_new_database(app: App) -> Result<usize, Error> {
    let (org, _) = app.create_organization("acme", "Acme", chrono_tz::UTC).await?;
    use_organization(app, org).await
}

async fn use_organization(app: App, org: Org) -> Result<usize, Error> {
    let described = describe::run(app.ctx(org, Actor::default()), describe::Args::default()).await?;
    Ok(described.tables.len())
}

mod many_processes_at_once_make_one_database_and_one_set_of_tables {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        for _ in 0..2 {
            in_new_sqlite(|url| crowd(url, 20)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        for _ in 0..2 {
            in_new_postgres("many_processes_at_once_make_one_database", |url| crowd(url, 20)).await;
        }
    }
}
