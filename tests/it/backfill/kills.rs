//! A backfill that is stopped anywhere goes on behind what is stored, and ends as one that was never stopped.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opstables::backfill::{self, Host, Settings};
use opstables::clock::Clock;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use super::edits::many;
use super::{changed, contents, count_of, counts, host, run};
use crate::harness::{Bench, on_both};
use crate::schedules::dice::Dice;

const RECORDS: u32 = 150;
const KILLS: usize = 10;

on_both! {
    async fn dropped_ten_times_it_ends_the_same(t: Bench) {
        let folder = TempDir::new().unwrap();
        let settings = Settings { batch: Some(6), ..many(RECORDS).to_folder(folder.path()) };
        let expected = uninterrupted(&t, &settings).await;
        let mut dice = Dice::new(5);
        for kill in 0..KILLS {
            // Stopped while it works, after so many batches and a moment.
            let batches = Arc::new(AtomicU64::new(0));
            let noted = Arc::clone(&batches);
            let progress = move |_: u64, _: Option<u64>, _: &str| {
                noted.fetch_add(1, Ordering::SeqCst);
            };
            let host = Host { progress: Arc::new(progress), ..host(&t) };
            let (until, moment) = (dice.roll(6) as u64, Duration::from_micros(dice.roll(4_000) as u64));
            let working = backfill::run(&host, &settings, &[], false);
            let stop = async {
                while batches.load(Ordering::SeqCst) < until {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                tokio::time::sleep(moment).await;
            };
            tokio::select! {
                done = working => panic!("it ended before kill {kill}: {done:?}"),
                () = stop => {}
            }
        }
        let report = run(&t, &settings).await;
        assert!(report.is_resumed && report.state == "done", "{report:?}");
        assert_eq!(counts(&report, "leads"), [i64::from(RECORDS), i64::from(RECORDS), 0, 0, 0, 0]);
        assert_eq!(contents(&t).await, expected);
        assert_eq!(changed(&run(&t, &settings).await), 0);
    }

    async fn killed_for_real_it_ends_the_same(t: Bench) {
        // By the same clock as the program's: what time is it decides about signals.
        let t = Bench::process(&t.database_url, t.org, &Clock::System);
        let folder = TempDir::new().unwrap();
        let settings = many(RECORDS).to_folder(folder.path());
        let expected = uninterrupted(&t, &settings).await;
        let before = count_of(&t, "dynamic_table_rows").await.parse::<i64>().unwrap();
        let place = folder.path().display().to_string();
        let command = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
            command.args(["backfill", "--batch", "4", "--json", "--from", &place]);
            command.env("OPSTABLES_DATABASE_URL", &t.database_url).env("OPSTABLES_ORG", "acme");
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
            command
        };
        for kill in 0..3 {
            let mut child = command().spawn().expect("the program");
            // Killed as soon as something of this life is stored.
            let stored = before + 20 * (kill + 1);
            while count_of(&t, "dynamic_table_rows").await.parse::<i64>().unwrap() < stored {
                assert!(child.try_wait().unwrap().is_none(), "it ended before kill {kill}");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            child.kill().await.expect("a kill");
        }
        let done = command().output().await.expect("the program");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&report["state"], &report["is_resumed"]), (&json!("done"), &json!(true)));
        assert_eq!(contents(&t).await, expected);
    }

    async fn a_cancelled_run_stops_and_goes_on(t: Bench) {
        let folder = TempDir::new().unwrap();
        let settings = Settings { batch: Some(5), ..many(RECORDS).to_folder(folder.path()) };
        let (asking, batches) = (host(&t), Arc::new(tokio::sync::Notify::new()));
        let noted = Arc::clone(&batches);
        let working = Host { progress: Arc::new(move |done, _, _| if done > 20 { noted.notify_one() }), ..host(&t) };
        let again = settings.clone();
        let task = tokio::spawn(async move { backfill::run(&working, &again, &[], false).await });
        batches.notified().await;
        assert!(backfill::cancel(&asking).await.unwrap());
        let error = task.await.unwrap().expect_err("a cancelled run");
        assert_eq!(error.message, "the backfill was cancelled");
        let status = backfill::status(&asking).await.unwrap().expect("a run");
        assert_eq!(status.state, "cancelled");
        assert!(!backfill::cancel(&asking).await.unwrap());
        let report = run(&t, &settings).await;
        assert_eq!((&report.id, report.state.as_str()), (&status.id, "done"));
        assert_eq!(counts(&report, "meetings")[1], i64::from(RECORDS));
        // Finished, the next one begins anew, and so does one that is told to.
        assert_ne!(run(&t, &settings).await.id, report.id);
        let restarted = backfill::run(&asking, &settings, &[], true).await.unwrap();
        assert!(!restarted.is_resumed);
    }
}

/// What the tables hold after a run that nobody stopped, in an organization of its own.
async fn uninterrupted(
    t: &Bench,
    settings: &Settings,
) -> std::collections::BTreeMap<&'static str, Vec<String>> {
    let (org, _) = t.app.create_organization("calm", "Calm", chrono_tz::UTC).await.expect("an organization");
    let calm = t.within(org);
    run(&calm, settings).await;
    contents(&calm).await
}
