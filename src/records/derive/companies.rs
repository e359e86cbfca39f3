//! What a company has of its contacts.

use super::{Computed, expression};
use crate::error::Result;
use crate::store::{Field, Org, Sql, Tx, read_number, read_text, read_time};
use crate::tables::{CONTACTS, Derivation, Value};

/// The columns of a contact that its company depends on.
pub(super) const INPUTS: &[&str] = &["company_name", "last_engagement"];

/// For each company name: its live contacts, and the latest engagement of any of them.
pub(super) async fn compute(tx: &mut Tx, org: Org, names: &[String]) -> Result<Computed> {
    let name = expression(&CONTACTS, "company_name");
    let engaged = expression(&CONTACTS, "last_engagement");
    let mut figures = Computed::new();
    for chunk in names.chunks(5_000) {
        let start = format!(
            "select {name}, cast(count(*) as double precision), max({engaged}) from dynamic_table_rows where org_id = "
        );
        let mut sql = Sql::bulk(tx.dialect(), &start);
        sql.bind(org)
            .push(&format!(" and table_key = '{}' and archived_ms is null and {name} in (", CONTACTS.key));
        sql.bind_all(chunk.iter().map(String::as_str)).push(&format!(") group by {name}"));
        for row in tx.fetch_fields(sql, &[Field::Text, Field::Number, Field::Time]).await? {
            if let [name, contacts, engaged] = row.as_slice()
                && let Some(name) = read_text(name)
            {
                let figure = vec![
                    (Derivation::ActiveContacts, read_number(contacts).map(Value::Number)),
                    (Derivation::LastContact, read_time(engaged).map(Value::Time)),
                ];
                figures.insert(name.to_owned(), figure);
            }
        }
    }
    Ok(figures)
}
