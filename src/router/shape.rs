//! The form of the answer: how many, which figure, grouped by what, in which order, how many rows.

use super::draft::Where;
use super::grammar::{FIGURES, Figure, Gram};
use super::reader::Reader;
use crate::tables::{CatalogColumn, Kind, Op};

pub(super) fn is_number(column: &CatalogColumn) -> bool {
    column.kind == Kind::Number
}

impl Reader<'_> {
    /// "show me", "which", "find".
    pub(super) fn request(&mut self, at: usize) -> Option<usize> {
        let show = self.gram(at, Gram::Show);
        let find = self.gram(at, Gram::Find);
        let ask = self.gram(at, Gram::Ask);
        let length = [show, find, ask].into_iter().flatten().max()?;
        if show == Some(length) || ask == Some(length) {
            self.draft.asks = true;
            self.draft.questions |= show != Some(length) && !["is", "are", "do"].contains(&self.word(at));
            self.draft.asks_rows |= show == Some(length);
        } else {
            // "company search" is the name of something, not a request.
            if self.draft.noun.is_some() {
                return None;
            }
            self.draft.finds = true;
        }
        Some(at + length)
    }

    /// "in our CRM", "on the books": the user's own data is meant.
    pub(super) fn ownership(&mut self, at: usize) -> Option<usize> {
        let length = self
            .gram(at, Gram::Ours)
            .filter(|length| *length > 1 && self.gram(at, Gram::Without).is_none_or(|n| n < *length))?;
        let other =
            [Gram::Not, Gram::Me].iter().filter_map(|gram| self.gram(at, *gram)).max().unwrap_or_default();
        let plain = self.gram(at, Gram::Filler).unwrap_or_default();
        if other.max(plain) > length || other == length || self.date_at(at).is_some() {
            return None;
        }
        self.draft.ours = true;
        Some(at + length)
    }

    pub(super) fn filler(&mut self, at: usize) -> Option<usize> {
        let plain = self.gram(at, Gram::Filler).unwrap_or_default();
        if let Some(length) = self.gram(at, Gram::Ours).filter(|length| *length >= plain) {
            self.draft.ours = true;
            return Some(at + length);
        }
        if let Some(length) =
            self.gram(at, Gram::Recent).filter(|_| self.draft.noun.is_some() || self.leads_somewhere(at + 1))
        {
            self.draft.recent = true;
            return Some(at + length);
        }
        let plain = self.gram(at, Gram::Filler);
        let soft = [
            Gram::Is,
            Gram::Whose,
            Gram::With,
            Gram::Of,
            Gram::In,
            Gram::And,
            Gram::For,
            Gram::Or,
            Gram::From,
            Gram::On,
        ];
        // A preposition at the end calls for a word that is not there.
        let soft = soft
            .iter()
            .filter_map(|gram| self.gram(at, *gram))
            .filter(|length| !self.is_end(at + length))
            .max();
        // "at the opportunity stage"
        let stage =
            self.gram(at, Gram::At).filter(|n| self.choice_phrase(self.past_articles(at + n)).is_some());
        if let Some(length) = stage {
            return Some(at + length);
        }
        // "showed up to the meeting"
        let to = (self.word(at) == "to"
            && self
                .column_at(self.past_articles(at + 1), |column| {
                    matches!(column.kind, Kind::Day | Kind::Instant)
                })
                .is_some())
        .then_some(1);
        let length = plain.into_iter().chain(soft).chain(to).max()?;
        // "are in prep" ends where an option begins.
        let option =
            (at + 1..at + length).find(|i| self.choice_phrase(*i).is_some_and(|(n, _)| i + n > at + length));
        Some(option.unwrap_or(at + length))
    }

    fn leads_somewhere(&self, at: usize) -> bool {
        (at..self.end.min(at + 3)).any(|i| self.noun_at(i).is_some())
    }

    /// "how many", "total MRR", "average duration".
    pub(super) fn figure(&mut self, at: usize) -> Option<usize> {
        let after_field = at > 0
            && self
                .draft
                .fields
                .last()
                .is_some_and(|field| self.any_column(field.at).is_some_and(|(n, _)| field.at + n == at));
        if after_field
            && ["breakdown", "split", "distribution", "mix", "counts", "count"].contains(&self.word(at))
        {
            self.draft.each = true;
            return Some(at + 1);
        }
        if let Some(length) = self.gram(at, Gram::Each) {
            self.draft.each = true;
            return Some(at + length);
        }
        self.how_many(at).or_else(|| self.named_figure(at))
    }

    /// "how many leads", "how many minutes of calls", "how much MRR".
    fn how_many(&mut self, at: usize) -> Option<usize> {
        if let Some(length) = self.gram(at, Gram::HowMany) {
            let end = at + length;
            let start = self.past_articles(end);
            if let Some((n, column)) = self
                .column_at(start, is_number)
                .filter(|_| self.noun_at(start).is_none() && !self.counts_rows(start))
            {
                self.draft.figure = Some(Figure::Sum);
                self.draft.measure = Some(column);
                return Some(start + n);
            }
            self.draft.counts = true;
            return Some(end);
        }
        if let Some(length) = self.gram(at, Gram::HowMuch) {
            self.draft.how_much = true;
            let start = self.past_articles(at + length);
            if let Some((n, column)) = self.column_at(start, is_number) {
                self.draft.measure = Some(column);
                self.draft.figure = Some(Figure::Sum);
                return Some(start + n);
            }
            if self.noun_at(start).is_some() {
                self.draft.how_much = false;
                self.draft.counts = true;
                return Some(start);
            }
            return Some(at + length);
        }
        None
    }

    /// "total MRR", "average call length".
    fn named_figure(&mut self, at: usize) -> Option<usize> {
        let (length, figure) =
            FIGURES.iter().find_map(|figure| self.gram(at, Gram::Figure(*figure)).map(|n| (n, *figure)))?;
        let mut start = self.past_articles(at + length);
        while ["monthly", "annual", "overall", "combined"].contains(&self.word(start))
            && self.column_at(start, is_number).is_none()
        {
            start += 1;
        }
        let before = start;
        if let Some((n, plural)) = self.noun_at(start)
            && self.column_at(start + n, is_number).is_some()
            && self.column_at(start, is_number).is_none()
        {
            self.set_noun(start, plural);
            start += n;
        }
        if before == start && figure == Figure::Sum && self.gram(start, Gram::HowMany).is_some() {
            return Some(start);
        }
        if let Some((n, column)) = self.column_at(start, is_number).filter(|_| self.noun_at(start).is_none())
        {
            self.draft.figure = Some(figure);
            self.draft.measure = Some(column);
            return Some(self.past_of_measure(start + n));
        }
        if figure == Figure::Sum && self.noun_at(start).is_some() {
            self.draft.counts = true;
            return Some(start);
        }
        self.draft.figure = Some(figure);
        Some(at + length)
    }

    /// "number of contacts" of a company is a column; "how many contacts" of a company is a count of rows.
    fn counts_rows(&self, at: usize) -> bool {
        self.column_at(at, is_number).is_some_and(|(_, column)| self.is_counted(column))
    }

    /// "MRR value": words for the same measure one after the other.
    fn past_of_measure(&self, at: usize) -> usize {
        match self.column_at(at, is_number) {
            Some((length, column)) if Some(column) == self.draft.measure => at + length,
            _ => at,
        }
    }

    /// Gives dates their column, and takes away what was said twice.
    pub(super) fn settle(&mut self) -> Option<()> {
        let words = self.words()?;
        let event = self.draft.filters.iter().find_map(|found| match found.column {
            Where::Column(column) => self.event_date(column),
            Where::SomeDate(_) => None,
        });
        let event = event.filter(|_| self.draft.speaks_of_event);
        let dated = self.draft.filters.iter().any(|found| matches!(found.column, Where::SomeDate(_)));
        let named = if dated { self.draft.date_column.take() } else { None };
        let column = named.or(event).unwrap_or(words.default_date);
        for found in &mut self.draft.filters {
            if matches!(found.column, Where::SomeDate(_)) {
                found.column = Where::Column(column);
            }
        }
        let filters = std::mem::take(&mut self.draft.filters);
        for found in &filters {
            let same = |other: &&super::draft::Found| other.column == found.column && *other != found;
            let negated = matches!(found.op, Op::NotEquals | Op::NotIn);
            let positive = filters.iter().filter(same).any(|other| matches!(other.op, Op::Equals | Op::In));
            let is_future = found.op == Op::Gte && found.value == serde_json::json!(self.calendar.today);
            let dated = filters.iter().filter(same).any(|other| other.op != found.op);
            let is_repeated =
                self.draft.filters.iter().any(|kept| {
                    kept.column == found.column && kept.op == found.op && kept.value == found.value
                });
            if (negated && positive) || (is_future && dated) || is_repeated {
                continue;
            }
            self.draft.filters.push(found.clone());
        }
        Some(())
    }
}
