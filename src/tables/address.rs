//! Addresses in their canonical forms: e-mail, web, domain, telephone, `LinkedIn`.

use email_address::{EmailAddress, Options};
use url::{Host, Url};

use super::text::{clean_line, quote};
use crate::error::{Error, Result, invalid};

const URL_CHARS_MAX: usize = 4_096;
const PHONE_CHARS_MAX: usize = 64;

/// An e-mail address, lower-case.
pub(super) fn email(text: &str) -> Result<Option<String>> {
    let Some(text) = clean_line(text, URL_CHARS_MAX)? else { return Ok(None) };
    let text = text.to_lowercase();
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    match EmailAddress::parse_with_options(&text, options) {
        Ok(_) => Ok(Some(text)),
        Err(why) => Err(invalid(format!("{} is not an e-mail address: {}", quote(&text), fault_of(why)))
            .hint("write it as jane@acme.com")),
    }
}

fn fault_of(why: email_address::Error) -> String {
    use email_address::Error as Fault;
    match why {
        Fault::MissingSeparator => "it has no `@`".to_owned(),
        Fault::LocalPartEmpty => "nothing stands before the `@`".to_owned(),
        Fault::DomainEmpty => "nothing stands after the `@`".to_owned(),
        Fault::DomainTooFew => "its domain has no dot".to_owned(),
        Fault::InvalidCharacter => "it holds a character that is not allowed there".to_owned(),
        Fault::UnsupportedDisplayName => "give the address alone, without a name".to_owned(),
        other => other.to_string().trim_end_matches('.').to_lowercase(),
    }
}

/// An absolute http or https address; `https://` is added to a bare host.
pub(super) fn web(text: &str) -> Result<Option<String>> {
    let Some(text) = clean_line(text, URL_CHARS_MAX)? else { return Ok(None) };
    Ok(Some(written(&parse_web(&text)?)))
}

fn parse_web(text: &str) -> Result<Url> {
    let wrong = |why: &str| {
        invalid(format!("{} is not a web address: {why}", quote(text)))
            .hint("write it as https://acme.com/page")
    };
    if text.contains(char::is_whitespace) {
        return Err(wrong("it holds a space"));
    }
    let lower = text.to_ascii_lowercase();
    let absolute = if lower.starts_with("http://") || lower.starts_with("https://") {
        text.to_owned()
    } else if looks_like_host(text) {
        format!("https://{text}")
    } else {
        return Err(wrong("it must start with http:// or https://"));
    };
    let url = Url::parse(&absolute).map_err(|why| wrong(&why.to_string()))?;
    if url.host().is_none() {
        return Err(wrong("it has no host"));
    }
    Ok(url)
}

/// Whether text without a scheme begins with a host: dots inside, a port of digits at most.
fn looks_like_host(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    port.bytes().all(|b| b.is_ascii_digit())
        && host.contains('.')
        && !host.starts_with('.')
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// The address without the slash that a bare host gets from the parser.
fn written(url: &Url) -> String {
    let text = url.as_str();
    if url.path() == "/" && url.query().is_none() && url.fragment().is_none() {
        return text.trim_end_matches('/').to_owned();
    }
    text.to_owned()
}

/// A host name in lower-case ASCII, without scheme, `www.`, port or path.
pub(super) fn domain(text: &str) -> Result<Option<String>> {
    let Some(text) = clean_line(text, URL_CHARS_MAX)? else { return Ok(None) };
    let wrong =
        |why: &str| invalid(format!("{} is not a domain: {why}", quote(&text))).hint("write it as acme.com");
    let bare = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest).trim_start_matches('/');
    let authority = bare.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(wrong("give the part after the `@` alone"));
    }
    let url = Url::parse(&format!("http://{authority}")).map_err(|why| wrong(&why.to_string()))?;
    let Some(Host::Domain(host)) = url.host() else { return Err(wrong("a number is no name")) };
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host);
    check_labels(host).map_err(wrong)?;
    Ok(Some(host.to_owned()))
}

fn check_labels(host: &str) -> Result<(), &'static str> {
    if !host.contains('.') {
        return Err("it has no dot");
    }
    if host.len() > 253 || host.split('.').any(|label| label.len() > 63) {
        return Err("it is too long");
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if host.split('.').all(is_label) {
        Ok(())
    } else {
        Err("only letters, digits, hyphens and single dots are allowed")
    }
}

/// A telephone number: E.164 when it has its country code, else as it was written.
pub(super) fn phone(text: &str) -> Result<Option<String>> {
    let Some(text) = clean_line(text, PHONE_CHARS_MAX)? else { return Ok(None) };
    if let Some(number) = e164(&text) {
        return Ok(Some(number));
    }
    if text.chars().filter(char::is_ascii_digit).count() < 3 {
        return Err(invalid(format!(
            "{} is not a telephone number: it has fewer than three digits",
            quote(&text)
        ))
        .hint("write it as +14155550123"));
    }
    Ok(Some(text))
}

fn e164(text: &str) -> Option<String> {
    let after_code = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    // In `+44 (0)20 …` the zero is dialled at home only.
    let bare: String = after_code
        .replacen("(0)", "", 1)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '-' | '.' | '/' | '‐' | '‑' | '–'))
        .collect();
    let fits =
        (8..=15).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_digit()) && !bare.starts_with('0');
    fits.then(|| format!("+{bare}"))
}

