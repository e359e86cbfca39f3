//! A contact's company goes out as an association with the company's record, once the CRM knows a company of that name.

use opstables::tables::System;
use serde_json::json;

use super::crms::Crms;
use crate::harness::{Bench, on_both};

on_both! {
    async fn a_contact_is_associated_with_the_company_that_it_names(t: Bench) {
        let crms = Crms::connected(&t).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com", "company_name": "Acme"})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, [None, None], "no company of that name is known");
        assert_eq!(crms.queue(System::Hubspot).await, ["done|{}||"], "and nothing waits for one");
        let acme = crms.t.create("companies", json!({"name": "Acme", "domain": "acme.com"})).await;
        let globex = crms.t.create("companies", json!({"name": "Globex", "domain": "globex.com"})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, crms.records(&acme).await.map(Some));

        // Another company takes its place, and the first one stays associated as one of the others.
        crms.t.ok("save_contacts", json!({"rows": [{"id": ann, "company_name": "Globex", "title": "CTO"}]})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, crms.records(&globex).await.map(Some));
        let [hubspot, _] = crms.records(&ann).await;
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "CTO");

        crms.t.ok("save_contacts", json!({"rows": [{"id": ann, "company_name": null}]})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, [None, None]);

        // A new contact of a company that is known is associated at once.
        let bob = crms.t.create("contacts", json!({"first_name": "Bob", "company_name": "Acme"})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&bob).await, crms.records(&acme).await.map(Some));
        assert_eq!(crms.conflicts(&ann).await, Vec::<String>::new());
        crms.is_settled().await;
    }

    async fn what_a_crm_says_of_a_company_is_what_was_sent(t: Bench) {
        let crms = Crms::connected(&t).await;
        let acme = crms.t.create("companies", json!({"name": "Acme"})).await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com", "company_name": "Acme"})).await;
        crms.work().await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, crms.records(&acme).await.map(Some));
        crms.read_back(&ann).await;
        crms.is_settled().await;
        // Somebody takes the company away there.
        let ([contact, _], [company, _]) = (crms.records(&ann).await, crms.records(&acme).await);
        crms.t.clock.advance_ms(60_000);
        crms.hubspot.dissociate(("contacts", &contact), ("companies", &company)).expect("a dissociation");
        crms.read_back(&ann).await;
        let shown = crms.t.rows("query_contacts", json!({"fields": ["company_name"]})).await;
        assert_eq!(shown[0]["company_name"], json!(null));
        assert_eq!(crms.companies_of(&ann).await, [None, None], "Attio was told");
        crms.is_settled().await;
    }

    async fn a_company_is_known_by_the_name_that_it_has_there(t: Bench) {
        let crms = Crms::connected(&t).await;
        let acme = crms.t.create("companies", json!({"name": "Acme"})).await;
        crms.work().await;
        let ann = crms.t.create("contacts", json!({"first_name": "Ann", "company_name": "Acme Holding"})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, [None, None]);
        crms.t.ok("save_companies", json!({"rows": [{"id": acme, "name": "Acme Holding"}]})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, crms.records(&acme).await.map(Some));
        crms.is_settled().await;
    }

    async fn of_two_companies_of_one_name_the_address_decides(t: Bench) {
        let crms = Crms::connected(&t).await;
        let one = crms.t.create("companies", json!({"name": "Acme", "domain": "acme.com"})).await;
        let two = crms.t.create("companies", json!({"name": "Acme", "domain": "acme.de"})).await;
        crms.work().await;
        let ann = crms.t.create("contacts", json!({"email": "ann@acme.com", "company_name": "Acme"})).await;
        let bea = crms.t.create("contacts", json!({"email": "bea@acme.de", "company_name": "Acme"})).await;
        let eve = crms.t.create("contacts", json!({"email": "eve@gmail.com", "company_name": "Acme"})).await;
        crms.work().await;
        assert_eq!(crms.companies_of(&ann).await, crms.records(&one).await.map(Some));
        assert_eq!(crms.companies_of(&bea).await, crms.records(&two).await.map(Some));
        assert_eq!(crms.companies_of(&eve).await, [None, None], "nobody knows which");
        crms.is_settled().await;
    }

    async fn a_company_that_is_gone_there_is_refused_alone(t: Bench) {
        let crms = Crms::connected(&t).await;
        let gone = crms.t.create("companies", json!({"name": "Acme"})).await;
        let there = crms.t.create("companies", json!({"name": "Globex"})).await;
        crms.work().await;
        let [company, _] = crms.records(&gone).await;
        crms.hubspot.archive("companies", &company).expect("a deletion");
        let ann = json!({"first_name": "Ann", "company_name": "Acme", "title": "CTO"});
        let ann = crms.t.create("contacts", ann).await;
        let bob = crms.t.create("contacts", json!({"first_name": "Bob", "company_name": "Globex"})).await;
        crms.work().await;
        let [hubspot, _] = crms.records(&ann).await;
        assert_eq!(crms.hubspot_value(&hubspot, "jobtitle"), "CTO");
        assert_eq!(crms.companies_of(&bob).await, crms.records(&there).await.map(Some));
        let dead = crms.queue(System::Hubspot).await;
        let dead: Vec<&String> = dead.iter().filter(|line| line.starts_with("dead")).collect();
        assert_eq!(dead.len(), 1, "{dead:?}");
        assert!(dead[0].ends_with("|missing|company_name"), "{dead:?}");
        assert_eq!(crms.hubspot.ids("contacts").len(), 2);
    }
}
