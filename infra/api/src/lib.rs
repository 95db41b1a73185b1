//! The API description of the platform: the route tables of all functions as one OpenAPI 3.1 document.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use kit::web::Routes;
use kit::web::openapi::{Description, describe, problem_schemas};
use serde_json::{Map, Value, json};

/// The committed description.
pub const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// Every function that answers HTTP, with its route table.
pub fn functions() -> Vec<(&'static str, Routes)> {
    vec![
        ("bookings", bookings::routes::routes()),
        ("fines", fines::routes::routes()),
        ("front", front::routes::routes()),
        ("jobs", jobs::routes::routes()),
        ("modpacks", modpacks::routes::routes()),
        ("notify", notify::routes::routes()),
        ("orders", orders::routes::routes()),
        ("payments", payments::routes::routes()),
        ("sandbox-psp", sandbox_psp::routes::routes()),
        ("signin", signin::routes::routes()),
        ("telegram", telegram::routes::routes()),
    ]
}

/// The whole document.
pub fn document() -> Result<Value> {
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    let mut schemas = problem_schemas();
    let mut examples = Map::new();
    let mut tags = Vec::new();
    for (component, routes) in functions() {
        let Description {
            paths: described,
            schemas: defined,
            examples: shown,
            tags: named,
        } = describe(component, routes);
        for (path, operations) in described {
            let path = paths.entry(path).or_default();
            for (method, mut operation) in operations {
                if let Some(members) = operation.as_object_mut() {
                    members.insert("x-component".to_owned(), component.into());
                }
                let twice = path.insert(method, operation).is_some();
                ensure!(!twice, "{component}: an operation is described twice");
            }
        }
        schemas.extend(defined);
        examples.extend(shown);
        tags.extend(named.into_iter().map(|name| json!({ "name": name })));
    }
    keep_used(&mut schemas, &json!(paths));
    tags.sort_by_key(|it| it["name"].as_str().unwrap_or_default().to_owned());
    tags.dedup();
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wharf",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": include_str!("introduction.md"),
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": examples,
            "responses": {
                "Refused": {
                    "description": "A refusal of the host before any function is asked: no such route (404), a body that takes \
                        too long (408) or is too large (413), too many requests at once (503), a function that takes too long (504)",
                    "content": {
                        "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } }
                    }
                }
            },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "api_key": { "type": "apiKey", "in": "header", "name": "api_key" },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "access_token",
                    "description": "Requests that change something by cookie need an `Origin` of the platform itself"
                },
                "query_token": {
                    "type": "apiKey", "in": "query", "name": "token",
                    "description": "Under /api/method/ alone"
                },
                "secret": {
                    "type": "http", "scheme": "bearer",
                    "description": "A secret that the operator configures, as `tick_token`"
                }
            }
        }
    }))
}

/// Drops the schemas that no operation refers to. A schema of a query is one: its members are parameters.
fn keep_used(schemas: &mut Map<String, Value>, paths: &Value) {
    let mut used = BTreeSet::new();
    let mut unread = vec![paths];
    while let Some(value) = unread.pop() {
        match value {
            Value::Object(members) => {
                unread.extend(members.values());
                let reference = members.get("$ref").and_then(Value::as_str);
                let name = reference.and_then(|it| it.strip_prefix("#/components/schemas/"));
                if let Some(name) = name.filter(|it| used.insert((*it).to_owned())) {
                    unread.extend(schemas.get(name));
                }
            }
            Value::Array(items) => unread.extend(items),
            _ => {}
        }
    }
    // The host's own refusals have this form.
    used.insert("Problem".to_owned());
    schemas.retain(|name, _| used.contains(name));
}

/// The document as it is committed.
pub fn text() -> Result<String> {
    Ok(serde_json::to_string_pretty(&document()?)? + "\n")
}

#[cfg(test)]
mod tests;
