//! Companies: one row an account, from the application, the connected CRM and enrichment.

use super::column::{Choice, Column, Derivation, Role};
use super::crm::{CrmField, Form};
use super::kind::{Kind, Op};
use super::{Action, Automation, Index, Sort, Table, Trigger, View, Where};

pub const COMPANIES: Table = Table {
    key: "companies",
    label: "All Companies",
    singular: "company",
    icon: "building",
    about: "Unified company data from app, CRM accounts and enrichment",
    nouns: &[
        "company",
        "companies",
        "account",
        "accounts",
        "organization",
        "organizations",
        "organisation",
        "organisations",
        "firm",
        "firms",
        "businesses",
    ],
    loose_nouns: &[],
    topics: &[],
    columns: COLUMNS,
    views: VIEWS,
    natural_keys: &["domain", "name"],
    default_date: "last_contact_date",
    automations: AUTOMATIONS,
    indexes: &[
        Index { columns: &["name"], descending: false },
        Index { columns: &["active_contacts_count"], descending: true },
        Index { columns: &["industry", "name"], descending: false },
        Index { columns: &["revenue", "name"], descending: false },
        Index { columns: &["last_contact_date"], descending: true },
        Index { columns: &["domain"], descending: false },
    ],
};

const COLUMNS: &[Column] = &[
    Column::new("crm_id", "CRM ID", Kind::Text, 1, "The id of the company's record in the connected CRM")
        .words(&[
            "record id",
            "hubspot id",
            "attio id",
            "company id",
            "account id",
            "crm record id",
            "hs object id",
        ])
        .said(&["id"])
        .role(Role::Record)
        .from_app("the CRM record's id")
        .hubspot(CrmField::read("hs_object_id", Form::RecordId))
        .attio(CrmField::read("record_id", Form::RecordId))
        .synced(),
    Column::new("name", "Name", Kind::Text, 2, "What the company is called")
        .words(&[
            "company",
            "company name",
            "account",
            "account name",
            "organization",
            "organisation",
            "business name",
            "record",
        ])
        .role(Role::Company)
        .from_app("companies.name")
        .hubspot(CrmField::both("name", Form::Text))
        .attio(CrmField::both("name", Form::Text))
        .searched(),
    Column::new(
        "domain",
        "Domain",
        Kind::Domain,
        3,
        "The company's domain, as acme.com; identifies the company",
    )
    .words(&["domains", "company domain", "company domain name", "domain name", "email domain"])
    .from_app("companies.domain")
    .hubspot(CrmField::both("domain", Form::Domain))
    .attio(CrmField::both("domains", Form::Domain))
    .searched(),
    Column::new("website", "Website", Kind::Url, 4, "The address of the company's web site")
        .words(&["website url", "web site", "url", "homepage", "home page", "web address", "site"])
        .from_app("companies.website")
        .hubspot(CrmField::both("website", Form::Text))
        .detail(),
    Column::new("industry", "Industry", Kind::Text, 5, "The line of business the company is in")
        .words(&["sector", "vertical", "line of business", "category", "categories", "market"])
        .said(&["space", "industries", "sectors", "verticals"])
        .role(Role::Industry)
        .from_app("companies.industry")
        .hubspot(CrmField::both("industry", Form::Choice))
        .attio(CrmField::both("categories", Form::Choice)),
    Column::new("company_size", "Company Size", Kind::Status, 6, "How many people work there, as a range")
        .words(&[
            "size",
            "employees",
            "employee count",
            "number of employees",
            "num employees",
            "employee range",
            "headcount",
            "head count",
            "staff",
        ])
        .said(&["people", "people working there", "head"])
        .options(SIZES)
        .from_app("companies.size")
        .hubspot(CrmField::read("numberofemployees", Form::Headcount))
        .attio(CrmField::read("employee_range", Form::Headcount)),
    Column::new("phone", "Phone", Kind::Phone, 7, "The company's telephone number, best as +14155550123")
        .words(&[
            "phone number",
            "phone numbers",
            "telephone",
            "office phone",
            "main phone",
            "main phone number",
            "office number",
            "company phone",
        ])
        .from_app("companies.phone")
        .hubspot(CrmField::both("phone", Form::Phone)),
    Column::new("linkedin_url", "LinkedIn", Kind::Linkedin, 8, "The company's LinkedIn page")
        .words(&["linkedin company page", "linkedin page", "linkedin link", "company linkedin url"])
        .said(&["linkedin url", "linkedin"])
        .from_app("companies.linkedin_url")
        .hubspot(CrmField::both("linkedin_company_page", Form::Text))
        .attio(CrmField::both("linkedin", Form::Text))
        .detail(),
    Column::new("description", "Description", Kind::Text, 9, "What the company does")
        .words(&["about", "about us", "company description", "overview", "what they do"])
        .from_app("companies.description")
        .hubspot(CrmField::both("description", Form::Text))
        .attio(CrmField::both("description", Form::Text))
        .detail(),
    Column::new("revenue", "Revenue", Kind::Number, 1, "What the company takes in a year")
        .words(&[
            "annual revenue",
            "yearly revenue",
            "estimated arr",
            "arr",
            "estimated arr usd",
            "turnover",
            "sales",
        ])
        .said(&[
            "make",
            "makes",
            "earn",
            "earns",
            "bring in",
            "turn over",
            "turns over",
            "annual turnover",
            "rev",
            "revenues",
            "making",
            "turning over",
            "annual sales",
        ])
        .from_app("companies.revenue")
        .hubspot(CrmField::both("annualrevenue", Form::Number))
        .attio(CrmField::read("estimated_arr_usd", Form::MoneyRange)),
    Column::new(
        "active_contacts_count",
        "Active Contacts",
        Kind::Number,
        2,
        "How many contacts name this company",
    )
    .words(&[
        "contacts",
        "contact count",
        "number of contacts",
        "number of associated contacts",
        "active contact count",
    ])
    .said(&["contact", "active contacts", "known contacts", "contacts at", "contact at", "person at"])
    .derived(Derivation::ActiveContacts),
    Column::new("last_contact_date", "Last Contact", Kind::Instant, 1, "When the company was last in touch")
        .words(&[
            "last contacted",
            "last activity",
            "last activity date",
            "last interaction",
            "last engagement",
            "last touch",
            "last touched",
            "last seen",
        ])
        .said(&[
            "contact",
            "any contact",
            "speak to",
            "speak with",
            "talk to",
            "talked with",
            "activity",
            "touchpoint",
            "interaction",
            "meet with",
            "met with",
            "contacted",
            "spoken to",
            "spoke to",
            "spoken with",
            "talked to",
            "touched",
            "heard from",
            "been in touch with",
            "in touch with",
            "reached out to",
            "been contacted",
            "engaged",
            "last spoke",
            "spoke with",
        ])
        .from_app("the latest of the CRM's and its contacts' last_engagement")
        .hubspot(CrmField::read("notes_last_contacted", Form::Instant))
        .attio(CrmField::read("last_interaction", Form::Instant))
        .with(Derivation::LastContact),
];

