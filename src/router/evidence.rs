//! Whether enough was said: rows must be plural, counted or named, and be the organization's own.

use super::draft::{Field, Superlative, Where};
use super::finish::Reason;
use super::grammar::Figure;
use super::reader::Reader;
use super::text::TokenKind;
use crate::tables::{Kind, Op, Role};

impl Reader<'_> {
    /// Whether rows were asked for, and enough was said to know which.
    pub(super) fn is_about_rows(&self) -> Result<(), Reason> {
        let draft = &self.draft;
        let filtered = draft.filters.iter().any(|found| found.value != serde_json::json!({"me": true}));
        self.is_a_request()?;
        match (draft.figure, draft.noun) {
            (Some(figure), _) => self.is_figure(figure, filtered),
            (None, Some(noun)) if noun.plural => self.is_about_many(filtered),
            (None, Some(_)) => self.is_about_one(),
            (None, None) if !self.message.corrected.is_empty() => {
                Err("without its rows a misspelt message says too little")
            }
            (None, None) if draft.keyed && !draft.fields.is_empty() => {
                self.names_a_record()?;
                self.fields_are_asked()
            }
            (None, None) if self.is_state_in_time() && draft.fields.is_empty() => Ok(()),
            (None, None) => Err("nothing says that rows are meant"),
        }
    }

    /// What no request about rows has: news, objects held elsewhere, names that exclude each other.
    fn is_a_request(&self) -> Result<(), Reason> {
        let draft = &self.draft;
        // What somebody should have is a question of judgment.
        if (0..self.end).any(|at| ["should", "ought", "shall"].contains(&self.word(at)))
            && self.word(0) != "should"
        {
            return Err("it asks for advice");
        }
        let tells = ["we", "i", "they", "he", "she", "it"].contains(&self.word(0))
            && !["need", "want", "would", "am"].contains(&self.word(1));
        if tells && !draft.asks && !draft.counts && !draft.finds {
            return Err("it tells something and asks nothing");
        }
        // What these tables do not hold may still name a column of theirs.
        let objects = ["deal", "deals", "opportunity", "opportunities", "contract", "contracts", "pipeline"];
        let is_held = |at: usize| self.any_column(at).is_some_and(|(length, _)| length > 1);
        if draft.noun.is_none() && (0..self.end).any(|at| objects.contains(&self.word(at)) && !is_held(at)) {
            return Err("deals are not held here");
        }
        if draft.contradicts() {
            return Err("two names are given for one column");
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
        Ok(())
    }

    fn is_figure(&self, figure: Figure, filtered: bool) -> Result<(), Reason> {
        let draft = &self.draft;
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
        if known { self.fields_are_asked() } else { Err("nothing says what to count") }
    }

    fn is_about_many(&self, filtered: bool) -> Result<(), Reason> {
        let draft = &self.draft;
        let shaped =
            draft.limit.is_some() || !draft.sort.is_empty() || draft.superlative.is_some() || draft.recent;
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

    /// One row must be named, or be the first in some order.
    fn is_about_one(&self) -> Result<(), Reason> {
        let draft = &self.draft;
        let superlative =
            (matches!(draft.superlative, Some(Superlative::Measure(_) | Superlative::Length(_)))
                || (draft.superlative.is_some()
                    && self.words().is_some_and(|words| words.topics.is_empty())))
                || !draft.sort.is_empty();
        let alone = self.words().is_some_and(|words| words.topics.is_empty()) && draft.fields.is_empty();
        let keyed = draft.keyed
            && (draft.asks || draft.finds || alone || !draft.fields.is_empty() || self.has_exact_key());
        let meeting = draft.keyed
            && self.words().is_some_and(|words| !words.topics.is_empty())
            && self.is_dated()
            && draft.fields.is_empty();
        if !keyed && !superlative && !meeting {
            return Err("one row is meant, and nothing says which");
        }
        if keyed && draft.questions && !superlative && draft.fields.is_empty() && !self.has_exact_key() {
            return Err("an open question about one row");
        }
        self.fields_are_asked()
    }

    /// Finding companies or people may mean finding new ones, unless the words say whose they are.
    pub(super) fn is_own_data(&self, filtered: bool) -> Result<(), Reason> {
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

    pub(super) fn names_person(&self) -> bool {
        [Role::GivenName, Role::FamilyName]
            .into_iter()
            .filter_map(|role| self.role(role))
            .any(|column| self.draft.has_filter_on(column))
    }

    pub(super) fn is_dated(&self) -> bool {
        self.draft.filters.iter().any(|found| {
            matches!(found.column, Where::Column(column) if matches!(self.kind(column), Some(Kind::Day | Kind::Instant)))
        })
    }

    /// Whether the row whose cell is asked for is named by what people know it by.
    pub(super) fn names_a_record(&self) -> Result<(), Reason> {
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
    pub(super) fn is_state_in_time(&self) -> bool {
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
    pub(super) fn event_column(&self) -> Option<usize> {
        let table = self.lexicon.table(self.table)?;
        (0..table.columns.len()).find_map(|column| self.event_date(column))
    }

    /// Whether no noun but the job itself names the rows.
    pub(super) fn noun_is_job(&self) -> bool {
        (0..self.end).all(|at| self.noun_at(at).is_none())
    }

    /// Whether the row is named by an address or a number, which nobody types without wanting the row.
    pub(super) fn has_exact_key(&self) -> bool {
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
    pub(super) fn fields_are_asked(&self) -> Result<(), Reason> {
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
            if self.kind(*column) == Some(Kind::Tags) && !self.draft.keyed && self.draft.group_by.is_empty() {
                return Err("what was agreed in many rows is more than a column");
            }
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
}
