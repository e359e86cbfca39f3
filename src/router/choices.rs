//! Options of status columns: "urgent", "new or ready", "churned".

use serde_json::json;

use super::draft::Where;
use super::grammar::Gram;
use super::lexicon::Sense;
use super::lists::any_of;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Op, Place};

impl Reader<'_> {
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
        while self.word(after) == "in" {
            after += 1;
        }
        if let Some((n, _)) = self.column_at(after, |_| true).filter(|(_, named)| *named == column) {
            end = after + n;
        }
        self.draft.speaks_of_event |= self.event_date(column).is_some();
        let (op, value) = any_of(Op::Equals, &values);
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
    pub(super) fn is_row_word(&self, at: usize, length: usize) -> bool {
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
    pub(super) fn choice_column(&self, after: usize, candidates: &[(usize, usize)]) -> Option<usize> {
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

    /// The values of one column from here on: "error or pending", "no show, cancelled".
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
}
