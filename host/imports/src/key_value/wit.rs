//! `spin:key-value`. `v2` is its previous version, `wasi` the interface of WASI.

mod v2;
pub(crate) mod wasi;

use wasmtime::component::{Accessor, FutureReader, Linker, Resource, StreamReader};

use super::Store;
use super::error::{Error, to_error};
use crate::bindings::spin::key_value::key_value as v3;
use crate::context::{HasImports, ImportsCtxView, ImportsView};

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker(linker)?;
    wasi::add_to_linker(linker)
}

impl ImportsCtxView<'_> {
    fn open_store(&mut self, label: &str) -> Result<Resource<Store>, Error> {
        // A label without a store was not granted: the host refuses to start if a granted label has none.
        let granted = self.ctx.imports.key_value_stores.get(label);
        let store = granted.ok_or(Error::AccessDenied)?.clone();
        self.table.push(store).map_err(|_| Error::StoreTableFull)
    }

    fn store(&self, store: &Resource<Store>) -> Result<Store, Error> {
        self.table.get(store).cloned().map_err(to_error)
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
            let end = async { Ok::<_, wasmtime::Error>(end) };
            Ok((
                StreamReader::new(&mut access, keys)?,
                FutureReader::new(&mut access, end)?,
            ))
        })
    }
}
