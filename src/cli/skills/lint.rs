//! What is wrong with skills, where, and what would be right.

use std::path::Path;

use serde::Serialize;

use super::super::Status;
use super::super::output::{ACCENT, BAD, WARN, harmless, styled};
use super::super::session::Session;
use crate::error::Result;
use crate::skills::{self, Context, Finding, Library};

#[derive(Debug, Serialize)]
struct Report {
    skills: usize,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

pub(super) async fn run(session: &Session, path: Option<&Path>) -> Result<Status> {
    let report = match path {
        Some(path) => report(&skills::rehearse(path, &context(session).await?)?),
        None => report(&*session.connect().await?.person().library().await?),
    };
    session.output.result(&report, || show(&report))?;
    Ok(if report.errors == 0 { Status::Done } else { Status::Failed })
}

/// What the named organization has told about itself; without one, nothing.
async fn context(session: &Session) -> Result<Context> {
    if session.config.caller.org.is_none() {
        return Ok(Context::new());
    }
    let connection = session.connect().await?;
    let (mut tx, _) = connection.person().read().await?;
    skills::told(&mut tx, connection.org).await
}

fn report(library: &Library) -> Report {
    let findings = library.findings().to_vec();
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    Report { skills: library.skills().len(), errors, warnings: findings.len() - errors, findings }
}

fn show(report: &Report) -> String {
    let mut lines = Vec::new();
    for finding in &report.findings {
        let weight = if finding.is_error() { styled(BAD, "error:") } else { styled(WARN, "warning:") };
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        lines.push(format!("{weight} {}{line}: {}", harmless(&finding.file), harmless(&finding.message)));
        if let Some(hint) = &finding.hint {
            lines.push(format!("  {} {}", styled(ACCENT, "hint:"), harmless(hint)));
        }
    }
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    lines.push(format!(
        "{} can be used; {}, {}",
        count(report.skills, "skill"),
        count(report.errors, "error"),
        count(report.warnings, "warning")
    ));
    lines.join("\n")
}
