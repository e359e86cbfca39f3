//! An answer with the words of the message that each part came from.

use unicode_width::UnicodeWidthStr;

use super::super::output::{ACCENT, FAINT, GOOD, STRONG, WARN, harmless, styled};
use crate::tools::route_message::{Output, StepName};

pub(super) fn show(message: &str, found: &Output) -> String {
    let mut lines = vec![harmless(message)];
    if let Some(underline) = underline(message, found) {
        lines.push(styled(ACCENT, underline));
    }
    lines.push(String::new());
    match found.step {
        StepName::Table => lines.extend(table(found)),
        StepName::Skill => {
            let skill = found.skill.as_deref().unwrap_or_default();
            lines.push(format!("{} {}", styled(GOOD, "skill"), styled(STRONG, harmless(skill))));
        }
        StepName::None => lines.push(styled(WARN, "neither a table nor a skill")),
    }
    for candidate in found.candidates.iter().skip(usize::from(found.skill.is_some())) {
        lines.push(styled(FAINT, format!("  else {} {:.2}", harmless(&candidate.skill), candidate.score)));
    }
    lines.extend(found.trace.iter().map(|line| format!("  {}", harmless(line))));
    lines.push(styled(FAINT, format!("  confidence {:.2}", found.confidence)));
    if let Some(note) = &found.note {
        lines.push(format!("  {note}"));
    }
    if let Some(result) = &found.result {
        lines.push(String::new());
        lines.push(serde_json::to_string_pretty(result).unwrap_or_default());
    }
    lines.join("\n")
}

fn table(found: &Output) -> Vec<String> {
    let Some(call) = &found.table_call else { return Vec::new() };
    let kind = if call.writes { styled(WARN, "table, a change") } else { styled(GOOD, "table") };
    vec![
        format!("{kind} {} {}", styled(STRONG, &call.tool), call.operation),
        format!("  {}", harmless(&call.arguments.to_string())),
    ]
}

/// A line of marks below the words that were understood as parts of the call.
fn underline(message: &str, found: &Output) -> Option<String> {
    if found.spans.is_empty() {
        return None;
    }
    let mut line = String::new();
    for (at, c) in message.char_indices() {
        let marked = found.spans.iter().any(|span| span.contains(&at));
        let width = c.to_string().width();
        line.push_str(&if marked { "^" } else { " " }.repeat(width));
    }
    Some(line.trim_end().to_owned())
}
