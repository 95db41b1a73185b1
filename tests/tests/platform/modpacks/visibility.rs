//! Visibility: every viewer, every kind of pack, every way to read.

use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User};

use super::pictures::pack_with_icon;
use super::*;

/// All kinds of viewers.
struct Viewers {
    anonymous: (),
    all: Vec<(&'static str, User)>,
}

fn viewers(stack: &Stack, owner: &User) -> Viewers {
    let moderator = with_role(stack, &User::driver(stack), "moderator");
    let shared_role = with_role(stack, &User::driver(stack), "controller");
    Viewers {
        anonymous: (),
        all: vec![
            ("other", User::owner(stack)),
            ("shared user", User::driver(stack)),
            ("shared role", shared_role),
            ("maintainer", User::driver(stack)),
            ("owner", owner.clone()),
            ("moderator", moderator),
            ("admin", User::admin(stack)),
        ],
    }
}

fn login<'a>(viewers: &'a Viewers, name: &str) -> &'a str {
    let (_, user) = viewers.all.iter().find(|it| it.0 == name).unwrap();
    &user.login
}

struct Scene {
    pack: i64,
    version: i64,
    draft: i64,
    file: i64,
    restricted: i64,
    icon: i64,
    hash: String,
}

fn scene(owner: &User, visibility: &str, viewers: &Viewers) -> Scene {
    let (pack, icon) = pack_with_icon(owner, visibility);
    let version = create_draft(owner, pack, "1.0");
    let bytes = content(500);
    let file = upload(owner, pack, version, "mods/open.jar", &bytes);
    let restricted = upload(owner, pack, version, "mods/restricted.jar", &content(400));
    publish(owner, pack, version).expect(200);
    let draft = create_draft(owner, pack, "2.0");
    let team = json!({ "users": [login(viewers, "maintainer")] });
    let path = format!("/modpacks/{pack}/maintainers");
    owner.put(&path).json(&team).send().expect(204);
    if visibility == "private" {
        let shares = json!({ "users": [login(viewers, "shared user")], "roles": ["controller"] });
        let path = format!("/modpacks/{pack}/shares");
        owner.put(&path).json(&shares).send().expect(204);
    }
    let access = json!({ "restricted": true, "users": [login(viewers, "shared user")] });
    let path = format!("/files/{restricted}/access");
    owner.put(&path).json(&access).send().expect(204);
    let listed = owner.get(&path).send().expect(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    Scene {
        pack,
        version,
        draft,
        file,
        restricted,
        icon,
        hash: sha256(&bytes),
    }
}

const TEAM: [&str; 4] = ["maintainer", "owner", "moderator", "admin"];

/// Whether that viewer sees a pack of that kind.
fn sees(visibility: &str, name: &str) -> bool {
    visibility != "private" || TEAM.contains(&name) || name.starts_with("shared")
}

/// Each way to read with its answer to this viewer: the name of the way, and whether it shows the pack.
fn read(scene: &Scene, ask: &dyn Fn(&str, &str) -> Request) -> Vec<(String, bool)> {
    let Scene {
        pack,
        version,
        file,
        icon,
        ..
    } = scene;
    let mut shown = Vec::new();
    for path in [
        format!("/modpacks/{pack}"),
        format!("/modpacks/{pack}/versions"),
        format!("/modpacks/{pack}/latest"),
        format!("/modpacks/{pack}/files"),
        format!("/modpacks/{pack}/versions/{version}"),
        format!("/modpacks/{pack}/versions/{version}/files"),
        format!("/modpacks/{pack}/diff?from={version}&to={version}"),
        format!("/modpacks/{pack}/latest.mrpack"),
        format!("/modpacks/{pack}/latest/manifest.json"),
        format!("/modpacks/{pack}/latest/packwiz/pack.toml"),
        format!("/modpacks/{pack}/versions/{version}/pack.mrpack"),
        format!("/modpacks/{pack}/versions/{version}/manifest.json"),
        format!("/modpacks/{pack}/versions/{version}/packwiz/mods/open.jar"),
        format!("/modpacks/{pack}/pictures/{icon}"),
        format!("/files/{icon}/download"),
        format!("/files/{file}"),
        format!("/files/{file}/address"),
        format!("/files/{file}/download"),
        format!("/api/method/modpacks.get?v=1.0&modpack_id={pack}"),
        format!("/api/method/modpacks.getMods?v=1.0&modpack_id={pack}&version_id={version}"),
        format!("/api/method/modpacks.getLatest?v=1.0&modpack_id={pack}"),
        format!("/api/method/files.get?v=1.0&file_id={file}"),
        format!("/api/method/files.getDownloadUrl?v=1.0&file_id={file}"),
        format!("/api/method/files.download?v=1.0&file_id={file}"),
    ] {
        let answer = ask("GET", &path).send();
        assert!([200, 302, 404].contains(&answer.status()), "{answer}");
        shown.push((path, answer.status() != 404));
    }
    let updates = json!({ "versions": [version] });
    let updates = ask("POST", "/modpacks/updates")
        .json(&updates)
        .send()
        .expect(200);
    shown.push(("updates".to_owned(), updates.json() != json!([])));
    shown
}

fn check(visibility: &str) {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let viewers = viewers(stack, &owner);
    let scene = scene(&owner, visibility, &viewers);
    let () = viewers.anonymous;
    let anonymous = |method: &str, path: &str| stack.request(method, path);
    check_viewer("anonymous", visibility, &scene, &anonymous);
    for (name, user) in &viewers.all {
        check_viewer(name, visibility, &scene, &|method, path| {
            user.request(method, path)
        });
    }
}

fn check_viewer(name: &str, visibility: &str, scene: &Scene, ask: &dyn Fn(&str, &str) -> Request) {
    let sees_it = sees(visibility, name);
    for (way, is_shown) in read(scene, ask) {
        assert_eq!(is_shown, sees_it, "{name} in {way} of a {visibility} pack");
    }
    let is_team = TEAM.contains(&name);
    // Lists and look-ups show an unlisted pack only to its team.
    let is_listed = sees_it && (visibility != "unlisted" || is_team);
    let wanted = json!({ "hashes": [scene.hash] });
    let found = ask("POST", "/files/lookup")
        .json(&wanted)
        .send()
        .expect(200)
        .json();
    assert_eq!(
        found != json!([]),
        is_listed,
        "{name} looks a {visibility} file up"
    );
    let drafts = format!("/modpacks/{}/versions/{}", scene.pack, scene.draft);
    let draft = ask("GET", &drafts).send();
    assert_eq!(draft.status() == 200, is_team, "{name}: {draft}");
    let sees_restricted = is_team || name == "shared user";
    for path in ["", "/address", "/download"] {
        let answer = ask("GET", &format!("/files/{}{path}", scene.restricted)).send();
        let is_shown = answer.status() != 404;
        assert_eq!(is_shown, sees_restricted, "{name}: {answer}");
    }
    if !is_team && name != "anonymous" {
        let refused = ask("DELETE", &format!("/files/{}", scene.restricted)).send();
        let status = if sees_restricted { 403 } else { 404 };
        assert_eq!(refused.status(), status, "{name}: {refused}");
    }
    let files = format!("/modpacks/{}/versions/{}/files", scene.pack, scene.version);
    if sees_it {
        let listed = ask("GET", &files).send().expect(200).json();
        let expected = if sees_restricted { 2 } else { 1 };
        assert_eq!(
            listed.as_array().unwrap().len(),
            expected,
            "{name} lists files"
        );
    }
}

#[test]
fn a_public_pack_is_seen_by_everyone() {
    check("public");
}

#[test]
fn everyone_who_knows_its_id_sees_an_unlisted_pack() {
    check("unlisted");
}

#[test]
fn the_team_and_shares_see_a_private_pack() {
    check("private");
}

/// The answer without what differs between two requests for the same.
fn refusal(answer: &Answer) -> Value {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    body
}

#[test]
fn a_stranger_cannot_tell_a_hidden_pack_from_one_that_does_not_exist() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let stranger = User::driver(stack);
    let (pack, version, file, _) = published(&owner, "private");
    let change =
        json!({ "name": "x", "quota": 1, "restricted": false, "users": ["nobody-like-that"] });
    let upload = json!({ "path": "a", "size": 1, "name": "x", "mc_version": "1", "file_id": file });
    for (method, path) in [
        ("GET", "/modpacks/{pack}"),
        ("PATCH", "/modpacks/{pack}"),
        ("DELETE", "/modpacks/{pack}"),
        ("GET", "/modpacks/{pack}/shares"),
        ("PUT", "/modpacks/{pack}/shares"),
        ("GET", "/modpacks/{pack}/maintainers"),
        ("PUT", "/modpacks/{pack}/maintainers"),
        ("POST", "/modpacks/{pack}/files"),
        ("POST", "/modpacks/{pack}/versions"),
        ("PUT", "/modpacks/{pack}/latest"),
        ("PATCH", "/modpacks/{pack}/versions/{version}"),
        ("DELETE", "/modpacks/{pack}/versions/{version}"),
        ("POST", "/modpacks/{pack}/versions/{version}/publish"),
        ("POST", "/modpacks/{pack}/versions/{version}/yank"),
        ("POST", "/modpacks/{pack}/versions/{version}/files"),
        ("PUT", "/modpacks/{pack}/versions/{version}/files"),
        ("GET", "/modpacks/{pack}/diff?from={version}&to={version}"),
        ("GET", "/files/{file}"),
        ("DELETE", "/files/{file}"),
        ("GET", "/files/{file}/upload"),
        ("POST", "/files/{file}/complete"),
        ("GET", "/files/{file}/access"),
        ("PUT", "/files/{file}/access"),
        ("GET", "/files/{file}/download"),
        ("GET", "/api/method/modpacks.delete?v=1.0&modpack_id={pack}"),
        (
            "GET",
            "/api/method/modpacks.deleteVersion?v=1.0&modpack_id={pack}&version_id={version}",
        ),
        ("GET", "/api/method/files.delete?v=1.0&file_id={file}"),
    ] {
        let ask = |pack: i64, version: i64, file: i64| {
            let path = path
                .replace("{pack}", &pack.to_string())
                .replace("{version}", &version.to_string())
                .replace("{file}", &file.to_string());
            let request = stranger.request(method, &path);
            match (method, path.contains("/versions")) {
                ("GET", _) => request,
                (_, true) => request.json(&upload),
                ("POST", _) => request.json(&upload),
                _ => request.json(&change),
            }
            .send()
        };
        let (hidden, absent) = (ask(pack, version, file), ask(7, 7, 7));
        assert_eq!(hidden.status(), 404, "{hidden}");
        assert_eq!(absent.status(), 404, "{absent}");
        assert_eq!(refusal(&hidden), refusal(&absent));
    }
}

