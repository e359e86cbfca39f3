//! New tokens: <https://docs.attio.com/docs/oauth/token>.

use super::faults;
use crate::sync::crm::{Client, Grant, Tokens};
use crate::sync::fault::Fault;
use crate::sync::oauth;

/// New tokens for a refresh token. The authorization server is at `app.` where the API is at `api.`.
pub(in crate::sync) async fn refresh(client: &Client, grant: &Grant) -> Result<Tokens, Fault> {
    let host = client.hosts.attio.trim_end_matches("/v2").replacen("//api.", "//app.", 1);
    let url = format!("{host}/oauth/token");
    oauth::refresh(client, &url, grant, |reply, told| faults::fault(reply, told).fault).await
}
