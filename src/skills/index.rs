//! What a library's skills say of themselves, turned so that a message finds them by its words.
//!
//! Three views of the same texts: each field as a BM25 document of its skill; each phrase as a vector to be held
//! against the whole message; and what the phrases together teach about every feature.

use bm25::{Embedder, EmbedderBuilder, TokenEmbedder, Tokenizer};

use super::learned::{Example, Learned};
use super::phrases::{self, Phrase};
use super::skill::Skill;
use super::tuning::{Tuning, number};
use super::vocabulary::{Sort, Vocabulary};
use super::words;

/// The parts of a skill that are ranked on their own: name, phrases, keywords, description.
const FIELDS: usize = 4;

#[derive(Debug)]
pub(super) struct Index {
    tuning: Tuning,
    vocabulary: Vocabulary,
    /// By feature: how much it tells.
    telling: Vec<f32>,
    /// By feature: the skills that have it, with its BM25 weight over all fields.
    postings: Vec<Vec<(u32, f32)>>,
    /// By feature: the phrases that have it.
    in_phrases: Vec<Vec<u32>>,
    phrases: Vec<Phrase>,
    /// By phrase: the length of its vector.
    lengths: Vec<f32>,
    learned: Learned,
    skills: usize,
}

/// How well a message fits one skill, by each view and in all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fit {
    pub(super) score: f32,
    /// How alike the message and the best phrase are, 0 to 1, and which phrase it is.
    pub(super) best: f32,
    pub(super) phrase: Option<u32>,
    pub(super) second: f32,
    pub(super) votes: f32,
    pub(super) lexical: f32,
    /// The chance that was learned, as a logarithm: 1 is certain, 0 no better than a blind guess.
    pub(super) learned: f32,
}

/// The fits of all skills in the order of the library, and how many of the words that say something the
/// library knows.
pub(super) struct Fits {
    pub(super) of_skills: Vec<Fit>,
    pub(super) known: usize,
    pub(super) unknown: usize,
}

/// Features are numbers already: a document is handed to the BM25 crate as their text.
#[derive(Debug, Clone, Copy)]
struct Numbers;

impl Tokenizer for Numbers {
    fn tokenize(&self, text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }
}

impl TokenEmbedder for Numbers {
    type EmbeddingSpace = u32;

    fn embed(token: &str) -> u32 {
        token.parse().unwrap_or(u32::MAX)
    }
}

impl Index {
    pub(super) fn new(skills: &[Skill], tuning: Tuning) -> Index {
        let mut vocabulary = Vocabulary::new();
        let (mut phrases, mut documents) = (Vec::new(), Vec::new());
        for (skill, at) in skills.iter().zip(0..) {
            let own = phrases::of(skill, at, &mut vocabulary, &tuning);
            documents.push(fields(skill, &own, &mut vocabulary));
            phrases.extend(own);
        }
        let telling = telling(&documents, &vocabulary, &tuning);
        let mut index = Index {
            postings: postings(&documents, &telling, &tuning),
            in_phrases: vec![Vec::new(); vocabulary.len()],
            lengths: Vec::with_capacity(phrases.len()),
            learned: Learned::new(&[], 0, 0, &tuning),
            skills: skills.len(),
            tuning,
            vocabulary,
            telling,
            phrases,
        };
        index.line_up_phrases();
        let examples = index.examples();
        index.learned = Learned::new(&examples, index.telling.len(), index.skills, &index.tuning);
        index
    }

    fn line_up_phrases(&mut self) {
        for (phrase, at) in self.phrases.iter_mut().zip(0..) {
            phrase.features.sort_unstable();
            phrase.features.dedup();
            for &feature in &phrase.features {
                self.in_phrases[feature as usize].push(at);
            }
            self.lengths.push(length(&self.telling, &phrase.features));
        }
    }

