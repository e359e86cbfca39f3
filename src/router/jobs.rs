//! People of the other side: by their name, and by what they do for a living.

use serde_json::json;

use super::grammar::Gram;
use super::lists::any_of;
use super::names;
use super::reader::{Name, Reader};
use crate::tables::{Op, Role};

impl Reader<'_> {
    /// A person of the table's other side, by name; whether the table has such a column.
    pub(super) fn person_named(&mut self, name: &Name, tokens: std::ops::Range<usize>) -> bool {
        self.draft.keyed = true;
        if let Some(person) = self.role(Role::Person) {
            self.draft.filter(person, Op::Contains, json!(name.text), tokens);
            return true;
        }
        let Some(given) = self.role(Role::GivenName) else { return false };
        match (name.text.split_once(char::is_whitespace), self.role(Role::FamilyName)) {
            (Some((first, last)), Some(family)) => {
                self.draft.filter(given, Op::Contains, json!(first), tokens.clone());
                self.draft.filter(family, Op::Contains, json!(last.trim()), tokens);
            }
            _ => self.draft.filter(given, Op::Contains, json!(name.text), tokens),
        }
        true
    }

    /// "CTOs", "marketing managers", "heads of sales", "VP Sales": people by what they do.
    pub(super) fn job(&mut self, at: usize) -> Option<usize> {
        let title = self.role(Role::JobTitle)?;
        // "people in finance"
        if self.gram(at, Gram::In).is_some()
            && names::is_department(self.word(at + 1))
            && !names::is_department(self.word(at + 2))
            && self.draft.noun.is_some()
        {
            self.draft.filter(title, Op::Contains, json!(self.text(at + 1, at + 2)), at..at + 2);
            return Some(at + 2);
        }
        let (end, words) = match self.job_title(at) {
            Some(found) => found,
            // "procurement people"
            None if names::is_department(self.word(at))
                && self.noun_at(at + 1).is_some_and(|(_, plural)| plural) =>
            {
                (at + 1, self.text(at, at + 1))
            }
            None => return None,
        };
        // "CFOs or COOs"
        let (end, jobs) = self.listed(end, words, |next| self.job_title(next));
        let (op, value) = any_of(Op::Contains, &jobs);
        self.draft.filter(title, op, value, at..end);
        let plural = (at..end)
            .any(|i| names::job_role(self.word(i)).is_some_and(|role| self.word(i).len() > role.len()));
        self.set_noun(at, plural);
        self.draft.noun_end = end;
        Some(end)
    }

    /// The words of a job, in the singular, and where they end.
    pub(super) fn job_title(&self, at: usize) -> Option<(usize, String)> {
        let is_modifier = |at: usize| names::is_department(self.word(at));
        let mut role_at = at;
        while is_modifier(role_at) && names::job_role(self.word(role_at)).is_none() && role_at - at < 3 {
            role_at += 1;
        }
        let leads = (self.word(role_at) == "lead" && role_at > at).then_some("lead");
        let role = leads.or_else(|| names::job_role(self.word(role_at))).filter(|_| role_at < self.end)?;
        let mut end = role_at + 1;
        // "VP Sales", "head of customer success", "VP of Sales"
        let of = usize::from(["of", "for"].contains(&self.word(end)));
        let mut tail = end + of;
        while is_modifier(tail)
            || (self.word(tail) == "and" && is_modifier(tail + 1) && of > 0 && tail > end + of)
        {
            tail += 1;
        }
        if tail > end + of {
            end = tail;
        } else if role == "head" {
            return None;
        }
        let before = if role_at > at { format!("{} ", self.text(at, role_at)) } else { String::new() };
        let written = self.text(role_at, role_at + 1);
        let singular = if written.len() > role.len() {
            written.get(..role.len()).unwrap_or(&written)
        } else {
            written.as_str()
        };
        let after =
            if end > role_at + 1 { format!(" {}", self.text(role_at + 1, end)) } else { String::new() };
        Some((end, format!("{before}{singular}{after}")))
    }
}
