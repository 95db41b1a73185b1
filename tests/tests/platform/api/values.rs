//! Values made from schemas: fitting ones, ones on an edge, and ones that no client should send.

use serde_json::{Map, Value, json};
use uuid::Uuid;
use wharf_openapi::Document;
use wharf_tests::{Dice, unique};

/// A changed value, and a name for the change.
pub struct Variation {
    pub name: String,
    pub value: Value,
}

/// A value that fits: the example if there is one.
pub fn valid(document: &Document, schema: &Value, dice: &mut Dice) -> Value {
    if let Some(examples) = schema["examples"].as_array() {
        return examples[dice.index(examples.len())].clone();
    }
    let schema = document.resolved(schema).unwrap();
    for keyword in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema[keyword].as_array() {
            let schemas: Vec<_> = schemas.iter().filter(|it| it["type"] != "null").collect();
            return valid(document, schemas[dice.index(schemas.len())], dice);
        }
    }
    if let Some(schemas) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for schema in schemas {
            match valid(document, schema, dice) {
                Value::Object(members) => whole.extend(members),
                value => return value,
            }
        }
        return whole.into();
    }
    if let Some(examples) = schema["examples"].as_array() {
        return examples[dice.index(examples.len())].clone();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[dice.index(words.len())].clone();
    }
    if let Some(word) = schema.get("const") {
        return word.clone();
    }
    match kind(schema) {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let is_wanted =
                |name: &str, it: &Value| is_required(schema, name) || has_example(document, it);
            let members = properties
                .filter(|(name, it)| is_wanted(name, it))
                .map(|(name, it)| (name.clone(), valid(document, it, dice)));
            Value::Object(members.collect())
        }
        "array" => json!([valid(document, &schema["items"], dice)]),
        "boolean" => json!(dice.below(2) == 1),
        "integer" => json!(schema["minimum"].as_i64().unwrap_or(1)),
        "number" => json!(schema["minimum"].as_f64().unwrap_or(1.5)),
        "string" => text(schema).into(),
        _ => Value::Null,
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema["required"].as_array();
    required.is_some_and(|it| it.iter().any(|it| it == name))
}

/// Whether an optional member is sent: only if there is a true value for it.
fn has_example(document: &Document, schema: &Value) -> bool {
    let schemas = [schema, present(document, schema)];
    schemas.iter().any(|it| it.get("examples").is_some())
}

/// The schema's type, without `null`.
fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array();
    let one = kinds.into_iter().flatten().find(|it| *it != "null");
    one.unwrap_or(&schema["type"]).as_str().unwrap_or_default()
}

fn text(schema: &Value) -> String {
    match schema["format"].as_str().unwrap_or_default() {
        "uuid" => Uuid::new_v4().to_string(),
        "email" => format!("{}@example.org", unique("walker")),
        "date" => "2030-01-31".to_owned(),
        "date-time" => "2030-01-31T10:00:00Z".to_owned(),
        "uri" => "https://example.org/".to_owned(),
        _ => {
            let longest = schema["maxLength"].as_u64().unwrap_or(60);
            let word = unique("walker");
            let length = usize::try_from(longest).unwrap().min(word.len());
            word[word.len() - length..].to_owned()
        }
    }
}

/// Values on the edges of the schema, inside and outside.
pub fn edges(document: &Document, schema: &Value) -> Vec<Variation> {
    let schema = present(document, schema);
    let mut edges = Vec::new();
    let mut add = |name: &str, value: Value| {
        edges.push(Variation {
            name: name.to_owned(),
            value,
        });
    };
    for (bound, step) in [("minimum", -1), ("maximum", 1)] {
        if let Some(at) = schema[bound].as_i64() {
            add(&format!("at its {bound}"), json!(at));
            add(&format!("beyond its {bound}"), json!(at + step));
        }
    }
    if kind(schema) == "string" {
        add("an empty text", json!(""));
        let shortest = schema["minLength"].as_u64().unwrap_or_default();
        if shortest > 1 {
            add(
                "the shortest text",
                json!("a".repeat(usize::try_from(shortest).unwrap())),
            );
        }
        if let Some(longest) = schema["maxLength"].as_u64() {
            let longest = usize::try_from(longest).unwrap();
            add("the longest text", json!("é".repeat(longest)));
            add("a text too long", json!("a".repeat(longest + 1)));
        }
    }
    if kind(schema) == "array" {
        add("an empty list", json!([]));
    }
    add("null", Value::Null);
    edges
}

/// The schema itself: not a reference to it, nor a choice between it and null.
fn present<'a>(document: &'a Document, schema: &'a Value) -> &'a Value {
    let schema = document.resolved(schema).unwrap();
    let mut choices = schema["anyOf"].as_array().into_iter().flatten();
    match choices.find(|it| it["type"] != "null") {
        Some(schema) => present(document, schema),
        None => schema,
    }
}

/// Odd and hostile values, whatever the schema says.
pub fn hostile() -> Vec<Variation> {
    let values = [
        ("a number", json!(7)),
        ("a negative number", json!(-1)),
        ("a fraction", json!(0.1)),
        ("a truth", json!(true)),
        ("a list", json!([1, "two"])),
        ("an object", json!({ "$ne": null })),
        ("a number of 64 bits", json!(i64::MAX)),
        ("a number too large", json!(1e300)),
        ("a NUL", json!("a\u{0}b")),
        ("a line break", json!("a\r\nset-cookie: a=b")),
        (
            "a text in two directions",
            json!("\u{202e}gnp.exe \u{1f6a2}"),
        ),
        ("SQL", json!("'; DROP TABLE users; --")),
        ("HTML", json!("<script>alert(1)</script>")),
        ("a path", json!("../../../etc/passwd")),
        ("a template", json!("{{jwt_private_key}} ${HOME} %s%n")),
        ("10 kB", json!("x".repeat(10_000))),
    ];
    let values = values.into_iter().map(|(name, value)| Variation {
        name: name.to_owned(),
        value,
    });
    values.collect()
}

/// Bodies that are no JSON of any schema.
pub fn hostile_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str| [open.repeat(500), close.repeat(500)].concat();
    vec![
        ("nothing", Vec::new()),
        ("half an object", b"{\"a\":".to_vec()),
        ("two objects", b"{}{}".to_vec()),
        ("a list", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("a number beyond all", b"{\"a\":1e99999}".to_vec()),
        ("bytes that are no UTF-8", vec![b'"', 0xff, 0xfe, b'"']),
        ("deep lists", deep("[", "]").into_bytes()),
        ("deep objects", deep("{\"a\":", "}").into_bytes()),
    ]
}
