//! The icon and the gallery of a pack: only images, seen by everyone who sees the pack.

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User};

use super::links::create_link;
use super::*;

/// A verified file of the pack itself.
fn pack_file(owner: &User, pack: i64, name: &str, bytes: &[u8]) -> i64 {
    let body = json!({ "path": name, "size": bytes.len() });
    let to = format!("/modpacks/{pack}/files");
    let plan = owner.post(&to).json(&body).send().expect(200).json();
    let file = number(&plan["file"]["id"]);
    send_parts(&plan, bytes);
    complete(owner, file).expect(200);
    assert_eq!(settled(owner, file)["status"], "ready");
    file
}

/// The bytes of an image that no other test has.
pub fn image(head: &[u8]) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.extend(content(300));
    bytes
}

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0";
const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBP";

pub fn set_icon(owner: &User, pack: i64, file: Value) -> Answer {
    let body = json!({ "file_id": file });
    owner
        .put(&format!("/modpacks/{pack}/icon"))
        .json(&body)
        .send()
}

fn set_gallery(owner: &User, pack: i64, pictures: &Value) -> Answer {
    let body = json!({ "pictures": pictures });
    owner
        .put(&format!("/modpacks/{pack}/gallery"))
        .json(&body)
        .send()
}

/// A pack with an icon; its id and the icon's.
pub fn pack_with_icon(owner: &User, visibility: &str) -> (i64, i64) {
    let pack = create_pack(owner, visibility);
    let icon = pack_file(owner, pack, "icon.png", &image(PNG));
    set_icon(owner, pack, json!(icon)).expect(200);
    (pack, icon)
}

