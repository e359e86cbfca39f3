//! What `HubSpot`'s refusals mean: <https://developers.hubspot.com/docs/api-reference/error-handling>.

use serde_json::Value as Json;

use crate::sync::crm::Pace;
use crate::sync::fault::{Class, Fault};
use crate::sync::wire::{Reply, list_at, text_at};
use crate::sync::wording::Told;

/// The least wait for a locked record, in milliseconds.
const LOCKED_MS: i64 = 2_000;

/// What `HubSpot` says of a property whatever its value, so that no record can be written with it.
const OF_PROPERTY: &[&str] = &["PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"];

/// Where errors name the records that they are about, in themselves or in their context.
const NAMING: &[&str] = &["id", "ids", "objectId", "objectWriteTraceId", "objectWriteTraceIds"];

/// An error as a whole answer has it or one of the errors of a batch.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub fault: Fault,
    pub property: Option<String>,
    /// Whether it is about the property itself, so that it holds for every record that has it.
    pub of_property: bool,
    /// The ids and traces that it names.
    pub names: Vec<String>,
    /// The record that is there already.
    pub existing: Option<String>,
}

/// The fault of an answer that is no 2xx.
pub(super) fn fault(reply: &Reply, told: &Told) -> Fault {
    whole(reply, told).fault
}

/// The error that an answer that is no 2xx is.
pub(super) fn whole(reply: &Reply, told: &Told) -> Trouble {
    let body = reply.body.as_ref().unwrap_or(&Json::Null);
    let mut trouble = Trouble::of(body, Some(reply.status), told);
    let fault = &mut trouble.fault;
    let asked = reply.retry_after_ms();
    fault.retry_after_ms = match fault.class {
        Class::Locked => Some(asked.unwrap_or(LOCKED_MS).max(LOCKED_MS)),
        _ => asked.or(fault.retry_after_ms),
    };
    let header = || reply.header("x-hubspot-correlation-id").map(str::to_owned);
    fault.correlation = fault.correlation.take().or_else(header);
    if fault.message.is_empty() {
        fault.message = format!("HubSpot answered {} without saying why", reply.status);
    }
    trouble
}

/// The errors within an answer: each of those that a partial one lists, or those parts of a whole one that name
/// records.
pub(super) fn parts(reply: &Reply, told: &Told) -> Vec<Trouble> {
    let body = reply.body.as_ref().unwrap_or(&Json::Null);
    let errors = list_at(body, "errors").iter();
    if reply.is_success() {
        return errors.map(|error| Trouble::of(error, None, told)).collect();
    }
    let top = whole(reply, told);
    let named = errors.map(|error| Trouble::of(error, Some(reply.status), told));
    let mut parts: Vec<Trouble> = named.filter(|part| !part.names.is_empty()).collect();
    for part in &mut parts {
        part.fault.class = top.fault.class;
        part.fault.correlation.clone_from(&top.fault.correlation);
    }
    if parts.is_empty() {
        parts.push(top);
    }
    parts
}

/// What the headers tell of the account's allowance.
pub(super) fn pace(reply: &Reply) -> Pace {
    fn number<T: std::str::FromStr>(reply: &Reply, name: &str) -> Option<T> {
        reply.header(&format!("x-hubspot-ratelimit-{name}"))?.trim().parse().ok()
    }
    Pace {
        window_max: number(reply, "max"),
        window_left: number(reply, "remaining"),
        window_ms: number(reply, "interval-milliseconds"),
        day_left: number(reply, "daily-remaining"),
    }
}

