//! What both CRMs' conversions share: our canonical values, options, ranges and days.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;

use super::crm::{Mapped, Property};
use super::fault::{Class, Refusal};
use crate::error::Result;
use crate::tables::value::parse;
use crate::tables::{
    COMPANIES, CONTACTS, CatalogColumn, CatalogTable, Form, MEETINGS, Object, Reading, Value, as_declared,
    fold_word,
};

/// The lifecycle stages in the order in which people move through them: ours and `HubSpot`'s.
pub(super) const STAGES: &[(&str, &str)] = &[
    ("subscriber", "subscriber"),
    ("lead", "lead"),
    ("mql", "marketingqualifiedlead"),
    ("sql", "salesqualifiedlead"),
    ("opportunity", "opportunity"),
    ("customer", "customer"),
    ("evangelist", "evangelist"),
];

/// The most people of each of our company sizes; the last one has no bound.
const SIZES: &[(f64, &str)] = &[
    (10.0, "startup"),
    (50.0, "small"),
    (200.0, "medium"),
    (1000.0, "large"),
    (f64::INFINITY, "enterprise"),
];

static MEETING: LazyLock<CatalogTable> = LazyLock::new(|| as_declared(&MEETINGS));
static CONTACT: LazyLock<CatalogTable> = LazyLock::new(|| as_declared(&CONTACTS));
static COMPANY: LazyLock<CatalogTable> = LazyLock::new(|| as_declared(&COMPANIES));

/// The canonical value of what a CRM has for a column, as if it had been written into the column: of a declared column
/// by its declaration, of an organization's own column by the form alone.
pub(super) fn canonical(object: Object, mapped: &Mapped, raw: &Json) -> Result<Option<Value>> {
    let now = DateTime::UNIX_EPOCH;
    let reading = Reading { zone: Tz::UTC, now, members: &[], me: None, day_first: false };
    let table = match object {
        Object::Meeting => &MEETING,
        Object::Contact => &CONTACT,
        Object::Company => &COMPANY,
    };
    match table.find(&mapped.column).or_else(|| typical(mapped.form)) {
        Some(column) => parse(column, raw, &reading),
        None => Ok(raw.as_bool().map(Value::Flag)),
    }
}

/// A declared column whose values have the form.
fn typical(form: Form) -> Option<&'static CatalogColumn> {
    match form {
        Form::Text | Form::Choice => CONTACT.find("title"),
        Form::Choices => CONTACT.find("recent_signals"),
        Form::Email => CONTACT.find("email"),
        Form::Phone => CONTACT.find("phone"),
        Form::GivenName => CONTACT.find("first_name"),
        Form::FamilyName => CONTACT.find("last_name"),
        Form::Stage => CONTACT.find("lifecycle_stage"),
        Form::CompanyName => CONTACT.find("company_name"),
        Form::RecordId => CONTACT.find("crm_id"),
        Form::Domain => COMPANY.find("domain"),
        Form::Number | Form::MoneyRange => COMPANY.find("revenue"),
        Form::Headcount => COMPANY.find("company_size"),
        Form::Flag | Form::Day | Form::Instant | Form::Note | Form::Person => None,
    }
}

/// The refusal of a value that is not sent because the property cannot take it.
pub(super) fn refused(property: &str, why: &str) -> Refusal {
    Refusal {
        class: Class::Invalid,
        message: format!("`{property}` was not sent: {why}"),
        correlation: None,
        property: Some(property.to_owned()),
    }
}

/// A value as plain text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Tags(tags) => tags.join(", "),
        Value::Time(time) => instant_text(*time),
        other => other.canonical(),
    }
}

/// The option that a text is the value or the label of, in whatever case and spacing.
pub(super) fn option<'a>(property: &'a Property, text: &str) -> Option<&'a (String, String)> {
    let wanted = text.trim().to_lowercase();
    let options = &property.options;
    let by = |is: &dyn Fn(&(String, String)) -> bool| options.iter().find(|option| is(option));
    by(&|(value, _)| value == text)
        .or_else(|| by(&|(value, _)| value.to_lowercase() == wanted))
        .or_else(|| by(&|(_, label)| label.to_lowercase() == wanted))
        .or_else(|| by(&|(value, label)| [value, label].iter().any(|word| same_words(word, &wanted))))
}

