//! Companies.

use super::{Page, Said, Source, texts};
use crate::error::Result;
use crate::tables::is_free_mail;

pub(super) async fn page(source: &Source, after: Option<&str>, limit: usize) -> Result<Page> {
    let companies = source.page("companies", after, limit).await?;
    let records = companies.iter().map(|company| {
        let mut said = Said::of(&company);
        said.say_own(&company, &[("name", "name"), ("website", "website"), ("industry", "industry")]);
        // Whoever has an address there is no company.
        said.say("domain", company.get("domain").filter(|domain| !is_free_mail(domain)));
        said.say("company_size", company.get("size").map(texts::headcount).as_deref());
        said.say_own(&company, &[("phone", "phone"), ("linkedin_url", "linkedin_url")]);
        said.say_own(&company, &[("description", "description"), ("revenue", "revenue")]);
        said
    });
    Ok(Page::of(records.collect(), &[&companies]))
}
