//! Values as `Attio` writes them: lists of objects whose keys depend on the attribute's type
//! (<https://docs.attio.com/docs/attribute-types>). An empty list clears.

use serde_json::{Map, Value as Json, json};

use crate::error::{Result, invalid};
use crate::sync::crm::{Mapped, Push};
use crate::sync::fault::Refusal;
use crate::sync::forms::{self, refused};
use crate::sync::wire::text_at;
use crate::tables::value::show_number;
use crate::tables::{Form, Object, Value, Way};

/// Amounts of money have at most four decimals.
const CENTS: f64 = 10_000.0;

/// Each attribute's list, or why a value cannot be sent.
pub(super) fn written(push: &Push) -> Result<Map<String, Json>, Refusal> {
    let mut values = Map::new();
    for (mapped, value) in &push.cells {
        if mapped.way == Way::In || mapped.described.as_ref().is_some_and(|property| property.read_only) {
            return Err(refused(&mapped.property, "Attio computes it"));
        }
        let list = match mapped.form {
            Form::GivenName | Form::FamilyName => name(push, &mapped.property)?,
            Form::CompanyName if value.is_some() => vec![company(push, &mapped.property)?],
            _ => list(mapped, value.as_ref())?,
        };
        values.insert(mapped.property.clone(), Json::Array(list));
    }
    Ok(values)
}

/// Both parts of a name, which stand together in a push, as the one value that they are.
fn name(push: &Push, property: &str) -> Result<Vec<Json>, Refusal> {
    let part = |form: Form| {
        let cell = push.cells.iter().find(|(mapped, _)| mapped.property == property && mapped.form == form);
        match cell.and_then(|(_, value)| value.as_ref()) {
            None => Ok(""),
            Some(Value::Text(text)) => Ok(text.as_str()),
            Some(_) => Err(refused(property, "its type does not take such a value")),
        }
    };
    let (first, last) = (part(Form::GivenName)?, part(Form::FamilyName)?);
    let full = format!("{first} {last}");
    if full.trim().is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![json!({"first_name": first, "last_name": last, "full_name": full.trim()})])
}

/// The reference to the company's record.
fn company(push: &Push, property: &str) -> Result<Json, Refusal> {
    let record =
        push.associate.as_ref().ok_or_else(|| refused(property, "no company of this name is known there"))?;
    Ok(json!({"target_object": super::slug(Object::Company), "target_record_id": record}))
}

fn list(mapped: &Mapped, value: Option<&Value>) -> Result<Vec<Json>, Refusal> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let one = match (kind(mapped), value) {
        (_, _) if matches!(mapped.form, Form::Headcount | Form::MoneyRange | Form::RecordId) => {
            return Err(refused(&mapped.property, "it is only read, because ours does not fit"));
        }
        ("select", Value::Tags(tags)) => {
            return tags.iter().map(|tag| Ok(json!({"option": option(mapped, tag)?}))).collect();
        }
        ("select", value) => json!({"option": option(mapped, &forms::text(value))?}),
        ("status", Value::Text(text)) => json!({"status": option(mapped, text)?}),
        ("text", value) => json!({"value": forms::text(value)}),
        ("number" | "rating", Value::Number(number)) => json!({"value": show_number(*number)}),
        ("currency", Value::Number(number)) => {
            json!({"currency_value": show_number((number * CENTS).round() / CENTS)})
        }
        ("checkbox", Value::Flag(flag)) => json!({"value": flag}),
        ("date", Value::Time(time)) => json!({"value": forms::day_text(*time)}),
        ("timestamp", Value::Time(time)) => json!({"value": forms::instant_text(*time)}),
        ("email-address", Value::Text(text)) => json!({"email_address": text.to_lowercase()}),
        ("phone-number", Value::Text(text)) => json!({"original_phone_number": text}),
        ("domain", Value::Text(text)) => json!({"domain": text}),
        _ => return Err(refused(&mapped.property, "its type does not take such a value")),
    };
    Ok(vec![one])
}

/// The attribute's type, as described, or the usual one of the form.
fn kind(mapped: &Mapped) -> &str {
    match &mapped.described {
        Some(property) => &property.kind,
        None => match mapped.form {
            Form::Number | Form::MoneyRange => "number",
            Form::Flag => "checkbox",
            Form::Day => "date",
            Form::Instant => "timestamp",
            Form::Choice | Form::Choices | Form::Stage | Form::Headcount => "select",
            Form::Email => "email-address",
            Form::Phone => "phone-number",
            Form::Domain => "domain",
            _ => "text",
        },
    }
}

/// The id of the option that the text means; the text when the attribute's options are not known here, because a
/// title is taken as well.
fn option(mapped: &Mapped, text: &str) -> Result<String, Refusal> {
    let Some(property) = mapped.described.as_ref().filter(|property| !property.options.is_empty()) else {
        return Ok(text.to_owned());
    };
    let stage = forms::STAGES.iter().find(|(ours, _)| mapped.form == Form::Stage && *ours == text);
    let found = forms::option(property, text).or_else(|| forms::option(property, stage?.1));
    let found = found.map(|(id, _)| id.clone());
    found.ok_or_else(|| refused(&mapped.property, "the text is none of its options"))
}

