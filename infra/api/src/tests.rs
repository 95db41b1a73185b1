//! The description is current, complete and true to itself, and `spin.toml` agrees with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kit::web::openapi::describe;
use serde_json::{Map, Value};
use wharf_openapi::{Document, Operation, Place, clients, schema};

use super::{COMMITTED, document, functions, text};

fn made() -> Document {
    Document::new(document().unwrap())
}

/// Fails with all faults at once.
#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_committed_description_is_current() {
    let committed = std::fs::read_to_string(COMMITTED).unwrap();
    assert!(
        committed == text().unwrap(),
        "run `cargo run --release -p wharf-api`"
    );
}

#[test]
fn every_line_of_every_route_table_is_an_operation() {
    let document = made();
    for (component, routes) in functions() {
        let lines = describe(component, routes).paths;
        let described = document.operations().unwrap();
        let described = described.iter().filter(|it| it.component == component);
        let lines: usize = lines.values().map(Map::len).sum();
        assert_eq!(described.count(), lines, "{component}");
    }
}

#[test]
fn every_operation_has_a_summary_a_tag_and_an_id_of_its_own() {
    let document = made();
    let mut ids = BTreeSet::new();
    let mut faults = Vec::new();
    for it in document.operations().unwrap() {
        if it.summary.is_empty() || it.summary.ends_with('.') {
            faults.push(format!("{}: the summary is a few words", it.id));
        }
        if it.tags.len() != 1 || it.tags.contains(&"") {
            faults.push(format!("{}: one tag", it.id));
        }
        if !ids.insert(it.id) {
            faults.push(format!("{}: the id is taken", it.id));
        }
    }
    assert_none(&faults);
}

#[test]
fn every_reference_resolves_and_every_schema_is_used() {
    let document = made();
    let mut references = BTreeSet::new();
    let mut unread = vec![document.value()];
    while let Some(value) = unread.pop() {
        match value {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                references.extend(reference);
                unread.extend(members.values());
            }
            Value::Array(items) => unread.extend(items),
            _ => {}
        }
    }
    for reference in &references {
        document.resolve(reference).unwrap();
    }
    for (name, _) in document.schemas() {
        let reference = format!("#/components/schemas/{name}");
        assert!(references.contains(reference.as_str()), "{reference}");
    }
}

/// The names in braces in a path.
fn placeholders(path: &str) -> BTreeSet<&str> {
    let segments = path.split('/');
    let named = segments.filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'));
    named.map(|it| it.trim_start_matches('*')).collect()
}

#[test]
fn every_parameter_of_a_path_is_declared_and_no_name_twice() {
    let document = made();
    for it in document.operations().unwrap() {
        let named = |place| it.parameters.iter().filter(move |it| it.place == place);
        let declared: BTreeSet<_> = named(Place::Path).map(|it| it.name).collect();
        assert_eq!(declared, placeholders(it.path), "{}", it.id);
        for place in [Place::Query, Place::Header] {
            let names: BTreeSet<_> = named(place).map(|it| it.name).collect();
            assert_eq!(names.len(), named(place).count(), "{}", it.id);
        }
    }
}

