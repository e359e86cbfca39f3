//! Values as `HubSpot` writes them: always texts, of which `""` clears.

use serde_json::{Value as Json, json};

use crate::error::{Result, invalid};
use crate::sync::crm::Mapped;
use crate::sync::fault::Refusal;
use crate::sync::forms::{self, refused};
use crate::tables::{Form, Object, Value, Way};

/// The text that a property gets, or why the value cannot be sent.
pub(super) fn written(mapped: &Mapped, value: Option<&Value>) -> Result<String, Refusal> {
    let refuse = |why: &str| Err(refused(&mapped.property, why));
    let described = mapped.described.as_ref();
    if mapped.way == Way::In || described.is_some_and(|property| property.read_only) {
        return refuse("HubSpot computes it");
    }
    let Some(value) = value else { return Ok(String::new()) };
    let kind = described.map_or("", |property| property.kind.as_str());
    match (mapped.form, value) {
        (Form::Text, value) if kind != "enumeration" => Ok(forms::text(value)),
        (Form::GivenName | Form::FamilyName | Form::Phone | Form::Domain, Value::Text(text)) => {
            Ok(text.clone())
        }
        (Form::Email, Value::Text(text)) => Ok(text.to_lowercase()),
        (Form::Number, Value::Number(_)) | (Form::Flag, Value::Flag(_)) => Ok(value.canonical()),
        (Form::Instant, Value::Time(time)) if kind != "date" => Ok(forms::instant_text(*time)),
        (Form::Day, Value::Time(time)) if kind == "datetime" => Ok(forms::instant_text(forms::day(*time))),
        (Form::Day | Form::Instant, Value::Time(time)) => Ok(forms::day_text(*time)),
        (Form::Stage, Value::Text(stage)) => {
            option(mapped, stage_name(stage)).or_else(|_| option(mapped, stage))
        }
        (Form::Text | Form::Choice | Form::Choices, Value::Tags(tags)) => {
            let values: Result<Vec<String>, Refusal> = tags.iter().map(|tag| option(mapped, tag)).collect();
            values.map(|values| values.join(";"))
        }
        (Form::Text | Form::Choice | Form::Choices, value) => option(mapped, &forms::text(value)),
        (
            Form::Headcount
            | Form::MoneyRange
            | Form::CompanyName
            | Form::Person
            | Form::Note
            | Form::RecordId,
            _,
        ) => refuse("it is only read, because ours does not fit"),
        _ => refuse("its type does not take such a value"),
    }
}

/// The value of the option that the text means; as it is when the property's options are not known here.
fn option(mapped: &Mapped, text: &str) -> Result<String, Refusal> {
    match mapped.described.as_ref().filter(|property| !property.options.is_empty()) {
        None => Ok(text.to_owned()),
        Some(property) => forms::option(property, text)
            .map(|(value, _)| value.clone())
            .ok_or_else(|| refused(&mapped.property, "the text is none of its options")),
    }
}

/// `HubSpot`'s own name of a lifecycle stage; a portal's own stages are what they are.
fn stage_name(stage: &str) -> &str {
    forms::STAGES.iter().find(|(ours, _)| *ours == stage).map_or(stage, |(_, theirs)| theirs)
}

/// Whether a stage is before another one in the order of the portal, so that it is not taken unless the property is
/// cleared first.
pub(super) fn is_step_back(mapped: &Mapped, from: &Value, to: &Value) -> bool {
    let place = |value: &Value| {
        let Value::Text(stage) = value else { return None };
        match mapped.described.as_ref().filter(|property| !property.options.is_empty()) {
            Some(property) => {
                let meant = forms::option(property, stage_name(stage));
                let meant = meant.or_else(|| forms::option(property, stage))?;
                property.options.iter().position(|option| option == meant)
            }
            None => forms::STAGES.iter().position(|(ours, _)| ours == stage),
        }
    };
    mapped.form == Form::Stage && matches!((place(from), place(to)), (Some(from), Some(to)) if to < from)
}

