//! The precedence of sources, and the messages for missing and undeclared variables.

use super::*;
use crate::runtime_config::VariablesProvider;
use std::path::PathBuf;

fn declared(variables: &[(&str, Option<&str>, bool)]) -> BTreeMap<String, Variable> {
    let variables = variables.iter().map(|(name, default, secret)| {
        let variable = Variable {
            default: default.map(str::to_owned),
            secret: *secret,
            description: String::new(),
        };
        ((*name).to_owned(), variable)
    });
    variables.collect()
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter();
    variables
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn fixed(name: &str, value: &str) -> VariablesProvider {
    VariablesProvider::Static {
        values: [(name.to_owned(), value.to_owned())].into(),
    }
}

fn flags(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

fn no_host_value(_: &str) -> Option<String> {
    None
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_first_source_with_a_value_wins() {
    let declared = declared(&[("name", Some("default"), false)]);
    let prefixed = VariablesProvider::Environment {
        prefix: Some("SHOP".to_owned()),
        dotenv_path: None,
    };
    let value = |given: &[&str],
                 providers: &[VariablesProvider],
                 env: &[(&str, &str)],
                 host: Option<&str>| {
        let sources = Sources::read(&flags(given), providers, environment(env)).unwrap();
        let variables =
            Variables::resolve(&declared, &sources, |_| host.map(str::to_owned)).unwrap();
        variables.get("name").unwrap().to_owned()
    };
    let env = [
        ("SPIN_VARIABLE_NAME", "environment"),
        ("SHOP_NAME", "prefixed"),
    ];
    let providers = [
        fixed("other", "x"),
        fixed("name", "first"),
        fixed("name", "second"),
    ];
    assert_eq!(
        value(&["name=flag"], &providers, &env, Some("host")),
        "flag"
    );
    assert_eq!(
        value(&["name=flag", "name=later flag"], &[], &[], None),
        "later flag"
    );
    assert_eq!(value(&[], &providers, &env, Some("host")), "first");
    assert_eq!(value(&[], &[prefixed], &env, Some("host")), "prefixed");
    assert_eq!(value(&[], &[], &env, Some("host")), "environment");
    assert_eq!(value(&[], &[], &[], Some("host")), "host");
    assert_eq!(value(&[], &[], &[], None), "default");
    assert_eq!(
        value(&["name="], &[], &env, None),
        "",
        "an empty value is a value"
    );
}

#[test]
fn flags_may_name_files() {
    let folder = tempfile::tempdir().unwrap();
    let text = file(&folder, "key.pem", "-----BEGIN\nKEY-----\n");
    let toml = file(&folder, "some.toml", "a = \"from toml\"\nb = \"b\"");
    let json = file(
        &folder,
        "some.json",
        "{\"b\": \"from json\", \"unknown\": \"is no mistake in a file\"}",
    );
    let given = [
        format!("key=@{}", text.display()),
        format!("@{}", toml.display()),
        format!("@{}", json.display()),
        "c=x=y@z".to_owned(),
    ];
    let sources = Sources::read(&given, &[], Environment::default()).unwrap();
    for (name, expected) in [
        ("key", "-----BEGIN\nKEY-----\n"),
        ("a", "from toml"),
        ("b", "from json"),
        ("c", "x=y@z"),
    ] {
        assert_eq!(sources.get(name), Some(expected), "{name}");
    }
    let declared = declared(&[
        ("a", None, false),
        ("b", None, false),
        ("c", None, false),
        ("key", None, true),
    ]);
    assert!(Variables::resolve(&declared, &sources, no_host_value).is_ok());
}

#[test]
fn every_bad_flag_is_reported_without_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let bad = file(&folder, "bad.toml", "key = hunter2");
    let yaml = file(&folder, "some.yaml", "key: hunter2");
    let given = [
        "nonsense".to_owned(),
        "key=@/nowhere/key.pem".to_owned(),
        format!("@{}", bad.display()),
        format!("@{}", yaml.display()),
    ];
    let faults = Sources::read(&given, &[], Environment::default()).unwrap_err();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(
        !faults.iter().any(|fault| fault.contains("hunter2")),
        "{faults:?}"
    );
}

#[test]
fn the_environment_has_precedence_over_a_dotenv_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = "# comment\nSHOP_A=\"a\nsecond line\"\nexport SHOP_B='b # b'\nSHOP_PATH=never\n";
    let provider = VariablesProvider::Environment {
        prefix: Some("SHOP".to_owned()),
        dotenv_path: Some(file(&folder, "shop.env", text)),
    };
    let environment = environment(&[("SHOP_PATH", "process")]);
    let sources = Sources::read(&[], &[provider], environment).unwrap();
    assert_eq!(sources.get("a"), Some("a\nsecond line"));
    assert_eq!(sources.get("b"), Some("b # b"));
    assert_eq!(sources.get("path"), Some("process"));

    for (name, text) in [("bad.env", "hunter 2 = 3\n"), ("gone.env", "")] {
        let path = match text {
            "" => folder.path().join(name),
            text => file(&folder, name, text),
        };
        let provider = VariablesProvider::Environment {
            prefix: None,
            dotenv_path: Some(path),
        };
        let faults = Sources::read(&[], &[provider], Environment::default()).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].contains(name) && !faults[0].contains("hunter"),
            "{faults:?}"
        );
    }
}

