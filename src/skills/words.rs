//! Words as they are compared: folded, without politeness, with two that make one put together.

use unicode_normalization::UnicodeNormalization;

use super::synonyms;

/// The longest part of a text that is read. Hostile texts cost no more than this.
const CHARS_MAX: usize = 2_000;

/// What every number is read as.
const NUMBER: &str = "#";

/// Words of grammar, which say little by themselves.
const FILLERS: &[&str] = &[
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "could",
    "did", "do", "does", "for", "from", "get", "give", "go", "had", "has", "have", "he", "help", "her",
    "here", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "let", "me", "mine", "my",
    "need", "not", "of", "on", "or", "our", "out", "over", "s", "she", "should", "so", "some", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "up", "us",
    "want", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would",
    "you", "your",
];

/// Words that are said for manners only, unless nothing else is.
const POLITE: &[&str] = &["please", "kindly", "thanks", "thank", "cheers", "hi", "hey", "hello"];
const ASKING: &[&str] = &["can", "could", "would", "will"];

/// Whether a word means something by itself; grammar and numbers do not.
pub(super) fn says_something(word: &str) -> bool {
    word != NUMBER && FILLERS.binary_search(&word).is_err()
}

/// The words of a message, without those of manners around what is asked for.
pub(super) fn of_message(text: &str) -> Vec<String> {
    let mut words = compounded(split(text));
    let beside: Vec<&String> = words.iter().filter(|word| !POLITE.contains(&word.as_str())).collect();
    // One word of grammar beside a greeting is part of it, as in `hi there`.
    if beside.len() > 1 || beside.iter().any(|word| says_something(word)) {
        words.retain(|word| !POLITE.contains(&word.as_str()));
        while words.len() > 2 && ASKING.contains(&words[0].as_str()) && words[1] == "you" {
            words.drain(..2);
        }
    }
    words
}

/// The words of a text in a library.
pub(super) fn of_text(text: &str) -> Vec<String> {
    compounded(split(text))
}

/// The words of a text: lower case, without accents, numbers as `#`. A word behind a leading slash is a command
/// and comes with it, and once more without.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut is_command, mut before) = (false, ' ');
    for c in text.chars().take(CHARS_MAX).chain([' ']) {
        if c.is_alphanumeric() {
            if word.is_empty() {
                is_command = before == '/';
            }
            word.extend(c.to_lowercase().nfkd().filter(|c| c.is_alphanumeric()));
        } else if matches!(c, '\'' | '’') && !word.is_empty() {
            word.push('\'');
        } else {
            end(&mut words, &mut word, is_command);
            // The slash of `and/or` commands nothing.
            before = if c == '/' && before.is_alphanumeric() { ' ' } else { c };
            continue;
        }
        before = c;
    }
    words
}

fn end(words: &mut Vec<String>, word: &mut String, is_command: bool) {
    let whole = std::mem::take(word);
    if whole.is_empty() {
        return;
    }
    if whole.starts_with(|c: char| c.is_ascii_digit()) {
        words.push(NUMBER.to_owned());
        return;
    }
    if is_command {
        words.push(format!("/{whole}"));
    }
    match whole.split_once('\'') {
        Some((stem, "t")) => words.extend([stem.trim_end_matches('n').to_owned(), "not".to_owned()]),
        Some((stem, _)) => words.push(stem.to_owned()),
        None => words.push(whole),
    }
}

/// `follow up`, `follow-up` and `followup` are one word.
fn compounded(mut words: Vec<String>) -> Vec<String> {
    let mut at = 0;
    while at + 1 < words.len() {
        if let Some(whole) = synonyms::compound(&words[at], &words[at + 1]) {
            whole.clone_into(&mut words[at]);
            words.remove(at + 1);
        }
        at += 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_case_and_manners_do_not_matter() {
        let plain = of_message("prep me for the follow up");
        assert_eq!(plain, ["prep", "me", "for", "the", "followup"]);
        for same in [
            "  Prep  me for the FOLLOW-UP!",
            "could you please prep me for the followup? thanks",
            "Prép me for the follow-up",
        ] {
            assert_eq!(of_message(same), plain, "{same}");
        }
    }

    #[test]
    fn manners_alone_are_a_message() {
        assert_eq!(of_message("Hey, thanks!"), ["hey", "thanks"]);
        assert_eq!(of_message("hi there"), ["hi", "there"]);
        assert_eq!(of_message("Hey, how do I, please? Thank you"), of_message("how do I"));
    }

    #[test]
    fn commands_numbers_and_shortened_words_are_kept_apart() {
        assert_eq!(of_text("/agenda and/or 50 leads"), ["/agenda", "agenda", "and", "or", "#", "leads"]);
        assert_eq!(of_text("Dana's deal didn't close"), ["dana", "deal", "did", "not", "close"]);
    }

    #[test]
    fn fillers_are_sorted_to_be_found() {
        assert!(FILLERS.is_sorted());
    }
}
