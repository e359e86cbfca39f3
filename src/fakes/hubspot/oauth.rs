//! Tokens, and what a token says about its account. These calls need no token of their own, except where they are
//! about it.

use serde_json::{Map, Value, json};

use super::hub::Hub;
use crate::fakes::accounts::{Denied, Issued};
use crate::fakes::dice::Dice;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::SECOND_MS;

const SCOPES: &[&str] = &["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write"];

/// Answers what belongs to OAuth; none for every other call.
pub(super) fn answer(hub: &mut Hub, call: &Call) -> Option<Reply> {
    match (call.method.as_str(), call.segments().as_slice()) {
        ("POST", ["oauth", _, "token"]) => Some(token(hub, call)),
        ("POST", ["oauth", _, "token", "introspect"]) => Some(introspect(hub, call)),
        ("POST", ["oauth", _, "token", "revoke"]) => {
            let form = call.form();
            hub.doorkeeper.forget_refresh(form.get("token").map(String::as_str).unwrap_or_default());
            Some(Reply::empty())
        }
        ("GET", ["oauth", "v1", "access-tokens", token]) => Some(described(hub, token)),
        _ => None,
    }
}

fn token(hub: &mut Hub, call: &Call) -> Reply {
    let now = hub.time.now_ms();
    match hub.doorkeeper.exchange(&call.form(), now, &mut hub.dice) {
        Ok(issued) => {
            let portal = &hub.portals[issued.account];
            let Issued { access, refresh, lives_secs, .. } = issued;
            Reply::json(
                200,
                json!({
                    "token_type": "bearer",
                    "token_use": "access_token",
                    "access_token": access,
                    "refresh_token": refresh,
                    "expires_in": lives_secs,
                    "hub_id": portal.id,
                    "scopes": SCOPES,
                }),
            )
        }
        Err(denied) => denied_reply(denied, &mut hub.dice),
    }
}

fn denied_reply(denied: Denied, dice: &mut Dice) -> Reply {
    let (status, message, error) = match denied {
        Denied::Client => ("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client"),
        Denied::Grant => ("BAD_GRANT_TYPE", "missing or unknown grant type", "unsupported_grant_type"),
        Denied::Code => ("BAD_AUTH_CODE", "missing or unknown auth code", "invalid_grant"),
        Denied::Refresh => ("BAD_REFRESH_TOKEN", "missing or unknown refresh token", "invalid_grant"),
    };
    let body = json!({
        "status": status,
        "message": message,
        "error": error,
        "error_description": message,
        "correlationId": dice.uuid().to_string(),
    });
    Reply::json(400, body)
}

fn introspect(hub: &mut Hub, call: &Call) -> Reply {
    let form = call.form();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if !hub.doorkeeper.is_client(field("client_id"), field("client_secret")) {
        return denied_reply(Denied::Client, &mut hub.dice);
    }
    let token = field("token");
    let now = hub.time.now_ms();
    let (account, expires_ms, used_as) =
        match (hub.doorkeeper.bearer(Some(token), now), hub.doorkeeper.refreshable(token)) {
            (Ok(bearer), _) => (bearer.account, bearer.expires_ms, "access_token"),
            (Err(_), Some(account)) => (account, None, "refresh_token"),
            (Err(_), None) => return Reply::json(200, json!({"active": false})),
        };
    let mut body = facts(hub, account, token);
    body.insert("active".to_owned(), json!(true));
    body.insert("client_id".to_owned(), json!(hub.doorkeeper.client_id()));
    body.insert("token_type".to_owned(), json!("bearer"));
    body.insert("token_use".to_owned(), json!(used_as));
    if let Some(expires_ms) = expires_ms {
        body.insert("expires_in".to_owned(), json!((expires_ms - now) / SECOND_MS));
    }
    Reply::json(200, Value::Object(body))
}

/// The older call, which takes the token in its path and no client.
fn described(hub: &mut Hub, token: &str) -> Reply {
    let now = hub.time.now_ms();
    let Ok(bearer) = hub.doorkeeper.bearer(Some(token), now) else {
        let body = json!({
            "status": "error",
            "message": "the token is unknown or expired",
            "correlationId": hub.dice.uuid().to_string(),
            "category": "INVALID_AUTHENTICATION",
        });
        return Reply::json(404, body);
    };
    let mut body = facts(hub, bearer.account, token);
    body.insert("token_type".to_owned(), json!("access"));
    if let Some(expires_ms) = bearer.expires_ms {
        body.insert("expires_in".to_owned(), json!((expires_ms - now) / SECOND_MS));
    }
    Reply::json(200, Value::Object(body))
}

fn facts(hub: &Hub, account: usize, token: &str) -> Map<String, Value> {
    let portal = &hub.portals[account];
    let facts = json!({
        "token": token,
        "hub_id": portal.id,
        "hub_domain": format!("portal-{}.example", portal.id),
        "app_id": portal.app_id,
        "user_id": super::hub::USER,
        "user": "person@example.com",
        "scopes": SCOPES,
    });
    facts.as_object().cloned().unwrap_or_default()
}
