//! What the router answers. The description of a native build is the sample in `build.rs`.

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use kit::testing::{Answer, ask, get};

use crate::file::Asset;
use crate::routes::routes;

async fn send(request: Builder) -> Answer {
    ask(routes(), request.body(Body::empty()).unwrap()).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .map_or("", |it| it.to_str().unwrap())
}

#[tokio::test]
async fn home_is_json_for_programs() {
    for request in [
        Request::get("/"),
        Request::get("/").header("accept", "*/*"),
        Request::get("/").header("accept", "application/json, text/html;q=0.9"),
    ] {
        let answer = send(request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["name"], "wharf");
        assert_eq!(answer.body["documentation"], "/docs");
        assert_eq!(answer.body["openapi"], "/openapi.json");
        assert_eq!(answer.body["health"], "/.well-known/spin/health");
        assert_eq!(header(&answer, "vary"), "Accept");
    }
}

#[tokio::test]
async fn home_is_a_page_for_browsers() {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let answer = send(Request::get("/").header("accept", browser)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&answer, "vary"), "Accept");
}

#[tokio::test]
async fn pages_allow_no_inline_script_and_no_frame() {
    let home = send(Request::get("/").header("accept", "text/html")).await;
    for answer in [home, get(routes(), "/docs").await] {
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    }
    for page in [
        include_str!("pages/docs.html"),
        include_str!("pages/home.html"),
    ] {
        assert!(!page.contains("style="), "inline style");
        assert!(!page.contains("<style"), "inline style");
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(" src=\"/docs/"), "inline script: {tag}");
        }
    }
}

#[tokio::test]
async fn scripts_insert_text_and_never_markup() {
    for script in [
        include_str!("pages/page.js"),
        include_str!("pages/element.js"),
        include_str!("pages/operation.js"),
        include_str!("pages/schema.js"),
        include_str!("pages/trial.js"),
    ] {
        for unsafe_name in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "localStorage",
        ] {
            assert!(!script.contains(unsafe_name), "{unsafe_name}");
        }
    }
}

#[tokio::test]
async fn the_description_is_json_that_caches_keep_for_minutes() {
    let answer = get(routes(), "/openapi.json").await;
    assert_eq!(answer.body["openapi"], "3.1.0");
    assert_eq!(header(&answer, "content-type"), "application/json");
    assert_eq!(header(&answer, "cache-control"), "public, max-age=300");
    assert_eq!(header(&answer, "vary"), "Accept-Encoding");
}

#[tokio::test]
async fn the_catalogue_names_every_event_and_is_linked_from_the_documentation() {
    let answer = get(routes(), "/events.json").await;
    assert_eq!(header(&answer, "content-type"), "application/json");
    assert_eq!(header(&answer, "cache-control"), "public, max-age=300");
    let events = answer.body["events"].as_array().unwrap();
    let erased = events.iter().find(|it| it["kind"] == "user:erased");
    assert_eq!(erased.unwrap()["emitted_by"][0], "signin");
    assert!(include_str!("pages/docs.html").contains("href=\"/events.json\""));
}

#[tokio::test]
async fn the_compressed_description_has_a_tag_of_its_own() {
    let plain = get(routes(), "/openapi.json").await;
    let gzip = send(Request::get("/openapi.json").header("accept-encoding", "gzip, br")).await;
    assert_eq!(header(&plain, "content-encoding"), "");
    assert_eq!(header(&gzip, "content-encoding"), "gzip");
    assert_ne!(header(&plain, "etag"), header(&gzip, "etag"));
}

#[tokio::test]
async fn a_copy_that_is_current_is_not_sent_again() {
    for path in ["/openapi.json", "/events.json", "/docs", "/docs/page.css"] {
        let first = get(routes(), path).await;
        let tag = header(&first, "etag");
        assert!(tag.len() > 2, "{path}");
        for known in [
            tag.to_owned(),
            format!("\"other\", W/{tag}"),
            "*".to_owned(),
        ] {
            let again = send(Request::get(path).header("if-none-match", known)).await;
            assert_eq!(again.status, 304, "{path}");
            assert_eq!(header(&again, "etag"), tag);
            assert_eq!(header(&again, "content-type"), "");
        }
        let other = send(Request::get(path).header("if-none-match", "\"other\"")).await;
        assert_eq!(other.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_file_has_its_media_type() {
    for asset in Asset::ALL {
        let path = format!("/docs/{}", asset.name());
        let answer = get(routes(), &path).await;
        let expected = match path.rsplit('.').next().unwrap() {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(header(&answer, "content-type"), expected, "{path}");
    }
    let unknown = get(routes(), "/docs/secret.js").await;
    assert_eq!(
        (unknown.status, &unknown.body["code"]),
        (404, &"not-found".into())
    );
}

#[tokio::test]
async fn a_trailing_slash_leads_to_the_documentation_too() {
    assert_eq!(get(routes(), "/docs/").await.status, 200);
}

#[tokio::test]
async fn head_answers_without_a_body_and_other_methods_are_refused() {
    for path in ["/", "/docs", "/docs/page.js", "/openapi.json"] {
        let head = send(Request::head(path)).await;
        assert_eq!((head.status, &head.body), (200, &serde_json::Value::Null));
        let post = send(Request::post(path)).await;
        assert_eq!(
            (post.status, &post.body["code"]),
            (405, &"method-not-allowed".into())
        );
    }
}
