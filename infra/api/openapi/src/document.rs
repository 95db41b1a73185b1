//! The parts of the description: operations with their parameters, bodies and answers.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// A whole description.
pub struct Document(Value);

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    pub id: &'a str,
    /// The id, without the number by which the spellings of one operation differ.
    pub name: &'a str,
    /// The function that serves it.
    pub component: &'a str,
    /// In capitals: `POST`.
    pub method: String,
    pub path: &'a str,
    pub summary: &'a str,
    pub description: &'a str,
    pub tags: Vec<&'a str>,
    /// The operation that new clients call instead, as `POST /auth/login`.
    pub instead: Option<&'a str>,
    /// Another operation of the same name is recommended.
    pub is_other_spelling: bool,
    /// The roles of which one is needed; absent if every caller may.
    pub roles: Vec<&'a str>,
    /// The names of the security schemes of which one suffices; empty for public operations.
    pub security: Vec<&'a str>,
    pub parameters: Vec<Parameter<'a>>,
    pub body: Option<Body<'a>>,
    pub answers: Vec<Answer<'a>>,
}

#[derive(Clone, Debug)]
pub struct Parameter<'a> {
    pub name: &'a str,
    pub place: Place,
    pub is_required: bool,
    pub description: &'a str,
    pub schema: &'a Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Header,
}

#[derive(Clone, Debug)]
pub struct Body<'a> {
    pub media_type: &'a str,
    pub is_required: bool,
    pub schema: &'a Value,
}

#[derive(Clone, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    /// Media types, each with the schema of its body if it has one.
    pub content: Vec<(&'a str, Option<&'a Value>)>,
    /// Of refusals.
    pub codes: Vec<&'a str>,
    pub headers: Vec<&'a str>,
}

impl Answer<'_> {
    pub fn is_success(&self) -> bool {
        self.status < 400
    }
}

/// The media type under which answers carry JSON that is no refusal.
pub const JSON: &str = "application/json";

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Document {
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map(Self)
            .context("the API description is not JSON")
    }

    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The schemas by name.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .pointer("/components/schemas")
            .into_iter()
            .flat_map(members)
    }

    /// The part of the document that `#/components/…` refers to.
    pub fn resolve(&self, reference: &str) -> Result<&Value> {
        let pointer = reference.strip_prefix('#');
        pointer
            .and_then(|it| self.0.pointer(it))
            .with_context(|| format!("{reference} leads nowhere"))
    }

    /// The value itself, or the value that its `$ref` refers to.
    pub fn resolved<'a>(&'a self, value: &'a Value) -> Result<&'a Value> {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.resolve(reference),
            None => Ok(value),
        }
    }

    /// Every operation, ordered by path.
    pub fn operations(&self) -> Result<Vec<Operation<'_>>> {
        let mut operations = Vec::new();
        for (path, methods) in self.0.get("paths").into_iter().flat_map(members) {
            for (method, described) in members(methods) {
                let operation = self.operation(path, method, described);
                operations.push(operation.with_context(|| format!("{method} {path}"))?);
            }
        }
        let ids: Vec<_> = operations.iter().map(|it| it.id).collect();
        for it in &mut operations {
            let numbered = it.id.rsplit_once('_');
            let original = numbered.filter(|it| it.1.parse::<u32>().is_ok());
            it.name = original
                .map(|it| it.0)
                .filter(|it| ids.contains(it))
                .unwrap_or(it.id);
        }
        // For each name, the first operation that no other one replaces.
        let mut recommended = BTreeMap::new();
        for it in &operations {
            let rank = (it.instead.is_some(), it.id);
            let best = recommended.entry(it.name).or_insert(rank);
            *best = rank.min(*best);
        }
        for it in &mut operations {
            let best = recommended.get(it.name);
            it.is_other_spelling = best.is_some_and(|best| best.1 != it.id);
        }
        Ok(operations)
    }

    fn operation<'a>(
        &'a self,
        path: &'a str,
        method: &'a str,
        it: &'a Value,
    ) -> Result<Operation<'a>> {
        if !METHODS.contains(&method) {
            bail!("{method} is no method that is known here");
        }
        let parameters = items(&it["parameters"]).map(parameter);
        let answers = members(&it["responses"]).filter(|it| it.0 != "default");
        let security = items(&it["security"]).flat_map(members);
        let id = it["operationId"].as_str().context("no operationId")?;
        Ok(Operation {
            id,
            name: id,
            component: text(it, "x-component"),
            method: method.to_uppercase(),
            path,
            summary: text(it, "summary"),
            description: text(it, "description"),
            tags: texts(&it["tags"]),
            instead: it["x-instead"].as_str(),
            is_other_spelling: false,
            roles: texts(&it["x-roles"]),
            security: security.map(|it| it.0).collect(),
            parameters: parameters.collect::<Result<_>>()?,
            body: it.get("requestBody").map(body).transpose()?,
            answers: answers
                .map(|(status, it)| answer(status, self.resolved(it)?))
                .collect::<Result<_>>()?,
        })
    }
}

fn parameter(it: &Value) -> Result<Parameter<'_>> {
    Ok(Parameter {
        name: it["name"].as_str().context("a parameter has no name")?,
        place: match text(it, "in") {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            other => bail!("parameters in {other:?} are not known here"),
        },
        is_required: it["required"] == true,
        description: text(it, "description"),
        schema: it.get("schema").context("a parameter has no schema")?,
    })
}

fn body(it: &Value) -> Result<Body<'_>> {
    let mut content = members(&it["content"]);
    let (Some((media_type, content)), None) = (content.next(), content.next()) else {
        bail!("a body has one media type");
    };
    Ok(Body {
        media_type,
        is_required: it["required"] == true,
        schema: &content["schema"],
    })
}

fn answer<'a>(status: &str, it: &'a Value) -> Result<Answer<'a>> {
    let content = members(&it["content"]).map(|(media_type, it)| (media_type, it.get("schema")));
    Ok(Answer {
        status: status
            .parse()
            .with_context(|| format!("{status} is no status"))?,
        content: content.collect(),
        codes: texts(&it["x-codes"]),
        headers: members(&it["headers"]).map(|it| it.0).collect(),
    })
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    items(value).filter_map(Value::as_str).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flat_map(Map::iter);
    members.map(|(name, value)| (name.as_str(), value))
}
