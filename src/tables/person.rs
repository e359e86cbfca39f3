//! Finds the member of the organization that a call means: by id, name, e-mail address, or as `me`.

use serde_json::Value as Json;
use uuid::Uuid;

use super::catalog::Member;
use super::text::quote;
use super::value::Reading;
use crate::error::{Error, Result, invalid};

/// How many members an error lists.
const LISTED_MAX: usize = 10;

/// The member's id. `None` when `raw` is neither text nor `{"me": true}`.
pub(super) fn parse(raw: &Json, reading: &Reading<'_>) -> Option<Result<Uuid>> {
    if is_me(raw) {
        return Some(reading.me.ok_or_else(|| no_caller(reading.members)));
    }
    raw.as_str().map(|text| find(text.trim(), reading.members))
}

/// Whether `raw` means the caller: `"me"`, `{"me": true}`, or that object as text.
pub(super) fn is_me(raw: &Json) -> bool {
    match raw {
        Json::Object(fields) => fields.len() == 1 && fields.get("me") == Some(&Json::Bool(true)),
        Json::String(text) => {
            text.trim().eq_ignore_ascii_case("me")
                || (text.trim().starts_with('{')
                    && serde_json::from_str::<Json>(text)
                        .is_ok_and(|inner| inner.is_object() && is_me(&inner)))
        }
        _ => false,
    }
}

fn find(text: &str, members: &[Member]) -> Result<Uuid> {
    if let Ok(id) = Uuid::parse_str(text) {
        return match members.iter().find(|member| member.id == id) {
            Some(member) => Ok(member.id),
            None => Err(unknown(text, members)),
        };
    }
    let wanted = text.to_lowercase();
    let is = |known: &str| known.to_lowercase() == wanted;
    let exact = |member: &&Member| is(&member.name) || member.email.as_deref().is_some_and(is);
    let found: Vec<&Member> = members.iter().filter(exact).collect();
    let found = if found.is_empty() {
        members.iter().filter(|member| member.name.split_whitespace().next().is_some_and(is)).collect()
    } else {
        found
    };
    match found.as_slice() {
        [] => Err(unknown(text, members)),
        [member] => Ok(member.id),
        several => Err(ambiguous(text, several)),
    }
}

fn unknown(text: &str, members: &[Member]) -> Error {
    let error = invalid(format!("{} is no member of this organization", quote(text)));
    if members.is_empty() {
        return error.hint("it has no members yet");
    }
    let named = error.choices(text, members.iter().map(|member| member.name.clone()));
    shortened(named, members)
}

fn ambiguous(text: &str, several: &[&Member]) -> Error {
    let mut error = invalid(format!("{} could be any of {} members", quote(text), several.len()));
    error.allowed = several
        .iter()
        .take(LISTED_MAX)
        .map(|member| match &member.email {
            Some(email) => format!("{} <{email}>", member.name),
            None => format!("{} ({})", member.name, member.id),
        })
        .collect();
    error.hint("give the full name, the e-mail address or the id")
}

fn no_caller(members: &[Member]) -> Error {
    let mut error = invalid("`me` is not known: this server has no user configured");
    error.allowed = members.iter().map(|member| member.name.clone()).collect();
    shortened(error, members).hint("set OPSTABLES_USER to a member's e-mail address, or name the member")
}

/// The error with as many members as can be read at a glance.
fn shortened(mut error: Error, members: &[Member]) -> Error {
    error.allowed.truncate(LISTED_MAX);
    if members.len() > LISTED_MAX {
        error.message = format!("{} (the first {LISTED_MAX} of {} are listed)", error.message, members.len());
    }
    error
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tables::testing::{SARAH, TOM, members, reading};

    fn check(raw: &Json, expected: u128) {
        let members = members();
        let id = parse(raw, &reading(&members)).unwrap().unwrap();
        assert_eq!(id, Uuid::from_u128(expected), "{raw}");
    }

    fn refusal(raw: &Json) -> Error {
        let members = members();
        parse(raw, &reading(&members)).unwrap().unwrap_err()
    }

    #[test]
    fn a_member_is_found_by_id_name_address_or_first_name() {
        check(&json!(Uuid::from_u128(SARAH).to_string()), SARAH);
        check(&json!("sarah CHEN"), SARAH);
        check(&json!("SARAH@acme.com"), SARAH);
        check(&json!(" Sarah "), SARAH);
        check(&json!("Tom Becker"), TOM);
    }

    #[test]
    fn me_is_the_caller_in_every_form() {
        for raw in [json!("me"), json!("Me"), json!({"me": true}), json!("{\"me\": true}")] {
            check(&raw, SARAH);
        }
    }

    #[test]
    fn me_needs_a_configured_user() {
        let members = members();
        let nobody = Reading { me: None, ..reading(&members) };
        let error = parse(&json!({"me": true}), &nobody).unwrap().unwrap_err();
        assert!(error.to_string().contains("OPSTABLES_USER"), "{error}");
        assert!(error.allowed.contains(&"Sarah Chen".to_owned()));
    }

    #[test]
    fn an_ambiguous_name_says_who_could_be_meant() {
        let error = refusal(&json!("tom"));
        assert_eq!(error.message, "`tom` could be any of 2 members");
        assert_eq!(error.allowed, ["Tom Becker <tom@acme.com>", "Tom Okafor <okafor@acme.com>"]);
    }

    #[test]
    fn an_unknown_name_lists_the_members_and_the_nearest() {
        let error = refusal(&json!("Sara Chen"));
        assert_eq!(error.hint.as_deref(), Some("did you mean `Sarah Chen`?"));
        assert_eq!(error.allowed.len(), 3);
        assert!(refusal(&json!(Uuid::nil().to_string())).message.contains("is no member"));
    }

    #[test]
    fn at_most_ten_members_are_listed() {
        let many: Vec<Member> = (0..12)
            .map(|n| Member { id: Uuid::from_u128(n), name: format!("Member {n}"), email: None })
            .collect();
        let error = parse(&json!("Zoe"), &reading(&many)).unwrap().unwrap_err();
        assert_eq!(error.allowed.len(), 10);
        assert!(error.message.contains("of 12"), "{error}");
    }

    #[test]
    fn other_json_is_not_a_person() {
        let members = members();
        for raw in [json!(7), json!(true), json!({"me": false}), json!({"id": "x"})] {
            assert!(parse(&raw, &reading(&members)).is_none(), "{raw}");
        }
    }
}