impl Trouble {
    fn of(error: &Json, status: Option<u16>, told: &Told) -> Trouble {
        let word = |key: &str| text_at(error, &[key]).unwrap_or_default();
        let message = word("message");
        let details = details(error, &message);
        let known = |name: &&String| told.names.contains(name);
        let mut of_property = details.iter().filter(|detail| OF_PROPERTY.contains(&detail.code.as_str()));
        let of_property = of_property.find_map(|detail| detail.names.iter().find(known));
        let property = of_property
            .or_else(|| details.iter().flat_map(|detail| &detail.names).find(known))
            .cloned()
            .or_else(|| told.named_in(&message));
        let (mut class, wait) = class(status, &word("category"), &word("policyName"), &word("errorType"));
        if class == Class::Invalid && message.contains("already has that value") {
            // A unique property of the portal's own is a validation error when it clashes.
            class = Class::Duplicate;
        }
        let is_unreached = matches!(class, Class::RateLimited | Class::DailyLimit);
        Trouble {
            fault: Fault {
                class,
                message: said(&message, &details, told),
                correlation: text_at(error, &["correlationId"]).map(Into::into),
                retry_after_ms: wait,
                sent: !is_unreached && !status.is_some_and(|status| (400..500).contains(&status)),
            },
            of_property: of_property.is_some(),
            property,
            names: names(error),
            existing: existing(&message),
        }
    }
}

/// The class of an error, and the wait that its policy implies, in milliseconds. Errors within a batch have no
/// status of their own.
fn class(status: Option<u16>, category: &str, policy: &str, kind: &str) -> (Class, Option<i64>) {
    let limited = status == Some(429) || category == "RATE_LIMITS" || kind == "RATE_LIMIT";
    let class = match (status, category) {
        // The day ends at midnight of the account's own zone, which the answer does not tell.
        _ if limited && policy == "DAILY" => return (Class::DailyLimit, None),
        _ if limited && policy == "SECONDLY" => return (Class::RateLimited, Some(1_000)),
        _ if limited => return (Class::RateLimited, Some(10_000)),
        (Some(423 | 477), _) => return (Class::Locked, Some(LOCKED_MS)),
        (Some(401), _) | (_, "INVALID_AUTHENTICATION" | "EXPIRED_AUTHENTICATION") => Class::Unauthorized,
        (Some(403), _) | (_, "MISSING_SCOPES") => Class::Forbidden,
        (Some(404), _) | (_, "OBJECT_NOT_FOUND") => Class::Missing,
        (Some(409), _) | (_, "CONFLICT") => Class::Duplicate,
        (Some(500..=599), _) => Class::Unavailable,
        (Some(400..=499), _) | (None, "VALIDATION_ERROR" | "BAD_REQUEST" | "INVALID_PARAMS") => {
            Class::Invalid
        }
        _ => Class::Unexpected,
    };
    (class, None)
}

/// A code and the names that stand beside it in an error's parts.
struct Detail {
    code: String,
    names: Vec<String>,
}

/// The parts of an error: those that it lists, and those that stand as JSON within its message.
fn details(error: &Json, message: &str) -> Vec<Detail> {
    let code = |part: &Json| {
        let keys = ["code", "error", "subCategory"];
        keys.iter().find_map(|key| text_at(part, &[key])).unwrap_or_default().into_owned()
    };
    let mut found = vec![Detail { code: code(error), names: context(error) }];
    for part in list_at(error, "errors") {
        let mut names = context(part);
        names.extend(text_at(part, &["in"]).map(Into::into));
        found.push(Detail { code: code(part), names });
    }
    let embedded = message.find('[').and_then(|at| serde_json::from_str(&message[at..]).ok());
    for part in embedded.as_ref().and_then(Json::as_array).map_or(&[][..], Vec::as_slice) {
        let name = text_at(part, &["name"]).map(Into::into);
        found.push(Detail { code: code(part), names: name.into_iter().collect() });
    }
    found
}

/// The keys and the texts of an error's context.
fn context(error: &Json) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in error.get("context").and_then(Json::as_object).into_iter().flatten() {
        found.push(key.clone());
        match value {
            Json::String(text) => found.push(text.clone()),
            Json::Array(texts) => found.extend(texts.iter().filter_map(Json::as_str).map(str::to_owned)),
            _ => {}
        }
    }
    found
}

