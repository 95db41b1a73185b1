//! The launchers' methods, as their clients call them: GET, everything in the query, numbers for refusals.

use std::collections::BTreeMap;

use serde_json::json;
use wharf_tests::{Answer, Stack, User};

use super::*;

fn call(stack: &Stack, user: Option<&User>, method: &str, query: &str) -> Answer {
    let token = user
        .map(|it| format!("&token={}", it.token))
        .unwrap_or_default();
    stack
        .get(&format!("/api/method/{method}?v=1.0{query}{token}"))
        .send()
}

fn refused(answer: &Answer) -> i64 {
    assert!((400..500).contains(&answer.status()), "{answer}");
    number(&answer.json()["error"]["code"])
}

#[test]
fn a_launcher_publishes_a_pack_and_another_downloads_it() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let ask =
        |method: &str, query: &str| call(stack, Some(&owner), method, query).expect(200).json();
    let name = unique("Launcher");
    let pack = number(
        &ask(
            "modpacks.create",
            &format!("&name={name}&authors=a,b&visibility=public"),
        )["id"],
    );
    let version = ask(
        "modpacks.createVersion",
        &format!("&modpack_id={pack}&name=Stable%20v1.1&mc_version=1,20,1"),
    );
    let version = number(&version["id"]);
    let bytes = content(1_234);
    let plan = ask(
        "files.getUploadUrl",
        &format!(
            "&modpack_id={pack}&version_id={version}&path=mods/a.jar&size={}&sha256={}",
            bytes.len(),
            sha256(&bytes)
        ),
    );
    let file = number(&plan["file_id"]);
    at_s3("PUT", plan["url"].as_str().unwrap())
        .body("application/octet-stream", bytes.clone())
        .send()
        .expect(200);
    ask("files.complete", &format!("&file_id={file}"));
    settled(&owner, file);
    let done = ask(
        "modpacks.publishVersion",
        &format!("&modpack_id={pack}&version_id={version}"),
    );
    assert_eq!(done, json!({ "status": true }));

    let shown = call(stack, None, "modpacks.get", &format!("&modpack_id={pack}")).expect(200);
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let shown = shown.json();
    assert_eq!(shown["name"], name);
    assert_eq!(shown["authors"], json!(["a", "b"]));
    assert_eq!(shown["version"], "Stable v1.1");
    assert_eq!(shown["archive"]["Stable v1.1"]["id"], version);
    let some = call(
        stack,
        None,
        "modpacks.get",
        &format!("&modpack_id={pack}&fields=name,version"),
    );
    assert_eq!(
        some.json(),
        json!({ "name": name, "version": "Stable v1.1" })
    );

    let query = format!("&modpack_id={pack}&version_id={version}");
    let mods = call(stack, None, "modpacks.getMods", &query)
        .expect(200)
        .json();
    assert_eq!((&mods["count"], &mods["size"]), (&json!(1), &json!(1_234)));
    assert_eq!(mods["mc_version"], json!([1, 20, 1]));
    let listed = &mods["mods"]["a.jar"];
    assert_eq!(listed["sha256"], sha256(&bytes));
    let link = listed["link"].as_str().unwrap();
    let (_, path) = link.split_once("/api/").unwrap();
    let download = stack.get(&format!("/api/{path}")).send().expect(302);
    assert_eq!(follow(&download).text().as_bytes(), bytes);
    let latest = call(
        stack,
        None,
        "modpacks.getLatest",
        &format!("&modpack_id={pack}"),
    );
    assert_eq!(latest.json()["id"], version);
    let found = call(stack, None, "modpacks.list", &format!("&q={name}")).json();
    assert_eq!(found["modpacks"][0]["id"], pack);

    let posted = owner
        .post("/api/method/modpacks.update")
        .json(&json!({ "v": "1.0", "modpack_id": pack, "authors": ["c, d"] }))
        .send()
        .expect(200);
    assert_eq!(posted.json()["authors"], json!(["c, d"]));
    let gone = ask("modpacks.deleteVersion", &query);
    assert_eq!(gone, json!({ "status": true }));
    assert_eq!(
        ask("modpacks.delete", &format!("&modpack_id={pack}")),
        json!({ "status": true })
    );
    let absent = call(stack, None, "modpacks.get", &format!("&modpack_id={pack}"));
    assert_eq!(refused(&absent), 100);
}

#[test]
fn a_launcher_shares_a_pack_and_takes_a_file_out_of_a_draft() {
    let stack = &Stack::shared();
    let (owner, other) = (User::driver(stack), User::driver(stack));
    let (pack, ..) = published(&owner, "private");
    let query = format!("&modpack_id={pack}");
    let shown = || call(stack, Some(&other), "modpacks.get", &query);
    assert_eq!(refused(&shown()), 100);
    let share = format!("{query}&users={}", other.login);
    call(stack, Some(&owner), "modpacks.setAccess", &share).expect(200);
    shown().expect(200);

    let described = call(
        stack,
        Some(&owner),
        "modpacks.update",
        &format!("{query}&description=Ours"),
    );
    assert_eq!(described.expect(200).json()["description"], "Ours");

    let draft = create_draft(&owner, pack, "2.0");
    let file = upload(&owner, pack, draft, "mods/b.jar", &content(300));
    let remove = |user| {
        call(
            stack,
            Some(user),
            "files.delete",
            &format!("&file_id={file}"),
        )
    };
    refused(&remove(&other));
    remove(&owner).expect(200);
    owner.get(&format!("/files/{file}")).send().problem(404);
}

