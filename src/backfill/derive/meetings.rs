//! Meetings: with the person met, whom several records may name.

use std::collections::HashMap;

use super::{Page, Record, Records, Said, Saying, Source, texts};
use crate::error::Result;

const OWN: &[(&str, &str)] = &[
    ("title", "title"),
    ("meeting_date", "start_time"),
    ("duration_minutes", "duration_minutes"),
    ("recording_url", "share_url"),
    ("transcript", "transcript_text"),
];
const LEAD: &[&str] = &[
    "id",
    "meeting_id",
    "created_at",
    "contact_name",
    "contact_email",
    "booking_link_name",
    "source_channel",
    "utm_source",
];
const LEAD_SOURCES: &[&str] = &["booking_link_name", "source_channel", "utm_source"];
const CONTACT: &[&str] = &["id", "first_name", "last_name", "email", "company_id", "first_name+last_name"];
const COMPANY: &[&str] = &["id", "name"];
const ATTENDEE: &[&str] = &["meeting_id", "id", "email", "name", "is_external"];
const PROFILE: &[&str] = &["id", "email"];
/// Where no lead says otherwise.
const DIRECT: &str = "Direct";

/// What the meetings of a page refer to.
struct Referred {
    by_lead: Records,
    named_leads: Records,
    contacts: Records,
    attendees: Records,
    owners: Records,
    namesakes: Records,
}

/// The person met: a name, an address, or both, and the contact if it is a known one.
#[derive(Default)]
struct Met {
    name: Option<String>,
    email: Option<String>,
    company_id: Option<String>,
}

pub(super) async fn page(source: &Source, after: Option<&str>, limit: usize) -> Result<Page> {
    let meetings = source.page("meetings", after, limit).await?;
    let referred = refer(source, &meetings).await?;
    let chosen = referred.choose(&meetings);
    let addresses = addresses(source, &meetings, &chosen).await?;
    let by_address = by_address(&addresses);
    let company_of = |meeting: &Record<'_>, met: &Met| {
        let own = meeting.get("company_id").map(str::to_owned);
        let theirs = || {
            let known = met.email.as_ref().and_then(|email| by_address.get(&email.to_lowercase()));
            known.and_then(|contact| contact.get("company_id")).map(str::to_owned)
        };
        own.or_else(|| met.company_id.clone()).or_else(theirs)
    };
    let company_ids: Vec<Option<String>> =
        meetings.iter().zip(&chosen).map(|(meeting, met)| company_of(&meeting, met)).collect();
    let ids = company_ids.iter().flatten().map(String::as_str);
    let companies = source.among("companies", COMPANY, "id", ("meetings", "company_id"), ids).await?;
    let companies = companies.by("id");
    let leads = referred.leads(&meetings);
    let records = meetings.iter().zip(&chosen).zip(company_ids.iter().zip(&leads));
    let records = records.map(|((meeting, met), (company, lead))| {
        let mut said = Said::of(&meeting);
        said.say_own(&meeting, OWN);
        said.say("contact_name", met.name.as_deref());
        said.say("contact_email", met.email.as_deref());
        let company = company.as_deref().and_then(|id| companies.get(id));
        said.say("contact_company", company.and_then(|company| company.get("name")));
        said.say("sentiment", meeting.get("sentiment_score").and_then(texts::sentiment));
        said.say("summary", meeting.get("summary").and_then(texts::plain).as_deref());
        let actions = meeting.get("next_actions").map(texts::list).unwrap_or_default();
        let actions = if actions.is_empty() { Saying::Nothing } else { Saying::List(actions) };
        said.cells.push(("next_actions", actions));
        said.say_member("owner", meeting.get("owner_user_id"));
        said.say("lead_source", lead.and_then(|lead| lead.first(LEAD_SOURCES)).or(Some(DIRECT)));
        said
    });
    Ok(Page::of(records.collect(), &[&meetings]))
}

/// Looks up what the meetings refer to, the whole page at once.
async fn refer(source: &Source, meetings: &Records) -> Result<Referred> {
    let own = ("meetings", "id");
    let by_lead = source.among("leads", LEAD, "meeting_id", own, meetings.values("id")).await?;
    let of = ("meetings", "lead_id");
    let named_leads = source.among("leads", LEAD, "id", of, meetings.values("lead_id")).await?;
    let of = ("meetings", "primary_contact_id");
    let contacts = source.among("contacts", CONTACT, "id", of, meetings.values("primary_contact_id")).await?;
    let attendees =
        source.among("meeting_attendees", ATTENDEE, "meeting_id", own, meetings.values("id")).await?;
    let of = ("meetings", "owner_user_id");
    let owners = source.among("profiles", PROFILE, "id", of, meetings.values("owner_user_id")).await?;
    let nameless = attendees.iter().filter(|attendee| attendee.get("email").is_none());
    let names: Vec<String> = nameless.filter_map(|attendee| attendee.get("name")).map(spaced).collect();
    let key = "first_name+last_name";
    let namesakes = source.among_folded("contacts", CONTACT, key, names.iter().map(String::as_str)).await?;
    Ok(Referred { by_lead, named_leads, contacts, attendees, owners, namesakes })
}

