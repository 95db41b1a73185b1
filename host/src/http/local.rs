//! Requests that never leave the process: a component calls another by name, or its own application.

use std::sync::{Arc, OnceLock, Weak};

use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio_util::task::AbortOnDropHandle;
use wasmtime_wasi_http::{Error, WasiBody};
use wharf_imports::http::{LocalDispatch, LocalTarget};

use crate::http::service::Service;

/// The service, for components that exist before it does.
#[derive(Clone, Default)]
pub struct Local(Arc<OnceLock<Weak<Service>>>);

impl Local {
    pub fn leads_to(&self, service: &Arc<Service>) {
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
        // A task of its own: the answering instance has an event loop, and that of the asking one, in
        // which this is polled, may not contain another. It ends when nobody waits for it any more.
        let answer = AbortOnDropHandle::new(tokio::spawn(async move {
            let service = service.ok_or(Error::DestinationUnavailable)?;
            let response = match target {
                LocalTarget::OwnApplication => service.serve_self(request).await,
                LocalTarget::Component(id) => service
                    .serve_neighbour(&id, request)
                    .await
                    .ok_or(Error::DestinationNotFound)?,
            };
            Ok(response.map(|body| body.boxed_unsync()))
        }));
        Box::pin(async move { answer.await.unwrap_or(Err(Error::DestinationUnavailable)) })
    }
}
