//! What an operation takes and answers, as its handler's signature says it.
//!
//! [`Describe`] is implemented for every handler whose parameters are [`Input`]s and whose result is an
//! [`Output`]; a route table adds what a signature cannot say. The methods of an [`Operation`] are called
//! natively only, where the description is made; nothing of them is left in a component's wasm.
#![cfg_attr(target_family = "wasm", allow(dead_code))]

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{Html, Response};
use serde_json::Value;

use super::problem::Problem;
use super::schema::Schema;

/// One operation of the API.
#[derive(Default)]
pub struct Operation {
    pub(super) summary: &'static str,
    pub(super) notes: Vec<String>,
    /// The operation that new clients use instead: `POST /auth/login`.
    pub(super) instead: Option<&'static str>,
    pub(super) security: Security,
    pub(super) parameters: Vec<Parameter>,
    /// Of the path's parameters, in their order; or of the one struct that names them.
    pub(super) segments: Vec<Value>,
    pub(super) body: Option<RequestBody>,
    pub(super) answers: BTreeMap<u16, Answer>,
    pub(super) refusals: Vec<Problem>,
    #[cfg(not(target_family = "wasm"))]
    pub(super) schemas: schemars::SchemaGenerator,
}

/// Who may call an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Security {
    #[default]
    Public,
    /// Signed-in callers see more.
    Optional,
    SignedIn,
    /// Signed in with one of these roles.
    Roles(Vec<&'static str>),
    /// The bearer token of the tick, or another secret that machines share.
    Secret,
}

pub(super) struct Parameter {
    pub name: String,
    pub place: &'static str,
    pub is_required: bool,
    pub schema: Value,
    pub description: String,
}

pub(super) struct RequestBody {
    pub media_type: &'static str,
    pub schema: Value,
    pub is_required: bool,
}

#[derive(Default)]
pub(super) struct Answer {
    /// The media types and the schema of each.
    pub content: BTreeMap<String, Value>,
    pub headers: BTreeMap<&'static str, &'static str>,
}

/// A parameter of a handler.
pub trait Input {
    fn describe(operation: &mut Operation);
}

/// The result of a handler.
pub trait Output {
    fn describe(operation: &mut Operation);
}

/// A handler whose signature describes it. `A` is the tuple of its parameters.
pub trait Describe<A> {
    fn describe(operation: &mut Operation);
}

macro_rules! handlers {
    ($(($($input:ident)*))*) => {$(
        impl<F, Fut, R, $($input),*> Describe<($($input,)*)> for F
        where
            F: FnOnce($($input),*) -> Fut,
            Fut: Future<Output = R>,
            R: Output,
            $($input: Input,)*
        {
            fn describe(operation: &mut Operation) {
                $($input::describe(operation);)*
                R::describe(operation);
            }
        }
    )*};
}

handlers! {
    ()
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E G)
    (A B C D E G H)
}

/// What route tables say of an operation.
impl Operation {
    /// What it does, in a few words: "Book a place".
    #[must_use]
    pub fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// A paragraph about it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The operation that new clients use instead of this old form.
    #[must_use]
    pub fn instead(mut self, operation: &'static str) -> Self {
        self.instead = Some(operation);
        self
    }

    /// The refusals of the handler itself; the refusals of its parameters are known from their types.
    #[must_use]
    pub fn refuses(mut self, refusals: impl IntoIterator<Item = Problem>) -> Self {
        self.refusals.extend(refusals);
        self
    }

    /// The success has another status than the type of the result says.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        if let Some((_, answer)) = self.answers.pop_first() {
            self.answers.insert(status, answer);
        } else {
            self.answers.insert(status, Answer::default());
        }
        self
    }

    /// A success that the type of the result does not say.
    #[must_use]
    pub fn returns<T: Schema>(mut self, status: u16) -> Self {
        self.add_answer::<T>(status);
        self
    }

    /// A success that is no JSON.
    #[must_use]
    pub fn returns_media(mut self, status: u16, media_type: &str) -> Self {
        self.add_media(status, media_type);
        self
    }

    /// A success without a body, as a redirect or a 304.
    #[must_use]
    pub fn returns_nothing(mut self, status: u16) -> Self {
        self.add_empty_answer(status);
        self
    }

    /// A header of the success.
    #[must_use]
    pub fn returns_header(
        mut self,
        status: u16,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        self.add_answer_header(status, name, description);
        self
    }

    /// A parameter of the query that no type names.
    #[must_use]
    pub fn query<T: Schema>(mut self, name: &str, is_required: bool, description: &str) -> Self {
        let schema = self.schema_of::<T>();
        self.add_parameter(name, "query", is_required, schema, description);
        self
    }

    /// A header of the request.
    #[must_use]
    pub fn header(mut self, name: &str, is_required: bool, description: &str) -> Self {
        let text = serde_json::json!({ "type": "string" });
        self.add_parameter(name, "header", is_required, text, description);
        self
    }

    /// A body that no parameter of the handler names.
    #[must_use]
    pub fn takes<T: Schema>(mut self, media_type: &'static str) -> Self {
        self.add_body::<T>(media_type);
        self
    }

    /// Callers need one of these roles, which the handler finds out by itself.
    #[must_use]
    pub fn roles(mut self, roles: &[&'static str]) -> Self {
        self.security = Security::Roles(roles.to_vec());
        self
    }

    /// The request shows a secret that the handler checks by itself.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.security = Security::Secret;
        self
    }
}

