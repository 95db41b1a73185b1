//! A request with any method, header and body, valid or not.

use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};

use crate::answer::Answer;
use crate::background::runtime;
use crate::described::{faults_of, note_success};

/// Longer than any request may take. A test that expects a fast answer checks [`Answer::took`].
const PATIENCE: Duration = Duration::from_secs(60);
const BUSY_PAUSE: Duration = Duration::from_millis(100);

#[must_use = "nothing happens until it is sent"]
#[derive(Clone)]
pub struct Request {
    to: SocketAddr,
    /// The address to send from, if it is not 127.0.0.1.
    from: Option<IpAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    is_described: bool,
}

/// The reason why there was no answer.
#[derive(Debug)]
pub struct NoAnswer(pub String);

impl Request {
    pub fn new(to: SocketAddr, method: &str, path: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, value(&to.to_string()));
        headers.insert("x-request-id", value(&request_id()));
        Self {
            to,
            from: None,
            method: method.parse().expect("a method"),
            uri: path.parse().expect("a path"),
            headers,
            body: Bytes::new(),
            is_described: false,
        }
    }

    /// To the platform, whose answers are described.
    pub(crate) fn described(self) -> Self {
        Self {
            is_described: true,
            ..self
        }
    }

    /// Sends from another address, as another machine would: every address in 127.0.0.0/8 belongs to this one.
    pub fn from(self, address: &str) -> Self {
        let from = Some(address.parse().expect("an address"));
        Self { from, ..self }
    }

    pub fn header(mut self, name: &str, text: &str) -> Self {
        let name: HeaderName = name.parse().expect("the name of a header");
        self.headers.insert(name, value(text));
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn api_key(self, token: &str) -> Self {
        self.header("api_key", token)
    }

    /// Sends the cookie and the origin of a page of ours, as a browser does.
    pub fn cookie(self, name: &str, text: &str) -> Self {
        let origin = format!("http://{}", self.to);
        self.header(COOKIE.as_str(), &format!("{name}={text}"))
            .header("origin", &origin)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body.to_owned())
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends the request. Panics without an answer, or when the answer is not described. A refusal because the platform
    /// is busy with other tests is followed by another try, as clients are asked to do.
    #[track_caller]
    pub fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.uri);
        let began = Instant::now();
        loop {
            match self.clone().try_send() {
                Ok(answer) if answer.is_busy() && began.elapsed() < PATIENCE => {
                    thread::sleep(BUSY_PAUSE);
                }
                Ok(answer) if self.is_described => {
                    let faults = faults_of(self.method.as_str(), self.uri.path(), &answer);
                    assert!(faults.is_empty(), "{faults:?} in {answer}");
                    return answer;
                }
                Ok(answer) => return answer,
                Err(NoAnswer(why)) => panic!("{asked}: {why}"),
            }
        }
    }

    /// Sends it once; for tests in which the other side may be gone or busy.
    pub fn try_send(self) -> Result<Answer, NoAnswer> {
        let asked = format!("{} {}", self.method, self.uri);
        let (method, path) = (self.method.clone(), self.uri.path().to_owned());
        let is_described = self.is_described;
        let began = Instant::now();
        let exchange = async { tokio::time::timeout(PATIENCE, self.exchange()).await };
        let (head, body) = runtime()
            .block_on(exchange)
            .map_err(|_| NoAnswer(format!("no answer within {PATIENCE:?}")))??;
        let answer = Answer {
            asked,
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            took: began.elapsed(),
        };
        if is_described && answer.status < 400 {
            note_success(method.as_str(), &path);
        }
        Ok(answer)
    }

    /// Every request has a connection of its own, so that no test affects another one's connection.
    async fn exchange(self) -> Result<(hyper::http::response::Parts, Bytes), NoAnswer> {
        let failed = |error: &dyn std::error::Error| NoAnswer(error.to_string());
        let stream = connect(self.to, self.from)
            .await
            .map_err(|it| failed(&it))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|it| failed(&it))?;
        let connection = tokio::spawn(connection);
        let mut request = hyper::Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(|it| failed(&it))?
            .into_parts();
        let body = body.collect().await.map_err(|it| failed(&it))?.to_bytes();
        connection.abort();
        Ok((head, body))
    }
}

async fn connect(to: SocketAddr, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let Some(from) = from else {
        return TcpStream::connect(to).await;
    };
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).expect("the value of a header")
}

/// The name of the test, by which its lines are found in the host's log.
fn request_id() -> String {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a-thread").replace("::", ".");
    // Names are sentences that differ at their end, so the end is kept.
    let tail: String = test.chars().rev().take(64).collect();
    tail.chars().rev().collect()
}
