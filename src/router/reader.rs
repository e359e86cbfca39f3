//! Reads a message as a request about one table, word by word.
//!
//! Each rule takes the words it understands and notes what they mean in the draft. Rules are tried in a fixed
//! order, the more specific ones first. A word that no rule takes ends the reading: what is not understood
//! is not answered.

use std::cell::OnceCell;

use super::draft::{Draft, Found, NounAt, Where};
use super::grammar::{GRAMMAR, Gram};
use super::lexicon::{Lexicon, Sense, TableWords};
use super::moment::Calendar;
use super::names;
use super::phrases::Match;
use super::text::{Token, TokenKind};
use crate::tables::{CatalogColumn, Kind, Role};

/// A message with the phrases found in it; the same for every table.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub grams: Vec<Vec<Match<'static, Gram>>>,
    pub senses: Vec<Vec<Match<'a, Sense>>>,
    /// Which tokens were corrected, with the words as they were written.
    pub corrected: Vec<usize>,
}

/// The reading of a message for one table.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub message: &'a Message<'a>,
    pub lexicon: &'a Lexicon,
    pub table: usize,
    pub calendar: Calendar,
    pub draft: Draft,
    /// The dates found so far, by their place.
    dates: Vec<OnceCell<Option<(usize, super::moment::When)>>>,
    /// Whether a column's value may follow without a word between: "with title CTO".
    pub direct: bool,
    /// The end of the part that is read.
    pub end: usize,
}

/// A name found in a message.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub length: usize,
    pub text: String,
    /// Its words in lower case.
    pub words: String,
    pub person: bool,
}

type Rule<'a> = fn(&mut Reader<'a>, usize) -> Option<usize>;

impl<'a> Message<'a> {
    pub(super) fn new(text: &'a str, tokens: Vec<Token>, lexicon: &'a Lexicon) -> Message<'a> {
        let numbers = GRAMMAR.numbers(&tokens);
        let grams = (0..tokens.len()).map(|at| GRAMMAR.at(&numbers, at)).collect();
        let numbers = lexicon.phrases.numbers(&tokens);
        let senses = (0..tokens.len()).map(|at| lexicon.phrases.at(&numbers, at)).collect();
        Message { text, tokens, grams, senses, corrected: Vec::new() }
    }
}

impl<'a> Reader<'a> {
    /// In the order they are tried.
    const RULES: [Rule<'a>; 37] = [
        Reader::mark,
        Reader::owner_question,
        Reader::ownership,
        Reader::unowned,
        Reader::no_contact_since,
        Reader::absence,
        Reader::exclusion,
        Reader::order,
        Reader::superlative,
        Reader::grouping,
        Reader::comparison,
        Reader::column_with_value,
        Reader::date,
        Reader::dated_column,
        Reader::upcoming,
        Reader::figure,
        Reader::possessive_owner,
        Reader::mine,
        Reader::owned_by,
        Reader::owner_before_verb,
        Reader::channel_before_verb,
        Reader::key,
        Reader::spoken_text,
        Reader::view,
        Reader::choices,
        Reader::presence,
        Reader::tagged,
        Reader::fresh,
        Reader::topic,
        Reader::job,
        Reader::noun,
        Reader::named_after_preposition,
        Reader::field,
        Reader::named,
        Reader::limit,
        Reader::request,
        Reader::filler,
    ];