#[test]
fn viewers_of_a_pack_see_its_icon_and_gallery() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "public");
    let (icon, castle) = (image(PNG), image(JPEG));
    // The media type follows the bytes and not the name.
    let icon_file = pack_file(&owner, pack, "icon.html", &icon);
    let castle_file = pack_file(&owner, pack, "castle.jpg", &castle);
    let webp = pack_file(&owner, pack, "lake.webp", &image(WEBP));
    let shown = set_icon(&owner, pack, json!(icon_file)).expect(200).json();
    let path = format!("/modpacks/{pack}/pictures/{icon_file}");
    let expected =
        json!({ "file_id": icon_file, "title": "", "media_type": "image/png", "url": path });
    assert_eq!(shown["icon"], expected);
    let wanted = json!([{ "file_id": webp }, { "file_id": castle_file, "title": "The castle" }]);
    set_gallery(&owner, pack, &wanted).expect(200);
    let shown = stack
        .get(&format!("/modpacks/{pack}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(shown["icon"], expected);
    let gallery = shown["gallery"].as_array().unwrap();
    let listed: Vec<_> = gallery
        .iter()
        .map(|it| {
            (
                number(&it["file_id"]),
                it["title"].as_str().unwrap(),
                it["media_type"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            (webp, "", "image/webp"),
            (castle_file, "The castle", "image/jpeg")
        ]
    );

    for (picture, media_type, bytes) in [
        (&shown["icon"], "image/png", &icon),
        (&gallery[1], "image/jpeg", &castle),
    ] {
        let led = stack
            .get(picture["url"].as_str().unwrap())
            .send()
            .expect(302);
        let got = follow(&led).expect(200);
        assert_eq!(got.header("content-type"), Some(media_type));
        let disposition = got.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert_eq!(got.bytes(), bytes);
    }

    // A file removed from the gallery is no longer a picture, and a deleted file leaves the gallery.
    set_gallery(&owner, pack, &json!([])).expect(200);
    let gone = format!("/modpacks/{pack}/pictures/{castle_file}");
    stack.get(&gone).send().problem(404);
    owner
        .delete(&format!("/files/{icon_file}"))
        .send()
        .expect(204);
    let shown = stack
        .get(&format!("/modpacks/{pack}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&shown["icon"], &shown["gallery"]),
        (&Value::Null, &json!([]))
    );
    stack.get(&path).send().problem(404);
}

#[test]
fn only_an_image_of_the_pack_itself_becomes_a_picture() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (other_pack, foreign) = pack_with_icon(&owner, "public");
    let (pack, _, of_version, _) = published(&owner, "public");
    let page = pack_file(
        &owner,
        pack,
        "icon.png",
        b"<!doctype html><script>alert(1)</script>",
    );
    let svg = pack_file(
        &owner,
        pack,
        "icon.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    );
    let large = pack_file(
        &owner,
        pack,
        "large.png",
        &[PNG, &content(11 << 20)].concat(),
    );
    for file in [page, svg, large] {
        assert_eq!(
            set_icon(&owner, pack, json!(file)).problem(422)["code"],
            "no-picture"
        );
        let gallery = json!([{ "file_id": file }]);
        assert_eq!(
            set_gallery(&owner, pack, &gallery).problem(422)["code"],
            "no-picture"
        );
    }
    for file in [foreign, of_version, 7] {
        assert_eq!(
            set_icon(&owner, pack, json!(file)).problem(404)["code"],
            "unknown-file"
        );
    }
    let plan = owner
        .post(&format!("/modpacks/{pack}/files"))
        .json(&json!({ "path": "late.png", "size": 8 }))
        .send()
        .expect(200)
        .json();
    let late = &plan["file"]["id"];
    assert_eq!(
        set_icon(&owner, pack, late.clone()).problem(409)["code"],
        "file-not-ready"
    );
    let twice = json!([{ "file_id": page }, { "file_id": page }]);
    assert_eq!(
        set_gallery(&owner, pack, &twice).problem(422)["code"],
        "invalid-pack"
    );
    let shown = owner.get(&format!("/modpacks/{pack}")).send().json();
    assert_eq!(
        (&shown["icon"], &shown["gallery"]),
        (&Value::Null, &json!([]))
    );
    // A picture of one pack is not found below another.
    let path = format!("/modpacks/{pack}/pictures/{foreign}");
    stack.get(&path).send().problem(404);
    let path = format!("/modpacks/{other_pack}/pictures/{foreign}");
    stack.get(&path).send().expect(302);
}

#[test]
fn the_team_chooses_pictures_and_friends_see_them() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let stranger = User::driver(stack);
    let (pack, icon) = pack_with_icon(&owner, "private");
    let absent = set_icon(&stranger, 7, json!(icon)).problem(404)["code"].clone();
    assert_eq!(
        set_icon(&stranger, pack, json!(icon)).problem(404)["code"],
        absent
    );
    let path = format!("/modpacks/{pack}/pictures/{icon}");
    stranger.get(&path).send().problem(404);

    let (link_id, link) = create_link(&owner, pack);
    let shown = stack.get(&link).send().expect(200).json();
    let url = shown["icon"]["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&link), "{url}");
    stack.get(&url).send().expect(302);
    let manifest = stack.get(&format!("{link}/latest/manifest.json")).send();
    manifest.problem(404);
    let revoke = format!("/modpacks/{pack}/links/{link_id}");
    owner.delete(&revoke).send().expect(204);
    stack.get(&url).send().problem(404);

    let shares = format!("/modpacks/{pack}/shares");
    let users = json!({ "users": [stranger.login] });
    owner.put(&shares).json(&users).send().expect(204);
    stranger.get(&path).send().expect(302);
    set_icon(&stranger, pack, Value::Null).problem(403);
    // A restricted file is no longer a picture.
    let access = json!({ "restricted": true });
    let of_file = format!("/files/{icon}/access");
    owner.put(&of_file).json(&access).send().expect(204);
    stranger.get(&path).send().problem(404);
    let shown = stranger
        .get(&format!("/modpacks/{pack}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(shown["icon"], Value::Null);
    owner
        .put(&of_file)
        .json(&json!({ "restricted": false }))
        .send()
        .expect(204);
    stranger.get(&path).send().expect(302);
    set_icon(&owner, pack, Value::Null).expect(200);
    stranger.get(&path).send().problem(404);
}
