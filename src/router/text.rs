//! A message as the parser sees it: words, numbers and addresses, each with its place in the message.
//!
//! Case never decides anything, so that shouting and careless typing give the same answer.

use std::ops::Range;

use chrono::NaiveDate;

use super::shorthand::{expand, shortened};

/// The longest message that is read; more than this is no request for rows.
pub(super) const MESSAGE_BYTES_MAX: usize = 600;
/// The most words a request for rows has.
const TOKENS_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// The bytes of the message it stands for. Two tokens may share them: `don't` is `do` and `not`.
    pub span: Range<usize>,
    /// Lower-case, without accents of typography; empty for marks.
    pub word: String,
    pub kind: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TokenKind {
    Word,
    Number(f64),
    /// A number that stands for a place in a row: `3rd`.
    Ordinal(u32),
    Date(NaiveDate),
    /// `2026-03`, by its first day.
    Month(NaiveDate),
    Email,
    /// A host or a web address.
    Address,
    /// Text in quotation marks; the span leaves the marks out.
    Quoted,
    /// `'s` after a name.
    Possessive,
    /// A sign that compares or assigns: `=`, `>=`, `->`.
    Sign,
    /// Punctuation between parts.
    Mark(char),
}

/// The tokens of a message; none when it is too long to be a request for rows.
pub(super) fn tokens(message: &str) -> Option<Vec<Token>> {
    if message.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let mut found = Vec::with_capacity(message.len() / 4);
    let mut at = 0;
    while let Some(c) = message.get(at..).and_then(|rest| rest.chars().next()) {
        at = if c.is_whitespace() { at + c.len_utf8() } else { read(message, at, c, &mut found) };
        if found.len() > TOKENS_MAX {
            return None;
        }
    }
    Some(found)
}

/// The tokens without the manners around a request, which change nothing of what is asked.
pub(super) fn without_manners(mut tokens: Vec<Token>) -> Vec<Token> {
    let is_mark = |token: &Token| matches!(token.kind, TokenKind::Mark('.' | ',' | '!' | '?' | '…'));
    while tokens.last().is_some_and(|token| {
        is_mark(token) || ["please", "thanks", "cheers", "kindly"].contains(&token.word.as_str())
    }) {
        tokens.pop();
        let thanked =
            matches!(tokens.as_slice(), [.., thank, you] if thank.word == "thank" && you.word == "you");
        if thanked {
            tokens.truncate(tokens.len() - 2);
        }
    }
    if matches!(tokens.as_slice(), [_, .., thank, you] if thank.word == "thank" && you.word == "you") {
        tokens.truncate(tokens.len() - 2);
        return without_manners(tokens);
    }
    let word = |at: usize| tokens.get(at).map_or("", |token| token.word.as_str());
    let mut start = 0;
    while ["hi", "hey", "hello", "please", "kindly"].contains(&word(start))
        || (start > 0 && tokens.get(start).is_some_and(is_mark))
    {
        start += 1;
    }
    if ["can", "could", "would", "will"].contains(&word(start)) && word(start + 1) == "you" {
        start += 2;
        while ["please", "kindly", "mind"].contains(&word(start)) {
            start += 1;
        }
    }
    // Manners alone are a message, too.
    if start < tokens.len() {
        tokens.drain(..start);
    }
    tokens
}

/// The words of a phrase of the vocabulary.
pub(super) fn words(phrase: &str) -> Vec<String> {
    tokens(phrase)
        .unwrap_or_default()
        .into_iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Number(_)))
        .map(|token| token.word)
        .collect()
}

fn read(message: &str, at: usize, c: char, found: &mut Vec<Token>) -> usize {
    if let Some(end) = quoted(message, at, c, found) {
        return end;
    }
    if c.is_alphanumeric() || is_money(c) {
        return run(message, at, found);
    }
    sign(message, at, c, found)
}

fn is_money(c: char) -> bool {
    matches!(c, '$' | '€' | '£')
}

/// Text between quotation marks, when they close.
fn quoted(message: &str, at: usize, c: char, found: &mut Vec<Token>) -> Option<usize> {
    let close = match c {
        '"' => '"',
        '“' => '”',
        '‘' => '’',
        '«' => '»',
        '\'' => '\'',
        _ => return None,
    };
    let start = at + c.len_utf8();
    let rest = message.get(start..)?;
    let length = if c == '\'' {
        // An apostrophe closes only where a word ends.
        rest.char_indices().find(|(i, c)| {
            *c == '\'' && rest.get(i + 1..).is_none_or(|after| !after.starts_with(char::is_alphanumeric))
        })?
    } else {
        rest.char_indices().find(|(_, c)| *c == close || (close == '”' && *c == '"'))?
    };
    let (length, closing) = length;
    let inner = rest.get(..length)?;
    if inner.trim().is_empty() {
        return None;
    }
    let lead = inner.len() - inner.trim_start().len();
    let span = start + lead..start + lead + inner.trim().len();
    let date = inner.trim().parse::<NaiveDate>();
    let kind = date.map_or(TokenKind::Quoted, TokenKind::Date);
    found.push(Token { span, word: inner.trim().to_lowercase(), kind });
    Some(start + length + closing.len_utf8())
}

