//! The types a column can have, where their values are stored, and what may be asked of them.

use serde::Serialize;

/// A column's type. `Day` and `Instant` are both called `date`; `Domain` is a `url` that keeps its host only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Free text, NFC, line ends as LF.
    Text,
    /// An e-mail address, lower-case.
    Email,
    /// An absolute web address.
    Url,
    /// A host name without scheme, `www.` or path, lower-case.
    Domain,
    /// A telephone number, E.164 when it is given with its country code.
    Phone,
    /// The address of a LinkedIn profile or company page.
    Linkedin,
    /// A decimal of at most 15 significant digits.
    Number,
    /// A calendar day, the same everywhere.
    Day,
    /// A point in time, kept in UTC to the millisecond.
    Instant,
    /// One of the column's options.
    Status,
    /// A set of short strings.
    Tags,
    /// A member of the organization, kept by id and shown by name.
    Person,
    /// A company, by name.
    Company,
    /// True or false.
    Boolean,
}

/// Which family of slots holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    Text,
    Number,
    Time,
    Flag,
}

/// A comparison that a filter can make. The names are the ones copilots already use for these tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Equals,
    NotEquals,
    In,
    NotIn,
    Contains,
    StartsWith,
    IsEmpty,
    IsNotEmpty,
    Gt,
    Gte,
    Lt,
    Lte,
    Before,
    After,
    Between,
    WithinLastDays,
    WithinNextDays,
}

impl Kind {
    pub const ALL: &[Kind] = &[
        Kind::Text,
        Kind::Email,
        Kind::Url,
        Kind::Domain,
        Kind::Phone,
        Kind::Linkedin,
        Kind::Number,
        Kind::Day,
        Kind::Instant,
        Kind::Status,
        Kind::Tags,
        Kind::Person,
        Kind::Company,
        Kind::Boolean,
    ];

    /// The type's name as users know it; two kinds of `date` and two of `url` share one name.
    pub fn type_name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Email => "email",
            Kind::Url | Kind::Domain => "url",
            Kind::Phone => "phone",
            Kind::Linkedin => "linkedin",
            Kind::Number => "number",
            Kind::Day | Kind::Instant => "date",
            Kind::Status => "status",
            Kind::Tags => "tags",
            Kind::Person => "person",
            Kind::Company => "company",
            Kind::Boolean => "boolean",
        }
    }

    /// The unambiguous name under which a column's kind is stored.
    pub fn key(self) -> &'static str {
        match self {
            Kind::Domain => "domain",
            Kind::Instant => "instant",
            other => other.type_name(),
        }
    }

    /// The kind with this stored name, or none.
    pub fn from_key(key: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.key() == key)
    }

    pub fn storage(self) -> Storage {
        match self {
            Kind::Number => Storage::Number,
            Kind::Day | Kind::Instant => Storage::Time,
            Kind::Boolean => Storage::Flag,
            _ => Storage::Text,
        }
    }

    /// Whether values are compared without regard to case: words typed by people, not canonical forms.
    pub fn ignores_case(self) -> bool {
        matches!(self, Kind::Text | Kind::Company | Kind::Url | Kind::Linkedin | Kind::Phone | Kind::Tags)
    }

    /// The comparisons that make sense for this kind.
    pub fn operators(self) -> &'static [Op] {
        const TEXT: &[Op] = &[
            Op::Equals,
            Op::NotEquals,
            Op::In,
            Op::NotIn,
            Op::Contains,
            Op::StartsWith,
            Op::IsEmpty,
            Op::IsNotEmpty,
        ];
        const CHOICE: &[Op] = &[Op::Equals, Op::NotEquals, Op::In, Op::NotIn, Op::IsEmpty, Op::IsNotEmpty];
        const TAGS: &[Op] =
            &[Op::Equals, Op::NotEquals, Op::In, Op::NotIn, Op::Contains, Op::IsEmpty, Op::IsNotEmpty];
        const NUMBER: &[Op] = &[
            Op::Equals,
            Op::NotEquals,
            Op::In,
            Op::NotIn,
            Op::Gt,
            Op::Gte,
            Op::Lt,
            Op::Lte,
            Op::Between,
            Op::IsEmpty,
            Op::IsNotEmpty,
        ];
        const DATE: &[Op] = &[
            Op::Equals,
            Op::NotEquals,
            Op::Gt,
            Op::Gte,
            Op::Lt,
            Op::Lte,
            Op::Before,
            Op::After,
            Op::Between,
            Op::WithinLastDays,
            Op::WithinNextDays,
            Op::IsEmpty,
            Op::IsNotEmpty,
        ];
        const FLAG: &[Op] = &[Op::Equals, Op::NotEquals, Op::IsEmpty, Op::IsNotEmpty];
        match self {
            Kind::Status | Kind::Person => CHOICE,
            Kind::Tags => TAGS,
            Kind::Number => NUMBER,
            Kind::Day | Kind::Instant => DATE,
            Kind::Boolean => FLAG,
            _ => TEXT,
        }
    }
}

impl Op {
    pub const ALL: &[Op] = &[
        Op::Equals,
        Op::NotEquals,
        Op::In,
        Op::NotIn,
        Op::Contains,
        Op::StartsWith,
        Op::IsEmpty,
        Op::IsNotEmpty,
        Op::Gt,
        Op::Gte,
        Op::Lt,
        Op::Lte,
        Op::Before,
        Op::After,
        Op::Between,
        Op::WithinLastDays,
        Op::WithinNextDays,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Op::Equals => "equals",
            Op::NotEquals => "not_equals",
            Op::In => "in",
            Op::NotIn => "not_in",
            Op::Contains => "contains",
            Op::StartsWith => "starts_with",
            Op::IsEmpty => "is_empty",
            Op::IsNotEmpty => "is_not_empty",
            Op::Gt => "gt",
            Op::Gte => "gte",
            Op::Lt => "lt",
            Op::Lte => "lte",
            Op::Before => "before",
            Op::After => "after",
            Op::Between => "between",
            Op::WithinLastDays => "within_last_days",
            Op::WithinNextDays => "within_next_days",
        }
    }

    pub fn from_name(name: &str) -> Option<Op> {
        Op::ALL.iter().copied().find(|op| op.name() == name)
    }
}

/// A word as it is compared: letters and digits only, lower-case.
pub fn fold_word(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
