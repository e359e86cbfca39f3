//! Words as people shorten them: `don't`, `what's`, `pls`, `tmrw`, `mtgs`.

use std::ops::Range;

use super::text::{Token, TokenKind};

/// What stands before and after an apostrophe.
pub(super) fn shortened(
    text: &str,
    ending: &str,
    span: Range<usize>,
    end: usize,
    found: &mut Vec<Token>,
) -> usize {
    let whole = span.start..end;
    let mut push = |word: &str, span: Range<usize>| {
        found.push(Token { span, word: word.to_owned(), kind: TokenKind::Word });
    };
    let clitic = match ending {
        "t" => {
            let stem = match text {
                "won" => "will",
                "can" => "can",
                "ain" => "is",
                other => other.strip_suffix('n').unwrap_or(other),
            };
            push(stem, whole.clone());
            "not"
        }
        "ve" => "have",
        "re" => "are",
        "ll" => "will",
        "d" => "would",
        "m" => "am",
        "s" | "" if is_asking(text) => "is",
        _ => "",
    };
    if ending == "t" || !clitic.is_empty() {
        if ending != "t" {
            push(text, span);
        }
        push(clitic, whole);
    } else {
        expand(text, span.clone(), found);
        if matches!(ending, "s" | "") {
            found.push(Token { span: span.end..end, word: String::new(), kind: TokenKind::Possessive });
        } else {
            expand(ending, span.end..end, found);
        }
    }
    end
}

/// Words whose `'s` is `is`, not a possessive.
pub(super) fn is_asking(word: &str) -> bool {
    [
        "what", "who", "where", "when", "how", "that", "there", "here", "it", "she", "he", "let", "which",
        "whose",
    ]
    .contains(&word)
}

pub(super) fn expand(word: &str, span: Range<usize>, found: &mut Vec<Token>) {
    let plain: &[&str] = match word {
        "whats" => &["what", "is"],
        "whos" => &["who", "is"],
        "dont" => &["do", "not"],
        "doesnt" => &["does", "not"],
        "didnt" => &["did", "not"],
        "havent" => &["have", "not"],
        "hasnt" => &["has", "not"],
        "isnt" => &["is", "not"],
        "arent" => &["are", "not"],
        "wasnt" => &["was", "not"],
        "weve" => &["we", "have"],
        "ive" => &["i", "have"],
        "im" => &["i", "am"],
        "w" => &["with"],
        "src" => &["source"],
        "pls" | "plz" | "plse" => &["please"],
        "thx" | "ty" | "cheers" => &["thanks"],
        "tmrw" | "tmr" | "tmrrw" => &["tomorrow"],
        "yday" | "yest" => &["yesterday"],
        "wk" => &["week"],
        "wks" => &["weeks"],
        "mo" | "mth" | "mnth" => &["month"],
        "mths" => &["months"],
        "qtr" => &["quarter"],
        "yr" => &["year"],
        "yrs" => &["years"],
        "mins" => &["minutes"],
        "min" if found.last().is_some_and(|token| matches!(token.kind, TokenKind::Number(_))) => &["minutes"],
        "hr" | "hrs" => &["hours"],
        "mtg" | "mtng" => &["meeting"],
        "mtgs" | "mtngs" => &["meetings"],
        "cos" => &["companies"],
        "acct" => &["account"],
        "accts" => &["accounts"],
        "avg" => &["average"],
        "nbr" | "num" => &["number"],
        "cust" => &["customer"],
        "custs" => &["customers"],
        "prio" => &["priority"],
        "btw" => &["between"],
        "thru" => &["through"],
        "til" => &["until"],
        "gimme" => &["give", "me"],
        "wanna" => &["want", "to"],
        "u" => &["you"],
        "r" => &["are"],
        "ppl" => &["people"],
        "coz" | "cuz" => &["because"],
        _ => &[],
    };
    let mut push =
        |word: &str| found.push(Token { span: span.clone(), word: word.to_owned(), kind: TokenKind::Word });
    if plain.is_empty() { push(word) } else { plain.iter().copied().for_each(push) }
}
