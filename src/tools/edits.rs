//! From the rows of a save to edits: each value valid for its column, each row matched to the one it means.

use std::collections::HashMap;

use serde_json::{Map as JsonMap, Value as Json};
use uuid::Uuid;

use super::ctx::Ctx;
use super::save::{Args, edit_each};
use super::selection::{bad_id, parse_id};
use crate::error::{Error, Result, invalid};
use crate::records::{Action, Edit, Stored, Target};
use crate::store::{Tx, rows};
use crate::tables::definitions::comparable;
use crate::tables::{
    Access, Catalog, CatalogColumn, CatalogTable, Kind, Place, Reading, Storage, Value, line, value,
};

/// How many faults one answer lists.
const MAX_FAULTS: usize = 20;

type Cells = Vec<(usize, Option<Value>)>;

/// The edits of a call's rows, and the rows refused when the call skips errors. Otherwise the first fault
/// refuses the call, and its hint says how many there are.
pub async fn of_rows(
    tx: &mut Tx,
    ctx: &Ctx,
    catalog: &Catalog,
    table: &CatalogTable,
    args: &Args,
) -> Result<(Vec<Edit>, Vec<Error>)> {
    let reading = ctx.reading(catalog);
    let expected = match &args.expected {
        Some(expected) => {
            parse_cells(table, expected, &reading, false).map_err(|error| error.at("expected"))?
        }
        None => Vec::new(),
    };
    let key = match &args.match_on {
        Some(key) => Some(key_column(table, key)?),
        None => None,
    };
    let mut parsed = Vec::with_capacity(args.rows.len());
    let mut faults = Vec::new();
    for (position, row) in args.rows.iter().enumerate() {
        match parse_row(table, row, key, &reading) {
            Ok((id, cells)) => parsed.push((position, id, cells)),
            Err(error) => faults.push(error.at(format!("rows[{position}]"))),
        }
    }
    if !args.skip_errors.unwrap_or(false) {
        refuse(&mut faults)?;
    }
    let mut matches = match key {
        Some(key) => Matches::load(tx, ctx, catalog, table, key, &parsed).await?,
        None => Matches::default(),
    };
    let mut edits = Vec::with_capacity(parsed.len());
    for (position, id, cells) in parsed {
        let target = match (id, key) {
            (Some(id), _) => Ok(Target::Existing(id)),
            (None, None) => Ok(Target::New(ctx.services.ids.next())),
            (None, Some(key)) => matches.target(ctx, table, key, &cells),
        };
        match target {
            Ok(target) => {
                let expected =
                    if matches!(target, Target::Existing(_)) { expected.clone() } else { Vec::new() };
                edits.push(Edit { target, action: Action::Set { cells, expected }, position });
            }
            Err(error) => faults.push(error.at(format!("rows[{position}]"))),
        }
    }
    if !args.skip_errors.unwrap_or(false) {
        refuse(&mut faults)?;
    }
    Ok((edits, faults))
}

/// The edits that set the same cells on each row.
pub fn of_set(
    ctx: &Ctx,
    catalog: &Catalog,
    table: &CatalogTable,
    set: &JsonMap<String, Json>,
    expected: Option<&JsonMap<String, Json>>,
    rows: &[Stored],
) -> Result<Vec<Edit>> {
    let reading = ctx.reading(catalog);
    let cells = parse_cells(table, set, &reading, true).map_err(|error| error.at("set"))?;
    if cells.is_empty() {
        return Err(invalid("set names no column").at("set"));
    }
    let expected = match expected {
        Some(expected) => {
            parse_cells(table, expected, &reading, false).map_err(|error| error.at("expected"))?
        }
        None => Vec::new(),
    };
    Ok(edit_each(rows, &Action::Set { cells, expected }))
}

/// The cells of an object of column keys and values. `editable` refuses columns that callers cannot set.
fn parse_cells(
    table: &CatalogTable,
    object: &JsonMap<String, Json>,
    reading: &Reading<'_>,
    editable: bool,
) -> Result<Cells> {
    let mut cells = Vec::with_capacity(object.len());
    for (key, raw) in object {
        let place = table.place(key).map_err(|error| error.at(key))?;
        let Some(column) = table.columns.get(place) else { continue };
        if editable && !column.is_editable() {
            return Err(read_only(table, column).at(key));
        }
        cells.push((place, value::parse(column, raw, reading).map_err(|error| error.at(key))?));
    }
    Ok(cells)
}

