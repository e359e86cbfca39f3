//! What of a row can be told to a CRM, where some cells are no texts but records that the row's record is associated with: a
//! contact's company, a meeting's contact.
//!
//! Such a record is known at a CRM once it holds there what the cell names it by. Until then the row waits, and no line of a
//! queue does: the change by which the CRM's value becomes known puts the row into the queue.

use std::collections::HashMap;

use uuid::Uuid;

use super::derive::expression;
use super::elsewhere::Elsewhere;
use super::ledger::shadow;
use super::outbox::{differing, may_create};
use super::stored::{Stored, get_all};
use super::write::Draft;
use crate::error::Result;
use crate::store::queue::{Columns, Put};
use crate::store::{LinkRow, Org, Tx, links, rows};
use crate::tables::{
    COMPANIES, CONTACTS, Catalog, CatalogTable, Connection, Form, MEETINGS, System, Table, Value,
    company_domain, line,
};

/// What a CRM must be told of a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Due {
    /// The columns in which it differs from the row, without what must wait.
    pub columns: Columns,
    /// The record there that the row's record is associated with.
    pub associate: Option<String>,
}

/// A column that names a row of another table, by one of that table's columns.
struct Tie {
    table: &'static Table,
    form: Form,
    to: &'static Table,
    by: &'static str,
    /// Whether a new record is not made without it.
    is_needed: bool,
}

const TIES: &[Tie] = &[
    Tie { table: &CONTACTS, form: Form::CompanyName, to: &COMPANIES, by: "name", is_needed: false },
    Tie { table: &MEETINGS, form: Form::Person, to: &CONTACTS, by: "email", is_needed: true },
];

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
        associate: None,
    };
    let mut all: Vec<Due> = rows.iter().map(of).collect();
    let Some(tie) = TIES.iter().find(|tie| tie.table.key == table.key()) else { return Ok(all) };
    let Some(column) = tie.column(connection) else { return Ok(all) };
    let differs = rows.iter().zip(&all).filter(|(_, due)| due.columns.contains_key(column));
    let names: Vec<&str> = differs.filter_map(|((row, _), _)| row.text(table, column)).collect();
    if !names.is_empty() {
        // What becomes known from here on waits for this transaction, and then puts the rows into the queue again.
        line::enter(tx, catalog.org, tie.to.key).await?;
    }
    let known = tie.records(tx, catalog, connection.system, &names).await?;
    for ((row, link), due) in rows.iter().zip(&mut all) {
        let name = row.text(table, column).filter(|_| due.columns.contains_key(column));
        let found = name.and_then(|name| known.get(name));
        due.associate =
            found.and_then(|found| tie.chosen(found, row.text(table, "email"))).map(str::to_owned);
        let is_missing = due.associate.is_none();
        if is_missing && name.is_some() {
            due.columns.remove(column);
        }
        if is_missing && tie.is_needed && link.is_none() {
            due.columns.clear();
        }
    }
    Ok(all)
}

