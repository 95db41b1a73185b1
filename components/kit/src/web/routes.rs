//! The route table of a component.

use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::MethodFilter;

use super::dialect::{Dialect, Speaking};
use super::operation::{Describe, Operation};

/// A table of operations: `.get("/parking", search_places, |it| it.summary("Search places"))`.
///
/// A line that describes itself twice is one operation under several paths
/// (`["/customer", "/customers"]`): the first is the one that is recommended.
#[derive(Clone)]
pub struct Routes {
    router: Router,
    #[cfg(not(target_family = "wasm"))]
    pub(super) lines: Vec<Line>,
    /// What the lines that follow are about, for people.
    tag: &'static str,
    /// Absent: of several tables, each with its own.
    dialect: Option<Dialect>,
}

/// A line of the table, as the description reads it.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone)]
pub(super) struct Line {
    pub method: &'static str,
    pub path: String,
    /// The recommended path, when this is another spelling.
    pub canonical: Option<String>,
    pub tag: &'static str,
    pub dialect: Dialect,
    /// `bookings::routes::places::search_places`.
    pub handler: &'static str,
    pub describe: std::sync::Arc<dyn Fn(&mut Operation) + Send + Sync>,
}

/// One path, or several spellings of it.
pub trait Paths {
    fn paths(&self) -> Vec<&'static str>;
}

impl Paths for &'static str {
    fn paths(&self) -> Vec<&'static str> {
        vec![self]
    }
}

impl<const N: usize> Paths for [&'static str; N] {
    fn paths(&self) -> Vec<&'static str> {
        self.to_vec()
    }
}

macro_rules! methods {
    ($($name:ident $filter:ident)*) => {$(
        pub fn $name<H, T, A>(
            self,
            path: impl Paths,
            handler: H,
            describe: impl Fn(Operation) -> Operation + Send + Sync + 'static,
        ) -> Self
        where
            H: Handler<T, ()> + Describe<A>,
            T: 'static,
        {
            self.line(MethodFilter::$filter, stringify!($name), &path, handler, describe)
        }
    )*};
}

impl Routes {
    /// A table about `tag`, for the clients of one system.
    pub fn new(tag: &'static str, dialect: Dialect) -> Self {
        Self {
            router: Router::new(),
            #[cfg(not(target_family = "wasm"))]
            lines: Vec::new(),
            tag,
            dialect: Some(dialect),
        }
    }

    /// Several tables as one.
    pub fn of<const N: usize>(tables: [Self; N]) -> Self {
        let none = Self {
            dialect: None,
            ..Self::new("", Dialect::Plain)
        };
        tables.into_iter().fold(none, Self::and)
    }

    /// The lines that follow are about something else.
    #[must_use]
    pub fn about(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    methods! { get GET post POST put PUT patch PATCH delete DELETE }

    fn line<H, T, A>(
        mut self,
        filter: MethodFilter,
        method: &'static str,
        path: &impl Paths,
        handler: H,
        describe: impl Fn(Operation) -> Operation + Send + Sync + 'static,
    ) -> Self
    where
        H: Handler<T, ()> + Describe<A>,
        T: 'static,
    {
        let paths = path.paths();
        let dialect = self.dialect.unwrap_or(Dialect::Plain);
        for path in &paths {
            let speaking = Speaking(dialect, handler.clone());
            self.router = self.router.route(path, dialect.path().on(filter, speaking));
        }
        #[cfg(not(target_family = "wasm"))]
        {
            let describe = std::sync::Arc::new(move |operation: &mut Operation| {
                H::describe(operation);
                *operation = describe(std::mem::take(operation));
            });
            let recommended = paths.first().copied().unwrap_or_default();
            self.lines.extend(paths.iter().map(|path| Line {
                method,
                // OpenAPI knows no parameter that takes several segments.
                path: path.replace("{*", "{"),
                canonical: (*path != recommended).then(|| recommended.to_owned()),
                tag: self.tag,
                dialect,
                handler: std::any::type_name::<H>(),
                describe: describe.clone(),
            }));
        }
        #[cfg(target_family = "wasm")]
        let _ = (method, describe);
        self
    }

    /// No cache keeps an answer of the lines so far, refusals included: they carry secrets, or a GET changes
    /// something.
    #[must_use]
    pub fn no_store(mut self) -> Self {
        let no_store = HeaderValue::from_static("no-store");
        let mark = move |mut response: Response| {
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, no_store.clone());
            std::future::ready(response)
        };
        self.router = self.router.layer(axum::middleware::map_response(mark));
        self
    }

    /// The lines of another table too; each keeps its dialect.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        #[cfg(not(target_family = "wasm"))]
        self.lines.extend(other.lines.iter().cloned());
        self.router = self.router.merge(other.into_router());
        self
    }

    /// The lines of another table below a prefix, or below several spellings of it.
    #[must_use]
    pub fn below(mut self, prefix: impl Paths, other: Self) -> Self {
        let prefixes = prefix.paths();
        #[cfg(not(target_family = "wasm"))]
        for prefix in &prefixes {
            let below = |path: &str| match path {
                "/" => (*prefix).to_owned(),
                path => format!("{prefix}{path}"),
            };
            let recommended = prefixes.first().copied().unwrap_or_default();
            self.lines.extend(other.lines.iter().map(|line| {
                Line {
                    path: below(&line.path),
                    canonical: (*prefix != recommended)
                        .then(|| below(&line.path).replacen(prefix, recommended, 1)),
                    ..line.clone()
                }
            }));
        }
        let router = other.into_router();
        for prefix in prefixes {
            self.router = self.router.nest(prefix, router.clone());
        }
        self
    }

    /// The router of the table; every answer is marked with its dialect.
    pub fn into_router(self) -> Router {
        match self.dialect {
            Some(dialect) => self.router.merge(dialect.router()),
            None => self.router,
        }
    }
}
