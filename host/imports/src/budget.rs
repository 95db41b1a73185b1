//! What one component may hold outside its instances: outgoing connections of every kind, and bytes that wait for a guest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Clone)]
pub struct Budget {
    /// One permit per connection of the component.
    connections: Arc<Semaphore>,
    max_connections: usize,
    /// One permit per connection of the application.
    total: Option<Arc<Semaphore>>,
    held: Arc<AtomicUsize>,
    max_held: usize,
}

/// The right to one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    _own: OwnedSemaphorePermit,
    _total: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum OverBudget {
    #[error(
        "the component has {0} outgoing connections, which is its limit (`outbound_connections`)"
    )]
    Connections(usize),
    #[error("the application has as many outgoing connections as `max_total_connections` allows")]
    TotalConnections,
    #[error(
        "the answers that the component waits for exceed {0} bytes together, which is its limit (`held_answers_mb`)"
    )]
    Bytes(usize),
}

impl Budget {
    /// `total` has a permit for each connection that all components may have together.
    pub fn new(max_connections: usize, max_held: usize, total: Option<Arc<Semaphore>>) -> Budget {
        Budget {
            connections: Arc::new(Semaphore::new(max_connections)),
            max_connections,
            total,
            held: Arc::default(),
            max_held,
        }
    }

    pub(crate) fn unlimited() -> Budget {
        Budget::new(Semaphore::MAX_PERMITS, usize::MAX, None)
    }

    pub(crate) fn max_connections(&self) -> usize {
        self.max_connections
    }

    pub(crate) fn try_connect(&self) -> Result<ConnectionPermit, OverBudget> {
        let own = Arc::clone(&self.connections).try_acquire_owned();
        let own = own.map_err(|_| OverBudget::Connections(self.max_connections))?;
        let total = self.total.as_ref();
        let total = total.map(|total| Arc::clone(total).try_acquire_owned());
        let total = total.transpose();
        Ok(ConnectionPermit {
            _own: own,
            _total: total.map_err(|_| OverBudget::TotalConnections)?,
        })
    }

    /// Nothing yet; [`Held::grow`] adds to it.
    pub(crate) fn hold(&self) -> Held {
        Held {
            budget: self.clone(),
            bytes: 0,
        }
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn open_connections(&self) -> usize {
        self.max_connections - self.connections.available_permits()
    }
}

/// Bytes that the host holds for a guest, until it is dropped.
pub(crate) struct Held {
    budget: Budget,
    bytes: usize,
}

impl Held {
    pub fn grow(&mut self, bytes: usize) -> Result<(), OverBudget> {
        let before = self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.max_held {
            self.budget.held.fetch_sub(bytes, Ordering::Relaxed);
            return Err(OverBudget::Bytes(self.budget.max_held));
        }
        self.bytes += bytes;
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_per_component_and_over_all_components() {
        let total = Arc::new(Semaphore::new(3));
        let first = Budget::new(2, 0, Some(Arc::clone(&total)));
        let second = Budget::new(2, 0, Some(total));
        let of_first = [first.try_connect().unwrap(), first.try_connect().unwrap()];
        let refused = first.try_connect().unwrap_err();
        assert!(matches!(refused, OverBudget::Connections(2)), "{refused}");
        let of_second = second.try_connect().unwrap();
        let refused = second.try_connect().unwrap_err();
        assert!(matches!(refused, OverBudget::TotalConnections), "{refused}");
        assert_eq!(second.open_connections(), 1, "a refusal keeps no permit");
        drop((of_first, of_second));
        assert!(second.try_connect().is_ok());
        assert_eq!(first.open_connections(), 0);
    }

    #[test]
    fn bytes_are_held_together_and_given_back() {
        let budget = Budget::new(1, 1_000, None);
        let (mut large, mut small) = (budget.hold(), budget.hold());
        large.grow(990).unwrap();
        small.grow(10).unwrap();
        assert!(small.grow(1).is_err());
        assert_eq!(budget.held_bytes(), 1_000, "a refusal holds nothing");
        drop(large);
        small.grow(11).unwrap();
        assert_eq!(small.bytes(), 21);
        drop(small);
        assert_eq!(budget.held_bytes(), 0);
    }
}