/// The canonical value of one value of an attribute; an error when it is nothing that the column can hold.
pub(super) fn read(object: Object, mapped: &Mapped, entry: &Json) -> Result<Option<Value>> {
    let wrong = || invalid("the value has not the form of the attribute");
    let part = |key: &str| text_at(entry, &[key]).unwrap_or_default();
    let raw = match mapped.form {
        Form::GivenName if entry.get("first_name").is_some() => part("first_name"),
        Form::FamilyName if entry.get("last_name").is_some() => part("last_name"),
        _ => match entry.get("value") {
            Some(Json::Bool(flag)) => return forms::canonical(object, mapped, &json!(flag)),
            _ => plain(entry).ok_or_else(wrong)?,
        },
    };
    let written = match mapped.form {
        Form::Day => return Ok(Some(Value::Time(forms::day(forms::moment(&raw).ok_or_else(wrong)?)))),
        Form::Instant => return Ok(Some(Value::Time(forms::moment(&raw).ok_or_else(wrong)?))),
        Form::Flag => json!(raw.parse::<bool>().map_err(|_| wrong())?),
        Form::Headcount => json!(forms::headcount(&raw).ok_or_else(wrong)?),
        Form::MoneyRange => json!(forms::money_floor(&raw).ok_or_else(wrong)?),
        Form::Choices => json!([raw]),
        _ => json!(raw),
    };
    forms::canonical(object, mapped, &written)
}

