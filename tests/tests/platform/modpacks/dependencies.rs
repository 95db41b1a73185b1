//! Dependencies of versions, and that they reveal no hidden pack.

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User};

use super::links::create_link;
use super::*;

/// A draft with these dependencies.
fn draft_with(owner: &User, pack: i64, name: &str, dependencies: &Value) -> Answer {
    let body = json!({ "name": name, "mc_version": "1.20.1", "dependencies": dependencies });
    owner
        .post(&format!("/modpacks/{pack}/versions"))
        .json(&body)
        .send()
}

/// A published version of no files.
fn release(owner: &User, pack: i64, name: &str) -> i64 {
    let version = create_draft(owner, pack, name);
    publish(owner, pack, version).expect(200);
    version
}

/// The dependencies of a version in every form in which it is read.
fn every_form(stack: &Stack, pack: i64, version: i64, link: &str) -> Vec<(String, Value)> {
    let rpc = format!("/api/method/modpacks.getLatest?v=1.0&modpack_id={pack}");
    let mods = format!("/api/method/modpacks.getMods?v=1.0&modpack_id={pack}&version_id={version}");
    let forms = [
        (
            format!("/modpacks/{pack}/versions/{version}"),
            "/dependencies",
        ),
        (format!("/modpacks/{pack}/versions"), "/0/dependencies"),
        (format!("/modpacks/{pack}/latest"), "/dependencies"),
        (
            format!("/modpacks/{pack}/latest/manifest.json"),
            "/version/dependencies",
        ),
        (
            format!("/modpacks/{pack}/versions/{version}/manifest.json"),
            "/version/dependencies",
        ),
        (format!("{link}/versions"), "/0/dependencies"),
        (
            format!("{link}/latest/manifest.json"),
            "/version/dependencies",
        ),
        (
            format!("{link}/versions/{version}/manifest.json"),
            "/version/dependencies",
        ),
        (rpc, "/dependencies"),
        (mods, "/dependencies"),
    ];
    forms
        .into_iter()
        .map(|(path, at)| {
            let shown = stack.get(&path).send().expect(200).json();
            let dependencies = shown
                .pointer(at)
                .unwrap_or_else(|| panic!("{path}: {shown}"));
            (path, dependencies.clone())
        })
        .collect()
}

#[test]
fn a_version_shows_what_it_depends_on_in_every_form() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let library = create_pack(&User::driver(stack), "public");
    let author = User::driver(stack);
    let base = create_pack(&author, "public");
    let (first, second) = (release(&author, base, "2.0"), release(&author, base, "1.0"));
    let name = stack.get(&format!("/modpacks/{base}")).send().json()["name"].clone();
    let pack = create_pack(&owner, "public");
    let wanted = json!([
        { "kind": "required", "pack_id": base, "version_id": first },
        { "kind": "incompatible", "pack_id": library },
        { "kind": "optional", "platform": "modrinth", "project": "sodium", "version_range": ">=0.5" },
    ]);
    let made = draft_with(&owner, pack, "1", &wanted).expect(201).json();
    let version = number(&made["id"]);
    let library_name = &made["dependencies"][1]["pack_name"];
    let shown = json!([
        { "kind": "required", "pack_id": base, "pack_name": name, "version_id": first, "resolved_id": first },
        { "kind": "incompatible", "pack_id": library, "pack_name": library_name },
        { "kind": "optional", "platform": "modrinth", "project": "sodium", "version_range": ">=0.5" },
    ]);
    assert_eq!(made["dependencies"], shown);
    publish(&owner, pack, version).expect(200);
    let (_, link) = create_link(&owner, pack);
    for (form, dependencies) in every_form(stack, pack, version, &link) {
        assert_eq!(dependencies, shown, "{form}");
    }

    // Launchers name them in a body of JSON, or as its text in a query or a form.
    let by_method = |name: &str, dependencies: Value| {
        let body = json!({
            "v": "1.0", "modpack_id": pack, "name": name, "mc_version": "1.20.1", "dependencies": dependencies,
        });
        let request = owner.post("/api/method/modpacks.createVersion");
        request.json(&body).send()
    };
    for (name, named) in [("2", wanted.clone()), ("3", json!(wanted.to_string()))] {
        let made = by_method(name, named).expect(200).json();
        assert_eq!(made["dependencies"], shown, "{name}");
    }
    for wrong in [json!([{ "kind": "required" }]), json!("no list")] {
        assert_eq!(by_method("4", wrong).json()["error"]["code"], 33);
    }

    // A range follows the order of creation, not the names of versions.
    let range = |low: Value, high: Value| {
        let on = json!([{ "kind": "required", "pack_id": base, "min_version_id": low, "max_version_id": high }]);
        let made = draft_with(&owner, pack, &unique("range"), &on)
            .expect(201)
            .json();
        made["dependencies"][0]["resolved_id"].as_i64()
    };
    assert_eq!(range(Value::Null, Value::Null), Some(second));
    assert_eq!(range(json!(first), Value::Null), Some(second));
    assert_eq!(range(Value::Null, json!(first)), Some(first));
    assert_eq!(range(json!(first), json!(first)), Some(first));
    // A yanked version is answered only when a request names exactly this version.
    let yank = format!("/modpacks/{base}/versions/{second}/yank");
    author.post(&yank).send().expect(200);
    assert_eq!(range(Value::Null, Value::Null), Some(first));
    assert_eq!(range(json!(second), json!(second)), Some(second));
}

