//! The crate's own source text, for the tests that check rules on it.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the crate's root, its text, and the text with only the code left.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) code: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of tests/it that holds a module, not data.
pub(crate) fn is_module_folder(name: &str) -> bool {
    root().join("tests/it").join(name).join("mod.rs").is_file()
}

/// Every Rust file under `folder`, in order of path.
pub(crate) fn rust_files(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    assert!(!paths.is_empty(), "no Rust files under {folder}");
    paths.iter().map(|path| read(path)).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("UTF-8 source");
    let path = path.strip_prefix(root()).expect("a path under the root").to_string_lossy().replace('\\', "/");
    let code = code_only(&text);
    Source { path, text, code }
}

/// `text` with comments and the insides of strings and characters blanked; lines and columns stay.
pub(crate) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        let end = end_of_text(&chars, at, after_word);
        if end > at {
            code.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            code.push(chars[at]);
            at += 1;
        }
    }
    code
}

/// The end of the comment, string or character that starts at `at`, or `at` when code goes on there.
fn end_of_text(chars: &[char], at: usize, after_word: bool) -> usize {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => position(chars, at, |rest| rest[0] == '\n'),
        '/' if next == Some('*') => end_of_block_comment(chars, at),
        '"' => end_of_string(chars, at),
        'r' if !after_word => end_of_raw_string(chars, at, at + 1),
        'b' | 'c' if !after_word && next == Some('r') => end_of_raw_string(chars, at, at + 2),
        // A lone quote is a lifetime; a character closes again after one character or an escape.
        '\'' if next == Some('\\') => position(chars, at + 3, |rest| rest[0] == '\'') + 1,
        '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn position(chars: &[char], from: usize, found: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|&at| found(&chars[at..])).unwrap_or(chars.len())
}

fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (at, depth) = (at + 2, depth + 1),
            ('*', '/') => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// `hashes` is where the `#`s of a raw string would begin; an identifier that starts so is not one.
fn end_of_raw_string(chars: &[char], start: usize, hashes: usize) -> usize {
    let quote = position(chars, hashes, |rest| rest[0] != '#');
    if chars.get(quote) != Some(&'"') {
        return start;
    }
    let close: Vec<char> = std::iter::once('"').chain(vec!['#'; quote - hashes]).collect();
    (position(chars, quote + 1, |rest| rest.starts_with(&close)) + close.len()).min(chars.len())
}

/// `code` without the items that exist only in tests.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut rest = code.to_owned();
    while let Some(start) = rest.find(MARK) {
        let end = end_of_item(&rest, start + MARK.len());
        let blank: String = rest[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        rest.replace_range(start..end, &blank);
    }
    rest
}

/// Where the item whose text begins at `from` ends: behind its braces, or behind `;` if it has none.
pub(crate) fn end_of_item(code: &str, from: usize) -> usize {
    let (mut braces, mut brackets) = (0, 0);
    for (at, c) in code[from..].char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            ';' => {}
            _ => continue,
        }
        if matches!(c, ';' | '}') && braces == 0 && brackets == 0 {
            return from + at + 1;
        }
    }
    code.len()
}

#[test]
fn only_code_is_left_of_a_source_text() {
    let text =
        "let a = \"crate::x // {\"; // crate::y\nlet b = '{'; /* a /* b */ c */ fn c<'a>(d: &'a str) {}";
    let code = code_only(text);
    assert_eq!(code.len(), text.len());
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words.join(" "), "let a = ; let b = ; fn c<'a>(d: &'a str) {}");
}

#[test]
fn raw_strings_and_escapes_are_blanked_whole() {
    let code = code_only(r##"f(r#"a "quoted" {"#, "\"{", '\'', b"{", br"{", '\u{7b}'); for_r("x")"##);
    assert_eq!(code.split_whitespace().collect::<String>(), "f(,,,b,,);for_r()");
}

#[test]
fn items_of_tests_are_left_out() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { x.unwrap() } }\nfn c() {}";
    assert_eq!(without_tests(code).split_whitespace().collect::<String>(), "fna(){}fnc(){}");
}
