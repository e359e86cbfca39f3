//! Which skill a message is for: the best candidates with the reasons, or none.

use std::sync::Arc;

use serde::Serialize;

use super::index::{Fit, Fits, Index};
use super::phrases::Place;
use super::skill::Skill;
use super::words;

/// How many candidates a choice names.
pub const CANDIDATES: usize = 5;

/// A skill that scores less is no answer.
pub const THRESHOLD: f32 = 0.3;

/// Sums of signs as near as this are a tie.
const TIE: f32 = 0.02;
/// How far behind a sequence may be when the message asks for all of a job.
const WHOLE_JOB_TIE: f32 = 0.5;
/// Scores as near as this are called narrow.
const NEAR: f32 = 0.02;
/// Words that ask for all of a job and not for one step.
const WHOLE_JOB: &[&str] = &["complete", "entire", "end", "everything", "full", "pack", "whole", "workflow"];

/// The sum of all signs that is as good as even, and how fast the score grows around it.
const EVEN: f32 = 3.4;
const SPREAD: f32 = 1.4;
/// What the sum loses when some of the words are strange to the library, and when most are: everyday talk
/// shares a word here and there with every library.
const SOME_STRANGE: f32 = 1.2;
const MOST_STRANGE: f32 = 2.2;

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The best first.
    pub candidates: Vec<Candidate>,
    /// The place of the chosen candidate; none when nothing reaches the threshold.
    pub chosen: Option<usize>,
    /// How it came about, a sentence each.
    pub trace: Vec<String>,
}

/// A skill that a message may be for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    pub key: String,
    pub name: String,
    /// 0 to 1.
    pub score: f32,
    pub is_sequence: bool,
    /// What speaks for it.
    pub why: String,
}

impl Choice {
    /// The candidate that was chosen.
    pub fn chosen(&self) -> Option<&Candidate> {
        self.candidates.get(self.chosen?)
    }
}

struct Ranked<'a> {
    skill: &'a Arc<Skill>,
    fit: Fit,
    score: f32,
}

/// Ranks the skills, which are those of the index, in its order.
pub(super) fn choose(skills: &[Arc<Skill>], index: &Index, message: &str) -> Choice {
    let mut trace = Vec::new();
    let words = words::of_message(message);
    let Fits { of_skills, known, unknown } = index.fits(&words);
    let strange = match unknown {
        0 => 0.0,
        some if some < known => SOME_STRANGE,
        _ => MOST_STRANGE,
    };
    if unknown > 0 {
        trace.push(format!("{unknown} of {} words are strange to the library", known + unknown));
    }
    let fitting = |(skill, fit): (_, Fit)| {
        fit.phrase.is_some().then(|| Ranked { skill, fit, score: score(fit.score - strange) })
    };
    let mut ranked: Vec<Ranked<'_>> = skills.iter().zip(of_skills).filter_map(fitting).collect();
    let order = |a: &Ranked<'_>, b: &Ranked<'_>| {
        b.score.total_cmp(&a.score).then_with(|| a.skill.key.cmp(&b.skill.key))
    };
    if ranked.len() > CANDIDATES {
        ranked.select_nth_unstable_by(CANDIDATES, order);
        ranked.truncate(CANDIDATES);
    }
    ranked.sort_by(order);
    prefer_sequence(&mut ranked, &words, &mut trace);
    let candidates: Vec<Candidate> = ranked.iter().map(|ranked| candidate(ranked, index, &words)).collect();
    let chosen = candidates.first().filter(|best| best.score >= THRESHOLD).map(|_| 0);
    trace.push(verdict(&candidates, chosen));
    Choice { candidates, chosen, trace }
}

