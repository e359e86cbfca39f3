//! Leads: people who booked a meeting, with the meeting's context and the lead's status.

use super::column::{Choice, Column, Derivation, Role};
use super::kind::{Kind, Op};
use super::{Action, Automation, Index, Sort, Table, Trigger, View, Where};

pub const LEADS: Table = Table {
    key: "leads",
    label: "Leads",
    singular: "lead",
    icon: "zap",
    about: "Booking-sourced leads from scheduling links, with meeting context and status",
    nouns: &["lead", "leads", "prospect", "prospects", "booking lead", "booking leads"],
    loose_nouns: &[],
    topics: &[],
    columns: COLUMNS,
    views: VIEWS,
    natural_keys: &["contact_email"],
    default_date: "created_at",
    automations: AUTOMATIONS,
    indexes: &[
        Index { columns: &["created_at"], descending: true },
        Index { columns: &["status", "priority", "created_at"], descending: true },
        Index { columns: &["priority", "created_at"], descending: true },
        Index { columns: &["meeting_start"], descending: true },
        Index { columns: &["owner", "created_at"], descending: true },
        Index { columns: &["contact_email"], descending: false },
    ],
};

const COLUMNS: &[Column] = &[
    Column::new("contact_name", "Contact Name", Kind::Text, 1, "The person who booked")
        .words(&["name", "full name", "lead name", "person", "contact", "invitee name"]).role(Role::Person)
        .from_app("leads.contact_name")
        .searched(),
    Column::new("contact_email", "Email", Kind::Email, 2, "The person's e-mail address; identifies the lead")
        .words(&["email address", "e-mail", "mail", "contact email", "invitee email"])
        .from_app("leads.contact_email")
        .searched(),
    Column::new("domain", "Domain", Kind::Domain, 3, "The company's domain, as acme.com")
        .words(&["company", "company domain", "website", "account", "organization"]).role(Role::Company)
        .from_app("leads.domain, else the domain of contact_email unless it is a free-mail domain")
        .searched()
        .detail(),
    Column::new("meeting_title", "Meeting", Kind::Text, 4, "The title of the booked meeting")
        .words(&["meeting title", "event", "event name", "event type", "opportunity", "subject"]).role(Role::Topic)
        .from_app("leads.meeting_title"),
    Column::new("meeting_start", "Meeting Date", Kind::Instant, 1, "When the booked meeting starts")
        .words(&["meeting time", "start", "start time", "scheduled for", "event start"]).said(&["due to meet", "due to meet us", "to meet us", "meeting us", "meet us", "are meeting", "have a meeting", "booked a meeting", "booked for", "booked in for", "scheduled for", "starts", "demo booked", "call booked", "meeting starts", "meeting booked", "meeting", "meetings", "call", "calls", "demo", "demos", "meeting is", "booked for", "scheduled on"])
        .from_app("leads.meeting_start"),
    Column::new("source", "Source", Kind::Text, 5, "Where the lead came from: booking link, channel or campaign")
        .words(&["lead source", "channel", "utm source", "booking link", "origin", "came from"]).said(&["came through", "sourced", "sourced from", "sources", "source attribution", "attribution", "lead sources"]).role(Role::Channel)
        .from_app("leads.booking_link_name, source_channel, utm_source, external_source: the first not empty"),
    Column::new("status", "Status", Kind::Status, 6, "How far the lead has come")
        .words(&["lead status", "state", "stage"])
        .options(&[
            Choice::new("new", "New", "blue").words(&["fresh", "unworked"]).said(OPEN),
            Choice::new("prepping", "Prepping", "yellow").words(&["in prep", "preparing"]).said(OPEN),
            Choice::new("ready", "Ready", "green").words(&["prepared", "ready to go"]).said(READY),
            Choice::new("converted", "Converted", "purple").words(&["won"]),
            Choice::new("archived", "Archived", "gray").words(&["closed", "lost"]),
            Choice::new("cancelled", "Cancelled", "red").words(&["canceled", "called off"]),
        ])
        .from_app("leads.status"),
    Column::new("priority", "Priority", Kind::Status, 7, "How soon the lead needs attention")
        .words(&["lead priority", "importance", "prio"])
        .options(&[
            Choice::new("low", "Low", "gray"),
            Choice::new("normal", "Normal", "blue").words(&["medium"]),
            Choice::new("high", "High", "orange").words(&["important", "hot"]),
            Choice::new("urgent", "Urgent", "red").words(&["critical", "asap"]),
        ])
        .from_app("leads.priority"),
    Column::new("owner", "Owner", Kind::Person, 8, "The member of the organization who works the lead")
        .words(&["lead owner", "assigned to", "assignee", "rep", "sales rep", "sales agent", "account executive"]).said(&["owners", "salesperson", "seller", "ae", "bdr", "sdr"]).role(Role::Owner)
        .from_app("leads.owner_id to profiles"),
    Column::computed(
        "meeting_held",
        "Meeting Held",
        Kind::Status,
        Derivation::MeetingHeld,
        "Whether the meeting took place; worked out from status, meeting_outcome, meeting_start and the recording",
    )
    .words(&["held", "attended", "show"])
    .options(&[
        Choice::new("Met", "Met", "green").words(&["attended", "held", "showed up"]).said(&["showed", "turned up", "took place", "came to", "we met", "happened"]),
        Choice::new("No Show", "No Show", "red").words(&["no-show", "noshow", "did not show", "missed"]),
        Choice::new("Upcoming", "Upcoming", "blue").words(&["scheduled", "coming up"]),
        Choice::new("Cancelled", "Cancelled", "gray").words(&["canceled"]),
    ]),
    Column::new("meeting_recording_url", "Recording", Kind::Url, 9, "The recording of the lead's meeting")
        .words(&["recording", "recording url", "recording link", "video"])
        .from_app("meetings.share_url of the linked meeting")
        .detail(),
    Column::new("meeting_outcome", "Meeting Outcome", Kind::Status, 10, "What became of the meeting")
        .words(&["outcome", "meeting result", "result"])
        .options(&[
            Choice::new("scheduled", "Scheduled", "blue"),
            Choice::new("completed", "Completed", "green").words(&["done", "met", "held"]),
            Choice::new("no_show", "No Show", "red").words(&["no-show", "noshow"]).said(MISSED),
            Choice::new("rescheduled", "Rescheduled", "yellow").words(&["moved", "postponed"]),
            Choice::new("cancelled", "Cancelled", "gray").words(&["canceled"]),
        ])
        .from_app("leads.meeting_outcome")
        .detail(),
    Column::new("created_at", "Created", Kind::Instant, 2, "When the lead came in; set on creation when not given")
        .words(&["created", "created at", "create date", "date created", "date added", "added", "engage date"]).said(&["came in", "come in", "coming in", "came", "created on", "arrived", "received", "landed", "generated", "captured", "signed up", "entered", "creation date"])
        .from_app("leads.created_at"),
];

