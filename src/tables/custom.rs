//! An organization's own columns, and what it may change of the core ones.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::types::Json as SqlJson;
use unicode_normalization::UnicodeNormalization;

use super::catalog::{Catalog, CatalogColumn, CatalogOption, CatalogTable, Place};
use super::column::Slot;
use super::kind::{Kind, Storage, fold_word};
use crate::error::{Error, Result, conflict, denied, invalid};
use crate::store::{ColumnRow, Tx, organizations, rows, structure};

const MAX_KEY: usize = 63;
const MAX_LABEL: usize = 64;
const MAX_ABOUT: usize = 300;
const MAX_OPTIONS: usize = 100;
/// Own columns stand behind the core ones, those of later versions too.
const FIRST_OWN_POSITION: i64 = 1_000;
/// Names that mean something else in a call.
const RESERVED: &[&str] = &["id", "tags", "_value", "updated_at", "org_id", "table_key"];

/// A column to be added.
#[derive(Debug, Clone)]
pub struct NewColumn {
    /// Made from the label when empty.
    pub key: String,
    pub label: String,
    pub kind: Kind,
    /// For a status column; others have none.
    pub options: Vec<CatalogOption>,
    pub about: String,
}

/// What is to change of a column; none leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct ColumnEdit {
    pub label: Option<String>,
    pub about: Option<String>,
    pub hidden: Option<bool>,
    /// Where it stands among the table's columns, from 0.
    pub position: Option<usize>,
    /// Only for the organization's own status columns.
    pub options: Option<Vec<CatalogOption>>,
}

/// Adds a column in the first free slot of its kind; the slot it took.
pub async fn add(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &str,
    new: &NewColumn,
    now: DateTime<Utc>,
) -> Result<Slot> {
    let table = catalog.table(table)?;
    let label = valid_label(&new.label)?;
    let key = valid_key(table, if new.key.is_empty() { slug(&label) } else { new.key.clone() })?;
    let options = valid_options(new.kind, &new.options)?;
    let about = valid_about(&new.about)?;
    refuse_known_label(table, &key, &label)?;
    // The organization's line first, as provisioning does: two processes never wait for each other.
    organizations::bump(tx, catalog.org).await?;
    super::line::take(tx, catalog.org, table.key()).await?;
    let stored = structure::columns(tx, catalog.org).await?;
    let taken: Vec<Slot> = stored
        .iter()
        .filter(|column| column.table_key == table.key())
        .filter_map(|column| column.slot.as_deref().and_then(Slot::parse))
        .collect();
    if stored.iter().any(|column| column.table_key == table.key() && column.key == key) {
        return Err(exists(table, &key));
    }
    let slot = free_slot(tx, catalog, table, new.kind.storage(), &taken).await?;
    let row = ColumnRow {
        table_key: table.key().to_owned(),
        key,
        label,
        kind: new.kind.key().to_owned(),
        slot: Some(slot.column()),
        options: SqlJson(json!(options)),
        about,
        position: stored.iter().map(|column| column.position + 1).fold(FIRST_OWN_POSITION, i64::max),
        is_system: false,
        is_hidden: false,
        is_edited: false,
    };
    structure::put_column(tx, catalog.org, &row, now).await?;
    Ok(slot)
}

/// The first slot of the family that neither a column nor a value is in. A value without a column was left by
/// one that is gone, and must not show up under another name.
async fn free_slot(
    tx: &mut Tx,
    catalog: &Catalog,
    table: &CatalogTable,
    storage: Storage,
    taken: &[Slot],
) -> Result<Slot> {
    let (all, core) = Slot::counts(storage);
    for slot in (core + 1..=all).map(|number| Slot { storage, number }) {
        if !taken.contains(&slot) && rows::is_empty(tx, catalog.org, table.key(), &slot.column()).await? {
            return Ok(slot);
        }
    }
    Err(conflict(format!(
        "`{}` has no room for another column of this type: {} is the most",
        table.key(),
        all - core
    ))
    .at("type")
    .hint("delete a custom column that is no longer used"))
}

/// Changes a column's label, help, place, visibility or, for an own status column, its options.
pub async fn edit(tx: &mut Tx, catalog: &Catalog, table: &str, key: &str, edit: &ColumnEdit) -> Result<()> {
    let table = catalog.table(table)?;
    let column = stored_column(table, key)?;
    if edit.options.is_some() && !column.custom {
        return Err(denied(format!(
            "the options of `{key}` are locked: it is a core column of `{}`",
            table.key()
        ))
        .at("options")
        .hint("add a status column of your own"));
    }
    if let Some(label) = &edit.label {
        refuse_known_label(table, key, label)?;
    }
    organizations::bump(tx, catalog.org).await?;
    super::line::take(tx, catalog.org, table.key()).await?;
    let mut rows: Vec<ColumnRow> = structure::columns(tx, catalog.org)
        .await?
        .into_iter()
        .filter(|row| row.table_key == table.key())
        .collect();
    let Some(place) = rows.iter().position(|row| row.key == key) else {
        return Err(conflict(format!("`{key}` was deleted at this moment")));
    };
    let mut row = rows.remove(place);
    if let Some(label) = &edit.label {
        row.label = valid_label(label)?;
    }
    if let Some(about) = &edit.about {
        row.about = valid_about(about)?;
    }
    row.is_hidden = edit.hidden.unwrap_or(row.is_hidden);
    if let Some(options) = &edit.options {
        row.options = SqlJson(json!(valid_options(column.kind, options)?));
    }
    let Some(position) = edit.position else { return structure::edit_column(tx, catalog.org, &row).await };
    rows.insert(position.min(rows.len()), row);
    for (position, mut row) in rows.into_iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        if row.position != position || row.key == key {
            row.position = position;
            structure::edit_column(tx, catalog.org, &row).await?;
        }
    }
    Ok(())
}

