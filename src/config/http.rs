//! Where the HTTP server listens and how it is reached.

use std::path::PathBuf;

use super::layers::Found;
use crate::error::{Result, invalid};

#[derive(Debug, Clone)]
pub struct Http {
    /// Host and port; without them there is no HTTP server.
    pub listen: Option<String>,
    /// Where the CRMs reach the server, without a slash at the end.
    pub public_url: Option<String>,
    /// Certificates and their key, in PEM; both or none.
    pub tls: Option<(PathBuf, PathBuf)>,
}

impl Http {
    pub(super) fn read(found: &Found) -> Result<Http> {
        let path = |key| found.text(key).map(PathBuf::from);
        let tls =
            match (path("http.tls_cert"), path("http.tls_key")) {
                (Some(cert), Some(key)) => Some((cert, key)),
                (None, None) => None,
                (Some(_), None) => {
                    return Err(found
                        .blame("http.tls_cert", invalid("a certificate needs its key: set http.tls_key")));
                }
                (None, Some(_)) => {
                    return Err(found
                        .blame("http.tls_key", invalid("a key needs its certificate: set http.tls_cert")));
                }
            };
        Ok(Http {
            listen: found.read("http.listen", None, "a host and a port, as 127.0.0.1:8787", |text| {
                address(text).map(Some)
            })?,
            public_url: found.read(
                "http.public_url",
                None,
                "an address such as https://crm.example.com",
                |text| url(text).map(Some),
            )?,
            tls,
        })
    }

    pub(super) fn value(&self, key: &str) -> Option<String> {
        let tls = self.tls.as_ref();
        match key {
            "http.listen" => self.listen.clone(),
            "http.public_url" => self.public_url.clone(),
            "http.tls_cert" => tls.map(|(cert, _)| cert.display().to_string()),
            "http.tls_key" => tls.map(|(_, key)| key.display().to_string()),
            _ => None,
        }
    }
}

fn address(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let fits = !host.is_empty() && port.parse::<u16>().is_ok();
    fits.then(|| text.to_owned())
}

/// An address as others call it: nothing after its path, and nobody's name in it.
fn url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let fits = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    fits.then(|| text.trim_end_matches('/').to_owned())
}