/// A run of letters and digits with what joins them: a word, a number, an address.
fn run(message: &str, at: usize, found: &mut Vec<Token>) -> usize {
    let rest = message.get(at..).unwrap_or_default();
    let length =
        rest.find(|c: char| c.is_whitespace() || "\"“”«»()[]{};!?<>=|*".contains(c)).unwrap_or(rest.len());
    let chunk = rest.get(..length).unwrap_or_default().trim_end_matches([',', '.', ':', '\'', '’', '-']);
    if let Some(kind) = address(chunk) {
        let end = at + chunk.len();
        found.push(Token { span: at..end, word: chunk.to_lowercase(), kind });
        return end;
    }
    if let Some((token, end)) = number(message, at) {
        found.extend(token);
        return end;
    }
    word(message, at, found)
}

fn address(chunk: &str) -> Option<TokenKind> {
    if let Some((user, host)) = chunk.split_once('@') {
        let is_user = !user.is_empty() && user.chars().all(|c| c.is_alphanumeric() || "._%+-".contains(c));
        return (is_user && is_host(host)).then_some(TokenKind::Email);
    }
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| chunk.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let bare = scheme.and_then(|scheme| chunk.get(scheme.len()..));
    let host = bare.unwrap_or(chunk).split('/').next().unwrap_or_default();
    (is_host(host) && (bare.is_some() || chunk.is_ascii())).then_some(TokenKind::Address)
}

/// Whether the text has the form of a host name: labels and a top-level domain of letters.
fn is_host(text: &str) -> bool {
    let mut labels = text.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let mut rest = labels.peekable();
    let long = [
        "info",
        "tech",
        "cloud",
        "online",
        "agency",
        "email",
        "group",
        "world",
        "systems",
        "solutions",
        "software",
        "digital",
        "studio",
        "store",
        "health",
        "capital",
        "company",
        "ventures",
        "consulting",
        "energy",
        "test",
        "academy",
        "bank",
        "engineering",
        "finance",
        "foundation",
        "global",
        "network",
        "partners",
        "shop",
        "site",
        "space",
        "team",
        "video",
        "works",
        "yachts",
        "zone",
        "example",
        "media",
        "design",
        "services",
        "business",
        "dental",
        "house",
        "farm",
        "legal",
    ];
    (top.len() == 2 || top.len() == 3 || long.contains(&top.to_lowercase().as_str()))
        && top.chars().all(|c| c.is_ascii_alphabetic())
        && rest.peek().is_some()
        && rest.all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
        // `e.g.` and sentences without a space are no hosts.
        && text.len() > 4
}

/// A number with its currency, scale and unit: `$10,000`, `2.5k`, `30d`, `3rd`, `2026-03-31`.
fn number(message: &str, at: usize) -> Option<(Vec<Token>, usize)> {
    let rest = message.get(at..)?;
    let money = rest.chars().next().filter(|c| is_money(*c)).map_or(0, char::len_utf8);
    let digits = rest.get(money..)?;
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return (money > 0).then(|| (Vec::new(), at + money));
    }
    if money == 0
        && let Some(date) = digits.get(..10).and_then(|text| text.parse::<NaiveDate>().ok())
    {
        let after = digits.get(10..).unwrap_or_default();
        let length = 10 + after.find(|c: char| c.is_whitespace() || ",;)".contains(c)).unwrap_or(after.len());
        let token = Token { span: at..at + 10, word: String::new(), kind: TokenKind::Date(date) };
        return Some((vec![token], at + length));
    }
    if let Some(month) = month(digits).filter(|_| money == 0) {
        return Some((
            vec![Token { span: at..at + 7, word: String::new(), kind: TokenKind::Month(month) }],
            at + 7,
        ));
    }
    let mut length =
        digits.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.').unwrap_or(digits.len());
    while digits.get(..length)?.ends_with([',', '.']) {
        length -= 1;
    }
    let plain: String = digits.get(..length)?.chars().filter(|c| *c != ',').collect();
    let value: f64 = plain.parse().ok()?;
    let end = at + money + length;
    let letters: String = digits.get(length..)?.chars().take_while(|c| c.is_alphabetic()).collect();
    let after = end + letters.len();
    let token = |kind, end: usize, word: String| Token { span: at..end, word, kind };
    let as_number = |value: f64, end: usize| token(TokenKind::Number(value), end, plain.to_lowercase());
    Some(match letters.to_lowercase().as_str() {
        "" => (vec![as_number(value, end)], end),
        "k" => (vec![as_number(value * 1e3, after)], after),
        "m" | "mm" | "mn" | "mil" | "mio" => (vec![as_number(value * 1e6, after)], after),
        "b" | "bn" => (vec![as_number(value * 1e9, after)], after),
        "st" | "nd" | "rd" | "th" => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a place in a row is small"
            )]
            let place = value as u32;
            (vec![token(TokenKind::Ordinal(place), after, plain)], after)
        }
        unit => {
            let unit = unit_word(unit)?;
            let unit = Token { span: end..after, word: unit.to_owned(), kind: TokenKind::Word };
            (vec![as_number(value, end), unit], after)
        }
    })
}

