//! What the rows are: nouns, kinds of meeting, options, views, and names that say whose they are.

use serde_json::json;

use super::draft::Where;
use super::lexicon::Sense;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Kind, Op, Role};

impl Reader<'_> {
    pub(super) fn mark(&mut self, at: usize) -> Option<usize> {
        // "the team's average" is everybody's.
        let everybody = at > 0
            && ["team", "company", "organisation", "organization", "department"].contains(&self.word(at - 1));
        if everybody && self.token(at)?.kind == TokenKind::Possessive {
            return Some(at + 1);
        }
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
        // "the client record for Halcyon"
        end += usize::from(is_list || self.word(end) == "record");
        let quantified =
            |i: usize| ["all", "every", "any", "many", "several", "much"].contains(&self.word(i));
        let several =
            (at.saturating_sub(5)..at).any(quantified) || self.draft.limit.is_some_and(|limit| limit > 1);
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
        self.draft.noun?;
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
}
