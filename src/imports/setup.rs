//! What must be there before rows are written: the columns the mapping makes, and the people it adds.

use super::host::Host;
use super::mapping::{Create, Mapping};
use super::plan::table_of;
use super::source::Source;
use crate::error::{Result, conflict, invalid};
use crate::store::{MemberRow, Tx, organizations};
use crate::tables::custom::{self, NewColumn};
use crate::tables::{Catalog, CatalogOption, CatalogTable, Kind, Member, Slot};

/// A column that was made, and for which part of the mapping.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) route: usize,
    pub(super) key: String,
    pub(super) slot: Slot,
}

/// Makes the columns that the mapping wants and the tables lack.
pub(super) async fn columns(
    tx: &mut Tx,
    host: &Host<'_>,
    catalog: &Catalog,
    source: &Source,
    mapping: &Mapping,
) -> Result<Vec<Made>> {
    let mut made: Vec<(&str, Made)> = Vec::new();
    for (i, route) in mapping.into.iter().enumerate() {
        let table = table_of(catalog, source, route)?;
        for (j, create) in route.create.iter().enumerate() {
            let at = format!("into[{i}].create[{j}]");
            if made.iter().any(|(known, made)| *known == table.key() && made.key == create.key) {
                continue;
            }
            let Some(new) = missing(table, create).map_err(|error| error.at(&at))? else { continue };
            let slot = custom::add(tx, catalog, table.key(), &new, host.clock.now())
                .await
                .map_err(|error| error.at(&at))?;
            made.push((table.key(), Made { route: i, key: new.key, slot }));
        }
    }
    Ok(made.into_iter().map(|(_, made)| made).collect())
}

/// Adds the people who are no members yet, under the ids their rows have.
pub(super) async fn people(tx: &mut Tx, host: &Host<'_>, people: &[Member]) -> Result<()> {
    for member in people {
        let row =
            MemberRow { id: member.id.to_string(), name: member.name.clone(), email: member.email.clone() };
        if !organizations::insert_member(tx, host.org, &row, host.clock.now()).await? {
            return Err(conflict(format!(
                "`{}` was added as a member at this moment by somebody else",
                member.name
            ))
            .hint("nothing was imported; import again"));
        }
    }
    organizations::bump(tx, host.org).await
}

/// The column to be made; none when the table has it.
fn missing(table: &CatalogTable, create: &Create) -> Result<Option<NewColumn>> {
    let Some(kind) = Kind::from_key(&create.kind) else {
        return Err(invalid(format!("`{}` is no type of a column", create.kind))
            .choices(&create.kind, Kind::ALL.iter().map(|kind| kind.key()))
            .at("type"));
    };
    if let Some(known) = table.find(&create.key) {
        if known.kind == kind {
            return Ok(None);
        }
        return Err(conflict(format!(
            "`{}` has a column `{}` of type {} already",
            table.key(),
            create.key,
            known.kind.key()
        ))
        .hint("leave it out of `create`, or choose another key"));
    }
    let options = create.options.iter().map(|option| CatalogOption {
        value: option.clone(),
        label: option.clone(),
        color: "gray".to_owned(),
        words: Vec::new(),
    });
    let label = if create.label.is_empty() { spoken(&create.key) } else { create.label.clone() };
    let options = options.collect();
    Ok(Some(NewColumn { key: create.key.clone(), label, kind, options, about: create.about.clone() }))
}

/// A key as a label: `close_date` as `Close date`.
fn spoken(key: &str) -> String {
    let mut letters = key.chars().map(|c| if c == '_' { ' ' } else { c });
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
