//! When to stop: at the first SIGTERM or SIGINT in peace, at the second at once.

use std::thread;

use anyhow::Context;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Result;

/// Cancelled by the first signal. The second ends the process: children die with it.
///
/// Heard by a thread of its own, so that it is heard whatever the others are busy with.
pub fn signalled() -> Result<CancellationToken> {
    let ears = Builder::new_current_thread()
        .enable_io()
        .build()
        .context("listen to signals")?;
    let (mut terminate, mut interrupt) = {
        let _inside = ears.enter();
        (
            signal(SignalKind::terminate()).context("listen to SIGTERM")?,
            signal(SignalKind::interrupt()).context("listen to SIGINT")?,
        )
    };
    let token = CancellationToken::new();
    let stop = token.clone();
    let listen = async move {
        for is_first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if is_first {
                stop.cancel();
            }
        }
        std::process::exit(1);
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || ears.block_on(listen))
        .context("listen to signals")?;
    Ok(token)
}
