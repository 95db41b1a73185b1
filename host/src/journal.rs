//! Writes lines to the terminal and to log files. Writers append to a buffer in memory; one thread flushes the
//! buffers a few times a second, so that no request waits for a disk or a slow terminal. A component that exceeds its
//! rate limit loses lines; others are not affected.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Interval between flushes, so also the delay of a line.
const FLUSH_INTERVAL: Duration = Duration::from_millis(25);

/// Size at which a log file is rotated. One old file is kept.
const MAX_LOG_BYTES: u64 = 64 << 20;

#[derive(Clone, Copy)]
struct RateLimit {
    /// Bytes that may wait in buffers.
    burst: usize,
    /// Bytes per `FLUSH_INTERVAL`.
    steady: usize,
}

/// The host's own lines. Bounds only the memory for a terminal that accepts nothing.
const HOST_LIMIT: RateLimit = RateLimit {
    burst: 8 << 20,
    steady: 8 << 20,
};

/// The log files of a component together: 10 MB/s, so that a component in a print loop does not use up the disk.
const FILE_LIMIT: RateLimit = RateLimit {
    burst: 8 << 20,
    steady: 256 << 10,
};

/// The lines of a component on the terminal, which all components share: 40 kB/s; the burst fits a few backtraces.
const TERMINAL_LIMIT: RateLimit = RateLimit {
    burst: 256 << 10,
    steady: 1 << 10,
};

/// How many bytes may be written to one target, or to several together; lines beyond are dropped and counted.
#[derive(Clone)]
pub struct Allowance(Arc<Mutex<Room>>);

struct Room {
    bytes: usize,
    limit: RateLimit,
    refilled: Instant,
}

impl Allowance {
    fn new(limit: RateLimit) -> Self {
        Self(Arc::new(Mutex::new(Room {
            bytes: limit.burst,
            limit,
            refilled: Instant::now(),
        })))
    }

    /// For the log files of one component.
    pub fn for_files() -> Self {
        Self::new(FILE_LIMIT)
    }

    fn try_take(&self, bytes: usize, now: Instant) -> bool {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        room.refill(now);
        let left = room.bytes.checked_sub(bytes);
        room.bytes = left.unwrap_or(room.bytes);
        left.is_some()
    }
}

impl Room {
    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled);
        let elapsed = elapsed.as_millis() / FLUSH_INTERVAL.as_millis();
        let intervals = u32::try_from(elapsed).unwrap_or(u32::MAX);
        self.refilled += FLUSH_INTERVAL * intervals;
        let refill = self.limit.steady.saturating_mul(intervals as usize);
        self.bytes = self.bytes.saturating_add(refill).min(self.limit.burst);
    }
}

/// Takes lines for one target, from any thread.
#[derive(Clone)]
pub struct Sink {
    buffer: Arc<Mutex<Buffer>>,
    allowance: Allowance,
}

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    dropped: u64,
}

impl Sink {
    fn new(allowance: Allowance) -> Self {
        let buffer = Arc::default();
        Self { buffer, allowance }
    }

    pub fn append(&self, lines: &[u8]) {
        let is_allowed = self.allowance.try_take(lines.len(), Instant::now());
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if is_allowed {
            buffer.bytes.extend_from_slice(lines);
        } else {
            buffer.dropped += 1;
        }
    }

    /// Empties the buffer; returns its lines and the number of dropped ones.
    fn take(&self) -> (Vec<u8>, u64) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        (mem::take(&mut buffer.bytes), mem::take(&mut buffer.dropped))
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

/// A log file that is rotated at `max_bytes`.
struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    max_bytes: u64,
}

impl LogFile {
    fn open(path: &Path, max_bytes: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            length: file.metadata()?.len(),
            file,
            max_bytes,
        })
    }

    fn rotate(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("old.txt"))?;
        *self = Self::open(&self.path, self.max_bytes)?;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.length >= self.max_bytes {
            self.rotate()?;
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
    /// With the prefix for the line that reports dropped lines.
    Terminal(String),
    File(LogFile),
}

/// The channel that adds targets to the writer thread, and the thread itself.
type Writer = (Sender<(Sink, Target)>, JoinHandle<()>);

/// All sinks and the thread that flushes them. Dropping the journal flushes what remains.
pub struct Journal {
    console: Sink,
    writer: Mutex<Option<Writer>>,
}