/// What any lead that is still worked is called.
const OPEN: &[&str] = &["open", "active"];
const READY: &[&str] = &["open", "active", "prepped"];
/// How people say that somebody did not come.
const MISSED: &[&str] = &[
    "no shows",
    "nobody turned up for",
    "nobody turned up",
    "nobody showed up",
    "nobody showed up for",
    "nobody showed",
    "no one showed up",
    "no one turned up",
    "did not make it",
    "failed to turn up",
    "failed to attend",
    "left us hanging",
    "noshows",
    "bailed",
    "bailed on",
    "ghosted",
    "stood us up",
    "did not show",
    "did not show up",
    "never showed",
    "never showed up",
    "did not turn up",
    "did not attend",
    "failed to show",
    "skipped",
    "flaked",
    "missed",
    "no showed",
    "did not join",
    "never joined",
];

const VIEWS: &[View] = &[
    View {
        key: "all_leads",
        label: "All Leads",
        filters: &[],
        any_of: &[],
        sort: &[Sort::desc("created_at")],
    },
    View {
        key: "upcoming_meetings",
        label: "Upcoming Meetings",
        filters: &[Where::new("status", Op::In, &["new", "prepping", "ready"])],
        any_of: &[],
        sort: &[Sort::asc("meeting_start")],
    },
    View {
        key: "no_shows",
        label: "No Shows & Reschedules",
        filters: &[],
        any_of: &[
            Where::new("meeting_held", Op::In, &["No Show", "Cancelled"]),
            Where::new("meeting_outcome", Op::Equals, &["rescheduled"]),
        ],
        sort: &[Sort::desc("meeting_start")],
    },
    View {
        key: "high_priority",
        label: "High Priority",
        filters: &[Where::new("priority", Op::In, &["high", "urgent"])],
        any_of: &[],
        sort: &[Sort::desc("created_at")],
    },
];

const AUTOMATIONS: &[Automation] = &[
    Automation {
        key: "leads_escalate_high_priority",
        about: "Tells the team when a lead becomes high priority or urgent",
        triggers: &[Trigger::CellChanged("priority")],
        conditions: &[Where::new("priority", Op::In, &["high", "urgent"])],
        any_of: &[],
        actions: &[Action::Notify {
            text: "{{contact_name}} ({{domain}}) is now {{priority}}",
            urgent: false,
        }],
    },
    Automation {
        key: "leads_enrich_missing_domain",
        about: "Fills a new lead's domain from its e-mail address, never with a free-mail domain",
        triggers: &[Trigger::RowCreated],
        conditions: &[
            Where::new("domain", Op::IsEmpty, &[]),
            Where::new("contact_email", Op::IsNotEmpty, &[]),
        ],
        any_of: &[],
        actions: &[Action::Enrich { from: "contact_email", columns: &["domain"] }],
    },
    Automation {
        key: "leads_flag_duplicates",
        about: "Tags a lead `duplicate` when another live lead has the same e-mail address",
        triggers: &[Trigger::RowCreated, Trigger::CellChanged("contact_email")],
        conditions: &[Where::new("contact_email", Op::IsNotEmpty, &[])],
        any_of: &[],
        actions: &[Action::Tag("duplicate")],
    },
];
