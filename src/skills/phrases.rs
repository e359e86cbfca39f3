//! The phrases that skills are meant by, each as a vector of its features to be held against a message.

use super::skill::Skill;
use super::tuning::Tuning;
use super::vocabulary::{Sort, Vocabulary};
use super::words;

/// Quotations longer than this are prose, not something people say.
const QUOTED_CHARS: usize = 80;

/// Where a phrase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Trigger,
    Example,
    /// A trigger and its examples as one: ways to say a thing share words that none of them has alone.
    Together,
    Keyword,
    Quoted,
    Name,
}

#[derive(Debug)]
pub(super) struct Phrase {
    pub(super) skill: u32,
    pub(super) place: Place,
    pub(super) text: String,
    pub(super) features: Vec<u32>,
    /// How much the phrase counts, 0 to 1.
    pub(super) weight: f32,
}

impl Place {
    /// As the trace names it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Place::Trigger | Place::Together => "trigger",
            Place::Example => "example",
            Place::Keyword => "keyword",
            Place::Quoted => "description",
            Place::Name => "name",
        }
    }

    /// Whether it is something that somebody would say, not a word of it.
    pub(super) const fn is_spoken(self) -> bool {
        matches!(self, Place::Trigger | Place::Example | Place::Together)
    }
}

/// The phrases of the skill at this place of the library.
pub(super) fn of(skill: &Skill, at: u32, vocabulary: &mut Vocabulary, tuning: &Tuning) -> Vec<Phrase> {
    let mut phrases = Vec::new();
    let mut add = |place: Place, text: &str, words: &[String], weight: f32| {
        let features = vocabulary.learn(words);
        if !features.is_empty() {
            phrases.push(Phrase { skill: at, place, text: text.to_owned(), features, weight });
        }
    };
    add(Place::Name, &skill.name, &words::of_text(&skill.name), tuning.name);
    for trigger in &skill.triggers {
        let weight = 1.0 - tuning.confidence * (1.0 - trigger.confidence);
        let pattern = words::of_text(&trigger.pattern);
        add(Place::Trigger, &trigger.pattern, &pattern, weight);
        let mut together = pattern;
        for example in &trigger.examples {
            let words = words::of_text(example);
            add(Place::Example, example, &words, weight);
            together.extend(words);
        }
        if !trigger.examples.is_empty() {
            add(Place::Together, &trigger.pattern, &together, weight * tuning.together);
        }
    }
    for keyword in &skill.keywords {
        add(Place::Keyword, keyword, &words::of_text(keyword), tuning.keyword);
    }
    for said in quoted(&skill.description) {
        add(Place::Quoted, said, &words::of_text(said), tuning.quoted);
    }
    phrases
}

/// What a description puts between double quotes: authors quote what people say.
fn quoted(description: &str) -> impl Iterator<Item = &str> {
    description.split('"').skip(1).step_by(2).filter(|said| said.len() <= QUOTED_CHARS)
}

/// The features that descriptions are known by: the pieces of words would drown the rest.
pub(super) fn without_grams(features: &[u32], vocabulary: &Vocabulary) -> Vec<u32> {
    features.iter().copied().filter(|&feature| vocabulary.sort(feature) != Sort::Gram).collect()
}
