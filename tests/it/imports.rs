//! Importing files: what maps where, what is refused, and that the same file changes nothing twice.

use std::path::{Path, PathBuf};

use opstables::imports::{self, Host, Mapping, Report, Source};
use opstables::records::Actor;
use serde_json::{Value as Json, json};

use crate::harness::{Bench, on_both};
use crate::source;

fn fixture(name: &str) -> PathBuf {
    source::root().join("tests/fixtures/imports").join(name)
}

fn example(name: &str) -> Mapping {
    Mapping::open(&source::root().join("examples/crm-sales").join(name)).expect("a mapping")
}

fn host<'a>(t: &'a Bench, actor: &'a Actor) -> Host<'a> {
    let services = &t.app.services;
    Host {
        store: &services.store,
        catalogs: &services.catalogs,
        clock: &services.clock,
        ids: &services.ids,
        org: t.org,
        actor,
        progress: &|_, _, _| {},
    }
}

async fn import(t: &Bench, file: &Path, mapping: &Mapping) -> Report {
    run(t, file, mapping, false).await
}

async fn run(t: &Bench, file: &Path, mapping: &Mapping, dry_run: bool) -> Report {
    let source = Source::open(file).expect("a readable file");
    let actor = Actor::default();
    let host = host(t, &actor);
    let report = if dry_run {
        imports::preview(&host, &source, mapping).await
    } else {
        imports::run(&host, &source, mapping).await
    };
    report.expect("an import")
}

/// Rows in the file, created, updated, unchanged, refused, left out.
fn counts(report: &Report) -> [u64; 6] {
    [report.rows, report.created, report.updated, report.unchanged, report.refused, report.left_out]
}

async fn csv(t: &Bench, table: &str, text: &str) -> Json {
    t.ok("import_rows", json!({"table": table, "csv": text})).await
}

fn counted(report: &Json) -> Json {
    json!([report["rows"], report["created"], report["updated"], report["unchanged"], report["refused"]])
}

/// A file of so many people.
fn numbered(count: usize) -> String {
    let rows: Vec<String> = (0..count).map(|i| format!("p{i}@x.co,Person {i}")).collect();
    format!("email,name\n{}\n", rows.join("\n"))
}

