//! Certificate and key of the server.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use tokio_rustls::TlsAcceptor;

use crate::error::{Error, Result, internal, invalid};

/// What turns TCP into TLS, with the certificates (its own first) and the key of these files.
pub(super) fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor> {
    let unreadable = |file: &Path, what: &str, error: &dyn std::fmt::Display| -> Error {
        invalid(format!("{what} cannot be read from `{}`: {error}", file.display()))
            .hint("both files are in PEM form")
    };
    let chain = CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| unreadable(certificates, "certificates", &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, "the key", &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(internal)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| unreadable(certificates, "a certificate for the key", &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
