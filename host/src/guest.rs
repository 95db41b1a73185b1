//! What one running instance carries: everything its imports need, what it may use, and whom it is
//! serving. The list of fields is the list of what a component can reach.

pub mod output;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wharf_imports::{ImportsCtx, ImportsCtxView, ImportsView};

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
    /// From here on, what the guest prints belongs to this request.
    pub fn serves(&self, request_id: &str) {
        self.stdout.belongs_to(request_id);
        self.stderr.belongs_to(request_id);
    }
}

impl Guest {
    /// The request served last, where one is served at a time.
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

/// Handles an instance may hold to what the host keeps for it: many times what the busiest needs, and few enough that the
/// header fields among them are no more than a memory is.
pub const HANDLES: usize = 4096;

/// How much linear memory the instance has, over all components composed into it, and may have.
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

/// More elements than any toolchain's function table; a table is no way around the memory limit.
const TABLE_ELEMENTS: usize = 100_000;

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
        Ok(desired <= TABLE_ELEMENTS)
    }
}

/// Counts the instance among the living until it is dropped.
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
