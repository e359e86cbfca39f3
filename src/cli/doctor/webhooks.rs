//! The checks of what a CRM tells by webhooks: whether it does, and whether that comes in.

use super::Check;
use crate::cli::connect::webhooks;
use crate::cli::session::Session;
use crate::error::Result;
use crate::store::Org;
use crate::sync::registration::{self, Finding};
use crate::sync::status::Connected;
use crate::sync::{Engine, hooks};
use crate::tables::System;

/// An event that has waited longer than this is worth a look.
const WAITING_SECS: i64 = 300;
/// How many findings are told in words.
const TOLD: usize = 3;

/// What is known of a connection's webhooks.
struct Known {
    has_secret: bool,
    /// What is wrong with them at the CRM, or why that was not looked at.
    there: std::result::Result<Vec<Finding>, Unseen>,
}

enum Unseen {
    /// What is needed to look is not set.
    NotSet(&'static str),
    Failed(String),
}

pub(super) async fn all(
    engine: &Engine,
    org: Org,
    session: &Session,
    connected: &Connected,
) -> Result<[Check; 2]> {
    let system = connected.system;
    let app = webhooks::app(system);
    let there = match &session.config.http.public_url {
        None => Err(Unseen::NotSet("OPSTABLES_PUBLIC_URL")),
        Some(_) if system == System::Hubspot && app.is_none() => {
            Err(Unseen::NotSet("OPSTABLES_HUBSPOT_DEVELOPER_KEY"))
        }
        Some(url) => registration::check(engine, org, system, url, app.as_ref())
            .await
            .map_err(|error| Unseen::Failed(webhooks::named(error).to_string())),
    };
    let has_secret = hooks::has_secret(engine, org, system).await?;
    Ok([registered(system, &Known { has_secret, there }), inbound(connected, has_secret)])
}

fn registered(system: System, known: &Known) -> Check {
    let name = match system {
        System::Hubspot => "hubspot webhooks",
        System::Attio => "attio webhooks",
    };
    let repair = format!("`opstables connect webhooks {}`", system.name());
    let secret = if known.has_secret { "a secret is kept" } else { "no secret is kept" };
    match &known.there {
        Err(Unseen::NotSet(variable)) if known.has_secret => {
            Check::good(name, format!("{secret}; not looked at: {variable} is not set"))
        }
        Err(Unseen::NotSet(variable)) => {
            Check::good(name, format!("none: changes are read by the schedule; {variable} is not set"))
        }
        Err(Unseen::Failed(why)) => {
            Check::warning(name, format!("{secret}; they could not be looked at: {why}"), repair)
        }
        Ok(findings) if findings.is_empty() && known.has_secret => {
            Check::good(name, format!("set up and active, {secret}"))
        }
        Ok(findings) if findings.is_empty() => {
            Check::warning(name, "set up, but no secret is kept: what they tell is refused", repair)
        }
        Ok(findings) => {
            let mut said: Vec<String> = findings.iter().take(TOLD).map(ToString::to_string).collect();
            if let more @ 1.. = findings.len().saturating_sub(TOLD) {
                said.push(format!("{more} more"));
            }
            Check::warning(name, said.join("; "), format!("{repair}{}", how(system, findings)))
        }
    }
}

/// What a repair needs beside itself.
fn how(system: System, findings: &[Finding]) -> &'static str {
    let is_elsewhere = findings.iter().any(|finding| matches!(finding, Finding::Elsewhere(_)));
    if findings.contains(&Finding::Failing) {
        "; `opstables serve --http` must be reached at the public address"
    } else if is_elsewhere && system == System::Hubspot {
        ", with --replace if nobody else needs the app's target"
    } else {
        " sets them up"
    }
}

fn inbound(connected: &Connected, has_secret: bool) -> Check {
    let (name, system) = match connected.system {
        System::Hubspot => ("hubspot inbound", "hubspot"),
        System::Attio => ("attio inbound", "attio"),
    };
    let told = &connected.inbound;
    let mut said = told.said();
    if let Some(held) = &connected.held {
        said.insert(0, format!("held back: {}", held.reason));
        let fix =
            format!("look at what changed there; `opstables sync resume --system {system}` takes it in");
        return Check::warning(name, said.join(", "), fix);
    }
    if said.is_empty() {
        return Check::good(name, "nothing waits");
    }
    let found = said.join(", ");
    if told.dead > 0 {
        return Check::warning(
            name,
            found,
            format!("`opstables sync retry --system {system}` tries them again"),
        );
    }
    if told.oldest_pending_secs.is_some_and(|secs| secs > WAITING_SECS) {
        return Check::warning(
            name,
            found,
            "run `opstables worker`, or `opstables serve` with sync.worker on",
        );
    }
    match told.refused.keys().find_map(|reason| remedy(reason, system, has_secret)) {
        Some(fix) => Check::warning(name, found, fix),
        None => Check::good(name, found),
    }
}

