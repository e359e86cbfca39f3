//! The direction of dependencies: a module uses the rows above its own, never one beside or below.

use crate::source;

/// The rows of ARCHITECTURE.md, top to bottom. Modules of one row are blind to each other.
const ROWS: &[&[&str]] = &[
    &["error"],
    &["clock", "config"],
    &["fakes"],
    &["store"],
    &["tables"],
    &["records"],
    &["imports", "backfill"],
    &["router", "skills", "automations", "sync"],
    &["tools"],
    &["mcp", "http", "worker"],
    &["app"],
    &["cli"],
];

#[test]
fn modules_only_look_down() {
    let faults: Vec<String> =
        source::rust_files("src").iter().flat_map(|file| faults(&file.path, &file.code)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// What is wrong with the file at `path`, a sentence each.
fn faults(path: &str, code: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let (top, depth) = (inside.split('/').next().unwrap_or(inside), inside.split('/').count());
    if top == "lib" || top == "main" {
        return Vec::new();
    }
    let Some(own_row) = row(top) else {
        return vec![format!("{path}: `{top}` has no row in tests/it/layers.rs; give it one")];
    };
    let mut faults = Vec::new();
    for (line, used) in references(code, depth) {
        let fault = match row(&used) {
            Some(used_row) if used_row < own_row || used == top => continue,
            Some(_) => format!("`{top}` may not use `{used}`: it is not above it"),
            None => format!("`crate::{used}` is not a module; name where it lives"),
        };
        faults.push(format!("{path}:{line}: {fault}"));
    }
    faults
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The top-level names that `code` of a module `depth` levels deep refers to, each with its line.
fn references(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").filter(|(at, _)| starts_word(code, *at)) {
        for name in names(&code[at + "crate::".len()..]) {
            found.push((line_of(code, at), name));
        }
    }
    // Enough `super::`s climb to the root as well; there only a module's name matters.
    let climb = "super::".repeat(depth);
    for (at, _) in code.match_indices(&climb).filter(|(at, _)| starts_word(code, *at)) {
        for name in names(code[at..].trim_start_matches("super::")) {
            if row(&name).is_some() {
                found.push((line_of(code, at), name));
            }
        }
    }
    found
}

fn starts_word(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The first names of a path or of a braced group of paths; exported macros are no modules.
fn names(path: &str) -> Vec<String> {
    if let Some(group) = path.strip_prefix('{') {
        return outer_items(group).into_iter().flat_map(names).collect();
    }
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    let (name, rest) = path.split_at(end);
    if name.is_empty() || rest.starts_with('!') { Vec::new() } else { vec![name.to_owned()] }
}

/// The items of a group up to its closing brace, without splitting the groups inside it.
fn outer_items(group: &str) -> Vec<&str> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                items.push(group[start..at].trim());
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    items
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(faults(path, &source::code_only(text)), expected);
}

#[test]
fn looking_down_and_at_oneself_is_fine() {
    check("src/tools/query.rs", "use crate::store::Tx;\nuse crate::tools::Ctx;\nuse super::tool;", &[]);
    check("src/lib.rs", "pub use crate::cli::run;", &[]);
    check("src/store/mod.rs", "// crate::tools is above\nlet a = \"crate::mcp::x\";", &[]);
    check("src/store/mod.rs", "pub(crate) fn a() { crate::sql!(1) }", &[]);
}

#[test]
fn a_planted_upward_use_is_caught() {
    let fault = ["src/store/rows.rs:2: `store` may not use `tables`: it is not above it"];
    check("src/store/rows.rs", "use std::fmt;\nuse crate::tables::Table;", &fault);
    check("src/store/rows.rs", "\nuse crate::{error::{self, Result}, tables::{Table, Column}};", &fault);
    check("src/store/rows.rs", "\nfn a(t: &crate::tables::Table) {}", &fault);
    check("src/store/rows.rs", "\nuse super::super::tables::Table;", &fault);
}

#[test]
fn neighbours_of_a_row_are_blind_to_each_other() {
    let fault = ["src/router/plan.rs:1: `router` may not use `skills`: it is not above it"];
    check("src/router/plan.rs", "use crate::skills::Skill;", &fault);
    let fault = ["src/worker.rs:1: `worker` may not use `mcp`: it is not above it"];
    check("src/worker.rs", "use super::mcp;", &fault);
}

#[test]
fn a_name_at_the_root_hides_no_direction() {
    let fault = ["src/store/mod.rs:1: `crate::Ctx` is not a module; name where it lives"];
    check("src/store/mod.rs", "use crate::Ctx;", &fault);
    let fault = ["src/helpers.rs: `helpers` has no row in tests/it/layers.rs; give it one"];
    check("src/helpers.rs", "", &fault);
}
