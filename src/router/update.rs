//! Changes of rows that exist: "mark the Acme lead as ready", "reassign Jamie's clients to Lena", "delete …".
//!
//! Both sides must be understood to the last word: which rows, and what they are to become.

use std::ops::Range;

use serde_json::{Map, Value as Json, json};

use super::amounts::plain;
use super::call::{self, Found, Operation};
use super::draft::Draft;
use super::grammar::Gram;
use super::numeral::numeral;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Kind, Role};

/// A cell that is to be set: its column, the value, and the words that say so.
type Cell = (usize, Json, Range<usize>);

/// The change that the whole message asks for.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Found> {
    reader.end = reader.trimmed_end();
    let start = reader.past_politeness(0);
    if !reader.may_change() {
        return reader.by_named_state(start);
    }
    reader
        .by_arrow(start)
        .or_else(|| reader.by_statement(start))
        .or_else(|| reader.by_report(start))
        .or_else(|| reader.by_verb(start))
        .or_else(|| reader.by_named_state(start))
        .or_else(|| reader.deletion(start))
}

impl Reader<'_> {
    /// Whether some word of the message can change rows at all.
    fn may_change(&self) -> bool {
        let verbs = [Gram::Set, Gram::Assign, Gram::Delete];
        (0..self.end).any(|at| {
            self.token(at).is_some_and(|token| token.word == "->")
                || verbs.iter().any(|verb| self.gram(at, *verb).is_some())
        })
    }

    pub(super) fn past_politeness(&self, at: usize) -> usize {
        let mut at = at;
        if let Some(kind) = (at..self.end.min(at + 8))
            .find(|i| self.word(*i) == "kind" && self.word(*i + 1) == "as" && self.word(*i + 2) == "to")
        {
            at = kind + 3;
        }
        while self.token(at).is_some_and(|token| matches!(token.kind, TokenKind::Mark(_)))
            || [
                "please", "can", "could", "would", "will", "you", "kindly", "hey", "hi", "hello", "ok",
                "okay", "so", "um", "uh", "just", "now", "also", "i", "like", "want", "need", "to", "let",
                "us", "me", "go", "ahead", "and", "er", "erm", "quickly", "mind", "for", "then", "well",
                "yeah", "right", "oh", "thanks",
            ]
            .contains(&self.word(at))
                && !(self.word(at) == "to" && at == 0)
        {
            at += 1;
        }
        at
    }

    /// The end of the message without its thanks.
    fn trimmed_end(&self) -> usize {
        let mut end = self.end;
        while end > 0
            && self.message.tokens.get(end - 1).is_some_and(|token| {
                matches!(token.kind, TokenKind::Mark('.' | '!' | '?' | ','))
                    || [
                        "please", "thanks", "thank", "you", "would", "could", "can", "will", "ya", "mate",
                        "again", "now", "asap", "cheers", "today's", "mate", "ok", "yet", "too",
                    ]
                    .contains(&token.word.as_str())
                        && token.kind == TokenKind::Word
            })
        {
            end -= 1;
        }
        end
    }

    /// "acme lead -> ready".
    fn by_arrow(&mut self, at: usize) -> Option<Found> {
        let arrow = (at..self.end).find(|i| {
            self.token(*i).is_some_and(|token| token.kind == TokenKind::Sign && token.word == "->")
        })?;
        let start = self.past(at, Gram::Set);
        if arrow == start {
            return None;
        }
        let (named, key) = self.split_column(start..arrow);
        let cells = self.cells(arrow + 1, self.end, named)?;
        self.update(key, cells)
    }

    /// "Wayne have churned, mark the client", "ana@globex.pt is now a customer, update contact stage".
    fn by_statement(&mut self, at: usize) -> Option<Found> {
        let verb = (at + 1..self.end).find(|i| {
            ["is", "are", "has", "have", "was", "just", "became", "went"].contains(&self.word(*i))
                || self.choice_phrase(*i).is_some()
        })?;
        let mut value = verb;
        while [
            "is",
            "are",
            "has",
            "have",
            "was",
            "now",
            "just",
            "a",
            "an",
            "been",
            "become",
            "became",
            "our",
            "officially",
            "gone",
            "to",
            "moved",
            "already",
        ]
        .contains(&self.word(value))
            && self.choice_phrase(value).is_none()
        {
            value += 1;
        }
        let (length, candidates) = self.choice_phrase(value)?;
        let (column, option) = *candidates.first()?;
        let choice = self.column(column)?.options.get(option)?.value.clone();
        // What follows must tell to record it, and may name the rows or the column again.
        let mut rest = value + length;
        // "is now an SQL" is told to be recorded.
        let mut told = (verb..value).any(|i| self.word(i) == "now");
        while rest < self.end {
            let next = if self.token(rest).is_some_and(|token| matches!(token.kind, TokenKind::Mark(_))) {
                rest + 1
            } else if let Some(n) = self.gram(rest, Gram::Set) {
                told = true;
                rest + n
            } else if let Some((n, _)) = self.noun_at(rest) {
                rest + n
            } else if let Some((n, _)) = self.any_column(rest).filter(|(_, named)| *named == column) {
                rest + n
            } else if [
                "the",
                "it",
                "them",
                "that",
                "this",
                "their",
                "his",
                "her",
                "so",
                "please",
                "accordingly",
                "and",
                "record",
                "as",
                "such",
                "can",
                "you",
                "could",
                "up",
            ]
            .contains(&self.word(rest))
            {
                rest + 1
            } else {
                return None;
            };
            rest = next;
        }
        told.then_some(())?;
        self.update(at..verb, vec![(column, json!(choice), verb..value + length)])
    }

    /// "the Vandelay demo went great, set sentiment to very positive", "for lead a@b.co set priority=low": the
    /// rows first, then what to set.
    fn by_report(&mut self, at: usize) -> Option<Found> {
        let start = if ["for", "on"].contains(&self.word(at)) {
            at + 1
        } else {
            self.past_any(at, &[Gram::Find, Gram::Show])
        };
        let verbs: Vec<usize> =
            (start + 1..self.end).filter(|i| self.gram(*i, Gram::Set).is_some()).collect();
        for verb in verbs {
            let mut value = self.past_any(verb, &[Gram::Set, Gram::To, Gram::As]);
            value = if self.choice_phrase(value).is_some() { value } else { self.past_articles(value) };
            if let Some((n, false)) = self.noun_at(value)
                && self.gram(value + n, Gram::To).is_some()
            {
                value = self.past_any(value + n, &[Gram::To]);
            }
            let Some(cells) = self.cells(value, self.end, None) else { continue };
            let mut stop = verb;
            while stop > start
                && (self.token(stop - 1).is_some_and(|token| matches!(token.kind, TokenKind::Mark(_)))
                    || ["please", "and", "can", "you", "could", "so", "then"].contains(&self.word(stop - 1)))
            {
                stop -= 1;
            }
            let Some(stop) = self.before_report(start, stop, &cells) else { continue };
            let key = start..stop;
            if let Some(found) = self.update(key, cells) {
                return Some(found);
            }
        }
        None
    }

    /// Where the words for the rows end, and those that tell how it went begin: they must be about the column
    /// that is set.
    fn before_report(&self, start: usize, stop: usize, cells: &[Cell]) -> Option<usize> {
        let columns: Vec<usize> = cells.iter().map(|(column, ..)| *column).collect();
        let links = ["is", "are", "went", "has", "have", "was", "were"];
        let Some(told) = (start + 1..stop).find(|i| links.contains(&self.word(*i))) else {
            return Some(stop);
        };
        let describes =
            (start..told).any(|i| ["that", "which", "who", "whose", "where"].contains(&self.word(i)));
        if describes {
            return Some(stop);
        }
        let mut rest = told;
        while rest < stop {
            let state = columns.iter().find_map(|column| self.choices_of(rest, *column)).map(|(end, _)| end);
            rest = match state {
                Some(end) => end,
                None if links.contains(&self.word(rest))
                    || ["now", "just", "really", "very", "so", "gone", "well"].contains(&self.word(rest)) =>
                {
                    rest + 1
                }
                None => return None,
            };
        }
        Some(told)
    }

    /// "set … to …", "move … to …", "assign … to …".
    fn by_verb(&mut self, at: usize) -> Option<Found> {
        let set = self.gram(at, Gram::Set);
        let assign = self.gram(at, Gram::Assign);
        let length = set.into_iter().chain(assign).max()?;
        let start = at + length;
        // The last word that can stand before the new value is tried first.
        let is_marker = |i: usize| {
            ["to", "as", "into", "under", "=", "->", "with"]
                .contains(&self.token(i).map_or("", |token| token.word.as_str()))
                || self.token(i).is_some_and(|token| matches!(token.kind, TokenKind::Mark(':')))
        };
        let markers: Vec<usize> = (start..self.end).rev().filter(|i| is_marker(*i)).collect();
        for marker in markers {
            if let Some(found) = self.by_marker(start, marker, assign.is_some()) {
                return Some(found);
            }
        }
        if assign.is_some()
            && let Some(found) = self.to_person_first(start)
        {
            return Some(found);
        }
        self.by_role(start).or_else(|| self.by_trailing_choice(start))
    }

    /// "give Kenji the lead a@b.co".
    fn to_person_first(&mut self, start: usize) -> Option<Found> {
        let owner = self.role(Role::Owner)?;
        let name = self.name_at(start, true).filter(|name| name.person)?;
        let end = self.end;
        let after = start + name.length;
        self.update(after..end, vec![(owner, json!(name.text), start..after)])
    }

    /// "make Lucía the owner of the lead a@b.co".
    fn by_role(&mut self, start: usize) -> Option<Found> {
        let name = self.name_at(start, true)?;
        let after = start + name.length;
        let named = self.past_articles(after);
        let (length, column) =
            self.column_at(named, |column| column.kind == Kind::Person).filter(|_| named > after)?;
        let link = named + length;
        if !["of", "for", "on"].contains(&self.word(link)) {
            return None;
        }
        let end = self.end;
        self.update(link + 1..end, vec![(column, json!(name.text), start..link)])
    }

    fn by_marker(&mut self, start: usize, marker: usize, assigns: bool) -> Option<Found> {
        let value = marker + 1;
        // "set sentiment = positive on the Kestrel kickoff"
        if let Some((length, column)) = self
            .any_column(self.past_articles(start))
            .filter(|(length, _)| self.past_articles(start) + length == marker)
        {
            let named = self.past_articles(start)..self.past_articles(start) + length;
            return self.value_then_key(named, column, value);
        }
        let over =
            usize::from(marker > start + 1 && ["over", "across", "back"].contains(&self.word(marker - 1)));
        let (named, key) = self.split_column(start..marker - over);
        let under = self.word(marker) == "under" || (self.word(marker) == "to" && assigns && named.is_none());
        let renames = start.checked_sub(1).is_some_and(|verb| self.word(verb) == "rename");
        let named = named.or_else(|| {
            if under {
                self.role(Role::Owner)
            } else if renames {
                self.name_column()
            } else {
                None
            }
        });
        let by_person = || {
            let person = self.name_at(value, true).is_some_and(|name| name.person)
                || ["me", "myself"].contains(&self.word(value));
            let owner =
                self.role(Role::Owner).filter(|_| person && named.is_none() && self.word(marker) == "to")?;
            self.cells(value, self.end, Some(owner))
        };
        let cells = self.cells(value, self.end, named).or_else(by_person)?;
        // Only giving a row to somebody says "to" and means the owner.
        let key = self.without_owner_words(key);
        self.update_named(key, cells, named.is_some())
    }

    /// "ownership of the Acme lead", in giving a row to somebody.
    fn without_owner_words(&self, key: Range<usize>) -> Range<usize> {
        if ["ownership", "owner"].contains(&self.word(key.start)) && self.word(key.start + 1) == "of" {
            return key.start + 2..key.end;
        }
        key
    }

    /// The value, then "on" or "for" and the rows.
    fn value_then_key(&mut self, named: Range<usize>, column: usize, value: usize) -> Option<Found> {
        let links: Vec<usize> = (value + 1..self.end)
            .filter(|i| ["on", "for", "of", "where", "in"].contains(&self.word(*i)))
            .collect();
        for link in links {
            let Some(mut cells) = self.cells(value, link, Some(column)) else { continue };
            if let Some((_, _, tokens)) = cells.first_mut() {
                tokens.start = named.start;
            }
            if let Some(found) = self.update(link + 1..self.end, cells) {
                return Some(found);
            }
        }
        None
    }

    /// "mark the Acme lead ready", "mark client Foo churned".
    fn by_trailing_choice(&mut self, start: usize) -> Option<Found> {
        for at in (start + 1..self.end).rev() {
            let Some((length, _)) = self.choice_phrase(at) else { continue };
            if at + length != self.end {
                continue;
            }
            let cells = self.cells(at, self.end, None)?;
            if let Some(found) = self.update(start..at, cells) {
                return Some(found);
            }
        }
        None
    }

    /// "convert the lead for Ben Ames", "pause Lumio": the verb is the state.
    fn by_named_state(&mut self, at: usize) -> Option<Found> {
        let verb = self.word(at);
        if verb.len() < 4 || self.choice_phrase(at).is_some() {
            return None;
        }
        let stem = verb.strip_prefix("re").filter(|rest| rest.len() > 4).unwrap_or(verb);
        let stem = stem
            .strip_suffix("ate")
            .filter(|_| stem != "ate")
            .map_or(stem, |short| if short.ends_with("iv") { stem } else { short });
        let stem = stem.trim_end_matches('e');
        let table = self.lexicon.table(self.table)?;
        let (column, option) = table.columns.iter().enumerate().find_map(|(place, column)| {
            let is_state = column.kind == Kind::Status && column.is_editable();
            let option = column.options.iter().find(|option| {
                let value = option.value.to_lowercase();
                let ended = value.strip_suffix("ed").or_else(|| value.strip_suffix('e'));
                is_state
                    && ended.is_some_and(|base| {
                        base.trim_end_matches('l') == stem.trim_end_matches('l') && base.len() > 3
                    })
            })?;
            Some((place, option))
        })?;
        let cell = (column, json!(option.value), at..at + 1);
        self.update(at + 1..self.end, vec![cell])
    }

    /// "delete the lead spam@spam.com".
    fn deletion(&mut self, at: usize) -> Option<Found> {
        let end = self.end;
        let rows = match self.gram(at, Gram::Delete) {
            Some(length) => at + length..end,
            None => self.rows_to_delete(at)?,
        };
        self.rows(rows, true)?;
        Some(call::change(self, Operation::Delete, Map::new(), Vec::new()))
    }

    /// "client Foo Ltd is a dupe, delete it": the rows stand before the verb.
    fn rows_to_delete(&self, at: usize) -> Option<Range<usize>> {
        let verb = (at + 1..self.end).find(|i| self.gram(*i, Gram::Delete).is_some())?;
        let length = self.gram(verb, Gram::Delete)?;
        let told = ["it", "them", "that", "him", "her", "this"].contains(&self.word(verb + length))
            && verb + length + 1 == self.end;
        let mut stop = (at + 1..verb).find(|i| ["is", "are", "was"].contains(&self.word(*i))).unwrap_or(verb);
        let plain = (stop..verb).all(|i| {
            let word = self.word(i);
            word.is_empty()
                || [
                    "is",
                    "are",
                    "was",
                    "a",
                    "an",
                    "just",
                    "dupe",
                    "dupes",
                    "duplicate",
                    "duplicates",
                    "test",
                    "spam",
                    "fake",
                    "junk",
                    "row",
                    "entry",
                    "record",
                    "please",
                    "so",
                    "and",
                    "wrong",
                ]
                .contains(&word)
        });
        while stop > at && self.token(stop - 1).is_some_and(|token| matches!(token.kind, TokenKind::Mark(_)))
        {
            stop -= 1;
        }
        (told && plain).then_some(at..stop)
    }

    fn update(&mut self, key: Range<usize>, cells: Vec<Cell>) -> Option<Found> {
        self.update_named(key, cells, false)
    }

    /// As [`Reader::update`]; `named` when the message names the column and the row it is of.
    fn update_named(&mut self, key: Range<usize>, cells: Vec<Cell>, named: bool) -> Option<Found> {
        let end = self.end;
        let possessive = key
            .end
            .checked_sub(1)
            .and_then(|last| self.token(last))
            .is_some_and(|token| token.kind == TokenKind::Possessive);
        self.rows(key, false)?;
        self.end = end;
        // Free text is set only where the row is said to be one of the table's.
        let is_text =
            |column: usize| matches!(self.kind(column), Some(Kind::Text | Kind::Tags | Kind::Company));
        if self.draft.noun.is_none()
            && !named
            && !possessive
            && !self.has_exact_email()
            && cells.iter().any(|(column, ..)| is_text(*column))
        {
            return None;
        }
        let mut set = Map::new();
        let mut parts = Vec::new();
        for (column, value, tokens) in cells {
            let known = self.column(column).filter(|known| known.is_editable())?;
            parts.push((tokens, format!("set {} to {value}", known.key)));
            if set.insert(known.key.clone(), value).is_some() {
                return None;
            }
        }
        Some(call::change(self, Operation::Update, set, parts))
    }

    /// Reads which rows are meant; all words must be understood and something must narrow them down.
    fn rows(&mut self, key: Range<usize>, needs_noun: bool) -> Option<()> {
        if key.is_empty() {
            return None;
        }
        let end = self.end;
        self.draft = Draft { names_row: !needs_noun, changes: true, ..Draft::default() };
        let read = self.read(key.start, key.end);
        self.end = end;
        let settled = read.is_ok().then(|| self.settle()).flatten();
        let draft = &self.draft;
        let only_owner = self.role(Role::Owner).is_some_and(|owner| {
            draft.filters.iter().all(|found| found.column == super::draft::Where::Column(owner))
        });
        let shaped = draft.limit.is_some()
            || !draft.sort.is_empty()
            || draft.superlative.is_some()
            || draft.counts
            || draft.most.is_some()
            || draft.each
            || draft.recent
            || draft.asks
            || draft.finds
            || draft.figure.is_some()
            || draft.how_much
            || !draft.group_by.is_empty()
            || !draft.fields.is_empty()
            || draft.date_column.is_some();
        let named = draft.noun.is_some() || draft.keyed;
        let which = !draft.filters.is_empty() && (draft.keyed || draft.noun.is_some_and(|noun| noun.plural));
        let whole = only_owner && needs_noun;
        (settled.is_some()
            && which
            && named
            && !shaped
            && !whole
            && (!needs_noun || draft.noun.is_some() || self.has_exact_email()))
        .then_some(())
    }

    fn has_exact_email(&self) -> bool {
        self.words().and_then(|words| words.email).is_some_and(|email| self.draft.has_filter_on(email))
    }

    /// Takes a column's name away from the words for the rows: "the priority on the Umbrella lead",
    /// "Brightpath's company size".
    fn split_column(&self, range: Range<usize>) -> (Option<usize>, Range<usize>) {
        let start = self.past_articles(range.start);
        let inside = |length: usize, at: usize| at + length <= range.end;
        if let Some((length, column)) = self.any_column(start).filter(|(length, _)| inside(*length, start)) {
            let after = start + length;
            if ["of", "for", "on", "in", "from"].contains(&self.word(after)) && after < range.end {
                return (Some(column), after + 1..range.end);
            }
        }
        for at in (start + 1)..range.end {
            if let Some((length, column)) = self.any_column(at).filter(|(length, _)| at + length == range.end)
            {
                let _ = length;
                if self.noun_at(at).is_some_and(|(n, _)| at + n == range.end) {
                    continue;
                }
                // "the Quarrel account's industry"
                let owned = self.token(at - 1).is_some_and(|token| token.kind == TokenKind::Possessive);
                let by_noun = owned
                    && (range.start..at - 1)
                        .any(|i| self.noun_at(i).is_some_and(|(n, _)| i + n == at - 1) || self.is_topic(i));
                return (Some(column), range.start..at - usize::from(by_noun));
            }
        }
        (None, range)
    }

    /// The cells that the words set: one value for the named column, or values that name their columns.
    fn cells(&self, at: usize, end: usize, named: Option<usize>) -> Option<Vec<Cell>> {
        let mut cells = Vec::new();
        let start = self.past_articles(at);
        let (mut next, cell) = match named {
            Some(column) => {
                let (after, value) =
                    self.cell_value(at, end, column).or_else(|| self.cell_value(start, end, column))?;
                (after, (column, value, at..after))
            }
            None => self.free_cell(start, end)?,
        };
        cells.push(cell);
        while next < end {
            let comma = next + usize::from(self.is_comma(next));
            let from = self.past_any(comma, &[Gram::And]);
            let from = self.past(from, Gram::Set);
            let from = self.past_articles(from);
            if from == next {
                return None;
            }
            let (after, cell) = self.free_cell(from, end)?;
            cells.push(cell);
            next = after;
        }
        Some(cells)
    }

    /// A value that says which column it belongs to: an option, or a column with its value.
    fn free_cell(&self, at: usize, end: usize) -> Option<(usize, Cell)> {
        if let Some((length, column)) = self.any_column(at) {
            let from = self.past_any(at + length, &[Gram::To, Gram::Is, Gram::Exactly]);
            if let Some((after, value)) = self.cell_value(from, end, column) {
                return Some((after, (column, value, at..after)));
            }
        }
        let (length, candidates) = self.choice_phrase(at).filter(|(length, _)| at + length <= end)?;
        let editable =
            |column: usize| self.column(column).is_some_and(crate::tables::CatalogColumn::is_editable);
        let mut fits: Vec<(usize, usize)> =
            candidates.into_iter().filter(|(column, _)| editable(*column)).collect();
        let mut after = at + length;
        // "high priority"
        if let Some((n, named)) = self.any_column(after).filter(|(n, _)| after + n <= end)
            && fits.iter().any(|(column, _)| *column == named)
        {
            fits.retain(|(column, _)| *column == named);
            after += n;
        }
        let (column, option) = *fits.first()?;
        // One word for several options is no value.
        if fits.iter().filter(|(other, _)| *other == column).count() > 1 {
            return None;
        }
        let value = self.column(column)?.options.get(option)?.value.clone();
        Some((after, (column, json!(value), at..after)))
    }

    /// The value of the column that starts here and ends before `end`.
    pub(super) fn cell_value(&self, at: usize, end: usize, column: usize) -> Option<(usize, Json)> {
        let known = self.column(column).filter(|known| known.is_editable())?;
        let token = self.token(at).filter(|_| at < end)?;
        let written = |from: usize, to: usize| json!(self.text(from, to));
        let found = match known.kind {
            Kind::Status => {
                let (after, values) = self.choices_of(at, column)?;
                let [value] = values.as_slice() else { return None };
                let after = match self.any_column(after) {
                    Some((n, named)) if named == column => after + n,
                    _ => after,
                };
                (after, json!(value))
            }
            Kind::Person if ["me", "myself"].contains(&self.word(at)) => (at + 1, json!({"me": true})),
            Kind::Person => {
                let name = self.name_at(at, true)?;
                (at + name.length, json!(name.text))
            }
            Kind::Number => {
                let (length, value) = numeral(&self.message.tokens, at)?;
                let mut after = at + length;
                let hours = ["hour", "hours"].contains(&self.word(after));
                let unit = hours
                    || ["minutes", "minute", "dollars", "euros", "pounds", "usd", "eur", "gbp"]
                        .contains(&self.word(after));
                after += usize::from(unit);
                if let Some((n, named)) = self.any_column(after)
                    && named == column
                {
                    after += n;
                }
                (after, plain(if hours { value * 60.0 } else { value }))
            }
            Kind::Day | Kind::Instant => {
                let (length, when) = self.date_at(at)?;
                let super::moment::When::Day(day) = when else { return None };
                (at + length, json!(day))
            }
            Kind::Email => (token.kind == TokenKind::Email).then(|| (at + 1, written(at, at + 1)))?,
            Kind::Domain | Kind::Url | Kind::Linkedin => {
                let stop = self.raw_end(at, end);
                self.text(at, stop).contains('.').then(|| (stop, written(at, stop)))?
            }
            Kind::Phone => {
                let stop = (at..end)
                    .take_while(|i| {
                        matches!(
                            self.token(*i).map(|token| token.kind),
                            Some(
                                TokenKind::Number(_)
                                    | TokenKind::Sign
                                    | TokenKind::Mark('+' | '-' | '(' | ')')
                            )
                        )
                    })
                    .last()?
                    + 1;
                let text = self.text(at, stop);
                (text.chars().filter(char::is_ascii_digit).count() >= 5).then(|| (stop, json!(text)))?
            }
            Kind::Boolean => match self.word(at) {
                "true" | "yes" => (at + 1, json!(true)),
                "false" | "no" => (at + 1, json!(false)),
                _ => return None,
            },
            Kind::Tags => {
                let stop = self.free_text_end(at, end);
                (stop, written(at, stop))
            }
            Kind::Text | Kind::Company => {
                let stop = self.free_text_end(at, end);
                (stop > at).then(|| (stop, written(at, stop)))?
            }
        };
        (found.0 <= end).then_some(found)
    }

    /// The end of an address with its path.
    fn raw_end(&self, at: usize, end: usize) -> usize {
        let stop = self.token(at).map_or(0, |token| token.span.end);
        (at + 1..end)
            .find(|i| self.token(*i).is_none_or(|token| token.span.start >= stop))
            .unwrap_or(end)
            .max(at + 1)
    }

    /// The end of a text that runs up to a mark, or to "and" with another column.
    pub(super) fn free_text_end(&self, at: usize, end: usize) -> usize {
        if self.token(at).is_some_and(|token| token.kind == TokenKind::Quoted) {
            return at + 1;
        }
        (at..end)
            .find(|i| {
                let token = self.token(*i);
                let mark = token
                    .is_none_or(|token| matches!(token.kind, TokenKind::Mark(',' | ';' | '.' | '(' | ')')));
                let next = i + 1;
                let another =
                    *i > at && self.word(*i) == "and" && self.any_column(self.past_articles(next)).is_some();
                mark || another
            })
            .unwrap_or(end)
    }
}
