//! Search: filters, sorting and pages over the records as they were a moment ago
//! (<https://developers.hubspot.com/docs/api-reference/crm/search-the-crm>).

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::desk::{Answer, Desk, body};
use super::kind::Kind;
use super::properties::Type;
use super::records::Record;
use super::refusal::Refusal;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::parse_moment;

const MOST_GROUPS: usize = 5;
const MOST_FILTERS_OF_GROUP: usize = 6;
const MOST_FILTERS: usize = 18;
const MOST_HITS: usize = 10_000;
const LONGEST_PAGE: usize = 200;
const LONGEST_QUERY: usize = 3000;

struct Filter {
    property: String,
    ty: Type,
    operator: String,
    value: String,
    high: String,
    values: Vec<String>,
}

/// The records of a kind as search sees them.
struct View {
    kind: Kind,
    at_ms: i64,
}

/// `POST /crm/objects/{version}/{objectType}/search`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, kind: Kind) -> Answer {
    let body = body(call)?;
    let groups = groups(desk, &body, kind)?;
    let (limit, after) = page(&body)?;
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    if query.chars().count() > LONGEST_QUERY {
        return Err(Refusal::invalid(format!("The query is longer than {LONGEST_QUERY} characters")));
    }
    let view = View { kind, at_ms: desk.now - desk.search_lag_ms };
    let mut hits: Vec<&Record> = desk
        .portal
        .records(kind)
        .records
        .values()
        .filter(|record| view.sees(record))
        .filter(|record| {
            groups.is_empty() || groups.iter().any(|group| group.iter().all(|f| view.meets(record, f)))
        })
        .filter(|record| query.is_empty() || view.mentions(record, &query))
        .collect();
    sort(desk, &view, &body, &mut hits)?;
    let names = body.get("properties").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let wanted = desk.known(kind, names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    let results: Vec<Value> = hits
        .iter()
        .skip(after)
        .take(limit)
        .map(|record| Value::Object(record.shown(kind, &wanted, &[], view.at_ms)))
        .collect();
    let mut answer = json!({"total": hits.len(), "results": results});
    if after + limit < hits.len() {
        answer["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(Reply::json(200, answer))
}

impl View {
    fn sees(&self, record: &Record) -> bool {
        record.created_ms <= self.at_ms
            && record.archived_ms.is_none_or(|archived_ms| archived_ms > self.at_ms)
    }

    fn mentions(&self, record: &Record, query: &str) -> bool {
        let mut values =
            record.versions.keys().filter_map(|name| record.value_at(self.kind, name, self.at_ms));
        values.any(|value| value.to_lowercase().contains(query))
    }

    fn meets(&self, record: &Record, filter: &Filter) -> bool {
        let held = record.value_at(self.kind, &filter.property, self.at_ms);
        let Some(held) = held else {
            return matches!(
                filter.operator.as_str(),
                "NOT_HAS_PROPERTY" | "NEQ" | "NOT_IN" | "NOT_CONTAINS_TOKEN"
            );
        };
        let against = |value: &str| compare(filter.ty, &held, value);
        let is_one = || filter.values.iter().any(|value| against(value) == Some(Ordering::Equal));
        match filter.operator.as_str() {
            "HAS_PROPERTY" => true,
            "EQ" => against(&filter.value) == Some(Ordering::Equal),
            "NEQ" => against(&filter.value) != Some(Ordering::Equal),
            "LT" => against(&filter.value) == Some(Ordering::Less),
            "LTE" => against(&filter.value).is_some_and(Ordering::is_le),
            "GT" => against(&filter.value) == Some(Ordering::Greater),
            "GTE" => against(&filter.value).is_some_and(Ordering::is_ge),
            "BETWEEN" => {
                against(&filter.value).is_some_and(Ordering::is_ge)
                    && against(&filter.high).is_some_and(Ordering::is_le)
            }
            "IN" => is_one(),
            "NOT_IN" => !is_one(),
            "CONTAINS_TOKEN" => has_token(&held, &filter.value),
            "NOT_CONTAINS_TOKEN" => !has_token(&held, &filter.value),
            _ => false,
        }
    }
}

/// Two values of a type; none when one of them is no value of it.
fn compare(ty: Type, held: &str, given: &str) -> Option<Ordering> {
    match ty {
        Type::Number => held.parse::<f64>().ok()?.partial_cmp(&given.parse().ok()?),
        Type::Instant => Some(parse_moment(held)?.cmp(&parse_moment(given)?)),
        _ => Some(held.to_lowercase().cmp(&given.to_lowercase())),
    }
}

/// A word of the value, or its beginning or end when the token has a `*` there.
fn has_token(held: &str, token: &str) -> bool {
    let token = token.to_lowercase();
    let bare = token.trim_matches('*');
    let held = held.to_lowercase();
    let mut words = held.split(|c: char| !c.is_alphanumeric());
    words.any(|word| match (token.starts_with('*'), token.ends_with('*')) {
        (true, true) => word.contains(bare),
        (true, false) => word.ends_with(bare),
        (false, true) => word.starts_with(bare),
        (false, false) => word == bare,
    }) || held == bare
}

fn groups(desk: &Desk<'_>, body: &Value, kind: Kind) -> Result<Vec<Vec<Filter>>, Refusal> {
    let listed = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let given: Vec<Vec<Value>> =
        listed(body.get("filterGroups")).iter().map(|group| listed(group.get("filters"))).collect();
    let count: usize = given.iter().map(Vec::len).sum();
    if given.len() > MOST_GROUPS
        || count > MOST_FILTERS
        || given.iter().any(|g| g.len() > MOST_FILTERS_OF_GROUP)
    {
        return Err(Refusal::invalid(format!(
            "At most {MOST_GROUPS} filter groups with {MOST_FILTERS_OF_GROUP} filters each and {MOST_FILTERS} in total"
        )));
    }
    given.iter().map(|group| group.iter().map(|filter| parse(desk, filter, kind)).collect()).collect()
}

fn parse(desk: &Desk<'_>, filter: &Value, kind: Kind) -> Result<Filter, Refusal> {
    const OPERATORS: &[&str] = &[
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "BETWEEN",
        "IN",
        "NOT_IN",
        "HAS_PROPERTY",
        "NOT_HAS_PROPERTY",
        "CONTAINS_TOKEN",
        "NOT_CONTAINS_TOKEN",
    ];
    let text = |field: &str| filter.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, operator) = (text("propertyName"), text("operator"));
    let property = desk.portal.property(kind, &name);
    let property = property.ok_or_else(|| {
        Refusal::invalid(format!("There was a problem with the request: property {name} does not exist"))
    })?;
    if !OPERATORS.contains(&operator.as_str()) {
        return Err(Refusal::invalid(format!("{operator} is not an operator")));
    }
    let values = filter.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let values: Vec<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let (value, high) = (text("value"), text("highValue"));
    let whole = match operator.as_str() {
        "IN" | "NOT_IN" => !values.is_empty(),
        "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => value.is_empty(),
        "BETWEEN" => !value.is_empty() && !high.is_empty(),
        _ => !value.is_empty(),
    };
    if !whole {
        return Err(Refusal::invalid(format!(
            "The values of a filter with {operator} are not as it needs them"
        )));
    }
    Ok(Filter { property: name, ty: property.ty, operator, value, high, values })
}

/// The page's length and where it begins.
fn page(body: &Value) -> Result<(usize, usize), Refusal> {
    let number = |field: &str, default: usize| match body.get(field) {
        None | Some(Value::Null) => Some(default),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    let limit = number("limit", 10).filter(|limit| (1..=LONGEST_PAGE).contains(limit));
    let limit =
        limit.ok_or_else(|| Refusal::invalid(format!("The limit must be between 1 and {LONGEST_PAGE}")))?;
    let after = number("after", 0).ok_or_else(|| Refusal::invalid("Invalid after"))?;
    if after + limit > MOST_HITS {
        return Err(Refusal::invalid(format!("Search is limited to {MOST_HITS} results")));
    }
    Ok((limit, after))
}

/// One sorting rule; without any, the oldest record comes first.
fn sort(desk: &Desk<'_>, view: &View, body: &Value, hits: &mut [&Record]) -> Result<(), Refusal> {
    let rules = body.get("sorts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (name, descending) = match rules {
        [] => (view.kind.created().to_owned(), false),
        [Value::String(name)] => (name.trim_start_matches('-').to_owned(), name.starts_with('-')),
        [rule] => {
            let field = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
            (field("propertyName").to_owned(), field("direction") == "DESCENDING")
        }
        _ => return Err(Refusal::invalid("Only one sorting rule is supported")),
    };
    let property = desk.portal.property(view.kind, &name);
    let property = property.ok_or_else(|| Refusal::invalid(format!("Cannot sort by {name}")))?;
    let mut keyed: Vec<(Option<String>, &Record)> =
        hits.iter().map(|record| (record.value_at(view.kind, &name, view.at_ms), *record)).collect();
    // Records without a value come last, whichever way the others go.
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => {
            let order = compare(property.ty, a, b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    for (hit, (_, record)) in hits.iter_mut().zip(keyed) {
        *hit = record;
    }
    Ok(())
}
