//! Meetings: what was held with whom, how it went, and what was agreed to do next.

use super::column::{Choice, Column, Role};
use super::crm::{CrmField, Form};
use super::kind::{Kind, Op};
use super::{Action, Automation, Index, Sort, Table, Trigger, View, Where};

pub const MEETINGS: Table = Table {
    key: "meetings",
    label: "Meetings",
    singular: "meeting",
    icon: "calendar",
    about: "Unified meeting history with recording metadata and next actions",
    nouns: &[
        "meeting",
        "meetings",
        "call",
        "calls",
        "conversation",
        "conversations",
        "chat",
        "chats",
        "catch-up",
        "catch-ups",
        "on my calendar",
        "in my calendar",
        "in my diary",
        "scheduled to meet",
        "due to meet",
        "set to meet",
        "supposed to meet",
    ],
    loose_nouns: &[],
    topics: &[
        "demo",
        "demonstration",
        "discovery",
        "kickoff",
        "kick-off",
        "qbr",
        "intro",
        "introduction",
        "onboarding",
        "check-in",
        "standup",
        "workshop",
        "training",
        "walkthrough",
        "negotiation",
        "retro",
        "sync-up",
        "business review",
        "quarterly business review",
        "product tour",
        "scoping",
        "technical review",
    ],
    columns: COLUMNS,
    views: VIEWS,
    natural_keys: &["recording_url"],
    default_date: "meeting_date",
    automations: AUTOMATIONS,
    indexes: &[
        Index { columns: &["meeting_date"], descending: true },
        Index { columns: &["owner", "meeting_date"], descending: true },
        Index { columns: &["sentiment", "meeting_date"], descending: true },
        Index { columns: &["contact_email", "meeting_date"], descending: true },
        Index { columns: &["recording_url"], descending: false },
    ],
};

