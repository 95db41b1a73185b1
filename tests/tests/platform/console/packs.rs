//! Packs for readers, authors, friends and moderators.

use serde_json::json;
use wharf_tests::{Browser, Page, Stack, User, unique};

use crate::modpacks::{content, number, published, upload, with_role};

/// The last part of the path of a page.
fn id_of(page: &Page) -> i64 {
    let id = page.path.rsplit('/').next().and_then(|it| it.parse().ok());
    id.unwrap_or_else(|| panic!("an id: {}", page.path))
}

/// A page of the author's new pack.
fn make_pack(browser: &mut Browser, name: &str, visibility: &str) -> Page {
    let asked = browser.open("/console/packs/new");
    let filled = [
        ("name", name),
        (
            "description",
            "Take *care*.\r\n\r\n<script>alert(1)</script>\r\n\r\n[bad](javascript:alert(1))",
        ),
        ("authors", "Ann B\r\nCy"),
        ("visibility", visibility),
    ];
    let made = browser.send(&asked, "/console/packs/new", &filled);
    // A double click sends the same form twice.
    let again = browser.send(&asked, "/console/packs/new", &filled);
    assert_eq!(again.path, made.path);
    made
}

#[test]
fn an_author_makes_a_pack_publishes_versions_and_withdraws_one() {
    let stack = Stack::shared();
    let author = User::driver(&stack);
    let mut browser = Browser::of(&stack, &author);
    let name = unique("Sky");
    let pack = make_pack(&mut browser, &name, "public");
    assert!(pack.says("Ann B, Cy"), "{}", pack.text());
    let mine = browser.open("/console/packs/mine");
    assert_eq!(mine.text().matches(&name).count(), 1, "{}", mine.text());

    let new = format!("{}/versions/new", pack.path);
    let asked = browser.open(&new);
    let wrong = [("name", "1.0"), ("mc_version", "the newest")];
    let refused = browser.send(&asked, &new, &wrong);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("mc_version") && refused.answer.text().contains("value=\"1.0\""));
    let right = [("mc_version", "1.20.1"), ("loader", "fabric")];
    let draft = browser.send(&refused, &new, &right);
    assert!(draft.says("State draft"), "{}", draft.text());
    let file = upload(
        &author,
        id_of(&pack),
        id_of(&draft),
        "mods/a.jar",
        &content(2_048),
    );
    let draft = browser.open(&draft.path);
    assert!(draft.says("mods/a.jar both 2.0 KiB"), "{}", draft.text());
    let files = format!("{}/files", draft.path);
    let file_id = file.to_string();
    let added = [
        ("file_id", &*file_id),
        ("path", "mods/b.jar"),
        ("side", "server"),
    ];
    let draft = browser.send(&draft, &files, &added);
    assert!(draft.says("mods/b.jar server"), "{}", draft.text());
    let draft = browser.send(&draft, &format!("{files}/{file}/delete"), &[]);
    assert!(draft.says("1 to 1 of 1"), "{}", draft.text());
    let first = browser.send(&draft, &format!("{}/publish", draft.path), &[]);
    assert!(
        first.says("published, the latest version"),
        "{}",
        first.text()
    );
    assert!(!first.has_form(&format!("{}/change", first.path)));

    // The next version begins with the files of the latest.
    let asked = browser.open(&new);
    let second = browser.send(&asked, &new, &[("name", "The second")]);
    assert!(second.says("mods/b.jar server"), "{}", second.text());
    let second = browser.send(&second, &format!("{}/publish", second.path), &[]);
    assert!(
        second.says("published, the latest version"),
        "{}",
        second.text()
    );
    let second = browser.send(&second, &format!("{}/yank", second.path), &[]);
    assert!(second.says("State withdrawn"), "{}", second.text());
    let first = browser.open(&first.path);
    assert!(
        first.says("published, the latest version"),
        "{}",
        first.text()
    );
    let left = browser.send(&second, &format!("{}/delete", second.path), &[]);
    assert!(
        left.says("1.0") && !left.says("The second"),
        "{}",
        left.text()
    );

    let change = format!("{}/change", pack.path);
    let delete = format!("{}/delete", pack.path);
    let asked = browser.open(&change);
    let kept = browser.send(&asked, &delete, &[("name", "another")]);
    assert_eq!(kept.answer.status(), 422);
    let gone = browser.send(&asked, &delete, &[("name", &*name)]);
    assert_eq!(gone.path, "/console/packs/mine");
    assert_eq!(browser.try_open(&pack.path).answer.status(), 404);
}

