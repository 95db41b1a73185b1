//! Tests of outbound requests below the WASI bindings, against real servers on this machine.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use futures::{FutureExt, StreamExt};
use http::{StatusCode, Version};
use http_body_util::{Full, StreamBody};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use super::*;
use crate::testing::{Proxy, free_port};

/// Answers with the target, path and body of the request.
struct Echo;

impl LocalDispatch for Echo {
    fn dispatch(
        &self,
        target: LocalTarget,
        request: Request<WasiBody>,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, Error>> {
        async move {
            let path = request.uri().path().to_owned();
            let body = request.into_body().collect().await?.to_bytes();
            let text = format!("{target:?} {path} {}", String::from_utf8_lossy(&body));
            Ok(Response::new(full(text)))
        }
        .boxed()
    }
}

fn full(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn outbound_to(allowed: &[&str], blocked: &[&str], roots: rustls::RootCertStore) -> Outbound {
    let allowed: Vec<String> = allowed.iter().map(|entry| (*entry).to_owned()).collect();
    let mut networks = BlockedNetworks::default();
    for network in blocked {
        networks.block(network).unwrap();
    }
    let allowed = AllowedHosts::parse(&allowed).unwrap();
    let egress = Arc::new(Egress::new(allowed, networks, Arc::new(|_| ())));
    let tls = crate::tls::client_config(Arc::new(roots)).unwrap();
    Outbound::new(egress, Arc::new(Echo), tls)
}

fn outbound() -> Outbound {
    outbound_to(&["*://*:*"], &[], rustls::RootCertStore::empty())
}

fn get(uri: &str) -> Request<WasiBody> {
    Request::get(uri).body(full("")).unwrap()
}

async fn fetch(outbound: &Outbound, uri: &str) -> Result<String, Error> {
    let response = outbound
        .send(get(uri), RequestOptions::default(), Depth::default())
        .await?;
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// Answers every request with `answer`, over TLS if `tls` is given. Returns the port.
async fn serve<B>(
    tls: Option<rustls::ServerConfig>,
    answer: impl Fn(&Request<hyper::body::Incoming>) -> Response<B> + Clone + Send + Sync + 'static,
) -> u16
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = tls.map(|settings| TlsAcceptor::from(Arc::new(settings)));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (tls, answer) = (tls.clone(), answer.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    std::future::ready(Ok::<_, Infallible>(answer(&request)))
                });
                let server = auto::Builder::new(TokioExecutor::new());
                // Clients may disconnect early in these tests.
                drop(match tls {
                    None => server.serve_connection(TokioIo::new(stream), service).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => server.serve_connection(TokioIo::new(stream), service).await,
                        Err(_) => Ok(()),
                    },
                });
            });
        }
    });
    port
}

/// Answers with a body whose first bytes come at once and whose rest never comes. Returns the port.
async fn serve_unfinished_body() -> u16 {
    serve(None, |_| {
        let first = futures::stream::iter([Ok(Frame::data(Bytes::from("begun")))]);
        Response::new(StreamBody::new(first.chain(futures::stream::pending())))
    })
    .await
}

fn text(answer: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(answer.into()))
}

#[tokio::test]
async fn a_request_without_a_grant_is_denied() {
    let outbound = outbound_to(
        &["https://api.example.com"],
        &[],
        rustls::RootCertStore::empty(),
    );
    for uri in [
        "http://api.example.com/",
        "https://api.example.com:444/",
        "https://example.com/",
        "http://127.0.0.1/",
        "http://payments.spin.internal/",
        "http://self/",
    ] {
        let denied = fetch(&outbound, uri).await.unwrap_err();
        assert!(
            matches!(denied, Error::HttpRequestDenied),
            "{uri}: {denied:?}"
        );
    }
}

