//! The arguments of methods by name under `/api/method/`: a GET has everything in its query, a POST may have a body
//! of JSON or a form beside it.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequest, Request};
use axum::http::{Method, header};
use kit_derive::Word;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::body::{Form, Json};
use super::operation::{Input, Operation};
use super::problem::Problem;

/// The arguments of one call, whose version is the one there is.
pub struct Arguments(HashMap<String, Argument>);

enum Argument {
    One(String),
    Several(Vec<String>),
    Objects(Vec<Value>),
}

/// The only version of the methods.
#[derive(Clone, Copy, Word)]
enum MethodVersion {
    #[word(rename = "1.0")]
    V1,
}

const BAD_VERSION: Problem =
    Problem::of_status(400, "bad-argument", "Invalid API version").number(1);
const MISSING: Problem = Problem::of_status(400, "bad-argument", "Missing argument").number(30);
const INVALID: Problem = Problem::of_status(400, "bad-argument", "Invalid value").number(31);
const WRONG_TYPE: Problem = Problem::of_status(400, "bad-argument", "Invalid type").number(32);
const WRONG_FORMAT: Problem = Problem::of_status(400, "bad-argument", "Invalid format").number(33);

impl<S: Send + Sync> FromRequest<S> for Arguments {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let query = request.uri().query().unwrap_or_default();
        let mut arguments = pairs(form_urlencoded::parse(query.as_bytes()).into_owned());
        let has_body = request.headers().contains_key(header::CONTENT_TYPE);
        if request.method() == Method::POST && has_body {
            arguments.extend(body(request, state).await?);
        }
        let arguments = Self(arguments);
        match MethodVersion::parse(arguments.text("v")?) {
            Some(MethodVersion::V1) => Ok(arguments),
            None => Err(BAD_VERSION),
        }
    }
}

impl Input for Arguments {
    fn describe(operation: &mut Operation) {
        *operation = std::mem::take(operation)
            .query::<MethodVersion>("v", true, "The version of the methods")
            .note("A POST takes its arguments from a body of JSON or a form too.");
        operation.add_refusals([BAD_VERSION, MISSING, INVALID, WRONG_TYPE, WRONG_FORMAT]);
    }
}

fn pairs(pairs: impl IntoIterator<Item = (String, String)>) -> HashMap<String, Argument> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name, Argument::One(value)))
        .collect()
}

async fn body<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<HashMap<String, Argument>, Problem> {
    let form = b"application/x-www-form-urlencoded";
    let content_type = request.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|it| it.as_bytes().starts_with(form)) {
        let Form(form) = Form::<HashMap<String, String>>::from_request(request, state).await?;
        return Ok(pairs(form));
    }
    let Json(values) = Json::<HashMap<String, Value>>::from_request(request, state).await?;
    let mut arguments = HashMap::new();
    for (name, value) in values {
        let argument = match value {
            Value::Null => continue,
            Value::Array(values) => match values.iter().map(scalar).collect() {
                Some(texts) => Some(Argument::Several(texts)),
                None if values.iter().all(Value::is_object) => Some(Argument::Objects(values)),
                None => None,
            },
            value => scalar(&value).map(Argument::One),
        };
        match argument {
            Some(argument) => arguments.insert(name, argument),
            None => return Err(WRONG_TYPE.detail(format!("{name} is a text or a number"))),
        };
    }
    Ok(arguments)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Arguments {
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        self.optional(name)?
            .ok_or_else(|| MISSING.detail(format!("missing argument {name}")))
    }

    /// Absent when it is empty, too.
    pub fn optional(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            Some(Argument::One(text)) => Ok(Some(text.as_str()).filter(|it| !it.is_empty())),
            Some(Argument::Several(_) | Argument::Objects(_)) => {
                Err(WRONG_TYPE.detail(format!("{name} is one value")))
            }
            None => Ok(None),
        }
    }

    pub fn number(&self, name: &str) -> Result<i64, Problem> {
        read_number(name, self.text(name)?)
    }

    pub fn optional_number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let text = self.optional(name)?;
        text.map(|it| read_number(name, it)).transpose()
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.optional(name)? {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(WRONG_TYPE.detail(format!("{name} is true or false"))),
        }
    }

    /// Several values: a list of JSON, or a text with commas between them. Absent is not the same as empty.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let values = match self.0.get(name)? {
            Argument::Several(values) => values.clone(),
            Argument::One(text) => text.split(',').map(str::to_owned).collect(),
            // No text of theirs is a word that a list asks for.
            Argument::Objects(values) => values.iter().map(Value::to_string).collect(),
        };
        let values = values.iter().map(|it| it.trim().to_owned());
        Some(values.filter(|it| !it.is_empty()).collect())
    }

    /// Several objects: a list of JSON in a body, or its text in a query or a form.
    pub fn objects<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Vec<T>>, Problem> {
        let read = match self.0.get(name) {
            None => return Ok(None),
            Some(Argument::Objects(values)) => serde_json::from_value(Value::Array(values.clone())),
            Some(Argument::One(text)) if text.is_empty() => return Ok(None),
            Some(Argument::One(text)) => serde_json::from_str(text),
            Some(Argument::Several(texts)) if texts.is_empty() => Ok(Vec::new()),
            Some(Argument::Several(_)) => {
                return Err(WRONG_TYPE.detail(format!("{name} is a list of objects")));
            }
        };
        read.map(Some)
            .map_err(|it| WRONG_FORMAT.detail(format!("{name}: {it}")))
    }

    /// A value of a type that says what is wrong with a text.
    pub fn parsed<T>(&self, name: &str) -> Result<T, Problem>
    where
        T: TryFrom<String, Error: Display>,
    {
        T::try_from(self.text(name)?.to_owned())
            .map_err(|it| WRONG_FORMAT.detail(format!("{name}: {it}")))
    }

    /// One of the words of an enum.
    pub fn word<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.optional(name)? else {
            return Ok(None);
        };
        match parse(text) {
            Some(word) => Ok(Some(word)),
            None => Err(INVALID.detail(format!("{name} has a value that is none of its words"))),
        }
    }
}

