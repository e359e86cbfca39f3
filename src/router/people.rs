//! Who works the rows: "my", "Sarah's", "owned by Tom", "unassigned".

use serde_json::{Value as Json, json};

use super::grammar::Gram;
use super::lists::any_of;
use super::names;
use super::reader::{Name, Reader};
use super::text::TokenKind;
use crate::tables::{Op, Role};

impl Reader<'_> {
    /// "my", "mine", "assigned to me".
    pub(super) fn mine(&mut self, at: usize) -> Option<usize> {
        // "am I scheduled to meet Heather"
        let am_i = self.word(at) == "am" && self.word(at + 1) == "i" && self.noun_at(at + 2).is_some();
        let length = self.gram(at, Gram::Me).or_else(|| am_i.then_some(2))?;
        let end = at + length;
        self.draft.ours = true;
        // "on my calendar" says what rows, too.
        if self.noun_at(at).is_some_and(|(n, _)| n == length) {
            self.set_noun(at, true);
        }
        if let Some(owner) = self.role(Role::Owner)
            && !self.draft.has_filter_on(owner)
        {
            self.draft.filter(owner, Op::Equals, json!({"me": true}), at..end);
        }
        Some(end)
    }

    /// "who owns the Acme lead", "who is looking after Lumio".
    pub(super) fn owner_question(&mut self, at: usize) -> Option<usize> {
        let owner = self.role(Role::Owner)?;
        let asked = self.word(at) == "who" || (self.word(at) == "which" && at < 3);
        let rep = usize::from(["rep", "salesperson", "seller"].contains(&self.word(at + 1)));
        let verbs = [
            "owns",
            "is handling",
            "handles",
            "manages",
            "is managing",
            "looks after",
            "is looking after",
            "runs",
            "works",
            "is working",
            "is responsible for",
            "is in charge of",
            "covers",
        ];
        let length = self.gram(at + 1 + rep, Gram::Owns).filter(|_| asked)?;
        let said: Vec<&str> = (at + 1 + rep..at + 1 + rep + length).map(|i| self.word(i)).collect();
        let end = at + 1 + rep + length;
        if !verbs.contains(&said.join(" ").as_str()) || self.gram(end, Gram::Most).is_some() {
            return None;
        }
        self.draft.fields.push(super::draft::Field { column: owner, at });
        self.draft.asks = true;
        Some(end)
    }

    /// "unassigned", "with no owner".
    pub(super) fn unowned(&mut self, at: usize) -> Option<usize> {
        let length = self.gram(at, Gram::Unowned)?;
        let owner = self.role(Role::Owner)?;
        self.draft.filter(owner, Op::IsEmpty, Json::Null, at..at + length);
        Some(at + length)
    }

    /// "owned by Tom", "assigned to me", "by Sarah", "for Tom" where rows are worked for somebody.
    pub(super) fn owned_by(&mut self, at: usize) -> Option<usize> {
        let by = self.gram(at, Gram::OwnedBy);
        let length = by.or_else(|| (self.word(at) == "by").then_some(1))?;
        let start = self.past_articles(at + length);
        if ["me", "myself"].contains(&self.word(start)) {
            self.draft.ours = true;
            let owner = self.role(Role::Owner)?;
            self.draft.filter(owner, Op::Equals, json!({"me": true}), at..start + 1);
            return Some(start + 1);
        }
        if by.is_some() && ["nobody", "anyone", "anybody"].contains(&self.word(start)) {
            let owner = self.role(Role::Owner)?;
            self.draft.filter(owner, Op::IsEmpty, Json::Null, at..start + 1);
            return Some(start + 1);
        }
        let name = self.name_at(start, true).filter(|name| name.person || by.is_some())?;
        let (end, values) = self.people_from(start + name.length, name.text);
        self.owned(&values, at..end)
    }

    /// The first person, who ends at `end`, and those listed behind: ", Priya and Ann".
    pub(super) fn people_from(&self, end: usize, first: String) -> (usize, Vec<String>) {
        self.listed(end, first, |next| {
            let name = self.name_at(next, true).filter(|name| name.person)?;
            Some((next + name.length, name.text))
        })
    }

    /// Rows that one of these people works.
    pub(super) fn owned(&mut self, people: &[String], tokens: std::ops::Range<usize>) -> Option<usize> {
        let owner = self.role(Role::Owner)?;
        let end = tokens.end;
        let (op, value) = any_of(Op::Equals, people);
        self.draft.filter(owner, op, value, tokens);
        Some(end)
    }

    /// "Sarah's leads", "Globex's contacts", "Dana Whitfield's phone number".
    pub(super) fn possessive_owner(&mut self, at: usize) -> Option<usize> {
        let name = self.name_at(at, true)?;
        let end = at + name.length;
        let (mut end, mut values) = if name.person {
            self.people_from(end, name.text.clone())
        } else {
            (end, vec![name.text.clone()])
        };
        // "fatimas" is careless for "Fatima's".
        let stem = name.words.strip_suffix('s').unwrap_or_default();
        let careless = self.lexicon.is_given_name(stem) && !self.lexicon.is_given_name(&name.words);
        let name = if careless {
            Name { text: name.text.trim_end_matches(['s', 'S']).to_owned(), person: true, ..name }
        } else {
            name
        };
        if careless && values.len() == 1 {
            values = vec![name.text.clone()];
        } else {
            self.token(end).filter(|token| token.kind == TokenKind::Possessive)?;
            end += 1;
        }
        // "in Kwame's book"
        if ["book", "portfolio", "patch", "territory", "plate", "desk"].contains(&self.word(end)) {
            end += 1;
        }
        if name.person && self.role(Role::Owner).is_some() {
            return self.owned(&values, at..end);
        }
        let rows = (end..self.end.min(end + 5)).any(|i| self.noun_at(i).is_some_and(|(_, plural)| plural))
            && self.any_column(end).is_none();
        let single = !name.words.contains(' ') && !names::is_business_word(&name.words);
        if rows && single && self.role(Role::Owner).is_some() {
            return self.owned(std::slice::from_ref(&name.text), at..end);
        }
        // Nobody means all the people of a company when a cell is changed.
        if self.draft.changes
            && self.role(Role::GivenName).is_some()
            && !name.person
            && !name.words.contains(' ')
        {
            return None;
        }
        let two = name.words.split(' ').count() == 2 && !name.words.split(' ').any(names::is_business_word);
        if name.person || (two && self.role(Role::GivenName).is_some()) {
            return self.person_named(&name, at..end).then_some(end);
        }
        let company = self.role(Role::Company)?;
        self.draft.keyed = true;
        self.draft.filter(company, Op::Contains, json!(name.text), at..end);
        Some(end)
    }

    /// "leads Tom is handling", "which calls did Sarah do".
    pub(super) fn owner_before_verb(&mut self, at: usize) -> Option<usize> {
        self.role(Role::Owner)?;
        let strong = [
            "own", "owns", "owned", "handles", "handling", "handled", "manages", "managing", "managed",
            "looks", "looking", "brought", "runs", "works", "hosted", "booked",
        ];
        let name = self.name_at(at, true).filter(|name| {
            let verb = at + name.length;
            let verb = verb + usize::from(["is", "currently", "has", "was"].contains(&self.word(verb)));
            let asked = at > 0
                && ["did", "does"].contains(&self.word(at - 1))
                && !["have", "has", "had", "do"].contains(&self.word(verb))
                && self.gram(verb, Gram::Owns).is_some();
            name.person
                || asked
                || (strong.contains(&self.word(verb)) && !names::is_business_word(&name.words))
        })?;
        let (end, values) = self.people_from(at + name.length, name.text);
        let mut verb = end;
        while ["currently", "still", "now", "also", "already", "is", "was", "has", "have", "really"]
            .contains(&self.word(verb))
            && self.gram(verb, Gram::Owns).is_none_or(|n| n == 1)
            && self.gram(verb + 1, Gram::Owns).is_some()
        {
            verb += 1;
        }
        let asked = at > 0
            && ["did", "does", "do", "has", "have", "is", "are", "was", "had"].contains(&self.word(at - 1));
        let after_rows = self.draft.noun.is_some_and(|noun| noun.plural) && self.choice_phrase(end).is_some();
        let owns = self.gram(verb, Gram::Owns).or_else(|| after_rows.then_some(0));
        if !asked && owns.is_none() {
            return None;
        }
        // What the verb says besides, such as a lost client, is read again as an option.
        let after = owns.filter(|_| self.choice_phrase(verb).is_none()).map_or(verb, |n| verb + n);
        let after = if asked && self.word(end) == "not" { end } else { after };
        self.owned(&values, at..after.max(end))
    }
}
