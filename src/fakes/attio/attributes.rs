//! What attributes an object has: their definitions, and the calls that list and make them.

use serde_json::{Value, json};

use super::desk::{Answer, Desk, data};
use super::refusal::Refusal;
use super::workspace::Workspace;
use crate::fakes::server::{Call, Reply};
use crate::fakes::time::iso_nanos;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) ty: Type,
    pub(super) flags: Flags,
    /// Of a select or status attribute.
    pub(super) choices: Vec<Choice>,
    /// The slugs of the objects that a reference may name; none for any.
    pub(super) targets: Vec<String>,
}

/// What holds of an attribute, or does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    pub(super) const UNIQUE: Flags = Flags(1);
    pub(super) const MULTIPLE: Flags = Flags(2);
    pub(super) const REQUIRED: Flags = Flags(4);
    pub(super) const READ_ONLY: Flags = Flags(8);
    pub(super) const SYSTEM: Flags = Flags(16);

    pub(super) const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    fn when(set: bool, flag: Flags) -> Flags {
        if set { flag } else { Flags::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) title: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Checkbox,
    Date,
    Timestamp,
    Rating,
    Currency,
    Email,
    Domain,
    Phone,
    Name,
    Reference,
    Select,
    Status,
    Location,
    Actor,
    Interaction,
}

impl Type {
    const ALL: &[(Type, &str)] = &[
        (Type::Text, "text"),
        (Type::Number, "number"),
        (Type::Checkbox, "checkbox"),
        (Type::Date, "date"),
        (Type::Timestamp, "timestamp"),
        (Type::Rating, "rating"),
        (Type::Currency, "currency"),
        (Type::Email, "email-address"),
        (Type::Domain, "domain"),
        (Type::Phone, "phone-number"),
        (Type::Name, "personal-name"),
        (Type::Reference, "record-reference"),
        (Type::Select, "select"),
        (Type::Status, "status"),
        (Type::Location, "location"),
        (Type::Actor, "actor-reference"),
        (Type::Interaction, "interaction"),
    ];

    pub(super) fn name(self) -> &'static str {
        Type::ALL.iter().find(|(ty, _)| *ty == self).map_or("text", |(_, name)| name)
    }

    fn named(name: &str) -> Option<Type> {
        Type::ALL.iter().find(|(_, known)| *known == name).map(|(ty, _)| *ty)
    }

    /// The field by which values of this type are compared.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Type::Currency => "currency_value",
            Type::Email => "email_address",
            Type::Domain => "domain",
            Type::Phone => "phone_number",
            Type::Name => "full_name",
            Type::Reference => "target_record_id",
            Type::Select => "option",
            Type::Status => "status",
            Type::Location => "locality",
            Type::Actor => "referenced_actor_id",
            Type::Interaction => "interacted_at",
            _ => "value",
        }
    }
}

impl Attribute {
    pub(super) fn is_multiple(&self) -> bool {
        self.flags.has(Flags::MULTIPLE)
    }

    pub(super) fn is_unique(&self) -> bool {
        self.flags.has(Flags::UNIQUE)
    }

    fn shown(&self, workspace: &Workspace, object_id: &str, now: i64) -> Value {
        let allowed: Vec<&str> = self.targets.iter().filter_map(|slug| workspace.object_id(slug)).collect();
        json!({
            "id": {"workspace_id": workspace.id, "object_id": object_id, "attribute_id": self.id},
            "title": self.title,
            "description": null,
            "api_slug": self.slug,
            "type": self.ty.name(),
            "is_system_attribute": self.flags.has(Flags::SYSTEM),
            "is_writable": !self.flags.has(Flags::READ_ONLY),
            "is_required": self.flags.has(Flags::REQUIRED),
            "is_unique": self.is_unique(),
            "is_multiselect": self.is_multiple(),
            "is_default_value_enabled": false,
            "is_archived": false,
            "default_value": null,
            "relationship": null,
            "created_at": iso_nanos(now),
            "config": {
                "currency": {"default_currency_code": "USD", "display_type": "symbol"},
                "record_reference": {"allowed_object_ids": allowed},
            },
        })
    }
}

