//! What a client prefers, as `Accept` and `Accept-Encoding` say it (RFC 9110, 12.5).

use axum::http::{HeaderMap, header};

/// Whether a page suits the client better than JSON. A client that does not care gets JSON.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = joined(headers, &header::ACCEPT);
    weight(&accept, "text/html") > weight(&accept, "application/json")
}

pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    weight(&joined(headers, &header::ACCEPT_ENCODING), "gzip") > 0.0
}

/// All lines of a list header as one.
fn joined(headers: &HeaderMap, name: &header::HeaderName) -> String {
    let lines: Vec<_> = headers
        .get_all(name)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .collect();
    lines.join(",")
}

/// The weight of `wanted`: that of the most specific range that covers it, 0 when none does.
fn weight(list: &str, wanted: &str) -> f32 {
    let kind = wanted.split('/').next().unwrap_or(wanted);
    list.split(',')
        .filter_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let range = parts.next()?.to_ascii_lowercase();
            let specificity = match range.as_str() {
                "*" | "*/*" => 0,
                range if range.strip_suffix("/*") == Some(kind) => 1,
                range if range == wanted => 2,
                _ => return None,
            };
            let weight = parts
                .find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")))
                .map_or(1.0, |it| it.parse().unwrap_or(0.0));
            Some((specificity, weight))
        })
        .max_by_key(|it| it.0)
        .map_or(0.0, |it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn browsers_prefer_html_and_programs_do_not() {
        let html = |accept: &str| prefers_html(&headers(header::ACCEPT, accept));
        assert!(html(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        ));
        assert!(html("text/*, application/json;q=0.5"));
        assert!(!html("*/*"));
        assert!(!html("application/json"));
        assert!(!html("text/html;q=0.5, application/json"));
        assert!(!html("text/html;q=0, */*"));
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn gzip_is_sent_only_to_clients_that_accept_it() {
        let gzip = |accept: &str| accepts_gzip(&headers(header::ACCEPT_ENCODING, accept));
        assert!(gzip("gzip, deflate, br"));
        assert!(gzip("*;q=0.1"));
        assert!(!gzip("gzip;q=0, *"));
        assert!(!gzip("identity"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
