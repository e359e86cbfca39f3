//! Clients: with the deals that made them.

use super::{Page, Said, Source};
use crate::error::Result;

const OWN: &[(&str, &str)] = &[
    ("company_name", "company_name"),
    ("contact_name", "contact_name"),
    ("contact_email", "contact_email"),
    ("deal_value", "subscription_amount"),
    ("status", "status"),
    ("subscription_start", "subscription_start_date"),
    ("created_at", "created_at"),
];
const DEAL: &[&str] = &["id", "name", "lead_source_channel"];

pub(super) async fn page(source: &Source, after: Option<&str>, limit: usize) -> Result<Page> {
    let clients = source.page("clients", after, limit).await?;
    let deals = source.among("deals", DEAL, "id", ("clients", "deal_id"), clients.values("deal_id")).await?;
    let by_id = deals.by("id");
    let records = clients.iter().map(|client| {
        let deal = client.get("deal_id").and_then(|id| by_id.get(id));
        let mut said = Said::of(&client);
        said.say_own(&client, OWN);
        said.say("deal_name", deal.and_then(|deal| deal.get("name")));
        said.say_member("owner", client.get("owner_id"));
        said.say("lead_source", deal.and_then(|deal| deal.get("lead_source_channel")));
        said
    });
    Ok(Page::of(records.collect(), &[&clients]))
}
