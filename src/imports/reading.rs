//! Reads a mapping from TOML or JSON: an unknown key is refused with the nearest one, before the types say
//! anything, and a scalar may stand where a text or a list of one is meant.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::mapping::Mapping;
use crate::error::{Error, Result, invalid, not_found};

impl Mapping {
    /// Reads a mapping file; JSON when its name ends so, otherwise TOML.
    pub fn open(path: &Path) -> Result<Mapping> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            not_found(format!("the mapping `{shown}` cannot be read: {error}")).because(error)
        })?;
        let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let read = if is_json { Mapping::from_json_text(&text) } else { Mapping::from_toml(&text) };
        read.map_err(|mut error| {
            error.message = format!("the mapping `{shown}`: {}", error.message);
            error
        })
    }

    pub fn from_toml(text: &str) -> Result<Mapping> {
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            invalid(format!("this is not TOML: {}", error.to_string().trim_end())).because(error)
        })?;
        Mapping::from_json(plain(toml::Value::Table(table)))
    }

    pub fn from_json_text(text: &str) -> Result<Mapping> {
        let value = serde_json::from_str(text)
            .map_err(|error| invalid(format!("this is not JSON: {error}")).because(error))?;
        Mapping::from_json(value)
    }

    /// The mapping that a JSON value spells. A scalar may stand where a text or a list of one is meant.
    pub fn from_json(mut value: Json) -> Result<Mapping> {
        check_keys(&value, "", &["day_first", "on_bad_value", "people", "into"])?;
        if let Some(Json::Object(_)) = value.get("into") {
            let only = value["into"].take();
            value["into"] = Json::Array(vec![only]);
        }
        for (i, route) in value.get_mut("into").and_then(Json::as_array_mut).into_iter().flatten().enumerate()
        {
            check_route(route, &format!("into[{i}]"))?;
        }
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let refused = invalid(error.into_inner().to_string());
            if path == "." { refused } else { refused.at(path) }
        })
    }
}

fn check_route(route: &mut Json, at: &str) -> Result<()> {
    check_keys(route, at, &["table", "where", "match_on", "ignore", "columns", "values", "create"])?;
    let Some(fields) = route.as_object_mut() else { return Ok(()) };
    for key in ["match_on", "ignore"] {
        if let Some(value) = fields.get_mut(key) {
            *value = listed(value.take());
        }
    }
    for (_, wanted) in members(fields, "where") {
        *wanted = listed(wanted.take());
    }
    for (column, feed) in members(fields, "columns") {
        check_feed(feed, &format!("{at}.columns.{column}"))?;
    }
    for (_, values) in members(fields, "values") {
        for value in values.as_object_mut().into_iter().flat_map(Map::values_mut) {
            *value = spelled(value.take());
        }
    }
    for (i, create) in fields.get("create").and_then(Json::as_array).into_iter().flatten().enumerate() {
        check_keys(create, &format!("{at}.create[{i}]"), &["key", "label", "type", "options", "about"])?;
    }
    Ok(())
}

fn check_feed(feed: &mut Json, at: &str) -> Result<()> {
    const KEYS: &[&str] = &["headings", "join", "part", "value"];
    if feed.is_string() {
        return Ok(());
    }
    check_keys(feed, at, KEYS)?;
    let Some(fields) = feed.as_object_mut() else {
        return Err(invalid(
            "a column is filled by a heading, or by {headings, join}, {headings, part} or {value}",
        )
        .at(at)
        .hint("for a constant write { value = \"…\" }"));
    };
    if fields.contains_key("value") == fields.contains_key("headings") {
        return Err(invalid("a column is filled either by `headings` or by a constant `value`").at(at));
    }
    if let Some(value) = fields.get_mut("value") {
        *value = spelled(value.take());
    }
    if let Some(headings) = fields.get_mut("headings") {
        *headings = listed(headings.take());
    }
    match fields.get("part").and_then(Json::as_str) {
        Some(part) if !["first_word", "other_words"].contains(&part) => {
            Err(unknown("part", part, &["first_word", "other_words"]).at(format!("{at}.part")))
        }
        _ => Ok(()),
    }
}