#[tokio::test]
async fn requests_to_the_application_itself_stay_in_the_process() {
    let granted = ["http://*.spin.internal", "http://self"];
    let outbound = outbound_to(&granted, &[], rustls::RootCertStore::empty());
    let request = Request::post("http://payments.spin.internal/pay")
        .body(full("10"))
        .unwrap();
    let answer = outbound
        .send(request, RequestOptions::default(), Depth::default())
        .await
        .unwrap();
    let answer = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(answer, r#"Component("payments") /pay 10"#);
    for uri in ["http://self/health", "https://self.alt/health"] {
        assert_eq!(
            fetch(&outbound, uri).await.unwrap(),
            "OwnApplication /health "
        );
    }
}

#[tokio::test]
async fn connections_are_reused() {
    let port = serve(None, |request| {
        let host = request.headers().get(HOST).unwrap();
        text(host.to_str().unwrap().to_owned())
    })
    .await;
    let proxy = Proxy::to(port).await;
    let outbound = outbound();
    for _ in 0..5 {
        let uri = format!("http://localhost:{}/", proxy.port);
        let host = format!("localhost:{}", proxy.port);
        assert_eq!(fetch(&outbound, &uri).await.unwrap(), host);
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn redirects_are_returned_and_not_followed() {
    let port = serve(None, |_| {
        let mut answer = text("");
        *answer.status_mut() = StatusCode::FOUND;
        answer
            .headers_mut()
            .insert("location", "http://elsewhere/".parse().unwrap());
        answer
    })
    .await;
    let request = get(&format!("http://127.0.0.1:{port}/"));
    let answer = outbound()
        .send(request, RequestOptions::default(), Depth::default())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn a_blocked_network_cannot_be_reached_by_address_or_by_name() {
    let port = serve(None, |_| text("reached")).await;
    let outbound = outbound_to(&["*://*:*"], &["private"], rustls::RootCertStore::empty());
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let refused = fetch(&outbound, &format!("http://{host}:{port}/"))
            .await
            .unwrap_err();
        assert!(
            matches!(refused, Error::DestinationIpProhibited),
            "{host}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn connection_failures_have_distinct_error_codes() {
    let outbound = outbound();
    let refused = fetch(&outbound, &format!("http://127.0.0.1:{}/", free_port()))
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::ConnectionRefused), "{refused:?}");
    let unknown = fetch(&outbound, "http://no-such-host.invalid/")
        .await
        .unwrap_err();
    assert!(matches!(unknown, Error::DnsError { .. }), "{unknown:?}");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { drop(listener.accept().await) });
    let ended = fetch(&outbound, &format!("http://127.0.0.1:{port}/"))
        .await
        .unwrap_err();
    assert!(matches!(ended, Error::ConnectionTerminated), "{ended:?}");
}

#[tokio::test]
async fn a_server_that_sends_nothing_before_or_within_a_response_times_out() {
    let outbound = outbound();
    let limit = Duration::from_millis(100);
    let options = RequestOptions {
        first_byte_timeout: Some(limit),
        between_bytes_timeout: Some(limit),
        ..RequestOptions::default()
    };
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let uri = format!("http://{}/", silent.local_addr().unwrap());
    let failed = outbound
        .send(get(&uri), options, Depth::default())
        .await
        .err()
        .unwrap();
    assert!(matches!(failed, Error::ConnectionReadTimeout), "{failed:?}");

    let port = serve_unfinished_body().await;
    let request = get(&format!("http://127.0.0.1:{port}/"));
    let answer = outbound
        .send(request, options, Depth::default())
        .await
        .unwrap();
    let failed = answer.into_body().collect().await.err().unwrap();
    assert!(matches!(failed, Error::ConnectionReadTimeout), "{failed:?}");
}

#[tokio::test]
async fn a_response_body_is_streamed() {
    let port = serve_unfinished_body().await;
    let request = get(&format!("http://127.0.0.1:{port}/"));
    let answer = outbound()
        .send(request, RequestOptions::default(), Depth::default())
        .await
        .unwrap();
    let first = answer.into_body().frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "begun");
}

#[tokio::test]
async fn https_verifies_the_server_and_negotiates_http_2() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut settings = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let port = serve(Some(settings), |request| {
        assert!(!request.headers().contains_key(HOST));
        text(if request.version() == Version::HTTP_2 {
            "2"
        } else {
            "1"
        })
    })
    .await;

    let untrusted = fetch(&outbound(), &format!("https://localhost:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(untrusted, Error::TlsCertificateError),
        "{untrusted:?}"
    );

    let mut roots = rustls::RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    let outbound = outbound_to(&["*://*:*"], &[], roots);
    assert_eq!(
        fetch(&outbound, &format!("https://localhost:{port}/"))
            .await
            .unwrap(),
        "2"
    );
    let wrong_name = fetch(&outbound, &format!("https://127.0.0.1:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(wrong_name, Error::TlsCertificateError),
        "{wrong_name:?}"
    );
}
