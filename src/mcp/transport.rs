//! Messages over standard input and output, one per line, as rmcp wants them. What rmcp would ignore, lose
//! or die of is answered here: unreadable lines, ids used twice, requests that belong to neither era.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, ErrorData, GetMeta, JsonRpcMessage,
    JsonRpcNotification, JsonRpcRequest, ProtocolVersion, ServerJsonRpcMessage,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use serde_json::json;
use tokio::sync::oneshot;

use super::lines::{LINE_BYTES_MAX, Lines, Next};
use super::message::{self, Refusal, refusal};
use super::outbox::Outbox;
use super::result;
use super::stdio::{Reader, Writer};

/// How long the last replies may take to be written when the connection ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Stdio {
    lines: Lines,
    outbox: Arc<Outbox>,
    /// Whether the client opened with `initialize`; otherwise each request brings its own metadata.
    initialized: bool,
    ended: Option<oneshot::Sender<()>>,
}

impl Stdio {
    /// The transport, and what resolves when the client closes our input.
    pub(super) fn new(reader: Reader, writer: Writer) -> (Stdio, oneshot::Receiver<()>) {
        let (ended, end) = oneshot::channel();
        let outbox = Arc::new(Outbox::new(writer));
        (Stdio { lines: Lines::new(reader), outbox, initialized: false, ended: Some(ended) }, end)
    }

    /// The next message that rmcp may see; none at the end of the input.
    async fn next(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if !self.outbox.has_room().await {
                return None;
            }
            let read = match self.lines.next().await {
                Ok(Next::Whole) => message::read(self.lines.line()).and_then(|message| match message {
                    Some(message) => self.admit(message).map(Some),
                    None => Ok(None),
                }),
                Ok(Next::TooLong) => Err(too_long()),
                Ok(Next::End) => return None,
                Err(error) => {
                    tracing::warn!(%error, "standard input cannot be read");
                    return None;
                }
            };
            match read {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(refusal) => self.refuse(&refusal),
            }
        }
    }

    fn admit(&mut self, message: ClientJsonRpcMessage) -> Result<ClientJsonRpcMessage, Refusal> {
        match &message {
            JsonRpcMessage::Request(JsonRpcRequest { id, request, .. }) => {
                let refuse = |error| refusal(Some(id.clone()), error);
                match request {
                    ClientRequest::InitializeRequest(_) => self.initialized = true,
                    ClientRequest::PingRequest(_) => {}
                    _ if self.initialized => check_era(request).map_err(refuse)?,
                    _ => check_metadata(request).map_err(refuse)?,
                }
                if !self.outbox.admit(id.clone()) {
                    return Err(refuse(ErrorData::invalid_request(
                        "a request with this id is still running",
                        None,
                    )));
                }
            }
            JsonRpcMessage::Notification(JsonRpcNotification {
                notification: ClientNotification::CancelledNotification(cancelled),
                ..
            }) => {
                if let Some(id) = &cancelled.params.request_id {
                    self.outbox.settle(id);
                }
            }
            _ => {}
        }
        Ok(message)
    }

    /// Replies without rmcp. The write is a task of its own: rmcp may drop `receive` at any moment.
    fn refuse(&self, refusal: &Refusal) {
        let reply = json!({ "jsonrpc": "2.0", "id": refusal.id, "error": refusal.error });
        tracing::info!(code = refusal.error.code.0, message = %refusal.error.message, "refused a message");
        if self.outbox.push(|line| serde_json::to_writer(line, &reply)).is_ok() {
            let outbox = self.outbox.clone();
            tokio::spawn(async move { outbox.flush().await });
        }
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        mut message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        result::stamp_ack(&mut message);
        let pushed = self.outbox.push(|line| result::write(&message, line));
        match &message {
            JsonRpcMessage::Response(response) => self.outbox.settle(&response.id),
            JsonRpcMessage::Error(error) => error.id.iter().for_each(|id| self.outbox.settle(id)),
            _ => {}
        }
        let outbox = self.outbox.clone();
        async move {
            pushed?;
            outbox.flush().await
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        let message = self.next().await;
        if message.is_none()
            && let Some(ended) = self.ended.take()
        {
            let _ = ended.send(());
        }
        message
    }

    async fn close(&mut self) -> io::Result<()> {
        match tokio::time::timeout(CLOSE_TIMEOUT, self.outbox.flush()).await {
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// Without `initialize` there is no session to take the version and the capabilities from.
fn check_metadata(request: &ClientRequest) -> Result<(), ErrorData> {
    let missing = request.get_meta().missing_required_keys(&ProtocolVersion::V_2026_07_28);
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(ErrorData::invalid_params(
        format!("`_meta` lacks {missing}; send them with every request, or open with `initialize`"),
        None,
    ))
}

/// Tasks as they are served belong to the era in which every request brings its own version.
fn check_era(request: &ClientRequest) -> Result<(), ErrorData> {
    let is_task = matches!(
        request,
        ClientRequest::GetTaskRequest(_)
            | ClientRequest::UpdateTaskRequest(_)
            | ClientRequest::CancelTaskRequest(_)
    );
    if is_task && request.get_meta().protocol_version().is_none() {
        return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method().to_owned(), None));
    }
    Ok(())
}

fn too_long() -> Refusal {
    let message = format!("the line is longer than {} MiB", LINE_BYTES_MAX >> 20);
    refusal(None, ErrorData::invalid_request(message, None))
}
