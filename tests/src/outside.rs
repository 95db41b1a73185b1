//! A system beyond the platform (a payment provider, a messenger): a real HTTP server that behaves as
//! the test says, and misbehaves when told to. A test repeats and lies through its answers and requests.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::background::runtime;
use crate::wait::eventually_some;

pub struct Outside {
    at: SocketAddr,
    state: Arc<State>,
}

struct State {
    behaviour: Box<dyn Fn(&Received) -> Reply + Send + Sync>,
    instead: Mutex<VecDeque<Reply>>,
    received: Mutex<Vec<Received>>,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The reply to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// `None` closes the connection without an answer.
    answer: Option<(u16, Bytes)>,
    after: Duration,
    location: Option<String>,
    retry_after_s: Option<u64>,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            answer: Some((status, body.to_string().into())),
            after: Duration::ZERO,
            location: None,
            retry_after_s: None,
        }
    }

    pub fn bytes(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            answer: Some((status, body.into())),
            ..Self::status(status)
        }
    }

    pub fn status(status: u16) -> Self {
        Self {
            answer: Some((status, Bytes::new())),
            after: Duration::ZERO,
            location: None,
            retry_after_s: None,
        }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self {
            location: Some(to.to_owned()),
            ..Self::status(302)
        }
    }

    /// No answer to a received request: its sender cannot know whether it was carried out.
    pub fn lost() -> Self {
        Self {
            answer: None,
            after: Duration::ZERO,
            location: None,
            retry_after_s: None,
        }
    }

    /// Adds a `Retry-After`.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after_s: Some(seconds),
            ..self
        }
    }

    pub fn after(self, delay: Duration) -> Self {
        Self {
            after: delay,
            ..self
        }
    }
}

impl Received {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

impl Outside {
    /// A server that answers as `behaviour` says.
    pub fn start(behaviour: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = runtime().block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a free port");
        let at = listener.local_addr().expect("its address");
        let state = Arc::new(State {
            behaviour: Box::new(behaviour),
            instead: Mutex::default(),
            received: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        runtime().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { at, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// The next request is answered with this instead; several are taken in turn.
    pub fn once(&self, reply: Reply) {
        self.state
            .instead
            .lock()
            .expect("the replies")
            .push_back(reply);
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().expect("the requests").clone()
    }

    /// The first request for which `is_it` holds, waited for.
    #[track_caller]
    pub fn find(
        &self,
        what: &str,
        within: Duration,
        is_it: impl Fn(&Received) -> bool,
    ) -> Received {
        eventually_some(what, within, || {
            self.received().into_iter().find(|it| is_it(it))
        })
    }
}

/// Ends the connection.
type Lost = Box<dyn std::error::Error + Send + Sync>;

async fn answer(
    state: Arc<State>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
        body: body.collect().await?.to_bytes(),
    };
    state
        .received
        .lock()
        .expect("the requests")
        .push(received.clone());
    let instead = state.instead.lock().expect("the replies").pop_front();
    let reply = instead.unwrap_or_else(|| (state.behaviour)(&received));
    tokio::time::sleep(reply.after).await;
    let (status, body) = reply.answer.ok_or("told to lose it")?;
    let mut response = Response::builder().status(status);
    if !body.is_empty() {
        response = response.header("content-type", "application/json");
    }
    if let Some(location) = reply.location {
        response = response.header("location", location);
    }
    if let Some(seconds) = reply.retry_after_s {
        response = response.header("retry-after", seconds);
    }
    Ok(response.body(Full::new(body))?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::Request;

    fn echo() -> Outside {
        Outside::start(|request| Reply::json(200, &json!({ "you_sent": request.json() })))
    }

    fn ask(outside: &Outside) -> Result<u16, String> {
        let request = Request::new(outside.at, "POST", "/pay").json(&json!({ "cents": 5 }));
        request.try_send().map(|it| it.status()).map_err(|it| it.0)
    }

    #[test]
    fn an_outside_system_misbehaves_only_when_told() {
        let outside = echo();
        outside.once(Reply::status(503));
        outside.once(Reply::lost());
        assert_eq!(ask(&outside), Ok(503));
        assert!(ask(&outside).is_err());
        assert_eq!(ask(&outside), Ok(200));
        assert_eq!(
            outside.received().len(),
            3,
            "what was lost was received all the same"
        );
        assert_eq!(outside.received()[1].json(), json!({ "cents": 5 }));
    }

    #[test]
    fn a_late_answer_is_late() {
        let outside = echo();
        outside.once(Reply::status(200).after(Duration::from_millis(150)));
        let request = Request::new(outside.at, "GET", "/");
        assert!(request.send().took() >= Duration::from_millis(150));
    }
}
