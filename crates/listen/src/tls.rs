//! Certificates from files.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::settings::{ListenError, Tls};

/// Loads what a TLS server needs.
pub(crate) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, ListenError> {
    let chain = certificates(&tls.certificate)?;
    let key_file = tls.key.as_deref().unwrap_or(&tls.certificate);
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|e| refused(key_file, e))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| refused(&tls.certificate, e))?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|e| refused(file, e))?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|e| refused(&tls.certificate, e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ListenError> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    found.map_err(|e| refused(file, e))
}

fn roots(file: &Path) -> Result<RootCertStore, ListenError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(file)? {
        store.add(certificate).map_err(|e| refused(file, e))?;
    }
    Ok(store)
}

fn refused(file: &Path, why: impl std::fmt::Display) -> ListenError {
    ListenError::Certificate { file: file.to_owned(), why: why.to_string() }
}
