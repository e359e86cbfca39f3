//! The standard objects of a new workspace, and their attributes.

use super::attributes::{Attribute, Choice, Flags, Type};
use super::object::Object;
use crate::fakes::dice::Dice;

const PLAIN: Flags = Flags::SYSTEM;
const MANY: Flags = PLAIN.and(Flags::MULTIPLE);
const KEY: Flags = MANY.and(Flags::UNIQUE);
const NEEDED: Flags = PLAIN.and(Flags::REQUIRED);
const KEPT: Flags = PLAIN.and(Flags::READ_ONLY);

/// A line of the tables below: slug, title, type, flags, and the objects that a reference names.
type Line = (&'static str, &'static str, Type, Flags, &'static [&'static str]);

/// What every object has.
const EVERY: &[Line] = &[
    ("record_id", "Record ID", Type::Text, KEPT, &[]),
    ("created_at", "Created at", Type::Timestamp, KEPT, &[]),
    ("created_by", "Created by", Type::Actor, KEPT, &[]),
];

const PEOPLE: &[Line] = &[
    ("name", "Name", Type::Name, PLAIN, &[]),
    ("email_addresses", "Email addresses", Type::Email, KEY, &[]),
    ("description", "Description", Type::Text, PLAIN, &[]),
    ("company", "Company", Type::Reference, PLAIN, &["companies"]),
    ("job_title", "Job title", Type::Text, PLAIN, &[]),
    ("phone_numbers", "Phone numbers", Type::Phone, MANY, &[]),
    ("primary_location", "Primary location", Type::Location, PLAIN, &[]),
    ("linkedin", "LinkedIn", Type::Text, PLAIN, &[]),
    ("last_interaction", "Last interaction", Type::Interaction, KEPT, &[]),
];

const COMPANIES: &[Line] = &[
    ("domains", "Domains", Type::Domain, KEY, &[]),
    ("name", "Name", Type::Text, PLAIN, &[]),
    ("description", "Description", Type::Text, PLAIN, &[]),
    ("categories", "Categories", Type::Select, MANY, &[]),
    ("primary_location", "Primary location", Type::Location, PLAIN, &[]),
    ("linkedin", "LinkedIn", Type::Text, PLAIN, &[]),
    ("employee_range", "Employee range", Type::Select, PLAIN, &[]),
    ("estimated_arr_usd", "Estimated ARR", Type::Select, PLAIN, &[]),
    ("foundation_date", "Foundation date", Type::Date, PLAIN, &[]),
    ("last_interaction", "Last interaction", Type::Interaction, KEPT, &[]),
];

const DEALS: &[Line] = &[
    ("name", "Deal name", Type::Text, NEEDED, &[]),
    ("stage", "Deal stage", Type::Status, NEEDED, &[]),
    ("owner", "Deal owner", Type::Actor, NEEDED, &[]),
    ("value", "Deal value", Type::Currency, PLAIN, &[]),
    ("associated_people", "Associated people", Type::Reference, MANY, &["people"]),
    ("associated_company", "Associated company", Type::Reference, PLAIN, &["companies"]),
];

const CHOICES: &[(&str, &[&str])] = &[
    (
        "categories",
        &["B2B", "B2C", "SaaS", "Software", "Internet", "Financial Services", "Retail", "Telecommunications"],
    ),
    (
        "employee_range",
        &["1-10", "11-50", "51-250", "251-1K", "1K-5K", "5K-10K", "10K-50K", "50K-100K", "100K+"],
    ),
    (
        "estimated_arr_usd",
        &[
            "<$1M",
            "$1M-$10M",
            "$10M-$50M",
            "$50M-$100M",
            "$100M-$250M",
            "$250M-$500M",
            "$500M-$1B",
            "$1B-$10B",
            "$10B+",
        ],
    ),
    ("stage", &["Lead", "In Progress", "Won 🎉", "Lost"]),
];

pub(super) fn objects(dice: &mut Dice) -> Vec<Object> {
    [("people", "person", PEOPLE), ("companies", "company", COMPANIES), ("deals", "deal", DEALS)]
        .into_iter()
        .map(|(slug, singular, own)| {
            let id = dice.uuid().to_string();
            let attributes = EVERY.iter().chain(own).map(|line| attribute(line, dice)).collect();
            Object::new(id, slug, singular, attributes)
        })
        .collect()
}

fn attribute(&(slug, title, ty, flags, targets): &Line, dice: &mut Dice) -> Attribute {
    let id = dice.uuid().to_string();
    let titles = CHOICES.iter().find(|(attribute, _)| *attribute == slug).map(|(_, titles)| *titles);
    let choice = |title: &&str| Choice { id: dice.uuid().to_string(), title: (*title).to_owned() };
    Attribute {
        id,
        slug: slug.to_owned(),
        title: title.to_owned(),
        ty,
        flags,
        choices: titles.unwrap_or_default().iter().map(choice).collect(),
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
    }
}
