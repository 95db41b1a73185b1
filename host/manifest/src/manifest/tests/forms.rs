//! The forms in which a manifest may say the same.

use super::*;

#[test]
fn triggers_without_an_id_get_the_same_id_as_in_spin() {
    let manifest = loaded(
        r#"
[[trigger.http]]
route = "/a"
component = "cart"
[[trigger.http]]
route = "/b"
component = "cart"
[[trigger.http]]
id = "http-trigger1"
route = "/c"
component = "cart"
[[trigger.http]]
route = "/d"
component = { source = "cart.wasm" }
[[trigger.redis]]
channel = "x"
component = "cart"
[[trigger.redis]]
channel = "y"
component = "cart"
[component.cart]
source = "cart.wasm"
"#,
    );
    let http: Vec<&str> = manifest
        .http
        .iter()
        .map(|trigger| trigger.id.as_str())
        .collect();
    assert_eq!(
        http,
        [
            "cart-http-trigger",
            "http-trigger2",
            "http-trigger1",
            "http-trigger3"
        ]
    );
    let redis: Vec<&str> = manifest
        .redis
        .iter()
        .map(|trigger| trigger.id.as_str())
        .collect();
    assert_eq!(redis, ["cart-redis-trigger", "redis-trigger1"]);
}

#[test]
fn components_inside_triggers_become_ordinary_components() {
    let manifest = loaded(
        r#"
[[trigger.http]]
id = "front"
route = "/a"
component = { source = "cart.wasm", allowed_outbound_hosts = ["http://inline-component1.spin.internal"] }
[[trigger.http]]
id = "Bad_Id"
route = "/b"
component = { source = "ledger.wasm" }
[[trigger.http]]
id = "many"
route = "/c"
component = { source = "cart.wasm" }
components = { extra = [{ source = "cart.wasm" }, "cart"], one = "cart" }
[component.cart]
source = "cart.wasm"
"#,
    );
    let ids: Vec<&str> = manifest.components.keys().map(String::as_str).collect();
    let expected = [
        "cart",
        "front-component",
        "inline-component1",
        "inline-component2",
        "inline-component3",
    ];
    assert_eq!(ids, expected);
    let answers: Vec<_> = manifest
        .http
        .iter()
        .filter_map(|trigger| trigger.answer.component())
        .collect();
    assert_eq!(
        answers,
        ["front-component", "inline-component1", "inline-component2"]
    );
    let messages: Vec<_> = manifest
        .warnings
        .iter()
        .map(|warning| &*warning.message)
        .collect();
    assert_eq!(messages, ["`components` has no effect on http triggers"]);
}

#[test]
fn a_profile_replaces_the_settings_it_names() {
    let folder = app(r#"
[component.cart]
source = "cart.wasm"
environment = { LANG = "pt", LEVEL = "info" }
[component.cart.build]
command = "make"
[component.cart.dependencies]
"a:b/c" = { path = "ledger.wasm" }
"a:b/d" = { path = "ledger.wasm" }
[component.cart.profile.debug]
source = "cart-debug.wasm"
environment = { LEVEL = "debug" }
build.command = ["make debug"]
dependencies = { "a:b/c" = { path = "cart.wasm", inherit_configuration = true } }
[component.cart.profile.other]
[component.plain]
source = "cart.wasm"
"#);
    let cart = |profile| {
        folder
            .load(profile)
            .map(|mut manifest| manifest.components.remove("cart").unwrap())
    };
    let release = cart(None).unwrap();
    assert!(release.source.ends_with("cart.wasm"));
    assert_eq!(release.environment["LEVEL"], "info");

    let debug = cart(Some("debug")).unwrap();
    assert!(
        debug.source.ends_with("cart-debug.wasm"),
        "{:?}",
        debug.source
    );
    assert_eq!(
        (&*debug.environment["LANG"], &*debug.environment["LEVEL"]),
        ("pt", "debug")
    );
    assert_eq!(debug.build.unwrap().commands, ["make debug"]);
    let replaced = debug
        .dependencies
        .iter()
        .find(|dependency| dependency.name.to_string() == "a:b/c")
        .unwrap();
    assert!(replaced.source.ends_with("cart.wasm"));
    assert_eq!(replaced.inherits, Configuration::ALL.into());
    assert_eq!(debug.dependencies.len(), 2);

    let faults = cart(Some("deubg")).unwrap_err();
    let report = folder.report(faults);
    assert_eq!(
        report,
        "spin.toml: no component has a profile `deubg`; did you mean `debug`?"
    );
}

#[test]
fn a_profile_may_have_the_only_build() {
    let folder =
        app("[component.cart]\nsource = \"cart.wasm\"\nprofile.debug.build.command = \"make\"");
    let manifest = folder.load(Some("debug")).unwrap();
    assert_eq!(
        manifest.components["cart"].build.as_ref().unwrap().commands,
        ["make"]
    );
    assert_eq!(folder.load(None).unwrap().components["cart"].build, None);
}

#[test]
fn a_dependency_may_be_built_by_the_same_manifest() {
    let manifest = loaded(
        r#"
[component.cart]
source = "cart.wasm"
dependencies_inherit_configuration = true
[component.cart.dependencies]
"wharf:payments/ledger" = { path = "built.wasm" }
ledger = { component = "payments", export = "wharf:payments/ledger" }
[component.payments]
source = "built.wasm"
build.command = "make"
"#,
    );
    let dependencies = &manifest.components["cart"].dependencies;
    assert_eq!(dependencies.len(), 2);
    assert!(
        dependencies
            .iter()
            .all(|one| one.source.ends_with("built.wasm"))
    );
    assert!(
        dependencies
            .iter()
            .all(|one| one.inherits == Configuration::ALL.into())
    );
    assert_eq!(
        dependencies[1].export.as_deref(),
        Some("wharf:payments/ledger")
    );
}
