//! A line from the client becomes a message, or the error reply that says what is wrong with it.
//!
//! rmcp tries one message type after another until one fits, and so cannot say why none did. Here the
//! method decides the type, and the reply names the fault and, wherever it can be read, the request.

use std::borrow::Cow;

use rmcp::model::{
    CallToolRequest, CancelTaskRequest, ClientJsonRpcMessage, ClientNotification, ClientRequest,
    CompleteRequest, DiscoverRequest, ErrorData, GetPromptRequest, GetSkillRequest, GetTaskRequest,
    InitializeRequest, ListPromptsRequest, ListResourceTemplatesRequest, ListResourcesRequest,
    ListSkillsRequest, ListToolsRequest, PingRequest, ReadResourceDirectoryRequest, ReadResourceRequest,
    RequestId, UpdateTaskRequest,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::Value;
use serde_json::error::Category;

/// How deeply a message may nest.
const DEPTH_MAX: usize = 64;

/// A message that is answered with an error at once; `id` is that of the request, if it could be read.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) id: Option<RequestId>,
    pub(super) error: Box<ErrorData>,
}

/// The envelope of every kind of message.
#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    #[serde(borrow, default, deserialize_with = "method")]
    method: Option<Method<'a>>,
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

enum Method<'a> {
    Named(Cow<'a, str>),
    Other,
}

/// Reads one line; none for a blank line and for a reply or notification that means nothing here.
pub(super) fn read(line: &[u8]) -> Result<Option<ClientJsonRpcMessage>, Refusal> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(line).map_err(|_| unreadable("the line is not UTF-8"))?;
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => refusal(None, malformed("a line holds one JSON-RPC message, an object")),
        _ => unreadable(format!("the line is not JSON: {error}")),
    })?;
    let id = match &envelope.id {
        None => None,
        Some(id) => {
            let wrong = || refusal(None, malformed("`id` must be a string or an integer"));
            Some(request_id(id).ok_or_else(wrong)?)
        }
    };
    let refuse = |error| refusal(id.clone(), error);
    if envelope.jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
        return Err(refuse(malformed("`jsonrpc` must be \"2.0\"")));
    }
    if depth(text.as_bytes()) > DEPTH_MAX {
        return Err(refuse(malformed(format!("the message nests deeper than {DEPTH_MAX} levels"))));
    }
    match (envelope.method, &id) {
        (Some(Method::Named(method)), Some(id)) => match request(&method, text) {
            Ok(request) => Ok(Some(ClientJsonRpcMessage::request(request, id.clone()))),
            Err(error) => Err(refuse(bad_params(&method, &error))),
        },
        (Some(Method::Named(_)), None) => {
            Ok(serde_json::from_str::<ClientNotification>(text).ok().map(ClientJsonRpcMessage::notification))
        }
        (Some(Method::Other), _) => Err(refuse(malformed("`method` must be a string"))),
        (None, _) if envelope.result.is_some() || envelope.error.is_some() => {
            Ok(serde_json::from_str(text).ok())
        }
        (None, _) => Err(refuse(malformed("the message has no `method`"))),
    }
}

/// The request of this method. A method that is not served falls through to rmcp, which says so.
fn request(method: &str, text: &str) -> serde_json::Result<ClientRequest> {
    match method {
        "tools/call" => parse::<CallToolRequest>(text),
        "tools/list" => check_cursor(text).and_then(|()| parse::<ListToolsRequest>(text)),
        "resources/list" => check_cursor(text).and_then(|()| parse::<ListResourcesRequest>(text)),
        "resources/templates/list" => {
            check_cursor(text).and_then(|()| parse::<ListResourceTemplatesRequest>(text))
        }
        "resources/read" => parse::<ReadResourceRequest>(text),
        "resources/directory/read" => parse::<ReadResourceDirectoryRequest>(text),
        "skills/list" => check_cursor(text).and_then(|()| parse::<ListSkillsRequest>(text)),
        "skills/get" => parse::<GetSkillRequest>(text),
        "prompts/list" => check_cursor(text).and_then(|()| parse::<ListPromptsRequest>(text)),
        "prompts/get" => parse::<GetPromptRequest>(text),
        "tasks/get" => parse::<GetTaskRequest>(text),
        "tasks/update" => parse::<UpdateTaskRequest>(text),
        "tasks/cancel" => parse::<CancelTaskRequest>(text),
        "completion/complete" => parse::<CompleteRequest>(text),
        "server/discover" => parse::<DiscoverRequest>(text),
        "initialize" => parse::<InitializeRequest>(text),
        "ping" => parse::<PingRequest>(text),
        _ => serde_json::from_str(text),
    }
}

