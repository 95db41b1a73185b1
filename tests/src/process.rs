//! Starting programs that never outlive the tests.

use std::process::{Child, Command};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, OnceLock};
use std::thread;

/// The command behind `setpriv --pdeathsig`: the kernel kills it when the thread that started it ends.
pub fn mortal(program: &std::path::Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Starts a [`mortal`] command from a thread that lives as long as this process: the thread of a test
/// ends with the test.
pub fn spawn(command: Command) -> Child {
    type Order = (Command, Sender<std::io::Result<Child>>);
    static MIDWIFE: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let midwife = MIDWIFE.get_or_init(|| {
        let (orders, incoming) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, born) in incoming {
                let _ = born.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let program = format!("{command:?}");
    let (born, child) = mpsc::channel();
    midwife
        .lock()
        .expect("the midwife")
        .send((command, born))
        .expect("the midwife lives");
    match child.recv().expect("the midwife answers") {
        Ok(child) => child,
        Err(error) => panic!("{program}: {error}"),
    }
}
