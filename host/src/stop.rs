//! Stop signals: the first SIGTERM or SIGINT stops the host gracefully, the second at once.

use std::thread;

use anyhow::Context;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Result;

/// Returns a token that the first signal cancels. The second signal ends the process, and its children with it.
///
/// A thread of its own receives the signals, so that they arrive even when all other threads are busy.
pub fn on_signal() -> Result<CancellationToken> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .build()
        .context("listen to signals")?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
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
        .spawn(move || runtime.block_on(listen))
        .context("listen to signals")?;
    Ok(token)
}
