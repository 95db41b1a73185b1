//! Error responses of the host itself, as `application/problem+json` (RFC 9457). Responses of components are passed
//! on unchanged.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use wharf_manifest::manifest::{ProblemMember, ProblemMembers};

/// Why the host refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoHost,
    NoRoute,
    /// A preflight request of a page whose origin is not listed.
    OriginNotListed,
    /// The client may not read the metrics.
    MetricsDenied,
    /// The body ended early or is malformed.
    BodyBroken,
    /// The body was not received in time.
    BodyLate {
        seconds: u64,
    },
    BodyTooLarge {
        limit: u64,
    },
    HeadersTooLarge {
        limit: usize,
    },
    /// The component trapped, returned an error or an invalid response.
    Failed,
    TimedOut {
        seconds: u64,
    },
    /// All instances of the component are busy.
    Busy,
    /// The host is about to stop. Only the health check says so.
    Stopping,
}

impl Refusal {
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoHost | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::OriginNotListed | Self::MetricsDenied => StatusCode::FORBIDDEN,
            Self::BodyLate { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadersTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Busy | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::NoHost => "no_host",
            Self::NoRoute => "no_route",
            Self::OriginNotListed => "origin_not_listed",
            Self::MetricsDenied => "metrics_denied",
            Self::BodyBroken => "body_broken",
            Self::BodyLate { .. } => "body_late",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::HeadersTooLarge { .. } => "headers_too_large",
            Self::Failed => "function_failed",
            Self::TimedOut { .. } => "request_timeout",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
        }
    }

    fn detail(self) -> String {
        match self {
            Self::NoHost => "The request has no valid host, or two different ones.".into(),
            Self::NoRoute => "Nothing is served at this path.".into(),
            Self::OriginNotListed => "Pages of this origin may not call this application.".into(),
            Self::MetricsDenied => {
                "Metrics are served to certain networks, or with a bearer token.".into()
            }
            Self::BodyBroken => "The request body ended early or is malformed.".into(),
            Self::BodyLate { seconds } => {
                format!("The request body was not received within {seconds} s.")
            }
            Self::BodyTooLarge { limit } => {
                format!("The request body is larger than {limit} bytes.")
            }
            Self::HeadersTooLarge { limit } => {
                format!("The header fields are larger than {limit} bytes.")
            }
            Self::Failed => "The function that serves this path failed.".into(),
            Self::TimedOut { seconds } => {
                format!("The function did not respond within {seconds} s.")
            }
            Self::Busy => "Too many requests are being served right now.".into(),
            Self::Stopping => "This host is about to stop.".into(),
        }
    }

    /// `members` adds the members that clients of some paths expect.
    pub fn response(
        self,
        request_id: &str,
        path: &str,
        members: &[ProblemMembers],
    ) -> Response<Bytes> {
        let status = self.status();
        let problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "code": self.code(),
            "request_id": request_id,
        });
        let members = members
            .iter()
            .filter(|members| members.apply_to(path, status.as_u16()));
        let mut body = problem.clone();
        if let Some(body) = body.as_object_mut() {
            let added = members.flat_map(|members| &members.members);
            body.extend(
                added.map(|(name, member)| (name.clone(), resolve_member(member, &problem))),
            );
        }
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self {
            Self::Busy => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // The rest of the request is drained (`drain`), so no other request can follow on this connection.
            Self::BodyBroken
            | Self::BodyLate { .. }
            | Self::BodyTooLarge { .. }
            | Self::HeadersTooLarge { .. } => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::NoHost
            | Self::NoRoute
            | Self::OriginNotListed
            | Self::MetricsDenied
            | Self::Failed
            | Self::Stopping
            | Self::TimedOut { .. } => {}
        }
        response
    }
}

fn resolve_member(member: &ProblemMember, problem: &Value) -> Value {
    match member {
        ProblemMember::SameAs(other) => problem.get(other).cloned().unwrap_or_default(),
        ProblemMember::Number(number) => (*number).into(),
        ProblemMember::Members(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), resolve_member(member, problem)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_complete_problem() {
        let response = Refusal::Busy.response("r-1", "/", &[]);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            problem,
            json!({
                "type": "about:blank",
                "title": "Service Unavailable",
                "status": 503,
                "detail": "Too many requests are being served right now.",
                "code": "busy",
                "request_id": "r-1",
            })
        );
    }
}