#[test]
fn the_environment_of_the_process_includes_the_dotenv_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    file(&folder, ".env", "SPIN_VARIABLE_OF_THE_FILE=yes\n");
    let environment = Environment::of_process(folder.path()).unwrap();
    let sources = Sources::read(&[], &[], environment).unwrap();
    assert_eq!(sources.get("of_the_file"), Some("yes"));

    let empty = tempfile::tempdir().unwrap();
    assert!(Environment::of_process(empty.path()).is_ok());
}

#[test]
fn the_dotenv_that_services_wrote_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{WRITTEN_BY_SERVICES}; `spin up` reads it.\nSPIN_VARIABLE_OLD=yes\n");
    file(&folder, ".env", &text);
    let environment = Environment::of_process(folder.path()).unwrap();
    let sources = Sources::read(&[], &[], environment).unwrap();
    assert_eq!(sources.get("old"), None);
}

#[test]
fn missing_and_undeclared_variables_are_reported_at_once() {
    let mut declared = declared(&[
        ("key", None, true),
        ("redis_url", None, false),
        ("name", Some("x"), false),
    ]);
    declared.get_mut("key").unwrap().description = "signs tokens".to_owned();
    let sources = Sources::read(&flags(&["nmae=1"]), &[], Environment::default()).unwrap();
    let faults = Variables::resolve(&declared, &sources, no_host_value).unwrap_err();
    insta::assert_snapshot!(faults, @r"
    --variable nmae: the application has no such variable; did you mean `name`?
    variable `key` (signs tokens) needs a value: set --variable key=… or SPIN_VARIABLE_KEY=…
    variable `redis_url` needs a value: set --variable redis_url=… or SPIN_VARIABLE_REDIS_URL=…
    ");
}

#[test]
fn a_component_sees_only_its_own_variables() {
    let declared = declared(&[
        ("host", Some("db"), false),
        ("password", Some("hunter2"), true),
    ]);
    let variables = Variables::resolve(&declared, &Sources::default(), no_host_value).unwrap();
    let folder = tempfile::tempdir().unwrap();
    file(&folder, "cart.wasm", "");
    let manifest = file(
        &folder,
        "spin.toml",
        r#"
spin_manifest_version = 2
[application]
name = "shop"
[variables]
host = { default = "db" }
password = { default = "hunter2", secret = true }
[component.cart]
source = "cart.wasm"
variables = { url = "postgres://me:{{ password }}@{{ host }}/x" }
"#,
    );
    let manifest = crate::manifest::load(&manifest, None).unwrap();
    let seen = variables
        .of_component(&manifest.components["cart"])
        .unwrap();
    assert_eq!(seen.get("url"), Some("postgres://me:hunter2@db/x"));
    assert_eq!(seen.get("host"), None);
    assert_eq!(seen.get("password"), None);

    let none = Variables::default().of_component(&manifest.components["cart"]);
    assert_eq!(none, Err(UnknownVariable("password".to_owned())));
}

#[test]
fn secrets_are_never_shown() {
    let declared = declared(&[("host", Some("db"), false), ("password", None, true)]);
    let provider = fixed("password", "hunter2");
    let environment = environment(&[("SPIN_VARIABLE_PASSWORD", "hunter2")]);
    let sources = Sources::read(&flags(&["password=hunter2"]), &[provider], environment).unwrap();
    let variables = Variables::resolve(&declared, &sources, no_host_value).unwrap();
    let shown = format!("{variables:?} {sources:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains("\"host\": \"db\"") && shown.contains("\"password\": \"***\""),
        "{shown}"
    );
}
