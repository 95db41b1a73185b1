//! What a token may be used for, when it may not be used for everything.
//!
//! A scope is words separated by spaces: `read` and `write`, or one area of the
//! platform alone, as `payments:read`. An area is the resource that a path is about,
//! in each of its spellings: `/payment` and `/api/payments` are `payments`, `/login` is
//! `auth`. Under `/api/method/` it is the group of the method. Writing includes reading.
//! A request that no word allows is refused, so a new route is closed by default.

use axum::http::Method;

/// Whether the words allow the request.
pub(crate) fn permits(scope: &str, method: &Method, path: &str) -> bool {
    if path == OWN_SESSION && *method == Method::GET {
        return true;
    }
    let area = area(path);
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
        // There the name says what a method does, and GET may change things.
        && !path.starts_with(RPC);
    scope.split_ascii_whitespace().any(|word| {
        let right = match word.split_once(':') {
            Some((of_area, right)) if resource(of_area) == area => right,
            Some(_) => return false,
            None => word,
        };
        right == "write" || (right == "read" && reads)
    })
}

/// Methods by name: a GET may change things there.
pub(crate) const RPC: &str = "/api/method/";

/// A token of any scope may read its own session.
const OWN_SESSION: &str = "/auth/session";

fn area(path: &str) -> &str {
    if let Some(method) = path.strip_prefix(RPC) {
        return resource(method.split('.').next().unwrap_or_default());
    }
    let mut steps = path
        .split('/')
        .filter(|it| !matches!(*it, "" | "api" | "v1"));
    let first = resource(steps.next().unwrap_or_default());
    match (first, steps.next(), steps.next()) {
        // What belongs to a user, as `/users/me/fines`, and users under `/auth/users`.
        ("users", Some("me"), Some(owned)) => resource(owned),
        ("auth", Some("users"), _) => "users",
        _ => first,
    }
}

/// The one name of a resource that is spelled in several ways.
fn resource(word: &str) -> &str {
    match word {
        "login" | "register" | "change-password" | "token" | "otp" => "auth",
        "user" => "users",
        "customer" => "customers",
        "payment" => "payments",
        "booking" => "bookings",
        "order" => "orders",
        "product" => "products",
        "category" => "categories",
        "zone" => "zones",
        "ticket" => "tickets",
        "fine" => "fines",
        "car" => "cars",
        "modpack" => "modpacks",
        "file" => "files",
        "place" | "places" => "parking",
        other => other,
    }
}

/// Whether every word has the form of a right, of an area that exists or one that may be added later.
pub fn is_scope(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace().peekable();
    let is_area =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it == b'-');
    words.peek().is_some()
        && words.all(|word| {
            let (area, right) = word.split_once(':').unwrap_or(("any", word));
            is_area(area) && matches!(right, "read" | "write")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_word_allows_is_refused() {
        let may = |scope: &str, method: Method, path: &str| permits(scope, &method, path);
        assert!(may("read", Method::GET, "/parking"));
        assert!(!may("read", Method::POST, "/parking"));
        assert!(may("write", Method::GET, "/parking"));
        assert!(may("payments:write", Method::POST, "/api/payments/send"));
        assert!(!may("payments:write", Method::POST, "/booking"));
        assert!(may(
            "fines:read tickets:read",
            Method::GET,
            "/api/v1/tickets/7"
        ));
        assert!(!may("", Method::GET, "/"));
        assert!(!may("admin root READ", Method::GET, "/"));
    }

    #[test]
    fn a_scope_follows_the_resource_and_not_its_spelling() {
        let may = |scope: &str, path: &str| permits(scope, &Method::POST, path);
        for path in ["/payment/promocode", "/payments/send", "/api/payments/send"] {
            assert!(may("payments:write", path), "{path}");
            assert!(may("payment:write", path), "{path}");
        }
        for path in [
            "/login",
            "/api/v1/login",
            "/token",
            "/auth/login",
            "/change-password",
        ] {
            assert!(may("auth:write", path), "{path}");
        }
        assert!(may("users:write", "/api/v1/users/me"));
        assert!(may("users:write", "/auth/users/7/roles"));
        assert!(!may("auth:write", "/api/auth/users/7/roles"));
        assert!(may("fines:write", "/api/v1/users/me/fines"));
        assert!(!may("users:write", "/api/v1/users/me/fines"));
    }

    #[test]
    fn every_token_may_ask_for_its_own_session() {
        assert!(permits("fines:read", &Method::GET, "/auth/session"));
        assert!(!permits("fines:read", &Method::DELETE, "/auth/session"));
        assert!(!permits("fines:read", &Method::GET, "/auth/sessions"));
    }

    #[test]
    fn a_method_by_name_always_counts_as_writing() {
        assert!(!permits(
            "modpacks:read",
            &Method::GET,
            "/api/method/modpacks.delete"
        ));
        assert!(permits(
            "modpacks:write",
            &Method::GET,
            "/api/method/modpacks.get"
        ));
    }

    #[test]
    fn a_scope_is_made_of_known_words() {
        assert!(is_scope("read"));
        assert!(is_scope("payments:read fines:write"));
        for wrong in [
            "",
            " ",
            "all",
            "payments:",
            ":read",
            "payments:delete",
            "read;write",
        ] {
            assert!(!is_scope(wrong), "{wrong}");
        }
    }
}
