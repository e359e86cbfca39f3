//! What leads learn from a CRM's contacts: the name and the company's domain of the person with the lead's e-mail address,
//! where the lead has none or has it from a CRM. A contact never makes a lead.

use std::collections::HashMap;

use uuid::Uuid;

use super::engine::Engine;
use super::find::{Of, by_column, text};
use crate::error::Result;
use crate::records::{self, Action, Actor, ActorKind, Change, Edit, Source, Stored, Target, get_all, lock};
use crate::store::Tx;
use crate::tables::{COMPANIES, CatalogTable, LEADS, Value};

/// Fills the leads of the contacts with these ids.
pub(super) async fn fill(engine: &Engine, tx: &mut Tx, of: &Of<'_>, contacts: &[Uuid]) -> Result<()> {
    let Ok(leads) = of.catalog.table(LEADS.key) else { return Ok(()) };
    if contacts.is_empty() {
        return Ok(());
    }
    let org = of.catalog.org;
    let contacts = get_all(tx, org, of.table, contacts).await?;
    let by_email: HashMap<String, &Stored> =
        contacts.iter().filter_map(|row| Some((text(of.table, row, "email")?, row))).collect();
    let emails: Vec<String> = by_email.keys().cloned().collect();
    let found = by_column(tx, org, leads, "contact_email", &emails).await?;
    let ids: Vec<Uuid> = found.values().flatten().copied().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let domains = domains(tx, of, &contacts).await?;
    let mut edits = Vec::new();
    for lead in lock(tx, org, leads, &ids).await? {
        let contact = text(leads, &lead, "contact_email").and_then(|email| by_email.get(&email));
        let Some(contact) = contact.filter(|_| lead.head.archived.is_none()) else { continue };
        let domain = text(of.table, contact, "company_name").and_then(|name| domains.get(&name).cloned());
        let offered = [("contact_name", full_name(of.table, contact)), ("domain", domain)];
        let cells = offered.into_iter().filter_map(|(key, value)| {
            let place = leads.place(key).ok().filter(|place| is_open(leads, &lead, *place))?;
            Some((place, Some(Value::Text(value?))))
        });
        let cells: Vec<(usize, Option<Value>)> = cells.collect();
        if !cells.is_empty() {
            let action = Action::Set { cells, expected: Vec::new() };
            edits.push(Edit { target: Target::Existing(lead.head.id), action, position: edits.len() });
        }
    }
    if edits.is_empty() {
        return Ok(());
    }
    let actor = Actor { kind: ActorKind::System, ..Actor::default() };
    let source = Source::of(of.connection.system);
    let change = Change { table: leads, actor: &actor, source, edits, undo_of: None };
    records::write(tx, of.catalog, change, engine.clock.now(), &engine.ids).await.map(drop)
}

/// Whether a cell is empty, or holds what a CRM or a computation wrote.
fn is_open(table: &CatalogTable, row: &Stored, place: usize) -> bool {
    row.cell(table, place).is_none_or(|cell| {
        cell.value.is_none() || cell.stamp.source.system().is_some() || cell.stamp.source == Source::Derived
    })
}

fn full_name(table: &CatalogTable, contact: &Stored) -> Option<String> {
    let part = |key: &str| {
        let place = table.columns.iter().position(|column| column.key == key)?;
        match contact.values.get(place)? {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    };
    let parts: Vec<String> = [part("first_name"), part("last_name")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The domains of the contacts' companies, by their names. A name that several companies have says nothing.
async fn domains(tx: &mut Tx, of: &Of<'_>, contacts: &[Stored]) -> Result<HashMap<String, String>> {
    let Ok(companies) = of.catalog.table(COMPANIES.key) else { return Ok(HashMap::new()) };
    let mut names: Vec<String> =
        contacts.iter().filter_map(|row| text(of.table, row, "company_name")).collect();
    names.sort_unstable();
    names.dedup();
    let found = by_column(tx, of.catalog.org, companies, "name", &names).await?;
    let only = found.values().filter_map(|ids| match ids.as_slice() {
        [only] => Some(*only),
        _ => None,
    });
    let only: Vec<Uuid> = only.collect();
    let rows = get_all(tx, of.catalog.org, companies, &only).await?;
    let domain = |row: &Stored| Some((text(companies, row, "name")?, text(companies, row, "domain")?));
    Ok(rows.iter().filter_map(domain).collect())
}