#[test]
fn anybody_finds_a_public_pack_with_harmless_html_and_its_downloads() {
    let stack = Stack::shared();
    let author = User::driver(&stack);
    let name = unique("Open");
    let pack = make_pack(&mut Browser::of(&stack, &author), &name, "public");
    let versions = format!("/modpacks/{}/versions", id_of(&pack));
    let draft = json!({ "name": "1.0", "mc_version": "1.20.1" });
    let draft = author
        .post(&versions)
        .json(&draft)
        .send()
        .expect(201)
        .json();
    let version = number(&draft["id"]);
    upload(&author, id_of(&pack), version, "mods/a.jar", &content(300));
    let publish = format!("{versions}/{version}/publish");
    author.post(&publish).send().expect(200);

    let mut browser = Browser::new(&stack);
    let found = browser.open(&format!("/console/packs?q={name}"));
    let shown = browser.open(&found.link(&name));
    let html = shown.answer.text();
    assert!(html.contains("<em>care</em>"), "{html}");
    assert!(
        !html.contains("<script") && !html.contains("javascript:"),
        "{html}"
    );
    assert!(!shown.says("New version"), "{}", shown.text());
    let mrpack = stack.get(&shown.link(".mrpack")).send().expect(200);
    assert_eq!(
        mrpack.header("content-type"),
        Some("application/x-modrinth-modpack+zip")
    );
    let version = browser.open(&shown.link("1.0"));
    stack.get(&version.link("mods/a.jar")).send().expect(302);
    assert!(!version.has_form(&format!("{}/yank", version.path)));
    let refused = browser.try_open("/console/packs?loader=moon");
    assert_eq!(refused.answer.status(), 422);
    let led = browser.open("/console/packs/mine");
    assert!(led.path.starts_with("/console/sign-in"), "{}", led.path);
}

#[test]
fn a_link_for_a_friend_is_shown_once_and_ends_when_it_is_revoked() {
    let stack = Stack::shared();
    let author = User::driver(&stack);
    let (pack, ..) = published(&author, "private");
    let mut browser = Browser::of(&stack, &author);
    let links = format!("/console/packs/{pack}/links");
    let asked = browser.open(&links);
    let refused = browser.send(&asked, &links, &[("label", "Bob"), ("expires_at", "soon")]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.answer.text().contains("value=\"Bob\""));
    let made = browser.send(&refused, &links, &[("expires_at", "")]);
    let text = made.text();
    let word = text.split(' ').find(|it| it.ends_with("/latest.mrpack"));
    let address = word.unwrap_or_else(|| panic!("an address: {text}"));
    let path = &address[address.find("/modpacks").unwrap()..];
    stack.get(path).send().expect(200);

    let listed = browser.open(&links);
    let secret = path.split('/').nth(3).unwrap();
    assert!(!listed.answer.text().contains(secret));
    let path_of_links = format!("/modpacks/{pack}/links");
    let link = author.get(&path_of_links).send().expect(200).json();
    let revoke = format!("{links}/{}/revoke", number(&link[0]["id"]));
    let revoked = browser.send(&listed, &revoke, &[]);
    assert!(revoked.says("revoked") && !revoked.has_form(&revoke));
    stack.get(path).send().problem(404);
}

