//! Attributes with several values of which our column is the first one: the others are somebody's, and stay.

use serde_json::{Value as Json, json};

use crate::sync::crm::Mapped;
use crate::sync::wire::text_at;
use crate::tables::Form;

/// Whether the attribute has several values and the column one.
pub(super) fn has_others(mapped: &Mapped) -> bool {
    let multiple = match &mapped.described {
        Some(property) => property.multiple,
        None => matches!(mapped.form, Form::Email | Form::Phone | Form::Domain),
    };
    multiple && mapped.form != Form::Choices
}

/// Our value before the present ones but the first, which is the one that it replaces.
pub(super) fn with_others(ours: &[Json], present: &[Json]) -> Vec<Json> {
    let mut list = ours.to_vec();
    for other in present.iter().skip(1).filter_map(rewritten) {
        if !list.iter().any(|one| same(one, &other)) {
            list.push(other);
        }
    }
    list
}

/// A value that was read in the form in which it is written.
fn rewritten(entry: &Json) -> Option<Json> {
    let text = |path: &[&str]| text_at(entry, path);
    if let Some(email) = text(&["original_email_address"]).or_else(|| text(&["email_address"])) {
        return Some(json!({"email_address": email}));
    }
    if let Some(domain) = text(&["domain"]) {
        return Some(json!({"domain": domain}));
    }
    if let Some(phone) = text(&["original_phone_number"]).or_else(|| text(&["phone_number"])) {
        return Some(match text(&["country_code"]) {
            Some(country) => json!({"original_phone_number": phone, "country_code": country}),
            None => json!({"original_phone_number": phone}),
        });
    }
    if let Some(option) = text(&["option", "id", "option_id"]).or_else(|| text(&["option", "title"])) {
        return Some(json!({"option": option}));
    }
    entry.get("value").map(|value| json!({"value": value}))
}

/// Whether two values that are to be written are the same one.
fn same(one: &Json, other: &Json) -> bool {
    let plain = |value: &Json| {
        let keys = ["email_address", "domain", "option", "value"];
        let text = keys.iter().find_map(|key| text_at(value, &[key])).map(|text| text.to_lowercase());
        // Numbers are written with and without spaces.
        text.or_else(|| {
            let phone = text_at(value, &["original_phone_number"])?;
            Some(phone.chars().filter(char::is_ascii_digit).collect())
        })
    };
    plain(one).is_some_and(|plain_one| plain(other).is_some_and(|plain_other| plain_one == plain_other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_comes_first_and_the_others_stay() {
        let check = |ours: Json, present: Json, expected: Json| {
            let list = with_others(ours.as_array().unwrap(), present.as_array().unwrap());
            assert_eq!(Json::Array(list), expected);
        };
        let email = |address: &str| json!({"email_address": address});
        let present = json!([email("old@x.com"), email("b@x.com"), email("c@x.com")]);
        check(
            json!([email("a@x.com")]),
            present.clone(),
            json!([email("a@x.com"), email("b@x.com"), email("c@x.com")]),
        );
        check(json!([email("C@x.com")]), present.clone(), json!([email("C@x.com"), email("b@x.com")]));
        check(json!([]), present, json!([email("b@x.com"), email("c@x.com")]));
        check(json!([email("a@x.com")]), json!([]), json!([email("a@x.com")]));
        let phones = json!([{"original_phone_number": "1"}, {"original_phone_number": "+1 415", "country_code": "US"},
            {"phone_number": "+49 30"}]);
        let ours = json!([{"original_phone_number": "+1415"}]);
        check(
            ours.clone(),
            phones,
            json!([{"original_phone_number": "+1415"}, {"original_phone_number": "+49 30"}]),
        );
        let options = json!([{"option": {"id": {"option_id": "o-1"}, "title": "A"}},
            {"option": {"id": {"option_id": "o-2"}, "title": "B"}}]);
        check(json!([{"option": "o-3"}]), options, json!([{"option": "o-3"}, {"option": "o-2"}]));
        let domains = json!([{"domain": "a.com"}, {"domain": "b.com"}]);
        check(json!([{"domain": "c.com"}]), domains, json!([{"domain": "c.com"}, {"domain": "b.com"}]));
    }
}
