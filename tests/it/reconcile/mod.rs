//! What happens at the CRMs arrives here though nothing is told: by reading, page by page.

mod histories;
pub(crate) mod reader;

use std::sync::atomic::{AtomicU32, Ordering};

use opstables::fakes::{Fault, Options, Rule};
use opstables::sync::pull::{Report, backfill};
use opstables::tables::{Object, System};
use serde_json::json;
use tokio::sync::Notify;

use crate::delivery::crms::Crms;
use crate::harness::{Bench, on_both};
use reader::{POLL_MS, SWEEP_MS, after, contacts, cursor, pull, read, record, settle};

on_both! {
    async fn what_people_write_at_a_crm_becomes_a_row_here_and_a_record_in_the_other(t: Bench) {
        let crms = Crms::connected(&t).await;
        crms.t.clock.advance_ms(1_000);
        let person = [("email", "ann@acme.com"), ("firstname", "Ann"), ("jobtitle", "CTO")];
        let there = crms.hubspot.create("contacts", &person).expect("a record");
        let bob = json!({"name": [{"first_name": "Bob", "last_name": "Ray", "full_name": "Bob Ray"}], "email_addresses": ["bob@acme.com"]});
        let other = crms.attio.create("people", &bob).expect("a record");
        after(&crms, POLL_MS).await;
        crms.work().await;
        let rows = contacts(&crms).await;
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert_eq!((&rows[0]["first_name"], &rows[0]["title"]), (&json!("Ann"), &json!("CTO")));
        assert_eq!((&rows[1]["first_name"], &rows[1]["last_name"]), (&json!("Bob"), &json!("Ray")));
        assert_eq!(crms.records(rows[0]["id"].as_str().expect("an id")).await[0], there);
        assert_eq!(crms.records(rows[1]["id"].as_str().expect("an id")).await[1], other);
        assert_eq!((crms.hubspot.ids("contacts").len(), crms.attio.ids("people").len()), (2, 2));
        crms.agree().await;
        // Nothing of it comes back as something new.
        settle(&crms).await;
        assert_eq!((crms.hubspot.ids("contacts").len(), crms.attio.ids("people").len()), (2, 2));
        assert_eq!(contacts(&crms).await.len(), 2);
    }

    async fn edits_and_clears_at_either_arrive_at_the_other(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "CTO", "phone": "+14155550123"})).await;
        crms.work().await;
        let [hubspot, attio] = crms.records(&row).await;
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.edit("contacts", &hubspot, "jobtitle", Some("CEO")).expect("an edit");
        crms.attio.edit("people", &attio, "phone_numbers", &json!([])).expect("an edit");
        after(&crms, POLL_MS).await;
        crms.work().await;
        let rows = contacts(&crms).await;
        assert_eq!((&rows[0]["title"], &rows[0]["phone"]), (&json!("CEO"), &json!(null)));
        assert_eq!(crms.attio_value(&attio, "job_title")["value"], "CEO");
        assert_eq!(crms.hubspot_value(&hubspot, "phone"), "");
        crms.agree().await;
    }

    async fn an_edit_that_our_own_write_covered_is_found_in_the_history(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "First"})).await;
        crms.work().await;
        after(&crms, POLL_MS).await;
        let [hubspot, attio] = crms.records(&row).await;
        crms.t.clock.advance_ms(60_000);
        // Written here before it was written there, and sent after it: there it stands on top, though it is older.
        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": "Ours"}]})).await;
        crms.t.clock.advance_ms(1_000);
        crms.hubspot.edit("contacts", &hubspot, "jobtitle", Some("Theirs")).expect("an edit");
        crms.attio.edit("people", &attio, "job_title", &json!("Theirs")).expect("an edit");
        crms.t.clock.advance_ms(1_000);
        crms.work().await;
        assert_eq!(crms.attio_value(&attio, "job_title")["value"], "Ours");
        after(&crms, POLL_MS).await;
        crms.work().await;
        assert_eq!(contacts(&crms).await[0]["title"], "Theirs");
        crms.agree().await;
    }

    async fn records_of_one_moment_all_come_however_many_pages_they_fill(t: Bench) {
        let crms = Crms::connected(&t).await;
        crms.t.clock.advance_ms(1_000);
        for number in 0..450 {
            crms.hubspot.create("contacts", &[("email", &format!("p{number}@acme.com"))]).expect("a record");
        }
        crms.t.clock.advance_ms(1);
        crms.hubspot.create("contacts", &[("email", "later@acme.com")]).expect("a record");
        after(&crms, POLL_MS).await;
        assert_eq!(crms.count("contacts").await, 451);
        let searches = crms.hubspot.requests().into_iter().filter(|it| it.path.ends_with("/contacts/search"));
        assert!(searches.count() >= 4, "a page has 200 at most");
    }

    async fn a_reading_begins_before_the_last_one_ended(t: Bench) {
        let slow = |options| Options { search_lag_ms: 240_000, ..options };
        let late = Crms::connected_to(&t, slow, |_| {}).await;
        after(&late, POLL_MS).await;
        let first = cursor(&late, System::Hubspot, Object::Contact).await.expect("a cursor");
        assert!(first <= late.t.clock.now_ms());
        // What search saw only some minutes later is not lost.
        late.t.clock.advance_ms(POLL_MS - 100_000);
        late.hubspot.create("contacts", &[("email", "late@acme.com")]).expect("a record");
        after(&late, 100_000).await;
        assert!(contacts(&late).await.is_empty(), "search does not see it yet");
        let second = cursor(&late, System::Hubspot, Object::Contact).await.expect("a cursor");
        assert!(second > first);
        after(&late, POLL_MS).await;
        assert_eq!(contacts(&late).await.len(), 1);
    }

    async fn deletions_are_noticed_by_a_complete_reading_alone(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com"})).await;
        let bob = crms.t.create("contacts", json!({"email": "bob@acme.com"})).await;
        crms.t.clock.advance_ms(1_000);
        crms.work().await;
        let ([hubspot, _], [_, attio]) = (crms.records(&ann).await, crms.records(&bob).await);
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.archive("contacts", &hubspot).expect("a deletion");
        crms.attio.delete("people", &attio).expect("a deletion");
        // Half of an answer, a refusal and a broken connection are no reading.
        crms.hubspot.faults().add(Rule::next(3, Fault::Malformed).at("GET /crm/objects"));
        crms.hubspot.faults().add(Rule::next(2, Fault::Reset).at("/contacts/batch/read"));
        crms.attio.faults().add(Rule::next(2, Fault::Malformed).at("/people/records/query"));
        crms.attio.faults().add(Rule::next(1, Fault::Status { status: 500, retry_after: None }).at("GET /v2/objects/people/records"));
        after(&crms, SWEEP_MS).await;
        crms.work().await;
        assert!(contacts(&crms).await.is_empty(), "both were deleted, each at one CRM");
        assert_eq!(crms.hubspot.ids("contacts").len(), 1, "what was deleted at one CRM is not deleted at the other");
        assert_eq!(crms.attio.ids("people").len(), 1);
        crms.hubspot.restore("contacts", &hubspot).expect("a restoring");
        after(&crms, POLL_MS).await;
        let rows = contacts(&crms).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["id"], ann.as_str());
    }

    async fn a_record_that_a_page_left_out_is_not_deleted(t: Bench) {
        let crms = Crms::connected(&t).await;
        for number in 0..30 {
            crms.t.create("contacts", json!({"email": format!("p{number}@acme.com")})).await;
        }
        crms.work().await;
        // A list that shows nothing of what is there.
        crms.hubspot.list_nothing(true);
        after(&crms, SWEEP_MS).await;
        assert_eq!(contacts(&crms).await.len(), 30);
        let looked = crms.hubspot.requests().into_iter().filter(|it| it.path.ends_with("/contacts/batch/read"));
        assert!(looked.count() > 0, "each is asked for by its id before it counts as deleted");
    }

    async fn merged_records_make_one_row_without_a_word_of_it(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"first_name": "Ann", "email": "ann@acme.com"})).await;
        let annie = crms.t.create("contacts", json!({"first_name": "Annie", "email": "annie@acme.com", "phone": "+14155550123"})).await;
        let tom = crms.t.create("contacts", json!({"first_name": "Tom", "email": "tom@acme.com"})).await;
        let thomas = crms.t.create("contacts", json!({"first_name": "Thomas", "email": "thomas@acme.com"})).await;
        crms.t.clock.advance_ms(1_000);
        crms.work().await;
        crms.t.clock.advance_ms(60_000);
        let ([a, _], [b, _]) = (crms.records(&ann).await, crms.records(&annie).await);
        let merged = crms.hubspot.merge("contacts", &a, &b).expect("a merge");
        let ([_, c], [_, d]) = (crms.records(&tom).await, crms.records(&thomas).await);
        let other = crms.attio.merge("people", &c, &d).expect("a merge");
        settle(&crms).await;
        let rows = contacts(&crms).await;
        let ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        assert!(ids.contains(&ann.as_str()) && ids.contains(&tom.as_str()), "{rows:?}");
        assert_eq!(ids.len(), 2, "{rows:?}");
        assert_eq!(record(&crms, System::Hubspot, &ann).await, Some(merged));
        assert_eq!(record(&crms, System::Attio, &tom).await, Some(other));
    }

    async fn a_pull_makes_a_row_of_each_record_and_the_second_one_changes_nothing(t: Bench) {
        let crms = Crms::connected_to(&t, |options| options, |crms| {
            for number in 0..60 {
                crms.hubspot.create("contacts", &[("email", &format!("p{number}@acme.com")), ("firstname", "Pat")]).expect("a record");
                crms.hubspot.create("companies", &[("name", &format!("Company {number}")), ("domain", &format!("c{number}.com"))]).expect("a record");
                let person = json!({"email_addresses": [format!("a{number}@acme.com")]});
                crms.attio.create("people", &person).expect("a record");
            }
            crms.hubspot.create("contacts", &[("email", "known@acme.com"), ("jobtitle", "CTO")]).expect("a record");
            crms.t.clock.advance_ms(3_600_000);
        }).await;
        let known = crms.t.create("contacts", json!({"email": "known@acme.com", "first_name": "Kay"})).await;
        // Of what was there before the connection, nothing comes by itself.
        after(&crms, SWEEP_MS).await;
        assert_eq!(crms.count("contacts").await, 1);
        let first = pull(&crms, System::Hubspot, Object::Contact).await;
        assert_eq!((first.read, first.created, first.changed), (61, 60, 0), "{first:?}");
        let first = pull(&crms, System::Attio, Object::Contact).await;
        assert_eq!((first.read, first.created), (60, 60), "{first:?}");
        let first = pull(&crms, System::Hubspot, Object::Company).await;
        assert_eq!(first.created, 60, "{first:?}");
        assert_eq!(crms.count("contacts").await, 121);
        let rows = crms.t.rows("query_contacts", json!({"filters": [{"column": "email", "op": "equals", "value": "known@acme.com"}], "fields": ["id", "title", "first_name"]})).await;
        assert_eq!((rows.len(), &rows[0]["id"], &rows[0]["title"]), (1, &json!(known), &json!("CTO")));
        for (system, object) in [(System::Hubspot, Object::Contact), (System::Attio, Object::Contact), (System::Hubspot, Object::Company)] {
            let again = pull(&crms, system, object).await;
            assert_eq!((again.created, again.changed, again.archived, again.joined), (0, 0, 0, 0), "{system:?}: {again:?}");
        }
    }

    async fn what_our_app_wrote_for_somebody_else_is_no_echo(t: Bench) {
        let crms = Crms::connected(&t).await;
        for email in ["ann@acme.com", "bob@acme.com"] {
            let person = json!({"properties": {"email": email, "firstname": "Pat", "phone": "+14155550123"}});
            let url = format!("{}/crm/objects/2026-09/contacts", crms.hubspot.url());
            let made = reqwest::Client::new().post(url).bearer_auth("test-token").json(&person).send().await;
            assert_eq!(made.expect("an answer").status(), 201);
        }
        // One is found when its row is sent, the other one is read.
        crms.t.clock.advance_ms(1_000);
        crms.t.create("contacts", json!({"email": "ann@acme.com", "title": "CTO"})).await;
        crms.work().await;
        pull(&crms, System::Hubspot, Object::Contact).await;
        crms.work().await;
        let rows = contacts(&crms).await;
        let held: Vec<_> = rows.iter().map(|row| (&row["first_name"], &row["phone"], &row["title"])).collect();
        let (pat, phone) = (json!("Pat"), json!("+14155550123"));
        assert_eq!(held, [(&pat, &phone, &json!("CTO")), (&pat, &phone, &json!(null))]);
        crms.agree().await;
    }

    async fn a_pull_takes_nothing_from_a_newer_edit(t: Bench) {
        let crms = Crms::connected(&t).await;
        let there = crms.hubspot.create("contacts", &[("email", "ann@acme.com"), ("jobtitle", "Old"), ("phone", "+14155550123")]).expect("a record");
        pull(&crms, System::Hubspot, Object::Contact).await;
        let row = contacts(&crms).await[0]["id"].as_str().expect("an id").to_owned();
        crms.t.clock.advance_ms(60_000);
        crms.t.ok("save_contacts", json!({"rows": [{"id": row, "title": "New"}]})).await;
        pull(&crms, System::Hubspot, Object::Contact).await;
        assert_eq!(contacts(&crms).await[0]["title"], "New");
        crms.work().await;
        assert_eq!(crms.hubspot_value(&there, "jobtitle"), "New");
    }

    async fn a_pull_that_was_killed_goes_on_where_it_was(t: Bench) {
        let crms = Crms::connected(&t).await;
        for number in 0..220 {
            crms.hubspot.create("contacts", &[("email", &format!("p{number}@acme.com"))]).expect("a record");
        }
        let engine = &crms.t.app.services.sync;
        let mut died = 0;
        let report = loop {
            // It dies when its second page is in, and nobody has noted that yet.
            let (pages, end) = (AtomicU32::new(0), Notify::new());
            let progress = |_: &Report| {
                if pages.fetch_add(1, Ordering::SeqCst) == 1 {
                    end.notify_one();
                }
            };
            let org = crms.t.org;
            let work = backfill(engine, org, System::Hubspot, Object::Contact, &progress, &|| false);
            tokio::select! {
                biased;
                () = end.notified() => died += 1,
                report = work => break report.expect("a report"),
            }
            // Nobody knows that it died before its lease ends.
            let busy = backfill(engine, org, System::Hubspot, Object::Contact, &|_| {}, &|| false).await;
            assert!(busy.is_err_and(|error| error.message.contains("already")));
            crms.t.clock.advance_ms(301_000);
        };
        // Whether its last note still arrived decides whether a page is read again.
        assert!((2..=3).contains(&died), "{died}");
        assert!(report.resumed && report.read < 220, "{report:?}");
        assert_eq!(crms.count("contacts").await, 220);
    }

    async fn a_contact_here_and_one_there_with_one_address_are_one_row(t: Bench) {
        let crms = Crms::connected(&t).await;
        let row = crms.t.create("contacts", json!({"email": "Ann@Acme.com", "first_name": "Ann"})).await;
        let company = crms.t.create("companies", json!({"name": "Acme", "domain": "acme.com"})).await;
        crms.t.clock.advance_ms(1_000);
        crms.hubspot.create("contacts", &[("email", "ann@acme.com"), ("lastname", "Lee")]).expect("a record");
        crms.hubspot.create("companies", &[("name", "ACME Inc"), ("domain", "acme.com")]).expect("a record");
        // A domain is no name of one company at HubSpot.
        crms.hubspot.create("companies", &[("name", "Acme Labs"), ("domain", "acme.com")]).expect("a record");
        read(&crms, System::Hubspot).await;
        crms.t.clock.advance_ms(POLL_MS);
        read(&crms, System::Hubspot).await;
        let rows = contacts(&crms).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((&rows[0]["id"], &rows[0]["last_name"]), (&json!(row), &json!("Lee")));
        let companies = crms.t.rows("query_companies", json!({"fields": ["id", "name"], "sort": [{"column": "name"}]})).await;
        assert_eq!(companies.len(), 2, "{companies:?}");
        assert_eq!((&companies[0]["id"], &companies[0]["name"]), (&json!(company), &json!("ACME Inc")));
    }

    async fn a_contact_fills_its_lead_and_never_makes_one(t: Bench) {
        let crms = Crms::connected(&t).await;
        let lead = crms.t.create("leads", json!({"contact_email": "ann@acme.com"})).await;
        let named = crms.t.create("leads", json!({"contact_email": "bob@acme.com", "contact_name": "Robert"})).await;
        crms.t.create("companies", json!({"name": "Acme", "domain": "acme.com"})).await;
        crms.t.clock.advance_ms(1_000);
        let there = crms.hubspot.create("contacts", &[("email", "ann@acme.com"), ("firstname", "Ann"), ("lastname", "Lee"), ("company", "Acme")]).expect("a record");
        for (email, name) in [("bob@acme.com", "Bob"), ("eve@acme.com", "Eve")] {
            crms.hubspot.create("contacts", &[("email", email), ("firstname", name)]).expect("a record");
        }
        after(&crms, POLL_MS).await;
        crms.hubspot.edit("contacts", &there, "lastname", Some("Ray")).expect("an edit");
        after(&crms, POLL_MS).await;
        let leads = crms.t.rows("query_leads", json!({"fields": ["id", "contact_name", "domain"]})).await;
        let of = |id: &str| leads.iter().find(|lead| lead["id"] == id).unwrap_or_else(|| panic!("{leads:?}"));
        assert_eq!(leads.len(), 2);
        assert_eq!((&of(&lead)["contact_name"], &of(&lead)["domain"]), (&json!("Ann Ray"), &json!("acme.com")));
        assert_eq!(of(&named)["contact_name"], "Robert");
    }

    async fn two_workers_read_a_connection_one_at_a_time(t: Bench) {
        let crms = Crms::connected(&t).await;
        after(&crms, 0).await;
        for number in 0..120 {
            crms.hubspot.create("contacts", &[("email", &format!("p{number}@acme.com"))]).expect("a record");
        }
        crms.t.clock.advance_ms(POLL_MS);
        let others: Vec<Crms> = (0..4).map(|_| crms.at(&crms.t.clock)).collect();
        Box::pin(all_read(&others, System::Hubspot)).await;
        assert_eq!(crms.count("contacts").await, 120);
        let searches = crms.hubspot.requests().into_iter().filter(|it| it.path.ends_with("/contacts/search"));
        assert_eq!(searches.count(), 1, "the others had no part in it");
    }

    async fn too_much_at_once_waits_for_a_person_and_nothing_of_it_is_lost(t: Bench) {
        let crms = Crms::connected(&t).await;
        let emails: Vec<String> = (0..300).map(|number| format!("p{number}@acme.com")).collect();
        let ids: Vec<String> = emails.iter().map(|email| {
            crms.hubspot.create("contacts", &[("email", email), ("jobtitle", "CTO")]).expect("a record")
        }).collect();
        after(&crms, POLL_MS).await;
        assert_eq!(crms.count("contacts").await, 300, "new rows are no change");
        crms.t.clock.advance_ms(POLL_MS);
        for id in ids.iter().take(200) {
            crms.hubspot.edit("contacts", id, "jobtitle", Some("Wrong")).expect("an edit");
        }
        after(&crms, POLL_MS).await;
        let status = crms.t.ok("sync_status", json!({})).await;
        let hubspot = status["connections"].as_array().expect("connections").iter().find(|it| it["system"] == "hubspot").expect("HubSpot");
        assert!(hubspot["held"]["reason"].as_str().is_some_and(|reason| reason.contains("30 %")), "{hubspot}");
        let wrong = crms.count_of("contacts", "title", "Wrong").await;
        assert!(wrong < 200, "{wrong}");
        // It stays like that, however long; what goes out is not held.
        after(&crms, SWEEP_MS).await;
        assert_eq!(crms.count_of("contacts", "title", "Wrong").await, wrong);
        let done = crms.t.ok("retry_sync", json!({"action": "resume", "system": "hubspot"})).await;
        assert_eq!(done["systems"][0]["inbound"], "active", "{done}");
        after(&crms, POLL_MS).await;
        assert_eq!(crms.count_of("contacts", "title", "Wrong").await, 200);
        let status = crms.t.ok("sync_status", json!({})).await;
        assert!(!status.to_string().contains("\"held\""), "{status}");
    }

    async fn a_refused_token_stops_the_reading_and_a_new_one_goes_on(t: Bench) {
        let crms = Crms::connected(&t).await;
        after(&crms, 0).await;
        crms.hubspot.create("contacts", &[("email", "ann@acme.com")]).expect("a record");
        crms.hubspot.faults().add(Rule::next(1, Fault::Status { status: 503, retry_after: None }));
        crms.hubspot.faults().add(Rule::next(1, Fault::Status { status: 429, retry_after: None }));
        after(&crms, POLL_MS).await;
        assert_eq!(contacts(&crms).await.len(), 1);
        assert_eq!(crms.hubspot.early_requests(), 0);
        crms.hubspot.faults().add(Rule::next(1, Fault::Status { status: 401, retry_after: None }));
        after(&crms, POLL_MS).await;
        let status = crms.t.ok("sync_status", json!({"system": "hubspot"})).await;
        assert_eq!(status["connections"][0]["state"], "broken", "{status}");
    }
}

/// Has several processes read a CRM at the same time.
async fn all_read(crms: &[Crms], system: System) {
    let [a, b, c, d] = crms else { panic!("four of them") };
    tokio::join!(
        read_beside(a, system),
        read_beside(b, system),
        read_beside(c, system),
        read_beside(d, system)
    );
}

async fn read_beside(crms: &Crms, system: System) {
    let mut limit = opstables::sync::pace::Limit::new(system);
    for _ in 0..40 {
        let engine = &crms.t.app.services.sync;
        opstables::sync::poll(engine, crms.t.org, system, &mut limit).await.expect("a turn");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        crms.t.clock.advance_ms(100);
    }
}
