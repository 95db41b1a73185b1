//! Components that receive messages, from `redis_trigger` or `cron`. Covers both interfaces that a component may
//! export, warm instances, and the limit on messages handled at the same time.

mod queue;

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use anyhow::{Result, bail};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use wasmtime::Engine;
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, Lift, TypedFunc};
use wharf_imports::http::Depth;

use crate::function::Function;
use crate::instances::{self, Instance, Instances, Permit};
use crate::link;
use crate::listener::queue::{Message, Queue};
use crate::request_id;

/// `spin:redis/redis@3.0.0#error`.
#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
enum AsyncError {
    #[component(name = "invalid-address")]
    InvalidAddress,
    #[component(name = "too-many-connections")]
    TooManyConnections,
    #[component(name = "type-error")]
    TypeError,
    #[component(name = "other")]
    Other(String),
}

impl fmt::Display for AsyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidAddress => "invalid address",
            Self::TooManyConnections => "too many connections",
            Self::TypeError => "type error",
            Self::Other(cause) => cause,
        })
    }
}

/// `fermyon:spin/redis-types#error`.
#[derive(Clone, Copy, Debug, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code)]
enum SyncError {
    #[component(name = "success")]
    Success,
    #[component(name = "error")]
    Error,
}

/// The handler that a component exports, of either interface.
enum Export {
    Async(ComponentExportIndex),
    Sync(ComponentExportIndex),
}

enum Handler {
    Async(TypedFunc<(Vec<u8>,), (Result<(), AsyncError>,)>),
    Sync(TypedFunc<(Vec<u8>,), (Result<(), SyncError>,)>),
}

pub struct Listener {
    export: Export,
    instances: Arc<Instances<Handler>>,
    queue: Queue,
}

impl Listener {
    /// Starts delivering offered messages as tasks of `work`, until the listener is dropped.
    pub fn start(function: Arc<Function>, work: &TaskTracker) -> Result<Arc<Self>> {
        let limits = &function.limits;
        // Redis sends each message once; what must not be lost is sent to `POST /events`.
        let (queue, waiting) =
            Queue::new(limits.waiting_messages_bytes, limits.merges_equal_messages);
        let listener = Arc::new(Self {
            export: Export::find(function.pre.component(), function.pre.engine())?,
            instances: Instances::new(function),
            queue,
        });
        tokio::spawn(dispatch(Arc::downgrade(&listener), waiting, work.clone()));
        Ok(listener)
    }

    pub fn component(&self) -> &str {
        &self.instances.function.id
    }

    /// Queues a message; returns whether there was room.
    pub fn offer(&self, message: Message) -> bool {
        let is_queued = self.queue.offer(message);
        if !is_queued {
            self.instances
                .function
                .meter
                .messages_dropped
                .fetch_add(1, Relaxed);
        }
        is_queued
    }

    /// Waits for a permit, then until an instance has handled the message.
    pub async fn deliver(&self, message: Message) {
        if let Some(permit) = self.instances.acquire_permit().await {
            self.deliver_now(&message, permit).await;
        }
    }

    /// Failures are only logged and counted: the sender does not wait for a result.
    async fn deliver_now(&self, message: &[u8], _permit: Permit) {
        let function = &self.instances.function;
        function.meter.messages.fetch_add(1, Relaxed);
        let limit = function.limits.request_timeout;
        let component = self.component();
        match timeout(
            limit,
            function
                .scheduler
                .schedule(&function.id, Box::pin(self.handle(message))),
        )
        .await
        {
            Ok(Ok(())) => return,
            Ok(Err(cause)) => tracing::error!(component, "a message was not handled: {cause:#}"),
            Err(_) => {
                function.meter.instances_failed.fetch_add(1, Relaxed);
                tracing::error!(component, "a message was not handled within {limit:?}");
            }
        }
        function.meter.messages_failed.fetch_add(1, Relaxed);
    }

    async fn handle(&self, message: &[u8]) -> Result<()> {
        let mut instance = match self.instances.take_warm() {
            Some(warm) => warm,
            None => self.instantiate().await?,
        };
        let id = request_id::new();
        instance.begin_request(&id, None, Depth::default());
        match call(&mut instance, message.to_vec()).await {
            // A returned error leaves the instance usable; a trap does not.
            Ok(result) => {
                self.instances.keep_warm(instance);
                result.map_err(anyhow::Error::msg)
            }
            Err(cause) => {
                instances::record_failure(&self.instances.function, &id, &cause);
                bail!("the instance failed")
            }
        }
    }

    async fn instantiate(&self) -> Result<Instance<Handler>> {
        let function = &self.instances.function;
        let mut store = function.new_store()?;
        let instance = function.pre.instantiate_async(&mut store).await?;
        let handler = match &self.export {
            Export::Async(index) => Handler::Async(instance.get_typed_func(&mut store, index)?),
            Export::Sync(index) => Handler::Sync(instance.get_typed_func(&mut store, index)?),
        };
        Ok(Instance::new(store, handler))
    }
}

/// The result of the handler; an outer error is a trap.
async fn call(
    instance: &mut Instance<Handler>,
    message: Vec<u8>,
) -> wasmtime::Result<Result<(), String>> {
    let handler = &instance.exports;
    instance
        .store
        .run_concurrent(async |accessor| {
            let result = match handler {
                Handler::Async(function) => {
                    let (result,) = function.call_concurrent(accessor, (message,)).await?;
                    result.map_err(|error| error.to_string())
                }
                Handler::Sync(function) => {
                    let (result,) = function.call_concurrent(accessor, (message,)).await?;
                    result.map_err(|_| "error".to_owned())
                }
            };
            // Tasks that the guest spawned belong to this message.
            instances::finish_tasks(accessor).await;
            Ok(result)
        })
        .await?
}

impl Export {
    fn find(component: &Component, engine: &Engine) -> Result<Self> {
        let function = |interface: &str| {
            let interface = component.get_export_index(None, interface)?;
            component.get_export_index(Some(&interface), "handle-message")
        };
        let found = (
            function("spin:redis/inbound-redis@3.0.0"),
            function("fermyon:spin/inbound-redis"),
        );
        match found {
            (Some(index), None) => Ok(Self::Async(index)),
            (None, Some(index)) => Ok(Self::Sync(index)),
            (None, None) => match link::unsupported_interface(component, engine) {
                Some(why) => bail!("it has a redis trigger, but {why}"),
                None => bail!(
                    "it has a redis trigger, but does not export spin:redis/inbound-redis@3.0.0"
                ),
            },
            (Some(_), Some(_)) => {
                bail!("it exports two versions of inbound-redis; export only one")
            }
        }
    }
}

/// Spawns a task per waiting message, once there is a permit for it.
async fn dispatch(
    listener: Weak<Listener>,
    mut waiting: mpsc::UnboundedReceiver<Message>,
    work: TaskTracker,
) {
    while let Some(message) = waiting.recv().await {
        let Some(listener) = listener.upgrade() else {
            return;
        };
        // Waiting here, not in the tasks, also bounds the number of tasks.
        let Some(permit) = listener.instances.acquire_permit().await else {
            return;
        };
        listener.queue.mark_taken(&message);
        work.spawn(async move { listener.deliver_now(&message, permit).await });
    }
}