#[test]
fn a_launcher_is_shown_every_file_of_a_version() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let draft = create_draft(&owner, pack, "1.0");
    let mut uploaded = BTreeMap::new();
    for (path, name, size) in [
        ("a.jar", "a.jar", 100),
        ("mods/a.jar", "mods/a.jar", 200),
        ("mods/mods/a.jar", "mods/mods/a.jar", 300),
        ("mods/b.jar", "b.jar", 400),
    ] {
        let bytes = content(size);
        upload(&owner, pack, draft, path, &bytes);
        uploaded.insert(name.to_owned(), sha256(&bytes));
    }
    let query = format!("&modpack_id={pack}&version_id={draft}");
    let shown = call(stack, Some(&owner), "modpacks.getMods", &query).expect(200);
    let shown = shown.json();
    assert_eq!(shown["count"], uploaded.len());
    let listed = shown["mods"].as_object().unwrap().iter();
    let listed = listed.map(|(name, it)| (name.clone(), it["sha256"].as_str().unwrap().to_owned()));
    assert_eq!(listed.collect::<BTreeMap<_, _>>(), uploaded);
}

#[test]
fn refusals_have_the_numbers_that_launchers_expect() {
    let stack = &Stack::shared();
    let (owner, other) = (User::driver(stack), User::driver(stack));
    let (pack, ..) = published(&owner, "public");
    let name = owner.get(&format!("/modpacks/{pack}")).send().json()["name"].clone();
    let number = |user, method: &str, query: &str| refused(&call(stack, user, method, query));
    assert_eq!(
        refused(&stack.get("/api/method/modpacks.get?v=2").send()),
        1
    );
    assert_eq!(number(None, "modpacks.create", "&name=x"), 10);
    assert_eq!(
        refused(
            &stack
                .get("/api/method/modpacks.delete?v=1.0&modpack_id=1&token=x")
                .send()
        ),
        10
    );
    assert_eq!(
        number(
            Some(&other),
            "modpacks.delete",
            &format!("&modpack_id={pack}")
        ),
        20
    );
    assert_eq!(number(Some(&other), "modpacks.get", ""), 30);
    assert_eq!(number(None, "modpacks.list", "&limit=x"), 31);
    assert_eq!(
        number(Some(&other), "modpacks.create", "&name=x&visibility=secret"),
        31
    );
    assert_eq!(number(None, "modpacks.get", "&modpack_id=x"), 32);
    let long = format!("&name={}", "x".repeat(200));
    assert_eq!(number(Some(&other), "modpacks.create", &long), 33);
    let unknown = call(stack, None, "modpacks.nothing", "");
    assert_eq!(refused(&unknown), 40);
    assert_eq!(unknown.header("cache-control"), Some("no-store"));
    let put = stack
        .request("PUT", "/api/method/modpacks.get?v=1.0")
        .send();
    assert_eq!(refused(&put), 41);
    assert_eq!(number(None, "modpacks.get", "&modpack_id=1"), 100);
    let taken = format!("&name={}&visibility=public", name.as_str().unwrap());
    assert_eq!(number(Some(&other), "modpacks.create", &taken), 101);
    let absent = format!("&modpack_id={pack}&version_id=1");
    assert_eq!(number(None, "modpacks.getMods", &absent), 102);
}

#[test]
fn a_file_is_restricted_to_users_and_roles_by_number() {
    let stack = &Stack::shared();
    let (owner, friend) = (User::driver(stack), User::driver(stack));
    let (.., file, _) = published(&owner, "public");
    let sees = |user: Option<&User>| {
        call(
            stack,
            user,
            "files.getDownloadUrl",
            &format!("&file_id={file}"),
        )
        .status()
            == 200
    };
    let set = |query: &str| {
        let query = format!("&file_id={file}{query}");
        let done = call(stack, Some(&owner), "files.setAccess", &query).expect(200);
        assert_eq!(done.json(), json!({ "status": true }));
    };
    let other = User::driver(stack);
    set(&format!("&users={}", friend.login));
    assert_eq!(
        (sees(None), sees(Some(&other)), sees(Some(&friend))),
        (false, false, true)
    );
    set("&roles=10");
    assert_eq!(
        (sees(None), sees(Some(&other)), sees(Some(&friend))),
        (false, true, true)
    );
    set("");
    assert_eq!(
        (sees(None), sees(Some(&other)), sees(Some(&friend))),
        (true, true, true)
    );
    let unknown = call(
        stack,
        Some(&owner),
        "files.setAccess",
        &format!("&file_id={file}&users=nobody-at-all"),
    );
    assert_eq!(refused(&unknown), 31);
}