/// Refuses a key that is none of `known`, with the nearest of them.
fn check_keys(value: &Json, at: &str, known: &[&str]) -> Result<()> {
    let Some(fields) = value.as_object() else { return Ok(()) };
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) if at.is_empty() => Err(unknown("key", key, known)),
        Some(key) => Err(unknown("key", key, known).at(at)),
    }
}

fn unknown(what: &str, given: &str, known: &[&str]) -> Error {
    invalid(format!("`{given}` is no {what} of a mapping")).choices(given, known.iter().copied())
}

fn members<'a>(
    fields: &'a mut Map<String, Json>,
    key: &str,
) -> impl Iterator<Item = (&'a String, &'a mut Json)> {
    fields.get_mut(key).and_then(Json::as_object_mut).into_iter().flat_map(Map::iter_mut)
}

/// One text as a list of one; a number or a truth value as its text.
fn listed(value: Json) -> Json {
    match value {
        Json::Array(items) => Json::Array(items.into_iter().map(spelled).collect()),
        other => Json::Array(vec![spelled(other)]),
    }
}

fn spelled(value: Json) -> Json {
    match value {
        Json::Number(_) | Json::Bool(_) => Json::String(value.to_string()),
        other => other,
    }
}

/// TOML as JSON; a date becomes its text.
fn plain(value: toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::String(text),
        toml::Value::Integer(number) => Json::from(number),
        toml::Value::Float(number) => Json::from(number),
        toml::Value::Boolean(flag) => Json::Bool(flag),
        toml::Value::Datetime(time) => Json::String(time.to_string()),
        toml::Value::Array(items) => Json::Array(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => {
            Json::Object(table.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::{Feed, OnBadValue, People};

    #[test]
    fn every_key_of_the_documentation_is_read() {
        let doc = include_str!("mod.rs");
        let lines = doc.lines().map(|line| line.trim_start_matches("//!").trim_start_matches(' '));
        let example: Vec<&str> =
            lines.skip_while(|line| *line != "```toml").skip(1).take_while(|line| *line != "```").collect();
        let mapping = Mapping::from_toml(&example.join("\n")).unwrap();
        assert_eq!(
            (mapping.day_first, mapping.on_bad_value, mapping.people),
            (Some(true), OnBadValue::SkipCell, People::Refuse)
        );
        let route = &mapping.into[0];
        assert_eq!(route.only["deal_stage"], ["Won"]);
        assert_eq!(route.columns["company_name"], Feed::Heading("account".to_owned()));
        assert_eq!(route.values["status"]["On hold"], "paused");
        assert_eq!(route.create[0].kind, "text");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest() {
        let check = |text: &str, expected: &str| {
            let error = Mapping::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("day_frist = true", "did you mean `day_first`?");
        check("[[into]]\ntabel = \"leads\"", "into[0]: `tabel` is no key of a mapping");
        check("[[into]]\ncolumns = { status = { headnigs = [\"a\"] } }", "did you mean `headings`?");
        check(
            "[[into]]\ncolumns = { status = { headings = [\"a\"], value = 1 } }",
            "either by `headings` or",
        );
        check(
            "[[into]]\ncolumns = { status = 3 }",
            "into[0].columns.status: a column is filled by a heading",
        );
        check("[[into]]\ncreate = [{ key = \"a\", typ = \"text\" }]", "did you mean `type`?");
        check("on_bad_value = \"skip\"", "on_bad_value: unknown variant `skip`");
        check("= 1", "this is not TOML");
    }

    #[test]
    fn a_scalar_stands_for_a_list_of_one() {
        let mapping =
            Mapping::from_toml("into = { where = { won = true, n = [1, \"2\"] }, match_on = \"id\" }")
                .unwrap();
        assert_eq!(mapping.into[0].only["won"], ["true"]);
        assert_eq!(mapping.into[0].only["n"], ["1", "2"]);
        assert_eq!(mapping.into[0].match_on, ["id"]);
    }
}
