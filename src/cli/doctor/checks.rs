//! The checks, in the order in which one rests on another: after a fault, those that rest on it are left out.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::Check;
use crate::app::App;
use crate::backfill::APP;
use crate::cli::session::Session;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::health::{SearchIndex, Server};
use crate::store::{Org, Store, backfills, organizations};
use crate::tables::{Catalog, TABLES};

/// The oldest PostgreSQL that is supported.
const POSTGRES_VERSION_MIN: u32 = 15;
/// How far two clocks may be apart.
const SKEW_MAX: TimeDelta = TimeDelta::seconds(30);
/// No real clock stands before the year this was written.
const YEAR_MIN: i32 = 2026;

pub(super) async fn all(session: &Session) -> Result<Vec<Check>> {
    let app = session.app()?;
    let store = &app.services.store;
    if let Some(file) = store.missing_file() {
        let found = format!("{} is not there yet", file.display());
        return Ok(vec![Check::fault("database", found, "`opstables init` makes it")]);
    }
    let server = match store.server().await {
        Ok(server) => server,
        Err(error) => return Ok(vec![failed("database", &error)]),
    };
    let mut checks = vec![database(&server, store), durability(&server), schema(store).await];
    if checks.iter().any(|check| check.fix.is_some() && check.state == super::State::Fault) {
        return Ok(checks);
    }
    checks.push(search(store).await);
    checks.push(clock(&server, store).await);
    checks.extend(organization(&app, session).await);
    Ok(checks)
}

fn database(server: &Server, store: &Store) -> Check {
    let found = format!("{} {} at {}", server.product, server.version, store.url());
    let digits = server.version.split(|c: char| !c.is_ascii_digit()).next();
    let major: Option<u32> = digits.and_then(|digits| digits.parse().ok());
    match (server.product, major) {
        ("PostgreSQL", Some(major)) if major < POSTGRES_VERSION_MIN => Check::fault(
            "database",
            found,
            format!("upgrade the server to PostgreSQL {POSTGRES_VERSION_MIN} or later"),
        ),
        _ => Check::good("database", found),
    }
}

fn durability(server: &Server) -> Check {
    let settings: Vec<String> =
        server.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let found = settings.join(", ");
    if server.is_durable {
        Check::good("durability", found)
    } else {
        let fix = "a crash can lose acknowledged changes: set fsync and synchronous_commit to on";
        Check::warning("durability", found, fix)
    }
}

async fn schema(store: &Store) -> Check {
    match store.migrations().await {
        Ok(migrations) => {
            let newest = migrations.last().map_or(0, |migration| migration.number);
            let pending = migrations.iter().filter(|migration| !migration.applied).count();
            if pending == 0 {
                return Check::good("schema", format!("version {newest}, current"));
            }
            let found = format!("{pending} of {} migrations are not applied", migrations.len());
            Check::fault("schema", found, "`opstables migrate` applies them")
        }
        Err(error) => failed("schema", &error),
    }
}

async fn search(store: &Store) -> Check {
    match store.search_index().await {
        Ok(SearchIndex::Consistent) => Check::good("search", "the index agrees with the rows"),
        Ok(SearchIndex::Missing) => Check::warning(
            "search",
            "there is no search index, so a search reads every row",
            "have an administrator run `create extension pg_trgm`, then use a new database",
        ),
        Ok(SearchIndex::Broken(fault)) => Check::fault(
            "search",
            format!("the index is damaged: {fault}"),
            "restore the database from a backup, or export and import its tables",
        ),
        Err(error) => failed("search", &error),
    }
}

async fn clock(server: &Server, store: &Store) -> Check {
    let now = Clock::System.now();
    let newest = match store.newest_change().await {
        Ok(newest) => newest,
        Err(error) => return failed("clock", &error),
    };
    judge_clock(now, server.now, newest)
}

fn judge_clock(now: DateTime<Utc>, server: Option<DateTime<Utc>>, newest: Option<DateTime<Utc>>) -> Check {
    let shown = now.format("%Y-%m-%d %H:%M:%S UTC");
    let fix = "set this machine's clock, best by NTP: the newer of two changes wins";
    if now.year() < YEAR_MIN {
        return Check::fault("clock", format!("{shown} cannot be"), fix);
    }
    if let Some(newest) = newest.filter(|&newest| newest > now + SKEW_MAX) {
        return Check::fault("clock", format!("{shown}, but a change was made at {newest}"), fix);
    }
    match server.map(|server| (server - now).abs()).filter(|&skew| skew > SKEW_MAX) {
        Some(skew) => Check::warning("clock", format!("{} s from the database's", skew.num_seconds()), fix),
        None => Check::good("clock", shown.to_string()),
    }
}

