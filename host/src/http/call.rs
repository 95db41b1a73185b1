//! One request on its way: what the tasks it passes through must tell each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use http::HeaderValue;

pub struct Call {
    pub request_id: HeaderValue,
    /// The client sent more than it may; whatever the component makes of that, the answer is a refusal.
    pub is_body_too_large: AtomicBool,
    /// The instance ended before it was done, so a streamed answer that ends is not complete.
    has_failed: AtomicBool,
    last_progress_ms: AtomicU64,
}

/// `Instant` does not fit an atomic; milliseconds since then do.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Call {
    pub fn new(request_id: HeaderValue) -> Arc<Self> {
        let call = Self {
            request_id,
            is_body_too_large: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            last_progress_ms: AtomicU64::new(0),
        };
        call.progressed();
        Arc::new(call)
    }

    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// To be said before the instance is dropped, and its end of the answer with it.
    pub fn fails(&self) {
        self.has_failed.store(true, Relaxed);
    }

    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    /// A piece of a body came through, in either direction: there is time for the next.
    pub fn progressed(&self) {
        let now_ms = u64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_progress_ms.store(now_ms, Relaxed);
    }

    pub fn last_progress(&self) -> Instant {
        *BEGINNING + Duration::from_millis(self.last_progress_ms.load(Relaxed))
    }
}
