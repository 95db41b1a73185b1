//! SQLite databases, which the manifest grants by label. A database is a file of this host.
//!
//! SQLite is a library, so what a guest may ask of it is limited here: no other files, no settings that govern the memory
//! of the process or the size of the file, results of bounded size, and a bounded number of statements at the same time.

#[cfg(test)]
mod tests;
mod values;
pub(crate) mod wit;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{ErrorCode, InterruptHandle, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use self::values::{read_rows, to_parameters};
use crate::bindings::spin::sqlite::sqlite::{Error, QueryResult, Value};

/// Connections to one database, over all instances. Each takes a file descriptor and a page cache of 2 MB.
const MAX_CONNECTIONS: usize = 64;
/// Statements of one database that run at the same time. Each occupies a thread.
const MAX_RUNNING: usize = 8;
/// How long a statement waits for another one that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest text, blob and row, and largest result: the memory that one statement may take of the host.
const MAX_RESULT_BYTES: usize = 16 << 20;
/// SQLite's own default.
const PAGE_BYTES: u32 = 4096;

/// Settings that guests may read but not change: they govern the memory of the process, the size of the file, or the use
/// of it by others.
const GUARDED_PRAGMAS: [&str; 15] = [
    "cache_size",
    "cache_spill",
    "data_store_directory",
    "default_cache_size",
    "hard_heap_limit",
    "journal_mode",
    "journal_size_limit",
    "locking_mode",
    "max_page_count",
    "mmap_size",
    "page_size",
    "soft_heap_limit",
    "temp_store",
    "temp_store_directory",
    "wal_autocheckpoint",
];

/// The database of one label. Clones are the same database: every component that is granted the label gets one.
#[derive(Clone)]
pub struct Database {
    file: Arc<DatabaseFile>,
    connections: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

struct DatabaseFile {
    path: PathBuf,
    max_bytes: u64,
    may_attach_files: bool,
}

impl Database {
    /// Opens the file, and creates it if it is missing, but not its folder. It grows up to `max_bytes`.
    pub fn open(path: &Path, max_bytes: u64, may_attach_files: bool) -> wasmtime::Result<Database> {
        let file = DatabaseFile {
            path: path.to_owned(),
            max_bytes,
            may_attach_files,
        };
        // The journal mode is kept in the file. Readers do not wait for a writer then.
        file.connect()?.pragma_update(None, "journal_mode", "wal")?;
        Ok(Database {
            file: Arc::new(file),
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
        })
    }

    /// Runs statements of the operator.
    pub fn execute_batch(&self, statements: &str) -> wasmtime::Result<()> {
        Ok(self.file.connect()?.execute_batch(statements)?)
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let slot = self.connections.clone().try_acquire_owned();
        let slot = slot.map_err(|_| Error::Io("too many connections opened".to_owned()))?;
        let file = Arc::clone(&self.file);
        let session = spawn_blocking(move || file.connect_guest()).await;
        let session = session.map_err(to_io)?.map_err(to_error)?;
        Ok(Connection(Arc::new(Guard {
            interrupt: session.get_interrupt_handle(),
            session: Arc::new(Mutex::new(session)),
            running: Arc::clone(&self.running),
            _slot: slot,
        })))
    }
}

impl DatabaseFile {
    fn connect(&self) -> rusqlite::Result<rusqlite::Connection> {
        // Without `SQLITE_OPEN_URI`, so that no file name carries settings.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let session = rusqlite::Connection::open_with_flags(&self.path, flags)?;
        session.busy_timeout(BUSY_TIMEOUT)?;
        session.pragma_update(None, "page_size", PAGE_BYTES)?;
        let pages = self.max_bytes / u64::from(PAGE_BYTES);
        let pages = u32::try_from(pages).unwrap_or(u32::MAX).max(1);
        session.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        Ok(session)
    }

    /// Connects for a guest: from here on, the limits of this module hold.
    fn connect_guest(&self) -> rusqlite::Result<rusqlite::Connection> {
        let mut session = self.connect()?;
        session.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        let longest = i32::try_from(MAX_RESULT_BYTES).unwrap_or(i32::MAX);
        session.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
        session.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
        let may_attach_files = self.may_attach_files;
        session.authorizer(Some(move |context: AuthContext<'_>| {
            authorize(&context.action, may_attach_files)
        }))?;
        Ok(session)
    }
}

fn authorize(action: &AuthAction<'_>, may_attach_files: bool) -> Authorization {
    let is_allowed = match action {
        // The empty name is a temporary file, which VACUUM needs. A database in memory would not be limited.
        AuthAction::Attach { filename } => filename.is_empty() || may_attach_files,
        AuthAction::Pragma {
            pragma_name,
            pragma_value: Some(_),
        } => !GUARDED_PRAGMAS
            .iter()
            .any(|guarded| pragma_name.eq_ignore_ascii_case(guarded)),
        _ => true,
    };
    if is_allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

/// A guest's connection. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Guard>);

struct Guard {
    session: Arc<Mutex<rusqlite::Connection>>,
    interrupt: InterruptHandle,
    running: Arc<Semaphore>,
    _slot: OwnedSemaphorePermit,
}

/// A statement must not outlive the guest that waits for it.
impl Drop for Guard {
    fn drop(&mut self) {
        self.interrupt.interrupt();
    }
}

impl Connection {
    async fn execute(
        &self,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        self.run(move |session| {
            let mut statement = session.prepare(&statement)?;
            let columns = statement.column_names();
            let columns = columns.into_iter().map(str::to_owned).collect();
            let rows = statement.query(to_parameters(parameters))?;
            Ok(read_rows(rows, MAX_RESULT_BYTES)?.map(|rows| QueryResult { columns, rows }))
        })
        .await?
    }

    async fn last_insert_rowid(&self) -> Result<i64, Error> {
        self.run(|session| Ok(session.last_insert_rowid())).await
    }

    async fn changes(&self) -> Result<u64, Error> {
        self.run(|session| Ok(session.changes())).await
    }

    /// Runs on a blocking thread: disk I/O must not stall the threads that serve requests.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self
            .0
            .running
            .clone()
            .acquire_owned()
            .await
            .map_err(to_io)?;
        let session = Arc::clone(&self.0.session);
        let done = spawn_blocking(move || {
            let _permit = permit;
            work(&session.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.map_err(to_io)?.map_err(to_error)
    }
}

fn to_io(error: impl std::fmt::Display) -> Error {
    Error::Io(error.to_string())
}

fn to_error(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::DatabaseFull,
        _ => to_io(error),
    }
}
