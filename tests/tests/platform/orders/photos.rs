//! Photos of products: put into S3 by users who edit the menu, shown to all.

use std::sync::LazyLock;

use serde_json::{Value, json};
use wharf_tests::{Answer, Request, Stack, User, at_once, eventually, photo};

use super::{SOON, Shop, hire, open_shop, tick, with_tick};

pub(super) static JPEG: LazyLock<Vec<u8>> = LazyLock::new(|| photo("fries, golden"));

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

pub(super) fn add(user: &User, product: i64, bytes: &[u8]) -> Answer {
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

/// A product shows that photo too.
pub(super) fn shown(shop: &Shop, product: i64, bytes: &[u8]) -> String {
    let upload = add(&shop.manager, product, bytes).expect(201).json();
    put(&upload, bytes).expect(200);
    complete(&shop.manager, product, &upload).expect(200);
    path(product, &upload)
}

/// The answer at a path for a customer without an account.
fn look(stack: &Stack, photo: &str) -> Vec<u8> {
    let answer = stack.get(photo).send().expect(302);
    let address = answer.header("location").unwrap().to_owned();
    at_s3("GET", &address).send().expect(200).bytes().to_vec()
}

#[test]
fn a_photo_is_put_completed_and_shown_to_all() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let upload = add(&shop.manager, product, &JPEG).expect(201).json();
    let early = complete(&shop.manager, product, &upload).problem(409);
    assert_eq!(early["code"], "no-bytes");
    stack.get(&path(product, &upload)).send().problem(404);
    assert_ne!(put(&upload, &JPEG[..5]).status(), 200);
    put(&upload, &JPEG).expect(200);
    for _ in 0..2 {
        let completed = complete(&shop.manager, product, &upload).expect(200).json();
        assert_eq!(completed["photo"], path(product, &upload));
    }
    // The old address cannot change the stored bytes.
    assert_ne!(put(&upload, &photo("fries, BURNED")).status(), 200);
    let listed = stack.get(&format!("/products?shop_id={}", shop.id)).send();
    let photo = listed.expect(200).json()[0]["photo"].clone();
    let bytes = look(&stack, photo.as_str().unwrap());
    assert_eq!(bytes, *JPEG);
}

#[test]
fn bytes_that_are_no_photo_are_not_shown() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let half = &JPEG[..JPEG.len() - 2];
    // It begins as a photo and goes on as a page.
    let both: &[u8] = b"\xff\xd8\xff\xe0/*\0\0\0*/<html><script>alert(document.domain)</script>";
    for bytes in [b"<script>alert(1)</script>".as_slice(), half, both] {
        let upload = add(&shop.manager, product, bytes).expect(201).json();
        put(&upload, bytes).expect(200);
        let refused = complete(&shop.manager, product, &upload).problem(409);
        assert_eq!(refused["code"], "no-photo");
        stack.get(&path(product, &upload)).send().problem(404);
    }
}

#[test]
fn only_users_who_edit_the_menu_change_its_photos() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let upload = add(&shop.manager, product, &JPEG).expect(201).json();
    put(&upload, &JPEG).expect(200);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let elsewhere = open_shop(&stack);
    for other in [&User::driver(&stack), &kitchen, &elsewhere.manager] {
        add(other, product, &JPEG).problem(403);
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
        add(&shop.manager, product, &JPEG).expect(201);
    }
    let refused = add(&shop.manager, product, &JPEG).problem(409);
    assert_eq!(refused["code"], "too-many-photos");
}

#[test]
fn a_browser_never_runs_the_content_of_a_photo() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let page = "<html><script>alert(document.domain)</script>";
    let both = [photo(page), page.into()].concat();
    let shown = shown(&shop, product, &both);
    let address = stack.get(&shown).send().expect(302);
    let address = address.header("location").unwrap().to_owned();
    let served = at_s3("GET", &address).send().expect(200);
    assert_eq!(served.header("content-type"), Some("image/jpeg"));
    let disposition = served.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    // Type and disposition are signed.
    for other in [
        address.replace("image%2Fjpeg", "text%2Fhtml"),
        address.replace("attachment", "inline"),
    ] {
        assert_ne!(other, address);
        assert_eq!(at_s3("GET", &other).send().status(), 403);
    }
    let bare = address.split_once('?').unwrap().0;
    assert_eq!(at_s3("GET", bare).send().status(), 403);
}

