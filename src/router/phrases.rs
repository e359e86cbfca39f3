//! Phrases found in a row of words: a trie over whole words.

use std::collections::HashMap;

use super::text::{Token, TokenKind, tokens};

/// What phrases mean. One phrase can mean several things.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    words: HashMap<String, u32>,
    next: HashMap<(u32, u32), u32>,
    meanings: Vec<Vec<T>>,
}

/// A phrase in a message: how many tokens it takes and what it can mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match<'a, T> {
    pub length: usize,
    pub meanings: &'a [T],
}

const ROOT: u32 = 0;

impl<T> Default for Phrases<T> {
    fn default() -> Phrases<T> {
        Phrases { words: HashMap::new(), next: HashMap::new(), meanings: vec![Vec::new()] }
    }
}

impl<T: PartialEq> Phrases<T> {
    /// Adds a phrase; a meaning it has already is kept once.
    pub(super) fn insert(&mut self, phrase: &str, meaning: T) {
        let words: Vec<String> = tokens(phrase)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|token| match token.kind {
                TokenKind::Mark(':') => Some(":".to_owned()),
                TokenKind::Mark(_) | TokenKind::Possessive => None,
                _ => Some(token.word),
            })
            .collect();
        if words.is_empty() {
            return;
        }
        let mut node = ROOT;
        for word in words {
            let count = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
            let word = *self.words.entry(word).or_insert(count);
            let fresh = u32::try_from(self.meanings.len()).unwrap_or(u32::MAX);
            node = *self.next.entry((node, word)).or_insert(fresh);
            if node == fresh {
                self.meanings.push(Vec::new());
            }
        }
        if let Some(meanings) = self.meanings.get_mut(node as usize)
            && !meanings.contains(&meaning)
        {
            meanings.push(meaning);
        }
    }
}

impl<T> Phrases<T> {
    /// The numbers of a message's words; none for words that no phrase has.
    pub(super) fn numbers(&self, tokens: &[Token]) -> Vec<Option<u32>> {
        tokens.iter().map(|token| self.words.get(key(token)).copied()).collect()
    }

    /// The phrases that start at the place, longest first.
    pub(super) fn at<'a>(&'a self, numbers: &[Option<u32>], at: usize) -> Vec<Match<'a, T>> {
        let mut found = Vec::new();
        let mut node = ROOT;
        for (i, number) in numbers.iter().skip(at).enumerate() {
            let Some(next) = number.and_then(|number| self.next.get(&(node, number))) else { break };
            node = *next;
            if let Some(meanings) = self.meanings.get(node as usize).filter(|meanings| !meanings.is_empty()) {
                found.push(Match { length: i + 1, meanings });
            }
        }
        found.reverse();
        found
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(String::as_str)
    }
}

/// The word under which a token is looked up.
fn key(token: &Token) -> &str {
    match token.kind {
        TokenKind::Mark(':') => ":",
        TokenKind::Quoted => "",
        _ => &token.word,
    }
}
