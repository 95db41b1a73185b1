//! Checks every answer that a test gets against the API description, and records every operation that succeeded:
//! `infra/test` fails when an operation succeeded in no test.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};
use wharf_launch::repository;
use wharf_openapi::{Document, Operation, schema};

use crate::answer::Answer;
use crate::record::Record;

static SUCCEEDED: Record = Record::new("TEST_SUCCEEDED");

/// The description as it is committed.
pub static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let text = fs::read_to_string(repository().join("docs/openapi.json"));
    Document::parse(&text.expect("docs/openapi.json")).expect("the API description")
});

/// Its operations.
pub static OPERATIONS: LazyLock<Vec<Operation<'static>>> =
    LazyLock::new(|| DOCUMENT.operations().expect("the operations"));

/// The differences of an answer from the description. Empty for a path that the description does not have.
pub(crate) fn faults_of(method: &str, path: &str, answer: &Answer) -> Vec<String> {
    match find(method, path) {
        Some(operation) => faults(&DOCUMENT, operation, answer),
        None => Vec::new(),
    }
}

/// Records once that the operation succeeded.
pub(crate) fn note_success(method: &str, path: &str) {
    static NOTED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let Some(operation) = find(method, path) else {
        return;
    };
    let is_new = NOTED.lock().is_ok_and(|mut it| it.insert(operation.id));
    if is_new {
        SUCCEEDED.write(operation.id);
    }
}

/// The operation with that method whose path is most like this one.
fn find(method: &str, path: &str) -> Option<&'static Operation<'static>> {
    let segments: Vec<_> = path.split('/').collect();
    let literals = |it: &Operation<'_>| {
        let template: Vec<_> = it.path.split('/').collect();
        let pairs = || template.iter().zip(&segments);
        let fits = template.len() == segments.len()
            && pairs().all(|(like, it)| like == it || like.starts_with('{') && !it.is_empty());
        fits.then(|| pairs().filter(|(like, it)| like == it).count())
    };
    OPERATIONS
        .iter()
        .filter(|it| it.method == method)
        .filter_map(|it| Some((literals(it)?, it)))
        .max_by_key(|(literals, _)| *literals)
        .map(|(_, operation)| operation)
}

/// The faults of the answer; empty when it is as described.
pub fn faults(document: &Document, operation: &Operation<'_>, answer: &Answer) -> Vec<String> {
    let status = answer.status();
    if status == 500 {
        return vec![format!("{status} is a fault of the platform")];
    }
    let Some(described) = operation.answers.iter().find(|it| it.status == status) else {
        return host_refusal(document, answer);
    };
    if !described.is_success() && is_by_host(answer) {
        return host_refusal(document, answer);
    }
    let mut faults = Vec::new();
    if described.content.is_empty() {
        if !answer.text().is_empty() {
            faults.push("a body where none is described".to_owned());
        }
        return faults;
    }
    let media_type = bare(answer.header("content-type").unwrap_or_default());
    let Some((_, schema)) = described.content.iter().find(|it| bare(it.0) == media_type) else {
        return vec![format!("{media_type:?} is not described for {status}")];
    };
    if let Some(schema) = schema {
        match serde_json::from_str::<Value>(&answer.text()) {
            Ok(body) => {
                faults.extend(schema::faults(document, schema, &body));
                faults.extend(refusal(described.codes.as_slice(), &body));
            }
            Err(error) => faults.push(format!("the body is not JSON: {error}")),
        }
    }
    if described.headers.contains(&"Location")
        && described.is_success()
        && answer.header("location").is_none()
    {
        faults.push("no Location".to_owned());
    }
    faults
}

/// A media type without its parameters.
fn bare(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default()
}

/// A fault if the code is none of the described ones. Refusals of launchers have numbers instead of codes.
fn refusal(codes: &[&str], body: &Value) -> Option<String> {
    let code = body["code"].as_str()?;
    let is_known = codes.is_empty() || codes.contains(&code);
    (!is_known).then(|| format!("the code {code} is not described"))
}

/// Whether the host itself refused the request before any function was called.
fn is_by_host(answer: &Answer) -> bool {
    let body: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
    let codes = ["body_too_large", "body_late", "request_timeout", "stopping"];
    body["code"].as_str().is_some_and(|it| codes.contains(&it))
}

/// Checks a refusal of the host or the router, which may come on every path.
fn host_refusal(document: &Document, answer: &Answer) -> Vec<String> {
    let status = answer.status();
    if ![404, 405, 408, 413, 414, 431, 503, 504].contains(&status) {
        return vec![format!("{status} is not described")];
    }
    let Ok(body) = serde_json::from_str::<Value>(&answer.text()) else {
        return vec![format!("{status} without a problem")];
    };
    if body["error"]["code"].is_number() {
        return Vec::new();
    }
    schema::faults(
        document,
        &json!({ "$ref": "#/components/schemas/Problem" }),
        &body,
    )
}
