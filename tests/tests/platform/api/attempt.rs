//! Requests that the walk sends to an operation: as described, on the edges, and as they should never be.

use serde_json::{Map, Value};
use wharf_openapi::{Document, Operation, Parameter, Place};
use wharf_tests::{Dice, Request, Stack};

use super::actor::{Actor, TELEGRAM_SECRET};
use super::known::Known;
use super::values::{self, Variation};

/// A request, taken apart.
#[derive(Clone)]
pub struct Attempt {
    /// For messages.
    pub what: String,
    method: String,
    template: String,
    path: Map<String, Value>,
    query: Map<String, Value>,
    headers: Vec<(String, String)>,
    body: Payload,
}

#[derive(Clone)]
enum Payload {
    Nothing,
    /// Written in the operation's media type.
    Value(String, Value),
    Bytes(String, Vec<u8>),
}

const FORM: &str = "application/x-www-form-urlencoded";

impl Attempt {
    /// As the description says, about something that was seen before where there is one.
    pub fn valid(
        document: &Document,
        operation: &Operation<'_>,
        known: &Known,
        dice: &mut Dice,
    ) -> Self {
        let mut attempt = Self {
            what: "as described".to_owned(),
            method: operation.method.clone(),
            template: operation.path.to_owned(),
            path: Map::new(),
            query: Map::new(),
            headers: Vec::new(),
            body: Payload::Nothing,
        };
        for it in &operation.parameters {
            let has_example = it.schema.get("examples").is_some();
            let value = values::valid(document, it.schema, dice);
            match it.place {
                Place::Path => {
                    let name = known.pick(operation, it.name, dice).map(Value::from);
                    attempt
                        .path
                        .insert(it.name.to_owned(), name.unwrap_or(value));
                }
                Place::Query if it.is_required || (has_example && dice.below(2) == 0) => {
                    attempt.query.insert(it.name.to_owned(), value);
                }
                Place::Header
                    if it
                        .name
                        .eq_ignore_ascii_case("x-telegram-bot-api-secret-token") =>
                {
                    attempt.set_header(it.name, TELEGRAM_SECRET);
                }
                Place::Header if it.is_required => attempt.set_header(it.name, &plain(&value)),
                Place::Query | Place::Header => {}
            }
        }
        if let Some(body) = &operation.body {
            let value = values::valid(document, body.schema, dice);
            attempt.body = Payload::Value(body.media_type.to_owned(), value);
        }
        attempt
    }

    /// Every way to go wrong with it, one at a time.
    pub fn variations(&self, document: &Document, operation: &Operation<'_>) -> Vec<Self> {
        let mut variations = Vec::new();
        for it in &operation.parameters {
            for Variation { name, value } in around(document, it) {
                // Another path: that of the list.
                if it.place == Place::Path && value == "" {
                    continue;
                }
                let mut attempt = self.but(&format!("{name} as {}", it.name));
                match it.place {
                    Place::Path => drop(attempt.path.insert(it.name.to_owned(), value)),
                    Place::Query => drop(attempt.query.insert(it.name.to_owned(), value)),
                    Place::Header => attempt.set_header(it.name, &printable(&plain(&value))),
                }
                variations.push(attempt);
            }
            if it.is_required && it.place == Place::Query {
                let mut attempt = self.but(&format!("without {}", it.name));
                attempt.query.remove(it.name);
                variations.push(attempt);
            }
        }
        if let Payload::Value(media_type, value) = &self.body {
            variations.extend(self.bodies(document, operation, media_type, value));
        }
        variations
    }

    fn bodies(
        &self,
        document: &Document,
        operation: &Operation<'_>,
        media_type: &str,
        value: &Value,
    ) -> Vec<Self> {
        let mut variations = Vec::new();
        let mut add = |what: String, body: Payload| {
            let mut attempt = self.but(&what);
            attempt.body = body;
            variations.push(attempt);
        };
        let schema = operation.body.as_ref().map_or(&Value::Null, |it| it.schema);
        let members = document.resolved(schema).unwrap()["properties"].as_object();
        for (member, schema) in members.into_iter().flatten() {
            let changed = |change: &dyn Fn(&mut Map<String, Value>)| {
                let mut value = value.clone();
                value.as_object_mut().into_iter().for_each(change);
                Payload::Value(media_type.to_owned(), value)
            };
            let edges = values::edges(document, schema);
            for Variation { name, value } in edges.into_iter().chain(values::hostile()) {
                let change = |it: &mut Map<String, Value>| {
                    it.insert(member.clone(), value.clone());
                };
                add(format!("{name} as {member}"), changed(&change));
            }
            let change = |it: &mut Map<String, Value>| {
                it.remove(member);
            };
            add(format!("without {member}"), changed(&change));
        }
        for (name, bytes) in values::hostile_bodies() {
            add(
                format!("{name} as the body"),
                Payload::Bytes(media_type.to_owned(), bytes),
            );
        }
        for other in [
            "text/plain",
            "application/xml",
            FORM,
            "application/json",
            "",
            "*/*",
        ] {
            let text = written(media_type, value);
            add(
                format!("{other:?} as the media type"),
                Payload::Bytes(other.to_owned(), text),
            );
        }
        variations
    }

    fn but(&self, what: &str) -> Self {
        Self {
            what: what.to_owned(),
            ..self.clone()
        }
    }

    pub fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|it| it.0 != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub fn request(&self, stack: &Stack, actor: &Actor) -> Request {
        let mut path = self.template.clone();
        for (name, value) in &self.path {
            path = path.replace(&format!("{{{name}}}"), &encoded(&plain(value)));
        }
        if !self.query.is_empty() {
            path = format!("{path}?{}", pairs(&self.query));
        }
        let mut request = actor.request(stack, &self.method, &path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.body {
            Payload::Nothing => request,
            Payload::Value(media_type, value) => {
                request.body(media_type, written(media_type, value))
            }
            Payload::Bytes(media_type, bytes) => request.body(media_type, bytes.clone()),
        }
    }
}

impl std::fmt::Display for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.what)?;
        for (name, values) in [("path", &self.path), ("query", &self.query)] {
            if !values.is_empty() {
                write!(
                    f,
                    ", {name} {}",
                    shortened(&Value::from(values.clone()).to_string())
                )?;
            }
        }
        match &self.body {
            Payload::Nothing => Ok(()),
            Payload::Value(_, value) => write!(f, ", body {}", shortened(&value.to_string())),
            Payload::Bytes(media_type, bytes) => {
                let text = String::from_utf8_lossy(bytes);
                write!(f, ", {media_type:?} body {}", shortened(&text))
            }
        }
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 300;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn around(document: &Document, parameter: &Parameter<'_>) -> Vec<Variation> {
    let mut variations = values::edges(document, parameter.schema);
    variations.extend(values::hostile());
    variations
}

/// A text without its quotes; everything else as JSON writes it.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What a header can carry.
fn printable(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).collect()
}

fn written(media_type: &str, value: &Value) -> Vec<u8> {
    match (media_type, value) {
        (FORM, Value::Object(members)) => pairs(members).into_bytes(),
        (_, value) => value.to_string().into_bytes(),
    }
}

fn pairs(members: &Map<String, Value>) -> String {
    let pairs = members
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(&plain(value))));
    pairs.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|it| match it {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(it).to_string()
        }
        other => format!("%{other:02X}"),
    });
    bytes.collect()
}
