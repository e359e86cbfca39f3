//! The form of the answer: how many, which figure, grouped by what, in which order, how many rows.

use super::draft::{Group, Sorted, Superlative, Where};
use super::grammar::{Figure, Gram};
use super::numeral::numeral;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{CatalogColumn, Dir, Kind, Op, Role};

const FIGURES: &[Figure] = &[Figure::Sum, Figure::Avg, Figure::Max, Figure::Min];

fn is_number(column: &CatalogColumn) -> bool {
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
        if other >= length || self.date_at(at).is_some() {
            return None;
        }
        self.draft.ours = true;
        Some(at + length)
    }

    pub(super) fn filler(&mut self, at: usize) -> Option<usize> {
        if let Some(length) = self.gram(at, Gram::Ours) {
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
        plain.into_iter().chain(soft).chain(to).max().map(|length| at + length)
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

    /// "by status", "per month", "split by source and owner"; by a number it is an order.
    pub(super) fn grouping(&mut self, at: usize) -> Option<usize> {
        // "where do our leads come from"
        if let Some(length) = self.gram(at, Gram::From)
            && self.word(0) == "where"
            && self.is_end(at + length)
        {
            let column = self.role(Role::Channel)?;
            self.draft.group_by.push(Group { column, unit: None, tokens: at..at + length });
            return Some(at + length);
        }
        let length = self.gram(at, Gram::By)?;
        let mut start = self.past_articles(at + length);
        if let Some(end) = self.by_figure(start) {
            return Some(end);
        }
        let mut end = None;
        while let Some(after) = self.group_at(start) {
            end = Some(after);
            let comma = after + usize::from(self.is_comma(after));
            let next = self.past_any(comma, &[Gram::And, Gram::By]);
            if next == after {
                break;
            }
            start = self.past_articles(next);
        }
        end
    }

    /// "by total MRR", "by number of leads": the figure that groups are compared by.
    fn by_figure(&mut self, at: usize) -> Option<usize> {
        let named =
            FIGURES.iter().find_map(|figure| self.gram(at, Gram::Figure(*figure)).map(|n| (n, *figure)));
        let mut start = named.map_or(at, |(n, _)| self.past_articles(at + n));
        if let Some((n, plural)) = self.noun_at(start)
            && self.column_at(start + n, is_number).is_some()
            && self.column_at(start, is_number).is_none_or(|(m, _)| m <= n)
        {
            self.set_noun(start, plural);
            start += n;
        }
        // "rank the owners by total MRR"
        let ranked = self.draft.fields.iter().position(|field| {
            matches!(self.kind(field.column), Some(Kind::Person | Kind::Status | Kind::Text | Kind::Company))
        });
        if let (Some(index), true, true) = (ranked, self.draft.group_by.is_empty(), named.is_some()) {
            let field = self.draft.fields.remove(index);
            self.draft.group_by.push(Group {
                column: field.column,
                unit: None,
                tokens: field.at..field.at + 1,
            });
            self.draft.most = Some(Dir::Desc);
        }
        if let Some((n, column)) = self.column_at(start, is_number) {
            if self.draft.group_by.is_empty() && named.is_none() {
                return None;
            }
            if self.draft.group_by.is_empty() {
                self.draft.sort.push((Sorted::Column(column), Dir::Desc));
                return Some(start + n);
            }
            self.draft.figure = Some(named.map_or(Figure::Sum, |(_, figure)| figure));
            self.draft.measure = Some(column);
            return Some(start + n);
        }
        // "by lead count", "by number of leads"
        let noun = self.noun_at(start).map_or(0, |(n, _)| n);
        let count = self
            .gram(start, Gram::HowMany)
            .or_else(|| self.gram(start + noun, Gram::HowMany).map(|n| n + noun));
        let length = count.filter(|_| !self.draft.group_by.is_empty())?;
        self.draft.counts = true;
        Some(start + length)
    }

    fn group_at(&mut self, at: usize) -> Option<usize> {
        let units = [
            ("day", "day"),
            ("week", "week"),
            ("month", "month"),
            ("quarter", "quarter"),
            ("year", "year"),
            ("daily", "day"),
            ("weekly", "week"),
            ("monthly", "month"),
            ("quarterly", "quarter"),
        ];
        let unit = |word: &str| units.iter().find(|(known, _)| *known == word).map(|(_, unit)| *unit);
        let is_date = |column: &CatalogColumn| matches!(column.kind, Kind::Day | Kind::Instant);
        if self.date_at(at).is_some() {
            return None;
        }
        if let Some(unit) = unit(self.word(at)) {
            let after = self.past_any(at + 1, &[Gram::Of]);
            let named = self.column_at(after, is_date).filter(|_| self.noun_at(after).is_none());
            let (end, column) = match named {
                Some((n, column)) => (after + n, column),
                None => (at + 1, self.draft.date_column.take().or(self.words()?.default_date.into())?),
            };
            self.draft.group_by.push(Group { column, unit: Some(unit), tokens: at..end });
            return Some(end);
        }
        if ["rep", "reps", "person", "seller", "salesperson", "member", "colleague", "teammate", "ae", "user"]
            .contains(&self.word(at))
        {
            let column = self.role(Role::Owner)?;
            self.draft.group_by.push(Group { column, unit: None, tokens: at..at + 1 });
            return Some(at + 1);
        }
        let (length, column) = self
            .column_at(at, |column| !matches!(column.kind, Kind::Email))
            .or_else(|| self.named_column(at))?;
        let end = at + length;
        let known = self.column(column)?;
        let directed =
            self.gram(end, Gram::Ascending).is_some() || self.gram(end, Gram::Descending).is_some();
        if let Some(dir) = self.direction(end).filter(|_| directed) {
            self.draft.sort.push((Sorted::Column(column), dir.1));
            return Some(end + dir.0);
        }
        match known.kind {
            Kind::Number => {
                let dir = match self.draft.superlative.take() {
                    Some(Superlative::Measure(dir) | Superlative::Date(dir) | Superlative::Length(dir)) => {
                        dir
                    }
                    None => Dir::Desc,
                };
                self.draft.sort.push((Sorted::Column(column), dir));
            }
            Kind::Day | Kind::Instant => {
                let year =
                    self.message.tokens.get(..self.end).and_then(|tokens| self.calendar.year(tokens, end));
                if self.date_at(end).or(year).is_some() || self.word(end) == "in" {
                    return None;
                }
                let unit = unit(self.word(end));
                if let Some(unit) = unit {
                    self.draft.group_by.push(Group { column, unit: Some(unit), tokens: at..end + 1 });
                    return Some(end + 1);
                }
                self.draft.sort.push((Sorted::Column(column), Dir::Desc));
            }
            _ if Some(column) == self.identity() => self.draft.sort.push((Sorted::Column(column), Dir::Asc)),
            _ => self.draft.group_by.push(Group { column, unit: None, tokens: at..end }),
        }
        Some(end)
    }

    /// The column that differs from row to row and so makes no groups.
    fn identity(&self) -> Option<usize> {
        let is_alone = self.role(Role::Industry).is_some()
            || (self.role(Role::Topic).is_none() && self.role(Role::GivenName).is_none());
        self.role(Role::Company).filter(|_| is_alone)
    }

    /// "name" and "date" without more.
    fn named_column(&self, at: usize) -> Option<(usize, usize)> {
        match self.word(at) {
            "name" | "names" => Some((1, self.name_column()?)),
            "date" | "recency" => Some((1, self.words()?.default_date)),
            "value" | "size" | "amount" => Some((1, self.words()?.measure?)),
            "company" | "account" | "companies" | "organisation" | "organization" => {
                Some((1, self.role(Role::Company)?))
            }
            "industry" => Some((1, self.role(Role::Industry)?)),
            "source" | "channel" => Some((1, self.role(Role::Channel)?)),
            "contact" | "person" => Some((1, self.role(Role::Person)?)),
            _ => None,
        }
    }

    fn direction(&self, at: usize) -> Option<(usize, Dir)> {
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
            return self.direction(start).map(|_| start);
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
        self.draft.sort.push((Sorted::Column(column), dir));
        Some(at + length)
    }

    /// "top 5", "biggest", "5 newest", "last 10 meetings", "the longest", "with the highest MRR".
    pub(super) fn superlative(&mut self, at: usize) -> Option<usize> {
        if self.date_at(at).is_some() || self.choice_phrase(at).is_some() {
            return None;
        }
        if let Some(length) = self.gram(at, Gram::Most).or_else(|| self.gram(at, Gram::Fewest)) {
            return self.most(at, length);
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
        self.superlative_of(end, superlative)
    }

    /// What comes after "biggest": the measure, a column whose groups are meant, or the rows.
    fn superlative_of(&mut self, end: usize, superlative: Superlative) -> Option<usize> {
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
            return Some(end + n + usize::from(first));
        }
        if let Some((n, column)) = self.column_at(end, is_date).filter(|_| self.noun_at(end).is_none()) {
            self.draft.sort.push((Sorted::Column(column), dir));
            let n = n + usize::from(self.word(end + n) == "first");
            return Some(end + n);
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
            return Some(end + n);
        }
        self.draft.superlative = Some(superlative);
        Some(end)
    }

    /// "lead sources" are of leads.
    pub(super) fn note_noun_within(&mut self, at: usize, length: usize) {
        if length > 1 && self.noun_at(at).is_some() && self.draft.noun.is_none() {
            self.set_noun(at, false);
        }
    }

    /// "the most leads", "most common industries", "the most MRR".
    fn most(&mut self, at: usize, length: usize) -> Option<usize> {
        self.draft.most_at = at;
        let dir = if self.gram(at, Gram::Most).is_some() { Dir::Desc } else { Dir::Asc };
        let end = at + length;
        let start = self.past_articles(end);
        if let Some((n, column)) = self.column_at(start, is_number).filter(|_| self.noun_at(start).is_none())
        {
            self.draft.most = Some(dir);
            self.draft.measure = Some(column);
            self.draft.figure = Some(Figure::Sum);
            return Some(start + n);
        }
        self.draft.most = Some(dir);
        Some(end)
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

    fn limited(&mut self, end: usize, count: f64, named: bool) -> Option<usize> {
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