/// The canonical value of a property's text; an error when it is nothing that the column can hold.
pub(in crate::sync) fn read(object: Object, mapped: &Mapped, raw: &str) -> Result<Option<Value>> {
    if raw.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || invalid("the value has not the form of the property");
    let described = mapped.described.as_ref();
    let moment = || forms::moment(raw).ok_or_else(wrong);
    let written: Json = match mapped.form {
        Form::Day => return moment().map(|time| Some(Value::Time(forms::day(time)))),
        Form::Instant => return moment().map(|time| Some(Value::Time(time))),
        Form::Flag => json!(raw.trim().to_lowercase().parse::<bool>().map_err(|_| wrong())?),
        Form::Choice => json!(forms::label(described, raw)),
        Form::Choices => {
            let values = raw.split(';').map(str::trim).filter(|value| !value.is_empty());
            json!(values.map(|value| forms::label(described, value)).collect::<Vec<_>>())
        }
        Form::Stage => {
            let known = forms::STAGES.iter().find(|(_, theirs)| theirs.eq_ignore_ascii_case(raw.trim()));
            json!(known.map_or_else(|| forms::label(described, raw), |(ours, _)| ours))
        }
        Form::Headcount => json!(forms::headcount(raw).ok_or_else(wrong)?),
        Form::MoneyRange => json!(forms::money_floor(raw).ok_or_else(wrong)?),
        _ => json!(raw),
    };
    forms::canonical(object, mapped, &written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::crm::Property;

    fn mapped(column: &str, form: Form, kind: &str, options: &[(&str, &str)]) -> Mapped {
        let options = options.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned()));
        let described = Property {
            name: "it".to_owned(),
            label: "It".to_owned(),
            kind: kind.to_owned(),
            read_only: false,
            unique: false,
            multiple: form == Form::Choices,
            options: options.collect(),
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

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn time(raw: &str) -> Value {
        Value::Time(forms::moment(raw).unwrap())
    }

    fn tags(tags: &[&str]) -> Value {
        Value::Tags(tags.iter().map(|tag| (*tag).to_owned()).collect())
    }

    const COLORS: &[(&str, &str)] = &[("RED", "Bright Red"), ("BLUE", "Deep Blue")];

    #[test]
    fn every_form_goes_there_and_comes_back() {
        let check = |column: &str, form: Form, kind: &str, value: Value, wire: &str| {
            let mapped = mapped(column, form, kind, if kind == "enumeration" { COLORS } else { &[] });
            assert_eq!(written(&mapped, Some(&value)).unwrap(), wire, "{form:?}");
            assert_eq!(read(Object::Contact, &mapped, wire).unwrap(), Some(value), "{form:?} {wire}");
        };
        check("title", Form::Text, "string", text("CEO"), "CEO");
        check("own", Form::Number, "number", Value::Number(1_234_567.5), "1234567.5");
        check("own", Form::Number, "number", Value::Number(1e15), "1000000000000000");
        check("own", Form::Flag, "bool", Value::Flag(true), "true");
        check("own", Form::Day, "date", time("2026-03-04"), "2026-03-04");
        check("own", Form::Day, "datetime", time("2026-03-04"), "2026-03-04T00:00:00.000Z");
        check("own", Form::Instant, "datetime", time("2026-03-04T05:06:07.8Z"), "2026-03-04T05:06:07.800Z");
        check("own", Form::Choice, "enumeration", text("Deep Blue"), "BLUE");
        check("own", Form::Choices, "enumeration", tags(&["Bright Red", "Deep Blue"]), "RED;BLUE");
        check("email", Form::Email, "string", text("ann@x.com"), "ann@x.com");
        check("phone", Form::Phone, "string", text("+14155550123"), "+14155550123");
        check("own", Form::Domain, "string", text("acme.com"), "acme.com");
        check("first_name", Form::GivenName, "string", text("Ann"), "Ann");
        check("last_name", Form::FamilyName, "string", text("Lee"), "Lee");
        check("lifecycle_stage", Form::Stage, "string", text("mql"), "marketingqualifiedlead");
        check("lifecycle_stage", Form::Stage, "string", text("customer"), "customer");
    }

    #[test]
    fn incoming_texts_are_read_in_all_their_forms() {
        let check = |column: &str, form: Form, raw: &str, expected: Option<Value>| {
            let found = read(Object::Company, &mapped(column, form, "", COLORS), raw);
            assert_eq!(found.unwrap(), expected, "{form:?} {raw}");
        };
        check("name", Form::Text, "  ", None);
        check("own", Form::Instant, "1572480000000", Some(time("2019-10-31")));
        check("own", Form::Day, "1572480000000", Some(time("2019-10-31")));
        check("company_size", Form::Headcount, "37", Some(text("small")));
        check("revenue", Form::MoneyRange, "$1M-$10M", Some(Value::Number(1e6)));
        check("revenue", Form::Number, "1500000.00", Some(Value::Number(1.5e6)));
        check("own", Form::Choice, "RED", Some(text("Bright Red")));
        check("own", Form::Choice, "GREEN", Some(text("GREEN")));
        check("own", Form::Choices, "RED; ;BLUE", Some(tags(&["Bright Red", "Deep Blue"])));
        check("own", Form::Email, "ANN@X.com", Some(text("ann@x.com")));
        check("domain", Form::Domain, "www.Acme.com", Some(text("acme.com")));
        check("own", Form::CompanyName, "Acme", Some(text("Acme")));
        check("crm_id", Form::RecordId, "12", Some(text("12")));
        check("own", Form::Flag, "False", Some(Value::Flag(false)));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let check = |form: Form, raw: &str| {
            assert!(read(Object::Contact, &mapped("own", form, "", &[]), raw).is_err(), "{form:?} {raw}");
        };
        check(Form::Email, "nobody");
        check(Form::Number, "many");
        check(Form::Day, "soon");
        check(Form::Instant, "soon");
        check(Form::Flag, "maybe");
        check(Form::Headcount, "several");
        check(Form::MoneyRange, "plenty");
        check(Form::Stage, "a stage of their own");
    }

    #[test]
    fn what_cannot_be_written_names_its_property() {
        let check = |form: Form, value: Value| {
            let refusal = written(&mapped("own", form, "", COLORS), Some(&value)).unwrap_err();
            assert_eq!(refusal.property.as_deref(), Some("it"), "{form:?}");
            assert!(!refusal.message.contains("secret"), "{}", refusal.message);
        };
        check(Form::Choice, text("secret"));
        check(Form::Choices, tags(&["Bright Red", "secret"]));
        check(Form::Stage, text("secret"));
        check(Form::Number, text("secret"));
        check(Form::Flag, text("secret"));
        check(Form::Day, text("secret"));
        check(Form::Email, Value::Number(1.0));
        check(Form::Headcount, text("small"));
        check(Form::RecordId, text("1"));
        let mut computed = mapped("own", Form::Text, "", &[]);
        computed.way = Way::In;
        assert!(written(&computed, None).is_err());
    }

    #[test]
    fn nothing_clears_and_other_types_become_text() {
        let plain = mapped("own", Form::Text, "string", &[]);
        assert_eq!(written(&plain, None).unwrap(), "");
        assert_eq!(written(&plain, Some(&Value::Number(7.0))).unwrap(), "7");
        assert_eq!(written(&plain, Some(&tags(&["a", "b"]))).unwrap(), "a, b");
        let choice = mapped("industry", Form::Text, "enumeration", COLORS);
        assert_eq!(written(&choice, Some(&text("bright red"))).unwrap(), "RED");
    }

    #[test]
    fn a_step_back_is_told_by_the_portals_order() {
        let usual = mapped("lifecycle_stage", Form::Stage, "", &[]);
        assert!(is_step_back(&usual, &text("customer"), &text("lead")));
        assert!(!is_step_back(&usual, &text("lead"), &text("customer")));
        assert!(!is_step_back(&usual, &text("lead"), &text("lead")));
        let options = [("customer", "Customer"), ("marketingqualifiedlead", "MQL"), ("7", "Own")];
        let own = mapped("lifecycle_stage", Form::Stage, "", &options);
        assert!(is_step_back(&own, &text("mql"), &text("customer")));
        assert!(is_step_back(&own, &text("Own"), &text("mql")));
        assert!(!is_step_back(&mapped("x", Form::Choice, "", &options), &text("mql"), &text("customer")));
    }
}
