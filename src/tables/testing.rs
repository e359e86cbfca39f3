//! What the tests of values and filters share: three members, a fixed moment, and columns.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Table;
use super::catalog::{CatalogColumn, CatalogOption, Member, Place};
use super::catalogs::as_declared;
use super::column::{Access, Column};
use super::filter::{self, FilterArg, Test};
use super::kind::Kind;
use super::value::Reading;
use crate::error::Result;

pub(super) const SARAH: u128 = 1;
pub(super) const TOM: u128 = 2;

pub(super) fn members() -> Vec<Member> {
    let member = |id, name: &str, email: &str| Member {
        id: Uuid::from_u128(id),
        name: name.to_owned(),
        email: Some(email.to_owned()),
    };
    vec![
        member(SARAH, "Sarah Chen", "sarah@acme.com"),
        member(TOM, "Tom Becker", "tom@acme.com"),
        member(3, "Tom Okafor", "okafor@acme.com"),
    ]
}

/// Monday, 2 March 2026, 10:00 in UTC; Sarah is calling.
pub(super) fn reading(members: &[Member]) -> Reading<'_> {
    Reading {
        zone: Tz::UTC,
        now: instant("2026-03-02T10:00:00Z"),
        members,
        me: Some(Uuid::from_u128(SARAH)),
        day_first: false,
    }
}

pub(super) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A custom column of that kind.
pub(super) fn column(kind: Kind) -> CatalogColumn {
    catalog_column(&Column::new("it", "It", kind, 1, "A column for tests"))
}

pub(super) fn catalog_column(declared: &Column) -> CatalogColumn {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    CatalogColumn {
        key: declared.key.to_owned(),
        label: declared.label.to_owned(),
        kind: declared.kind,
        place: match (declared.slot, declared.access) {
            (Some(slot), _) => Place::Slot(slot),
            (None, Access::Derived(derivation)) => Place::Computed(derivation),
            (None, _) => Place::RowTags,
        },
        about: declared.about.into(),
        words: owned(declared.words),
        options: declared
            .options
            .iter()
            .map(|option| CatalogOption {
                value: option.value.to_owned(),
                label: option.label.to_owned(),
                color: option.color.to_owned(),
                words: owned(option.words),
            })
            .collect(),
        access: declared.access,
        derivation: declared.derivation,
        custom: false,
        hidden: false,
        detail: declared.detail,
        searched: declared.searched,
        policy: crate::tables::Policy::Lww,
    }
}

pub(super) fn arg(column: &str, op: &str, value: Json) -> FilterArg {
    FilterArg { column: column.to_owned(), op: op.to_owned(), value }
}

/// The test that the comparison asks for in that zone, with Sarah calling.
pub(super) fn test_in(zone: Tz, table: &'static Table, column: &str, op: &str, value: Json) -> Result<Test> {
    let members = members();
    let reading = Reading { zone, ..reading(&members) };
    filter::parse(&as_declared(table), &arg(column, op, value), &reading).map(|filter| filter.test)
}
