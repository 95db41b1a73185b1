//! What an instance knows of the host that runs it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static CALLED_WHOLE: AtomicBool = AtomicBool::new(false);

/// Remembers that this instance was called through `wharf:http`, which only `wharf` does.
pub(crate) fn mark_wharf() {
    CALLED_WHOLE.store(true, Ordering::Relaxed);
}

/// Whether `wharf` is known to run this instance. An instance that only heard messages or only answers other
/// components does not know, and then does what is right on every host.
pub(crate) fn is_wharf() -> bool {
    CALLED_WHOLE.load(Ordering::Relaxed)
}

/// Whether a guest may name the request behind the statements of a connection: `SET wharf.request_id = '…'` is then no
/// statement, and leaves nothing in the session.
pub(crate) fn names_requests() -> bool {
    static NAMES: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("WHARF_REQUEST_ID_IN_SQL").is_some());
    *NAMES
}
