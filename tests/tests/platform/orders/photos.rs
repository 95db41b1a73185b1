//! Photos of products: put into S3 by those who edit the menu, shown to all.

use serde_json::{Value, json};
use wharf_tests::{Answer, Request, Stack, User, eventually};

use super::{SOON, Shop, hire, open_shop, tick, with_tick};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 fries, golden";

/// To S3 itself, at the whole address that the platform gave.
fn at_s3(method: &str, address: &str) -> Request {
    let address = address.strip_prefix("http://").unwrap();
    let (host, path) = address.split_once('/').unwrap();
    Request::new(host.parse().unwrap(), method, &format!("/{path}"))
}

fn put(upload: &Value, bytes: &[u8]) -> Answer {
    at_s3("PUT", upload["address"].as_str().unwrap())
        .body("", bytes.to_vec())
        .without_header("content-type")
        .send()
}

fn add(user: &User, product: i64, bytes: &[u8]) -> Answer {
    user.post(&format!("/products/{product}/photos"))
        .json(&json!({ "size": bytes.len(), "media_type": "image/jpeg" }))
        .send()
}

fn path(product: i64, upload: &Value) -> String {
    let id = upload["id"].as_str().unwrap();
    format!("/products/{product}/photos/{id}")
}

fn complete(user: &User, product: i64, upload: &Value) -> Answer {
    user.post(&path(product, upload)).send()
}

/// A product with that photo.
fn shown(shop: &Shop, product: i64, bytes: &[u8]) -> String {
    let upload = add(&shop.manager, product, bytes).expect(201).json();
    put(&upload, bytes).expect(200);
    let product = complete(&shop.manager, product, &upload).expect(200).json();
    product["photo"].as_str().unwrap().to_owned()
}

/// What a customer without an account sees there.
fn look(stack: &Stack, photo: &str) -> Vec<u8> {
    let answer = stack.get(photo).send().expect(302);
    let address = answer.header("location").unwrap().to_owned();
    at_s3("GET", &address)
        .send()
        .expect(200)
        .text()
        .into_bytes()
}

#[test]
fn a_photo_is_put_completed_and_shown_to_all() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let upload = add(&shop.manager, product, JPEG).expect(201).json();
    let early = complete(&shop.manager, product, &upload).problem(409);
    assert_eq!(early["code"], "no-bytes");
    stack.get(&path(product, &upload)).send().problem(404);
    assert_ne!(put(&upload, &JPEG[..5]).status(), 200);
    put(&upload, JPEG).expect(200);
    for _ in 0..2 {
        let completed = complete(&shop.manager, product, &upload).expect(200).json();
        assert_eq!(completed["photo"], path(product, &upload));
    }
    // What was put is not changed through the old address.
    assert_ne!(
        put(&upload, b"\xff\xd8\xff\xe0 fries, BURNED").status(),
        200
    );
    let listed = stack.get(&format!("/products?shop_id={}", shop.id)).send();
    let photo = listed.expect(200).json()[0]["photo"].clone();
    let bytes = look(&stack, photo.as_str().unwrap());
    assert_eq!(bytes, String::from_utf8_lossy(JPEG).as_bytes());
}

#[test]
fn bytes_that_are_no_photo_are_not_shown() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let page = b"<script>alert(1)</script>";
    let upload = add(&shop.manager, product, page).expect(201).json();
    put(&upload, page).expect(200);
    let refused = complete(&shop.manager, product, &upload).problem(409);
    assert_eq!(refused["code"], "no-photo");
    stack.get(&path(product, &upload)).send().problem(404);
}

#[test]
fn only_those_who_edit_the_menu_change_its_photos() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let upload = add(&shop.manager, product, JPEG).expect(201).json();
    put(&upload, JPEG).expect(200);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let elsewhere = open_shop(&stack);
    for other in [&User::driver(&stack), &kitchen, &elsewhere.manager] {
        add(other, product, JPEG).problem(403);
        complete(other, product, &upload).problem(403);
        other.delete(&path(product, &upload)).send().problem(403);
    }
    // A photo of another product.
    let theirs = elsewhere.product(json!({}));
    complete(&elsewhere.manager, theirs, &upload).problem(404);
    let anonymous = stack.post(&format!("/products/{product}/photos"));
    anonymous
        .json(&json!({ "size": 4, "media_type": "image/jpeg" }))
        .send()
        .problem(401);
    for size in [0, 10 * 1024 * 1024 + 1] {
        let body = json!({ "size": size, "media_type": "image/jpeg" });
        let path = format!("/products/{product}/photos");
        shop.manager.post(&path).json(&body).send().problem(400);
    }
    for _ in 0..9 {
        add(&shop.manager, product, JPEG).expect(201);
    }
    let refused = add(&shop.manager, product, JPEG).problem(409);
    assert_eq!(refused["code"], "too-many-photos");
}

#[test]
fn a_photo_that_is_replaced_or_taken_away_is_gone_with_its_bytes() {
    let stack = with_tick().without_clock().start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let first = shown(&shop, product, JPEG);
    let second = shown(&shop, product, b"\xff\xd8\xff\xe1 fries, anew");
    stack.get(&first).send().problem(404);
    let location = stack.get(&second).send().expect(302);
    let location = location.header("location").unwrap().to_owned();
    shop.manager.delete(&second).send().expect(204);
    shop.manager.delete(&second).send().problem(404);
    stack.get(&second).send().problem(404);
    let product = shop.manager.get(&format!("/products/{product}")).send();
    assert_eq!(product.expect(200).json()["photo"], Value::Null);
    // A customer who has the address of the bytes keeps it for some minutes.
    at_s3("GET", &location).send().expect(200);
    let later = "UPDATE orders.photo SET dropped_at = dropped_at - interval '11 minutes'";
    stack.sql().batch_execute(later).unwrap();
    eventually("the bytes are deleted", SOON, || {
        tick(&stack).send().expect(204);
        at_s3("GET", &location).send().status() == 404
    });
    let left = "SELECT count(*) FROM orders.photo";
    let left: i64 = stack.sql().query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, 0);
}
