//! The OpenAPI 3.1 description of a component, made from its route table. Native only: a test or a tool
//! makes the document, no component carries it.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use super::operation::{Operation, Parameter, Security};
use super::problem::Problem;
use super::routes::{Line, Routes};
use crate::store::INVALID_VALUE;

/// The parts of the document that one component adds.
pub struct Description {
    /// By path, then by method.
    pub paths: BTreeMap<String, Map<String, Value>>,
    pub schemas: Map<String, Value>,
    /// One per dialect and code: what a refusal looks like there.
    pub examples: Map<String, Value>,
    pub tags: BTreeSet<&'static str>,
}

/// Describes every line of the table. `component` begins the names of its schemas and operations, which
/// are unique over all components then.
pub fn describe(component: &str, routes: Routes) -> Description {
    let mut schemas = settings().into_generator();
    let mut description = Description {
        paths: BTreeMap::new(),
        schemas: Map::new(),
        examples: Map::new(),
        tags: BTreeSet::new(),
    };
    let mut ids = BTreeMap::new();
    for line in &routes.lines {
        let mut operation = Operation {
            schemas,
            ..Operation::default()
        };
        (line.about.describe)(&mut operation);
        let id = operation_id(component, line.about.handler, &mut ids);
        let written = written(line, &operation, &id, &mut description.examples);
        // OpenAPI knows no parameter that takes several segments.
        let path = line.path.replace("{*", "{");
        let path = description.paths.entry(path).or_default();
        path.insert(line.method.as_str().to_ascii_lowercase(), written);
        description.tags.insert(line.about.tag);
        schemas = operation.schemas;
    }
    let definitions = schemas.take_definitions(true);
    description.schemas = definitions
        .into_iter()
        .map(|(name, schema)| (schema_name(component, &name), schema))
        .collect();
    for schema in description.schemas.values_mut() {
        rename_references(component, schema);
    }
    for operation in description.paths.values_mut().flat_map(Map::values_mut) {
        rename_references(component, operation);
    }
    description
}

fn settings() -> SchemaSettings {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = DEFINITIONS.into();
    settings
}

const DEFINITIONS: &str = "/components/schemas";

/// `bookings::routes::places::search_places` → `bookings_search_places`; a name that is taken gets the
/// module in front of it, further spellings of one operation a number.
fn operation_id(
    component: &str,
    handler: &'static str,
    ids: &mut BTreeMap<String, (&'static str, u32)>,
) -> String {
    let parts: Vec<_> = handler.split("::").collect();
    let (name, module) = match parts.as_slice() {
        [.., module, name] => (*name, *module),
        _ => (handler, ""),
    };
    let mut id = format!("{component}_{name}");
    if ids.get(&id).is_some_and(|it| it.0 != handler) {
        id = format!("{component}_{module}_{name}");
    }
    let (_, times) = ids.entry(id.clone()).or_insert((handler, 0));
    *times += 1;
    match *times {
        1 => id,
        times => format!("{id}_{times}"),
    }
}

/// `Place` → `BookingsPlace`.
fn schema_name(component: &str, name: &str) -> String {
    let mut prefix = String::new();
    for word in component.split(['-', '_']) {
        let mut letters = word.chars();
        prefix.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        prefix.push_str(letters.as_str());
    }
    format!("{prefix}{name}")
}

fn rename_references(component: &str, value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "$ref" => {
                        let own = reference.strip_prefix("#/components/schemas/");
                        if let Some(own) = own.filter(|it| !it.starts_with("Problem")) {
                            *reference = format!("#{DEFINITIONS}/{}", schema_name(component, own));
                        }
                    }
                    member => rename_references(component, member),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                rename_references(component, item);
            }
        }
        _ => {}
    }
}