/// What people read in a value, whatever its type.
fn plain(entry: &Json) -> Option<std::borrow::Cow<'_, str>> {
    const KEYS: &[&[&str]] = &[
        &["value"],
        &["currency_value"],
        &["option", "title"],
        &["status", "title"],
        &["option"],
        &["status"],
        &["email_address"],
        &["phone_number"],
        &["original_phone_number"],
        &["domain"],
        &["full_name"],
        &["interacted_at"],
    ];
    KEYS.iter().find_map(|path| text_at(entry, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::crm::Property;

    fn mapped(column: &str, form: Form, kind: &str) -> Mapped {
        let pair = |value: &str, label: &str| (value.to_owned(), label.to_owned());
        let is_choice = matches!(kind, "select" | "status");
        let options = vec![
            pair("o-1", "Bright Red"),
            pair("o-2", "Deep Blue"),
            pair("o-3", "Marketing Qualified Lead"),
        ];
        let described = Property {
            name: "it".to_owned(),
            label: "It".to_owned(),
            kind: kind.to_owned(),
            read_only: false,
            unique: false,
            multiple: false,
            options: if is_choice { options } else { Vec::new() },
            object_id: None,
        };
        Mapped {
            column: column.to_owned(),
            property: "it".to_owned(),
            form,
            way: Way::Both,
            described: Some(described),
        }
    }

    fn push(cells: Vec<(Mapped, Option<Value>)>) -> Push {
        let known = cells.iter().map(|_| None).collect();
        Push { row: uuid::Uuid::nil(), record: None, cells, known, associate: None }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn time(raw: &str) -> Value {
        Value::Time(forms::moment(raw).unwrap())
    }

    #[test]
    fn every_type_goes_there() {
        let check = |form: Form, kind: &str, value: Value, expected: Json| {
            let values = written(&push(vec![(mapped("own", form, kind), Some(value))])).unwrap();
            assert_eq!(values["it"], json!([expected]), "{form:?} {kind}");
        };
        check(Form::Text, "text", text("CEO"), json!({"value": "CEO"}));
        check(Form::Text, "text", Value::Number(7.0), json!({"value": "7"}));
        check(Form::Number, "number", Value::Number(5.0), json!({"value": 5}));
        check(Form::Number, "rating", Value::Number(3.0), json!({"value": 3}));
        check(Form::Number, "currency", Value::Number(1.234_56), json!({"currency_value": 1.2346}));
        check(Form::Flag, "checkbox", Value::Flag(true), json!({"value": true}));
        check(Form::Day, "date", time("2026-03-04"), json!({"value": "2026-03-04"}));
        check(Form::Instant, "date", time("2026-03-04T05:06:07Z"), json!({"value": "2026-03-04"}));
        let instant = json!({"value": "2026-03-04T05:06:07.000Z"});
        check(Form::Instant, "timestamp", time("2026-03-04T05:06:07Z"), instant);
        check(Form::Choice, "select", text("deep blue"), json!({"option": "o-2"}));
        check(Form::Stage, "status", text("mql"), json!({"status": "o-3"}));
        check(Form::Email, "email-address", text("Ann@x.com"), json!({"email_address": "ann@x.com"}));
        check(Form::Phone, "phone-number", text("+1415"), json!({"original_phone_number": "+1415"}));
        check(Form::Domain, "domain", text("acme.com"), json!({"domain": "acme.com"}));
    }

    #[test]
    fn several_options_are_several_values_and_nothing_is_an_empty_list() {
        let tags = Value::Tags(vec!["Bright Red".to_owned(), "o-2".to_owned()]);
        let values = written(&push(vec![(mapped("own", Form::Choices, "select"), Some(tags))])).unwrap();
        assert_eq!(values["it"], json!([{"option": "o-1"}, {"option": "o-2"}]));
        let values = written(&push(vec![(mapped("own", Form::Email, "email-address"), None)])).unwrap();
        assert_eq!(values["it"], json!([]));
    }

    #[test]
    fn a_name_is_one_value_of_both_parts() {
        let check = |first: Option<&str>, last: Option<&str>, expected: Json| {
            let given = (mapped("first_name", Form::GivenName, "personal-name"), first.map(text));
            let family = (mapped("last_name", Form::FamilyName, "personal-name"), last.map(text));
            assert_eq!(written(&push(vec![family, given])).unwrap()["it"], expected);
        };
        let both = json!([{"first_name": "Ann", "last_name": "Lee", "full_name": "Ann Lee"}]);
        check(Some("Ann"), Some("Lee"), both);
        check(None, Some("Lee"), json!([{"first_name": "", "last_name": "Lee", "full_name": "Lee"}]));
        check(None, None, json!([]));
    }

    #[test]
    fn what_cannot_be_written_names_its_attribute() {
        let check = |form: Form, kind: &str, value: Value| {
            let refusal = written(&push(vec![(mapped("own", form, kind), Some(value))])).unwrap_err();
            assert_eq!(refusal.property.as_deref(), Some("it"), "{form:?}");
            assert!(!refusal.message.contains("secret"), "{}", refusal.message);
        };
        check(Form::Choice, "select", text("secret"));
        check(Form::Choice, "status", text("secret"));
        check(Form::Number, "number", text("secret"));
        check(Form::Text, "interaction", text("secret"));
        check(Form::Headcount, "select", text("small"));
        check(Form::CompanyName, "record-reference", text("secret"));
        let mut computed = mapped("own", Form::Text, "text");
        computed.way = Way::In;
        assert!(written(&push(vec![(computed, None)])).is_err());
    }

    #[test]
    fn every_type_comes_back() {
        let check = |object: Object, column: &str, form: Form, entry: Json, expected: Value| {
            let found = read(object, &mapped(column, form, ""), &entry).unwrap();
            assert_eq!(found, Some(expected), "{form:?} {entry}");
        };
        let people = Object::Contact;
        let name = json!({"first_name": "Ann", "last_name": "Lee", "full_name": "Ann Lee"});
        check(people, "first_name", Form::GivenName, name.clone(), text("Ann"));
        check(people, "last_name", Form::FamilyName, name.clone(), text("Lee"));
        check(people, "own", Form::Text, name, text("Ann Lee"));
        check(people, "email", Form::Email, json!({"email_address": "Ann@X.com"}), text("ann@x.com"));
        let phone = json!({"phone_number": "+14155550123", "original_phone_number": "415 555 0123"});
        check(people, "phone", Form::Phone, phone, text("+14155550123"));
        check(people, "own", Form::Domain, json!({"domain": "Acme.com"}), text("acme.com"));
        check(people, "own", Form::Number, json!({"value": 7.5}), Value::Number(7.5));
        check(people, "own", Form::Number, json!({"currency_value": 12}), Value::Number(12.0));
        check(people, "own", Form::Flag, json!({"value": false}), Value::Flag(false));
        check(people, "own", Form::Day, json!({"value": "2026-03-04"}), time("2026-03-04"));
        let contact = json!({"interacted_at": "2026-03-04T05:06:07.000000000Z"});
        check(people, "last_engagement", Form::Instant, contact, time("2026-03-04T05:06:07Z"));
        let option = |title: &str| json!({"option": {"id": {"option_id": "o"}, "title": title}});
        check(people, "own", Form::Choice, option("Deep Blue"), text("Deep Blue"));
        check(people, "own", Form::Choices, option("Deep Blue"), Value::Tags(vec!["Deep Blue".to_owned()]));
        check(people, "own", Form::Choice, json!({"status": {"title": "Won"}}), text("Won"));
        check(people, "lifecycle_stage", Form::Stage, option("Marketing Qualified Lead"), text("mql"));
        check(Object::Company, "company_size", Form::Headcount, option("11-50"), text("small"));
        check(Object::Company, "revenue", Form::MoneyRange, option("$1M-$10M"), Value::Number(1e6));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let check = |form: Form, entry: Json| {
            assert!(read(Object::Contact, &mapped("own", form, ""), &entry).is_err(), "{entry}");
        };
        check(Form::Text, json!({"target_record_id": "x"}));
        check(Form::Email, json!({"email_address": "nobody"}));
        check(Form::Number, json!({"value": "many"}));
        check(Form::Day, json!({"value": "soon"}));
        check(Form::Headcount, json!({"value": "some"}));
    }
}
