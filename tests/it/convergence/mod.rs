//! A cell that is edited in the app and in two CRMs, whose events come late, twice and out of order and whose answers get
//! lost, ends with one value on all three sides, and every edit that nobody had seen is named.
//!
//! `OPSTABLES_HISTORIES` says how many histories there are; `OPSTABLES_SEED` runs a single one again.

mod database;
mod memory;
mod world;

use std::io::Write;

use database::Database;
use memory::Memory;
use opstables::tables::System;
use world::World;

use crate::connections::connect;
use crate::harness::{Bench, on_both};

const IN_MEMORY: u64 = 100_000;
/// Enough for every kind of thing to happen; `OPSTABLES_HISTORIES=5000` is what a release is held to.
const IN_A_DATABASE: u64 = 300;

#[tokio::test]
async fn every_history_in_memory_converges_and_names_what_was_lost() {
    for seed in seeds(IN_MEMORY) {
        let seed = Seed(seed);
        World::new(seed.0, Memory::default()).play().await;
    }
}

on_both! {
    async fn every_history_in_a_database_ends_as_in_memory(t: Bench) {
        for system in System::ALL {
            connect(&t, *system, "token").await;
        }
        for seed in seeds(IN_A_DATABASE) {
            let seed = Seed(seed);
            World::new(seed.0, Database::new(&t, seed.0).await).play().await;
        }
    }
}

fn seeds(count: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("OPSTABLES_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("OPSTABLES_HISTORIES").unwrap_or(count),
    }
}

/// Names the history that failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(writeln!(std::io::stderr(), "the failed history alone: OPSTABLES_SEED={}", self.0));
        }
    }
}
