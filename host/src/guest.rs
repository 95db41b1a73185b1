//! The state of one running instance: the contexts of its imports, its limits and outputs. A component can reach
//! nothing beyond these fields.

pub mod output;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wharf_imports::http::Depth;
use wharf_imports::{Cause, ImportsCtx, ImportsCtxView, ImportsView};

use crate::guest::output::Output;
use crate::metrics::ComponentMeter;

pub struct Guest {
    pub table: ResourceTable,
    pub wasi: WasiCtx,
    pub http: WasiHttpCtx,
    pub imports: ImportsCtx,
    pub memory: Memory,
    pub stdout: Output,
    pub stderr: Output,
    pub _alive: Alive,
}

impl Guest {
    /// Labels output, statements and outgoing calls from here on with this request.
    pub fn begin_request(&mut self, request_id: &str, traceparent: Option<&str>, depth: Depth) {
        self.imports
            .begin_request(Cause::new(request_id, traceparent), depth);
        self.stdout.set_request_id(request_id);
        self.stderr.set_request_id(request_id);
    }

    /// The latest request, where one is served at a time; else empty.
    pub fn request_id(&self) -> String {
        self.stderr.request_id()
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: self.imports.http_hooks(),
        }
    }
}

impl ImportsView for Guest {
    fn imports(&mut self) -> ImportsCtxView<'_> {
        ImportsCtxView {
            ctx: &mut self.imports,
            table: &mut self.table,
        }
    }
}

/// Handles of host resources per instance: many times what a busy component needs, and few enough that header fields
/// behind all of them take no more memory than an instance may have.
pub const MAX_HANDLES: usize = 4096;

/// Linear memory of an instance over all components composed into it, and its limit.
pub struct Memory {
    used: usize,
    limit: usize,
}

impl Memory {
    pub fn of(limit: usize) -> Self {
        Self { used: 0, limit }
    }

    pub fn used(&self) -> usize {
        self.used
    }
}

/// More than the function table of any toolchain needs; bounds the memory that tables take outside of `Memory`.
const MAX_TABLE_ELEMENTS: usize = 100_000;

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = self.used + desired.saturating_sub(current);
        let fits = grown <= self.limit;
        if fits {
            self.used = grown;
        } else {
            tracing::debug!(
                limit = self.limit,
                "a component asked for more memory than it may have"
            );
        }
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}

/// Counts the instance as alive until it is dropped.
pub struct Alive {
    meter: Arc<ComponentMeter>,
}

impl Alive {
    pub fn new(meter: Arc<ComponentMeter>) -> Self {
        meter.instances.fetch_add(1, Relaxed);
        meter.instances_started.fetch_add(1, Relaxed);
        Self { meter }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.meter.instances.fetch_sub(1, Relaxed);
    }
}
