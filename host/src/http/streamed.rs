//! Requests and answers that are streamed, as `wasi:http` has it: what every component can do.

use std::future;
use std::sync::Arc;

use http::Request;
use wasmtime::AsContextMut;
use wasmtime_wasi_http::handler::{Prepared, Proxy, ProxyPre};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use crate::function::Function;
use crate::guest::Guest;
use crate::http::alone::{Answer, Way, is_done};
use crate::http::body::Body;
use crate::http::call::Call;
use crate::instances::{Instance, Place};

pub struct Streamed(pub ProxyPre<Guest>);

impl Way for Streamed {
    type Exports = Proxy;
    type Asked = WasiBody;
    type Answered = WasiBody;

    async fn instantiate(&self, function: &Function) -> wasmtime::Result<Instance<Proxy>> {
        let mut store = function.store()?;
        let proxy = self.0.instantiate_async(&mut store).await?;
        Ok(Instance::new(store, proxy))
    }

    async fn serve(
        instance: &mut Instance<Proxy>,
        request: Request<WasiBody>,
        answer: Answer<Self>,
    ) -> wasmtime::Result<()> {
        let proxy = &instance.exports;
        instance
            .store
            .run_concurrent(async |accessor| {
                let prepared = accessor.with(|mut store| {
                    Prepared::new(store.as_context_mut(), proxy, request, Guest::http, answer)
                })?;
                prepared.run(accessor, future::pending()).await?;
                is_done(accessor).await;
                Ok(())
            })
            .await?
    }

    /// WASI 0.2 components expect a fresh instance each time.
    fn is_reusable(exports: &Proxy) -> bool {
        matches!(exports, Proxy::P3(_))
    }

    /// The instance holds its place for as long as it goes on.
    fn body(body: WasiBody, call: &Arc<Call>, _: Arc<Place>, is_over: bool) -> Body {
        Body::of_guest(body, call.clone(), is_over)
    }
}
