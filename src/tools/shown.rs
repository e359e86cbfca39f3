//! The rows of a page as they are returned: value by value in the order of the columns, as many as fit.

use serde_json::{Value as Json, json};

use super::query::Output;
use crate::records::PageRow;
use crate::tables::{Catalog, CatalogColumn, CatalogTable, value};

/// How large a result may grow; it is cut at a row, with a cursor to go on from.
const MAX_BYTES: usize = 60 * 1024;

/// The rows as they are returned, as many as fit. Their values are taken out of them.
pub(super) fn show(
    catalog: &Catalog,
    table: &CatalogTable,
    fields: &[usize],
    rows: &mut [PageRow],
) -> Output {
    let columns: Vec<&CatalogColumn> = fields.iter().filter_map(|&field| table.columns.get(field)).collect();
    let mut output = Output {
        columns: std::iter::once("id".to_owned())
            .chain(columns.iter().map(|column| column.key.clone()))
            .collect(),
        ..Output::default()
    };
    let (mut bytes, mut is_exact) = (0, false);
    for row in rows {
        let mut shown = Vec::with_capacity(1 + columns.len());
        shown.push(json!(row.id));
        for (column, cell) in columns.iter().zip(std::mem::take(&mut row.values)) {
            let cell = cell.map(|cell| value::into_shown(column, cell, &catalog.members));
            shown.push(cell.unwrap_or_default());
        }
        bytes += if is_exact { size(&shown) } else { size_at_most(&shown) };
        if bytes > MAX_BYTES && !is_exact {
            // Only now is it worth a look at every byte.
            (bytes, is_exact) = (output.rows.iter().map(|row| size(row)).sum::<usize>() + size(&shown), true);
        }
        if bytes > MAX_BYTES {
            if !output.rows.is_empty() {
                output.note = Some(
                    "the result was cut at its size limit: go on with next_cursor, or ask for fewer fields"
                        .to_owned(),
                );
                break;
            }
            output.note = Some(shorten(&mut shown, table, row));
        }
        output.rows.push(shown);
    }
    output
}

/// Cuts the long texts of a row that is too large by itself.
fn shorten(shown: &mut [Json], table: &CatalogTable, row: &PageRow) -> String {
    let longest = MAX_BYTES / (2 * shown.len());
    for cell in shown.iter_mut() {
        if let Json::String(text) = cell
            && text.len() > longest
        {
            let end = text.floor_char_boundary(longest);
            *cell = json!(format!("{}…", text.get(..end).unwrap_or_default()));
        }
    }
    format!(
        "texts longer than {longest} bytes were cut: read ops://tables/{}/rows/{} for the whole row",
        table.key(),
        row.id
    )
}

fn size(row: &[Json]) -> usize {
    row.iter().map(|cell| cell_size(cell) + 1).sum::<usize>() + 2
}

/// A bound of [`size`] that takes no look at texts: none of their bytes becomes more than six.
fn size_at_most(row: &[Json]) -> usize {
    let cell = |cell: &Json| match cell {
        Json::String(text) => 6 * text.len() + 2,
        other => cell_size(other),
    };
    row.iter().map(|one| cell(one) + 1).sum::<usize>() + 2
}

/// How many bytes a cell takes as JSON; only what must be escaped needs a closer look.
fn cell_size(cell: &Json) -> usize {
    match cell {
        Json::String(text) if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') => {
            text.len() + 2
        }
        Json::Null => 4,
        other => other.to_string().len(),
    }
}
