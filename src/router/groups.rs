//! What figures are grouped by: "by status", "per month", "by total MRR".

use super::draft::{Group, Sorted, Superlative};
use super::grammar::{FIGURES, Figure, Gram};
use super::periods::year;
use super::reader::Reader;
use super::shape::is_number;
use crate::tables::{CatalogColumn, Dir, Kind, Role};

/// Units that dates are grouped by, as people name them.
const UNITS: &[(&str, &str)] = &[
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

fn unit(word: &str) -> Option<&'static str> {
    UNITS.iter().find(|(known, _)| *known == word).map(|(_, unit)| *unit)
}

impl Reader<'_> {
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
    pub(super) fn by_figure(&mut self, at: usize) -> Option<usize> {
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
        let noun = self.noun_at(start).map_or(0, |(n, _)| n);
        let counted =
            self.gram(start, Gram::HowMany).or_else(|| self.gram(start + noun, Gram::HowMany)).is_some();
        if let (Some(index), true, true) =
            (ranked, self.draft.group_by.is_empty(), named.is_some() || counted)
        {
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
        if noun > 0 {
            self.set_noun(start, false);
        }
        self.draft.counts = true;
        Some(start + length)
    }

    pub(super) fn group_at(&mut self, at: usize) -> Option<usize> {
        let is_date = |column: &CatalogColumn| matches!(column.kind, Kind::Day | Kind::Instant);
        if self.date_at(at).is_some() {
            return None;
        }
        // "monthly revenue" is a column, "monthly" a unit.
        let measured = self.any_column(at).is_some_and(|(length, _)| length > 1);
        if let Some(unit) = unit(self.word(at)).filter(|_| !measured && self.word(at + 1) != "end") {
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
                let year = self.message.tokens.get(..self.end).and_then(|tokens| year(tokens, end));
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
    pub(super) fn identity(&self) -> Option<usize> {
        let is_alone = self.role(Role::Industry).is_some()
            || (self.role(Role::Topic).is_none() && self.role(Role::GivenName).is_none());
        self.role(Role::Company).filter(|_| is_alone)
    }

    /// "name" and "date" without more.
    pub(super) fn named_column(&self, at: usize) -> Option<(usize, usize)> {
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
}
