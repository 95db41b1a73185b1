//! The index: metadata and small bodies, in one crash-safe file.
//!
//! One thread commits all changes. It commits the waiting ones together, because a commit costs a
//! sync of the disk. If the disk fails, usually because it is full, the file is opened again at its
//! last commit. Until that succeeds, requests get an error.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};
use std::thread::{self, JoinHandle};

use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableTable as _, StorageBackend, Table,
    TableDefinition,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::failure::{Broken, Failure, Result};
use super::records::{Object, Part};

/// The time of creation by bucket, as Unix time in milliseconds.
pub(crate) const BUCKETS: TableDefinition<&str, u64> = TableDefinition::new("bucket");
/// `Object` by bucket and key.
pub(crate) const OBJECTS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("object");
/// Small bodies by bucket and key. Separate from `OBJECTS`, so that listing does not read them.
pub(crate) const SMALL_BODIES: TableDefinition<(&str, &str), &[u8]> =
    TableDefinition::new("small_body");
/// `Upload` by id.
pub(crate) const UPLOADS: TableDefinition<&str, &[u8]> = TableDefinition::new("upload");
/// `Part` by the upload's id and the part number.
pub(crate) const PARTS: TableDefinition<(&str, u32), &[u8]> = TableDefinition::new("part");

/// Metadata is small, and PostgreSQL makes better use of the memory.
const CACHE_BYTES: usize = 32 << 20;
/// Changes in one commit. In a larger batch the first changes would wait too long.
const MAX_BATCH: usize = 256;

pub(crate) struct Index {
    file: Arc<File>,
    changes: Option<mpsc::Sender<Change>>,
    writer: Option<JoinHandle<()>>,
}

type Open = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

struct File {
    open: Open,
    /// `None` after a failure, until the file is open again.
    database: RwLock<Option<Database>>,
    /// The cause of the last failed commit.
    failure: Mutex<Option<Broken>>,
}

/// The tables in a write transaction.
pub(crate) struct Tables<'a> {
    pub(crate) buckets: Table<'a, &'static str, u64>,
    pub(crate) objects: Table<'a, (&'static str, &'static str), &'static [u8]>,
    pub(crate) small_bodies: Table<'a, (&'static str, &'static str), &'static [u8]>,
    pub(crate) uploads: Table<'a, &'static str, &'static [u8]>,
    pub(crate) parts: Table<'a, (&'static str, u32), &'static [u8]>,
}

/// Makes its change, and returns the function to call after the commit.
type Change = Box<dyn FnOnce(&mut Tables<'_>) -> Result<Committed, Broken> + Send>;
type Committed = Box<dyn FnOnce() + Send>;

impl Index {
    pub(crate) fn open(path: &Path, durable: bool) -> Result<Self> {
        let path = path.to_owned();
        Self::open_with(Box::new(move || {
            let mut builder = Builder::new();
            builder.set_cache_size(CACHE_BYTES);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            let file = FileBackend::new(file)?;
            if durable {
                builder.create_with_backend(file)
            } else {
                builder.create_with_backend(Unsynced(file))
            }
        }))
    }

    fn open_with(open: Open) -> Result<Self> {
        let database = open()?;
        let transaction = database.begin_write()?;
        // Creates the tables: a missing table cannot be read.
        drop(Tables::open(&transaction)?);
        transaction.commit()?;
        let file = Arc::new(File {
            open,
            database: RwLock::new(Some(database)),
            failure: Mutex::default(),
        });
        let (changes, waiting) = mpsc::channel();
        let writer = thread::Builder::new().name("s3 index".to_owned()).spawn({
            let file = Arc::clone(&file);
            move || file.write_all(&waiting)
        })?;
        Ok(Self {
            file,
            changes: Some(changes),
            writer: Some(writer),
        })
    }

    /// Reads from a snapshot.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&ReadTransaction) -> Result<R>) -> Result<R> {
        let database = self
            .file
            .database
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(closed)?;
        read(&database.begin_read()?)
    }

    /// Changes the index, and returns when the change is on disk. A change that returns an error must
    /// not have changed anything.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Tables<'_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (sender, receiver) = oneshot::channel();
        let change: Change = Box::new(move |tables| match change(tables) {
            Err(Failure::Broken(broken)) => Err(broken),
            // Fails if the caller no longer waits, which does not matter.
            result => Ok(Box::new(move || drop(sender.send(result)))),
        });
        let changes = self.changes.as_ref().ok_or_else(closed)?;
        changes.send(change).map_err(|_| closed())?;
        // The sender is dropped if the commit failed.
        receiver
            .await
            .unwrap_or_else(|_| Err(self.file.last_failure()))
    }

    /// All files of objects and parts.
    pub(crate) fn files_in_use(&self) -> Result<HashSet<String>> {
        self.read(|transaction| {
            let mut files = HashSet::new();
            for entry in transaction.open_table(OBJECTS)?.iter()? {
                let object: Object = decode(entry?.1.value())?;
                files.extend(
                    object
                        .body
                        .pieces(object.size)
                        .into_iter()
                        .map(|piece| piece.file),
                );
            }
            for entry in transaction.open_table(PARTS)?.iter()? {
                let part: Part = decode(entry?.1.value())?;
                files.insert(part.file);
            }
            Ok(files)
        })
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // Without a sender, the writer finishes the waiting changes and ends.
        self.changes.take();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Index").finish_non_exhaustive()
    }
}