fn written(
    line: &Line,
    operation: &Operation,
    id: &str,
    examples: &mut Map<String, Value>,
) -> Value {
    let mut written = Map::new();
    written.insert("operationId".into(), id.into());
    written.insert("summary".into(), operation.summary.into());
    written.insert("tags".into(), json!([line.about.tag]));
    let notes = notes(line, operation);
    if !notes.is_empty() {
        written.insert("description".into(), notes.join("\n\n").into());
    }
    if let Some(dialect) = line.dialect.name() {
        written.insert("x-dialect".into(), dialect.into());
    }
    if let Some(instead) = operation.instead {
        written.insert("x-instead".into(), instead.into());
    }
    if let Some(canonical) = &line.canonical {
        let instead = format!("{} {canonical}", line.method);
        written.insert("x-instead".into(), instead.into());
    }
    if let Security::Roles(roles) = &operation.security {
        written.insert("x-roles".into(), json!(roles));
    }
    written.insert("security".into(), security(line, operation));
    let parameters = parameters(line, operation);
    if !parameters.is_empty() {
        written.insert("parameters".into(), parameters.into());
    }
    if let Some(body) = &operation.body {
        let content = json!({ body.media_type: { "schema": body.schema } });
        let body = json!({ "required": body.is_required, "content": content });
        written.insert("requestBody".into(), body);
    }
    written.insert(
        "responses".into(),
        responses(line.dialect, operation, examples).into(),
    );
    written.into()
}

fn notes(line: &Line, operation: &Operation) -> Vec<String> {
    let mut notes = operation.notes.clone();
    if let Security::Roles(roles) = &operation.security {
        notes.push(format!("Needs one of the roles: {}.", roles.join(", ")));
    }
    if let Some(canonical) = &line.canonical {
        notes.push(format!("Another spelling of `{canonical}`."));
    }
    if let Some(name) = line.dialect.name() {
        let instead = operation
            .instead
            .map_or_else(String::new, |it| format!(" New clients use `{it}`."));
        notes.push(format!(
            "Answers as the clients of the {name} system expect.{instead}"
        ));
    }
    notes
}

/// Every transport of a token, one of which suffices.
fn security(line: &Line, operation: &Operation) -> Value {
    let mut ways = vec![
        json!({ "bearer": [] }),
        json!({ "api_key": [] }),
        json!({ "cookie": [] }),
    ];
    if line.path.starts_with("/api/method/") {
        ways.push(json!({ "query_token": [] }));
    }
    match operation.security {
        Security::Public => json!([]),
        Security::Optional => {
            ways.push(json!({}));
            ways.into()
        }
        Security::SignedIn | Security::Roles(_) => ways.into(),
        Security::Secret => json!([{ "secret": [] }]),
    }
}

