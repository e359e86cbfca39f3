//! What a contact has of the meetings and leads with its e-mail address.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Computed;
use super::signals::{self, Origin};
use crate::error::Result;
use crate::records::computed::push_held;
use crate::records::query::push_filters;
use crate::records::{Basis, Query};
use crate::store::{Datum, Field, Org, Sql, Tx, read_integer, read_text, read_time};
use crate::tables::{Derivation, LEADS, MEETINGS, Value};

/// For each address: when the last meeting began, and the signals that hold at this moment.
pub(super) async fn compute(
    tx: &mut Tx,
    org: Org,
    emails: &[String],
    now: DateTime<Utc>,
) -> Result<Computed> {
    let mut computed = Computed::new();
    for origin in signals::origins() {
        for chunk in emails.chunks(5_000) {
            let mut sql = Sql::bulk(tx.dialect(), "");
            push_select(&mut sql, org, origin, chunk, now);
            let mut fields = vec![Field::Text, Field::Time];
            fields.extend(origin.signals.iter().map(|_| Field::Integer));
            for row in tx.fetch_fields(sql, &fields).await? {
                add(&mut computed, origin, &row);
            }
        }
    }
    Ok(computed)
}

/// One line for each address that has rows: the last of them to begin, and for each signal whether it holds.
fn push_select(sql: &mut Sql, org: Org, origin: &Origin, emails: &[String], now: DateTime<Utc>) {
    let (email, date) = (format!("r.{}", origin.email), format!("r.{}", origin.date));
    if origin.table.key() == LEADS.key {
        push_held(sql, org, emails);
    }
    sql.push(&format!("select {email}, max(case when {date} <= ")).bind(now);
    sql.push(&format!(" then {date} end)"));
    let query = Query {
        org,
        table: &origin.table,
        filters: Vec::new(),
        any_of: Vec::new(),
        search: None,
        ids: None,
        archived: false,
        basis: Basis { now, systems: Vec::new(), knows_held: true },
    };
    for signal in &origin.signals {
        sql.push(", max(cast(case when ");
        signal.push_time(sql, now);
        push_filters(sql, &query, &signal.conditions);
        sql.push(" then 1 else 0 end as bigint))");
    }
    sql.push(" from dynamic_table_rows r where r.org_id = ").bind(org);
    sql.push(&format!(
        " and r.table_key = '{}' and r.archived_ms is null and {email} in (",
        origin.table.key()
    ));
    sql.bind_all(emails.iter().map(String::as_str)).push(&format!(") group by {email}"));
}

fn add(computed: &mut Computed, origin: &Origin, row: &[Datum]) {
    let [email, began, held @ ..] = row else { return };
    let Some(email) = read_text(email) else { return };
    let known = computed.entry(email.to_owned()).or_default();
    if origin.table.key() == MEETINGS.key {
        known.push((Derivation::LastEngagement, read_time(began).map(Value::Time)));
    }
    let holds = origin.signals.iter().zip(held).filter(|(_, held)| read_integer(held) == Some(1));
    let mut words: BTreeSet<String> = holds.map(|(signal, _)| signal.word.to_owned()).collect();
    let at = known.iter().position(|(of, _)| *of == Derivation::RecentSignals);
    if let Some((_, Some(Value::Tags(more)))) = at.map(|at| known.swap_remove(at)) {
        words.extend(more);
    }
    known.push((Derivation::RecentSignals, Some(Value::Tags(words.into_iter().collect()))));
}
