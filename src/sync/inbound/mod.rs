//! Takes in what waits in the inbox: claim, write what the events tell themselves, read the records that they only name.
//!
//! Events come late, twice and in any order; what they come to does not depend on it, because each is one more writer's edit
//! with its own moment. What is taken in is marked so in the transaction that takes it in, and only by whoever holds the
//! event's lease, so that each has its effect once.

mod figures;
mod stories;
mod story;

use super::access::{Access, access};
use super::arrive::{How, read_in};
use super::breaker;
use super::deliver::{Turn, jitter, note};
use super::engine::Engine;
use super::fault::Fault;
use super::pace::{Limit, retry_ms};
use crate::error::{Code, Error, Result};
use crate::store::inbox::{self, Handled, State};
use crate::store::{Org, hooks};
use crate::tables::{Object, System};

pub use figures::{Inbound, figures};
use stories::{Heard, hear};
use story::{Story, stories};

/// How long a worker may take for what it claims.
const LEASE_MS: i64 = 50_000;
/// How often an event is tried that cannot be taken in, before it waits for a person.
const ATTEMPTS_MAX: i64 = 10;

/// One turn for one connection: the events whose time has come, up to what the account's limit lets be read.
pub async fn inbound(engine: &Engine, org: Org, system: System, limit: &mut Limit) -> Result<Turn> {
    let now_ms = engine.clock.now_ms();
    {
        let mut tx = engine.store.read().await?;
        let is_held = hooks::get(&mut tx, org, system.name()).await?.is_some_and(|row| row.held_at.is_some());
        let due = inbox::next_due_ms(&mut tx, org, system.name()).await?;
        match due {
            _ if is_held => return Ok(Turn::Idle(None)),
            None => return Ok(Turn::Idle(None)),
            Some(due) if due > now_ms => return Ok(Turn::Idle(Some(due))),
            Some(_) => {}
        }
    }
    let access = match access(engine, org, system).await? {
        Ok(access) => access,
        Err(fault) => return refused(engine, (org, system), &fault, false, limit).await,
    };
    let events = claim(engine, org, system, most(system)).await?;
    let claimed = events.len();
    if claimed == 0 {
        return Ok(Turn::Idle(None));
    }
    let unread = write(engine, org, &access, stories(system, events, access.writer.as_deref())).await?;
    if unread.is_empty() {
        return Ok(Turn::Worked(claimed));
    }
    let now_ms = engine.clock.now_ms();
    if limit.free(now_ms) == 0 {
        let opens_ms = limit.opens_ms(now_ms);
        let events: Vec<Handled> =
            unread.iter().flat_map(|story| &story.events).map(|event| again(event, opens_ms)).collect();
        settle(engine, org, system, &events).await?;
        return Ok(Turn::Closed(opens_ms));
    }
    match read(engine, org, &access, unread, limit).await? {
        Some(fault) => refused(engine, (org, system), &fault, access.can_refresh, limit).await,
        None => Ok(Turn::Worked(claimed)),
    }
}

/// How many events are claimed at once: at `Attio` each of them may be a record to be read by itself.
const fn most(system: System) -> i64 {
    match system {
        System::Hubspot => 500,
        System::Attio => 50,
    }
}

async fn claim(engine: &Engine, org: Org, system: System, most: i64) -> Result<Vec<inbox::Inbound>> {
    let now_ms = engine.clock.now_ms();
    let mut tx = engine.store.begin().await?;
    inbox::expire(&mut tx, org, system.name(), now_ms).await?;
    let events = inbox::claim(&mut tx, org, system.name(), now_ms, LEASE_MS, most).await?;
    tx.commit().await?;
    Ok(events)
}

/// Writes what the stories tell themselves; those are returned whose records are to be read. When the database refuses one,
/// the others go on without it.
async fn write(engine: &Engine, org: Org, access: &Access, stories: Vec<Story>) -> Result<Vec<Story>> {
    let whole = stories.iter().collect::<Vec<_>>();
    let unread = match write_some(engine, org, access, &whole).await {
        Ok(unread) => unread,
        Err(error) if stories.len() < 2 => {
            put_off(engine, org, access.system, &stories, &error).await?;
            Vec::new()
        }
        Err(_) => {
            let mut unread = Vec::new();
            for (place, story) in stories.iter().enumerate() {
                match write_some(engine, org, access, &[story]).await {
                    Ok(one) => unread.extend(one.into_iter().map(|_| place)),
                    Err(error) => {
                        put_off(engine, org, access.system, std::slice::from_ref(story), &error).await?;
                    }
                }
            }
            unread
        }
    };
    let kept = stories.into_iter().enumerate().filter(|(place, _)| unread.contains(place));
    Ok(kept.map(|(_, story)| story).collect())
}

/// Writes stories in one transaction with the mark that they were; the places of those that are to be read.
async fn write_some(engine: &Engine, org: Org, access: &Access, stories: &[&Story]) -> Result<Vec<usize>> {
    let (mut tx, catalog) = engine.catalogs.begin(&engine.store, org, engine.clock.now()).await?;
    let Heard { unread, told, changed } = hear(engine, &mut tx, &catalog, access, stories).await?;
    if breaker::is_too_much(engine, &mut tx, (org, access.system), &changed).await? {
        drop(tx);
        let events = stories.iter().flat_map(|story| &story.events);
        let events: Vec<Handled> = events.map(|event| again(event, event.received_ms)).collect();
        settle(engine, org, access.system, &events).await?;
        breaker::hold(engine, org, access.system).await?;
        return Ok(Vec::new());
    }
    let read = stories.iter().enumerate().filter(|(place, _)| !unread.contains(place));
    let events: Vec<Handled> = read.flat_map(|(_, story)| &story.events).map(done).collect();
    let now_ms = engine.clock.now_ms();
    let held = inbox::settle(&mut tx, org, access.system.name(), &events, now_ms).await?;
    if held != u64::try_from(events.len()).unwrap_or(u64::MAX) {
        // Another worker has taken them over: what it does counts, and this does not.
        return Ok(Vec::new());
    }
    tx.commit().await?;
    if told {
        engine.wake();
    }
    Ok(unread)
}

