//! What the rows are: nouns, kinds of meeting, options, views, and names that say whose they are.

use serde_json::json;

use super::draft::Where;
use super::grammar::Gram;
use super::lexicon::Sense;
use super::names;
use super::reader::{Name, Reader};
use super::text::TokenKind;
use crate::tables::{Kind, Op, Place, Role};

impl Reader<'_> {
    pub(super) fn mark(&mut self, at: usize) -> Option<usize> {
        if let Some(end) = self.key(at).filter(|end| *end > at + 1) {
            return Some(end);
        }
        matches!(
            self.token(at)?.kind,
            TokenKind::Mark(
                ',' | ';'
                    | ':'
                    | '.'
                    | '?'
                    | '!'
                    | '('
                    | ')'
                    | '-'
                    | '–'
                    | '—'
                    | '…'
                    | '['
                    | ']'
                    | '|'
                    | '{'
                    | '}'
            )
        )
        .then_some(at + 1)
    }

    /// "leads", "contact information", "client list".
    pub(super) fn noun(&mut self, at: usize) -> Option<usize> {
        let (length, plural) = self.noun_at(at)?;
        // "client contact" is a column of clients.
        if self.any_column(at).is_some_and(|(longer, _)| longer > length) {
            return None;
        }
        let mut end = at + length;
        let listed = [
            "information",
            "info",
            "data",
            "records",
            "list",
            "details",
            "entries",
            "table",
            "database",
            "book",
            "base",
        ];
        let is_list = listed.contains(&self.word(end)) && self.noun_at(end).is_none();
        end += usize::from(is_list);
        let quantified =
            |i: usize| ["all", "every", "any", "many", "several", "much"].contains(&self.word(i));
        let several =
            (at.saturating_sub(3)..at).any(quantified) || self.draft.limit.is_some_and(|limit| limit > 1);
        self.set_noun(at, plural || is_list || several);
        self.draft.noun_end = end;
        Some(end)
    }

    /// "new clients this week": recorded lately, where no option says it.
    pub(super) fn fresh(&mut self, at: usize) -> Option<usize> {
        let is_fresh = ["new", "newly", "fresh"].contains(&self.word(at)) && self.choice_phrase(at).is_none();
        let dated = (0..self.end).any(|i| self.date_at(i).is_some());
        (is_fresh && dated && (at + 1..self.end.min(at + 4)).any(|i| self.noun_at(i).is_some()))
            .then_some(at + 1)
    }

    /// "hiring signals": words before a column of tags are one of its tags.
    pub(super) fn tagged(&mut self, at: usize) -> Option<usize> {
        let is_word = |at: usize| {
            self.message.grams.get(at).is_some_and(Vec::is_empty)
                && !self.word(at).is_empty()
                && self.date_at(at).is_none()
        };
        if self.draft.noun.is_none() {
            return None;
        }
        let (length, column) = (1..=2).take_while(|n| is_word(at + n - 1)).find_map(|n| {
            self.column_at(at + n, |column| column.kind == Kind::Tags).map(|(m, column)| (n + m, column))
        })?;
        let words =
            (at..at + length).find(|i| self.column_at(*i, |column| column.kind == Kind::Tags).is_some())?;
        self.draft.filter(column, Op::Contains, json!(self.text(at, words)), at..at + length);
        Some(at + length)
    }

    /// "demos", "the kickoff call".
    pub(super) fn topic(&mut self, at: usize) -> Option<usize> {
        let plural = self.senses(at).any(|(_, sense)| matches!(sense, Sense::Topic { plural: true, .. }));
        let end = self.topic_filter(at)?;
        let before = at.checked_sub(1).map_or("", |before| self.word(before));
        let plural = plural || ["any", "all", "every"].contains(&before);
        if self.noun_at(end).is_none() || plural {
            self.set_noun(at, plural);
        }
        Some(end)
    }

    pub(super) fn topic_filter(&mut self, at: usize) -> Option<usize> {
        let (length, topic) = self.senses(at).find_map(|(length, sense)| match sense {
            Sense::Topic { topic, .. } => Some((length, topic)),
            _ => None,
        })?;
        let column = self.role(Role::Topic)?;
        let topics = &self.words()?.topics;
        // "kick-off" is filed under the spelling listed first.
        let fold = |text: &str| crate::tables::fold_word(text);
        let wanted = fold(topics.get(topic)?);
        let value = topics.iter().find(|known| fold(known) == wanted)?;
        let tokens = at..at + length;
        let earlier = self
            .draft
            .filters
            .iter_mut()
            .find(|found| found.column == Where::Column(column) && found.op != Op::NotEquals);
        match earlier {
            // "demos or discovery calls"
            Some(found) => {
                let mut values = found.value.as_array().cloned().unwrap_or_else(|| vec![found.value.clone()]);
                values.push(json!(value));
                found.value = json!(values);
                found.op = Op::In;
            }
            None => self.draft.filter(column, Op::Contains, json!(value), tokens),
        }
        Some(at + length)
    }

    /// A saved selection by its name: "key accounts", "sync issues".
    pub(super) fn view(&mut self, at: usize) -> Option<usize> {
        let (length, view) = self.senses(at).find_map(|(length, sense)| match sense {
            Sense::View { view, .. } => Some((length, view)),
            _ => None,
        })?;
        let table = self.lexicon.table(self.table)?;
        for filter in &table.views.get(view)?.spec.filters {
            let column = table.columns.iter().position(|column| column.key == filter.column)?;
            let op = Op::from_name(&filter.op)?;
            self.draft.filter(column, op, filter.value.clone(), at..at + length);
        }
        let is_noun = (at..at + length).any(|i| self.noun_at(i).is_some_and(|(_, plural)| plural));
        if is_noun {
            self.set_noun(at, true);
        }
        Some(at + length)
    }

    /// "urgent", "new or ready", "churned".
    pub(super) fn choices(&mut self, at: usize) -> Option<usize> {
        // "status pending" of a column that is called something else.
        let lead = usize::from(
            ["status", "state", "stage"].contains(&self.word(at)) && self.choice_phrase(at).is_none(),
        );
        let start = at + lead;
        let start = start
            + usize::from(
                lead > 0
                    && self
                        .token(start)
                        .is_some_and(|token| matches!(token.kind, TokenKind::Mark(':')) || token.word == "="),
            );
        let (length, candidates) = self.choice_phrase(start)?;
        let column = self.choice_column(start + length, &candidates)?;
        let (mut end, values) = self.choices_of(start, column)?;
        // "high priority": the column's own name after its value adds nothing.
        let mut after = end;
        while ["in"].contains(&self.word(after)) {
            after += 1;
        }
        if let Some((n, _)) = self.column_at(after, |_| true).filter(|(_, named)| *named == column) {
            end = after + n;
        }
        if let Some(event) = self.event_date(column) {
            self.draft.speaks_of_event = true;
            let _ = event;
        }
        let (op, value) = match values.as_slice() {
            [one] => (Op::Equals, json!(one)),
            _ => (Op::In, json!(values)),
        };
        // Several words for one column are several values, unless the first was all but named.
        let earlier =
            self.draft.filters.iter_mut().find(|found| {
                found.column == Where::Column(column) && matches!(found.op, Op::Equals | Op::In)
            });
        match earlier {
            Some(found) if found.value == value => {}
            Some(found) if found.op == Op::Equals && op == Op::Equals => {
                found.value = json!([found.value, value]);
                found.op = Op::In;
            }
            _ => self.draft.filter(column, op, value, at..end),
        }
        if self.is_row_word(start, length) {
            self.set_noun(at, true);
        }
        Some(end)
    }

    /// Whether the option's word itself stands for rows: "MQLs", "no-shows".
    fn is_row_word(&self, at: usize, length: usize) -> bool {
        let last = self.word(at + length - 1);
        // What other tables hold, or nobody holds, is not meant as rows of this one.
        let elsewhere = ["leads", "customers", "opportunities"].contains(&last);
        let counted =
            last.ends_with('s') && !elsewhere && self.lexicon.phrases.knows(last.trim_end_matches('s'));
        counted
            && self.noun_at(at + length).is_none()
            && (self.message.corrected.is_empty() || last.len() >= 7)
    }

    /// The longest option phrase here, with every column and option it can mean.
    pub(super) fn choice_phrase(&self, at: usize) -> Option<(usize, Vec<(usize, usize)>)> {
        let mut found: Option<(usize, Vec<(usize, usize)>)> = None;
        for (length, sense) in self.senses(at) {
            let Sense::Choice { column, option, .. } = sense else { continue };
            // An option such as "A" needs its column beside it.
            let short = length == 1 && (self.word(at).len() < 3 || self.gram(at, Gram::Filler).is_some());
            if short && self.column_at(at + length, |_| true).is_none_or(|(_, named)| named != column) {
                continue;
            }
            match &mut found {
                Some((known, _)) if *known > length => break,
                Some((_, candidates)) => candidates.push((column, option)),
                None => found = Some((length, vec![(column, option)])),
            }
        }
        found
    }

    /// Which column an option word belongs to: the one named after it, else a stored one before a computed one.
    fn choice_column(&self, after: usize, candidates: &[(usize, usize)]) -> Option<usize> {
        let named = self.column_at(after, |_| true).map(|(_, column)| column);
        if let Some(column) =
            named.filter(|column| candidates.iter().any(|(candidate, _)| candidate == column))
        {
            return Some(column);
        }
        // "leads whose meetings got cancelled"
        let before = after.saturating_sub(4);
        let of_event = |column: usize| {
            self.event_date(column).is_some_and(|event| {
                named == Some(event)
                    || (before..after)
                        .any(|i| self.column_at(i, |_| true).is_some_and(|(_, near)| near == event))
            })
        };
        candidates
            .iter()
            .map(|(column, _)| *column)
            .find(|column| of_event(*column))
            .or_else(|| {
                let stored = |column: usize| {
                    self.column(column).is_some_and(|known| !matches!(known.place, Place::Computed(_)))
                };
                candidates.iter().map(|(column, _)| *column).find(|column| stored(*column))
            })
            .or_else(|| candidates.first().map(|(column, _)| *column))
    }

    /// The values of one column from here on: "error or pending", "no_show, cancelled".
    pub(super) fn choices_of(&self, at: usize, column: usize) -> Option<(usize, Vec<String>)> {
        let one = |at: usize| -> Option<(usize, Vec<String>)> {
            let mut length = 0;
            let mut values = Vec::new();
            if let Some(token) = self.token(at).filter(|token| token.kind == TokenKind::Quoted) {
                let fold = crate::tables::fold_word;
                let wanted = fold(&token.word);
                let option = self
                    .column(column)?
                    .options
                    .iter()
                    .find(|option| fold(&option.value) == wanted || fold(&option.label) == wanted)?;
                return Some((1, vec![option.value.clone()]));
            }
            for (n, sense) in self.senses(at) {
                let Sense::Choice { column: found, option, .. } = sense else { continue };
                if found != column || n < length {
                    continue;
                }
                length = n;
                values.push(self.column(column)?.options.get(option)?.value.clone());
            }
            (length > 0).then_some((length, values))
        };
        let (length, mut values) = one(at)?;
        let mut end = at + length;
        loop {
            let plus =
                self.token(end).is_some_and(|token| token.kind == TokenKind::Sign && token.word == "+");
            let comma = end + usize::from(self.is_comma(end) || plus);
            let next = self.past_any(comma, &[Gram::Or, Gram::And]);
            let next = if one(next).is_some() {
                next
            } else {
                self.past_any(next, &[Gram::Is, Gram::In, Gram::Filler])
            };
            let Some((length, more)) = one(next).filter(|_| next > end) else { break };
            values.extend(more);
            end = next + length;
        }
        values.dedup();
        Some((end, values))
    }

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
    fn column_for(&self, cue: Gram, name: &Name) -> Option<Option<usize>> {
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

    /// Words that name a way by which leads come in, with what goes before them.
    pub(super) fn channel_at(&self, at: usize) -> Option<Name> {
        let quoted = self.token(at).is_some_and(|token| token.kind == TokenKind::Quoted);
        if quoted {
            return Some(self.name(at, 1));
        }
        let fits = |length: usize| {
            let plain = (at..at + length).all(|i| {
                let word = self
                    .token(i)
                    .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Number(_)));
                word && self.date_at(i).is_none()
            });
            if !plain {
                return false;
            }
            if names::is_exact_channel(&self.name(at, length).words) {
                return true;
            }
            // "Helsinki trade show"
            let known = (1..length).find(|k| names::is_exact_channel(&self.name(at + k, length - k).words));
            if known.is_some_and(|k| (at..at + k).all(|i| self.is_unknown(i))) {
                return true;
            }
            // "the pricing page"
            let free = |i: usize| {
                self.is_unknown(i) || (names::is_common(self.word(i)) && self.senses(i).next().is_none())
            };
            if names::is_named_channel(&self.name(at, length).words) && (at..at + length - 1).all(free) {
                return true;
            }
            let words = (at..at + length).all(|i| {
                let token = self.token(i);
                token.is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Number(_)))
                    && (names::is_channel(self.word(i))
                        || self.is_unknown(i)
                        || self.gram(i, Gram::Of).is_some() && i > at)
            });
            words && names::is_channel(&self.name(at, length).words)
        };
        // A grammar word that is no channel by itself starts none.
        if self.token(at).is_none_or(|token| token.kind == TokenKind::Word)
            && self.gram(at, Gram::Me).is_some()
        {
            return None;
        }
        let longest = (1..=5).rev().filter(|length| at + length <= self.end).find(|length| fits(*length))?;
        Some(self.name(at, longest))
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

    /// "fintech", "construction or real estate", for companies.
    fn industries(&mut self, at: usize) -> Option<usize> {
        let column = self.role(Role::Industry)?;
        let name = self.industry_at(at)?;
        let mut end = at + name.length;
        let mut values = vec![name.text];
        loop {
            let comma = end + usize::from(self.is_comma(end));
            let next = self.past_any(comma, &[Gram::Or, Gram::And]);
            let Some(other) = self.industry_at(next).filter(|_| next > end) else { break };
            end = next + other.length;
            values.push(other.text);
        }
        let (op, value) =
            if values.len() == 1 { (Op::Contains, json!(values.first()?)) } else { (Op::In, json!(values)) };
        self.draft.filter(column, op, value, at..end);
        Some(end)
    }

    /// "or LinkedIn".
    fn next_channel(&self, at: usize) -> Option<(usize, String)> {
        let comma = at + usize::from(self.is_comma(at));
        let next = self.past_any(comma, &[Gram::Or, Gram::And]);
        let name = self.channel_at(next).filter(|_| next > at)?;
        Some((next + name.length, name.text))
    }

    /// Whether a noun of the table comes next, perhaps after an option or a topic.
    fn leads_to_noun(&self, at: usize) -> bool {
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

    /// In a change, a name by itself stands for the row.
    fn stands_for_row(&self, at: usize, end: usize) -> bool {
        self.draft.names_row && (at == 0 || self.draft.noun.is_none()) && end <= self.end
    }
}
