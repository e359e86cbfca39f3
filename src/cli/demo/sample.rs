//! The demonstration's organization: made-up people and companies, with dates that are always recent.
//! The same in every run but for the dates. Every domain ends in `.example`, which belongs to nobody.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value as Json, json};

pub(super) const SLUG: &str = "northwind";
pub(super) const NAME: &str = "Northwind Analytics";
pub(super) const ZONE: chrono_tz::Tz = chrono_tz::Europe::Amsterdam;

/// The members; the first is the one who talks to the copilot.
pub(super) const MEMBERS: &[(&str, &str)] = &[
    ("Maya Okafor", "maya@northwind.example"),
    ("Jonas Lindqvist", "jonas@northwind.example"),
    ("Priya Raman", "priya@northwind.example"),
    ("Tomás Herrera", "tomas@northwind.example"),
    ("Aiko Tanaka", "aiko@northwind.example"),
    ("Samuel Reyes", "samuel@northwind.example"),
];

/// Where most of the leads came from: enough of them for a change that has to be confirmed.
pub(super) const FAIR: &str = "Harbour Expo";

/// The rows of each table, as `save_<table>` takes them, in an order in which one may refer to another.
pub(super) fn tables(now: DateTime<Utc>) -> [(&'static str, Vec<Json>); 5] {
    [
        ("companies", COMPANIES.iter().map(company).collect()),
        ("contacts", (0..CONTACTS.len()).map(|i| contact(i, now)).collect()),
        ("leads", (0..LEADS.len()).map(|i| lead(i, now)).collect()),
        ("meetings", (0..MEETINGS).map(|i| meeting(i, now)).collect()),
        ("clients", (0..CLIENTS.len()).map(|i| client(i, now)).collect()),
    ]
}

/// Name, domain, industry, size, revenue in thousands.
type Company = (&'static str, &'static str, &'static str, &'static str, u32);

const COMPANIES: &[Company] = &[
    ("Larkfield Foods", "larkfield.example", "Food", "medium", 48_000),
    ("Brightwater Marine", "brightwater.example", "Shipping", "large", 310_000),
    ("Cobalt & Pine", "cobaltpine.example", "Furniture", "small", 6_200),
    ("Vantage Optics", "vantageoptics.example", "Manufacturing", "medium", 72_000),
    ("Hollis Freight", "hollisfreight.example", "Logistics", "large", 184_000),
    ("Meridian Clinics", "meridianclinics.example", "Healthcare", "large", 240_000),
    ("Saffron Street", "saffronstreet.example", "Retail", "small", 4_800),
    ("Nordkap Energy", "nordkap.example", "Energy", "enterprise", 1_900_000),
    ("Tidewater Insurance", "tidewater.example", "Insurance", "enterprise", 2_400_000),
    ("Juniper Labs", "juniperlabs.example", "Software", "startup", 900),
    ("Castellan Security", "castellan.example", "Security", "medium", 39_000),
    ("Orchard Schools", "orchardschools.example", "Education", "medium", 27_000),
    ("Pallas Robotics", "pallasrobotics.example", "Robotics", "small", 11_500),
    ("Grünwald Brauerei", "gruenwald.example", "Food", "medium", 33_000),
    ("Cinder Media", "cindermedia.example", "Media", "startup", 1_400),
];

fn company((name, domain, industry, size, revenue): &Company) -> Json {
    json!({
        "name": name, "domain": domain, "website": format!("https://www.{domain}"),
        "industry": industry, "company_size": size, "revenue": u64::from(*revenue) * 1_000,
    })
}

/// First name, last name, company, title.
const CONTACTS: &[(&str, &str, usize, &str)] = &[
    ("Ingrid", "Solheim", 7, "Head of Data"),
    ("Marcus", "Bell", 0, "Operations Director"),
    ("Leila", "Haddad", 5, "CIO"),
    ("Oskar", "Brandt", 13, "Managing Director"),
    ("Chloe", "Marchetti", 3, "VP Manufacturing"),
    ("Rafael", "Nunes", 4, "Fleet Manager"),
    ("Hana", "Kovacs", 1, "Analytics Lead"),
    ("Dev", "Malhotra", 9, "Founder"),
    ("Ruth", "Adeyemi", 8, "Chief Actuary"),
    ("Callum", "Fraser", 1, "CFO"),
    ("Noor", "Siddiqui", 5, "Data Manager"),
    ("Elena", "Petrova", 12, "CTO"),
    ("Gabriel", "Moreau", 6, "Owner"),
    ("Freya", "Nilsen", 7, "Procurement"),
    ("Isaac", "Goldberg", 8, "Head of BI"),
    ("Amara", "Diallo", 11, "Principal"),
    ("Victor", "Stahl", 3, "Plant Manager"),
    ("Sofia", "Lindgren", 2, "Co-founder"),
    ("Kenji", "Mori", 12, "Product Lead"),
    ("Bianca", "Rossi", 0, "Quality Manager"),
    ("Peter", "van Dijk", 4, "COO"),
    ("Yasmin", "Farouk", 10, "CISO"),
    ("Liam", "O'Brien", 10, "Sales Engineer"),
    ("Greta", "Hoffmann", 13, "Head of Sales"),
    ("Theo", "Papadakis", 14, "Editor in Chief"),
    ("Naomi", "Fischer", 5, "Clinic Director"),
    ("Arjun", "Bose", 9, "Engineer"),
    ("Celeste", "Dubois", 8, "Claims Director"),
    ("Henrik", "Aas", 7, "Grid Planner"),
    ("Mei", "Chang", 1, "Port Captain"),
];

const STAGES: &[&str] = &["customer", "opportunity", "sql", "mql", "lead"];

fn contact(i: usize, now: DateTime<Utc>) -> Json {
    let (first, last, company, title) = CONTACTS[i];
    json!({
        "first_name": first, "last_name": last, "email": address(first, company), "title": title,
        "company_name": COMPANIES[company].0, "lifecycle_stage": STAGES[i % STAGES.len()],
        "last_engagement": ago(now, days(i * 5 % 97)),
    })
}

/// Name, company, priority, status; owner, source and dates follow from the place in the list.
const LEADS: &[(&str, usize, &str, &str)] = &[
    ("Ingrid Solheim", 7, "urgent", "new"),
    ("Marcus Bell", 0, "high", "new"),
    ("Hana Kovacs", 1, "high", "new"),
    ("Leila Haddad", 5, "high", "prepping"),
    ("Ruth Adeyemi", 8, "urgent", "new"),
    ("Dev Malhotra", 9, "normal", "new"),
    ("Chloe Marchetti", 3, "normal", "ready"),
    ("Elena Petrova", 12, "high", "ready"),
    ("Rafael Nunes", 4, "normal", "new"),
    ("Yasmin Farouk", 10, "normal", "prepping"),
    ("Gabriel Moreau", 6, "low", "new"),
    ("Theo Papadakis", 14, "low", "cancelled"),
    ("Amara Diallo", 11, "normal", "new"),
    ("Oskar Brandt", 13, "normal", "converted"),
    ("Isaac Goldberg", 8, "high", "converted"),
    ("Sofia Lindgren", 2, "low", "new"),
    ("Kenji Mori", 12, "normal", "new"),
    ("Bianca Rossi", 0, "normal", "new"),
    ("Peter van Dijk", 4, "normal", "prepping"),
    ("Freya Nilsen", 7, "normal", "new"),
    ("Noor Siddiqui", 5, "low", "new"),
    ("Liam O'Brien", 10, "low", "cancelled"),
    ("Greta Hoffmann", 13, "normal", "new"),
    ("Callum Fraser", 1, "high", "ready"),
    ("Naomi Fischer", 5, "normal", "new"),
    ("Arjun Bose", 9, "low", "new"),
    ("Celeste Dubois", 8, "normal", "prepping"),
    ("Henrik Aas", 7, "normal", "new"),
    ("Mei Chang", 1, "low", "new"),
    ("Victor Stahl", 3, "normal", "ready"),
    ("Anton Weiss", 13, "low", "new"),
    ("Carla Mendes", 4, "normal", "new"),
    ("Dominic Shaw", 10, "normal", "new"),
    ("Esther Blom", 11, "low", "archived"),
    ("Farid Nazari", 12, "normal", "new"),
    ("Gwen Parry", 6, "normal", "converted"),
    ("Hugo Lambert", 2, "low", "new"),
    ("Iris Castellano", 14, "normal", "new"),
    ("Jakub Nowak", 3, "normal", "new"),
    ("Katrin Vogel", 8, "normal", "prepping"),
];

/// Leads from here on came from the fair.
const FIRST_OF_FAIR: usize = 12;
const SOURCES: &[&str] = &["Website", "Referral", "Webinar", "Partner"];

fn lead(i: usize, now: DateTime<Utc>) -> Json {
    let (name, company, priority, status) = LEADS[i];
    let is_of_fair = i >= FIRST_OF_FAIR;
    let created = if is_of_fair { days(9) + Duration::minutes(minutes(i * 11)) } else { days(i) };
    let mut row = json!({
        "contact_name": name, "contact_email": address(first_name(name), company),
        "domain": COMPANIES[company].1, "priority": priority, "status": status,
        "source": if is_of_fair { FAIR } else { SOURCES[i % SOURCES.len()] },
        "owner": MEMBERS[1 + i % (MEMBERS.len() - 1)].0,
        "created_at": ago(now, created + Duration::minutes(95)),
    });
    if ["prepping", "ready"].contains(&status) {
        row["meeting_title"] = json!(format!("Demo with {}", COMPANIES[company].0));
        row["meeting_start"] = json!(ago(now, -days(1 + i % 6)));
        row["meeting_outcome"] = json!("scheduled");
    }
    row
}

const MEETINGS: usize = 25;

/// Title, sentiment, what was said, what is to be done.
const AGENDAS: &[(&str, &str, &str, &[&str])] = &[
    ("Discovery", "Positive", "Reports take a week of spreadsheet work.", &["send case study"]),
    ("Demo", "Very Positive", "The dashboards convinced the whole team.", &["send offer", "plan pilot"]),
    ("Security review", "Neutral", "Asked where the data is stored.", &["send questionnaire"]),
    ("Quarterly review", "Positive", "Usage is up by a third.", &[]),
    ("Price talk", "Negative", "The budget was cut; they compare us with two others.", &["call the CFO"]),
];

fn meeting(i: usize, now: DateTime<Utc>) -> Json {
    let (first, last, company, _) = CONTACTS[i];
    let (title, sentiment, summary, actions) = AGENDAS[i % AGENDAS.len()];
    json!({
        "title": format!("{title}: {}", COMPANIES[company].0), "meeting_date": ago(now, days(i * 2)),
        "duration_minutes": 30 + 15 * (i % 3), "contact_name": format!("{first} {last}"),
        "contact_email": address(first, company), "contact_company": COMPANIES[company].0,
        "sentiment": sentiment, "summary": summary, "next_actions": actions,
        "owner": MEMBERS[i % MEMBERS.len()].0,
    })
}

/// Company, deal, monthly revenue, status.
const CLIENTS: &[(usize, &str, u32, &str)] = &[
    (7, "Grid analytics", 7_400, "active"),
    (8, "Claims insight", 6_250, "active"),
    (1, "Port dashboards", 4_800, "active"),
    (5, "Clinic reporting", 3_900, "active"),
    (4, "Fleet tracking", 2_650, "notice_given"),
    (3, "Yield monitor", 2_200, "active"),
    (13, "Sales cockpit", 1_450, "active"),
    (10, "Incident board", 1_200, "signed"),
    (11, "Enrolment forecast", 980, "active"),
    (2, "Stock levels", 420, "churned"),
    (6, "Till analysis", 350, "paused"),
    (12, "Test bench", 890, "deposit_paid"),
];

fn client(i: usize, now: DateTime<Utc>) -> Json {
    let (company, deal, revenue, status) = CLIENTS[i];
    let contact = CONTACTS.iter().find(|contact| contact.2 == company);
    let start = ago(now, days(40 + i * 31));
    json!({
        "company_name": COMPANIES[company].0, "deal_name": deal, "deal_value": revenue, "status": status,
        "contact_name": contact.map(|(first, last, ..)| format!("{first} {last}")),
        "contact_email": contact.map(|(first, ..)| address(first, company)),
        "owner": MEMBERS[i % MEMBERS.len()].0, "lead_source": SOURCES[i % SOURCES.len()],
        "subscription_start": start.split('T').next(), "created_at": start,
    })
}

fn address(first: &str, company: usize) -> String {
    format!("{}@{}", first.to_lowercase(), COMPANIES[company].1)
}

fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

fn days(count: usize) -> Duration {
    Duration::days(i64::try_from(count).unwrap_or(0))
}

fn minutes(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(0)
}

/// That long before `now`, to the minute.
fn ago(now: DateTime<Utc>, duration: Duration) -> String {
    let minute = Duration::milliseconds(now.timestamp_millis().rem_euclid(60_000));
    (now - minute - duration).to_rfc3339_opts(SecondsFormat::Secs, true)
}
