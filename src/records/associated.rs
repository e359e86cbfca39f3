//! What of a row can be told to a CRM, where a contact's company is no text but a record that the contact is associated with.
//!
//! A company is known at a CRM once its record there has its name. Until then a contact that names it waits: the change by
//! which the CRM's name becomes known puts the contact into the queue.

use std::collections::HashMap;

use uuid::Uuid;

use super::derive::expression;
use super::elsewhere::Elsewhere;
use super::ledger::shadow;
use super::outbox::differing;
use super::stored::{Stored, get_all};
use super::write::Draft;
use crate::error::Result;
use crate::store::queue::{Columns, Put};
use crate::store::{LinkRow, Org, Tx, links, rows};
use crate::tables::{
    COMPANIES, CONTACTS, Catalog, CatalogTable, Connection, Form, System, Value, Way, company_domain,
};

/// What a CRM must be told of a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// The columns in which it differs from the row, without a company that it does not know.
    pub columns: Columns,
    /// The record there of the company that the row names.
    pub company: Option<String>,
}

/// What the CRM must be told of each row, whose links to it stand beside them. The rows are held.
pub async fn due(
    tx: &mut Tx,
    catalog: &Catalog,
    connection: &Connection,
    table: &CatalogTable,
    rows: &[(&Stored, Option<&LinkRow>)],
) -> Result<Vec<Due>> {
    let of = |(row, link): &(&Stored, Option<&LinkRow>)| Due {
        columns: differing(connection, table, row, *link),
        company: None,
    };
    let mut all: Vec<Due> = rows.iter().map(of).collect();
    let Some(column) = company_column(connection, table) else { return Ok(all) };
    let naming: Vec<(usize, &Stored, &str)> = rows
        .iter()
        .enumerate()
        .filter(|(at, _)| all.get(*at).is_some_and(|due| due.columns.contains_key(column)))
        .filter_map(|(at, (row, _))| Some((at, *row, row.text(table, column)?)))
        .collect();
    let names: Vec<&str> = naming.iter().map(|(_, _, name)| *name).collect();
    let known = records(tx, catalog, connection.system, &names).await?;
    for (at, row, name) in naming {
        let Some(due) = all.get_mut(at) else { continue };
        let email = row.text(table, "email");
        due.company = known.get(name).and_then(|records| chosen(records, email)).map(str::to_owned);
        if due.company.is_none() {
            due.columns.remove(column);
        }
    }
    Ok(all)
}

/// The contacts that waited for the companies of a change to be known at the CRM by their names.
pub(super) async fn waiting(
    tx: &mut Tx,
    catalog: &Catalog,
    connection: &Connection,
    table: &CatalogTable,
    drafts: impl Iterator<Item = &Draft>,
    elsewhere: &HashMap<Uuid, Elsewhere>,
) -> Result<Vec<Put>> {
    let Some(name) = table.find("name").filter(|_| table.key() == COMPANIES.key) else {
        return Ok(Vec::new());
    };
    let Ok(contacts) = catalog.table(CONTACTS.key) else { return Ok(Vec::new()) };
    let Some(column) = company_column(connection, contacts) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for known in drafts.filter_map(|draft| elsewhere.get(&draft.after.head.id)) {
        let is_news = known.news.iter().any(|(system, key)| *system == connection.system && *key == name.key)
            || known.back.contains(&connection.system);
        let link = known.link(connection.system).filter(|link| is_news && link.gone_ms.is_none());
        if let Some(Value::Text(name)) = link.and_then(|link| shadow(link, name)).and_then(|it| it.value) {
            names.extend(spellings(&name));
        }
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let found = rows::by_text(tx, catalog.org, CONTACTS.key, &expression(&CONTACTS, column), &names).await?;
    let ids: Vec<Uuid> = found.into_iter().map(|(_, id)| id).collect();
    let links = of_system(tx, catalog.org, connection.system, &ids).await?;
    let linked: Vec<Uuid> = links.keys().copied().collect();
    let rows = get_all(tx, catalog.org, contacts, &linked).await?;
    let waiting = rows.iter().filter_map(|row| {
        let mut columns = differing(connection, contacts, row, links.get(&row.head.id));
        columns.retain(|key, _| key == column);
        let line = Put { row_id: row.head.id, table_key: CONTACTS.key, columns };
        (!line.columns.is_empty()).then_some(line)
    });
    Ok(waiting.collect())
}

/// The column of a table whose values are sent as associations with companies.
fn company_column<'a>(connection: &'a Connection, table: &CatalogTable) -> Option<&'a str> {
    let mut fields = connection.fields_of(table.key());
    let field = fields.find(|field| field.form == Form::CompanyName && field.way == Way::Both)?;
    Some(&field.column)
}

/// A company's record at a CRM, and the domain that the company has here.
struct Company {
    record: String,
    domain: Option<String>,
}

/// The records of the companies that the CRM knows by these names.
async fn records(
    tx: &mut Tx,
    catalog: &Catalog,
    system: System,
    names: &[&str],
) -> Result<HashMap<String, Vec<Company>>> {
    let mut known = HashMap::<String, Vec<Company>>::new();
    let Ok(companies) = catalog.table(COMPANIES.key) else { return Ok(known) };
    let Some(name) = companies.find("name").filter(|_| !names.is_empty()) else { return Ok(known) };
    let mut texts: Vec<String> = names.iter().flat_map(|name| spellings(name)).collect();
    texts.sort_unstable();
    texts.dedup();
    let found =
        rows::by_text(tx, catalog.org, COMPANIES.key, &expression(&COMPANIES, "name"), &texts).await?;
    let ids: Vec<Uuid> = found.into_iter().map(|(_, id)| id).collect();
    let links = of_system(tx, catalog.org, system, &ids).await?;
    let linked: Vec<Uuid> = links.keys().copied().collect();
    for row in get_all(tx, catalog.org, companies, &linked).await? {
        let Some(link) = links.get(&row.head.id) else { continue };
        // By its name there: of a company that is being renamed the contacts follow once that has arrived.
        if let Some(Value::Text(name)) = shadow(link, name).and_then(|shadow| shadow.value) {
            let domain = row.text(companies, "domain").map(str::to_owned);
            known.entry(name).or_default().push(Company { record: link.record_id.clone(), domain });
        }
    }
    Ok(known)
}

/// Of companies of one name the only one, or the only one that has the domain of the contact's address.
fn chosen<'a>(companies: &'a [Company], email: Option<&str>) -> Option<&'a str> {
    if let [only] = companies {
        return Some(&only.record);
    }
    let domain = company_domain(email?)?;
    let mut same = companies.iter().filter(|company| company.domain.as_deref() == Some(domain));
    let first = same.next()?;
    same.next().is_none().then_some(first.record.as_str())
}

/// The live records of rows at a CRM.
async fn of_system(tx: &mut Tx, org: Org, system: System, rows: &[Uuid]) -> Result<HashMap<Uuid, LinkRow>> {
    let links = links::of_rows(tx, org, rows).await?;
    let live = links.into_iter().filter(|link| link.system == system.name() && link.gone_ms.is_none());
    Ok(live.map(|link| (link.row_id, link)).collect())
}

/// A text as the databases compare it: one folds the letters of all alphabets, the other those of ASCII.
fn spellings(text: &str) -> [String; 2] {
    [text.to_ascii_lowercase(), text.to_lowercase()]
}