impl File {
    fn write_all(&self, waiting: &mpsc::Receiver<Change>) {
        while let Ok(first) = waiting.recv() {
            let others = waiting.try_iter().take(MAX_BATCH - 1);
            let mut batch: VecDeque<_> = std::iter::once(first).chain(others).collect();
            let mut committed = Vec::with_capacity(batch.len());
            match self.commit(&mut batch, &mut committed) {
                Ok(()) => committed.into_iter().for_each(|notify| notify()),
                Err(failure) => {
                    tracing::error!("S3 cannot write its index: {failure}");
                    // Before the batch is dropped, because that notifies the callers.
                    self.record_failure(failure);
                    self.reopen();
                }
            }
        }
    }

    /// Commits all changes of the batch or none.
    fn commit(&self, batch: &mut VecDeque<Change>, committed: &mut Vec<Committed>) -> Result<()> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(closed)?;
        let transaction = database.begin_write()?;
        let mut tables = Tables::open(&transaction)?;
        while let Some(change) = batch.pop_front() {
            committed.push(change(&mut tables).map_err(Failure::Broken)?);
        }
        drop(tables);
        Ok(transaction.commit()?)
    }

    fn record_failure(&self, failure: Failure) {
        if let Failure::Broken(broken) = failure {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(broken);
        }
    }

    fn last_failure(&self) -> Failure {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().map_or_else(closed, Failure::Broken)
    }

    /// Opens the file again at its last commit. After a failed write redb refuses to use the open one.
    fn reopen(&self) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Closes the old one first, which has locked the file.
        *database = None;
        match (self.open)() {
            Ok(opened) => *database = Some(opened),
            Err(error) => tracing::error!("S3 cannot open its index again: {error}"),
        }
    }
}

impl<'a> Tables<'a> {
    fn open(transaction: &'a redb::WriteTransaction) -> Result<Self> {
        Ok(Self {
            buckets: transaction.open_table(BUCKETS)?,
            objects: transaction.open_table(OBJECTS)?,
            small_bodies: transaction.open_table(SMALL_BODIES)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
        })
    }
}

fn closed() -> Failure {
    io::Error::other("the index is closed after an earlier failure").into()
}

pub(crate) fn encode(record: &impl Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(record)?)
}

pub(crate) fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R> {
    Ok(serde_json::from_slice(bytes)?)
}

/// For tests: without syncs, so that data survives a crash of the process, but not of the machine.
#[derive(Debug)]
struct Unsynced(FileBackend);

impl StorageBackend for Unsynced {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.0.read(offset, len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self, _eventual: bool) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use s3s::S3Error;

    use super::*;

    /// A disk that can be made full.
    #[derive(Debug)]
    struct Disk {
        file: FileBackend,
        is_full: Arc<AtomicBool>,
    }

    impl StorageBackend for Disk {
        fn len(&self) -> io::Result<u64> {
            self.file.len()
        }

        fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
            self.file.read(offset, len)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.file.set_len(len)
        }

        fn sync_data(&self, eventual: bool) -> io::Result<()> {
            self.file.sync_data(eventual)
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            match self.is_full.load(Ordering::Relaxed) {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => self.file.write(offset, data),
            }
        }
    }

    async fn add_bucket(index: &Index, name: &'static str) -> Result<()> {
        let add = move |tables: &mut Tables<'_>| {
            tables.buckets.insert(name, 0)?;
            Ok(())
        };
        index.write(add).await
    }

    fn has_bucket(index: &Index, name: &str) -> bool {
        index
            .read(|transaction| Ok(transaction.open_table(BUCKETS)?.get(name)?.is_some()))
            .unwrap()
    }

    #[tokio::test]
    async fn writes_fail_while_the_disk_is_full_and_succeed_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let is_full = Arc::new(AtomicBool::new(false));
        let index = Index::open_with(Box::new({
            let is_full = Arc::clone(&is_full);
            move || {
                let file = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(&path)?;
                let disk = Disk {
                    file: FileBackend::new(file)?,
                    is_full: Arc::clone(&is_full),
                };
                Builder::new().create_with_backend(disk)
            }
        }))
        .unwrap();
        add_bucket(&index, "before").await.unwrap();

        is_full.store(true, Ordering::Relaxed);
        let refused = S3Error::from(add_bucket(&index, "meanwhile").await.unwrap_err());
        assert_eq!(
            refused.status_code(),
            Some(hyper::StatusCode::INSUFFICIENT_STORAGE)
        );

        is_full.store(false, Ordering::Relaxed);
        // The first write may find the file still closed.
        let _ = add_bucket(&index, "again").await;
        add_bucket(&index, "after").await.unwrap();
        assert!(has_bucket(&index, "before") && has_bucket(&index, "after"));
        assert!(!has_bucket(&index, "meanwhile"));
    }

    #[tokio::test]
    async fn a_refused_change_does_not_affect_others() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(&folder.path().join("index"), false).unwrap();
        let refuse = index.write(|_| -> Result<()> { Err(s3s::S3ErrorCode::NoSuchBucket.into()) });
        let (refused, added) = tokio::join!(refuse, add_bucket(&index, "other"));
        assert!(matches!(refused, Err(Failure::Refused(_))));
        added.unwrap();
        assert!(has_bucket(&index, "other"));
    }
}
