//! Key-value stores, which the manifest grants by label.
//!
//! The operator chooses per label whether a store is kept in a `file` or `on_redis`.

mod error;
mod file;
mod on_redis;
pub(crate) mod wit;

use std::path::Path;
use std::sync::Arc;

use self::error::Error;
use self::file::File;
use self::on_redis::OnRedis;

/// The store of one label. Clones are the same store: every component that is granted the label gets one.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
}

enum Backend {
    Redis(OnRedis),
    File(File),
}

impl Store {
    /// A store on a Redis server, in Spin's layout: the keys unchanged, in the database that the URL names.
    pub fn redis(url: &str) -> wasmtime::Result<Store> {
        let backend = Arc::new(Backend::Redis(OnRedis::new(url)?));
        Ok(Store { backend })
    }

    /// A store in a file that only this host uses. Creates the file if it is missing, but not its folder.
    /// It grows up to `max_bytes`.
    pub fn file(path: &Path, max_bytes: u64) -> wasmtime::Result<Store> {
        let backend = Arc::new(Backend::File(File::open(path, max_bytes)?));
        Ok(Store { backend })
    }

    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.get(&key).await,
            Backend::File(file) => file.get(key).await,
        }
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.set(&key, &value).await,
            Backend::File(file) => file.set(key, value).await,
        }
    }

    async fn delete(&self, key: String) -> Result<(), Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.delete(&key).await,
            Backend::File(file) => file.delete(key).await,
        }
    }

    async fn exists(&self, key: String) -> Result<bool, Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.exists(&key).await,
            Backend::File(file) => Ok(file.get(key).await?.is_some()),
        }
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.keys().await,
            Backend::File(file) => file.keys().await,
        }
    }

    /// The values of the keys, in their order.
    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.get_many(&keys).await,
            Backend::File(file) => file.get_many(keys).await,
        }
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.set_many(&entries).await,
            Backend::File(file) => file.set_many(entries).await,
        }
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.delete_many(&keys).await,
            Backend::File(file) => file.delete_many(keys).await,
        }
    }

    /// Adds to a number, which is 0 if it is missing; returns the sum.
    async fn increment(&self, key: String, delta: i64) -> Result<i64, Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.increment(&key, delta).await,
            Backend::File(file) => file.increment(key, delta).await,
        }
    }

    /// Sets the value if the present one is `expected`; returns whether it was.
    async fn swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, Error> {
        match &*self.backend {
            Backend::Redis(redis) => redis.swap(&key, expected.as_deref(), &value).await,
            Backend::File(file) => file.swap(key, expected, value).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    async fn assert_that_it_keeps_values(store: Store) {
        let key = || "a/key with ünïcode".to_owned();
        testing::retry(async || store.get(key()).await).await;
        assert!(store.get(key()).await.unwrap().is_none());
        assert!(!store.exists(key()).await.unwrap());
        store.set(key(), vec![0, 255]).await.unwrap();
        store.set("other".to_owned(), vec![]).await.unwrap();
        assert_eq!(store.get(key()).await.unwrap(), Some(vec![0, 255]));
        assert!(store.exists("other".to_owned()).await.unwrap());
        let mut keys = store.keys().await.unwrap();
        keys.sort();
        assert_eq!(keys, [key(), "other".to_owned()]);
        store.delete(key()).await.unwrap();
        store.delete(key()).await.unwrap();
        assert_eq!(store.keys().await.unwrap(), ["other"]);
        assert_that_it_changes_values_atomically(&store).await;
    }

    async fn assert_that_it_changes_values_atomically(store: &Store) {
        let key = || "n".to_owned();
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move { store.increment(key(), 5).await }));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(store.get(key()).await.unwrap(), Some(b"40".to_vec()));
        assert_eq!(store.increment(key(), -41).await.unwrap(), -1);

        let swap = async |expected: Option<&[u8]>, value: &[u8]| {
            let expected = expected.map(<[u8]>::to_vec);
            store
                .swap("s".to_owned(), expected, value.to_vec())
                .await
                .unwrap()
        };
        assert!(!swap(Some(b""), b"first").await, "there is no value");
        assert!(swap(None, b"first").await);
        assert!(!swap(None, b"second").await);
        assert!(!swap(Some(b"other"), b"second").await);
        assert!(swap(Some(b"first"), b"second").await);

        let keys = || vec!["x".to_owned(), "y".to_owned()];
        let entries = keys().into_iter().map(|key| (key, vec![1])).collect();
        store.set_many(entries).await.unwrap();
        let wanted = [keys(), vec!["z".to_owned()]].concat();
        let found = store.get_many(wanted).await.unwrap();
        assert_eq!(found, [Some(vec![1]), Some(vec![1]), None]);
        store
            .delete_many([keys(), vec![key(), "s".to_owned()]].concat())
            .await
            .unwrap();
        assert_eq!(store.keys().await.unwrap(), ["other"]);
        assert!(store.get_many(vec![]).await.unwrap().is_empty());
        store.set_many(vec![]).await.unwrap();
        store.delete_many(vec![]).await.unwrap();
    }

    #[tokio::test]
    async fn a_store_on_redis_keeps_values() {
        // Database 7 is this test's own: other tests use database 0.
        let url = format!("redis://127.0.0.1:{}/7", testing::shared_redis());
        assert_that_it_keeps_values(Store::redis(&url).unwrap()).await;
    }

    #[tokio::test]
    async fn a_store_in_a_file_keeps_values_across_a_restart() {
        let folder = testing::make_folder("key-value");
        let path = folder.join("default.redb");
        assert_that_it_keeps_values(Store::file(&path, 64 << 20).unwrap()).await;
        let again = Store::file(&path, 64 << 20).unwrap();
        assert_eq!(again.keys().await.unwrap(), ["other"]);
        assert!(
            Store::file(&path, 64 << 20).is_err(),
            "two hosts must not share a file"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_file_grows_up_to_its_limit() {
        let folder = testing::make_folder("key-value-full");
        let store = Store::file(&folder.join("default.redb"), 8 << 20).unwrap();
        let mut full = None;
        for number in 0..32 {
            let set = store.set(number.to_string(), vec![0; 1 << 20]).await;
            full = full.or(set.err());
        }
        assert!(matches!(full, Some(Error::Other(why)) if why == "the store is full"));
        assert!(store.get("0".to_owned()).await.unwrap().is_some());
        let set = async |key: &str| store.set(key.to_owned(), vec![0; 1 << 20]).await;
        assert!(set("another").await.is_err());
        store.delete("0".to_owned()).await.unwrap();
        set("another").await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn all_keys_are_listed_once_even_if_redis_needs_several_scans() {
        let url = format!("redis://127.0.0.1:{}/8", testing::shared_redis());
        let store = Store::redis(&url).unwrap();
        testing::retry(async || store.get(String::new()).await).await;
        for number in 0..3000 {
            store.set(number.to_string(), vec![]).await.unwrap();
        }
        let mut keys = store.keys().await.unwrap();
        assert_eq!(keys.len(), 3000);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 3000);
    }
}
