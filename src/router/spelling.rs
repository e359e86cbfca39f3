//! Words of the vocabulary, found again when they are misspelt by a letter or two. Names are never corrected.

use std::collections::HashMap;

/// Every spelling with a letter or two left out, and the words it comes from.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    shortened: HashMap<u64, Vec<u32>>,
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

/// The word with no, one and, for long words, two letters left out, each as a number.
fn shortened(word: &str) -> Vec<u64> {
    let letters: Vec<char> = word.chars().collect();
    let count = letters.len();
    let mut forms = Vec::with_capacity(1 + count + count * count / 2);
    let without = |first: usize, second: usize| {
        let kept = letters.iter().enumerate().filter(|(i, _)| *i != first && *i != second);
        // FNV-1a: forms are only compared, and a false friend fails the distance that follows.
        kept.fold(0xcbf2_9ce4_8422_2325_u64, |hash, (_, c)| {
            (hash ^ u64::from(*c as u32)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    forms.push(without(count, count));
    for first in 0..count {
        forms.push(without(first, count));
        if count >= TWO_ERRORS_FROM - 1 {
            forms.extend((first + 1..count).map(|second| without(first, second)));
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_is_found_again() {
        let spelling =
            Spelling::new(["leads", "long", "clients"].into_iter(), ["longest", "show", "this"].into_iter());
        let found: Vec<Option<&str>> = ["longst", "leds", "clinets", "sho", "tis", "globex"]
            .into_iter()
            .map(|word| spelling.correct(word))
            .collect();
        assert_eq!(
            found,
            [Some("longest"), Some("leads"), Some("clients"), Some("show"), Some("this"), None]
        );
    }
}
