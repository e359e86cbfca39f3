//! Contacts: every person known to the application or a connected CRM, one row a person.

use super::column::{Choice, Column, Derivation, Role};
use super::crm::{CrmField, Form};
use super::kind::{Kind, Op};
use super::{Action, Automation, Index, Sort, Table, Trigger, View, Where};

pub const CONTACTS: Table = Table {
    key: "contacts",
    label: "All Contacts",
    singular: "contact",
    icon: "users",
    about: "Universal contacts: app contacts and CRM contacts, one row a person",
    nouns: &[
        "contact",
        "contacts",
        "person",
        "people",
        "persons",
        "everyone",
        "everybody",
        "anyone",
        "anybody",
        "who at",
        "who we know",
        "who do we know",
        "people we know",
    ],
    loose_nouns: &[],
    topics: &[],
    columns: COLUMNS,
    views: VIEWS,
    natural_keys: &["email"],
    default_date: "last_engagement",
    automations: AUTOMATIONS,
    indexes: &[
        Index { columns: &["last_engagement"], descending: true },
        Index { columns: &["lifecycle_stage", "last_engagement"], descending: true },
        Index { columns: &["company_name", "last_engagement"], descending: true },
        Index { columns: &["email"], descending: false },
    ],
};

const COLUMNS: &[Column] = &[
    Column::new("crm_id", "CRM ID", Kind::Text, 1, "The id of the person's record in the connected CRM")
        .words(&[
            "record id",
            "hubspot id",
            "attio id",
            "contact id",
            "crm record id",
            "hs object id",
            "record",
        ])
        .said(&["id"])
        .role(Role::Record)
        .from_app("the CRM record's id")
        .hubspot(CrmField::read("hs_object_id", Form::RecordId))
        .attio(CrmField::read("record_id", Form::RecordId))
        .synced(),
    Column::new("first_name", "First Name", Kind::Text, 2, "The person's given name")
        .words(&["firstname", "given name", "forename", "first"])
        .role(Role::GivenName)
        .from_app("contacts.first_name")
        .hubspot(CrmField::both("firstname", Form::GivenName))
        .attio(CrmField::both("name", Form::GivenName))
        .searched(),
    Column::new("last_name", "Last Name", Kind::Text, 3, "The person's family name")
        .words(&["lastname", "surname", "family name", "last"])
        .role(Role::FamilyName)
        .from_app("contacts.last_name")
        .hubspot(CrmField::both("lastname", Form::FamilyName))
        .attio(CrmField::both("name", Form::FamilyName))
        .searched(),
    Column::new("email", "Email", Kind::Email, 4, "The person's e-mail address; identifies the contact")
        .words(&[
            "email address",
            "email addresses",
            "e-mail",
            "mail",
            "contact email",
            "work email",
            "primary email",
        ])
        .from_app("contacts.email")
        .hubspot(CrmField::both("email", Form::Email))
        .attio(CrmField::both("email_addresses", Form::Email))
        .searched(),
    Column::new("company_name", "Company", Kind::Company, 5, "The company the person works for, by name")
        .words(&[
            "associated company",
            "associated companies",
            "primary associated company",
            "account",
            "account name",
            "organization",
            "organisation",
            "employer",
        ])
        .said(&["employer"])
        .role(Role::Company)
        .from_app("contacts.company_id to companies.name")
        .hubspot(CrmField::both("company", Form::CompanyName))
        .attio(CrmField::both("company", Form::CompanyName))
        .searched(),
    Column::new("title", "Title", Kind::Text, 6, "The person's position, as CTO or Head of Sales")
        .words(&["job title", "position", "role", "job", "job role", "jobtitle"])
        .said(&["job titles"])
        .role(Role::JobTitle)
        .from_app("contacts.title")
        .hubspot(CrmField::both("jobtitle", Form::Text))
        .attio(CrmField::both("job_title", Form::Text))
        .searched(),
    Column::new("phone", "Phone", Kind::Phone, 7, "The person's telephone number, best as +14155550123")
        .words(&[
            "phone number",
            "phone numbers",
            "telephone",
            "mobile",
            "mobile phone",
            "mobile phone number",
            "cell",
        ])
        .said(&["number", "numbers", "mobile number", "cell number", "telephone number", "tel"])
        .from_app("contacts.phone")
        .hubspot(CrmField::both("phone", Form::Phone))
        .attio(CrmField::both("phone_numbers", Form::Phone)),
    Column::new("linkedin_url", "LinkedIn", Kind::Linkedin, 8, "The person's LinkedIn profile")
        .words(&["linkedin profile", "linkedin link", "linkedin address", "hs linkedin url"])
        .said(&["linkedin url", "linkedin page", "linkedin"])
        .from_app("contacts.linkedin_url")
        .hubspot(CrmField::both("hs_linkedin_url", Form::Text))
        .attio(CrmField::both("linkedin", Form::Text))
        .detail(),
    Column::new("last_engagement", "Last Engagement", Kind::Instant, 1, "When the person was last in touch")
        .words(&[
            "last activity date",
            "last activity",
            "last contacted",
            "last contact",
            "last contact date",
            "last interaction",
            "last engaged",
            "last touch",
            "last touched",
            "last seen",
            "last active",
            "last meeting",
        ])
        .said(&[
            "activity",
            "touchpoint",
            "interaction",
            "speak to",
            "talk to",
            "talked to",
            "spoken with",
            "engaged",
            "been engaged",
            "active",
            "touched",
            "contacted",
            "spoken to",
            "spoke to",
            "heard from",
            "been in touch with",
            "in touch",
            "interacted",
            "last spoke",
            "engagement",
            "engaged with us",
        ])
        .from_app("the latest of the CRM's and the contact's own meetings")
        .hubspot(CrmField::read("notes_last_contacted", Form::Instant))
        .attio(CrmField::read("last_interaction", Form::Instant))
        .with(Derivation::LastEngagement),
    Column::new(
        "lifecycle_stage",
        "Lifecycle Stage",
        Kind::Status,
        9,
        "How far the person is on the way to a customer",
    )
    .words(&["lifecycle", "stage", "life cycle stage", "funnel stage", "status"])
    .said(&["lifecycle stages"])
    .options(&[
        Choice::new("subscriber", "Subscriber", "gray").words(&["subscribers", "subscribed"]),
        Choice::new("lead", "Lead", "blue").words(&["leads"]),
        Choice::new("mql", "MQL", "yellow").words(&[
            "mqls",
            "marketing qualified lead",
            "marketingqualifiedlead",
            "marketing qualified",
        ]),
        Choice::new("sql", "SQL", "orange").words(&[
            "sqls",
            "sales qualified lead",
            "salesqualifiedlead",
            "sales qualified",
        ]),
        Choice::new("opportunity", "Opportunity", "purple").words(&["opportunities", "opp"]),
        Choice::new("customer", "Customer", "green").words(&["customers", "client"]),
        Choice::new("evangelist", "Evangelist", "pink").words(&["evangelists", "advocate", "champion"]),
    ])
    .from_app("contacts.lifecycle_stage")
    .hubspot(CrmField::both("lifecyclestage", Form::Stage)),
    Column::new(
        "recent_signals",
        "Recent Signals",
        Kind::Tags,
        10,
        "What the person did of late, as short phrases",
    )
    .words(&["signals", "signal", "buying signals", "intent signals", "recent signal"])
    .said(&["showing signals"])
    .with(Derivation::RecentSignals),
    Column::computed(
        "sync_status",
        "Sync Status",
        Kind::Status,
        Derivation::SyncStatus,
        "Whether the row and its CRM records agree; worked out from the sync queues",
    )
    .words(&["sync", "sync state", "crm sync", "crm status"])
    .options(&[
        Choice::new("synced", "Synced", "green").words(&["in sync", "up to date"]),
        Choice::new("pending", "Pending", "yellow").words(&["waiting", "queued"]).said(&[
            "pending sync",
            "waiting to sync",
            "not yet synced",
        ]),
        Choice::new("error", "Error", "red").words(&["failed", "failing", "sync error"]).said(&[
            "errored",
            "in error",
            "failed to sync",
            "failing to sync",
            "sync errors",
            "erroring",
        ]),
        Choice::new("not_connected", "Not Connected", "gray")
            .words(&["unconnected", "disconnected", "not linked"])
            .said(&["not connected", "not connected to the crm", "unlinked"]),
    ]),
];

