//! What records say of every column, from both kinds of source. The clock stands at 2026-03-02 10:00 UTC.

use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::application::{Application, record, uuid};
use super::{changed, contents, counts, row, run};
use crate::harness::{Bench, on_both};

pub(super) const COMPANIES: &[&str] = &[
    "id",
    "name",
    "domain",
    "website",
    "industry",
    "size",
    "phone",
    "linkedin_url",
    "description",
    "revenue",
    "updated_at",
];
pub(super) const CONTACTS: &[&str] = &[
    "id",
    "first_name",
    "last_name",
    "email",
    "company_id",
    "title",
    "phone",
    "linkedin_url",
    "lifecycle_stage",
    "created_at",
    "updated_at",
];
pub(super) const LEADS: &[&str] = &[
    "id",
    "contact_name",
    "contact_email",
    "domain",
    "meeting_title",
    "meeting_start",
    "booking_link_name",
    "source_channel",
    "utm_source",
    "external_source",
    "status",
    "priority",
    "owner_id",
    "meeting_outcome",
    "meeting_id",
    "created_at",
    "updated_at",
];
pub(super) const MEETINGS: &[&str] = &[
    "id",
    "title",
    "start_time",
    "duration_minutes",
    "primary_contact_id",
    "company_id",
    "sentiment_score",
    "summary",
    "next_actions",
    "owner_user_id",
    "share_url",
    "transcript_text",
    "lead_id",
    "status",
    "updated_at",
];
pub(super) const ATTENDEES: &[&str] = &["id", "meeting_id", "name", "email", "is_external", "attended"];
pub(super) const CLIENTS: &[&str] = &[
    "id",
    "company_name",
    "contact_name",
    "contact_email",
    "deal_id",
    "subscription_amount",
    "status",
    "subscription_start_date",
    "owner_id",
    "created_at",
];

const PAST: &str = "2026-02-01T09:00:00Z";
const FUTURE: &str = "2026-03-09T09:00:00Z";

on_both! {
    async fn a_folder_says_every_column(t: Bench) {
        let folder = TempDir::new().unwrap();
        let settings = application().to_folder(folder.path());
        derived(&t, &settings).await;
    }

    async fn a_schema_says_every_column(t: Bench) {
        with_schema(&t, async |url, schema| {
            let settings = application().to_schema(&url, &schema).await;
            derived(&t, &settings).await;
        }).await;
    }
}

/// Runs the check with a schema of its own on the server that tests were given.
pub(super) async fn with_schema(t: &Bench, check: impl AsyncFnOnce(String, String)) {
    let schema = format!("app_{}", Uuid::new_v4().simple());
    if t.database_url.starts_with("postgres") {
        return check(t.database_url.clone(), schema).await;
    }
    // A database of its own: it is dropped whatever becomes of the check.
    crate::harness::in_new_postgres("a schema", async |url| check(url, schema).await).await;
}

async fn derived(t: &Bench, settings: &opstables::backfill::Settings) {
    let report = run(t, settings).await;
    assert_eq!(report.losses(), 0, "{report:?}");
    assert_eq!(counts(&report, "profiles"), [2, 1, 0, 1, 0, 0]);
    for (table, column, cases) in expected() {
        for (value, columns) in cases {
            let found = row(t, table, column, value).await;
            for (key, wanted) in columns.as_object().unwrap() {
                assert_eq!(
                    found.get(key).unwrap_or(&Json::Null),
                    wanted,
                    "{table} {value}: {key} of {found:?}"
                );
            }
        }
    }
    let before = contents(t).await;
    let again = run(t, settings).await;
    assert_eq!(changed(&again), 0, "{again:?}");
    assert_eq!(contents(t).await, before);
    assert_eq!(super::count_of(t, "backfills").await, "2");
}

