//! Which column is which property: whether that can work at an account, and what the organization decides about it.
//!
//! A declared column that cannot work at an account is left out, or only read, with the reason; that is decided again each
//! time the account's properties are read. What the organization decided stays as it is.

mod fits;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use super::crm::Property;
use crate::error::{Error, Result, invalid, nearest};
use crate::tables::{
    Access, Catalog, CatalogColumn, CatalogTable, Form, Kind, MappingEdit, Object, Place, Policy, System,
    Way, form_of,
};

/// The properties of each object, by the object's name, as the CRM described them.
pub type Described = BTreeMap<String, Vec<Property>>;

/// What keeps a column and a property apart, or some of their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub table: String,
    pub column: String,
    pub property: String,
    /// Whether the column cannot be kept in step at all.
    pub is_fatal: bool,
    /// A sentence for people.
    pub message: String,
    #[serde(skip)]
    pub(super) problem: Problem,
}

/// What is wrong with a column and its property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    Unknown,
    ReadOnly,
    /// The CRM's word for the type that it is.
    WrongType(String),
    /// Our options that it does not have.
    MissingOptions(Vec<String>),
}

/// What an organization wants of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Keep it in step with this property, or with `Some(Way::In)` only take in what is there.
    Property(String, Option<Way>),
    /// Leave it out.
    Off,
    /// Decide so between two edits.
    Policy(Policy),
}

/// A column with the property that it is to be.
#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    system: System,
    table: &'a CatalogTable,
    column: &'a CatalogColumn,
    property: &'a str,
    form: Form,
    way: Way,
}

/// What keeps the columns of the organization's tables from working as they are mapped at an account.
pub fn findings(system: System, catalog: &Catalog, described: &Described) -> Vec<Finding> {
    let fields = catalog.connection(system).into_iter().flat_map(|connection| &connection.fields);
    let found = fields.filter_map(|field| {
        let table = catalog.tables.iter().find(|table| table.key() == field.table)?;
        let column = table.find(&field.column)?;
        let pair =
            Pair { system, table, column, property: &field.property, form: field.form, way: field.way };
        check(&pair, described)
    });
    found.collect()
}

/// The edits that an account makes necessary: declared columns whose property is not there or is of another type are left
/// out, those whose property the CRM computes are only read.
pub fn defaults(system: System, tables: &[CatalogTable], described: &Described) -> Vec<MappingEdit> {
    let mut edits = Vec::new();
    let is_there = |table: &CatalogTable| {
        Object::of_table(table.key())
            .is_some_and(|object| object.is_read() || described.contains_key(object.name()))
    };
    for (table, column) in declared(tables).filter(|(table, _)| is_there(table)) {
        let Some(field) = declared_field(system, table, column) else { continue };
        let pair = Pair { system, table, column, property: field.name, form: field.form, way: field.way };
        let Some(finding) = check(&pair, described) else { continue };
        let (property, way) = match finding.problem {
            Problem::Unknown | Problem::WrongType(_) => (None, None),
            Problem::ReadOnly => (Some(field.name.to_owned()), Some(Way::In)),
            Problem::MissingOptions(_) => continue,
        };
        edits.push(MappingEdit {
            table: table.key().to_owned(),
            column: column.key.clone(),
            property,
            form: None,
            way,
            policy: Policy::Lww,
            reason: Some(finding.message),
        });
    }
    edits
}

