//! The route of a trigger: its syntax, and the forms in which Spin passes it to a component.

use std::fmt;

/// The host answers paths below this prefix itself; they never reach a trigger.
pub const RESERVED_PREFIX: &str = "/.well-known/spin/";

/// The route of a trigger: `/users/:id`, `/static/...`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    raw: String,
    /// `raw` with a leading slash and without a trailing one.
    absolute: String,
    pub(super) segments: Vec<Segment>,
    is_wildcard: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Named(String),
}

impl Pattern {
    pub fn parse(raw: &str) -> Result<Pattern, String> {
        if let Some(invalid) = raw
            .chars()
            .find(|c| matches!(c, '?' | '#' | '\\') || c.is_whitespace() || c.is_control())
        {
            return Err(format!("a route is a path and cannot contain {invalid:?}"));
        }
        let absolute = format!("/{}", raw.strip_prefix('/').unwrap_or(raw));
        let absolute = absolute.strip_suffix('/').unwrap_or(&absolute).to_owned();
        let wildcard = absolute
            .strip_suffix("/...")
            .or_else(|| absolute.strip_suffix("/*"));
        let path = wildcard.unwrap_or(&absolute).split('/');
        let segments = path
            .filter(|segment| !segment.is_empty())
            .map(Segment::parse);
        Ok(Pattern {
            segments: segments.collect::<Result<_, _>>()?,
            is_wildcard: wildcard.is_some(),
            raw: raw.to_owned(),
            absolute,
        })
    }

    /// As written in the manifest: `spin-raw-component-route`.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// As written in the manifest, without the wildcard: `spin-component-route`.
    pub fn raw_prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }

    /// With a leading slash and without a trailing one, so empty for `/`: `spin-matched-route`.
    pub fn absolute(&self) -> &str {
        &self.absolute
    }

    /// The path without the wildcard, for a list of routes. Never empty.
    pub fn path(&self) -> &str {
        let suffix = if self.absolute.ends_with("/*") {
            "/*"
        } else {
            "/..."
        };
        match self.absolute.strip_suffix(suffix).unwrap_or(&self.absolute) {
            "" => "/",
            path => path,
        }
    }

    pub fn is_wildcard(&self) -> bool {
        self.is_wildcard
    }

    /// Whether the host answers this path itself.
    pub fn is_reserved(&self) -> bool {
        self.absolute.starts_with(RESERVED_PREFIX)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Named(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }
}

impl Segment {
    fn parse(segment: &str) -> Result<Segment, String> {
        if matches!(segment, "..." | "*") {
            return Err(format!(
                "`{segment}` can only be the last segment of a route"
            ));
        }
        if segment.starts_with('*') {
            return Err(format!(
                "a wildcard cannot have a name: write `/...` instead of `/{segment}`"
            ));
        }
        let Some(name) = segment.strip_prefix(':') else {
            return match segment.contains(".:") {
                true => Err(format!("`{segment}`: a `:name` must be a whole segment")),
                false => Ok(Segment::Literal(segment.to_owned())),
            };
        };
        if name.is_empty() {
            return Err("`:` needs a name after it".to_owned());
        }
        // The name becomes part of a header name.
        if !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        {
            return Err(format!(
                "`:{name}`: a name consists of letters, digits, `-` and `_`"
            ));
        }
        Ok(Segment::Named(name.to_owned()))
    }
}

/// For a list of routes: `/static (wildcard)`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())?;
        if self.is_wildcard {
            f.write_str(" (wildcard)")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_the_values_of_spins_headers() {
        for (raw, raw_prefix, absolute, path, shown) in [
            ("/", "/", "", "/", "/"),
            ("/...", "", "/...", "/", "/ (wildcard)"),
            ("whee/...", "whee", "/whee/...", "/whee", "/whee (wildcard)"),
            ("/whee/*", "/whee/*", "/whee/*", "/whee", "/whee (wildcard)"),
            ("/a/b/", "/a/b/", "/a/b", "/a/b", "/a/b"),
            ("/a/:id", "/a/:id", "/a/:id", "/a/:id", "/a/:id"),
        ] {
            let pattern = Pattern::parse(raw).unwrap();
            let seen = (
                pattern.raw_prefix(),
                pattern.absolute(),
                pattern.path(),
                pattern.to_string(),
            );
            assert_eq!(
                seen,
                (raw_prefix, absolute, path, shown.to_owned()),
                "{raw}"
            );
        }
    }

    #[test]
    fn invalid_routes_are_refused() {
        for route in [
            "/a/.../b", "/*/b", "/a/*rest", "/a/:", "/a?b", "/a b", "/a#b", "/:a.:b", "/x.:y",
            "/:é", "/a\\b",
        ] {
            assert!(Pattern::parse(route).is_err(), "{route}");
        }
    }

    #[test]
    fn paths_of_the_host_are_reserved() {
        for (route, is_reserved) in [
            ("/.well-known/spin/...", true),
            ("/.well-known/spin/health", true),
            ("/.well-known/spindle/...", false),
            ("/.well-known/spin", false),
            ("/.well-known/jwks.json", false),
        ] {
            assert_eq!(
                Pattern::parse(route).unwrap().is_reserved(),
                is_reserved,
                "{route}"
            );
        }
    }
}
