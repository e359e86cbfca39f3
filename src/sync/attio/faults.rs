//! What `Attio`'s refusals mean: <https://docs.attio.com/rest-api/guides/rate-limiting> and its `OpenAPI` document.

use serde_json::Value as Json;

use crate::sync::fault::{Class, Fault};
use crate::sync::wire::{Reply, list_at, text_at};
use crate::sync::wording::Told;

/// The wait after a limit that does not say how long: it usually ends with the second.
const LIMITED_MS: i64 = 1_000;

/// The wait for a merge that is under way.
const MERGING_MS: i64 = 2_000;

/// A fault, and the attribute that it names.
#[derive(Debug)]
pub(super) struct Trouble {
    pub fault: Fault,
    pub property: Option<String>,
}

/// The fault of an answer that is no 2xx.
pub(super) fn fault(reply: &Reply, told: &Told) -> Trouble {
    let body = reply.body.as_ref().unwrap_or(&Json::Null);
    let code = text_at(body, &["code"]);
    // The authorization server answers as OAuth has it.
    let message = ["message", "error_description", "error"].iter().find_map(|key| text_at(body, &[key]));
    let message = message.unwrap_or_default();
    let (class, wait) = class(reply.status, code.as_deref().unwrap_or_default());
    let asked = reply.retry_after_ms();
    let said = match told.clean(&message) {
        said if said.is_empty() => format!("Attio answered {} without saying why", reply.status),
        said => said,
    };
    let headers = ["x-request-id", "request-id", "cf-ray"];
    Trouble {
        fault: Fault {
            class,
            message: said,
            correlation: headers.iter().find_map(|name| reply.header(name)).map(str::to_owned),
            retry_after_ms: if class.passes() { asked.or(wait) } else { None },
            sent: !(400..500).contains(&reply.status) && class != Class::RateLimited,
        },
        property: property(body, told).or_else(|| told.named_in(&message)),
    }
}

/// The class of an answer, and the wait that it implies, in milliseconds.
fn class(status: u16, code: &str) -> (Class, Option<i64>) {
    let class = match (status, code) {
        (429, _) | (_, "rate_limit_exceeded") => return (Class::RateLimited, Some(LIMITED_MS)),
        (423, _) | (_, "merge_in_progress") => return (Class::Locked, Some(MERGING_MS)),
        (401, _) => Class::Unauthorized,
        (403, _) => Class::Forbidden,
        (409, _) | (_, "uniqueness_conflict" | "multiple_match_results") => Class::Duplicate,
        (404, _) => Class::Missing,
        (500..=599, _) => Class::Unavailable,
        (400..=499, _) => Class::Invalid,
        _ => Class::Unexpected,
    };
    (class, None)
}

/// The attribute in the path of a fault of the body, as `["data", "values", "name"]`.
fn property(body: &Json, told: &Told) -> Option<String> {
    let paths = list_at(body, "validation_errors").iter().flat_map(|error| list_at(error, "path"));
    let mut steps = paths.filter_map(Json::as_str);
    steps.find_map(|step| told.names.iter().find(|name| *name == step)).cloned()
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
        Told { names: owned(&["email_addresses", "name"]), values: owned(&["ann@x.com"]) }
    }

    #[test]
    fn every_status_and_code_has_its_class_and_says_whether_it_was_reached() {
        let check = |status: u16, code: &str, class: Class, sent: bool| {
            let fault = fault(&reply(status, &[], json!({"code": code})), &told()).fault;
            assert_eq!((fault.class, fault.sent), (class, sent), "{status} {code}");
        };
        check(400, "validation_type", Class::Invalid, false);
        check(400, "value_not_found", Class::Invalid, false);
        check(400, "missing_value", Class::Invalid, false);
        check(400, "immutable_value", Class::Invalid, false);
        check(400, "filter_error", Class::Invalid, false);
        check(400, "uniqueness_conflict", Class::Duplicate, false);
        check(409, "uniqueness_conflict", Class::Duplicate, false);
        check(400, "multiple_match_results", Class::Duplicate, false);
        check(409, "merge_in_progress", Class::Locked, false);
        check(401, "", Class::Unauthorized, false);
        check(403, "", Class::Forbidden, false);
        check(404, "not_found", Class::Missing, false);
        check(423, "", Class::Locked, false);
        check(429, "rate_limit_exceeded", Class::RateLimited, false);
        check(400, "rate_limit_exceeded", Class::RateLimited, false);
        for status in [500, 502, 503, 504, 522] {
            check(status, "", Class::Unavailable, true);
        }
        check(302, "", Class::Unexpected, true);
    }

    #[test]
    fn a_limit_waits_until_the_date_it_gives() {
        let check = |headers: &[(&'static str, &str)], wait: i64| {
            let fault = fault(&reply(429, headers, json!({})), &told()).fault;
            assert_eq!(fault.retry_after_ms, Some(wait), "{headers:?}");
        };
        let after = ("retry-after", "Sun, 22 Nov 2026 10:00:03 GMT");
        check(&[("date", "Sun, 22 Nov 2026 10:00:01 GMT"), after], 2_000);
        check(&[after], 1_000);
        check(&[], 1_000);
    }

    #[test]
    fn a_message_loses_its_values_and_names_its_attribute() {
        let body = json!({"status_code": 409, "type": "invalid_request_error", "code": "uniqueness_conflict",
            "message": "The value \"ann@x.com\" provided for attribute \"email_addresses\" is taken."});
        let trouble = fault(&reply(409, &[("x-request-id", "r-1")], body), &told());
        let expected = "The value \"…\" provided for attribute \"email_addresses\" is taken.";
        assert_eq!(trouble.fault.message, expected);
        assert_eq!(trouble.fault.correlation.as_deref(), Some("r-1"));
        assert_eq!(trouble.property.as_deref(), Some("email_addresses"));
        let body = json!({"message": "Body payload validation error.",
            "validation_errors": [{"path": ["data", "values", "name"], "message": "x"}]});
        assert_eq!(fault(&reply(400, &[], body), &told()).property.as_deref(), Some("name"));
    }
}