impl Referred {
    /// The lead that each meeting came from; of several the first one.
    fn leads<'a>(&'a self, meetings: &'a Records) -> Vec<Option<Record<'a>>> {
        let named = self.named_leads.by("id");
        let naming = self.by_lead.groups("meeting_id");
        let first = |leads: &Vec<Record<'a>>| {
            leads.iter().min_by_key(|lead| (lead.get("created_at"), lead.get("id"))).copied()
        };
        let lead = |meeting: Record<'a>| {
            let own = meeting.get("lead_id").and_then(|id| named.get(id)).copied();
            own.or_else(|| naming.get(meeting.get("id")?).and_then(first))
        };
        meetings.iter().map(lead).collect()
    }

    /// Whom each meeting was with.
    fn choose(&self, meetings: &Records) -> Vec<Met> {
        let contacts = self.contacts.by("id");
        let attendees = self.attendees.groups("meeting_id");
        let owners = self.owners.by("id");
        let mut namesakes: HashMap<String, Vec<Record<'_>>> = HashMap::new();
        for contact in self.namesakes.iter() {
            let name = full_name(&contact).unwrap_or_default().to_lowercase();
            namesakes.entry(name).or_default().push(contact);
        }
        let leads = self.leads(meetings);
        let met = meetings.iter().zip(&leads).map(|(meeting, lead)| {
            let attendees = meeting.get("id").and_then(|id| attendees.get(id)).map_or(&[][..], Vec::as_slice);
            let owner = meeting.get("owner_user_id").and_then(|id| owners.get(id)?.get("email"));
            let is_owner = |attendee: &Record<'_>| {
                owner
                    .zip(attendee.get("email"))
                    .is_some_and(|(owner, email)| owner.eq_ignore_ascii_case(email))
            };
            let with_email = |attendee: &&Record<'_>| attendee.get("email").is_some();
            let external =
                || attendees.iter().filter(with_email).find(|attendee| attendee.is_true("is_external"));
            let anybody = || attendees.iter().filter(with_email).find(|attendee| !is_owner(attendee));
            let primary = meeting.get("primary_contact_id").and_then(|id| contacts.get(id));
            primary
                .and_then(of_contact)
                .or_else(|| external().or_else(anybody).map(of_attendee))
                .or_else(|| lead.as_ref().and_then(of_lead))
                .or_else(|| by_name(attendees, &namesakes))
        });
        met.map(Option::unwrap_or_default).collect()
    }
}

fn of_contact(contact: &Record<'_>) -> Option<Met> {
    let (name, email) = (full_name(contact), contact.get("email").map(str::to_owned));
    let company_id = contact.get("company_id").map(str::to_owned);
    (name.is_some() || email.is_some()).then_some(Met { name, email, company_id })
}

fn of_attendee(attendee: &Record<'_>) -> Met {
    let own = |key| attendee.get(key).map(str::to_owned);
    Met { name: own("name"), email: own("email"), company_id: None }
}

fn of_lead(lead: &Record<'_>) -> Option<Met> {
    let own = |key| lead.get(key).map(str::to_owned);
    let (name, email) = (own("contact_name"), own("contact_email"));
    (name.is_some() || email.is_some()).then_some(Met { name, email, company_id: None })
}

/// The first attendee known by name alone whose name is that of exactly one contact.
fn by_name(attendees: &[Record<'_>], namesakes: &HashMap<String, Vec<Record<'_>>>) -> Option<Met> {
    attendees.iter().filter(|attendee| attendee.get("email").is_none()).find_map(|attendee| {
        match namesakes.get(&spaced(attendee.get("name")?).to_lowercase())?.as_slice() {
            [only] => of_contact(only),
            _ => None,
        }
    })
}

/// The contacts with the addresses of people whose company is not known yet.
async fn addresses(source: &Source, meetings: &Records, chosen: &[Met]) -> Result<Records> {
    let unknown = meetings
        .iter()
        .zip(chosen)
        .filter(|(meeting, met)| meeting.get("company_id").is_none() && met.company_id.is_none());
    let emails: Vec<&str> = unknown.filter_map(|(_, met)| met.email.as_deref()).collect();
    source.among_folded("contacts", CONTACT, "email", emails).await
}

/// The contacts by their addresses; of several with one the first that has a company.
fn by_address(contacts: &Records) -> HashMap<String, Record<'_>> {
    let mut by: HashMap<String, Record<'_>> = HashMap::new();
    let mut sorted: Vec<Record<'_>> = contacts.iter().collect();
    sorted.sort_by_key(|contact| (contact.get("company_id").is_none(), contact.get("id")));
    for contact in sorted {
        if let Some(email) = contact.get("email") {
            by.entry(email.to_lowercase()).or_insert(contact);
        }
    }
    by
}

fn full_name(contact: &Record<'_>) -> Option<String> {
    let parts: Vec<&str> = ["first_name", "last_name"].iter().filter_map(|key| contact.get(key)).collect();
    (!parts.is_empty()).then(|| spaced(&parts.join(" ")))
}

fn spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}
