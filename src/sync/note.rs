//! A note's text: the columns that are its parts, in the table's order, each under its own name.

use chrono::{DateTime, Utc};

use super::crm::Push;
use crate::tables::{Form, MEETINGS, Value};

/// The most characters of a note; `HubSpot` takes 65,536, with what marks its text up.
const CHARS_MAX: usize = 60_000;

/// Ends what was cut.
const CUT: &str = " … (cut)";

/// One column's part of a note.
struct Part<'a> {
    /// The column's label; none for the one that needs none.
    label: Option<&'static str>,
    value: &'a Value,
}

/// The note as plain text.
pub(super) fn plain(push: &Push) -> String {
    let paragraphs = parts(push).map(|part| {
        let body = match part.value {
            Value::Tags(items) => items.iter().flat_map(|item| ["\n- ", item]).collect(),
            value if part.label.is_some() => format!(" {}", shown(value)),
            value => shown(value),
        };
        part.label.map_or(body.clone(), |label| format!("{label}:{body}"))
    });
    cut(paragraphs.collect::<Vec<_>>().join("\n\n"))
}

/// The note as HTML.
pub(super) fn html(push: &Push) -> String {
    let paragraphs = parts(push).map(|part| {
        let label = part.label.map(|label| format!("<strong>{label}:</strong> ")).unwrap_or_default();
        match part.value {
            Value::Tags(items) => {
                let items =
                    items.iter().flat_map(|item| ["<li>".to_owned(), escaped(item), "</li>".to_owned()]);
                format!("<p>{label}</p><ul>{}</ul>", items.collect::<String>())
            }
            value => format!("<p>{label}{}</p>", escaped(&shown(value))),
        }
    });
    paragraphs.collect()
}

fn parts(push: &Push) -> impl Iterator<Item = Part<'_>> {
    let noted = push.cells.iter().filter(|(mapped, _)| mapped.form == Form::Note);
    let mut noted: Vec<_> = noted.collect();
    // What was said comes first.
    noted.sort_by_key(|(mapped, _)| mapped.column != "summary");
    noted.into_iter().filter_map(|(mapped, value)| {
        let label = MEETINGS.column(&mapped.column).map(|column| column.label);
        Some(Part { label: label.filter(|_| mapped.column != "summary"), value: value.as_ref()? })
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Time(time) => moment(*time),
        other => super::forms::text(other),
    }
}

fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn cut(text: String) -> String {
    if text.chars().count() <= CHARS_MAX {
        return text;
    }
    text.chars().take(CHARS_MAX).chain(CUT.chars()).collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped.len() > CHARS_MAX {
            escaped.push_str(CUT);
            break;
        }
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' => escaped.push_str("<br>"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::crm::Mapped;
    use crate::tables::Way;

    fn push(cells: Vec<(&str, Option<Value>)>) -> Push {
        let mapped = |column: &str| Mapped {
            column: column.to_owned(),
            property: "content".to_owned(),
            form: Form::Note,
            way: Way::Out,
            described: None,
        };
        let cells: Vec<_> = cells.into_iter().map(|(column, value)| (mapped(column), value)).collect();
        Push { row: uuid::Uuid::nil(), record: None, known: vec![None; cells.len()], cells, associate: None }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_note_has_what_was_said_first_and_the_rest_under_its_name() {
        let actions = Value::Tags(vec!["Send the offer".to_owned(), "Call <Bob> & co".to_owned()]);
        let push = push(vec![
            ("sentiment", Some(text("Positive"))),
            ("summary", Some(text("They want it.\nSoon."))),
            ("next_actions", Some(actions)),
            ("meeting_date", None),
        ]);
        assert_eq!(
            plain(&push),
            "They want it.\nSoon.\n\nSentiment: Positive\n\nNext Actions:\n- Send the offer\n- Call <Bob> & co"
        );
        assert_eq!(
            html(&push),
            "<p>They want it.<br>Soon.</p><p><strong>Sentiment:</strong> Positive</p>\
             <p><strong>Next Actions:</strong> </p><ul><li>Send the offer</li><li>Call &lt;Bob&gt; &amp; co</li></ul>"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let push = push(vec![("summary", Some(text(&"&ä".repeat(CHARS_MAX))))]);
        assert!(plain(&push).ends_with("ä … (cut)"));
        let html = html(&push);
        assert!(html.ends_with(" … (cut)</p>") && html.len() < 65_536);
    }
}
