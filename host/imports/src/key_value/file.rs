//! A store in one file, for a single host. A value is on disk when `set` returns.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use redb::{Database, ReadableTable, Table, TableDefinition};
use tokio::task::spawn_blocking;

use super::error::{Error, to_error};

const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");

pub struct File {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    /// Bytes of all keys and values. Changed only within a transaction, of which there is one at a time.
    held: AtomicU64,
    max_bytes: u64,
}

/// The table within a transaction, and the bytes that it holds then.
struct Values<'a> {
    table: Table<'a, &'static str, &'static [u8]>,
    held: u64,
}

impl Values<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, redb::Error> {
        let value = self.table.get(key)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    fn insert(&mut self, key: &str, value: &[u8]) -> Result<(), redb::Error> {
        let previous = self.table.insert(key, value)?;
        let previous = previous.map(|previous| length(key, previous.value()));
        self.held = self.held + length(key, value) - previous.unwrap_or_default();
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), redb::Error> {
        let previous = self.table.remove(key)?;
        let previous = previous.map(|previous| length(key, previous.value()));
        self.held -= previous.unwrap_or_default();
        Ok(())
    }
}

fn length(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

impl File {
    pub fn open(path: &Path, max_bytes: u64) -> wasmtime::Result<File> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        let mut held = 0;
        // Creates the table: reading a missing one fails.
        for entry in write.open_table(VALUES)?.iter()? {
            let (key, value) = entry?;
            held += length(key.value(), value.value());
        }
        write.commit()?;
        Ok(File {
            inner: Arc::new(Inner {
                database,
                held: AtomicU64::new(held),
                max_bytes,
            }),
        })
    }

    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        let values = self.get_many(vec![key]).await?;
        Ok(values.into_iter().next().flatten())
    }

    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        self.set_many(vec![(key, value)]).await
    }

    pub async fn delete(&self, key: String) -> Result<(), Error> {
        self.delete_many(vec![key]).await
    }

    pub async fn keys(&self) -> Result<Vec<String>, Error> {
        self.run(|inner| {
            let table = inner.database.begin_read()?.open_table(VALUES)?;
            let keys = table.iter()?;
            let keys = keys.map(|entry| entry.map(|(key, _)| key.value().to_owned()));
            Ok(keys.collect::<Result<_, _>>()?)
        })
        .await
    }

    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.run(move |inner| {
            let table = inner.database.begin_read()?.open_table(VALUES)?;
            let values = keys.iter().map(|key| {
                let value = table.get(&**key)?;
                Ok(value.map(|value| value.value().to_vec()))
            });
            values.collect()
        })
        .await
    }

    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        self.write(move |values| {
            for (key, value) in &entries {
                values.insert(key, value)?;
            }
            Ok(())
        })
        .await
    }

    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        self.write(move |values| {
            for key in &keys {
                values.remove(key)?;
            }
            Ok(())
        })
        .await
    }

    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, Error> {
        self.write(move |values| {
            let present = match values.get(&key)? {
                None => Some(0),
                Some(number) => parse_number(&number),
            };
            let Some(sum) = present.and_then(|number: i64| number.checked_add(delta)) else {
                return Ok(Err(to_error("the value is not an integer or out of range")));
            };
            values.insert(&key, sum.to_string().as_bytes())?;
            Ok(Ok(sum))
        })
        .await?
    }

    pub async fn swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, Error> {
        self.write(move |values| {
            let is_expected = values.get(&key)? == expected;
            if is_expected {
                values.insert(&key, &value)?;
            }
            Ok(is_expected)
        })
        .await
    }

    /// Runs in one transaction. A transaction that would make the store larger than it may be is not committed.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Values) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(move |inner| {
            let write = inner.database.begin_write()?;
            let held = inner.held.load(Relaxed);
            let mut values = Values {
                table: write.open_table(VALUES)?,
                held,
            };
            let done = work(&mut values)?;
            let grown = values.held;
            drop(values);
            if grown > inner.max_bytes && grown > held {
                return Ok(Err(to_error("the store is full")));
            }
            // Before the commit, which lets the next transaction begin. A failed commit leaves the sum too large or small by
            // one transaction, until the next start.
            inner.held.store(grown, Relaxed);
            write.commit()?;
            Ok(Ok(done))
        })
        .await?
    }

    /// Runs on a blocking thread: disk I/O must not stall the threads that serve requests.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        let done = spawn_blocking(move || work(&inner)).await;
        done.map_err(to_error)?.map_err(to_error)
    }
}

fn parse_number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