fn parameters(line: &Line, operation: &Operation) -> Vec<Value> {
    let names = line
        .path
        .split('/')
        .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'));
    let text = json!({ "type": "string" });
    let of_struct = operation.segments.first();
    let members = of_struct.and_then(|it| it.get("properties"));
    let in_path = names.enumerate().map(|(at, name)| {
        let name = name.trim_start_matches('*');
        let member = members.and_then(|it| it.get(name));
        let schema = member
            .or_else(|| operation.segments.get(at))
            .unwrap_or(&text);
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let others = operation.parameters.iter().map(|it: &Parameter| {
        let mut schema = present(it.schema.clone());
        // The description stands beside the schema, where people look for it.
        if let Some(members) = schema.as_object_mut() {
            members.remove("description");
            members.remove("default");
        }
        let mut parameter = json!({ "name": it.name, "in": it.place, "schema": schema });
        if let Some(members) = parameter.as_object_mut() {
            if it.is_required {
                members.insert("required".into(), true.into());
            }
            if !it.description.is_empty() {
                members.insert("description".into(), it.description.clone().into());
            }
        }
        parameter
    });
    in_path.chain(others).collect()
}

/// A parameter that may be absent is never null.
fn present(mut schema: Value) -> Value {
    let is_null = |it: &Value| it == "null" || it["type"] == "null";
    if let Some(kind) = schema.get_mut("type")
        && let Some(kinds) = kind.as_array_mut()
    {
        kinds.retain(|it| !is_null(it));
        if let [only] = kinds.as_slice() {
            *kind = only.clone();
        }
    }
    let several = schema.get("anyOf").and_then(Value::as_array);
    let mut others = several.into_iter().flatten().filter(|it| !is_null(it));
    match (others.next(), others.next()) {
        (Some(one), None) => one.clone(),
        _ => schema,
    }
}

fn responses(
    dialect: Dialect,
    operation: &Operation,
    examples: &mut Map<String, Value>,
) -> Map<String, Value> {
    let mut responses = BTreeMap::new();
    for (status, answer) in &operation.answers {
        let mut response = Map::new();
        let reason = StatusCode::from_u16(*status)
            .ok()
            .and_then(|it| it.canonical_reason());
        response.insert("description".into(), reason.unwrap_or("Done").into());
        let content: Map<_, _> = answer
            .content
            .iter()
            .map(|(media_type, schema)| match schema {
                Value::Null => (media_type.clone(), json!({})),
                schema => (media_type.clone(), json!({ "schema": schema })),
            })
            .collect();
        if !content.is_empty() {
            response.insert("content".into(), content.into());
        }
        if !answer.headers.is_empty() {
            let headers: Map<_, _> = answer
                .headers
                .iter()
                .map(|(name, description)| {
                    let schema = json!({ "type": "string" });
                    let header = json!({ "description": description, "schema": schema });
                    ((*name).to_owned(), header)
                })
                .collect();
            response.insert("headers".into(), headers.into());
        }
        responses.insert(status.to_string(), Value::Object(response));
    }
    for (status, problems) in refusals(dialect, operation) {
        let response = responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": "" }));
        refuse(response, dialect, &problems, examples);
    }
    responses.insert(
        "default".to_owned(),
        json!({ "$ref": "#/components/responses/Refused" }),
    );
    responses.into_iter().collect()
}

/// Refusals by the status that this dialect sends.
fn refusals(dialect: Dialect, operation: &Operation) -> BTreeMap<u16, Vec<Problem>> {
    let anywhere = [
        Problem::internal(&std::io::Error::other("")),
        Problem::unavailable(&std::io::Error::other("")),
        INVALID_VALUE,
    ];
    let mut by_status = BTreeMap::<u16, Vec<Problem>>::new();
    for problem in operation.refusals.iter().chain(&anywhere) {
        let problems = by_status
            .entry(dialect.status(problem).as_u16())
            .or_default();
        if problems.iter().all(|it| it.code() != problem.code()) {
            problems.push(problem.clone());
        }
    }
    by_status
}

/// Adds the refusals of one status. Their examples are what the dialect really writes.
fn refuse(
    response: &mut Value,
    dialect: Dialect,
    problems: &[Problem],
    examples: &mut Map<String, Value>,
) {
    let schema = dialect.problem_schema();
    let mut lines = Vec::new();
    let mut references = Map::new();
    let mut codes = Vec::new();
    for problem in problems {
        let code = problem.code();
        let name = format!("{schema}.{code}");
        let reference = json!({ "$ref": format!("#/components/examples/{name}") });
        lines.push(format!("- `{code}`: {}", problem.title()));
        references.insert(code.to_owned(), reference);
        codes.push(code);
        let body = dialect.body(problem, "0199f0a0-0000-7000-8000-000000000001");
        examples.insert(name, json!({ "value": body }));
    }
    let content = json!({
        "schema": { "$ref": format!("#{DEFINITIONS}/{schema}") },
        "examples": references,
    });
    if let Some(response) = response.as_object_mut() {
        response.insert("description".into(), lines.join("\n").into());
        let contents = response.entry("content").or_insert_with(|| json!({}));
        if let Some(contents) = contents.as_object_mut() {
            contents.insert(dialect.media_type().to_owned(), content);
        }
        response.insert("x-codes".into(), json!(codes));
    }
}

/// The schemas of refusals, one per dialect: RFC 9457 with the members that older clients read.
pub fn problem_schemas() -> Map<String, Value> {
    let plain = json!({
        "type": "object",
        "description": "RFC 9457 problem details",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string", "description": "Names the problem for programs; it never changes" },
            "request_id": { "type": "string" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": { "type": "string", "description": "JSON pointer into the request's body" },
                        "detail": { "type": "string" }
                    }
                }
            }
        }
    });
    let mut schemas = Map::new();
    for dialect in Dialect::ALL {
        let name = dialect.problem_schema();
        let members = dialect.legacy_members();
        let schema = if dialect == Dialect::Rpc {
            json!({
                "type": "object",
                "required": ["error"],
                "properties": { "error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": { "code": { "type": "integer" }, "message": { "type": "string" } }
                } }
            })
        } else if members.is_empty() {
            plain.clone()
        } else {
            let properties: Map<_, _> = members
                .iter()
                .map(|(member, kind)| ((*member).to_owned(), json!({ "type": kind })))
                .collect();
            let required: Vec<_> = members.iter().map(|it| it.0).collect();
            json!({ "allOf": [
                { "$ref": format!("#{DEFINITIONS}/Problem") },
                { "type": "object", "required": required, "properties": properties }
            ] })
        };
        schemas.insert(name.to_owned(), schema);
    }
    schemas
}
