//! Finds records that are at `Attio` already: by their row's id, e-mail address or domain.

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Caller, ROW_ATTRIBUTE, success};
use crate::sync::crm::{Answer, Client, Pace, Push};
use crate::sync::fault::Fault;
use crate::sync::wire::{list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::{Form, Object, Value};

/// How many rows are looked for at once.
const ROWS: usize = 50;

/// A record that was found.
pub(super) struct Found {
    pub id: String,
    pub row: Option<Uuid>,
}

/// The value by which a record that is there already is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The unique attribute, and the part of its values that is compared.
    pub attribute: &'static str,
    part: &'static str,
    value: String,
}

/// The ids of the records that carry these rows' ids.
pub(in crate::sync) async fn find(
    client: &Client,
    token: &SecretString,
    object: Object,
    rows: &[Uuid],
) -> Result<Answer<Vec<(Uuid, String)>>, Fault> {
    let caller = Caller { client, token, object };
    let mut found = Vec::new();
    for rows in rows.chunks(ROWS) {
        let tests: Vec<Json> = rows.iter().map(|row| Key::row(*row).test()).collect();
        let records = query(&caller, &json!({ "$or": tests })).await?;
        found.extend(records.into_iter().filter_map(|record| Some((record.row?, record.id))));
    }
    Ok(Answer { value: found, pace: Pace::default() })
}

/// The first record with the key.
pub(super) async fn by(caller: &Caller<'_>, key: &Key) -> Result<Option<Found>, Fault> {
    Ok(query(caller, &key.test()).await?.into_iter().next())
}

impl Key {
    pub(super) fn row(row: Uuid) -> Key {
        Key { attribute: ROW_ATTRIBUTE, part: "value", value: row.to_string() }
    }

    /// A person's e-mail address or a company's domain, when the push has one.
    pub(super) fn of(object: Object, push: &Push) -> Option<Key> {
        let (attribute, part, form) = match object {
            Object::Meeting => return None,
            Object::Contact => ("email_addresses", "email_address", Form::Email),
            Object::Company => ("domains", "domain", Form::Domain),
        };
        push.cells.iter().find_map(|(mapped, value)| match value {
            Some(Value::Text(text)) if mapped.property == attribute && mapped.form == form => {
                Some(Key { attribute, part, value: text.to_lowercase() })
            }
            _ => None,
        })
    }

    fn test(&self) -> Json {
        json!({self.attribute: {self.part: {"$eq": self.value}}})
    }
}

async fn query(caller: &Caller<'_>, filter: &Json) -> Result<Vec<Found>, Fault> {
    let body = json!({"filter": filter, "limit": ROWS * 2});
    let path = ["objects", caller.slug(), "records", "query"];
    let body = success(caller.send(Method::POST, &path, &[], Some(&body)).await?, &Told::default())?;
    Ok(list_at(&body, "data").iter().filter_map(found).collect())
}

fn found(record: &Json) -> Option<Found> {
    Some(Found { id: text_at(record, &["id", "record_id"])?.into_owned(), row: row(record) })
}

/// The row's id that a record carries.
pub(super) fn row(record: &Json) -> Option<Uuid> {
    let value = record.get("values").and_then(|values| list_at(values, ROW_ATTRIBUTE).first())?;
    text_at(value, &["value"]).and_then(|row| Uuid::try_parse(&row).ok())
}
