//! Tokens, and what a token says about its workspace.

use serde_json::{Value, json};

use super::hub::Hub;
use crate::fakes::accounts::Denied;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::SECOND_MS;

/// Answers what is asked about tokens; none for every other call.
pub(super) fn answer(hub: &mut Hub, call: &Call) -> Option<Reply> {
    match (call.method.as_str(), call.segments().as_slice()) {
        ("POST", ["oauth", "token"]) => Some(token(hub, call)),
        ("POST", ["oauth", "introspect"]) | ("GET", ["v2", "self"]) => Some(described(hub, call)),
        _ => None,
    }
}

/// As documented only an access token that does not expire comes back. Where tokens are set to expire, a refresh token
/// comes with it.
fn token(hub: &mut Hub, call: &Call) -> Reply {
    let now = hub.time.now_ms();
    match hub.doorkeeper.exchange(&call.form(), now, &mut hub.dice) {
        Ok(issued) => {
            let mut body = json!({"access_token": issued.access, "token_type": "Bearer"});
            if let Some(lives_secs) = issued.lives_secs {
                body["expires_in"] = json!(lives_secs);
                body["refresh_token"] = json!(issued.refresh);
            }
            Reply::json(200, body)
        }
        Err(denied) => {
            let (error, message) = match denied {
                Denied::Client => ("invalid_client", "The client is not known."),
                Denied::Grant => ("unsupported_grant_type", "The grant type is not supported."),
                Denied::Code => ("invalid_grant", "The code is not valid."),
                Denied::Refresh => ("invalid_grant", "The refresh token is not valid."),
            };
            Reply::json(400, json!({"error": error, "error_description": message}))
        }
    }
}

/// <https://docs.attio.com/rest-api/endpoint-reference/meta/identify>
fn described(hub: &Hub, call: &Call) -> Reply {
    let now = hub.time.now_ms();
    let Ok(bearer) = hub.doorkeeper.bearer(call.token.as_deref(), now) else {
        return Reply::json(200, json!({"active": false}));
    };
    let workspace = &hub.workspaces[bearer.account];
    let expires: Value = bearer.expires_ms.map_or(Value::Null, |ms| json!(ms / SECOND_MS));
    let body = json!({
        "active": true,
        "scope": "record_permission:read-write object_configuration:read-write note:read-write webhook:read-write",
        "client_id": workspace.writer,
        "token_type": "Bearer",
        "exp": expires,
        "iat": now / SECOND_MS,
        "sub": workspace.id,
        "aud": workspace.writer,
        "iss": "attio.com",
        "authorized_by_workspace_member_id": workspace.member,
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "workspace_slug": "test",
        "workspace_logo_url": null,
    });
    let mut reply = Reply::json(200, body);
    reply.account = Some(workspace.id.clone());
    reply
}