/// `2026-03`, when no more digits follow.
fn month(digits: &str) -> Option<NaiveDate> {
    let text = digits.get(..7)?;
    let (year, month) = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2)?;
    let alone =
        digits.get(7..).is_none_or(|rest| !rest.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1).filter(|_| alone)
}

/// The unit that letters right after a number stand for.
fn unit_word(letters: &str) -> Option<&'static str> {
    Some(match letters {
        "d" | "day" | "days" => "days",
        "w" | "wk" | "wks" | "weeks" => "weeks",
        "mo" | "mos" | "months" => "months",
        "y" | "yr" | "yrs" | "years" => "years",
        "h" | "hr" | "hrs" => "hours",
        "min" | "mins" | "minutes" => "minutes",
        _ => return None,
    })
}

/// A word, its possessive, and the words that shortened spellings stand for.
fn word(message: &str, at: usize, found: &mut Vec<Token>) -> usize {
    let rest = message.get(at..).unwrap_or_default();
    let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let end = at + length;
    let text = rest.get(..length).unwrap_or_default().to_lowercase();
    let after = rest.get(length..).unwrap_or_default();
    if text == "w" && after.starts_with('/') {
        let without = after.get(1..).is_some_and(|rest| rest.starts_with(['o', 'O']))
            && after.get(2..).is_none_or(|rest| !rest.starts_with(char::is_alphanumeric));
        let (word, extra) = if without { ("without", 2) } else { ("with", 1) };
        found.push(Token { span: at..end + extra, word: word.to_owned(), kind: TokenKind::Word });
        return end + extra;
    }
    let mut tail = after.chars();
    if matches!(tail.next(), Some('\'' | '’')) {
        let mark = after.len() - tail.as_str().len();
        let ending: String = tail.as_str().chars().take_while(|c| c.is_alphanumeric()).collect();
        return shortened(&text, &ending.to_lowercase(), at..end, end + mark + ending.len(), found);
    }
    expand(&text, at..end, found);
    end
}

/// A sign or a mark.
fn sign(message: &str, at: usize, c: char, found: &mut Vec<Token>) -> usize {
    const SIGNS: &[(&str, &str)] = &[
        ("->", "->"),
        ("=>", "->"),
        ("→", "->"),
        (">=", ">="),
        ("≥", ">="),
        ("<=", "<="),
        ("≤", "<="),
        ("!=", "!="),
        ("<>", "!="),
        ("≠", "!="),
        ("==", "="),
        ("=", "="),
        (">", ">"),
        ("<", "<"),
        ("+", "+"),
        ("&", "and"),
        ("#", "#"),
        ("@", "@"),
    ];
    let rest = message.get(at..).unwrap_or_default();
    for (written, word) in SIGNS {
        if rest.starts_with(written) {
            let end = at + written.len();
            let kind = if *word == "and" { TokenKind::Word } else { TokenKind::Sign };
            found.push(Token { span: at..end, word: (*word).to_owned(), kind });
            return end;
        }
    }
    let end = at + c.len_utf8();
    // "-archived" leaves something out, as in a search box.
    let alone =
        message.get(..at).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace));
    if c == '-' && alone && rest.get(1..).is_some_and(|after| after.starts_with(char::is_alphabetic)) {
        found.push(Token { span: at..end, word: "not".to_owned(), kind: TokenKind::Word });
        return end;
    }
    // What joins the parts of a word is no mark: `no-show`, `meeting_outcome`.
    let joins = matches!(c, '-' | '_' | '/' | '\'' | '’' | '.' | '*' | '`')
        && rest.get(c.len_utf8()..).is_some_and(|after| after.starts_with(char::is_alphanumeric))
        && at > 0
        && message.get(..at).is_some_and(|before| before.ends_with(char::is_alphanumeric));
    if !joins && !matches!(c, '*' | '`' | '\'' | '’') {
        found.push(Token { span: at..end, word: String::new(), kind: TokenKind::Mark(c) });
    }
    end
}