/// The organization, its tables and the member the caller acts for.
async fn organization(app: &App, session: &Session) -> Vec<Check> {
    let found = match find(app, session).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            return vec![Check::fault("organization", "there is none yet", "`opstables init` makes one")];
        }
        Err(error) => return vec![failed("organization", &error)],
    };
    let (org, catalog) = found;
    let name = format!("{} ({}), {} members", catalog.name, catalog.zone.name(), catalog.members.len());
    let mut checks = vec![Check::good("organization", name), tables(&catalog)];
    if let Some(user) = &session.config.caller.user {
        checks.push(match app.member(org, user).await {
            Ok(_) => Check::good("user", user),
            Err(error) => failed("user", &error),
        });
    }
    checks.push(match super::derived::check(app, org).await {
        Ok(check) => check,
        Err(error) => failed("derived", &error),
    });
    checks.extend(backfill(app, org).await);
    match super::connections::all(app, org, session).await {
        Ok(connections) => checks.extend(connections),
        Err(error) => checks.push(failed("connections", &error)),
    }
    checks
}

/// How the last backfill ended, where there was one.
async fn backfill(app: &App, org: Org) -> Option<Check> {
    let run = async {
        let mut tx = app.services.store.read().await?;
        backfills::latest(&mut tx, org, APP).await
    };
    let run = match run.await {
        Ok(run) => run?,
        Err(error) => return Some(failed("backfill", &error)),
    };
    let found =
        format!("{} from {}, started {}", run.state, run.place, run.started_at.format("%Y-%m-%d %H:%M UTC"));
    let found = run.error.map_or(found.clone(), |error| format!("{found}: {error}"));
    Some(match run.state.as_str() {
        "done" => Check::good("backfill", found),
        "running" => Check::good("backfill", format!("{found}; `opstables backfill --status` says how far")),
        _ => Check::warning(
            "backfill",
            found,
            "`opstables backfill` with the same source goes on where it stopped",
        ),
    })
}

/// The organization that is meant. Unlike [`App::organization`] this never makes one.
async fn find(app: &App, session: &Session) -> Result<Option<(Org, std::sync::Arc<Catalog>)>> {
    let mut tx = app.services.store.read().await?;
    if organizations::all(&mut tx).await?.is_empty() {
        return Ok(None);
    }
    let org = app.organization(session.config.caller.org.as_deref()).await?;
    let catalog = app.services.catalogs.load(&mut tx, org).await?;
    Ok(Some((org, catalog)))
}

fn tables(catalog: &Catalog) -> Check {
    let named = |wanted: &dyn Fn(&'static str) -> bool| {
        let keys: Vec<&str> = TABLES.iter().map(|table| table.key).filter(|key| wanted(key)).collect();
        keys.join(", ")
    };
    let find = |key: &str| catalog.tables.iter().find(|table| table.key() == key);
    let missing = named(&|key| find(key).is_none_or(|table| !table.deleted && !table.current));
    let deleted = named(&|key| find(key).is_some_and(|table| table.deleted));
    if !missing.is_empty() {
        let found = format!("not of this version: {missing}");
        return Check::warning(
            "tables",
            found,
            "the next call brings them up to date, as does `opstables init`",
        );
    }
    if !deleted.is_empty() {
        let fix =
            "`opstables call manage_tables '{\"action\":\"provision\",\"table\":\"…\"}'` brings one back";
        return Check::warning("tables", format!("deleted: {deleted}"), fix);
    }
    let columns: usize = catalog.tables.iter().map(|table| table.columns.len()).sum();
    Check::good("tables", format!("{} with {columns} columns", catalog.tables.len()))
}

/// A check that could not be made: the error, and its hint as what to do.
fn failed(name: &'static str, error: &Error) -> Check {
    let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
    let fix = error.hint.clone().unwrap_or_else(|| "see the log: run again with --log debug".to_owned());
    Check::fault(name, format!("{}{cause}", error.message), fix)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::cli::doctor::State;

    #[test]
    fn a_clock_is_judged_by_the_changes_and_the_server() {
        let at = |hour, minute| Utc.with_ymd_and_hms(2026, 3, 2, hour, minute, 0).single().unwrap();
        let now = at(10, 0);
        let state = |server, newest| judge_clock(now, server, newest).state;
        assert_eq!(state(None, None), State::Good);
        assert_eq!(state(Some(now), Some(at(9, 0))), State::Good);
        assert_eq!(state(Some(at(10, 5)), None), State::Warning);
        assert_eq!(state(None, Some(at(11, 0))), State::Fault);
        let old = Utc.with_ymd_and_hms(1970, 1, 1, 0, 0, 0).single().unwrap();
        assert_eq!(judge_clock(old, None, None).state, State::Fault);
    }
}
