//! In which order, and how many: "newest first", "top 5", "the most leads", "limit 15".

use super::draft::{Group, Sorted, Superlative};
use super::grammar::{Figure, Gram};
use super::numeral::numeral;
use super::reader::Reader;
use super::shape::is_number;
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Dir, Kind};

impl Reader<'_> {
    pub(super) fn direction(&self, at: usize) -> Option<(usize, Dir)> {
        let at_comma = usize::from(self.is_comma(at));
        let from = at + at_comma;
        let found = |grams: &[Gram]| grams.iter().filter_map(|gram| self.gram(from, *gram)).max();
        if let Some(length) = found(&[Gram::Descending, Gram::NewestFirst, Gram::LargestFirst]) {
            return Some((at_comma + length, Dir::Desc));
        }
        found(&[Gram::Ascending, Gram::OldestFirst, Gram::SmallestFirst, Gram::Alphabetical])
            .map(|length| (at_comma + length, Dir::Asc))
    }

    /// "sorted by revenue", "newest first", "alphabetically", "ordered by created desc".
    pub(super) fn order(&mut self, at: usize) -> Option<usize> {
        if let Some(length) = self.gram(at, Gram::SortBy) {
            return self.sorted_by(at, length);
        }
        // "newest clients first"
        if self.word(at) == "first" && self.draft.superlative.is_some() {
            return Some(at + 1);
        }
        // "meeting_date ascending"
        if let Some((n, column)) = self.any_column(at)
            && let Some(length) =
                self.gram(at + n, Gram::Ascending).or_else(|| self.gram(at + n, Gram::Descending))
        {
            let dir = if self.gram(at + n, Gram::Ascending).is_some() { Dir::Asc } else { Dir::Desc };
            self.draft.sort.push((Sorted::Column(column), dir));
            return Some(at + n + length);
        }
        let words = self.words()?;
        let found = |gram: Gram| self.gram(at, gram);
        if !self.draft.group_by.is_empty() {
            let alone = self
                .gram(at, Gram::Descending)
                .map(|n| (n, Dir::Desc))
                .or_else(|| self.gram(at, Gram::Ascending).map(|n| (n, Dir::Asc)));
            if let Some((n, dir)) = alone {
                self.draft.sort.push((Sorted::Value, dir));
                return Some(at + n);
            }
            let by_size = found(Gram::LargestFirst)
                .map(|n| (n, Dir::Desc))
                .or_else(|| found(Gram::SmallestFirst).map(|n| (n, Dir::Asc)));
            if let Some((n, dir)) = by_size {
                self.draft.sort.push((Sorted::Value, dir));
                return Some(at + n);
            }
        }
        let (length, column, dir) = if let Some(n) = found(Gram::NewestFirst) {
            (n, words.default_date, Dir::Desc)
        } else if let Some(n) = found(Gram::OldestFirst) {
            (n, words.default_date, Dir::Asc)
        } else if let Some(n) = found(Gram::LargestFirst) {
            (n, words.measure?, Dir::Desc)
        } else if let Some(n) = found(Gram::SmallestFirst) {
            (n, words.measure?, Dir::Asc)
        } else {
            (found(Gram::Alphabetical)?, self.name_column()?, Dir::Asc)
        };
        // "by revenue, highest first" says one order twice.
        match self.draft.sort.last_mut() {
            Some((Sorted::Column(_), known)) => *known = dir,
            _ => self.draft.sort.push((Sorted::Column(column), dir)),
        }
        Some(at + length)
    }

    /// "sorted by revenue", "in descending order of MRR".
    fn sorted_by(&mut self, at: usize, length: usize) -> Option<usize> {
        let colon = usize::from(
            self.token(at + length).is_some_and(|token| matches!(token.kind, TokenKind::Mark(':'))),
        );
        let start = self.past_articles(at + length + colon);
        if let Some((n, column)) = self.any_column(start).or_else(|| self.named_column(start)) {
            let end = start + n;
            let upwards = (at..at + length).any(|i| ["ascending", "increasing"].contains(&self.word(i)));
            let usual = match self.kind(column)? {
                _ if upwards => Dir::Asc,
                Kind::Number => Dir::Desc,
                _ => Dir::Asc,
            };
            let (n, dir) = self.direction(end).unwrap_or((0, usual));
            self.draft.sort.push((Sorted::Column(column), dir));
            return Some(end + n);
        }
        // "sorted newest first", "sort by the count"
        if self.gram(start, Gram::HowMany).is_some() {
            let end = self.past(start, Gram::HowMany);
            let (n, dir) = self.direction(end).unwrap_or((0, Dir::Desc));
            self.draft.sort.push((Sorted::Value, dir));
            return Some(end + n);
        }
        self.direction(start).map(|_| start)
    }

    /// "top 5", "biggest", "5 newest", "last 10 meetings", "the longest", "with the highest MRR".
    pub(super) fn superlative(&mut self, at: usize) -> Option<usize> {
        if self.date_at(at).is_some() || self.choice_phrase(at).is_some() {
            return None;
        }
        if let Some(length) = self.gram(at, Gram::Most).or_else(|| self.gram(at, Gram::Fewest)) {
            return Some(self.most(at, length));
        }
        let with = self.gram(at, Gram::With).map_or(at, |n| self.past_articles(at + n));
        let (lead, before) =
            numeral(&self.message.tokens, with).filter(|(n, _)| with + n < self.end).unwrap_or_default();
        let grams = [
            (Gram::Longest, Superlative::Length(Dir::Desc)),
            (Gram::Shortest, Superlative::Length(Dir::Asc)),
            (Gram::Largest, Superlative::Measure(Dir::Desc)),
            (Gram::Smallest, Superlative::Measure(Dir::Asc)),
            (Gram::Newest, Superlative::Date(Dir::Desc)),
            (Gram::Oldest, Superlative::Date(Dir::Asc)),
        ];
        let start = with + lead;
        let (length, superlative) = grams
            .iter()
            .find_map(|(gram, superlative)| self.gram(start, *gram).map(|n| (n, *superlative)))?;
        let mut end = start + length;
        let (tail, after) =
            numeral(&self.message.tokens, end).filter(|(n, _)| end + n <= self.end).unwrap_or_default();
        let count = if lead > 0 { before } else { after };
        let is_plain_last = ["last", "first", "next"].contains(&self.word(start)) && length == 1;
        if is_plain_last && lead == 0 && tail == 0 {
            return None;
        }
        end += if lead > 0 { 0 } else { tail };
        if lead > 0 || tail > 0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be a small count"
            )]
            let limit = (count.fract() == 0.0 && (1.0..=200.0).contains(&count)).then_some(count as usize)?;
            self.draft.limit = Some(limit);
        }
        // "the first 10 contacts" asks for no order.
        let ever = (end..self.end).any(|i| self.word(i) == "ever");
        if self.word(start) == "first" && length == 1 && !ever {
            return Some(end);
        }
        Some(self.superlative_of(end, superlative))
    }

    /// What comes after "biggest": the measure, a column whose groups are meant, or the rows.
    pub(super) fn superlative_of(&mut self, end: usize, superlative: Superlative) -> usize {
        let dir = match superlative {
            Superlative::Measure(dir) | Superlative::Length(dir) | Superlative::Date(dir) => dir,
        };
        let mut end = end;
        // "top 3 client lead sources"
        if let Some((n, false)) = self.noun_at(end)
            && self.draft.limit.is_some()
            && self.column_at(end, |_| true).is_none_or(|(m, _)| m <= n)
            && self
                .column_at(end + n, |column| {
                    matches!(column.kind, Kind::Status | Kind::Text | Kind::Person | Kind::Company)
                })
                .is_some()
        {
            self.set_noun(end, false);
            end += n;
        }
        let is_date = |column: &CatalogColumn| matches!(column.kind, Kind::Day | Kind::Instant);
        if let Some((n, column)) =
            self.column_at(end, is_number).filter(|(n, _)| self.noun_at(end).is_none_or(|(m, _)| m < *n))
        {
            self.draft.sort.push((Sorted::Column(column), dir));
            self.draft.extreme = Some((column, dir));
            self.draft.extreme_at = end;
            let first = self.word(end + n) == "first";
            if first {
                self.draft.extreme = None;
            }
            return end + n + usize::from(first);
        }
        if let Some((n, column)) = self.column_at(end, is_date).filter(|_| self.noun_at(end).is_none()) {
            self.draft.sort.push((Sorted::Column(column), dir));
            let n = n + usize::from(self.word(end + n) == "first");
            return end + n;
        }
        let groupable = |column: &CatalogColumn| {
            matches!(column.kind, Kind::Status | Kind::Text | Kind::Person | Kind::Company)
        };
        if let Some((n, column)) = self
            .column_at(end, groupable)
            .filter(|(n, _)| self.noun_at(end).is_none_or(|(m, _)| m < *n) && self.draft.limit.is_some())
        {
            self.note_noun_within(end, n);
            self.draft.group_by.push(Group { column, unit: None, tokens: end..end + n });
            self.draft.most = Some(dir);
            return end + n;
        }
        self.draft.superlative = Some(superlative);
        end
    }

    /// "lead sources" are of leads.
    pub(super) fn note_noun_within(&mut self, at: usize, length: usize) {
        if length > 1 && self.noun_at(at).is_some() && self.draft.noun.is_none() {
            self.set_noun(at, false);
        }
    }

    /// "the most leads", "most common industries", "the most MRR".
    pub(super) fn most(&mut self, at: usize, length: usize) -> usize {
        self.draft.most_at = at;
        let dir = if self.gram(at, Gram::Most).is_some() { Dir::Desc } else { Dir::Asc };
        let end = at + length;
        let start = self.past_articles(end);
        if let Some((n, column)) = self.column_at(start, is_number).filter(|_| self.noun_at(start).is_none())
        {
            self.draft.most = Some(dir);
            self.draft.measure = Some(column);
            self.draft.figure = Some(Figure::Sum);
            return start + n;
        }
        self.draft.most = Some(dir);
        end
    }

    /// "limit 15", "20 leads", "just 5".
    pub(super) fn limit(&mut self, at: usize) -> Option<usize> {
        let named = usize::from(["limit", "max", "maximum"].contains(&self.word(at)));
        let start = at + named;
        let token = self.token(start)?;
        let TokenKind::Number(count) = token.kind else {
            let (n, count) = numeral(&self.message.tokens, start).filter(|_| self.word(start) != "one")?;
            return self.limited(start + n, count, named > 0);
        };
        self.limited(start + 1, count, named > 0)
    }

    pub(super) fn limited(&mut self, end: usize, count: f64, named: bool) -> Option<usize> {
        let leads_to_rows =
            (end..self.end.min(end + 4)).any(|i| self.noun_at(i).is_some_and(|(_, plural)| plural));
        if self.draft.limit.is_some() || !(named || leads_to_rows) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a small count"
        )]
        let limit = (count.fract() == 0.0 && (1.0..=200.0).contains(&count)).then_some(count as usize)?;
        self.draft.limit = Some(limit);
        Some(end)
    }
}
