//! A CRM's sentence about a fault without the values of the record, which CRMs like to repeat.

use super::crm::Push;
use crate::tables::Value;

const CHARS_MAX: usize = 300;

/// What was sent, by which a sentence about it is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// The names of properties: they may be repeated.
    pub names: Vec<String>,
    /// The values: they may not.
    pub values: Vec<String>,
}

impl Told {
    /// What a push says to a CRM; `wire` are its values as they are written there.
    pub(super) fn of<'a>(push: &Push, wire: impl IntoIterator<Item = &'a str>) -> Told {
        let mut told = Told::default();
        for (mapped, value) in &push.cells {
            told.names.push(mapped.property.clone());
            match value {
                Some(Value::Tags(tags)) => told.values.extend(tags.iter().cloned()),
                Some(value) => told.values.push(value.canonical()),
                None => {}
            }
        }
        told.values.extend(wire.into_iter().map(str::to_owned));
        // Longer ones first, so that none is left over in part.
        told.values.retain(|value| !value.trim().is_empty());
        told.values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        told
    }

    /// The sentence with `…` for everything in quotes or brackets that is no property's name, for the values that were
    /// sent, and for what looks like an e-mail address; at most 300 characters.
    pub(super) fn clean(&self, sentence: &str) -> String {
        let mut text = self.unquoted(sentence);
        for value in self.values.iter().filter(|value| !self.names.contains(value)) {
            text = without(&text, value);
        }
        let words = text.split_whitespace().map(|word| if word.contains('@') { "…" } else { word });
        let text = words.collect::<Vec<_>>().join(" ");
        if text.chars().count() <= CHARS_MAX {
            return text;
        }
        text.chars().take(CHARS_MAX - 1).chain(['…']).collect()
    }

    /// The name of a property that the sentence has in quotes, or that stands in it as a word.
    pub(super) fn named_in(&self, sentence: &str) -> Option<String> {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let quoted = quotes(sentence).into_iter().map(|(from, to)| &sentence[from..to]);
        let mut words = quoted.chain(sentence.split(|c| !is_word(c)).filter(|word| word.contains('_')));
        words.find_map(|word| self.names.iter().find(|name| *name == word)).cloned()
    }

    fn unquoted(&self, sentence: &str) -> String {
        let mut text = String::new();
        let mut seen = 0;
        for (from, to) in quotes(sentence) {
            text.push_str(&sentence[seen..from]);
            let inside = &sentence[from..to];
            text.push_str(if self.names.iter().any(|name| name == inside) { inside } else { "…" });
            seen = to;
        }
        text.push_str(&sentence[seen..]);
        text
    }
}

/// The places inside quotes and brackets, without those marks. What is opened and never closed ends with the text.
fn quotes(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((at, open)) = text[from..].char_indices().find(|(at, c)| opens(text, from + at, *c)) {
        let inside = from + at + open.len_utf8();
        let end = ending(&text[inside..], open).map_or(text.len(), |length| inside + length);
        found.push((inside, end));
        from = text[end..].chars().next().map_or(end, |close| end + close.len_utf8());
    }
    found
}

/// Whether a mark opens a quotation; an apostrophe within a word does not.
fn opens(text: &str, at: usize, mark: char) -> bool {
    match mark {
        '"' | '`' | '“' | '«' | '[' | '{' => true,
        '\'' | '‘' => !text[..at].ends_with(char::is_alphanumeric),
        _ => false,
    }
}

/// Where the quotation that was opened ends, counted from its beginning. Brackets hold brackets, and quotes hold
/// escaped quotes.
fn ending(rest: &str, open: char) -> Option<usize> {
    let close = match open {
        '“' => '”',
        '«' => '»',
        '‘' => '’',
        '[' => ']',
        '{' => '}',
        same => same,
    };
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in rest.char_indices() {
        let is_close = c == close && !escaped && {
            // The end of a word in single quotes, not the apostrophe of "Ann's".
            c != '\'' || !rest[at + 1..].starts_with(char::is_alphanumeric)
        };
        escaped = c == '\\' && !escaped;
        if c == open && open != close {
            depth += 1;
        } else if is_close && depth == 0 {
            return Some(at);
        } else if is_close {
            depth -= 1;
        }
    }
    None
}

/// The text with `…` for every place where the value stands by itself, in whatever case.
fn without(text: &str, value: &str) -> String {
    // ASCII folding keeps every place where it was.
    let (folded, wanted) = (text.to_ascii_lowercase(), value.to_ascii_lowercase());
    let mut kept = String::new();
    let mut seen = 0;
    for (at, _) in folded.match_indices(&wanted) {
        let alone = !text[..at].ends_with(char::is_alphanumeric)
            && !text[at + wanted.len()..].starts_with(char::is_alphanumeric);
        if alone && at >= seen {
            kept.push_str(&text[seen..at]);
            kept.push('…');
            seen = at + wanted.len();
        }
    }
    kept.push_str(&text[seen..]);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told() -> Told {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Told { names: owned(&["email", "hs_lead_status"]), values: owned(&["Ann Lee", "+1415", "7"]) }
    }

    #[test]
    fn quoted_values_are_cut_and_names_of_properties_stay() {
        let check = |given: &str, expected: &str| assert_eq!(told().clean(given), expected, "{given}");
        check("The value \"secret\" is wrong", "The value \"…\" is wrong");
        check("Property \"email\" has 'secret' in it", "Property \"email\" has '…' in it");
        check("Property `email` and “x” and «y»", "Property `email` and “…” and «…»");
        check("It doesn't take Ann's 'it's' here", "It doesn't take Ann's '…' here");
        check(r#"a "quo\"ted" end"#, "a \"…\" end");
        check("never \"closed secret", "never \"…");
        check("were not valid: [{\"name\":\"email\",\"v\":[1]}] so", "were not valid: […] so");
        check("got {a: {b}} and [c", "got {…} and […");
        check("plain words stay", "plain words stay");
    }

    #[test]
    fn values_are_cut_where_they_stand_unquoted() {
        let check = |given: &str, expected: &str| assert_eq!(told().clean(given), expected, "{given}");
        check("Email address x@y.comv is invalid", "Email address … is invalid");
        check("ann lee was not one of the options", "… was not one of the options");
        check("+1415 or 7, not 17 or 7a", "… or …, not 17 or 7a");
        check("Annabel Leeds stays", "Annabel Leeds stays");
    }

    #[test]
    fn a_long_sentence_is_cut_to_three_hundred_characters() {
        let cut = Told::default().clean(&"é ".repeat(400));
        assert_eq!(cut.chars().count(), 300);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn the_property_that_is_meant_is_found_in_quotes_or_by_its_name() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(told().named_in(given).as_deref(), expected, "{given}");
        };
        check("Property \"email\" does not exist", Some("email"));
        check("hs_lead_status: no such option", Some("hs_lead_status"));
        check("the email is wrong", None);
        check("Property \"phone\" does not exist", None);
    }

    proptest! {
        #[test]
        fn no_sentence_breaks_it_and_no_quoted_value_is_left(before in "[a-z\"'`\\[{ é“]{0,20}", value in "[A-Z]{12}", after in ".*") {
            let told = Told { names: Vec::new(), values: vec![value.clone()] };
            let clean = told.clean(&format!("{before} {value} {after}"));
            prop_assert!(clean.chars().count() <= CHARS_MAX);
            prop_assert!(!clean.contains(&value));
            Told::default().clean(&format!("{before}\"{value}\"{after}"));
        }
    }
}