    /// What is learned from: every phrase.
    fn examples(&self) -> Vec<Example> {
        let example = |phrase: &Phrase| Example {
            vector: self.vector(&phrase.features),
            skill: phrase.skill,
            weight: if phrase.place.is_spoken() { phrase.weight } else { self.tuning.learned_keyword },
        };
        self.phrases.iter().map(example).collect()
    }

    /// A text's features as they are learned, all texts equally long. Pieces of words are too many for it.
    fn vector(&self, features: &[u32]) -> Vec<(u32, f32)> {
        let whole = phrases::without_grams(features, &self.vocabulary);
        let scale = self.tuning.scale / length(&self.telling, &whole).max(f32::EPSILON);
        whole.into_iter().map(|feature| (feature, self.telling[feature as usize] * scale)).collect()
    }

    pub(super) fn phrase(&self, at: u32) -> &Phrase {
        &self.phrases[at as usize]
    }

    /// How well a message of these words fits each skill.
    pub(super) fn fits(&self, words: &[String]) -> Fits {
        let (features, unknown) = self.vocabulary.recall(words);
        let known = words.iter().filter(|word| words::says_something(word)).count() - unknown;
        let mut fits = vec![Fit::default(); self.skills];
        if features.is_empty() {
            return Fits { of_skills: fits, known, unknown };
        }
        let strange = rarity(1.0, self.skills, &self.tuning) * self.tuning.unknown;
        let strangers = number(unknown) * strange * strange;
        let length = (length(&self.telling, &features).powi(2) + strangers).sqrt();
        self.compare_phrases(&features, length, &mut fits);
        self.compare_fields(&features, number(unknown) * strange, &mut fits);
        let learned = self.learned.chances(&self.vector(&features));
        let (tuning, blind) = (&self.tuning, number(self.skills.max(2)).ln());
        for (fit, learned) in fits.iter_mut().zip(learned) {
            fit.learned = 1.0 + learned / blind;
            fit.votes = fit.votes.powf(1.0 / tuning.vote_power);
            fit.score = fit.best
                + tuning.second * fit.second
                + tuning.votes * fit.votes
                + tuning.lexical * fit.lexical
                + tuning.learned * fit.learned;
        }
        Fits { of_skills: fits, known, unknown }
    }

    /// The cosine of the message with every phrase it shares something with.
    fn compare_phrases(&self, features: &[u32], length: f32, fits: &mut [Fit]) {
        let mut shared = vec![0.0_f32; self.phrases.len()];
        for &feature in features {
            let telling = self.telling[feature as usize];
            for &phrase in &self.in_phrases[feature as usize] {
                shared[phrase as usize] += telling * telling;
            }
        }
        for (((phrase, length_of), in_common), at) in
            self.phrases.iter().zip(&self.lengths).zip(shared).zip(0..)
        {
            if in_common == 0.0 {
                continue;
            }
            let alike = phrase.weight * in_common / (length * length_of);
            let fit = &mut fits[phrase.skill as usize];
            fit.votes += alike.powf(self.tuning.vote_power);
            if alike > fit.best {
                (fit.second, fit.best, fit.phrase) = (fit.best, alike, Some(at));
            } else {
                fit.second = fit.second.max(alike);
            }
        }
    }

    /// The BM25 score of the message's features over all fields, beside the most they could give.
    fn compare_fields(&self, features: &[u32], strangers: f32, fits: &mut [Fit]) {
        let mut most = strangers;
        for &feature in features {
            if self.vocabulary.sort(feature) != Sort::Pair {
                most += self.telling[feature as usize];
            }
            for &(skill, weight) in &self.postings[feature as usize] {
                fits[skill as usize].lexical += weight;
            }
        }
        for fit in fits {
            fit.lexical /= most.max(f32::EPSILON) * (self.tuning.k1 + 1.0);
        }
    }
}