/// The mapping after the account's properties were read again: what the organization decided, and what is necessary now.
pub fn renewed(
    system: System,
    tables: &[CatalogTable],
    described: &Described,
    edits: &[MappingEdit],
) -> Vec<MappingEdit> {
    let mut defaults = defaults(system, tables, described);
    let mut renewed = Vec::with_capacity(edits.len());
    for edit in edits {
        let is_same = |other: &MappingEdit| edit.table == other.table && edit.column == other.column;
        let declared =
            declared(tables).find(|(table, column)| table.key() == edit.table && column.key == edit.column);
        let plain = declared.filter(|(table, column)| {
            let plain = MappingEdit { policy: Policy::Lww, ..edit.clone() };
            edit.reason.is_some() || is_as_declared(system, table, column, &plain)
        });
        let Some((table, column)) = plain else {
            // Which property it is was decided, so the account does not decide it.
            defaults.retain(|default| !is_same(default));
            renewed.push(edit.clone());
            continue;
        };
        // Who decides between two edits outlives what the account could or could not do.
        match (defaults.iter_mut().find(|default| is_same(default)), declared_field(system, table, column)) {
            (Some(default), _) => default.policy = edit.policy,
            (None, Some(field)) if edit.policy != Policy::Lww => renewed.push(MappingEdit {
                property: Some(field.name.to_owned()),
                form: None,
                way: None,
                reason: None,
                ..edit.clone()
            }),
            (None, _) => {}
        }
    }
    renewed.extend(defaults);
    renewed
}

/// The mapping after an organization's wish for one column. A wish that cannot work is refused with what would.
pub fn edit(
    system: System,
    tables: &[CatalogTable],
    described: &Described,
    edits: &[MappingEdit],
    (table, column): (&str, &str),
    wish: &Wish,
) -> Result<Vec<MappingEdit>> {
    let table = synchronized(tables, table)?;
    let column = table.column(column).map_err(|error| error.at("column"))?;
    let before = edits.iter().find(|edit| edit.table == table.key() && edit.column == column.key);
    let field = declared_field(system, table, column);
    let mapped = match before {
        Some(edit) => edit.property.clone(),
        None => field.map(|field| field.name.to_owned()),
    };
    let mut after = match before {
        Some(before) => before.clone(),
        None => MappingEdit {
            table: table.key().to_owned(),
            column: column.key.clone(),
            property: mapped.clone(),
            form: None,
            way: None,
            policy: Policy::Lww,
            reason: None,
        },
    };
    match wish {
        Wish::Property(property, way) => {
            refuse_unmappable(table, column)?;
            let form = form_as(system, table, column, described, property);
            let is_read = Object::of_table(table.key()).is_some_and(Object::is_read);
            let way =
                way.or(field.map(|field| field.way)).unwrap_or(if is_read { Way::Both } else { Way::Out });
            refuse_unread(table, described, way)?;
            let pair = Pair { system, table, column, property, form, way };
            refuse(&pair, described)?;
            refuse_taken(&pair, tables, edits)?;
            after = MappingEdit {
                property: Some(property.clone()),
                form: Some(form),
                way: Some(way),
                reason: None,
                ..after
            };
        }
        Wish::Off => {
            after = MappingEdit {
                property: None,
                form: None,
                way: None,
                policy: Policy::Lww,
                reason: None,
                ..after
            };
        }
        Wish::Policy(policy) => {
            if mapped.is_none() {
                return Err(invalid(format!(
                    "`{}.{}` is no property at {}",
                    table.key(),
                    column.key,
                    system.label()
                ))
                .at("policy")
                .hint("map it to one first: there is nothing to decide between"));
            }
            after.policy = *policy;
        }
    }
    let is_same = |edit: &MappingEdit| edit.table == after.table && edit.column == after.column;
    let mut edits: Vec<MappingEdit> = edits.iter().filter(|edit| !is_same(edit)).cloned().collect();
    if !is_as_declared(system, table, column, &after) {
        edits.push(after);
    }
    Ok(edits)
}

/// Whether an edit says what the declaration says anyway.
fn is_as_declared(system: System, table: &CatalogTable, column: &CatalogColumn, edit: &MappingEdit) -> bool {
    let field = declared_field(system, table, column);
    edit.policy == Policy::Lww
        && edit.reason.is_none()
        && edit.property.as_deref() == field.map(|field| field.name)
        && edit.form.is_none_or(|form| field.is_some_and(|field| field.form == form))
        && edit.way.is_none_or(|way| field.is_some_and(|field| field.way == way))
}

/// The organization's table of that name, which must be one that CRMs have records of.
fn synchronized<'a>(tables: &'a [CatalogTable], key: &str) -> Result<&'a CatalogTable> {
    let found = tables.iter().find(|table| table.key() == key && Object::of_table(key).is_some());
    found.ok_or_else(|| {
        let known = Object::ALL.iter().map(|object| object.table());
        invalid(format!("`{key}` is no table that is kept in step with a CRM"))
            .at("table")
            .choices(key, known)
    })
}