fn same_words(one: &str, other: &str) -> bool {
    let folded = fold_word(one);
    !folded.is_empty() && folded == fold_word(other)
}

/// What people read for an option's value.
pub(super) fn label<'a>(property: Option<&'a Property>, value: &'a str) -> &'a str {
    property.and_then(|property| option(property, value)).map_or(value, |(_, label)| label)
}

/// Our size of a company with that many people, given as a number or as a range such as `11-50`, `1K-5K`, `100K+`.
pub(super) fn headcount(text: &str) -> Option<&'static str> {
    let (from, to) = range(text)?;
    // Ranges are cut elsewhere than ours: the middle decides. One without an end goes beyond its beginning.
    let middle = to.map_or(from + 1.0, |to| f64::midpoint(from, to));
    SIZES.iter().find(|(most, _)| middle <= *most).map(|(_, size)| *size)
}

/// The lower bound of a range of money such as `$1M-$10M`.
pub(super) fn money_floor(text: &str) -> Option<f64> {
    range(text).map(|(from, _)| from)
}

/// The bounds of a range; a number alone is both, and `100K+` has no upper one.
fn range(text: &str) -> Option<(f64, Option<f64>)> {
    let bare: String =
        text.to_lowercase().chars().filter(|c| !matches!(c, ',' | '$' | '_') && !c.is_whitespace()).collect();
    if let Some(from) = bare.strip_suffix('+') {
        return Some((amount(from)?, None));
    }
    if let Some(to) = bare.strip_prefix('<') {
        return Some((0.0, Some(amount(to)?)));
    }
    match bare.split_once(['-', '–', '—']) {
        Some((from, to)) => Some((amount(from)?, Some(amount(to)?))),
        None => amount(&bare).map(|number| (number, Some(number))),
    }
}

fn amount(text: &str) -> Option<f64> {
    let scales = [('k', 1e3), ('m', 1e6), ('b', 1e9)];
    let lettered = scales.iter().find_map(|(letter, scale)| Some((text.strip_suffix(*letter)?, *scale)));
    let (digits, scale) = lettered.unwrap_or((text, 1.0));
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.contains('e');
    let number: f64 = digits.parse().ok().filter(|_| is_plain)?;
    Some(number * scale)
}

