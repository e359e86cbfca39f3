//! What properties a portal has: their definitions, and the calls that list and make them.

use serde_json::{Value, json};

use super::desk::{Answer, Desk, body, inputs};
use super::kind::Kind;
use super::refusal::Refusal;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::iso;

/// More properties with unique values than this an object does not get.
const MOST_UNIQUE: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) group: String,
    pub(super) description: String,
    pub(super) ty: Type,
    pub(super) field_type: String,
    /// Values with their labels.
    pub(super) options: Vec<(String, String)>,
    pub(super) unique: bool,
    pub(super) access: Access,
    pub(super) custom: bool,
}

/// Who writes a property's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    /// `HubSpot` only.
    ReadOnly,
    /// `HubSpot` works them out of others.
    Calculated,
}

/// The types of values that the stand-in knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Day,
    Instant,
    Flag,
    Choice,
}

impl Type {
    const ALL: &[(Type, &str)] = &[
        (Type::Text, "string"),
        (Type::Number, "number"),
        (Type::Day, "date"),
        (Type::Instant, "datetime"),
        (Type::Flag, "bool"),
        (Type::Choice, "enumeration"),
    ];

    fn name(self) -> &'static str {
        Type::ALL.iter().find(|(ty, _)| *ty == self).map_or("string", |(_, name)| name)
    }

    fn named(name: &str) -> Option<Type> {
        Type::ALL.iter().find(|(_, known)| *known == name).map(|(ty, _)| *ty)
    }
}

impl Property {
    /// Several options at once, `a;b;c`.
    pub(super) fn is_multiple(&self) -> bool {
        self.ty == Type::Choice && self.field_type == "checkbox"
    }

    /// From the body of a creation.
    pub(super) fn parse(body: &Value) -> Result<Property, Refusal> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let required = |name: &str| {
            text(name).ok_or_else(|| Refusal::invalid(format!("Some required fields were not set: [{name}]")))
        };
        let (name, ty) = (required("name")?, required("type")?);
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_name) {
            return Err(Refusal::invalid(format!("{name} is not a valid property name")));
        }
        let options = body.get("options").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let option = |option: &Value| {
            let field = |name: &str| option.get(name).and_then(Value::as_str).map(str::to_owned);
            Some((field("value")?, field("label")?))
        };
        Ok(Property {
            ty: Type::named(&ty).ok_or_else(|| Refusal::invalid(format!("Invalid property type: {ty}")))?,
            name,
            label: required("label")?,
            group: required("groupName")?,
            description: text("description").unwrap_or_default(),
            field_type: required("fieldType")?,
            options: options.iter().filter_map(option).collect(),
            unique: body.get("hasUniqueValue").and_then(Value::as_bool).unwrap_or_default(),
            access: Access::Open,
            custom: true,
        })
    }

    fn shown(&self, now: i64) -> Value {
        let options: Vec<Value> = self
            .options
            .iter()
            .enumerate()
            .map(|(at, (value, label))| {
                json!({"label": label, "value": value, "displayOrder": at, "hidden": false, "description": ""})
            })
            .collect();
        json!({
            "name": self.name,
            "label": self.label,
            "type": self.ty.name(),
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": options,
            "displayOrder": -1,
            "calculated": self.access == Access::Calculated,
            "externalOptions": self.ty == Type::Choice && self.options.is_empty(),
            "hasUniqueValue": self.unique,
            "hidden": false,
            "hubspotDefined": !self.custom,
            "formField": self.access == Access::Open,
            "archived": false,
            "createdAt": iso(now),
            "updatedAt": iso(now),
            "modificationMetadata": {
                "archivable": self.custom,
                "readOnlyDefinition": !self.custom,
                "readOnlyOptions": !self.custom,
                "readOnlyValue": self.access != Access::Open,
            },
        })
    }
}

/// `/crm/properties/{version}/{objectType}…`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, kind: Kind, rest: &[&str]) -> Answer {
    match (call.method.as_str(), rest) {
        ("GET", []) => Ok(listed(desk, kind)),
        ("POST", []) => {
            let body = body(call)?;
            let property = define(desk, kind, &body)?;
            Ok(Reply::json(201, property.shown(desk.now)))
        }
        ("GET", ["groups"]) => Ok(groups(desk, kind)),
        ("POST", ["batch", verb]) => batch(desk, call, kind, verb),
        ("GET", [name]) => match desk.portal.property(kind, name) {
            Some(property) => Ok(Reply::json(200, property.shown(desk.now))),
            None => Err(missing(name)),
        },
        ("DELETE", [name]) => {
            desk.portal.undefine(kind, name);
            Ok(Reply::empty())
        }
        _ => Err(Refusal::not_found("resource not found")),
    }
}

fn listed(desk: &Desk<'_>, kind: Kind) -> Reply {
    let shown: Vec<Value> =
        desk.portal.properties(kind).iter().map(|property| property.shown(desk.now)).collect();
    Reply::json(200, json!({"results": shown}))
}

fn groups(desk: &Desk<'_>, kind: Kind) -> Reply {
    let mut names: Vec<&str> =
        desk.portal.properties(kind).iter().map(|property| property.group.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let shown: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "label": name, "displayOrder": -1, "archived": false}))
        .collect();
    Reply::json(200, json!({"results": shown}))
}

fn batch(desk: &mut Desk<'_>, call: &Call, kind: Kind, verb: &str) -> Answer {
    let body = body(call)?;
    let inputs = inputs(&body, 100)?;
    let name = |input: &Value| input.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut results = Vec::new();
    match verb {
        "create" => {
            for input in &inputs {
                let property = define(desk, kind, input)?;
                results.push(property.shown(desk.now));
            }
            Ok(Reply::json(201, desk.complete(results, Vec::new())))
        }
        "read" => {
            let mut errors = Vec::new();
            for input in &inputs {
                match desk.portal.property(kind, &name(input)) {
                    Some(property) => results.push(property.shown(desk.now)),
                    None => errors.push(missing(&name(input)).row()),
                }
            }
            let status = if errors.is_empty() { 200 } else { 207 };
            Ok(Reply::json(status, desk.complete(results, errors)))
        }
        "archive" => {
            for input in &inputs {
                desk.portal.undefine(kind, &name(input));
            }
            Ok(Reply::empty())
        }
        _ => Err(Refusal::not_found("resource not found")),
    }
}

fn define(desk: &mut Desk<'_>, kind: Kind, body: &Value) -> Result<Property, Refusal> {
    let property = Property::parse(body)?;
    if desk.portal.property(kind, &property.name).is_some() {
        let message = format!("A property named '{}' already exists.", property.name);
        return Err(Refusal::new(409, "OBJECT_ALREADY_EXISTS", message));
    }
    let unique = desk.portal.properties(kind).iter().filter(|known| known.unique).count();
    if property.unique && unique >= MOST_UNIQUE {
        return Err(Refusal::invalid(format!("At most {MOST_UNIQUE} properties may have unique values")));
    }
    desk.portal.define(kind, property.clone());
    Ok(property)
}

fn missing(name: &str) -> Refusal {
    Refusal::not_found(format!("Property {name} does not exist"))
}