#[test]
fn each_person_does_with_a_private_pack_what_their_rights_allow() {
    let stack = Stack::shared();
    let author = User::driver(&stack);
    let (pack, ..) = published(&author, "private");
    let path = format!("/console/packs/{pack}");
    let (reader, maintainer) = (User::driver(&stack), User::driver(&stack));
    let mut owner = Browser::of(&stack, &author);
    let mut reads = Browser::of(&stack, &reader);
    assert_eq!(reads.try_open(&path).answer.status(), 404);
    let (shares, maintainers) = (format!("{path}/shares"), format!("{path}/maintainers"));
    let people = owner.open(&format!("{path}/people"));
    let unknown = unique("unknown");
    let refused = owner.send(&people, &shares, &[("users", &*unknown)]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says(&unknown), "{}", refused.text());
    owner.send(&people, &shares, &[("users", &*reader.login)]);
    let people = owner.send(
        &people,
        &maintainers,
        &[("maintainers", &*maintainer.login)],
    );
    assert!(people.says(&reader.login) && people.says(&maintainer.login));

    assert!(!reads.open(&path).says("New version"));
    let change = format!("{path}/change");
    assert_eq!(reads.try_open(&change).answer.status(), 403);

    let mut maintains = Browser::of(&stack, &maintainer);
    let asked = maintains.open(&change);
    assert!(!asked.has_form(&format!("{path}/delete")) && !asked.says("Seen by"));
    let name = unique("Renamed");
    let renamed = maintains.send(&asked, &change, &[("name", &*name)]);
    assert!(renamed.answer.text().contains(&name), "{}", renamed.text());

    let moderator = with_role(&stack, &User::driver(&stack), "moderator");
    let mut moderates = Browser::of(&stack, &moderator);
    assert!(moderates.open(&path).says("As a moderator"));
    let asked = moderates.open(&change);
    let unlisted = moderates.send(&asked, &change, &[("visibility", "unlisted")]);
    assert!(
        unlisted.says("everyone who knows its number"),
        "{}",
        unlisted.text()
    );

    let mut rules = Browser::of(&stack, &User::admin(&stack));
    let quota = format!("{path}/quota");
    assert!(!moderates.open(&format!("{path}/people")).has_form(&quota));
    let people = rules.open(&format!("{path}/people"));
    let set = rules.send(&people, &quota, &[("quota", "100")]);
    assert!(set.says("Quota 100.0 MiB"), "{}", set.text());
}

#[test]
fn a_version_with_a_thousand_files_is_shown_in_parts() {
    let stack = Stack::shared();
    let author = User::driver(&stack);
    let (pack, version, ..) = published(&author, "public");
    let path = format!("/modpacks/{pack}/versions");
    let draft = json!({ "name": "2.0", "mc_version": "1.20.1", "based_on": version });
    let draft = author.post(&path).json(&draft).send().expect(201).json();
    let draft = number(&draft["id"]);
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = modpacks").unwrap();
    let links = "INSERT INTO file (pack_id, version_id, owner, path, original_name, size, status, side, is_optional, is_kept, source,
            source_sha512)
        SELECT pack.id, version.id, pack.owner, format('mods/a-mod-with-a-long-name-%s.jar', number), 'mod', 1, 'ready', 'both', false,
            false, 'https://example.org/mod', repeat('0', 128)
        FROM version JOIN pack ON pack.id = version.pack_id, generate_series(1, 999) AS number
        WHERE version.id = $1";
    assert_eq!(sql.execute(links, &[&draft]).unwrap(), 999);

    let mut browser = Browser::of(&stack, &author);
    let first = browser.open(&format!("/console/packs/{pack}/versions/{draft}"));
    assert!(first.says("1 to 200 of 1000"), "{}", first.text());
    let next = browser.open(&first.link("More files"));
    assert!(next.says("201 to 400 of 1000"), "{}", next.text());
    let last = browser.open(&format!(
        "/console/packs/{pack}/versions/{draft}?offset=800"
    ));
    assert!(last.says("801 to 1000 of 1000") && !last.says("More files"));
}
