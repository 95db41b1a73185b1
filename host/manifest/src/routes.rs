//! Which trigger answers a path, by Spin's rules.
//!
//! Segment by segment a literal beats a `:name` beats a trailing wildcard, so an exact route beats any other and the
//! longest prefix wins; the order of the manifest does not matter. Slashes at either end of a path do not count.
//! Unlike Spin, a `:name` is always one whole, non-empty segment. Host names, methods and queries are not looked at.

use std::collections::HashMap;
use std::fmt;

/// Paths below it are the host's own and never reach a trigger.
pub const RESERVED_PREFIX: &str = "/.well-known/spin/";

/// The route of a trigger: `/users/:id`, `/static/...`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    raw: String,
    /// `raw` with a leading and without a trailing slash.
    absolute: String,
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
}

impl Pattern {
    pub fn parse(raw: &str) -> Result<Pattern, String> {
        if let Some(odd) = raw
            .chars()
            .find(|c| matches!(c, '?' | '#' | '\\') || c.is_whitespace() || c.is_control())
        {
            return Err(format!("a route is a path and cannot contain {odd:?}"));
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
            wildcard: wildcard.is_some(),
            raw: raw.to_owned(),
            absolute,
        })
    }

    /// As it stands in the manifest: `spin-raw-component-route`.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// As it stands in the manifest, without the wildcard: `spin-component-route`.
    pub fn raw_prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }

    /// With a leading and without a trailing slash, so "" for `/`: `spin-matched-route`.
    pub fn absolute(&self) -> &str {
        &self.absolute
    }

    /// The path without the wildcard, never empty: what a list of routes shows.
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
        self.wildcard
    }

    /// Whether the host keeps this path for itself.
    pub fn is_reserved(&self) -> bool {
        self.absolute.starts_with(RESERVED_PREFIX)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
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
                "a wildcard has no name: write `/...` instead of `/{segment}`"
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
        // It becomes part of the name of a header.
        if !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        {
            return Err(format!(
                "`:{name}`: a name is made of letters, digits, `-` and `_`"
            ));
        }
        Ok(Segment::Named(name.to_owned()))
    }
}

/// As a list of routes shows it: `/static (wildcard)`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())?;
        if self.wildcard {
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

/// Finds the route of a path in one walk over its segments.
#[derive(Clone, Debug)]
pub struct Router<T> {
    routes: Vec<(Pattern, T)>,
    root: Node,
}

/// A place in the tree of segments; the numbers are places in `routes`.
#[derive(Clone, Debug, Default)]
struct Node {
    literal: HashMap<String, Node>,
    named: Option<Box<Node>>,
    route: Option<usize>,
    wildcard: Option<usize>,
}

/// The route of a path and what the path said.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'r, 'p, T> {
    pub pattern: &'r Pattern,
    pub target: &'r T,
    /// What stood for each `:name`.
    pub named: Vec<(&'r str, &'p str)>,
    /// What the trailing wildcard stood for, with its slashes; "" without one: `spin-path-info`.
    pub trailing: &'p str,
}

impl<T> Default for Router<T> {
    fn default() -> Router<T> {
        Router {
            routes: Vec::new(),
            root: Node::default(),
        }
    }
}

impl<T> Router<T> {
    pub fn new(routes: impl IntoIterator<Item = (Pattern, T)>) -> Router<T> {
        let mut router = Router::default();
        for (pattern, target) in routes {
            router.insert(pattern, target);
        }
        router
    }

    /// Adds a route. Of two routes for the same paths one is never used, and its target is returned: the earlier if
    /// they are written alike, else the later.
    pub fn insert(&mut self, pattern: Pattern, target: T) -> Option<T> {
        let place = self.root.place_of(&pattern);
        let Some(taken) = place.and_then(|place| self.routes.get_mut(place)) else {
            self.root.reach(&pattern, self.routes.len());
            self.routes.push((pattern, target));
            return None;
        };
        if taken.0.raw == pattern.raw {
            Some(std::mem::replace(&mut taken.1, target))
        } else {
            Some(target)
        }
    }

    /// Every route that can be reached, in the order they were added.
    pub fn routes(&self) -> impl Iterator<Item = (&Pattern, &T)> {
        self.routes
            .iter()
            .map(|(pattern, target)| (pattern, target))
    }

    /// The route of a path (without its query).
    pub fn find<'p>(&self, path: &'p str) -> Option<Match<'_, 'p, T>> {
        let trimmed = path.trim_matches('/');
        let mut values = Vec::new();
        let rest = if trimmed.is_empty() {
            None
        } else {
            Some(trimmed)
        };
        let (place, rest) = self.root.find(rest, &mut values)?;
        let (pattern, target) = self.routes.get(place)?;
        Some(Match {
            // The deepest segment was noted first.
            named: pattern.names().zip(values.into_iter().rev()).collect(),
            trailing: match pattern.wildcard {
                true => trailing(path, rest),
                false => "",
            },
            pattern,
            target,
        })
    }
}

