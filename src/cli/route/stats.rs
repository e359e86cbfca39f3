//! Which way messages went, and whether their texts are kept.

use chrono::Duration;
use serde::Serialize;

use super::super::Status;
use super::super::grid::Grid;
use super::super::output::{FAINT, harmless, styled, width};
use super::super::session::Session;
use crate::error::Result;
use crate::store::routed::{self, RoutedCount};

/// How many messages without an answer are shown.
const SHOWN: i64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kept {
    Texts,
    Hashes,
}

#[derive(Debug, Serialize)]
struct Stats {
    days: u16,
    messages: i64,
    keeps_texts: bool,
    ways: Vec<Way>,
    /// Texts that neither a table nor a skill answered, where texts are kept.
    unanswered: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Way {
    step: String,
    to: String,
    messages: i64,
    distinct: i64,
    share: f64,
    mean_confidence: f64,
    mean_latency_us: f64,
    max_latency_us: i64,
}

pub(super) async fn run(session: &Session, days: u16) -> Result<Status> {
    let connection = session.connect().await?;
    let ctx = connection.person();
    let since = ctx.services.clock.now() - Duration::days(days.into());
    let mut tx = ctx.services.store.read().await?;
    let counts = routed::counts(&mut tx, connection.org, since).await?;
    let messages = counts.iter().map(|count| count.messages).sum();
    let stats = Stats {
        days,
        messages,
        keeps_texts: routed::keeps_messages(&mut tx, connection.org).await?,
        ways: counts.into_iter().map(|count| way(count, messages)).collect(),
        unanswered: routed::unanswered(&mut tx, connection.org, since, SHOWN).await?,
    };
    drop(tx);
    session.output.result(&stats, || show(&stats))?;
    Ok(Status::Done)
}

/// Keeps texts from now on, or forgets those kept so far.
pub(super) async fn keep(session: &Session, what: Kept) -> Result<Status> {
    let connection = session.connect().await?;
    let ctx = connection.person();
    let mut tx = ctx.services.store.begin().await?;
    routed::keep_messages(&mut tx, connection.org, what == Kept::Texts).await?;
    tx.commit().await?;
    session.output.line(match what {
        Kept::Texts => "the texts of routed messages are kept from now on",
        Kept::Hashes => "only hashes of routed messages are kept; the texts kept so far are gone",
    })?;
    Ok(Status::Done)
}

fn way(count: RoutedCount, messages: i64) -> Way {
    let to = match (&count.table_key, &count.operation, &count.skill_key) {
        (Some(table), Some(operation), _) => format!("{operation} {table}"),
        (_, _, Some(skill)) => skill.clone(),
        _ => String::new(),
    };
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = count.messages as f64 / messages.max(1) as f64;
    Way {
        step: count.step,
        to,
        messages: count.messages,
        distinct: count.distinct_messages,
        share,
        mean_confidence: count.mean_confidence,
        mean_latency_us: count.mean_latency_us,
        max_latency_us: count.max_latency_us,
    }
}

fn show(stats: &Stats) -> String {
    if stats.messages == 0 {
        return format!("no message was routed in the last {} days", stats.days);
    }
    let mut grid =
        Grid::new(["step", "to", "messages", "distinct", "share", "confidence", "mean µs", "max µs"]);
    for way in &stats.ways {
        grid.row([
            way.step.clone(),
            way.to.clone(),
            way.messages.to_string(),
            way.distinct.to_string(),
            format!("{:.0} %", way.share * 100.0),
            format!("{:.2}", way.mean_confidence),
            format!("{:.0}", way.mean_latency_us),
            way.max_latency_us.to_string(),
        ]);
    }
    let mut lines = vec![grid.render(width())];
    if !stats.unanswered.is_empty() {
        lines.push(String::new());
        lines.push("Without an answer:".to_owned());
        lines.extend(stats.unanswered.iter().map(|text| format!("  {}", harmless(text))));
    } else if !stats.keeps_texts {
        lines.push(styled(FAINT, "texts are not kept; `opstables route keep texts` changes that"));
    }
    lines.join("\n")
}
