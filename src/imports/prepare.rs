//! Reads and understands a whole file before anything is written: every cell typed, every fault known, rows
//! of the same record together.

use std::collections::HashSet;

use serde_json::Map;

use super::cells::Reader;
use super::dates;
use super::groups::{Group, Groups};
use super::host::Host;
use super::mapping::Mapping;
use super::people::People;
use super::plan::{self, RoutePlan};
use super::report::{Fault, Outcome, Report, Sample, TableReport};
use super::setup::Made;
use super::source::{Row, Source};
use crate::error::Result;
use crate::tables::{Catalog, CatalogTable, Member, Reading, Value, value};

/// After how many rows the work lets other tasks have their turn.
const ROWS_AT_A_TIME: usize = 500;
/// How many lines a note on rows left out names.
const LINES_NAMED: usize = 10;
/// How many records a preview shows.
const SAMPLED: usize = 5;

/// A file ready to be written.
pub(super) struct Prepared {
    plans: Vec<RoutePlan>,
    groups: Vec<Group>,
    /// Those to be added as members.
    pub(super) people: Vec<Member>,
    /// Everything but what becomes of the groups.
    pub(super) report: Report,
}

pub(super) async fn prepare(
    host: &Host<'_>,
    catalog: &Catalog,
    source: &Source,
    mapping: &Mapping,
    made: &[Made],
) -> Result<Prepared> {
    let reading = Reading {
        zone: catalog.zone,
        now: host.clock.now(),
        members: &catalog.members,
        me: None,
        day_first: mapping.day_first.unwrap_or(false),
    };
    let mut plans = plan::plan(catalog, source, mapping, &reading)?;
    let mut report = Report {
        source: source.name.clone(),
        format: source.format.describe(),
        rows: source.len() as u64,
        notes: dates::decide(catalog, &mut plans, source, mapping.day_first),
        not_imported: plans.iter().flat_map(|plan| plan.not_imported.iter().cloned()).collect(),
        ..Report::default()
    };
    for (i, plan) in plans.iter().enumerate() {
        report.tables.push(table_report(catalog.table(plan.table)?, plan, source, made, i));
    }
    let readers = readers(catalog, source, mapping, &plans, reading)?;
    let mut people = People::new(&catalog.members, mapping.people, host.ids);
    let groups = read(host, source, &readers, &mut people, &mut report).await;
    drop(readers);
    let people = named(people.new, &groups);
    report.people_added = people.iter().map(|member| member.name.clone()).collect();
    Ok(Prepared { plans, groups, people, report })
}

/// Reads every row: into its record, or into the report.
async fn read(
    host: &Host<'_>,
    source: &Source,
    readers: &[Reader<'_>],
    people: &mut People<'_>,
    report: &mut Report,
) -> Vec<Group> {
    let (mut groups, mut left_out) = (Groups::default(), Vec::new());
    for (done, row) in source.rows.iter().enumerate() {
        if done % ROWS_AT_A_TIME == 0 {
            tokio::task::yield_now().await;
        }
        let Ok(cells) = &row.cells else {
            report.fault(unreadable(row));
            report.count(None, Outcome::Refused);
            continue;
        };
        let Some((route, reader)) = readers.iter().enumerate().find(|(_, reader)| reader.route.takes(cells))
        else {
            left_out.push(row.line);
            continue;
        };
        let (typed, faults) = reader.read(row.line, cells, people);
        for fault in faults {
            report.fault(fault);
        }
        match typed {
            Some(typed) => groups.add(host.org, reader.table, (route, reader.route), row.line, typed),
            None => report.count(Some(route), Outcome::Refused),
        }
    }
    note_left_out(&left_out, report);
    groups.all
}

fn readers<'a>(
    catalog: &'a Catalog,
    source: &'a Source,
    mapping: &Mapping,
    plans: &'a [RoutePlan],
    reading: Reading<'a>,
) -> Result<Vec<Reader<'a>>> {
    let reader = |route: &'a RoutePlan| {
        let table = catalog.table(route.table)?;
        Ok(Reader { table, route, source, reading, on_bad_value: mapping.on_bad_value })
    };
    plans.iter().map(reader).collect()
}

fn table_report(
    table: &CatalogTable,
    plan: &RoutePlan,
    source: &Source,
    made: &[Made],
    place: usize,
) -> TableReport {
    let key = |place: &usize| table.columns.get(*place).map(|column| column.key.clone());
    TableReport {
        table: plan.table.to_owned(),
        matched_by: plan.keys.iter().filter_map(key).collect(),
        mapped: plan.mapped(table, source),
        columns_created: made
            .iter()
            .filter(|made| made.route == place)
            .map(|made| made.key.clone())
            .collect(),
        ..TableReport::default()
    }
}

fn unreadable(row: &Row) -> Fault {
    let why = row.cells.as_ref().err().cloned().unwrap_or_default();
    Fault { line: row.line, why, row_refused: true, ..Fault::default() }
}

fn note_left_out(lines: &[u64], report: &mut Report) {
    report.left_out = lines.len() as u64;
    if lines.is_empty() {
        return;
    }
    let named: Vec<String> = lines.iter().take(LINES_NAMED).map(u64::to_string).collect();
    let more = if lines.len() > LINES_NAMED { ", …" } else { "" };
    report.notes.push(format!(
        "{} rows are taken by no [[into]] of the mapping: lines {}{more}",
        lines.len(),
        named.join(", ")
    ));
}

/// The new people whom a row that is stored names.
fn named(people: Vec<Member>, groups: &[Group]) -> Vec<Member> {
    if people.is_empty() {
        return people;
    }
    let texts = groups.iter().flat_map(|group| group.cells.values()).filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let texts: HashSet<&str> = texts.collect();
    people.into_iter().filter(|member| texts.contains(member.id.to_string().as_str())).collect()
}

impl Prepared {
    /// The groups, each with its table.
    pub(super) fn groups_by_table(&self) -> Vec<(&'static str, &Group)> {
        let table = |group: &Group| self.plans.get(group.route).map(|plan| plan.table);
        self.groups.iter().filter_map(|group| Some((table(group)?, group))).collect()
    }

    /// Puts the first records into the report as they would be stored.
    pub(super) fn sample(&mut self, catalog: &Catalog) {
        let members: Vec<Member> = catalog.members.iter().chain(&self.people).cloned().collect();
        let mut sample = Vec::new();
        for (key, group) in self.groups_by_table().into_iter().take(SAMPLED) {
            let Ok(table) = catalog.table(key) else { continue };
            let cell = |(place, cell): (&usize, &Value)| {
                let column = table.columns.get(*place)?;
                Some((column.key.clone(), value::show(column, cell, &members)))
            };
            let cells: Map<_, _> = group.cells.iter().filter_map(cell).collect();
            let line = group.lines.first().map_or(0, |line| line.number);
            sample.push(Sample { line, table: key.to_owned(), cells });
        }
        self.report.sample = sample;
    }
}
