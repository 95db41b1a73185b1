//! A component ready to run: compiled, linked, with its limits, grants and outputs. The triggers call it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use wasmtime::Store;
use wasmtime::component::{InstancePre, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx};
use wasmtime_wasi_http::WasiHttpCtx;
use wharf_imports::{Imports, ImportsCtx};
use wharf_manifest::manifest::WharfComponent;

use crate::guest::output::{Destination, Output};
use crate::guest::{Alive, Guest, MAX_HANDLES, Memory};
use crate::http::headers::MAX_HEADER_BYTES;
use crate::instances::FailureLog;
use crate::metrics::ComponentMeter;
use crate::scheduler::Scheduler;

/// The limits of a component: `[component.<id>.tool.wharf]`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub requests_per_instance: usize,
    pub concurrent_requests: usize,
    pub idle_timeout: Duration,
    pub max_instances: usize,
    pub request_timeout: Duration,
    pub memory_bytes: usize,
    pub body_bytes: u64,
    pub pending_bodies_bytes: usize,
    pub waiting_messages_bytes: usize,
    pub merges_equal_messages: bool,
}

impl From<&WharfComponent> for Limits {
    fn from(settings: &WharfComponent) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            requests_per_instance: count(settings.requests_per_instance),
            concurrent_requests: count(settings.concurrent_requests),
            idle_timeout: settings.idle_timeout,
            max_instances: count(settings.max_instances),
            request_timeout: settings.request_timeout,
            memory_bytes: settings.memory_bytes,
            body_bytes: settings.body_limit_bytes,
            pending_bodies_bytes: settings.pending_bodies_bytes,
            waiting_messages_bytes: settings.waiting_messages_bytes,
            merges_equal_messages: settings.merge_equal_messages,
        }
    }
}

pub struct Function {
    pub id: Arc<str>,
    pub limits: Limits,
    /// Whether it is called as Spin calls it.
    pub is_as_spin: bool,
    pub meter: Arc<ComponentMeter>,
    pub pre: InstancePre<Guest>,
    pub scheduler: Arc<Scheduler>,
    pub imports: Arc<Imports>,
    pub environment: Vec<(String, String)>,
    /// Mounted read-only as `/`.
    pub files: Option<PathBuf>,
    pub stdout: Destination,
    pub stderr: Destination,
    pub failure_log: FailureLog,
    /// Memory for long responses that are not sent yet, in frames of `MAX_FRAME_BYTES`.
    pub unsent_frames: Arc<Semaphore>,
    /// What the component does apart from requests: messages, and what a request runs on with after its response.
    pub work: TaskTracker,
}

/// 64 MiB: four of the longest responses.
pub const MAX_UNSENT_FRAMES: usize = 1024;

impl Function {
    /// Creates the store of a new instance.
    pub fn new_store(&self) -> wasmtime::Result<Store<Guest>> {
        let (stdout, stderr) = (
            Output::new(self.stdout.clone()),
            Output::new(self.stderr.clone()),
        );
        let mut wasi = WasiCtx::builder();
        wasi.stdout(stdout.clone())
            .stderr(stderr.clone())
            .envs(&self.environment);
        if let Some(files) = &self.files {
            wasi.preopened_dir(files, "/", FsPerms::ReadOnly)?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_HEADER_BYTES);
        let guest = Guest {
            table,
            wasi: wasi.build(),
            http,
            imports: ImportsCtx::new(&self.imports),
            memory: Memory::of(self.limits.memory_bytes),
            stdout,
            stderr,
            _alive: Alive::new(self.meter.clone()),
        };
        let mut store = Store::new(self.pre.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        store.epoch_deadline_async_yield_and_update(1);
        Ok(store)
    }
}