fn photos(product: &Value) -> Vec<String> {
    let photos = product["photos"].as_array().unwrap().iter();
    photos.map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn photos_of(shop: &Shop, product: i64) -> Vec<String> {
    let listed = shop.manager.get(&format!("/products?product_id={product}"));
    let listed = listed.send().expect(200).json();
    assert_eq!(
        listed["photo"].as_str(),
        photos(&listed).first().map(String::as_str)
    );
    photos(&listed)
}

/// Asks for that order of the photos at these paths.
fn arrange(user: &User, product: i64, paths: &[&String]) -> Answer {
    let id = |it: &&String| it.rsplit('/').next().unwrap().to_owned();
    let body = json!({ "photos": paths.iter().map(id).collect::<Vec<_>>() });
    let path = format!("/products/{product}/photos");
    user.put(&path).json(&body).send()
}

#[test]
fn a_product_shows_several_photos_in_the_order_that_its_shop_chose() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    assert_eq!(photos_of(&shop, product), [""; 0]);
    let [first, second, third] =
        ["front", "side", "inside"].map(|it| shown(&shop, product, &photo(it)));
    let in_order = [&first, &second, &third].map(String::clone);
    assert_eq!(photos_of(&shop, product), in_order);
    for photo in &in_order {
        stack.get(photo).send().expect(302);
    }

    let changed = arrange(&shop.manager, product, &[&third, &first, &second]).expect(200);
    assert_eq!(
        photos(&changed.json()),
        [&third, &first, &second].map(String::clone)
    );
    let other = shown(&shop, shop.product(json!({})), &JPEG);
    for wrong in [
        &[&third, &first] as &[_],
        &[&third, &first, &first],
        &[&third, &first, &second, &first],
        &[&third, &first, &other],
    ] {
        let refused = arrange(&shop.manager, product, wrong).problem(409);
        assert_eq!(refused["code"], "other-photos", "{wrong:?}");
    }
    let elsewhere = open_shop(&stack).manager;
    for user in [
        &User::driver(&stack),
        &hire(&stack, shop.id, "kitchen"),
        &elsewhere,
    ] {
        arrange(user, product, &[&first, &second, &third]).problem(403);
    }
    shop.manager.delete(&third).send().expect(204);
    assert_eq!(
        photos_of(&shop, product),
        [&first, &second].map(String::clone)
    );
}

#[test]
fn concurrently_completed_photos_are_all_shown_up_to_ten() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let added = at_once(12, |_| {
        let answer = add(&shop.manager, product, &JPEG);
        if answer.status() == 409 {
            return None;
        }
        let upload = answer.expect(201).json();
        put(&upload, &JPEG).expect(200);
        complete(&shop.manager, product, &upload).expect(200);
        Some(path(product, &upload))
    });
    let mut added: Vec<_> = added.into_iter().flatten().collect();
    let mut listed = photos_of(&shop, product);
    added.sort();
    listed.sort();
    assert_eq!((listed.len(), listed), (10, added));
}

#[test]
fn a_photo_that_is_taken_away_is_gone_with_its_bytes() {
    let stack = with_tick().without_clock().start();
    let shop = open_shop(&stack);
    let (product, deleted) = (shop.product(json!({})), shop.product(json!({})));
    let photo = shown(&shop, product, &JPEG);
    let with_product = shown(&shop, deleted, &JPEG);
    let [address, other] = [&photo, &with_product].map(|it| {
        let answer = stack.get(it).send().expect(302);
        answer.header("location").unwrap().to_owned()
    });
    shop.manager.delete(&photo).send().expect(204);
    shop.manager.delete(&photo).send().problem(404);
    shop.manager
        .delete(&format!("/products/{deleted}"))
        .send()
        .expect(204);
    for gone in [&photo, &with_product] {
        stack.get(gone).send().problem(404);
    }
    assert_eq!(photos_of(&shop, product), [""; 0]);
    // A customer who has the address of the bytes keeps it for some minutes.
    at_s3("GET", &address).send().expect(200);
    let later = "UPDATE orders.photo SET dropped_at = dropped_at - interval '11 minutes'";
    stack.sql().batch_execute(later).unwrap();
    eventually("the bytes are deleted", SOON, || {
        tick(&stack).send().expect(204);
        [&address, &other].map(|it| at_s3("GET", it).send().status()) == [404, 404]
    });
    let left = "SELECT count(*) FROM orders.photo";
    let left: i64 = stack.sql().query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, 0);
}
