//! How the demonstration looks: what is said, what is called, what comes back.

use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::copilot::Answer;
use super::sample::ZONE;
use super::script::{Call, Turn};
use crate::cli::cells;
use crate::cli::grid::{Grid, cut};
use crate::cli::output::{ACCENT, BAD, FAINT, GOOD, STRONG, styled, width};

/// Wide enough for the tables, narrow enough for a small terminal.
const WIDTH: usize = 92;
const INDENT: &str = "    ";

pub(super) fn turn(number: usize, count: usize, turn: &Turn) -> String {
    let rule = "─".repeat(wide().saturating_sub(8));
    let rule = styled(FAINT, format!("{rule} {number} of {count}"));
    format!("{rule}\n{} {}\n", styled(STRONG, "You:"), styled(STRONG, turn.user))
}

/// The call as it goes to the server: the tool, then each argument on a line, or several when it is long.
pub(super) fn call(call: &Call, arguments: &Json) -> String {
    let mut lines: Vec<String> = call.remark.map(|remark| format!("{remark}\n")).into_iter().collect();
    lines.push(format!("{} {}", styled(ACCENT, "→"), styled(ACCENT, call.tool)));
    let none = Map::new();
    let arguments = arguments.as_object().unwrap_or(&none);
    let widest = arguments.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in arguments {
        let label = format!("{INDENT}{name:widest$}  ");
        lines.extend(argument(&label, value));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn argument(label: &str, value: &Json) -> Vec<String> {
    let room = wide().saturating_sub(label.len());
    let text = spaced(value);
    let parts: Vec<String> = match value {
        Json::Array(items) if text.chars().count() > room => items.iter().map(spaced).collect(),
        Json::String(token) if token.len() > room => vec![format!("\"{}\"", cut(token, 24))],
        _ => vec![text],
    };
    let space = " ".repeat(label.len());
    let lines = parts.iter().flat_map(|part| wrapped(part, room)).enumerate();
    lines.map(|(i, line)| format!("{}{line}", if i == 0 { label } else { &space })).collect()
}

/// JSON on one line, with the spaces that make it readable.
fn spaced(value: &Json) -> String {
    let join = |parts: Vec<String>| parts.join(", ");
    match value {
        Json::Object(object) => {
            let fields = object.iter().map(|(name, value)| format!("\"{name}\": {}", spaced(value)));
            format!("{{{}}}", join(fields.collect()))
        }
        Json::Array(items) => format!("[{}]", join(items.iter().map(spaced).collect())),
        other => other.to_string(),
    }
}

/// The text in lines of at most `room` characters, broken behind commas.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in text.split_inclusive(", ") {
        match lines.last_mut() {
            Some(line) if line.chars().count() + part.trim_end().chars().count() <= room => {
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The result, or the refusal, as a person takes it in.
pub(super) fn answer(answer: &Answer) -> String {
    let content = &answer.content;
    let took = styled(FAINT, format!("({})", milliseconds(answer.took)));
    let text = if answer.refused {
        return indented(&format!("{}\n{took}", refusal(&content["error"])));
    } else if content["tables"].is_array() {
        format!(
            "{}\n{} members, dates in {}",
            tables(content),
            count(content, "members"),
            text(content, "timezone")
        )
    } else if content["columns"].is_array() {
        let is_figure =
            content["columns"].as_array().is_some_and(|columns| columns.iter().any(|c| c == "_value"));
        format!("{}\n{} {}", grid(content), content["total"], if is_figure { "groups" } else { "rows" })
    } else {
        written(content)
    };
    indented(&format!("{text} {took}"))
}

fn refusal(error: &Json) -> String {
    let mut lines = vec![format!("{} {}: {}", styled(BAD, "✗"), text(error, "path"), text(error, "message"))];
    if let Some(hint) = error["hint"].as_str() {
        lines.push(format!("  {} {hint}", styled(ACCENT, "hint:")));
    }
    lines.join("\n")
}

fn tables(content: &Json) -> String {
    let mut out = Grid::new(["table", "rows", "columns", "views"]);
    for table in content["tables"].as_array().into_iter().flatten() {
        let views: Vec<&str> =
            table["views"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        out.row([
            text(table, "table"),
            table["rows"].to_string(),
            count(table, "columns").to_string(),
            views.join(", "),
        ]);
    }
    out.render(Some(wide() - INDENT.len()))
}

/// Rows under their columns, without the ids, which only the copilot needs, and without empty columns.
fn grid(content: &Json) -> String {
    let columns: Vec<&str> =
        content["columns"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let rows = content["rows"].as_array().or(content["sample"].as_array()).map_or(&[][..], Vec::as_slice);
    let has_value = |place: usize| rows.iter().any(|row| !row[place].is_null());
    let shown: Vec<usize> =
        (0..columns.len()).filter(|&place| columns[place] != "id" && has_value(place)).collect();
    let mut out = Grid::new(shown.iter().map(|&place| columns[place].trim_start_matches('_')));
    for row in rows {
        out.row(shown.iter().map(|&place| cells::text(&row[place], ZONE)));
    }
    out.render(Some(wide() - INDENT.len()))
}

fn written(content: &Json) -> String {
    let preview = &content["preview"];
    if preview.is_object() {
        let effect = format!("{} {}", styled(STRONG, "To be confirmed:"), text(preview, "effect"));
        let token = cut(&text(content, "confirm"), 24);
        return format!("{effect}\n\n{}\n…\n\nconfirm token: {token}", grid(preview));
    }
    let updated: usize =
        content["updated"].as_array().into_iter().flatten().map(|group| count(group, "ids")).sum();
    let done = [("created", count(content, "created")), ("changed", updated)];
    let done: Vec<String> =
        done.iter().filter(|(_, count)| *count > 0).map(|(verb, count)| format!("{count} {verb}")).collect();
    let undo = content["change_id"].as_str().map(|id| format!(", undo with {id}")).unwrap_or_default();
    format!("{} {}{undo}", styled(GOOD, "✓"), done.join(", "))
}

fn count(value: &Json, name: &str) -> usize {
    value[name].as_array().map_or(0, Vec::len)
}

fn text(value: &Json, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn indented(text: &str) -> String {
    let indent = |line: &str| if line.is_empty() { String::new() } else { format!("{INDENT}{line}") };
    text.lines().map(indent).collect::<Vec<_>>().join("\n")
}

pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

fn wide() -> usize {
    width().unwrap_or(WIDTH).clamp(60, WIDTH)
}
