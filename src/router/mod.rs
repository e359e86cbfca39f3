//! Step 0: decides whether a message asks for one of the standard tables, and answers with the call to make.
//!
//! The vocabulary is derived from the organization's tables; the grammar is fixed. Every word must be
//! understood: what is not explained as a whole is left alone, so that richer skills keep their messages.
//! A change is never guessed.

mod absence;
mod affected;
mod amounts;
mod calendar_words;
mod call;
mod cells;
mod channels;
mod choices;
mod columns;
mod create;
mod days;
mod draft;
mod evidence;
mod finish;
mod grammar;
mod groups;
mod jobs;
mod keys;
mod lexicon;
mod lists;
mod moment;
mod named;
mod names;
mod numeral;
mod orders;
mod people;
mod periods;
mod phrases;
mod prepositions;
mod reader;
mod reports;
mod routers;
mod rows;
mod shape;
mod shorthand;
mod slots;
mod spelling;
#[cfg(test)]
mod tests;
mod text;
mod texts;
mod update;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use call::{Call, Operation, Part};
pub use routers::Routers;

use call::Found;
use finish::Reason;
use lexicon::{Lexicon, Sense};
use moment::Calendar;
use reader::{Message, Reader};
use text::{Token, TokenKind};

use crate::tables::{Catalog, dates};

/// Reads messages for one organization, as its tables are now.
#[derive(Debug)]
pub struct Router {
    lexicon: Lexicon,
}

/// What Step 0 makes of a message.
#[derive(Debug, Clone)]
pub enum Step {
    /// A request for a standard table, ready to run.
    Call(Box<Call>),
    /// Left to the skills, with the reason.
    Leave { reason: String },
}

/// Why each table's reading failed.
#[derive(Debug, Default)]
struct Failures(Vec<(Option<usize>, Failure)>);

#[derive(Debug)]
enum Failure {
    /// The word at this place means nothing.
    Word(usize),
    /// Every word was understood, and yet it is no request.
    Reason(Reason),
}

impl Failures {
    fn of(reason: Reason) -> Failures {
        Failures(vec![(None, Failure::Reason(reason))])
    }

    /// Whether other spellings of these words could make a difference: not when every reading was stopped by
    /// a word that stays as it is.
    fn depend_on(&self, corrected: &[usize]) -> bool {
        self.0.iter().any(|(_, failure)| match failure {
            // The word may open a phrase that is misspelt further on.
            Failure::Word(at) => corrected.iter().any(|place| (*at..at + 3).contains(place)),
            Failure::Reason(_) => true,
        })
    }
}

impl Router {
    /// Derives the vocabulary. Worth keeping for as long as the catalog stays the same.
    pub fn new(catalog: Arc<Catalog>) -> Router {
        Router { lexicon: Lexicon::new(catalog) }
    }

    /// The version of the catalog this router was derived from.
    pub fn version(&self) -> i64 {
        self.lexicon.catalog.version
    }

    /// What the message asks for, on the day it is in the zone.
    pub fn route(&self, message: &str, now: DateTime<Utc>, zone: Tz) -> Step {
        let leave = |reason: &str| Step::Leave { reason: reason.to_owned() };
        let Some(tokens) = text::tokens(message).map(text::without_manners) else {
            return leave("it is too long for a request about rows");
        };
        let today = dates::today(now, zone);
        let read = Message::new(message, tokens.clone(), &self.lexicon);
        let found = self.best(&read, today);
        let certain = found.as_ref().is_ok_and(|call| !self.may_be_misspelt(&read, call));
        if certain && let Ok(call) = found {
            return Step::Call(Box::new(call));
        }
        for (tokens, corrected) in self.corrections(&read.tokens) {
            let helps = found.as_ref().err().is_none_or(|failures| failures.depend_on(&corrected));
            if !helps {
                continue;
            }
            let mut read = Message::new(message, tokens, &self.lexicon);
            read.corrected = corrected;
            if let Ok(call) = self.best(&read, today) {
                return Step::Call(Box::new(call));
            }
        }
        match found {
            Ok(call) => Step::Call(Box::new(call)),
            Err(failures) => Step::Leave { reason: self.explain(&failures, &read) },
        }
    }

