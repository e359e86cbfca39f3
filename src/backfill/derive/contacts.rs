//! Contacts: with the name of their company, and when they were last met.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{Page, Records, Said, Saying, Source, moment};
use crate::error::Result;

const OWN: &[(&str, &str)] = &[
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("email", "email"),
    ("title", "title"),
    ("phone", "phone"),
    ("linkedin_url", "linkedin_url"),
    ("lifecycle_stage", "lifecycle_stage"),
];
const COMPANY: &[&str] = &["id", "name"];
const MEETING: &[&str] = &["id", "primary_contact_id", "start_time", "status"];
const ATTENDEE: &[&str] = &["meeting_id", "email"];

pub(super) async fn page(
    source: &Source,
    after: Option<&str>,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Page> {
    let contacts = source.page("contacts", after, limit).await?;
    let of = ("contacts", "company_id");
    let companies = source.among("companies", COMPANY, "id", of, contacts.values("company_id")).await?;
    let by_id = companies.by("id");
    let met = met(source, &contacts, now).await?;
    let records = contacts.iter().map(|contact| {
        let mut said = Said::of(&contact);
        said.say_own(&contact, OWN);
        let company = contact.get("company_id").and_then(|id| by_id.get(id));
        said.say("company_name", company.and_then(|company| company.get("name")));
        if let Some(at) = contact.get("id").and_then(|id| met.get(id)) {
            said.cells.push(("last_engagement", Saying::Latest(*at)));
        }
        said
    });
    Ok(Page::of(records.collect(), &[&contacts]))
}

/// When each contact was last met: as a meeting's own contact, or as somebody with the same address who attended.
async fn met(
    source: &Source,
    contacts: &Records,
    now: DateTime<Utc>,
) -> Result<HashMap<String, DateTime<Utc>>> {
    let ids = contacts.values("id");
    let own = source.among("meetings", MEETING, "primary_contact_id", ("contacts", "id"), ids).await?;
    let attended =
        source.among_folded("meeting_attendees", ATTENDEE, "email", contacts.values("email")).await?;
    let of = ("meeting_attendees", "meeting_id");
    let meetings = source.among("meetings", MEETING, "id", of, attended.values("meeting_id")).await?;
    let meetings = meetings.by("id");
    let mut by_email: HashMap<String, DateTime<Utc>> = HashMap::new();
    for attendee in attended.iter() {
        let meeting = attendee.get("meeting_id").and_then(|id| meetings.get(id));
        if let (Some(email), Some(at)) =
            (attendee.get("email"), meeting.and_then(|meeting| past(meeting, now)))
        {
            let latest = by_email.entry(email.to_lowercase()).or_insert(at);
            *latest = at.max(*latest);
        }
    }
    let mut met: HashMap<String, DateTime<Utc>> = HashMap::new();
    let mut note = |id: &str, at: DateTime<Utc>| {
        let latest = met.entry(id.to_owned()).or_insert(at);
        *latest = at.max(*latest);
    };
    for meeting in own.iter() {
        if let (Some(id), Some(at)) = (meeting.get("primary_contact_id"), past(&meeting, now)) {
            note(id, at);
        }
    }
    for contact in contacts.iter() {
        let at = contact.get("email").and_then(|email| by_email.get(&email.to_lowercase()));
        if let (Some(id), Some(at)) = (contact.get("id"), at) {
            note(id, *at);
        }
    }
    Ok(met)
}

/// When the meeting was, if it was.
fn past(meeting: &super::Record<'_>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let was_held = !meeting.get("status").is_some_and(super::leads::is_cancelled);
    meeting.get("start_time").and_then(moment).filter(|at| was_held && *at <= now)
}
