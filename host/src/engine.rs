//! The wasmtime engine: compiler settings and the size of the instance pool.

pub mod cache;
pub mod shortcut;

use anyhow::Result;
use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// Limits over all components; the instance pool is sized for them.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Component instances alive at the same time.
    pub instances: u32,
    /// The largest linear memory any of them may grow to.
    pub memory_bytes: usize,
    /// The largest number of components composed into one: each has a memory and some core instances.
    pub parts: u32,
}

/// A component of the Rust SDK has a main module and a few small ones; Python's brings its libraries as modules. They
/// are only counted, so the bound costs nothing.
const CORE_INSTANCES_PER_PART: u32 = 64;
const TABLES_PER_PART: u32 = 4;

/// Builds an engine with an instance pool. If the address space is too small for the pool (a container with a
/// limit on virtual memory), instances are allocated one by one.
pub fn build(capacity: Capacity) -> Result<wasmtime::Engine> {
    let mut config = common_config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(capacity)));
    match wasmtime::Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(cause) => {
            tracing::warn!(%cause, "no room for the instance pool; instances are allocated one by one");
            let mut config = common_config();
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Ok(wasmtime::Engine::new(&config)?)
        }
    }
}

fn common_config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .wasm_component_model_error_context(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

fn pool(capacity: Capacity) -> PoolingAllocationConfig {
    let Capacity {
        instances,
        memory_bytes,
        parts,
    } = capacity;
    // An instance that is being dropped holds its slot a little longer than its permit.
    let instances = instances + instances / 8 + 8;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        // Each part of an instance may be suspended on a stack of its own while another one runs.
        .total_stacks(instances * (parts + 1))
        .total_memories(instances * parts)
        .total_tables(instances * parts * TABLES_PER_PART)
        .total_core_instances(instances * parts * CORE_INSTANCES_PER_PART)
        .max_core_instances_per_component(parts * CORE_INSTANCES_PER_PART)
        .max_memories_per_component(parts)
        .max_tables_per_component(parts * TABLES_PER_PART)
        .max_memory_size(memory_bytes)
        // A slot that is not used keeps no pages: instances serve thousands of requests, so that a new one is rare.
        .linear_memory_keep_resident(0)
        .table_keep_resident(0);
    pool
}
