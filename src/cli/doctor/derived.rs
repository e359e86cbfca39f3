//! The check of derived columns: whether they hold what a full recomputation gives.

use chrono::{DateTime, TimeDelta, Utc};

use super::Check;
use crate::app::App;
use crate::error::Result;
use crate::records::{self, Audit, Differing};
use crate::store::Org;

const NAME: &str = "derived";
/// The worker follows the clock once a minute.
const LATE: TimeDelta = TimeDelta::minutes(5);

pub(super) async fn check(app: &App, org: Org) -> Result<Check> {
    let services = &app.services;
    let audit = records::audit(&services.store, &services.catalogs, org, &services.clock).await?;
    Ok(judge(&audit, services.clock.now()))
}

fn judge(audit: &Audit, now: DateTime<Utc>) -> Check {
    let compared = format!("{} rows compared", audit.rows);
    if !audit.differing.is_empty() {
        let found: Vec<String> = audit.differing.iter().map(spoken).collect();
        let fix = "`opstables recompute` computes all of them anew";
        if audit.reached.is_none() {
            // As after an upgrade: the worker's first round computes everything.
            return Check::warning(NAME, format!("{compared}; to be computed: {}", found.join(", ")), fix);
        }
        return Check::fault(NAME, format!("{compared}; wrong: {}", found.join(", ")), fix);
    }
    let is_late = audit.reached.is_none_or(|reached| now - reached > LATE);
    if audit.waiting > 0 && is_late {
        let found = format!("{compared}; {} are behind the clock", audit.waiting);
        return Check::warning(
            NAME,
            found,
            "run `opstables worker`, or `opstables serve` with sync.worker on",
        );
    }
    Check::good(NAME, format!("{compared}, none differs"))
}

/// A column with how many rows are wrong in it and one of them.
fn spoken(differing: &Differing) -> String {
    let Differing { table, column, rows, sample } = differing;
    format!("{table}.{column} of {rows}, as {sample}")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::cli::doctor::State;

    #[test]
    fn wrong_values_are_a_fault_and_those_that_wait_a_warning_when_nobody_comes() {
        let now = DateTime::UNIX_EPOCH;
        let audit = |waiting, minutes| Audit {
            rows: 9,
            differing: Vec::new(),
            waiting,
            reached: Some(now - TimeDelta::minutes(minutes)),
        };
        assert_eq!(judge(&audit(0, 99), now).state, State::Good);
        assert_eq!(judge(&audit(3, 1), now).state, State::Good);
        assert_eq!(judge(&audit(3, 9), now).state, State::Warning);
        let wrong = Differing {
            table: "contacts",
            column: "last_engagement".to_owned(),
            rows: 2,
            sample: Uuid::nil(),
        };
        let wrong = Audit { differing: vec![wrong], ..audit(0, 1) };
        assert_eq!(judge(&Audit { reached: None, ..wrong.clone() }, now).state, State::Warning);
        let check = judge(&wrong, now);
        assert_eq!(check.state, State::Fault);
        assert!(check.found.contains("contacts.last_engagement of 2, as 00000000"), "{}", check.found);
    }
}