    pub(super) fn new(
        message: &'a Message<'a>,
        lexicon: &'a Lexicon,
        table: usize,
        calendar: Calendar,
    ) -> Reader<'a> {
        Reader {
            message,
            lexicon,
            table,
            calendar,
            draft: Draft::default(),
            direct: false,
            dates: vec![OnceCell::new(); message.tokens.len()],
            end: message.tokens.len(),
        }
    }

    /// Reads the tokens from `at` to `end`; the place of the first word that means nothing here, if any.
    pub(super) fn read(&mut self, at: usize, end: usize) -> Result<(), usize> {
        self.end = end;
        let mut at = at;
        while at < end {
            let next =
                Self::RULES.iter().find_map(|rule| rule(self, at).filter(|next| *next > at && *next <= end));
            at = next.ok_or(at)?;
        }
        Ok(())
    }

    pub(super) fn words(&self) -> Option<&'a TableWords> {
        self.lexicon.tables.get(self.table)
    }

    pub(super) fn role(&self, role: Role) -> Option<usize> {
        self.words()?.roles.get(&role).copied()
    }

    pub(super) fn column(&self, column: usize) -> Option<&'a CatalogColumn> {
        self.lexicon.column(self.table, column)
    }

    pub(super) fn kind(&self, column: usize) -> Option<Kind> {
        self.column(column).map(|column| column.kind)
    }

    pub(super) fn token(&self, at: usize) -> Option<&'a Token> {
        self.message.tokens.get(at).filter(|_| at < self.end)
    }

    pub(super) fn word(&self, at: usize) -> &'a str {
        self.token(at).filter(|token| token.kind == TokenKind::Word).map_or("", |token| token.word.as_str())
    }

    pub(super) fn is_end(&self, at: usize) -> bool {
        self.token(at).is_none_or(|token| matches!(token.kind, TokenKind::Mark(_)))
    }

    /// The longest phrase here with this function.
    pub(super) fn gram(&self, at: usize, gram: Gram) -> Option<usize> {
        let matches = self.message.grams.get(at)?;
        matches
            .iter()
            .find(|found| at + found.length <= self.end && found.meanings.contains(&gram))
            .map(|found| found.length)
    }

    /// The end of the phrase with this function, or the place itself.
    pub(super) fn past(&self, at: usize, gram: Gram) -> usize {
        at + self.gram(at, gram).unwrap_or_default()
    }

    pub(super) fn past_any(&self, at: usize, grams: &[Gram]) -> usize {
        let mut at = at;
        while let Some(length) = grams.iter().filter_map(|gram| self.gram(at, *gram)).max() {
            at += length;
        }
        at
    }

    /// The place after articles and auxiliaries.
    pub(super) fn past_articles(&self, at: usize) -> usize {
        let mut at = at;
        while [
            "the", "a", "an", "any", "all", "our", "their", "its", "his", "her", "my", "some", "every", "of",
            "either", "both",
        ]
        .contains(&self.word(at))
        {
            at += 1;
        }
        at
    }

    /// The senses here for this table, longest first.
    pub(super) fn senses(&self, at: usize) -> impl Iterator<Item = (usize, Sense)> + use<'a> {
        let (table, end) = (self.table, self.end);
        let matches: &'a [Match<'a, Sense>] = self.message.senses.get(at).map_or(&[], Vec::as_slice);
        matches
            .iter()
            .filter(move |found| at + found.length <= end)
            .flat_map(|found| found.meanings.iter().map(|sense| (found.length, *sense)))
            .filter(move |(_, sense)| sense.table() == table)
    }

    /// The longest column phrase here whose column passes.
    pub(super) fn column_at(
        &self,
        at: usize,
        test: impl Fn(&CatalogColumn) -> bool,
    ) -> Option<(usize, usize)> {
        self.senses(at).find_map(|(length, sense)| match sense {
            Sense::Column { column, .. } => {
                self.column(column).filter(|known| test(known)).map(|_| (length, column))
            }
            _ => None,
        })
    }

    pub(super) fn any_column(&self, at: usize) -> Option<(usize, usize)> {
        self.column_at(at, |_| true)
    }

    pub(super) fn noun_at(&self, at: usize) -> Option<(usize, bool)> {
        self.senses(at).find_map(|(length, sense)| match sense {
            Sense::Noun { plural, .. } => Some((length, plural)),
            _ => None,
        })
    }

    pub(super) fn date_at(&self, at: usize) -> Option<(usize, super::moment::When)> {
        let read = || self.calendar.read(&self.message.tokens, at);
        let found = self.dates.get(at).map_or_else(read, |known| *known.get_or_init(read));
        found.filter(|(length, _)| at + length <= self.end)
    }

    /// Whether nothing in the vocabulary starts here: the word can only be part of a name.
    pub(super) fn is_unknown(&self, at: usize) -> bool {
        let Some(token) = self.token(at) else { return false };
        token.kind == TokenKind::Word
            && self.message.grams.get(at).is_none_or(Vec::is_empty)
            && self.senses(at).next().is_none()
            && self.noun_of_other_table(at).is_none()
            && self.date_at(at).is_none()
            && super::numeral::numeral(&self.message.tokens, at).is_none()
    }

    pub(super) fn noun_of_other_table(&self, at: usize) -> Option<usize> {
        let matches = self.message.senses.get(at)?;
        matches
            .iter()
            .find(|found| found.meanings.iter().any(|sense| matches!(sense, Sense::Noun { .. })))
            .map(|found| found.length)
    }

    /// The name that starts here. After a word that calls for a person, a given name counts even when it is
    /// also a word of the vocabulary, as Mark and Will are.
    pub(super) fn name_at(&self, at: usize, after_cue: bool) -> Option<Name> {
        let token = self.token(at)?;
        if token.kind == TokenKind::Quoted {
            return Some(self.name(at, 1));
        }
        let opens = |at: usize| {
            self.is_unknown(at)
                || (after_cue && self.lexicon.is_given_name(self.word(at)) && self.date_at(at).is_none())
        };
        if !opens(at) {
            return None;
        }
        let mut length = 1;
        loop {
            let next = at + length;
            let joins = [
                "of", "de", "van", "von", "der", "la", "le", "di", "da", "del", "dos", "bin", "al", "el",
                "the",
            ];
            let is_name = |at: usize| {
                let word = self.word(at);
                !names::is_common(word) || names::is_business_word(word) || self.lexicon.is_given_name(word)
            };
            if self.role(Role::JobTitle).is_some() && names::job_role(self.word(next)).is_some() {
                break;
            }
            let ampersand =
                self.token(next).is_some_and(|token| token.span.len() == 1 && token.word == "and");
            let more = self.is_unknown(next + 1) || names::is_business_word(self.word(next + 1));
            if ampersand && more {
                length += 2;
            } else if self.is_unknown(next)
                && (is_name(next) || (length == 1 && self.lexicon.is_given_name(self.word(at))))
            {
                length += 1;
            } else if !(self.word(next) == "of" && self.lexicon.is_given_name(self.word(at)))
                && joins.contains(&self.word(next))
                && self.word(next) != "the"
                && self.is_unknown(next + 1)
                && is_name(next + 1)
            {
                length += 2;
            } else if names::is_business_word(self.word(next))
                && self.noun_at(next).is_none()
                && self.any_column(next).is_none()
            {
                length += 1;
            } else {
                break;
            }
        }
        let name = self.name(at, length);
        // Other scripts are other languages, which this grammar does not read.
        if name.text.chars().any(|c| c.is_alphabetic() && c > '\u{24f}') {
            return None;
        }
        let words: Vec<&str> = name.words.split(' ').collect();
        let first = words.first().copied().unwrap_or_default();
        let is_common = |word: &str| names::is_common(word) && !self.lexicon.is_given_name(word);
        let at_company = at.checked_sub(1).is_some_and(|before| ["at", "with"].contains(&self.word(before)));
        let two = at_company && words.len() > 1 && words.iter().skip(1).any(|word| !is_common(word));
        let refused =
            (is_common(first) && !two) || words.iter().all(|word| is_common(word) || names::is_place(word));
        (!refused).then_some(name)
    }

    /// The tokens as a name.
    pub(super) fn name(&self, at: usize, length: usize) -> Name {
        let titled =
            usize::from(length > 1 && ["mr", "mrs", "ms", "miss", "dr", "prof"].contains(&self.word(at)));
        let tokens = self.message.tokens.get(at + titled..at + length).unwrap_or_default();
        let words: Vec<&str> =
            tokens.iter().map(|token| token.word.as_str()).filter(|word| !word.is_empty()).collect();
        let first = words.first().copied().unwrap_or_default();
        let business = words.iter().skip(1).any(|word| names::is_business_word(word));
        Name {
            length,
            text: self.text(at + titled, at + length),
            person: self.lexicon.is_given_name(first) && !business && words.len() <= 3,
            words: words.join(" "),
        }
    }

    /// The message from one token up to another, as it was written but with single spaces.
    pub(super) fn text(&self, from: usize, to: usize) -> String {
        let tokens = &self.message.tokens;
        let written = match (tokens.get(from), to.checked_sub(1).and_then(|last| tokens.get(last))) {
            (Some(first), Some(last)) => {
                self.message.text.get(first.span.start..last.span.end).unwrap_or_default()
            }
            _ => "",
        };
        written.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(super) fn set_noun(&mut self, at: usize, plural: bool) {
        let known = self.draft.noun.is_some_and(|noun| noun.plural);
        self.draft.noun = Some(NounAt { at, plural: plural || known });
    }

    /// Notes a date whose column other words may still say.
    pub(super) fn some_date(&mut self, when: super::moment::When, tokens: std::ops::Range<usize>) {
        let (op, value) = when.comparison();
        let column = match self.draft.date_column.take() {
            Some(column) => Where::Column(column),
            None => Where::SomeDate(when),
        };
        self.draft.filters.push(Found { column, op, value, tokens });
    }
}
