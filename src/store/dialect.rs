//! The differences between the two databases that reach a statement, each with a name.

/// Which database a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// A span of the calendar that dates are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Dialect {
    /// Appended to a select to hold its rows until the transaction ends. SQLite's one writer holds the
    /// whole database already.
    pub fn for_update(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for update",
        }
    }

    /// Appended to a select to keep its rows as they are until the transaction ends, beside others who do so too.
    pub fn for_share(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for share",
        }
    }

    /// Like [`Dialect::for_update`], leaving out what others hold.
    pub fn for_update_skip_locked(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for update skip locked",
        }
    }

    /// How many values one statement may bind.
    pub fn max_values(self) -> usize {
        match self {
            Dialect::Sqlite => 32_000,
            Dialect::Postgres => 65_000,
        }
    }

    /// A sum that does not lose cents: PostgreSQL adds doubles naively, SQLite compensates by itself.
    pub fn sum(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!("sum({column})"),
            Dialect::Postgres => format!("cast(sum(cast({column} as numeric)) as double precision)"),
        }
    }

    /// The mean, under the same care as [`Dialect::sum`].
    pub fn average(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!("avg({column})"),
            Dialect::Postgres => format!("cast(avg(cast({column} as numeric)) as double precision)"),
        }
    }

    /// The rows whose folded search text contains a term of at least three letters, by the trigram index
    /// of each database; `term` is a placeholder already quoted by [`Dialect::search_term`].
    pub fn search(self, term: &str) -> String {
        match self {
            Dialect::Sqlite => {
                format!("r.seq in (select rowid from ops_search where ops_search match {term})")
            }
            Dialect::Postgres => format!("r.search like {term} escape '\\'"),
        }
    }

    /// A search term in the form that [`Dialect::search`] binds.
    pub fn search_term(self, term: &str) -> String {
        match self {
            Dialect::Sqlite => format!("\"{}\"", term.replace('"', "\"\"")),
            Dialect::Postgres => format!("%{}%", like_literal(term)),
        }
    }

    /// The local calendar span a time falls in, as the text `YYYY-MM-DD` of its first day. `local` is the
    /// time shifted into the organization's zone by [`Dialect::local`].
    pub fn bucket(self, local: &str, bucket: Bucket) -> String {
        match self {
            Dialect::Sqlite => match bucket {
                Bucket::Day => format!("date({local})"),
                Bucket::Week => format!("date({local}, 'weekday 0', '-6 days')"),
                Bucket::Month => format!("strftime('%Y-%m-01', {local})"),
                Bucket::Quarter => format!(
                    "strftime('%Y-', {local}) || substr('010101040404070707101010', \
                     2 * cast(strftime('%m', {local}) as integer) - 1, 2) || '-01'"
                ),
                Bucket::Year => format!("strftime('%Y-01-01', {local})"),
            },
            Dialect::Postgres => {
                let unit = match bucket {
                    Bucket::Day => "day",
                    Bucket::Week => "week",
                    Bucket::Month => "month",
                    Bucket::Quarter => "quarter",
                    Bucket::Year => "year",
                };
                format!("to_char(date_trunc('{unit}', {local}), 'YYYY-MM-DD')")
            }
        }
    }

    /// A time column shifted by a number of minutes, given as SQL, to be cut by [`Dialect::bucket`].
    pub fn local(self, column: &str, minutes: &str) -> String {
        match self {
            Dialect::Sqlite => format!("datetime({column}, ({minutes}) || ' minutes')"),
            Dialect::Postgres => {
                format!("(({column} at time zone 'UTC') + make_interval(mins => ({minutes})))")
            }
        }
    }

    /// The same index with nulls where `order by … nulls last` wants them.
    pub fn descending(self) -> &'static str {
        match self {
            // Nulls are the smallest values in SQLite, so they come last in a descending index.
            Dialect::Sqlite => " desc",
            Dialect::Postgres => " desc nulls last",
        }
    }
}

/// Text as a literal inside a `like … escape '\'` pattern.
pub fn like_literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
