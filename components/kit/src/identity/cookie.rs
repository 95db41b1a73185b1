//! The cookie by which a browser shows its token.

use axum::http::{HeaderMap, Uri, header};

/// Scripts of a page cannot read it, and forms of other sites do not send it. An empty token that has no time left takes it
/// away.
pub fn session_cookie(headers: &HeaderMap, token: &str, seconds: i64) -> String {
    let secure = if is_plain_local(headers) {
        ""
    } else {
        "; Secure"
    };
    format!("access_token={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}")
}

/// The tokens of a request's cookies.
pub fn cookie_tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().strip_prefix("access_token="))
        .filter(|it| !it.is_empty())
}

/// Whether a browser on this machine came without TLS: it would drop a `Secure` cookie. Every other cookie is
/// `Secure`, also when a proxy in front of us ended the TLS.
fn is_plain_local(headers: &HeaderMap) -> bool {
    let address = headers
        .get("spin-full-url")
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.parse::<Uri>().ok())
        .unwrap_or_default();
    address.scheme_str() == Some("http")
        && matches!(address.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Whether a page of ours sent a request (CSRF): a browser sends the cookie with those of every page, and `Origin` says which page it
/// was.
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    // `Host` itself does not reach a component.
    let asked: Option<Uri> = header("spin-full-url").and_then(|it| it.parse().ok());
    let (Some(origin), Some(asked)) = (header("origin"), asked) else {
        return false;
    };
    let from = origin.split_once("://").map(|it| it.1);
    from.is_some() && from == asked.authority().map(|it| it.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("spin-full-url", address.parse().unwrap());
        session_cookie(&headers, "t", 60)
    }

    #[test]
    fn a_cookie_is_secure_but_for_plain_http_on_this_machine() {
        let plain = "access_token=t; HttpOnly; SameSite=Lax; Path=/; Max-Age=60";
        for local in [
            "http://localhost:3000/x",
            "http://127.0.0.1/x",
            "http://[::1]:1/x",
        ] {
            assert_eq!(at(local), plain, "{local}");
        }
        for other in [
            "https://localhost/x",
            "http://wharf.example/x",
            "http://localhost.evil/x",
            "/x",
        ] {
            assert_eq!(at(other), format!("{plain}; Secure"), "{other}");
        }
    }
}