#[test]
fn dependencies_change_with_a_draft_and_are_fixed_once_it_is_published() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let base = create_pack(&owner, "public");
    let pack = create_pack(&owner, "public");
    let on_base = json!([{ "kind": "required", "pack_id": base }]);
    let version = number(&draft_with(&owner, pack, "1", &on_base).expect(201).json()["id"]);
    let path = format!("/modpacks/{pack}/versions/{version}");
    let change = |dependencies: Value| {
        owner
            .patch(&path)
            .json(&json!({ "dependencies": dependencies }))
            .send()
    };
    let listed = |answer: &Answer| answer.json()["dependencies"].as_array().unwrap().len();
    assert_eq!(listed(&change(json!([])).expect(200)), 0);
    assert_eq!(listed(&change(on_base.clone()).expect(200)), 1);
    // Absent members stay.
    let renamed = owner.patch(&path).json(&json!({ "name": "1.1" })).send();
    assert_eq!(listed(&renamed.expect(200)), 1);
    // A version that is based on this one has the same dependencies, unless it names others.
    let next = json!({ "name": "2", "mc_version": "1.20.1", "based_on": version });
    let versions = format!("/modpacks/{pack}/versions");
    let based = owner.post(&versions).json(&next).send().expect(201);
    assert_eq!(listed(&based), 1);
    let next =
        json!({ "name": "3", "mc_version": "1.20.1", "based_on": version, "dependencies": [] });
    assert_eq!(
        listed(&owner.post(&versions).json(&next).send().expect(201)),
        0
    );

    publish(&owner, pack, version).expect(200);
    assert_eq!(change(json!([])).problem(409)["code"], "version-published");
    for statement in [
        "DELETE FROM modpacks.dependency WHERE version_id = $1",
        "UPDATE modpacks.dependency SET kind = 'optional' WHERE version_id = $1",
        "INSERT INTO modpacks.dependency (version_id, ordinal, kind, platform, project) VALUES ($1, 9, 'optional', 'github', 'x')",
    ] {
        refused_once_published(stack, statement, version);
    }
}

#[test]
fn dependencies_must_name_exactly_one_thing() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let base = create_pack(&owner, "public");
    let (first, second) = (release(&owner, base, "1"), release(&owner, base, "2"));
    let pack = create_pack(&owner, "public");
    let own = release(&owner, pack, "0");
    for (code, dependencies) in [
        ("invalid-version", json!([{ "kind": "required" }])),
        (
            "invalid-version",
            json!([{ "kind": "required", "pack_id": base, "platform": "github", "project": "a" }]),
        ),
        (
            "invalid-version",
            json!([{ "kind": "required", "platform": "github", "project": "a b" }]),
        ),
        (
            "unknown-dependency",
            json!([{ "kind": "required", "pack_id": 7 }]),
        ),
        (
            "unknown-dependency",
            json!([{ "kind": "required", "pack_id": base, "version_id": own }]),
        ),
        (
            "invalid-dependency",
            json!([{ "kind": "required", "pack_id": pack }]),
        ),
        (
            "invalid-dependency",
            json!([{ "kind": "required", "pack_id": base, "min_version_id": second, "max_version_id": first }]),
        ),
        (
            "invalid-dependency",
            json!([{ "kind": "required", "pack_id": base }, { "kind": "optional", "pack_id": base }]),
        ),
    ] {
        let refused = draft_with(&owner, pack, "1", &dependencies).problem(422);
        assert_eq!(refused["code"], code, "{dependencies}");
    }
    // None of them left a draft behind.
    let versions = format!("/modpacks/{pack}/versions");
    let listed = owner.get(&versions).send().expect(200).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
}

#[test]
fn dependencies_reveal_no_private_pack_to_a_stranger() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let friend = User::driver(stack);
    let hidden = create_pack(&owner, "private");
    let draft = create_draft(&owner, hidden, "1");
    let secret = release(&owner, hidden, "2");
    // Naming the hidden pack reveals nothing.
    let strangers = create_pack(&friend, "public");
    let refusal = |dependency: Value| {
        let mut refused = draft_with(&friend, strangers, "1", &json!([dependency])).problem(422);
        refused["request_id"] = Value::Null;
        refused
    };
    let absent = refusal(json!({ "kind": "required", "pack_id": 7, "version_id": 7 }));
    for (pack, version) in [(hidden, secret), (hidden, 7), (hidden, draft)] {
        let named = json!({ "kind": "required", "pack_id": pack, "version_id": version });
        assert_eq!(refusal(named), absent);
    }
    // A version that depends on it does not reveal it either, in any form.
    let pack = create_pack(&owner, "public");
    let on_hidden = json!([
        { "kind": "required", "pack_id": hidden, "version_id": secret },
        { "kind": "optional", "platform": "github", "project": "a/b" },
    ]);
    let version = number(&draft_with(&owner, pack, "1", &on_hidden).expect(201).json()["id"]);
    publish(&owner, pack, version).expect(200);
    let (_, link) = create_link(&owner, pack);
    let elsewhere = json!([{ "kind": "optional", "platform": "github", "project": "a/b" }]);
    for (form, dependencies) in every_form(stack, pack, version, &link) {
        assert_eq!(dependencies, elsewhere, "{form}");
    }
    let path = format!("/modpacks/{pack}/versions/{version}");
    let seen = |user: &User| {
        let shown = user.get(&path).send().expect(200).json();
        shown["dependencies"].as_array().unwrap().len()
    };
    assert_eq!((seen(&owner), seen(&friend)), (2, 1));
    let shares = format!("/modpacks/{hidden}/shares");
    let share = |users: Value| {
        let body = json!({ "users": users });
        owner.put(&shares).json(&body).send().expect(204)
    };
    share(json!([friend.login]));
    assert_eq!(seen(&friend), 2);
    share(json!([]));
    assert_eq!(seen(&friend), 1);
    // A deleted pack is answered like an unknown one.
    owner
        .delete(&format!("/modpacks/{hidden}"))
        .send()
        .expect(204);
    assert_eq!(seen(&owner), 1);
}
