//! The embedded S3 server: HTTP on a loopback port, in this process.
//!
//! Reading order: `operations` (the supported operations), `access` (which key may do them), `convert`, `objects`, `uploads`, `listing`,
//! `index` (metadata and small bodies), `bodies` (files), `digests` (checksums), `records` (stored
//! types), `failure`.
//!
//! Not supported: versions, tags, ACLs, policies, encryption. An access key may do everything, or reaches only
//! the objects below its prefix. The library `s3s` checks the signature before it calls an operation.

mod access;
mod bodies;
mod convert;
mod digests;
mod failure;
mod index;
mod listing;
mod objects;
mod operations;
mod records;
mod uploads;

use std::collections::HashMap;
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

use self::access::Access;
use self::objects::Objects;
use crate::error::{Error, Result};
use crate::options::Store;

/// The region that clients sign for. The server does not check it.
pub(crate) const REGION: &str = "us-east-1";

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long running requests may take when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// How often abandoned uploads are removed.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(3600);
/// The pause after a failed accept. The usual cause, too many open files, takes a moment to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Settings {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) keys: Vec<Key>,
    /// Created if it is missing.
    pub(crate) bucket: String,
    pub(crate) durable: bool,
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// Of the objects in the bucket that it reaches; `None` for a key that may do everything.
    pub(crate) prefix: Option<String>,
}

/// A running server. Dropping it stops the server and waits until all writes are finished.
///
/// The server has its own runtime, so that hashing a large body does not delay the tasks of the host.
#[derive(Debug)]
pub(crate) struct Server {
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

/// Threads of the runtime: one thread is faster than the disk, the other answers meanwhile.
const WORKERS: usize = 2;

impl Server {
    /// Returns when the server listens. Blocks.
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
        let bucket = runtime.block_on(objects.create_bucket_if_missing(settings.bucket.clone()));
        bucket.map_err(|failure| not_started(failure.to_string()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(|error| not_started(format!("cannot listen on {address}: {error}")))?;

        let mut service = S3ServiceBuilder::new(operations::Operations(Arc::clone(&objects)));
        let mut known_keys = SimpleAuth::new();
        let mut prefixes = HashMap::new();
        for key in settings.keys {
            known_keys.register(key.access_key.clone(), key.secret_key.into());
            prefixes.insert(key.access_key, key.prefix);
        }
        service.set_auth(known_keys);
        service.set_access(Access {
            bucket: settings.bucket,
            prefixes,
        });
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
            // A panic in the thread was printed already.
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
    let mut expiry = time::interval(EXPIRY_INTERVAL);
    expiry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            _ = expiry.tick() => {
                if let Err(failure) = objects.expire_uploads().await {
                    tracing::warn!("cannot remove abandoned uploads: {failure}");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, service.clone(), stopped.clone()));
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
    // Dropping `service` and `objects` closes the index, which waits for its writer.
}

async fn serve_connection(stream: TcpStream, service: S3Service, mut stopped: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| answer_request(service.clone(), request));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    // An error means that the client has disconnected.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Answers a request, with CORS for any origin: the signature authorizes a request, never a cookie.
async fn answer_request(
    service: S3Service,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if is_preflight {
        return Ok(answer_preflight(request.headers()));
    }
    let is_cross_origin = request.headers().contains_key(header::ORIGIN);
    let mut response = match service.call(request.map(Body::from)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!("S3 cannot answer a request: {error:?}");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    };
    if is_cross_origin {
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

/// The headers of a response that scripts may read.
const EXPOSED_HEADERS: &str = "etag, accept-ranges, content-range, content-length, content-disposition, \
    x-amz-checksum-crc32, x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, x-amz-checksum-sha1, x-amz-checksum-sha256, \
    x-amz-request-id";

fn answer_preflight(requested: &HeaderMap) -> Response<Body> {
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
    if let Some(wanted) = requested.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("3600"),
    );
    response
}
