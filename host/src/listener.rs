//! Components that are given messages, whoever sends them (`redis_trigger`, `cron`): both interfaces
//! they may export, instances kept warm between messages, as many at once as the manifest allows.

mod queue;

use std::fmt;
use std::future;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use anyhow::{Result, bail};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use wasmtime::Engine;
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, Lift, TypedFunc};

use crate::function::Function;
use crate::instances::{self, Instance, Instances, Place};
use crate::link;
use crate::listener::queue::{Message, Queue};
use crate::request_id;

/// What may wait for one component. A message that finds no room is dropped and counted: messages
/// wake, and whatever must not be lost is in the database.
const WAITING: usize = 1024;

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

/// Which of the two interfaces a component exports, and where.
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
    /// Starts delivering what is offered, within `work`; until the listener is dropped.
    pub fn start(
        function: Arc<Function>,
        component: &Component,
        work: &TaskTracker,
    ) -> Result<Arc<Self>> {
        let (queue, waiting) = Queue::new(WAITING, function.limits.merges_equal_messages);
        let listener = Arc::new(Self {
            export: Export::find(component, function.pre.engine())?,
            instances: Instances::new(function),
            queue,
        });
        tokio::spawn(hand_out(Arc::downgrade(&listener), waiting, work.clone()));
        Ok(listener)
    }

    pub fn component(&self) -> &str {
        &self.instances.function.id
    }

    /// Takes a message for later; says whether there was room.
    pub fn offer(&self, message: Message) -> bool {
        let taken = self.queue.offer(message);
        if !taken {
            self.instances
                .function
                .meter
                .messages_dropped
                .fetch_add(1, Relaxed);
        }
        taken
    }

    /// Gives the message to an instance and waits until it is done with it.
    pub async fn deliver(&self, message: Message) {
        if let Some(place) = self.instances.place().await {
            self.deliver_now(&message, place).await;
        }
    }

    /// Failures are logged and counted, nothing more: whoever sent the message has long gone on.
    async fn deliver_now(&self, message: &[u8], _place: Place) {
        let function = &self.instances.function;
        function.meter.messages.fetch_add(1, Relaxed);
        let limit = function.limits.request_timeout;
        let component = self.component();
        match timeout(limit, function.turns.share(Box::pin(self.handle(message)))).await {
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
        instance.serves(&id);
        match call(&mut instance, message.to_vec()).await {
            // An error of its own leaves the instance as good as before; a trap does not.
            Ok(answer) => {
                self.instances.keep_warm(instance);
                answer.map_err(anyhow::Error::msg)
            }
            Err(cause) => {
                instances::lost(&self.instances.function, &id, &cause);
                bail!("the instance failed")
            }
        }
    }

    async fn instantiate(&self) -> Result<Instance<Handler>> {
        let function = &self.instances.function;
        let mut store = function.store()?;
        let instance = function.pre.instantiate_async(&mut store).await?;
        let handler = match &self.export {
            Export::Async(index) => Handler::Async(instance.get_typed_func(&mut store, index)?),
            Export::Sync(index) => Handler::Sync(instance.get_typed_func(&mut store, index)?),
        };
        Ok(Instance::new(store, handler))
    }
}

/// What the handler answered; an outer error is a trap.
async fn call(
    instance: &mut Instance<Handler>,
    message: Vec<u8>,
) -> wasmtime::Result<Result<(), String>> {
    let handler = &instance.exports;
    instance
        .store
        .run_concurrent(async |accessor| {
            let answer = match handler {
                Handler::Async(function) => {
                    let (answer,) = function.call_concurrent(accessor, (message,)).await?;
                    answer.map_err(|error| error.to_string())
                }
                Handler::Sync(function) => {
                    let (answer,) = function.call_concurrent(accessor, (message,)).await?;
                    answer.map_err(|_| "error".to_owned())
                }
            };
            // What the guest still does after it answered belongs to this message.
            future::poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
            Ok(answer)
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
            (None, None) => match link::unknown(component, engine) {
                Some(why) => bail!("a redis trigger starts it, but {why}"),
                None => bail!(
                    "a redis trigger starts it, but it exports no spin:redis/inbound-redis@3.0.0"
                ),
            },
            (Some(_), Some(_)) => {
                bail!("it exports two versions of inbound-redis; which is meant?")
            }
        }
    }
}

/// Gives each waiting message a task of its own once there is a place for it.
async fn hand_out(
    listener: Weak<Listener>,
    mut waiting: mpsc::Receiver<Message>,
    work: TaskTracker,
) {
    while let Some(message) = waiting.recv().await {
        let Some(listener) = listener.upgrade() else {
            return;
        };
        // Waiting here, not in the tasks, keeps the number of tasks bounded too.
        let Some(place) = listener.instances.place().await else {
            return;
        };
        listener.queue.is_taken(&message);
        work.spawn(async move { listener.deliver_now(&message, place).await });
    }
}
