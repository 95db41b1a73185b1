//! Extractors of a request's body, query and path. A value that does not fit its type is refused with a
//! [`Problem`] that points at the field.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::operation::{Input, Operation, Output};
use super::problem::{FieldError, Problem};
use super::schema::Schema;
use super::segments::Segments;

/// A JSON body, in or out.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A form body (`application/x-www-form-urlencoded`).
#[derive(Debug)]
pub struct Form<T>(pub T);

/// The query of the address. An empty value counts as absent: forms send fields that were left empty.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// Segments of the path. A segment of another type names nothing, so it is answered with 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_json(&bytes_of(request, JSON, state).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = bytes_of(request, FORM, state).await?;
        let form = serde_urlencoded::Deserializer::new(form_urlencoded::parse(&bytes));
        serde_path_to_error::deserialize(form)
            .map(Self)
            .map_err(|it| {
                let pointer = it.path().iter().map(pointer_step).collect();
                misfit(pointer, it.inner())
            })
    }
}

pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Keeping track of where it reads costs about as much as reading: only a body with a fault is read so.
    serde_json::from_slice(bytes).or_else(|_| read_json_with_pointer(bytes))
}

fn read_json_with_pointer<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|it| {
        let pointer = it.path().iter().map(pointer_step).collect();
        let cause = it.into_inner();
        if cause.is_data() {
            misfit(pointer, &cause)
        } else {
            malformed("The body is not JSON")
        }
    })?;
    deserializer
        .end()
        .map_err(|_| malformed("The body goes on after the JSON value"))?;
    Ok(value)
}

fn pointer_step(step: &Segment) -> String {
    match step {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            format!("/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Unknown => "/?".to_owned(),
    }
}

fn misfit(pointer: String, cause: &dyn std::error::Error) -> Problem {
    let detail = cause.to_string();
    // serde_json ends with a line and column; the pointer already says where.
    let detail = detail
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    INVALID_BODY
        .detail(detail.clone())
        .errors(vec![FieldError { pointer, detail }])
}

fn malformed(detail: &'static str) -> Problem {
    MALFORMED_BODY.detail(detail)
}

const INVALID_BODY: Problem = Problem::of_status(422, "invalid-body", "The body does not fit");
const MALFORMED_BODY: Problem =
    Problem::of_status(400, "malformed-body", "The body cannot be read");
const WRONG_MEDIA_TYPE: Problem =
    Problem::of_status(415, "wrong-media-type", "The body is of another media type");
const BODY_TOO_LARGE: Problem = Problem::of_status(413, "body-too-large", "The body is too large");
const INVALID_QUERY: Problem = Problem::of_status(422, "invalid-query", "The query does not fit");
const NOT_FOUND: Problem = Problem::of_status(404, "not-found", "There is no such thing");

/// Describes a body of that media type, and how one that does not fit is refused.
pub(crate) fn describe_body<T: Schema>(operation: &mut Operation, media_type: &'static str) {
    operation.add_body::<T>(media_type);
    operation.add_refusals([
        INVALID_BODY,
        MALFORMED_BODY,
        WRONG_MEDIA_TYPE,
        BODY_TOO_LARGE,
    ]);
}

impl<T: Schema> Input for Json<T> {
    fn describe(operation: &mut Operation) {
        describe_body::<T>(operation, JSON);
    }
}

impl<T: Schema> Input for Form<T> {
    fn describe(operation: &mut Operation) {
        describe_body::<T>(operation, FORM);
    }
}

impl<T: Schema> Input for Query<T> {
    fn describe(operation: &mut Operation) {
        operation.add_query::<T>();
        operation.add_refusals([INVALID_QUERY]);
    }
}

impl<T: Schema> Input for Path<T> {
    fn describe(operation: &mut Operation) {
        operation.add_segments::<T>();
        operation.add_refusals([NOT_FOUND]);
    }
}

impl<T: Schema> Output for Json<T> {
    fn describe(operation: &mut Operation) {
        operation.add_answer::<T>(200);
    }
}

/// The body's bytes, if it is of the media type that the handler reads.
pub(crate) async fn bytes_of<S: Send + Sync>(
    request: Request,
    media_type: &'static str,
    state: &S,
) -> Result<Bytes, Problem> {
    if !is_of_type(request.headers(), media_type) {
        return Err(WRONG_MEDIA_TYPE.detail(format!("expected content-type {media_type}")));
    }
    Bytes::from_request(request, state)
        .await
        .map_err(|it| match it {
            BytesRejection::FailedToBufferBody(it)
                if it.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                BODY_TOO_LARGE
            }
            _ => malformed("The body broke off"),
        })
}

fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.split(';').next())
        .is_some_and(|it| it.trim().eq_ignore_ascii_case(media_type))
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let filled: Vec<_> = query
        .split('&')
        .filter(|it| {
            it.split_once('=')
                .is_some_and(|(_, value)| !value.is_empty())
        })
        .collect();
    let filled = filled.join("&");
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(filled.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|it| INVALID_QUERY.detail(it.to_string()))
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let segments = parts.extensions.get::<Segments>();
        let read = segments.and_then(|it| it.read().ok());
        read.map(Self).ok_or(NOT_FOUND)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Order {
        #[serde(rename = "items")]
        _items: Vec<u8>,
    }

    #[test]
    fn a_refusal_points_at_the_wrong_field() {
        let refused = read_json::<Order>(br#"{"items":[1,"x"]}"#).unwrap_err();
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.errors[0].pointer, "/items/1");
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Search {
        city: Option<String>,
        limit: Option<u8>,
    }

    #[test]
    fn an_empty_field_of_a_query_counts_as_absent() {
        for empty in ["", "&", "city=&limit=", "city&limit=&", "=&=x"] {
            let nothing = Search {
                city: None,
                limit: None,
            };
            assert_eq!(query::<Search>(empty).unwrap(), nothing, "{empty}");
        }
        let found = query::<Search>("city=%20a%3D&limit=7&x=").unwrap();
        assert_eq!((found.city.as_deref(), found.limit), (Some(" a="), Some(7)));
        for wrong in ["limit=x", "limit=7&limit=8", "limit=%20"] {
            assert_eq!(
                query::<Search>(wrong).unwrap_err().code(),
                "invalid-query",
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_malformed() {
        for body in ["", "{", r#"{"items":[]} x"#] {
            let refused = read_json::<Order>(body.as_bytes()).unwrap_err();
            assert_eq!(refused.code(), "malformed-body", "{body}");
        }
    }
}
