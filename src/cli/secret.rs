//! Secrets that a person gives: through the environment, on stdin or at the terminal, never as an argument, which others on
//! the machine can read.

use std::io::{self, BufRead, IsTerminal, Read};
use std::process::{Command, Stdio};

use secrecy::SecretString;

use super::output::Output;
use crate::error::{Result, cancelled, internal, invalid};

/// What the variable holds; none when it is not set or empty.
pub(super) fn from_variable(name: &str) -> Option<SecretString> {
    let text = std::env::var(name).ok()?;
    secret(&text)
}

/// What the variable holds, which must be set.
pub(super) fn required(name: &str, what: &str) -> Result<SecretString> {
    from_variable(name).ok_or_else(|| invalid(format!("{what} is missing")).hint(format!("set {name}")))
}

/// All that stdin holds.
pub(super) fn from_stdin() -> Result<SecretString> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| invalid(format!("stdin cannot be read: {error}")))?;
    secret(&text).ok_or_else(|| invalid("stdin is empty").hint("pipe the token into the command"))
}

/// A line typed at the terminal, which does not show it; none when there is no terminal.
pub(super) async fn asked(output: Output, what: &str) -> Result<Option<SecretString>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    let hidden = Hidden::begin()?;
    output.note(format!("{what} (not shown): "));
    let (sender, line) = tokio::sync::oneshot::channel();
    // A thread of its own, because a read of the terminal cannot be given up.
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = io::stdin().lock().read_line(&mut text).map(|_| text);
        drop(sender.send(read));
    });
    let line = tokio::select! {
        line = line => line.map_err(internal)?.map_err(internal)?,
        _ = tokio::signal::ctrl_c() => return Err(cancelled()),
    };
    drop(hidden);
    secret(&line).map(Some).ok_or_else(|| invalid("nothing was typed"))
}

fn secret(text: &str) -> Option<SecretString> {
    let text = text.trim();
    (!text.is_empty()).then(|| SecretString::from(text.to_owned()))
}

/// While this lives, the terminal does not show what is typed.
struct Hidden;

impl Hidden {
    fn begin() -> Result<Hidden> {
        if echo("-echo") {
            return Ok(Hidden);
        }
        Err(invalid("this terminal would show the token while it is typed")
            .hint("pipe it in with --token-stdin, or set the variable that --help names"))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        echo("echo");
    }
}

fn echo(mode: &str) -> bool {
    let set = Command::new("stty").arg(mode).stdin(Stdio::inherit()).stderr(Stdio::null()).status();
    set.is_ok_and(|status| status.success())
}
