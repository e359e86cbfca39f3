//! What the phrases of a library teach about its features: which skill each of them speaks for, and against
//! which ones. A softmax over the skills, trained when the library is read; the same library gives the same
//! weights.

use super::tuning::{Tuning, number};

/// The examples are gone through in strides of this prime: learning in the order of the library would favour
/// its end.
const SHUFFLE: usize = 3_571;
/// Skills as unlikely as this are not corrected: it would change nothing and cost most of the time.
const NEGLIGIBLE: f32 = 1e-3;

/// A phrase's features with their weights, the skill it belongs to, and how much it counts.
pub(super) struct Example {
    pub(super) vector: Vec<(u32, f32)>,
    pub(super) skill: u32,
    pub(super) weight: f32,
}

#[derive(Debug)]
pub(super) struct Learned {
    /// By feature, then by skill.
    weights: Vec<f32>,
    skills: usize,
}

impl Learned {
    pub(super) fn new(examples: &[Example], features: usize, skills: usize, tuning: &Tuning) -> Learned {
        let mut learned = Learned { weights: vec![0.0; features * skills], skills };
        let mut chances = vec![0.0; skills];
        let stride = if examples.len().is_multiple_of(SHUFFLE) { 1 } else { SHUFFLE };
        for round in 0..tuning.rounds {
            let step = tuning.step / (1.0 + 0.3 * number(round));
            for turn in 0..examples.len() {
                let example = &examples[(turn * stride + round) % examples.len()];
                learned.correct(example, step * example.weight, &mut chances);
            }
        }
        learned
    }

    fn correct(&mut self, example: &Example, step: f32, chances: &mut [f32]) {
        self.sums(&example.vector, chances);
        let top = chances.iter().copied().fold(f32::MIN, f32::max);
        let mut total = 0.0;
        for chance in chances.iter_mut() {
            *chance = (*chance - top).exp();
            total += *chance;
        }
        let own = example.skill as usize;
        let wrong: Vec<(usize, f32)> = chances
            .iter()
            .enumerate()
            .map(|(skill, chance)| (skill, chance / total - f32::from(u8::from(skill == own))))
            .filter(|(_, excess)| excess.abs() > NEGLIGIBLE)
            .collect();
        for &(feature, value) in &example.vector {
            let row = &mut self.weights[feature as usize * self.skills..][..self.skills];
            for &(skill, excess) in &wrong {
                row[skill] -= step * value * excess;
            }
        }
    }

    fn sums(&self, vector: &[(u32, f32)], sums: &mut [f32]) {
        sums.fill(0.0);
        for &(feature, value) in vector {
            let row = &self.weights[feature as usize * self.skills..][..self.skills];
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
    }

    /// How likely each skill is, as the logarithm of its chance.
    pub(super) fn chances(&self, vector: &[(u32, f32)]) -> Vec<f32> {
        let mut sums = vec![0.0; self.skills];
        self.sums(vector, &mut sums);
        let top = sums.iter().copied().fold(f32::MIN, f32::max);
        let total = sums.iter().map(|sum| (sum - top).exp()).sum::<f32>().ln();
        sums.iter().map(|sum| sum - top - total).collect()
    }
}
