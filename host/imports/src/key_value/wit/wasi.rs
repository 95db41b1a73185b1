//! `wasi:keyvalue@0.2.0-draft2`: the same stores. Numbers are kept as decimal text, as Redis keeps them.

use wasmtime::component::{Linker, Resource};

use crate::bindings::spin::key_value::key_value as v3;
use crate::bindings::wasi::keyvalue::{atomics, batch, store};
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use crate::key_value::Store;
use store::{Error, KeyResponse};

pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasImports>(linker, T::imports)?;
    batch::add_to_linker::<_, HasImports>(linker, T::imports)?;
    atomics::add_to_linker::<_, HasImports>(linker, T::imports)
}

/// A compare-and-swap: the key, and its value when the guest last learned it.
pub struct Cas {
    store: Store,
    key: String,
    current: Option<Vec<u8>>,
}

impl store::Host for ImportsCtxView<'_> {
    async fn open(&mut self, label: String) -> Result<Resource<Store>, Error> {
        Ok(self.open_store(&label)?)
    }
}

impl store::HostBucket for ImportsCtxView<'_> {
    async fn get(
        &mut self,
        bucket: Resource<Store>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store(&bucket)?.get(key).await?)
    }

    async fn set(
        &mut self,
        bucket: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(self.store(&bucket)?.set(key, value).await?)
    }

    async fn delete(&mut self, bucket: Resource<Store>, key: String) -> Result<(), Error> {
        Ok(self.store(&bucket)?.delete(key).await?)
    }

    async fn exists(&mut self, bucket: Resource<Store>, key: String) -> Result<bool, Error> {
        Ok(self.store(&bucket)?.exists(key).await?)
    }

    /// All keys are one page.
    async fn list_keys(
        &mut self,
        bucket: Resource<Store>,
        cursor: Option<String>,
    ) -> Result<KeyResponse, Error> {
        if cursor.is_some() {
            return Err(Error::Other("there is no page after the first".to_owned()));
        }
        let keys = self.store(&bucket)?.keys().await?;
        Ok(KeyResponse { keys, cursor: None })
    }

    async fn drop(&mut self, bucket: Resource<Store>) -> wasmtime::Result<()> {
        v3::HostStore::drop(self, bucket)
    }
}

impl batch::Host for ImportsCtxView<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Store>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Error> {
        let values = self.store(&bucket)?.get_many(keys.clone()).await?;
        Ok(keys.into_iter().zip(values).collect())
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Store>,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Error> {
        Ok(self.store(&bucket)?.set_many(entries).await?)
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<Store>,
        keys: Vec<String>,
    ) -> Result<(), Error> {
        Ok(self.store(&bucket)?.delete_many(keys).await?)
    }
}

impl ImportsCtxView<'_> {
    /// Learns the value of the key, to swap it later.
    async fn push_cas(&mut self, store: Store, key: String) -> Result<Resource<Cas>, Error> {
        let current = store.get(key.clone()).await?;
        let cas = Cas {
            store,
            key,
            current,
        };
        self.table
            .push(cas)
            .map_err(|error| Error::Other(error.to_string()))
    }
}

impl atomics::HostCas for ImportsCtxView<'_> {
    async fn new(&mut self, bucket: Resource<Store>, key: String) -> Result<Resource<Cas>, Error> {
        let store = self.store(&bucket)?;
        self.push_cas(store, key).await
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Result<Option<Vec<u8>>, Error> {
        let cas = self.table.get(&cas);
        let cas = cas.map_err(|error| Error::Other(error.to_string()))?;
        Ok(cas.current.clone())
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl atomics::Host for ImportsCtxView<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Store>,
        key: String,
        delta: i64,
    ) -> Result<i64, Error> {
        Ok(self.store(&bucket)?.increment(key, delta).await?)
    }

    /// A failed swap answers with a handle that knows the value at that moment.
    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<(), atomics::CasError> {
        let to_error = |error: Error| atomics::CasError::StoreError(error);
        let cas = self.table.delete(cas);
        let cas = cas.map_err(|error| to_error(Error::Other(error.to_string())))?;
        let swapped = cas.store.swap(cas.key.clone(), cas.current, value).await;
        if swapped.map_err(|error| to_error(error.into()))? {
            return Ok(());
        }
        let again = self.push_cas(cas.store, cas.key).await.map_err(to_error)?;
        Err(atomics::CasError::CasFailed(again))
    }
}

impl From<v3::Error> for Error {
    fn from(error: v3::Error) -> Error {
        match error {
            v3::Error::StoreTableFull => Error::Other("too many stores opened".to_owned()),
            v3::Error::NoSuchStore => Error::NoSuchStore,
            v3::Error::AccessDenied => Error::AccessDenied,
            v3::Error::Other(cause) => Error::Other(cause),
        }
    }
}
