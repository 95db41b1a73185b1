//! `spin:variables`, its previous version `fermyon:spin/variables`, and `wasi:config`: as the component imports them, and once
//! more for each dependency inside of it, under names of its own ([`prefix_of_dependency`]) and with variables of its own.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Accessor, Linker};

use super::{VariableError, Variables, is_name, prefix_of_dependency};
use crate::bindings::fermyon::spin::variables as v2;
use crate::bindings::spin::variables::variables as v3;
use crate::bindings::wasi::config::store as config;
use crate::context::{ImportsCtxView, ImportsView};

/// Whose variables are read: the component's, or those of the dependency at a position.
#[derive(Clone, Copy)]
enum Reader {
    Component,
    Dependency(usize),
}

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    link(linker, "", Reader::Component)
}

/// Links what the dependency at a position imports.
pub fn add_dependency_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
    position: usize,
) -> wasmtime::Result<()> {
    let prefix = prefix_of_dependency(position);
    link(linker, &prefix, Reader::Dependency(position))
}

/// The generated functions that link an interface cannot know the reader, so it is done here.
fn link<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
    prefix: &str,
    reader: Reader,
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(&format!("{prefix}spin:variables/variables@3.0.0"))?;
    instance.func_wrap_concurrent("get", move |accessor: &Accessor<T>, (name,): (String,)| {
        let read = accessor.with(|mut access| reader.read(access.data_mut(), &name));
        Box::pin(async move { Ok((read,)) })
    })?;
    let mut instance = linker.instance(&format!("{prefix}fermyon:spin/variables@2.0.0"))?;
    instance.func_wrap(
        "get",
        move |mut store: StoreContextMut<'_, T>, (name,): (String,)| {
            let read = reader.read(store.data_mut(), &name);
            Ok((read.map_err(v2::Error::from),))
        },
    )?;
    let config = format!("{prefix}wasi:config/store@0.2.0-draft-2024-09-27");
    let mut instance = linker.instance(&config)?;
    instance.func_wrap(
        "get",
        move |mut store: StoreContextMut<'_, T>, (name,): (String,)| {
            let value = match reader.read(store.data_mut(), &name) {
                Ok(value) => Ok(Some(value)),
                Err(v3::Error::InvalidName(_) | v3::Error::Undefined(_)) => Ok(None),
                Err(v3::Error::Provider(cause) | v3::Error::Other(cause)) => {
                    Err(config::Error::Upstream(cause))
                }
            };
            Ok((value,))
        },
    )?;
    instance.func_wrap(
        "get-all",
        move |mut store: StoreContextMut<'_, T>, (): ()| {
            let all = match reader.variables(store.data_mut()) {
                Some(variables) => variables.all(),
                None => Ok(Vec::new()),
            };
            Ok((all.map_err(|error| config::Error::Upstream(error.to_string())),))
        },
    )
}

impl Reader {
    fn variables(self, store: &mut impl ImportsView) -> Option<Arc<dyn Variables>> {
        let ImportsCtxView { ctx, .. } = store.imports();
        match self {
            Reader::Component => Some(Arc::clone(&ctx.imports.variables)),
            Reader::Dependency(position) => ctx.imports.dependency_variables.get(position).cloned(),
        }
    }

    fn read(self, store: &mut impl ImportsView, name: &str) -> Result<String, v3::Error> {
        if !is_name(name) {
            return Err(v3::Error::InvalidName(name.to_owned()));
        }
        let undefined = || VariableError::Undefined(name.to_owned());
        let variables = self.variables(store).ok_or_else(undefined);
        variables
            .and_then(|variables| variables.get(name))
            .map_err(|error| match error {
                VariableError::Undefined(_) => v3::Error::Undefined(error.to_string()),
                VariableError::Source(cause) => v3::Error::Provider(cause),
            })
    }
}

impl From<v3::Error> for v2::Error {
    fn from(error: v3::Error) -> Self {
        match error {
            v3::Error::InvalidName(name) => v2::Error::InvalidName(name),
            v3::Error::Undefined(cause) => v2::Error::Undefined(cause),
            v3::Error::Provider(cause) => v2::Error::Provider(cause),
            v3::Error::Other(cause) => v2::Error::Other(cause),
        }
    }
}
