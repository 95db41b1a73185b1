//! What a request carries, read into types that cannot be wrong: each of
//! these is refused with a [`Problem`] that points at the field.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::problem::{FieldError, Problem};

/// A JSON body, in or out.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A form body (`application/x-www-form-urlencoded`).
#[derive(Debug)]
pub struct Form<T>(pub T);

/// The query of the address. A field of a form that was left empty says nothing.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// Segments of the path. One that cannot be an id names nothing: 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        json(&bytes_of(request, "application/json", state).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = bytes_of(request, "application/x-www-form-urlencoded", state).await?;
        let form = serde_urlencoded::Deserializer::new(form_urlencoded::parse(&bytes));
        serde_path_to_error::deserialize(form)
            .map(Self)
            .map_err(|it| {
                let pointer = it.path().iter().map(pointer_step).collect();
                misfit(pointer, it.inner())
            })
    }
}

pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
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
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-body",
        "The body does not fit",
    )
    .detail(detail.clone())
    .errors(vec![FieldError { pointer, detail }])
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed-body",
        "The body cannot be read",
    )
    .detail(detail)
}

/// The body's bytes, if it is of the media type that the handler reads.
pub(crate) async fn bytes_of<S: Send + Sync>(
    request: Request,
    media_type: &'static str,
    state: &S,
) -> Result<Bytes, Problem> {
    if !is_of_type(request.headers(), media_type) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong-media-type",
            "The body is of another media type",
        )
        .detail(format!("expected content-type {media_type}")));
    }
    Bytes::from_request(request, state)
        .await
        .map_err(|it| match it {
            BytesRejection::FailedToBufferBody(it)
                if it.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "body-too-large",
                    "The body is too large",
                )
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
    serde_path_to_error::deserialize(pairs).map_err(|it| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-query",
            "The query does not fit",
        )
        .detail(it.to_string())
    })
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|it| Self(it.0))
            .map_err(|_| Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing"))
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
    fn a_wrong_field_is_pointed_at() {
        let refused = json::<Order>(br#"{"items":[1,"x"]}"#).unwrap_err();
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.errors[0].pointer, "/items/1");
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Search {
        city: Option<String>,
        limit: Option<u8>,
    }

    #[test]
    fn an_empty_field_of_a_query_is_as_absent_as_one_that_is_not_there() {
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
    fn what_is_no_json_is_malformed() {
        for body in ["", "{", r#"{"items":[]} x"#] {
            let refused = json::<Order>(body.as_bytes()).unwrap_err();
            assert_eq!(refused.code(), "malformed-body", "{body}");
        }
    }
}
