//! Makes components of core modules: what compilers make for `wasm32-unknown-unknown` and `wasm32-wasip1`. The bindings in such a
//! module carry the description of its imports and exports; calls of WASI preview 1 go through wasmtime's adapter.

use anyhow::{Context, Result, ensure};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// Starts the names of the sections in which bindings describe the component.
const DESCRIPTION: &str = "component-type";

pub fn to_component(module: &[u8]) -> Result<Vec<u8>> {
    ensure!(
        Parser::is_core_wasm(module),
        "this is not WebAssembly; build it for the target wasm32-wasip2"
    );
    let Facts {
        is_described,
        is_command,
    } = Facts::of(module)?;
    ensure!(
        is_described || is_command,
        "this core module neither describes a component nor has a function `_start`; build it for the target wasm32-wasip2"
    );
    let adapter = if is_command {
        WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER
    } else {
        WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER
    };
    let encoder = ComponentEncoder::default().validate(true).module(module);
    let encoded = encoder
        .and_then(|encoder| encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter))
        .and_then(|mut encoder| encoder.encode());
    encoded.context(
        "this core module cannot be made into a component; build it for the target wasm32-wasip2",
    )
}

struct Facts {
    is_described: bool,
    /// It is a program, which exports `_start`.
    is_command: bool,
}

impl Facts {
    fn of(module: &[u8]) -> Result<Facts> {
        let mut facts = Facts {
            is_described: false,
            is_command: false,
        };
        for payload in Parser::new(0).parse_all(module) {
            match payload.context("not a valid WebAssembly module")? {
                Payload::CustomSection(section) => {
                    facts.is_described |= section.name().starts_with(DESCRIPTION);
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        facts.is_command |= export?.name == "_start";
                    }
                }
                _ => {}
            }
        }
        Ok(facts)
    }
}
