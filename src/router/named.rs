//! Names that say whose the rows are: "at Hooli", "the Acme lead", "for Ben Ames".

use serde_json::json;

use super::grammar::Gram;
use super::lexicon::Sense;
use super::names;
use super::reader::{Name, Reader};
use super::text::TokenKind;
use crate::tables::{Kind, Op, Role};

impl Reader<'_> {
    /// "at Hooli", "with Acme", "from the newsletter", "in retail", "for Ben Ames".
    pub(super) fn named_after_preposition(&mut self, at: usize) -> Option<usize> {
        let cue = [Gram::At, Gram::From, Gram::In, Gram::For, Gram::With, Gram::Of]
            .into_iter()
            .filter(|gram| *gram != Gram::With || self.word(at) == "with")
            .filter_map(|gram| self.gram(at, gram).map(|length| (length, gram)))
            .max_by_key(|(length, _)| *length)?;
        let (length, gram) = cue;
        let mut start = self.past_articles(at + length);
        // "with anyone from Larkspur", "at client Birchwood"
        if ["anyone", "anybody", "someone", "somebody", "people"].contains(&self.word(start))
            && self.noun_at(start).is_none()
        {
            start = self.past_any(start + 1, &[Gram::From, Gram::At]);
        } else if let Some((n, false)) = self.noun_at(start)
            && self.is_unknown(start + n)
        {
            self.set_noun(start, false);
            start += n;
        }
        if matches!(gram, Gram::From | Gram::With | Gram::On | Gram::At)
            && let Some(end) = self.key(start)
        {
            return Some(end);
        }
        let industry =
            if matches!(gram, Gram::In | Gram::From | Gram::Of) && self.role(Role::Industry).is_some() {
                self.industry_at(start)
            } else {
                None
            };
        let channel = if matches!(gram, Gram::From) { self.channel_at(start) } else { None };
        let name = industry.or(channel).or_else(|| self.name_at(start, true))?;
        let mut end = start + name.length;
        if self.token(end).is_some_and(|token| token.kind == TokenKind::Possessive) {
            return None;
        }
        // "next steps from the Orbis onboarding call"
        if matches!(gram, Gram::From | Gram::Of | Gram::For)
            && self.leads_to_noun(end)
            && !names::is_channel(&name.words)
        {
            return Some(at + length);
        }
        let column = self.column_for(gram, &name)?;
        let Some(column) = column else {
            return self.person_named(&name, at..end).then_some(end);
        };
        let mut values = vec![name.text.clone()];
        loop {
            let comma = end + usize::from(self.is_comma(end));
            let next = self.past_any(comma, &[Gram::Or, Gram::And, Gram::From, Gram::At]);
            let next = self.past_articles(next);
            if next == end || self.gram(end, Gram::From).is_some() {
                break;
            }
            let other = if gram == Gram::From {
                self.channel_at(next)
            } else {
                self.industry_at(next).filter(|_| self.role(Role::Industry) == Some(column))
            };
            let Some(other) = other.or_else(|| self.name_at(next, false)) else { break };
            if self.column_for(gram, &other) != Some(Some(column)) {
                break;
            }
            end = next + other.length;
            values.push(other.text);
        }
        // "in the education sector", "from the website form"
        while [
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
        ]
        .contains(&self.word(end))
        {
            let is_channel = Some(column) == self.role(Role::Channel);
            if is_channel && values.len() == 1 {
                values = vec![self.text(start, end + 1).to_owned()];
            }
            end += 1;
        }
        self.draft.keyed |= Some(column) == self.role(Role::Company);
        if Some(column) == self.role(Role::Channel) {
            values = values.iter().map(|value| names::channel_singular(value).to_owned()).collect();
        }
        let (op, value) =
            if values.len() == 1 { (Op::Contains, json!(values.first()?)) } else { (Op::In, json!(values)) };
        let op = if Some(column) == self.role(Role::Owner) && op == Op::Contains { Op::Equals } else { op };
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    /// The column that a name after the word belongs to; `Some(None)` is the person on the other side.
    pub(super) fn column_for(&self, cue: Gram, name: &Name) -> Option<Option<usize>> {
        let company = self.role(Role::Company);
        let is_place = names::is_place(&name.words);
        let is_people = self.role(Role::GivenName).is_some();
        let has_person = is_people || self.role(Role::Person).is_some();
        let is_company_table = self.role(Role::Industry).is_some();
        match cue {
            Gram::In if is_company_table && !is_place && !name.person => self.role(Role::Industry).map(Some),
            Gram::From
                if self.role(Role::Channel).is_some()
                    && (!names::is_data_vendor(&name.words) || names::is_channel(&name.words)) =>
            {
                let single = self.draft.noun.is_some_and(|noun| !noun.plural);
                let is_channel = names::is_channel(&name.words);
                if is_place && !is_channel {
                    return None;
                }
                let is_lead = self.role(Role::Person).is_some()
                    && self.role(Role::Topic).is_some()
                    && self.words()?.topics.is_empty();
                if (single || !is_channel) && is_lead && !is_channel {
                    company.map(Some)
                } else {
                    self.role(Role::Channel).map(Some)
                }
            }
            Gram::From if names::is_data_vendor(&name.words) => None,
            Gram::From if is_people && !is_place && !self.draft.finds => company.map(Some),
            Gram::From if is_company_table && names::is_industry(&name.words) => {
                self.role(Role::Industry).map(Some)
            }
            Gram::Of if is_company_table && names::is_industry(&name.words) => {
                self.role(Role::Industry).map(Some)
            }
            // "CTOs at SaaS companies" are nobody's contacts yet.
            Gram::At if is_people && names::is_industry(&name.words) => None,
            Gram::At if !is_place && !name.person => company.map(Some),
            Gram::At if !is_place => company.map(Some),
            Gram::With if self.words().is_some_and(|words| !words.topics.is_empty()) => {
                if name.person {
                    Some(None)
                } else {
                    company.map(Some)
                }
            }
            Gram::With if is_people || is_company_table => None,
            Gram::With if name.person && has_person => Some(None),
            Gram::With => None,
            Gram::For | Gram::Of if is_place => None,
            Gram::For
                if name.person
                    && self.role(Role::Owner).is_some()
                    && self.words().is_some_and(|words| words.topics.is_empty())
                    && self.role(Role::Topic).is_none() =>
            {
                self.role(Role::Owner).map(Some)
            }
            Gram::Of
                if name.person
                    && self.role(Role::Owner).is_some()
                    && self.draft.noun.is_some_and(|noun| noun.plural) =>
            {
                self.role(Role::Owner).map(Some)
            }
            Gram::For
                if name.person
                    && !name.words.contains(' ')
                    && self.role(Role::Owner).is_some()
                    && self.draft.noun.is_some_and(|noun| noun.plural) =>
            {
                self.role(Role::Owner).map(Some)
            }
            Gram::For | Gram::Of if name.person && has_person => Some(None),
            Gram::For | Gram::Of if name.person => None,
            Gram::For | Gram::Of => company.map(Some),
            _ => None,
        }
    }

    /// A name beside the noun: "acme lead", "contact Ahmed", "saas accounts", "webinar leads".
    pub(super) fn named(&mut self, at: usize) -> Option<usize> {
        let plain = self.senses(at).next().is_none() && self.message.grams.get(at).is_some_and(Vec::is_empty);
        if let Some(end) = if plain && self.draft.noun.is_some() && !names::is_common(self.word(at)) {
            self.text_within(at, at)
        } else {
            None
        } {
            return Some(end);
        }
        if let Some(end) = self.payer(at) {
            return Some(end);
        }
        let quoted = self.token(at)?.kind == TokenKind::Quoted;
        if quoted && self.words().is_some_and(|words| !words.topics.is_empty()) {
            self.draft.keyed = true;
            self.draft.filter(
                self.role(Role::Topic)?,
                Op::Contains,
                json!(self.text(at, at + 1)),
                at..at + 1,
            );
            return Some(at + 1);
        }
        let after_noun = self
            .draft
            .noun
            .is_some_and(|noun| !noun.plural && self.draft.noun_end == at && self.noun_at(noun.at).is_some());
        let beside_rows = self.role(Role::Industry).is_none()
            && self.draft.noun.is_some_and(|noun| {
                let close = |end: usize| end == at || (end + 1 == at && self.is_comma(end));
                noun.plural
                    && (close(self.draft.noun_end)
                        || self.noun_at(noun.at).is_some_and(|(n, _)| close(noun.at + n)))
            });
        if let Some(end) = self.industries(at) {
            return Some(end);
        }
        let after_mark = self.draft.noun.is_some_and(|noun| noun.plural)
            && at
                .checked_sub(1)
                .and_then(|before| self.token(before))
                .is_some_and(|before| matches!(before.kind, TokenKind::Mark(':' | ',' | '-' | '|')));
        let asks = self.gram(at, Gram::Find).or_else(|| self.gram(at, Gram::Show)).is_some();
        let channel =
            self.channel_at(at).filter(|name| !asks && names::is_exact_channel(&name.words)).filter(|name| {
                self.role(Role::Channel).is_some() && (self.leads_to_noun(at + name.length) || after_mark)
            });
        if let Some(name) = channel {
            let mut end = at + name.length;
            let mut values = vec![name.text];
            while let Some((after, next)) = self.next_channel(end) {
                values.push(next);
                end = after;
            }
            let column = self.role(Role::Channel)?;
            let (op, value) = if values.len() == 1 {
                (Op::Contains, json!(values.first()?))
            } else {
                (Op::In, json!(values))
            };
            self.draft.filter(column, op, value, at..end);
            return Some(end);
        }
        let run = (at..self.end)
            .take_while(|i| self.is_unknown(*i) || names::is_business_word(self.word(*i)))
            .count();
        let to_end = after_noun && self.draft.changes && run > 1 && at + run == self.end;
        let mut name = self.name_at(at, after_noun).or_else(|| to_end.then(|| self.name(at, run)))?;
        // Behind its noun a name may hold any words: "the company Acme Duplicate".
        let rest = (at + name.length..self.end).take_while(|i| self.is_unknown(*i)).count();
        let noun_behind = self.draft.changes
            && !after_noun
            && rest > 0
            && rest < 3
            && self.noun_at(at + name.length + rest).is_some_and(|(_, plural)| !plural);
        if noun_behind || (after_noun && rest > 0 && at + name.length + rest == self.end) {
            name = self.name(at, name.length + rest);
        }
        let end = at + name.length;
        if names::is_place(&name.words) {
            return None;
        }
        if !self.leads_to_noun(end) && !after_noun && !beside_rows && !self.stands_for_row(at, end) {
            return None;
        }
        self.draft.doubts += 1;
        // "magnus leads" are Magnus's.
        let rows_of =
            name.person && self.noun_at(end).is_some_and(|(_, plural)| plural) && !name.words.contains(' ');
        if rows_of && self.role(Role::Owner).is_some() {
            return self.owned(json!(name.text), at..end);
        }
        let people = self.role(Role::GivenName).is_some() && after_noun;
        if (name.person || people) && self.person_named(&name, at..end) {
            return Some(end);
        }
        let company = self.role(Role::Company)?;
        // A plural "Hooli contacts" is all of them; "Hooli accounts" would be one company several times.
        if self.role(Role::Industry).is_some() && self.noun_at(end).is_some_and(|(_, plural)| plural) {
            return None;
        }
        self.draft.keyed = true;
        if self.kind(company) == Some(Kind::Person) {
            return None;
        }
        self.draft.filter(company, Op::Contains, json!(name.text), at..end);
        Some(end)
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