#[test]
fn every_parameter_is_one_value() {
    let document = made();
    let mut faults = Vec::new();
    for it in document.operations().unwrap() {
        for parameter in &it.parameters {
            let schema = document.resolved(parameter.schema).unwrap();
            if schema.get("properties").is_some() {
                faults.push(format!("{}: {} is an object", it.id, parameter.name));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_success_is_described_and_a_201_has_a_location() {
    let document = made();
    for it in document.operations().unwrap() {
        assert!(it.answers.iter().any(|it| it.is_success()), "{}", it.id);
        for answer in it.answers.iter().filter(|it| it.status == 201) {
            assert!(answer.headers.contains(&"Location"), "{}", it.id);
        }
    }
}

#[test]
fn every_refusal_has_a_code() {
    let document = made();
    for it in document.operations().unwrap() {
        for answer in it.answers.iter().filter(|it| !it.is_success()) {
            assert!(!answer.codes.is_empty(), "{} {}", it.id, answer.status);
        }
    }
}

/// Checks every `examples` and `default` below `value` against the schema that it stands in.
fn check_examples(document: &Document, value: &Value, at: &str, faults: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let examples = members.get("examples").and_then(Value::as_array);
            for example in examples.into_iter().flatten() {
                for fault in schema::faults(document, value, example) {
                    faults.push(format!("{at}: the example {example}: {fault}"));
                }
            }
            for (name, member) in members {
                check_examples(document, member, &format!("{at}/{name}"), faults);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_examples(document, item, &format!("{at}/{index}"), faults);
            }
        }
        _ => {}
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = made();
    let mut faults = Vec::new();
    check_examples(&document, document.value(), "", &mut faults);
    assert_none(&faults);
}

#[test]
fn every_example_of_a_refusal_has_the_shape_of_its_dialect() {
    let document = made();
    let mut faults = Vec::new();
    let examples = document.value()["components"]["examples"].as_object();
    for (name, example) in examples.unwrap() {
        let (dialect, _) = name.split_once('.').unwrap();
        let schema = &document.value()["components"]["schemas"][dialect];
        for fault in schema::faults(&document, schema, &example["value"]) {
            faults.push(format!("{name}: {fault}"));
        }
    }
    assert_none(&faults);
}

/// A route of `spin.toml`.
struct Route {
    path: String,
    /// The package that the component is built from: a function may stand in the manifest twice, with other limits.
    component: String,
}

impl Route {
    /// The length of the path that the route fixes: the most exact route wins.
    fn covers(&self, path: &str) -> Option<usize> {
        match self.path.strip_suffix("/...") {
            Some(prefix) => {
                let rest = path.strip_prefix(prefix)?;
                (rest.is_empty() || rest.starts_with('/')).then_some(prefix.len())
            }
            None => {
                let is_same = |(own, other): (&str, &str)| {
                    own == other || own.starts_with(':') && other.starts_with('{')
                };
                let (own, other) = (self.path.split('/'), path.split('/'));
                let is_covered =
                    own.clone().count() == other.clone().count() && own.zip(other).all(is_same);
                is_covered.then_some(usize::MAX)
            }
        }
    }
}

fn routes() -> Vec<Route> {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml"));
    let manifest: toml::Table = manifest.unwrap().parse().unwrap();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let package = |component: &str| {
        let source = manifest["component"][component]["source"].as_str().unwrap();
        let file = Path::new(source).file_stem().unwrap().to_str().unwrap();
        file.replace('_', "-")
    };
    let routes = triggers.iter().filter_map(|it| {
        Some(Route {
            path: it["route"].as_str()?.to_owned(),
            component: package(it["component"].as_str().unwrap()),
        })
    });
    routes.collect()
}

#[test]
fn every_operation_is_routed_to_its_function() {
    let document = made();
    let routes = routes();
    let mut faults = Vec::new();
    for it in document.operations().unwrap() {
        let covering = routes
            .iter()
            .filter_map(|route| Some((route.covers(it.path)?, route)));
        let winner = covering
            .max_by_key(|it| it.0)
            .map(|it| it.1.component.as_str());
        if winner != Some(it.component) {
            let (id, path, component) = (it.id, it.path, it.component);
            faults.push(format!(
                "{id}: {path} is of {component} and leads to {winner:?}"
            ));
        }
    }
    assert_none(&faults);
}

#[test]
fn every_route_leads_to_an_operation() {
    let document = made();
    let operations = document.operations().unwrap();
    let leads = |route: &Route, it: &Operation<'_>| {
        it.component == route.component && route.covers(it.path).is_some()
    };
    // The console's pages are for people.
    for route in routes().iter().filter(|it| it.component != "console") {
        let is_described = operations.iter().any(|it| leads(route, it));
        assert!(is_described, "{} leads to no operation", route.path);
    }
}

#[test]
fn an_old_form_names_an_operation_that_is_not_old() {
    let document = made();
    let operations = document.operations().unwrap();
    let addresses: BTreeMap<_, _> = operations
        .iter()
        .map(|it| (format!("{} {}", it.method, it.path), it))
        .collect();
    let mut faults = Vec::new();
    for it in &operations {
        let Some(instead) = it.instead else { continue };
        match addresses.get(instead) {
            None => faults.push(format!("{}: {instead} is no operation", it.id)),
            Some(other) if other.instead.is_some() && !it.is_other_spelling => {
                faults.push(format!("{}: {instead} is an old form too", it.id));
            }
            Some(_) => {}
        }
    }
    assert_none(&faults);
}

#[test]
fn the_clients_have_one_method_per_operation() {
    let document = made();
    let operations = document.operations().unwrap();
    let methods = operations.iter().filter(|it| !it.is_other_spelling).count();
    let typescript = clients::typescript(&document).unwrap();
    assert_eq!(typescript.matches("return this.#send({").count(), methods);
    let rust = clients::rust(&document).unwrap();
    assert_eq!(rust.matches("    pub async fn ").count(), methods);
}

#[test]
fn the_typescript_client_declares_every_schema_and_closes_every_brace() {
    let document = made();
    let client = clients::typescript(&document).unwrap();
    for (name, _) in document.schemas().filter(|it| it.0 != "Problem") {
        let declared = [
            format!("export interface {name} "),
            format!("export type {name} "),
        ];
        let is_declared = declared.iter().any(|it| client.contains(it));
        assert!(is_declared, "{name} is not declared");
    }
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        let code = client.lines().filter(|it| !is_comment(it));
        let depth = code.flat_map(str::chars).fold(0_i32, |depth, it| {
            depth + i32::from(it == open) - i32::from(it == close)
        });
        assert_eq!(depth, 0, "{open}{close}");
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["/*", "* ", "*/", "//"]
        .iter()
        .any(|it| line.starts_with(it))
        || line == "*"
}

/// The builds that take changes have no Node; a developer's machine that has `tsc` tells more.
#[test]
fn the_typescript_client_compiles_where_there_is_a_compiler() {
    let folder = std::env::temp_dir().join(format!("wharf-clients-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("wharf.ts");
    std::fs::write(&file, clients::typescript(&made()).unwrap()).unwrap();
    let compiled = std::process::Command::new("tsc")
        .args([
            "--strict",
            "--noEmit",
            "--noUnusedLocals",
            "--exactOptionalPropertyTypes",
        ])
        .args(["--target", "es2022", "--lib", "es2022,dom,dom.iterable"])
        .arg(&file)
        .output();
    std::fs::remove_dir_all(&folder).unwrap();
    if let Ok(compiled) = compiled {
        let said = String::from_utf8_lossy(&compiled.stdout);
        assert!(compiled.status.success(), "{said}");
    }
}
