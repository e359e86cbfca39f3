//! Changes reach the CRMs: once, in order, and whatever goes wrong on the way.
//!
//! `OPSTABLES_RECORDS` says how many records change while a CRM is down for a day.

mod companies;
pub(crate) mod crms;
mod meetings;

use opstables::fakes::{Fault, Outage, RetryAfter, Rule};
use opstables::records::sides::Observation;
use opstables::records::{self, Action, Actor, Change, Edit, Observed, Source, Target};
use opstables::store::{Field, Sql, read_text};
use opstables::sync::connect;
use opstables::sync::mapping::Wish;
use opstables::sync::vault::{OAuth, Secrets};
use opstables::tables::{Policy, System, Value};
use secrecy::SecretString;
use serde_json::json;

use crate::connections::connect_with;
use crate::harness::{Bench, on_both};
use crms::Crms;

on_both! {
    async fn a_new_contact_becomes_a_record_in_both_crms_and_its_edits_follow(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"first_name": "Ann", "last_name": "Lee", "email": "Ann@Acme.com"})).await;
        crms.work().await;
        let [hubspot, attio] = crms.records(&row).await;
        assert_eq!(crms.hubspot_value(&hubspot, "firstname"), "Ann");
        assert_eq!(crms.hubspot_value(&hubspot, "email"), "ann@acme.com");
        assert_eq!(crms.attio_value(&attio, "name")["full_name"], "Ann Lee");
        assert_eq!(crms.attio_value(&attio, "email_addresses")["email_address"], "ann@acme.com");

        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": "CTO"}]})).await;
        crms.work().await;
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "CTO");
        assert_eq!(crms.attio_value(&attio, "job_title")["value"], "CTO");
        assert_eq!(crms.hubspot.ids("contacts").len(), 1);
        assert_eq!(crms.attio.ids("people").len(), 1);
        // The last name was written once: an edit sends what differs and no more.
        assert_eq!(crms.hubspot.history("contacts", &hubspot, "lastname").len(), 1);
        crms.agree().await;
    }

    async fn an_edit_beside_an_answer_is_compared_with_what_arrived(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "Old"})).await;
        crms.work().await;
        let [hubspot, _] = crms.records(&row).await;
        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": "New"}]})).await;
        // An answer is taken in: the CRM holds the new title now. Before that is committed somebody writes the old one.
        let ctx = crms.t.ctx();
        let (mut tx, catalog) = ctx.begin().await.expect("a transaction");
        let table = catalog.table("contacts").expect("a table");
        let seen = Observation {
            value: Some(Value::Text("New".to_owned())),
            reported_ms: crms.t.clock.now_ms() + 1,
            received_ms: crms.t.clock.now_ms(),
            by_us: true,
            actor: String::new(),
        };
        let arrived = Observed {
            cells: vec![(table.place("title").expect("a column"), vec![seen])],
            ..Observed::of(System::Hubspot, &hubspot, crms.t.clock.now_ms())
        };
        let action = Action::Observe(Box::new(arrived));
        let edit = Edit { target: Target::Existing(row.parse().expect("an id")), action, position: 0 };
        let actor = Actor::default();
        let change = Change { table, actor: &actor, source: Source::Hubspot, edits: vec![edit], undo_of: None };
        let (now, ids) = (ctx.services.clock.now(), &ctx.services.ids);
        records::write(&mut tx, &catalog, change, now, ids).await.expect("a write");
        let back = crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": "Old"}]}));
        let commit = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            tx.commit().await.expect("a commit");
        };
        tokio::join!(back, commit);
        let waiting = crms.waiting(System::Hubspot).await;
        let columns = waiting.values().flatten().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(columns, ["title"], "the CRM holds the new title and must be told of the old one");
    }

    async fn what_a_person_must_decide_is_not_sent_with_something_else(t: Bench) {
        let crms = Crms::connected(&t).await;
        let (row, hubspot) = crms.disputed_title().await;
        assert_eq!(crms.conflicts(&row).await, ["title|stale_arrival|\"Theirs\"|open"]);
        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "phone": "+14155550123"}]})).await;
        crms.work().await;
        assert_eq!(crms.hubspot_value(&hubspot, "phone"), "+14155550123");
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "Theirs", "it waits for a person");
    }

    async fn another_policy_decides_what_is_open_anew(t: Bench) {
        let crms = Crms::connected(&t).await;
        let sync = &crms.t.app.services.sync;
        let title = ("contacts", "title");
        let policy = async |policy| connect::map(sync, crms.t.org, System::Hubspot, title, &Wish::Policy(policy)).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "First"})).await;
        crms.work().await;
        let [hubspot, attio] = crms.records(&row).await;
        // Nobody at HubSpot had seen our second title when they wrote theirs.
        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": "Ours"}]})).await;
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.edit("contacts", &hubspot, "jobtitle", Some("Theirs")).expect("an edit");
        crms.read_back(&row).await;
        assert_eq!(crms.conflicts(&row).await, ["title|overwritten|\"Ours\"|open"]);

        assert_eq!(policy(Policy::AppWins).await.expect("a policy"), 1);
        crms.work().await;
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "Ours");
        assert_eq!(crms.attio_value(&attio, "job_title")["value"], "Ours");
        let lost = crms.conflicts(&row).await;
        assert_eq!(lost, ["title|overwritten|\"Ours\"|restored", "title|stale_arrival|\"Theirs\"|open"]);

        assert_eq!(policy(Policy::Lww).await.expect("a policy"), 1);
        crms.work().await;
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "Theirs");
        assert_eq!(policy(Policy::Lww).await.expect("a policy"), 0, "it is decided");
        crms.agree().await;
    }

    async fn what_a_person_settled_no_policy_decides_anew(t: Bench) {
        let crms = Crms::connected(&t).await;
        let (_, hubspot) = crms.disputed_title().await;
        let open = crms.t.ok("list_conflicts", json!({})).await;
        let id = open["conflicts"][0]["id"].clone();
        crms.t.ok("resolve_conflict", json!({"id": id, "action": "keep"})).await;
        let sync = &crms.t.app.services.sync;
        let wish = Wish::Policy(Policy::Lww);
        let decided = connect::map(sync, crms.t.org, System::Hubspot, ("contacts", "title"), &wish).await;
        assert_eq!(decided.expect("a policy"), 0);
        crms.work().await;
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "Ours");
    }

    async fn a_hundred_edits_cost_one_call(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        crms.work().await;
        let calls = crms.hubspot.requests().len();
        for number in 0..100 {
            crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": format!("Title {number}")}]})).await;
        }
        crms.work().await;
        assert_eq!(crms.hubspot.requests().len(), calls + 1);
        let [hubspot, _] = crms.records(&row).await;
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "Title 99");
        crms.agree().await;
    }

    async fn a_person_who_is_there_already_is_adopted_with_their_newer_values(t: Bench) {
        let crms = Crms::connected(&t).await;
        let there = crms.hubspot.create("contacts", &[("email", "ann@acme.com"), ("jobtitle", "Old title")]).expect("a record");
        crms.t.clock.advance_ms(60_000);
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "first_name": "Ann", "title": "New title"})).await;
        crms.work().await;
        let [hubspot, _] = crms.records(&row).await;
        assert_eq!(hubspot, there);
        assert_eq!(crms.hubspot.ids("contacts").len(), 1);
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "New title");
        let lost = crms.conflicts(&row).await;
        assert_eq!(lost, ["title|stale_arrival|\"Old title\"|open"], "nobody here had seen the old title");
        crms.agree().await;
    }

    async fn a_lost_answer_makes_no_second_record(t: Bench) {
        let crms = Crms::connected(&t).await;
        for system in ["/batch/upsert", "PUT "] {
            crms.hubspot.faults().add(Rule::next(1, Fault::LostAnswer).at(system));
            crms.attio.faults().add(Rule::next(1, Fault::LostAnswer).at(system));
        }
        let row = crms.t.create("contacts", json!({"first_name": "Ann"})).await;
        crms.work().await;
        assert_eq!(crms.hubspot.ids("contacts").len(), 1);
        assert_eq!(crms.attio.ids("people").len(), 1);
        let [hubspot, _] = crms.records(&row).await;
        assert_eq!(crms.hubspot.history("contacts", &hubspot, "firstname").len(), 1, "it was read, not written again");
        crms.agree().await;
    }

    async fn what_a_crm_refuses_waits_for_a_person_and_holds_up_nothing_else(t: Bench) {
        let crms = Crms::connected(&t).await;
        let made = crms.t.create("companies", json!({"name": "Initech", "industry": "Basket weaving"})).await;
        crms.work().await;
        let [hubspot, _] = crms.records(&made).await;
        assert_eq!(crms.hubspot_value_of("companies", &hubspot, "name"), "Initech");
        assert_eq!(crms.queue(System::Hubspot).await.len(), 1);
        assert!(crms.queue(System::Hubspot).await[0].starts_with("dead|"), "what is left of it waits for a person");
        let company = json!({"name": "Acme", "domain": "acme.com"});
        let row = crms.t.create("companies", company).await;
        let other = crms.t.create("companies", json!({"name": "Globex", "domain": "globex.com"})).await;
        crms.work().await;
        let [hubspot, _] = crms.records(&row).await;
        crms.t.ok("save_companies", json!({"rows": [
            {"id": row, "industry": "Basket weaving", "phone": "+14155550123"},
            {"id": other, "phone": "+14155550199"},
        ]})).await;
        crms.work().await;
        assert_eq!(crms.hubspot_value_of("companies", &hubspot, "phone"), "+14155550123");
        let queue = crms.queue(System::Hubspot).await;
        assert_eq!(queue.iter().filter(|line| line.contains("dead")).count(), 2, "{queue:?}");
        assert!(queue.iter().any(|line| line.contains("dead|{\"industry\": true}|invalid|industry") || line.contains("dead|{\"industry\":true}|invalid|industry")), "{queue:?}");
        let lost = crms.conflicts(&row).await;
        assert!(lost.contains(&"industry|remote_rejected|\"Basket weaving\"|open".to_owned()), "{lost:?}");

        // Another value is taken, and nothing is left of it.
        crms.t.ok("save_companies", json!({"rows": [{"id": row, "industry": "Computer Software"}]})).await;
        crms.work().await;
        let queue = crms.queue(System::Hubspot).await;
        assert_eq!(queue.iter().filter(|line| line.contains("dead")).count(), 1, "{queue:?}");
        let lost = crms.conflicts(&row).await;
        assert!(!lost.iter().any(|line| line.ends_with("open") && line.contains("Basket")), "{lost:?}");
    }

    async fn a_crm_that_asks_for_patience_gets_it_and_nobody_else_waits(t: Bench) {
        let crms = Crms::connected(&t).await;
        for number in 0..30 {
            crms.t.create("contacts", json!({"email": format!("p{number}@acme.com")})).await;
        }
        let refused = |retry_after| Fault::Status { status: 429, retry_after };
        crms.hubspot.faults().add(Rule::next(3, refused(Some(RetryAfter::Seconds(30)))));
        crms.attio.faults().add(Rule::next(2, refused(Some(RetryAfter::Date(20)))));
        crms.work().await;
        assert_eq!(crms.hubspot.early_requests(), 0);
        assert_eq!(crms.attio.early_requests(), 0);
        assert_eq!(crms.hubspot.ids("contacts").len(), 30);
        assert_eq!(crms.attio.ids("people").len(), 30);
        assert_eq!(crms.unarrived().await, 0, "what was refused did not go out");
        crms.agree().await;
    }

    async fn an_outage_of_a_day_loses_nothing(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        crms.work().await;
        crms.hubspot.faults().outage(Some(Outage::Unavailable));
        let (calls, start_ms) = (crms.hubspot.requests().len(), crms.t.clock.now_ms());
        let changed = std::env::var("OPSTABLES_RECORDS").map_or(40, |text| text.parse().expect("a number"));
        for first in (0..changed).step_by(1_000) {
            let numbers = first..changed.min(first + 1_000);
            let rows: Vec<_> = numbers.map(|number| json!({"email": format!("n{number}@acme.com")})).collect();
            crms.t.ok("save_contacts", json!({"rows": rows})).await;
            edit(&crms, &row, first).await;
        }
        while crms.t.clock.now_ms() < start_ms + 24 * 3_600_000 {
            crms.turn().await;
        }
        let calls = crms.hubspot.requests().len() - calls;
        assert!(calls < 3_000, "{calls} calls to a CRM that was down for a day");
        crms.hubspot.faults().outage(None);
        let back_ms = crms.t.clock.now_ms();
        while crms.hubspot.ids("contacts").len() == 1 {
            crms.turn().await;
        }
        assert!(crms.t.clock.now_ms() - back_ms <= 60_000, "its return was noticed late");
        for number in changed..changed + 20 {
            edit(&crms, &row, number).await;
        }
        crms.work().await;
        assert_eq!(crms.hubspot.ids("contacts").len(), changed + 1);
        assert_eq!(crms.attio.ids("people").len(), changed + 1);
        for titles in titles(&crms, &row).await {
            assert!(titles.is_sorted_by(|one, next| one < next), "an older edit came later: {titles:?}");
            assert_eq!(titles.last(), Some(&(changed + 19)));
        }
        for system in System::ALL {
            let queue = crms.queue(*system).await;
            assert_eq!(queue.iter().find(|line| !line.starts_with("done|")), None);
        }
        crms.agree().await;
    }

    async fn a_worker_that_dies_leaves_nothing_twice_and_nothing_undone(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"first_name": "Ann", "last_name": "Lee"})).await;
        for _ in 0..8 {
            crms.die_at_work().await;
            crms.t.clock.advance_ms(46_000);
        }
        crms.work().await;
        assert_eq!(crms.hubspot.ids("contacts").len(), 1);
        assert_eq!(crms.attio.ids("people").len(), 1);
        let [hubspot, _] = crms.records(&row).await;
        assert_eq!(crms.hubspot.history("contacts", &hubspot, "firstname").len(), 1);
        crms.agree().await;
    }

    async fn a_record_that_was_deleted_is_not_made_again(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"first_name": "Ann"})).await;
        crms.work().await;
        let [hubspot, attio] = crms.records(&row).await;
        crms.hubspot.archive("contacts", &hubspot).expect("a deletion");
        crms.t.clock.advance_ms(1_000);
        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "first_name": "Anna"}]})).await;
        crms.work().await;
        assert_eq!(crms.hubspot.ids("contacts"), Vec::<String>::new());
        assert_eq!(crms.attio_value(&attio, "name")["first_name"], "Anna");
        let lost = crms.conflicts(&row).await;
        assert_eq!(lost, ["|delete_vs_edit|\"deleted\"|open"]);
        let rows = crms.t.rows("query_contacts", json!({"fields": ["first_name"]})).await;
        assert_eq!(rows[0]["first_name"], "Anna", "a newer edit keeps the row");
    }

    async fn records_that_were_merged_make_one_row(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"first_name": "Ann", "email": "ann@acme.com"})).await;
        let annie = crms.t.create("contacts", json!({"first_name": "Annie", "email": "annie@acme.com", "phone": "+14155550123"})).await;
        crms.work().await;
        let ([a, _], [b, _]) = (crms.records(&ann).await, crms.records(&annie).await);
        let merged = crms.hubspot.merge("contacts", &a, &b).expect("a merge");
        crms.t.clock.advance_ms(1_000);
        crms.t.ok("save_contacts", json!({"rows": [{"id": ann, "title": "CTO"}]})).await;
        crms.work().await;
        assert_eq!(crms.records(&ann).await[0], merged);
        crms.t.ok("save_contacts", json!({"rows": [{"id": annie, "last_name": "Lee"}]})).await;
        crms.work().await;
        let rows = crms.t.rows("query_contacts", json!({"fields": ["id", "first_name", "last_name", "phone", "title"]})).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["id"], ann.as_str());
        assert_eq!((&rows[0]["last_name"], &rows[0]["phone"]), (&json!("Lee"), &json!("+14155550123")));
        let lost = crms.conflicts(&ann).await;
        assert!(lost.iter().any(|lost| lost.starts_with("first_name|merge_collision|")), "{lost:?}");
        assert_eq!(crms.hubspot_value(&merged, "lastname"), "Lee");
        assert_eq!(crms.hubspot.ids("contacts"), [merged]);
    }

    async fn two_workers_replace_a_token_once(t: Bench) {
        let crms = Crms::connected(&t).await;
        let refresh = crms.authorize().await;
        let oauth = OAuth {
            client_id: "test-client".to_owned(),
            client_secret: SecretString::from("test-secret"),
            refresh: SecretString::from(refresh),
        };
        let secrets = Secrets { access: SecretString::from("an ended one"), oauth: Some(oauth) };
        connect_with(&crms.t, System::Hubspot, &secrets, Some(crms.t.clock.now())).await;
        for number in 0..40 {
            crms.t.create("contacts", json!({"email": format!("p{number}@acme.com")})).await;
        }
        let other = crms.at(&crms.t.clock);
        for round in 1..=3 {
            tokio::join!(crms.work_beside_others(System::Hubspot), other.work_beside_others(System::Hubspot));
            assert_eq!(crms.hubspot.refreshes(), round);
            // Half an hour later the token has ended again.
            crms.t.clock.advance_ms(1_800_000);
            crms.t.create("contacts", json!({"email": format!("later{round}@acme.com")})).await;
            crms.t.create("contacts", json!({"email": format!("even.later{round}@acme.com")})).await;
        }
        assert_eq!(crms.hubspot.ids("contacts").len(), 44);
        assert_eq!(states(&crms.t).await, ["attio|active", "hubspot|active"]);
    }

    async fn a_refused_token_stops_the_connection_and_says_so(t: Bench) {
        let crms = Crms::connected(&t).await;
        crms.hubspot.revoke();
        crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        crms.work().await;
        let state = states(&t).await;
        assert_eq!(state, ["attio|active", "hubspot|broken"]);
        assert_eq!(crms.attio.ids("people").len(), 1);
    }
}

