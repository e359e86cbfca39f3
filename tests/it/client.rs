//! A raw MCP client over stdio: it writes and reads JSON lines, so that a test sees what a host sees.
//!
//! It speaks the stateless protocol until [`McpProcess::legacy`] shakes hands. Every method takes
//! `&self`, so one process can serve many requests of a test at once.

use std::collections::HashMap;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
const MODERN: &str = "2026-07-28";

/// A running `opstables serve`, killed when dropped.
pub(crate) struct McpProcess {
    child: Child,
    stdin: tokio::sync::Mutex<ChildStdin>,
    heard: Arc<Heard>,
    next_id: AtomicU64,
    is_legacy: AtomicBool,
    listeners: [JoinHandle<()>; 2],
    _home: TempDir,
}

/// What the process has said so far.
#[derive(Default)]
struct Heard {
    /// Requests that wait for their reply, by id; `None` once the process has closed its output.
    waiting: Mutex<Option<HashMap<String, oneshot::Sender<Value>>>>,
    /// Notifications, and requests of the server, in order.
    messages: Mutex<Vec<Value>>,
    more: Notify,
    stderr: Mutex<String>,
}

impl McpProcess {
    /// Starts `opstables serve ARGS…` out of reach of the developer's own configuration and database.
    pub(crate) fn start(env: &[(&str, &str)], args: &[&str]) -> McpProcess {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opstables"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("OPSTABLES_") {
                command.env_remove(name);
            }
        }
        let home = TempDir::new().expect("a temporary folder");
        for place in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(place, home.path());
        }
        command.current_dir(home.path()).envs(env.iter().copied());
        command.arg("serve").args(args).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the built program");
        let stdin = child.stdin.take().expect("a piped stdin");
        let stdout = child.stdout.take().expect("a piped stdout");
        let stderr = child.stderr.take().expect("a piped stderr");
        let heard = Arc::new(Heard { waiting: Mutex::new(Some(HashMap::new())), ..Heard::default() });
        let listeners = [
            tokio::spawn(listen(stdout, Arc::clone(&heard))),
            tokio::spawn(keep_stderr(stderr, Arc::clone(&heard))),
        ];
        McpProcess {
            child,
            stdin: tokio::sync::Mutex::new(stdin),
            heard,
            next_id: AtomicU64::new(1),
            is_legacy: AtomicBool::new(false),
            listeners,
            _home: home,
        }
    }

    /// Shakes hands as a client of `version` does, and stays in that era. Returns the server's answer.
    pub(crate) async fn legacy(&self, version: &str) -> Value {
        self.is_legacy.store(true, Ordering::SeqCst);
        let client = json!({"name": "test", "version": "1"});
        let hello = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client});
        let answer = self.result("initialize", hello).await;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        answer
    }

    /// The structured content of a call that must succeed.
    pub(crate) async fn ok(&self, tool: &str, args: Value) -> Value {
        let result = self.call(tool, args).await;
        assert_ne!(result["isError"], true, "{tool} refused: {}", text_of(&result));
        result["structuredContent"].clone()
    }

    /// The text of a call that the tool must refuse.
    pub(crate) async fn refused(&self, tool: &str, args: Value) -> String {
        let result = self.call(tool, args).await;
        assert_eq!(result["isError"], true, "{tool} accepted it: {}", text_of(&result));
        text_of(&result)
    }

    /// The whole result of a call.
    pub(crate) async fn call(&self, tool: &str, args: Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": args})).await
    }

    /// The result of a request that the protocol must not refuse.
    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let mut reply = self.request(method, params).await;
        assert!(reply.get("result").is_some(), "{method} failed: {reply}");
        reply["result"].take()
    }

    /// The whole reply, result or error; the request says what the era wants it to say.
    pub(crate) async fn request(&self, method: &str, mut params: Value) -> Value {
        if !self.is_legacy.load(Ordering::SeqCst) {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
            if meta.get("io.modelcontextprotocol/clientCapabilities").is_none() {
                meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
            }
        }
        let id = self.next_id.fetch_add(1, Ordering::SeqCst);
        self.exchange(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await
    }

    /// Sends a message exactly as it is and waits for the reply with its id.
    pub(crate) async fn exchange(&self, message: &Value) -> Value {
        self.exchange_line(&message["id"], &message.to_string()).await
    }

    /// Sends one line and waits for the reply with this id.
    pub(crate) async fn exchange_line(&self, id: &Value, line: &str) -> Value {
        let (sender, reply) = oneshot::channel();
        match lock(&self.heard.waiting).as_mut() {
            Some(waiting) => waiting.insert(id.to_string(), sender),
            None => panic!("the server has closed its output; {}", self.said()),
        };
        self.send_line(line).await;
        let Ok(reply) = timeout(PATIENCE, reply).await else {
            panic!("no reply within {PATIENCE:?} to {line}; {}", self.said());
        };
        reply.unwrap_or_else(|_| panic!("the server ended without a reply to {line}; {}", self.said()))
    }

    /// Sends a message that has no reply.
    pub(crate) async fn send(&self, message: &Value) {
        self.send_line(&message.to_string()).await;
    }

    /// Sends one line, JSON or not.
    pub(crate) async fn send_line(&self, line: &str) {
        let mut stdin = self.stdin.lock().await;
        let sent = stdin.write_all(format!("{line}\n").as_bytes()).await;
        assert!(sent.is_ok(), "the server does not read: {sent:?}; {}", self.said());
    }

    /// The notifications and requests that the server has sent of its own accord so far.
    pub(crate) fn messages(&self) -> Vec<Value> {
        lock(&self.heard.messages).clone()
    }

    /// Waits until the server has sent a message of `method`, and returns the first.
    pub(crate) async fn message(&self, method: &str) -> Value {
        let waiting = async {
            loop {
                let more = self.heard.more.notified();
                tokio::pin!(more);
                // Registered before looking, so that no message falls between.
                more.as_mut().enable();
                let found = self.messages().into_iter().find(|message| message["method"] == method);
                match found {
                    Some(message) => return message,
                    None => more.await,
                }
            }
        };
        let Ok(message) = timeout(PATIENCE, waiting).await else {
            panic!("no {method} within {PATIENCE:?}; {}", self.said());
        };
        message
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("a process that has not been waited for")
    }

    pub(crate) fn stderr(&self) -> String {
        lock(&self.heard.stderr).clone()
    }

    /// Closes the server's input, as a host that leaves does, and waits for its end.
    pub(crate) async fn close(self) -> (ExitStatus, String) {
        let McpProcess { mut child, stdin, heard, listeners, _home, .. } = self;
        drop(stdin);
        let Ok(status) = timeout(PATIENCE, child.wait()).await else {
            panic!("the server outlived its input by {PATIENCE:?}; stderr:\n{}", lock(&heard.stderr));
        };
        for listener in listeners {
            listener.await.expect("the server writes only messages to its output");
        }
        let stderr = lock(&heard.stderr).clone();
        (status.expect("an exit status"), stderr)
    }

    fn said(&self) -> String {
        format!("stderr:\n{}", self.stderr())
    }
}

