//! A store in one file, for a single host. A value is on disk when `set` returns.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableTable, TableDefinition};
use tokio::task::spawn_blocking;

use super::error::{Error, to_error};

const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");

pub struct File {
    database: Arc<Database>,
}

impl File {
    pub fn open(path: &Path) -> wasmtime::Result<File> {
        let database = Database::create(path)?;
        // Creates the table: reading a missing one fails.
        let write = database.begin_write()?;
        write.open_table(VALUES)?;
        write.commit()?;
        let database = Arc::new(database);
        Ok(File { database })
    }

    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        self.run(move |database| {
            let table = database.begin_read()?.open_table(VALUES)?;
            Ok(table.get(&*key)?.map(|value| value.value().to_vec()))
        })
        .await
    }

    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        self.run(move |database| {
            let write = database.begin_write()?;
            write.open_table(VALUES)?.insert(&*key, &*value)?;
            Ok(write.commit()?)
        })
        .await
    }

    pub async fn delete(&self, key: String) -> Result<(), Error> {
        self.run(move |database| {
            let write = database.begin_write()?;
            write.open_table(VALUES)?.remove(&*key)?;
            Ok(write.commit()?)
        })
        .await
    }

    pub async fn keys(&self) -> Result<Vec<String>, Error> {
        self.run(|database| {
            let table = database.begin_read()?.open_table(VALUES)?;
            let keys = table.iter()?;
            let keys = keys.map(|entry| entry.map(|(key, _)| key.value().to_owned()));
            Ok(keys.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Runs on a blocking thread: disk I/O must not stall the threads that serve requests.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let database = Arc::clone(&self.database);
        let done = spawn_blocking(move || work(&database)).await;
        done.map_err(to_error)?.map_err(to_error)
    }
}
