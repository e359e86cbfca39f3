//! Loads organizations' catalogs and keeps them until they change.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::catalog::{
    Catalog, CatalogColumn, CatalogTable, CatalogView, Dir, Member, Place, SortArg, ViewSpec,
};
use super::column::{Access, Slot};
use super::connection::{Connection, Policy, mapping_edits};
use super::filter::FilterArg;
use super::kind::Kind;
use super::provision::{column_rows, provision, table_row, template, view_rows};
use super::{TABLES, Table};
use crate::error::{Result, not_found};
use crate::store::{ColumnRow, Org, OrganizationRow, Store, TableRow, Tx, ViewRow};
use crate::store::{connections, organizations, structure};

/// The catalogs this process has loaded.
#[derive(Debug, Default)]
pub struct Catalogs {
    loaded: RwLock<HashMap<Org, Arc<Catalog>>>,
    /// The organizations this process has provisioned. Once is enough: while two versions of the program
    /// serve one organization, they must not keep correcting each other.
    provisioned: RwLock<HashSet<Org>>,
}

impl Catalogs {
    /// The organization's catalog as of this transaction: one small read when nothing has changed.
    pub async fn load(&self, tx: &mut Tx, org: Org) -> Result<Arc<Catalog>> {
        let version = organizations::version(tx, org).await?;
        self.load_version(tx, org, version).await
    }

    /// The catalog of a version just read in this transaction; none is an organization that is not there.
    async fn load_version(&self, tx: &mut Tx, org: Org, version: Option<i64>) -> Result<Arc<Catalog>> {
        let version = version.ok_or_else(|| {
            not_found("this organization does not exist in the database").hint("`opstables init` makes one")
        })?;
        if let Some(catalog) = self.cached(org).filter(|catalog| catalog.version == version) {
            return Ok(catalog);
        }
        let row = organizations::get(tx, org).await?.ok_or_else(|| not_found("this organization is gone"))?;
        let catalog = Arc::new(assemble(tx, org, row).await?);
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).insert(org, Arc::clone(&catalog));
        Ok(catalog)
    }

    /// The catalog as this process last loaded it, unless the organization is still to be provisioned.
    pub fn last_seen(&self, org: Org) -> Option<Arc<Catalog>> {
        self.cached(org).filter(|catalog| !self.needs_provisioning(catalog))
    }

    fn cached(&self, org: Org) -> Option<Arc<Catalog>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(&org).cloned()
    }

    /// A read together with the catalog it is to be understood by. An organization that has never been used,
    /// or was last used by an older version, is provisioned first.
    pub async fn read(&self, store: &Store, org: Org, now: DateTime<Utc>) -> Result<(Tx, Arc<Catalog>)> {
        let (mut tx, version) = store.read_with_version(org).await?;
        let catalog = self.load_version(&mut tx, org, version).await?;
        if !self.needs_provisioning(&catalog) {
            return Ok((tx, catalog));
        }
        drop(tx);
        let mut tx = store.begin().await?;
        self.provision(&mut tx, org, now).await?;
        tx.commit().await?;
        let mut tx = store.read().await?;
        let catalog = self.load(&mut tx, org).await?;
        Ok((tx, catalog))
    }

    /// A transaction together with the catalog, as [`Catalogs::read`].
    pub async fn begin(&self, store: &Store, org: Org, now: DateTime<Utc>) -> Result<(Tx, Arc<Catalog>)> {
        let mut tx = store.begin().await?;
        let mut catalog = self.load(&mut tx, org).await?;
        if self.needs_provisioning(&catalog) {
            self.provision(&mut tx, org, now).await?;
            tx.commit().await?;
            tx = store.begin().await?;
            catalog = self.load(&mut tx, org).await?;
        }
        Ok((tx, catalog))
    }

    async fn provision(&self, tx: &mut Tx, org: Org, now: DateTime<Utc>) -> Result<()> {
        provision(tx, org, &[], now).await?;
        self.provisioned.write().unwrap_or_else(PoisonError::into_inner).insert(org);
        Ok(())
    }

    fn needs_provisioning(&self, catalog: &Catalog) -> bool {
        let is_complete = TABLES.len() == catalog.tables.len();
        let is_current = catalog.tables.iter().all(|table| table.deleted || table.current);
        let before = self.provisioned.read().unwrap_or_else(PoisonError::into_inner).contains(&catalog.org);
        !is_complete || (!is_current && !before)
    }
}

async fn assemble(tx: &mut Tx, org: Org, row: OrganizationRow) -> Result<Catalog> {
    let tables = structure::tables(tx, org).await?;
    let columns = structure::columns(tx, org).await?;
    let views = structure::views(tx, org).await?;
    let members = organizations::members(tx, org).await?;
    let connected = connections::all(tx, org).await?;
    let mut tables: Vec<CatalogTable> = TABLES
        .iter()
        .filter_map(|declared| {
            let row = tables.iter().find(|row| row.key == declared.key)?;
            Some(assemble_table(declared, row, &columns, &views))
        })
        .collect();
    for edit in connected.iter().flat_map(mapping_edits).filter(|edit| edit.policy != Policy::Lww) {
        let table = tables.iter_mut().find(|table| table.key() == edit.table);
        let columns = table.into_iter().flat_map(|table| &mut table.columns);
        columns.filter(|column| column.key == edit.column).for_each(|column| column.policy = edit.policy);
    }
    let connections = connected.iter().filter_map(|row| Connection::assemble(row, &tables)).collect();
    Ok(Catalog {
        connections,
        org,
        name: row.name,
        zone: row.timezone.parse().unwrap_or(chrono_tz::UTC),
        version: row.version,
        key: row.signing_key,
        members: members
            .into_iter()
            .filter_map(|member| {
                let id = Uuid::parse_str(&member.id).ok()?;
                Some(Member { id, name: member.name, email: member.email })
            })
            .collect(),
        tables,
    })
}

