//! Components that are given messages, whoever sends them (`redis_trigger`, `cron`): both interfaces
//! they may export, instances kept warm between messages, as many at once as the manifest allows.

use std::future;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, Lift, TypedFunc};

use crate::function::Function;
use crate::guest::Guest;

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
    function: Arc<Function>,
    export: Export,
    warm: Mutex<Vec<Warm>>,
    turns: Arc<Semaphore>,
    queue: mpsc::Sender<Arc<[u8]>>,
}

/// An instance between two messages.
struct Warm {
    store: Store<Guest>,
    handler: Handler,
    served: usize,
    since: Instant,
}

impl Listener {
    /// Starts delivering what is offered, within `work`; until the listener is dropped.
    pub fn start(
        function: Arc<Function>,
        component: &Component,
        work: &TaskTracker,
    ) -> Result<Arc<Self>> {
        let export = Export::find(component)?;
        let (queue, waiting) = mpsc::channel(WAITING);
        let listener = Arc::new(Self {
            turns: Arc::new(Semaphore::new(function.limits.max_instances)),
            warm: Mutex::default(),
            export,
            queue,
            function,
        });
        tokio::spawn(hand_out(Arc::downgrade(&listener), waiting, work.clone()));
        tokio::spawn(cool(
            Arc::downgrade(&listener),
            listener.function.limits.idle_timeout,
        ));
        Ok(listener)
    }

    pub fn component(&self) -> &str {
        &self.function.id
    }

    /// Takes a message for later; says whether there was room.
    pub fn offer(&self, message: Arc<[u8]>) -> bool {
        let taken = self.queue.try_send(message).is_ok();
        if !taken {
            self.function.meter.messages_dropped.fetch_add(1, Relaxed);
        }
        taken
    }

    /// Gives the message to an instance and waits until it is done with it. Failures are logged and
    /// counted, nothing more: whoever sent the message has long gone on.
    pub async fn deliver(&self, message: Arc<[u8]>) {
        let meter = &self.function.meter;
        let begun = Instant::now();
        let Ok(_turn) = self.turns.acquire().await else {
            return;
        };
        if begun.elapsed() > Duration::from_millis(1) {
            meter.waited(begun.elapsed());
        }
        meter.messages.fetch_add(1, Relaxed);
        let limit = self.function.limits.request_timeout;
        let delivered = timeout(limit, self.handle(&message)).await;
        let component = self.component();
        match delivered {
            Ok(Ok(())) => return,
            Ok(Err(cause)) => tracing::error!(component, "a message was not handled: {cause:?}"),
            Err(_) => tracing::error!(component, "a message was not handled within {limit:?}"),
        }
        meter.messages_failed.fetch_add(1, Relaxed);
    }

    async fn handle(&self, message: &[u8]) -> Result<()> {
        let mut instance = match self.take_warm() {
            Some(warm) => warm,
            None => self.instantiate().await?,
        };
        let answer = instance.call(message.to_vec()).await;
        // After an error of its own the instance is as good as before; after a trap it is gone.
        match answer {
            Ok(answer) => {
                self.keep_warm(instance);
                answer.map_err(anyhow::Error::msg)
            }
            Err(trap) => {
                self.function.meter.instances_failed.fetch_add(1, Relaxed);
                Err(trap)
            }
        }
    }

    async fn instantiate(&self) -> Result<Warm> {
        let mut store = self.function.start().await?;
        let instance = self.function.pre.instantiate_async(&mut store).await?;
        let handler = match &self.export {
            Export::Async(index) => Handler::Async(instance.get_typed_func(&mut store, index)?),
            Export::Sync(index) => Handler::Sync(instance.get_typed_func(&mut store, index)?),
        };
        Ok(Warm {
            store,
            handler,
            served: 0,
            since: Instant::now(),
        })
    }

    fn take_warm(&self) -> Option<Warm> {
        self.warm
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn keep_warm(&self, mut instance: Warm) {
        instance.served += 1;
        instance.since = Instant::now();
        if instance.served < self.function.limits.requests_per_instance {
            self.warm
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(instance);
        }
    }
}

impl Warm {
    /// What the handler answered; an outer error is a trap.
    async fn call(&mut self, message: Vec<u8>) -> Result<Result<(), String>> {
        let handler = &self.handler;
        let answer = self
            .store
            .run_concurrent(async |accessor| {
                let answer = match handler {
                    Handler::Async(function) => {
                        let (answer,) = function.call_concurrent(accessor, (message,)).await?;
                        answer.map_err(|error| format!("{error:?}"))
                    }
                    Handler::Sync(function) => {
                        let (answer,) = function.call_concurrent(accessor, (message,)).await?;
                        answer.map_err(|error| format!("{error:?}"))
                    }
                };
                // What the guest still does after it answered belongs to this message.
                future::poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
                wasmtime::error::Ok(answer)
            })
            .await??;
        Ok(answer)
    }
}

impl Export {
    fn find(component: &Component) -> Result<Self> {
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
            (None, None) => {
                bail!("a redis trigger starts it, but it exports no spin:redis/inbound-redis@3.0.0")
            }
            (Some(_), Some(_)) => {
                bail!("it exports two versions of inbound-redis; which is meant?")
            }
        }
    }
}

/// Gives each waiting message a task of its own once there is a turn for it.
async fn hand_out(
    listener: std::sync::Weak<Listener>,
    mut waiting: mpsc::Receiver<Arc<[u8]>>,
    work: TaskTracker,
) {
    while let Some(message) = waiting.recv().await {
        let Some(listener) = listener.upgrade() else {
            return;
        };
        // Waiting here, not in the tasks, keeps the number of tasks bounded too.
        while listener.turns.available_permits() == 0 {
            let _ = listener.turns.acquire().await;
        }
        work.spawn(async move { listener.deliver(message).await });
    }
}

/// Lets instances go that nobody used for `idle`.
async fn cool(listener: std::sync::Weak<Listener>, idle: Duration) {
    let mut ticks = tokio::time::interval(idle.max(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        let Some(listener) = listener.upgrade() else {
            return;
        };
        let cold: Vec<Warm> = {
            let mut warm = listener.warm.lock().unwrap_or_else(PoisonError::into_inner);
            warm.extract_if(.., |instance| instance.since.elapsed() >= idle)
                .collect()
        };
        drop(cold);
    }
}
