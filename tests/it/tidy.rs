//! Rules on the source text itself, so that nobody has to watch over them.

use crate::source::{self, Source};

const LINES_PER_FILE: usize = 500;
const LINES_PER_FUNCTION: usize = 100;
const LINES_PER_SCREEN: usize = 70;

#[test]
fn files_stay_short() {
    report(everything().iter().filter(|file| file.text.lines().count() > LINES_PER_FILE).map(|file| {
        format!("{} has {} lines, more than {LINES_PER_FILE}", file.path, file.text.lines().count())
    }));
}

#[test]
fn functions_stay_short() {
    let files = everything();
    let functions: Vec<(String, usize)> = files.iter().flat_map(functions).collect();
    report(functions.iter().filter(|(_, lines)| *lines > LINES_PER_FUNCTION).map(too_long));
    let long: Vec<_> = functions.iter().filter(|(_, lines)| *lines > LINES_PER_SCREEN).collect();
    assert!(
        long.len() * 50 <= functions.len(),
        "more than 2 % of the functions do not fit a screen:\n{}",
        long.into_iter().map(too_long).collect::<Vec<_>>().join("\n")
    );
}

fn too_long((place, lines): &(String, usize)) -> String {
    format!("{place} has {lines} lines")
}

#[test]
fn nothing_is_left_over() {
    // Spelled in halves, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("to", "do!"),
        concat!("unimple", "mented!"),
        concat!("db", "g!("),
    ];
    report(everything().iter().flat_map(|file| lines_with(file, &file.text, &marks)));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent = source::rust_files("src").into_iter().filter(|file| !file.text.starts_with("//!"));
    report(silent.map(|file| format!("{} does not start with `//!`", file.path)));
}

#[test]
fn no_path_of_one_machine() {
    let here = format!("{}/", source::root().display());
    let homes = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), here.as_str()];
    // A crate right under the root has a name that may stand in any text.
    let known = if here.matches('/').count() > 2 { &homes[..] } else { &homes[..3] };
    report(everything().iter().flat_map(|file| lines_with(file, &file.text, known)));
}

#[test]
fn only_tests_unwrap() {
    let files = source::rust_files("src");
    let test_files: Vec<String> = files.iter().flat_map(test_modules).collect();
    report(files.iter().filter(|file| !test_files.contains(&file.path)).flat_map(|file| {
        let code = source::without_tests(&file.code);
        lines_with(file, &code, &[".unwrap()"])
    }));
}

/// The paths of the files that `file` declares as `#[cfg(test)] mod name;`.
fn test_modules(file: &Source) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let declarations = file.code.split("#[cfg(test)]").skip(1);
    let names = declarations.filter_map(|code| code.split_once(';')?.0.split_once("mod "));
    names.map(|(_, name)| format!("{folder}/{name}.rs")).collect()
}

fn everything() -> Vec<Source> {
    source::rust_files("src").into_iter().chain(source::rust_files("tests")).collect()
}

#[track_caller]
fn report(faults: impl Iterator<Item = String>) {
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn lines_with(file: &Source, text: &str, marks: &[&str]) -> Vec<String> {
    let lines = text.lines().zip(1..).filter_map(|(line, number)| {
        let mark = marks.iter().find(|mark| line.contains(**mark))?;
        Some(format!("{}:{number} says {mark}", file.path))
    });
    lines.collect()
}

/// Each function of a file as `path: name`, with its number of lines from `fn` to its closing brace.
fn functions(file: &Source) -> Vec<(String, usize)> {
    let code = &file.code;
    let starts_word = |at: usize| code[..at].is_empty() || code[..at].ends_with(char::is_whitespace);
    // `fn $name` is the pattern of a macro, not a function.
    let is_named = |at: usize| starts_word(at) && !code[at + 3..].starts_with('$');
    let functions = code.match_indices("fn ").filter(|(at, _)| is_named(*at)).map(|(at, _)| {
        let end = source::end_of_item(code, at);
        let name: String = code[at + 3..].chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
        (format!("{}: {name}", file.path), code[at..end].matches('\n').count() + 1)
    });
    functions.collect()
}

#[test]
fn a_function_is_measured_from_its_name_to_its_brace() {
    let text = "trait A { fn a(); }\nfn b(x: [u8; 2]) -> u8 {\n    \"}\";\n    1\n}\nconst C: fn(u8) = d;";
    let file = Source { path: "x.rs".to_owned(), text: text.to_owned(), code: source::code_only(text) };
    assert_eq!(functions(&file), [("x.rs: a".to_owned(), 1), ("x.rs: b".to_owned(), 4)]);
}

#[test]
fn a_file_of_tests_is_known_by_its_declaration() {
    let code = "mod a;\n#[cfg(test)]\npub(crate) mod testing;\n#[cfg(test)]\nmod tests { use super::a; }";
    let file = Source { path: "src/x/mod.rs".to_owned(), text: String::new(), code: code.to_owned() };
    assert_eq!(test_modules(&file)[0], "src/x/testing.rs");
}