/// The table as an organization has it that was given it this very moment.
pub fn as_declared(declared: &'static Table) -> CatalogTable {
    assemble_table(declared, &table_row(declared), &column_rows(declared), &view_rows(declared))
}

/// The catalog of an organization that has changed nothing: no members, no columns of its own.
pub fn catalog_as_declared() -> Catalog {
    Catalog {
        connections: Vec::new(),
        org: Org(Uuid::nil()),
        name: "declared".to_owned(),
        zone: chrono_tz::UTC,
        version: 0,
        key: Vec::new(),
        members: Vec::new(),
        tables: TABLES.iter().map(|declared| as_declared(declared)).collect(),
    }
}

fn assemble_table(
    declared: &'static Table,
    row: &TableRow,
    columns: &[ColumnRow],
    views: &[ViewRow],
) -> CatalogTable {
    let mut columns: Vec<CatalogColumn> = columns
        .iter()
        .filter(|column| column.table_key == declared.key)
        .filter_map(|column| assemble_column(declared, column))
        .collect();
    columns.push(row_tags());
    let mut views: Vec<CatalogView> = views
        .iter()
        .filter(|view| view.table_key == declared.key)
        .map(|view| CatalogView {
            key: view.key.clone(),
            label: view.label.clone(),
            system: view.is_system,
            spec: serde_json::from_value(view.spec.0.clone()).unwrap_or_default(),
        })
        .collect();
    views.extend(derived_views(&columns));
    CatalogTable {
        declared,
        label: row.label.clone(),
        deleted: row.deleted_at.is_some(),
        current: row.template == template(declared),
        columns,
        views,
    }
}

/// A column as stored, joined with its declaration; none for a core column this version does not know.
fn assemble_column(table: &Table, row: &ColumnRow) -> Option<CatalogColumn> {
    let kind = Kind::from_key(&row.kind)?;
    let options = serde_json::from_value(row.options.0.clone()).unwrap_or_default();
    let slot = row.slot.as_deref().and_then(Slot::parse);
    let declared = table.column(&row.key).filter(|_| row.is_system);
    if row.is_system && declared.is_none() {
        return None;
    }
    let access = declared.map_or(Access::Editable, |column| column.access);
    let place = match (slot, access) {
        (Some(slot), _) => Place::Slot(slot),
        (None, Access::Derived(derivation)) => Place::Computed(derivation),
        (None, _) => return None,
    };
    Some(CatalogColumn {
        key: row.key.clone(),
        label: row.label.clone(),
        kind,
        place,
        about: Cow::Owned(row.about.clone()),
        words: declared
            .map_or_else(Vec::new, |column| column.words.iter().map(|&word| word.to_owned()).collect()),
        options,
        access,
        derivation: declared.and_then(|column| column.derivation),
        custom: !row.is_system,
        hidden: row.is_hidden,
        detail: declared.is_some_and(|column| column.detail),
        searched: declared.is_some_and(|column| column.searched),
        policy: Policy::Lww,
    })
}

/// The set of tags that every row of every table has beside its columns.
fn row_tags() -> CatalogColumn {
    CatalogColumn {
        key: "tags".to_owned(),
        label: "Tags".to_owned(),
        kind: Kind::Tags,
        place: Place::RowTags,
        about: Cow::Borrowed("Tags of the row itself, set by people and automations"),
        words: vec!["tag".to_owned(), "row tags".to_owned()],
        options: Vec::new(),
        access: Access::Editable,
        derivation: None,
        custom: false,
        hidden: false,
        detail: false,
        searched: false,
        policy: Policy::Lww,
    }
}

/// The views every table has by the types of its columns, custom ones included.
fn derived_views(columns: &[CatalogColumn]) -> Vec<CatalogView> {
    let first = |kinds: &[Kind]| columns.iter().find(|column| kinds.contains(&column.kind) && !column.hidden);
    let view = |key: &str, label: &str, spec| CatalogView {
        key: key.to_owned(),
        label: label.to_owned(),
        system: true,
        spec,
    };
    let sorted = |column: &CatalogColumn| ViewSpec {
        sort: vec![SortArg { column: column.key.clone(), dir: Dir::Desc }],
        ..ViewSpec::default()
    };
    let scored = columns.iter().find(|column| {
        column.kind == Kind::Number
            && ["score", "rating", "rank"].iter().any(|word| column.key.contains(word))
    });
    let mut views = Vec::new();
    if let Some(column) = first(&[Kind::Day, Kind::Instant]) {
        views.push(view("recent", "Recent", sorted(column)));
    }
    if let Some(column) = first(&[Kind::Email]) {
        let filter = FilterArg {
            column: column.key.clone(),
            op: "is_not_empty".to_owned(),
            value: serde_json::Value::Null,
        };
        views.push(view("has_email", "Has Email", ViewSpec { filters: vec![filter], ..ViewSpec::default() }));
    }
    if let Some(column) = scored {
        views.push(view("top_scored", "Top Scored", sorted(column)));
    }
    views
}
