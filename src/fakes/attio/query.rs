//! Queries: filters, sorting and pages (<https://docs.attio.com/rest-api/guides/filtering-and-sorting>).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::attributes::{Attribute, Type};
use super::desk::{Answer, Desk};
use super::object::Object;
use super::record::Record;
use super::records::shown;
use super::refusal::Refusal;
use super::values::Fields;
use crate::fakes::server::{Call, Reply};

const LONGEST_PAGE: u64 = 500;

/// `POST /v2/objects/{object}/records/query`: `{data: […]}` and nothing that says whether there is more.
pub(super) fn answer(desk: &Desk<'_>, call: &Call, object: usize) -> Answer {
    let body = if call.body.is_empty() {
        json!({})
    } else {
        call.json().ok_or_else(|| Refusal::form("The body is no JSON."))?
    };
    let number = |field: &str, default: u64| match &body[field] {
        Value::Null => Some(default),
        value => value.as_u64(),
    };
    let limit = number("limit", LONGEST_PAGE).filter(|limit| (1..=LONGEST_PAGE).contains(limit));
    let (Some(limit), Some(offset)) = (limit, number("offset", 0)) else {
        return Err(Refusal::form(format!(
            "limit must be between 1 and {LONGEST_PAGE}, offset a whole number"
        )));
    };
    let collection = &desk.workspace.objects[object];
    let candidates: Vec<&Record> = match places(collection, &body["filter"]) {
        Some(places) => places.into_iter().map(|at| &collection.records[at]).collect(),
        None => collection.records.iter().collect(),
    };
    let mut hits = Vec::new();
    for record in candidates.into_iter().filter(|record| !record.gone && record.readable_ms <= desk.now) {
        if matches(collection, record, &body["filter"])? {
            hits.push(record);
        }
    }
    sort(collection, &mut hits, &body["sorts"])?;
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = hits.into_iter().skip(place(offset)).take(place(limit));
    let data: Vec<Value> = page.map(|record| shown(desk, object, record)).collect();
    Ok(Reply::json(200, json!({"data": data})))
}

/// Where the records stand that can fit a filter which asks for nothing but values of unique attributes: they are looked
/// up as in an index. None for every other filter.
fn places(collection: &Object, filter: &Value) -> Option<BTreeSet<usize>> {
    let (name, condition) = filter.as_object().filter(|filter| filter.len() == 1)?.iter().next()?;
    if name == "$or" {
        let parts = condition.as_array()?.iter().map(|part| places(collection, part));
        return Some(parts.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect());
    }
    let attribute = collection.attribute(name).filter(|attribute| attribute.is_unique())?;
    let test = match condition.as_object() {
        Some(test) if test.len() == 1 => test.get(attribute.ty.field()).unwrap_or(condition),
        Some(_) => return None,
        None => condition,
    };
    let wanted = match test.as_object() {
        None => std::slice::from_ref(test),
        Some(test) if test.len() > 1 => return None,
        Some(test) => match (test.get("$eq"), test.get("$in")) {
            (Some(value), _) => std::slice::from_ref(value),
            (_, Some(Value::Array(values))) => values.as_slice(),
            _ => return None,
        },
    };
    let place = |value: &Value| {
        let key = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let is_folded = matches!(attribute.ty, Type::Email | Type::Domain);
        collection.place_of(attribute, &if is_folded { key.to_lowercase() } else { key })
    };
    Some(wanted.iter().filter_map(place).collect())
}

