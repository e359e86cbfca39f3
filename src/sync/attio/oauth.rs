//! New tokens: <https://docs.attio.com/docs/oauth/token>.

use secrecy::{ExposeSecret, SecretString};

use super::faults;
use crate::sync::crm::{Client, Grant, Tokens};
use crate::sync::fault::{Class, Fault};
use crate::sync::wire::{self, text_at};
use crate::sync::wording::Told;

/// New tokens for a refresh token. The authorization server is at `app.` where the API is at `api.`.
pub(in crate::sync) async fn refresh(client: &Client, grant: &Grant) -> Result<Tokens, Fault> {
    let host = client.hosts.attio.trim_end_matches("/v2").replacen("//api.", "//app.", 1);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", grant.client_id.as_str()),
        ("client_secret", grant.client_secret.expose_secret()),
        ("refresh_token", grant.refresh.expose_secret()),
    ];
    let reply = wire::send(client.http.post(format!("{host}/oauth/token")).form(&form)).await?;
    if !reply.is_success() {
        // Whatever the answer repeats of the form is a secret.
        let values = form.iter().map(|(_, value)| (*value).to_owned()).collect();
        let mut fault = faults::fault(&reply, &Told { names: Vec::new(), values }).fault;
        if fault.class == Class::Invalid {
            // `invalid_grant` is a `400`: a person has to connect again.
            fault.class = Class::Unauthorized;
        }
        return Err(fault);
    }
    let body = reply.read()?;
    let secret = |key: &str| text_at(body, &[key]).map(|text| SecretString::from(text.into_owned()));
    let access = secret("access_token")
        .ok_or_else(|| Fault::sent(Class::Unexpected, "the answer has no access token"))?;
    let lives_secs = body.get("expires_in").and_then(serde_json::Value::as_u64);
    Ok(Tokens { access, refresh: secret("refresh_token"), lives_secs })
}
