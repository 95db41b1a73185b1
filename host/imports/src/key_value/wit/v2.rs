//! `fermyon:spin/key-value@2.0.0`: the same stores, with functions that block the guest.

use wasmtime::component::{Linker, Resource};

use crate::bindings::fermyon::spin::key_value as v2;
use crate::bindings::spin::key_value::key_value as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};
use crate::key_value::Store;

pub fn add_to_linker<T: ImportsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    v2::add_to_linker::<_, HasImports>(linker, T::imports)
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

impl From<v3::Error> for v2::Error {
    fn from(error: v3::Error) -> v2::Error {
        match error {
            v3::Error::StoreTableFull => v2::Error::StoreTableFull,
            v3::Error::NoSuchStore => v2::Error::NoSuchStore,
            v3::Error::AccessDenied => v2::Error::AccessDenied,
            v3::Error::Other(cause) => v2::Error::Other(cause),
        }
    }
}
