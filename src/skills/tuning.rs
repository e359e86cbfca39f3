//! How much each sign counts when a skill is chosen. Found by measuring on messages whose right skill is
//! known; the parts are explained where they are used.

/// The weights of every sign.
#[derive(Debug, Clone)]
pub(super) struct Tuning {
    /// Kinds of features: see `vocabulary::Sort`.
    pub(super) concept: f32,
    pub(super) pair: f32,
    pub(super) root: f32,
    pub(super) gram: f32,
    pub(super) filler: f32,
    /// A word of the message that no skill knows, beside a word that one skill in all of them knows.
    pub(super) unknown: f32,
    /// The power that a feature's rarity is taken to: 0 makes all features alike.
    pub(super) rarity: f32,
    /// The fields of a skill, as BM25 documents: name, phrases, keywords, description.
    pub(super) fields: [f32; 4],
    pub(super) k1: f32,
    pub(super) b: f32,
    /// Phrases by where they stand: keyword, trigger with all its examples, quoted in the description, name. Triggers and examples are 1.
    pub(super) keyword: f32,
    pub(super) together: f32,
    pub(super) quoted: f32,
    pub(super) name: f32,
    /// How far a trigger's confidence lowers its phrases.
    pub(super) confidence: f32,
    /// The sum: the best phrase counts 1; second-best phrase, all phrases together, fields, what was learned.
    pub(super) second: f32,
    pub(super) votes: f32,
    pub(super) lexical: f32,
    pub(super) learned: f32,
    /// The higher, the less many weak phrases count beside a strong one.
    pub(super) vote_power: f32,
    /// Learning: rounds over the phrases, step, length of a phrase's vector, and what a keyword counts beside a
    /// phrase that somebody would say.
    pub(super) rounds: usize,
    pub(super) step: f32,
    pub(super) scale: f32,
    pub(super) learned_keyword: f32,
}

pub(super) const TUNING: Tuning = Tuning {
    concept: 0.85,
    pair: 0.9,
    root: 0.6,
    gram: 0.94,
    filler: 1.63,
    unknown: 0.1,
    rarity: 0.513,
    fields: [0.11, 1.338, 2.763, 3.25],
    k1: 0.203,
    b: 0.067,
    keyword: 0.96,
    together: 0.325,
    quoted: 1.04,
    name: 0.1,
    confidence: 0.495,
    second: 0.154,
    votes: 0.14,
    lexical: 0.55,
    learned: 3.17,
    vote_power: 1.95,
    rounds: 5,
    step: 0.495,
    scale: 2.0,
    learned_keyword: 0.85,
};

/// A count, to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts of skills, phrases and words are far below 2^23")]
pub(super) fn number(count: usize) -> f32 {
    count as f32
}
