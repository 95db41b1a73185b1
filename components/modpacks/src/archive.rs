//! Zip archives of strangers, taken apart in bounded time and memory. No I/O in this file.
//!
//! The central directory is read first, and its limits decide: the number of entries, their names and unpacked sizes, and
//! that no two of them share bytes of the archive. An entry that unpacks to more or to something else than the directory
//! says is refused while it is unpacked.

use crc32fast::Hasher;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use crate::path;

/// Upper bound for the entries of an archive: a pack may have thousands of configuration files.
const MAX_ENTRIES: usize = 10_000;
pub const MAX_DIRECTORY: u64 = 4 << 20;
/// Upper bound for the bytes of one entry, unpacked.
const MAX_SIZE: u64 = 1 << 30;
/// Upper bound for all entries, unpacked: this many times the archive's size, plus an allowance for small archives.
const MAX_RATIO: u64 = 100;
const ALLOWANCE: u64 = 64 << 20;
/// The record at the end of an archive, with the longest comment.
pub const MAX_END: u64 = 22 + 65_535;
/// Bytes of the local header before an entry's data, without the name and the extra field that follow it.
pub const LOCAL_HEADER: u64 = 30;
const CHUNK: usize = 64 << 10;

/// Why an archive is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected(pub String);

impl From<&str> for Rejected {
    fn from(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

/// Where the central directory is.
#[derive(Debug, PartialEq, Eq)]
pub struct Directory {
    pub at: u64,
    pub length: u64,
    count: usize,
}

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub size: u64,
    /// Bytes in the archive.
    pub packed: u64,
    /// The position of its local header.
    pub at: u64,
    checksum: u32,
    is_deflated: bool,
}

/// Finds the central directory by the last bytes of an archive of that size.
pub fn find_directory(end: &[u8], size: u64) -> Result<Directory, Rejected> {
    let last = end.len().checked_sub(22).ok_or("it is no zip archive")?;
    let starts = (0..=last).rev();
    let record = starts
        .filter_map(|at| end.get(at..))
        .find(|it| {
            let comment = number(it, 20, 2).and_then(|it| usize::try_from(it).ok());
            it.starts_with(b"PK\x05\x06") && comment.is_some_and(|comment| it.len() == 22 + comment)
        })
        .ok_or("it is no zip archive")?;
    let read = |at, width| number(record, at, width).ok_or("it is no zip archive");
    let (disk, count, all) = (read(4, 2)?, read(8, 2)?, read(10, 2)?);
    let (length, at) = (read(12, 4)?, read(16, 4)?);
    if disk != 0 || count != all || count == 0xffff || at == 0xffff_ffff {
        return Err("it is a zip archive of several parts, or of more than 4 GiB".into());
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > MAX_ENTRIES || length > MAX_DIRECTORY {
        return Err("it has more than 10000 entries".into());
    }
    if at.saturating_add(length) > size {
        return Err("it is damaged: its directory is beyond its end".into());
    }
    Ok(Directory { at, length, count })
}

/// The files of an archive, if it is harmless as a whole.
pub fn entries(bytes: &[u8], directory: &Directory) -> Result<Vec<Entry>, Rejected> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    for _ in 0..directory.count {
        let read = |at, width| {
            number(rest, at, width).ok_or("it is damaged: its directory ends too early")
        };
        if !rest.starts_with(b"PK\x01\x02") {
            return Err("it is damaged: its directory ends too early".into());
        }
        let (made_by, flags, method) = (read(4, 2)? >> 8, read(8, 2)?, read(10, 2)?);
        let (checksum, packed, size) = (read(16, 4)?, read(20, 4)?, read(24, 4)?);
        let (name_length, extra, comment) = (read(28, 2)?, read(30, 2)?, read(32, 2)?);
        let (attributes, at) = (read(38, 4)?, read(42, 4)?);
        let width = |it| usize::try_from(it).unwrap_or(usize::MAX);
        let name = rest.get(46..46 + width(name_length));
        let name = name.ok_or("it is damaged: its directory ends too early")?;
        let name = str::from_utf8(name).map_err(|_| "a name in it is not UTF-8")?;
        rest = rest
            .get(46 + width(name_length + extra + comment)..)
            .ok_or("it is damaged: its directory ends too early")?;
        let is_folder = name.ends_with('/');
        if path::checked(name.trim_end_matches('/')).is_err() {
            return Err(Rejected(format!("the path {name:?} is not safe")));
        }
        // The mode of Unix is in the upper half: a regular file, a folder, or 0 for none.
        let kind = attributes >> 28;
        if made_by == 3 && !matches!(kind, 0 | 4 | 8) {
            return Err(Rejected(format!("{name:?} is a symlink or a device")));
        }
        if is_folder {
            continue;
        }
        if flags & 1 == 1 {
            return Err(Rejected(format!("{name:?} is encrypted")));
        }
        if !matches!(method, 0 | 8) || (method == 0 && packed != size) {
            return Err(Rejected(format!("{name:?} is packed in an unknown way")));
        }
        if size > MAX_SIZE {
            return Err(Rejected(format!("{name:?} is larger than 1 GiB")));
        }
        entries.push(Entry {
            name: name.to_owned(),
            size,
            packed,
            at,
            checksum: u32::try_from(checksum).unwrap_or_default(),
            is_deflated: method == 8,
        });
    }
    check_room(&entries, directory)?;
    check_names(&entries)?;
    Ok(entries)
}

/// Checks that no entry shares bytes with another, and that all of them together do not unpack to far more than the archive.
fn check_room(entries: &[Entry], directory: &Directory) -> Result<(), Rejected> {
    let mut spans: Vec<_> = entries
        .iter()
        .map(|it| {
            let name = u64::try_from(it.name.len()).unwrap_or(u64::MAX);
            (
                it.at,
                (it.at + LOCAL_HEADER + it.packed).saturating_add(name),
            )
        })
        .collect();
    spans.sort_unstable();
    let mut end = 0;
    for (start, until) in spans {
        if start < end || until > directory.at {
            return Err("its entries overlap".into());
        }
        end = until;
    }
    let total: u64 = entries.iter().map(|it| it.size).sum();
    if total
        > directory
            .at
            .saturating_mul(MAX_RATIO)
            .saturating_add(ALLOWANCE)
    {
        return Err("it unpacks to far more than it is".into());
    }
    Ok(())
}

fn check_names(entries: &[Entry]) -> Result<(), Rejected> {
    let mut names: Vec<_> = entries.iter().map(|it| it.name.to_lowercase()).collect();
    names.sort_unstable();
    match names.windows(2).find(|it| it.first() == it.last()) {
        Some([name, ..]) => Err(Rejected(format!(
            "{name:?} is in it twice, or differs in case only"
        ))),
        _ => Ok(()),
    }
}

/// The length of the local header at the start of `bytes`: the data come after it.
pub fn local_header(bytes: &[u8]) -> Result<u64, Rejected> {
    match (number(bytes, 26, 2), number(bytes, 28, 2)) {
        (Some(name), Some(extra)) if bytes.starts_with(b"PK\x03\x04") => {
            Ok(LOCAL_HEADER + name + extra)
        }
        _ => Err("it is damaged: an entry is not where it should be".into()),
    }
}

/// An entry while it is unpacked, piece by piece.
pub struct Unpacking<'a> {
    entry: &'a Entry,
    state: Option<Box<InflateState>>,
    checksum: Hasher,
    size: u64,
    is_over: bool,
}

