//! Modpacks: uploads, visibility, and that no unverified file is served.

mod clients;
mod crashes;
mod dependencies;
mod erasure;
mod files;
mod imports;
mod limits;
mod links;
mod methods;
mod pictures;
mod repairs;
mod sharing;
mod sync;
mod uploads;
mod versions;
mod visibility;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wharf_tests::{Answer, Request, Stack, User, eventually_some, unique};

const SOON: Duration = Duration::from_secs(60);

pub(crate) fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("a number: {value}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes that no other test has.
pub(crate) fn content(length: usize) -> Vec<u8> {
    let seed = unique("content");
    seed.bytes().cycle().take(length.max(seed.len())).collect()
}

fn create_pack(owner: &User, visibility: &str) -> i64 {
    let body = json!({ "name": unique("Pack"), "visibility": visibility });
    let made = owner.post("/modpacks").json(&body).send().expect(201);
    number(&made.json()["id"])
}

fn create_draft(owner: &User, pack: i64, name: &str) -> i64 {
    let body = json!({ "name": name, "mc_version": "1.20.1", "loader": "fabric" });
    let path = format!("/modpacks/{pack}/versions");
    let made = owner.post(&path).json(&body).send().expect(201);
    number(&made.json()["id"])
}

/// A trigger keeps even a faulty statement from changing a published version.
fn refused_once_published(stack: &Stack, statement: &str, version: i64) {
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = modpacks").unwrap();
    let refused = sql.execute(statement, &[&version]).unwrap_err();
    let constraint = refused.as_db_error().and_then(|it| it.constraint());
    assert_eq!(constraint, Some("version_is_published"), "{statement}");
}

fn publish(owner: &User, pack: i64, version: i64) -> Answer {
    let path = format!("/modpacks/{pack}/versions/{version}/publish");
    owner.post(&path).send()
}

/// A request to an address of S3.
fn at_s3(method: &str, url: &str) -> Request {
    let (origin, path) = url
        .strip_prefix("http://")
        .and_then(|it| it.split_at_checked(it.find('/')?))
        .unwrap_or_else(|| panic!("an address: {url}"));
    let to: SocketAddr = origin.parse().unwrap();
    Request::new(to, method, path)
}

/// The plan of an upload, whose bytes have not been sent.
fn begin(owner: &User, pack: i64, version: i64, path: &str, body: &Value) -> Value {
    let mut new = json!({ "path": path });
    for (name, value) in body.as_object().unwrap() {
        new[name] = value.clone();
    }
    let to = format!("/modpacks/{pack}/versions/{version}/files");
    owner.post(&to).json(&new).send().expect(200).json()
}

fn send_parts(plan: &Value, bytes: &[u8]) {
    let part_size = usize::try_from(number(&plan["part_size"])).unwrap();
    for part in plan["parts"].as_array().unwrap() {
        let start = (usize::try_from(number(&part["number"])).unwrap() - 1) * part_size;
        let size = usize::try_from(number(&part["size"])).unwrap();
        let body = bytes[start..start + size].to_vec();
        let sent = at_s3("PUT", part["url"].as_str().unwrap())
            .body("application/octet-stream", body)
            .send();
        sent.expect(200);
    }
}

fn complete(owner: &User, file: i64) -> Answer {
    let path = format!("/files/{file}/complete");
    owner.post(&path).json(&json!({})).send()
}

/// The file once it is settled: `ready` or `failed`.
fn settled(owner: &User, file: i64) -> Value {
    let path = format!("/files/{file}");
    eventually_some("the file is settled", SOON, || {
        let shown = owner.get(&path).send().expect(200).json();
        let is_settled = ["ready", "failed"].contains(&shown["status"].as_str()?);
        is_settled.then_some(shown)
    })
}

/// Uploads a file of a draft and waits until it is verified.
pub(crate) fn upload(owner: &User, pack: i64, version: i64, path: &str, bytes: &[u8]) -> i64 {
    let body = json!({ "size": bytes.len(), "sha256": sha256(bytes) });
    let plan = begin(owner, pack, version, path, &body);
    let file = number(&plan["file"]["id"]);
    send_parts(&plan, bytes);
    complete(owner, file).expect(200);
    let shown = settled(owner, file);
    assert_eq!(shown["status"], "ready", "{shown}");
    file
}

/// A pack with one published version of one file: their ids, and the bytes.
pub(crate) fn published(owner: &User, visibility: &str) -> (i64, i64, i64, Vec<u8>) {
    let pack = create_pack(owner, visibility);
    let version = create_draft(owner, pack, "1.0");
    let bytes = content(2_000);
    let file = upload(owner, pack, version, "mods/example.jar", &bytes);
    publish(owner, pack, version).expect(200);
    (pack, version, file, bytes)
}

/// The bytes of a download, as a client that follows its redirect gets them.
fn follow(answer: &Answer) -> Answer {
    let location = answer.header("location").expect("a redirect").to_owned();
    at_s3("GET", &location).send()
}

fn user_id(user: &User) -> String {
    let me = user.get("/auth/me").send().expect(200).json();
    me["id"].as_str().unwrap().to_owned()
}

/// The same user with one role more.
pub(crate) fn with_role(stack: &Stack, user: &User, role: &str) -> User {
    let path = format!("/auth/users/{}/roles", user_id(user));
    let roles = json!({ "roles": [role] });
    User::admin(stack)
        .put(&path)
        .json(&roles)
        .send()
        .expect(200);
    user.signed_in_again()
}
