//! How a host ends.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use stage::{Host, until};

const SLEEPER: &str = r#"
[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_lets_requests_finish_and_takes_no_new_ones() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let mut host = Host::start(SLEEPER);
        let running = async {
            let asked = Instant::now();
            let answer = host.get("/sleep?1000").await;
            assert!(asked.elapsed() >= Duration::from_secs(1));
            answer
        };
        let stopping = async {
            until("the request runs", async || {
                host.metric(r#"wharf_instances{component="acts"}"#).await == 1.0
            })
            .await;
            host.signal(signal);
            until("nobody is let in", async || {
                std::net::TcpStream::connect(host.address()).is_err()
            })
            .await;
        };
        let (answer, ()) = tokio::join!(running, stopping);
        assert_eq!(answer.text(), "slept\n");
        assert!(host.ended().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let mut host = Host::start(SLEEPER);
    let address = host.address();
    let request = std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, b"GET /sleep?8000 HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
        answer
    });
    until("the request runs", async || {
        host.metric(r#"wharf_instances{component="acts"}"#).await == 1.0
    })
    .await;
    let asked = Instant::now();
    host.signal(libc::SIGTERM);
    until("nobody is let in", async || {
        std::net::TcpStream::connect(host.address()).is_err()
    })
    .await;
    host.signal(libc::SIGTERM);
    let status = host.ended().await;
    assert!(
        status.code() == Some(1) || status.signal().is_some(),
        "{status}"
    );
    assert!(asked.elapsed() < Duration::from_secs(4));
    assert_eq!(request.join().unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_keep_it() {
    let mut host = Host::start(SLEEPER);
    let mut idle = std::net::TcpStream::connect(host.address()).unwrap();
    std::io::Write::write_all(&mut idle, b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut idle, &mut answer).unwrap();
    let asked = Instant::now();
    host.signal(libc::SIGTERM);
    assert!(host.ended().await.success());
    assert!(asked.elapsed() < Duration::from_secs(3));
}