#[test]
fn a_name_collision_reveals_no_private_pack() {
    let stack = &Stack::shared();
    let (owner, stranger) = (User::driver(stack), User::driver(stack));
    let name = unique("Secret");
    let create = |user: &User, visibility: &str, name: &str| {
        let body = json!({ "name": name, "visibility": visibility });
        user.post("/modpacks").json(&body).send()
    };
    create(&owner, "private", &name).expect(201);
    create(&stranger, "private", &name).expect(201);
    let public = create(&User::driver(stack), "public", &name.to_uppercase()).expect(201);
    // Now it is taken among public ones, and always among one's own.
    let refused = create(&User::driver(stack), "public", &name).problem(409);
    assert_eq!(refused["code"], "pack-name-taken");
    create(&owner, "private", &name).problem(409);
    let id = number(&public.json()["id"]);
    stack.get(&format!("/modpacks/{id}")).send().expect(200);
}

#[test]
fn lists_show_packs_of_the_callers_team_or_shares() {
    let stack = &Stack::shared();
    let (owner, friend, stranger) = (
        User::driver(stack),
        User::driver(stack),
        User::driver(stack),
    );
    let word = unique("needle").replace('_', "x");
    let make = |visibility: &str| {
        let body = json!({ "name": format!("{word} {visibility}"), "visibility": visibility });
        number(
            &owner
                .post("/modpacks")
                .json(&body)
                .send()
                .expect(201)
                .json()["id"],
        )
    };
    let (public, unlisted, private) = (make("public"), make("unlisted"), make("private"));
    let shares = json!({ "users": [friend.login] });
    owner
        .put(&format!("/modpacks/{private}/shares"))
        .json(&shares)
        .send()
        .expect(204);
    let listed = |request: Request| {
        let found = request.send().expect(200).json();
        let mut ids: Vec<_> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|it| number(&it["id"]))
            .collect();
        ids.sort_unstable();
        ids
    };
    let sorted = |mut ids: Vec<i64>| {
        ids.sort_unstable();
        ids
    };
    let path = format!("/modpacks?q={word}");
    assert_eq!(listed(stack.get(&path)), [public]);
    assert_eq!(listed(stranger.get(&path)), [public]);
    assert_eq!(listed(friend.get(&path)), sorted(vec![public, private]));
    assert_eq!(
        listed(owner.get(&path)),
        sorted(vec![public, unlisted, private])
    );
    let moderator = with_role(stack, &User::driver(stack), "moderator");
    assert_eq!(
        listed(moderator.get(&path)),
        sorted(vec![public, unlisted, private])
    );
}
