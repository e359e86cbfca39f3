//! Domains where anybody gets an address: they say nothing of whom somebody works for.

/// The providers with the most addresses, and the regional ones that sales teams meet.
#[rustfmt::skip]
const DOMAINS: &[&str] = &[
    "126.com", "139.com", "163.com", "aim.com", "aol.com", "att.net", "bellsouth.net", "bigpond.com",
    "btinternet.com", "comcast.net", "cox.net", "duck.com", "earthlink.net", "email.com", "fastmail.com",
    "fastmail.fm", "free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net",
    "googlemail.com", "hey.com", "hotmail.ca", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.es",
    "hotmail.fr", "hotmail.it", "hushmail.com", "icloud.com", "inbox.com", "juno.com", "laposte.net",
    "libero.it", "live.ca", "live.co.uk", "live.com", "live.de", "live.fr", "live.nl", "mac.com",
    "mail.com", "mail.ru", "me.com", "msn.com", "naver.com", "netzero.net", "optonline.net", "orange.fr",
    "outlook.com", "outlook.de", "outlook.es", "outlook.fr", "pm.me", "posteo.de", "proton.me",
    "protonmail.ch", "protonmail.com", "qq.com", "rediffmail.com", "rocketmail.com", "sbcglobal.net",
    "seznam.cz", "sfr.fr", "shaw.ca", "sina.com", "sky.com", "sympatico.ca", "t-online.de", "talktalk.net",
    "terra.com.br", "tiscali.it", "tuta.com", "tutanota.com", "uol.com.br", "verizon.net", "virgilio.it",
    "virginmedia.com", "wanadoo.fr", "web.de", "wp.pl", "yahoo.ca", "yahoo.co.in", "yahoo.co.jp",
    "yahoo.co.uk", "yahoo.com", "yahoo.com.au", "yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr",
    "yahoo.it", "yandex.com", "yandex.ru", "ymail.com", "zoho.com",
];

/// Whether anybody can have an address at this domain.
pub fn is_free_mail(domain: &str) -> bool {
    let domain = domain.trim().to_ascii_lowercase();
    DOMAINS.binary_search(&domain.as_str()).is_ok()
}

/// The domain of whom somebody with this e-mail address works for; none for an address that anybody can have.
pub fn company_domain(email: &str) -> Option<&str> {
    let (name, domain) = email.trim().rsplit_once('@')?;
    (!name.is_empty() && domain.contains('.') && !is_free_mail(domain)).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_lower_case() {
        assert!(DOMAINS.is_sorted());
        assert!(DOMAINS.iter().all(|domain| *domain == domain.to_lowercase()));
    }

    #[test]
    fn an_address_names_a_company_unless_anybody_can_have_it() {
        assert_eq!(company_domain("Ann@Acme.com"), Some("Acme.com"));
        for email in
            ["ann@gmail.com", "ann@GMX.de", "ann@Yahoo.co.uk", "ann", "@acme.com", "ann@localhost", ""]
        {
            assert_eq!(company_domain(email), None, "{email}");
        }
    }
}
