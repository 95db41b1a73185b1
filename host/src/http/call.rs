//! The state of one call into a component, shared by the tasks that the request passes through.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use http::HeaderValue;
use wharf_imports::http::Depth;

pub struct Call {
    pub request_id: HeaderValue,
    /// The request body exceeded its limit. The request is refused, even if the component responds.
    pub is_body_too_large: AtomicBool,
    /// Nothing of the request body arrived for too long. The request is refused, even if the component responds.
    pub is_body_late: AtomicBool,
    /// See `ConnectionLimits`. `None` for a component of the application.
    pub stall_timeout: Option<Duration>,
    /// Calls between components that led to this one.
    pub depth: Depth,
    /// Unspecified for a component of the application.
    pub client: IpAddr,
    /// The instance failed, so a streamed response that ends is incomplete.
    has_failed: AtomicBool,
    last_progress_ms: AtomicU64,
}

/// Why a component did not respond.
pub enum CallError {
    /// The component returned an error.
    Returned(wasmtime::Error),
    /// The instance trapped, which was logged.
    Trapped,
    TimedOut,
}

/// `Instant` does not fit an atomic; milliseconds since this one do.
static CLOCK_START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Call {
    pub fn new(
        request_id: HeaderValue,
        client: IpAddr,
        stall_timeout: Option<Duration>,
        depth: Depth,
    ) -> Arc<Self> {
        let call = Self {
            request_id,
            client,
            stall_timeout,
            depth,
            is_body_too_large: AtomicBool::new(false),
            is_body_late: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            last_progress_ms: AtomicU64::new(0),
        };
        call.mark_progress();
        Arc::new(call)
    }

    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// Call before the instance is dropped, since that ends the response body.
    pub fn mark_failed(&self) {
        self.has_failed.store(true, Relaxed);
    }

    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    /// A frame of a body passed, in either direction: the timeout starts again.
    pub fn mark_progress(&self) {
        let now_ms = u64::try_from(CLOCK_START.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_progress_ms.store(now_ms, Relaxed);
    }

    pub fn last_progress(&self) -> Instant {
        *CLOCK_START + Duration::from_millis(self.last_progress_ms.load(Relaxed))
    }
}