impl Node {
    fn next(&self, segment: &Segment) -> Option<&Node> {
        match segment {
            Segment::Literal(text) => self.literal.get(text),
            Segment::Named(_) => self.named.as_deref(),
        }
    }

    fn place_of(&self, pattern: &Pattern) -> Option<usize> {
        let end = pattern
            .segments
            .iter()
            .try_fold(self, |node, segment| node.next(segment))?;
        if pattern.wildcard {
            end.wildcard
        } else {
            end.route
        }
    }

    /// Makes the pattern lead to `place`.
    fn reach(&mut self, pattern: &Pattern, place: usize) {
        let mut end = self;
        for segment in &pattern.segments {
            end = match segment {
                Segment::Literal(text) => end.literal.entry(text.clone()).or_default(),
                Segment::Named(_) => end.named.get_or_insert_default(),
            };
        }
        let slot = if pattern.wildcard {
            &mut end.wildcard
        } else {
            &mut end.route
        };
        *slot = Some(place);
    }

    /// The best route for what is left of a path, and what is left when a wildcard takes it. `None` is the path's end;
    /// notes what named segments stood for on the way back.
    fn find<'p>(
        &self,
        rest: Option<&'p str>,
        values: &mut Vec<&'p str>,
    ) -> Option<(usize, Option<&'p str>)> {
        let Some(path) = rest else {
            return self.route.or(self.wildcard).map(|place| (place, None));
        };
        let (segment, after) = match path.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (path, None),
        };
        if let Some(found) = self
            .literal
            .get(segment)
            .and_then(|node| node.find(after, values))
        {
            return Some(found);
        }
        let named = self.named.as_ref().filter(|_| !segment.is_empty());
        if let Some(found) = named.and_then(|node| node.find(after, values)) {
            values.push(segment);
            return Some(found);
        }
        self.wildcard.map(|place| (place, rest))
    }
}