/// A `LinkedIn` address; `in/name` and `company/name` are enough.
pub(super) fn linkedin(text: &str) -> Result<Option<String>> {
    let Some(text) = clean_line(text, URL_CHARS_MAX)? else { return Ok(None) };
    let wrong = || -> Error {
        invalid(format!("{} is not a LinkedIn address", quote(&text)))
            .hint("write it as https://www.linkedin.com/in/jane-doe, or in/jane-doe")
    };
    let path = text.trim_start_matches('/');
    let is_path =
        ["in/", "company/", "school/", "showcase/", "pub/"].iter().any(|start| path.starts_with(start));
    let absolute = if is_path { format!("https://www.linkedin.com/{path}") } else { text.clone() };
    let mut url = parse_web(&absolute).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default();
    if host != "linkedin.com" && !host.ends_with(".linkedin.com") {
        return Err(wrong());
    }
    let host = if host == "linkedin.com" { "www.linkedin.com".to_owned() } else { host.to_owned() };
    url.set_host(Some(&host)).map_err(|_| wrong())?;
    url.set_scheme("https").map_err(|()| wrong())?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(Some(written(&url)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(read: fn(&str) -> Result<Option<String>>, good: &[(&str, &str)], bad: &[(&str, &str)]) {
        for (given, expected) in good {
            assert_eq!(read(given).unwrap().as_deref(), Some(*expected), "{given}");
        }
        for (given, why) in bad {
            let error = read(given).unwrap_err();
            assert!(error.message.contains(why), "{given}: {error}");
        }
        assert_eq!(read("  ").unwrap(), None);
    }

    #[test]
    fn an_email_is_lower_case_and_says_what_is_wrong() {
        check(
            email,
            &[(" Jane.Doe+x@ACME.com ", "jane.doe+x@acme.com"), ("zoë@exämple.de", "zoë@exämple.de")],
            &[
                ("jane", "no `@`"),
                ("@acme.com", "before the `@`"),
                ("jane@", "after the `@`"),
                ("jane@acme", "no dot"),
                ("Jane <jane@acme.com>", "without a name"),
                ("jane@[127.0.0.1]", "not an e-mail address"),
                ("jane doe@acme.com", "not an e-mail address"),
                ("a@b@acme.com", "not an e-mail address"),
            ],
        );
    }

    #[test]
    fn a_web_address_gets_its_scheme_and_keeps_its_path() {
        check(
            web,
            &[
                ("https://Acme.com", "https://acme.com"),
                ("acme.com/", "https://acme.com"),
                ("HTTP://acme.com/A?b=C#d", "http://acme.com/A?b=C#d"),
                ("www.acme.com:8080/x", "https://www.acme.com:8080/x"),
                ("http://localhost:3000/x", "http://localhost:3000/x"),
                ("https://fathom.video/share/a%20b", "https://fathom.video/share/a%20b"),
            ],
            &[
                ("acme", "must start with"),
                ("javascript:alert(1)", "must start with"),
                ("ftp://acme.com", "must start with"),
                ("mailto:jane@acme.com", "must start with"),
                ("jane@acme.com", "must start with"),
                ("https://acme .com", "a space"),
                ("https://", "empty host"),
                ("https://a:99999/", "port"),
            ],
        );
    }

    #[test]
    fn a_domain_keeps_its_host_only() {
        check(
            domain,
            &[
                ("Acme.COM", "acme.com"),
                ("https://www.acme.com:443/path?q=1", "acme.com"),
                ("//acme.co.uk/", "acme.co.uk"),
                ("www.acme.com.", "acme.com"),
                ("www.com", "www.com"),
                ("münchen.de", "xn--mnchen-3ya.de"),
                ("ACME.com#top", "acme.com"),
            ],
            &[
                ("acme", "no dot"),
                ("jane@acme.com", "after the `@`"),
                ("10.0.0.1", "no name"),
                ("acme..com", "single dots"),
                ("-acme.com", "hyphens"),
                ("acme inc.com", "not a domain"),
                ("http://", "not a domain"),
            ],
        );
    }

    #[test]
    fn a_phone_with_its_country_code_becomes_e164() {
        check(
            phone,
            &[
                ("+1 (415) 555-0123", "+14155550123"),
                ("0044 20 7946 0958", "+442079460958"),
                ("+44 (0)20/7946.0958", "+442079460958"),
                ("(415) 555-0123", "(415) 555-0123"),
                ("+1 415 555 0123 ext 9", "+1 415 555 0123 ext 9"),
                ("112", "112"),
                ("+1 234", "+1 234"),
            ],
            &[("call me", "three digits"), ("12", "three digits")],
        );
    }

    #[test]
    fn a_linkedin_address_may_be_given_in_part() {
        check(
            linkedin,
            &[
                ("in/jane-doe", "https://www.linkedin.com/in/jane-doe"),
                ("/company/acme/", "https://www.linkedin.com/company/acme"),
                ("linkedin.com/in/jane", "https://www.linkedin.com/in/jane"),
                ("http://uk.linkedin.com/in/jane/", "https://uk.linkedin.com/in/jane"),
                ("https://www.linkedin.com/in/jane?x=1", "https://www.linkedin.com/in/jane?x=1"),
            ],
            &[
                ("https://acme.com/in/jane", "not a LinkedIn"),
                ("https://notlinkedin.com/in/jane", "not a LinkedIn"),
                ("linkedin.com.evil.io/in/jane", "not a LinkedIn"),
                ("jane", "not a LinkedIn"),
            ],
        );
    }
}
