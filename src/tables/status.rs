//! Finds the option of a status column that a text or a count means.

use super::catalog::{CatalogColumn, CatalogOption};
use super::text::quote;
use crate::error::{Error, Result, invalid};

/// The option whose value, label or other word this is; failing that, the option whose range holds the
/// number.
pub(super) fn find<'a>(column: &'a CatalogColumn, text: &str) -> Result<&'a CatalogOption> {
    let wanted = spaced(text);
    let options = &column.options;
    let by = |is: &dyn Fn(&CatalogOption) -> bool| options.iter().find(|option| is(option));
    by(&|option| spaced(&option.value) == wanted)
        .or_else(|| by(&|option| spaced(&option.label) == wanted))
        .or_else(|| by(&|option| option.words.iter().any(|word| spaced(word) == wanted)))
        .or_else(|| wanted.replace(',', "").parse().ok().and_then(|count| by(&|option| holds(option, count))))
        .ok_or_else(|| unknown(column, text))
}

fn unknown(column: &CatalogColumn, text: &str) -> Error {
    let error = invalid(format!("{} is no option", quote(text)));
    error.choices(text, column.options.iter().map(|option| option.value.clone()))
}

/// The text in lower case, with one space for every underscore, dash and run of spaces.
fn spaced(text: &str) -> String {
    let bare: String =
        text.chars().map(|c| if matches!(c, '_' | '-' | '–' | '—') { ' ' } else { c }).collect();
    bare.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the option's first word is a range, as `11-50` or `1001+`, around the count.
fn holds(option: &CatalogOption, count: u64) -> bool {
    let Some(range) = option.words.first() else { return false };
    let (from, to) = match (range.strip_suffix('+'), range.split_once('-')) {
        (Some(from), _) => (from.parse(), Ok(u64::MAX)),
        (None, Some((from, to))) => (from.parse(), to.parse()),
        (None, None) => return false,
    };
    matches!((from, to), (Ok(from), Ok(to)) if (from..=to).contains(&count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::catalog_column;
    use crate::tables::{COMPANIES, CONTACTS, LEADS, Table};

    fn check(table: &Table, key: &str, given: &[&str], expected: &str) {
        let column = catalog_column(table.column(key).unwrap());
        for text in given {
            assert_eq!(find(&column, text).unwrap().value, expected, "{key}: {text}");
        }
    }

    #[test]
    fn an_option_is_found_by_value_label_and_word_in_any_spelling() {
        check(
            &LEADS,
            "meeting_outcome",
            &["no_show", "No Show", "NO-SHOW", "noshow", " no  show "],
            "no_show",
        );
        check(&LEADS, "meeting_held", &["no show", "missed"], "No Show");
        check(
            &CONTACTS,
            "lifecycle_stage",
            &["MQL", "marketingqualifiedlead", "Marketing Qualified Lead"],
            "mql",
        );
        check(&CONTACTS, "lifecycle_stage", &["lead"], "lead");
    }

    #[test]
    fn a_count_falls_into_its_range() {
        check(&COMPANIES, "company_size", &["1-10", "1–10", "7", "0", "2-10"], "startup");
        check(&COMPANIES, "company_size", &["11", "50", "11-50"], "small");
        check(&COMPANIES, "company_size", &["110", "200", "Medium (51–200)"], "medium");
        check(&COMPANIES, "company_size", &["201", "1,000", "251-1K"], "large");
        check(&COMPANIES, "company_size", &["1001", "250000", "1K-5K", "1000+"], "enterprise");
    }

    #[test]
    fn an_unknown_option_lists_those_there_are_and_the_nearest() {
        let column = catalog_column(LEADS.column("status").unwrap());
        let error = find(&column, "archivd").unwrap_err();
        assert_eq!(error.allowed, ["new", "prepping", "ready", "converted", "archived", "cancelled"]);
        assert_eq!(error.hint.as_deref(), Some("did you mean `archived`?"));
        assert!(find(&column, "7").is_err());
    }
}
