//! Time moves and nobody writes anything.

use serde_json::{Value as Json, json};

use super::{DAY, audit, engaged, one, pass, right, signals};
use crate::harness::{Bench, on_both};

on_both! {
    async fn a_meeting_counts_once_it_has_begun(t: Bench) {
        let acme = t.create("companies", json!({"name": "Acme"})).await;
        let ann = t.create("contacts", json!({"email": "ann@x.io", "company_name": "Acme"})).await;
        t.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-03-03T09:00:00Z"})).await;
        assert_eq!((engaged(&t, &ann).await, signals(&t, &ann).await), (Json::Null, json!(["meeting booked"])));
        assert_eq!(pass(&t, 60_000).await, 0);
        t.clock.advance_ms(DAY);
        // Nobody has looked yet: that waits, and is not wrong.
        let waiting = audit(&t).await;
        assert_eq!((waiting.waiting, waiting.differing.len()), (1, 0), "{waiting:?}");
        assert_eq!(engaged(&t, &ann).await, Json::Null);
        assert_eq!(pass(&t, 0).await, 1);
        assert_eq!((engaged(&t, &ann).await, signals(&t, &ann).await), (json!("2026-03-03T09:00:00Z"), Json::Null));
        assert_eq!(one(&t, "companies", &acme, "last_contact_date").await, "2026-03-03T09:00:00Z");
        assert_eq!((pass(&t, 0).await, pass(&t, 1_000).await), (0, 0));
        assert_eq!(right(&t).await.waiting, 0);
        crate::history::check(&t).await;
    }

    async fn a_lead_is_upcoming_until_its_meeting_begins(t: Bench) {
        let start = "2026-03-02T11:00:00Z";
        let mut people = Vec::new();
        for (name, outcome) in [("gone", Json::Null), ("there", json!("completed")), ("off", json!("cancelled"))] {
            let email = format!("{name}@x.io");
            let lead = json!({"contact_email": email, "meeting_start": start, "meeting_outcome": outcome, "created_at": "2026-01-01"});
            people.push((t.create("leads", lead).await, t.create("contacts", json!({"email": email})).await));
        }
        let said = async || {
            let mut said = Vec::new();
            for (lead, contact) in &people {
                let held = one(&t, "leads", lead, "meeting_held").await;
                said.push(format!("{} {}", held.as_str().unwrap(), signals(&t, contact).await));
            }
            said
        };
        assert_eq!(said().await, ["Upcoming [\"meeting booked\"]", "Upcoming [\"meeting booked\"]", "Cancelled null"]);
        assert_eq!(pass(&t, 3_600_000).await, 2);
        assert_eq!(said().await, ["No Show [\"no show\"]", "Met [\"met\"]", "Cancelled null"]);
        // A recording that comes in later says that they met after all.
        t.create("meetings", json!({"contact_email": "gone@x.io", "meeting_date": start, "recording_url": "https://x.io/1"})).await;
        assert_eq!(said().await[0], "Met [\"met\"]");
        assert_eq!(pass(&t, 30 * DAY - 1).await, 0);
        assert_eq!(pass(&t, 1).await, 2);
        assert_eq!(said().await, ["Met null", "Met null", "Cancelled null"]);
        right(&t).await;
    }

    async fn a_lead_is_new_for_a_fortnight(t: Bench) {
        let ann = t.create("contacts", json!({"email": "ann@x.io"})).await;
        t.create("leads", json!({"contact_email": "ann@x.io", "created_at": "2026-03-01T10:00:00Z"})).await;
        assert_eq!(signals(&t, &ann).await, json!(["new lead"]));
        assert_eq!(pass(&t, 13 * DAY - 1).await, 0);
        assert_eq!(pass(&t, 1).await, 1);
        assert_eq!(signals(&t, &ann).await, Json::Null);
        right(&t).await;
    }

    async fn a_look_finds_what_was_written_while_the_last_one_was_under_way(t: Bench) {
        let ann = t.create("contacts", json!({"email": "ann@x.io"})).await;
        let slower = Bench::process(&t.database_url, t.org, &opstables::clock::Clock::fixed(t.clock.now()));
        assert_eq!(pass(&t, 120_000).await, 0);
        // By the other process's clock this meeting has not begun yet.
        slower.create("meetings", json!({"contact_email": "ann@x.io", "meeting_date": "2026-03-02T10:01:00Z"})).await;
        assert_eq!(engaged(&t, &ann).await, Json::Null);
        assert_eq!(pass(&t, 60_000).await, 1);
        assert_eq!(engaged(&t, &ann).await, "2026-03-02T10:01:00Z");
    }

    async fn two_workers_do_the_work_of_one(t: Bench) {
        let row = |n: usize| json!({"email": format!("p{n}@x.io")});
        t.ok("save_contacts", json!({"rows": (0..120).map(row).collect::<Vec<_>>()})).await;
        let row = |n: usize| json!({"contact_email": format!("p{n}@x.io"), "meeting_date": "2026-03-03T09:00:00Z"});
        t.ok("save_meetings", json!({"rows": (0..120).map(row).collect::<Vec<_>>()})).await;
        t.clock.advance_ms(DAY);
        let other = t.another_process();
        let (one, two) = tokio::join!(pass(&t, 0), pass(&other, 0));
        assert_eq!(one + two, 120);
        assert_eq!(right(&t).await.waiting, 0);
        crate::history::check(&t).await;
    }

    async fn an_organization_of_an_older_version_gets_all_of_them_at_first(t: Bench) {
        crate::database::load_old_organization(&t).await;
        let old = t.within(crate::database::OLD_ORGANIZATION);
        old.ok("describe_tables", json!({})).await;
        old.create("meetings", json!({"contact_email": "x@x.io"})).await;
        pass(&old, 0).await;
        assert!(right(&old).await.reached.is_some());
    }
}