/// The rest of a path with the slash before it and, if the path has one, the slash after it.
fn trailing<'p>(path: &'p str, rest: Option<&str>) -> &'p str {
    let end = path.trim_end_matches('/').len();
    let after = if path.len() > end { end + 1 } else { end };
    let start = match rest {
        Some(rest) => end.saturating_sub(rest.len() + 1),
        None => end,
    };
    path.get(start..after).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn router(routes: &[&'static str]) -> Router<&'static str> {
        Router::new(
            routes
                .iter()
                .map(|route| (Pattern::parse(route).unwrap(), *route)),
        )
    }

    fn target(routes: &[&'static str], path: &str) -> Option<&'static str> {
        router(routes).find(path).map(|found| *found.target)
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() {
        let routes = [
            "/...",
            "/",
            "/one/...",
            "/one/two/...",
            "/one/two",
            "/one/:name",
            "/one/:name/three",
            "/one/two/:x/...",
            "/.well-known/jwks.json",
            "/files/*",
        ];
        let reversed: Vec<_> = routes.iter().rev().copied().collect();
        for (path, expected) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/none", "/..."),
            ("/one", "/one/..."),
            ("/one/two", "/one/two"),
            ("/one/two/", "/one/two"),
            ("/one/2", "/one/:name"),
            ("/one/v1.2", "/one/:name"),
            ("/one/2/three", "/one/:name/three"),
            ("/one/two/three", "/one/two/:x/..."),
            ("/one/2/four", "/one/..."),
            ("/one//four", "/one/..."),
            ("/.well-known/jwks.json", "/.well-known/jwks.json"),
            ("/files", "/files/*"),
            ("/files/a/b", "/files/*"),
            ("/oneandmore", "/..."),
        ] {
            assert_eq!(target(&routes, path), Some(expected), "{path}");
            assert_eq!(target(&reversed, path), Some(expected), "{path}, reversed");
        }
    }

    #[test]
    fn a_failed_deeper_match_falls_back() {
        let routes = ["/a/b/c", "/a/:x/d", "/:y/b/e/..."];
        assert_eq!(target(&routes, "/a/b/d"), Some("/a/:x/d"));
        let router = router(&routes);
        let found = router.find("/a/b/e/f").unwrap();
        assert_eq!(
            (*found.target, &*found.named, found.trailing),
            ("/:y/b/e/...", &[("y", "a")][..], "/f")
        );
    }

    #[test]
    fn nothing_matches_where_nothing_is_routed() {
        for (route, path) in [
            ("/foo", "/"),
            ("/foo", "/foobar"),
            ("/foo/...", "/foobar"),
            ("/", "/a"),
            ("/a/:b", "/a"),
            ("/a/b", "/a//b"),
        ] {
            assert_eq!(target(&[route], path), None, "{route} {path}");
        }
    }

    #[test]
    fn a_trailing_wildcard_keeps_its_slashes() {
        for (route, path, expected) in [
            ("/...", "/", "/"),
            ("/...", "", ""),
            ("/...", "/1/2/3", "/1/2/3"),
            ("/...", "//1/", "/1/"),
            ("/1/...", "/1/2/3", "/2/3"),
            ("/test/...", "/test", ""),
            ("/test/...", "/test/", "/"),
            ("/test/...", "/test//", "/"),
            ("/test/...", "/test/hello", "/hello"),
            ("/test/...", "/test/hello/", "/hello/"),
            ("/test/...", "/test//hello//", "//hello/"),
            ("/test", "/test/", ""),
            ("/é/...", "/é/ü/", "/ü/"),
        ] {
            assert_eq!(
                router(&[route]).find(path).unwrap().trailing,
                expected,
                "{route} {path}"
            );
        }
    }

    #[test]
    fn named_segments_are_captured_in_order() {
        let router = router(&["/users/:id/cars/:plate/..."]);
        let found = router.find("/users/7/cars/ABC-1/photos/").unwrap();
        assert_eq!(found.named, [("id", "7"), ("plate", "ABC-1")]);
        assert_eq!(found.trailing, "/photos/");
        assert_eq!(found.pattern.raw(), "/users/:id/cars/:plate/...");
    }

    #[test]
    fn of_two_routes_for_the_same_paths_one_is_never_used() {
        let mut router = Router::default();
        let mut insert = |route, target| router.insert(Pattern::parse(route).unwrap(), target);
        assert_eq!(insert("/foo", "first"), None);
        assert_eq!(
            insert("/foo", "second"),
            Some("first"),
            "written alike: the last one wins"
        );
        assert_eq!(
            insert("/foo/", "third"),
            Some("third"),
            "written differently: the first one stays"
        );
        assert_eq!(insert("/:a/...", "fourth"), None);
        assert_eq!(insert("/:b/*", "fifth"), Some("fifth"));
        assert_eq!(router.find("/foo").unwrap().target, &"second");
        assert_eq!(
            router
                .routes()
                .map(|(_, target)| *target)
                .collect::<Vec<_>>(),
            ["second", "fourth"]
        );
    }

    #[test]
    fn a_pattern_gives_spins_headers() {
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
    fn bad_routes_are_refused() {
        for route in [
            "/a/.../b", "/*/b", "/a/*rest", "/a/:", "/a?b", "/a b", "/a#b", "/:a.:b", "/x.:y",
            "/:é", "/a\\b",
        ] {
            assert!(Pattern::parse(route).is_err(), "{route}");
        }
    }

    #[test]
    fn reserved_paths_are_known() {
        for (route, reserved) in [
            ("/.well-known/spin/...", true),
            ("/.well-known/spin/health", true),
            ("/.well-known/spindle/...", false),
            ("/.well-known/spin", false),
            ("/.well-known/jwks.json", false),
        ] {
            assert_eq!(
                Pattern::parse(route).unwrap().is_reserved(),
                reserved,
                "{route}"
            );
        }
    }

    proptest! {
        /// The same route and the same captures as the router inside Spin.
        #[test]
        fn agrees_with_spins_router(
            routes in prop::collection::btree_set("(/(a|b|a\\.b|:x|:y)){0,3}(/\\.\\.\\.)?", 1..8),
            path in "/{1,2}((a|b|c|a\\.b)/){0,4}(a|b|c)?",
        ) {
            let mut ours = Router::default();
            let mut theirs = routefinder::Router::new();
            for route in &routes {
                let pattern = Pattern::parse(route).unwrap();
                if ours.insert(pattern, route).is_none() {
                    theirs.add(route.replace("...", "*"), route).unwrap();
                }
            }
            let found = ours.find(&path);
            let expected = theirs.best_match(&path);
            prop_assert_eq!(found.as_ref().map(|m| *m.target), expected.as_ref().map(|m| *m.handler()));
            if let (Some(found), Some(expected)) = (found, expected) {
                let captures = expected.captures();
                let names: Vec<_> = captures.iter().collect();
                prop_assert_eq!(found.named, names);
                prop_assert_eq!(found.trailing.trim_matches('/'), captures.wildcard().unwrap_or_default());
            }
        }
    }
}
