//! Which connections are accepted, and which of them are idle.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wharf_manifest::manifest::ConnectionLimits;

use crate::http::client::network;

/// The open connections, and their limits.
pub struct Connections {
    max: usize,
    max_per_client: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_client: HashMap<IpAddr, usize>,
}

impl Connections {
    pub fn new(limits: &ConnectionLimits, max_descriptors: Option<u64>) -> Arc<Self> {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        // The other half is for stores, files and outgoing connections.
        let half = max_descriptors.map_or(usize::MAX, |max| {
            usize::try_from(max / 2).unwrap_or(usize::MAX)
        });
        Arc::new(Self {
            max: count(limits.max).min(half),
            max_per_client: count(limits.max_per_client),
            open: Mutex::default(),
        })
    }

    /// Counts a connection until the result is dropped; `None` if there are too many. A trusted proxy has no limit of its
    /// own.
    pub fn admit(self: &Arc<Self>, client: IpAddr, is_proxy: bool) -> Option<Admitted> {
        let client = network(client);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.max {
            return None;
        }
        let of_client = open.by_client.entry(client).or_default();
        if *of_client >= self.max_per_client && !is_proxy {
            return None;
        }
        *of_client += 1;
        open.total += 1;
        Some(Admitted {
            connections: self.clone(),
            client,
        })
    }
}

pub struct Admitted {
    connections: Arc<Connections>,
    client: IpAddr,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let open = &self.connections.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if let Some(of_client) = open.by_client.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                open.by_client.remove(&self.client);
            }
        }
    }
}

/// Raises the limit of file descriptors as far as the system lets this process, and returns it.
pub fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// The requests of one connection, to tell whether it is idle.
pub struct Activity {
    in_progress: AtomicUsize,
    /// When the latest request ended, or the connection began.
    idle_since_ms: AtomicU64,
}

/// `Instant` does not fit an atomic; milliseconds since this one do.
static CLOCK_START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now_ms() -> u64 {
    u64::try_from(CLOCK_START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Activity {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            in_progress: AtomicUsize::new(0),
            idle_since_ms: AtomicU64::new(now_ms()),
        })
    }

    pub fn begin_request(self: &Arc<Self>) -> RequestInProgress {
        self.in_progress.fetch_add(1, Relaxed);
        RequestInProgress(self.clone())
    }

    /// How long the connection may stay as it is; `None` if its time has run out.
    pub fn time_left(&self, idle_timeout: Duration) -> Option<Duration> {
        if self.in_progress.load(Relaxed) > 0 {
            return Some(idle_timeout);
        }
        let idle = now_ms().saturating_sub(self.idle_since_ms.load(Relaxed));
        let left = idle_timeout.checked_sub(Duration::from_millis(idle));
        left.filter(|left| !left.is_zero())
    }
}

/// A request whose response is not complete yet.
pub struct RequestInProgress(Arc<Activity>);

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        self.0.idle_since_ms.store(now_ms(), Relaxed);
        self.0.in_progress.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_limited_in_all_and_per_client() {
        let limits = ConnectionLimits {
            max: 3,
            max_per_client: 2,
            ..Default::default()
        };
        let connections = Connections::new(&limits, None);
        let [one, two] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        let mut open = vec![
            connections.admit(one, false).unwrap(),
            connections.admit(one, false).unwrap(),
        ];
        assert!(connections.admit(one, false).is_none());
        open.push(connections.admit(one, true).unwrap());
        assert!(connections.admit(two, false).is_none(), "three are open");
        drop(open);
        assert!(connections.admit(two, false).is_some());
        assert_eq!(connections.open.lock().unwrap().by_client.len(), 0);
        assert_eq!(Connections::new(&limits, Some(4)).max, 2);
    }

    #[test]
    fn a_client_with_a_network_of_ipv6_is_one_client() {
        let limits = ConnectionLimits {
            max: 3,
            max_per_client: 1,
            ..Default::default()
        };
        let connections = Connections::new(&limits, None);
        let admit = |address: &str| connections.admit(address.parse().unwrap(), false);
        let _first = admit("2001:db8:0:1::1").unwrap();
        assert!(admit("2001:db8:0:1:ffff::2").is_none());
        let _second = admit("2001:db8:0:2::1").unwrap();
        let _third = admit("192.0.2.1").unwrap();
        assert!(admit("::ffff:192.0.2.1").is_none());
    }

    #[test]
    fn a_connection_is_idle_only_between_requests() {
        let activity = Activity::new();
        let request = activity.begin_request();
        assert!(activity.time_left(Duration::ZERO).is_some());
        drop(request);
        assert!(activity.time_left(Duration::ZERO).is_none());
        assert!(activity.time_left(Duration::from_secs(60)).is_some());
    }
}
