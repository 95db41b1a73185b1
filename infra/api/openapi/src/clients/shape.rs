//! Schemas as types of a language.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::document::{Document, members};

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Any,
    Boolean,
    /// With its format, if it has one.
    Integer(Option<String>),
    Number,
    Text,
    /// One of these texts.
    Words(Vec<String>),
    List(Box<Shape>),
    Tuple(Vec<Shape>),
    Map(Box<Shape>),
    Record(Vec<Member>),
    /// A schema of the document, by its name.
    Named(String),
    Either(Vec<Shape>),
    Nullable(Box<Shape>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// As it is on the wire.
    pub name: String,
    pub is_required: bool,
    pub description: String,
    pub shape: Shape,
}

impl Shape {
    pub fn of(document: &Document, schema: &Value) -> Result<Self> {
        let shape = match schema {
            Value::Bool(true) => Ok(Self::Any),
            Value::Object(_) => of_object(document, schema),
            _ => bail!("it is no schema"),
        };
        shape.with_context(|| format!("in {schema}"))
    }

    /// The shape without `null`, and whether `null` was allowed.
    pub fn present(&self) -> (&Self, bool) {
        match self {
            Self::Nullable(shape) => (shape, true),
            shape => (shape, false),
        }
    }
}

/// The name in `#/components/schemas/name`.
fn schema_name(reference: &str) -> Result<String> {
    let name = reference.strip_prefix("#/components/schemas/");
    name.map(str::to_owned)
        .with_context(|| format!("{reference} is no schema"))
}

fn of_object(document: &Document, schema: &Value) -> Result<Shape> {
    if let Some(reference) = schema["$ref"].as_str() {
        return Ok(Shape::Named(schema_name(reference)?));
    }
    if let Some(word) = schema.get("const") {
        let word = word.as_str().context("a constant is a text")?;
        return Ok(Shape::Words(vec![word.to_owned()]));
    }
    if let Some(words) = schema["enum"].as_array() {
        let texts = words.iter().filter_map(Value::as_str).map(str::to_owned);
        let texts = Shape::Words(texts.collect());
        return Ok(if words.contains(&Value::Null) {
            Shape::Nullable(Box::new(texts))
        } else {
            texts
        });
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema[several].as_array() {
            ensure!(
                schema.get("properties").is_none(),
                "{several} beside properties is not known here"
            );
            return one_of(document, schemas);
        }
    }
    if let Some(schemas) = schema["allOf"].as_array() {
        return all_of(document, schemas);
    }
    match &schema["type"] {
        Value::Null => Ok(Shape::Any),
        Value::String(kind) => of_kind(document, schema, kind),
        Value::Array(kinds) => {
            let is_nullable = kinds.iter().any(|it| it == "null");
            let kinds = kinds.iter().filter_map(Value::as_str);
            let shapes = kinds
                .filter(|it| *it != "null")
                .map(|it| of_kind(document, schema, it))
                .collect::<Result<Vec<_>>>()?;
            Ok(nullable(either(shapes), is_nullable))
        }
        _ => bail!("the type is not known here"),
    }
}

fn of_kind(document: &Document, schema: &Value, kind: &str) -> Result<Shape> {
    Ok(match kind {
        "boolean" => Shape::Boolean,
        "integer" => Shape::Integer(schema["format"].as_str().map(str::to_owned)),
        "number" => Shape::Number,
        "string" => Shape::Text,
        "array" => match (&schema["prefixItems"], schema.get("items")) {
            (Value::Array(schemas), _) => {
                let shapes = schemas.iter().map(|it| Shape::of(document, it));
                Shape::Tuple(shapes.collect::<Result<_>>()?)
            }
            (_, Some(items)) => Shape::List(Box::new(Shape::of(document, items)?)),
            (_, None) => Shape::List(Box::new(Shape::Any)),
        },
        "object" => match (schema.get("properties"), schema.get("additionalProperties")) {
            (Some(_), _) => Shape::Record(record(document, schema)?),
            (None, Some(Value::Bool(false))) => Shape::Record(Vec::new()),
            (None, Some(schema)) => Shape::Map(Box::new(Shape::of(document, schema)?)),
            (None, None) => Shape::Map(Box::new(Shape::Any)),
        },
        other => bail!("the type {other} is not known here"),
    })
}

fn record(document: &Document, schema: &Value) -> Result<Vec<Member>> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|it| it == name));
    members(&schema["properties"])
        .map(|(name, schema)| {
            Ok(Member {
                name: name.to_owned(),
                is_required: is_required(name),
                description: schema["description"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                shape: Shape::of(document, schema)?,
            })
        })
        .collect()
}

fn one_of(document: &Document, schemas: &[Value]) -> Result<Shape> {
    let is_null = |it: &&Value| it["type"] == "null";
    let shapes = schemas.iter().filter(|it| !is_null(it));
    let shapes = shapes
        .map(|it| Shape::of(document, it))
        .collect::<Result<Vec<_>>>()?;
    Ok(nullable(
        either(shapes),
        schemas.iter().any(|it| is_null(&it)),
    ))
}

/// A choice of the shapes: lists of words are merged, and equal shapes count once.
pub fn either(shapes: Vec<Shape>) -> Shape {
    let mut words = Vec::new();
    let mut others = Vec::new();
    for shape in shapes {
        match shape {
            Shape::Words(more) => words.extend(more),
            shape if others.contains(&shape) => {}
            shape => others.push(shape),
        }
    }
    if !words.is_empty() {
        others.insert(0, Shape::Words(words));
    }
    // Every integer is a number.
    if others.contains(&Shape::Number) {
        others.retain(|it| !matches!(it, Shape::Integer(_)));
    }
    match others.len() {
        1 => others.remove(0),
        _ => Shape::Either(others),
    }
}

fn nullable(shape: Shape, is_nullable: bool) -> Shape {
    match shape {
        Shape::Any | Shape::Nullable(_) => shape,
        shape if is_nullable => Shape::Nullable(Box::new(shape)),
        shape => shape,
    }
}

/// One schema with remarks is the schema; several are one record with the members of all.
fn all_of(document: &Document, schemas: &[Value]) -> Result<Shape> {
    if let [schema] = schemas {
        return Shape::of(document, schema);
    }
    let mut all = Vec::<Member>::new();
    for schema in schemas {
        let Shape::Record(members) = Shape::of(document, document.resolved(schema)?)? else {
            bail!("allOf of anything but objects is not known here");
        };
        for member in members {
            all.retain(|it| it.name != member.name);
            all.push(member);
        }
    }
    Ok(Shape::Record(all))
}
