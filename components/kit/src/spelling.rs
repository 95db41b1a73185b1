//! One operation under several paths, because the contracts spell it so.

use axum::Router;
use axum::routing::MethodRouter;

pub trait Spellings {
    /// Like `route`, for every spelling: `.spelled(["/customer", "/customers"], get(list))`.
    fn spelled<const N: usize>(self, paths: [&str; N], method: MethodRouter) -> Self;
}

impl Spellings for Router {
    fn spelled<const N: usize>(self, paths: [&str; N], method: MethodRouter) -> Self {
        paths
            .into_iter()
            .fold(self, |router, path| router.route(path, method.clone()))
    }
}
