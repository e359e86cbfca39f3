//! The database's URL: its default, its check, and how it may be shown.

use std::path::{Path, PathBuf};

use directories::BaseDirs;
use url::Url;

use crate::error::{Error, Result, invalid};

const SCHEMES: &[&str] = &["sqlite", "postgres", "postgresql"];

/// The file in the user's data folder that is used when no database is named.
pub(super) fn default() -> Result<String> {
    let folder = folder().ok_or_else(|| {
        invalid("this user has no home folder, so there is no default database")
            .hint("name one with --database-url or OPSTABLES_DATABASE_URL")
    })?;
    Ok(sqlite_url(&folder.join("opstables.db")))
}

/// The user's folder for the product's data, when there is one.
pub(super) fn folder() -> Option<PathBuf> {
    BaseDirs::new().map(|folders| folders.data_dir().join("opstables"))
}

/// The URL of a SQLite file.
pub(super) fn sqlite_url(path: &Path) -> String {
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("sqlite://{path}")
}

pub(super) fn check(url: &str) -> Result<()> {
    let scheme = url.split(':').next().unwrap_or_default();
    if !SCHEMES.contains(&scheme) || !url.contains(':') {
        return Err(not_a_url(url));
    }
    if scheme != "sqlite" && Url::parse(url).is_err() {
        return Err(not_a_url(url));
    }
    Ok(())
}

fn not_a_url(url: &str) -> Error {
    invalid(format!("`{}` is not a database URL", shown(url)))
        .hint("use sqlite://path/to/file.db or postgres://user:password@host/database")
}

/// The URL without its password. What cannot be taken apart and may hold one is not shown at all.
pub(super) fn shown(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let Ok(mut parsed) = Url::parse(url) else {
        return if url.contains(['@', '=']) { "…".to_owned() } else { url.to_owned() };
    };
    if parsed.password().is_some() && parsed.set_password(None).is_err() {
        return "…".to_owned();
    }
    let is_secret = |name: &str| name.to_lowercase().contains("password");
    if parsed.query_pairs().any(|(name, _)| is_secret(&name)) {
        let kept: Vec<(String, String)> = parsed
            .query_pairs()
            .filter(|(name, _)| !is_secret(name))
            .map(|(a, b)| (a.into(), b.into()))
            .collect();
        parsed.query_pairs_mut().clear().extend_pairs(kept);
    }
    // Without `//` the whole of it is a path, which may be anything.
    if parsed.cannot_be_a_base() { "…".to_owned() } else { parsed.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let check = |url: &str, expected: &str| assert_eq!(shown(url), expected);
        check("postgres://ann:s3cret@db/ops", "postgres://ann@db/ops");
        check("postgres://ann@db/ops?password=s3cret&a=b", "postgres://ann@db/ops?a=b");
        check("postgres:ann:s3cret@db", "…");
        check("ann:s3cret@db", "…");
        check("sqlite:///data/ops.db", "sqlite:///data/ops.db");
    }

    #[test]
    fn what_is_no_database_url_is_refused_without_its_password() {
        for url in ["mysql://ann:s3cret@db/ops", "ops.db", "postgres://ann:s3cret@db:port/ops", ""] {
            let error = check(url).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
