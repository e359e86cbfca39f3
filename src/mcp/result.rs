//! What comes of a call, in the protocol's words: results for the model, errors for the client.
//!
//! A tool's result is rendered to JSON once. It goes out twice, as `structuredContent` and as text; the
//! second copy is made while writing, from the same bytes.

use rmcp::model::{
    CallToolResult, CompleteResult, ContentBlock, CreateTaskResult, ErrorData, GetPromptResult,
    GetSkillResult, GetTaskResult, Implementation, JsonRpcMessage, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult, ListToolsResult, MetaObject,
    ReadResourceResult, ServerJsonRpcMessage, ServerResult,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Code, Error};

/// Who we are; for display only.
pub(super) fn implementation() -> Implementation {
    Implementation::new("opstables", env!("CARGO_PKG_VERSION")).with_title("opstables").with_description(
        "Leads, meetings, contacts, companies and clients as typed tables for sales copilots",
    )
}

/// The `_meta` that says so on every result of a revision that wants it there.
pub(super) fn server_meta() -> MetaObject {
    let mut meta = MetaObject::new();
    meta.insert("io.modelcontextprotocol/serverInfo".to_owned(), json!(implementation()));
    meta
}

/// A result that says who made it and how long it may be kept, in the revisions that know such things.
pub(super) trait Stamped {
    fn stamp(&mut self, meta: Option<MetaObject>);
}

macro_rules! stamped {
    ($($result:ty),*) => {$(
        impl Stamped for $result {
            fn stamp(&mut self, meta: Option<MetaObject>) {
                self.meta = meta;
                if self.meta.is_none() {
                    (self.ttl_ms, self.cache_scope) = (None, None);
                }
            }
        }
    )*};
}

stamped!(
    ListToolsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ReadResourceResult,
    ListSkillsResult,
    GetSkillResult,
    ListPromptsResult
);

macro_rules! stamped_only {
    ($($result:ty),*) => {$(
        impl Stamped for $result {
            fn stamp(&mut self, meta: Option<MetaObject>) {
                self.meta = meta;
            }
        }
    )*};
}

// Never kept, whatever the revision.
stamped_only!(CompleteResult, GetPromptResult, CreateTaskResult, GetTaskResult);

/// rmcp makes the result itself, and the transport [stamps](stamp_ack) it.
impl Stamped for () {
    fn stamp(&mut self, _: Option<MetaObject>) {}
}

/// Says who made an empty acknowledgement, which only a revision that wants it there knows.
pub(super) fn stamp_ack(message: &mut ServerJsonRpcMessage) {
    if let JsonRpcMessage::Response(response) = message
        && let ServerResult::TaskAckResult(ack) = &mut response.result
    {
        ack.meta = Some(server_meta());
    }
}

/// The result of a tool that succeeded with this JSON. The `null` stands for the text, see [`write`].
pub(super) fn done(text: String, meta: Option<MetaObject>) -> CallToolResult {
    let mut result = CallToolResult::default();
    result.content = vec![ContentBlock::text(text)];
    result.structured_content = Some(Value::Null);
    result.meta = meta;
    result
}

/// The result of a tool that failed: the error as JSON text only, because some clients hold the structured
/// content of a failure against the schema of a success.
pub(super) fn failed(error: &impl Serialize, meta: Option<MetaObject>) -> CallToolResult {
    let mut result = CallToolResult::default();
    result.content = vec![ContentBlock::text(json!({ "error": error }).to_string())];
    result.is_error = Some(true);
    result.meta = meta;
    result
}

/// The protocol error for a request that is not a tool call. `uri` is the resource it asked for.
pub(super) fn refused(error: &Error, uri: Option<&str>) -> ErrorData {
    let mut data = json!(error);
    if let Some(uri) = uri {
        data["uri"] = json!(uri);
    }
    let message = error.to_string();
    match error.code {
        Code::NotFound if uri.is_some() => ErrorData::resource_not_found(message, Some(data)),
        Code::Invalid | Code::NotFound => ErrorData::invalid_params(message, Some(data)),
        _ => ErrorData::internal_error(message, Some(data)),
    }
}

/// The error's code as logs name it.
pub(super) fn outcome(code: Code) -> &'static str {
    match code {
        Code::Invalid => "invalid",
        Code::NotFound => "not_found",
        Code::Conflict => "conflict",
        Code::Denied => "denied",
        Code::Busy => "busy",
        Code::Cancelled => "cancelled",
        Code::Internal => "internal",
    }
}

/// Appends a message as JSON, a tool's result with its text as the structured content.
pub(super) fn write(message: &ServerJsonRpcMessage, line: &mut Vec<u8>) -> serde_json::Result<()> {
    if let JsonRpcMessage::Response(response) = message
        && let ServerResult::CallToolResult(result) = &response.result
        && result.structured_content == Some(Value::Null)
        && let [ContentBlock::Text(content)] = result.content.as_slice()
    {
        line.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        serde_json::to_writer(&mut *line, &response.id)?;
        line.extend_from_slice(br#","result":{"#);
        if let Some(kind) = &result.result_type {
            line.extend_from_slice(br#""resultType":"#);
            serde_json::to_writer(&mut *line, kind)?;
            line.push(b',');
        }
        line.extend_from_slice(br#""content":[{"type":"text","text":"#);
        serde_json::to_writer(&mut *line, &content.text)?;
        line.extend_from_slice(br#"}],"structuredContent":"#);
        line.extend_from_slice(content.text.as_bytes());
        if let Some(meta) = &result.meta {
            line.extend_from_slice(br#","_meta":"#);
            serde_json::to_writer(&mut *line, meta)?;
        }
        line.extend_from_slice(b"}}");
        return Ok(());
    }
    serde_json::to_writer(line, message)
}

#[cfg(test)]
mod tests {
    use rmcp::model::RequestId;

    use super::*;
    use crate::error::invalid;

    fn written(result: CallToolResult) -> Value {
        let mut line = Vec::new();
        let message =
            ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), RequestId::Number(7));
        write(&message, &mut line).unwrap();
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn a_success_carries_its_json_as_structure_and_as_text() {
        let text = r#"{"name":"Zoë \"Z\"","rows":[[1,null]]}"#;
        let message = written(done(text.to_owned(), Some(server_meta())));
        let result = &message["result"];
        assert_eq!(message["id"], json!(7));
        assert_eq!(result["structuredContent"], json!({ "name": "Zoë \"Z\"", "rows": [[1, null]] }));
        assert_eq!(result["content"], json!([{ "type": "text", "text": text }]));
        assert_eq!(result["resultType"], json!("complete"));
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], json!("opstables"));
    }

    #[test]
    fn a_failure_is_text_only() {
        let result = &written(failed(&invalid("no").at("rows[0]"), None))["result"];
        assert_eq!(result["isError"], json!(true));
        assert_eq!(result.get("structuredContent"), None);
        let text = r#"{"error":{"code":"invalid","message":"no","path":"rows[0]"}}"#;
        assert_eq!(result["content"][0]["text"], json!(text));
    }
}
