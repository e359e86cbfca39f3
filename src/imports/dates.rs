//! Whether `1/2/2026` in a file means February or January: the file itself usually tells.

use serde_json::Value as Json;

use super::plan::RoutePlan;
use super::source::Source;
use crate::tables::{Catalog, Kind};

/// Decides for every column of dates, by its own cells, or else by the file's other dates, or else by what
/// `told` says or the month comes first. What could have been read otherwise is said in a sentence.
pub(super) fn decide(
    catalog: &Catalog,
    plans: &mut [RoutePlan],
    source: &Source,
    told: Option<bool>,
) -> Vec<String> {
    let mut by_heading: Vec<(usize, Evidence)> = Vec::new();
    for plan in plans.iter() {
        for heading in dated(catalog, plan)
            .flat_map(|place| plan.uses.get(place).map_or(&[][..], |used| used.from.headings()))
        {
            if !by_heading.iter().any(|(known, _)| known == heading) {
                by_heading.push((*heading, Evidence::of(source.cells(*heading))));
            }
        }
    }
    let whole = by_heading.iter().fold(Evidence::default(), |sum, (_, own)| sum.plus(*own));
    let order = |own: Evidence| told.or(own.says_day_first()).or(whole.says_day_first()).unwrap_or(false);
    for plan in plans.iter_mut() {
        let places: Vec<usize> = dated(catalog, plan).collect();
        for place in places {
            let Some(used) = plan.uses.get_mut(place) else { continue };
            let own = by_heading.iter().filter(|(heading, _)| used.from.headings().contains(heading));
            used.day_first = order(own.fold(Evidence::default(), |sum, (_, own)| sum.plus(*own)));
        }
    }
    let unclear = by_heading.iter().filter(|(_, own)| told.is_none() && own.either > 0);
    unclear.map(|(heading, own)| sentence(source, *heading, *own, order(*own), whole)).collect()
}

/// The places among a plan's uses that fill columns of dates.
fn dated<'a>(catalog: &'a Catalog, plan: &'a RoutePlan) -> impl Iterator<Item = usize> + 'a {
    let table = catalog.tables.iter().find(|table| table.key() == plan.table);
    let is_date = move |column: usize| {
        let column = table.and_then(|table| table.columns.get(column));
        column.is_some_and(|column| matches!(column.kind, Kind::Day | Kind::Instant))
    };
    plan.uses.iter().enumerate().filter(move |(_, used)| is_date(used.column)).map(|(place, _)| place)
}

fn sentence(source: &Source, heading: usize, own: Evidence, day_first: bool, whole: Evidence) -> String {
    let name = source.headings.get(heading).map_or("", String::as_str);
    let (order, other) = if day_first { ("day/month/year", "false") } else { ("month/day/year", "true") };
    let (against, for_it) =
        if day_first { (own.month_first, own.day_first) } else { (own.day_first, own.month_first) };
    let why = if for_it > 0 && against > 0 {
        format!("{for_it} of its dates can only be read so, but {against} only the other way")
    } else if for_it > 0 {
        format!("{for_it} of its dates can only be read so")
    } else if whole.says_day_first().is_some() {
        "as the other dates of the file".to_owned()
    } else {
        "no date of the file tells".to_owned()
    };
    format!(
        "`{name}` is read as {order}: {why}; day_first = {other} reads {} of its dates otherwise",
        own.either
    )
}

/// What the dates of some cells tell about the order of day and month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// Dates that only make sense with the day first.
    pub(super) day_first: usize,
    /// Dates that only make sense with the month first.
    pub(super) month_first: usize,
    /// Dates that could be either.
    pub(super) either: usize,
}

impl Evidence {
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a Json>) -> Evidence {
        let mut evidence = Evidence::default();
        for (first, second) in cells.filter_map(|cell| leading_numbers(cell.as_str()?)) {
            match (first > 12, second > 12) {
                (true, false) => evidence.day_first += 1,
                (false, true) => evidence.month_first += 1,
                (false, false) if first != second => evidence.either += 1,
                _ => {}
            }
        }
        evidence
    }

    pub(super) fn plus(self, other: Evidence) -> Evidence {
        Evidence {
            day_first: self.day_first + other.day_first,
            month_first: self.month_first + other.month_first,
            either: self.either + other.either,
        }
    }

    /// The order that more of the dates need; none when no date tells.
    pub(super) fn says_day_first(self) -> Option<bool> {
        let tells = self.day_first + self.month_first > 0;
        tells.then_some(self.day_first > self.month_first)
    }
}

/// The first two numbers of a date such as `3/4/2026` or `3-4-2026 10:00`; of a date in another form, none.
fn leading_numbers(text: &str) -> Option<(u32, u32)> {
    let text = text.trim();
    let date = text.split([' ', 'T', ',']).next()?;
    let separator = date.chars().find(|c| matches!(c, '/' | '-'))?;
    let parts: Vec<&str> = date.split(separator).collect();
    let [first, second, year] = parts.as_slice() else { return None };
    let fits =
        first.len() <= 2 && second.len() <= 2 && year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| Some((first.parse().ok()?, second.parse().ok()?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Evidence {
        let cells: Vec<Json> = texts.iter().map(|text| Json::from(*text)).collect();
        Evidence::of(cells.iter())
    }

    #[test]
    fn one_date_that_fits_only_one_order_decides() {
        assert_eq!(of(&["1/2/2026", "31/12/2025 10:00", "3/3/2026"]).says_day_first(), Some(true));
        assert_eq!(of(&["1/2/2026", "12/31/2025"]).says_day_first(), Some(false));
        assert_eq!(
            of(&["1/2/2026", "2026-01-31", "31.1.2026", "soon"]),
            Evidence { either: 1, ..Evidence::default() }
        );
        assert_eq!(of(&["1/2/2026"]).says_day_first(), None);
    }
}