/// `/v2/objects/{object}/attributes…`
pub(super) fn answer(desk: &mut Desk<'_>, call: &Call, object: usize, rest: &[&str]) -> Answer {
    let object_id = desk.workspace.objects[object].id.clone();
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let attributes = desk.workspace.objects[object].attributes.iter();
            let shown: Vec<Value> =
                attributes.map(|attribute| attribute.shown(desk.workspace, &object_id, desk.now)).collect();
            Ok(Reply::json(200, json!({"data": shown})))
        }
        ("POST", []) => {
            let attribute = define(desk, object, &data(call)?)?;
            Ok(Reply::json(200, json!({"data": attribute.shown(desk.workspace, &object_id, desk.now)})))
        }
        ("GET", [slug]) => {
            let attribute = desk.attribute(object, slug)?;
            Ok(Reply::json(200, json!({"data": attribute.shown(desk.workspace, &object_id, desk.now)})))
        }
        ("GET", [slug, "options" | "statuses"]) => {
            let attribute = desk.attribute(object, slug)?;
            let shown: Vec<Value> = attribute
                .choices
                .iter()
                .map(|choice| shown_choice(desk.workspace, &object_id, attribute, choice))
                .collect();
            Ok(Reply::json(200, json!({"data": shown})))
        }
        ("POST", [slug, "options" | "statuses"]) => {
            let shown = add_choice(desk, object, slug, &data(call)?)?;
            Ok(Reply::json(200, json!({"data": shown})))
        }
        _ => Err(Refusal::no_call()),
    }
}

/// An option or status as the schema and the values have it.
pub(super) fn shown_choice(
    workspace: &Workspace,
    object_id: &str,
    attribute: &Attribute,
    choice: &Choice,
) -> Value {
    let key = if attribute.ty == Type::Status { "status_id" } else { "option_id" };
    let mut shown = json!({
        "id": {"workspace_id": workspace.id, "object_id": object_id, "attribute_id": attribute.id},
        "title": choice.title,
        "is_archived": false,
    });
    shown["id"][key] = json!(choice.id);
    if attribute.ty == Type::Status {
        shown["celebration_enabled"] = json!(false);
        shown["target_time_in_status"] = Value::Null;
    }
    shown
}

/// Makes an attribute of the body of a creation.
pub(super) fn define(desk: &mut Desk<'_>, object: usize, data: &Value) -> Result<Attribute, Refusal> {
    let text = |field: &str| {
        let value = data.get(field).and_then(Value::as_str).map(str::to_owned);
        value.ok_or_else(|| Refusal::form(format!("The attribute's {field} is missing")))
    };
    let flag =
        |field: &str, flag| Flags::when(data.get(field).and_then(Value::as_bool).unwrap_or_default(), flag);
    let ty = Type::named(&text("type")?).filter(|ty| !matches!(ty, Type::Name | Type::Interaction));
    let flags = flag("is_unique", Flags::UNIQUE)
        .and(flag("is_multiselect", Flags::MULTIPLE))
        .and(flag("is_required", Flags::REQUIRED));
    let attribute = Attribute {
        id: desk.dice.uuid().to_string(),
        slug: text("api_slug")?,
        title: text("title")?,
        ty: ty.ok_or_else(|| Refusal::form("No attributes of this type can be made"))?,
        flags,
        choices: Vec::new(),
        targets: Vec::new(),
    };
    let attributes = &mut desk.workspace.objects[object].attributes;
    if attributes.iter().any(|known| known.slug == attribute.slug) {
        let message = format!("An attribute with slug \"{}\" already exists.", attribute.slug);
        return Err(Refusal::new(409, "slug_conflict", message));
    }
    attributes.push(attribute.clone());
    Ok(attribute)
}

fn add_choice(desk: &mut Desk<'_>, object: usize, slug: &str, data: &Value) -> Result<Value, Refusal> {
    let title =
        data.get("title").and_then(Value::as_str).ok_or_else(|| Refusal::form("The title is missing"))?;
    let at = desk.workspace.objects[object].attributes.iter().position(|attribute| attribute.slug == slug);
    let at = at.ok_or_else(|| Refusal::not_found(format!("Attribute \"{slug}\" was not found.")))?;
    let choice = Choice { id: desk.dice.uuid().to_string(), title: title.to_owned() };
    let choices = &mut desk.workspace.objects[object].attributes[at].choices;
    if choices.iter().any(|known| known.title == choice.title) {
        return Err(Refusal::new(409, "slug_conflict", format!("An option \"{title}\" already exists.")));
    }
    choices.push(choice.clone());
    let object = &desk.workspace.objects[object];
    Ok(shown_choice(desk.workspace, &object.id, &object.attributes[at], &choice))
}
