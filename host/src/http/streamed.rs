//! Calls over `wasi:http`, which streams request and response bodies. Every component supports it.

use std::future;
use std::sync::Arc;

use http::Request;
use wasmtime::AsContextMut;
use wasmtime_wasi_http::handler::{Prepared, Proxy, ProxyPre};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use crate::function::Function;
use crate::guest::Guest;
use crate::http::body::Body;
use crate::http::call::Call;
use crate::http::exclusive::{CallMode, ResponseSender};
use crate::instances::{self, Instance, Permit};

pub struct Streamed(pub ProxyPre<Guest>);

impl CallMode for Streamed {
    type Exports = Proxy;
    type RequestBody = WasiBody;
    type ResponseBody = WasiBody;

    async fn instantiate(&self, function: &Function) -> wasmtime::Result<Instance<Proxy>> {
        let mut store = function.new_store()?;
        let proxy = self.0.instantiate_async(&mut store).await?;
        Ok(Instance::new(store, proxy))
    }

    async fn serve(
        instance: &mut Instance<Proxy>,
        request: Request<WasiBody>,
        response: ResponseSender<Self>,
    ) -> wasmtime::Result<()> {
        let proxy = &instance.exports;
        instance
            .store
            .run_concurrent(async |accessor| {
                let prepared = accessor.with(|mut store| {
                    Prepared::new(
                        store.as_context_mut(),
                        proxy,
                        request,
                        Guest::http,
                        response,
                    )
                })?;
                prepared.run(accessor, future::pending()).await?;
                instances::finish_tasks(accessor).await;
                Ok(())
            })
            .await?
    }

    /// WASI 0.2 components expect a new instance for each request.
    fn is_reusable(exports: &Proxy) -> bool {
        matches!(exports, Proxy::P3(_))
    }

    /// The body needs no permit: the running instance holds it.
    fn body(
        body: WasiBody,
        _: &Function,
        call: &Arc<Call>,
        _: Arc<Permit>,
        is_finished: bool,
    ) -> Body {
        Body::of_guest(body, call.clone(), is_finished)
    }
}
