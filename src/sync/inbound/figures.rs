//! How the taking in of what a CRM tells is doing.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Result;
use crate::store::{Org, Tx, hooks, inbox};
use crate::sync::status::spoken;
use crate::tables::System;

/// What a CRM has told by webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Inbound {
    /// Events that wait to be taken in.
    pub pending: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_pending_secs: Option<i64>,
    /// Events that could not be taken in.
    pub dead: i64,
    /// Deliveries and events that were turned away, by reason: all there were for the reasons of the last day.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, i64>,
}

/// How it is doing now.
pub async fn figures(tx: &mut Tx, org: Org, system: System, now: DateTime<Utc>) -> Result<Inbound> {
    let mut inbound = Inbound::default();
    for count in inbox::counts(tx, org, system.name()).await? {
        match count.state.as_str() {
            "pending" | "leased" => {
                inbound.pending += count.events;
                let age = (now.timestamp_millis() - count.oldest_ms).max(0) / 1_000;
                inbound.oldest_pending_secs = inbound.oldest_pending_secs.max(Some(age));
            }
            "dead" => inbound.dead += count.events,
            _ => {}
        }
    }
    let refusals = hooks::refusals(tx, org, system.name()).await?;
    let recent = refusals.into_iter().filter(|it| now - it.last_at < TimeDelta::days(1));
    inbound.refused = recent.map(|it| (it.reason, it.deliveries)).collect();
    Ok(inbound)
}

impl Inbound {
    /// What is worth telling of it, in words; nothing when all was taken in.
    pub fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(oldest) = self.oldest_pending_secs {
            let wait = if self.pending == 1 { "event waits" } else { "events wait" };
            said.push(format!("{} {wait}, the oldest for {}", self.pending, spoken(oldest)));
        }
        if self.dead > 0 {
            said.push(format!("{} could not be taken in", self.dead));
        }
        if !self.refused.is_empty() {
            let reasons = self.refused.iter().map(|(reason, count)| format!("{count} {reason}"));
            said.push(format!("turned away: {}", reasons.collect::<Vec<_>>().join(", ")));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_did_not_come_in_is_told() {
        assert_eq!(Inbound::default().said(), Vec::<String>::new());
        let refused = BTreeMap::from([("bad_signature".to_owned(), 2), ("stale".to_owned(), 1)]);
        let inbound = Inbound { pending: 1, oldest_pending_secs: Some(130), dead: 3, refused };
        let expected = [
            "1 event waits, the oldest for 2 minutes",
            "3 could not be taken in",
            "turned away: 2 bad_signature, 1 stale",
        ];
        assert_eq!(inbound.said(), expected);
    }
}
