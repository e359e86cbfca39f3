//! A copilot's side of MCP: the real program as a child process, one JSON line to it and one back.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout};

use crate::config::SETTINGS;
use crate::error::{Error, Result, internal};

const PROTOCOL: &str = "2026-07-28";
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `opstables serve`; it ends when this is dropped.
pub(super) struct Copilot {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    next_id: u64,
}

/// What came back from a call: the structured result or the refusal, and how long it took.
pub(super) struct Answer {
    pub(super) content: Json,
    pub(super) refused: bool,
    pub(super) took: Duration,
}

impl Copilot {
    /// Starts the server with these flags, in `folder` and out of reach of the user's own settings.
    pub(super) fn start(folder: &Path, flags: &[&str]) -> Result<Copilot> {
        let mut command = Command::new(std::env::current_exe().map_err(lost)?);
        for setting in SETTINGS {
            command.env_remove(setting.variable);
        }
        command.env_remove(crate::config::FILE_VARIABLE).current_dir(folder);
        command.arg("serve").args(flags).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(lost)?;
        let (stdin, stdout) = child.stdin.take().zip(child.stdout.take()).ok_or_else(silent)?;
        Ok(Copilot { child, stdin, stdout: BufReader::new(stdout).lines(), next_id: 1 })
    }

    pub(super) async fn call(&mut self, tool: &str, arguments: &Json) -> Result<Answer> {
        let id = self.next_id;
        self.next_id += 1;
        let message = json!({
            "jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments, "_meta": {
                "io.modelcontextprotocol/protocolVersion": PROTOCOL,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "opstables demo", "version": env!("CARGO_PKG_VERSION") },
            } },
        });
        let started = Instant::now();
        self.stdin.write_all(format!("{message}\n").as_bytes()).await.map_err(lost)?;
        self.stdin.flush().await.map_err(lost)?;
        let line = timeout(PATIENCE, self.stdout.next_line()).await.map_err(|_| silent())?;
        let line = line.map_err(lost)?.ok_or_else(silent)?;
        let waited = started.elapsed();
        let mut reply: Json = serde_json::from_str(&line).map_err(internal)?;
        let mut result = reply["result"].take();
        if !result.is_object() {
            return Err(internal(format!("the server refused {tool}: {line}")));
        }
        let refused = result["isError"] == true;
        // A refusal comes as text only.
        let content = match result["content"][0]["text"].as_str().filter(|_| refused) {
            Some(text) => serde_json::from_str(text).map_err(internal)?,
            None => result["structuredContent"].take(),
        };
        Ok(Answer { content, refused, took: waited })
    }

    /// Closes the server's input, as a host does that ends, and waits for it.
    pub(super) async fn leave(self) -> Result<()> {
        let Copilot { mut child, stdin, stdout, .. } = self;
        drop((stdin, stdout));
        timeout(PATIENCE, child.wait()).await.map_err(|_| silent())?.map(drop).map_err(lost)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn lost(error: std::io::Error) -> Error {
    internal(format!("the demonstration lost its server: {error}"))
}

fn silent() -> Error {
    internal("the demonstration's server does not answer")
}
