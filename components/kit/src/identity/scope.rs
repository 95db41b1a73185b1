//! What a token may be used for, when it may not be used for everything.
//!
//! A scope is words separated by spaces: `read` and `write`, or one area of the
//! platform alone, as `payments:read`. An area is the first segment of a path,
//! or the group of a method under `/api/method/`. Writing includes reading.
//! What no word allows is refused, so a route that is new is closed.

use axum::http::Method;

/// Whether the words allow the request.
pub(crate) fn permits(scope: &str, method: &Method, path: &str) -> bool {
    let area = area(path);
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
        // There the name says what a method does, and GET may change things.
        && !path.starts_with(RPC);
    scope.split_ascii_whitespace().any(|word| {
        let right = match word.split_once(':') {
            Some((of_area, right)) if of_area == area => right,
            Some(_) => return false,
            None => word,
        };
        right == "write" || (right == "read" && reads)
    })
}

/// Methods by name: a GET may change things there.
pub(crate) const RPC: &str = "/api/method/";

fn area(path: &str) -> &str {
    if let Some(method) = path.strip_prefix(RPC) {
        return method.split('.').next().unwrap_or_default();
    }
    path.split('/')
        .find(|it| !matches!(*it, "" | "api" | "v1"))
        .unwrap_or_default()
}

/// Whether every word is one that [`permits`] may one day say yes to.
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
        assert!(!may("payments:write", Method::POST, "/payment/promocode"));
        assert!(may(
            "fines:read tickets:read",
            Method::GET,
            "/api/v1/tickets/7"
        ));
        assert!(!may("", Method::GET, "/"));
        assert!(!may("admin root READ", Method::GET, "/"));
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
