//! Supervises a child process: restarts it when it dies, stops it on request, and ends it with this
//! process.
//!
//! Each child has a thread of its own: the kernel sends the parent-death signal when the thread that
//! started the child ends, and an async runtime may end its threads. A `Program` says what to run.

use std::fmt;
use std::io;
use std::process::{self, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::error::{Error, Result};
use crate::options::Store;

/// A program to supervise.
pub(crate) trait Program: Send + 'static {
    const STORE: Store;

    /// The signals that stop it, gentlest first, each with its timeout. SIGKILL follows the last.
    const STOP_SIGNALS: &'static [(Signal, Duration)];

    /// Prepares a start and returns the command. Runs before every start, so it also cleans up after
    /// a crash.
    fn command(&mut self) -> Result<Command>;

    /// Whether the process with this id serves its clients yet.
    fn is_ready(&self, pid: u32) -> bool;

    /// The last log lines of the start that just failed.
    fn log_tail(&self) -> String;
}

/// Bounds a start that hangs. Long enough to replay a write-ahead log after a crash.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How often a starting process is checked for readiness.
const READY_CHECK_INTERVAL: Duration = Duration::from_millis(2);
/// The pause before the first restart; it doubles with each further one.
const MIN_BACKOFF: Duration = Duration::from_millis(50);
/// The longest pause between restarts.
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// A process that ran this long resets the backoff.
const STABLE_AFTER: Duration = Duration::from_secs(30);

/// A running child. Dropping it stops the process and waits for its end.
pub(crate) struct Child {
    control: Arc<Control>,
    stop_signals: &'static [(Signal, Duration)],
    thread: Option<JoinHandle<()>>,
}

impl Child {
    /// Starts the program and returns when it is ready. Blocks.
    pub(crate) fn start<P: Program>(program: P) -> Result<Self> {
        let store = P::STORE;
        let control = Arc::new(Control::default());
        let (first_start, started) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(format!("supervise {store}"))
            .spawn({
                let control = Arc::clone(&control);
                move || supervise(program, &control, &first_start)
            })
            .map_err(Error::io(format!("cannot start a thread for {store}")))?;
        let child = Self {
            control,
            stop_signals: P::STOP_SIGNALS,
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
        self.control.stop(self.stop_signals);
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was printed already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Child")
            .field("pid", &self.control.lock().pid)
            .finish_non_exhaustive()
    }
}

/// Shared by the supervising thread and the owner of the child.
#[derive(Default)]
struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Set until the process is reaped, so that no signal reaches another process with a reused id.
    pid: Option<Pid>,
    is_stopping: bool,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the process, unless a stop was requested.
    fn spawn(&self, command: &mut Command) -> io::Result<process::Child> {
        let mut state = self.lock();
        if state.is_stopping {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let process = command.spawn()?;
        state.pid = Pid::from_raw(process.id().cast_signed());
        Ok(process)
    }

    /// Blocks until the process has ended, then reaps it.
    fn wait(&self, process: &mut process::Child) -> io::Result<ExitStatus> {
        if let Some(pid) = Pid::from_raw(process.id().cast_signed()) {
            let without_reaping = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            // Fails only if there is no such child.
            let _ = rustix::io::retry_on_intr(|| {
                rustix::process::waitid(WaitId::Pid(pid), without_reaping)
            });
        }
        let mut state = self.lock();
        state.pid = None;
        self.changed.notify_all();
        process.wait()
    }

    /// Sleeps, and returns whether to go on: false if a stop was requested.
    fn pause(&self, pause: Duration) -> bool {
        let wait = self
            .changed
            .wait_timeout_while(self.lock(), pause, |state| !state.is_stopping);
        let (state, _) = wait.unwrap_or_else(PoisonError::into_inner);
        !state.is_stopping
    }

    fn stop(&self, stop_signals: &[(Signal, Duration)]) {
        let mut state = self.lock();
        state.is_stopping = true;
        self.changed.notify_all();
        for (signal, timeout) in stop_signals {
            let Some(pid) = state.pid else { return };
            let _ = rustix::process::kill_process(pid, *signal);
            let wait = self
                .changed
                .wait_timeout_while(state, *timeout, |state| state.pid.is_some());
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(pid) = state.pid {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
    }
}

fn supervise<P: Program>(
    mut program: P,
    control: &Control,
    first_start: &mpsc::Sender<Result<()>>,
) {
    let store = P::STORE;
    let mut process = match start(&mut program, control) {
        Ok(process) => process,
        Err(error) => {
            let _ = first_start.send(Err(error));
            return;
        }
    };
    let _ = first_start.send(Ok(()));
    let mut pause = MIN_BACKOFF;
    loop {
        let up_since = Instant::now();
        let status = control.wait(&mut process);
        if up_since.elapsed() > STABLE_AFTER {
            pause = MIN_BACKOFF;
        }
        let ended = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        process = loop {
            if !control.pause(pause) {
                return;
            }
            pause = (pause * 2).min(MAX_BACKOFF);
            tracing::warn!("{store} died ({ended}); restarting it");
            match start(&mut program, control) {
                Ok(process) => break process,
                Err(error) => tracing::error!("{error}"),
            }
        };
        tracing::info!("{store} is back");
    }
}

/// Starts the process once and waits until it is ready.
fn start<P: Program>(program: &mut P, control: &Control) -> Result<process::Child> {
    let store = P::STORE;
    let mut command = program.command()?;
    let mut process = control.spawn(&mut command).map_err(|error| {
        let path = command.get_program().display().to_string();
        not_started(store, &format!("cannot run {path}: {error}"))
    })?;
    let began = Instant::now();
    loop {
        if program.is_ready(process.id()) {
            return Ok(process);
        }
        let ended = has_ended(&process);
        if !ended && began.elapsed() < START_TIMEOUT {
            thread::sleep(READY_CHECK_INTERVAL);
            continue;
        }
        if !ended {
            let _ = process.kill();
        }
        let status = control
            .wait(&mut process)
            .map_or_else(|error| error.to_string(), |status| status.to_string());
        return Err(not_started(
            store,
            &format!("{status}\n{}", program.log_tail()),
        ));
    }
}

fn has_ended(process: &process::Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let pid = Pid::from_raw(process.id().cast_signed());
    pid.is_none_or(|pid| !matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(None)))
}

fn not_started(store: Store, detail: &str) -> Error {
    Error::NotStarted {
        store,
        detail: detail.trim_end().to_owned(),
    }
}
