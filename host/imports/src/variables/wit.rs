//! `spin:variables`, its previous version `fermyon:spin/variables`, and `wasi:config`.

use wasmtime::component::{Accessor, Linker};

use super::{VariableError, is_name};
use crate::bindings::fermyon::spin::variables as v2;
use crate::bindings::spin::variables::variables as v3;
use crate::bindings::wasi::config::store as config;
use crate::context::{HasImports, ImportsCtxView, ImportsView};

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    v3::add_to_linker::<_, HasImports>(linker, T::imports)?;
    v2::add_to_linker::<_, HasImports>(linker, T::imports)?;
    config::add_to_linker::<_, HasImports>(linker, T::imports)?;
    Ok(())
}

impl ImportsCtxView<'_> {
    fn variable(&self, name: &str) -> Result<String, v3::Error> {
        if !is_name(name) {
            return Err(v3::Error::InvalidName(name.to_owned()));
        }
        let value = self.ctx.imports.variables.get(name);
        value.map_err(|error| match error {
            VariableError::Undefined(_) => v3::Error::Undefined(error.to_string()),
            VariableError::Source(cause) => v3::Error::Provider(cause),
        })
    }
}

impl v3::Host for ImportsCtxView<'_> {}

impl<T> v3::HostWithStore<T> for HasImports {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, v3::Error> {
        accessor.with(|mut access| access.get().variable(&name))
    }
}

impl v2::Host for ImportsCtxView<'_> {
    fn get(&mut self, name: String) -> Result<String, v2::Error> {
        self.variable(&name).map_err(|error| match error {
            v3::Error::InvalidName(name) => v2::Error::InvalidName(name),
            v3::Error::Undefined(cause) => v2::Error::Undefined(cause),
            v3::Error::Provider(cause) => v2::Error::Provider(cause),
            v3::Error::Other(cause) => v2::Error::Other(cause),
        })
    }
}

impl config::Host for ImportsCtxView<'_> {
    fn get(&mut self, name: String) -> Result<Option<String>, config::Error> {
        match self.variable(&name) {
            Ok(value) => Ok(Some(value)),
            Err(v3::Error::InvalidName(_) | v3::Error::Undefined(_)) => Ok(None),
            Err(v3::Error::Provider(cause) | v3::Error::Other(cause)) => {
                Err(config::Error::Upstream(cause))
            }
        }
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, config::Error> {
        let all = self.ctx.imports.variables.all();
        all.map_err(|error| config::Error::Upstream(error.to_string()))
    }
}
