//! One request on its way through an instance: what the two sides, which run in different tasks, must
//! tell each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use http::HeaderValue;

pub struct Call {
    pub request_id: HeaderValue,
    /// The client sent more than it may; whatever the component makes of that, the answer is a refusal.
    pub is_body_too_large: AtomicBool,
    /// The instance that took the request, once one has.
    instance: OnceLock<Arc<Activity>>,
}

impl Call {
    pub fn new(request_id: HeaderValue) -> Arc<Self> {
        Arc::new(Self {
            request_id,
            is_body_too_large: AtomicBool::new(false),
            instance: OnceLock::new(),
        })
    }

    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    pub fn is_taken_by(&self, instance: &Arc<Activity>) {
        let _ = self.instance.set(instance.clone());
    }

    /// A piece of the answer went out: the instance gets the full time for the next.
    pub fn progressed(&self) {
        if let Some(instance) = self.instance.get() {
            instance.progressed();
        }
    }
}

/// When an instance was last seen to get on, and whether it has nothing left to do.
pub struct Activity {
    last_ms: AtomicU64,
    is_resting: AtomicBool,
}

/// `Instant` does not fit an atomic; milliseconds since then do.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Activity {
    pub fn new() -> Arc<Self> {
        let activity = Self {
            last_ms: AtomicU64::new(0),
            is_resting: AtomicBool::new(true),
        };
        activity.progressed();
        Arc::new(activity)
    }

    pub fn progressed(&self) {
        let now_ms = u64::try_from(EPOCH.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now_ms, Relaxed);
    }

    pub fn last(&self) -> Instant {
        *EPOCH + Duration::from_millis(self.last_ms.load(Relaxed))
    }

    pub fn is_resting(&self) -> bool {
        self.is_resting.load(Relaxed)
    }

    pub fn works(&self) {
        self.is_resting.store(false, Relaxed);
    }

    /// Whether it did not rest before.
    pub fn rests(&self) -> bool {
        !self.is_resting.swap(true, Relaxed)
    }
}
