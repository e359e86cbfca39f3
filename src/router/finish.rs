//! Whether what was read is a request for rows, and what it comes to.

use std::ops::Range;

use serde_json::Value as Json;

use super::draft::{Field, Group, Sorted, Superlative, Where};
use super::grammar::Figure;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Dir, Kind, Op, Role};

/// Why a message is left alone, for the trace.
pub(super) type Reason = &'static str;

/// A request for rows or figures, with its columns by key.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub filters: Vec<(String, Op, Json, Range<usize>)>,
    pub sort: Vec<(String, Dir)>,
    pub limit: Option<usize>,
    pub group_by: Vec<(String, Option<&'static str>)>,
    pub figure: Option<(Figure, Option<String>)>,
    pub fields: Vec<String>,
}

/// The column name of an order by each group's figure.
pub(super) const VALUE: &str = "_value";

impl Reader<'_> {
    /// The request, when what was read is one.
    pub(super) fn request_read(&mut self) -> Result<Request, Reason> {
        self.settle().ok_or("no such table")?;
        self.group_by_most()?;
        self.choose_figure();
        self.is_about_rows()?;
        self.place_superlative()?;
        let key = |column: usize| self.column(column).map(|known| known.key.clone()).unwrap_or_default();
        let filters = self
            .draft
            .filters
            .iter()
            .filter_map(|found| match found.column {
                Where::Column(column) => {
                    Some((key(column), found.op, found.value.clone(), found.tokens.clone()))
                }
                Where::SomeDate(_) => None,
            })
            .collect();
        let mut fields: Vec<String> = self.draft.fields.iter().map(|field| key(field.column)).collect();
        fields.dedup();
        Ok(Request {
            filters,
            sort: self
                .draft
                .sort
                .iter()
                .map(|(by, dir)| match by {
                    Sorted::Column(column) => (key(*column), *dir),
                    Sorted::Value => (VALUE.to_owned(), *dir),
                })
                .collect(),
            limit: self.draft.limit,
            group_by: self.draft.group_by.iter().map(|group| (key(group.column), group.unit)).collect(),
            figure: self
                .draft
                .figure
                .map(|figure| (figure, self.draft.measure.map(key).filter(|_| figure != Figure::Count))),
            fields,
        })
    }

    /// "which rep has the most leads": one group for each rep, the largest first.
    fn group_by_most(&mut self) -> Result<(), Reason> {
        let Some(dir) = self.draft.most else { return Ok(()) };
        // "which client pays us the least"
        let paid = self.draft.fields.iter().position(|field| self.kind(field.column) == Some(Kind::Number));
        if let (Some(index), None, true, true) = (
            paid,
            self.draft.figure,
            self.draft.group_by.is_empty(),
            self.draft.noun.is_some_and(|noun| noun.at < self.draft.most_at),
        ) {
            let field = self.draft.fields.remove(index);
            self.draft.most = None;
            self.draft.sort.push((Sorted::Column(field.column), dir));
            return Ok(());
        }
        if self.draft.group_by.is_empty() {
            let groupable = |field: &&Field| {
                matches!(
                    self.kind(field.column),
                    Some(Kind::Status | Kind::Text | Kind::Person | Kind::Company)
                )
            };
            let (column, place) = match self.draft.fields.iter().find(groupable) {
                Some(field) => (field.column, field.at),
                None => (self.role(Role::Owner).ok_or("nothing to compare")?, 0),
            };
            let plural = self.word(place).ends_with('s');
            self.draft.group_by.push(Group { column, unit: None, tokens: place..place + 1 });
            if self.draft.limit.is_none() && !plural {
                self.draft.limit = Some(1);
            }
            self.draft.fields.retain(|field| field.column != column);
        }
        if self.draft.figure.is_none() {
            self.draft.figure = Some(Figure::Count);
        }
        self.draft.sort.retain(|(by, _)| *by != Sorted::Value);
        self.draft.sort.push((Sorted::Value, dir));
        Ok(())
    }

    /// Which figure was asked for, when the words left it open.
    fn choose_figure(&mut self) {
        // "last contact date for Solvay"; what merely happens at a date is no cell to show.
        let named = |column: usize| {
            let text = self.text(self.draft.date_column_at, self.draft.date_column_at + 3).to_lowercase();
            text.contains("date")
                || self.column(column).is_some_and(|known| text.starts_with(&known.label.to_lowercase()))
        };
        let waits = self.draft.date_column.filter(|column| {
            self.draft.keyed
                && self.draft.noun.is_none_or(|noun| !noun.plural)
                && self.draft.fields.is_empty()
                && named(*column)
        });
        if let Some(column) = waits {
            self.draft.fields.push(Field { column, at: self.draft.date_column_at });
            self.draft.date_column = None;
        }
        let is_number = |reader: &Self, column: usize| reader.kind(column) == Some(Kind::Number);
        if let Some((column, dir)) = self.draft.extreme
            && self
                .draft
                .noun
                .is_none_or(|noun| noun.plural && self.draft.extreme_at < noun.at && !self.draft.asks_rows)
            && self.draft.limit.is_none()
            && self.draft.figure.is_none()
        {
            self.draft.figure = Some(if dir == Dir::Desc { Figure::Max } else { Figure::Min });
            self.draft.measure = Some(column);
            self.draft.sort.clear();
        }
        if self.draft.each {
            for Field { column, at } in std::mem::take(&mut self.draft.fields) {
                self.draft.group_by.push(Group { column, unit: None, tokens: at..at + 1 });
            }
            self.draft.counts = true;
        }
        if self.draft.measure.is_none()
            && (self.draft.figure.is_some() || self.draft.how_much || !self.draft.group_by.is_empty())
            && let Some(at) = self.draft.fields.iter().position(|field| is_number(self, field.column))
        {
            self.draft.measure = Some(self.draft.fields.remove(at).column);
        }
        // "lead sources, counts"
        if let ([Field { column, at }], true) = (
            self.draft.fields.as_slice(),
            self.draft.counts && self.draft.group_by.is_empty() && !self.draft.keyed,
        ) {
            self.draft.group_by.push(Group { column: *column, unit: None, tokens: *at..*at + 1 });
            self.draft.fields.clear();
        }
        let grouped = !self.draft.group_by.is_empty();
        // "select priority, count … group by priority"
        let groups: Vec<usize> = self.draft.group_by.iter().map(|group| group.column).collect();
        self.draft.fields.retain(|field| !groups.contains(&field.column));
        self.draft.figure = match (self.draft.figure, self.draft.measure) {
            (Some(figure), _) if figure == Figure::Count => Some(figure),
            (Some(figure), Some(_)) => Some(figure),
            (Some(Figure::Sum), None) if self.draft.noun.is_some() => Some(Figure::Count),
            (None, Some(_)) if grouped || self.draft.how_much => Some(Figure::Sum),
            (None, _) if self.draft.counts || grouped => Some(Figure::Count),
            (other, _) => other,
        };
        if self.draft.counts && self.draft.figure.is_none() {
            self.draft.figure = Some(Figure::Count);
        }
        // An order by a number over groups is an order by their figure.
        if grouped {
            let measure = self.draft.measure;
            for (by, _) in &mut self.draft.sort {
                if matches!(by, Sorted::Column(column) if Some(*column) == measure || self.draft.group_by.iter().all(|group| group.column != *column))
                {
                    *by = Sorted::Value;
                }
            }
        }
    }

    /// Whether rows were asked for, and enough was said to know which.
    fn is_about_rows(&self) -> Result<(), Reason> {
        let draft = &self.draft;
        let filtered = draft.filters.iter().any(|found| found.value != serde_json::json!({"me": true}));
        let shaped =
            draft.limit.is_some() || !draft.sort.is_empty() || draft.superlative.is_some() || draft.recent;
        let tells = ["we", "i", "they", "he", "she", "it"].contains(&self.word(0))
            && !["need", "want", "would", "am"].contains(&self.word(1));
        if tells && !draft.asks && !draft.counts && !draft.finds {
            return Err("it tells something and asks nothing");
        }
        let neutral = draft.date_column.is_none_or(|column| {
            let ordered = draft.superlative.is_some() || draft.recent || !draft.sort.is_empty();
            (ordered && self.words().is_some_and(|words| words.default_date == column))
                || Some(column) == self.event_column()
                || self.words().is_some_and(|words| words.default_date == column && !words.topics.is_empty())
        });
        if !neutral {
            return Err("a date is named but not given");
        }
        if let Some(figure) = draft.figure {
            let known = draft.noun.is_some() || draft.measure.is_some() || (filtered && draft.counts);
            if figure != Figure::Count && draft.measure.is_none() {
                return Err("a figure without a number column");
            }
            // "how much does Acme pay" asks for a cell, which a sum over its rows gives as well.
            if draft.noun.is_none() && !self.message.corrected.is_empty() {
                return Err("without its rows a misspelt message says too little");
            }
            if draft.finds && !draft.counts && figure == Figure::Count {
                self.is_own_data(filtered)?;
            }
            return if known { self.fields_are_asked() } else { Err("nothing says what to count") };
        }
        match draft.noun {
            Some(noun) if noun.plural => {
                let bare = !filtered && !shaped && draft.fields.is_empty();
                if bare && draft.finds && !draft.asks {
                    return Err("to find without saying which is a search");
                }
                if bare && !draft.asks && !draft.ours {
                    return Err("a noun alone asks nothing");
                }
                self.is_own_data(filtered)?;
                self.fields_are_asked()
            }
            Some(_) => {
                let superlative =
                    (matches!(draft.superlative, Some(Superlative::Measure(_) | Superlative::Length(_)))
                        || (draft.superlative.is_some()
                            && self.words().is_some_and(|words| words.topics.is_empty())))
                        || !draft.sort.is_empty();
                let alone =
                    self.words().is_some_and(|words| words.topics.is_empty()) && draft.fields.is_empty();
                let keyed = draft.keyed
                    && (draft.asks
                        || draft.finds
                        || alone
                        || !draft.fields.is_empty()
                        || self.has_exact_key());
                let meeting = draft.keyed
                    && self.words().is_some_and(|words| !words.topics.is_empty())
                    && self.is_dated()
                    && draft.fields.is_empty();
                if !keyed && !superlative && !meeting {
                    return Err("one row is meant, and nothing says which");
                }
                if keyed
                    && draft.questions
                    && !superlative
                    && draft.fields.is_empty()
                    && !self.has_exact_key()
                {
                    return Err("an open question about one row");
                }
                self.fields_are_asked()
            }
            None if !self.message.corrected.is_empty() => {
                Err("without its rows a misspelt message says too little")
            }
            None if draft.keyed && !draft.fields.is_empty() => {
                self.names_a_record()?;
                self.fields_are_asked()
            }
            None if self.is_state_in_time() && draft.fields.is_empty() => Ok(()),
            None => Err("nothing says that rows are meant"),
        }
    }

    /// Finding companies or people may mean finding new ones, unless the words say whose they are.
    fn is_own_data(&self, filtered: bool) -> Result<(), Reason> {
        let draft = &self.draft;
        let outside = self.role(Role::Owner).is_none();
        let company = self.role(Role::GivenName).and(self.role(Role::Company));
        let at_company = company.is_some_and(|company| draft.has_filter_on(company));
        let by_job = self.role(Role::JobTitle).is_some_and(|title| draft.has_filter_on(title));
        let firmographic = draft.filters.iter().all(|found| match found.column {
            Where::Column(column) => {
                matches!(self.kind(column), Some(Kind::Text | Kind::Number | Kind::Company))
                    || self.column(column).is_some_and(|known| known.key == "company_size")
            }
            Where::SomeDate(_) => false,
        });
        if outside
            && draft.finds
            && !draft.ours
            && (!at_company || by_job)
            && !self.names_person()
            && (firmographic || !filtered)
        {
            return Err("to find companies or people may mean new ones");
        }
        if by_job && !draft.ours && !at_company && self.noun_is_job() {
            return Err("people by their job, not said to be one's own");
        }
        Ok(())
    }

    fn names_person(&self) -> bool {
        self.role(Role::GivenName).is_some_and(|given| self.draft.has_filter_on(given))
    }

    fn is_dated(&self) -> bool {
        self.draft.filters.iter().any(|found| {
            matches!(found.column, Where::Column(column) if matches!(self.kind(column), Some(Kind::Day | Kind::Instant)))
        })
    }

    /// Whether the row whose cell is asked for is named by what people know it by.
    fn names_a_record(&self) -> Result<(), Reason> {
        let by = |role| self.role(role).is_some_and(|column| self.draft.has_filter_on(column));
        let people = self.role(Role::GivenName).is_some();
        if people && !by(Role::GivenName) && !self.has_exact_key() {
            return Err("a cell of a person is asked for, and no person is named");
        }
        if self.draft.fields.iter().any(|field| self.draft.has_filter_on(field.column)) {
            return Err("what is asked for is what was given");
        }
        Ok(())
    }

    /// "churned in Q4", "who gave notice last month": a state and when, which says whose.
    fn is_state_in_time(&self) -> bool {
        let has = |test: &dyn Fn(Kind) -> bool| {
            self.draft.filters.iter().any(
                |found| matches!(found.column, Where::Column(column) if self.kind(column).is_some_and(test)),
            )
        };
        let start = self.past_politeness(0);
        let opens = self.word(start) == "who"
            || self.choice_phrase(start).is_some()
            || self.gram(start, super::grammar::Gram::Me).is_some();
        opens && has(&|kind| kind == Kind::Status) && has(&|kind| matches!(kind, Kind::Day | Kind::Instant))
    }

    /// The date of the meeting that a row speaks of, where its own date is another.
    fn event_column(&self) -> Option<usize> {
        let table = self.lexicon.table(self.table)?;
        (0..table.columns.len()).find_map(|column| self.event_date(column))
    }

    /// Whether no noun but the job itself names the rows.
    fn noun_is_job(&self) -> bool {
        (0..self.end).all(|at| self.noun_at(at).is_none())
    }

    /// Whether the row is named by an address or a number, which nobody types without wanting the row.
    fn has_exact_key(&self) -> bool {
        self.draft.filters.iter().any(|found| {
            let Where::Column(column) = found.column else { return false };
            let exact = matches!(
                self.kind(column),
                Some(Kind::Email | Kind::Domain | Kind::Url | Kind::Linkedin | Kind::Phone)
            );
            found.op == Op::Equals && (exact || Some(column) == self.role(Role::Record))
        })
    }

    /// Columns are asked for when a row is named beside them, or when they are listed before or after the rows.
    fn fields_are_asked(&self) -> Result<(), Reason> {
        // What these tables do not hold is not a column of theirs either.
        let elsewhere = ["deal", "deals", "opportunity", "opportunities", "contract", "contracts"];
        if self.draft.fields.iter().any(|field| elsewhere.contains(&self.word(field.at))) {
            return Err("deals are not held here");
        }
        for Field { column, at: place } in &self.draft.fields {
            let length = self.column_at(*place, |_| true).map_or(1, |(length, _)| length);
            let end = place + length;
            let end = end
                + usize::from(
                    ["field", "fields", "column", "columns", "value", "date"].contains(&self.word(end)),
                );
            let next = self.word(end);
            if ["who", "which"].contains(&self.word(*place)) && self.draft.keyed {
                continue;
            }
            let joined = [
                "of", "for", "on", "at", "and", "in", "from", "to", "please", "again", "or", "is", "was",
                "are", "does", "did", "has",
            ]
            .contains(&next)
                || self.is_end(end)
                || self.gram(end, super::grammar::Gram::Ours).is_some();
            let owned = place.checked_sub(1).is_some_and(|before| {
                self.token(before).is_some_and(|token| matches!(token.kind, TokenKind::Possessive))
                    || self.draft.filters.iter().any(|found| found.tokens.end == *place)
            });
            let listed = self.draft.asks && (joined || owned);
            if !(listed
                || owned
                || (joined && (self.draft.keyed || self.draft.noun.is_some_and(|noun| noun.plural))))
            {
                return Err("a column is named, but not as something to show");
            }
            if self.draft.figure.is_some() && !self.draft.keyed && self.kind(*column) != Some(Kind::Number) {
                return Err("a column is named beside a figure that is not about it");
            }
        }
        Ok(())
    }

    /// Turns "biggest" and "newest" into an order and, for a single row, a limit.
    fn place_superlative(&mut self) -> Result<(), Reason> {
        let Some(superlative) = self.draft.superlative else {
            if self.draft.noun.is_some_and(|noun| !noun.plural)
                && !self.draft.sort.is_empty()
                && self.draft.limit.is_none()
                && self.draft.figure.is_none()
            {
                self.draft.limit = Some(1);
            }
            return Ok(());
        };
        let words = self.words().ok_or("no such table")?;
        let dir = match superlative {
            Superlative::Measure(dir) | Superlative::Date(dir) | Superlative::Length(dir) => dir,
        };
        if !self.draft.group_by.is_empty() {
            if !self.draft.sort.iter().any(|(by, _)| *by == Sorted::Value) {
                self.draft.sort.push((Sorted::Value, dir));
            }
            return Ok(());
        }
        let column = match superlative {
            Superlative::Date(_) => words.default_date,
            Superlative::Measure(_) | Superlative::Length(_) => match self.draft.sort.first() {
                Some((Sorted::Column(_), _)) => return Ok(()),
                _ => words.measure.ok_or("biggest by what")?,
            },
        };
        if self.draft.sort.is_empty() {
            self.draft.sort.push((Sorted::Column(column), dir));
        }
        if self.draft.limit.is_none() && self.draft.noun.is_some_and(|noun| !noun.plural) {
            self.draft.limit = Some(1);
        }
        Ok(())
    }
}
