//! Text in its canonical form: NFC, line ends as LF, trimmed, without control characters.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::error::{Result, invalid};

/// The longest text a cell holds, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 65_536;

/// How much of a wrong value an error repeats, in characters.
const QUOTE_CHARS_MAX: usize = 60;

/// Several lines of text, or none when nothing is left after trimming.
pub(super) fn clean(text: &str, chars_max: usize) -> Result<Option<String>> {
    let text = composed(text);
    let text = if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text };
    let text = text.trim();
    if let Some(control) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(invalid(format!(
            "the control character U+{:04X} is not allowed in text",
            u32::from(control)
        ))
        .hint("remove it; tabs and line ends are fine"));
    }
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(invalid(format!("the text is too long: {chars} characters, at most {chars_max}"))
            .hint("shorten it, or keep the whole text elsewhere and store a link"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The text in NFC, as which most texts come.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// One line of text, or none when nothing is left after trimming.
pub(super) fn clean_line(text: &str, chars_max: usize) -> Result<Option<String>> {
    let text = clean(text, chars_max)?;
    if text.as_ref().is_some_and(|text| text.contains(['\n', '\t'])) {
        return Err(invalid("the value must be on one line, without tabs"));
    }
    Ok(text)
}

/// A value as an error repeats it: in backticks, on one line, cut when long.
pub(super) fn quote(text: &str) -> String {
    let mut shown: String =
        text.chars().take(QUOTE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(QUOTE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_composed_trimmed_and_has_unix_line_ends() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(clean(given, 100).unwrap().as_deref(), expected, "{given:?}");
        };
        check("  Zoe\u{308}  ", Some("Zoë"));
        check("a\r\nb\rc\n", Some("a\nb\nc"));
        check("a\tb", Some("a\tb"));
        check(" \u{a0}\r\n ", None);
        check("", None);
    }

    #[test]
    fn control_characters_are_refused_by_their_code() {
        for (given, code) in [("a\0b", "U+0000"), ("a\u{1b}[31m", "U+001B"), ("a\u{85}b", "U+0085")] {
            assert!(clean(given, 100).unwrap_err().message.contains(code), "{given:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters_and_is_named() {
        assert!(clean(&"é".repeat(TEXT_CHARS_MAX), TEXT_CHARS_MAX).is_ok());
        let error = clean(&"x".repeat(100_000), TEXT_CHARS_MAX).unwrap_err();
        assert_eq!(error.message, "the text is too long: 100000 characters, at most 65536");
    }

    #[test]
    fn a_line_holds_no_line_end() {
        assert_eq!(clean_line(" Acme \n", 100).unwrap().as_deref(), Some("Acme"));
        assert!(clean_line("Acme\nInc", 100).is_err());
    }

    #[test]
    fn a_long_wrong_value_is_cut_in_errors() {
        assert_eq!(quote("a\nb"), "`a b`");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), QUOTE_CHARS_MAX + 3);
    }
}
