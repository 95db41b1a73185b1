//! Spin's local service chaining: requests of a component to another component by name, or to its own application.
//! They never leave the process.

use std::sync::{Arc, OnceLock, Weak};

use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio_util::task::AbortOnDropHandle;
use wasmtime_wasi_http::{Error, WasiBody};
use wharf_imports::http::{LocalDispatch, LocalTarget};

use crate::http::service::Service;

/// A handle to the service, for components that are linked before the service exists.
#[derive(Clone, Default)]
pub struct Local(Arc<OnceLock<Weak<Service>>>);

impl Local {
    pub fn connect(&self, service: &Arc<Service>) {
        let _ = self.0.set(Arc::downgrade(service));
    }
}

impl LocalDispatch for Local {
    fn dispatch(
        &self,
        target: LocalTarget,
        request: Request<WasiBody>,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, Error>> {
        let service = self.0.get().and_then(Weak::upgrade);
        // A task of its own: this is polled within the event loop of the calling instance, which must not
        // contain that of the called one. The task is aborted when the caller drops this future.
        let response = AbortOnDropHandle::new(tokio::spawn(async move {
            let service = service.ok_or(Error::DestinationUnavailable)?;
            let response = match target {
                LocalTarget::OwnApplication => service.serve_own_application(request).await,
                LocalTarget::Component(id) => service
                    .serve_component(&id, request)
                    .await
                    .ok_or(Error::DestinationNotFound)?,
            };
            Ok(response.map(|body| body.boxed_unsync()))
        }));
        Box::pin(async move { response.await.unwrap_or(Err(Error::DestinationUnavailable)) })
    }
}
