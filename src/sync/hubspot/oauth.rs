//! New tokens: <https://developers.hubspot.com/docs/api-reference/latest/authentication/oauth-tokens>.

use super::{HUBSPOT_API_VERSION, faults};
use crate::sync::crm::{Client, Grant, Tokens};
use crate::sync::fault::Fault;
use crate::sync::oauth;

/// New tokens for a refresh token. The old access token stays valid until its time is over.
pub(in crate::sync) async fn refresh(client: &Client, grant: &Grant) -> Result<Tokens, Fault> {
    let url = format!("{}/oauth/{HUBSPOT_API_VERSION}/token", client.hosts.hubspot);
    oauth::refresh(client, &url, grant, faults::fault).await
}