on_both! {
    async fn a_pipeline_becomes_clients_and_leads_once(t: Bench) {
        let (file, mapping) = (fixture("sales_pipeline.csv"), example("sales_pipeline.toml"));
        let preview = run(&t, &file, &mapping, true).await;
        assert_eq!(counts(&preview), [5, 5, 0, 0, 0, 0]);
        assert_eq!(preview.sample.len(), 5);
        assert!(t.rows("query_clients", json!({})).await.is_empty());

        let report = import(&t, &file, &mapping).await;
        assert_eq!(counts(&report), [5, 5, 0, 0, 0, 0]);
        assert_eq!(report.tables.iter().map(|table| table.created).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(report.people_added, ["Moira Flint", "Darren Stone"]);
        assert_eq!(report.tables[0].columns_created, ["opportunity_id", "product", "engage_date"]);
        let fields = json!(["company_name", "deal_name", "deal_value", "status", "subscription_start", "owner", "opportunity_id", "engage_date"]);
        let clients = t.rows("query_clients", json!({"filters": [{"column": "opportunity_id", "op": "equals", "value": "AA000001"}], "fields": fields})).await;
        let mut client = clients[0].clone();
        client.remove("id");
        assert_eq!(Json::Object(client), json!({
            "company_name": "Alpina Works", "deal_name": "GTX Basic · Alpina Works", "deal_value": 1054, "status": "active",
            "subscription_start": "2017-03-01", "owner": "Moira Flint", "opportunity_id": "AA000001", "engage_date": "2016-10-20",
        }));
        let leads = t.rows("query_leads", json!({"fields": ["status", "owner", "company"], "sort": [{"column": "opportunity_id"}]})).await;
        let statuses: Vec<&Json> = leads.iter().map(|lead| &lead["status"]).collect();
        assert_eq!(statuses, ["archived", "prepping", "new"]);
        assert_eq!(leads[1]["owner"], "Ann Lee");

        let again = import(&t, &file, &mapping).await;
        assert_eq!(counts(&again), [5, 0, 0, 5, 0, 0]);
        assert!(again.change_ids.is_empty() && again.people_added.is_empty());
    }

    async fn accounts_become_companies_with_or_without_a_mapping(t: Bench) {
        let file = fixture("accounts.csv");
        let report = import(&t, &file, &Mapping::default().with_table(Some("companies"))).await;
        assert_eq!(counts(&report), [3, 3, 0, 0, 0, 0]);
        let left: Vec<&str> = report.not_imported.iter().map(|left| left.heading.as_str()).collect();
        assert_eq!(left, ["year_established", "office_location", "subsidiary_of"]);
        let mapped = import(&t, &file, &example("accounts.toml")).await;
        assert_eq!(counts(&mapped), [3, 0, 3, 0, 0, 0]);
        assert!(mapped.not_imported.is_empty());
        let rows = t.rows("query_companies", json!({"search": "cresta", "fields": ["name", "industry", "company_size", "employees", "revenue"]})).await;
        assert_eq!((&rows[0]["name"], &rows[0]["company_size"], &rows[0]["employees"]), (&json!("Cresta & Co"), &json!("startup"), &json!(9)));
        assert_eq!(counts(&import(&t, &file, &example("accounts.toml")).await), [3, 0, 0, 3, 0, 0]);
    }

    async fn a_hubspot_export_imports_with_every_loss_explained(t: Bench) {
        let file = fixture("hubspot_contacts.csv");
        let report = import(&t, &file, &Mapping::default().with_table(Some("contacts"))).await;
        assert_eq!(counts(&report), [4, 3, 0, 0, 1, 0]);
        let left: Vec<&str> = report.not_imported.iter().map(|left| left.heading.as_str()).collect();
        assert_eq!(left, ["Contact owner", "Create Date"]);
        let fault = &report.faults[0];
        assert_eq!((fault.line, fault.column.as_deref(), fault.value.as_deref()), (4, Some("lifecycle_stage"), Some("Other")));
        assert!(fault.why.contains("subscriber"), "{}", fault.why);
        let rows = t.rows("query_contacts", json!({"search": "maria", "fields": ["crm_id", "title", "lifecycle_stage", "phone", "last_engagement"]})).await;
        assert_eq!((&rows[0]["crm_id"], &rows[0]["title"], &rows[0]["lifecycle_stage"]), (&json!("501"), &json!("VP, Sales"), &json!("customer")));
        assert_eq!((&rows[0]["phone"], &rows[0]["last_engagement"]), (&json!("+14155550123"), &json!("2026-02-11T09:30:00Z")));
        assert_eq!(counts(&import(&t, &file, &Mapping::default().with_table(Some("contacts"))).await), [4, 0, 0, 3, 1, 0]);
        let skipping = Mapping { on_bad_value: imports::OnBadValue::SkipCell, ..Mapping::default().with_table(Some("contacts")) };
        let report = import(&t, &file, &skipping).await;
        assert_eq!((counts(&report), report.faults.len()), ([4, 1, 0, 3, 0, 0], 1));
    }

    async fn an_attio_export_gives_full_names_their_parts(t: Bench) {
        let file = fixture("attio_people.csv");
        let report = import(&t, &file, &Mapping::default().with_table(Some("contacts"))).await;
        assert_eq!(counts(&report), [2, 2, 0, 0, 0, 0]);
        let left: Vec<&str> = report.not_imported.iter().map(|left| left.heading.as_str()).collect();
        assert_eq!(left, ["Connection strength"]);
        let rows = t.rows("query_contacts", json!({"search": "sam", "fields": ["first_name", "last_name", "email"]})).await;
        assert_eq!((&rows[0]["first_name"], &rows[0]["last_name"]), (&json!("Sam"), &json!("van der Berg")));
        assert_eq!(counts(&import(&t, &file, &Mapping::default().with_table(Some("contacts"))).await), [2, 0, 0, 2, 0, 0]);
    }

    async fn rows_without_a_key_are_found_by_their_content(t: Bench) {
        let text = "contact_name,source\nDana,Web\nDana,Web\nEve,Web\n";
        assert_eq!(counted(&csv(&t, "leads", text).await), json!([3, 3, 0, 0, 0]));
        assert_eq!(counted(&csv(&t, "leads", text).await), json!([3, 0, 0, 3, 0]));
        let more = "contact_name,source\nEve,Web\nDana,Web\nDana,Web\nDana,Web\n";
        assert_eq!(counted(&csv(&t, "leads", more).await), json!([4, 1, 0, 3, 0]));
        let ids: Vec<Json> = t.rows("query_leads", json!({})).await.iter().map(|row| row["id"].clone()).collect();
        t.ok("archive_rows", json!({"table": "leads", "ids": ids})).await;
        assert_eq!(counted(&csv(&t, "leads", text).await), json!([3, 0, 3, 0, 0]));
        assert_eq!(t.rows("query_leads", json!({})).await.len(), 3);
    }

    async fn a_later_row_of_the_same_record_goes_over_the_earlier_one(t: Bench) {
        let text = "email,first name,title\na@b.co,Ann,CTO\nc@d.co,Cy,\nA@B.co,Ann,CEO\na@b.co,Ann,CEO\n";
        let report = csv(&t, "contacts", text).await;
        assert_eq!(counted(&report), json!([4, 2, 1, 1, 0]));
        assert_eq!(report["repeated"], json!([
            {"table": "contacts", "line": 4, "first_line": 2}, {"table": "contacts", "line": 5, "first_line": 2},
        ]));
        let rows = t.rows("query_contacts", json!({"search": "ann", "fields": ["title"]})).await;
        assert_eq!(rows[0]["title"], "CEO");
        assert_eq!(counted(&csv(&t, "contacts", text).await), json!([4, 0, 0, 4, 0]));
    }

    async fn an_empty_cell_leaves_what_is_stored_and_an_undo_takes_a_batch_back(t: Bench) {
        csv(&t, "companies", "name,industry\nAcme,Steel\n").await;
        let report = csv(&t, "companies", "name;industry;website\nACME;;acme.com\nNew;;\n").await;
        assert_eq!((&report["format"], counted(&report)), (&json!("CSV with ;"), json!([2, 1, 1, 0, 0])));
        let rows = t.rows("query_companies", json!({"search": "acme", "fields": ["name", "industry", "website"]})).await;
        assert_eq!((&rows[0]["name"], &rows[0]["industry"]), (&json!("ACME"), &json!("Steel")));
        t.ok("undo_change", json!({"change_id": report["change_ids"][0]})).await;
        let rows = t.rows("query_companies", json!({"fields": ["name", "website"]})).await;
        assert_eq!((rows.len(), &rows[0]["name"], &rows[0]["website"]), (1, &json!("Acme"), &json!(null)));
    }

    async fn of_several_rows_with_the_key_the_oldest_is_taken(t: Bench) {
        let oldest = t.create("companies", json!({"name": "Acme"})).await;
        t.create("companies", json!({"name": "acme"})).await;
        let report = csv(&t, "companies", "name,industry\nAcme,Steel\n").await;
        assert_eq!(counted(&report), json!([1, 0, 1, 0, 0]));
        assert!(report["notes"][0].as_str().expect("a text").contains("2 rows of `companies` have the name `Acme`"));
        let rows = t.rows("query_companies", json!({"ids": [oldest], "fields": ["industry"]})).await;
        assert_eq!(rows[0]["industry"], "Steel");
    }

    async fn every_bad_line_is_reported_with_its_number(t: Bench) {
        let text = "\u{feff}Name,Email,Stage\r\n\r\n\"Multi\r\nLine\",a@b.co,\r\nBad,not-an-address,hot\r\nShort\r\n,,\r\nGood,g@h.co,\r\n";
        let report = t.ok("import_rows", json!({"table": "leads", "csv": text, "mapping": {"into": [{"values": {"status": {"hot": "ready"}}}]}})).await;
        assert_eq!(counted(&report), json!([5, 2, 0, 0, 3]));
        let faults: Vec<(u64, &str)> = report["faults"].as_array().expect("a list").iter()
            .map(|fault| (fault["line"].as_u64().expect("a count"), fault["why"].as_str().expect("a text"))).collect();
        assert_eq!(faults.iter().map(|fault| fault.0).collect::<Vec<_>>(), [5, 6, 7]);
        assert!(faults[0].1.contains("`not-an-address` is not an e-mail address"), "{faults:?}");
        assert!(faults[1].1.contains("1 cells, the heading line 3"), "{faults:?}");
        let names = t.rows("query_leads", json!({"fields": ["contact_name"], "search": "multi"})).await;
        assert_eq!(names[0]["contact_name"], "Multi\nLine");
    }

    async fn bytes_that_are_no_text_are_a_fault_of_their_line(t: Bench) {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let file = folder.path().join("latin.csv");
        std::fs::write(&file, b"name\temail\nJos\xe9\tj@x.co\nAnn\ta@x.co\n'=1+1\tb@x.co\n").expect("a written file");
        let report = import(&t, &file, &Mapping::default().with_table(Some("leads"))).await;
        assert_eq!((counts(&report), report.format.as_str()), ([3, 2, 0, 0, 1, 0], "CSV with tabs"));
        assert_eq!(report.faults[0].line, 2);
        assert!(report.faults[0].why.contains("`name` is not UTF-8"), "{}", report.faults[0].why);
        let rows = t.rows("query_leads", json!({"fields": ["contact_name"], "search": "b@x.co"})).await;
        assert_eq!(rows[0]["contact_name"], "=1+1");
    }

    async fn the_order_of_day_and_month_is_found_out_and_said(t: Bench) {
        let report = csv(&t, "clients", "company,start date,created\nA,1/2/2026,3/4/2026\nB,31/12/2025,\n").await;
        assert!(report["notes"][0].as_str().expect("a text").contains("`start date` is read as day/month/year: 1 of its dates"));
        assert!(report["notes"][1].as_str().expect("a text").contains("as the other dates of the file"));
        let rows = t.rows("query_clients", json!({"search": "a", "fields": ["subscription_start", "created_at"]})).await;
        assert_eq!((&rows[0]["subscription_start"], &rows[0]["created_at"]), (&json!("2026-02-01"), &json!("2026-04-03T00:00:00Z")));
        let told = json!({"table": "clients", "day_first": false, "csv": "company,start date\nB,31/12/2025\n"});
        assert_eq!(t.ok("import_rows", told).await["refused"], 1);
    }

    async fn people_who_are_no_members_are_added_or_refused(t: Bench) {
        let text = "company,owner\nA,New Person\nB,new.one@acme.com\nC,Ann Lee\nD,12345\nE,new person\n";
        let refuse = json!({"table": "clients", "csv": text, "mapping": {"people": "refuse"}});
        assert_eq!(counted(&t.ok("import_rows", refuse).await), json!([5, 1, 0, 0, 4]));
        let report = csv(&t, "clients", text).await;
        assert_eq!(counted(&report), json!([5, 3, 0, 1, 1]));
        assert_eq!(report["people_added"], json!(["New Person", "new.one@acme.com"]));
        let rows = t.rows("query_clients", json!({"filters": [{"column": "owner", "op": "equals", "value": "New Person"}]})).await;
        assert_eq!(rows.len(), 2);
    }

    async fn of_two_headings_for_a_column_the_better_one_wins(t: Bench) {
        let report = csv(&t, "contacts", "Work Email,Email,Sync status,Nickname,Titel,Empty\na@b.co,c@d.co,ok,N,CTO,\n").await;
        let why: Vec<&str> = report["not_imported"].as_array().expect("a list").iter().map(|left| left["why"].as_str().expect("a text")).collect();
        assert_eq!(why, [
            "`email` is filled by the heading `Email`, which fits better", "`sync_status` is computed by the product",
            "`contacts` has no column for it", "`contacts` has no column for it", "it is empty in every row",
        ]);
        assert!(report["not_imported"][3]["hint"].as_str().expect("a text").contains("perhaps `title`?"));
        assert_eq!(report["tables"][0]["mapped"], json!([{"from": "Email", "column": "email", "why": "key"}]));
    }

    async fn rows_and_lines_of_json_are_imported_too(t: Bench) {
        let rows = json!({"table": "leads", "rows": [{"email": "a@b.co", "tags": ["x", "y"]}, {"email": "c@d.co", "name": "C"}]});
        assert_eq!(counted(&t.ok("import_rows", rows).await), json!([2, 2, 0, 0, 0]));
        let lines = json!({"table": "leads", "jsonl": "{\"email\": \"a@b.co\"}\n\nnonsense\n{\"email\": 7}\n"});
        let report = t.ok("import_rows", lines).await;
        assert_eq!(counted(&report), json!([3, 0, 0, 1, 2]));
        assert_eq!((&report["faults"][0]["line"], &report["faults"][1]["line"]), (&json!(3), &json!(4)));
    }

    async fn a_wrong_mapping_leaves_nothing_behind(t: Bench) {
        let create = json!([{"key": "region", "type": "text"}]);
        let wrong = |columns: Json| json!({"table": "leads", "csv": "email,area\na@b.co,x\n", "mapping": {"into": [{"columns": columns, "create": create}]}});
        let error = t.refused("import_rows", wrong(json!({"region": "aera"}))).await;
        assert_eq!(error.to_string(), "into[0].columns.region: the file has no heading `aera` (one of: email, area); did you mean `area`?");
        assert!(t.refused("import_rows", wrong(json!({"rejion": "area"}))).await.to_string().contains("did you mean `region`?"));
        assert_eq!(counted(&t.ok("import_rows", wrong(json!({"region": "area"}))).await), json!([1, 1, 0, 0, 0]));
        let error = t.refused("import_rows", json!({"csv": "Email,Contact Name,Priority\na@b.co,,\n"})).await;
        assert!(error.to_string().contains("the headings fit `leads` best"), "{error}");
        assert!(t.refused("import_rows", json!({"table": "leads"})).await.to_string().contains("nothing to import"));
    }

    async fn two_imports_of_one_file_at_once_make_no_row_twice(t: Bench) {
        let text = numbered(1_200);
        let (one, two) = tokio::join!(csv(&t, "leads", &text), csv(&t, "leads", &text));
        let created = one["created"].as_u64().expect("a count") + two["created"].as_u64().expect("a count");
        assert_eq!((created, t.ok("query_leads", json!({"aggregate": {"fn": "count"}})).await["rows"][0][0].clone()), (1_200, json!(1_200)));
    }

    async fn a_word_over_cells_of_another_form_is_not_the_column(t: Bench) {
        let report = csv(&t, "leads", "Email,Company\na@b.co,Acme Steel\nc@d.co,\n").await;
        assert_eq!(counted(&report), json!([2, 2, 0, 0, 0]));
        assert_eq!(report["not_imported"][0]["why"], "it may mean `domain`, but none of its first cells has the form of a url");
        let report = csv(&t, "leads", "Email,Company\na@b.co,acme.com\nc@d.co,Delta\n").await;
        assert_eq!(counted(&report), json!([2, 0, 1, 0, 1]));
    }

    async fn of_several_addresses_in_a_cell_the_first_is_kept_and_said(t: Bench) {
        let report = csv(&t, "contacts", "Name,Email addresses\nAnn Wu,\"a@b.co, a@c.co\"\nCy,\"a@b, x\"\n").await;
        assert_eq!(counted(&report), json!([2, 1, 0, 0, 1]));
        assert_eq!(report["faults"][0]["row_refused"], false);
        let rows = t.rows("query_contacts", json!({"fields": ["first_name", "email"]})).await;
        assert_eq!((&rows[0]["first_name"], &rows[0]["email"]), (&json!("Ann"), &json!("a@b.co")));
    }

    async fn an_import_that_stops_says_how_far_it_came_and_goes_on(t: Bench) {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let file = folder.path().join("leads.csv");
        std::fs::write(&file, numbered(1_200)).expect("a written file");
        let add = json!({"action": "add", "table": "leads", "label": "Region", "type": "text"});
        // After the first batch somebody else changes the table.
        let meddle = |done: u64, _: Option<u64>, _: &str| {
            if done == 500 {
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(t.ok("manage_columns", add.clone())));
            }
        };
        let (source, actor) = (Source::open(&file).expect("a readable file"), Actor::default());
        let host = Host { progress: &meddle, ..host(&t, &actor) };
        let error = imports::run(&host, &source, &Mapping::default().with_table(Some("leads"))).await.expect_err("a stop");
        let text = error.to_string();
        assert!(text.contains("stopped at line 502") && text.contains("up to line 501 is stored"), "{text}");
        assert_eq!(counts(&import(&t, &file, &Mapping::default().with_table(Some("leads"))).await), [1_200, 700, 0, 500, 0, 0]);
    }

    /// The public data set itself, when `OPSTABLES_CRM_SALES` says where it is.
    async fn the_crm_sales_data_set_imports_completely(t: Bench) {
        let Some(folder) = std::env::var_os("OPSTABLES_CRM_SALES").map(PathBuf::from) else { return };
        for (file, mapping, rows) in [("accounts.csv", "accounts.toml", 85), ("sales_pipeline.csv", "sales_pipeline.toml", 8_800)] {
            let (file, mapping) = (folder.join(file), example(mapping));
            let first = import(&t, &file, &mapping).await;
            assert_eq!(counts(&first), [rows, rows, 0, 0, 0, 0], "{:?}", first.faults.first());
            let second = import(&t, &file, &mapping).await;
            assert_eq!(counts(&second), [rows, 0, 0, rows, 0, 0]);
        }
    }
}