/// The text parts of a tool's result.
fn text_of(result: &Value) -> String {
    let parts = result["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
}

async fn listen(stdout: ChildStdout, heard: Arc<Heard>) {
    // Dropped at the end, also of a panic: then nobody waits for a reply that cannot come.
    let _closing = Closing(Arc::clone(&heard));
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.expect("UTF-8 on the server's output") {
        let message: Value = match serde_json::from_str(&line) {
            Ok(message) => message,
            Err(error) => panic!("not a message: {error}: {line}"),
        };
        let waiting = if message.get("method").is_none() {
            lock(&heard.waiting).as_mut().and_then(|waiting| waiting.remove(&message["id"].to_string()))
        } else {
            None
        };
        if let Some(sender) = waiting {
            // Nobody receives it when the test gave up waiting.
            drop(sender.send(message));
        } else {
            lock(&heard.messages).push(message);
            heard.more.notify_waiters();
        }
    }
}

struct Closing(Arc<Heard>);

impl Drop for Closing {
    fn drop(&mut self) {
        *lock(&self.0.waiting) = None;
    }
}

async fn keep_stderr(stderr: impl AsyncRead + Unpin, heard: Arc<Heard>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut kept = lock(&heard.stderr);
        kept.push_str(&line);
        kept.push('\n');
    }
}

/// A test that panicked with the lock held has its own message; the next one need not repeat it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
