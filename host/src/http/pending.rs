//! Memory for request bodies of one component that are still received, or wait for an instance. A body is charged for the
//! bytes that have arrived, so that many bodies of which little arrives do not keep out others. One client gets a part.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::http::client::network;

/// Counted per body in addition to its bytes: the request and its task.
const BODY_BYTES: usize = 4 << 10;

pub struct PendingBodies {
    max_bytes: usize,
    held: Mutex<Held>,
    freed: Notify,
}

#[derive(Default)]
struct Held {
    total: usize,
    by_client: HashMap<IpAddr, usize>,
}

impl PendingBodies {
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            held: Mutex::default(),
            freed: Notify::new(),
        }
    }

    /// What one client address may hold.
    fn max_client_bytes(&self) -> usize {
        self.max_bytes / 4
    }

    /// The charge of a new body.
    pub fn charge(&self, client: IpAddr) -> Charge<'_> {
        Charge {
            bodies: self,
            client: network(client),
            bytes: 0,
        }
    }

    fn try_hold(&self, client: IpAddr, bytes: usize) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = held.by_client.get(&client).copied().unwrap_or_default();
        // Components that call each other have no address and need no part.
        let is_client = !client.is_unspecified();
        let fits = held.total + bytes <= self.max_bytes
            && (!is_client || of_client + bytes <= self.max_client_bytes());
        if fits {
            held.total += bytes;
            *held.by_client.entry(client).or_default() += bytes;
        }
        fits
    }

    fn release(&self, client: IpAddr, bytes: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(bytes);
        if let Some(of_client) = held.by_client.get_mut(&client) {
            *of_client = of_client.saturating_sub(bytes);
            if *of_client == 0 {
                held.by_client.remove(&client);
            }
        }
        drop(held);
        self.freed.notify_waiters();
    }
}

/// What one body holds; released when dropped.
pub struct Charge<'a> {
    bodies: &'a PendingBodies,
    client: IpAddr,
    bytes: usize,
}

impl Charge<'_> {
    /// Adds the bytes that arrived. Waits for room up to `limit`; returns whether there was room.
    pub async fn add(&mut self, bytes: usize, limit: Duration) -> bool {
        let first = if self.bytes == 0 { BODY_BYTES } else { 0 };
        let bytes = first + bytes;
        let wait = async {
            loop {
                let freed = self.bodies.freed.notified();
                let mut freed = std::pin::pin!(freed);
                // Registered before the look, so that no release in between is missed.
                freed.as_mut().enable();
                if self.bodies.try_hold(self.client, bytes) {
                    return;
                }
                freed.await;
            }
        };
        let has_room =
            self.bodies.try_hold(self.client, bytes) || timeout(limit, wait).await.is_ok();
        if has_room {
            self.bytes += bytes;
        }
        has_room
    }

    /// Adds what was not added yet of a body of this length, which now waits for an instance.
    pub async fn complete(&mut self, length: usize, limit: Duration) -> bool {
        let added = self.bytes.saturating_sub(BODY_BYTES);
        self.add(length.saturating_sub(added), limit).await
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.bodies.release(self.client, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const NO_WAIT: Duration = Duration::ZERO;
    const MAX_BYTES: usize = 128 << 20;
    const MAX_CLIENT_BYTES: usize = MAX_BYTES / 4;

    fn client(number: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, number).into()
    }

    #[tokio::test]
    async fn many_bodies_of_one_byte_leave_room_for_others() {
        let bodies = PendingBodies::new(MAX_BYTES);
        let mut slow = Vec::new();
        for _ in 0..1000 {
            let mut charge = bodies.charge(client(1));
            assert!(charge.add(1, NO_WAIT).await);
            slow.push(charge);
        }
        let mut other = bodies.charge(client(2));
        assert!(other.add(16 << 20, NO_WAIT).await);
    }

    #[tokio::test]
    async fn one_client_holds_only_a_part() {
        let bodies = PendingBodies::new(MAX_BYTES);
        let mut greedy = bodies.charge(client(1));
        assert!(greedy.add(MAX_CLIENT_BYTES / 2, NO_WAIT).await);
        assert!(!greedy.add(MAX_CLIENT_BYTES / 2, NO_WAIT).await);
        let mut other = bodies.charge(client(2));
        assert!(other.add(MAX_CLIENT_BYTES / 2, NO_WAIT).await);
        drop(greedy);
        let mut again = bodies.charge(client(1));
        assert!(again.add(MAX_CLIENT_BYTES / 2, NO_WAIT).await);
        drop((other, again));
        let held = bodies.held.lock().unwrap();
        assert!(held.total == 0 && held.by_client.is_empty());
    }

    #[tokio::test]
    async fn a_body_that_arrived_in_pieces_is_charged_once_while_it_waits() {
        let bodies = PendingBodies::new(MAX_BYTES);
        let mut charge = bodies.charge(client(1));
        let length = MAX_CLIENT_BYTES - BODY_BYTES;
        assert!(charge.add(1, NO_WAIT).await);
        assert!(charge.add(length - 100, NO_WAIT).await);
        for _ in 0..2 {
            assert!(charge.complete(length, NO_WAIT).await);
        }
        assert_eq!(bodies.held.lock().unwrap().total, MAX_CLIENT_BYTES);
        let mut at_once = bodies.charge(client(2));
        assert!(at_once.complete(0, NO_WAIT).await);
        assert_eq!(at_once.bytes, BODY_BYTES, "it waits, so it takes memory");
    }

    #[tokio::test]
    async fn a_body_waits_for_room() {
        let bodies = PendingBodies::new(MAX_BYTES);
        let mut first = bodies.charge(client(1));
        assert!(first.add(MAX_CLIENT_BYTES / 2, NO_WAIT).await);
        let mut second = bodies.charge(client(1));
        let (has_room, ()) = tokio::join!(
            second.add(MAX_CLIENT_BYTES / 2, Duration::from_secs(20)),
            async { drop(first) }
        );
        assert!(has_room);
    }
}