/// Gives a row its next title, and the CRMs a turn.
async fn edit(crms: &Crms, row: &str, number: usize) {
    crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": format!("Title {number}")}]})).await;
    crms.turn().await;
}

/// The numbers of the titles that a row's records had, in the order in which they came: at `HubSpot` and at `Attio`.
async fn titles(crms: &Crms, row: &str) -> [Vec<usize>; 2] {
    let [hubspot, attio] = crms.records(row).await;
    let number = |title: &str| title.trim_start_matches("Title ").parse().expect("a number");
    let hubspot = crms.hubspot.history("contacts", &hubspot, "jobtitle");
    let attio = crms.attio.history("people", &attio, "job_title");
    [
        hubspot.iter().filter_map(|past| past.value.as_str()).map(number).collect(),
        attio.iter().filter_map(|past| past.value[0]["value"].as_str()).map(number).collect(),
    ]
}

async fn states(t: &Bench) -> Vec<String> {
    let mut tx = t.app.services.store.read().await.expect("a connection");
    let sql = Sql::new("select system, state from crm_connections order by system");
    let lines = tx.fetch_fields(sql, &[Field::Text, Field::Text]).await.expect("a read");
    lines.iter().map(|line| line.iter().filter_map(read_text).collect::<Vec<_>>().join("|")).collect()
}
