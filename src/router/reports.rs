//! Changes told as news: "Wayne have churned, mark the client", "the demo went great, set sentiment to …".

use serde_json::json;

use super::call::Found;
use super::grammar::Gram;
use super::reader::Reader;
use super::text::TokenKind;
use super::update::Cell;

/// Words between the rows and what they have become.
const BECOMES: &[&str] = &[
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
];

/// Words that join the news with the request to record it.
const LINKS: &[&str] = &[
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
];

impl Reader<'_> {
    /// "Wayne have churned, mark the client", "ana@globex.pt is now a customer, update contact stage".
    pub(super) fn by_statement(&mut self, at: usize) -> Option<Found> {
        let verb = (at + 1..self.end).find(|i| {
            ["is", "are", "has", "have", "was", "just", "became", "went"].contains(&self.word(*i))
                || self.choice_phrase(*i).is_some()
        })?;
        let mut value = verb;
        while BECOMES.contains(&self.word(value)) && self.choice_phrase(value).is_none() {
            value += 1;
        }
        let (length, candidates) = self.choice_phrase(value)?;
        let (column, option) = *candidates.first()?;
        let choice = self.column(column)?.options.get(option)?.value.clone();
        self.tells_to_record(verb, value + length, column)?;
        self.update(at..verb, vec![(column, json!(choice), verb..value + length)])
    }

    /// Whether what follows the news tells to record it; it may name the rows or the column again, and says
    /// nothing else.
    fn tells_to_record(&self, verb: usize, at: usize, column: usize) -> Option<()> {
        let mut rest = at;
        // "is now an SQL" is told to be recorded.
        let mut told = self.message.tokens.iter().skip(verb).any(|token| token.word == "now");
        while rest < self.end {
            let mark = self.token(rest).is_some_and(|token| matches!(token.kind, TokenKind::Mark(_)));
            rest += if mark || LINKS.contains(&self.word(rest)) {
                1
            } else if let Some(length) = self.gram(rest, Gram::Set) {
                told = true;
                length
            } else if let Some((length, _)) = self.noun_at(rest) {
                length
            } else {
                self.any_column(rest).filter(|(_, named)| *named == column)?.0
            };
        }
        told.then_some(())
    }

    /// "the Vandelay demo went great, set sentiment to very positive", "for lead a@b.co set priority=low": the
    /// rows first, then what to set.
    pub(super) fn by_report(&mut self, at: usize) -> Option<Found> {
        let start = if ["for", "on"].contains(&self.word(at)) {
            at + 1
        } else {
            self.past_any(at, &[Gram::Find, Gram::Show])
        };
        let verbs: Vec<usize> = (start + 1..self.end)
            .filter(|i| self.gram(*i, Gram::Set).is_some() && self.opens_a_clause(start, *i))
            .collect();
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

    /// Whether a telling verb can begin here: behind a mark, or anywhere when the rows were announced by "for".
    fn opens_a_clause(&self, start: usize, at: usize) -> bool {
        const TELLING: &[&str] = &[
            "set", "change", "update", "mark", "move", "switch", "put", "flag", "make", "bump", "raise",
            "lower", "correct", "fix", "edit", "flip",
        ];
        let announced = start > 0 && ["for", "on"].contains(&self.word(start - 1));
        let marked = self.token(at - 1).is_some_and(|before| {
            matches!(before.kind, TokenKind::Mark(_))
                || ["and", "please", "so"].contains(&before.word.as_str())
        });
        TELLING.contains(&self.word(at)) && (announced || marked)
    }

    /// Where the words for the rows end, and those that tell how it went begin: they must be about the column
    /// that is set.
    pub(super) fn before_report(&self, start: usize, stop: usize, cells: &[Cell]) -> Option<usize> {
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
}
