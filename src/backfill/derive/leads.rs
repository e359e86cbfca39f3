//! Leads: with what their meetings say of them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Page, Record, Records, Said, Source, moment};
use crate::error::Result;
use crate::tables::company_domain;

const OWN: &[(&str, &str)] = &[
    ("contact_name", "contact_name"),
    ("contact_email", "contact_email"),
    ("meeting_title", "meeting_title"),
    ("meeting_start", "meeting_start"),
    ("status", "status"),
    ("priority", "priority"),
    ("created_at", "created_at"),
];
/// Where a lead came from, best first.
pub(super) const SOURCES: &[&str] = &["booking_link_name", "source_channel", "utm_source", "external_source"];
const MEETING: &[&str] =
    &["id", "lead_id", "share_url", "transcript_text?", "start_time", "duration_minutes", "status"];
const ATTENDEE: &[&str] = &["meeting_id", "attended"];

pub(super) async fn page(
    source: &Source,
    after: Option<&str>,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Page> {
    let leads = source.page("leads", after, limit).await?;
    let meetings = meetings(source, &leads).await?;
    let [by_id, by_lead] = [meetings[0].by("id"), meetings[1].by("lead_id")];
    let attended = attended(source, &meetings).await?;
    let attended = attended.groups("meeting_id");
    let records = leads.iter().map(|lead| {
        let linked = lead.get("meeting_id").and_then(|id| by_id.get(id));
        let meeting = linked.or_else(|| by_lead.get(lead.get("id")?)).copied();
        let mut said = Said::of(&lead);
        said.say_own(&lead, OWN);
        let domain = lead.get("domain").or_else(|| company_domain(lead.get("contact_email")?));
        said.say("domain", domain);
        said.say("source", lead.first(SOURCES));
        said.say_member("owner", lead.get("owner_id"));
        said.say("meeting_recording_url", meeting.and_then(|meeting| meeting.get("share_url")));
        said.say("meeting_outcome", outcome(&lead, meeting, &attended, now));
        said
    });
    Ok(Page::of(records.collect(), &[&leads]))
}

/// The meetings that leads name, and those that name leads.
async fn meetings(source: &Source, leads: &Records) -> Result<[Records; 2]> {
    let named =
        source.among("meetings", MEETING, "id", ("leads", "meeting_id"), leads.values("meeting_id")).await?;
    let unnamed =
        leads.iter().filter(|lead| lead.get("meeting_id").is_none()).filter_map(|lead| lead.get("id"));
    let naming = source.among("meetings", MEETING, "lead_id", ("leads", "id"), unnamed).await?;
    Ok([named, naming])
}

/// Who came, where the source says that.
async fn attended(source: &Source, meetings: &[Records; 2]) -> Result<Records> {
    let ids = meetings.iter().flat_map(|meetings| meetings.values("id"));
    let wanted = source.has("meeting_attendees", "attended");
    let ids = ids.filter(|_| wanted);
    source.among("meeting_attendees", ATTENDEE, "meeting_id", ("meetings", "id"), ids).await
}

/// What became of the lead's meeting: as the lead says, else as its meeting shows.
fn outcome<'a>(
    lead: &Record<'a>,
    meeting: Option<Record<'a>>,
    attended: &HashMap<&str, Vec<Record<'_>>>,
    now: DateTime<Utc>,
) -> Option<&'a str> {
    if let Some(given) = lead.get("meeting_outcome") {
        return Some(given);
    }
    let status = meeting.and_then(|meeting| meeting.get("status"));
    if lead.get("status").is_some_and(is_cancelled) || status.is_some_and(is_cancelled) {
        return Some("cancelled");
    }
    let starts = meeting.and_then(|meeting| meeting.get("start_time")).or_else(|| lead.get("meeting_start"));
    let starts = starts.and_then(moment)?;
    if starts > now {
        return Some("scheduled");
    }
    let was_held = meeting.is_some_and(|meeting| {
        let is_kept = meeting.get("share_url").is_some() || meeting.get("transcript_text?").is_some();
        is_kept || (ended(&meeting, starts) <= now && came(&meeting, attended))
    });
    Some(if was_held { "completed" } else { "no_show" })
}

pub(super) fn is_cancelled(status: &str) -> bool {
    matches!(status.to_lowercase().as_str(), "cancelled" | "canceled")
}

fn ended(meeting: &Record<'_>, starts: DateTime<Utc>) -> DateTime<Utc> {
    let minutes = meeting.get("duration_minutes").and_then(|minutes| minutes.parse::<f64>().ok());
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a meeting, kept within a week")]
    let minutes = minutes.unwrap_or(0.0).clamp(0.0, 10_080.0) as i64;
    starts + TimeDelta::minutes(minutes)
}

fn came(meeting: &Record<'_>, attended: &HashMap<&str, Vec<Record<'_>>>) -> bool {
    let attendees = meeting.get("id").and_then(|id| attended.get(id));
    attendees.is_some_and(|attendees| attendees.iter().any(|attendee| attendee.is_true("attended")))
}
