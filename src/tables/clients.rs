//! Clients: who pays or has paid, for which deal, since when, and where the relation stands.

use super::column::{Choice, Column, Role};
use super::kind::{Kind, Op};
use super::{Index, Sort, Table, View, Where};

pub const CLIENTS: Table = Table {
    key: "clients",
    label: "Clients",
    singular: "client",
    icon: "briefcase",
    about: "Active and past clients with subscription, deal link and lifecycle status",
    nouns: &["client", "clients", "customer", "customers", "paying customer", "paying customers"],
    loose_nouns: &["account", "accounts"],
    topics: &[],
    columns: COLUMNS,
    views: VIEWS,
    natural_keys: &["contact_email", "company_name"],
    default_date: "created_at",
    automations: &[],
    indexes: &[
        Index { columns: &["created_at"], descending: true },
        Index { columns: &["status", "subscription_start"], descending: true },
        Index { columns: &["status", "created_at"], descending: true },
        Index { columns: &["owner", "created_at"], descending: true },
        Index { columns: &["deal_value"], descending: true },
        Index { columns: &["contact_email"], descending: false },
        Index { columns: &["company_name"], descending: false },
    ],
};

const COLUMNS: &[Column] = &[
    Column::new("company_name", "Company", Kind::Company, 1, "The company that pays")
        .words(&[
            "client",
            "client name",
            "customer",
            "customer name",
            "account",
            "account name",
            "organization",
            "name",
        ])
        .role(Role::Company)
        .from_app("clients.company_name")
        .searched(),
    Column::new("contact_name", "Contact", Kind::Text, 2, "The person to talk to there")
        .words(&[
            "contact person",
            "person",
            "full name",
            "main contact",
            "primary contact",
            "point of contact",
        ])
        .said(&["client contact", "customer contact"])
        .role(Role::Person)
        .from_app("clients.contact_name")
        .searched(),
    Column::new(
        "contact_email",
        "Email",
        Kind::Email,
        3,
        "That person's e-mail address; identifies the client",
    )
    .words(&[
        "email address",
        "e-mail",
        "mail",
        "client email",
        "customer email",
        "billing email",
        "client contact email",
        "customer contact email",
    ])
    .from_app("clients.contact_email")
    .searched(),
    Column::new("deal_name", "Deal", Kind::Text, 4, "The deal that was won")
        .words(&["deal title", "opportunity", "opportunity name", "product", "plan", "contract"])
        .said(&["deals"])
        .from_app("clients.deal_id to deals.name")
        .searched(),
    Column::new("deal_value", "MRR", Kind::Number, 1, "What the client pays a month")
        .words(&[
            "monthly recurring revenue",
            "monthly revenue",
            "deal amount",
            "amount",
            "value",
            "worth",
            "subscription amount",
            "monthly amount",
            "close value",
            "revenue",
            "price",
        ])
        .said(&[
            "making",
            "making from",
            "make from",
            "earning",
            "earning from",
            "earn from",
            "pay",
            "pays",
            "paying",
            "paid",
            "worth",
            "spend",
            "spends",
            "spending",
            "bring in",
            "brings in",
            "bringing in",
            "billing",
            "a month",
            "per month",
            "monthly",
            "deal size",
            "deal values",
            "recurring revenue",
            "monthly value",
            "monthly fee",
        ])
        .from_app("clients.subscription_amount"),
    Column::new("status", "Status", Kind::Status, 5, "Where the relation with the client stands")
        .words(&["client status", "customer status", "subscription status", "state", "stage", "deal stage"])
        .options(&[
            Choice::new("active", "Active", "green")
                .words(&["live", "current"])
                .said(&["currently active", "activated"]),
            Choice::new("signed", "Signed", "blue").words(&["contract signed", "won"]),
            Choice::new("deposit_paid", "Deposit Paid", "purple").words(&[
                "deposit",
                "paid deposit",
                "paid a deposit",
            ]),
            Choice::new("paused", "Paused", "yellow")
                .words(&["on hold", "on pause"])
                .said(&["hold", "pause", "frozen"]),
            Choice::new("notice_given", "Notice Given", "orange")
                .words(&["on notice", "gave notice", "leaving"])
                .said(&[
                    "about to leave",
                    "about to churn",
                    "on the way to leaving",
                    "planning to leave",
                    "who are leaving",
                    "going to leave",
                    "given notice",
                    "giving notice",
                    "given us notice",
                    "gave us notice",
                    "handed in notice",
                    "handed in their notice",
                    "notice",
                    "at risk",
                    "risky",
                    "under notice",
                    "serving notice",
                    "working their notice",
                    "on the way out",
                    "on their way out",
                ]),
            Choice::new("churned", "Churned", "red")
                .words(&["lost", "left", "cancelled", "canceled", "former"])
                .said(&[
                    "at risk",
                    "risky",
                    "we lost",
                    "lost to churn",
                    "to churn",
                    "left us",
                    "churn",
                    "walked away",
                ]),
        ])
        .from_app("clients.status"),
    Column::new(
        "subscription_start",
        "Start Date",
        Kind::Day,
        1,
        "The day the subscription began or will begin",
    )
    .words(&[
        "start",
        "subscription start date",
        "started",
        "go live",
        "go live date",
        "contract start",
        "close date",
    ])
    .said(&[
        "start",
        "starts",
        "starting",
        "started",
        "go live",
        "goes live",
        "went live",
        "going live",
        "gone live",
        "live since",
        "onboarded",
        "began",
        "begin",
        "kicked off",
        "subscription started",
        "subscription starts",
        "subscription starting",
        "subscription began",
    ])
    .from_app("clients.subscription_start_date"),
    Column::new(
        "owner",
        "Owner",
        Kind::Person,
        6,
        "The member of the organization who looks after the client",
    )
    .words(&[
        "client owner",
        "account owner",
        "deal owner",
        "account manager",
        "assigned to",
        "rep",
        "sales agent",
    ])
    .said(&["salesperson", "seller", "ae", "account managers", "csm", "looks after"])
    .role(Role::Owner)
    .from_app("clients.owner_id to profiles"),
    Column::new("lead_source", "Source", Kind::Text, 7, "Where the client first came from")
        .words(&[
            "channel",
            "lead source channel",
            "origin",
            "came from",
            "acquisition channel",
            "original source",
        ])
        .said(&["lead sources", "lead source", "came through", "sourced from"])
        .role(Role::Channel)
        .from_app("deals.lead_source_channel"),
    Column::new(
        "created_at",
        "Created",
        Kind::Instant,
        2,
        "When the client was recorded; set on creation when not given",
    )
    .words(&[
        "create date",
        "date created",
        "date added",
        "added",
        "client since",
        "customer since",
        "signed on",
    ])
    .said(&[
        "sign up",
        "signed up with us",
        "come on board",
        "came aboard",
        "created on",
        "created",
        "joined",
        "came on board",
        "signed up",
        "came in",
        "creation date",
    ])
    .from_app("clients.created_at"),
];

const VIEWS: &[View] = &[
    View {
        key: "all_clients",
        label: "All Clients",
        filters: &[],
        any_of: &[],
        sort: &[Sort::desc("created_at")],
    },
    View {
        key: "active_clients",
        label: "Active Clients",
        filters: &[Where::new("status", Op::Equals, &["active"])],
        any_of: &[],
        sort: &[Sort::desc("subscription_start")],
    },
    View {
        key: "at_risk",
        label: "At Risk",
        filters: &[Where::new("status", Op::In, &["notice_given", "churned"])],
        any_of: &[],
        sort: &[Sort::desc("created_at")],
    },
];