fn parse_row(
    table: &CatalogTable,
    row: &JsonMap<String, Json>,
    key: Option<usize>,
    reading: &Reading<'_>,
) -> Result<(Option<Uuid>, Cells)> {
    let id = match row.get("id") {
        None | Some(Json::Null) => None,
        Some(Json::String(id)) => Some(parse_id(id).map_err(|error| error.at("id"))?),
        Some(other) => return Err(bad_id(other).at("id")),
    };
    let rest: JsonMap<String, Json> =
        row.iter().filter(|(key, _)| *key != "id").map(|(key, value)| (key.clone(), value.clone())).collect();
    let cells = parse_cells(table, &rest, reading, true)?;
    if id.is_none() && cells.iter().all(|(_, value)| value.is_none()) {
        return Err(invalid("a new row needs at least one value"));
    }
    if let (None, Some(key)) = (id, key)
        && !cells.iter().any(|(place, value)| *place == key && value.is_some())
    {
        let name = table.columns.get(key).map_or("", |column| column.key.as_str());
        return Err(invalid(format!("the row has no `{name}` to be matched by"))
            .at(name)
            .hint("give it, or an id"));
    }
    Ok((id, cells))
}

fn read_only(table: &CatalogTable, column: &CatalogColumn) -> Error {
    let why = match column.access {
        Access::Synced => "it is set by synchronization with the CRM",
        Access::Derived(_) => "it is worked out from other values",
        Access::Editable => "it is locked",
    };
    invalid(format!("`{}` cannot be set: {why}", column.key))
        .hint(format!("leave it out; describe_tables lists what `{}` takes", table.key()))
}

/// The column that rows are matched by.
fn key_column(table: &CatalogTable, key: &str) -> Result<usize> {
    let place = table.place(key).map_err(|error| error.at("match_on"))?;
    let fits = table.columns.get(place).is_some_and(|column| {
        column.kind.storage() == Storage::Text
            && column.kind != Kind::Tags
            && matches!(column.place, Place::Slot(_))
    });
    if !fits {
        return Err(invalid(format!("rows cannot be matched by `{key}`"))
            .at("match_on")
            .choices("", table.declared.natural_keys.iter().copied())
            .hint("use a column of texts that tells rows apart"));
    }
    Ok(place)
}

fn refuse(faults: &mut Vec<Error>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let others: Vec<String> = faults.iter().skip(1).take(MAX_FAULTS).map(ToString::to_string).collect();
    let mut first = faults.remove(0);
    if !others.is_empty() {
        let hint = first.hint.take().map(|hint| format!("{hint}; ")).unwrap_or_default();
        first.hint =
            Some(format!("{hint}nothing was written; {} more: {}", faults.len(), others.join(" | ")));
    }
    Err(first)
}

/// Which live rows have which key values.
#[derive(Debug, Default)]
struct Matches(HashMap<String, Vec<Target>>);

impl Matches {
    async fn load(
        tx: &mut Tx,
        ctx: &Ctx,
        catalog: &Catalog,
        table: &CatalogTable,
        key: usize,
        parsed: &[(usize, Option<Uuid>, Cells)],
    ) -> Result<Matches> {
        let Some(column) = table.columns.get(key) else { return Ok(Matches::default()) };
        let Place::Slot(slot) = column.place else { return Ok(Matches::default()) };
        // Two calls that match on the same value must not both find it missing.
        line::take(tx, ctx.org, table.key()).await?;
        let wanted: Vec<String> =
            parsed.iter().filter_map(|(_, _, cells)| key_of(column, key, cells)).collect();
        let expression = comparable(column.kind, &slot.column());
        let mut matches = HashMap::<String, Vec<Target>>::new();
        for (value, id) in rows::by_text(tx, catalog.org, table.key(), &expression, &wanted).await? {
            matches.entry(value).or_default().push(Target::Existing(id));
        }
        Ok(Matches(matches))
    }

    /// The row that a key means: the one that has it, or a new one that later rows of the call find too.
    fn target(&mut self, ctx: &Ctx, table: &CatalogTable, key: usize, cells: &Cells) -> Result<Target> {
        let column = table.columns.get(key);
        let Some(wanted) = column.and_then(|column| key_of(column, key, cells)) else {
            return Ok(Target::New(ctx.services.ids.next()));
        };
        match self.0.get(&wanted).map(Vec::as_slice) {
            Some([only]) => Ok(*only),
            Some(several) if several.len() > 1 => {
                let ids: Vec<String> = several.iter().take(5).map(|target| target.id().to_string()).collect();
                let name = column.map_or("", |column| column.key.as_str());
                Err(invalid(format!("{} rows have this `{name}`: {}", several.len(), ids.join(", ")))
                    .at(name)
                    .hint("say which one is meant by its id"))
            }
            _ => {
                let target = Target::New(ctx.services.ids.next());
                self.0.insert(wanted, vec![target]);
                Ok(target)
            }
        }
    }
}

/// A row's key value as the database compares it.
fn key_of(column: &CatalogColumn, key: usize, cells: &Cells) -> Option<String> {
    cells.iter().find(|(place, _)| *place == key).and_then(|(_, value)| match value {
        Some(Value::Text(text)) if column.kind.ignores_case() => Some(text.to_ascii_lowercase()),
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    })
}
