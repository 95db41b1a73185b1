//! `spin:variables`, its previous version `fermyon:spin/variables`, and `wasi:config`: as the component imports them, and once
//! more under names that dependencies inside of it import ([`OF_DEPENDENCIES`]), with variables of their own.

use std::sync::Arc;

use wasmtime::component::{Accessor, HasData, Linker};

use super::{OF_DEPENDENCIES, VariableError, Variables, is_name};
use crate::bindings::fermyon::spin::variables as v2;
use crate::bindings::spin::variables::variables as v3;
use crate::bindings::wasi::config::store as config;
use crate::context::ImportsView;

pub(crate) fn add_to_linker<T: ImportsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    link(linker, "", own)?;
    link(linker, OF_DEPENDENCIES, of_dependencies)
}

fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    prefix: &str,
    variables: fn(&mut T) -> VariablesView,
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(&format!("{prefix}spin:variables/variables@3.0.0"))?;
    v3::add_to_linker_instance::<_, HasVariables>(&mut instance, variables)?;
    let mut instance = linker.instance(&format!("{prefix}fermyon:spin/variables@2.0.0"))?;
    v2::add_to_linker_instance::<_, HasVariables>(&mut instance, variables)?;
    let config = format!("{prefix}wasi:config/store@0.2.0-draft-2024-09-27");
    let mut instance = linker.instance(&config)?;
    config::add_to_linker_instance::<_, HasVariables>(&mut instance, variables)
}

struct HasVariables;

impl HasData for HasVariables {
    type Data<'a> = VariablesView;
}

struct VariablesView(Arc<dyn Variables>);

fn own(store: &mut impl ImportsView) -> VariablesView {
    VariablesView(Arc::clone(&store.imports().ctx.imports.variables))
}

fn of_dependencies(store: &mut impl ImportsView) -> VariablesView {
    VariablesView(Arc::clone(
        &store.imports().ctx.imports.dependency_variables,
    ))
}

impl VariablesView {
    fn variable(&self, name: &str) -> Result<String, v3::Error> {
        if !is_name(name) {
            return Err(v3::Error::InvalidName(name.to_owned()));
        }
        self.0.get(name).map_err(|error| match error {
            VariableError::Undefined(_) => v3::Error::Undefined(error.to_string()),
            VariableError::Source(cause) => v3::Error::Provider(cause),
        })
    }
}

impl v3::Host for VariablesView {}

impl<T> v3::HostWithStore<T> for HasVariables {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, v3::Error> {
        accessor.with(|mut access| access.get().variable(&name))
    }
}

impl v2::Host for VariablesView {
    fn get(&mut self, name: String) -> Result<String, v2::Error> {
        self.variable(&name).map_err(|error| match error {
            v3::Error::InvalidName(name) => v2::Error::InvalidName(name),
            v3::Error::Undefined(cause) => v2::Error::Undefined(cause),
            v3::Error::Provider(cause) => v2::Error::Provider(cause),
            v3::Error::Other(cause) => v2::Error::Other(cause),
        })
    }
}

impl config::Host for VariablesView {
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
        self.0
            .all()
            .map_err(|error| config::Error::Upstream(error.to_string()))
    }
}
