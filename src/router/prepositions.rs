//! Names behind a preposition: "at Hooli", "with Acme", "from the newsletter", "in retail", "for Ben Ames".

use super::grammar::Gram;
use super::lists::any_of;
use super::names;
use super::reader::{Name, Reader};
use super::slots::Slot;
use super::text::TokenKind;
use crate::tables::{Op, Role};

/// What may follow the name of an industry or a channel and belongs to it.
const TAILS: &[&str] = &[
    "sector",
    "industry",
    "space",
    "vertical",
    "business",
    "industries",
    "sectors",
    "campaign",
    "form",
    "channel",
    "page",
    "link",
    "event",
    "account",
];

impl Reader<'_> {
    pub(super) fn named_after_preposition(&mut self, at: usize) -> Option<usize> {
        let (length, cue) = self.preposition(at)?;
        let start = self.past_rows_or_people(self.past_articles(at + length));
        if matches!(cue, Gram::From | Gram::With | Gram::At)
            && let Some(end) = self.key(start)
        {
            return Some(end);
        }
        let name = self.name_after(cue, start)?;
        let end = start + name.length;
        if self.token(end).is_some_and(|token| token.kind == TokenKind::Possessive) {
            return None;
        }
        // "next steps from the Orbis onboarding call"
        if matches!(cue, Gram::From | Gram::Of | Gram::For)
            && self.leads_to_noun(end)
            && !names::is_channel(&name.words)
        {
            return Some(at + length);
        }
        match self.slot_for(cue, &name)? {
            Slot::Person => self.person_named(&name, at..end).then_some(end),
            Slot::Column(column) => Some(self.names_of(cue, column, at, start, &name)),
        }
    }

    fn preposition(&self, at: usize) -> Option<(usize, Gram)> {
        [Gram::At, Gram::From, Gram::In, Gram::For, Gram::With, Gram::Of]
            .into_iter()
            .filter(|gram| *gram != Gram::With || self.word(at) == "with")
            .filter_map(|gram| self.gram(at, gram).map(|length| (length, gram)))
            .max_by_key(|(length, _)| *length)
    }

    /// "with anyone from Larkspur", "at client Birchwood": the place of the name itself.
    fn past_rows_or_people(&mut self, at: usize) -> usize {
        let anyone = ["anyone", "anybody", "someone", "somebody", "people"].contains(&self.word(at));
        if anyone && self.noun_at(at).is_none() {
            return self.past_any(at + 1, &[Gram::From, Gram::At]);
        }
        match self.noun_at(at) {
            Some((length, false)) if self.is_unknown(at + length) => {
                self.set_noun(at, false);
                at + length
            }
            _ => at,
        }
    }

    fn name_after(&self, cue: Gram, at: usize) -> Option<Name> {
        let by_industry =
            matches!(cue, Gram::In | Gram::From | Gram::Of) && self.role(Role::Industry).is_some();
        let industry = if by_industry { self.industry_at(at) } else { None };
        let channel = if cue == Gram::From { self.channel_at(at) } else { None };
        industry.or(channel).or_else(|| self.name_at(at, true))
    }

    /// The name and those listed behind it, as one comparison.
    fn names_of(&mut self, cue: Gram, column: usize, at: usize, start: usize, name: &Name) -> usize {
        let (mut end, mut values) = (start + name.length, vec![name.text.clone()]);
        while let Some((after, other)) = self.next_name(cue, column, end) {
            end = after;
            values.push(other);
        }
        let is_channel = Some(column) == self.role(Role::Channel);
        // "in the education sector", "from the website form"
        while TAILS.contains(&self.word(end)) {
            if is_channel && values.len() == 1 {
                values = vec![self.text(start, end + 1)];
            }
            end += 1;
        }
        if is_channel {
            values = values.iter().map(|value| names::channel_singular(value).to_owned()).collect();
        }
        self.draft.keyed |= Some(column) == self.role(Role::Company);
        let by_identity = Some(column) == self.role(Role::Owner);
        let (op, value) = any_of(if by_identity { Op::Equals } else { Op::Contains }, &values);
        self.draft.filter(column, op, value, at..end);
        end
    }

    /// "or LinkedIn", ", Globex".
    fn next_name(&self, cue: Gram, column: usize, at: usize) -> Option<(usize, String)> {
        let comma = at + usize::from(self.is_comma(at));
        let next = self.past_articles(self.past_any(comma, &[Gram::Or, Gram::And, Gram::From, Gram::At]));
        if next == at || self.gram(at, Gram::From).is_some() {
            return None;
        }
        let other = if cue == Gram::From {
            self.channel_at(next)
        } else {
            self.industry_at(next).filter(|_| self.role(Role::Industry) == Some(column))
        };
        let other = other.or_else(|| self.name_at(next, false))?;
        (self.slot_for(cue, &other) == Some(Slot::Column(column)))
            .then_some((next + other.length, other.text))
    }
}
