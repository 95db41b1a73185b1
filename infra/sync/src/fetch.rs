//! Brings contents into `.wharf-sync/staged`, each verified before it has its name there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::apply::staged;
use crate::remote::Remote;
use crate::state::{Entry, Folder, Installed, flush_folder, is_digest};

/// Told of bytes as they come from the platform.
pub struct Meter<'a> {
    /// Bytes a second; 0 is no limit.
    pub limit: u64,
    pub progress: Mutex<Progress<'a>>,
}

pub struct Progress<'a> {
    pub downloaded: u64,
    pub report: &'a mut (dyn FnMut(u64) + Send),
    /// When the bytes that came until now should have come.
    pub due: Instant,
}

/// A wanted content, and the file of the platform that has it.
pub struct Wanted {
    pub entry: Entry,
    pub path: String,
    pub file: i64,
}

/// Fetches all wanted contents; those that the folder has under another name are copied. Answers the bytes downloaded.
pub fn fetch(
    folder: &Folder,
    remote: &Remote,
    installed: &Installed,
    wanted: &[Wanted],
    jobs: usize,
    meter: &Meter,
) -> Result<u64> {
    fs::create_dir_all(folder.own("staged"))?;
    let mut local = BTreeMap::new();
    for (path, entry) in &installed.files {
        local.entry(entry.digest.as_str()).or_insert((path, entry));
    }
    let mut seen = BTreeSet::new();
    let mut missing = Vec::new();
    for it in wanted {
        let digest = it.entry.digest.as_str();
        if !seen.insert(digest) || is_staged(folder, &it.entry)? {
            continue;
        }
        match local.get(digest) {
            Some((path, entry)) if folder.has(path, entry)? => {
                let copy = staged(folder, digest).with_extension("part");
                fs::copy(folder.at(path)?, &copy)?;
                if !finish(folder, &copy, &it.entry)? {
                    missing.push(it);
                }
            }
            _ => missing.push(it),
        }
    }
    // The largest first, so that none of them is alone at the end.
    missing.sort_by_key(|it| std::cmp::Reverse(it.entry.size));
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, missing.len().max(1)) {
            scope.spawn(|| {
                while let Some(it) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if failed.load(Ordering::Relaxed) {
                        break;
                    }
                    if let Err(error) = download(folder, remote, it, meter) {
                        failed.store(true, Ordering::Relaxed);
                        let error = error.context(it.path.clone());
                        if let Ok(mut failure) = failure.lock() {
                            failure.get_or_insert(error);
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_default() {
        return Err(error);
    }
    flush_folder(&folder.own("staged"))?;
    let progress = meter
        .progress
        .lock()
        .map_err(|_| anyhow!("a download broke"))?;
    Ok(progress.downloaded)
}

/// Whether an interrupted run has already fetched the content. Its name is its digest, but after a power cut the file may
/// have its name without its bytes.
pub fn is_staged(folder: &Folder, entry: &Entry) -> Result<bool> {
    let file = staged(folder, &entry.digest);
    let is_there = file.metadata().is_ok_and(|it| it.len() == entry.size);
    Ok(is_there && is_digest(&file, &entry.digest)?)
}

fn download(folder: &Folder, remote: &Remote, wanted: &Wanted, meter: &Meter) -> Result<()> {
    let part = staged(folder, &wanted.entry.digest).with_extension("part");
    // Bytes of an earlier run may be damaged; then the download starts again from the first byte.
    for _ in 0..2 {
        let had = part.metadata().map_or(0, |it| it.len());
        let start = if had > wanted.entry.size { 0 } else { had };
        let mut writing = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&part)?;
        let mut at = start;
        writing.seek(SeekFrom::Start(at))?;
        remote.read(
            wanted.file,
            wanted.entry.size,
            start,
            &mut |offset, bytes| {
                if offset != at {
                    writing.seek(SeekFrom::Start(offset))?;
                    at = offset;
                }
                writing.write_all(bytes)?;
                at += bytes.len() as u64;
                meter.count(bytes.len() as u64)
            },
        )?;
        writing.set_len(wanted.entry.size)?;
        drop(writing);
        if finish(folder, &part, &wanted.entry)? {
            return Ok(());
        }
        if start == 0 {
            break;
        }
    }
    bail!("the bytes that came are not those of the version")
}

/// Gives a content its name if its digest matches; removes it otherwise.
fn finish(folder: &Folder, part: &Path, entry: &Entry) -> Result<bool> {
    let file = File::open(part)?;
    if file.metadata()?.len() != entry.size || !is_digest(part, &entry.digest)? {
        fs::remove_file(part)?;
        return Ok(false);
    }
    file.sync_all()?;
    fs::rename(part, staged(folder, &entry.digest)).context("staged")?;
    Ok(true)
}

impl Meter<'_> {
    fn count(&self, bytes: u64) -> Result<()> {
        let wait = {
            let mut progress = self
                .progress
                .lock()
                .map_err(|_| anyhow!("a download broke"))?;
            progress.downloaded += bytes;
            let downloaded = progress.downloaded;
            (progress.report)(downloaded);
            let now = Instant::now();
            match bytes.saturating_mul(1_000_000).checked_div(self.limit) {
                Some(micros) => {
                    progress.due = progress.due.max(now) + Duration::from_micros(micros);
                    progress.due - now
                }
                None => Duration::ZERO,
            }
        };
        thread::sleep(wait);
        Ok(())
    }
}
