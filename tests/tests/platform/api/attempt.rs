//! Requests that the walk sends to an operation: as described, on the edges, and as they should never be.

use serde_json::{Map, Value};
use wharf_openapi::{Document, Operation, Place};
use wharf_tests::{Dice, Request, Stack, unique};

use super::actor::{Actor, TELEGRAM_SECRET};
use super::known::{Known, place_of};
use super::values::{self, Variation};

/// The parts of a request.
#[derive(Clone)]
pub struct Attempt {
    /// The request in words, for messages.
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

const TELEGRAM_HEADER: &str = "x-telegram-bot-api-secret-token";

const FORM: &str = "application/x-www-form-urlencoded";

fn set(members: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    match value {
        Some(value) => drop(members.insert(name.to_owned(), value.clone())),
        None => drop(members.remove(name)),
    }
}

/// One change that makes a request differ from its description, or takes it to an edge of it.
pub struct Change {
    what: String,
    kind: Kind,
}

enum Kind {
    Path(String, Value),
    Header(String, String),
    /// `None` leaves the parameter out.
    Query(String, Option<Value>),
    /// `None` leaves the member out.
    Member(String, Option<Value>),
    Bytes(Vec<u8>),
    MediaType(&'static str),
}

/// Every change that a request to the operation can have.
pub fn changes(document: &Document, operation: &Operation<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |what: String, kind: Kind| changes.push(Change { what, kind });
    for it in &operation.parameters {
        let name = it.name.to_owned();
        for Variation { name: what, value } in around(document, it.schema) {
            let what = format!("{what} as {name}");
            match it.place {
                // Without it the path is that of the list.
                Place::Path if value == "" => {}
                Place::Path => add(what, Kind::Path(name.clone(), value)),
                Place::Query => add(what, Kind::Query(name.clone(), Some(value))),
                Place::Header => add(what, Kind::Header(name.clone(), printable(&plain(&value)))),
            }
        }
        if it.is_required && it.place == Place::Query {
            add(format!("without {name}"), Kind::Query(name, None));
        }
    }
    let Some(body) = &operation.body else {
        return changes;
    };
    let members = document.resolved(body.schema).unwrap()["properties"].as_object();
    for (member, schema) in members.into_iter().flatten() {
        for Variation { name, value } in around(document, schema) {
            let what = format!("{name} as {member}");
            add(what, Kind::Member(member.clone(), Some(value)));
        }
        add(
            format!("without {member}"),
            Kind::Member(member.clone(), None),
        );
    }
    for (name, bytes) in values::hostile_bodies() {
        add(format!("{name} as the body"), Kind::Bytes(bytes));
    }
    for other in [
        "text/plain",
        "application/xml",
        FORM,
        "application/json",
        "",
        "*/*",
    ] {
        add(
            format!("{other:?} as the media type"),
            Kind::MediaType(other),
        );
    }
    changes
}

/// What a request is made from.
pub struct Making<'a> {
    pub document: &'a Document,
    pub known: &'a Known,
    pub actor: &'a Actor,
    /// Whether names come from what the actor itself has seen, and not from what any actor has seen.
    pub is_own: bool,
    /// Names that paths and queries use instead of those that were seen.
    pub pinned: &'a [(&'static str, String)],
    /// The start and the end that requests name.
    pub window: &'a [String; 2],
}

impl Making<'_> {
    /// A value that is known to fit a member of that name better than any value of its schema.
    fn seen(&self, operation: &Operation<'_>, name: &str, dice: &mut Dice) -> Option<Value> {
        let actor = self.is_own.then_some(self.actor.name);
        let mut pick = |place: &str| self.known.pick(place, actor, dice);
        match name {
            "date_from" | "start_date" => Some(self.window[0].clone().into()),
            "date_to" => Some(self.window[1].clone().into()),
            "parking_place_id" => pick("/parking/")?.parse::<i64>().ok().map(Value::from),
            "otp" | "refresh_token" | "reference" => pick(name).map(Value::from),
            "code" if operation.path.contains("/violations/") => Some("P1".into()),
            "cpf" if operation.name == "signin_identify_customer" => pick(name).map(Value::from),
            "paymentAccountId" if operation.name == "payments_open_account" => None,
            "paymentAccountId" | "fromPaymentAccountId" | "toPaymentAccountId" => {
                pick("paymentAccountId").map(Value::from)
            }
            "destination_id" => pick("/payment/destinations/").map(Value::from),
            "external_reference" | "payment_id" => pick("payment_id").map(Value::from),
            "code"
                if operation.name != "payments_create_promocode"
                    && operation.component == "payments" =>
            {
                pick("/payment/promocode/").map(Value::from)
            }
            "login" if operation.name == "signin_change_password" => {
                Some(self.actor.login.clone().into())
            }
            _ => None,
        }
    }

    /// A name that can be taken once: a new one for the caller's own things, otherwise that of the example.
    fn unused(&self, name: &str, dice: &mut Dice) -> Option<Value> {
        let fresh = match name {
            "email" => format!("{}@example.org", unique("walker")),
            "login" | "username" | "paymentAccountId" => unique("walker"),
            "cpf" => format!("{:011}", dice.below(1 << 31)),
            _ => return None,
        };
        self.is_own.then(|| fresh.into())
    }
}

