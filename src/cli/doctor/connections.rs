//! The check of each connection to a CRM: its state, whether its token opens, and what does not get there.

use super::{Check, webhooks};
use crate::app::App;
use crate::cli::session::Session;
use crate::error::Result;
use crate::store::{ConnectionRow, Org, connections};
use crate::sync::status::{self, Asked, Connected, spoken};
use crate::sync::vault;

/// A change that has waited longer than this is worth a look.
const WAITING_SECS: i64 = 300;

pub(super) async fn all(app: &App, org: Org, session: &Session) -> Result<Vec<Check>> {
    let services = &app.services;
    let mut tx = services.store.read().await?;
    let rows = connections::all(&mut tx, org).await?;
    let status = status::status(&mut tx, org, Asked::default(), services.clock.now()).await?;
    drop(tx);
    let mut checks = Vec::new();
    for connected in &status.connections {
        let row = rows.iter().find(|row| row.system == connected.system.name());
        let sealed = row.and_then(|row| sealed(app, org, session, row));
        // Without its token nothing can be asked of the CRM.
        let is_open = sealed.is_none();
        checks.push(judge(connected, sealed));
        if is_open {
            checks.extend(webhooks::all(&services.sync, org, session, connected).await?);
        }
    }
    Ok(checks)
}

/// Why the connection's token cannot be opened; none when it can. A key that is not there is not made.
fn sealed(app: &App, org: Org, session: &Session, row: &ConnectionRow) -> Option<String> {
    let key_file = &session.config.sync.key_file;
    let is_set = std::env::var(vault::VARIABLE).is_ok_and(|text| !text.trim().is_empty());
    if !is_set && !key_file.exists() {
        return Some(format!("the key file {} is not there", key_file.display()));
    }
    let opened = app.services.sync.vault().and_then(|vault| vault.open(org, row.id, &row.tokens));
    opened.err().map(|error| error.message)
}

fn judge(connected: &Connected, sealed: Option<String>) -> Check {
    let system = connected.system;
    let sum = |of: fn(&status::Figures) -> i64| connected.tables.iter().map(of).sum::<i64>();
    let (waiting, dead) = (sum(|it| it.pending + it.sending), sum(|it| it.dead));
    let oldest = connected.tables.iter().filter_map(|it| it.oldest_pending_secs).max().unwrap_or(0);
    let state = match &connected.reason {
        Some(reason) if connected.state == "broken" => format!("broken: {reason}"),
        _ => connected.state.clone(),
    };
    let mut parts = vec![format!("{} ({})", connected.account_name, connected.account), state];
    parts.push(format!("{} linked", sum(|it| it.linked)));
    if waiting > 0 {
        parts.push(format!("{waiting} waiting, the oldest for {}", spoken(oldest)));
    }
    if dead > 0 {
        parts.push(format!("{dead} refused"));
    }
    let found = parts.join(", ");
    let name = system.name();
    if let Some(why) = sealed {
        let fix = format!(
            "set {} or sync.key_file to the key that it was connected with, or `opstables connect {name}` again",
            vault::VARIABLE
        );
        return Check::fault(name, format!("{found}; {why}"), fix);
    }
    match connected.state.as_str() {
        "broken" => Check::fault(name, found, format!("`opstables connect {name}` with a new token")),
        "paused" => {
            Check::warning(name, found, format!("`opstables sync resume --system {name}` lets it go on"))
        }
        _ if connected.held.is_some() => {
            let fix = format!("look at what it tells, then `opstables sync resume --system {name}`");
            Check::warning(name, format!("{found}, what it tells is held back"), fix)
        }
        _ if dead > 0 => Check::warning(name, found, "`opstables sync status` says what is refused and why"),
        _ if oldest > WAITING_SECS => {
            Check::warning(name, found, "run `opstables worker`, or `opstables serve` with sync.worker on")
        }
        _ => Check::good(name, found),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cli::doctor::State;
    use crate::sync::status::Figures;
    use crate::sync::status::tests::connection;

    /// A connection of which nothing is wrong.
    pub(in crate::cli::doctor) fn connected(state: &str) -> Connected {
        let (state, reason) = (state.to_owned(), Some("revoked".to_owned()));
        Connected { state, reason, tables: Vec::new(), ..connection(Figures::default()) }
    }

    #[test]
    fn a_connection_is_judged_by_its_state_its_token_and_its_lines() {
        let check = |state: &str, figures: Figures, sealed: Option<&str>, expected: State, part: &str| {
            let connected = Connected { tables: vec![figures], ..connected(state) };
            let check = judge(&connected, sealed.map(str::to_owned));
            assert_eq!(check.state, expected, "{}", check.found);
            let said = format!("{} {}", check.found, check.fix.unwrap_or_default());
            assert!(said.contains(part), "{said}");
        };
        let none = Figures { linked: 3, ..Figures::default() };
        let waiting = |secs| Figures { pending: 2, oldest_pending_secs: Some(secs), ..Figures::default() };
        let dead = Figures { dead: 1, ..Figures::default() };
        check("active", none.clone(), None, State::Good, "3 linked");
        check("active", waiting(10), None, State::Good, "2 waiting, the oldest for 10 s");
        check("active", waiting(301), None, State::Warning, "opstables worker");
        check("active", dead.clone(), None, State::Warning, "1 refused");
        check("paused", none.clone(), None, State::Warning, "opstables sync resume");
        check("broken", dead, None, State::Fault, "broken: revoked");
        check("active", none, Some("it cannot be opened"), State::Fault, vault::VARIABLE);
    }
}
