//! Grants, blocked networks and TLS.

use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use super::*;

#[tokio::test]
async fn an_address_without_a_grant_is_denied_in_every_form() {
    let allowed = AllowedHosts::parse(&["postgres://127.0.0.1:1".to_owned()]).unwrap();
    let egress = Egress::new(allowed, BlockedNetworks::default(), Arc::new(|_| ()));
    let roots = Arc::new(RootCertStore::empty());
    let pools = Pools::new("a".to_owned(), Arc::new(egress), Settings::default(), roots);
    let port = testing::shared_postgres();
    for (address, authority) in [
        (url(port), None),
        (url(port), Some("no certificate")),
        (format!("host=127.0.0.1 port={port} user=postgres"), None),
        (
            format!("host=127.0.0.1,127.0.0.1 port=1,{port} user=postgres"),
            None,
        ),
    ] {
        match pools.open(&address, authority).await.err().unwrap() {
            Error::ConnectionFailed(cause) => assert_eq!(
                cause,
                format!("address postgres://127.0.0.1:{port} is not permitted")
            ),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_overlong_address_is_refused() {
    let pools = make_pools();
    let address = format!("{}&application_name={}", url(1), "x".repeat(4096));
    let failed = pools.open(&address, None).await.err().unwrap();
    assert!(
        matches!(&failed, Error::ConnectionFailed(cause) if cause.contains("longer than 4096 bytes")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_server_in_a_blocked_network_cannot_be_reached() {
    let allowed = AllowedHosts::parse(&["postgres://localhost:*".to_owned()]).unwrap();
    let mut blocked = BlockedNetworks::default();
    blocked.block("private").unwrap();
    let egress = Arc::new(Egress::new(allowed, blocked, Arc::new(|_| ())));
    let roots = Arc::new(RootCertStore::empty());
    let pools = Pools::new("a".to_owned(), egress, Settings::default(), roots);
    let address = format!(
        "postgres://postgres@localhost:{}/postgres",
        testing::shared_postgres()
    );
    let failed = pools.open(&address, None).await.err().unwrap();
    assert!(
        matches!(&failed, Error::ConnectionFailed(cause) if cause.contains("prohibited")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn sslmode_works_as_in_libpq() {
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec![]).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = parameters.self_signed(&authority).unwrap().pem();
    let issuer = rcgen::Issuer::new(parameters, authority);
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    let started =
        tokio::task::spawn_blocking(move || testing::start_postgres_with_tls(&certificate, &key));
    let server = started.await.unwrap();
    let secure = server.port;
    let plain = testing::shared_postgres();

    let pools = make_pools();
    let encrypted = async |port, host: &str, mode: &str, root: Option<&str>| {
        let address = format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}");
        let connection = pools.open(&address, root).await.ok()?;
        let ssl = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Some(query_text(&connection, ssl).await == "true")
    };
    let root = Some(root.as_str());
    assert_eq!(
        encrypted(secure, "localhost", "disable", None).await,
        Some(false)
    );
    assert_eq!(
        encrypted(secure, "localhost", "prefer", None).await,
        Some(true)
    );
    assert_eq!(
        encrypted(plain, "localhost", "prefer", None).await,
        Some(false)
    );
    assert_eq!(
        encrypted(secure, "127.0.0.1", "require", None).await,
        Some(true)
    );
    assert_eq!(encrypted(plain, "127.0.0.1", "require", None).await, None);
    assert_eq!(
        encrypted(secure, "localhost", "verify-ca", None).await,
        None
    );
    assert_eq!(
        encrypted(secure, "127.0.0.1", "verify-ca", root).await,
        Some(true)
    );
    assert_eq!(
        encrypted(secure, "localhost", "verify-full", root).await,
        Some(true)
    );
    assert_eq!(
        encrypted(secure, "127.0.0.1", "verify-full", root).await,
        None
    );
    assert_eq!(
        encrypted(secure, "localhost", "require", root).await,
        Some(true)
    );
    assert_eq!(encrypted(secure, "127.0.0.1", "require", root).await, None);
}