/// What to do about deliveries that were turned away; none when nothing is wrong with that any more, or at all.
fn remedy(reason: &str, system: &str, has_secret: bool) -> Option<String> {
    match reason {
        "no_secret" if !has_secret => Some(format!("`opstables connect webhooks {system}` keeps the secret")),
        "no_public_url" => Some("set OPSTABLES_PUBLIC_URL where `opstables serve --http` runs".to_owned()),
        "bad_signature" | "not_signed" => Some(format!(
            "unless somebody forges them: `opstables connect webhooks {system}` with the current secret, and \
             OPSTABLES_PUBLIC_URL as the CRM calls it"
        )),
        "stale" => Some("set this machine's clock".to_owned()),
        "busy" | "not_stored" | "too_slow" | "too_large" | "not_readable" | "no_idempotency_key" => Some(
            "the log of `opstables serve` says more; the CRM sends them again for hours or days".to_owned(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cli::doctor::State;
    use crate::sync::inbound::Inbound;
    use crate::sync::status::Held;

    fn said(check: &Check) -> String {
        format!("{} → {}", check.found, check.fix.as_deref().unwrap_or_default())
    }

    #[test]
    fn webhooks_are_judged_by_what_is_there_and_by_the_secret() {
        let check = |there, has_secret: bool, expected: State, part: &str| {
            let check = registered(System::Hubspot, &Known { has_secret, there });
            assert_eq!(check.state, expected, "{}", said(&check));
            assert!(said(&check).contains(part), "{}", said(&check));
        };
        let elsewhere = || Finding::Elsewhere("old.example.com".to_owned());
        check(Ok(vec![]), true, State::Good, "set up and active");
        check(Ok(vec![]), false, State::Warning, "no secret is kept");
        check(
            Ok(vec![Finding::Unregistered]),
            false,
            State::Warning,
            "`opstables connect webhooks hubspot` sets",
        );
        check(Ok(vec![elsewhere()]), true, State::Warning, "old.example.com");
        check(Ok(vec![elsewhere()]), true, State::Warning, "--replace");
        check(Ok(vec![Finding::Failing]), true, State::Warning, "must be reached");
        check(Ok((0..5).map(|_| elsewhere()).collect()), true, State::Warning, "2 more");
        check(Err(Unseen::NotSet("A_KEY")), true, State::Good, "not looked at: A_KEY is not set");
        check(Err(Unseen::NotSet("A_KEY")), false, State::Good, "read by the schedule");
        check(Err(Unseen::Failed("refused".to_owned())), true, State::Warning, "refused");
    }

    #[test]
    fn what_does_not_come_in_is_told_with_what_helps() {
        let check = |inbound: Inbound, held: Option<&str>, has_secret: bool, expected: State, part: &str| {
            let held =
                held.map(|reason| Held { reason: reason.to_owned(), since: chrono::DateTime::UNIX_EPOCH });
            let connected =
                Connected { held, inbound, ..super::super::connections::tests::connected("active") };
            let check = super::inbound(&connected, has_secret);
            assert_eq!(check.state, expected, "{}", said(&check));
            assert!(said(&check).contains(part), "{}", said(&check));
        };
        let waiting = |secs| Inbound { pending: 2, oldest_pending_secs: Some(secs), ..Inbound::default() };
        let refused = |reason: &str| Inbound {
            refused: BTreeMap::from([(reason.to_owned(), 7)]),
            ..Inbound::default()
        };
        let dead = || Inbound { dead: 1, ..Inbound::default() };
        check(Inbound::default(), None, true, State::Good, "nothing waits");
        check(waiting(10), None, true, State::Good, "2 events wait");
        check(waiting(301), None, true, State::Warning, "opstables worker");
        check(dead(), None, true, State::Warning, "opstables sync retry --system hubspot");
        check(dead(), Some("too much"), true, State::Warning, "held back: too much");
        check(dead(), Some("too much"), true, State::Warning, "opstables sync resume --system hubspot");
        check(refused("bad_signature"), None, true, State::Warning, "7 bad_signature");
        check(refused("no_secret"), None, false, State::Warning, "connect webhooks hubspot");
        check(refused("no_secret"), None, true, State::Good, "7 no_secret");
        check(refused("not_followed"), None, true, State::Good, "7 not_followed");
    }
}
