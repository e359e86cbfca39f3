//! Where the application's data is.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::folder;
use super::names::Names;
use crate::error::{Result, invalid};
use crate::store::{AppSource, shown};

/// The schema that is read when none is named.
pub const DEFAULT_SCHEMA: &str = "public";

/// What is configured of the application's data.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A PostgreSQL URL, which may hold a password, or a folder.
    pub source: Option<SecretString>,
    pub schema: Option<String>,
    /// The file with the application's names of tables and columns.
    pub names: Option<PathBuf>,
    /// How many records one transaction writes at most; by their size when not said.
    pub batch: Option<usize>,
}

impl Settings {
    /// Where the data is, without a password; an error when that is not configured.
    pub fn place(&self) -> Result<String> {
        let source = self.given()?;
        Ok(match (is_url(source), self.schema()) {
            (true, DEFAULT_SCHEMA) => shown_url(source),
            (true, schema) => format!("{} schema {schema}", shown_url(source)),
            (false, _) => source.to_owned(),
        })
    }

    pub(super) fn names(&self) -> Result<Names> {
        self.names.as_deref().map_or_else(|| Ok(Names::default()), Names::open)
    }

    /// Opens it; a folder's files are loaded.
    pub(super) async fn open(&self, names: &Names) -> Result<AppSource> {
        let source = self.given()?;
        if is_url(source) {
            return AppSource::postgres(source, self.schema());
        }
        if self.schema.is_some() {
            return Err(
                invalid("a folder has no schema").hint("leave the schema out, or name a PostgreSQL URL")
            );
        }
        let folder = Path::new(source);
        if !folder.is_dir() {
            return Err(invalid(format!("`{source}` is neither a PostgreSQL URL nor a folder"))
                .hint("use postgres://user@host/database, or a folder with leads.csv, meetings.jsonl, …"));
        }
        folder::load(folder, names).await
    }

    fn schema(&self) -> &str {
        self.schema.as_deref().unwrap_or(DEFAULT_SCHEMA)
    }

    fn given(&self) -> Result<&str> {
        self.source.as_ref().map(ExposeSecret::expose_secret).ok_or_else(|| {
            invalid("the place of the application's data is not configured").hint(
                "set OPSTABLES_APP_SOURCE, or `source` under [backfill] in opstables.toml, to a PostgreSQL URL or a folder",
            )
        })
    }
}

fn is_url(source: &str) -> bool {
    source.starts_with("postgres://") || source.starts_with("postgresql://")
}

/// The URL without its password and its options, which may hold one too.
fn shown_url(url: &str) -> String {
    shown(url.split('?').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_a_password() {
        let check = |source: &str, schema: Option<&str>, expected: &str| {
            let settings = Settings {
                source: Some(SecretString::from(source)),
                schema: schema.map(str::to_owned),
                names: None,
                batch: None,
            };
            assert_eq!(settings.place().unwrap(), expected);
        };
        check("postgres://ann:s3cret@db/app", None, "postgres://ann@db/app");
        check("postgres://ann@db/app?password=s3cret", Some("crm"), "postgres://ann@db/app schema crm");
        check("exports/march", None, "exports/march");
    }
}
