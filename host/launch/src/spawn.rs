//! Starts children that never outlive this process.

use std::process::{Child, Command};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{io, thread};

use rustix::process::Signal;
use wharf_stores::set_parent_death_signal;

/// The kernel kills the child when the thread that started it ends. The thread of a test ends with the test,
/// so all children are started by one thread that lives as long as this process.
pub(crate) fn spawn(mut command: Command) -> io::Result<Child> {
    type Order = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, incoming) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, started) in incoming {
                let _ = started.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    set_parent_death_signal(&mut command, Signal::KILL);
    let (started, child) = mpsc::channel();
    spawner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, started))
        .map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}