fn read_number(name: &str, text: &str) -> Result<i64, Problem> {
    i64::from_str(text).map_err(|_| WRONG_TYPE.detail(format!("{name} is a number")))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn read(query: &str, body: &str) -> Result<Arguments, Problem> {
        let request = Request::post(format!("/api/method/a.b?{query}"));
        let request = request.header("content-type", "application/json");
        Arguments::from_request(request.body(Body::from(body.to_owned())).unwrap(), &()).await
    }

    #[tokio::test]
    async fn a_body_counts_beside_the_query() {
        let read = read(
            "v=1.0&a=1&c=x,y,,z",
            r#"{"b":[2,"three"],"d":null,"e":true}"#,
        )
        .await
        .unwrap_or_else(|it| panic!("{it:?}"));
        assert_eq!(read.number("a").unwrap(), 1);
        assert_eq!(read.list("b").unwrap(), ["2", "three"]);
        assert_eq!(read.list("c").unwrap(), ["x", "y", "z"]);
        assert_eq!(read.list("d"), None);
        assert_eq!(read.flag("e").unwrap(), Some(true));
    }

    #[tokio::test]
    async fn objects_are_a_list_of_json_or_its_text() {
        let body = r#"{"a":[{"b":1},{"b":2}],"none":[],"words":["x"]}"#;
        let read = read("v=1.0&text=[{%22b%22:3}]&wrong={}", body)
            .await
            .unwrap_or_else(|it| panic!("{it:?}"));
        let objects = |name| read.objects::<HashMap<String, i64>>(name);
        let numbers = |name| {
            let objects = objects(name).unwrap().unwrap();
            objects.iter().map(|it| it["b"]).collect::<Vec<_>>()
        };
        assert_eq!(numbers("a"), [1, 2]);
        assert_eq!(numbers("text"), [3]);
        assert!(numbers("none").is_empty());
        assert!(objects("absent").unwrap().is_none());
        assert_eq!(objects("wrong").unwrap_err().number, Some(33));
        assert_eq!(objects("words").unwrap_err().number, Some(32));
    }

    #[tokio::test]
    async fn a_call_that_does_not_fit_is_refused_by_number() {
        let number = |refused: Result<Arguments, Problem>| refused.err().and_then(|it| it.number);
        assert_eq!(number(read("v=2.0", "{}").await), Some(1));
        assert_eq!(number(read("", "{}").await), Some(30));
        assert_eq!(number(read("v=1.0", r#"{"a":{}}"#).await), Some(32));
        let read = read("v=1.0&a=x", "{}")
            .await
            .unwrap_or_else(|it| panic!("{it:?}"));
        assert_eq!(read.number("a").unwrap_err().number, Some(32));
        assert_eq!(read.number("b").unwrap_err().number, Some(30));
        let none = |_: &str| None::<u8>;
        assert_eq!(read.word("a", none).unwrap_err().number, Some(31));
    }
}
