//! Lines on their way to the terminal and to log files. Whoever writes only appends to a buffer;
//! one thread carries the buffers out a few times a second, so that no request ever waits for a disk
//! or a slow terminal. What a line says is not decided here.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How late a line may appear.
const CARRY_EVERY: Duration = Duration::from_millis(25);

/// What may wait for a target that takes nothing; beyond, lines are dropped and counted.
const WAITING_BYTES: usize = 8 << 20;

/// Where lines may be appended from anywhere.
#[derive(Clone)]
pub struct Sink(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    dropped: u64,
}

impl Sink {
    pub fn append(&self, lines: &[u8]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.bytes.len() + lines.len() > WAITING_BYTES {
            waiting.dropped += 1;
        } else {
            waiting.bytes.extend_from_slice(lines);
        }
    }

    fn take(&self) -> Waiting {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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

/// How to hand the thread another file, and how to wait for its end.
type Carrier = (Sender<(Sink, File)>, JoinHandle<()>);

/// All sinks and the thread that carries them out. Dropping it carries out what still waits.
pub struct Journal {
    console: Sink,
    carrier: Mutex<Option<Carrier>>,
}

impl Journal {
    pub fn start() -> io::Result<Self> {
        let console = Sink(Arc::default());
        let (files, opened) = mpsc::channel();
        let terminal = console.clone();
        let carrier = thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let mut targets: Vec<(Sink, File)> = Vec::new();
                loop {
                    let arrived = opened.recv_timeout(CARRY_EVERY);
                    carry(&terminal, &mut io::stderr());
                    for (sink, file) in &mut targets {
                        carry(sink, file);
                    }
                    match arrived {
                        Ok(target) => targets.push(target),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            })?;
        Ok(Self {
            console,
            carrier: Mutex::new(Some((files, carrier))),
        })
    }

    /// The terminal: standard error, since standard output may be read by a program.
    pub fn console(&self) -> Sink {
        self.console.clone()
    }

    /// A file that lines are added to, made if missing.
    pub fn file(&self, path: &Path) -> io::Result<Sink> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let sink = Sink(Arc::default());
        let carrier = self.carrier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((files, _)) = carrier.as_ref() {
            files.send((sink.clone(), file)).map_err(io::Error::other)?;
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
        if let Some((files, carrier)) = carrier {
            drop(files);
            let _ = carrier.join();
        }
    }
}

/// A target that fails (a closed terminal, a full disk) loses these lines; there is nowhere left to say so.
fn carry(sink: &Sink, target: &mut impl Write) {
    let waiting = sink.take();
    if !waiting.bytes.is_empty() {
        let _ = target.write_all(&waiting.bytes);
    }
    if waiting.dropped > 0 {
        let _ = writeln!(
            target,
            "({} lines lost here: they came faster than they could be written)",
            waiting.dropped
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
        let sink = Sink(Arc::default());
        let line = vec![b'x'; 1 << 20];
        for _ in 0..10 {
            sink.append(&line);
        }
        let mut out = Vec::new();
        carry(&sink, &mut out);
        assert!(out.len() < WAITING_BYTES + 200);
        assert!(
            out.ends_with(b"(2 lines lost here: they came faster than they could be written)\n")
        );
    }
}