impl Attempt {
    /// A request as the description has it, about something that was seen before if there is such a thing.
    pub fn valid(making: &Making<'_>, operation: &Operation<'_>, dice: &mut Dice) -> Self {
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
            let name = it.name.to_owned();
            let has_example = it.schema.get("examples").is_some();
            let value = values::valid(making.document, it.schema, dice);
            let pinned = making.pinned.iter().find(|pinned| pinned.0 == it.name);
            let pinned = pinned.map(|it| Value::from(it.1.clone()));
            let seen = pinned.or_else(|| making.seen(operation, it.name, dice));
            match it.place {
                Place::Path => {
                    let actor = making.is_own.then_some(making.actor.name);
                    let place = place_of(operation.path, it.name);
                    let known = making.known.pick(place, actor, dice).map(Value::from);
                    attempt.path.insert(name, seen.or(known).unwrap_or(value));
                }
                Place::Query if seen.is_some() => {
                    attempt.query.extend(seen.map(|it| (name, it)));
                }
                Place::Query if it.is_required || (has_example && dice.below(2) == 0) => {
                    let unused = making.unused(it.name, dice);
                    attempt.query.insert(name, unused.unwrap_or(value));
                }
                Place::Header if it.name.eq_ignore_ascii_case(TELEGRAM_HEADER) => {
                    attempt.set_header(it.name, TELEGRAM_SECRET);
                }
                Place::Header if it.is_required => attempt.set_header(it.name, &plain(&value)),
                Place::Query | Place::Header => {}
            }
        }
        if let Some(body) = &operation.body {
            let mut value = values::valid(making.document, body.schema, dice);
            let schema = making.document.resolved(body.schema).unwrap();
            let members = schema["properties"].as_object().into_iter().flatten();
            for (name, _) in members {
                let Some(object) = value.as_object_mut() else {
                    break;
                };
                if let Some(seen) = making.seen(operation, name, dice) {
                    object.insert(name.clone(), seen);
                } else if let Some(value) = object.get_mut(name) {
                    *value = making.unused(name, dice).unwrap_or_else(|| value.take());
                }
            }
            attempt.body = Payload::Value(body.media_type.to_owned(), value);
        }
        attempt
    }

    /// The same with one change.
    pub fn with(&self, change: &Change) -> Self {
        let mut attempt = self.clone();
        attempt.what.clone_from(&change.what);
        match &change.kind {
            Kind::Path(name, value) => drop(attempt.path.insert(name.clone(), value.clone())),
            Kind::Header(name, value) => attempt.set_header(name, value),
            Kind::Query(name, value) => set(&mut attempt.query, name, value.as_ref()),
            Kind::Member(name, value) => {
                if let Payload::Value(_, Value::Object(body)) = &mut attempt.body {
                    set(body, name, value.as_ref());
                }
            }
            Kind::Bytes(bytes) => {
                if let Payload::Value(media_type, _) = &self.body {
                    attempt.body = Payload::Bytes(media_type.clone(), bytes.clone());
                }
            }
            Kind::MediaType(other) => {
                if let Payload::Value(media_type, value) = &self.body {
                    let text = written(media_type, value);
                    attempt.body = Payload::Bytes((*other).to_owned(), text);
                }
            }
        }
        attempt
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

fn around(document: &Document, schema: &Value) -> Vec<Variation> {
    let mut variations = values::edges(document, schema);
    variations.extend(values::hostile());
    variations
}

/// A text without its quotes; everything else as JSON writes it.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The text without characters that a header cannot carry.
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
