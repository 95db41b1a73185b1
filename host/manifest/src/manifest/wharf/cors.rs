//! `[application.tool.wharf.cors]`: the origins whose pages may call the application from a browser.

use crate::document::{Table, Text};
use crate::template::Template;

use super::super::context::Context;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsSettings {
    /// Lists of origins, separated by spaces or commas. No origin means no CORS.
    pub origins: Vec<Template>,
    /// Request headers that a page may set, besides those that every page may.
    pub headers: Vec<String>,
    /// Response headers that a page may read, besides those that every page may.
    pub exposed_headers: Vec<String>,
}

impl Default for CorsSettings {
    fn default() -> CorsSettings {
        CorsSettings {
            origins: Vec::new(),
            headers: ["authorization", "content-type"].map(str::to_owned).into(),
            exposed_headers: Vec::new(),
        }
    }
}

impl CorsSettings {
    pub(super) fn read(context: &Context, table: &Table) -> CorsSettings {
        let default = CorsSettings::default();
        let names = |key| {
            let names = table.get(key).map(|names| names.texts());
            names.map(|names| names.iter().filter_map(read_name).collect())
        };
        let settings = CorsSettings {
            origins: table
                .texts("origins")
                .iter()
                .filter_map(|origins| read_origins(context, origins))
                .collect(),
            headers: names("headers").unwrap_or(default.headers),
            exposed_headers: names("exposed_headers").unwrap_or(default.exposed_headers),
        };
        table.refuse_unknown_keys();
        settings
    }
}

/// Checks a list of origins. A text with variables is checked later, when their values are known.
fn read_origins(context: &Context, text: &Text) -> Option<Template> {
    let template = context.template(text)?;
    if template.is_literal()
        && let Err(why) = parse_origins(text)
    {
        text.fault(why, None);
        return None;
    }
    Some(template)
}

/// Splits a list of origins and checks each of them.
pub fn parse_origins(text: &str) -> Result<Vec<String>, String> {
    let origins = text.split([' ', ',']).filter(|origin| !origin.is_empty());
    origins.map(parse_origin).collect()
}

/// An origin as browsers send it: lower case, and without a path or a default port (RFC 6454, section 6.2).
fn parse_origin(text: &str) -> Result<String, String> {
    let bad = || format!("\"{text}\" is not an origin like \"https://app.example.com\"");
    let url = url::Url::parse(text).map_err(|_| bad())?;
    let origin = url.origin().ascii_serialization();
    let is_origin = matches!(url.scheme(), "http" | "https")
        && (url.path(), url.query(), url.fragment()) == ("/", None, None)
        && url.username().is_empty()
        && url.password().is_none();
    is_origin.then_some(origin).ok_or_else(bad)
}

fn read_name(text: &Text) -> Option<String> {
    let is_token = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !is_token {
        text.fault(format!("{:?} is not the name of a header", &**text), None);
        return None;
    }
    Some(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        let origins = parse_origins("https://App.Example.com:443/, http://localhost:5173").unwrap();
        assert_eq!(
            origins,
            ["https://app.example.com", "http://localhost:5173"]
        );
        assert_eq!(parse_origins(" "), Ok(vec![]));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/path",
            "https://app.example.com?q",
            "https://user@app.example.com",
            "file:///",
        ] {
            assert!(parse_origins(text).is_err(), "{text}");
        }
    }
}
