//! Random choices that come again with the same seed, and the values that schedules write.

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

pub(crate) struct Dice(u64);

/// What a column of the schedules holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds {
    Words(&'static [&'static str]),
    Emails,
    Numbers,
    Times,
    Flags,
    Tags,
}

/// A value as it is written in a call and as it should be kept.
pub(super) type Written = (Json, Json);

const WORDS: Holds = Holds::Words(&["a", "B b", "ünï", "x'y\"z", "%_\\", "日本 \u{1F600}"]);
const COMPANIES: Holds = Holds::Words(&["Acme", "ACME", "Globex", "globex", "Initech"]);

pub(super) const TABLES: &[&str] = &["leads", "contacts", "companies"];

/// The columns that schedules write, apart from those the organization adds.
pub(super) fn columns(table: &str) -> &'static [(&'static str, Holds)] {
    match table {
        "leads" => &[
            ("contact_name", WORDS),
            ("contact_email", Holds::Emails),
            ("source", WORDS),
            ("status", Holds::Words(&["new", "ready", "converted"])),
            ("priority", Holds::Words(&["low", "high"])),
            ("meeting_start", Holds::Times),
            ("created_at", Holds::Times),
            ("tags", Holds::Tags),
        ],
        "contacts" => &[
            ("first_name", WORDS),
            ("email", Holds::Emails),
            ("company_name", COMPANIES),
            ("company_name", COMPANIES),
            ("last_engagement", Holds::Times),
            ("recent_signals", Holds::Tags),
            ("lifecycle_stage", Holds::Words(&["lead", "mql", "customer"])),
            ("tags", Holds::Tags),
        ],
        _ => &[
            ("name", COMPANIES),
            ("domain", Holds::Words(&["acme.com", "globex.io"])),
            ("industry", Holds::Words(&["tools", "toys"])),
            ("revenue", Holds::Numbers),
            ("last_contact_date", Holds::Times),
            ("tags", Holds::Tags),
        ],
    }
}

/// A column with few values, by which schedules choose rows.
pub(super) fn filtered(table: &str) -> (&'static str, &'static [&'static str]) {
    match table {
        "leads" => ("status", &["new", "ready", "converted"]),
        "contacts" => ("lifecycle_stage", &["lead", "mql", "customer"]),
        _ => ("industry", &["tools", "toys"]),
    }
}

/// The column by which schedules find rows to upsert.
pub(super) fn key(table: &str) -> &'static str {
    match table {
        "leads" => "contact_email",
        "contacts" => "email",
        _ => "name",
    }
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 33) as usize % sides
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.roll(among.len())]
    }

    /// A value, or none in one of its spellings.
    pub(super) fn value(&mut self, holds: Holds) -> Written {
        if self.chance(15) {
            let nothing = if matches!(holds, Holds::Tags) { json!([]) } else { json!("") };
            return (self.pick(&[Json::Null, nothing]).clone(), Json::Null);
        }
        self.some(holds)
    }

    pub(super) fn some(&mut self, holds: Holds) -> Written {
        let same = |value: Json| (value.clone(), value);
        match holds {
            Holds::Words(words) => same(json!(self.pick(words))),
            Holds::Emails => {
                let email = format!("p{}@x.io", self.roll(5));
                (json!(if self.chance(30) { email.to_uppercase() } else { email.clone() }), json!(email))
            }
            Holds::Numbers => same(json!(self.pick(&[
                0.0,
                1.0,
                -2.5,
                0.1,
                1_234_567.89,
                1e-7,
                123_456_789_012_345.0,
                1.234_567_890_123_45e-30,
                9.876_543_210_987_65e25,
                -4.9e-300
            ]))),
            Holds::Times => {
                let text = self.pick(&[
                    "2026-03-01T00:00:00Z",
                    "2001-01-01T00:00:00Z",
                    "1965-05-05T05:05:05Z",
                    "2030-12-31T23:59:59Z",
                    "2026-02-28T12:00:00.125Z",
                    "2026-03-03T09:00:00Z",
                ]);
                let moment: DateTime<Utc> = text.parse().expect("a moment in RFC 3339");
                (json!(text), json!(moment))
            }
            Holds::Flags => same(json!(self.chance(50))),
            Holds::Tags => {
                let first = self.roll(7) + 1;
                let tags = ["a", "b", "C"].iter().enumerate().filter(|(i, _)| first & (1 << i) != 0);
                same(json!(tags.map(|(_, tag)| tag).collect::<Vec<_>>()))
            }
        }
    }
}
