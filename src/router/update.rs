//! Changes of rows that exist: "mark the Acme lead as ready", "reassign Jamie's clients to Lena", "delete …".
//!
//! Both sides must be understood to the last word: which rows, and what they are to become.

use std::ops::Range;

use serde_json::{Value as Json, json};

use super::call::Found;
use super::grammar::Gram;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Kind, Role};

/// A cell that is to be set: its column, the value, and the words that say so.
pub(super) type Cell = (usize, Json, Range<usize>);

/// The change that the whole message asks for.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Found> {
    let found = any(reader)?;
    // A misspelt verb changes a row that is named, never a selection.
    let verb = reader.past_politeness(0);
    let many = reader.draft.noun.is_some_and(|noun| noun.plural);
    (!many || !reader.message.corrected.contains(&verb)).then_some(found)
}

fn any(reader: &mut Reader<'_>) -> Option<Found> {
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
            && let Some(found) = self.by_person_first(start)
        {
            return Some(found);
        }
        self.by_role(start).or_else(|| self.by_trailing_choice(start))
    }

    /// "give Kenji the lead a@b.co".
    fn by_person_first(&mut self, start: usize) -> Option<Found> {
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
        let over = usize::from(
            marker > start + 1 && ["over", "across", "back", "up", "down"].contains(&self.word(marker - 1)),
        );
        let (named, key) = self.split_column(start..marker - over);
        let under = self.word(marker) == "under" || (self.word(marker) == "to" && assigns && named.is_none());
        let renames = start.checked_sub(1).is_some_and(|verb| self.word(verb) == "rename");
        // What is handed to somebody is its owner, nothing else.
        if assigns && named.is_some_and(|column| self.kind(column) != Some(Kind::Person)) {
            return None;
        }
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
            if at + length != self.end || self.noun_of_other_table(at).is_some() {
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
        // "pause Globex" could be about anything called so.
        self.update(at + 1..self.end, vec![cell]).filter(|_| self.draft.noun.is_some())
    }
}