/// What inputs and outputs say of an operation.
impl Operation {
    pub fn add_security(&mut self, security: Security) {
        self.security = security;
    }

    pub fn add_refusals(&mut self, refusals: impl IntoIterator<Item = Problem>) {
        self.refusals.extend(refusals);
    }

    pub fn add_parameter(
        &mut self,
        name: &str,
        place: &'static str,
        is_required: bool,
        schema: Value,
        description: &str,
    ) {
        self.parameters.push(Parameter {
            name: name.to_owned(),
            place,
            is_required,
            schema,
            description: description.to_owned(),
        });
    }

    pub fn add_body<T: Schema>(&mut self, media_type: &'static str) {
        let schema = self.schema_of::<T>();
        self.body = Some(RequestBody {
            media_type,
            schema,
            is_required: true,
        });
    }

    /// Every member of a struct as a parameter of the query.
    pub fn add_query<T: Schema>(&mut self) {
        for (name, is_required, schema) in self.members_of::<T>() {
            let description = schema
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            self.add_parameter(&name, "query", is_required, schema, &description);
        }
    }

    /// The parameters of the path: one value, a tuple of several in their order, or a struct that names them.
    pub fn add_segments<T: Schema>(&mut self) {
        let schema = self.schema_of::<T>();
        let whole = self.resolved(schema.clone());
        if whole.get("properties").is_some() {
            self.segments.push(whole);
            return;
        }
        match schema.get("prefixItems").and_then(Value::as_array) {
            Some(several) => self.segments.extend(several.iter().cloned()),
            None => self.segments.push(schema),
        }
    }

    pub fn add_answer<T: Schema>(&mut self, status: u16) {
        let schema = self.schema_of::<T>();
        let answer = self.answers.entry(status).or_default();
        answer.content.insert("application/json".to_owned(), schema);
    }

    pub fn add_media(&mut self, status: u16, media_type: &str) {
        let answer = self.answers.entry(status).or_default();
        answer.content.insert(media_type.to_owned(), Value::Null);
    }

    pub fn add_empty_answer(&mut self, status: u16) {
        self.answers.entry(status).or_default();
    }

    pub fn add_answer_header(
        &mut self,
        status: u16,
        name: &'static str,
        description: &'static str,
    ) {
        let answer = self.answers.entry(status).or_default();
        answer.headers.insert(name, description);
    }

    /// Adds the header by which a repeated answer is known.
    pub fn describe_replay(&mut self) {
        for answer in self.answers.values_mut() {
            let description = "`true` when this answer was given before, to the same key";
            answer.headers.insert("Idempotent-Replayed", description);
        }
    }

    #[cfg(not(target_family = "wasm"))]
    pub(super) fn schema_of<T: Schema>(&mut self) -> Value {
        self.schemas.subschema_for::<T>().to_value()
    }

    #[cfg(target_family = "wasm")]
    #[allow(clippy::extra_unused_type_parameters, clippy::unused_self)]
    pub(super) fn schema_of<T: Schema>(&mut self) -> Value {
        Value::Null
    }

    /// The members of a struct: name, whether it must be there, schema.
    fn members_of<T: Schema>(&mut self) -> Vec<(String, bool, Value)> {
        let schema = self.schema_of::<T>();
        let schema = self.resolved(schema);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, schema)| {
                (
                    name.clone(),
                    required.contains(&name.as_str()),
                    schema.clone(),
                )
            })
            .collect()
    }

    /// The definition that a reference leads to.
    #[cfg(not(target_family = "wasm"))]
    fn resolved(&self, schema: Value) -> Value {
        let name = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|it| it.rsplit('/').next());
        name.and_then(|it| self.schemas.definitions().get(it))
            .cloned()
            .unwrap_or(schema)
    }

    #[cfg(target_family = "wasm")]
    #[allow(clippy::extra_unused_type_parameters, clippy::unused_self)]
    fn resolved(&self, schema: Value) -> Value {
        schema
    }
}

macro_rules! silent_inputs {
    ($($input:ty)*) => {$(
        /// Adds nothing to the description: the client sends nothing for it.
        impl Input for $input {
            fn describe(_: &mut Operation) {}
        }
    )*};
}

silent_inputs! { Uri HeaderMap Method Request Bytes Body }

macro_rules! open_outputs {
    ($($output:ty)*) => {$(
        /// Its content is up to the handler, so the route table describes it.
        impl Output for $output {
            fn describe(_: &mut Operation) {}
        }
    )*};
}

open_outputs! { Response StatusCode }

impl<T> Output for Html<T> {
    fn describe(operation: &mut Operation) {
        operation.add_media(200, "text/html");
    }
}

impl Output for &'static str {
    fn describe(operation: &mut Operation) {
        operation.add_media(200, "text/plain");
    }
}

impl<T: Output> Output for Result<T, Problem> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<T: Output> Output for (StatusCode, T) {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<V, T: Output, const N: usize> Output for ([(HeaderName, V); N], T) {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}