/// Refuses columns whose values are nobody's to send or to take in.
fn refuse_unmappable(table: &CatalogTable, column: &CatalogColumn) -> Result<()> {
    let why = match (column.place, column.kind) {
        (Place::Computed(_), _) => "it is worked out from other values",
        _ if column.access == Access::Synced => "it is the record's own id",
        (Place::RowTags, _) => "it holds the tags of the row itself",
        (Place::Slot(_), Kind::Person) => "it holds members of this organization, whom a CRM does not know",
        _ if !column.is_editable() => "it is worked out from other values",
        _ => return Ok(()),
    };
    Err(invalid(format!("`{}.{}` cannot be mapped: {why}", table.key(), column.key)).at("column"))
}

/// Refuses to read what is only sent, and to send what the account does not take.
fn refuse_unread(table: &CatalogTable, described: &Described, way: Way) -> Result<()> {
    let Some(object) = Object::of_table(table.key()).filter(|object| !object.is_read()) else {
        return Ok(());
    };
    if way != Way::Out {
        return Err(invalid(format!("`{}` are only sent, nothing is read back", table.key())).at("way"));
    }
    if !described.contains_key(object.name()) {
        return Err(invalid(format!("the connected account takes no `{}`", table.key()))
            .at("table")
            .hint("connect again with a token that may write them"));
    }
    Ok(())
}

/// Refuses a pair that cannot work.
fn refuse(pair: &Pair<'_>, described: &Described) -> Result<()> {
    let Some(finding) = check(pair, described) else { return Ok(()) };
    let error = invalid(finding.message.clone()).at("property");
    Err(match finding.problem {
        Problem::MissingOptions(_) => return Ok(()),
        Problem::Unknown => suggest(error, pair, described),
        Problem::ReadOnly => error.hint("map it to be read only, or name another property"),
        Problem::WrongType(_) => {
            let wanted = fits::kinds(pair.system, pair.form, pair.way).join(", ");
            error.hint(format!("a column of this type goes with properties of the types {wanted}"))
        }
    })
}

/// Names the properties that would do, the nearest one first of all.
fn suggest(error: Error, pair: &Pair<'_>, described: &Described) -> Error {
    let fitting = properties(pair, described).iter().filter(|property| {
        let fits = fits::fits(pair.system, pair.form, pair.way, property);
        fits && !(pair.way.is_sent() && property.read_only)
    });
    let names: Vec<&str> = fitting.map(|property| property.name.as_str()).collect();
    let by_label = properties(pair, described).iter().find(|it| it.label.eq_ignore_ascii_case(pair.property));
    match by_label
        .map(|property| property.name.as_str())
        .or_else(|| nearest(pair.property, names.iter().copied()))
    {
        Some(best) => error.hint(format!("did you mean `{best}`?")),
        None => error.choices("", names),
    }
}

/// Refuses a property that another column is sent to: one of the two would never stand.
fn refuse_taken(pair: &Pair<'_>, tables: &[CatalogTable], edits: &[MappingEdit]) -> Result<()> {
    let table = pair.table.key();
    let others = tables.iter().filter(|other| other.key() == table).flat_map(|table| &table.columns);
    for other in others.filter(|other| other.key != pair.column.key) {
        let edit = edits.iter().find(|edit| edit.table == table && edit.column == other.key);
        let field = declared_field(pair.system, pair.table, other);
        let (property, way, form) = match edit {
            Some(edit) => (
                edit.property.as_deref(),
                edit.way.or(field.map(|field| field.way)),
                edit.form.or(field.map(|field| field.form)),
            ),
            None => {
                (field.map(|field| field.name), field.map(|field| field.way), field.map(|field| field.form))
            }
        };
        let is_part = |form: Form| matches!(form, Form::GivenName | Form::FamilyName | Form::Note);
        let are_parts = is_part(pair.form) && form.is_some_and(is_part);
        if property == Some(pair.property)
            && way.is_some_and(Way::is_sent)
            && pair.way.is_sent()
            && !are_parts
        {
            return Err(invalid(format!(
                "`{}` is what `{table}.{}` is kept in step with",
                pair.property, other.key
            ))
            .at("property")
            .hint("leave that column out first"));
        }
    }
    Ok(())
}

