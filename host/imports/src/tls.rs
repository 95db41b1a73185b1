//! The trust that all outgoing TLS connections start from.

use std::sync::{Arc, LazyLock};

use rustls::{ClientConfig, RootCertStore};

/// The certificate authorities of this machine, or Mozilla's if it has none, as in a bare container. Read once: loading
/// takes milliseconds, and all components trust the same ones.
pub static TRUSTED_ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Arc::new(roots)
});

/// Verifies the server's certificate chain and name.
pub fn client_config(roots: Arc<RootCertStore>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
