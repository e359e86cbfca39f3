//! Which column a name belongs to, by the word before it: "at", "with", "from", "for", "of", "in".

use super::grammar::Gram;
use super::names;
use super::reader::{Name, Reader};
use crate::tables::Role;

/// Where a name belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Column(usize),
    /// The person on the other side, who may take two columns.
    Person,
}

impl Reader<'_> {
    /// The slot of a name after the word; none when the word says nothing about such a name.
    pub(super) fn slot_for(&self, cue: Gram, name: &Name) -> Option<Slot> {
        let is_place = names::is_place(&name.words);
        match cue {
            Gram::From => self.slot_from(name, is_place),
            Gram::In if !is_place && !name.person => self.slot(Role::Industry),
            Gram::Of if self.is_industry(name) => self.slot(Role::Industry),
            // "CTOs at SaaS companies" are nobody's contacts yet.
            Gram::At if self.holds_people() && names::is_industry(&name.words) => None,
            Gram::At if !is_place => self.slot(Role::Company),
            Gram::With => self.slot_with(name),
            Gram::For | Gram::Of if !is_place => self.slot_for_or_of(cue, name),
            _ => None,
        }
    }

    fn slot(&self, role: Role) -> Option<Slot> {
        self.role(role).map(Slot::Column)
    }

    pub(super) fn holds_people(&self) -> bool {
        self.role(Role::GivenName).is_some()
    }

    fn is_industry(&self, name: &Name) -> bool {
        self.role(Role::Industry).is_some() && names::is_industry(&name.words)
    }

    /// Rows that are known by a person and carry the company only as a host: leads.
    fn holds_leads(&self) -> bool {
        let untitled = self.words().is_some_and(|words| words.topics.is_empty());
        self.role(Role::Person).is_some() && self.role(Role::Topic).is_some() && untitled
    }

    /// "from the newsletter", "from Acme", "from retail".
    fn slot_from(&self, name: &Name, is_place: bool) -> Option<Slot> {
        let is_channel = names::is_channel(&name.words);
        let is_vendor = names::is_data_vendor(&name.words);
        if self.role(Role::Channel).is_some() && (!is_vendor || is_channel) {
            return match (is_channel, is_place) {
                (false, true) => None,
                (false, false) if self.holds_leads() => self.slot(Role::Company),
                _ => self.slot(Role::Channel),
            };
        }
        if is_vendor {
            return None;
        }
        if self.holds_people() && !is_place && !self.draft.finds {
            return self.slot(Role::Company);
        }
        self.slot(Role::Industry).filter(|_| self.is_industry(name))
    }

    /// "with Acme", "with Jo Hart".
    fn slot_with(&self, name: &Name) -> Option<Slot> {
        let meets = self.words().is_some_and(|words| !words.topics.is_empty());
        if meets {
            return if name.person { Some(Slot::Person) } else { self.slot(Role::Company) };
        }
        (name.person && self.role(Role::Person).is_some()).then_some(Slot::Person)
    }

    /// "for Tom", "for Ben Ames", "of Kestrel".
    fn slot_for_or_of(&self, cue: Gram, name: &Name) -> Option<Slot> {
        if !name.person {
            return self.slot(Role::Company);
        }
        let plural = self.draft.noun.is_some_and(|noun| noun.plural);
        let one_name = !name.words.contains(' ');
        // "clients for Tom", "leads of Oksana"; but "the lead for Ben Ames" is about Ben Ames.
        let works =
            if cue == Gram::Of { plural } else { (plural && one_name) || self.role(Role::Topic).is_none() };
        if works && let Some(owner) = self.slot(Role::Owner) {
            return Some(owner);
        }
        (self.holds_people() || self.role(Role::Person).is_some()).then_some(Slot::Person)
    }
}