/// The first word of a size is its range, by which a plain number of employees finds it; the others are the
/// ranges of `LinkedIn`, `Attio` and `HubSpot` exports.
const SIZES: &[Choice] = &[
    Choice::new("startup", "Startup (1–10)", "gray").words(&["0-10", "1-10", "2-10", "micro"]).said(&[
        "startup",
        "startups",
        "startup-sized",
        "startup size",
        "start-up",
    ]),
    Choice::new("small", "Small (11–50)", "blue").words(&["11-50", "small business"]).said(&[
        "small",
        "small-sized",
        "smb",
    ]),
    Choice::new("medium", "Medium (51–200)", "green")
        .words(&["51-200", "51-250", "mid-size", "midsize", "mid-market"])
        .said(&["mid-sized", "midsized", "mid market", "medium-sized", "medium size"]),
    Choice::new("large", "Large (201–1000)", "orange")
        .words(&["201-1000", "201-500", "251-1K", "251-1000", "501-1000", "big"])
        .said(&["large", "large-sized"]),
    Choice::new("enterprise", "Enterprise (1000+)", "purple")
        .words(&[
            "1001+",
            "1000+",
            "1001-5000",
            "5001-10000",
            "10001+",
            "10000+",
            "1K-5K",
            "5K-10K",
            "10K-50K",
            "50K-100K",
            "100K+",
        ])
        .said(&["ent", "enterprise", "enterprise-sized", "enterprise size", "enterprise-level"]),
];

const VIEWS: &[View] = &[
    View {
        key: "all_companies",
        label: "All Companies",
        filters: &[],
        any_of: &[],
        sort: &[Sort::asc("name")],
    },
    View {
        key: "key_accounts",
        label: "Key Accounts",
        filters: &[Where::new("active_contacts_count", Op::Gte, &["3"])],
        any_of: &[],
        sort: &[Sort::desc("active_contacts_count")],
    },
    View {
        key: "needs_enrichment",
        label: "Needs Enrichment",
        filters: &[],
        any_of: &[Where::new("industry", Op::IsEmpty, &[]), Where::new("revenue", Op::IsEmpty, &[])],
        sort: &[Sort::asc("name")],
    },
];

const AUTOMATIONS: &[Automation] = &[
    Automation {
        key: "companies_enrich_data",
        about: "Fills a new company's industry, revenue and description from its domain",
        triggers: &[Trigger::RowCreated],
        conditions: &[Where::new("domain", Op::IsNotEmpty, &[])],
        any_of: &[Where::new("industry", Op::IsEmpty, &[]), Where::new("revenue", Op::IsEmpty, &[])],
        actions: &[Action::Enrich { from: "domain", columns: &["industry", "revenue", "description"] }],
    },
    Automation {
        key: "companies_expansion_signals",
        about: "Tags a company `expansion_opportunity` and tells the team when five contacts or more are known there",
        triggers: &[Trigger::CellChanged("active_contacts_count")],
        conditions: &[Where::new("active_contacts_count", Op::Gte, &["5"])],
        any_of: &[],
        actions: &[
            Action::Notify {
                text: "{{name}} now has {{active_contacts_count}} active contacts",
                urgent: false,
            },
            Action::Tag("expansion_opportunity"),
        ],
    },
];
