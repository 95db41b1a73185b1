//! The one wasmtime engine: how components are compiled, and how many may live. How they share the
//! processors is `turns`; keeping compiled components is `engine::cache`.

pub mod cache;

use anyhow::Result;
use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// What all components together may hold at once; the pool is laid out for exactly that.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Component instances alive at once.
    pub instances: u32,
    /// The largest linear memory any of them may grow to.
    pub memory_bytes: usize,
    /// The most components composed into one: each brings a memory and some core instances.
    pub parts: u32,
}

/// A component as `wit-component` makes it has a main module, two small ones that tie its imports,
/// and sometimes an adapter.
const CORE_INSTANCES_PER_PART: u32 = 6;
const TABLES_PER_PART: u32 = 4;

/// An engine with its instance pool; where the address space is too short for one (containers with
/// a limit on virtual memory), an engine that allocates instances one by one.
pub fn build(capacity: Capacity) -> Result<wasmtime::Engine> {
    let mut config = common();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(capacity)));
    match wasmtime::Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(cause) => {
            tracing::warn!(%cause, "no room for the instance pool; instances are allocated one by one");
            let mut config = common();
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Ok(wasmtime::Engine::new(&config)?)
        }
    }
}

fn common() -> Config {
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
    // An instance on its way out holds its slot a little longer than its place.
    let instances = instances + instances / 8 + 8;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances * 2)
        .total_memories(instances * parts)
        .total_tables(instances * parts * TABLES_PER_PART)
        .total_core_instances(instances * parts * CORE_INSTANCES_PER_PART)
        .max_core_instances_per_component(parts * CORE_INSTANCES_PER_PART)
        .max_memories_per_component(parts)
        .max_tables_per_component(parts * TABLES_PER_PART)
        .max_memory_size(memory_bytes)
        // Pages a finished instance is likely to touch again are wiped, not given back to the kernel.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(16 << 10);
    pool
}
