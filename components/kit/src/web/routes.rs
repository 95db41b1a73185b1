//! The route table of a component.

use axum::handler::Handler;
use axum::http::Method;
use axum::response::Response;

use super::dialect::Dialect;
use super::operation::{Describe, Operation};
use super::problem::Problem;
use super::router::{Answering, Endpoint, Router, endpoint};

/// A table of operations: `.get("/parking", search_places, |it| it.summary("Search places"))`.
///
/// A line with several paths (`["/customer", "/customers"]`) is one operation: the first path is recommended.
#[derive(Clone)]
pub struct Routes {
    pub(super) lines: Vec<Line>,
    /// What the lines that follow are about, for people.
    tag: &'static str,
    dialect: Dialect,
    refusal_page: Option<RefusalPage>,
}

/// How refusals become pages, for browsers.
pub type RefusalPage = fn(&Problem) -> Response;

/// A line of the table.
#[derive(Clone)]
pub(super) struct Line {
    pub method: Method,
    pub path: String,
    /// The recommended path, when the line's is another spelling of it.
    pub canonical: Option<String>,
    pub dialect: Dialect,
    pub endpoint: Endpoint,
    /// Whether no cache keeps its answers.
    pub is_secret: bool,
    #[cfg(not(target_family = "wasm"))]
    pub about: About,
}

/// What the description says of a line.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone)]
pub(super) struct About {
    pub tag: &'static str,
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
    ($($name:ident $method:ident)*) => {$(
        pub fn $name<H, T, A>(
            self,
            path: impl Paths,
            handler: H,
            describe: impl Fn(Operation) -> Operation + Send + Sync + 'static,
        ) -> Self
        where
            H: Handler<T, (), Future = Answering> + Describe<A>,
        {
            self.line(&Method::$method, &path, handler, describe)
        }
    )*};
}

impl Routes {
    /// A table about `tag`, for the clients of one system.
    pub const fn new(tag: &'static str, dialect: Dialect) -> Self {
        Self {
            lines: Vec::new(),
            tag,
            dialect,
            refusal_page: None,
        }
    }

    /// Joins several tables. The refusal of a path that none of them has is written in the dialect of the last one.
    pub fn of<const N: usize>(tables: [Self; N]) -> Self {
        let none = Self::new("", Dialect::Plain);
        tables.into_iter().fold(none, |all, table| {
            let dialect = table.dialect;
            Self {
                dialect,
                ..all.and(table)
            }
        })
    }

    /// Gives the lines that follow another tag.
    #[must_use]
    pub const fn about(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    methods! { get GET post POST put PUT patch PATCH delete DELETE }

    fn line<H, T, A>(
        mut self,
        method: &Method,
        path: &impl Paths,
        handler: H,
        describe: impl Fn(Operation) -> Operation + Send + Sync + 'static,
    ) -> Self
    where
        H: Handler<T, (), Future = Answering> + Describe<A>,
    {
        let endpoint = endpoint(handler);
        let paths = path.paths();
        let recommended = paths.first().copied().unwrap_or_default();
        #[cfg(not(target_family = "wasm"))]
        let describe = std::sync::Arc::new(move |operation: &mut Operation| {
            H::describe(operation);
            *operation = describe(std::mem::take(operation));
        });
        #[cfg(target_family = "wasm")]
        let _ = describe;
        self.lines.extend(paths.iter().map(|&path| Line {
            method: method.clone(),
            path: path.to_owned(),
            canonical: (path != recommended).then(|| recommended.to_owned()),
            dialect: self.dialect,
            endpoint: Endpoint::clone(&endpoint),
            is_secret: false,
            #[cfg(not(target_family = "wasm"))]
            about: About {
                tag: self.tag,
                handler: std::any::type_name::<H>(),
                describe: describe.clone(),
            },
        }));
        self
    }

    /// No cache keeps an answer of the lines so far, refusals included: they carry secrets, or a GET changes
    /// something.
    #[must_use]
    pub fn no_store(mut self) -> Self {
        for line in &mut self.lines {
            line.is_secret = true;
        }
        self
    }

    /// Refusals are pages of HTML: people read the answers.
    #[must_use]
    pub const fn refusal_page(mut self, page: RefusalPage) -> Self {
        self.refusal_page = Some(page);
        self
    }

    /// The lines of another table too; each keeps its dialect.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.lines.extend(other.lines);
        self
    }

    /// The lines of another table below a prefix, or below several spellings of it.
    #[must_use]
    pub fn below(mut self, prefix: impl Paths, other: Self) -> Self {
        let below = |prefix: &str, path: &str| match path {
            "/" => prefix.to_owned(),
            path => format!("{prefix}{path}"),
        };
        let prefixes = prefix.paths();
        let recommended = prefixes.first().copied().unwrap_or_default();
        for prefix in &prefixes {
            self.lines.extend(other.lines.iter().map(|line| {
                let path = below(prefix, &line.path);
                let canonical = line.canonical.as_ref().unwrap_or(&line.path);
                let canonical = below(recommended, canonical);
                Line {
                    canonical: (path != canonical).then_some(canonical),
                    path,
                    ..line.clone()
                }
            }));
        }
        self
    }

    pub fn into_router(self) -> Router {
        Router::new(self.lines, self.dialect, self.refusal_page)
    }
}
