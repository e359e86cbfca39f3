//! Numbers in digits and in words: `2k`, "ten million", "a dozen", "half an hour".

use super::text::{Token, TokenKind};

/// The number that starts at the token, and how many tokens say it.
pub(super) fn numeral(tokens: &[Token], at: usize) -> Option<(usize, f64)> {
    let token = tokens.get(at)?;
    let (mut length, mut value) = match token.kind {
        TokenKind::Number(value) => (1, value),
        TokenKind::Word => small(tokens, at)?,
        _ => return None,
    };
    while let Some(scale) = tokens.get(at + length).and_then(|token| scale(&token.word)) {
        value *= scale;
        length += 1;
        // "a hundred and twenty"
        let word = |i: usize| tokens.get(i).map_or("", |token| token.word.as_str());
        if word(at + length) == "and"
            && (100.0..1e3).contains(&value)
            && let Some((more, rest)) = small(tokens, at + length + 1).filter(|(_, rest)| *rest < 100.0)
        {
            value += rest;
            length += more + 1;
        }
    }
    Some((length, value))
}

/// A number below a hundred in words, "a hundred", "half a million".
fn small(tokens: &[Token], at: usize) -> Option<(usize, f64)> {
    let word = |i: usize| tokens.get(i).map_or("", |token| token.word.as_str());
    match word(at) {
        "a" | "an" if scale(word(at + 1)).is_some() => return Some((1, 1.0)),
        "half" if matches!(word(at + 1), "a" | "an") && scale(word(at + 2)).is_some() => {
            return Some((2, 0.5));
        }
        _ => {}
    }
    if let Some(tens) = TENS.iter().find(|(name, _)| *name == word(at)) {
        let unit =
            UNITS.iter().zip(0..).find(|(name, value)| **name == word(at + 1) && (1..10).contains(value));
        return Some(unit.map_or((1, tens.1), |(_, unit)| (2, tens.1 + f64::from(unit))));
    }
    UNITS.iter().zip(0..).find(|(name, _)| **name == word(at)).map(|(_, value)| (1, f64::from(value)))
}

fn scale(word: &str) -> Option<f64> {
    Some(match word {
        "dozen" => 12.0,
        "hundred" => 100.0,
        "thousand" | "grand" | "k" => 1e3,
        "million" | "mil" | "mn" => 1e6,
        "billion" | "bn" => 1e9,
        _ => return None,
    })
}

const UNITS: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: &[(&str, f64)] = &[
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
];
