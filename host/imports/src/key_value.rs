//! `spin:key-value` and the older `fermyon:spin/key-value`: stores the manifest grants by label.
//!
//! Which label is kept where is the operator's to say; `file` and `on_redis` are the places there are.

mod file;
mod on_redis;

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, Linker, Resource, StreamReader};

use self::file::File;
use self::on_redis::OnRedis;
use crate::bindings::fermyon::spin::key_value as v2;
use crate::bindings::spin::key_value::key_value as v3;
use crate::{HasImports, ImportsCtxView, ImportsView, no_trap};
use v3::Error;

/// Where the values of one label are kept. Clones are the same store: give one to every component granted the label.
#[derive(Clone)]
pub struct Store {
    place: Arc<Place>,
}

enum Place {
    Redis(OnRedis),
    File(File),
}

impl Store {
    /// On a Redis server, in the layout Spin uses: keys as they are, in the database the URL names.
    pub fn redis(url: &str) -> wasmtime::Result<Store> {
        let place = Arc::new(Place::Redis(OnRedis::new(url)?));
        Ok(Store { place })
    }

    /// In a file of this host alone. It is made when it is missing, its folder is not.
    pub fn file(path: &Path) -> wasmtime::Result<Store> {
        let place = Arc::new(Place::File(File::open(path)?));
        Ok(Store { place })
    }

    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        match &*self.place {
            Place::Redis(redis) => redis.get(&key).await,
            Place::File(file) => file.get(key).await,
        }
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        match &*self.place {
            Place::Redis(redis) => redis.set(&key, &value).await,
            Place::File(file) => file.set(key, value).await,
        }
    }

    async fn delete(&self, key: String) -> Result<(), Error> {
        match &*self.place {
            Place::Redis(redis) => redis.delete(&key).await,
            Place::File(file) => file.delete(key).await,
        }
    }

    async fn exists(&self, key: String) -> Result<bool, Error> {
        match &*self.place {
            Place::Redis(redis) => redis.exists(&key).await,
            Place::File(file) => Ok(file.get(key).await?.is_some()),
        }
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        match &*self.place {
            Place::Redis(redis) => redis.keys().await,
            Place::File(file) => file.keys().await,
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Other(error.to_string())
}

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker::<_, HasImports>(linker, T::imports)?;
    Ok(())
}

impl ImportsCtxView<'_> {
    fn open_store(&mut self, label: &str) -> Result<Resource<Store>, Error> {
        // Every granted label has a store: the host refuses to start otherwise.
        let granted = self.ctx.imports.key_value_stores.get(label);
        let store = granted.ok_or(Error::AccessDenied)?.clone();
        self.table.push(store).map_err(|_| Error::StoreTableFull)
    }

    fn store(&self, store: &Resource<Store>) -> Result<Store, Error> {
        self.table.get(store).cloned().map_err(failed)
    }
}

impl HasImports {
    fn store<T>(accessor: &Accessor<T, Self>, store: &Resource<Store>) -> Result<Store, Error> {
        accessor.with(|mut access| access.get().store(store))
    }
}

impl v3::Host for ImportsCtxView<'_> {}

impl v3::HostStore for ImportsCtxView<'_> {
    fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T> v3::HostStoreWithStore<T> for HasImports {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Result<Resource<Store>, Error> {
        accessor.with(|mut access| access.get().open_store(&label))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Error> {
        Self::store(accessor, &store)?.get(key).await
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        Self::store(accessor, &store)?.set(key, value).await
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<(), Error> {
        Self::store(accessor, &store)?.delete(key).await
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<bool, Error> {
        Self::store(accessor, &store)?.exists(key).await
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let keys = match Self::store(accessor, &store) {
            Ok(store) => store.keys().await,
            Err(error) => Err(error),
        };
        let (keys, end) = match keys {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            Ok((
                StreamReader::new(&mut access, keys)?,
                FutureReader::new(&mut access, std::future::ready(no_trap(end)))?,
            ))
        })
    }
}

impl v2::Host for ImportsCtxView<'_> {}

impl v2::HostStore for ImportsCtxView<'_> {
    async fn open(&mut self, label: String) -> Result<Resource<Store>, v2::Error> {
        Ok(self.open_store(&label)?)
    }

    async fn get(
        &mut self,
        store: Resource<Store>,
        key: String,
    ) -> Result<Option<Vec<u8>>, v2::Error> {
        Ok(self.store(&store)?.get(key).await?)
    }

    async fn set(
        &mut self,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), v2::Error> {
        Ok(self.store(&store)?.set(key, value).await?)
    }

    async fn delete(&mut self, store: Resource<Store>, key: String) -> Result<(), v2::Error> {
        Ok(self.store(&store)?.delete(key).await?)
    }

    async fn exists(&mut self, store: Resource<Store>, key: String) -> Result<bool, v2::Error> {
        Ok(self.store(&store)?.exists(key).await?)
    }

    async fn get_keys(&mut self, store: Resource<Store>) -> Result<Vec<String>, v2::Error> {
        Ok(self.store(&store)?.keys().await?)
    }

    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        v3::HostStore::drop(self, store)
    }
}

impl From<Error> for v2::Error {
    fn from(error: Error) -> v2::Error {
        match error {
            Error::StoreTableFull => v2::Error::StoreTableFull,
            Error::NoSuchStore => v2::Error::NoSuchStore,
            Error::AccessDenied => v2::Error::AccessDenied,
            Error::Other(cause) => v2::Error::Other(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    async fn keeps_what_it_is_given(store: Store) {
        let key = || "a/key with ünïcode".to_owned();
        testing::at_last(async || store.get(key()).await).await;
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
    async fn a_store_on_redis_keeps_what_it_is_given() {
        // A database of its own: other tests use the first.
        let url = format!("redis://127.0.0.1:{}/7", testing::redis());
        keeps_what_it_is_given(Store::redis(&url).unwrap()).await;
    }

    #[tokio::test]
    async fn a_store_in_a_file_keeps_what_it_is_given_also_for_the_next_start() {
        let folder = testing::folder("key-value");
        let path = folder.join("default.redb");
        keeps_what_it_is_given(Store::file(&path).unwrap()).await;
        let again = Store::file(&path).unwrap();
        assert_eq!(again.keys().await.unwrap(), ["other"]);
        assert!(
            Store::file(&path).is_err(),
            "two hosts must not share a file"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn more_keys_than_redis_gives_at_once_are_all_there_and_there_once() {
        let url = format!("redis://127.0.0.1:{}/8", testing::redis());
        let store = Store::redis(&url).unwrap();
        testing::at_last(async || store.get(String::new()).await).await;
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