fn parse<T: DeserializeOwned + Into<ClientRequest>>(text: &str) -> serde_json::Result<ClientRequest> {
    serde_json::from_str::<T>(text).map(Into::into)
}

/// rmcp takes a cursor of the wrong type for none at all.
fn check_cursor(text: &str) -> serde_json::Result<()> {
    #[derive(Deserialize)]
    struct Listing {
        #[serde(rename = "params")]
        _params: Option<Page>,
    }
    #[derive(Deserialize)]
    struct Page {
        #[serde(rename = "cursor")]
        _cursor: Option<String>,
    }
    serde_json::from_str::<Listing>(text).map(drop)
}

fn request_id(id: &Value) -> Option<RequestId> {
    if id.is_string() || id.is_i64() { RequestId::deserialize(id).ok() } else { None }
}

/// How deeply the text nests; brackets within strings do not count.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

pub(super) fn refusal(id: Option<RequestId>, error: ErrorData) -> Refusal {
    Refusal { id, error: Box::new(error) }
}

fn unreadable(message: impl Into<Cow<'static, str>>) -> Refusal {
    refusal(None, ErrorData::parse_error(message, None))
}

fn malformed(message: impl Into<Cow<'static, str>>) -> ErrorData {
    ErrorData::invalid_request(message, None)
}

fn bad_params(method: &str, error: &serde_json::Error) -> ErrorData {
    let error = error.to_string();
    let fault = error.split(" at line ").next().unwrap_or_default();
    ErrorData::invalid_params(format!("the parameters of `{method}` are wrong: {fault}"), None)
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A method of any type, so that the message's id can be read even when the method is wrong.
fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Method<'de>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given<'a> {
        Named(#[serde(borrow)] Cow<'a, str>),
        Other(IgnoredAny),
    }
    Ok(Some(match Given::deserialize(deserializer)? {
        Given::Named(name) => Method::Named(name),
        Given::Other(_) => Method::Other,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(line: &[u8]) -> (Option<String>, i32) {
        let refusal = read(line).unwrap_err();
        (refusal.id.map(|id| id.to_string()), refusal.error.code.0)
    }

    #[test]
    fn a_line_that_is_no_json_has_no_id() {
        assert_eq!(refused(b"{oops"), (None, -32700));
        assert_eq!(refused(b"\"\xFF\""), (None, -32700));
        assert_eq!(refused(b"[1]"), (None, -32600));
    }

    #[test]
    fn a_wrong_message_is_answered_under_its_own_id() {
        assert_eq!(refused(br#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#), (Some("7".to_owned()), -32600));
        assert_eq!(refused(br#"{"jsonrpc":"2.0","id":"a"}"#), (Some("a".to_owned()), -32600));
        assert_eq!(refused(br#"{"jsonrpc":"2.0","id":7,"method":5}"#), (Some("7".to_owned()), -32600));
        assert_eq!(refused(br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), (None, -32600));
        assert_eq!(
            refused(br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}"#),
            (Some("7".to_owned()), -32602)
        );
        assert_eq!(
            refused(br#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":5}}"#),
            (Some("7".to_owned()), -32602)
        );
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        assert_eq!(depth(br#"{"a":["[[[\"[",{}]}"#), 3);
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{}{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        assert_eq!(refused(deep.as_bytes()), (Some("7".to_owned()), -32600));
    }

    #[test]
    fn blank_lines_and_unknown_notifications_are_no_fault() {
        assert!(read(b"  \r\n").unwrap().is_none());
        assert!(read(br#"{"jsonrpc":"2.0","method":"$/whatever"}"#).is_ok());
    }
}
