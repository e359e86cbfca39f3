//! A column's values over time from the values of an attribute, each of which says when it held
//! (<https://docs.attio.com/rest-api/endpoint-reference/records/list-record-attribute-values>).

use serde_json::Value as Json;

use super::{several, values};
use crate::sync::crm::{Mapped, Past, Writer, ms};
use crate::sync::forms;
use crate::sync::wire::text_at;
use crate::tables::{Form, Object, Value};

/// A value that follows within this time took the place of the one before, in milliseconds; else there was none.
const REPLACED_MS: i64 = 1_000;

/// One value of an attribute.
#[derive(Debug)]
struct Entry {
    value: Option<Value>,
    from: i64,
    until: Option<i64>,
    by: Writer,
}

/// How values are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub object: Object,
    pub writer: Option<&'a str>,
}

impl Reading<'_> {
    /// The column's values, oldest first: `all` are the attribute's values that are or were, `present` those that the
    /// record has now, in its order.
    pub(super) fn timeline(&self, mapped: &Mapped, all: &[Json], present: &[Json]) -> Vec<Past> {
        let mut entries: Vec<Entry> = all.iter().filter_map(|raw| self.entry(mapped, raw)).collect();
        entries.sort_by_key(|entry| entry.from);
        if mapped.form == Form::Choices {
            return sets(&entries);
        }
        if several::has_others(mapped) {
            let first = present.first().map(|raw| self.entry(mapped, raw));
            // A first value that cannot be read is left out, and nothing else takes its place.
            return firsts(entries, first.flatten());
        }
        one_by_one(entries)
    }

    /// None for a value that the column cannot hold: it is left out of the history.
    fn entry(&self, mapped: &Mapped, raw: &Json) -> Option<Entry> {
        let time = |key: &str| text_at(raw, &[key]).and_then(|at| forms::moment(&at)).map(ms);
        let (value, from) = (values::read(self.object, mapped, raw), time("active_from"));
        let (Ok(value), Some(from)) = (value, from) else {
            tracing::debug!(
                attribute = mapped.property,
                "left out a value of Attio that the column cannot hold"
            );
            return None;
        };
        Some(Entry { value, from, until: time("active_until"), by: self.by(raw) })
    }

    fn by(&self, raw: &Json) -> Writer {
        let part = |key: &str| text_at(raw, &["created_by_actor", key]);
        let (kind, id) = (part("type"), part("id"));
        match (kind.as_deref(), id.as_deref()) {
            (Some("api-token" | "app"), Some(id)) if self.writer == Some(id) => Writer::Us,
            (Some(kind), Some(id)) => Writer::Other(format!("{kind} {id}")),
            (Some(kind), None) => Writer::Other(kind.to_owned()),
            _ => Writer::Unknown,
        }
    }
}

/// The values of an attribute that has one at a time.
fn one_by_one(entries: Vec<Entry>) -> Vec<Past> {
    let mut past = Vec::new();
    let mut entries = entries.into_iter().peekable();
    while let Some(entry) = entries.next() {
        past.push(Past { value: entry.value, at_ms: entry.from, by: entry.by });
        let next = entries.peek().map_or(i64::MAX, |next| next.from);
        if let Some(until) = entry.until.filter(|until| next.saturating_sub(*until) > REPLACED_MS) {
            past.push(Past { value: None, at_ms: until, by: Writer::Unknown });
        }
    }
    past
}

/// The first values of an attribute that has several. The history does not tell their order, so those that ended are
/// taken for first ones. One that was there before, and is the first since another one ended, is so from that end on.
fn firsts(entries: Vec<Entry>, first: Option<Entry>) -> Vec<Past> {
    let ended: Vec<Entry> = entries.into_iter().filter(|entry| entry.until.is_some()).collect();
    let now = match first {
        Some(first) => {
            let later =
                ended.iter().filter(|entry| entry.from >= first.from).filter_map(|entry| entry.until).max();
            match later.filter(|until| *until > first.from) {
                Some(until) => Some(Past { value: first.value, at_ms: until, by: Writer::Unknown }),
                None => Some(Past { value: first.value, at_ms: first.from, by: first.by }),
            }
        }
        None => ended.iter().filter_map(|entry| entry.until).max().map(|until| Past {
            value: None,
            at_ms: until,
            by: Writer::Unknown,
        }),
    };
    let before = ended.into_iter().map(|entry| Past { value: entry.value, at_ms: entry.from, by: entry.by });
    before.chain(now).collect()
}