/// The rows that waited for those of a change to be known at the CRM by what others name them by.
pub(super) async fn waiting(
    tx: &mut Tx,
    catalog: &Catalog,
    connection: &Connection,
    table: &CatalogTable,
    drafts: impl Iterator<Item = &Draft>,
    elsewhere: &HashMap<Uuid, Elsewhere>,
) -> Result<Vec<Put>> {
    let Some(tie) = TIES.iter().find(|tie| tie.to.key == table.key()) else { return Ok(Vec::new()) };
    let (Some(by), Some(column)) = (table.find(tie.by), tie.column(connection)) else {
        return Ok(Vec::new());
    };
    let Ok(naming) = catalog.table(tie.table.key) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for known in drafts.filter_map(|draft| elsewhere.get(&draft.after.head.id)) {
        let is_news = known.news.iter().any(|(system, key)| *system == connection.system && *key == by.key)
            || known.back.contains(&connection.system);
        let link = known.link(connection.system).filter(|link| is_news && link.gone_ms.is_none());
        if let Some(Value::Text(name)) = link.and_then(|link| shadow(link, by)).and_then(|it| it.value) {
            names.extend(spellings(&name));
        }
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let found = rows::by_text(tx, catalog.org, naming.key(), &expression(tie.table, column), &names).await?;
    let ids: Vec<Uuid> = found.into_iter().map(|(_, id)| id).collect();
    let links = of_system(tx, catalog.org, connection.system, &ids).await?;
    let rows = get_all(tx, catalog.org, naming, &ids).await?;
    let put = rows.iter().filter_map(|row| {
        let link = links.get(&row.head.id);
        if link.is_some_and(|link| link.gone_ms.is_some()) {
            return None;
        }
        let mut columns = differing(connection, naming, row, link);
        if link.is_some() {
            columns.retain(|key, _| key == column);
        } else if !tie.is_needed || !may_create(connection, naming, row) {
            return None;
        }
        let is_any = !columns.is_empty();
        is_any.then(|| Put { row_id: row.head.id, table_key: naming.key(), columns })
    });
    Ok(put.collect())
}

/// A record at a CRM, and the domain that its row has here.
struct Target {
    record: String,
    domain: Option<String>,
}

impl Tie {
    /// The column whose values are sent as associations.
    fn column<'a>(&self, connection: &'a Connection) -> Option<&'a str> {
        let mut fields = connection.fields_of(self.table.key);
        let field = fields.find(|field| field.form == self.form && field.way.is_sent())?;
        Some(&field.column)
    }

    /// The live records that the CRM knows by these names, oldest rows first.
    async fn records(
        &self,
        tx: &mut Tx,
        catalog: &Catalog,
        system: System,
        names: &[&str],
    ) -> Result<HashMap<String, Vec<Target>>> {
        let mut known = HashMap::<String, Vec<Target>>::new();
        let Ok(table) = catalog.table(self.to.key) else { return Ok(known) };
        let Some(by) = table.find(self.by).filter(|_| !names.is_empty()) else { return Ok(known) };
        let mut texts: Vec<String> = names.iter().flat_map(|name| spellings(name)).collect();
        texts.sort_unstable();
        texts.dedup();
        let found =
            rows::by_text(tx, catalog.org, table.key(), &expression(self.to, self.by), &texts).await?;
        let ids: Vec<Uuid> = found.into_iter().map(|(_, id)| id).collect();
        let links = of_system(tx, catalog.org, system, &ids).await?;
        let live = links.values().filter(|link| link.gone_ms.is_none());
        let live: Vec<Uuid> = live.map(|link| link.row_id).collect();
        for row in get_all(tx, catalog.org, table, &live).await? {
            let Some(link) = links.get(&row.head.id) else { continue };
            // By what it holds there: of a company that is being renamed the contacts follow once that has arrived.
            if let Some(Value::Text(name)) = shadow(link, by).and_then(|shadow| shadow.value) {
                let domain = row.text(table, "domain").map(str::to_owned);
                known.entry(name).or_default().push(Target { record: link.record_id.clone(), domain });
            }
        }
        Ok(known)
    }

    /// Of people with one address the first; of companies of one name the only one, or the only one that has the domain of
    /// the contact's address.
    fn chosen<'a>(&self, targets: &'a [Target], email: Option<&str>) -> Option<&'a str> {
        if let (Form::Person, [target, ..]) | (_, [target]) = (self.form, targets) {
            return Some(&target.record);
        }
        let domain = company_domain(email?)?;
        let mut same = targets.iter().filter(|target| target.domain.as_deref() == Some(domain));
        let only = same.next()?;
        same.next().is_none().then_some(only.record.as_str())
    }
}

/// The records of rows at a CRM, those that are gone too.
async fn of_system(tx: &mut Tx, org: Org, system: System, rows: &[Uuid]) -> Result<HashMap<Uuid, LinkRow>> {
    let links = links::of_rows(tx, org, rows).await?;
    let there = links.into_iter().filter(|link| link.system == system.name());
    Ok(there.map(|link| (link.row_id, link)).collect())
}

/// A text as the databases compare it: one folds the letters of all alphabets, the other those of ASCII.
fn spellings(text: &str) -> [String; 2] {
    [text.to_ascii_lowercase(), text.to_lowercase()]
}