    /// Whether a word that was taken for a name is all but a word of the vocabulary.
    fn may_be_misspelt(&self, message: &Message<'_>, call: &Call) -> bool {
        !call.operation.is_write()
            && message.tokens.iter().any(|token| {
                token.word.len() >= if call.confidence < 0.98 { 4 } else { 6 }
                    && token.kind == TokenKind::Word
                    && !self.is_known(&token.word)
                    && self.lexicon.spelling.correct(&token.word).is_some()
            })
    }

    fn is_known(&self, word: &str) -> bool {
        grammar::GRAMMAR.knows(word)
            || self.lexicon.phrases.knows(word)
            || self.lexicon.is_given_name(word)
            || names::is_industry(word)
            || names::is_exact_channel(word)
            || names::is_business_word(word)
            || calendar_words::WORDS.contains(&word)
    }

    /// The best reading over all tables.
    fn best(&self, message: &Message<'_>, today: chrono::NaiveDate) -> Result<Call, Failures> {
        let (by_noun, by_column) = self.candidates(message);
        if by_noun.is_empty() && by_column.is_empty() {
            return Err(Failures::of("it names no table, column or option"));
        }
        let mut failures = Failures::default();
        for tables in [by_noun, by_column] {
            let mut found: Vec<(i32, Call)> = Vec::new();
            for table in tables {
                match self.for_table(message, table, today) {
                    Ok(read) => found.push((read.score, read.call)),
                    Err(why) => failures.0.push((Some(table), why)),
                }
            }
            found.sort_by_key(|(score, _)| -score);
            let tied = matches!(found.as_slice(), [(first, _), (second, _), ..] if first == second);
            if tied {
                return Err(Failures::of("it can mean more than one table"));
            }
            if let Some((_, call)) = found.into_iter().next() {
                return Ok(call);
            }
        }
        Err(failures)
    }

    /// The failures in words.
    fn explain(&self, failures: &Failures, message: &Message<'_>) -> String {
        let said = |(table, failure): &(Option<usize>, Failure)| {
            let why = match failure {
                Failure::Word(at) => {
                    let span = message.tokens.get(*at).map_or(0..0, |token| token.span.clone());
                    format!("`{}` says nothing here", message.text.get(span).unwrap_or_default())
                }
                Failure::Reason(reason) => (*reason).to_owned(),
            };
            table.map_or_else(|| why.clone(), |table| format!("{}: {why}", self.label(table)))
        };
        failures.0.iter().map(said).collect::<Vec<_>>().join("; ")
    }

    /// The tables whose rows are named, and those of which only columns or options are.
    fn candidates(&self, message: &Message<'_>) -> (Vec<usize>, Vec<usize>) {
        let (mut by_noun, mut by_column) = (Vec::new(), Vec::new());
        for sense in message.senses.iter().flatten().flat_map(|found| found.meanings) {
            let table = sense.table();
            match sense {
                Sense::Noun { loose: false, .. } | Sense::Topic { .. } if !by_noun.contains(&table) => {
                    by_noun.push(table);
                }
                Sense::Noun { loose: false, .. } | Sense::Topic { .. } => {}
                _ if !by_column.contains(&table) => by_column.push(table),
                _ => {}
            }
        }
        // People are named by their jobs: "which directors do we know at Nimbus".
        if message.tokens.iter().any(|token| names::job_role(&token.word).is_some()) {
            let people = self
                .lexicon
                .tables
                .iter()
                .position(|words| words.roles.contains_key(&crate::tables::Role::JobTitle));
            by_noun.extend(people.filter(|table| !by_noun.contains(table)));
        }
        by_column.retain(|table| !by_noun.contains(table));
        by_column.sort_unstable();
        (by_noun, by_column)
    }