impl Journal {
    pub fn start() -> io::Result<Self> {
        let console = Sink::new(Allowance::new(HOST_LIMIT));
        let (targets, opened) = mpsc::channel();
        let own = console.clone();
        let writer = thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let mut targets: Vec<(Sink, Target)> = Vec::new();
                loop {
                    let arrived = opened.recv_timeout(FLUSH_INTERVAL);
                    for (sink, target) in &mut targets {
                        match target {
                            Target::Terminal(label) => flush(sink, &mut io::stderr(), label),
                            Target::File(file) => flush(sink, file, ""),
                        }
                    }
                    // Last: a component's lines belong before the access log line of their request.
                    flush(&own, &mut io::stderr(), "");
                    match arrived {
                        Ok(target) => targets.push(target),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            })?;
        Ok(Self {
            console,
            writer: Mutex::new(Some((targets, writer))),
        })
    }

    /// The terminal: standard error, since standard output may be read by a program.
    pub fn console(&self) -> Sink {
        self.console.clone()
    }

    /// The terminal, rate limited for one component.
    pub fn component_console(&self, component: &str) -> io::Result<Sink> {
        self.add_sink(
            Allowance::new(TERMINAL_LIMIT),
            Target::Terminal(format!("{component} | ")),
        )
    }

    /// Opens a log file for appending; creates it if missing.
    pub fn file(&self, path: &Path, allowance: &Allowance) -> io::Result<Sink> {
        let file = LogFile::open(path, MAX_LOG_BYTES)?;
        self.add_sink(allowance.clone(), Target::File(file))
    }

    fn add_sink(&self, allowance: Allowance, target: Target) -> io::Result<Sink> {
        let sink = Sink::new(allowance);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((targets, _)) = writer.as_ref() {
            targets
                .send((sink.clone(), target))
                .map_err(io::Error::other)?;
        }
        Ok(sink)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((targets, writer)) = writer {
            drop(targets);
            let _ = writer.join();
        }
    }
}

/// Lines for a failing target (a closed terminal, a full disk) are lost: there is nowhere to report it.
fn flush(sink: &Sink, target: &mut impl Write, label: &str) {
    let (lines, dropped) = sink.take();
    if !lines.is_empty() {
        let _ = target.write_all(&lines);
    }
    if dropped > 0 {
        let _ = writeln!(
            target,
            "{label}({dropped} lines dropped: rate limit exceeded)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_the_journal_flushes_all_lines_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let journal = Journal::start().unwrap();
        let sink = journal.file(&path, &Allowance::for_files()).unwrap();
        sink.append(b"one\n");
        sink.append(b"two\n");
        drop(journal);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn an_allowance_is_refilled_as_time_passes_and_never_exceeds_the_burst() {
        let allowance = Allowance::new(RateLimit {
            burst: 80,
            steady: 10,
        });
        let began = Instant::now();
        let take_tens_at = |intervals| {
            let now = began + FLUSH_INTERVAL * intervals;
            (0..10).filter(|_| allowance.try_take(10, now)).count()
        };
        assert_eq!(take_tens_at(0), 8);
        assert_eq!(take_tens_at(1), 1);
        assert_eq!(take_tens_at(100), 8);
    }

    #[test]
    fn lines_beyond_what_the_targets_of_a_component_may_take_together_are_dropped_and_counted() {
        let allowance = Allowance::new(RateLimit {
            burst: 80,
            steady: 0,
        });
        let [stdout, stderr] = [(); 2].map(|()| Sink::new(allowance.clone()));
        for _ in 0..5 {
            stdout.append(b"123456789\n");
            stderr.append(b"123456789\n");
        }
        let mut out = Vec::new();
        flush(&stdout, &mut out, "shop | ");
        flush(&stderr, &mut out, "shop | ");
        let out = String::from_utf8(out).unwrap();
        let lines = out.lines().filter(|line| *line == "123456789").count();
        assert_eq!(lines, 8);
        let dropped = "shop | (1 lines dropped: rate limit exceeded)";
        assert_eq!(out.lines().filter(|line| *line == dropped).count(), 2);
    }

    #[test]
    fn a_full_log_is_rotated_and_one_old_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a_stdout.txt");
        for lines in ["1\n2\n", "3\n4\n", "5\n6\n", "7\n"] {
            // Reopened each time: bytes written by an earlier host count.
            let mut log = LogFile::open(&path, 4).unwrap();
            log.write_all(lines.as_bytes()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("a_stdout.txt"), "7\n");
        assert_eq!(read("a_stdout.old.txt"), "5\n6\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
