//! Lines on their way to the terminal and to log files. Whoever writes only appends to a buffer;
//! one thread carries the buffers out a few times a second, so that no request ever waits for a disk
//! or a slow terminal. Whoever writes too much loses the rest of it, and nobody else anything. What a line
//! says is not decided here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How late a line may appear.
const CARRY_EVERY: Duration = Duration::from_millis(25);

/// A log that is longer becomes the old one, of which there is one.
const LOG_BYTES: u64 = 64 << 20;

/// How much may be written to a target; beyond, lines are dropped and counted.
#[derive(Clone, Copy)]
struct Flow {
    /// What may wait, so also what may come at once.
    burst: usize,
    /// In every `CARRY_EVERY`.
    steady: usize,
}

/// The host's own lines: no more than a target that takes nothing may cost in memory.
const OWN: Flow = Flow {
    burst: 8 << 20,
    steady: 8 << 20,
};

/// A component's log: 10 MB a second, so that one that prints without end leaves the disk to others.
const LOG: Flow = Flow {
    burst: 8 << 20,
    steady: 256 << 10,
};

/// A component's lines on the terminal, which everybody shares: 40 kB a second, after a few backtraces.
const VOICE: Flow = Flow {
    burst: 256 << 10,
    steady: 1 << 10,
};

/// Where lines may be appended from anywhere.
#[derive(Clone)]
pub struct Sink(Arc<Mutex<Waiting>>);

struct Waiting {
    bytes: Vec<u8>,
    dropped: u64,
    /// What else may come before the flow is exceeded.
    room: usize,
    flow: Flow,
}

impl Sink {
    fn new(flow: Flow) -> Self {
        Self(Arc::new(Mutex::new(Waiting {
            bytes: Vec::new(),
            dropped: 0,
            room: flow.burst,
            flow,
        })))
    }

    pub fn append(&self, lines: &[u8]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.room.checked_sub(lines.len()) {
            Some(room) => {
                waiting.room = room;
                waiting.bytes.extend_from_slice(lines);
            }
            None => waiting.dropped += 1,
        }
    }

    /// The lines that wait, and how many were lost.
    fn take(&self) -> (Vec<u8>, u64) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.room = (waiting.room + waiting.flow.steady).min(waiting.flow.burst);
        (
            mem::take(&mut waiting.bytes),
            mem::take(&mut waiting.dropped),
        )
    }
}

impl Write for Sink {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.append(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that begins anew when it is full, after what was in it became its old one.
struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    longest: u64,
}

impl LogFile {
    fn open(path: &Path, longest: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            length: file.metadata()?.len(),
            file,
            longest,
        })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("old.txt"))?;
        *self = Self::open(&self.path, self.longest)?;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.length >= self.longest {
            self.begin_anew()?;
        }
        let written = self.file.write(lines)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

enum Target {
    /// What starts a line that tells of lost ones.
    Terminal(String),
    File(LogFile),
}

/// How to hand the thread another target, and how to wait for its end.
type Carrier = (Sender<(Sink, Target)>, JoinHandle<()>);

/// All sinks and the thread that carries them out. Dropping it carries out what still waits.
pub struct Journal {
    console: Sink,
    carrier: Mutex<Option<Carrier>>,
}

impl Journal {
    pub fn start() -> io::Result<Self> {
        let console = Sink::new(OWN);
        let (targets, opened) = mpsc::channel();
        let own = console.clone();
        let carrier = thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let mut targets: Vec<(Sink, Target)> = Vec::new();
                loop {
                    let arrived = opened.recv_timeout(CARRY_EVERY);
                    for (sink, target) in &mut targets {
                        match target {
                            Target::Terminal(label) => carry(sink, &mut io::stderr(), label),
                            Target::File(file) => carry(sink, file, ""),
                        }
                    }
                    // Last, since what a component said belongs before the line that says how it answered.
                    carry(&own, &mut io::stderr(), "");
                    match arrived {
                        Ok(target) => targets.push(target),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            })?;
        Ok(Self {
            console,
            carrier: Mutex::new(Some((targets, carrier))),
        })
    }

    /// The terminal: standard error, since standard output may be read by a program.
    pub fn console(&self) -> Sink {
        self.console.clone()
    }

    /// The terminal for one component, so that none drowns the others.
    pub fn voice(&self, component: &str) -> io::Result<Sink> {
        self.sink(VOICE, Target::Terminal(format!("{component} | ")))
    }

    /// A file that lines are added to, made if missing.
    pub fn file(&self, path: &Path) -> io::Result<Sink> {
        self.sink(LOG, Target::File(LogFile::open(path, LOG_BYTES)?))
    }

    fn sink(&self, flow: Flow, target: Target) -> io::Result<Sink> {
        let sink = Sink::new(flow);
        let carrier = self.carrier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((targets, _)) = carrier.as_ref() {
            targets
                .send((sink.clone(), target))
                .map_err(io::Error::other)?;
        }
        Ok(sink)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let carrier = self
            .carrier
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((targets, carrier)) = carrier {
            drop(targets);
            let _ = carrier.join();
        }
    }
}

/// A target that fails (a closed terminal, a full disk) loses these lines; there is nowhere left to say so.
fn carry(sink: &Sink, target: &mut impl Write, label: &str) {
    let (lines, dropped) = sink.take();
    if !lines.is_empty() {
        let _ = target.write_all(&lines);
    }
    if dropped > 0 {
        let _ = writeln!(
            target,
            "{label}({dropped} lines lost here: they came faster than they may be written)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_reach_their_file_in_order_at_the_latest_when_the_journal_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let journal = Journal::start().unwrap();
        let sink = journal.file(&path).unwrap();
        sink.append(b"one\n");
        sink.append(b"two\n");
        drop(journal);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_flood_is_bounded_and_says_what_it_lost() {
        let sink = Sink::new(Flow {
            burst: 80,
            steady: 10,
        });
        let carried = || {
            for _ in 0..10 {
                sink.append(b"123456789\n");
            }
            let mut out = Vec::new();
            carry(&sink, &mut out, "shop | ");
            let out = String::from_utf8(out).unwrap();
            let lines = out.lines().filter(|line| *line == "123456789").count();
            (lines, out.lines().last().unwrap().to_owned())
        };
        let lost = |count| {
            format!("shop | ({count} lines lost here: they came faster than they may be written)")
        };
        assert_eq!(carried(), (8, lost(2)));
        assert_eq!(carried(), (1, lost(9)));
        for _ in 0..100 {
            sink.take();
        }
        assert_eq!(carried(), (8, lost(2)), "it collects no more than a burst");
    }

    #[test]
    fn a_full_log_becomes_the_old_one_and_no_more_than_two_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a_stdout.txt");
        for lines in ["1\n2\n", "3\n4\n", "5\n6\n", "7\n"] {
            // Opened anew each time: what a former host wrote counts.
            let mut log = LogFile::open(&path, 4).unwrap();
            log.write_all(lines.as_bytes()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("a_stdout.txt"), "7\n");
        assert_eq!(read("a_stdout.old.txt"), "5\n6\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
