//! The kinds of objects that the stand-in has, and their names.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Contact,
    Company,
    Deal,
    Note,
    Meeting,
    Task,
}

impl Kind {
    pub(super) const ALL: &[Kind] =
        &[Kind::Contact, Kind::Company, Kind::Deal, Kind::Note, Kind::Meeting, Kind::Task];

    /// By any of the names that a path may use: `contacts`, `contact`, `0-1`.
    pub(super) fn named(name: &str) -> Option<Kind> {
        let matches =
            |kind: &&Kind| name == kind.plural() || name == kind.singular() || name == kind.type_id();
        Kind::ALL.iter().find(matches).copied()
    }

    pub(super) const fn singular(self) -> &'static str {
        match self {
            Kind::Contact => "contact",
            Kind::Company => "company",
            Kind::Deal => "deal",
            Kind::Note => "note",
            Kind::Meeting => "meeting",
            Kind::Task => "task",
        }
    }

    pub(super) const fn plural(self) -> &'static str {
        match self {
            Kind::Contact => "contacts",
            Kind::Company => "companies",
            Kind::Deal => "deals",
            Kind::Note => "notes",
            Kind::Meeting => "meetings",
            Kind::Task => "tasks",
        }
    }

    /// The objectTypeId.
    pub(super) const fn type_id(self) -> &'static str {
        match self {
            Kind::Contact => "0-1",
            Kind::Company => "0-2",
            Kind::Deal => "0-3",
            Kind::Task => "0-27",
            Kind::Note => "0-46",
            Kind::Meeting => "0-47",
        }
    }

    /// Whether records of this kind can be merged, and have webhook events of their own name.
    pub(super) const fn is_core(self) -> bool {
        matches!(self, Kind::Contact | Kind::Company | Kind::Deal)
    }

    /// The property that a poller follows.
    pub(super) const fn modified(self) -> &'static str {
        match self {
            Kind::Contact => "lastmodifieddate",
            _ => "hs_lastmodifieddate",
        }
    }

    pub(super) const fn created(self) -> &'static str {
        if self.is_core() { "createdate" } else { "hs_createdate" }
    }

    /// What a read brings that asks for no property by name.
    pub(super) const fn shown(self) -> &'static [&'static str] {
        match self {
            Kind::Contact => {
                &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"]
            }
            Kind::Company => &["createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"],
            Kind::Deal => &[
                "amount",
                "closedate",
                "createdate",
                "dealname",
                "dealstage",
                "hs_lastmodifieddate",
                "hs_object_id",
                "pipeline",
            ],
            _ => &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
        }
    }

    /// The properties of which a new record needs some: all of one of the groups.
    pub(super) const fn needed(self) -> &'static [&'static [&'static str]] {
        match self {
            Kind::Contact => &[&["email"], &["firstname"], &["lastname"]],
            Kind::Company => &[&["name"], &["domain"]],
            Kind::Deal => &[&["dealname", "dealstage"]],
            _ => &[&["hs_timestamp"]],
        }
    }
}
