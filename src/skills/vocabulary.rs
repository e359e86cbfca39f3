//! What texts may have in common, each thing known by a small number: stems, words that mean the same, two
//! words in a row, the beginnings and the pieces of words.

use std::collections::HashMap;
use std::fmt;

use rust_stemmers::{Algorithm, Stemmer};

use super::synonyms;
use super::words::says_something;

/// Beginnings shorter than this are shared by chance.
const ROOT_CHARS: usize = 5;
const GRAM_CHARS: usize = 4;
/// Shorter words are too near to each other to say which one was meant.
const MISSPELT_CHARS: usize = 5;
/// After so many strange words a message is not about this library.
const CORRECTIONS_MAX: usize = 12;

/// The kinds of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A word's stem.
    Word,
    /// A word of grammar.
    Filler,
    /// A group of words that mean the same here.
    Concept,
    /// Two words in a row, by their groups where they have one.
    Pair,
    /// The first letters of a word, which its relatives share.
    Root,
    /// Four letters in a row, which a misspelt word still shares.
    Gram,
}

pub(super) struct Vocabulary {
    stemmer: Stemmer,
    sorts: Vec<Sort>,
    named: HashMap<String, u32>,
    pairs: HashMap<(u32, u32), u32>,
    /// Words met before, with the feature that stands for them in pairs.
    words: HashMap<String, (u32, Vec<u32>)>,
}

impl Vocabulary {
    pub(super) fn new() -> Vocabulary {
        Vocabulary {
            stemmer: Stemmer::create(Algorithm::English),
            sorts: Vec::new(),
            named: HashMap::new(),
            pairs: HashMap::new(),
            words: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.sorts.len()
    }

    pub(super) fn sort(&self, feature: u32) -> Sort {
        self.sorts[feature as usize]
    }

    /// The features of a text of the library, as often as they occur; those not met before are added.
    pub(super) fn learn(&mut self, words: &[String]) -> Vec<u32> {
        let mut found = Vec::with_capacity(words.len() * 8);
        let mut chain = Chain::default();
        for word in words {
            let own = self.learn_word(word, &mut found);
            for pair in chain.pairs(own, self.sort(own)) {
                let next = next(&self.sorts);
                let pair = *self.pairs.entry(pair).or_insert(next);
                if pair == next {
                    self.sorts.push(Sort::Pair);
                }
                found.push(pair);
            }
        }
        found
    }

    fn learn_word(&mut self, word: &str, found: &mut Vec<u32>) -> u32 {
        if let Some((own, features)) = self.words.get(word) {
            found.extend(features);
            return *own;
        }
        let parts = parts(&self.stemmer, word);
        let features: Vec<u32> = parts
            .into_iter()
            .map(|(sort, name)| {
                let next = next(&self.sorts);
                let feature = *self.named.entry(name).or_insert(next);
                if feature == next {
                    self.sorts.push(sort);
                }
                feature
            })
            .collect();
        found.extend(&features);
        let own = self.own(&features);
        self.words.insert(word.to_owned(), (own, features));
        own
    }

    /// The feature that stands for a word in pairs: its group, or else its stem, which comes first.
    fn own(&self, features: &[u32]) -> u32 {
        let concept = features.iter().copied().find(|&feature| self.sort(feature) == Sort::Concept);
        concept.unwrap_or(features[0])
    }

    /// The features of a message that the library knows, each once, and how many of its words that say something it does not.
    pub(super) fn recall(&self, words: &[String]) -> (Vec<u32>, usize) {
        let (mut found, mut unknown, mut chain) = (Vec::new(), 0, Chain::default());
        for word in words {
            let mut named = parts(&self.stemmer, word);
            let mut is_known = self.knows(&named);
            if !is_known
                && unknown < CORRECTIONS_MAX
                && let Some(meant) = self.meant(word)
            {
                named = parts(&self.stemmer, meant);
                is_known = self.knows(&named);
            }
            unknown += usize::from(!is_known && says_something(word));
            let features: Vec<u32> =
                named.iter().filter_map(|(_, name)| self.named.get(name)).copied().collect();
            found.extend(&features);
            if is_known {
                let own = self.own(&features);
                found.extend(chain.pairs(own, self.sort(own)).filter_map(|pair| self.pairs.get(&pair)));
            } else {
                chain = Chain::default();
            }
        }
        found.sort_unstable();
        found.dedup();
        (found, unknown)
    }
}

impl Vocabulary {
    fn knows(&self, parts: &[(Sort, String)]) -> bool {
        parts.iter().any(|(sort, name)| {
            matches!(sort, Sort::Word | Sort::Filler | Sort::Concept) && self.named.contains_key(name)
        })
    }

    /// The known word that a strange one is a slip of: one letter off, or two in a long word, never the first.
    fn meant(&self, word: &str) -> Option<&str> {
        let length = word.chars().count();
        let slips_max = match length {
            0..MISSPELT_CHARS => return None,
            MISSPELT_CHARS..=7 => 1,
            _ => 2,
        };
        let first = word.chars().next()?;
        let near = self.words.keys().filter(|known| {
            known.starts_with(first)
                && known.len() >= MISSPELT_CHARS
                && known.len().abs_diff(word.len()) <= slips_max
        });
        let scored = near.map(|known| (strsim::osa_distance(word, known), known.as_str()));
        scored.filter(|(slips, _)| *slips <= slips_max).min().map(|(_, known)| known)
    }
}

/// The number that the next new feature gets.
fn next(sorts: &[Sort]) -> u32 {
    u32::try_from(sorts.len()).unwrap_or(u32::MAX)
}

/// The words that the next one makes a pair with: the one before, and the one before that says something.
/// `find 20 CFOs` and `find CFOs` share the second pair.
#[derive(Default)]
struct Chain {
    last: Option<u32>,
    telling: Option<u32>,
}

impl Chain {
    fn pairs(&mut self, own: u32, sort: Sort) -> impl Iterator<Item = (u32, u32)> + use<> {
        let near = self.last.map(|before| (before, own));
        let is_telling = sort != Sort::Filler;
        let far =
            self.telling.filter(|_| is_telling && self.telling != self.last).map(|before| (before, own));
        self.last = Some(own);
        if is_telling {
            self.telling = Some(own);
        }
        near.into_iter().chain(far)
    }
}

/// What a word is made of, its stem first. A letter in front keeps the kinds apart.
fn parts(stemmer: &Stemmer, word: &str) -> Vec<(Sort, String)> {
    let stem = stemmer.stem(word);
    if !says_something(word) {
        return vec![(Sort::Filler, format!("w{stem}"))];
    }
    let mut parts = vec![(Sort::Word, format!("w{stem}"))];
    if let Some(concept) = synonyms::concept(&stem) {
        parts.push((Sort::Concept, format!("c{concept}")));
    }
    let letters: Vec<char> = stem.chars().chain(['$']).collect();
    if letters.len() > ROOT_CHARS {
        parts.push((Sort::Root, format!("r{}", letters[..ROOT_CHARS].iter().collect::<String>())));
        parts.extend(
            letters
                .windows(GRAM_CHARS)
                .map(|gram| (Sort::Gram, format!("g{}", gram.iter().collect::<String>()))),
        );
    }
    parts
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary").field("features", &self.sorts.len()).finish_non_exhaustive()
    }
}
