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
    pub fn file(path: &Path) -> wasmtime::Result<Store> {
        let backend = Arc::new(Backend::File(File::open(path)?));
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
        assert_that_it_keeps_values(Store::file(&path).unwrap()).await;
        let again = Store::file(&path).unwrap();
        assert_eq!(again.keys().await.unwrap(), ["other"]);
        assert!(
            Store::file(&path).is_err(),
            "two hosts must not share a file"
        );
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
