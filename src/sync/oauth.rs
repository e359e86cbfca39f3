//! New tokens for a refresh token, by RFC 6749's form, which both CRMs speak at their own addresses.

use secrecy::{ExposeSecret, SecretString};

use super::crm::{Client, Grant, Tokens};
use super::fault::{Class, Fault};
use super::wire::{self, Reply, text_at};
use super::wording::Told;

/// Asks at `url`; `fault` tells what a refusal of this CRM means.
pub(super) async fn refresh(
    client: &Client,
    url: &str,
    grant: &Grant,
    fault: impl Fn(&Reply, &Told) -> Fault,
) -> Result<Tokens, Fault> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", grant.client_id.as_str()),
        ("client_secret", grant.client_secret.expose_secret()),
        ("refresh_token", grant.refresh.expose_secret()),
    ];
    let reply = wire::send(client.http.post(url).form(&form)).await?;
    if !reply.is_success() {
        // Whatever the answer repeats of the form is a secret.
        let values = form.iter().map(|(_, value)| (*value).to_owned()).collect();
        let mut fault = fault(&reply, &Told { names: Vec::new(), values });
        if fault.class == Class::Invalid {
            // A refresh token that is void or of another app is a `400`: a person has to connect again.
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