/// Removes an own column that no row has a value in any more.
pub async fn delete(tx: &mut Tx, catalog: &Catalog, table: &str, key: &str) -> Result<()> {
    let table = catalog.table(table)?;
    own_column(table, key)?;
    organizations::bump(tx, catalog.org).await?;
    structure::delete_column(tx, catalog.org, table.key(), key).await
}

/// The column, when it is the organization's own.
pub fn own_column<'a>(table: &'a CatalogTable, key: &str) -> Result<&'a CatalogColumn> {
    let column = stored_column(table, key)?;
    if !column.custom {
        return Err(denied(format!(
            "`{key}` is a core column of `{}`: it cannot be deleted, renamed or retyped",
            table.key()
        ))
        .at("key")
        .hint("hide it, relabel it or move it instead"));
    }
    Ok(column)
}

/// The options in their form: values unique, labels not empty.
pub fn valid_options(kind: Kind, options: &[CatalogOption]) -> Result<Vec<CatalogOption>> {
    let fault = |message: String| Err(invalid(message).at("options"));
    match (kind, options.is_empty()) {
        (Kind::Status, true) => return fault("a status column needs options".to_owned()),
        (Kind::Status, false) => {}
        (_, true) => return Ok(Vec::new()),
        (_, false) => return fault("only a status column has options".to_owned()),
    }
    if options.len() > MAX_OPTIONS {
        return fault(format!("a column has at most {MAX_OPTIONS} options"));
    }
    let mut valid: Vec<CatalogOption> = Vec::with_capacity(options.len());
    for (i, option) in options.iter().enumerate() {
        let named =
            |part: &str, text: &str| name(text).map_err(|error| error.at(format!("options[{i}].{part}")));
        let value = named("value", &option.value)?;
        let label =
            if option.label.trim().is_empty() { value.clone() } else { named("label", &option.label)? };
        if valid.iter().any(|known| known.value.eq_ignore_ascii_case(&value)) {
            return fault(format!("the option `{value}` is listed twice"));
        }
        let color =
            if option.color.trim().is_empty() { "gray".to_owned() } else { named("color", &option.color)? };
        let words = option.words.iter().map(|word| named("words", word)).collect::<Result<_>>()?;
        valid.push(CatalogOption { value, label, color, words });
    }
    Ok(valid)
}

/// Two columns of one name could not be told apart by a person or in a file's headings.
fn refuse_known_label(table: &CatalogTable, key: &str, label: &str) -> Result<()> {
    let wanted = fold_word(label);
    let same = |column: &&CatalogColumn| column.key != key && fold_word(&column.label) == wanted;
    match table.columns.iter().find(same).filter(|_| !wanted.is_empty()) {
        Some(column) => Err(conflict(format!("the column `{}` has this name already", column.key))
            .at("label")
            .hint("choose another name")),
        None => Ok(()),
    }
}

fn stored_column<'a>(table: &'a CatalogTable, key: &str) -> Result<&'a CatalogColumn> {
    let column = table.column(key).map_err(|error| error.at("key"))?;
    if column.place == Place::RowTags {
        return Err(denied("`tags` belongs to every row and stays as it is").at("key"));
    }
    Ok(column)
}

fn exists(table: &CatalogTable, key: &str) -> Error {
    conflict(format!("`{}` has a column `{key}` already", table.key())).at("key").hint("choose another key")
}

fn valid_key(table: &CatalogTable, key: String) -> Result<String> {
    let shaped = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && key.len() <= MAX_KEY;
    if !shaped {
        return Err(invalid(format!("`{key}` is not a column key"))
            .at("key")
            .hint("use lower-case letters, digits and _, a letter first, as renewal_date"));
    }
    if RESERVED.contains(&key.as_str()) {
        return Err(invalid(format!("`{key}` means something else in a call"))
            .at("key")
            .hint("choose another key"));
    }
    if table.find(&key).is_some() {
        return Err(exists(table, &key));
    }
    Ok(key)
}

/// A name that people see: one line, no control or direction characters.
pub fn valid_label(label: &str) -> Result<String> {
    name(label).map_err(|error| error.at("label"))
}

fn name(text: &str) -> Result<String> {
    visible_line(text, MAX_LABEL)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(format!("a name is one line of 1 to {MAX_LABEL} visible characters")))
}

fn valid_about(about: &str) -> Result<String> {
    visible_line(about, MAX_ABOUT).ok_or_else(|| {
        invalid(format!("help is one line of at most {MAX_ABOUT} visible characters")).at("about")
    })
}

/// The text with single spaces; none when it is too long or has what cannot be seen in it.
fn visible_line(text: &str, chars_max: usize) -> Option<String> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
    };
    if text.trim().chars().any(hidden) {
        return None;
    }
    let line = text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    (line.chars().count() <= chars_max).then_some(line)
}

fn slug(label: &str) -> String {
    let mut key = String::new();
    for c in label.nfkd().filter(char::is_ascii) {
        if c.is_ascii_alphanumeric() {
            key.push(c.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    let key = key.trim_end_matches('_').to_owned();
    if key.starts_with(|c: char| c.is_ascii_digit()) { format!("c_{key}") } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_from_its_label() {
        assert_eq!(slug("Renewal Date"), "renewal_date");
        assert_eq!(slug("  % of Café seats "), "of_cafe_seats");
        assert_eq!(slug("2nd owner"), "c_2nd_owner");
    }

    #[test]
    fn a_label_hides_nothing() {
        assert!(valid_label("Region\u{202E}noisrev").is_err());
        assert!(valid_label("").is_err());
        assert_eq!(valid_label(" Account   manager ").unwrap(), "Account manager");
    }
}