/// Reads the records of stories, some at a time, and takes them in; the fault that stopped it. What was read until then is
/// done.
async fn read(
    engine: &Engine,
    org: Org,
    access: &Access,
    stories: Vec<Story>,
    limit: &mut Limit,
) -> Result<Option<Fault>> {
    let mut stopped = None;
    for &object in Object::READ {
        let of_object: Vec<&Story> = stories.iter().filter(|story| story.object == object).collect();
        for some in of_object.chunks(at_once(access.system)) {
            match &stopped {
                None => stopped = read_some(engine, org, access, (object, some), limit).await?,
                Some(fault) => put_back(engine, org, access.system, some, fault).await?,
            }
        }
    }
    Ok(stopped)
}

async fn read_some(
    engine: &Engine,
    org: Org,
    access: &Access,
    (object, stories): (Object, &[&Story]),
    limit: &mut Limit,
) -> Result<Option<Fault>> {
    let mut records: Vec<String> = stories.iter().map(|story| story.reads().to_owned()).collect();
    records.sort_unstable();
    records.dedup();
    limit.call(calls(access.system, records.len()), engine.clock.now_ms());
    let events = || stories.iter().flat_map(|story| &story.events);
    let handled: Vec<Handled> = match read_in(engine, org, access, object, &records, How::told(engine)).await
    {
        // What is held back waits until a person has looked.
        Ok(Ok(taken)) if taken.is_held => events().map(|event| again(event, event.received_ms)).collect(),
        Ok(Ok(_)) => events().map(done).collect(),
        Ok(Err(fault)) => {
            put_back(engine, org, access.system, stories, &fault).await?;
            return Ok(Some(fault));
        }
        Err(error) => {
            for story in stories {
                put_off(engine, org, access.system, std::slice::from_ref(*story), &error).await?;
            }
            return Ok(None);
        }
    };
    settle(engine, org, access.system, &handled).await?;
    Ok(None)
}

/// Has stories read later, for a reason that is not theirs.
async fn put_back(
    engine: &Engine,
    org: Org,
    system: System,
    stories: &[&Story],
    fault: &Fault,
) -> Result<()> {
    let at_ms = engine.clock.now_ms() + retry_ms(0, fault, jitter(engine));
    let events: Vec<Handled> =
        stories.iter().flat_map(|story| &story.events).map(|event| again(event, at_ms)).collect();
    settle(engine, org, system, &events).await
}

/// How many records are read before what they held is taken in: `Attio` allows a hundred calls a second, and a record takes
/// about as many of them as it has columns.
const fn at_once(system: System) -> usize {
    match system {
        System::Hubspot => 100,
        System::Attio => 8,
    }
}

/// About how many calls it takes to read records.
fn calls(system: System, records: usize) -> usize {
    match system {
        System::Hubspot => 1 + records / 50,
        System::Attio => records,
    }
}

/// Notes on the connection that it could not be asked; the events wait.
async fn refused(
    engine: &Engine,
    of: (Org, System),
    fault: &Fault,
    can_refresh: bool,
    limit: &mut Limit,
) -> Result<Turn> {
    let until_ms = limit.failed(fault, jitter(engine), engine.clock.now_ms());
    let mut tx = engine.store.begin().await?;
    note(engine, &mut tx, of, Some(fault), (can_refresh, until_ms)).await?;
    tx.commit().await?;
    Ok(Turn::Closed(until_ms))
}

/// Has stories tried again later that could not be taken in, or leaves them to a person.
async fn put_off(engine: &Engine, org: Org, system: System, stories: &[Story], error: &Error) -> Result<()> {
    // By its code alone: a message may name values.
    tracing::warn!(code = ?error.code, cause = ?error.cause(), "an event could not be taken in");
    let now_ms = engine.clock.now_ms();
    let events = stories.iter().flat_map(|story| &story.events).map(|event| {
        // That the database is busy is no fault of the event.
        let attempts = event.attempts + i64::from(error.code != Code::Busy);
        let is_over = attempts >= ATTEMPTS_MAX;
        Handled {
            state: if is_over { State::Dead } else { State::Pending },
            attempts,
            run_after_ms: now_ms + (1_000_i64 << attempts.clamp(0, 11)),
            error: Some(format!("{:?}", error.code).to_lowercase()),
            ..done(event)
        }
    });
    let events: Vec<Handled> = events.collect();
    settle(engine, org, system, &events).await
}

async fn settle(engine: &Engine, org: Org, system: System, events: &[Handled]) -> Result<()> {
    let now_ms = engine.clock.now_ms();
    let mut tx = engine.store.begin().await?;
    inbox::settle(&mut tx, org, system.name(), events, now_ms).await?;
    tx.commit().await
}

fn done(event: &inbox::Inbound) -> Handled {
    Handled {
        id: event.id,
        fence: event.fence,
        state: State::Done,
        run_after_ms: event.received_ms,
        attempts: event.attempts,
        error: None,
    }
}

fn again(event: &inbox::Inbound, run_after_ms: i64) -> Handled {
    Handled { state: State::Pending, run_after_ms, ..done(event) }
}
