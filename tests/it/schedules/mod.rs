//! Random series of writes, each compared with a plain model after its last call: every row, every cell, who
//! wrote it and when. The same series must leave the same rows and the same log on both databases.
//!
//! `OPSTABLES_SCHEDULES` says how many series there are; `OPSTABLES_SEED` runs a single one again.

mod calls;
mod columns;
mod compare;
mod derived;
pub(crate) mod dice;
mod model;

use std::io::Write;
use std::thread;

use opstables::tools::{self, Toolbox, Toolset};

use crate::harness::{Bench, on_postgres, on_sqlite};
use calls::Player;

const SCHEDULES: u64 = 1_000;

#[test]
fn random_schedules_end_as_the_model_says_and_alike_on_both_databases() {
    let on_threads = || {
        let sqlite = thread::spawn(|| run(async |ends| on_sqlite(async |t| play_all(&t, ends).await).await));
        let name = "random_schedules";
        let postgres = run(async |ends| on_postgres(name, async |t| play_all(&t, ends).await).await);
        (sqlite.join(), postgres)
    };
    let (sqlite, postgres) = on_threads();
    let sqlite = sqlite.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    for ((seed, sqlite), (_, postgres)) in sqlite.iter().zip(&postgres) {
        let differs = sqlite.lines().zip(postgres.lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "schedule {seed} ended differently on SQLite and PostgreSQL");
        assert_eq!(sqlite.len(), postgres.len(), "schedule {seed} ended differently");
    }
}

type Ends = Vec<(u64, String)>;

fn run(play: impl AsyncFnOnce(&mut Ends)) -> Ends {
    let mut ends = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(play(&mut ends));
    ends
}

/// Plays every schedule in an organization of its own, and keeps how each ended.
async fn play_all(t: &Bench, ends: &mut Ends) {
    let toolbox = Toolbox::new(tools::all(), Toolset::ALL, false);
    for seed in seeds() {
        let seed = Seed(seed);
        let slug = format!("schedule-{}", seed.0);
        let made = t.app.create_organization(&slug, "Schedule", chrono_tz::UTC).await;
        let (org, _) = made.expect("a new organization");
        let mut player = Player::new(t.within(org), &toolbox, seed.0);
        player.play().await;
        compare::check(&player).await;
        ends.push((seed.0, compare::dump(&player.t).await));
    }
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("OPSTABLES_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("OPSTABLES_SCHEDULES").unwrap_or(SCHEDULES),
    }
}

/// Names the schedule that failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(writeln!(std::io::stderr(), "the failed schedule alone: OPSTABLES_SEED={}", self.0));
        }
    }
}