impl<'a> Unpacking<'a> {
    pub fn new(entry: &'a Entry) -> Self {
        let state = || InflateState::new_boxed(DataFormat::Raw);
        Self {
            entry,
            state: entry.is_deflated.then(state),
            checksum: Hasher::new(),
            size: 0,
            is_over: false,
        }
    }

    /// Unpacks at most 64 KiB from the start of `packed`, and moves it past the bytes that were read. False: it needs more
    /// bytes.
    pub fn take(&mut self, packed: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, Rejected> {
        let Some(state) = &mut self.state else {
            let (some, rest) = packed.split_at(packed.len().min(CHUNK));
            *packed = rest;
            self.put(some, out)?;
            return Ok(!rest.is_empty());
        };
        if self.is_over {
            *packed = &[];
            return Ok(false);
        }
        let mut chunk = vec![0; CHUNK];
        let result = inflate(state, packed, &mut chunk, MZFlush::None);
        *packed = packed.get(result.bytes_consumed..).unwrap_or_default();
        let unpacked = chunk.get(..result.bytes_written).unwrap_or_default();
        self.put(unpacked, out)?;
        match result.status {
            Ok(MZStatus::StreamEnd) => {
                self.is_over = true;
                Ok(false)
            }
            Ok(_) => Ok(!packed.is_empty() || result.bytes_written == CHUNK),
            Err(MZError::Buf) if packed.is_empty() => Ok(false),
            Err(_) => Err(self.damaged()),
        }
    }

    fn put(&mut self, unpacked: &[u8], out: &mut Vec<u8>) -> Result<(), Rejected> {
        self.size += u64::try_from(unpacked.len()).unwrap_or(u64::MAX);
        if self.size > self.entry.size {
            let name = &self.entry.name;
            return Err(Rejected(format!("{name:?} unpacks to more than it says")));
        }
        self.checksum.update(unpacked);
        out.extend_from_slice(unpacked);
        Ok(())
    }

    /// Checks size and checksum at the end of the entry.
    pub fn finish(self) -> Result<(), Rejected> {
        let is_whole = self.size == self.entry.size && (self.is_over || self.state.is_none());
        let damaged = self.damaged();
        if is_whole && self.checksum.finalize() == self.entry.checksum {
            Ok(())
        } else {
            Err(damaged)
        }
    }

    fn damaged(&self) -> Rejected {
        Rejected(format!("{:?} is damaged", self.entry.name))
    }
}

/// A number of `width` bytes, the lowest first.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let digits = bytes.get(at..at.checked_add(width)?)?;
    Some(
        digits
            .iter()
            .rev()
            .fold(0, |all, it| (all << 8) | u64::from(*it)),
    )
}

#[cfg(test)]
pub mod tests;