type Cases = Vec<(&'static str, Json)>;

/// By table, and the column whose value names a row: what the row holds.
fn expected() -> Vec<(&'static str, &'static str, Cases)> {
    vec![
        (
            "companies",
            "name",
            vec![
                (
                    "Acme",
                    json!({"domain": "acme.com", "website": "https://acme.com/start", "industry": "Tools", "company_size": "medium",
                "phone": "+14155550100", "linkedin_url": "https://www.linkedin.com/company/acme", "description": "Makes tools",
                "revenue": 1_500_000.5}),
                ),
                ("Freelance", json!({"domain": null, "company_size": "startup"})),
                ("Big", json!({"company_size": "enterprise", "revenue": null})),
            ],
        ),
        (
            "contacts",
            "first_name",
            vec![
                (
                    "Ann",
                    json!({"last_name": "Ash", "email": "ann@acme.com", "company_name": "Acme", "title": "CTO",
                "phone": "+14155550101", "linkedin_url": "https://www.linkedin.com/in/annash", "lifecycle_stage": "customer",
                // Of her own meetings the last one that has been.
                "last_engagement": "2026-02-01T09:00:00Z"}),
                ),
                // He attended, under his address.
                (
                    "Bob",
                    json!({"email": "bob@big.com", "company_name": "Big", "last_engagement": "2026-02-10T09:00:00Z"}),
                ),
                ("Cid", json!({"company_name": null, "last_engagement": "2026-02-01T09:00:00Z"})),
            ],
        ),
        ("leads", "contact_name", leads()),
        ("meetings", "title", meetings()),
        (
            "clients",
            "company_name",
            vec![
                (
                    "Acme",
                    json!({"contact_name": "Ann Ash", "contact_email": "ann@acme.com", "deal_name": "Acme 2026",
                "deal_value": 1200.5, "status": "active", "subscription_start": "2026-01-15", "owner": "Tom Ford",
                "lead_source": "Webinar", "created_at": "2026-01-10T08:00:00Z"}),
                ),
                (
                    "Nodeal",
                    json!({"deal_name": null, "lead_source": null, "status": "churned", "owner": "Zoë Zed"}),
                ),
            ],
        ),
    ]
}

fn leads() -> Cases {
    vec![
        (
            "booking",
            json!({"source": "Demo link", "domain": "given.com", "owner": "Tom Ford", "status": "ready", "priority": "high",
            "meeting_title": "Demo", "meeting_start": PAST, "created_at": "2026-01-20T08:00:00Z",
            "meeting_recording_url": "https://rec.co/1", "meeting_outcome": "rescheduled"}),
        ),
        ("channel", json!({"source": "Partner", "domain": "acme.com", "meeting_outcome": "completed"})),
        ("utm", json!({"source": "news", "domain": null, "meeting_outcome": "no_show"})),
        ("external", json!({"source": "Import", "meeting_outcome": "scheduled"})),
        ("cancelled", json!({"source": null, "meeting_outcome": "cancelled", "meeting_recording_url": null})),
        ("called off", json!({"meeting_outcome": "cancelled"})),
        ("attended", json!({"meeting_outcome": "completed"})),
        ("no meeting", json!({"meeting_outcome": null, "meeting_start": null})),
        // The meeting names the lead.
        ("named", json!({"meeting_recording_url": "https://rec.co/8", "meeting_outcome": "completed"})),
    ]
}

fn meetings() -> Cases {
    vec![
        (
            "primary",
            json!({"meeting_date": PAST, "duration_minutes": 30, "contact_name": "Ann Ash", "contact_email": "ann@acme.com",
            "contact_company": "Acme", "sentiment": "Negative", "summary": "They liked it.", "next_actions": ["Call", "Send deck"],
            "owner": "Tom Ford", "recording_url": "https://rec.co/1", "transcript": "Hello", "lead_source": "Demo link"}),
        ),
        (
            "external",
            json!({"contact_name": "Eve", "contact_email": "eve@out.com", "contact_company": "Big", "sentiment": "Neutral",
            "lead_source": "Partner"}),
        ),
        // Tom owns it, so it was with the other one; whose company his contact knows.
        (
            "anybody",
            json!({"contact_name": "Bob B", "contact_email": "bob@big.com", "contact_company": "Big",
            "sentiment": "Positive", "lead_source": "news"}),
        ),
        (
            "by lead",
            json!({"contact_name": "external", "contact_email": null, "sentiment": "Very Positive",
            "lead_source": "Direct"}),
        ),
        (
            "by name",
            json!({"contact_name": "Cid Only", "contact_email": "cid@solo.io", "lead_source": "Direct"}),
        ),
        ("namesakes", json!({"contact_name": null, "contact_email": null})),
        ("by lead again", json!({"contact_name": "attended"})),
        (
            "nobody",
            json!({"contact_name": null, "contact_company": null, "sentiment": null, "summary": null, "next_actions": null,
            "lead_source": "Direct"}),
        ),
        ("names a lead", json!({"contact_name": "named", "lead_source": "Named link"})),
    ]
}

/// Every case that the derivations tell apart.
pub(super) fn application() -> Application {
    let profile = |id: u32, values: Json| {
        merged(json!({"id": uuid(id), "first_name": null, "last_name": null, "email": null}), &values)
    };
    Application {
        tables: vec![
            (
                "profiles",
                vec![
                    // A member already, by his address.
                    profile(901, json!({"first_name": "Thomas", "email": "TOM@acme.com"})),
                    profile(902, json!({"first_name": "Zoë", "last_name": "Zed"})),
                ],
            ),
            (
                "companies",
                vec![
                    record(
                        COMPANIES,
                        &json!({"id": 1, "name": "Acme", "domain": "acme.com", "website": "acme.com/start", "industry": "Tools",
                    "size": "51-200", "phone": "+1 415 555 0100", "linkedin_url": "linkedin.com/company/acme", "description": "Makes tools",
                    "revenue": 1_500_000.5, "updated_at": "2026-01-01T00:00:00Z"}),
                    ),
                    record(
                        COMPANIES,
                        &json!({"id": 2, "name": "Freelance", "domain": "gmail.com", "size": "1"}),
                    ),
                    record(
                        COMPANIES,
                        &json!({"id": 3, "name": "Big", "domain": "big.com", "size": "10,001+"}),
                    ),
                ],
            ),
            ("contacts", contacts()),
            ("leads", lead_records()),
            ("meetings", meeting_records()),
            ("meeting_attendees", attendees()),
            (
                "clients",
                vec![
                    record(
                        CLIENTS,
                        &json!({"id": "k1", "company_name": "Acme", "contact_name": "Ann Ash", "contact_email": "ann@acme.com",
                    "deal_id": "d1", "subscription_amount": 1200.5, "status": "active", "subscription_start_date": "2026-01-15",
                    "owner_id": uuid(901), "created_at": "2026-01-10T08:00:00Z"}),
                    ),
                    record(
                        CLIENTS,
                        &json!({"id": "k2", "company_name": "Nodeal", "status": "churned", "owner_id": uuid(902),
                    "created_at": "2026-01-10T08:00:00Z"}),
                    ),
                ],
            ),
            ("deals", vec![json!({"id": "d1", "name": "Acme 2026", "lead_source_channel": "Webinar"})]),
        ],
    }
}

fn contacts() -> Vec<Json> {
    vec![
        record(
            CONTACTS,
            &json!({"id": "c1", "first_name": "Ann", "last_name": "Ash", "email": "Ann@Acme.com", "company_id": 1,
            "title": "CTO", "phone": "+1 415 555 0101", "linkedin_url": "linkedin.com/in/annash", "lifecycle_stage": "customer",
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}),
        ),
        record(
            CONTACTS,
            &json!({"id": "c2", "first_name": "Bob", "last_name": "Berg", "email": "bob@big.com", "company_id": 3}),
        ),
        record(
            CONTACTS,
            &json!({"id": "c3", "first_name": "Cid", "last_name": "Only", "email": "cid@solo.io"}),
        ),
        record(
            CONTACTS,
            &json!({"id": "c4", "first_name": "Dee", "last_name": "Twin", "email": "dee1@twin.io"}),
        ),
        record(
            CONTACTS,
            &json!({"id": "c5", "first_name": "dee", "last_name": "twin", "email": "dee2@twin.io"}),
        ),
    ]
}

fn lead_records() -> Vec<Json> {
    let lead = |id: u32, values: Json| {
        let base = json!({"id": uuid(id), "created_at": "2026-01-20T08:00:00Z"});
        record(LEADS, &merged(base, &values))
    };
    vec![
        lead(
            1,
            json!({"contact_name": "booking", "contact_email": "ann@acme.com", "domain": "given.com", "meeting_title": "Demo",
            "meeting_start": PAST, "booking_link_name": "Demo link", "source_channel": "x", "utm_source": "y", "status": "ready",
            "priority": "high", "owner_id": uuid(901), "meeting_outcome": "rescheduled", "meeting_id": "m1"}),
        ),
        lead(
            2,
            json!({"contact_name": "channel", "contact_email": "x@acme.com", "booking_link_name": " ", "source_channel": "Partner",
            "utm_source": "y", "meeting_start": PAST, "meeting_id": "m2"}),
        ),
        lead(
            3,
            json!({"contact_name": "utm", "contact_email": "x@gmail.com", "utm_source": "news", "external_source": "z",
            "meeting_start": PAST, "meeting_id": "m3"}),
        ),
        lead(
            4,
            json!({"contact_name": "external", "external_source": "Import", "meeting_start": FUTURE, "meeting_id": "m4"}),
        ),
        lead(5, json!({"contact_name": "cancelled", "status": "cancelled", "meeting_start": PAST})),
        lead(6, json!({"contact_name": "called off", "meeting_start": FUTURE, "meeting_id": "m9"})),
        lead(7, json!({"contact_name": "attended", "meeting_start": PAST, "meeting_id": "m7"})),
        lead(8, json!({"contact_name": "no meeting"})),
        lead(9, json!({"contact_name": "named", "booking_link_name": "Named link", "meeting_start": PAST})),
    ]
}

fn meeting_records() -> Vec<Json> {
    let meeting = |id: &str, title: &str, values: Json| {
        let base =
            json!({"id": id, "title": title, "start_time": PAST, "updated_at": "2026-02-02T00:00:00Z"});
        record(MEETINGS, &merged(base, &values))
    };
    vec![
        meeting(
            "m1",
            "primary",
            json!({"duration_minutes": 30, "primary_contact_id": "c1", "company_id": 1, "sentiment_score": -0.26,
            "summary": {"text": "They liked it."}, "next_actions": ["Send deck", "Call"], "owner_user_id": uuid(901),
            "share_url": "https://rec.co/1", "transcript_text": "Hello"}),
        ),
        meeting(
            "m2",
            "external",
            json!({"company_id": 3, "sentiment_score": 0.2, "owner_user_id": uuid(901), "transcript_text": "Hi"}),
        ),
        meeting(
            "m3",
            "anybody",
            json!({"sentiment_score": 0.25, "owner_user_id": uuid(901), "start_time": "2026-02-10T09:00:00Z"}),
        ),
        meeting("m4", "by lead", json!({"sentiment_score": 0.75, "start_time": FUTURE})),
        meeting("m5", "by name", json!({})),
        meeting("m6", "namesakes", json!({})),
        meeting("m7", "by lead again", json!({"duration_minutes": 45})),
        meeting("m0", "nobody", json!({})),
        meeting("m8", "names a lead", json!({"lead_id": uuid(9), "share_url": "https://rec.co/8"})),
        meeting(
            "m9",
            "called off",
            json!({"status": "canceled", "start_time": FUTURE, "primary_contact_id": "c1"}),
        ),
    ]
}

fn attendees() -> Vec<Json> {
    let attendee = |number: u32, meeting: &str, values: Json| {
        record(
            ATTENDEES,
            &merged(
                json!({"id": format!("a{number}"), "meeting_id": meeting, "is_external": false}),
                &values,
            ),
        )
    };
    vec![
        attendee(1, "m1", json!({"name": "Somebody", "email": "somebody@else.com", "is_external": true})),
        attendee(2, "m2", json!({"name": "Inside", "email": "in@acme.com"})),
        attendee(3, "m2", json!({"name": "Eve", "email": "eve@out.com", "is_external": true})),
        attendee(4, "m3", json!({"name": "Tom", "email": "tom@acme.com"})),
        attendee(5, "m3", json!({"name": "Bob B", "email": "Bob@big.com"})),
        attendee(6, "m5", json!({"name": "Nobody Known"})),
        attendee(7, "m5", json!({"name": "cid  ONLY"})),
        attendee(8, "m6", json!({"name": "Dee Twin"})),
        attendee(9, "m7", json!({"attended": true})),
    ]
}

pub(super) fn merged(mut base: Json, values: &Json) -> Json {
    let base_map: &mut Map<String, Json> = base.as_object_mut().unwrap();
    base_map.extend(values.as_object().unwrap().clone());
    base
}
