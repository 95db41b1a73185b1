//! Writes lines to the terminal and to log files. Writers append to a buffer in memory; one thread flushes the
//! buffers a few times a second, so that no request waits for a disk or a slow terminal. A writer that exceeds its
//! rate limit loses lines; others are not affected.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Interval between flushes, so also the delay of a line.
const FLUSH_INTERVAL: Duration = Duration::from_millis(25);

/// Size at which a log file is rotated. One old file is kept.
const MAX_LOG_BYTES: u64 = 64 << 20;

/// How many bytes may be written to a target; lines beyond are dropped and counted.
#[derive(Clone, Copy)]
struct RateLimit {
    /// Bytes that may wait in the buffer.
    burst: usize,
    /// Bytes per `FLUSH_INTERVAL`.
    steady: usize,
}

/// The host's own lines. Bounds only the memory for a terminal that accepts nothing.
const HOST_LIMIT: RateLimit = RateLimit {
    burst: 8 << 20,
    steady: 8 << 20,
};

/// The log file of a component: 10 MB/s, so that a component in a print loop does not use up the disk.
const FILE_LIMIT: RateLimit = RateLimit {
    burst: 8 << 20,
    steady: 256 << 10,
};

/// The lines of a component on the terminal, which all components share: 40 kB/s; the burst fits a few backtraces.
const TERMINAL_LIMIT: RateLimit = RateLimit {
    burst: 256 << 10,
    steady: 1 << 10,
};

/// Takes lines for one target, from any thread.
#[derive(Clone)]
pub struct Sink(Arc<Mutex<Buffer>>);

struct Buffer {
    bytes: Vec<u8>,
    dropped: u64,
    /// Bytes that may still be appended.
    room: usize,
    limit: RateLimit,
}

impl Sink {
    fn new(limit: RateLimit) -> Self {
        Self(Arc::new(Mutex::new(Buffer {
            bytes: Vec::new(),
            dropped: 0,
            room: limit.burst,
            limit,
        })))
    }

    pub fn append(&self, lines: &[u8]) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match buffer.room.checked_sub(lines.len()) {
            Some(room) => {
                buffer.room = room;
                buffer.bytes.extend_from_slice(lines);
            }
            None => buffer.dropped += 1,
        }
    }

    /// Empties the buffer; returns its lines and the number of dropped ones.
    fn take(&self) -> (Vec<u8>, u64) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.room = (buffer.room + buffer.limit.steady).min(buffer.limit.burst);
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
        let console = Sink::new(HOST_LIMIT);
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
        self.add_sink(TERMINAL_LIMIT, Target::Terminal(format!("{component} | ")))
    }

    /// Opens a log file for appending; creates it if missing.
    pub fn file(&self, path: &Path) -> io::Result<Sink> {
        self.add_sink(
            FILE_LIMIT,
            Target::File(LogFile::open(path, MAX_LOG_BYTES)?),
        )
    }

    fn add_sink(&self, limit: RateLimit, target: Target) -> io::Result<Sink> {
        let sink = Sink::new(limit);
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
        let sink = journal.file(&path).unwrap();
        sink.append(b"one\n");
        sink.append(b"two\n");
        drop(journal);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn lines_beyond_the_rate_limit_are_dropped_and_counted() {
        let sink = Sink::new(RateLimit {
            burst: 80,
            steady: 10,
        });
        let write_ten = || {
            for _ in 0..10 {
                sink.append(b"123456789\n");
            }
            let mut out = Vec::new();
            flush(&sink, &mut out, "shop | ");
            let out = String::from_utf8(out).unwrap();
            let lines = out.lines().filter(|line| *line == "123456789").count();
            (lines, out.lines().last().unwrap().to_owned())
        };
        let dropped = |count| format!("shop | ({count} lines dropped: rate limit exceeded)");
        assert_eq!(write_ten(), (8, dropped(2)));
        assert_eq!(write_ten(), (1, dropped(9)));
        for _ in 0..100 {
            sink.take();
        }
        assert_eq!(write_ten(), (8, dropped(2)), "room never exceeds the burst");
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
