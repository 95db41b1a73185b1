//! Finds the trigger of a request path by Spin's rules.
//!
//! In each segment a literal has precedence over a `:name`, and a `:name` over a trailing wildcard. So an exact route has
//! precedence over all others, and the longest prefix wins; the order in the manifest does not matter. Slashes at the ends
//! of a path are ignored. Unlike in Spin, a `:name` is always one whole, non-empty segment. Host names, methods and queries
//! have no influence.

mod pattern;

pub use pattern::{Pattern, RESERVED_PREFIX};

use std::collections::HashMap;

use pattern::Segment;

/// A tree of segments: a look-up walks over the segments of the path once.
#[derive(Clone, Debug)]
pub struct Router<T> {
    routes: Vec<(Pattern, T)>,
    root: Node,
}

/// A node of the tree. The numbers are indices of `routes`.
#[derive(Clone, Debug, Default)]
struct Node {
    literal: HashMap<String, Node>,
    named: Option<Box<Node>>,
    route: Option<usize>,
    wildcard: Option<usize>,
}

/// The route of a path, with the values from the path.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'r, 'p, T> {
    pub pattern: &'r Pattern,
    pub target: &'r T,
    /// The segment for each `:name`.
    pub named: Vec<(&'r str, &'p str)>,
    /// The part that the trailing wildcard matched, with its slashes: `spin-path-info`. Empty without a wildcard.
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

    /// Adds a route. Of two routes for the same paths one is never used, and its target is returned: the earlier one if
    /// both are spelled the same, else the later one.
    pub fn insert(&mut self, pattern: Pattern, target: T) -> Option<T> {
        let index = self.root.index_of(&pattern);
        let Some(existing) = index.and_then(|index| self.routes.get_mut(index)) else {
            self.root.insert(&pattern, self.routes.len());
            self.routes.push((pattern, target));
            return None;
        };
        if existing.0.raw() == pattern.raw() {
            Some(std::mem::replace(&mut existing.1, target))
        } else {
            Some(target)
        }
    }

    /// All routes that are used, in the order in which they were added.
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
        let (index, rest) = self.root.find(rest, &mut values)?;
        let (pattern, target) = self.routes.get(index)?;
        Some(Match {
            // The recursion pushed the deepest segment first.
            named: pattern.names().zip(values.into_iter().rev()).collect(),
            trailing: match pattern.is_wildcard() {
                true => with_slashes(path, rest),
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

    fn index_of(&self, pattern: &Pattern) -> Option<usize> {
        let end = pattern
            .segments
            .iter()
            .try_fold(self, |node, segment| node.next(segment))?;
        if pattern.is_wildcard() {
            end.wildcard
        } else {
            end.route
        }
    }

    fn insert(&mut self, pattern: &Pattern, index: usize) {
        let mut end = self;
        for segment in &pattern.segments {
            end = match segment {
                Segment::Literal(text) => end.literal.entry(text.clone()).or_default(),
                Segment::Named(_) => end.named.get_or_insert_default(),
            };
        }
        let slot = if pattern.is_wildcard() {
            &mut end.wildcard
        } else {
            &mut end.route
        };
        *slot = Some(index);
    }

    /// The best route for the rest of a path; `None` is the end of the path. Returns the part that a wildcard matched, and
    /// pushes the segments of names from the last to the first.
    fn find<'p>(
        &self,
        rest: Option<&'p str>,
        values: &mut Vec<&'p str>,
    ) -> Option<(usize, Option<&'p str>)> {
        let Some(path) = rest else {
            return self.route.or(self.wildcard).map(|index| (index, None));
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
        self.wildcard.map(|index| (index, rest))
    }
}

/// The rest of a path, with the slash before it and the slash after it, if there is one.
fn with_slashes<'p>(path: &'p str, rest: Option<&str>) -> &'p str {
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
    fn the_most_specific_route_wins_in_any_order() {
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
    fn a_deeper_match_that_fails_falls_back_to_a_less_specific_route() {
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
    fn a_path_without_a_route_matches_nothing() {
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
            "same spelling: the last one wins"
        );
        assert_eq!(
            insert("/foo/", "third"),
            Some("third"),
            "different spelling: the first one stays"
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

    proptest! {
        /// Compares routes and captures with `routefinder`, the router of Spin.
        #[test]
        fn our_router_agrees_with_spins(
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
