//! CRMs that refuse call after call are never called before the wait is over that they asked for, and learn everything in the
//! end.
//!
//! `OPSTABLES_THROTTLED` says how many calls are refused.

use opstables::fakes::{Fault, Faults, Request, RetryAfter, Rule};
use opstables::tables::System;
use serde_json::json;

use crate::delivery::crms::Crms;
use crate::harness::{Bench, on_both};

const THROTTLED: usize = 300;
/// How many rows of each table there are at most.
const ROWS: usize = 12;
/// How many calls may still come when one is refused. Those to `HubSpot` follow one another; to `Attio` several are under way,
/// and another may be begun while the refusal is on its way.
const BESIDE: [usize; 2] = [0, 8];

const BY_HEADER: &[RetryAfter] =
    &[RetryAfter::Seconds(1), RetryAfter::Date(2), RetryAfter::Seconds(5), RetryAfter::Date(20)];
const BY_POLICY: &[RetryAfter] =
    &[RetryAfter::Policy("SECONDLY", 1), RetryAfter::Policy("TEN_SECONDLY_ROLLING", 10)];

on_both! {
    async fn no_call_comes_before_the_wait_is_over_that_a_refusal_asked_for(t: Bench) {
        let crms = Crms::connected(&t).await;
        throttle(crms.hubspot.faults(), 270, &[BY_POLICY, BY_HEADER].concat());
        throttle(crms.attio.faults(), 380, BY_HEADER);
        let wanted = std::env::var("OPSTABLES_THROTTLED").map_or(THROTTLED, |text| text.parse().expect("a number"));
        let mut rows = Rows::default();
        while refused(&crms).iter().sum::<usize>() < wanted {
            for _ in 0..5 {
                rows.change(&crms).await;
                for _ in 0..20 {
                    crms.turn().await;
                }
            }
        }
        assert!(refused(&crms).iter().all(|refused| *refused > wanted / 10), "one was hardly called: {:?}", refused(&crms));
        crms.hubspot.faults().clear();
        crms.attio.faults().clear();
        crms.work().await;
        assert_eq!((crms.hubspot.early_requests(), crms.attio.early_requests()), (0, 0));
        for (requests, beside) in [crms.hubspot.requests(), crms.attio.requests()].iter().zip(BESIDE) {
            check_waits(requests, beside);
        }
        for system in System::ALL {
            let queue = crms.queue(*system).await;
            assert_eq!(queue.iter().find(|line| !line.starts_with("done|")), None);
        }
        rows.check(&crms);
        crms.agree().await;
    }
}

/// Has six calls of seven refused, in any of the ways; now and then an answer is lost, so that there is something to be read
/// back, too.
fn throttle(faults: &Faults, per_mille: u32, ways: &[RetryAfter]) {
    for retry_after in ways {
        faults.add(Rule::often(per_mille, Fault::Status { status: 429, retry_after: Some(*retry_after) }));
    }
    faults.add(Rule::often(100, Fault::LostAnswer));
}

/// How many calls each CRM refused.
fn refused(crms: &Crms) -> [usize; 2] {
    let refused =
        |requests: Vec<Request>| requests.iter().filter(|request| request.status == Some(429)).count();
    [refused(crms.hubspot.requests()), refused(crms.attio.requests())]
}

/// The clock stands during a turn: after the first refusal of one moment only those come that were under way.
fn check_waits(requests: &[Request], beside: usize) {
    for moment in requests.chunk_by(|one, next| one.at_ms == next.at_ms) {
        let first = moment.iter().position(|request| request.status == Some(429));
        let after = first.map_or(&[][..], |first| &moment[first + 1..]);
        assert!(after.len() <= beside, "{} calls after a refusal: {after:?}", after.len());
    }
}

/// People and companies that are edited again and again.
#[derive(Default)]
struct Rows {
    people: Vec<String>,
    companies: Vec<String>,
    changes: usize,
}

impl Rows {
    /// A new person and a new company until there are enough of them, and an edit of some that there are.
    async fn change(&mut self, crms: &Crms) {
        self.changes += 1;
        let number = self.changes;
        if self.people.len() < ROWS {
            let person =
                json!({"first_name": format!("Person {number}"), "email": format!("p{number}@acme.com")});
            self.people.push(crms.t.create("contacts", person).await);
            let company = json!({"name": format!("Company {number}"), "domain": format!("c{number}.com")});
            self.companies.push(crms.t.create("companies", company).await);
        }
        let some = |rows: &[String], value: serde_json::Value| {
            let rows = rows.iter().cycle().skip(number % rows.len()).take(rows.len().min(4));
            let edit = |row: &String| {
                let mut edit = value.clone();
                edit["id"] = json!(row);
                edit
            };
            json!({"rows": rows.map(edit).collect::<Vec<_>>()})
        };
        let title = json!({"title": format!("Title {number}")});
        crms.t.ok("save_contacts", some(&self.people, title)).await;
        let text = json!({"description": format!("Number {number}")});
        crms.t.ok("save_companies", some(&self.companies, text)).await;
    }

    fn check(&self, crms: &Crms) {
        assert_eq!(crms.hubspot.ids("contacts").len(), self.people.len());
        assert_eq!(crms.attio.ids("people").len(), self.people.len());
        assert_eq!(crms.hubspot.ids("companies").len(), self.companies.len());
        assert_eq!(crms.attio.ids("companies").len(), self.companies.len());
    }
}
