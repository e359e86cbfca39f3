//! Which properties a form of values fits into.

use crate::sync::crm::Property;
use crate::sync::forms;
use crate::tables::{CatalogColumn, Form, Kind, System, Way};

/// Whether values of the form can be kept in a property.
pub(super) fn fits(system: System, form: Form, way: Way, property: &Property) -> bool {
    let takes_several = form != Form::Choices || property.multiple;
    takes_several && kinds(system, form, way).contains(&property.kind.as_str())
}

/// The types of properties, in the CRM's own words, that values of the form go with.
pub(super) fn kinds(system: System, form: Form, way: Way) -> &'static [&'static str] {
    match system {
        System::Hubspot => in_hubspot(form, way),
        System::Attio => in_attio(form, way),
    }
}

/// By <https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide>, “Property type and fieldType values”.
fn in_hubspot(form: Form, way: Way) -> &'static [&'static str] {
    match (form, way) {
        (Form::Text, Way::In) => {
            &["string", "phone_number", "enumeration", "number", "date", "datetime", "bool"]
        }
        (Form::Text, _) => &["string", "phone_number", "enumeration"],
        (Form::Note, _) => &["string"],
        (Form::Number, _) => &["number"],
        (Form::Flag, _) => &["bool", "enumeration"],
        (Form::Day, _) => &["date", "datetime"],
        (Form::Instant, _) => &["datetime", "date"],
        (Form::Choice | Form::Stage, _) => &["enumeration", "string"],
        (Form::Choices, _) => &["enumeration"],
        (Form::Phone, _) => &["string", "phone_number"],
        (Form::Headcount | Form::MoneyRange, _) => &["number", "enumeration", "string"],
        (Form::Person | Form::RecordId, _) => &["number", "string"],
        (Form::Email | Form::Domain | Form::GivenName | Form::FamilyName | Form::CompanyName, _) => {
            &["string"]
        }
    }
}

/// By <https://docs.attio.com/docs/attribute-types>.
fn in_attio(form: Form, way: Way) -> &'static [&'static str] {
    match (form, way) {
        (Form::Text, Way::In) => {
            &["text", "select", "status", "number", "date", "timestamp", "domain", "email-address"]
        }
        (Form::Text, _) => &["text", "select", "status"],
        (Form::Number, _) => &["number", "currency", "rating"],
        (Form::Flag, _) => &["checkbox"],
        (Form::Day, _) => &["date", "timestamp"],
        (Form::Instant, Way::In) => &["timestamp", "date", "interaction"],
        (Form::Instant, _) => &["timestamp", "date"],
        (Form::Choice | Form::Stage, _) => &["select", "status", "text"],
        (Form::Choices, _) => &["select"],
        (Form::Email, _) => &["email-address", "text"],
        (Form::Phone, _) => &["phone-number", "text"],
        (Form::Domain, _) => &["domain", "text"],
        (Form::GivenName | Form::FamilyName, _) => &["personal-name"],
        (Form::Headcount | Form::MoneyRange, _) => &["select", "number", "currency", "text"],
        (Form::CompanyName, Way::In) => &["record-reference", "text"],
        (Form::CompanyName, _) => &["record-reference"],
        (Form::Note | Form::Person | Form::RecordId, _) => &["text"],
    }
}

/// The options of a status column that a property has none for, by their labels.
pub(super) fn missing_options(
    column: &CatalogColumn,
    form: Form,
    way: Way,
    property: &Property,
) -> Vec<String> {
    let has_options = matches!(form, Form::Choice | Form::Stage) && !property.options.is_empty();
    if column.kind != Kind::Status || way == Way::In || !has_options {
        return Vec::new();
    }
    let is_there = |word: &str| forms::option(property, word).is_some();
    let stage =
        |ours: &str| forms::STAGES.iter().find(|(known, _)| *known == ours).map(|(_, theirs)| *theirs);
    let missing = column.options.iter().filter(|option| {
        let by_stage = stage(&option.value).filter(|_| form == Form::Stage).is_some_and(is_there);
        !by_stage && !is_there(&option.value)
    });
    missing.map(|option| option.label.clone()).collect()
}