/// The sets of values of an attribute that has several.
fn sets(entries: &[Entry]) -> Vec<Past> {
    let mut moments: Vec<i64> =
        entries.iter().flat_map(|entry| [Some(entry.from), entry.until]).flatten().collect();
    moments.sort_unstable();
    moments.dedup();
    let mut past: Vec<Past> = Vec::new();
    for at_ms in moments {
        let held = |entry: &&Entry| entry.from <= at_ms && entry.until.is_none_or(|until| until > at_ms);
        let mut tags: Vec<String> = Vec::new();
        for entry in entries.iter().filter(held) {
            if let Some(Value::Tags(more)) = &entry.value {
                tags.extend(more.iter().cloned());
            }
        }
        tags.sort();
        tags.dedup();
        let value = (!tags.is_empty()).then_some(Value::Tags(tags));
        if past.last().is_none_or(|last| last.value != value) {
            let begun = entries.iter().find(|entry| entry.from == at_ms);
            past.push(Past { value, at_ms, by: begun.map_or(Writer::Unknown, |entry| entry.by.clone()) });
        }
    }
    past
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tables::Way;

    fn mapped(column: &str, form: Form) -> Mapped {
        let property = "it".to_owned();
        Mapped { column: column.to_owned(), property, form, way: Way::Both, described: None }
    }

    /// A value of an e-mail, text or option from a second to a second; an actor's id.
    fn value(raw: Json, from: u32, until: Option<u32>, by: &str) -> Json {
        let moment = |second: u32| format!("2026-03-04T00:00:{second:02}.000000000Z");
        let mut entry = raw;
        entry["active_from"] = json!(moment(from));
        entry["active_until"] = json!(until.map(moment));
        entry["created_by_actor"] = json!({"type": "api-token", "id": by});
        entry
    }

    /// Each value with its second and whether it is ours.
    fn check(form: Form, all: &[Json], present: &[Json], expected: &[(Option<&str>, i64, bool)]) {
        let start = forms::moment("2026-03-04").unwrap().timestamp_millis();
        let reading = Reading { object: Object::Contact, writer: Some("us") };
        let found = reading.timeline(&mapped("own", form), all, present);
        let shown: Vec<_> = found
            .iter()
            .map(|past| {
                let value = past.value.as_ref().map(|value| match value {
                    Value::Tags(tags) => tags.join("+"),
                    other => other.canonical(),
                });
                (value, (past.at_ms - start) / 1000, past.by == Writer::Us)
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(value, at, us)| (value.map(str::to_owned), *at, *us)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn one_value_follows_another_and_a_clear_is_seen_where_one_ends() {
        let text = |text: &str, from, until, by| value(json!({"value": text}), from, until, by);
        check(
            Form::Text,
            &[text("b", 5, None, "us"), text("a", 1, Some(5), "ann")],
            &[text("b", 5, None, "us")],
            &[(Some("a"), 1, false), (Some("b"), 5, true)],
        );
        check(
            Form::Text,
            &[text("a", 1, Some(5), "us"), text("b", 9, Some(12), "us")],
            &[],
            &[(Some("a"), 1, true), (None, 5, false), (Some("b"), 9, true), (None, 12, false)],
        );
        check(Form::Text, &[], &[], &[]);
    }

    #[test]
    fn the_first_of_several_is_the_columns_value() {
        let email = |name: &str, from, until, by| {
            value(json!({"email_address": format!("{name}@x.com")}), from, until, by)
        };
        let (first, second) = (email("a", 5, None, "us"), email("b", 1, None, "ann"));
        let old = email("old", 1, Some(5), "ann");
        check(
            Form::Email,
            &[old.clone(), second.clone(), first.clone()],
            &[first, second.clone()],
            &[(Some("old@x.com"), 1, false), (Some("a@x.com"), 5, true)],
        );
        // The first one was taken away, so the second one is the first since then.
        check(
            Form::Email,
            &[old.clone(), second.clone()],
            &[second],
            &[(Some("old@x.com"), 1, false), (Some("b@x.com"), 5, false)],
        );
        check(Form::Email, &[old], &[], &[(Some("old@x.com"), 1, false), (None, 5, false)]);
    }

    #[test]
    fn several_options_are_sets_over_time() {
        let option = |title: &str, from, until| value(json!({"option": {"title": title}}), from, until, "us");
        check(
            Form::Choices,
            &[option("red", 1, Some(7)), option("blue", 3, None)],
            &[option("blue", 3, None)],
            &[(Some("red"), 1, true), (Some("blue+red"), 3, true), (Some("blue"), 7, false)],
        );
    }

    #[test]
    fn what_the_column_cannot_hold_is_left_out() {
        let email = |text: &str, from| value(json!({"email_address": text}), from, Some(from + 1), "us");
        let all = [email("nobody", 1), email("a@x.com", 3)];
        check(Form::Email, &all, &[], &[(Some("a@x.com"), 3, true), (None, 4, false)]);
        check(Form::Text, &[json!({"value": "without a time"})], &[], &[]);
    }
}
