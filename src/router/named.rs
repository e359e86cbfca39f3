//! Names beside the noun: "acme lead", "contact Ahmed", "webinar leads", "what does Parallax pay us".

use serde_json::json;

use super::grammar::Gram;
use super::lexicon::Sense;
use super::lists::any_of;
use super::names;
use super::reader::{Name, Reader};
use super::text::TokenKind;
use crate::tables::{Kind, Op, Role};

impl Reader<'_> {
    pub(super) fn named(&mut self, at: usize) -> Option<usize> {
        self.plain_text_within(at)
            .or_else(|| self.payer(at))
            .or_else(|| self.quoted_title(at))
            .or_else(|| self.industries(at))
            .or_else(|| self.channels_beside(at))
            .or_else(|| self.name_beside(at))
    }

    /// "kickoff in meeting title"
    fn plain_text_within(&mut self, at: usize) -> Option<usize> {
        let plain = self.senses(at).next().is_none() && self.message.grams.get(at).is_some_and(Vec::is_empty);
        let fits = plain && self.draft.noun.is_some() && !names::is_common(self.word(at));
        fits.then(|| self.text_within(at, at)).flatten()
    }

    /// "the meeting "Weekly sync""
    fn quoted_title(&mut self, at: usize) -> Option<usize> {
        let quoted = self.token(at)?.kind == TokenKind::Quoted;
        let titled = self.words().is_some_and(|words| !words.topics.is_empty());
        let topic = self.role(Role::Topic).filter(|_| quoted && titled)?;
        self.draft.keyed = true;
        self.draft.filter(topic, Op::Contains, json!(self.text(at, at + 1)), at..at + 1);
        Some(at + 1)
    }

    /// "webinar leads", "leads: Cold Email or LinkedIn".
    fn channels_beside(&mut self, at: usize) -> Option<usize> {
        let column = self.role(Role::Channel)?;
        let asks = self.gram(at, Gram::Find).or_else(|| self.gram(at, Gram::Show)).is_some();
        let name = self.channel_at(at).filter(|name| !asks && names::is_exact_channel(&name.words))?;
        let before = at.checked_sub(1).and_then(|before| self.token(before));
        let after_mark = self.draft.noun.is_some_and(|noun| noun.plural)
            && before.is_some_and(|before| matches!(before.kind, TokenKind::Mark(':' | ',' | '-' | '|')));
        if !self.leads_to_noun(at + name.length) && !after_mark {
            return None;
        }
        let (end, values) = self.listed(at + name.length, name.text, |next| {
            self.channel_at(next).map(|other| (next + other.length, other.text))
        });
        let (op, value) = any_of(Op::Contains, &values);
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    /// A person or a company whose name stands before or behind the noun.
    fn name_beside(&mut self, at: usize) -> Option<usize> {
        let behind = self
            .draft
            .noun
            .is_some_and(|noun| !noun.plural && self.draft.noun_end == at && self.noun_at(noun.at).is_some());
        let name = self.name_to_its_end(at, behind)?;
        let end = at + name.length;
        let placed =
            self.leads_to_noun(end) || behind || self.is_behind_rows(at) || self.stands_for_row(at, end);
        if names::is_place(&name.words) || !placed {
            return None;
        }
        let rows_follow = (end..self.end.min(end + 3))
            .any(|i| self.noun_at(i).is_some_and(|(_, plural)| plural))
            && self.leads_to_noun(end);
        let business = name.words.split(' ').any(names::is_business_word);
        let describes =
            ["ed", "ing", "ly"].iter().any(|ending| name.words.len() > 5 && name.words.ends_with(ending));
        // What stands before many rows is a name only when it can be nothing else; a change never takes it for one.
        if !behind
            && rows_follow
            && !name.person
            && (self.draft.changes || describes || (name.words.contains(' ') && !business))
        {
            return None;
        }
        self.draft.doubts += 1;
        // "magnus leads" are Magnus's.
        if name.person && rows_follow && !name.words.contains(' ') && self.role(Role::Owner).is_some() {
            return self.owned(std::slice::from_ref(&name.text), at..end);
        }
        if (name.person || (self.holds_people() && behind)) && self.person_named(&name, at..end) {
            return Some(end);
        }
        // A plural "Hooli contacts" is all of them; "Hooli accounts" would be one company several times.
        let company =
            self.role(Role::Company).filter(|_| !(self.role(Role::Industry).is_some() && rows_follow))?;
        self.draft.keyed = true;
        self.draft.filter(company, Op::Contains, json!(name.text), at..end);
        Some(end)
    }

    /// The name, with the words that only its place makes part of it: "the company Acme Duplicate".
    fn name_to_its_end(&self, at: usize, behind: bool) -> Option<Name> {
        let run = (at..self.end)
            .take_while(|i| self.is_unknown(*i) || names::is_business_word(self.word(*i)))
            .count();
        let to_end = behind && self.draft.changes && run > 1 && at + run == self.end;
        let name = self.name_at(at, behind).or_else(|| to_end.then(|| self.name(at, run)))?;
        let rest = (at + name.length..self.end).take_while(|i| self.is_unknown(*i)).count();
        let stop = at + name.length + rest;
        let before_noun = self.draft.changes
            && !behind
            && rest > 0
            && rest < 3
            && self.noun_at(stop).is_some_and(|(_, plural)| !plural);
        let closes = behind && rest > 0 && stop == self.end;
        Some(if before_noun || closes { self.name(at, name.length + rest) } else { name })
    }

    /// "contacts Kestrel", "procurement managers, Ikea".
    fn is_behind_rows(&self, at: usize) -> bool {
        let close = |end: usize| end == at || (end + 1 == at && self.is_comma(end));
        self.role(Role::Industry).is_none()
            && self.draft.noun.is_some_and(|noun| {
                let by_word = self.noun_at(noun.at).is_some_and(|(length, _)| close(noun.at + length));
                noun.plural && (close(self.draft.noun_end) || by_word)
            })
    }

    /// Whether a noun of the table comes next, perhaps after an option or a topic.
    pub(super) fn leads_to_noun(&self, at: usize) -> bool {
        if self.noun_at(at).is_some() {
            return true;
        }
        let skip = self
            .senses(at)
            .find_map(|(length, sense)| {
                matches!(sense, Sense::Topic { .. } | Sense::Choice { .. }).then_some(length)
            })
            .unwrap_or_default();
        let is_topic = self.senses(at).any(|(_, sense)| matches!(sense, Sense::Topic { .. }));
        is_topic || (skip > 0 && self.noun_at(at + skip).is_some())
    }

    /// "what does Parallax pay us": whose cell is asked for, before the verb that is its column.
    fn payer(&mut self, at: usize) -> Option<usize> {
        let asked = at > 0 && ["does", "do", "is", "are", "did"].contains(&self.word(at - 1));
        let name = self.name_at(at, false).filter(|name| asked && !name.person)?;
        let end = at + name.length;
        let (length, column) = self.column_at(end, |column| column.kind == Kind::Number)?;
        let company = self.role(Role::Company)?;
        self.draft.keyed = true;
        self.draft.asks = true;
        self.draft.filter(company, Op::Contains, json!(name.text), at..end);
        self.draft.fields.push(super::draft::Field { column, at: end });
        let after = end + length + usize::from(self.word(end + length) == "us");
        let again =
            self.column_at(after, |_| true).filter(|(_, named)| *named == column).map_or(0, |(n, _)| n);
        Some(after + again)
    }

    /// In a change, a name by itself stands for the row.
    pub(super) fn stands_for_row(&self, at: usize, end: usize) -> bool {
        self.draft.names_row && (at == 0 || self.draft.noun.is_none()) && end <= self.end
    }
}
