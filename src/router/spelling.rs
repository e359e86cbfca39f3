//! Words of the vocabulary, found again when they are misspelt by a letter or two. Names are never corrected.

use std::collections::HashMap;

/// Every spelling with a letter or two left out, and the words it comes from.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    shortened: HashMap<String, Vec<u32>>,
    words: Vec<String>,
    /// How many of the words, from the first, are the organization's own.
    own: usize,
}

/// Shorter words are too much like each other.
const LETTERS_MIN: usize = 3;
/// From this length on a word may be wrong in two letters.
const TWO_ERRORS_FROM: usize = 7;

impl Spelling {
    /// `own` are the words of the organization's tables, which are meant before those of the grammar.
    pub(super) fn new<'a, 'b>(
        own: impl Iterator<Item = &'a str>,
        grammar: impl Iterator<Item = &'b str>,
    ) -> Spelling {
        let mut spelling = Spelling::default();
        let mut own: Vec<&str> = own.collect();
        own.sort_unstable();
        let mut others: Vec<&str> = grammar.filter(|word| own.binary_search(word).is_err()).collect();
        others.sort_unstable();
        let ends = own.len();
        let own = own.into_iter().map(str::to_owned);
        for (place, word) in own.chain(others.into_iter().map(str::to_owned)).enumerate() {
            if place == ends {
                spelling.own = spelling.words.len();
            }
            let sound = by_sound(&word);
            if word.chars().count() <= LETTERS_MIN || !word.chars().all(char::is_alphabetic) {
                continue;
            }
            let number = u32::try_from(spelling.words.len()).unwrap_or(u32::MAX);
            spelling.words.push(word);
            for form in shortened(&sound) {
                spelling.shortened.entry(form).or_default().push(number);
            }
        }
        spelling
    }

    /// The word that was meant, if one is near enough. Of several equally near, the organization's own and then
    /// the one that begins most alike is taken.
    pub(super) fn correct(&self, written: &str) -> Option<&str> {
        let length = written.chars().count();
        if length < LETTERS_MIN || !written.chars().all(char::is_alphabetic) {
            return None;
        }
        let sound = by_sound(written);
        let allowed = if length >= TWO_ERRORS_FROM { 2 } else { 1 };
        let candidates = shortened(&sound).into_iter().filter_map(|form| self.shortened.get(&form)).flatten();
        candidates
            .filter_map(|number| {
                let at = *number as usize;
                let word = self.words.get(at)?;
                let distance = strsim::osa_distance(&sound, &by_sound(word));
                let same_start =
                    word.chars().zip(written.chars()).take_while(|(one, other)| one == other).count();
                (distance <= allowed && (same_start > 0 || distance <= 1)).then_some((
                    (distance, at >= self.own, !same_end(word, written), usize::MAX - same_start),
                    word.as_str(),
                ))
            })
            .min()
            .map(|(_, word)| word)
    }
}

fn same_end(one: &str, other: &str) -> bool {
    one.chars().next_back() == other.chars().next_back()
}

/// The word with letters that sound alike written alike.
fn by_sound(word: &str) -> String {
    word.replace("ph", "f").replace("ck", "k")
}

/// The word with no, one and, for long words, two letters left out.
fn shortened(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    let rounds = if word.chars().count() >= TWO_ERRORS_FROM - 1 { 2 } else { 1 };
    let mut last = forms.clone();
    for _ in 0..rounds {
        let mut next = Vec::new();
        for form in &last {
            for (i, c) in form.char_indices() {
                let mut shorter = form.clone();
                shorter.replace_range(i..i + c.len_utf8(), "");
                if !next.contains(&shorter) {
                    next.push(shorter);
                }
            }
        }
        forms.extend(next.iter().cloned());
        last = next;
    }
    forms
}