/// The ids and traces of the records that an error is about, of which `existingId` is none.
fn names(error: &Json) -> Vec<String> {
    let parts = std::iter::once(error).chain(list_at(error, "errors"));
    let places = parts.flat_map(|part| [Some(part), part.get("context")]).flatten();
    let values = places.flat_map(|place| NAMING.iter().filter_map(|key| place.get(*key)));
    let mut found = Vec::new();
    for value in values {
        match value {
            Json::Array(names) => found.extend(names.iter().filter_map(Json::as_str).map(str::to_owned)),
            name => found.extend(name.as_str().map(str::to_owned)),
        }
    }
    found
}

/// The message without values, and the code beside it, which says more than what is left.
fn said(message: &str, details: &[Detail], told: &Told) -> String {
    let clean = told.clean(message);
    let is_code = |code: &&str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    match details.iter().map(|detail| detail.code.as_str()).find(is_code) {
        Some(code) if !clean.contains(code) => told.clean(&format!("{clean} ({code})")),
        _ => clean,
    }
}

/// The id in `Contact already exists. Existing ID: 12345`.
fn existing(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Existing ID:")?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName};
    use serde_json::json;

    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: Json) -> Reply {
        let header =
            |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        let headers: HeaderMap = headers.iter().map(header).collect();
        Reply { status, headers, body: Some(body) }
    }

    fn told() -> Told {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Told { names: owned(&["email", "industry"]), values: owned(&["ann@x.com", "Space Mining"]) }
    }

    #[test]
    fn every_status_has_its_class_and_says_whether_it_was_reached() {
        let check = |status: u16, class: Class, sent: bool| {
            let fault = fault(&reply(status, &[], json!({})), &told());
            assert_eq!((fault.class, fault.sent), (class, sent), "{status}");
            assert!(fault.message.contains(&status.to_string()));
        };
        check(400, Class::Invalid, false);
        check(401, Class::Unauthorized, false);
        check(403, Class::Forbidden, false);
        check(404, Class::Missing, false);
        check(409, Class::Duplicate, false);
        check(414, Class::Invalid, false);
        check(423, Class::Locked, false);
        check(429, Class::RateLimited, false);
        check(477, Class::Locked, false);
        for status in [500, 502, 503, 504, 521, 522, 523, 524] {
            check(status, Class::Unavailable, true);
        }
        check(302, Class::Unexpected, true);
    }

    #[test]
    fn a_limit_is_told_by_its_policy_and_waits_accordingly() {
        let check = |status: u16, body: Json, class: Class, wait: Option<i64>| {
            let fault = fault(&reply(status, &[], body.clone()), &told());
            assert_eq!((fault.class, fault.retry_after_ms, fault.sent), (class, wait, false), "{body}");
        };
        let policy = |name: &str| json!({"errorType": "RATE_LIMIT", "policyName": name});
        check(429, policy("TEN_SECONDLY_ROLLING"), Class::RateLimited, Some(10_000));
        check(429, policy("SECONDLY"), Class::RateLimited, Some(1_000));
        check(429, policy("DAILY"), Class::DailyLimit, None);
        check(429, json!({}), Class::RateLimited, Some(10_000));
        check(400, json!({"category": "RATE_LIMITS"}), Class::RateLimited, Some(10_000));
        check(503, json!({"category": "RATE_LIMITS"}), Class::RateLimited, Some(10_000));
        let asked = reply(429, &[("retry-after", "3")], policy("TEN_SECONDLY_ROLLING"));
        assert_eq!(fault(&asked, &told()).retry_after_ms, Some(3_000));
    }

    #[test]
    fn a_lock_waits_two_seconds_at_least_and_a_move_as_long_as_it_says() {
        let check = |status: u16, after: Option<&str>, wait: i64| {
            let headers: Vec<_> = after.map(|after| ("retry-after", after)).into_iter().collect();
            let fault = fault(&reply(status, &headers, json!({})), &told());
            assert_eq!(fault.retry_after_ms, Some(wait), "{status} {after:?}");
        };
        check(423, None, 2_000);
        check(423, Some("0"), 2_000);
        check(423, Some("5"), 5_000);
        check(477, Some("600"), 600_000);
        check(477, None, 2_000);
    }

    #[test]
    fn categories_are_known_without_a_status() {
        let check = |category: &str, class: Class| {
            assert_eq!(self::class(None, category, "", "").0, class, "{category}");
        };
        check("VALIDATION_ERROR", Class::Invalid);
        check("OBJECT_NOT_FOUND", Class::Missing);
        check("CONFLICT", Class::Duplicate);
        check("MISSING_SCOPES", Class::Forbidden);
        check("INVALID_AUTHENTICATION", Class::Unauthorized);
        check("EXPIRED_AUTHENTICATION", Class::Unauthorized);
        check("RATE_LIMITS", Class::RateLimited);
        check("SOMETHING_NEW", Class::Unexpected);
    }

    #[test]
    fn a_message_keeps_its_code_and_loses_the_values() {
        let message = "Property values were not valid: [{\"isValid\":false,\"message\":\"Email address ann@x.com \
                       is invalid\",\"error\":\"INVALID_EMAIL\",\"name\":\"email\"}]";
        let body = json!({"message": message, "correlationId": "c-1", "category": "VALIDATION_ERROR"});
        let trouble = whole(&reply(400, &[], body), &told());
        assert_eq!(trouble.fault.message, "Property values were not valid: […] (INVALID_EMAIL)");
        assert_eq!(trouble.fault.correlation.as_deref(), Some("c-1"));
        assert_eq!((trouble.property.as_deref(), trouble.of_property), (Some("email"), false));
        let body = json!({"message": "Space Mining was not one of the allowed options: [label: \"A\"]",
            "context": {"propertyName": ["industry"]}});
        let trouble = whole(&reply(400, &[("x-hubspot-correlation-id", "c-2")], body), &told());
        assert_eq!(trouble.fault.message, "… was not one of the allowed options: […]");
        assert_eq!(trouble.fault.correlation.as_deref(), Some("c-2"));
        assert_eq!(trouble.property.as_deref(), Some("industry"));
    }

    #[test]
    fn a_property_that_is_not_there_is_told_from_a_wrong_value() {
        let body = json!({"message": "x", "errors": [
            {"message": "bad", "code": "INVALID_EMAIL", "context": {"propertyName": ["email"]}},
            {"message": "none", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["industry"]}},
        ]});
        let trouble = whole(&reply(400, &[], body), &told());
        assert_eq!((trouble.property.as_deref(), trouble.of_property), (Some("industry"), true));
    }

    #[test]
    fn parts_name_their_records_by_id_or_trace() {
        let trace = "00000000-0000-0000-0000-000000000007";
        let body = json!({"results": [], "errors": [
            {"category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": ["12"]}},
            {"category": "VALIDATION_ERROR", "message": "bad", "context": {"objectWriteTraceId": [trace]}},
        ]});
        let parts = parts(&reply(207, &[], body), &told());
        assert_eq!(parts[0].names, ["12"]);
        assert_eq!(parts[1].names, [trace]);
        assert_eq!(parts[1].fault.class, Class::Invalid);
        let message = "Cannot set coordinates. 7 already has that value.";
        let body =
            json!({"category": "VALIDATION_ERROR", "message": message, "context": {"existingId": ["7"]}});
        let trouble = whole(&reply(400, &[], body), &told());
        assert_eq!((trouble.fault.class, trouble.names.len()), (Class::Duplicate, 0));
    }

    #[test]
    fn the_existing_record_is_read_from_the_message() {
        assert_eq!(existing("Contact already exists. Existing ID: 12345").as_deref(), Some("12345"));
        assert_eq!(existing("Existing ID: x"), None);
        assert_eq!(existing("Contact already exists."), None);
    }

    #[test]
    fn the_headers_tell_the_pace() {
        let headers = [
            ("x-hubspot-ratelimit-max", "110"),
            ("x-hubspot-ratelimit-remaining", "108"),
            ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
            ("x-hubspot-ratelimit-daily-remaining", "many"),
        ];
        let expected =
            Pace { window_max: Some(110), window_left: Some(108), window_ms: Some(10_000), day_left: None };
        assert_eq!(pace(&reply(200, &headers, json!({}))), expected);
    }
}