const VIEWS: &[View] = &[
    View {
        key: "all_contacts",
        label: "All Contacts",
        filters: &[],
        any_of: &[],
        sort: &[Sort::desc("last_engagement")],
    },
    View {
        key: "recently_active",
        label: "Recently Active",
        filters: &[Where::new("last_engagement", Op::WithinLastDays, &["30"])],
        any_of: &[],
        sort: &[Sort::desc("last_engagement")],
    },
    View {
        key: "sync_issues",
        label: "Sync Issues",
        filters: &[Where::new("sync_status", Op::Equals, &["error"])],
        any_of: &[],
        sort: &[Sort::desc("last_engagement")],
    },
];

const AUTOMATIONS: &[Automation] = &[
    Automation {
        key: "contacts_bidirectional_sync",
        about: "Sends a changed name, e-mail address, title or phone number to the connected CRM",
        triggers: &[
            Trigger::CellChanged("email"),
            Trigger::CellChanged("first_name"),
            Trigger::CellChanged("last_name"),
            Trigger::CellChanged("title"),
            Trigger::CellChanged("phone"),
        ],
        conditions: &[Where::new("crm_id", Op::IsNotEmpty, &[])],
        any_of: &[],
        actions: &[Action::Push(&["email", "first_name", "last_name", "title", "phone"])],
    },
    Automation {
        key: "contacts_inactive_90d",
        about: "Tags a contact `inactive_90d` after 90 days without engagement, until it is active again",
        triggers: &[Trigger::Daily, Trigger::CellChanged("last_engagement")],
        conditions: &[Where::new("last_engagement", Op::Before, &["90_days_ago"])],
        any_of: &[],
        actions: &[
            Action::Tag("inactive_90d"),
            Action::Notify {
                text: "{{first_name}} {{last_name}} has been inactive for 90 days",
                urgent: false,
            },
        ],
    },
];
