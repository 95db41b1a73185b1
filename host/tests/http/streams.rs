//! What arrives before the rest is written, and over HTTP/2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Request;
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::ROUTES;
use super::stage::Host;

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_response_arrive_as_they_are_written() {
    let host = Host::start(ROUTES);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let asked = Instant::now();
    let pause = Duration::from_millis(600);
    let request = Request::get(host.url("/drip?600"))
        .body(Full::<Bytes>::default())
        .unwrap();
    let mut pieces = client.request(request).await.unwrap().into_data_stream();
    let mut arrivals = Vec::new();
    while let Some(piece) = pieces.next().await {
        arrivals.push((piece.unwrap(), asked.elapsed()));
    }
    let texts: Vec<_> = arrivals.iter().map(|(piece, _)| piece.as_ref()).collect();
    assert_eq!(texts, [b"1\n", b"2\n", b"3\n"]);
    for (place, (_, arrival)) in (0_u32..).zip(&arrivals) {
        // Before the next one was written.
        let due = pause * place;
        assert!(*arrival >= due && *arrival < due + pause, "{arrivals:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_streams_in_both_directions_at_the_same_time() {
    let host = Host::start(ROUTES);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    let body = StreamBody::new(
        receiver.map(|piece: &'static str| Ok::<_, hyper::Error>(Frame::data(Bytes::from(piece)))),
    );
    sender.unbounded_send("first").unwrap();
    let request = Request::post(host.url("/echo")).body(body).unwrap();
    let mut answer = client.request(request).await.unwrap().into_data_stream();
    assert_eq!(answer.next().await.unwrap().unwrap(), "first");
    sender.unbounded_send("second").unwrap();
    assert_eq!(answer.next().await.unwrap().unwrap(), "second");
    drop(sender);
    assert!(answer.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_works_without_tls() {
    let host = Host::start(ROUTES);
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let answers = (0..20).map(|_| {
        client.request(
            Request::get(host.url("/headers"))
                .body(Full::<Bytes>::default())
                .unwrap(),
        )
    });
    for answer in futures::future::join_all(answers).await {
        let answer = answer.unwrap();
        assert_eq!(answer.version(), hyper::Version::HTTP_2);
        let seen = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(
            String::from_utf8_lossy(&seen)
                .contains(&format!("spin-full-url: {}/headers", host.base_url))
        );
    }
}
