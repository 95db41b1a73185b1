//! A child process that is kept alive: started again when it dies, stopped when asked, gone when
//! this process is gone.
//!
//! Each child has a thread of its own, because the death signal that ties the child to us is tied
//! to the thread that started it; threads of an async runtime come and go. What to run is told by a
//! `Program`.

use std::fmt;
use std::io;
use std::process::{self, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::{Error, Result, Store};

/// What is kept alive.
pub(crate) trait Program: Send + 'static {
    const STORE: Store;

    /// How it is asked to stop, politest first, and how long each asking is given. SIGKILL follows
    /// by itself.
    const FAREWELLS: &'static [(Signal, Duration)];

    /// The command to run now. Asked before every start, so this is the place to clear away what a
    /// crash left behind.
    fn command(&mut self) -> Result<Command>;

    /// Does the process with this id answer its clients yet?
    fn answers(&self, pid: u32) -> bool;

    /// What the log says about the start that failed just now.
    fn complaint(&self) -> String;
}

/// Replaying a long log after a crash takes its time; a hang takes for ever.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Between looks whether a starting process answers.
const POLL: Duration = Duration::from_millis(2);
/// Pauses between restarts double from here …
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// … to here …
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// … and begin anew for a process that ran this long.
const SETTLED: Duration = Duration::from_secs(30);

/// A running child. Dropping it stops it and waits until it is gone.
pub(crate) struct Child {
    watch: Arc<Watch>,
    farewells: &'static [(Signal, Duration)],
    thread: Option<JoinHandle<()>>,
}

impl Child {
    /// Starts the program and returns when it answers. Blocks: call it where blocking is allowed.
    pub(crate) fn start<P: Program>(program: P) -> Result<Self> {
        let store = P::STORE;
        let watch = Arc::new(Watch::default());
        let (first_start, started) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(format!("keep {store}"))
            .spawn({
                let watch = Arc::clone(&watch);
                move || keep_alive(program, &watch, &first_start)
            })
            .map_err(Error::io(format!("cannot start a thread for {store}")))?;
        let child = Self {
            watch,
            farewells: P::FAREWELLS,
            thread: Some(thread),
        };
        match started.recv() {
            Ok(result) => result.map(|()| child),
            Err(mpsc::RecvError) => Err(not_started(store, "its thread ended")),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.watch.stop(self.farewells);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; nothing is left to do about it here.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Child")
            .field("pid", &self.watch.now().pid)
            .finish_non_exhaustive()
    }
}

/// What the thread of the child and whoever stops it know of each other.
#[derive(Default)]
struct Watch {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    /// Set as long as the process has not been reaped, so that a signal never hits a stranger with
    /// a reused id.
    pid: Option<Pid>,
    stopping: bool,
}

impl Watch {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the process, unless a stop was asked for meanwhile.
    fn spawn(&self, command: &mut Command) -> io::Result<process::Child> {
        let mut now = self.now();
        if now.stopping {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let process = command.spawn()?;
        now.pid = Pid::from_raw(process.id().cast_signed());
        Ok(process)
    }

    /// Blocks until the process has ended, then reaps it.
    fn wait(&self, process: &mut process::Child) -> io::Result<ExitStatus> {
        if let Some(pid) = Pid::from_raw(process.id().cast_signed()) {
            let ended_but_not_reaped = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            // Fails only when there is nothing to wait for.
            let _ = rustix::io::retry_on_intr(|| {
                rustix::process::waitid(WaitId::Pid(pid), ended_but_not_reaped)
            });
        }
        let mut now = self.now();
        now.pid = None;
        self.changed.notify_all();
        process.wait()
    }

    /// Sleeps that long; false when a stop was asked for meanwhile.
    fn pause(&self, pause: Duration) -> bool {
        let wait = self
            .changed
            .wait_timeout_while(self.now(), pause, |now| !now.stopping);
        let (now, _) = wait.unwrap_or_else(PoisonError::into_inner);
        !now.stopping
    }

    fn stop(&self, farewells: &[(Signal, Duration)]) {
        let mut now = self.now();
        now.stopping = true;
        self.changed.notify_all();
        for (signal, patience) in farewells {
            let Some(pid) = now.pid else { return };
            let _ = rustix::process::kill_process(pid, *signal);
            let wait = self
                .changed
                .wait_timeout_while(now, *patience, |now| now.pid.is_some());
            now = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(pid) = now.pid {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
    }
}

fn keep_alive<P: Program>(mut program: P, watch: &Watch, first_start: &mpsc::Sender<Result<()>>) {
    let store = P::STORE;
    let mut process = match start(&mut program, watch) {
        Ok(process) => process,
        Err(error) => {
            let _ = first_start.send(Err(error));
            return;
        }
    };
    let _ = first_start.send(Ok(()));
    let mut pause = SHORTEST_PAUSE;
    loop {
        let up_since = Instant::now();
        let status = watch.wait(&mut process);
        if up_since.elapsed() > SETTLED {
            pause = SHORTEST_PAUSE;
        }
        let ended = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        process = loop {
            if !watch.pause(pause) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            tracing::warn!("{store} died ({ended}); starting it again");
            match start(&mut program, watch) {
                Ok(process) => break process,
                Err(error) => tracing::error!("{error}"),
            }
        };
        tracing::info!("{store} is back");
    }
}

/// One start: the process, once it answers.
fn start<P: Program>(program: &mut P, watch: &Watch) -> Result<process::Child> {
    let store = P::STORE;
    let mut command = program.command()?;
    let mut process = watch.spawn(&mut command).map_err(|error| {
        let path = command.get_program().display().to_string();
        not_started(store, &format!("cannot run {path}: {error}"))
    })?;
    let began = Instant::now();
    loop {
        if program.answers(process.id()) {
            return Ok(process);
        }
        let ended = has_ended(&process);
        if !ended && began.elapsed() < START_TIMEOUT {
            thread::sleep(POLL);
            continue;
        }
        if !ended {
            let _ = process.kill();
        }
        let status = watch
            .wait(&mut process)
            .map_or_else(|error| error.to_string(), |status| status.to_string());
        return Err(not_started(
            store,
            &format!("{status}\n{}", program.complaint()),
        ));
    }
}

fn has_ended(process: &process::Child) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let pid = Pid::from_raw(process.id().cast_signed());
    pid.is_none_or(|pid| !matches!(rustix::process::waitid(WaitId::Pid(pid), look), Ok(None)))
}

fn not_started(store: Store, detail: &str) -> Error {
    Error::NotStarted {
        store,
        detail: detail.trim_end().to_owned(),
    }
}