/// The features of each field of a skill, as often as they occur.
fn fields(skill: &Skill, own: &[Phrase], vocabulary: &mut Vocabulary) -> [Vec<u32>; FIELDS] {
    use phrases::Place;

    let of = |places: &[Place]| {
        let phrases = own.iter().filter(|phrase| places.contains(&phrase.place));
        phrases.flat_map(|phrase| &phrase.features).copied().collect::<Vec<u32>>()
    };
    let (name, spoken, keywords) =
        (of(&[Place::Name]), of(&[Place::Trigger, Place::Example, Place::Together]), of(&[Place::Keyword]));
    let description = vocabulary.learn(&words::of_text(&skill.description));
    [name, spoken, keywords, phrases::without_grams(&description, vocabulary)]
}

/// How much each feature tells: more the fewer skills have it, and by its sort.
fn telling(documents: &[[Vec<u32>; FIELDS]], vocabulary: &Vocabulary, tuning: &Tuning) -> Vec<f32> {
    let mut skills_with = vec![0.0_f32; vocabulary.len()];
    for document in documents {
        let mut features: Vec<u32> = document.iter().flatten().copied().collect();
        features.sort_unstable();
        features.dedup();
        for feature in features {
            skills_with[feature as usize] += 1.0;
        }
    }
    skills_with
        .into_iter()
        .zip(0..)
        .map(|(skills_with, feature)| {
            let by_sort = match vocabulary.sort(feature) {
                Sort::Word => 1.0,
                Sort::Filler => tuning.filler,
                Sort::Concept => tuning.concept,
                Sort::Pair => tuning.pair,
                Sort::Root => tuning.root,
                Sort::Gram => tuning.gram,
            };
            by_sort * rarity(skills_with.max(1.0), documents.len(), tuning)
        })
        .collect()
}

/// BM25's inverse document frequency, flattened: in a library of a hundred skills a rare word is often an
/// accident.
fn rarity(skills_with: f32, skills: usize, tuning: &Tuning) -> f32 {
    let skills = number(skills);
    ((skills - skills_with + 0.5) / (skills_with + 0.5)).ln_1p().max(0.0).powf(tuning.rarity)
}

fn length(telling: &[f32], features: &[u32]) -> f32 {
    features.iter().map(|&feature| telling[feature as usize].powi(2)).sum::<f32>().sqrt()
}

/// By feature: the skills that have it and how much it counts there, the fields put together.
fn postings(documents: &[[Vec<u32>; FIELDS]], telling: &[f32], tuning: &Tuning) -> Vec<Vec<(u32, f32)>> {
    let embedders: [Embedder<Numbers, Numbers>; FIELDS] = std::array::from_fn(|field| {
        let total: usize = documents.iter().map(|document| document[field].len()).sum();
        let average = (number(total) / number(documents.len().max(1))).max(1.0);
        let builder = EmbedderBuilder::with_tokenizer_and_fit_to_corpus(Numbers, &[]);
        builder.avgdl(average).k1(tuning.k1).b(tuning.b).build()
    });
    let mut postings: Vec<Vec<(u32, f32)>> = vec![Vec::new(); telling.len()];
    for (document, skill) in documents.iter().zip(0..) {
        for ((features, embedder), share) in document.iter().zip(&embedders).zip(tuning.fields) {
            for (feature, weight) in weights(embedder, features) {
                let having = &mut postings[feature as usize];
                let weight = weight * share * telling[feature as usize];
                match having.last_mut() {
                    Some((newest, sum)) if *newest == skill => *sum += weight,
                    _ => having.push((skill, weight)),
                }
            }
        }
    }
    postings
}

/// Each feature of a document once, with its BM25 weight there.
fn weights(embedder: &Embedder<Numbers, Numbers>, features: &[u32]) -> Vec<(u32, f32)> {
    let text: Vec<String> = features.iter().map(u32::to_string).collect();
    let mut weights: Vec<(u32, f32)> =
        embedder.embed(&text.join(" ")).iter().map(|token| (token.index, token.value)).collect();
    weights.sort_unstable_by_key(|(feature, _)| *feature);
    weights.dedup_by_key(|(feature, _)| *feature);
    weights
}