    fn for_table(
        &self,
        message: &Message<'_>,
        table: usize,
        today: chrono::NaiveDate,
    ) -> Result<Found, Failure> {
        let calendar = Calendar { today, ahead: self.looks_ahead(message, table), coming: false };
        let reader = || Reader::new(message, &self.lexicon, table, calendar);
        if let Some(found) = update::read(&mut reader()).or_else(|| create::read(&mut reader())) {
            return Ok(found);
        }
        let mut reader = reader();
        reader.read(0, message.tokens.len()).map_err(Failure::Word)?;
        let request = reader.request_read().map_err(Failure::Reason)?;
        Ok(call::read(&reader, request))
    }

    fn label(&self, table: usize) -> &str {
        self.lexicon.table(table).map_or("", |table| table.key())
    }

    /// Whether a weekday in the message is a coming one: meetings are made for later, unless the words are
    /// about what was.
    fn looks_ahead(&self, message: &Message<'_>, table: usize) -> bool {
        let meets =
            self.lexicon.table(table).is_some_and(|table| ["meetings", "leads"].contains(&table.key()));
        let past = [
            "did", "had", "was", "were", "ran", "held", "went", "happened", "took", "done", "since",
            "lasted", "missed",
        ];
        let event = [
            "meeting",
            "meetings",
            "call",
            "calls",
            "demo",
            "demos",
            "due",
            "booked",
            "scheduled",
            "starts",
            "meet",
        ];
        let own = self.lexicon.table(table).is_some_and(|table| !table.declared.topics.is_empty());
        let meets = meets && (own || message.tokens.iter().any(|token| event.contains(&token.word.as_str())));
        meets && !message.tokens.iter().any(|token| past.contains(&token.word.as_str()))
    }

    /// The message with misspelt words put right: all of them, then only those where no name can stand.
    fn corrections(&self, tokens: &[Token]) -> Vec<(Vec<Token>, Vec<usize>)> {
        let unknown = |token: &Token| token.kind == TokenKind::Word && !self.is_known(&token.word);
        // "last weak" can only be a week.
        let in_time = |at: usize| {
            at.checked_sub(1)
                .and_then(|before| tokens.get(before))
                .is_some_and(|before| ["last", "this", "next", "past"].contains(&before.word.as_str()))
        };
        let found: Vec<(usize, &str)> = tokens
            .iter()
            .enumerate()
            .filter(|(at, token)| {
                unknown(token) && (!names::is_common(&token.word) || in_time(*at) || token.word == "form")
            })
            .filter_map(|(at, token)| Some((at, self.lexicon.spelling.correct(&token.word)?)))
            .collect();
        if found.is_empty() || found.len() > 6 {
            return Vec::new();
        }
        let slot = |at: usize| {
            at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| {
                ["at", "with", "from", "for", "by", "to", "called", "named"].contains(&before.word.as_str())
            })
        };
        let apply = |chosen: &[(usize, &str)]| {
            let mut corrected = tokens.to_vec();
            for (at, word) in chosen {
                if let Some(token) = corrected.get_mut(*at) {
                    (*word).clone_into(&mut token.word);
                }
            }
            (corrected, chosen.iter().map(|(at, _)| *at).collect::<Vec<usize>>())
        };
        let elsewhere: Vec<(usize, &str)> = found.iter().copied().filter(|(at, _)| !slot(*at)).collect();
        // A misspelt month behind "from" is likelier than a name.
        let dated = found
            .iter()
            .all(|(at, word)| !slot(*at) || (word.len() >= 6 && calendar_words::WORDS.contains(word)));
        let mut tries = Vec::new();
        if dated {
            tries.push(apply(&found));
        }
        if !elsewhere.is_empty() {
            tries.push(apply(&elsewhere));
        }
        if elsewhere.len() != found.len() {
            tries.push(apply(&found));
        }
        tries
    }
}
