//! All that the program prints: results on stdout, everything else on stderr. Colours appear on terminals
//! only, and a reader that closes the pipe ends the program quietly.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::json;

use crate::error::{Code, Error, Result, internal};

pub const STRONG: Style = Style::new().bold();
pub const FAINT: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const WARN: Style = AnsiColor::Yellow.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const ACCENT: Style = AnsiColor::Cyan.on_default();

/// Where a command prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

/// The text in that style; the style is dropped again where the output is not a terminal.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The text on one line and without control characters: data must not move a terminal's cursor.
pub fn harmless(text: &str) -> String {
    text.replace(char::is_control, " ")
}

impl Output {
    pub fn new(json: bool) -> Output {
        Output { json }
    }

    /// Whether the caller wants JSON.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// The result: as JSON when that is wanted, else as the text that `show` makes of it.
    pub fn result<T: Serialize>(self, facts: &T, show: impl FnOnce() -> String) -> Result<()> {
        if self.json { self.json(facts) } else { self.line(show()) }
    }

    /// A line, or several, on stdout.
    pub fn line(self, text: impl Display) -> Result<()> {
        writeln!(anstream::stdout().lock(), "{text}").map_err(unwritten)
    }

    /// A value as indented JSON on stdout.
    pub fn json(self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(internal)?;
        writeln!(io::stdout().lock(), "{text}").map_err(unwritten)
    }

    /// A remark beside the result, on stderr.
    pub fn note(self, text: impl Display) {
        // Where stderr is closed there is nobody to tell.
        drop(writeln!(anstream::stderr().lock(), "{text}"));
    }

    /// The error, with its hint, and the exit code that goes with it.
    pub fn error(self, error: &Error) -> ExitCode {
        if is_closed_pipe(error) {
            return ExitCode::SUCCESS;
        }
        if self.json {
            drop(self.json(&json!({ "error": error })));
        } else {
            self.note(error_text(error));
        }
        ExitCode::FAILURE
    }
}

/// The width to print for: that of the terminal, or none when there is no terminal.
pub fn width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(width.0))
}

/// A write to stdout or to a file of the user's that failed.
pub fn unwritten(error: io::Error) -> Error {
    Error::new(Code::Invalid, format!("the output cannot be written: {error}")).because(error)
}

fn is_closed_pipe(error: &Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe)
}

/// The error as a person reads it: message, right values, hint and cause on lines of their own.
pub fn error_text(error: &Error) -> String {
    let place = error.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
    let mut lines = vec![format!("{} {place}{}", styled(BAD, "error:"), harmless(&error.message))];
    if !error.allowed.is_empty() {
        lines.push(format!("{} {}", styled(FAINT, "one of:"), error.allowed.join(", ")));
    }
    if let Some(hint) = &error.hint {
        lines.push(format!("{} {hint}", styled(ACCENT, "hint:")));
    }
    if let Some(cause) = error.cause().filter(|_| error.code == Code::Internal) {
        lines.push(format!("{} {cause}", styled(FAINT, "cause:")));
    }
    lines.join("\n")
}
