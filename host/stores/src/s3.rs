//! The embedded S3 server: HTTP on a loopback port, in this process.
//!
//! Reading order: `operations` (what of S3 there is), `objects`, `uploads`, `listing` (what it
//! does), `index` (metadata and small bodies), `bodies` (files), `digests` (checksums), `records`
//! (what is stored), `failure`.
//!
//! Not here: versions, tags, ACLs, policies, encryption; whoever has an access key may do
//! everything. Signatures are checked by the library `s3s`, before anything of this is called.

mod bodies;
mod digests;
mod failure;
mod index;
mod listing;
mod objects;
mod operations;
mod records;
mod uploads;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{self, MissedTickBehavior};

use self::objects::Objects;
use crate::{Error, Result, Store};

/// What clients name as their region; nothing depends on it.
pub(crate) const REGION: &str = "us-east-1";

/// A client that has not sent its request's head by then is not going to.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests under way get this long when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// Between looks for uploads that nobody will complete.
const UPKEEP: Duration = Duration::from_secs(3600);
/// After a failed accept: most often too many open files, which takes a moment to get better.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Settings {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    /// Access keys and their secrets.
    pub(crate) keys: Vec<(String, String)>,
    /// Made if it is not there yet.
    pub(crate) bucket: String,
    pub(crate) durable: bool,
}

/// A running server. Dropping it stops it and waits until everything is written and closed.
///
/// It has a runtime of its own: hashing a large body does not hold up whoever started it, and it
/// can be waited for anywhere.
#[derive(Debug)]
pub(crate) struct Server {
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

/// The disk is slower than one of them; the other one answers meanwhile.
const WORKERS: usize = 2;

impl Server {
    /// Returns when the server answers. Blocks: call it where blocking is allowed.
    pub(crate) fn start(settings: Settings) -> Result<Self> {
        let not_started = |detail: String| Error::NotStarted {
            store: Store::S3,
            detail,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("s3")
            .enable_all()
            .build()
            .map_err(Error::io("cannot start the threads of S3"))?;
        let objects = Objects::open(&settings.folder, settings.durable)
            .map_err(|failure| not_started(format!("{}: {failure}", settings.folder.display())))?;
        let objects = Arc::new(objects);
        let bucket = runtime.block_on(objects.create_bucket_if_missing(settings.bucket));
        bucket.map_err(|failure| not_started(failure.to_string()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(|error| not_started(format!("cannot listen on {address}: {error}")))?;

        let mut service = S3ServiceBuilder::new(operations::Operations(Arc::clone(&objects)));
        let mut known_keys = SimpleAuth::new();
        for (access_key, secret_key) in settings.keys {
            known_keys.register(access_key, secret_key.into());
        }
        service.set_auth(known_keys);
        let (stop, stopped) = watch::channel(());
        let serving = serve(listener, service.build(), objects, stopped);
        let thread = thread::Builder::new()
            .name("s3".to_owned())
            .spawn(move || runtime.block_on(serving))
            .map_err(Error::io("cannot start the thread of S3"))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: TcpListener,
    service: S3Service,
    objects: Arc<Objects>,
    mut stopped: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    let mut upkeep = time::interval(UPKEEP);
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            _ = upkeep.tick() => {
                if let Err(failure) = objects.expire_uploads().await {
                    tracing::warn!("cannot remove uploads that nobody completed: {failure}");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(talk(stream, service.clone(), stopped.clone()));
                }
                Err(error) => {
                    tracing::warn!("S3 cannot accept a connection: {error}");
                    time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    let drained = time::timeout(DRAIN_TIMEOUT, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    if drained.is_err() {
        connections.shutdown().await;
    }
    // With `service` and `objects` goes the index, which waits for its writer.
}

async fn talk(stream: TcpStream, service: S3Service, mut stopped: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| answer(service.clone(), request));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    // Errors here are clients that went away.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Adds to S3 what browsers need to talk to it directly. Any origin may: what a request is allowed
/// to do hangs on its signature, never on a cookie.
async fn answer(
    service: S3Service,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let asks_for_permission = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if asks_for_permission {
        return Ok(permission(request.headers()));
    }
    let from_a_page = request.headers().contains_key(header::ORIGIN);
    let mut response = match service.call(request.map(Body::from)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!("S3 has no answer: {error:?}");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    };
    if from_a_page {
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED_HEADERS),
        );
    }
    Ok(response)
}

/// What a page may read of an answer besides the body.
const EXPOSED_HEADERS: &str = "etag, accept-ranges, content-range, content-length, content-disposition, \
    x-amz-checksum-crc32, x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, x-amz-checksum-sha1, x-amz-checksum-sha256, \
    x-amz-request-id";

fn permission(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE"),
    );
    if let Some(wanted) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("3600"),
    );
    response
}