/// A sequence goes before a single skill when both fit alike, all the more when the whole job is asked for.
fn prefer_sequence(ranked: &mut [Ranked<'_>], words: &[String], trace: &mut Vec<String>) {
    let Some(best) = ranked.first().filter(|best| !best.skill.is_sequence()) else { return };
    let asks_for_all = words.iter().any(|word| WHOLE_JOB.contains(&word.as_str()));
    let margin = if asks_for_all { WHOLE_JOB_TIE } else { TIE };
    let near = |other: &Ranked<'_>| other.skill.is_sequence() && best.fit.score - other.fit.score <= margin;
    let Some(place) = ranked.iter().position(near) else { return };
    trace.push(format!(
        "`{}` ({:.2}) and the sequence `{}` ({:.2}) fit alike{}: the sequence goes first",
        best.skill.key,
        best.score,
        ranked[place].skill.key,
        ranked[place].score,
        if asks_for_all { " and the whole job is asked for" } else { "" },
    ));
    ranked[place].score = best.score;
    ranked[..=place].rotate_right(1);
}

fn candidate(ranked: &Ranked<'_>, index: &Index, words: &[String]) -> Candidate {
    Candidate {
        key: ranked.skill.key.clone(),
        name: ranked.skill.name.clone(),
        score: ranked.score,
        is_sequence: ranked.skill.is_sequence(),
        why: why(&ranked.fit, index, words),
    }
}

/// What speaks for a skill, the strongest sign first.
fn why(fit: &Fit, index: &Index, words: &[String]) -> String {
    let Some(phrase) = fit.phrase.map(|at| index.phrase(at)) else { return String::new() };
    let is_exact = words == words::of_text(&phrase.text);
    let likeness = match (is_exact, phrase.place) {
        (true, place) => format!("says its {} “{}”", place.name(), phrase.text),
        (false, Place::Keyword | Place::Name) => format!("has its {} “{}”", phrase.place.name(), phrase.text),
        (false, place) => format!("is like its {} “{}” ({:.2})", place.name(), phrase.text, fit.best),
    };
    format!("{likeness}; words {:.2}, learned {:.1}", fit.lexical, fit.learned)
}

fn verdict(candidates: &[Candidate], chosen: Option<usize>) -> String {
    match (candidates, chosen) {
        ([], _) => "no skill shares a word with the message".to_owned(),
        ([best, ..], None) => {
            format!("no skill: the best, `{}`, scores {:.2} and {THRESHOLD} is needed", best.key, best.score)
        }
        ([best], Some(_)) => format!("`{}` is chosen with {:.2}", best.key, best.score),
        ([best, next, ..], Some(_)) => {
            let how = if best.score - next.score < NEAR { "narrowly before" } else { "before" };
            format!(
                "`{}` is chosen with {:.2}, {how} `{}` with {:.2}",
                best.key, best.score, next.key, next.score
            )
        }
    }
}

/// The sum of the signs as a score from 0 to 1.
fn score(sum: f32) -> f32 {
    1.0 / (1.0 + ((EVEN - sum) / SPREAD).exp())
}

#[cfg(test)]
mod tests {
    use super::super::{Library, Shelf, Trigger};
    use super::*;

    fn skill(key: &str, category: &str, patterns: &[&str], description: &str) -> Skill {
        let trigger = |pattern: &&str| Trigger {
            pattern: (*pattern).to_owned(),
            confidence: 0.9,
            ..Trigger::default()
        };
        Skill {
            key: key.to_owned(),
            name: key.replace('-', " "),
            category: Some(category.to_owned()),
            description: description.to_owned(),
            triggers: patterns.iter().map(trigger).collect(),
            ..Skill::default()
        }
    }

    fn library() -> Library {
        let skills = vec![
            skill(
                "meeting-brief",
                "sales",
                &["prep me for my meeting", "brief me before the call"],
                "A brief before a meeting.",
            ),
            skill(
                "seq-meeting",
                "agent-sequence",
                &["prepare my whole meeting", "full meeting preparation"],
                "Everything around a meeting.",
            ),
            skill(
                "no-show",
                "sales",
                &["they did not show up", "no-show follow-up"],
                "Draft a mail to somebody who missed a meeting.",
            ),
            skill(
                "client-risk",
                "sales",
                &["which clients are at risk", "churn review"],
                "Find clients who may leave.",
            ),
        ];
        Library::new(Shelf { skills, findings: Vec::new() })
    }

    fn chosen(message: &str) -> Option<String> {
        library().choose(message).chosen().map(|candidate| candidate.key.clone())
    }

    #[test]
    fn a_trigger_is_found_exactly_misspelt_and_in_other_words() {
        for message in [
            "prep me for my meeting",
            "Could you please PREP me for my  meeting? Thanks!",
            "prepare me for my meetng",
            "get me ready for my call with Acme",
        ] {
            assert_eq!(chosen(message).as_deref(), Some("meeting-brief"), "{message}");
        }
        assert_eq!(chosen("customers in danger of leaving").as_deref(), Some("client-risk"));
    }

    #[test]
    fn everyday_talk_chooses_nothing_and_says_so() {
        for message in ["", "tell me a joke about penguins", "translate good morning into French", "🦊"] {
            let choice = library().choose(message);
            assert_eq!(choice.chosen, None, "{message}: {:?}", choice.trace);
            assert!(choice.trace.iter().any(|line| line.contains("no skill")), "{:?}", choice.trace);
        }
    }

    #[test]
    fn a_sequence_goes_first_when_the_whole_job_is_asked_for() {
        assert_eq!(chosen("full and complete meeting preparation").as_deref(), Some("seq-meeting"));
    }

    #[test]
    fn the_trace_names_what_spoke_for_the_choice() {
        let choice = library().choose("churn review");
        assert_eq!(choice.candidates[0].why.split(';').next(), Some("says its trigger “churn review”"));
        assert!(choice.trace[0].starts_with("`client-risk` is chosen with"), "{:?}", choice.trace);
        assert!(
            choice.candidates.is_sorted_by(|a, b| a.score >= b.score)
                && choice.candidates.len() <= CANDIDATES
        );
    }

    #[test]
    fn a_hostile_message_costs_little_and_an_empty_library_has_no_answer() {
        let message = "deal meeting follow up 🦊 /x ".repeat(400);
        assert!(library().choose(&message).candidates.len() <= CANDIDATES);
        assert_eq!(Library::new(Shelf::default()).choose("prep me").chosen, None);
    }
}
