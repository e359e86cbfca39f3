//! Texts with parts to fill in: `${company_name}`, `${icp.industry}`, `${products | join(', ')}`,
//! `${missing | 'your company'}`. What a value says is text, never a template again; `$${` stands for `${`.

use serde_json::{Map, Value as Json};

use crate::error::nearest;

/// What an organization has told about itself, by key.
pub type Context = Map<String, Json>;

/// Why a text cannot be filled in, on which of its lines, counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) message: String,
    pub(super) hint: String,
}

const OPEN: &str = "${";

/// What stands between the braces.
struct Field<'a> {
    path: &'a str,
    join: Option<String>,
    default: Option<String>,
}

/// The text with every field filled in from the context, or all that stands in the way.
pub(super) fn fill(text: &str, context: &Context) -> Result<String, Vec<Fault>> {
    let (mut filled, mut faults) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find(OPEN) {
        let line = text[..text.len() - rest.len() + at].matches('\n').count();
        if rest[..at].ends_with('$') {
            filled.push_str(&rest[..at]);
            filled.push('{');
            rest = &rest[at + OPEN.len()..];
            continue;
        }
        filled.push_str(&rest[..at]);
        rest = &rest[at + OPEN.len()..];
        let Some((inside, after)) = closed(rest) else {
            let hint = "close it with `}`, or write `$${` for the two signs themselves".to_owned();
            faults.push(Fault { line, message: "`${` is never closed".to_owned(), hint });
            break;
        };
        rest = after;
        match field(inside).and_then(|field| value(&field, context)) {
            Ok(value) => filled.push_str(&value),
            Err((message, hint)) => faults.push(Fault { line, message, hint }),
        }
    }
    filled.push_str(rest);
    if faults.is_empty() { Ok(filled) } else { Err(faults) }
}

/// The inside of the braces and what follows them; a brace between quotes closes nothing.
fn closed(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '\n' => return None,
            '}' if !is_quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn field(inside: &str) -> Result<Field<'_>, (String, String)> {
    let mut parts = split(inside, '|').into_iter().map(str::trim);
    let path = parts.next().unwrap_or_default();
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if path.is_empty() || !path.chars().all(is_path) {
        let hint = "write a key of the context, as `${company_name}` or `${icp.industry}`".to_owned();
        return Err((format!("`${{{inside}}}` names nothing"), hint));
    }
    let mut field = Field { path, join: None, default: None };
    for part in parts {
        if let Some(between) =
            part.strip_prefix("join(").and_then(|part| part.strip_suffix(')')).and_then(literal)
        {
            field.join = Some(between);
        } else if let Some(words) = literal(part) {
            field.default = Some(words);
        } else {
            let hint = "behind `|` may stand `join(', ')` or a default between single quotes".to_owned();
            return Err((format!("`{part}` in `${{{inside}}}` is not understood"), hint));
        }
    }
    Ok(field)
}

/// The parts between the separators that stand outside of quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut is_quoted) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn literal(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (!inside.contains('\'')).then(|| inside.to_owned())
}

fn value(field: &Field<'_>, context: &Context) -> Result<String, (String, String)> {
    let path = field.path;
    let shown = match (look_up(path, context), &field.join) {
        (Some(Json::Array(items)), Some(between)) => {
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            texts.map(|texts| texts.join(between))
        }
        (Some(value), _) => text(value),
        (None, _) => Some(String::new()),
    };
    match (shown, &field.default) {
        (Some(shown), None) if shown.is_empty() => Err(missing(path, context)),
        (Some(shown), Some(default)) if shown.is_empty() => Ok(default.clone()),
        (Some(shown), _) => Ok(shown),
        (None, _) => {
            let hint = format!("write `${{{path} | join(', ')}}` for a list, `${{{path}.key}}` for a part");
            Err((format!("`{path}` is not one text"), hint))
        }
    }
}

fn missing(path: &str, context: &Context) -> (String, String) {
    let message = format!("`${{{path}}}` is not in the organization's context and has no default");
    let hint = match nearest(path, context.keys().map(String::as_str).filter(|key| *key != path)) {
        Some(near) if !path.contains('.') => format!("did you mean `${{{near}}}`?"),
        _ => format!("`opstables skills context set {path} …` sets it; `${{{path} | 'words'}}` does without"),
    };
    (message, hint)
}

/// The value at a path of keys; a number counts into a list.
fn look_up<'a>(path: &str, context: &'a Context) -> Option<&'a Json> {
    let mut keys = path.split('.');
    let first = context.get(keys.next()?)?;
    keys.try_fold(first, |value, key| match value {
        Json::Object(object) => object.get(key),
        Json::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A value as text; lists and objects have none.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => Some(String::new()),
        Json::String(text) => Some(text.clone()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context() -> Context {
        let told = json!({
            "company_name": "Acme",
            "icp": {"industry": "logistics", "sizes": [50, 200]},
            "products": ["Route", "Dock"],
            "tricky": "${company_name}",
            "empty": "",
        });
        told.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn fields_are_filled_in() {
        let cases = [
            ("For ${company_name}.", "For Acme."),
            ("${icp.industry}, ${ icp.sizes.1 }", "logistics, 200"),
            ("${products | join(', ')}", "Route, Dock"),
            ("${products | join(' | ') | 'none'}", "Route | Dock"),
            ("${missing | 'your company'}", "your company"),
            ("${missing | join(', ') | 'a } b'}", "a } b"),
            ("${empty | 'x'}", "x"),
            ("${tricky}", "${company_name}"),
            ("$${company_name} costs $5", "${company_name} costs $5"),
        ];
        for (text, expected) in cases {
            assert_eq!(fill(text, &context()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let faults = fill("a\n${compny_name} ${icp}\n${products}\n${a b}\n${x | upper}\n${never", &context());
        let said: Vec<String> =
            faults.unwrap_err().iter().map(|fault| format!("{} {}", fault.line, fault.message)).collect();
        assert_eq!(
            said,
            [
                "1 `${compny_name}` is not in the organization's context and has no default",
                "1 `icp` is not one text",
                "2 `products` is not one text",
                "3 `${a b}` names nothing",
                "4 `upper` in `${x | upper}` is not understood",
                "5 `${` is never closed",
            ]
        );
        assert_eq!(
            fill("${compny_name}", &context()).unwrap_err()[0].hint,
            "did you mean `${company_name}`?"
        );
    }
}
