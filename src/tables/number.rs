//! Decimals as people and spreadsheets write them: `1,234.50`, `$5,000`, `2k`, `12 %`, `(300)`.

use super::text::quote;
use crate::error::{Result, invalid};

/// As many digits as every decimal keeps through its binary form.
const DIGITS_MAX: usize = 15;

const CURRENCIES: &[&str] =
    &["us$", "$", "€", "£", "¥", "₹", "usd", "eur", "gbp", "chf", "cad", "aud", "jpy", "inr"];

/// Endings that multiply, with their power of ten; longer ones first, so that `mn` is not read as `n`.
const SCALES: &[(&str, i32)] = &[
    ("thousand", 3),
    ("million", 6),
    ("billion", 9),
    ("mio", 6),
    ("mn", 6),
    ("mm", 6),
    ("bn", 9),
    ("k", 3),
    ("m", 6),
    ("b", 9),
];

/// The number that the text writes.
pub(super) fn parse(text: &str) -> Result<f64> {
    let wrong = || invalid(format!("{} is not a number", quote(text))).hint("write it as 1234.5");
    let lower = text.trim().to_lowercase();
    let (negative, rest) = sign_of(&lower);
    let rest = without_currency(rest.trim_end_matches('%').trim());
    let (rest, scale) = scale_of(rest);
    let (inner_negative, rest) = sign_of(without_currency(rest));
    let (mantissa, exponent) = match rest.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = ungrouped(whole).ok_or_else(wrong)?;
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (negative && inner_negative) || !is_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(wrong());
    }
    check_digits(text, &format!("{whole}{fraction}"))?;
    let power = exponent.checked_add(scale).ok_or_else(wrong)?;
    let value: f64 = format!("0{whole}.{fraction}e{power}").parse().map_err(|_| wrong())?;
    finite(text, if negative == inner_negative { value } else { -value })
}

/// The number of a JSON value, when it has no more digits than are kept.
pub(super) fn from_json(number: &serde_json::Number) -> Result<f64> {
    parse(&number.to_string())
}

/// The text without its sign; accountants write a negative number in parentheses.
fn sign_of(text: &str) -> (bool, &str) {
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return (true, inner.trim());
    }
    match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text).trim_start()),
    }
}

fn without_currency(text: &str) -> &str {
    for currency in CURRENCIES {
        if let Some(rest) = text.strip_prefix(currency).or_else(|| text.strip_suffix(currency)) {
            return rest.trim();
        }
    }
    text
}

fn scale_of(text: &str) -> (&str, i32) {
    for (ending, power) in SCALES {
        if let Some(rest) = text.strip_suffix(ending) {
            return (rest.trim_end(), *power);
        }
    }
    (text, 0)
}

/// The digits without thousands separators, or none unless these stand every three digits.
fn ungrouped(whole: &str) -> Option<String> {
    let separator = whole.chars().find(|c| !c.is_ascii_digit());
    let Some(separator) = separator else { return Some(whole.to_owned()) };
    if !matches!(separator, ',' | '\'' | '’' | '_' | ' ' | '\u{a0}' | '\u{202f}') {
        return None;
    }
    let mut groups = whole.split(separator);
    let first = groups.next()?;
    let fits = (1..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_digit())
        && groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    fits.then(|| whole.replace(separator, ""))
}

fn check_digits(text: &str, digits: &str) -> Result<()> {
    let significant = digits.trim_matches('0').len();
    if significant > DIGITS_MAX {
        return Err(invalid(format!(
            "{} has {significant} significant digits, at most {DIGITS_MAX}",
            quote(text)
        ))
        .hint("round it, or keep long identifiers in a text column"));
    }
    Ok(())
}

fn finite(text: &str, value: f64) -> Result<f64> {
    if !value.is_finite() {
        return Err(invalid(format!("{} is too large for a number", quote(text))));
    }
    // Adding zero turns -0 into 0.
    Ok(value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let check = |given: &str, expected: f64| {
            let value = parse(given).unwrap();
            assert!(value.to_bits() == expected.to_bits(), "{given}: {value}");
        };
        check("1234.5", 1234.5);
        check("1,234.50", 1234.5);
        check("$5,000", 5000.0);
        check("-$5", -5.0);
        check("$-5", -5.0);
        check("(300)", -300.0);
        check("($1,300.25)", -1300.25);
        check("2k", 2000.0);
        check("1.1k", 1100.0);
        check("5m", 5_000_000.0);
        check("$2.5bn", 2_500_000_000.0);
        check("5 million", 5_000_000.0);
        check("€ 3.5", 3.5);
        check("3.5 EUR", 3.5);
        check("12 %", 12.0);
        check(".5", 0.5);
        check("7.", 7.0);
        check("1 234 567", 1_234_567.0);
        check("1'234", 1234.0);
        check("1.2E+05", 120_000.0);
        check("+7", 7.0);
        check("-0", 0.0);
        check("0.1", 0.1);
        check("999999999999999", 999_999_999_999_999.0);
        check("1000000000000000000", 1e18);
        check("0.0000000000000000001", 1e-19);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for given in [
            "",
            "-",
            "$",
            "k",
            ".",
            "ten",
            "1.2.3",
            "1,23",
            "12,34,567",
            "1,,234",
            "1.234,50",
            "NaN",
            "inf",
            "0x10",
            "1e",
            "1e1.5",
            "--5",
            "5 apples",
            "1 2",
            "٣",
            "1e400",
            "1e99999999999",
        ] {
            assert!(parse(given).is_err(), "{given}");
        }
    }

    #[test]
    fn more_than_fifteen_significant_digits_are_refused() {
        let error = parse("12345678901234567").unwrap_err();
        assert_eq!(error.message, "`12345678901234567` has 17 significant digits, at most 15");
        assert!(parse("0.1234567890123456").is_err());
        assert!(parse("0.100000000000000000").is_ok());
        assert!(from_json(&serde_json::Number::from_f64(0.1 + 0.2).unwrap()).is_err());
        assert!((from_json(&serde_json::Number::from_f64(1e21).unwrap()).unwrap() - 1e21).abs() < 1.0);
        assert!((from_json(&serde_json::Number::from(-42)).unwrap() + 42.0).abs() < f64::EPSILON);
    }
}
