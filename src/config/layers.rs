//! The layers that settings come from, laid over each other: file, environment, flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{FILE_NAME, FILE_VARIABLE, Origin, SETTINGS};
use crate::error::{Error, Result, invalid, not_found};

/// What stands above the defaults: the flags given, the environment, and the file that was asked for.
pub struct Layers<'a> {
    pub flags: Vec<(&'static str, String)>,
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub file: Option<PathBuf>,
}

/// The values that were given, as text, each from the highest layer that has it.
pub(super) struct Found(BTreeMap<&'static str, (String, Origin)>);

impl Found {
    pub(super) fn gather(layers: &Layers<'_>) -> Result<Found> {
        let mut found = BTreeMap::new();
        if let Some(path) = file_path(layers) {
            for (key, value) in read_file(&path)? {
                found.insert(key, (value, Origin::File(path.clone())));
            }
        }
        for setting in SETTINGS {
            if let Some(value) = (layers.variable)(setting.variable).filter(|value| !value.trim().is_empty())
            {
                found.insert(setting.key, (value, Origin::Variable(setting.variable)));
            }
        }
        for (key, value) in &layers.flags {
            found.insert(key, (value.clone(), Origin::Flag));
        }
        Ok(Found(found))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|(value, _)| value.trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn read<T>(
        &self,
        key: &str,
        default: T,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        let Some(text) = self.text(key) else { return Ok(default) };
        parse(text).ok_or_else(|| self.blame(key, invalid(format!("`{text}` is not {expected}"))))
    }

    pub(super) fn into_origins(self) -> BTreeMap<&'static str, Origin> {
        self.0.into_iter().map(|(key, (_, origin))| (key, origin)).collect()
    }

    /// The error with the setting it is about and the place that set it.
    pub(super) fn blame(&self, key: &str, error: Error) -> Error {
        match self.0.get(key) {
            Some((_, Origin::Variable(variable))) => error.at(*variable),
            Some((_, Origin::File(path))) => error.at(format!("`{key}` in {}", path.display())),
            _ => error.at(key),
        }
    }
}

fn file_path(layers: &Layers<'_>) -> Option<PathBuf> {
    let named = layers
        .file
        .clone()
        .or_else(|| (layers.variable)(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from));
    named.or_else(|| Some(PathBuf::from(FILE_NAME)).filter(|path| path.is_file()))
}

/// The settings of a file, by key. What it holds beyond those is refused.
fn read_file(path: &Path) -> Result<Vec<(&'static str, String)>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        not_found(format!("the settings file `{shown}` cannot be read: {error}"))
            .hint("name another with --config or OPSTABLES_CONFIG")
    })?;
    let sections: toml::Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        // The error's own text quotes the line, which may hold a password.
        let line = error
            .span()
            .map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        invalid(format!("{shown}, line {line}: {}", error.message().trim()))
    })?;
    let mut found = Vec::new();
    for (section, values) in &sections {
        let toml::Value::Table(values) = values else {
            return Err(unknown(section).at(shown.to_string()));
        };
        for (name, value) in values {
            let key = format!("{section}.{name}");
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
                return Err(unknown(&key).at(shown.to_string()));
            };
            let text = plain(value).ok_or_else(|| {
                invalid(format!("`{key}` takes text, a number, true or false, or a list of texts"))
                    .at(shown.to_string())
            })?;
            found.push((setting.key, text));
        }
    }
    Ok(found)
}

fn unknown(key: &str) -> Error {
    invalid(format!("there is no setting `{key}`")).choices(key, SETTINGS.iter().map(|setting| setting.key))
}

/// A value of the file as a flag or a variable would give it.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => {
            items.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>().map(|items| items.join(","))
        }
        _ => None,
    }
}
