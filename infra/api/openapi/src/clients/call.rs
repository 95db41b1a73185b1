//! An operation as a method of a client.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::shape::{Shape, either};
use crate::document::{Document, JSON, Operation, Place};

pub struct Call<'a> {
    pub operation: Operation<'a>,
    /// The operation's name without that of its function.
    pub name: &'a str,
    pub path: Vec<Argument<'a>>,
    pub query: Vec<Argument<'a>>,
    pub headers: Vec<Argument<'a>>,
    pub body: Option<Content>,
    pub result: Content,
    /// Beside the result there is a success without a body.
    pub may_be_empty: bool,
}

pub struct Argument<'a> {
    pub name: &'a str,
    pub is_required: bool,
    pub description: &'a str,
    pub shape: Shape,
}

/// A body, sent or received.
#[derive(Clone, PartialEq)]
pub enum Content {
    Nothing,
    Json(Shape),
    Form(Shape),
    Text,
    Bytes,
}

/// The operations of each function.
pub fn groups(document: &Document) -> Result<BTreeMap<&str, Vec<Call<'_>>>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for operation in document.operations()? {
        if !operation.is_other_spelling {
            let group = groups.entry(operation.component).or_default();
            group.push(call(document, operation)?);
        }
    }
    Ok(groups)
}

/// Every code with which an operation of the client can be refused.
pub fn codes<'a>(groups: &BTreeMap<&'a str, Vec<Call<'a>>>) -> Vec<&'a str> {
    let calls = groups.values().flatten();
    let answers = calls.flat_map(|it| &it.operation.answers);
    let mut codes: Vec<_> = answers.flat_map(|it| it.codes.iter().copied()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

impl Call<'_> {
    /// The paragraphs of the method's comment.
    pub fn comment(&self) -> Vec<String> {
        let mut paragraphs = vec![format!("{}.", self.operation.summary)];
        if !self.operation.description.is_empty() {
            paragraphs.push(self.operation.description.to_owned());
        }
        let refusals = self.operation.answers.iter().filter(|it| it.status < 500);
        let codes: Vec<_> = refusals
            .flat_map(|answer| {
                answer
                    .codes
                    .iter()
                    .map(|it| format!("`{it}` ({})", answer.status))
            })
            .collect();
        if !codes.is_empty() {
            paragraphs.push(format!("Refusals: {}.", codes.join(", ")));
        }
        paragraphs
    }
}

fn call<'a>(document: &Document, operation: Operation<'a>) -> Result<Call<'a>> {
    let arguments = |place: Place| -> Result<Vec<_>> {
        let parameters = operation.parameters.iter().filter(|it| it.place == place);
        parameters
            .map(|it| {
                Ok(Argument {
                    name: it.name,
                    is_required: it.is_required,
                    description: it.description,
                    shape: Shape::of(document, it.schema)?,
                })
            })
            .collect()
    };
    let name = operation.name.strip_prefix(operation.component);
    let body = operation.body.as_ref();
    let body = body.map(|it| content(document, it.media_type, Some(it.schema)));
    Ok(Call {
        name: name.map_or(operation.name, |it| it.trim_start_matches('_')),
        path: arguments(Place::Path)?,
        query: arguments(Place::Query)?,
        headers: arguments(Place::Header)?,
        body: body.transpose()?,
        result: result(document, &operation)?,
        may_be_empty: may_be_empty(&operation),
        operation,
    })
}

/// The client asks for JSON where there are several media types.
fn result(document: &Document, operation: &Operation<'_>) -> Result<Content> {
    let successes = operation.answers.iter().filter(|it| it.is_success());
    let mut shapes = Vec::new();
    let mut others = Vec::new();
    for (media_type, schema) in successes.flat_map(|it| &it.content) {
        match content(document, media_type, *schema)? {
            Content::Json(shape) => shapes.push(shape),
            content => others.push(content),
        }
    }
    others.dedup();
    Ok(match (shapes.is_empty(), others.as_slice()) {
        (false, _) => Content::Json(either(shapes)),
        (true, []) => Content::Nothing,
        (true, [one]) => one.clone(),
        (true, _) => Content::Bytes,
    })
}

fn may_be_empty(operation: &Operation<'_>) -> bool {
    let successes = operation.answers.iter().filter(|it| it.is_success());
    let (empty, full): (Vec<_>, Vec<_>) = successes.partition(|it| it.content.is_empty());
    !empty.is_empty() && !full.is_empty()
}

fn content(
    document: &Document,
    media_type: &str,
    schema: Option<&serde_json::Value>,
) -> Result<Content> {
    let shape = schema.map(|it| Shape::of(document, it)).transpose()?;
    Ok(match (media_type, shape) {
        (JSON, shape) => Content::Json(shape.unwrap_or(Shape::Any)),
        (json, shape) if json.ends_with("+json") => Content::Json(shape.unwrap_or(Shape::Any)),
        ("application/x-www-form-urlencoded", Some(shape)) => Content::Form(shape),
        ("application/x-www-form-urlencoded", None) => bail!("a form has members"),
        (text, _) if text.starts_with("text/") => Content::Text,
        _ => Content::Bytes,
    })
}