/// A moment written as milliseconds since 1970, as a date, or as a date with a time and its zone.
pub(super) fn moment(raw: &str) -> Option<DateTime<Utc>> {
    let raw = raw.trim();
    if let Ok(ms) = raw.parse::<i64>() {
        return DateTime::from_timestamp_millis(ms);
    }
    if let Ok(day) = raw.parse::<NaiveDate>() {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    let exact = DateTime::parse_from_rfc3339(raw).ok()?.timestamp_millis();
    DateTime::from_timestamp_millis(exact)
}

/// The day of a moment, as a day is kept.
pub(super) fn day(time: DateTime<Utc>) -> DateTime<Utc> {
    time.date_naive().and_time(NaiveTime::MIN).and_utc()
}

pub(super) fn day_text(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}

pub(super) fn instant_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tables::Way;

    fn mapped(column: &str, form: Form) -> Mapped {
        Mapped { column: column.to_owned(), property: "p".to_owned(), form, way: Way::Both, described: None }
    }

    #[test]
    fn values_become_what_the_column_would_keep() {
        let check = |column: &str, form: Form, raw: &str, expected: &str| {
            let value = canonical(Object::Contact, &mapped(column, form), &json!(raw)).unwrap();
            assert_eq!(value, Some(Value::Text(expected.to_owned())), "{column} {raw}");
        };
        check("email", Form::Email, " Ann@X.Com", "ann@x.com");
        check("second_email", Form::Email, "Ann@X.Com", "ann@x.com");
        check("mobile", Form::Phone, "+1 (415) 555-0123", "+14155550123");
        check("web", Form::Domain, "https://www.Acme.com/x", "acme.com");
        check("linkedin_url", Form::Text, "linkedin.com/in/ann", "https://www.linkedin.com/in/ann");
        check("title", Form::Text, "  CEO ", "CEO");
        check("lifecycle_stage", Form::Stage, "marketingqualifiedlead", "mql");
        check("own_stage", Form::Stage, "SQL", "sql");
        assert!(canonical(Object::Contact, &mapped("email", Form::Email), &json!("nobody")).is_err());
        let flag = canonical(Object::Contact, &mapped("own", Form::Flag), &json!(true)).unwrap();
        assert_eq!(flag, Some(Value::Flag(true)));
    }

    #[test]
    fn every_form_of_a_text_or_number_has_a_typical_column() {
        for form in [Form::Text, Form::Choices, Form::Email, Form::Phone, Form::GivenName, Form::FamilyName] {
            assert!(typical(form).is_some(), "{form:?}");
        }
        for form in [Form::Stage, Form::CompanyName, Form::RecordId, Form::Domain, Form::Number] {
            assert!(typical(form).is_some(), "{form:?}");
        }
        assert!(typical(Form::Headcount).is_some() && typical(Form::MoneyRange).is_some());
    }

    #[test]
    fn a_headcount_falls_into_its_size() {
        let check = |given: &str, expected: Option<&str>| assert_eq!(headcount(given), expected, "{given}");
        check("0", Some("startup"));
        check("10", Some("startup"));
        check("11", Some("small"));
        check("50", Some("small"));
        check("200.0", Some("medium"));
        check("201", Some("large"));
        check("1,000", Some("large"));
        check("1001", Some("enterprise"));
        check("1-10", Some("startup"));
        check("11-50", Some("small"));
        check("51–250", Some("medium"));
        check("250-1K", Some("large"));
        check("251-1K", Some("large"));
        check("1K-5K", Some("enterprise"));
        check("100K+", Some("enterprise"));
        check("1000+", Some("enterprise"));
        check("10+", Some("small"));
        check("many", None);
        check("", None);
        check("-5", None);
    }

    #[test]
    fn a_range_of_money_is_its_lower_bound() {
        let check = |given: &str, expected: Option<f64>| {
            let found = money_floor(given);
            assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "{given}");
        };
        check("$1M-$10M", Some(1_000_000.0));
        check("<$1M", Some(0.0));
        check("$10B+", Some(10_000_000_000.0));
        check("$250K – $1M", Some(250_000.0));
        check("12.5M", Some(12_500_000.0));
        check("plenty", None);
        check("1e5", None);
        check("inf", None);
    }

    #[test]
    fn moments_are_read_as_milliseconds_and_as_iso() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(moment(given).map(instant_text).as_deref(), expected, "{given}");
        };
        check("1572480000000", Some("2019-10-31T00:00:00.000Z"));
        check("-86400000", Some("1969-12-31T00:00:00.000Z"));
        check("2026-03-04", Some("2026-03-04T00:00:00.000Z"));
        check("2026-03-04T05:06:07.891Z", Some("2026-03-04T05:06:07.891Z"));
        check("2026-03-04T05:06:07.891123456Z", Some("2026-03-04T05:06:07.891Z"));
        check("2026-03-04T05:06:07+02:00", Some("2026-03-04T03:06:07.000Z"));
        check("yesterday", None);
        check("", None);
    }

    #[test]
    fn an_option_is_found_by_value_or_label_in_any_case() {
        let pair = |value: &str, label: &str| (value.to_owned(), label.to_owned());
        let options = vec![pair("COMPUTER_SOFTWARE", "Computer Software"), pair("1", "Two"), pair("2", "1")];
        let property = Property {
            name: "industry".to_owned(),
            label: "Industry".to_owned(),
            kind: "enumeration".to_owned(),
            read_only: false,
            unique: false,
            multiple: false,
            options,
            object_id: None,
        };
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(option(&property, given).map(|(value, _)| value.as_str()), expected, "{given}");
        };
        check("computer software", Some("COMPUTER_SOFTWARE"));
        check("Computer_Software", Some("COMPUTER_SOFTWARE"));
        check("computer-software", Some("COMPUTER_SOFTWARE"));
        check("1", Some("1"));
        check("two", Some("1"));
        check("hardware", None);
        check("-", None);
        assert_eq!(label(Some(&property), "COMPUTER_SOFTWARE"), "Computer Software");
        assert_eq!(label(Some(&property), "unknown"), "unknown");
        assert_eq!(label(None, "x"), "x");
    }
}