const COLUMNS: &[Column] = &[
    Column::new("title", "Title", Kind::Text, 1, "What the meeting was called")
        .words(&["meeting title", "name", "meeting name", "subject", "topic", "event", "event name", "meeting"]).role(Role::Topic)
        .hubspot(CrmField::sent("hs_meeting_title", Form::Text))
        .attio(CrmField::sent("title", Form::Text))
        .from_app("meetings.title")
        .searched(),
    Column::new("meeting_date", "Meeting Date", Kind::Instant, 1, "When the meeting started")
        .words(&["date", "start", "start time", "meeting time", "meeting start", "when", "held on", "activity date"]).said(&["happened", "dated", "held", "took place", "scheduled", "took"])
        .hubspot(CrmField::sent("hs_timestamp", Form::Instant))
        .attio(CrmField::sent("content", Form::Note))
        .from_app("meetings.start_time"),
    Column::new("duration_minutes", "Duration (min)", Kind::Number, 1, "How long the meeting took, in minutes")
        .words(&["duration", "length", "minutes", "meeting length", "meeting duration", "call duration", "how long"]).said(&["time in", "how much time", "call time", "ran", "lasted", "lasting", "long", "run", "took", "min", "mins", "minute", "running", "call length", "length of calls"])
        .from_app("meetings.duration_minutes"),
    Column::new("contact_name", "Contact", Kind::Text, 2, "The person met, from the other side")
        .words(&["person", "attendee", "participant", "full name", "guest", "with", "prospect", "contact person"]).role(Role::Person)
        .from_app("the meeting's contact: primary contact, external attendee, any attendee but the owner, lead")
        .searched(),
    Column::new("contact_email", "Email", Kind::Email, 3, "The e-mail address of the person met")
        .words(&["email address", "e-mail", "mail", "attendee email", "participant email", "guest email"])
        .hubspot(CrmField::sent("contacts", Form::Person))
        .attio(CrmField::sent("parent_record_id", Form::Person))
        .from_app("the address of the meeting's contact")
        .searched(),
    Column::new("contact_company", "Company", Kind::Company, 4, "The company of the person met")
        .words(&["company name", "account", "account name", "organization", "organisation", "associated company"]).said(&["companies"]).role(Role::Company)
        .from_app("meetings.company_id to companies.name, else the contact's company")
        .searched(),
    Column::new("sentiment", "Sentiment", Kind::Status, 5, "How the meeting went, by its tone")
        .words(&["mood", "tone", "feeling", "sentiment score", "how it went"])
        .options(&[
            Choice::new("Negative", "Negative", "red").words(&["bad", "went badly", "unhappy", "poor"])
                .said(&["neg", "went terribly", "went very badly", "went really badly", "went poorly", "badly", "did not go well", "not go well", "negatively", "rough", "sour"]),
            Choice::new("Neutral", "Neutral", "gray").words(&["okay", "mixed", "flat"]),
            Choice::new("Positive", "Positive", "green").words(&["good", "went well", "happy"]).said(&["pos", "positively"]),
            Choice::new("Very Positive", "Very Positive", "blue").words(&["great", "excellent", "went very well"]).said(&["went really well", "went great", "went brilliantly", "went extremely well", "very positively", "fantastic", "amazing"]),
        ])
        .hubspot(CrmField::sent("hs_meeting_body", Form::Note))
        .attio(CrmField::sent("content", Form::Note))
        .from_app("meetings.sentiment_score: below -0.25, below 0.25, below 0.75, else Very Positive"),
    Column::new("summary", "Summary", Kind::Text, 6, "What was said, in short")
        .words(&["meeting summary", "notes", "meeting notes", "recap", "overview"]).said(&["summaries"])
        .hubspot(CrmField::sent("hs_meeting_body", Form::Note))
        .attio(CrmField::sent("content", Form::Note))
        .from_app("meetings.summary as plain text"),
    Column::new("next_actions", "Next Actions", Kind::Tags, 7, "What was agreed to do next")
        .words(&["next action", "actions", "action items", "next steps", "next step", "follow up", "follow ups", "todo"]).said(&["follow-up", "follow-ups", "follow-up actions", "next step"])
        .hubspot(CrmField::sent("hs_meeting_body", Form::Note))
        .attio(CrmField::sent("content", Form::Note))
        .from_app("meetings.next_actions"),
    Column::new("owner", "Owner", Kind::Person, 8, "The member of the organization who held the meeting")
        .words(&["meeting owner", "host", "organizer", "organiser", "rep", "sales rep", "assigned to", "held by"]).said(&["salesperson", "seller", "ae", "bdr", "sdr", "person on our team"]).role(Role::Owner)
        .from_app("meetings.owner_user_id to profiles"),
    Column::new("recording_url", "Recording", Kind::Url, 9, "Where the meeting's recording can be watched")
        .words(&["recording link", "share url", "share link", "video", "video url", "fathom link"]).said(&["recorded"])
        .from_app("meetings.share_url")
        .detail(),
    Column::new("transcript", "Transcript", Kind::Text, 10, "The meeting word for word; returned only when asked for")
        .words(&["transcript text", "transcription", "meeting transcript", "call transcript"]).said(&["transcribed"])
        .from_app("meetings.transcript_text")
        .detail(),
    Column::new("lead_source", "Source", Kind::Text, 11, "Where the meeting's lead came from, or `Direct`")
        .words(&["channel", "origin", "came from", "booking link", "utm source"]).said(&["lead source", "lead sources", "sourced from"]).role(Role::Channel)
        .from_app("the linked lead's booking_link_name, source_channel, utm_source: the first not empty, else Direct"),
];

const VIEWS: &[View] = &[
    View {
        key: "all_meetings",
        label: "All Meetings",
        filters: &[],
        any_of: &[],
        sort: &[Sort::desc("meeting_date")],
    },
    View {
        key: "this_week",
        label: "This Week",
        filters: &[Where::new("meeting_date", Op::Equals, &["this_week"])],
        any_of: &[],
        sort: &[Sort::desc("meeting_date")],
    },
    View {
        key: "needs_follow_up",
        label: "Needs Follow-up",
        filters: &[Where::new("next_actions", Op::IsNotEmpty, &[])],
        any_of: &[],
        sort: &[Sort::desc("meeting_date")],
    },
];

const AUTOMATIONS: &[Automation] = &[
    Automation {
        key: "meetings_post_crm_sync",
        about: "Sends a meeting's summary, next actions and sentiment to the contact in the connected CRM",
        triggers: &[Trigger::CellChanged("summary")],
        conditions: &[Where::new("summary", Op::IsNotEmpty, &[])],
        any_of: &[],
        actions: &[Action::Push(&["summary", "next_actions", "sentiment"])],
    },
    Automation {
        key: "meetings_negative_sentiment_alert",
        about: "Tells the team at once when a meeting went badly",
        triggers: &[Trigger::CellChanged("sentiment")],
        conditions: &[Where::new("sentiment", Op::Equals, &["Negative"])],
        any_of: &[],
        actions: &[Action::Notify {
            text: "Negative sentiment in {{title}} with {{contact_name}}",
            urgent: true,
        }],
    },
];