/// What is wrong with a pair.
fn check(pair: &Pair<'_>, described: &Described) -> Option<Finding> {
    // Every record has its id, described or not, and can be associated with a person.
    if matches!(pair.form, Form::RecordId | Form::Person) {
        return None;
    }
    let found = properties(pair, described).iter().find(|property| property.name == pair.property);
    let (name, crm) = (format!("`{}`", pair.property), pair.system.label());
    let (problem, message) = match found {
        None => (Problem::Unknown, format!("{crm} has no property {name} for {}", pair.table.key())),
        Some(property) if !fits::fits(pair.system, pair.form, pair.way, property) => {
            let kind = property.kind.clone();
            let what = if property.multiple { format!("several {kind}") } else { kind.clone() };
            (
                Problem::WrongType(kind),
                format!("{name} is of the type {what}, which `{}` is not", pair.column.key),
            )
        }
        Some(property) if pair.way.is_sent() && property.read_only => {
            (Problem::ReadOnly, format!("{crm} computes {name}, so nothing is sent there"))
        }
        Some(property) => {
            let missing = fits::missing_options(pair.column, pair.form, pair.way, property);
            if missing.is_empty() {
                return None;
            }
            let list = missing.join(", ");
            (
                Problem::MissingOptions(missing),
                format!("{name} has no option for {list}: rows with it will not arrive"),
            )
        }
    };
    Some(Finding {
        table: pair.table.key().to_owned(),
        column: pair.column.key.clone(),
        property: pair.property.to_owned(),
        is_fatal: !matches!(problem, Problem::MissingOptions(_)),
        message,
        problem,
    })
}

fn properties<'a>(pair: &Pair<'_>, described: &'a Described) -> &'a [Property] {
    let object = Object::of_table(pair.table.key());
    object.and_then(|object| described.get(object.name())).map_or(&[], Vec::as_slice)
}

/// The declared columns of the tables that CRMs have records of.
fn declared(tables: &[CatalogTable]) -> impl Iterator<Item = (&CatalogTable, &CatalogColumn)> {
    let tables = tables.iter().filter(|table| Object::of_table(table.key()).is_some());
    tables.flat_map(|table| {
        table.columns.iter().filter(|column| !column.custom).map(move |column| (table, column))
    })
}

/// The property that a column is by declaration.
fn declared_field(
    system: System,
    table: &CatalogTable,
    column: &CatalogColumn,
) -> Option<crate::tables::CrmField> {
    let declared = table.declared.column(&column.key).filter(|_| !column.custom)?;
    declared.field(system)
}

/// How a column's values are written: as declared for this CRM, else as they are sent to another one.
fn form_here(system: System, table: &CatalogTable, column: &CatalogColumn) -> Form {
    let elsewhere = || {
        let fields = System::ALL.iter().filter_map(|other| declared_field(*other, table, column));
        fields.into_iter().find(|field| field.way.is_sent()).map(|field| field.form)
    };
    let here = declared_field(system, table, column).map(|field| field.form);
    here.or_else(elsewhere).unwrap_or_else(|| form_of(column.kind))
}

/// How a column's values are written in a property that somebody chose: a company is associated through the declared
/// property or another reference, and is a text in any other.
fn form_as(
    system: System,
    table: &CatalogTable,
    column: &CatalogColumn,
    described: &Described,
    property: &str,
) -> Form {
    let form = form_here(system, table, column);
    let is_declared = declared_field(system, table, column).is_some_and(|field| field.name == property);
    let object = Object::of_table(table.key()).and_then(|object| described.get(object.name()));
    let found = object.and_then(|properties| properties.iter().find(|known| known.name == property));
    let is_reference = found.is_some_and(|property| property.kind == "record-reference");
    if form == Form::CompanyName && !is_declared && !is_reference { Form::Text } else { form }
}