fn matches(collection: &Object, record: &Record, filter: &Value) -> Result<bool, Refusal> {
    let Some(conditions) = filter.as_object() else {
        return if filter.is_null() { Ok(true) } else { Err(wrong("it is no object")) };
    };
    for (name, condition) in conditions {
        let holds = match name.as_str() {
            "$and" => each(collection, record, condition)?.into_iter().all(|holds| holds),
            "$or" => each(collection, record, condition)?.into_iter().any(|holds| holds),
            "$not" => !matches(collection, record, condition)?,
            slug => {
                let attribute = collection
                    .attribute(slug)
                    .ok_or_else(|| wrong(&format!("there is no attribute {slug}")))?;
                attribute_holds(attribute, record, condition)?
            }
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn each(collection: &Object, record: &Record, conditions: &Value) -> Result<Vec<bool>, Refusal> {
    let conditions = conditions.as_array().ok_or_else(|| wrong("$and and $or take lists"))?;
    conditions.iter().map(|condition| matches(collection, record, condition)).collect()
}

/// `value`, `{"$eq": value}` or `{field: value or {"$eq": value}}`.
fn attribute_holds(attribute: &Attribute, record: &Record, condition: &Value) -> Result<bool, Refusal> {
    let held = record.values.get(&attribute.slug).map(Vec::as_slice).unwrap_or_default();
    let (field, test) = match condition.as_object() {
        Some(object) if object.keys().any(|key| !key.starts_with('$')) => {
            let (field, test) = object.iter().next().ok_or_else(|| wrong("a condition is empty"))?;
            (field.as_str(), test)
        }
        _ => (attribute.ty.field(), condition),
    };
    let equals = || Map::from_iter([("$eq".to_owned(), test.clone())]);
    let operators = test.as_object().cloned().unwrap_or_else(equals);
    if operators.get("$not_empty") == Some(&Value::Bool(true)) && held.is_empty() {
        return Ok(false);
    }
    let operators: Map<String, Value> =
        operators.into_iter().filter(|(name, _)| name != "$not_empty").collect();
    let mut any = operators.is_empty();
    for held in held {
        let mut all = true;
        for (operator, given) in &operators {
            all &= value_holds(attribute, field, &held.fields, operator, given)?;
        }
        any |= all;
    }
    Ok(any)
}

fn value_holds(
    attribute: &Attribute,
    field: &str,
    fields: &Fields,
    operator: &str,
    given: &Value,
) -> Result<bool, Refusal> {
    let found = compared(attribute, field, fields);
    let same = |given: &Value| match attribute.ty {
        Type::Select | Type::Status => fields[attribute.ty.field()]["title"] == *given || found == *given,
        Type::Email | Type::Domain => found.as_str() == given.as_str().map(str::to_lowercase).as_deref(),
        _ => found == *given,
    };
    let part = |test: fn(&str, &str) -> bool| match (found.as_str(), given.as_str()) {
        (Some(found), Some(given)) => test(&found.to_lowercase(), &given.to_lowercase()),
        _ => false,
    };
    let order = || compare(&found, given);
    Ok(match operator {
        "$eq" => same(given),
        "$in" => given.as_array().ok_or_else(|| wrong("$in takes a list"))?.iter().any(same),
        "$contains" => part(|found, given| found.contains(given)),
        "$starts_with" => part(|found, given| found.starts_with(given)),
        "$ends_with" => part(|found, given| found.ends_with(given)),
        "$lt" => order() == Some(Ordering::Less),
        "$lte" => order().is_some_and(Ordering::is_le),
        "$gt" => order() == Some(Ordering::Greater),
        "$gte" => order().is_some_and(Ordering::is_ge),
        other => return Err(wrong(&format!("there is no operator {other}"))),
    })
}

/// The part of a value that is compared: of an option its id, of anything else the field.
fn compared(attribute: &Attribute, field: &str, fields: &Fields) -> Value {
    let found = fields.get(field).unwrap_or(&Value::Null);
    match attribute.ty {
        Type::Select => found["id"]["option_id"].clone(),
        Type::Status => found["id"]["status_id"].clone(),
        _ => found.clone(),
    }
}

/// Numbers as numbers, texts as texts; moments are written so that their texts are in order.
fn compare(found: &Value, given: &Value) -> Option<Ordering> {
    match (found.as_f64(), given.as_f64()) {
        (Some(found), Some(given)) => found.partial_cmp(&given),
        _ => Some(found.as_str()?.cmp(given.as_str()?)),
    }
}

/// Records without a value come last; without rules the oldest record comes first.
fn sort(collection: &Object, hits: &mut [&Record], sorts: &Value) -> Result<(), Refusal> {
    let rules = sorts.as_array().map(Vec::as_slice).unwrap_or_default();
    for rule in rules.iter().rev() {
        let name = rule["attribute"].as_str().unwrap_or_default();
        let attribute =
            collection.attribute(name).ok_or_else(|| wrong(&format!("there is no attribute {name}")))?;
        let field = rule["field"].as_str().unwrap_or_else(|| attribute.ty.field());
        let descending = rule["direction"] == "desc";
        let value = |record: &Record| {
            let held = record.values.get(&attribute.slug).and_then(|held| held.first());
            held.map(|held| compared(attribute, field, &held.fields))
        };
        hits.sort_by(|a, b| match (value(a), value(b)) {
            (Some(a), Some(b)) => {
                let order = compare(&a, &b).unwrap_or(Ordering::Equal);
                if descending { order.reverse() } else { order }
            }
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
    }
    Ok(())
}

fn wrong(what: &str) -> Refusal {
    Refusal::new(400, "filter_error", format!("Error in filter: {what}."))
}
